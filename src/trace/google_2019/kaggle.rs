//! The Kaggle sample: 34 columns, one instance event paired with one random window of the same instance.
//!
//! It is no series: a window's start has nothing to do with the event's time. So each window is a summary row of its
//! instance, and each event counts as an event. Records are Python text, distributions numpy text that wraps over
//! lines. The columns `event` and `failed` contradict the event numbers (they call ENABLE a failure) and are passed
//! over. Copies that went through a spreadsheet have lost digits of their identifiers and are refused.

use std::io::BufRead;

use crate::trace::delimited::{self, Kind, Outcome, Row, TableSpec, optional, required};
use crate::trace::{Context, Dataset, EventKind, TraceError};

use super::columns::Columns;
use super::python::{self, Resources};
use super::rows::{CollectionEvent, InstanceEvent, Rows, Usage};

/// Said of the two columns that are wrong.
const WRONG_COLUMNS: &str = "columns `event` and `failed` contradict `instance_events_type` and are passed over";

/// The columns after the unnamed index.
pub const TABLE: TableSpec = TableSpec {
    name: "kaggle",
    columns: &[
        required("time", Kind::Time),
        required("instance_events_type", Kind::Code),
        required("collection_id", Kind::Id),
        optional("scheduling_class", Kind::Code),
        optional("collection_type", Kind::Code),
        optional("priority", Kind::Code),
        optional("alloc_collection_id", Kind::Id),
        required("instance_index", Kind::Id),
        optional("machine_id", Kind::Id),
        optional("resource_request", Kind::Text),
        optional("constraint", Kind::Text),
        optional("collections_events_type", Kind::Code),
        optional("user", Kind::Text),
        optional("collection_name", Kind::Text),
        optional("collection_logical_name", Kind::Text),
        optional("start_after_collection_ids", Kind::Text),
        optional("vertical_scaling", Kind::Code),
        optional("scheduler", Kind::Code),
        optional("start_time", Kind::Time),
        optional("end_time", Kind::Time),
        optional("average_usage", Kind::Text),
        optional("maximum_usage", Kind::Text),
        optional("random_sample_usage", Kind::Text),
        optional("assigned_memory", Kind::Number),
        optional("page_cache_memory", Kind::Number),
        optional("cycles_per_instruction", Kind::Number),
        optional("memory_accesses_per_instruction", Kind::Number),
        optional("sample_rate", Kind::Number),
        optional("cpu_usage_distribution", Kind::Text),
        optional("tail_cpu_usage_distribution", Kind::Text),
        optional("cluster", Kind::Code),
        optional("event", Kind::Category),
        optional("failed", Kind::Code),
    ],
    trailing_optional: 0,
    is_quoted: true,
    delimiter: b',',
};

/// What the text columns hold.
const NESTED: [&str; 10] = [
    "resource_request.cpus",
    "resource_request.memory",
    "average_usage.cpus",
    "average_usage.memory",
    "maximum_usage.cpus",
    "maximum_usage.memory",
    "random_sample_usage.cpus",
    "random_sample_usage.memory",
    "cpu_usage_distribution.len",
    "tail_cpu_usage_distribution.len",
];

/// Reads the sample to its end. `table` is [`TABLE`]; another gives the same columns other kinds.
///
/// # Errors
/// [`TraceError::Refused`] when an identifier or a time is in scientific notation, besides what the stream and the sink
/// return.
pub fn read(table: &TableSpec, text: &mut dyn BufRead, context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut nested = Columns::new(&NESTED);
    let mut rows = Rows::default();
    let mut percentiles = Vec::new();
    delimited::read(table, text, context, &mut |row, context| {
        let records = match Records::of(row, &mut percentiles, &mut nested) {
            Ok(records) => records,
            Err(rejected) => return Ok(rejected),
        };
        records.hand_on(row, &mut rows, context)
    })?;
    nested.finish(context.summary);
    let rows = context.summary.rows;
    context.summary.notes.insert(WRONG_COLUMNS.to_owned(), rows);
    Ok(())
}

/// The nested records of a row.
struct Records {
    request: Resources,
    average: Resources,
    maximum: Resources,
}

impl Records {
    fn of(row: &Row<'_>, percentiles: &mut Vec<f64>, nested: &mut Columns) -> Result<Self, Outcome> {
        let mut records = [Resources::default(); 4];
        for (place, (record, column)) in records.iter_mut().zip([9, 20, 21, 22]).enumerate() {
            if let Some(text) = row.text(column) {
                *record = python::resources(text)
                    .ok_or_else(|| Outcome::Rejected("nested record is malformed", format!("found `{text}`")))?;
            }
            nested.number(2 * place, record.cpus);
            nested.number(2 * place + 1, record.memory);
        }
        for (place, column) in [(8, 28), (9, 29)] {
            let text = row.text(column).unwrap_or("[]");
            python::numbers(text, percentiles)
                .ok_or_else(|| Outcome::Rejected("distribution is malformed", format!("found `{text}`")))?;
            nested.length(place, percentiles.len());
        }
        let [request, average, maximum, _random_sample] = records;
        Ok(Self { request, average, maximum })
    }

    fn hand_on(&self, row: &Row<'_>, rows: &mut Rows, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
        let labels = [("cluster", row.text(30).unwrap_or_default())];
        let instance = InstanceEvent {
            time: row.time(0),
            kind: row.integer(1),
            collection: row.integer(2),
            index: row.integer(7),
            class: row.integer(3),
            missing: None,
            collection_type: row.integer(4),
            priority: row.integer(5),
            alloc_collection: row.integer(6),
            machine: row.integer(8),
            cpu_request: self.request.cpus,
            memory_request: self.request.memory,
            application: row.text(14),
            user: row.text(12),
            labels: &labels[..usize::from(!labels[0].1.is_empty())],
        };
        let usage = Usage {
            start: row.time(18),
            end: row.time(19),
            collection: instance.collection,
            index: instance.index,
            alloc_collection: instance.alloc_collection,
            collection_type: instance.collection_type,
            cpu: self.average.cpus,
            memory: self.average.memory,
            cpu_max: self.maximum.cpus,
            memory_max: self.maximum.memory,
            assigned_memory: row.number(23),
            sample_rate: row.number(27),
            cpu_request: None,
            memory_request: None,
        };
        // Whatever is wrong with the window must be known before the event is handed on: a row is kept or it is not.
        if let Err(rejected) = usage.sample() {
            return Ok(rejected);
        }
        let outcome = rows.instance(&instance, row.number, context)?;
        if outcome != Outcome::Kept {
            return Ok(outcome);
        }
        let collection = CollectionEvent {
            time: row.time(0),
            kind: None,
            collection: instance.collection,
            class: instance.class,
            collection_type: instance.collection_type,
            priority: instance.priority,
            user: instance.user,
            logical_name: instance.application,
            scaling: row.integer(16),
        };
        rows.group(&collection, EventKind::Exists, row.number, context)?;
        rows.usage(&usage, Dataset::Summary, row.number, context)
    }
}
