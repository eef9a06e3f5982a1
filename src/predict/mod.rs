//! Neighbours to an allocation: the ladder of decisions, the interval, novelty, and the evidence for all of it.
//!
//! Input: what the store knows ([`crate::fingerprint`], [`crate::index`]) and what a newcomer shows and says of
//! itself. Output: a [`Prediction`], always a similarity-weighted combination of real, named workloads, or an
//! abstention with its reason.

mod alike;
mod alike_file;
mod answer;
mod calibrate;
mod calibration_file;
mod choice;
pub mod control;
mod convert;
mod draw;
mod drift;
mod error;
mod estimate;
mod extend;
mod growth;
mod history;
mod index_tables;
mod instances;
mod knowledge;
mod ladder;
mod memo;
mod need;
mod only;
mod persist;
mod prior;
pub mod quantile;
mod question;
mod ranked;
mod rows;
mod rows_file;
mod sample;
mod scale;
mod similar;
mod strangers;
mod tune;

pub use answer::{Allocation, Decision, Evidence, Interval, Prediction};
pub use drift::Drift;
pub use error::PredictError;
pub use history::{HistorySummary, Keep, LifeSpan, Profiling, TakeKnown, first_window, read_history};
pub use instances::{Draw, Drawn, TakeInstance, read_instances};
pub use knowledge::{FitParams, Knowledge};
pub use ladder::Selection;
pub use need::{Need, Remembered, Resource};
pub use only::Only;
pub use persist::{INDEX_KIND, IndexManifest, OpenIndex, index_manifest, indexed_windows, verify_index};
pub use question::{
    Answer, DistanceMetric, Estimator, Facts, Known, NeighbourCount, Newcomer, Question, ResourceWeights, Similarity,
    Support,
};
pub use sample::{ReadSample, SampleParams, Sighting, observe, read_sample};
pub use scale::{OutputUnits, Scale};
pub use similar::Similar;
