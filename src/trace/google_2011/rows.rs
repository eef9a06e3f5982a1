//! What each row means. Event numbers are those of this trace; the 2019 trace has others.

use crate::trace::delimited::{Outcome, Row};
use crate::trace::identifier::{class_name, instance_key, integer_key, negative};
use crate::trace::{
    Amounts, Context, Dataset, EventKind, EventRow, GroupRow, MachineRow, Sample, SampleFlags, TraceError,
    WorkloadFlags,
};
use crate::units::Micros;

/// More cycles per instruction than this, or more memory accesses than one, is a broken counter: a retired instruction
/// that waits for memory costs hundreds of cycles, a mean over a second or more does not.
const MOST_CYCLES_PER_INSTRUCTION: f64 = 100.0;
/// Below this share of a machine's CPU (a few milliseconds of a window) counters have too few instructions to count.
const LEAST_CPU_FOR_COUNTERS: f64 = 1e-5;

/// Turns rows into what the store knows; holds the text of identifiers between rows, so that none allocates.
#[derive(Default)]
pub(super) struct Rows {
    workload: String,
    machine: String,
}

impl Rows {
    /// Takes a row of `task_usage`.
    pub(super) fn usage(&mut self, row: &Row<'_>, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
        let (Some(start), Some(end)) = (row.time(0), row.time(1)) else {
            return Ok(Outcome::Rejected("window lies after the trace", "`start_time` or `end_time`".to_owned()));
        };
        if end < start {
            return Ok(Outcome::Rejected("window ends before it starts", format!("{start} to {end}")));
        }
        if let Some(rejected) = negative(
            row,
            &[
                (5, "cpu_rate"),
                (6, "canonical_memory"),
                (10, "maximum_memory"),
                (11, "disk_io_time"),
                (13, "maximum_cpu_rate"),
            ],
        ) {
            return Ok(rejected);
        }
        if !instance_key(&mut self.workload, row.integer(2), row.integer(3)) {
            return Ok(Outcome::Rejected("identifier is negative", "`job_id` or `task_index`".to_owned()));
        }
        let mut flags = SampleFlags::default();
        if row.integer(18) == Some(1) {
            flags = flags.with(SampleFlags::MAX_IS_SUM);
        }
        let cpu = row.number(5);
        if has_broken_counter(cpu, row.number(15), row.number(16)) {
            flags = flags.with(SampleFlags::COUNTER_DROPPED);
        }
        let sample = Sample {
            start: Micros(start),
            duration: Micros(end).minus(Micros(start)),
            cpu,
            cpu_max: row.number(13),
            memory: row.number(6),
            memory_max: row.number(10),
            disk_busy: row.number(11),
            flags,
            ..Sample::default()
        };
        context.sink.sample(Dataset::Usage, &self.workload, context.sequence(row.number), &sample)?;
        Ok(Outcome::Kept)
    }

    /// Takes a row of `task_events`.
    pub(super) fn task(&mut self, row: &Row<'_>, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
        let Some(kind) = row.integer(5).and_then(event_kind) else {
            return Ok(unknown_event(row.integer(5)));
        };
        if let Some(rejected) = negative(row, &[(9, "cpu_request"), (10, "memory_request"), (11, "disk_request")]) {
            return Ok(rejected);
        }
        if !instance_key(&mut self.workload, row.integer(2), row.integer(3)) {
            return Ok(Outcome::Rejected("identifier is negative", "`job_id` or `task_index`".to_owned()));
        }
        let flags = event_flags(kind, row.integer(1));
        let request = if flags.contains(WorkloadFlags::SYNTHETIC) {
            Amounts::default()
        } else {
            Amounts { cpu: row.number(9), memory: row.number(10), disk: row.number(11) }
        };
        let event = EventRow {
            request,
            user: row.text(6),
            class: row.integer(7).and_then(class_name),
            priority: row.integer(8).and_then(|priority| i32::try_from(priority).ok()),
            machine: row.integer(4).map(|machine| integer_key(&mut self.machine, machine)),
            flags,
            ..EventRow::new(&self.workload, row.time(0).map(Micros), context.sequence(row.number), kind)
        };
        context.sink.event(&event)?;
        Ok(Outcome::Kept)
    }

    /// Takes a row of `job_events`.
    pub(super) fn job(&mut self, row: &Row<'_>, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
        let Some(kind) = row.integer(3).and_then(event_kind) else {
            return Ok(unknown_event(row.integer(3)));
        };
        let group = GroupRow {
            group: integer_key(&mut self.workload, row.integer(2).unwrap_or_default()),
            time: row.time(0).map(Micros),
            sequence: context.sequence(row.number),
            kind,
            application: row.text(7),
            user: row.text(4),
            class: row.integer(5).and_then(class_name),
            priority: None,
            scaling: None,
        };
        context.sink.group(&group)?;
        Ok(Outcome::Kept)
    }

    /// Takes a row of `machine_events`.
    pub(super) fn machine(&mut self, row: &Row<'_>, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
        let status = match row.integer(2) {
            Some(0) => "ADD",
            Some(1) => "REMOVE",
            Some(2) => "UPDATE",
            code => return Ok(unknown_event(code)),
        };
        if let Some(rejected) = negative(row, &[(4, "cpus"), (5, "memory")]) {
            return Ok(rejected);
        }
        let machine = MachineRow {
            machine: integer_key(&mut self.machine, row.integer(1).unwrap_or_default()),
            time: row.time(0).map(Micros),
            sequence: context.sequence(row.number),
            capacity: Amounts { cpu: row.number(4), memory: row.number(5), disk: None },
            platform: row.text(3),
            status,
        };
        context.sink.machine(&machine)?;
        Ok(Outcome::Kept)
    }
}

fn unknown_event(code: Option<i64>) -> Outcome {
    Outcome::Rejected("unknown event type", format!("column `event_type`: found `{}`", code.unwrap_or_default()))
}

/// Returns the event of that number in `task_events` and `job_events`.
const fn event_kind(code: i64) -> Option<EventKind> {
    Some(match code {
        0 => EventKind::Submit,
        1 => EventKind::Schedule,
        2 => EventKind::Evict,
        3 => EventKind::Fail,
        4 => EventKind::Finish,
        5 => EventKind::Kill,
        6 => EventKind::Lost,
        7 | 8 => EventKind::Update,
        _ => return None,
    })
}

/// Returns what `missing_info` says about an event: 0 and 1 are events that the publisher inferred, so an end among
/// them is not later than its time, but how much earlier is unknown; 2 is an event made up for a task that existed.
fn event_flags(kind: EventKind, missing_info: Option<i64>) -> WorkloadFlags {
    let mut flags = WorkloadFlags::default();
    if missing_info == Some(2) {
        flags = flags.with(WorkloadFlags::SYNTHETIC);
    }
    if kind == EventKind::Lost || (kind.is_end() && missing_info.is_some()) {
        flags = flags.with(WorkloadFlags::END_CENSORED);
    }
    flags
}

/// Returns whether a hardware counter of a window cannot be right.
fn has_broken_counter(cpu: Option<f64>, cycles: Option<f64>, accesses: Option<f64>) -> bool {
    let is_idle = cpu.is_none_or(|cpu| cpu < LEAST_CPU_FOR_COUNTERS);
    let is_impossible = cycles.is_some_and(|value| value <= 0.0 || value > MOST_CYCLES_PER_INSTRUCTION)
        || accesses.is_some_and(|value| !(0.0..=1.0).contains(&value));
    is_impossible || (is_idle && (cycles.is_some() || accesses.is_some()))
}
