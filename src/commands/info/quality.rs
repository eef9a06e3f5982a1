//! `shadow info --quality`: what is odd about the data, over all sources and by source, and the rows that were rejected.

use std::collections::BTreeMap;
use std::io::BufReader;

use serde::Serialize;

use crate::artifact::ArtifactError;
use crate::cli::info::InfoForm;
use crate::error::{CommandError, Outcome};
use crate::store::{Quality, Source, Store};
use crate::ui::{Align, Table, Ui, human};

/// Sources shown one by one; the answer for programs has all.
const SOURCES_SHOWN: usize = 12;
/// Rejected rows shown of each reason.
const EXAMPLES: usize = 3;

/// The whole answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    /// All sources together.
    total: Quality,
    /// Windows that were dropped because an equal one of the same workload was there, at the last ingest.
    duplicates_dropped: u64,
    rejects: Vec<Reason>,
    /// What readers noted while they read, by table: kept rows of which something was put right or left out.
    notes: BTreeMap<&'a str, &'a BTreeMap<String, u64>>,
    sources: Vec<OfSource<'a>>,
}

#[derive(Serialize)]
struct OfSource<'a> {
    name: &'a str,
    number: u32,
    tables: &'a [String],
    rows: u64,
    rejected: u64,
    quality: Quality,
    rejects: Vec<Reason>,
}

/// Rows rejected for one reason.
#[derive(Serialize, Clone)]
struct Reason {
    #[serde(rename = "reason")]
    because: String,
    rows: u64,
    examples: Vec<Example>,
}

#[derive(Serialize, Clone)]
struct Example {
    file: String,
    row: u64,
    detail: String,
}

pub(super) fn run(ui: &Ui, store: &Store, form: InfoForm) -> Result<Outcome, CommandError> {
    let counted = store.quality()?;
    let mut sources = Vec::new();
    let (mut total, mut rejects) = (Quality::default(), BTreeMap::new());
    for source in &store.manifest().sources {
        let quality = counted.get(&source.number).copied().unwrap_or_default();
        total.merge(&quality);
        let own = rejects_of(store, source)?;
        for reason in &own {
            add(&mut rejects, reason);
        }
        let (name, tables) = (source.name.as_str(), source.tables.as_slice());
        let (number, rows, rejected) = (source.number, source.rows, source.rejected);
        sources.push(OfSource { name, number, tables, rows, rejected, quality, rejects: own });
    }
    let duplicates_dropped = store.manifest().totals.duplicates;
    let tables = store.manifest().tables.iter().filter(|(_, summary)| !summary.notes.is_empty());
    let notes = tables.map(|(name, summary)| (name.as_str(), &summary.notes)).collect();
    let answer = Answer { total, duplicates_dropped, rejects: rejects.into_values().collect(), notes, sources };
    match form {
        InfoForm::Json => {
            let text = serde_json::to_string_pretty(&answer)
                .map_err(|error| CommandError::internal(format!("the counts are no JSON: {error}")))?;
            ui.data_text(&format!("{text}\n"))?;
        }
        InfoForm::Table => {
            ui.data_table(&measures(&answer))?;
            if answer.sources.len() > 1 {
                ui.data_text("\n")?;
                by_source(ui, &answer)?;
            }
            noted(ui, &answer)?;
            rejected(ui, &answer)?;
        }
    }
    Ok(Outcome::Done)
}

/// Counts the quarantined rows of a source by reason, and keeps the first of each.
fn rejects_of(store: &Store, source: &Source) -> Result<Vec<Reason>, CommandError> {
    let Some(name) = &source.quarantine else { return Ok(Vec::new()) };
    let path = store.root().join(name);
    let damaged = |error: csv::Error| ArtifactError::Damaged { path: path.clone(), what: error.to_string() };
    let file = fs_err::File::open(&path).map_err(ArtifactError::from)?;
    let mut reader = csv::Reader::from_reader(flate2::read::MultiGzDecoder::new(BufReader::new(file)));
    let mut reasons: BTreeMap<String, Reason> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(damaged)?;
        let cell = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let example = Example { file: cell(0), row: cell(1).parse().unwrap_or_default(), detail: cell(3) };
        add(&mut reasons, &Reason { because: cell(2), rows: 1, examples: vec![example] });
    }
    Ok(reasons.into_values().collect())
}

fn add(reasons: &mut BTreeMap<String, Reason>, more: &Reason) {
    let empty = || Reason { because: more.because.clone(), rows: 0, examples: Vec::new() };
    let own = reasons.entry(more.because.clone()).or_insert_with(empty);
    own.rows += more.rows;
    own.examples.extend(more.examples.iter().take(EXAMPLES - own.examples.len().min(EXAMPLES)).cloned());
}

/// One line per measure, over all sources.
fn measures(answer: &Answer<'_>) -> Table {
    let total = &answer.total;
    let mut table = Table::new([
        ("over all sources", Align::Left),
        ("count", Align::Right),
        ("of", Align::Right),
        ("share", Align::Right),
        ("", Align::Left),
    ]);
    let (samples, runs) = ((total.samples, "samples"), (total.runs, "workloads"));
    let rows: [(&str, u64, (u64, &str)); 16] = [
        ("gaps in a series", total.gaps, samples),
        ("windows missing there", total.missing_windows, (total.missing_windows + total.samples, "windows")),
        ("windows there twice, merged", total.merged_windows, samples),
        (
            "windows there twice, dropped",
            answer.duplicates_dropped,
            (answer.duplicates_dropped + total.samples, "samples"),
        ),
        ("CPU above its limit or request", total.cpu.above, (total.cpu.samples, "samples with one")),
        ("CPU at it (99 % or more)", total.cpu.at, (total.cpu.samples, "samples with one")),
        ("memory above its limit or request", total.memory.above, (total.memory.samples, "samples with one")),
        ("memory at it (99 % or more)", total.memory.at, (total.memory.samples, "samples with one")),
        ("windows that overlap", total.clock.overlapping, samples),
        ("samples off the grid", total.clock.off_grid, samples),
        ("samples outside the life", total.clock.outside_life, samples),
        ("samples before the origin", total.clock.before_origin, samples),
        ("ends before the start", total.clock.end_before_start, runs),
        ("start not seen", total.runs_without_start, runs),
        ("end not seen", total.runs_without_end, runs),
        (
            "rows rejected",
            answer.sources.iter().map(|source| source.rejected).sum(),
            (answer.sources.iter().map(|source| source.rows).sum(), "rows"),
        ),
    ];
    for (name, count, (all, what)) in rows {
        let share = if all == 0 { String::new() } else { human::share(count as f64 / all as f64) };
        table.row([name.to_owned(), human::count(count), human::count(all), share, what.to_owned()]);
    }
    table
}

/// The sources with most oddities, one a line.
fn by_source(ui: &Ui, answer: &Answer<'_>) -> Result<(), CommandError> {
    let columns = ["samples", "gaps", "merged", "above limit", "at limit", "clock", "unseen starts", "rejected"];
    let mut table =
        Table::new(std::iter::once(("source", Align::Left)).chain(columns.map(|column| (column, Align::Right))));
    let counts = |source: &OfSource<'_>| {
        let quality = &source.quality;
        [
            quality.gaps,
            quality.merged_windows,
            quality.cpu.above + quality.memory.above,
            quality.cpu.at + quality.memory.at,
            quality.clock.total(),
            quality.runs_without_start,
            source.rejected,
        ]
    };
    let mut sources: Vec<&OfSource<'_>> = answer.sources.iter().collect();
    sources.sort_by_key(|source| (std::cmp::Reverse(counts(source).iter().sum::<u64>()), source.number));
    for source in sources.iter().take(SOURCES_SHOWN) {
        let cells = std::iter::once(source.quality.samples).chain(counts(source)).map(human::count);
        table.row(std::iter::once(shortened(source.name)).chain(cells));
    }
    ui.data_table(&table)?;
    if sources.len() > SOURCES_SHOWN {
        ui.hint(&format!(
            "{} more sources have less that is odd; `shadow info --quality -o json` lists all",
            sources.len() - SOURCES_SHOWN
        ));
    }
    Ok(())
}

/// Returns the end of a path: folder and file tell sources of one trace apart.
fn shortened(name: &str) -> String {
    match name.rmatch_indices('/').nth(1) {
        Some((at, _)) if at > 0 => format!("…{}", &name[at..]),
        _ => name.to_owned(),
    }
}

/// What readers noted.
fn noted(ui: &Ui, answer: &Answer<'_>) -> Result<(), CommandError> {
    let mut table = Table::new([("noted while reading", Align::Left), ("rows", Align::Right), ("in", Align::Left)]);
    for (name, notes) in &answer.notes {
        for (note, rows) in *notes {
            table.row([note.clone(), human::count(*rows), (*name).to_owned()]);
        }
    }
    if table.is_empty() {
        return Ok(());
    }
    ui.data_text("\n")?;
    ui.data_table(&table)
}

/// Rows rejected by reason, with examples.
fn rejected(ui: &Ui, answer: &Answer<'_>) -> Result<(), CommandError> {
    let columns = [("rows rejected because", Align::Left), ("rows", Align::Right), ("as in", Align::Left)];
    let mut table = Table::new(columns);
    for reason in &answer.rejects {
        for (position, example) in reason.examples.iter().enumerate() {
            let shown = format!("`{}` row {}: {}", example.file, example.row, example.detail);
            let is_first = position == 0;
            let (name, rows) =
                if is_first { (reason.because.as_str(), human::count(reason.rows)) } else { (" ", " ".to_owned()) };
            table.row([name.to_owned(), rows, shown]);
        }
    }
    if table.is_empty() {
        return Ok(());
    }
    ui.data_text("\n")?;
    ui.data_table(&table)
}
