//! What a prediction says.

use std::collections::BTreeMap;

use crate::units::{Bytes, BytesPerSecond, Cores};

/// The rung of the ladder that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// Earlier instances of the same application.
    SameApplication,
    /// The nearest workloads of the store.
    Neighbours,
    /// What workloads of the same class need.
    ClassPrior,
    /// The newcomer's own first window, with a margin.
    Persistence,
    /// Nothing in the store resembles it.
    Abstain,
}

impl Decision {
    /// Returns the name used in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameApplication => "same-application",
            Self::Neighbours => "neighbours",
            Self::ClassPrior => "class-prior",
            Self::Persistence => "persistence",
            Self::Abstain => "abstain",
        }
    }
}

/// What to ask the cluster for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allocation {
    /// CPU.
    pub cpu: Option<Cores>,
    /// Memory.
    pub memory: Option<Bytes>,
    /// Network bandwidth, received plus transmitted.
    pub network: Option<BytesPerSecond>,
}

/// Where the need will lie, with the stated coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    /// CPU, lower and upper end.
    pub cpu: Option<(Cores, Cores)>,
    /// Memory, lower and upper end.
    pub memory: Option<(Bytes, Bytes)>,
}

/// One stored workload that the answer rests on. Needs are in the store's units (cores and bytes once they are known).
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Its identifier, with `#run` appended for restarts.
    pub workload: String,
    /// Its application.
    pub application: Option<String>,
    /// Distance to the newcomer; nothing on rungs that do not measure it.
    pub distance: Option<f64>,
    /// Learned similarity to the newcomer, 0 to 1, the mean over memory and CPU; nothing where shares rest on something
    /// else.
    pub similarity: Option<f64>,
    /// Its share in the answer, the mean over the resources that it speaks of; all shares sum to 1.
    pub weight: f64,
    /// Its share in the answer about memory.
    pub memory_share: f64,
    /// Its share in the answer about CPU.
    pub cpu_share: f64,
    /// Its whole-life memory peak.
    pub memory_peak: Option<Bytes>,
    /// Its whole-life CPU need (95th percentile of row means).
    pub cpu_p95: Option<Cores>,
    /// Memory peak relative to its own first window.
    pub memory_ratio: Option<f64>,
    /// CPU need relative to its own first window.
    pub cpu_ratio: Option<f64>,
    /// Squared distance by resource (cpu, memory, network, disk, facts), for the explanation.
    pub distance_by_resource: BTreeMap<String, f64>,
    /// What the answer would have been without it in the store, with the same margins; nothing unless it was asked for.
    pub without: Option<Allocation>,
}

/// The answer for one workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The newcomer, in the words of the sample.
    pub workload: String,
    /// The learning window of the index that answered, in seconds.
    pub window_seconds: f64,
    /// How much of the newcomer was seen, in seconds.
    pub observed_seconds: f64,
    /// Which rung answered.
    pub decision: Decision,
    /// Why the rungs above it did not, in words; empty on the first rung.
    pub passed_over: Vec<String>,
    /// The allocation; all nothing when it abstained.
    pub allocation: Allocation,
    /// The interval; nothing where no finite bound can be given.
    pub interval: Interval,
    /// The coverage that was asked for.
    pub coverage: f64,
    /// 0 (as near as anything in the store) to 1 (farther than anything the store saw among its own); nothing when no
    /// distance was measured.
    pub novelty: Option<f64>,
    /// What the answer rests on, nearest first.
    pub neighbours: Vec<Evidence>,
    /// How many workloads the index holds.
    pub store_workloads: u64,
    /// Digest of the index that answered.
    pub store_digest: String,
    /// What the user should know, one sentence each.
    pub warnings: Vec<String>,
}

impl Prediction {
    /// Returns 1 - novelty, or 0.5 on rungs that measure no distance, or 0 when it abstained: a number for gates, not
    /// a probability.
    pub fn confidence(&self) -> f64 {
        match (self.decision, self.novelty) {
            (Decision::Abstain, _) => 0.0,
            (_, Some(novelty)) => (1.0 - novelty).clamp(0.0, 1.0),
            (_, None) => 0.5,
        }
    }
}
