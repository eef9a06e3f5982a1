//! The formats `alibaba-gpu-2020` (PAI) and `alibaba-gpu-2023` (openb): requests of tasks and pods that use GPUs.
//!
//! Output of 2020: tasks `JOB/TASK` with the plan of one instance, jobs as groups, machines, and lifetime means of workers
//! as summary rows (there is no series to fingerprint). Output of 2023: pods with their requests and lives, nodes. Both
//! in cores and bytes; the trace of 2020 says GB and means 2^30 bytes (its machines have 512 of them).

mod openb;
mod pai;
#[cfg(test)]
mod tests;

use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, RequestRule, TraceError, UnitContract, known,
};

const UNITS: UnitContract = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };
/// Bytes of the unit in which requests are written, as a factor.
const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1024.0 * MIB;

/// The `alibaba-gpu-2020` format.
#[derive(Debug, Clone, Copy)]
pub struct AlibabaGpu2020;

impl Format for AlibabaGpu2020 {
    fn name(&self) -> &'static str {
        "alibaba-gpu-2020"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        known::recognise(&pai::TABLES, head)
    }

    fn is_divisible(&self, _table: &str, first_line: &[u8]) -> bool {
        !first_line.contains(&b'"')
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        known::read(&pai::TABLES, table, input, context)
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::First
    }

    fn units(&self) -> UnitContract {
        UNITS
    }

    fn group_of<'a>(&self, workload: &'a str) -> Option<&'a str> {
        workload.split_once('/').map(|(job, _task)| job)
    }

    fn sampling_seconds(&self) -> u32 {
        0
    }
}

/// The `alibaba-gpu-2023` format.
#[derive(Debug, Clone, Copy)]
pub struct AlibabaGpu2023;

impl Format for AlibabaGpu2023 {
    fn name(&self) -> &'static str {
        "alibaba-gpu-2023"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        known::recognise(&openb::TABLES, head)
    }

    fn is_divisible(&self, _table: &str, first_line: &[u8]) -> bool {
        !first_line.contains(&b'"')
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        known::read(&openb::TABLES, table, input, context)
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
        0
    }
}
