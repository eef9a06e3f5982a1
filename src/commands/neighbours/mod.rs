//! `shadow neighbours`: who resembles a sample or a stored workload, how far away, and in which resource.

use std::path::Path;

use serde::Serialize;

use crate::cli::neighbours::{Neighbours, NeighboursForm};
use crate::error::{CommandError, Outcome};
use crate::fingerprint::Group;
use crate::predict::{Evidence, Knowledge, NeighbourCount, Only, Question, Scale, Similar, Similarity, observe};
use crate::store::Store;
use crate::ui::{Align, Table, Ui};
use crate::units::{Bytes, Cores};

use super::sample::{Indexes, read, window};

mod outlines;

use outlines::{Outlines, Subject};

/// Newcomers whose windows are shown beside those of their neighbours: for each of them the store is read.
const MOST_OUTLINED: usize = 5;

/// The subject and those that resemble it.
struct Found {
    workload: String,
    window_seconds: f64,
    similar: Similar,
    /// What the window shows of it and of them; nothing unless it is printed.
    outlines: Option<Outlines>,
}

pub(crate) fn run(ui: &Ui, store: &Path, args: &Neighbours) -> Result<Outcome, CommandError> {
    let store = Store::open(store)?;
    let mut indexes = Indexes::of(ui, &store, args.window)?;
    let question = Question {
        k: NeighbourCount::Exactly(args.k.get()),
        metric: args.metric.into(),
        weights: args.weights,
        similarity: Similarity::usual(args.metric.into(), args.weights),
        ..Question::default()
    };
    let scale = Scale::new(store.manifest().units, store.manifest().machine);
    let path = Path::new(&args.subject);
    let is_sample = args.subject == "-" || path.exists();
    let found = if is_sample {
        of_sample(ui, &store, &mut indexes, args, &question, &scale)?
    } else {
        vec![of_stored(ui, &store, &mut indexes, args, &question, &scale)?]
    };
    if only_of(args)? != Only::default() && found.iter().all(|one| one.similar.neighbours.is_empty()) {
        return Err(CommandError::user("no workload that the index learned from is what was asked for").hint(
            "leave out `--application`, `--user`, `--class`, `--source`, `--since` or `--until`; names are compared letter by letter",
        ));
    }
    write(ui, &found, args, &scale)?;
    Ok(Outcome::Done)
}

/// Returns which stored workloads may be named.
fn only_of(args: &Neighbours) -> Result<Only, CommandError> {
    let formats = args.source.iter().map(|source| source.name().map(str::to_owned)).collect::<Option<Vec<String>>>();
    let formats = formats.ok_or_else(|| {
        CommandError::usage("`--source auto` names no format").hint("name one, as in `--source table`, or leave it out")
    })?;
    Ok(Only {
        applications: args.application.clone(),
        users: args.user.clone(),
        classes: args.class.clone(),
        formats,
        since: args.since,
        until: args.until,
    })
}

fn of_sample(
    ui: &Ui,
    store: &Store,
    indexes: &mut Indexes<'_>,
    args: &Neighbours,
    question: &Question,
    scale: &Scale,
) -> Result<Vec<Found>, CommandError> {
    let sample = read(ui, Path::new(&args.subject), &args.workloads, args.format, &args.map)?;
    let (units, machine) = (store.manifest().units, store.manifest().machine);
    let mut found = Vec::new();
    for sighting in &sample.sightings {
        let length = indexes.window_for(sighting);
        let knowledge = &indexes.open(length)?.knowledge;
        let newcomer = observe(sighting, sample.units, window(length), units, machine)?;
        let features = knowledge.features_of(&newcomer.window, &newcomer.facts);
        let similar = knowledge.similar(&features, None, &only_of(args)?, question, scale)?;
        let subject = Subject::Newcomer(sighting, sample.units);
        let outlines = if sample.sightings.len() <= MOST_OUTLINED {
            outlines_of(ui, store, knowledge, &subject, &similar, args)?
        } else {
            None
        };
        found.push(Found { workload: newcomer.name, window_seconds: length.as_seconds(), similar, outlines });
    }
    Ok(found)
}

fn of_stored(
    ui: &Ui,
    store: &Store,
    indexes: &mut Indexes<'_>,
    args: &Neighbours,
    question: &Question,
    scale: &Scale,
) -> Result<Found, CommandError> {
    let name = &args.subject;
    let length = indexes.longest();
    let knowledge = &indexes.open(length)?.knowledge;
    let named = knowledge.row_named(name)?;
    let Some((row, stored)) = named.zip(named.map(|row| knowledge.row(row)).transpose()?.flatten()) else {
        return Err(CommandError::user(format!(
            "`{name}` is neither a file nor a workload that the index for {length} learned from"
        ))
        .hint("`shadow info` shows what the store holds"));
    };
    let similar = knowledge.similar(&stored.features, Some(row), &only_of(args)?, question, scale)?;
    let outlines = outlines_of(ui, store, knowledge, &Subject::Stored(&stored), &similar, args)?;
    Ok(Found { workload: stored.name(), window_seconds: length.as_seconds(), similar, outlines })
}

/// Reads what the window shows, where it is printed.
fn outlines_of(
    ui: &Ui,
    store: &Store,
    knowledge: &Knowledge,
    subject: &Subject<'_>,
    similar: &Similar,
    args: &Neighbours,
) -> Result<Option<Outlines>, CommandError> {
    match form(ui, args) {
        NeighboursForm::Table => Outlines::read(ui, store, knowledge, subject, &similar.neighbours),
        NeighboursForm::Json | NeighboursForm::Csv => Ok(None),
    }
}

#[derive(Serialize)]
struct Record<'a> {
    workload: &'a str,
    window_s: f64,
    novelty: Option<f64>,
    neighbours: Vec<NeighbourRecord<'a>>,
}

#[derive(Serialize)]
struct NeighbourRecord<'a> {
    workload: &'a str,
    application: Option<&'a str>,
    distance: Option<f64>,
    weight: f64,
    peak_memory_bytes: Option<u64>,
    cpu_p95_cores: Option<f64>,
    memory_ratio: Option<f64>,
    cpu_ratio: Option<f64>,
    squared_distance_by_resource: &'a std::collections::BTreeMap<String, f64>,
}

impl<'a> NeighbourRecord<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        Self {
            workload: &evidence.workload,
            application: evidence.application.as_deref(),
            distance: evidence.distance,
            weight: evidence.weight,
            peak_memory_bytes: evidence.memory_peak.map(Bytes::get),
            cpu_p95_cores: evidence.cpu_p95.map(Cores::as_f64),
            memory_ratio: evidence.memory_ratio,
            cpu_ratio: evidence.cpu_ratio,
            squared_distance_by_resource: &evidence.distance_by_resource,
        }
    }
}

/// Returns the form that was asked for, or that fits the reader.
fn form(ui: &Ui, args: &Neighbours) -> NeighboursForm {
    args.output.unwrap_or(if ui.data_is_terminal() { NeighboursForm::Table } else { NeighboursForm::Json })
}

fn write(ui: &Ui, found: &[Found], args: &Neighbours, scale: &Scale) -> Result<(), CommandError> {
    match form(ui, args) {
        NeighboursForm::Table => {
            for one in found {
                let novelty = one.similar.novelty.map_or_else(String::new, |novelty| format!(", novelty {novelty:.2}"));
                ui.say(&format!("nearest to `{}` over {} s{novelty}", one.workload, one.window_seconds));
                ui.data_table(&table(&one.similar.neighbours))?;
                if let Some(outlines) = &one.outlines {
                    ui.data_text("\n")?;
                    ui.data_table(&outlines.table(scale))?;
                }
            }
            Ok(())
        }
        NeighboursForm::Json => {
            let records: Vec<Record<'_>> = found
                .iter()
                .map(|one| Record {
                    workload: &one.workload,
                    window_s: one.window_seconds,
                    novelty: one.similar.novelty,
                    neighbours: one.similar.neighbours.iter().map(NeighbourRecord::of).collect(),
                })
                .collect();
            let text = match records.as_slice() {
                [one] => serde_json::to_string_pretty(one),
                all => serde_json::to_string_pretty(all),
            };
            let text = text.map_err(|error| CommandError::internal(format!("neighbours are no JSON: {error}")))?;
            ui.data_text(&format!("{text}\n"))
        }
        NeighboursForm::Csv => csv(ui, found),
    }
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// Returns the share of the squared distance that a group of features makes up.
fn share(evidence: &Evidence, group: Group) -> String {
    let total: f64 = evidence.distance_by_resource.values().sum();
    let part = evidence.distance_by_resource.get(group.name()).copied();
    part.filter(|_| total > 0.0).map_or_else(|| "-".to_owned(), |part| format!("{:.0} %", part / total * 100.0))
}

fn table(neighbours: &[Evidence]) -> Table {
    let mut columns = vec![
        ("workload", Align::Left),
        ("application", Align::Left),
        ("distance", Align::Right),
        ("memory peak", Align::Right),
        ("x window", Align::Right),
        ("CPU p95", Align::Right),
        ("x window", Align::Right),
    ];
    let groups: Vec<Group> = Group::ALL
        .into_iter()
        .filter(|group| neighbours.iter().any(|one| one.distance_by_resource.contains_key(group.name())))
        .collect();
    columns.extend(groups.iter().map(|group| (group.name(), Align::Right)));
    let mut table = Table::new(columns);
    for one in neighbours {
        let mut row = vec![
            one.workload.clone(),
            one.application.clone().unwrap_or_else(|| "-".to_owned()),
            number(one.distance, 3),
            one.memory_peak.map_or_else(|| "-".to_owned(), |memory| format!("{} MiB", memory.mebibytes_up())),
            number(one.memory_ratio, 2),
            number(one.cpu_p95.map(Cores::as_f64), 3),
            number(one.cpu_ratio, 2),
        ];
        row.extend(groups.iter().map(|&group| share(one, group)));
        table.row(row);
    }
    table
}

fn csv(ui: &Ui, found: &[Found]) -> Result<(), CommandError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |error: csv::Error| CommandError::internal(format!("neighbours are no CSV: {error}"));
    let mut header =
        vec!["workload", "neighbour", "application", "distance", "weight", "peak_memory_bytes", "cpu_p95_cores"];
    header.extend(Group::ALL.map(Group::name));
    writer.write_record(&header).map_err(broken)?;
    let text = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for one in found {
        for neighbour in &one.similar.neighbours {
            let mut row = vec![
                one.workload.clone(),
                neighbour.workload.clone(),
                neighbour.application.clone().unwrap_or_default(),
                text(neighbour.distance),
                text(Some(neighbour.weight)),
                neighbour.memory_peak.map_or_else(String::new, |memory| memory.get().to_string()),
                text(neighbour.cpu_p95.map(Cores::as_f64)),
            ];
            row.extend(Group::ALL.map(|group| text(neighbour.distance_by_resource.get(group.name()).copied())));
            writer.write_record(&row).map_err(broken)?;
        }
    }
    let bytes =
        writer.into_inner().map_err(|error| CommandError::internal(format!("neighbours are no CSV: {error}")))?;
    ui.data(|out| out.write_all(&bytes))
}
