//! The samples of one run of a workload to its profile: what a newcomer shows in its first window, and what it
//! turned out to need over its whole life.
//!
//! Input: samples in time order with the run's facts. Output: [`WindowProfile`] and [`LifeProfile`] in the store's
//! unit contract. Missing resources stay missing. Cost: one pass over the samples, sorting copies for percentiles.

mod measure;
mod outline;
pub mod quantile;
mod resource;

pub use measure::{CPU_NEED, Floors, profile_life, profile_window};
pub use outline::{Outline, RunName, Span, outline, read_outlines};

use serde::{Deserialize, Serialize};

use crate::units::Micros;

/// Why a series has no first window.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProfileError {
    /// There is no sample.
    #[error("there is no sample")]
    NoSamples,
    /// Less than half of the window was observed.
    #[error("{observed_seconds} s were observed, the learning window is {window_seconds} s")]
    TooShort {
        /// Seconds observed.
        observed_seconds: f64,
        /// Length of the window in seconds.
        window_seconds: f64,
    },
}

/// The learning window that was asked for, and what a series can give of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its length.
    pub length: Micros,
}

/// One resource over a stretch of time. All values in the unit of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ResourceProfile {
    /// Largest value: the maximum of the samples' maxima where they have one, else of their means.
    pub max: f64,
    /// Mean of the samples' means, weighted by their length.
    pub mean: f64,
    /// 10th, 25th, 50th, 75th, 90th percentile of the samples' means (linear interpolation, Hyndman and Fan type 7).
    pub percentiles: [f64; 5],
    /// Standard deviation of the samples' means (population).
    pub deviation: f64,
    /// Mean of the first fifth of the samples, at least one.
    pub first: f64,
    /// Mean of the last fifth of the samples, at least one.
    pub last: f64,
    /// Least-squares slope of ln(1 + value/floor) over the window, per minute.
    pub slope: f64,
    /// The same over the second half of the window.
    pub late_slope: f64,
    /// Where the largest value stands, 0 (first sample) to 1 (last).
    pub peak_position: f64,
    /// Mean absolute step of ln(1 + value/floor) between neighbouring samples.
    pub roughness: f64,
    /// Lag-1 autocorrelation of the samples' means; 0 for fewer than four or for constant samples.
    pub autocorrelation: f64,
    /// Samples that have the resource.
    pub samples: u32,
}

/// What a newcomer shows in its first window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WindowProfile {
    /// Seconds from the start of the run to the end of the last sample inside the window.
    pub observed_seconds: f64,
    /// Median time between samples, in seconds (0 with a single sample).
    pub interval_seconds: f64,
    /// Samples inside the window.
    pub samples: u32,
    /// CPU.
    pub cpu: Option<ResourceProfile>,
    /// Memory.
    pub memory: Option<ResourceProfile>,
    /// Network, received plus transmitted.
    pub network: Option<ResourceProfile>,
    /// Disk, read plus written (or busy share where that is all there is).
    pub disk: Option<ResourceProfile>,
    /// Correlation of CPU and memory over the window's samples; nothing where either is missing or constant.
    pub cpu_memory_correlation: Option<f64>,
}

impl WindowProfile {
    /// Returns whether nothing was observed, as at submission.
    pub const fn is_empty(&self) -> bool {
        self.samples == 0
            && self.cpu.is_none()
            && self.memory.is_none()
            && self.network.is_none()
            && self.disk.is_none()
    }
}

/// Why a whole-life need is only known to be "at least" what was seen (`EVALUATION.md`, section 4 of the protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags of the evaluation protocol")]
pub struct Censoring {
    /// Some row reached 95 % of the memory limit (or of the request where there is no limit).
    pub memory_at_limit: bool,
    /// Some row mean reached 95 % of the CPU limit (or of the request where the trace clamps at it).
    pub cpu_throttled: bool,
    /// Ended by kill, failure or eviction.
    pub killed: bool,
    /// Alive at the end of the trace, or its end is unknown.
    pub right: bool,
    /// Alive at the start of the trace, or its start is unknown.
    pub left: bool,
}

/// What a workload turned out to need over its whole life.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LifeProfile {
    /// Seconds from start to end of the run.
    pub seconds: f64,
    /// Samples of the run.
    pub samples: u64,
    /// Largest memory use.
    pub memory_peak: Option<f64>,
    /// Mean memory use, weighted by time.
    pub memory_mean: Option<f64>,
    /// Percentile of the row means of CPU (nearest rank) that counts as its need: the 95th ([`CPU_NEED`]) unless another
    /// was asked for.
    pub cpu_need: Option<f64>,
    /// Largest row mean of CPU.
    pub cpu_peak: Option<f64>,
    /// Mean CPU use, weighted by time.
    pub cpu_mean: Option<f64>,
    /// 95th percentile of the row means of network, received plus transmitted.
    pub network_p95: Option<f64>,
    /// When, in seconds after the start, the memory peak was first reached.
    pub memory_peak_at_seconds: Option<f64>,
    /// What is only a lower bound.
    pub censoring: Censoring,
}
