//! What rows mean, whatever shape they came in. Event numbers are those of this trace, not of the one of 2011.

use crate::trace::delimited::Outcome;
use crate::trace::identifier::{below_zero, class_name, instance_key, integer_key};
use crate::trace::{
    Amounts, Context, Dataset, EventKind, EventRow, GroupRow, MachineRow, Sample, SampleFlags, Scaling, TraceError,
    WorkloadFlags,
};
use crate::units::Micros;

/// Windows start on this grid unless a task starts, restarts or changes, and never cross it; microseconds.
const GRID: i64 = 300_000_000;
/// Samples per second below which maxima and percentiles miss too much; 1 is nominal.
const LEAST_SAMPLE_RATE: f64 = 0.5;

/// A window of one instance.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// Nothing means after the trace.
    pub(super) start: Option<i64>,
    /// Nothing means that the shape has no ends.
    pub(super) end: Option<i64>,
    pub(super) collection: Option<i64>,
    pub(super) index: Option<i64>,
    pub(super) alloc_collection: Option<i64>,
    pub(super) collection_type: Option<i64>,
    pub(super) cpu: Option<f64>,
    pub(super) memory: Option<f64>,
    pub(super) cpu_max: Option<f64>,
    pub(super) memory_max: Option<f64>,
    pub(super) assigned_memory: Option<f64>,
    pub(super) sample_rate: Option<f64>,
    pub(super) cpu_request: Option<f64>,
    pub(super) memory_request: Option<f64>,
}

impl Usage {
    /// Returns the sample, or why the row cannot be used.
    pub(super) fn sample(&self) -> Result<Sample, Outcome> {
        if self.collection_type == Some(1) {
            return Err(alloc_set(self.collection));
        }
        let Some(start) = self.start else {
            return Err(Outcome::Rejected("window has no start within the trace", "column `start_time`".to_owned()));
        };
        let end = self.end.unwrap_or_else(|| end_on_grid(start));
        if end < start {
            return Err(Outcome::Rejected("window ends before it starts", format!("{start} to {end}")));
        }
        let negative = below_zero("average cpu", self.cpu)
            .or_else(|| below_zero("average memory", self.memory))
            .or_else(|| below_zero("maximum cpu", self.cpu_max))
            .or_else(|| below_zero("maximum memory", self.memory_max))
            .or_else(|| below_zero("assigned memory", self.assigned_memory));
        if let Some(rejected) = negative {
            return Err(rejected);
        }
        let mut flags = SampleFlags::default();
        if is_set(self.alloc_collection) {
            flags = flags.with(SampleFlags::IN_ALLOC);
        }
        if self.sample_rate.is_some_and(|rate| rate < LEAST_SAMPLE_RATE) {
            flags = flags.with(SampleFlags::UNDERSAMPLED);
        }
        let (cpu_max, is_cpu_max_lost) = maximum(self.cpu, self.cpu_max);
        let (memory_max, is_memory_max_lost) = maximum(self.memory, self.memory_max);
        if is_cpu_max_lost || is_memory_max_lost {
            flags = flags.with(SampleFlags::MAX_DROPPED);
        }
        Ok(Sample {
            start: Micros(start),
            duration: Micros(end).minus(Micros(start)),
            cpu: self.cpu,
            cpu_max,
            memory: self.memory,
            memory_max,
            cpu_request: self.cpu_request.filter(|request| *request > 0.0),
            memory_request: self.memory_request.filter(|request| *request > 0.0),
            memory_limit: self.assigned_memory.filter(|limit| *limit > 0.0),
            flags,
            ..Sample::default()
        })
    }
}

/// Returns the latest end of a window that starts at `start`: the next multiple of 300 s.
pub(super) const fn end_on_grid(start: i64) -> i64 {
    (start.div_euclid(GRID) + 1).saturating_mul(GRID)
}

/// Returns the maximum unless it is 0 or absent though the mean is not, and whether it was lost so.
fn maximum(mean: Option<f64>, maximum: Option<f64>) -> (Option<f64>, bool) {
    let is_lost = mean.is_some_and(|mean| mean > 0.0) && maximum.is_none_or(|maximum| maximum <= 0.0);
    (maximum.filter(|_| !is_lost), is_lost)
}

/// Returns whether a reference to a collection is one: 0, -1 and nothing mean none.
pub(super) fn is_set(reference: Option<i64>) -> bool {
    reference.is_some_and(|reference| reference > 0)
}

fn alloc_set(collection: Option<i64>) -> Outcome {
    Outcome::Rejected("alloc set, not a workload", format!("collection `{}`", collection.unwrap_or_default()))
}

fn unusable_identifier() -> Outcome {
    Outcome::Rejected("identifier is missing or negative", "`collection_id` or `instance_index`".to_owned())
}

/// An event of one instance.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InstanceEvent<'a> {
    /// Nothing means after the trace.
    pub(super) time: Option<i64>,
    pub(super) kind: Option<i64>,
    pub(super) collection: Option<i64>,
    pub(super) index: Option<i64>,
    pub(super) class: Option<i64>,
    pub(super) missing: Option<i64>,
    pub(super) collection_type: Option<i64>,
    pub(super) priority: Option<i64>,
    pub(super) alloc_collection: Option<i64>,
    pub(super) machine: Option<i64>,
    pub(super) cpu_request: Option<f64>,
    pub(super) memory_request: Option<f64>,
    pub(super) application: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    pub(super) labels: &'a [(&'a str, &'a str)],
}

/// An event of a collection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CollectionEvent<'a> {
    /// Nothing means after the trace.
    pub(super) time: Option<i64>,
    pub(super) kind: Option<i64>,
    pub(super) collection: Option<i64>,
    pub(super) class: Option<i64>,
    pub(super) collection_type: Option<i64>,
    pub(super) priority: Option<i64>,
    pub(super) user: Option<&'a str>,
    pub(super) logical_name: Option<&'a str>,
    pub(super) scaling: Option<i64>,
}

/// An event of a machine.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MachineEvent<'a> {
    /// Nothing means after the trace.
    pub(super) time: Option<i64>,
    pub(super) machine: Option<i64>,
    pub(super) kind: Option<i64>,
    pub(super) cpus: Option<f64>,
    pub(super) memory: Option<f64>,
    pub(super) platform: Option<&'a str>,
}

/// Hands rows to the sink; holds the text of identifiers between rows, so that none allocates.
#[derive(Default)]
pub(super) struct Rows {
    workload: String,
    machine: String,
}

impl Rows {
    /// Takes a window.
    pub(super) fn usage(
        &mut self,
        usage: &Usage,
        dataset: Dataset,
        row: u64,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        let sample = match usage.sample() {
            Ok(sample) => sample,
            Err(rejected) => return Ok(rejected),
        };
        if !instance_key(&mut self.workload, usage.collection, usage.index) {
            return Ok(unusable_identifier());
        }
        context.sink.sample(dataset, &self.workload, context.sequence(row), &sample)?;
        Ok(Outcome::Kept)
    }

    /// Takes an event of an instance.
    pub(super) fn instance(
        &mut self,
        instance: &InstanceEvent<'_>,
        row: u64,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        if instance.collection_type == Some(1) {
            return Ok(alloc_set(instance.collection));
        }
        let Some(kind) = instance.kind.and_then(event_kind) else {
            return Ok(unknown_event(instance.kind));
        };
        let negative = below_zero("resource_request.cpus", instance.cpu_request)
            .or_else(|| below_zero("resource_request.memory", instance.memory_request));
        if let Some(rejected) = negative {
            return Ok(rejected);
        }
        if !instance_key(&mut self.workload, instance.collection, instance.index) {
            return Ok(unusable_identifier());
        }
        // A request counts only when it asks for CPU and for memory, as in the publisher's own simulator.
        let is_request = [instance.cpu_request, instance.memory_request]
            .iter()
            .all(|amount| amount.is_some_and(|amount| amount > 0.0));
        let request = if is_request {
            Amounts { cpu: instance.cpu_request, memory: instance.memory_request, disk: None }
        } else {
            Amounts::default()
        };
        let event = EventRow {
            request,
            application: instance.application,
            user: instance.user,
            class: instance.class.and_then(class_name),
            priority: instance.priority.and_then(|priority| i32::try_from(priority).ok()),
            machine: instance
                .machine
                .filter(|machine| *machine != 0)
                .map(|machine| integer_key(&mut self.machine, machine)),
            labels: instance.labels,
            flags: event_flags(kind, instance.missing, is_set(instance.alloc_collection), is_request),
            ..EventRow::new(&self.workload, instance.time.map(Micros), context.sequence(row), kind)
        };
        context.sink.event(&event)?;
        Ok(Outcome::Kept)
    }

    /// Takes an event of a collection.
    pub(super) fn collection(
        &mut self,
        collection: &CollectionEvent<'_>,
        row: u64,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        if collection.collection_type == Some(1) {
            return Ok(alloc_set(collection.collection));
        }
        let Some(kind) = collection.kind.and_then(event_kind) else {
            return Ok(unknown_event(collection.kind));
        };
        self.group(collection, kind, row, context)
    }

    /// Takes what is known of a collection, as an event of the given kind.
    pub(super) fn group(
        &mut self,
        collection: &CollectionEvent<'_>,
        kind: EventKind,
        row: u64,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        let Some(id @ 0..) = collection.collection else {
            return Ok(unusable_identifier());
        };
        let group = GroupRow {
            group: integer_key(&mut self.workload, id),
            time: collection.time.map(Micros),
            sequence: context.sequence(row),
            kind,
            application: collection.logical_name,
            user: collection.user,
            class: collection.class.and_then(class_name),
            priority: collection.priority.and_then(|priority| i32::try_from(priority).ok()),
            scaling: collection.scaling.and_then(scaling),
        };
        context.sink.group(&group)?;
        Ok(Outcome::Kept)
    }

    /// Takes an event of a machine.
    pub(super) fn machine(
        &mut self,
        machine: &MachineEvent<'_>,
        row: u64,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        let status = match machine.kind {
            None | Some(0) => "UNKNOWN",
            Some(1) => "ADD",
            Some(2) => "REMOVE",
            Some(3) => "UPDATE",
            other => return Ok(unknown_event(other)),
        };
        let negative =
            below_zero("capacity.cpus", machine.cpus).or_else(|| below_zero("capacity.memory", machine.memory));
        if let Some(rejected) = negative {
            return Ok(rejected);
        }
        let Some(id) = machine.machine else {
            return Ok(Outcome::Rejected("mandatory cell is empty", "column `machine_id`".to_owned()));
        };
        let row = MachineRow {
            machine: integer_key(&mut self.machine, id),
            time: machine.time.map(Micros),
            sequence: context.sequence(row),
            capacity: Amounts { cpu: machine.cpus, memory: machine.memory, disk: None },
            platform: machine.platform,
            status,
        };
        context.sink.machine(&row)?;
        Ok(Outcome::Kept)
    }
}

fn unknown_event(code: Option<i64>) -> Outcome {
    let found = code.map_or_else(String::new, |code| code.to_string());
    Outcome::Rejected("unknown event type", format!("column `type`: found `{found}`"))
}

/// Returns the event of that number in `collection_events` and `instance_events`.
const fn event_kind(code: i64) -> Option<EventKind> {
    Some(match code {
        0 => EventKind::Submit,
        1 | 2 => EventKind::Queue,
        3 => EventKind::Schedule,
        4 => EventKind::Evict,
        5 => EventKind::Fail,
        6 => EventKind::Finish,
        7 => EventKind::Kill,
        8 => EventKind::Lost,
        9 | 10 => EventKind::Update,
        _ => return None,
    })
}

const fn scaling(code: i64) -> Option<Scaling> {
    Some(match code {
        0 => Scaling::Unknown,
        1 => Scaling::Off,
        2 => Scaling::Constrained,
        3 => Scaling::Automatic,
        _ => return None,
    })
}

/// Returns what is special about an event. `missing` 3 is an event made up for something that existed; it counts as
/// made up when it states no request either. The other numbers but 0 are inferred or incomplete: an end among them is
/// an upper bound.
fn event_flags(kind: EventKind, missing: Option<i64>, is_in_alloc: bool, is_request: bool) -> WorkloadFlags {
    let mut flags = WorkloadFlags::default();
    if missing == Some(3) && !is_request {
        flags = flags.with(WorkloadFlags::SYNTHETIC);
    }
    if kind == EventKind::Lost || (kind.is_end() && missing.is_some_and(|missing| missing != 0)) {
        flags = flags.with(WorkloadFlags::END_CENSORED);
    }
    if is_in_alloc {
        flags = flags.with(WorkloadFlags::IN_ALLOC);
    }
    flags
}
