//! Laws that hold for all inputs (property tests).

mod control;
mod estimator;
mod fingerprints;
mod machines;
mod manifests;
mod map;
mod merging;
mod moments;
mod no_leakage;
mod pca;
mod quantities;
mod search;
