//! What can go wrong on the way to a prediction.

use std::path::PathBuf;

use crate::artifact::ArtifactError;
use crate::fingerprint::FingerprintError;
use crate::index::SearchError;
use crate::profile::ProfileError;
use crate::store::StoreError;
use crate::units::Micros;

use super::Scale;

/// Why there is no answer, beside "nothing resembles it", which is one.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of an index cannot be written or trusted.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The model cannot be fitted or used.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// The search is impossible.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The newcomer has no first window.
    #[error("`{}` shows too little: {source}", workload.escape_debug())]
    Profile {
        /// The newcomer.
        workload: String,
        /// What it lacks.
        source: ProfileError,
    },
    /// No stored workload was seen from its start.
    #[error("no workload in the store can be learned from: {reason}")]
    NothingToLearn {
        /// Which were left out, in words.
        reason: String,
    },
    /// There is no index for this window, or none at all.
    #[error("the store in `{store}` has no index{}", window.map_or_else(String::new, |window| format!(" for a learning window of {window}")))]
    NoIndex {
        /// The store.
        store: PathBuf,
        /// The window asked for.
        window: Option<Micros>,
    },
    /// The index cannot take more workloads without a new fit.
    #[error(
        "the index for a learning window of {window} was fitted on too few workloads, or on workloads that are all alike, and has nothing to place others with"
    )]
    NothingToExtend {
        /// The window.
        window: Micros,
    },
    /// Cosine distance with other weights than those fitted.
    #[error("cosine distance is measured with the weights of the index, not with others")]
    CosineWithWeights,
    /// The store's numbers are shares of a machine of unknown size.
    #[error(
        "the store gives {resource} as a share of the largest machine, whose size is not known: no prediction in {unit}"
    )]
    MachineUnknown {
        /// `CPU`, `memory` or both.
        resource: &'static str,
        /// `cores`, `bytes` or both.
        unit: &'static str,
    },
    /// The sample has units that the store's cannot be compared with.
    #[error("the sample gives {resource} in {found}, the store in {stored}")]
    Units {
        /// Which resource.
        resource: &'static str,
        /// In the sample.
        found: &'static str,
        /// In the store.
        stored: &'static str,
    },
    /// The index was made by a version that computes other features.
    #[error("the index in `{path}` has other features than this shadow computes: `{feature}`")]
    OtherFeatures {
        /// Its folder.
        path: PathBuf,
        /// The first that differs.
        feature: String,
    },
    /// A prediction that no unit can hold: a defect.
    #[error("the {resource} predicted for `{}` is out of range: {value}", workload.escape_debug())]
    Range {
        /// The newcomer.
        workload: String,
        /// Which resource.
        resource: &'static str,
        /// The value.
        value: f64,
    },
}

impl PredictError {
    /// Returns what is said when the scale lacks the size of the largest machine.
    pub(crate) fn machine_unknown(scale: &Scale) -> Self {
        let (resource, unit) = match (scale.cores_per_unit, scale.bytes_per_unit) {
            (None, None) => ("CPU and memory", "cores and bytes"),
            (None, Some(_)) => ("CPU", "cores"),
            (Some(_), _) => ("memory", "bytes"),
        };
        Self::MachineUnknown { resource, unit }
    }
}
