//! Features, robust scaling, principal components, and the model that a store persists.
//!
//! Input: one row of features per workload, missing values as `None`. Output: a [`Model`] and one fingerprint
//! (coordinates along principal components) per workload. Fitted on the store only; the same rows give the same
//! model, whatever the number of threads.

mod eigen;
mod features;
mod forest;
mod model;
mod moments;
mod pca;
mod scale;
mod self_check;

pub(crate) use eigen::symmetric_eigen;
pub use features::{Feature, FeatureSet, Group, Submission};
pub(crate) use forest::mixed;
pub use forest::{Compared, Forest, StoredAbout, StoredForest, StoredLeaves};
pub use model::{DropReason, DroppedFeature, MODEL_KIND, Model, ModelFeature, ModelInput};
pub use moments::Moments;
pub use pca::{Components, Pca, PcaParams, SUPPORTED_COMPONENTS, ValidPcaParams};
pub use scale::{CLIP, FeatureScale, SpreadSource, fit_scales};
pub use self_check::{SelfCheck, self_check};

/// Why a model cannot be fitted or used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FingerprintError {
    /// A row of features has another length than there are features.
    #[error("row {row} has {found} features instead of {expected}")]
    Width {
        /// The row, from 0.
        row: usize,
        /// Its length.
        found: usize,
        /// The number of features.
        expected: usize,
    },
    /// A feature is infinite or undefined.
    #[error("feature {feature} of row {row} is not finite")]
    NotFinite {
        /// The row, from 0.
        row: usize,
        /// The feature, from 0.
        feature: usize,
    },
    /// The number of weights is not the number of features.
    #[error("{found} weights for {expected} features")]
    Weights {
        /// Weights given.
        found: usize,
        /// Features.
        expected: usize,
    },
    /// A weight is negative or not finite.
    #[error("weight `{found}` of feature {feature} is not a number from 0")]
    Weight {
        /// The feature, from 0.
        feature: usize,
        /// The weight.
        found: f64,
    },
    /// The number of components is not one of [`SUPPORTED_COMPONENTS`].
    #[error("{found} components: 2, 3, 4, 6, 8, 10, 12, 16, 20, 24 or 32 can be fitted")]
    Components {
        /// The number asked for.
        found: usize,
    },
    /// The share of variance to explain is not in (0, 1].
    #[error("share of variance `{found}` is not above 0 and at most 1")]
    Explained {
        /// The share asked for.
        found: f64,
    },
    /// There is nothing to fit.
    #[error("no rows to fit")]
    NoRows,
    /// Every feature is constant, missing or without weight.
    #[error("no feature varies between workloads")]
    NothingVaries,
    /// The covariance exceeds what a double holds.
    #[error("the covariance of the features is not finite")]
    Overflow,
    /// The eigendecomposition failed: a defect.
    #[error("the principal components cannot be computed: {what}")]
    Eigen {
        /// What the solver said.
        what: String,
    },
    /// Two solvers disagree: a defect.
    #[error("two solvers disagree about the principal components by {deviation:e} of the largest eigenvalue")]
    SelfCheck {
        /// The deviation.
        deviation: f64,
    },
    /// linfa refused a shape: a defect.
    #[error("the principal components cannot be computed: {0}")]
    Linfa(String),
}

impl From<linfa::Error> for FingerprintError {
    fn from(error: linfa::Error) -> Self {
        Self::Linfa(error.to_string())
    }
}
