//! The seven tables of the trace of 2020. Times are seconds as doubles; names are hexadecimal.

use super::super::delimited::{ColumnSpec, Kind, Outcome, Row, optional, required};
use super::super::identifier::negative;
use super::super::known::{Known, distinct, known, note, only_counted};
use super::super::{Amounts, Context, Dataset, EventKind, EventRow, GroupRow, MachineRow, Sample, TraceError};
use super::GIB;
use crate::units::Micros;

/// Every table that is read.
pub(super) static TABLES: [Known<String>; 7] = [
    known("pai_job_table", &["pai_job_table"], &JOBS, "ttwwnn", job),
    known("pai_task_table", &["pai_task_table"], &TASKS, "ttnwnnnnn*", task),
    known("pai_instance_table", &["pai_instance_table"], &INSTANCES, "tt**twnn*", only_counted),
    known("pai_sensor_table", &["pai_sensor_table"], &SENSORS, "ttttt*nnnnnnnnnn", sensor),
    known("pai_group_tag_table", &["pai_group_tag_table"], &GROUPS, "tt*t*", only_counted),
    distinct(known("pai_machine_spec", &["pai_machine_spec"], &MACHINES, "twddd", machine)),
    known("pai_machine_metric", &["pai_machine_metric"], &METRICS, "ttnnnnnnnnnn", only_counted),
];

const JOBS: [ColumnSpec; 6] = [
    required("job_name", Kind::Text),
    // A job id, in spite of its name.
    required("inst_id", Kind::Text),
    optional("user", Kind::Text),
    required("status", Kind::Category),
    optional("start_time", Kind::Number),
    optional("end_time", Kind::Number),
];

const TASKS: [ColumnSpec; 10] = [
    required("job_name", Kind::Text),
    required("task_name", Kind::Text),
    optional("inst_num", Kind::Integer),
    required("status", Kind::Category),
    optional("start_time", Kind::Number),
    optional("end_time", Kind::Number),
    optional("plan_cpu", Kind::Number),
    optional("plan_mem", Kind::Number),
    optional("plan_gpu", Kind::Number),
    optional("gpu_type", Kind::Category),
];

const INSTANCES: [ColumnSpec; 9] = [
    required("job_name", Kind::Text),
    required("task_name", Kind::Text),
    optional("inst_name", Kind::Text),
    optional("worker_name", Kind::Text),
    required("inst_id", Kind::Text),
    required("status", Kind::Category),
    optional("start_time", Kind::Number),
    optional("end_time", Kind::Number),
    optional("machine", Kind::Text),
];

const SENSORS: [ColumnSpec; 16] = [
    required("job_name", Kind::Text),
    required("task_name", Kind::Text),
    required("worker_name", Kind::Text),
    optional("inst_id", Kind::Text),
    optional("machine", Kind::Text),
    optional("gpu_name", Kind::Text),
    optional("cpu_usage", Kind::Number),
    optional("gpu_wrk_util", Kind::Number),
    optional("avg_mem", Kind::Number),
    optional("max_mem", Kind::Number),
    optional("avg_gpu_wrk_mem", Kind::Number),
    optional("max_gpu_wrk_mem", Kind::Number),
    optional("read", Kind::Number),
    optional("write", Kind::Number),
    optional("read_count", Kind::Number),
    optional("write_count", Kind::Number),
];

const GROUPS: [ColumnSpec; 5] = [
    required("inst_id", Kind::Text),
    optional("user", Kind::Text),
    optional("gpu_type_spec", Kind::Category),
    required("group", Kind::Text),
    optional("workload", Kind::Category),
];

const MACHINES: [ColumnSpec; 5] = [
    required("machine", Kind::Text),
    required("gpu_type", Kind::Category),
    optional("cap_cpu", Kind::Number),
    optional("cap_mem", Kind::Number),
    optional("cap_gpu", Kind::Number),
];

const METRICS: [ColumnSpec; 12] = [
    required("worker_name", Kind::Text),
    required("machine", Kind::Text),
    optional("start_time", Kind::Number),
    optional("end_time", Kind::Number),
    optional("machine_cpu_iowait", Kind::Number),
    optional("machine_cpu_kernel", Kind::Number),
    optional("machine_cpu_usr", Kind::Number),
    optional("machine_gpu", Kind::Number),
    optional("machine_load_1", Kind::Number),
    optional("machine_net_receive", Kind::Number),
    optional("machine_num_worker", Kind::Number),
    optional("machine_cpu", Kind::Number),
];

/// Rounds seconds to microseconds.
fn micros(seconds: Option<f64>) -> Option<Micros> {
    seconds.and_then(|seconds| Micros::from_seconds_f64(seconds).ok())
}

/// Returns what a status says of an end: only Terminated succeeded.
fn ending(status: Option<&str>) -> Option<EventKind> {
    match status {
        Some("Terminated") => Some(EventKind::Finish),
        Some("Failed") => Some(EventKind::Fail),
        _ => None,
    }
}

fn job(row: &Row<'_>, _key: &mut String, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let group = GroupRow {
        group: row.text(0).unwrap_or_default(),
        time: Some(micros(row.number(4)).unwrap_or(Micros::ZERO)),
        sequence: context.sequence(row.number),
        kind: EventKind::Exists,
        application: None,
        user: row.text(2),
        class: None,
        priority: None,
        scaling: None,
    };
    context.sink.group(&group)?;
    Ok(Outcome::Kept)
}

fn set_key(row: &Row<'_>, key: &mut String) {
    key.clear();
    key.push_str(row.text(0).unwrap_or_default());
    key.push('/');
    key.push_str(row.text(1).unwrap_or_default());
}

/// Running and waiting tasks have neither times nor plans.
fn task(row: &Row<'_>, key: &mut String, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    if let Some(rejected) = negative(row, &[(6, "plan_cpu"), (7, "plan_mem"), (8, "plan_gpu")]) {
        return Ok(rejected);
    }
    set_key(row, key);
    let (start, end) = (micros(row.number(4)), micros(row.number(5)));
    let labels: Vec<(&str, &str)> = [(2, "instances"), (8, "plan_gpu"), (9, "gpu_type")]
        .iter()
        .filter_map(|&(column, name)| Some((name, row.text(column)?)))
        .collect();
    let sequence = context.sequence(2 * row.number);
    let kind = if start.is_some() { EventKind::Schedule } else { EventKind::Exists };
    let event = EventRow {
        request: Amounts {
            cpu: row.number(6).map(|hundredths| hundredths / 100.0),
            memory: row.number(7).map(|size| size * GIB),
            disk: None,
        },
        replicas: row.integer(2).and_then(|instances| u32::try_from(instances).ok()),
        labels: &labels,
        ..EventRow::new(key, Some(start.unwrap_or(Micros::ZERO)), sequence, kind)
    };
    context.sink.event(&event)?;
    if let Some((end, kind)) = end.filter(|end| start.is_some_and(|start| *end >= start)).zip(ending(row.text(3))) {
        context.sink.event(&EventRow::new(key, Some(end), sequence + 1, kind))?;
    }
    Ok(Outcome::Kept)
}

/// Means over the life of a worker: a summary, never a series. Its times stand in another table.
fn sensor(row: &Row<'_>, key: &mut String, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    if let Some(rejected) = negative(row, &[(6, "cpu_usage"), (8, "avg_mem"), (9, "max_mem")]) {
        return Ok(rejected);
    }
    set_key(row, key);
    let sample = Sample {
        cpu: row.number(6).map(|hundredths| hundredths / 100.0),
        memory: row.number(8).map(|size| size * GIB),
        memory_max: row.number(9).map(|size| size * GIB),
        ..Sample::default()
    };
    let sequence = context.sequence(row.number);
    context.sink.sample(Dataset::Summary, key, sequence, &sample)?;
    note("a worker's row is the mean of its life, not a series: it cannot be fingerprinted", context);
    Ok(Outcome::Kept)
}

/// `CPU` as the type of GPU means that there is none.
fn machine(row: &Row<'_>, _key: &mut String, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    if let Some(rejected) = negative(row, &[(2, "cap_cpu"), (3, "cap_mem")]) {
        return Ok(rejected);
    }
    context.sink.machine(&MachineRow {
        machine: row.text(0).unwrap_or_default(),
        time: Some(Micros::ZERO),
        sequence: context.sequence(row.number),
        capacity: Amounts { cpu: row.number(2), memory: row.number(3).map(|size| size * GIB), disk: None },
        platform: row.text(1).filter(|kind| *kind != "CPU"),
        status: "machine",
    })?;
    Ok(Outcome::Kept)
}
