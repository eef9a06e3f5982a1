//! `shadow fingerprint`: the store's workloads to one index per learning window.

use std::path::Path;
use std::time::Instant;

use crate::cli::fingerprint::Fingerprint;
use crate::cli::values;
use crate::error::{CommandError, Outcome};
use crate::fingerprint::{Components, Model};
use crate::index::Structure;
use crate::predict::{Drift, FitParams, HistorySummary, Knowledge, Known, PredictError, Profiling, read_history};
use crate::profile::Window;
use crate::store::{Store, Workload};
use crate::ui::{Align, Table, Ui, human, sparkline};
use crate::units::Micros;

/// Components that are shown: the later ones hold little.
const SHOWN_COMPONENTS: usize = 5;

/// Features that are named of each.
const SHOWN_FEATURES: usize = 4;

pub(crate) fn run(ui: &Ui, store: &Path, args: &Fingerprint) -> Result<Outcome, CommandError> {
    let store = Store::open(store)?;
    let mut windows = args.window.clone();
    windows.sort_unstable();
    windows.dedup();
    if windows.first().is_some_and(|window| *window <= Micros::ZERO) {
        return Err(CommandError::usage("a learning window of 0 s shows nothing").hint("name one with `--window 60s`"));
    }
    let mut table = Table::new([
        ("window", Align::Left),
        ("workloads", Align::Right),
        ("left out", Align::Right),
        ("features", Align::Right),
        ("components", Align::Right),
        ("variance", Align::Right),
        ("search", Align::Left),
        ("time", Align::Right),
    ]);
    let mut directions = Vec::new();
    for length in windows {
        let began = Instant::now();
        let (knowledge, history, drift) = index(ui, &store, Window { length }, args)?;
        table.row(row(length, &knowledge, history, began));
        directions.extend(knowledge.model().map(|model| (length, components(model))));
        say_left_out(ui, Window { length }, history);
        if let Some(drift) = drift {
            say_drift(ui, length, &drift);
        }
        let covered = knowledge.covered_seconds();
        if covered > 1.5 * length.as_seconds() {
            ui.warn(&format!(
                "samples of this trace are longer than {length}: the window is the first sample, {}",
                human::seconds(covered)
            ));
        }
    }
    ui.say_table(&table);
    for (length, components) in directions {
        ui.say(&format!("\nwhat tells workloads apart in their first {length}:"));
        ui.say_table(&components);
    }
    Ok(Outcome::Done)
}

/// Returns what the first components are made of: by what two workloads are called alike.
fn components(model: &Model) -> Table {
    let mut table = Table::new([
        ("component", Align::Right),
        ("variance", Align::Right),
        ("", Align::Left),
        ("made mostly of", Align::Left),
    ]);
    let shares = &model.explained_variance_ratio;
    let largest = shares.first().copied().unwrap_or(0.0);
    for (number, &share) in shares.iter().enumerate().take(SHOWN_COMPONENTS) {
        let bar = sparkline(&[Some(share)], largest);
        let names: Vec<&str> = model.strongest(number, SHOWN_FEATURES).map(|feature| feature.name.as_str()).collect();
        table.row([(number + 1).to_string(), human::share(share), bar, names.join(", ")]);
    }
    table
}

/// Fits and writes the index of one window.
fn index(
    ui: &Ui,
    store: &Store,
    window: Window,
    args: &Fingerprint,
) -> Result<(Knowledge, HistorySummary, Option<Drift>), CommandError> {
    // Opened first: that there is none need not be found out after all workloads were profiled.
    let old = if args.add { Some(Knowledge::open(store.root(), window.length)?) } else { None };
    let sampled = store.manifest().totals.sampled_workloads;
    let mut known: Vec<Known> = Vec::new();
    let history = {
        let steps = ui.steps("profiling", sampled);
        read_history(store, Profiling::new(window), &|_| Ok(()), &mut |one, ()| {
            steps.advance(1);
            if one.is_learnable() {
                known.push(one);
            }
            Ok::<(), PredictError>(())
        })?
    };
    if known.is_empty() {
        return Err(PredictError::NothingToLearn { reason: history.left_out(window) }.into());
    }
    // Instances of one application lie side by side in the files, because an answer looks at all of them.
    let place = |known: &Known| {
        let Workload { application, user, class, format, id, run, .. } = &known.workload;
        (application.clone(), user.clone(), class.clone(), format.clone(), id.clone(), *run)
    };
    known.sort_by_cached_key(place);
    let params = FitParams {
        weights: args.weights.unwrap_or_default(),
        components: match args.components {
            values::Components::Auto => Components::Explaining(FitParams::EXPLAINED),
            values::Components::Count(count) => Components::Fixed(count),
        },
        ..FitParams::new(window, store.manifest().units)
    };
    let known: Vec<&Known> = known.iter().collect();
    let steps = ui.steps(if old.is_some() { "adding" } else { "fitting and calibrating" }, 2);
    let (knowledge, drift) = match &old {
        None => (Knowledge::fit(&known, params)?, None),
        Some(old) => {
            let (knowledge, drift) = Knowledge::extended(old, &known)?;
            (knowledge, Some(drift))
        }
    };
    steps.advance(1);
    knowledge.write(store, history, drift)?;
    steps.advance(1);
    Ok((knowledge, history, drift))
}

fn row(window: Micros, knowledge: &Knowledge, history: HistorySummary, began: Instant) -> [String; 8] {
    let model = knowledge.model();
    let explained: f64 = model.map_or(0.0, |model| model.explained_variance_ratio.iter().sum());
    let structure = match knowledge.index().map(crate::index::Index::structure) {
        Some(Structure::Tree) => "k-d tree",
        Some(Structure::Flat) => "scan",
        None => "-",
    };
    [
        window.to_string(),
        human::count(knowledge.rows() as u64),
        human::count(history.runs - history.learnable),
        model.map_or(0, |model| model.features.len()).to_string(),
        model.map_or(0, Model::components).to_string(),
        format!("{:.0} %", explained * 100.0),
        structure.to_owned(),
        human::seconds(began.elapsed().as_secs_f64()),
    ]
}

fn say_drift(ui: &Ui, window: Micros, drift: &Drift) {
    let percent = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0));
    ui.say(&format!(
        "index for {window}: {} added since it was fitted on {}; far from all of those: {} (2 % usual); variance shown: {} ({} at the fit)",
        human::counted(drift.added, "workload", "workloads"),
        human::count(drift.fitted),
        percent(drift.far),
        percent(drift.shown),
        percent(Some(drift.shown_at_fit)),
    ));
    if let Some(why) = drift.advice() {
        ui.warn(&format!("{why}: fit it anew with `shadow fingerprint --window {window}`"));
    }
}

fn say_left_out(ui: &Ui, window: Window, history: HistorySummary) {
    if history.learnable < history.runs {
        ui.say(&format!("left out of the index for {}: {}", window.length, history.left_out(window)));
    }
}
