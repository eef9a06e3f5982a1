//! The map of a store: every fingerprint as a point on a plane, workloads that behave alike near each other.
//!
//! Input: an index ([`crate::predict::Knowledge`]) and, for what is shown of each point, the store. Output: a [`Layout`] of
//! places by t-SNE ([`tsne`]). The same store gives the same map for any number of threads and any order of its rows.
//!
//! A map is for looking at: only nearness means something on it, and no answer is ever made from it.

mod distinct;
mod layout;
mod place;
pub mod tsne;

pub use layout::{Layout, LayoutParams, Prepared};

use crate::index::{BuildError, SearchError};
use crate::predict::PredictError;

/// Why there is no map.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// All workloads have one fingerprint, or there are too few for a model.
    #[error("there is nothing to map: the index holds {workloads} workloads that do not differ")]
    NothingDiffers {
        /// How many it holds.
        workloads: usize,
    },
    /// The search is impossible: a defect.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The tree cannot be built: a defect.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A newcomer cannot be compared with the store.
    #[error(transparent)]
    Predict(#[from] PredictError),
}
