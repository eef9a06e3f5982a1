//! The feedback controller: what a running workload shows becomes a new allocation with a reason, or none.
//!
//! Input: one [`Observed`] after another, in time order, of one run. Output: a [`Change`] each. `replay` drives it over
//! stored samples; a live system would drive it with the same calls. [`ShadowController`] is shadow's own; rivals of
//! `replay` stand behind the same trait, so that all see the same and are counted alike. Amounts are in the store's
//! units. `docs/controller.md` has every rule and constant of shadow's.

mod peaks;
mod record;
mod settings;
mod shadow;
mod stage;
mod steady;

pub use peaks::{PEAK_WINDOW_SECONDS, Peaks};
pub use record::DecayingRecord;
pub use settings::{ControlSettings, Rehearsal, StoredRun};
pub use shadow::ShadowController;
pub use stage::{MATCH_AGAIN_AFTER, Matcher, Stage};
pub use steady::{Proposal, Steady, Steadying};

use crate::trace::Sample;

/// What is allocated, in the store's units; nothing where nothing was set.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct InForce {
    /// CPU.
    pub cpu: Option<f64>,
    /// Memory.
    pub memory: Option<f64>,
}

/// What was seen of a run since the last observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed<'a> {
    /// Seconds since the run's start, restarts included; never less than in the observation before.
    pub at: f64,
    /// The rows that ended since the last observation, in time order. After a restart of a batch run rows that were
    /// seen before come again.
    pub rows: &'a [Sample],
    /// The allocation they ran with.
    pub in_force: InForce,
    /// OOM kills since the last observation, each at the memory in force.
    pub oom_kills: u32,
    /// Share of the time since the last observation in which CPU was throttled, 0 to 1.
    pub throttled: f64,
}

/// Why an allocation changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The first answer, after the learning window.
    FirstAnswer,
    /// The run was compared with stored ones again, over a longer window.
    Rematch,
    /// What the run itself used so far.
    OwnHistory,
    /// It was killed for memory.
    OomKill,
    /// It used all the CPU it had, so it may want more.
    Throttled,
    /// It uses more memory than that right now.
    InUse,
    /// A rival's rule.
    Rule,
}

impl Reason {
    /// Returns the reason as it is written in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstAnswer => "first answer",
            Self::Rematch => "rematch",
            Self::OwnHistory => "own history",
            Self::OomKill => "OOM kill",
            Self::Throttled => "throttled",
            Self::InUse => "in use",
            Self::Rule => "rule",
        }
    }
}

/// What a controller wants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// The allocation stays.
    Keep,
    /// A new allocation from now on; what is nothing stays as it is.
    Set {
        /// CPU.
        cpu: Option<f64>,
        /// Memory.
        memory: Option<f64>,
        /// Why.
        reason: Reason,
    },
}

/// Watches one run and changes its allocation.
pub trait Controller {
    /// Takes what was seen since the last observation and says what shall be in force from now on.
    fn observe(&mut self, seen: &Observed<'_>) -> Change;
}

/// Returns the largest memory use of a row: its maximum, or its mean where it has none.
pub fn memory_peak(row: &Sample) -> Option<f64> {
    match (row.memory, row.memory_max) {
        (Some(mean), Some(max)) => Some(mean.max(max)),
        (mean, max) => mean.or(max),
    }
}
