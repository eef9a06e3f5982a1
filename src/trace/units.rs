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
