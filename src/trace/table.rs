//! The `table` format.

use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, RequestRule, TraceError, UnitContract,
};

/// The `table` format.
#[derive(Debug, Clone, Copy)]
pub struct Table;

impl Format for Table {
    fn name(&self) -> &'static str {
        "table"
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
        0
    }
}

/// One entry of `--map`: a target column and the expression that gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Column of the `table` format.
    pub target: String,
    /// Column of the user's file.
    pub source: String,
    /// Factor applied to the source's numbers.
    pub factor: f64,
}
