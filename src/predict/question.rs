//! What is asked, about whom, and of what knowledge: the inputs of a prediction, in the store's units.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::fingerprint::Submission;
use crate::profile::{LifeProfile, WindowProfile};
use crate::store::Workload;
use crate::trace::Amounts;

use super::Decision;

/// How distances between fingerprints are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DistanceMetric {
    /// Straight-line distance.
    #[default]
    Euclidean,
    /// 1 - cos of the angle.
    Cosine,
}

/// What decides how much a neighbour counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Similarity {
    /// What the store taught about which workloads need alike ([`crate::fingerprint::Forest`]), among the nearest
    /// fingerprints.
    #[default]
    Learned,
    /// The distance of the fingerprints alone.
    Distance,
}

impl Similarity {
    /// Returns what counts unless the user says it: who sets a metric or weights asks for the distance that they make.
    pub fn usual(metric: DistanceMetric, weights: Option<ResourceWeights>) -> Self {
        if metric == DistanceMetric::Euclidean && weights.is_none() { Self::Learned } else { Self::Distance }
    }
}

/// How needs of neighbours are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Estimator {
    /// Weighted upper quantile of relative needs, calibrated on the store so that the coverage holds.
    #[default]
    Quantile,
    /// Similarity-weighted mean of relative needs: the classic estimator; it under-provisions memory by construction.
    Mean,
}

/// Resource weights set by the user; 1 each unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ResourceWeights {
    /// Weight of features of CPU.
    pub cpu: f64,
    /// Weight of features of memory.
    pub memory: f64,
    /// Weight of features of network.
    pub network: f64,
    /// Weight of features of disk.
    pub disk: f64,
    /// Weight of facts known at submission (requests, numeric labels).
    pub facts: f64,
}

impl Default for ResourceWeights {
    fn default() -> Self {
        Self { cpu: 1.0, memory: 1.0, network: 1.0, disk: 1.0, facts: 1.0 }
    }
}

/// How many neighbours are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NeighbourCount {
    /// So many, at least 1.
    Exactly(usize),
    /// [`Self::FEW`] or [`Self::MANY`], whichever would have wasted less on the store, resource by resource: few tell more where
    /// needs follow what was observed, many where little is known.
    Chosen,
}

impl NeighbourCount {
    /// The usual number (ours, see `docs/evaluation.md`).
    pub const FEW: usize = 15;
    /// What it is compared with (ours).
    pub const MANY: usize = 60;

    /// Returns the number that was asked for. Without one, the store chooses for calibrated answers by learned similarity; the
    /// classic forms of the method combine [`Self::FEW`].
    pub fn of(asked: Option<NonZeroUsize>, similarity: Similarity, estimator: Estimator) -> Self {
        let usual = match (similarity, estimator) {
            (Similarity::Learned, Estimator::Quantile) => Self::Chosen,
            _ => Self::Exactly(Self::FEW),
        };
        asked.map_or(usual, |count| Self::Exactly(count.get()))
    }

    /// Returns the number that was asked for; nothing where the store chooses.
    pub const fn asked(self) -> Option<usize> {
        match self {
            Self::Exactly(count) => Some(count),
            Self::Chosen => None,
        }
    }

    /// Returns the least that may be combined.
    pub const fn few(self) -> usize {
        match self {
            Self::Exactly(count) => count,
            Self::Chosen => Self::FEW,
        }
    }

    /// Returns the most that may be combined.
    pub const fn many(self) -> usize {
        match self {
            Self::Exactly(count) => count,
            Self::Chosen => Self::MANY,
        }
    }
}

impl From<Option<usize>> for NeighbourCount {
    fn from(asked: Option<usize>) -> Self {
        asked.map_or(Self::Chosen, Self::Exactly)
    }
}

impl std::fmt::Display for NeighbourCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(count) => write!(f, "{count}"),
            Self::Chosen => write!(f, "{} or {}", Self::FEW, Self::MANY),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// How many neighbours are combined.
    pub k: NeighbourCount,
    /// How distance is measured.
    pub metric: DistanceMetric,
    /// Resource weights that differ from those built in.
    pub weights: Option<ResourceWeights>,
    /// What decides how much a neighbour counts.
    pub similarity: Similarity,
    /// Share of workloads whose need shall fit, in (0, 1).
    pub coverage: f64,
    /// How needs are combined.
    pub estimator: Estimator,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            k: NeighbourCount::Chosen,
            metric: DistanceMetric::Euclidean,
            weights: None,
            similarity: Similarity::Learned,
            coverage: 0.95,
            estimator: Estimator::Quantile,
        }
    }
}

/// What is known of a workload when it is submitted, before it ran.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// Application key.
    pub application: Option<String>,
    /// Owner.
    pub user: Option<String>,
    /// Scheduling class.
    pub class: Option<String>,
    /// Priority.
    pub priority: Option<i32>,
    /// Request.
    pub request: Amounts,
    /// Limit.
    pub limit: Amounts,
    /// Further columns known at submission.
    pub labels: BTreeMap<String, String>,
}

/// A stored workload with its whole life: what the store learns from.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Identity, times, requests.
    pub workload: Workload,
    /// Its first window.
    pub window: WindowProfile,
    /// What it turned out to need.
    pub life: LifeProfile,
}

/// A workload to be sized: its first window and what is known at submission; nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Newcomer {
    /// Its name in messages and outputs.
    pub name: String,
    /// Its first window.
    pub window: WindowProfile,
    /// What is known at submission.
    pub facts: Facts,
}

/// One stored workload in an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Support {
    /// Position in the known workloads that the knowledge was fitted on.
    pub row: usize,
    /// Distance; nothing on rungs that do not measure it.
    pub distance: Option<f64>,
    /// Learned similarity from 0 to 1, the mean over memory and CPU; nothing where shares rest on something else.
    pub similarity: Option<f64>,
    /// Share in the answer, the mean over the resources that it speaks of; all shares sum to 1.
    pub weight: f64,
    /// Share in the answer about memory, CPU and network; each sums to 1.
    pub shares: [f64; 3],
}

/// An answer in the store's units, before it is turned into cores and bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Which rung answered.
    pub decision: Decision,
    /// Why the rungs above it did not.
    pub passed_over: Vec<String>,
    /// CPU to allocate.
    pub cpu: Option<f64>,
    /// Memory to allocate.
    pub memory: Option<f64>,
    /// Network bandwidth to allocate.
    pub network: Option<f64>,
    /// Interval of the CPU need.
    pub cpu_interval: Option<(f64, f64)>,
    /// Interval of the memory need.
    pub memory_interval: Option<(f64, f64)>,
    /// See [`super::Prediction::novelty`].
    pub novelty: Option<f64>,
    /// What it rests on, nearest first.
    pub support: Vec<Support>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Facts {
    /// Returns the facts that are features.
    pub const fn submission(&self) -> Submission<'_> {
        Submission { request: self.request, limit: self.limit, priority: self.priority, labels: &self.labels }
    }
}

impl From<&Workload> for Facts {
    fn from(workload: &Workload) -> Self {
        Self {
            application: workload.application.clone(),
            user: workload.user.clone(),
            class: workload.class.clone(),
            priority: workload.priority,
            request: workload.request,
            limit: workload.limit,
            labels: workload.labels.clone(),
        }
    }
}
