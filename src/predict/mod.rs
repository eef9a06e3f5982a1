//! Neighbours to an allocation: the ladder of decisions, the interval, novelty, and the evidence for all of it.
//!
//! Input: what the store knows ([`crate::fingerprint`], [`crate::index`]) and what a newcomer shows and says of
//! itself. Output: a [`Prediction`], always a similarity-weighted combination of real, named workloads, or an
//! abstention with its reason.

mod answer;
mod question;

pub use answer::{Allocation, Decision, Evidence, Interval, Prediction};
pub use question::{Answer, DistanceMetric, Estimator, Facts, Known, Newcomer, Question, ResourceWeights, Support};
