//! `batch_task`, `batch_instance`, and the reduced hour of both that is passed around as `sample_tasks` and
//! `sample_instances`. A workload is a task, named `JOB/TASK`; its job is the application.

use super::super::delimited::{Outcome, Row};
use super::super::{Amounts, Context, Dataset, EventKind, EventRow, Sample, SampleFlags, TraceError, WorkloadFlags};
use super::machines::note_dropped;
use super::{Most, Running, is_numbered, share};
use crate::units::Micros;

/// What `arrive_at` of the reduced hour counts from, in seconds of the trace (found by comparing 120 tasks with the
/// full table; exact to 1 s).
const SAMPLE_HOUR: i64 = 203_040;

/// Task names are cut at this many characters in the published tables.
const NAME_LIMIT: usize = 50;

/// A task's life, as far as a row tells it.
#[derive(Debug, Clone, Copy)]
struct Life {
    start: Option<i64>,
    end: Option<(i64, EventKind)>,
}

/// `task_name, instance_num, job_name, task_type, status, start_time, end_time, plan_cpu, plan_mem`.
pub(super) fn task(row: &Row<'_>, _running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    // 0 stands for "not yet" in both times.
    let start = row.time(5).filter(|&seconds| seconds > 0);
    let end = row.time(6).filter(|&seconds| seconds > 0);
    if let (Some(start), Some(end)) = (start, row.time(6))
        && end < start
    {
        note("the end lies before the start: the task had not ended", context);
    }
    let ending = match row.text(4) {
        Some("Terminated") => Some(EventKind::Finish),
        Some("Failed") => Some(EventKind::Fail),
        Some("Interrupted") => Some(EventKind::Kill),
        _ => None,
    };
    let end = end.filter(|&end| start.is_none_or(|start| end >= start)).zip(ending);
    let plan = Amounts { cpu: cores(row.number(7)), memory: fraction(row.number(8)), disk: None };
    events(row, [2, 0], Life { start, end }, plan, (row.integer(1), row.text(3)), context)
}

/// `arrive_at, job_name, task_name, duration, plan_cpu, plan_mem, instance_num`.
pub(super) fn sample_task(
    row: &Row<'_>,
    _running: &mut Running,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    let start = row.integer(0).map(|arrival| arrival.saturating_add(SAMPLE_HOUR));
    let duration = row.integer(3).filter(|&duration| duration >= 0);
    let end = start.zip(duration).map(|(start, duration)| (start.saturating_add(duration), EventKind::Finish));
    let plan = Amounts { cpu: cores(row.number(4)), memory: fraction(row.number(5)), disk: None };
    events(row, [1, 2], Life { start, end }, plan, (row.integer(6), None), context)
}

/// Hands out the start of a task with its plan, and its end where there is one. `names` are the columns of job and
/// task; `facts` the number of instances and the task type.
fn events(
    row: &Row<'_>,
    names: [usize; 2],
    life: Life,
    plan: Amounts,
    facts: (Option<i64>, Option<&str>),
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    let (job, name) = (row.text(names[0]).unwrap_or_default(), row.text(names[1]).unwrap_or_default());
    let workload = format!("{job}/{name}");
    let dag = Dependencies::of(name);
    let mut flags = WorkloadFlags::default();
    if dag.is_cut {
        flags = flags.with(WorkloadFlags::DAG_TRUNCATED);
    }
    if dag.has_itself {
        flags = flags.with(WorkloadFlags::DAG_CYCLE);
        note("a task is named as its own dependency", context);
    }
    if !is_numbered(job, "j_") {
        flags = flags.with(WorkloadFlags::UNUSUAL_ID);
    }
    // Known when the task is handed in, and numbers: what a newcomer without a first window can be compared by.
    let instances = facts.0.filter(|instances| *instances >= 0).map(|instances| instances.to_string());
    let dependencies = dag.count.to_string();
    let labels: Vec<(&str, &str)> = std::iter::once(("dependencies", dependencies.as_str()))
        .chain(instances.as_deref().map(|instances| ("instances", instances)))
        .collect();
    // Two sequence numbers a row: at the same time the start comes before the end.
    let sequence = context.sequence(2 * row.number);
    let kind = if life.start.is_some() { EventKind::Schedule } else { EventKind::Exists };
    let time = Micros::from_seconds(life.start.unwrap_or(0));
    let event = EventRow {
        request: plan,
        application: Some(job),
        class: facts.1,
        replicas: facts.0.and_then(|instances| u32::try_from(instances).ok()),
        labels: &labels,
        flags,
        ..EventRow::new(&workload, Some(time), sequence, kind)
    };
    context.sink.event(&event)?;
    if let Some((end, kind)) = life.end {
        let end = EventRow {
            application: Some(job),
            flags,
            ..EventRow::new(&workload, Some(Micros::from_seconds(end)), sequence + 1, kind)
        };
        context.sink.event(&end)?;
    }
    Ok(Outcome::Kept)
}

/// `instance_name, task_name, job_name, task_type, status, start_time, end_time, machine_id, seq_no, total_seq_no`,
/// `cpu_avg, cpu_max, mem_avg, mem_max`: one row per try; a failed try has no usage.
pub(super) fn instance(
    row: &Row<'_>,
    _running: &mut Running,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    let start = row.time(5).unwrap_or(0);
    let end = row.time(6).filter(|&end| end >= start);
    if end.is_none() && start > 0 {
        note("the end lies before the start: the instance had not ended", context);
    }
    let mut flags = SampleFlags::default();
    let sample = Sample {
        start: Micros::from_seconds(start),
        duration: Micros::from_seconds(end.map_or(0, |end| end - start)),
        cpu: instance_cores(row.number(10), &mut flags),
        cpu_max: instance_cores(row.number(11), &mut flags),
        memory: share(row.number(12), Most::Hundred, &mut flags),
        memory_max: share(row.number(13), Most::Hundred, &mut flags),
        ..Sample::default()
    };
    summary(row, [2, 1], Sample { flags, ..sample }, context)
}

/// `arrive_at, job_name, task_name, instance_name, duration, cpu_avg, mem_avg`.
pub(super) fn sample_instance(
    row: &Row<'_>,
    _running: &mut Running,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    let mut flags = SampleFlags::default();
    let sample = Sample {
        start: Micros::from_seconds(row.integer(0).unwrap_or(0).saturating_add(SAMPLE_HOUR)),
        duration: Micros::from_seconds(row.integer(4).unwrap_or(0).max(0)),
        cpu: instance_cores(row.number(5), &mut flags),
        memory: share(row.number(6), Most::Hundred, &mut flags),
        ..Sample::default()
    };
    summary(row, [1, 2], Sample { flags, ..sample }, context)
}

fn summary(row: &Row<'_>, names: [usize; 2], sample: Sample, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let workload = format!("{}/{}", row.text(names[0]).unwrap_or_default(), row.text(names[1]).unwrap_or_default());
    let sequence = context.sequence(row.number);
    context.sink.sample(Dataset::Summary, &workload, sequence, &sample)?;
    note_dropped(sample.flags, context);
    Ok(Outcome::Kept)
}

/// Returns used CPU in cores; it may lie above any plan, but not below 0.
fn instance_cores(value: Option<f64>, flags: &mut SampleFlags) -> Option<f64> {
    if value.is_some_and(|value| value < 0.0) {
        *flags = flags.with(SampleFlags::VALUE_DROPPED);
        return None;
    }
    cores(value)
}

/// The trace's 100 is one core.
fn cores(value: Option<f64>) -> Option<f64> {
    value.map(|hundredths| hundredths / 100.0)
}

/// The trace's 100 is the largest machine.
fn fraction(value: Option<f64>) -> Option<f64> {
    value.map(|percent| percent / 100.0)
}

fn note(what: &str, context: &mut Context<'_>) {
    *context.summary.notes.entry(what.to_owned()).or_default() += 1;
}

/// What the name of a task says about the tasks it waits for: letters and its number, then `_` and the number of each
/// (`R4_2_3` is task 4 after 2 and 3). Names of another form (`task_` and base64) stand for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dependencies {
    /// The name has reached the length at which names are cut: tasks may be missing, the last may be half a number.
    is_cut: bool,
    /// The task waits for itself.
    has_itself: bool,
    /// How many tasks it waits for, as far as the name says.
    count: usize,
}

impl Dependencies {
    fn of(name: &str) -> Self {
        let mut parts = name.split('_');
        let own = parts.next().unwrap_or_default().trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let is_list = !own.is_empty() && own.bytes().all(|byte| byte.is_ascii_digit());
        let is_cut = is_list && name.chars().count() >= NAME_LIMIT;
        let last = if is_cut { name.rsplit('_').next() } else { None };
        let count = if is_list { parts.clone().filter(|dependency| !dependency.is_empty()).count() } else { 0 };
        let has_itself = is_list && parts.any(|dependency| dependency == own && last != Some(dependency));
        Self { is_cut, has_itself, count }
    }
}
