//! The formats `azure-2017` and `azure-2019`: virtual machines of one region over 30 days, V1 and V2 of the public data set.
//!
//! Output: CPU series in windows of 300 s, as shares of the cores that the table of machines states; machines with their
//! cores and memory, owner and life. There is no use of memory. A workload is a virtual machine, its application the
//! deployment. Both editions have the same columns; folder, number of files and buckets (`>24`) tell them apart, and where
//! they do not, `--format` has to.

mod tables;
#[cfg(test)]
mod tests;

use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, RequestRule, TraceError, UnitContract, known,
};
use tables::TABLES;

/// One edition of the data set: the formats `azure-2017` and `azure-2019`.
#[derive(Debug, Clone, Copy)]
pub struct Azure {
    name: &'static str,
    year: u32,
}

impl Azure {
    /// `azure-2017`.
    pub const V1: Self = Self { name: "azure-2017", year: 2017 };
    /// `azure-2019`.
    pub const V2: Self = Self { name: "azure-2019", year: 2019 };
}

const UNITS: UnitContract = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };

/// Returns which edition a file says it is of: its year, where something tells.
fn edition(head: &Head<'_>) -> Option<u32> {
    let path = head.path.to_lowercase();
    let has = |marks: &[&str]| marks.iter().any(|mark| path.contains(mark));
    if has(&["azurepublicdatasetv2", "-of-195", "azure-2019"]) {
        return Some(2019);
    }
    if has(&["azurepublicdataset/", "-of-125", "azure-2017"]) {
        return Some(2017);
    }
    let is_bucketed = [b",>24".as_slice(), b",>64"].iter().any(|mark| memchr::memmem::find(head.bytes, mark).is_some());
    is_bucketed.then_some(2019)
}

impl Format for Azure {
    fn name(&self) -> &'static str {
        self.name
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        if edition(head).is_some_and(|edition| edition != self.year) { None } else { known::recognise(&TABLES, head) }
    }

    fn is_divisible(&self, _table: &str, first_line: &[u8]) -> bool {
        !first_line.contains(&b'"')
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        known::read(&TABLES, table, input, context)
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
        300
    }
}
