//! Rows of either table to samples and statements about workloads.

use super::mapping::{Measure, Target};
use super::plan::{Plan, SERIES};
use super::value::{Fault, Fractions, Slot, Value, amount, instant, number, without_sign};
use crate::trace::delimited::Outcome;
use crate::trace::summary::ColumnSummary;
use crate::trace::{
    Amounts, Context, Dataset, EventKind, EventRow, Refusal, Sample, SampleFlags, TableSummary, TraceError,
    WorkloadFlags,
};
use crate::units::Micros;

/// What a workload is called where the table does not name it.
const UNNAMED: &str = "sample";
/// A cell is shown up to this many characters.
const SHOWN: usize = 80;

/// Takes the rows of one table, whatever file they come from.
pub(super) struct Rows {
    table: &'static str,
    plan: Plan,
    /// Position in the plan of each target.
    position: [Option<usize>; Target::ALL.len()],
    summaries: Vec<ColumnSummary>,
    /// Largest value so far of each column, in the format's unit.
    largest: Vec<f64>,
    fractions: Fractions,
}

/// A cell that cannot be used, and where.
struct Bad {
    column: usize,
    fault: Fault,
}

impl Rows {
    pub(super) fn new(table: &'static str, plan: Plan, fractions: Fractions) -> Self {
        let position = Target::ALL.map(|target| plan.columns.iter().position(|column| column.target == Some(target)));
        let columns = plan.columns.len();
        Self {
            table,
            plan,
            position,
            summaries: vec![ColumnSummary::default(); columns],
            largest: vec![0.0; columns],
            fractions,
        }
    }

    /// Returns the columns whose values [`Self::take`] wants, in that order.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Hands a row out: `values` has one entry per planned column.
    ///
    /// # Errors
    /// A value contradicts its unit so that the whole file must be refused, or the sink fails.
    pub(super) fn take(
        &mut self,
        row: u64,
        values: &[Value<'_>],
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        let mut slots = Vec::with_capacity(values.len());
        let mut flags = SampleFlags::default();
        let mut bad: Option<Bad> = None;
        for (column, &value) in values.iter().enumerate() {
            let slot = self.slot(column, value, &mut flags).unwrap_or_else(|fault| {
                if bad.is_none() || matches!(fault, Fault::File(..)) {
                    bad = Some(Bad { column, fault });
                }
                Slot::Empty
            });
            slots.push(slot);
        }
        if let Some(Bad { column, fault }) = bad {
            let (name, found) = (self.plan.columns[column].name.clone(), shown(values[column]));
            return match fault {
                Fault::Row(reason) => Ok(Outcome::Rejected(reason, format!("column `{name}`: found `{found}`"))),
                Fault::File(what, hint) => Err(TraceError::Refused(Box::new(Refusal {
                    file: context.file.to_owned(),
                    row,
                    column: name,
                    found,
                    what,
                    hint,
                }))),
            };
        }
        if self.table == SERIES { self.sample(row, &slots, flags, context) } else { self.facts(row, &slots, context) }
    }

    /// Adds what was read of each column to the table's summary.
    pub(super) fn finish(self, summary: &mut TableSummary) {
        if self.table == SERIES && !self.plan.has(Target::Workload) && summary.kept > 0 {
            let note = format!("there is no column `workload`: all rows belong to a workload named `{UNNAMED}`");
            *summary.notes.entry(note).or_default() += summary.kept;
        }
        for (column, entry) in self.plan.columns.iter().zip(self.summaries) {
            let columns = [(column.name.clone(), entry)].into_iter().collect();
            summary.merge(&TableSummary { columns, ..TableSummary::default() });
        }
    }

    /// Types, counts and checks one cell.
    fn slot<'a>(&mut self, column: usize, value: Value<'a>, flags: &mut SampleFlags) -> Result<Slot<'a>, Fault> {
        let planned = &self.plan.columns[column];
        let summary = &mut self.summaries[column];
        match value {
            Value::Missing => {
                summary.empty += 1;
                return Ok(Slot::Empty);
            }
            Value::NotText => return Err(Fault::Row("text is not UTF-8")),
            _ => {}
        }
        let Some(target) = planned.target else { return label(value, summary) };
        match target.measure() {
            Measure::Text => text(target, value, summary),
            Measure::Instant => {
                let mut raw = None;
                let time = instant(value, &planned.steps, &mut self.fractions, &mut raw);
                if let Some(raw) = raw {
                    summary.number(raw);
                }
                time.map(Slot::Time)
            }
            measure => {
                let raw = match value {
                    Value::Text(text) => number(text, &mut self.fractions)?,
                    Value::Number(number) if number.is_finite() => number,
                    Value::Number(_) => return Err(Fault::Row("number is not finite")),
                    Value::Whole(whole) => whole as f64,
                    Value::Time(length) => length.as_seconds(),
                    Value::Missing | Value::NotText => return Ok(Slot::Empty),
                };
                summary.number(raw);
                let value = amount(measure, raw, &planned.steps)?;
                let is_fact = matches!(
                    target,
                    Target::RequestedCpu | Target::RequestedMemory | Target::LimitCpu | Target::LimitMemory
                );
                match measure {
                    Measure::Length if value < 0.0 => Err(Fault::Row("negative length of time")),
                    Measure::Length => Micros::from_seconds_f64(value)
                        .map(Slot::Time)
                        .map_err(|_too_long| Fault::Row("time is out of range")),
                    Measure::Whole if value.fract() == 0.0 => Ok(Slot::Number(value)),
                    Measure::Whole => Err(Fault::Row("not an integer")),
                    _ if is_fact && value < 0.0 => Err(Fault::Row("negative request or limit")),
                    // No request and a request of nothing are the same to a scheduler.
                    _ if is_fact => Ok(if value > 0.0 { Slot::Number(value) } else { Slot::Empty }),
                    _ => {
                        let (value, is_changed) = without_sign(measure, value, &mut self.largest[column])?;
                        if is_changed {
                            *flags = flags.with(SampleFlags::CLAMPED);
                        }
                        Ok(Slot::Number(value))
                    }
                }
            }
        }
    }

    fn get<'a>(&self, slots: &[Slot<'a>], target: Target) -> Slot<'a> {
        self.position[target as usize].map_or(Slot::Empty, |column| slots[column])
    }

    fn number(&self, slots: &[Slot<'_>], target: Target) -> Option<f64> {
        match self.get(slots, target) {
            Slot::Number(number) => Some(number),
            _ => None,
        }
    }

    fn time(&self, slots: &[Slot<'_>], target: Target) -> Option<Micros> {
        match self.get(slots, target) {
            Slot::Time(time) => Some(time),
            _ => None,
        }
    }

    fn text<'a>(&self, slots: &[Slot<'a>], target: Target) -> Option<&'a str> {
        match self.get(slots, target) {
            Slot::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the name of the workload; nothing where the table has names but this row has none.
    fn workload<'a>(&self, slots: &[Slot<'a>]) -> Option<&'a str> {
        if self.plan.has(Target::Workload) { self.text(slots, Target::Workload) } else { Some(UNNAMED) }
    }

    fn empty(&self, target: Target) -> Outcome {
        let name = self.position[target as usize].map_or(target.name(), |column| &self.plan.columns[column].name);
        Outcome::Rejected("mandatory cell is empty", format!("column `{name}`"))
    }

    fn sample(
        &self,
        row: u64,
        slots: &[Slot<'_>],
        mut flags: SampleFlags,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        let Some(workload) = self.workload(slots) else { return Ok(self.empty(Target::Workload)) };
        let clock = if self.plan.has(Target::Time) { Target::Time } else { Target::Offset };
        let Some(start) = self.time(slots, clock) else { return Ok(self.empty(clock)) };
        let is_changed = flags.contains(SampleFlags::CLAMPED);
        if clock == Target::Offset {
            flags = flags.with(SampleFlags::RELATIVE_TIME);
        }
        let (mut cpu, mut memory) = (self.number(slots, Target::Cpu), self.number(slots, Target::Memory));
        if cpu.is_none() {
            cpu = self.number(slots, Target::CpuOfRequest);
            flags = if cpu.is_some() { flags.with(SampleFlags::CPU_OF_REQUEST) } else { flags };
        }
        if memory.is_none() {
            memory = self.number(slots, Target::MemoryOfRequest);
            flags = if memory.is_some() { flags.with(SampleFlags::MEMORY_OF_REQUEST) } else { flags };
        }
        let sample = Sample {
            start,
            duration: self.time(slots, Target::Interval).unwrap_or_default(),
            cpu,
            cpu_max: self.number(slots, Target::CpuMax),
            memory,
            memory_max: self.number(slots, Target::MemoryMax),
            network_received: self.number(slots, Target::NetworkReceived),
            network_transmitted: self.number(slots, Target::NetworkTransmitted),
            disk_read: self.number(slots, Target::DiskRead),
            disk_written: self.number(slots, Target::DiskWritten),
            disk_busy: None,
            cpu_throttled: self.number(slots, Target::CpuThrottled),
            cpu_request: self.number(slots, Target::RequestedCpu),
            memory_request: self.number(slots, Target::RequestedMemory),
            memory_limit: self.number(slots, Target::LimitMemory),
            flags,
        };
        let used = [sample.cpu, sample.cpu_max, sample.memory, sample.memory_max, sample.network_received];
        let moved = [sample.network_transmitted, sample.disk_read, sample.disk_written, sample.cpu_throttled];
        if used.iter().chain(&moved).all(Option::is_none) {
            return Ok(Outcome::Rejected("nothing was measured", "all columns of use are empty".to_owned()));
        }
        let sequence = context.sequence(row);
        context.sink.sample(Dataset::Usage, workload, sequence, &sample)?;
        if is_changed {
            note("slightly negative use was set to 0", context);
        }
        Ok(Outcome::Kept)
    }

    fn facts(&self, row: u64, slots: &[Slot<'_>], context: &mut Context<'_>) -> Result<Outcome, TraceError> {
        let Some(workload) = self.workload(slots) else { return Ok(self.empty(Target::Workload)) };
        let labels: Vec<(&str, &str)> = self
            .plan
            .columns
            .iter()
            .zip(slots)
            .filter_map(|(column, slot)| match (column.target, slot) {
                (None, Slot::Text(text)) => Some((column.name.as_str(), *text)),
                _ => None,
            })
            .collect();
        let start = self.time(slots, Target::Start);
        // Two sequence numbers a row: at the same time the start comes before the end.
        let sequence = context.sequence(2 * row);
        let kind = if start.is_some() { EventKind::Schedule } else { EventKind::Exists };
        #[expect(clippy::cast_possible_truncation, reason = "whole; `as` ends at the ends of i32")]
        let priority = self.number(slots, Target::Priority).map(|priority| priority as i32);
        let event = EventRow {
            request: Amounts {
                cpu: self.number(slots, Target::RequestedCpu),
                memory: self.number(slots, Target::RequestedMemory),
                disk: None,
            },
            limit: Amounts {
                cpu: self.number(slots, Target::LimitCpu),
                memory: self.number(slots, Target::LimitMemory),
                disk: None,
            },
            application: self.text(slots, Target::Application),
            user: self.text(slots, Target::User),
            class: self.text(slots, Target::Class),
            priority,
            labels: &labels,
            flags: WorkloadFlags::default(),
            ..EventRow::new(workload, Some(start.unwrap_or_default()), sequence, kind)
        };
        context.sink.event(&event)?;
        if let Some(end) = self.end(slots, start, context) {
            context.sink.event(&EventRow::new(workload, Some(end), sequence + 1, EventKind::Finish))?;
        }
        Ok(Outcome::Kept)
    }

    /// Returns when the workload ended: as stated, or its duration after its start.
    fn end(&self, slots: &[Slot<'_>], start: Option<Micros>, context: &mut Context<'_>) -> Option<Micros> {
        let stated = self.time(slots, Target::End);
        if let (Some(start), Some(end)) = (start, stated)
            && end < start
        {
            note("the end lies before the start and was left out", context);
            return None;
        }
        stated.or_else(|| {
            let duration = self.time(slots, Target::Duration)?;
            if start.is_none() {
                note("a duration without a start gives no end", context);
            }
            Some(start?.plus(duration))
        })
    }
}

fn note(what: &str, context: &mut Context<'_>) {
    *context.summary.notes.entry(what.to_owned()).or_default() += 1;
}

/// Returns a label as text; its numbers and words are counted.
fn label<'a>(value: Value<'a>, summary: &mut ColumnSummary) -> Result<Slot<'a>, Fault> {
    let Value::Text(text) = value else { return Err(Fault::Row("text is not UTF-8")) };
    match lexical_core::parse::<f64>(text.as_bytes()) {
        Ok(number) if number.is_finite() => summary.number(number),
        _ => summary.category(text),
    }
    Ok(Slot::Text(text))
}

fn text<'a>(target: Target, value: Value<'a>, summary: &mut ColumnSummary) -> Result<Slot<'a>, Fault> {
    let Value::Text(text) = value else { return Err(Fault::Row("text is not UTF-8")) };
    if target != Target::Workload {
        summary.category(text);
    } else if is_rounded(text) {
        return Err(Fault::File(
            "an identifier is in scientific notation, so its last digits are lost and rows can no longer be joined"
                .to_owned(),
            "the file went through a spreadsheet; export it again from its source".to_owned(),
        ));
    }
    Ok(Slot::Text(text))
}

/// Returns whether text is what spreadsheets make of long integers: `1.68846E+11`.
fn is_rounded(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once(['E', 'e']).is_some_and(|(mantissa, exponent)| {
        mantissa
            .split_once(['.', ','])
            .is_some_and(|(whole, fraction)| whole.len() == 1 && is_digits(whole) && is_digits(fraction))
            && exponent.strip_prefix('+').is_some_and(is_digits)
    })
}

/// Returns a cell for a message.
fn shown(value: Value<'_>) -> String {
    match value {
        Value::Missing => String::new(),
        Value::Text(text) => text.chars().take(SHOWN).collect(),
        Value::Number(number) => number.to_string(),
        Value::Whole(whole) => whole.to_string(),
        Value::Time(time) => time.to_date().unwrap_or_else(|| time.to_string()),
        Value::NotText => "bytes that are no UTF-8".to_owned(),
    }
}
