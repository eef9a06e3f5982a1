//! `google-2011`: the trace of one Borg cell over 29 days of May 2011 (`ClusterData2011_2`).
//!
//! Input: its seven kinds of CSV files, plain or gzipped, headerless or with a header line that names the columns.
//! Output: task windows as samples, task events with the request they state, job events as groups, machine events.
//! Constraints, machine attributes and `schema.csv` are recognised, checked and counted, and not handed on: nothing
//! downstream uses them yet.
//!
//! A workload is `JOB/INDEX` and its group the job. Times are microseconds as in the source: 0 is before the trace,
//! 2^63 - 1 after it, and the trace itself begins at 600 s. CPU and memory are fractions of the largest machine.
//! Which request counts for a window is the store's question: the last event in (time, part number, line) at or before
//! its start that states one, whatever its type. Measured reason: of the tasks with SUBMIT and SCHEDULE at time 0 more
//! than a quarter have different requests in the two rows.

mod recognise;
mod rows;
mod tables;

use super::delimited::{self, Outcome, TableSpec};
use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, Refusal, RequestRule, TraceError, UnitContract,
};

/// The `google-2011` format.
#[derive(Debug, Clone, Copy)]
pub struct Google2011;

impl Format for Google2011 {
    fn name(&self) -> &'static str {
        "google-2011"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        recognise::recognise(head)
    }

    fn is_divisible(&self, _table: &str, _first_line: &[u8]) -> bool {
        true
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        let Input::Text(text) = input else {
            return Err(TraceError::Unrecognised {
                file: context.file.to_owned(),
                what: "the tables of `google-2011` are text, not Parquet".to_owned(),
            });
        };
        let mut rows = rows::Rows::default();
        match table {
            "task_usage" => {
                delimited::read(&tables::TASK_USAGE, text, context, &mut |row, context| rows.usage(row, context))
            }
            "task_events" => {
                delimited::read(&tables::TASK_EVENTS, text, context, &mut |row, context| rows.task(row, context))
            }
            "job_events" => {
                delimited::read(&tables::JOB_EVENTS, text, context, &mut |row, context| rows.job(row, context))
            }
            "machine_events" => {
                delimited::read(&tables::MACHINE_EVENTS, text, context, &mut |row, context| rows.machine(row, context))
            }
            "machine_attributes" => count(&tables::MACHINE_ATTRIBUTES, text, context),
            "task_constraints" => count(&tables::TASK_CONSTRAINTS, text, context),
            "schema" => schema(text, context),
            other => Err(TraceError::Unrecognised {
                file: context.file.to_owned(),
                what: format!("`google-2011` has no table `{other}`"),
            }),
        }
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::LastAtOrBefore
    }

    fn units(&self) -> UnitContract {
        UnitContract { cpu: CpuUnit::MachineFraction, memory: MemoryUnit::MachineFraction, network: NetworkUnit::None }
    }

    fn group_of<'a>(&self, workload: &'a str) -> Option<&'a str> {
        workload.rsplit_once('/').map(|(job, _index)| job)
    }

    fn sampling_seconds(&self) -> u32 {
        300
    }
}

/// Checks and counts the rows of a table that nothing downstream uses.
fn count(
    table: &'static TableSpec,
    text: &mut dyn std::io::BufRead,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    delimited::read(table, text, context, &mut |_row, _context| Ok(Outcome::Kept))?;
    let kept = context.summary.kept;
    context.summary.notes.insert(format!("rows of `{}` are checked and counted, not stored", table.name), kept);
    Ok(())
}

/// Reads `schema.csv`, the publisher's list of columns: a copy of the trace whose columns stand in another order than
/// the one read here must not be read at all.
fn schema(text: &mut dyn std::io::BufRead, context: &mut Context<'_>) -> Result<(), TraceError> {
    delimited::read(&tables::SCHEMA, text, context, &mut |row, context| {
        let pattern = row.text(0).unwrap_or_default();
        let content = row.text(2).unwrap_or_default();
        let Some(table) = tables::ALL.iter().find(|table| pattern.starts_with(table.name)) else {
            return Ok(Outcome::Rejected("unknown table", format!("file pattern `{pattern}`")));
        };
        let field = row.integer(1).and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
        let Some(expected) = field.checked_sub(1).and_then(|index| table.columns.get(index)) else {
            return Ok(Outcome::Rejected("unknown column", format!("field {field} of `{}`", table.name)));
        };
        if expected.is_called(content) {
            return Ok(Outcome::Kept);
        }
        Err(TraceError::Refused(Box::new(Refusal {
            file: context.file.to_owned(),
            row: row.number,
            column: "content".to_owned(),
            found: content.to_owned(),
            what: format!("it puts `{content}` where field {field} of `{}` is `{}`", table.name, expected.name),
            hint: "write a header line with the column names into each file of this copy, and leave `schema.csv` out"
                .to_owned(),
        })))
    })
}

#[cfg(test)]
mod tests;
