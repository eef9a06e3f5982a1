//! What each row means.

use hashbrown::HashSet;

use super::super::delimited::{Outcome, Row};
use super::super::identifier::{instance_key, integer_key, negative};
use super::super::known::note;
use super::super::{
    Amounts, Context, Dataset, EventKind, EventRow, MachineRow, Sample, SampleFlags, TraceError, WorkloadFlags,
};
use crate::units::Micros;

/// CPUs of every machine (all `add` rows of `server_event` say so), which turns a machine's percentage into cores.
const MACHINE_CORES: f64 = 64.0;
/// Usage is taken every 60 s and averaged over this many seconds.
const WINDOW_SECONDS: i64 = 300;

/// What is remembered between the rows of one file: text of identifiers, and the containers that were created.
#[derive(Default)]
pub(super) struct Running {
    workload: String,
    machine: String,
    created: HashSet<i64>,
}

/// `timestamp, machine_id, event type, event detail, cpus, memory, disk`. Only `add` states a capacity: the zeros of
/// errors are none.
pub(super) fn server_event(
    row: &Row<'_>,
    running: &mut Running,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    let status = row.text(2).unwrap_or_default();
    let is_capacity = status == "add";
    let capacity = |column: usize| row.number(column).filter(|_| is_capacity);
    context.sink.machine(&MachineRow {
        machine: integer_key(&mut running.machine, row.integer(1).unwrap_or_default()),
        time: row.time(0).map(Micros::from_seconds),
        sequence: context.sequence(row.number),
        capacity: Amounts { cpu: capacity(4), memory: capacity(5), disk: capacity(6) },
        platform: None,
        status,
    })?;
    Ok(Outcome::Kept)
}

/// `timestamp, machine_id, cpu %, memory %, disk %, load1, load5, load15`.
pub(super) fn server_usage(
    row: &Row<'_>,
    running: &mut Running,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    if let Some(rejected) = negative(row, &[(2, "cpu"), (3, "memory")]) {
        return Ok(rejected);
    }
    let sample = Sample {
        start: Micros::from_seconds(row.time(0).unwrap_or_default()),
        duration: Micros::from_seconds(WINDOW_SECONDS),
        cpu: row.number(2).map(|percent| percent / 100.0 * MACHINE_CORES),
        memory: row.number(3).map(|percent| percent / 100.0),
        ..Sample::default()
    };
    let machine = integer_key(&mut running.machine, row.integer(1).unwrap_or_default());
    let sequence = context.sequence(row.number);
    context.sink.sample(Dataset::Machine, machine, sequence, &sample)?;
    Ok(Outcome::Kept)
}

/// `create_timestamp, modify_timestamp, job_id, task_id, instance_num, status, plan_cpu, plan_mem`.
///
/// The last change of a task that ended is its end. 0 and less is before the trace, or not yet.
pub(super) fn task(row: &Row<'_>, running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    if !instance_key(&mut running.workload, row.integer(2), row.integer(3)) {
        return Ok(Outcome::Rejected("identifier is negative", "`job_id` or `task_id`".to_owned()));
    }
    if let Some(rejected) = negative(row, &[(6, "plan_cpu"), (7, "plan_mem")]) {
        return Ok(rejected);
    }
    let created = row.time(0).unwrap_or_default();
    let modified = row.time(1).filter(|&modified| modified > 0);
    let mut flags = WorkloadFlags::default();
    let is_before = row.time(1).is_some_and(|modified| modified < created);
    if is_before {
        flags = flags.with(WorkloadFlags::END_CENSORED);
        note("the last change lies before the creation: the end is unknown", context);
    }
    let ending = match row.text(5) {
        Some("Terminated") => Some(EventKind::Finish),
        Some("Failed") => Some(EventKind::Fail),
        Some("Cancelled") => Some(EventKind::Kill),
        _ => None,
    };
    let job = integer_key(&mut running.machine, row.integer(2).unwrap_or_default());
    let instances = row.integer(4).filter(|instances| *instances >= 0).map(|instances| instances.to_string());
    let labels: Vec<(&str, &str)> =
        instances.as_deref().map(|instances| ("instances", instances)).into_iter().collect();
    // Two sequence numbers a row: at the same time the start comes before the end.
    let sequence = context.sequence(2 * row.number);
    let kind = if created > 0 && row.text(5) != Some("Waiting") { EventKind::Schedule } else { EventKind::Exists };
    let event = EventRow {
        request: Amounts { cpu: row.number(6).map(|hundredths| hundredths / 100.0), memory: row.number(7), disk: None },
        application: Some(job),
        replicas: row.integer(4).and_then(|instances| u32::try_from(instances).ok()),
        labels: &labels,
        flags,
        ..EventRow::new(&running.workload, Some(Micros::from_seconds(created)), sequence, kind)
    };
    context.sink.event(&event)?;
    if let Some((end, kind)) = modified.filter(|_| !is_before).zip(ending) {
        let time = Some(Micros::from_seconds(end));
        let event = EventRow { application: Some(job), ..EventRow::new(&running.workload, time, sequence + 1, kind) };
        context.sink.event(&event)?;
    }
    Ok(Outcome::Kept)
}

/// `start_timestamp, end_timestamp, job_id, task_id, machine_id, status, seq_no, total_seq_no, real_cpu_max`,
/// `real_cpu_avg, real_mem_max, real_mem_avg`: one mean and one maximum per try.
pub(super) fn instance(row: &Row<'_>, running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let (Some(job), Some(task)) = (row.integer(2), row.integer(3)) else {
        return Ok(Outcome::Rejected("job or task is empty", "`job_id` or `task_id`".to_owned()));
    };
    if !instance_key(&mut running.workload, Some(job), Some(task)) {
        return Ok(Outcome::Rejected("identifier is negative", "`job_id` or `task_id`".to_owned()));
    }
    if let Some(rejected) =
        negative(row, &[(8, "real_cpu_max"), (9, "real_cpu_avg"), (10, "real_mem_max"), (11, "real_mem_avg")])
    {
        return Ok(rejected);
    }
    let start = row.time(0).unwrap_or_default();
    let end = row.time(1).filter(|&end| end >= start && end > 0);
    let mut flags = SampleFlags::default();
    let (cpu, memory) = (row.number(9), row.number(11));
    let mut largest = |mean: Option<f64>, maximum: Option<f64>| match (mean, maximum) {
        (Some(mean), Some(maximum)) if maximum < mean => {
            flags = flags.with(SampleFlags::MAX_DROPPED);
            Some(mean)
        }
        _ => maximum,
    };
    let (cpu_max, memory_max) = (largest(cpu, row.number(8)), largest(memory, row.number(10)));
    let sample = Sample {
        start: Micros::from_seconds(start),
        duration: Micros::from_seconds(end.map_or(0, |end| end - start)),
        cpu,
        cpu_max,
        memory,
        memory_max,
        flags,
        ..Sample::default()
    };
    let sequence = context.sequence(row.number);
    context.sink.sample(Dataset::Summary, &running.workload, sequence, &sample)?;
    Ok(Outcome::Kept)
}

/// `ts, event, instance_id, machine_id, plan_cpu, plan_mem, plan_disk, cpuset`. `ts` is the end of the operation; what
/// happened at 0 or before was there when the trace began. Of several Create rows the first one counts.
pub(super) fn container_event(
    row: &Row<'_>,
    running: &mut Running,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    let seconds = row.time(0).unwrap_or_default();
    let id = row.integer(2).unwrap_or_default();
    let kind = match row.text(1) {
        Some("Create") if !running.created.insert(id) => {
            note("a container was created a second time: its first plan counts", context);
            EventKind::Exists
        }
        Some("Create") if seconds > 0 => EventKind::Schedule,
        Some("Create") => EventKind::Exists,
        Some("Remove") => EventKind::Finish,
        other => {
            let found = format!("column `event`: found `{}`", other.unwrap_or_default());
            return Ok(Outcome::Rejected("unknown event type", found));
        }
    };
    if let Some(rejected) = negative(row, &[(4, "plan_cpu"), (5, "plan_mem"), (6, "plan_disk")]) {
        return Ok(rejected);
    }
    let event = EventRow {
        request: Amounts { cpu: row.number(4), memory: row.number(5), disk: row.number(6) },
        machine: row.text(3),
        ..EventRow::new(
            integer_key(&mut running.workload, id),
            Some(Micros::from_seconds(seconds)),
            context.sequence(row.number),
            kind,
        )
    };
    context.sink.event(&event)?;
    Ok(Outcome::Kept)
}

/// `ts, instance_id, cpu_util, mem_util, disk_util, load1, load5, load15, avg_cpi, avg_mpki, max_cpi, max_mpki`: the time
/// comes first, other than in the trace of 2018. CPU and memory are shares of the plan.
pub(super) fn container_usage(
    row: &Row<'_>,
    running: &mut Running,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    if let Some(rejected) = negative(row, &[(2, "cpu_util"), (3, "mem_util")]) {
        return Ok(rejected);
    }
    let sample = Sample {
        start: Micros::from_seconds(row.time(0).unwrap_or_default()),
        duration: Micros::from_seconds(WINDOW_SECONDS),
        cpu: row.number(2).map(|percent| percent / 100.0),
        memory: row.number(3).map(|percent| percent / 100.0),
        flags: SampleFlags::CPU_OF_REQUEST.with(SampleFlags::MEMORY_OF_REQUEST),
        ..Sample::default()
    };
    let workload = integer_key(&mut running.workload, row.integer(1).unwrap_or_default());
    let sequence = context.sequence(row.number);
    context.sink.sample(Dataset::Usage, workload, sequence, &sample)?;
    Ok(Outcome::Kept)
}
