//! The columns of each table, in file order, under short names; the publisher's names and those of copies are aliases.
//! Mandatory is what the publisher's `schema.csv` calls mandatory. Fields are not quoted.

use crate::trace::delimited::{ColumnSpec, Kind, TableSpec, optional, required};

/// A table without quotes; `trailing_optional` fields may be missing at the end of a row.
const fn table(name: &'static str, columns: &'static [ColumnSpec], trailing_optional: usize) -> TableSpec {
    TableSpec { name, columns, trailing_optional, is_quoted: false, delimiter: b',' }
}

/// Windows of tasks. The first edition of the trace lacks the last column.
pub(super) const TASK_USAGE: TableSpec = table(
    "task_usage",
    &[
        required("start_time", Kind::Time).also(&["start time", "stime"]),
        required("end_time", Kind::Time).also(&["end time", "etime"]),
        required("job_id", Kind::Id).also(&["job ID", "jID"]),
        required("task_index", Kind::Id).also(&["task index", "tID"]),
        required("machine_id", Kind::Id).also(&["machine ID", "mID"]),
        optional("cpu_rate", Kind::Number).also(&["CPU rate"]),
        optional("canonical_memory", Kind::Number).also(&["canonical memory usage", "canonical_mem"]),
        optional("assigned_memory", Kind::Number).also(&["assigned memory usage", "assigned_mem"]),
        optional("unmapped_page_cache", Kind::Number).also(&["unmapped page cache"]),
        optional("total_page_cache", Kind::Number).also(&["total page cache"]),
        optional("maximum_memory", Kind::Number).also(&["maximum memory usage", "max_mem_usage"]),
        optional("disk_io_time", Kind::Number).also(&["disk I/O time", "disk_IO"]),
        optional("local_disk_space", Kind::Number).also(&["local disk space usage", "disk_usage"]),
        optional("maximum_cpu_rate", Kind::Number).also(&["maximum CPU rate", "max_CPU"]),
        optional("maximum_disk_io_time", Kind::Number).also(&["maximum disk IO time", "max_disk_IO_time"]),
        optional("cycles_per_instruction", Kind::Number).also(&["cycles per instruction", "CPI"]),
        optional("memory_accesses_per_instruction", Kind::Number).also(&[
            "memory accesses per instruction",
            "MAI",
            "MPI",
        ]),
        optional("sample_portion", Kind::Number).also(&["sample portion"]),
        optional("aggregation_type", Kind::Code).also(&["aggregation type", "agg_type"]),
        optional("sampled_cpu", Kind::Number).also(&["sampled CPU usage", "sample_CPU"]),
    ],
    1,
);

/// What happened to tasks, with their requests.
pub(super) const TASK_EVENTS: TableSpec = table(
    "task_events",
    &[
        required("time", Kind::Time),
        optional("missing_info", Kind::Code).also(&["missing info"]),
        required("job_id", Kind::Id).also(&["job ID", "jID"]),
        required("task_index", Kind::Id).also(&["task index", "tID"]),
        optional("machine_id", Kind::Id).also(&["machine ID", "mID"]),
        required("event_type", Kind::Code).also(&["event type"]),
        optional("user", Kind::Text),
        optional("scheduling_class", Kind::Code).also(&["scheduling class"]),
        required("priority", Kind::Code),
        optional("cpu_request", Kind::Number).also(&["CPU request"]),
        optional("memory_request", Kind::Number).also(&["memory request"]),
        optional("disk_request", Kind::Number).also(&["disk space request", "disk request"]),
        optional("different_machines", Kind::Code).also(&["different machines restriction"]),
    ],
    0,
);

/// What happened to jobs, with the logical name that is the same for every run of one program.
pub(super) const JOB_EVENTS: TableSpec = table(
    "job_events",
    &[
        required("time", Kind::Time),
        optional("missing_info", Kind::Code).also(&["missing info"]),
        required("job_id", Kind::Id).also(&["job ID", "jID"]),
        required("event_type", Kind::Code).also(&["event type"]),
        optional("user", Kind::Text),
        optional("scheduling_class", Kind::Code).also(&["scheduling class"]),
        optional("job_name", Kind::Text).also(&["job name"]),
        optional("logical_job_name", Kind::Text).also(&["logical job name"]),
    ],
    0,
);

/// Machines that come, go and change.
pub(super) const MACHINE_EVENTS: TableSpec = table(
    "machine_events",
    &[
        required("time", Kind::Time),
        required("machine_id", Kind::Id).also(&["machine ID", "mID"]),
        required("event_type", Kind::Code).also(&["event type"]),
        optional("platform_id", Kind::Text).also(&["platform ID"]),
        optional("cpus", Kind::Number),
        optional("memory", Kind::Number),
    ],
    0,
);

/// Attributes of machines.
pub(super) const MACHINE_ATTRIBUTES: TableSpec = table(
    "machine_attributes",
    &[
        required("time", Kind::Time),
        required("machine_id", Kind::Id).also(&["machine ID", "mID"]),
        required("attribute_name", Kind::Text).also(&["attribute name"]),
        optional("attribute_value", Kind::Text).also(&["attribute value"]),
        required("attribute_deleted", Kind::Code).also(&["attribute deleted"]),
    ],
    0,
);

/// Constraints on where tasks may run. The operator is the fourth column, whatever the prose of the trace's document
/// says: `schema.csv` and the data agree.
pub(super) const TASK_CONSTRAINTS: TableSpec = table(
    "task_constraints",
    &[
        required("time", Kind::Time),
        required("job_id", Kind::Id).also(&["job ID", "jID"]),
        required("task_index", Kind::Id).also(&["task index", "tID"]),
        required("comparison_operator", Kind::Code).also(&["comparison operator"]),
        required("attribute_name", Kind::Text).also(&["attribute name"]),
        optional("attribute_value", Kind::Text).also(&["attribute value"]),
    ],
    0,
);

/// The publisher's list of tables and columns.
pub(super) const SCHEMA: TableSpec = table(
    "schema",
    &[
        required("file pattern", Kind::Category),
        required("field number", Kind::Integer),
        required("content", Kind::Text),
        optional("format", Kind::Text),
        optional("mandatory", Kind::Text),
    ],
    0,
);

/// The tables that hold the trace.
pub(super) const ALL: [&TableSpec; 6] =
    [&TASK_USAGE, &TASK_EVENTS, &JOB_EVENTS, &MACHINE_EVENTS, &MACHINE_ATTRIBUTES, &TASK_CONSTRAINTS];
