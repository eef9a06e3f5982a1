//! Exact k-nearest-neighbour search over fingerprints: a k-d tree, a flat scan as its oracle and fallback, one trait.
//!
//! Input: rows of equal length, finite, as 64-bit floats. Output: the k nearest by (distance, row), always exact.
//! The tree holds 32-bit coordinates and only proposes candidates; every distance is computed from the 64-bit rows by
//! one function for all structures, so the tree and the scan agree to the last bit. `docs/index-format.md` has the
//! argument why no candidate is missed.

mod flat;
mod grid;
mod layout;
mod measure;
mod points;
mod probe;
mod search;
mod stored;
mod tree;

use std::path::PathBuf;

use rayon::prelude::*;

use crate::artifact::ArtifactError;

pub use flat::FlatScan;
pub use points::Points;
pub use search::{Index, LEAST_TREE_ROWS, Structure};

/// Distances are measured in this way.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// Straight-line distance.
    Euclidean,
    /// 1 - cos of the angle between the vectors; a zero vector has no direction.
    Cosine,
    /// sqrt((a - b)' A (a - b)) with a symmetric positive semi-definite matrix of `dimensions`² entries, row-major:
    /// weights that act on features, seen in the fitted basis.
    Matrix(Vec<f64>),
}

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Row of the searched points, from 0.
    pub row: u32,
    /// Distance by the metric that was asked for.
    pub distance: f64,
}

/// Why a search is impossible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SearchError {
    /// The query has another length than the rows.
    #[error("a query of {found} dimensions for points of {expected}")]
    Dimensions {
        /// Length of the query.
        found: usize,
        /// Length of the rows.
        expected: usize,
    },
    /// A coordinate is infinite or undefined.
    #[error("coordinate {position} is not finite")]
    NotFinite {
        /// Position in the query, or row * dimensions + column in the points.
        position: usize,
    },
    /// A zero vector was asked for by cosine, or a zero row was given.
    #[error("a zero vector has no direction: cosine distance is undefined")]
    NoDirection,
    /// More rows than a row number can count.
    #[error("{found} rows are more than an index holds")]
    Rows {
        /// How many there are.
        found: usize,
    },
    /// The metric matrix is not symmetric positive semi-definite of the right size.
    #[error("the metric matrix is not symmetric positive semi-definite")]
    Matrix,
    /// A part of the file that the search came to is not what was written.
    #[error("`{path}` is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
}

impl From<ArtifactError> for SearchError {
    fn from(error: ArtifactError) -> Self {
        match error {
            ArtifactError::Damaged { path, what } => Self::Damaged { path, what },
            // Nothing else happens to a file of blocks after it was opened.
            other => Self::Damaged { path: PathBuf::new(), what: other.to_string() },
        }
    }
}

/// Finds nearest rows, exactly.
pub trait NearestNeighbours: Send + Sync {
    /// Returns how many rows are searched.
    fn rows(&self) -> usize;

    /// Returns the length of a row.
    fn dimensions(&self) -> usize;

    /// Returns the `k` nearest rows for which `admits` holds (all of them if there are fewer), by (distance, row).
    ///
    /// # Errors
    /// See [`SearchError`].
    fn nearest(
        &self,
        query: &[f64],
        k: usize,
        metric: &Metric,
        admits: &(dyn Fn(u32) -> bool + Sync),
    ) -> Result<Vec<Neighbour>, SearchError>;

    /// Returns what [`Self::nearest`] answers to each query, in their order, found on all threads of the pool.
    ///
    /// # Errors
    /// That of the first query which cannot be answered.
    fn nearest_batch(
        &self,
        queries: &[&[f64]],
        k: usize,
        metric: &Metric,
        admits: &(dyn Fn(u32) -> bool + Sync),
    ) -> Result<Vec<Vec<Neighbour>>, SearchError> {
        let found: Vec<Result<Vec<Neighbour>, SearchError>> =
            queries.par_iter().map(|query| self.nearest(query, k, metric, admits)).collect();
        found.into_iter().collect()
    }
}
