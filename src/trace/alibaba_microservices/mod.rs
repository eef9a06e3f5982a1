//! The formats `alibaba-microservices-2021` and `alibaba-microservices-2022`: containers and nodes of microservices.
//!
//! Output: series of containers (`MSResource`, `MSMetrics`) and nodes; calls and call rates are checked and counted. Use is
//! a share of a limit that was never published, and in 2022 rescaled besides: only its shape means something, cores and
//! bytes stay unknown. A workload is a container, its application the service. The files' headers differ from the
//! documents and begin with an unnamed index column in 2021; slices lack header, index or both.

mod tables;
#[cfg(test)]
mod tests;

use hashbrown::HashSet;

use super::delimited::{Outcome, Row};
use super::known::{self, note};
use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Dataset, Duplicates, EventKind, EventRow, Format, Head, MemoryUnit, NetworkUnit,
    RequestRule, Sample, SampleFlags, TraceError, UnitContract, WorkloadFlags,
};
use crate::units::Micros;
use tables::{TABLES_2021, TABLES_2022};

/// Interval of the rows of 2021 (the document says 60 s), and of those of 2022.
const SECONDS: [i64; 2] = [30, 60];

/// The `alibaba-microservices-2021` format.
#[derive(Debug, Clone, Copy)]
pub struct AlibabaMicroservices2021;

/// The `alibaba-microservices-2022` format.
#[derive(Debug, Clone, Copy)]
pub struct AlibabaMicroservices2022;

const UNITS: UnitContract = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };

/// What is remembered between rows: containers that were seen, of which the service is known.
#[derive(Default)]
pub(super) struct Running {
    containers: HashSet<String>,
}

/// Returns whether identifiers are those of 2022: `MS_1`, `NODE_1`, `S_1`, `T_1`.
fn has_numbered_names(head: &Head<'_>) -> bool {
    let text = String::from_utf8_lossy(head.bytes);
    text.lines().take(3).any(|line| {
        line.split(',').any(|cell| {
            let number = ["MS_", "NODE_", "S_", "T_"].iter().find_map(|prefix| cell.trim().strip_prefix(prefix));
            number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    })
}

impl Format for AlibabaMicroservices2021 {
    fn name(&self) -> &'static str {
        "alibaba-microservices-2021"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        if has_numbered_names(head) { None } else { known::recognise(&TABLES_2021, head) }
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        known::read(&TABLES_2021, table, input, context)
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::First
    }

    fn units(&self) -> UnitContract {
        UNITS
    }

    fn group_of<'a>(&self, _workload: &'a str) -> Option<&'a str> {
        None
    }

    fn sampling_seconds(&self) -> u32 {
        30
    }
}

impl Format for AlibabaMicroservices2022 {
    fn name(&self) -> &'static str {
        "alibaba-microservices-2022"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        if has_numbered_names(head) { known::recognise(&TABLES_2022, head) } else { None }
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        known::read(&TABLES_2022, table, input, context)
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::First
    }

    fn units(&self) -> UnitContract {
        UNITS
    }

    fn group_of<'a>(&self, _workload: &'a str) -> Option<&'a str> {
        None
    }

    fn duplicates(&self) -> Duplicates {
        Duplicates::First
    }

    fn has_starts_of_first_samples(&self) -> bool {
        true
    }

    fn sampling_seconds(&self) -> u32 {
        60
    }
}

/// A row of a node. `edition` is 0 for 2021; columns: time, node, CPU, memory.
fn node(row: &Row<'_>, columns: [usize; 4], edition: usize, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let sample = match sample(row, [columns[0], columns[2], columns[3]], edition) {
        Ok(sample) => sample,
        Err(rejected) => return Ok(rejected),
    };
    let sequence = context.sequence(row.number);
    context.sink.sample(Dataset::Machine, row.text(columns[1]).unwrap_or_default(), sequence, &sample)?;
    Ok(Outcome::Kept)
}

/// A row of a container; columns: time, service, container, node, CPU, memory.
fn container(
    row: &Row<'_>,
    columns: [usize; 6],
    edition: usize,
    running: &mut Running,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    let [time, service, container, node, cpu, memory] = columns;
    let sample = match sample(row, [time, cpu, memory], edition) {
        Ok(sample) => sample,
        Err(rejected) => return Ok(rejected),
    };
    let id = row.text(container).unwrap_or_default();
    let sequence = context.sequence(row.number);
    if !running.containers.contains(id) {
        running.containers.insert(id.to_owned());
        let application = row.text(service);
        let mut flags = WorkloadFlags::default();
        let is_of_service = application.is_some_and(|service| id.starts_with(service));
        if edition == 1 && !is_of_service {
            flags = flags.with(WorkloadFlags::UNUSUAL_ID);
            note("a container is not named after its service", context);
        }
        let event = EventRow::new(id, Some(Micros::ZERO), sequence, EventKind::Exists);
        context.sink.event(&EventRow { application, machine: row.text(node), flags, ..event })?;
    }
    context.sink.sample(Dataset::Usage, id, sequence, &sample)?;
    Ok(Outcome::Kept)
}

/// The value at t is the mean over the interval before it. Columns: time in ms, CPU, memory.
fn sample(row: &Row<'_>, [time, cpu, memory]: [usize; 3], edition: usize) -> Result<Sample, Outcome> {
    if let Some(rejected) = super::identifier::negative(row, &[(cpu, "cpu"), (memory, "memory")]) {
        return Err(rejected);
    }
    let interval = Micros::from_seconds(SECONDS[edition]);
    Ok(Sample {
        start: Micros(row.time(time).unwrap_or_default().saturating_mul(1000)).minus(interval),
        duration: interval,
        cpu: row.number(cpu),
        memory: row.number(memory),
        flags: SampleFlags::CPU_OF_REQUEST.with(SampleFlags::MEMORY_OF_REQUEST),
        ..Sample::default()
    })
}
