//! The columns of each table, in file order, under the names of the trace document.

use super::super::delimited::{ColumnSpec, Kind, TableSpec, optional, required};
use super::{Handler, batch, containers, machines};

/// One table: its columns, what cells look like, and what rows become.
pub(super) struct Entry {
    /// Columns.
    pub(super) spec: TableSpec,
    /// One letter per column, as [`super::recognise::fits`] reads them.
    pub(super) pattern: &'static str,
    /// What a row becomes.
    pub(super) handler: Handler,
}

const fn entry(name: &'static str, columns: &'static [ColumnSpec], pattern: &'static str, handler: Handler) -> Entry {
    let spec = TableSpec { name, columns, trailing_optional: 0, is_quoted: false, delimiter: b',' };
    Entry { spec, pattern, handler }
}

/// Every table that is read.
pub(super) const TABLES: [Entry; 10] = [
    entry("machine_meta", &MACHINE_META, "mdn*nnw", machines::meta),
    entry("machine_usage", &MACHINE_USAGE, "mdnnnnnnn", machines::usage),
    entry("container_meta", &CONTAINER_META, "cmdawnnn", containers::meta),
    entry("container_usage", &CONTAINER_USAGE, "Cmdnnnnnnnn", containers::usage),
    entry("batch_task", &BATCH_TASK, "tnj*wnnnn", batch::task),
    entry("batch_instance", &BATCH_INSTANCE, "itj*wnn*nnnnnn", batch::instance),
    entry("sample_tasks", &SAMPLE_TASKS, "djtdnnn", batch::sample_task),
    entry("sample_instances", &SAMPLE_INSTANCES, "djtidnn", batch::sample_instance),
    // Without a header these two could be anything.
    entry("container_requests", &CONTAINER_REQUESTS, "", containers::requests),
    entry("container_memory", &CONTAINER_MEMORY, "", containers::memory),
];

const MACHINE_META: [ColumnSpec; 7] = [
    required("machine_id", Kind::Text),
    required("time_stamp", Kind::Seconds),
    optional("failure_domain_1", Kind::Text),
    optional("failure_domain_2", Kind::Text),
    optional("cpu_num", Kind::Number),
    optional("mem_size", Kind::Number),
    optional("status", Kind::Category),
];

const MACHINE_USAGE: [ColumnSpec; 9] = [
    required("machine_id", Kind::Text),
    required("time_stamp", Kind::Seconds),
    optional("cpu_util_percent", Kind::Number),
    optional("mem_util_percent", Kind::Number),
    optional("mem_gps", Kind::Number),
    optional("mkpi", Kind::Number).also(&["mpki"]),
    optional("net_in", Kind::Number),
    optional("net_out", Kind::Number),
    optional("disk_io_percent", Kind::Number),
];

const CONTAINER_META: [ColumnSpec; 8] = [
    required("container_id", Kind::Text),
    optional("machine_id", Kind::Text),
    required("time_stamp", Kind::Seconds),
    optional("app_du", Kind::Text),
    optional("status", Kind::Category),
    optional("cpu_request", Kind::Number),
    optional("cpu_limit", Kind::Number),
    optional("mem_size", Kind::Number),
];

// The identifier is not mandatory here, so that rows without it have a reason of their own.
const CONTAINER_USAGE: [ColumnSpec; 11] = [
    optional("container_id", Kind::Text),
    optional("machine_id", Kind::Text),
    required("time_stamp", Kind::Seconds),
    optional("cpu_util_percent", Kind::Number),
    optional("mem_util_percent", Kind::Number),
    optional("cpi", Kind::Number),
    optional("mem_gps", Kind::Number),
    optional("mpki", Kind::Number).also(&["mkpi"]),
    optional("net_in", Kind::Number),
    optional("net_out", Kind::Number),
    optional("disk_io_percent", Kind::Number),
];

const BATCH_TASK: [ColumnSpec; 9] = [
    required("task_name", Kind::Text),
    optional("instance_num", Kind::Integer),
    required("job_name", Kind::Text),
    optional("task_type", Kind::Code),
    optional("status", Kind::Category),
    optional("start_time", Kind::Seconds),
    optional("end_time", Kind::Seconds),
    optional("plan_cpu", Kind::Number),
    optional("plan_mem", Kind::Number),
];

const BATCH_INSTANCE: [ColumnSpec; 14] = [
    required("instance_name", Kind::Text).also(&["inst_name"]),
    required("task_name", Kind::Text),
    required("job_name", Kind::Text),
    optional("task_type", Kind::Code),
    optional("status", Kind::Category),
    optional("start_time", Kind::Seconds),
    optional("end_time", Kind::Seconds),
    optional("machine_id", Kind::Text),
    optional("seq_no", Kind::Integer),
    optional("total_seq_no", Kind::Integer),
    optional("cpu_avg", Kind::Number),
    optional("cpu_max", Kind::Number),
    optional("mem_avg", Kind::Number),
    optional("mem_max", Kind::Number),
];

const SAMPLE_TASKS: [ColumnSpec; 7] = [
    required("arrive_at", Kind::Integer),
    required("job_name", Kind::Text),
    required("task_name", Kind::Text),
    required("duration", Kind::Integer),
    optional("plan_cpu", Kind::Number),
    optional("plan_mem", Kind::Number),
    optional("instance_num", Kind::Integer),
];

const SAMPLE_INSTANCES: [ColumnSpec; 7] = [
    required("arrive_at", Kind::Integer),
    required("job_name", Kind::Text),
    required("task_name", Kind::Text),
    required("instance_name", Kind::Text),
    required("duration", Kind::Integer),
    optional("cpu_avg", Kind::Number),
    optional("mem_avg", Kind::Number),
];

const CONTAINER_REQUESTS: [ColumnSpec; 3] = [
    required("containerID", Kind::Text),
    required("container_cpuLim", Kind::Number),
    required("container_cpuReq", Kind::Code),
];

const CONTAINER_MEMORY: [ColumnSpec; 2] =
    [required("containerID", Kind::Text), required("container_memReq", Kind::Number)];
