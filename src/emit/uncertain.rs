//! Which answers are too uncertain for what a cluster acts on.

use crate::predict::{Decision, Prediction};

/// Below it an answer is too uncertain for a manifest: nine tenths of the way to farther than anything that the store saw
/// among its own. Measured on containers-2s by `tests/bench/confidence`: of strangers below it an eighth needs more than it is
/// given, above it 3 % (`docs/integration.md`).
pub const LEAST_CONFIDENCE: f64 = 0.1;

/// Why an answer is uncertain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Uncertain {
    /// Its confidence is below [`LEAST_CONFIDENCE`].
    Far {
        /// The confidence, 0 to 1.
        confidence: f64,
    },
    /// An amount has no interval: the store holds too few workloads like it.
    NoInterval,
}

impl Uncertain {
    /// Returns why `prediction` is uncertain, if it is; an abstention is no answer and not uncertain.
    pub fn of(prediction: &Prediction) -> Option<Self> {
        if prediction.decision == Decision::Abstain {
            return None;
        }
        if prediction.confidence() < LEAST_CONFIDENCE {
            return Some(Self::Far { confidence: prediction.confidence() });
        }
        let (allocation, interval) = (&prediction.allocation, &prediction.interval);
        let is_without = allocation.cpu.is_some() && interval.cpu.is_none()
            || allocation.memory.is_some() && interval.memory.is_none();
        is_without.then_some(Self::NoInterval)
    }
}

impl std::fmt::Display for Uncertain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Far { confidence } => {
                write!(formatter, "its confidence is {confidence:.2}, less than {LEAST_CONFIDENCE}")
            }
            Self::NoInterval => formatter.write_str("it has no interval: the store holds too few workloads like it"),
        }
    }
}
