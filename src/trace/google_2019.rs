//! The `google-2019` format.

use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, RequestRule, TraceError, UnitContract,
};

/// The `google-2019` format.
#[derive(Debug, Clone, Copy)]
pub struct Google2019;

impl Format for Google2019 {
    fn name(&self) -> &'static str {
        "google-2019"
    }

    fn detect(&self, _head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        None
    }

    fn read(&self, _table: &'static str, _input: Input<'_>, _context: &mut Context<'_>) -> Result<(), TraceError> {
        Ok(())
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::LastAtOrBefore
    }

    fn units(&self) -> UnitContract {
        UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None }
    }

    fn group_of<'a>(&self, _workload: &'a str) -> Option<&'a str> {
        None
    }

    fn sampling_seconds(&self) -> u32 {
        300
    }
}
