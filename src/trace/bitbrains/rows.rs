//! Rows of one file to samples of one machine.

use crate::trace::delimited::{Outcome, Row};
use crate::trace::identifier::negative;
use crate::trace::{Amounts, Context, Dataset, EventKind, EventRow, Refusal, Sample, SampleFlags, TraceError};
use crate::units::Micros;

use super::VM;
use super::provisioned::Stated;
use super::recognise::machine;

/// Below this a time stamp is in seconds, as in all published files; above it in milliseconds, as the header says.
const LEAST_MILLISECONDS: i64 = 100_000_000_000;
/// Rows are five minutes apart and hold means over them.
const STEP: Micros = Micros(300_000_000);
/// A KB of this trace.
const KILO: f64 = 1024.0;
/// A file in which a larger share of the steps in time does not go forward holds two series.
const MOST_STEPS_BACK: f64 = 0.01;

/// Every column but the time.
const AMOUNTS: [(usize, &str); 10] = [
    (1, "cpu_cores"),
    (2, "cpu_capacity_mhz"),
    (3, "cpu_usage_mhz"),
    (4, "cpu_usage_percent"),
    (5, "memory_capacity_kb"),
    (6, "memory_usage_kb"),
    (7, "disk_read_kb_s"),
    (8, "disk_write_kb_s"),
    (9, "net_received_kb_s"),
    (10, "net_transmitted_kb_s"),
];

/// The rows of one file, until its end is known.
#[derive(Default)]
pub(super) struct Rows {
    /// Row number and sample.
    held: Vec<(u64, Sample)>,
    cores: Stated,
    memory: Stated,
    /// Steps in time that do not go forward, repetitions of a whole row aside.
    back: u64,
    /// The first of them: row and time stamp.
    first_back: Option<(u64, i64)>,
}

impl Rows {
    /// Takes a row.
    pub(super) fn take(&mut self, row: &Row<'_>) -> Outcome {
        let Some(stamp) = row.time(0) else {
            return Outcome::Rejected("time lies after the trace", format!("column `{}`", VM.columns[0].name));
        };
        if let Some(rejected) = negative(row, &AMOUNTS) {
            return rejected;
        }
        let sample = sample(row, stamp);
        if let Some((_, last)) = self.held.last()
            && sample.start <= last.start
            && sample != *last
        {
            self.back += 1;
            self.first_back.get_or_insert((row.number, stamp));
        }
        self.cores.add(row.number(1));
        self.memory.add(row.number(5));
        self.held.push((row.number, sample));
        Outcome::Kept
    }

    /// Hands out what is provisioned and every sample.
    ///
    /// # Errors
    /// [`TraceError::Refused`] for a file that holds two series, and whatever the sink says.
    pub(super) fn hand_out(self, context: &mut Context<'_>) -> Result<(), TraceError> {
        let steps = self.held.len().saturating_sub(1);
        if let Some((row, stamp)) = self.first_back.filter(|_| self.back as f64 > MOST_STEPS_BACK * steps as f64) {
            return Err(TraceError::Refused(Box::new(Refusal {
                file: context.file.to_owned(),
                row,
                column: VM.columns[0].name.to_owned(),
                found: stamp.to_string(),
                what: format!(
                    "{} of {steps} steps in time do not go forward, as where two series stand in one file: which row is of \
                     which cannot be told",
                    self.back
                ),
                hint: "leave this file out; the other files of the trace are not concerned".to_owned(),
            })));
        }
        let Some((first_row, first)) = self.held.first().copied() else { return Ok(()) };
        let machine = machine(context.file);
        let rows = self.held.len() as u64;
        if !machine.has_month {
            note(
                "the path names no month (`TRACE/YYYY-M/NUMBER.csv`), so another month's file of that number would count as the same machine",
                rows,
                context,
            );
        }
        if self.held.iter().any(|(_, sample)| sample.memory.is_some()) {
            note(
                "memory is what the hypervisor saw as active, far below what a machine needs: do not size memory by it",
                rows,
                context,
            );
        }
        let provisioned = Amounts {
            cpu: self.cores.mode().map(|(cores, _)| cores),
            memory: self.memory.mode_or_most().map(|memory| memory * KILO),
            disk: None,
        };
        let exists = EventRow::new(&machine.name, Some(first.start), context.sequence(first_row), EventKind::Exists);
        // A virtual machine cannot use more than it was given: what its owner asked for is its limit as well.
        context.sink.event(&EventRow { request: provisioned, limit: provisioned, ..exists })?;
        for (row, sample) in &self.held {
            context.sink.sample(Dataset::Usage, &machine.name, context.sequence(*row), sample)?;
        }
        Ok(())
    }
}

fn sample(row: &Row<'_>, stamp: i64) -> Sample {
    let start =
        if stamp < LEAST_MILLISECONDS { Micros::from_seconds(stamp) } else { Micros(stamp.saturating_mul(1000)) };
    let (cores, capacity, memory) = (row.number(1), row.number(2), row.number(5));
    let is_zero = |amount: Option<f64>| amount.is_some_and(|amount| amount <= 0.0);
    // Switched off: the time counts, but nothing can be said of use.
    if is_zero(cores) && is_zero(capacity) && is_zero(memory) {
        return Sample { start, duration: STEP, flags: SampleFlags::OFF, ..Sample::default() };
    }
    let mut flags = SampleFlags::default();
    let per_core = cores.zip(capacity).filter(|(cores, capacity)| *cores > 0.0 && *capacity > 0.0);
    let cpu = row.number(3).zip(per_core).map(|(used, (cores, capacity))| used / (capacity / cores));
    if row.number(3).is_some() && cpu.is_none() {
        flags = flags.with(SampleFlags::VALUE_DROPPED);
    }
    let kilo = |column: usize| row.number(column).map(|amount| amount * KILO);
    if row.number(6).is_some() {
        flags = flags.with(SampleFlags::MEMORY_ACTIVE);
    }
    Sample {
        start,
        duration: STEP,
        cpu,
        memory: kilo(6),
        disk_read: kilo(7),
        disk_written: kilo(8),
        network_received: kilo(9),
        network_transmitted: kilo(10),
        cpu_request: cores.filter(|cores| *cores > 0.0),
        memory_request: kilo(5).filter(|memory| *memory > 0.0),
        flags,
        ..Sample::default()
    }
}

fn note(what: &str, rows: u64, context: &mut Context<'_>) {
    *context.summary.notes.entry(what.to_owned()).or_default() += rows;
}
