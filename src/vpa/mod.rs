//! What the recommender of the Kubernetes Vertical Pod Autoscaler keeps of a container: the shape of its histograms, how they
//! decay, and which share of them it recommends.
//!
//! It uses nothing. `emit` fills its checkpoints, `replay` leads it as a rival; neither sees the other, and both have to mean the
//! same buckets.

mod histogram;

pub use histogram::{DecayingHistogram, HistogramShape};

/// The share of a histogram that is recommended (the default of `kubernetes/autoscaler`).
pub const TARGET_PERCENTILE: f64 = 0.9;

/// Weight of a CPU sample since VPA 1.4.0, and the least weight before.
pub const CPU_WEIGHT: f64 = 0.1;
