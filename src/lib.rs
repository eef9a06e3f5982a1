//! `shadow` sizes a new workload from how similar workloads behaved.
//!
//! The modules stand in the order in which data flow through them; each uses only what stands above it:
//!
//! | module | its one job |
//! |---|---|
//! | [`units`] | cores, bytes, microseconds, Kubernetes quantities: parse, print, exact |
//! | [`markup`] | names of a trace inside HTML and SVG |
//! | [`vpa`] | the histograms of the Vertical Pod Autoscaler's recommender |
//! | [`artifact`] | versioned, checksummed, atomically replaced files; manifests; the lock |
//! | [`trace`] | trace files to typed rows, one file per format; rejected rows with reasons |
//! | [`synth`] | synthetic traces in the same formats, with planted archetypes |
//! | [`store`] | the canonical Parquet tables: partition, join, compact, scan by bucket |
//! | [`profile`] | the samples of one workload to its first-window and whole-life profile |
//! | [`fingerprint`] | features, robust scaling, principal components, the persisted model |
//! | [`index`] | exact k-nearest-neighbour search: k-d tree, flat scan, the file |
//! | [`predict`] | neighbours to an allocation with interval, novelty and evidence |
//! | [`map`] | fingerprints to a plane by t-SNE, and its pictures |
//! | [`emit`] | one file per output form |
//! | [`replay`] | splits, clock, feedback, rivals, metrics |
//!
//! The library never writes to the terminal and never ends the process: [`commands`] and [`ui`] do.

pub mod artifact;
pub mod cli;
pub mod commands;
pub mod emit;
pub mod error;
pub mod fingerprint;
pub mod index;
pub mod map;
pub mod markup;
pub mod predict;
pub mod profile;
pub mod replay;
pub mod store;
pub mod synth;
pub mod trace;
pub mod ui;
pub mod units;
pub mod vpa;
