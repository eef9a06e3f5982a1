//! CSV exports of the five tables: official names (`BigQuery`, pandas), or records flattened into columns.
//!
//! Nested records are either one column of Python text or two columns; what the file has is read. Missing values are
//! blank; integers that may be missing often read `370539600000.0`.

use std::io::BufRead;

use crate::trace::delimited::{self, ColumnSpec, Kind, Outcome, Row, TableSpec, optional, required};
use crate::trace::{Context, Dataset, TraceError};

use super::columns::Columns;
use super::no_table;
use super::python::{self, Resources};
use super::rows::{CollectionEvent, InstanceEvent, MachineEvent, Rows, Usage};

/// Said of machine attributes, which nothing downstream uses.
pub(super) const ATTRIBUTES_NOTE: &str = "rows of `machine_attributes` are checked and counted, not stored";

const fn table(name: &'static str, columns: &'static [ColumnSpec]) -> TableSpec {
    TableSpec { name, columns, trailing_optional: 0, is_quoted: true, delimiter: b',' }
}

/// Windows of instances.
pub(super) const INSTANCE_USAGE: TableSpec = table(
    "instance_usage",
    &[
        required("start_time", Kind::Time),
        optional("end_time", Kind::Time),
        required("collection_id", Kind::Id),
        required("instance_index", Kind::Id),
        optional("machine_id", Kind::Id),
        optional("alloc_collection_id", Kind::Id),
        optional("alloc_instance_index", Kind::Integer),
        optional("collection_type", Kind::Code),
        optional("average_usage", Kind::Text),
        optional("average_usage.cpus", Kind::Number).also(&[
            "average_usage_cpus",
            "average_usage_cpu",
            "average_usage.cpu",
            "avg_cpu",
            "avg_cpu_usage",
        ]),
        optional("average_usage.memory", Kind::Number).also(&[
            "average_usage_memory",
            "average_usage_mem",
            "average_usage.mem",
            "avg_memory",
            "avg_mem",
            "avg_memory_usage",
            "avg_mem_usage",
        ]),
        optional("maximum_usage", Kind::Text),
        optional("maximum_usage.cpus", Kind::Number).also(&[
            "maximum_usage_cpus",
            "maximum_usage_cpu",
            "maximum_usage.cpu",
            "max_cpu",
            "max_cpu_usage",
        ]),
        optional("maximum_usage.memory", Kind::Number).also(&[
            "maximum_usage_memory",
            "maximum_usage_mem",
            "maximum_usage.mem",
            "max_memory",
            "max_mem",
            "max_memory_usage",
            "max_mem_usage",
        ]),
        optional("random_sample_usage", Kind::Text),
        optional("random_sample_usage.cpus", Kind::Number).also(&[
            "random_sample_usage_cpus",
            "random_sample_usage_cpu",
            "random_sample_usage.cpu",
            "random_sample_cpu_usage",
        ]),
        optional("assigned_memory", Kind::Number),
        optional("page_cache_memory", Kind::Number),
        optional("cycles_per_instruction", Kind::Number),
        optional("memory_accesses_per_instruction", Kind::Number),
        optional("sample_rate", Kind::Number),
        optional("cpu_usage_distribution", Kind::Text),
        optional("tail_cpu_usage_distribution", Kind::Text),
    ],
);

/// Events of instances.
pub(super) const INSTANCE_EVENTS: TableSpec = table(
    "instance_events",
    &[
        required("time", Kind::Time),
        required("type", Kind::Code).also(&["event_type", "instance_events_type"]),
        required("collection_id", Kind::Id),
        optional("scheduling_class", Kind::Code),
        optional("missing_type", Kind::Code),
        optional("collection_type", Kind::Code),
        optional("priority", Kind::Code),
        optional("alloc_collection_id", Kind::Id),
        required("instance_index", Kind::Id),
        optional("machine_id", Kind::Id),
        optional("alloc_instance_index", Kind::Integer),
        optional("resource_request", Kind::Text),
        optional("resource_request.cpus", Kind::Number).also(&[
            "resource_request_cpus",
            "resource_request_cpu",
            "resource_request.cpu",
        ]),
        optional("resource_request.memory", Kind::Number).also(&[
            "resource_request_memory",
            "resource_request_mem",
            "resource_request.mem",
        ]),
        optional("constraint", Kind::Text),
    ],
);

/// Events of collections.
pub(super) const COLLECTION_EVENTS: TableSpec = table(
    "collection_events",
    &[
        required("time", Kind::Time),
        required("type", Kind::Code).also(&["event_type", "collections_events_type"]),
        required("collection_id", Kind::Id),
        optional("scheduling_class", Kind::Code),
        optional("missing_type", Kind::Code),
        optional("collection_type", Kind::Code),
        optional("priority", Kind::Code),
        optional("alloc_collection_id", Kind::Id),
        optional("user", Kind::Text),
        optional("collection_name", Kind::Text),
        optional("collection_logical_name", Kind::Text),
        optional("parent_collection_id", Kind::Id),
        optional("start_after_collection_ids", Kind::Text),
        optional("max_per_machine", Kind::Integer),
        optional("max_per_switch", Kind::Integer),
        optional("vertical_scaling", Kind::Code),
        optional("scheduler", Kind::Code),
    ],
);

/// Events of machines.
pub(super) const MACHINE_EVENTS: TableSpec = table(
    "machine_events",
    &[
        required("time", Kind::Time),
        required("machine_id", Kind::Id),
        required("type", Kind::Code),
        optional("switch_id", Kind::Text),
        optional("capacity", Kind::Text),
        optional("capacity.cpus", Kind::Number).also(&["capacity_cpus", "capacity_cpu", "capacity.cpu"]),
        optional("capacity.memory", Kind::Number).also(&["capacity_memory", "capacity_mem", "capacity.mem"]),
        optional("platform_id", Kind::Text),
        optional("missing_data_reason", Kind::Code),
    ],
);

/// Attributes of machines.
pub(super) const MACHINE_ATTRIBUTES: TableSpec = table(
    "machine_attributes",
    &[
        required("time", Kind::Time),
        required("machine_id", Kind::Id),
        required("name", Kind::Text),
        optional("value", Kind::Text),
        optional("deleted", Kind::Category),
    ],
);

/// Names under which nested records are summarised when they are text.
const NESTED: [&str; 8] = [
    "average_usage.cpus",
    "average_usage.memory",
    "maximum_usage.cpus",
    "maximum_usage.memory",
    "resource_request.cpus",
    "resource_request.memory",
    "capacity.cpus",
    "capacity.memory",
];

/// Reads a CSV export to its end.
pub(super) fn read(table: &str, text: &mut dyn BufRead, context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut rows = Rows::default();
    let mut nested = Nested { columns: Columns::new(&NESTED), is_used: false };
    match table {
        "instance_usage" => delimited::read(&INSTANCE_USAGE, text, context, &mut |row, context| {
            usage(row, &mut nested).map_or_else(Ok, |usage| rows.usage(&usage, Dataset::Usage, row.number, context))
        })?,
        "instance_events" => delimited::read(&INSTANCE_EVENTS, text, context, &mut |row, context| {
            instance(row, &mut nested).map_or_else(Ok, |instance| rows.instance(&instance, row.number, context))
        })?,
        "collection_events" => delimited::read(&COLLECTION_EVENTS, text, context, &mut |row, context| {
            rows.collection(&collection(row), row.number, context)
        })?,
        "machine_events" => delimited::read(&MACHINE_EVENTS, text, context, &mut |row, context| {
            machine(row, &mut nested).map_or_else(Ok, |machine| rows.machine(&machine, row.number, context))
        })?,
        "machine_attributes" => {
            delimited::read(&MACHINE_ATTRIBUTES, text, context, &mut |_row, _context| Ok(Outcome::Kept))?;
            let kept = context.summary.kept;
            context.summary.notes.insert(ATTRIBUTES_NOTE.to_owned(), kept);
        }
        other => return Err(no_table(other, context.file)),
    }
    if nested.is_used {
        nested.columns.finish(context.summary);
    }
    Ok(())
}

/// Reads nested records, and summarises those that are text; flattened ones are columns of their own.
struct Nested {
    columns: Columns,
    is_used: bool,
}

impl Nested {
    /// Returns the record in text column `column`, else in the two columns after it; `name` is its place in the names.
    fn resources(&mut self, row: &Row<'_>, column: usize, name: usize) -> Result<Resources, Outcome> {
        let Some(text) = row.text(column) else {
            return Ok(Resources { cpus: row.number(column + 1), memory: row.number(column + 2) });
        };
        let Some(resources) = python::resources(text) else {
            return Err(Outcome::Rejected("nested record is malformed", format!("found `{text}`")));
        };
        self.is_used = true;
        self.columns.number(name, resources.cpus);
        self.columns.number(name + 1, resources.memory);
        Ok(resources)
    }
}

fn usage(row: &Row<'_>, nested: &mut Nested) -> Result<Usage, Outcome> {
    let average = nested.resources(row, 8, 0)?;
    let maximum = nested.resources(row, 11, 2)?;
    Ok(Usage {
        start: row.time(0),
        end: row.time(1),
        collection: row.integer(2),
        index: row.integer(3),
        alloc_collection: row.integer(5),
        collection_type: row.integer(7),
        cpu: average.cpus,
        memory: average.memory,
        cpu_max: maximum.cpus,
        memory_max: maximum.memory,
        assigned_memory: row.number(16),
        sample_rate: row.number(20),
        cpu_request: None,
        memory_request: None,
    })
}

fn instance<'a>(row: &Row<'a>, nested: &mut Nested) -> Result<InstanceEvent<'a>, Outcome> {
    let request = nested.resources(row, 11, 4)?;
    Ok(InstanceEvent {
        time: row.time(0),
        kind: row.integer(1),
        collection: row.integer(2),
        index: row.integer(8),
        class: row.integer(3),
        missing: row.integer(4),
        collection_type: row.integer(5),
        priority: row.integer(6),
        alloc_collection: row.integer(7),
        machine: row.integer(9),
        cpu_request: request.cpus,
        memory_request: request.memory,
        ..InstanceEvent::default()
    })
}

fn collection<'a>(row: &Row<'a>) -> CollectionEvent<'a> {
    CollectionEvent {
        time: row.time(0),
        kind: row.integer(1),
        collection: row.integer(2),
        class: row.integer(3),
        collection_type: row.integer(5),
        priority: row.integer(6),
        user: row.text(8),
        logical_name: row.text(10),
        scaling: row.integer(15),
    }
}

fn machine<'a>(row: &Row<'a>, nested: &mut Nested) -> Result<MachineEvent<'a>, Outcome> {
    let capacity = nested.resources(row, 4, 6)?;
    Ok(MachineEvent {
        time: row.time(0),
        machine: row.integer(1),
        kind: row.integer(2),
        cpus: capacity.cpus,
        memory: capacity.memory,
        platform: row.text(7),
    })
}
