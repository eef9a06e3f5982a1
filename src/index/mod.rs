//! Exact k-nearest-neighbour search over fingerprints: a k-d tree, a flat scan as its oracle and fallback, one trait.
//!
//! Input: rows of equal length, finite, as 64-bit floats. Output: the k nearest by (distance, row), always exact.

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
    /// The metric matrix is not symmetric positive semi-definite of the right size.
    #[error("the metric matrix is not symmetric positive semi-definite")]
    Matrix,
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
}
