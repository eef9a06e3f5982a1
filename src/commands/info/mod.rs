//! `shadow info`: what the store holds.

mod quality;

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::info::{Info, InfoForm};
use crate::error::{CommandError, Outcome};
use crate::predict::{IndexManifest, index_manifest, indexed_windows, verify_index};
use crate::store::{Manifest, Store};
use crate::trace::{CpuUnit, MemoryUnit};
use crate::ui::{Align, Table, Ui, human};
use crate::units::Bytes;

pub(crate) fn run(ui: &Ui, store: &Path, args: &Info) -> Result<Outcome, CommandError> {
    let store = Store::open(store)?;
    if args.check {
        return check(ui, &store);
    }
    if args.quality {
        return quality::run(ui, &store, args.output);
    }
    let indexes = indexes(ui, &store)?;
    match args.output {
        InfoForm::Json => {
            let text = serde_json::to_string_pretty(&Contents { store: store.manifest(), indexes: &indexes })
                .map_err(|error| CommandError::internal(format!("the manifest is no JSON: {error}")))?;
            ui.data_text(&format!("{text}\n"))?;
        }
        InfoForm::Table => {
            ui.data_table(&facts(store.manifest()))?;
            ui.data_text("\n")?;
            ui.data_table(&tables(store.manifest()))?;
            let rejects = rejects(store.manifest());
            if !rejects.is_empty() {
                ui.data_text("\n")?;
                ui.data_table(&rejects)?;
            }
            if indexes.is_empty() {
                ui.hint("there is no index yet: make one with `shadow fingerprint`");
            } else {
                ui.data_text("\n")?;
                ui.data_table(&index_table(store.manifest(), &indexes))?;
            }
        }
    }
    Ok(Outcome::Done)
}

/// Compares every file with what was written.
fn check(ui: &Ui, store: &Store) -> Result<Outcome, CommandError> {
    let (mut files, mut bytes) = store.verify()?;
    for window in indexed_windows(store.root())? {
        let (more, length) = verify_index(store.root(), window)?;
        (files, bytes) = (files + more, bytes + length);
    }
    ui.say(&format!(
        "all {} are what was written: {}",
        human::counted(files as u64, "file", "files"),
        human::bytes(bytes)
    ));
    Ok(Outcome::Done)
}

/// The whole answer for programs.
#[derive(serde::Serialize)]
struct Contents<'a> {
    #[serde(flatten)]
    store: &'a Manifest,
    indexes: &'a [IndexManifest],
}

/// Returns the manifests of all indexes, by window. One that cannot be used is said and left out: the rest of the store
/// is as good as before.
fn indexes(ui: &Ui, store: &Store) -> Result<Vec<IndexManifest>, CommandError> {
    let mut found = Vec::new();
    for window in indexed_windows(store.root())? {
        match index_manifest(store.root(), window) {
            Ok((_, manifest)) => found.push(manifest),
            Err(error) => {
                let error = CommandError::from(error);
                ui.warn(&error.to_string());
                error.hints().iter().for_each(|hint| ui.hint(hint));
            }
        }
    }
    Ok(found)
}

/// The indexes, one a line.
fn index_table(store: &Manifest, indexes: &[IndexManifest]) -> Table {
    let mut table = Table::new([
        ("index for a window of", Align::Left),
        ("workloads", Align::Right),
        ("features", Align::Right),
        ("components", Align::Right),
        ("size on disk", Align::Right),
        ("learned from", Align::Left),
    ]);
    for index in indexes {
        let bytes: u64 = index.files.iter().map(|file| file.bytes).sum();
        table.row([
            index.window.to_string(),
            human::count(index.workloads),
            index.features.len().to_string(),
            index.components.to_string(),
            human::bytes(bytes),
            if index.is_outdated(store) { "other trace files than the store holds" } else { "all trace files" }
                .to_owned(),
        ]);
    }
    table
}

/// What the store holds, a fact a line.
fn facts(manifest: &Manifest) -> Table {
    let totals = &manifest.totals;
    let mut table = Table::new([("store", Align::Left), ("", Align::Left)]);
    let bytes: u64 = manifest.sources.iter().map(|source| source.bytes).sum();
    let span = totals.first.zip(totals.last).map_or_else(String::new, |(first, last)| {
        format!(
            "{} s to {} s ({})",
            first.as_seconds(),
            last.as_seconds(),
            human::seconds(last.minus(first).as_seconds())
        )
    });
    let cpu = match (manifest.units.cpu, manifest.machine.cores()) {
        (CpuUnit::Cores, _) => "cores".to_owned(),
        (CpuUnit::MachineFraction, Some(cores)) => format!("share of a machine of {} cores", cores.as_f64()),
        (CpuUnit::MachineFraction, None) => "share of the largest machine (`--machine-cores` is not set)".to_owned(),
    };
    let memory = match (manifest.units.memory, manifest.machine.memory().map(Bytes::get)) {
        (MemoryUnit::Bytes, _) => "bytes".to_owned(),
        (MemoryUnit::MachineFraction, Some(bytes)) => format!("share of a machine of {}", human::bytes(bytes)),
        (MemoryUnit::MachineFraction, None) => {
            "share of the largest machine (`--machine-memory` is not set)".to_owned()
        }
    };
    let disk: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let rows: [(&str, String); 12] = [
        (
            "sources",
            format!("{}, {}", human::counted(manifest.sources.len() as u64, "file", "files"), human::bytes(bytes)),
        ),
        ("unit of CPU", cpu),
        ("unit of memory", memory),
        ("workloads", human::count(totals.workloads)),
        ("with samples", human::count(totals.sampled_workloads)),
        ("seen from their start", human::count(totals.started_workloads)),
        ("samples", human::count(totals.samples)),
        ("rows of whole instances", human::count(totals.summaries)),
        ("samples of machines", human::count(totals.machine_samples)),
        ("duplicates dropped, merged", format!("{}, {}", human::count(totals.duplicates), human::count(totals.merged))),
        ("span of the samples", span),
        ("size on disk", human::bytes(disk)),
    ];
    for (name, value) in rows {
        table.row([name.to_owned(), value]);
    }
    table
}

/// What was read, a table of a trace a line.
fn tables(manifest: &Manifest) -> Table {
    let columns = [("table", Align::Left), ("rows", Align::Right), ("kept", Align::Right), ("rejected", Align::Right)];
    let mut table = Table::new(columns);
    for (name, summary) in &manifest.tables {
        let rejected: u64 = summary.rejected.values().sum();
        table.row([name.clone(), human::count(summary.rows), human::count(summary.kept), human::count(rejected)]);
    }
    table
}

/// Rows rejected by reason.
fn rejects(manifest: &Manifest) -> Table {
    let mut table = Table::new([("rows rejected because", Align::Left), ("rows", Align::Right)]);
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, count) in manifest.tables.values().flat_map(|summary| &summary.rejected) {
        *reasons.entry(reason).or_default() += count;
    }
    for (reason, count) in reasons {
        table.row([reason.to_owned(), human::count(count)]);
    }
    table
}
