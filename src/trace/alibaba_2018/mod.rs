//! The `alibaba-2018` format: the six tables of cluster-trace-v2018, and the reduced copies that are passed around.
//!
//! Input: headerless CSV as published, or copies with a header, tabs, `100.0` for 100, dates for seconds. Output:
//! container and machine series, one summary row per batch instance, and what the tables say of containers, batch
//! tasks and machines. CPU is in cores (the trace's 100 is one core), memory a fraction of the largest machine (the
//! trace's 100 is 1.0), network normalised (0..1). Cost: one pass; in memory are one row, and of
//! `container_meta` the names of the containers that are alive.

mod batch;
mod containers;
mod machines;
mod recognise;
mod tables;
#[cfg(test)]
mod tests;

use std::io::BufRead;

use hashbrown::HashSet;

use super::delimited::{self, Outcome, Row, TableSpec};
use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, RequestRule, SampleFlags, TraceError,
    UnitContract,
};
use tables::TABLES;

/// The `alibaba-2018` format.
#[derive(Debug, Clone, Copy)]
pub struct Alibaba2018;

/// Turns a checked row of one table into what the sink takes.
type Handler = fn(&Row<'_>, &mut Running, &mut Context<'_>) -> Result<Outcome, TraceError>;

/// What is remembered between the rows of one file.
#[derive(Default)]
struct Running {
    /// Containers that an earlier row of `container_meta` shows alive (71,476 in the whole trace).
    containers: HashSet<String>,
}

impl Format for Alibaba2018 {
    fn name(&self) -> &'static str {
        "alibaba-2018"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        recognise::recognise(head)
    }

    fn is_divisible(&self, table: &str, first_line: &[u8]) -> bool {
        // What a row of `container_meta` means depends on the earlier ones.
        table != "container_meta" && !first_line.contains(&b'"')
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        let unknown = |what: &str| TraceError::Columns { file: context.file.to_owned(), what: what.to_owned() };
        let Some(entry) = TABLES.iter().find(|entry| entry.spec.name == table) else {
            return Err(unknown("no such table in alibaba-2018"));
        };
        match input {
            Input::Text(text) => {
                let spec = match context.piece {
                    Some(piece) => as_written(&entry.spec, piece.first_line),
                    None => as_written(&entry.spec, first_line(text, context.file)?),
                };
                let mut running = Running::default();
                delimited::read(&spec, text, context, &mut |row, context| (entry.handler)(row, &mut running, context))
            }
            Input::Parquet(_) => Err(unknown("the tables of alibaba-2018 are text, not Parquet")),
        }
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::First
    }

    fn units(&self) -> UnitContract {
        UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::MachineFraction, network: NetworkUnit::Normalised }
    }

    fn group_of<'a>(&self, _workload: &'a str) -> Option<&'a str> {
        // Each row of the metadata tables names its application; no table speaks of groups as such.
        None
    }

    fn sampling_seconds(&self) -> u32 {
        10
    }
}

/// Returns the first line that the text holds.
fn first_line<'a>(text: &'a mut dyn BufRead, file: &str) -> Result<&'a [u8], TraceError> {
    let head = text.fill_buf().map_err(|source| delimited::io_error(file, 0, source))?;
    Ok(head.split(|&byte| byte == b'\n').next().unwrap_or_default())
}

/// Returns the table with the delimiter and the quoting of this copy: tabs and quoted cells occur.
fn as_written(spec: &TableSpec, first_line: &[u8]) -> TableSpec {
    let mut spec = *spec;
    spec.delimiter = recognise::delimiter(first_line);
    spec.is_quoted = first_line.contains(&b'"');
    spec
}

/// How large a percentage can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Most {
    /// 100: a share of something that has an end.
    Hundred,
    /// Anything: a share of a request that may be exceeded.
    Anything,
}

/// Returns a percentage as a share, or nothing with [`SampleFlags::VALUE_DROPPED`] for what the trace document calls
/// invalid (-1 and 101) and for other numbers outside the range.
fn share(percent: Option<f64>, most: Most, flags: &mut SampleFlags) -> Option<f64> {
    /// The document's second mark of an invalid value.
    const INVALID: f64 = 101.0;
    let percent = percent?;
    let is_above = percent > 100.0 && (most == Most::Hundred || percent.to_bits() == INVALID.to_bits());
    if percent < 0.0 || is_above {
        *flags = flags.with(SampleFlags::VALUE_DROPPED);
        return None;
    }
    Some(percent / 100.0)
}

/// Returns whether `text` is `prefix` and a number, the form of every identifier of the trace.
fn is_numbered(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}
