//! `shadow replay`: how good shadow would have been on the stored trace, beside its rivals. Reads the store; writes
//! its answer, and a page where one is asked for.

mod closed;
mod gate;
mod observed;
mod page;
mod progress;
mod tables;

use std::num::NonZeroU64;
use std::path::Path;

use crate::cli::replay::{LivesChoice, Replay, ReplayForm, SplitChoice};
use crate::cli::values::Switch;
use crate::error::{CommandError, Outcome};
use crate::predict::{Draw, Drawn, LifeSpan, NeighbourCount, Question};
use crate::profile::Window;
use crate::replay::{
    Provenance, Reason, ReplayParams, ReplayReport, Shadow, Split, SplitReport, read_cases, replay_watched, rivals,
    seconds_observed,
};
use crate::store::{Manifest, Store};
use crate::ui::Ui;

use progress::Shown;

/// Stands for every rival.
const EVERY_RIVAL: &str = "all";
/// Named once more as `persistence-1.2`.
const ALIAS: &str = "persistence";

pub(crate) fn run(ui: &Ui, store: &Path, args: &Replay) -> Result<Outcome, CommandError> {
    let rivals = rivals_named(args)?;
    let store = Store::open(store)?;
    let params = params(args, rivals, store.manifest());
    params.check()?;
    let windows: Vec<Window> = args.windows.iter().map(|length| Window { length: *length }).collect();
    for window in &windows {
        ReplayParams { window: *window, ..params.clone() }.check()?;
    }
    if let Some(path) = &args.report {
        page::check(path)?;
    }
    let draw = Draw { tasks: args.tasks.map(NonZeroU64::get), per_task: args.instances.get() };
    let (cases, drawn) = {
        let progress = ui.steps("reading workloads", store.manifest().totals.sampled_workloads);
        read_cases(&store, &params, draw, &mut || progress.advance(1))?
    };
    if cases.is_empty() && store.manifest().totals.summaries > 0 {
        ui.hint(
            "the store holds instances with one row each, which have no first window: `--window 0s` asks about them at submission",
        );
    }
    let report = {
        let (learner, progress) = (Shadow::new(params.units), Shown::new(ui));
        let mut report = replay_watched(&cases, &params, &learner, &progress)?;
        say_drawn(&mut report, drawn);
        if !windows.is_empty() {
            report.seconds_observed = Some(seconds_observed(cases, &windows, &params, &learner, &progress)?);
        }
        report
    };
    match args.output {
        ReplayForm::Table => {
            tables::show(ui, &report, target(args))?;
            closed::show(ui, &report)?;
            observed::show(ui, &report)?;
        }
        ReplayForm::Json => {
            let document = Document { report: &report, provenance: page::provenance(store.manifest()) };
            let text = serde_json::to_string_pretty(&document).map_err(|error| not_text(&error))?;
            ui.data(|out| writeln!(out, "{text}"))?;
        }
        ReplayForm::Csv => csv(ui, &report)?,
    }
    if let Some(path) = &args.report {
        page::write(ui, path, &report, store.manifest())?;
    }
    warn(ui, &report);
    match &args.gate {
        Some(gate) => gate::pass(ui, &gate.judge(&report, params.split)),
        None => Ok(Outcome::Done),
    }
}

/// Says in the report how many instances were drawn.
fn say_drawn(report: &mut ReplayReport, drawn: Option<Drawn>) {
    report.instances = drawn;
    if let Some(drawn) = drawn {
        report.warnings.insert(
            0,
            format!(
                "{} of {} instances are replayed, at most {} of each of {} of {} tasks, drawn by a hash of their names",
                drawn.instances, drawn.of, drawn.most_per_task, drawn.tasks, drawn.of_tasks
            ),
        );
    }
}

/// Everything a replay found, and where it comes from.
#[derive(serde::Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a ReplayReport,
    provenance: Provenance,
}

/// Returns the names of the rivals, shadow first, each once.
fn rivals_named(args: &Replay) -> Result<Vec<String>, CommandError> {
    let mut names: Vec<&str> = vec!["shadow"];
    for name in args.rivals.iter().map(|name| name.trim()) {
        if name == EVERY_RIVAL {
            names.extend(rivals::NAMES.iter().filter(|name| **name != ALIAS));
        } else {
            names.push(name);
        }
    }
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        // A name that does not exist is refused before the store is read.
        rivals::named(name, &Question::default(), 1)?;
        if !kept.iter().any(|other| other == name) {
            kept.push(name.to_owned());
        }
    }
    Ok(kept)
}

/// Returns the under-provision rate at which waste is compared: what the coverage leaves.
fn target(args: &Replay) -> f64 {
    1.0 - args.coverage
}

/// Returns the splits in the order in which they were named.
fn splits(args: &Replay) -> Vec<Split> {
    let of_choice = |choice: &SplitChoice| match choice {
        SplitChoice::Recurring => vec![Split::Recurring],
        SplitChoice::Unseen => vec![Split::Unseen],
        SplitChoice::Leaky => vec![Split::Leaky],
        SplitChoice::All => vec![Split::Recurring, Split::Unseen, Split::Leaky],
    };
    args.split.iter().flat_map(of_choice).collect()
}

fn params(args: &Replay, rivals: Vec<String>, manifest: &Manifest) -> ReplayParams {
    let splits = splits(args);
    let first = splits.first().copied().unwrap_or(Split::Recurring);
    let mut params = ReplayParams::new(Window { length: args.window }, first, manifest.units);
    params.also = splits;
    params.rivals = rivals;
    params.span = match args.lives {
        LivesChoice::Whole => LifeSpan::Whole,
        LivesChoice::Sampled => LifeSpan::Sampled,
    };
    params.cpu_share = args.cpu_percentile;
    (params.store_share, params.test_share) = (args.cuts.calibration, args.cuts.test);
    params.question.k = NeighbourCount::of(args.k, params.question.similarity, params.question.estimator);
    params.question.coverage = args.coverage;
    params.machine = manifest.machine;
    params.seed = args.seed;
    params.feedback = args.feedback == Switch::On;
    if params.targets.iter().all(|known| (known - target(args)).abs() > 1e-9) {
        params.targets.push(target(args));
    }
    params
}

/// Writes one row per split, rival, resource, weighting, population, reading and group, then the curve against seconds
/// observed. Groups may be named after what the trace names, so cells are quoted where they need it.
fn csv(ui: &Ui, report: &ReplayReport) -> Result<(), CommandError> {
    let rows = report.rows().map_err(|error| not_text(&error))?;
    ui.data(|out| {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(ReplayReport::columns())?;
        rows.iter().try_for_each(|row| table.write_record(row))?;
        table.flush()
    })
}

fn not_text(error: &serde_json::Error) -> CommandError {
    CommandError::internal(format!("the report cannot be written: {error}"))
}

/// Says what weakens the figures, those of a split with its name where there are several.
fn warn(ui: &Ui, report: &ReplayReport) {
    for split in &report.splits {
        let name =
            if report.splits.len() > 1 { format!("{} split: ", tables::name(split.split)) } else { String::new() };
        for warning in &split.warnings {
            ui.warn(&format!("{name}{warning}"));
        }
    }
    let observed = report.seconds_observed.iter().flat_map(|observed| &observed.warnings);
    for warning in report.warnings.iter().chain(observed) {
        ui.warn(warning);
    }
    let was_none_seen_starting =
        |split: &SplitReport| split.queries == 0 && split.removed.contains_key(&Reason::StartNotVisible);
    if report.splits.iter().all(was_none_seen_starting) {
        ui.hint(
            "nobody was seen starting; `--lives sampled` takes the first row that the trace shows for the start, in the middle of lives",
        );
    }
    if tables::has_shares(report) {
        ui.hint(
            "say how large the largest machine is, as in `shadow ingest PATH --machine-cores 64 --machine-memory 256GiB`; files already \
             in the store are not read again",
        );
    }
}
