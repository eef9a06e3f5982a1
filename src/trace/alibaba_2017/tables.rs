//! The columns of each table, in file order, under the names of the trace document; those of copies are aliases.

use super::super::delimited::{ColumnSpec, Kind, optional, required};
use super::super::known::{Known, distinct, known};
use super::rows::{self, Running};

/// Every table that is read. The statuses of a batch table tell it from any other of as many numbers.
pub(super) static TABLES: [Known<Running>; 6] = [
    known("server_event", &["server_event"], &SERVER_EVENT, "ddw*nnn", rows::server_event),
    known("server_usage", &["server_usage"], &SERVER_USAGE, "ddnnnnnn", rows::server_usage),
    distinct(known("batch_task", &["batch_task"], &BATCH_TASK, "dddddwnn", rows::task)),
    known("batch_instance", &["batch_instance"], &BATCH_INSTANCE, "nnnnnwnnnnnn", rows::instance),
    known("container_event", &["container_event"], &CONTAINER_EVENT, "dwddnnnt", rows::container_event),
    known("container_usage", &["container_usage"], &CONTAINER_USAGE, "ddnnnnnnnnnn", rows::container_usage),
];

const SERVER_EVENT: [ColumnSpec; 7] = [
    required("timestamp", Kind::Seconds),
    required("machine_id", Kind::Id),
    required("event_type", Kind::Category).also(&["event type"]),
    optional("event_detail", Kind::Category).also(&["event detail"]),
    optional("cpus", Kind::Number),
    optional("memory", Kind::Number),
    optional("disk", Kind::Number),
];

const SERVER_USAGE: [ColumnSpec; 8] = [
    required("timestamp", Kind::Seconds),
    required("machine_id", Kind::Id),
    optional("cpu", Kind::Number),
    optional("memory", Kind::Number),
    optional("disk", Kind::Number),
    optional("load1", Kind::Number),
    optional("load5", Kind::Number),
    optional("load15", Kind::Number),
];

const BATCH_TASK: [ColumnSpec; 8] = [
    required("create_timestamp", Kind::Seconds).also(&["task_create_time"]),
    optional("modify_timestamp", Kind::Seconds).also(&["task_end_time"]),
    required("job_id", Kind::Id),
    required("task_id", Kind::Id),
    optional("instance_num", Kind::Integer).also(&["number_of_instances"]),
    required("status", Kind::Category),
    optional("plan_cpu", Kind::Number).also(&["number_of_cpus_requested_per_instance_in_the_task"]),
    optional("plan_mem", Kind::Number).also(&["normalized_memory_requested_per_instance_in_the_task"]),
];

const BATCH_INSTANCE: [ColumnSpec; 12] = [
    required("start_timestamp", Kind::Seconds),
    optional("end_timestamp", Kind::Seconds),
    optional("job_id", Kind::Id),
    optional("task_id", Kind::Id),
    optional("machine_id", Kind::Id).also(&["machineID"]),
    required("status", Kind::Category),
    optional("seq_no", Kind::Integer),
    optional("total_seq_no", Kind::Integer),
    optional("real_cpu_max", Kind::Number),
    optional("real_cpu_avg", Kind::Number),
    optional("real_mem_max", Kind::Number),
    optional("real_mem_avg", Kind::Number),
];

const CONTAINER_EVENT: [ColumnSpec; 8] = [
    required("ts", Kind::Seconds),
    required("event", Kind::Category),
    required("instance_id", Kind::Id),
    optional("machine_id", Kind::Id),
    optional("plan_cpu", Kind::Number),
    optional("plan_mem", Kind::Number),
    optional("plan_disk", Kind::Number),
    optional("cpuset", Kind::Text),
];

const CONTAINER_USAGE: [ColumnSpec; 12] = [
    required("ts", Kind::Seconds),
    required("instance_id", Kind::Id),
    optional("cpu_util", Kind::Number),
    optional("mem_util", Kind::Number),
    optional("disk_util", Kind::Number),
    optional("load1", Kind::Number),
    optional("load5", Kind::Number),
    optional("load15", Kind::Number),
    optional("avg_cpi", Kind::Number),
    optional("avg_mpki", Kind::Number),
    optional("max_cpi", Kind::Number),
    optional("max_mpki", Kind::Number),
];
