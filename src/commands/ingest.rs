//! `shadow ingest`: trace files into the store. Says what each file was taken for and what became of its rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cli::ingest::Ingest;
use crate::cli::values::MaxRejects;
use crate::error::{CommandError, Outcome};
use crate::store::{IngestParams, IngestReport, MachineSize, RejectLimit, ingest};
use crate::trace::ReadOptions;
use crate::ui::{Align, Table, Ui, human};

/// Files listed one by one; more are summed up.
const FILES_SHOWN: usize = 12;
/// Refused files shown with their reason; more are counted.
const REFUSED_SHOWN: usize = 3;

pub(crate) fn run(ui: &Ui, store: &Path, args: &Ingest) -> Result<Outcome, CommandError> {
    let params = IngestParams::from(args);
    let total = params.paths.iter().chain(&params.facts).map(|path| size_of(path)).sum();
    let began = Instant::now();
    let report = {
        let progress = ui.transfer("reading", total);
        ingest(store, &params, &progress)?
    };
    say(ui, &report, began);
    match report.failure {
        None => Ok(Outcome::Done),
        Some(failure) => {
            ui.warn(&format!(
                "{} before the failure are in the store",
                human::counted(report.files.len() as u64, "file", "files")
            ));
            Err(failure.into())
        }
    }
}

impl From<&Ingest> for IngestParams {
    fn from(args: &Ingest) -> Self {
        Self {
            paths: args.paths.clone(),
            facts: args.workloads.clone(),
            format: args.format.name(),
            options: ReadOptions { map: args.map.clone() },
            machine: MachineSize {
                nanocores: args.machine_cores.map(crate::units::Cores::nanos),
                memory_bytes: args.machine_memory.map(crate::units::Bytes::get),
            },
            max_rejects: args.max_rejects.map(|limit| match limit {
                MaxRejects::Rows(rows) => RejectLimit::Rows(rows),
                MaxRejects::Share(share) => RejectLimit::Share(share),
            }),
            memory_bytes: Some(args.memory.get()),
            commit_every: args.commit_every.map(Duration::from_secs),
        }
    }
}

/// Returns the bytes below a path, for the progress bar alone; 0 where that cannot be told.
fn size_of(path: &Path) -> u64 {
    let Ok(metadata) = fs_err::metadata(path) else { return 0 };
    if !metadata.is_dir() {
        return metadata.len();
    }
    fs_err::read_dir(path).map_or(0, |entries| entries.filter_map(Result::ok).map(|entry| size_of(&entry.path())).sum())
}

fn say(ui: &Ui, report: &IngestReport, began: Instant) {
    let mut table = Table::new([
        ("file", Align::Left),
        ("taken for", Align::Left),
        ("rows", Align::Right),
        ("kept", Align::Right),
        ("rejected", Align::Right),
    ]);
    for file in report.files.iter().take(FILES_SHOWN) {
        let source = &file.source;
        table.row([
            source.name.clone(),
            source.tables.join(", "),
            human::count(source.rows),
            human::count(source.rows - source.rejected),
            human::count(source.rejected),
        ]);
    }
    if !table.is_empty() {
        ui.say_table(&table);
    }
    if report.files.len() > FILES_SHOWN {
        ui.say(&format!("and {} more files", report.files.len() - FILES_SHOWN));
    }
    if !report.known.is_empty() {
        let known = human::counted(report.known.len() as u64, "file was", "files were");
        ui.say(&format!("{known} in the store already"));
    }
    rejects(ui, report);
    refused(ui, report);
    let mut notes: BTreeMap<&str, u64> = BTreeMap::new();
    for (note, count) in report.files.iter().flat_map(|file| &file.notes) {
        *notes.entry(note).or_default() += count;
    }
    for (note, count) in notes {
        ui.warn(&format!("{note} ({})", human::counted(count, "row", "rows")));
    }
    let (rows, bytes) =
        report.files.iter().fold((0, 0), |(rows, bytes), file| (rows + file.source.rows, bytes + file.source.bytes));
    let elapsed = began.elapsed();
    let speed = human::rate(bytes as f64 / 1e6, elapsed).map_or(String::new(), |rate| format!(", {rate:.0} MB/s"));
    let totals = &report.manifest.totals;
    let span = totals.first.zip(totals.last).map_or(0.0, |(first, last)| last.minus(first).as_seconds());
    ui.say(&format!(
        "read {} of {} in {}{speed}; the store holds {} ({} with samples, {} seen from their start), {} samples over {}",
        human::counted(rows, "row", "rows"),
        human::bytes(bytes),
        human::seconds(elapsed.as_secs_f64()),
        human::counted(totals.workloads, "workload", "workloads"),
        human::count(totals.sampled_workloads),
        human::count(totals.started_workloads),
        human::count(totals.samples),
        human::seconds(span),
    ));
}

/// Names the files that were refused, the first of them with the reason.
fn refused(ui: &Ui, report: &IngestReport) {
    for error in report.set_aside.iter().take(REFUSED_SHOWN) {
        ui.warn(&error.to_string());
    }
    if !report.set_aside.is_empty() {
        let files = human::counted(report.set_aside.len() as u64, "file was", "files were");
        ui.say(&format!("{files} refused and left out; all others were read"));
    }
}

/// Says once per reason how many rows were rejected, with the first examples and where the rest lies.
fn rejects(ui: &Ui, report: &IngestReport) {
    let mut examples: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for rejected in report.files.iter().flat_map(|file| &file.examples) {
        let shown = examples.entry(rejected.reason).or_default();
        if shown.len() < 3 {
            shown.push(format!("`{}` row {}: {}", rejected.file, rejected.row, rejected.detail));
        }
    }
    for (reason, examples) in &examples {
        ui.warn(&format!("rows rejected, {reason}:\n  {}", examples.join("\n  ")));
    }
    if !examples.is_empty() {
        ui.say("rejected rows are kept in the store's folder `rejects`, with file, row and reason");
    }
}
