//! The `alibaba-2017` format: the six tables of cluster-trace-v2017, as published or with the headers of copies.
//!
//! Output: container series in windows of 300 s, one summary row per batch instance, machine series, and what the tables
//! say of containers, batch tasks and machines. A container is named by its number, a task `JOB/TASK`; a task's job is its
//! application. CPU is in cores: 100 is one core in the batch tables, containers plan whole cores. Memory is a fraction of
//! the largest machine. Times are seconds of the trace; 0 and less is before it.

mod rows;
mod tables;
#[cfg(test)]
mod tests;

use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, RequestRule, TraceError, UnitContract, known,
};
use tables::TABLES;

/// The `alibaba-2017` format.
#[derive(Debug, Clone, Copy)]
pub struct Alibaba2017;

impl Format for Alibaba2017 {
    fn name(&self) -> &'static str {
        "alibaba-2017"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        known::recognise(&TABLES, head)
    }

    fn is_divisible(&self, table: &str, first_line: &[u8]) -> bool {
        // A second row of a container means something else than the first.
        table != "container_event" && !first_line.contains(&b'"')
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        known::read(&TABLES, table, input, context)
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::First
    }

    fn units(&self) -> UnitContract {
        UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::MachineFraction, network: NetworkUnit::None }
    }

    fn group_of<'a>(&self, _workload: &'a str) -> Option<&'a str> {
        None
    }

    fn sampling_seconds(&self) -> u32 {
        300
    }
}
