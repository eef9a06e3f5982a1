//! The unit contract: what a number in a trace means, carried with every number to the end.

use serde::{Deserialize, Serialize};

/// What CPU values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CpuUnit {
    /// Cores.
    Cores,
    /// A fraction of the largest machine's CPU (1.0 = that machine).
    MachineFraction,
}

/// What memory values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryUnit {
    /// Bytes.
    Bytes,
    /// A fraction of the largest machine's memory (1.0 = that machine; Alibaba's 0..100 is divided by 100).
    MachineFraction,
}

/// What network values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkUnit {
    /// Bytes per second.
    BytesPerSecond,
    /// Normalised by the publisher (0..1): shapes only.
    Normalised,
    /// The trace has none.
    None,
}

/// The units of one trace. Traces of different contracts never share a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnitContract {
    /// Unit of CPU use, requests and limits.
    pub cpu: CpuUnit,
    /// Unit of memory use, requests and limits.
    pub memory: MemoryUnit,
    /// Unit of network use.
    pub network: NetworkUnit,
}

impl std::fmt::Display for UnitContract {
    /// Writes the units in words, as in `CPU in cores, memory in bytes, no network`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cpu = match self.cpu {
            CpuUnit::Cores => "in cores",
            CpuUnit::MachineFraction => "as a share of the largest machine",
        };
        let memory = match self.memory {
            MemoryUnit::Bytes => "in bytes",
            MemoryUnit::MachineFraction => "as a share of the largest machine",
        };
        let network = match self.network {
            NetworkUnit::BytesPerSecond => "network in bytes per second",
            NetworkUnit::Normalised => "network without a unit",
            NetworkUnit::None => "no network",
        };
        write!(formatter, "CPU {cpu}, memory {memory}, {network}")
    }
}
