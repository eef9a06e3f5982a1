//! Usage joined to limits: 40 columns, one task a file, rows in time order.
//!
//! The shape has no end of a window, so one instant is held back until the next row of the task is known: a window ends
//! where the next begins, and no later than the next multiple of 300 s. Percentile columns use -1 for "missing"; they
//! are counted, not handed on. `alloc_instance_index` is 0 in every row inside an alloc set and means nothing.
//! Priority and class, which no other table of this shape states, are handed on as an event when they change.

use std::io::BufRead;

use crate::trace::delimited::{self, ColumnSpec, Kind, Outcome, Row, TableSpec, optional, required};
use crate::trace::identifier::{class_name, instance_key, integer_key};
use crate::trace::{Context, Dataset, EventKind, EventRow, Sample, TraceError, WorkloadFlags};
use crate::units::Micros;

use super::rows::{Usage, end_on_grid, is_set};

const fn percentile(name: &'static str) -> ColumnSpec {
    optional(name, Kind::Number)
}

/// The forty columns. The memory limit stands before the CPU limit.
pub(super) const TABLE: TableSpec = TableSpec {
    name: "joined",
    columns: &[
        required("time", Kind::Time),
        optional("unique_id", Kind::Text),
        required("collection_id", Kind::Id),
        required("instance_index", Kind::Id),
        optional("priority", Kind::Code),
        optional("scheduling_class", Kind::Code),
        optional("machine_id", Kind::Id),
        optional("alloc_collection_id", Kind::Id),
        optional("alloc_instance_index", Kind::Integer),
        optional("collection_type", Kind::Code),
        optional("avg_cpu_usage", Kind::Number),
        optional("avg_memory_usage", Kind::Number),
        optional("max_cpu_usage", Kind::Number),
        optional("max_memory_usage", Kind::Number),
        optional("random_sample_cpu_usage", Kind::Number),
        optional("assigned_memory", Kind::Number),
        optional("sample_rate", Kind::Number),
        percentile("p0_cpu_usage"),
        percentile("p10_cpu_usage"),
        percentile("p20_cpu_usage"),
        percentile("p30_cpu_usage"),
        percentile("p40_cpu_usage"),
        percentile("p50_cpu_usage"),
        percentile("p60_cpu_usage"),
        percentile("p70_cpu_usage"),
        percentile("p80_cpu_usage"),
        percentile("p90_cpu_usage"),
        percentile("p91_cpu_usage"),
        percentile("p92_cpu_usage"),
        percentile("p93_cpu_usage"),
        percentile("p94_cpu_usage"),
        percentile("p95_cpu_usage"),
        percentile("p96_cpu_usage"),
        percentile("p97_cpu_usage"),
        percentile("p98_cpu_usage"),
        percentile("p99_cpu_usage"),
        optional("memory_limit", Kind::Number),
        optional("cpu_limit", Kind::Number),
        optional("abstract_usage", Kind::Number),
        optional("abstract_limit", Kind::Number),
    ],
    trailing_optional: 0,
    is_quoted: true,
    delimiter: b',',
};

/// What a row says about its task beside use and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    priority: Option<i64>,
    class: Option<i64>,
    is_in_alloc: bool,
}

#[derive(Default)]
struct Joined {
    workload: String,
    machine: String,
    /// The task whose last instant is held back, and its rows: several when a window came more than once.
    held_workload: String,
    held: Vec<(u64, Sample)>,
    facts: Option<Facts>,
}

/// Reads a file of joined rows to its end.
pub(super) fn read(text: &mut dyn BufRead, context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut joined = Joined::default();
    delimited::read(&TABLE, text, context, &mut |row, context| joined.take(row, context))?;
    joined.release(None, context)
}

impl Joined {
    fn take(&mut self, row: &Row<'_>, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
        let usage = Usage {
            start: row.time(0),
            end: None,
            collection: row.integer(2),
            index: row.integer(3),
            alloc_collection: row.integer(7),
            collection_type: row.integer(9),
            cpu: row.number(10),
            memory: row.number(11),
            cpu_max: row.number(12),
            memory_max: row.number(13),
            assigned_memory: row.number(15),
            sample_rate: row.number(16),
            memory_request: row.number(36),
            cpu_request: row.number(37),
        };
        let sample = match usage.sample() {
            Ok(sample) => sample,
            Err(rejected) => return Ok(rejected),
        };
        if !instance_key(&mut self.workload, usage.collection, usage.index) {
            return Ok(Outcome::Rejected(
                "identifier is missing or negative",
                "`collection_id` or `instance_index`".to_owned(),
            ));
        }
        if self.workload != self.held_workload {
            self.release(None, context)?;
            self.held_workload.clone_from(&self.workload);
            self.facts = None;
        }
        match self.held.first().map(|(_, held)| held.start) {
            Some(start) if sample.start > start => self.release(Some(sample.start), context)?,
            Some(start) if sample.start < start => self.release(None, context)?,
            _ => {}
        }
        self.state(row, is_set(usage.alloc_collection), sample.start, context)?;
        self.held.push((context.sequence(row.number), sample));
        Ok(Outcome::Kept)
    }

    /// Hands on priority, class and the alloc set when they differ from what was last said.
    fn state(
        &mut self,
        row: &Row<'_>,
        is_in_alloc: bool,
        time: Micros,
        context: &mut Context<'_>,
    ) -> Result<(), TraceError> {
        let facts = Facts { priority: row.integer(4), class: row.integer(5), is_in_alloc };
        if self.facts == Some(facts) {
            return Ok(());
        }
        self.facts = Some(facts);
        let event = EventRow {
            class: facts.class.and_then(class_name),
            priority: facts.priority.and_then(|priority| i32::try_from(priority).ok()),
            machine: row
                .integer(6)
                .filter(|machine| *machine != 0)
                .map(|machine| integer_key(&mut self.machine, machine)),
            flags: if is_in_alloc { WorkloadFlags::IN_ALLOC } else { WorkloadFlags::default() },
            ..EventRow::new(&self.workload, Some(time), context.sequence(row.number), EventKind::Exists)
        };
        context.sink.event(&event)
    }

    /// Hands on what is held back; `next` is where the task's next window begins.
    fn release(&mut self, next: Option<Micros>, context: &mut Context<'_>) -> Result<(), TraceError> {
        for (sequence, mut sample) in self.held.drain(..) {
            let latest = Micros(end_on_grid(sample.start.0));
            sample.duration = next.map_or(latest, |next| next.min(latest)).minus(sample.start);
            context.sink.sample(Dataset::Usage, &self.held_workload, sequence, &sample)?;
        }
        Ok(())
    }
}
