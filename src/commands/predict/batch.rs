//! A folder of manifests: the table of its containers, the difference that sizes would make, or the sized files.

use std::path::Path;

use crate::artifact::write_folder;
use crate::cli::predict::{GranularityChoice, OutputForm, Predict};
use crate::emit::folder::{Answer, Assignments, Folder, Review};
use crate::emit::{EmitOptions, Format};
use crate::error::{CommandError, Outcome};
use crate::predict::Prediction;
use crate::ui::{Align, Table, Ui, human};

/// What was asked of a folder.
pub(super) struct Batch {
    folder: Folder,
    assignments: Assignments,
    view: View,
}

/// What comes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Table,
    Json,
    Csv,
    Diff,
    /// Files of that form, into `--out`.
    Files(Format),
}

/// Returns whether the manifests are reviewed as a batch and not filled in one by one.
pub(super) fn is_batch(args: &Predict) -> bool {
    args.batch.diff || args.batch.check || args.batch.assign.is_some() || args.base.as_deref().is_some_and(Path::is_dir)
}

impl Batch {
    /// Reads the folder, if one was named.
    pub(super) fn of(args: &Predict, is_terminal: bool) -> Result<Option<Self>, CommandError> {
        let Some(base) = args.base.as_deref().filter(|_| is_batch(args)) else { return Ok(None) };
        let view = view(args, is_terminal)?;
        let folder = Folder::read(base)?;
        let assignments = match &args.batch.assign {
            None => Assignments::default(),
            Some(path) => {
                let text = fs_err::read_to_string(path).map_err(|error| {
                    CommandError::user(error.to_string()).hint("name the table with `--assign`, or leave it out")
                })?;
                Assignments::parse(&text)?
            }
        };
        Ok(Some(Self { folder, assignments, view }))
    }

    /// Answers.
    pub(super) fn run(
        &self,
        ui: &Ui,
        predictions: &[Prediction],
        options: &EmitOptions,
        args: &Predict,
    ) -> Result<Outcome, CommandError> {
        let review = Review::of(&self.folder, predictions, &self.assignments, options, args.allow_uncertain)?;
        match (self.view, &args.out) {
            (View::Table, _) => ui.data_table(&table(&review))?,
            (View::Json, _) => ui.data_text(&review.json(&self.folder, predictions)?)?,
            (View::Csv, _) => ui.data_text(&review.csv(predictions)?)?,
            (View::Diff, _) => ui.data_text(&review.diff())?,
            (View::Files(form), Some(out)) => {
                ui.say_table(&table(&review));
                if review.sized() > 0 {
                    write_files(ui, &review, form, out, predictions, options)?;
                }
            }
            (View::Files(_), None) => return Err(CommandError::internal("files without a folder to write them to")),
        }
        self.tell(ui, &review);
        let off = review.off();
        if args.batch.check && off > 0 {
            ui.warn(&format!(
                "{} of {} with an answer: a request is missing or outside its interval",
                human::count(off as u64),
                human::counted(review.sized() as u64, "container", "containers")
            ));
        }
        // A gate that judged nothing is no gate.
        let is_answered = review.sized() > 0;
        Ok(if is_answered && !(args.batch.check && off > 0) { Outcome::Done } else { Outcome::Abstained })
    }

    /// Says on standard error what neither a table nor files show.
    fn tell(&self, ui: &Ui, review: &Review) {
        for skipped in &self.folder.skipped {
            ui.warn(&format!("`{}` is left alone: {}", skipped.path.escape_debug(), skipped.reason));
        }
        for file in review.files.iter().filter(|file| file.is_without_comments) {
            ui.warn(&format!("`{}`: comments and layout could not be kept", file.path.escape_debug()));
        }
        let quoted = |names: &[String]| -> String {
            let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
            names.join(", ")
        };
        if !review.unused_workloads.is_empty() {
            ui.warn(&format!(
                "no container was found for {}: name it with `--assign` or the annotation `shadow.dev/workload`",
                quoted(&review.unused_workloads)
            ));
        }
        if !review.unused_lines.is_empty() {
            ui.warn(&format!("no container of that name for {} of `--assign`", quoted(&review.unused_lines)));
        }
        let changed = review.files.iter().filter(|file| file.before != file.after).count();
        ui.say(&format!(
            "sizes for {} of {}; {} with other sizes than now",
            human::count(review.sized() as u64),
            human::counted(review.rows.len() as u64, "container", "containers"),
            human::counted(changed as u64, "file", "files"),
        ));
    }
}

fn view(args: &Predict, is_terminal: bool) -> Result<View, CommandError> {
    let given = [
        (!args.container.is_empty(), "--container"),
        (args.name.is_some(), "--name"),
        (args.namespace.is_some(), "--namespace"),
        (args.kind.is_some(), "--kind"),
    ];
    if let Some((_, option)) = given.into_iter().find(|(is_given, _)| *is_given) {
        return Err(CommandError::usage(format!("`{option}` is for one manifest, not for a batch"))
            .hint("say which container is which workload with `--assign`"));
    }
    if args.granularity == GranularityChoice::Vm {
        return Err(CommandError::usage("a manifest of containers holds amounts, not machines")
            .hint("use `--granularity vm` without `--base`"));
    }
    let view = match (args.output, &args.out) {
        (Some(_), _) if args.batch.diff => None,
        (None, _) if args.batch.diff => Some(View::Diff),
        (Some(OutputForm::Table), None) => Some(View::Table),
        (Some(OutputForm::Json), None) => Some(View::Json),
        (Some(OutputForm::Csv), None) => Some(View::Csv),
        (None, None) => Some(if is_terminal { View::Table } else { View::Json }),
        (None, Some(_)) => Some(View::Files(Format::Kubernetes)),
        (Some(form @ (OutputForm::Kubernetes | OutputForm::KubernetesPatch | OutputForm::Kustomize)), Some(_)) => {
            Some(View::Files(form.into()))
        }
        _ => None,
    };
    view.ok_or_else(|| {
        CommandError::usage("a batch of manifests has no such form").hint(
            "use `-o table`, `json` or `csv` for what was found, `--diff`, or `-o kubernetes`, `kubernetes-patch` or `kustomize` with `--out DIR`",
        )
    })
}

fn write_files(
    ui: &Ui,
    review: &Review,
    form: Format,
    out: &Path,
    predictions: &[Prediction],
    options: &EmitOptions,
) -> Result<(), CommandError> {
    let files: Vec<(String, String)> = if form == Format::Kubernetes {
        ui.hint("apply them with `kubectl apply -R -f DIR`, or copy them over the manifests they were made from");
        review.files.iter().map(|file| (file.path.clone(), file.after.clone())).collect()
    } else {
        let (emitted, without) = review.patches(predictions, options, form == Format::Kustomize)?;
        for object in without {
            ui.warn(&format!("`{object}`: its pods cannot be patched; `-o kubernetes` writes the whole object"));
        }
        emitted.hints.iter().for_each(|hint| ui.hint(hint));
        emitted.files.into_iter().map(|file| (file.name, file.text)).collect()
    };
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    write_folder(out, &borrowed)?;
    ui.say(&format!("wrote {} into `{}`", human::counted(files.len() as u64, "file", "files"), out.display()));
    Ok(())
}

fn table(review: &Review) -> Table {
    let mut table = Table::new([
        ("file", Align::Left),
        ("container", Align::Left),
        ("workload", Align::Left),
        ("CPU now", Align::Right),
        ("CPU (cores)", Align::Right),
        ("memory now", Align::Right),
        ("memory (MiB)", Align::Right),
        ("requests now", Align::Left),
    ]);
    for row in &review.rows {
        let cpu_now = row.now.cpu.map(|cpu| cpu.as_f64().to_string()).unwrap_or_default();
        let memory_now = row.now.memory.map(|memory| memory.mebibytes_up().to_string()).unwrap_or_default();
        let (cpu, memory, standing) = match &row.answer {
            Answer::NoSample => (String::new(), String::new(), "no sample".to_owned()),
            Answer::Refused(reason) => (String::new(), String::new(), reason.clone()),
            Answer::Sized { sizing, cpu, memory, .. } => (
                sizing.cpu_request.as_f64().to_string(),
                sizing.memory_request.mebibytes_up().to_string(),
                format!("CPU {}, memory {}", cpu.name(), memory.name()),
            ),
        };
        table.row([
            row.file.clone(),
            format!("{}/{}", row.name, row.container),
            row.workload.as_ref().map(|(workload, _)| workload.clone()).unwrap_or_default(),
            cpu_now,
            cpu,
            memory_now,
            memory,
            standing,
        ]);
    }
    table
}
