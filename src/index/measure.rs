//! Distances, computed in one place for every structure.

use std::collections::BinaryHeap;

use ndarray::Array2;

use crate::fingerprint::symmetric_eigen;

use super::{Metric, Neighbour, SearchError};

/// Below this share, what an axis counts at least is lost in rounding.
const SINGULAR: f64 = 1e-6;

/// Allowed asymmetry and negativity of a metric matrix, as a share of its largest entry or eigenvalue.
const ROUNDING: f64 = 1e-9;

/// Dimensions that fit on the stack.
const SHORT: usize = 32;

/// Magnitudes between 2^-400 and 2^400 can be squared and summed without scaling.
const PLAIN: std::ops::RangeInclusive<f64> = 3.87e-121..=2.58e120;

/// The distance from one query to any row.
#[derive(Debug)]
pub(super) struct Measure {
    /// The query times `scale`, or its unit vector for cosine.
    query: Vec<f64>,
    /// Power of two that keeps squares inside the range of a double; 1 for ordinary data.
    scale: f64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Euclidean,
    Cosine,
    Matrix {
        /// Rows of L with A = L'L.
        factor: Vec<Vec<f64>>,
        /// A diagonal D with x'Dx <= x'Ax for all x.
        least: Vec<f64>,
    },
}

impl Measure {
    /// Checks query and metric against points of so many `dimensions` with that `largest` absolute coordinate.
    pub(super) fn new(dimensions: usize, largest: f64, query: &[f64], metric: &Metric) -> Result<Self, SearchError> {
        if query.len() != dimensions {
            return Err(SearchError::Dimensions { found: query.len(), expected: dimensions });
        }
        if let Some(position) = query.iter().position(|coordinate| !coordinate.is_finite()) {
            return Err(SearchError::NotFinite { position });
        }
        let largest = query.iter().fold(largest, |largest, coordinate| largest.max(coordinate.abs()));
        let scale = if largest <= 0.0 || PLAIN.contains(&largest) {
            1.0
        } else {
            2.0_f64.powi(if largest > 1.0 { -1022 } else { 900 })
        };
        let scaled = query.iter().map(|coordinate| coordinate * scale).collect();
        match metric {
            Metric::Euclidean => Ok(Self { query: scaled, scale, kind: Kind::Euclidean }),
            Metric::Cosine => {
                let query = unit(query).ok_or(SearchError::NoDirection)?;
                Ok(Self { query, scale: 1.0, kind: Kind::Cosine })
            }
            Metric::Matrix(matrix) => {
                let (factor, least) = factor(matrix, query.len())?;
                Ok(Self { query: scaled, scale, kind: Kind::Matrix { factor, least } })
            }
        }
    }

    /// Returns the rows of L, the longest first, and per axis what a squared gap counts at least; nothing but for a matrix.
    pub(super) fn matrix(&self) -> Option<(&[Vec<f64>], &[f64])> {
        match &self.kind {
            Kind::Matrix { factor, least } => Some((factor, least)),
            Kind::Euclidean | Kind::Cosine => None,
        }
    }

    /// Returns the query's unit vector; nothing but for cosine.
    pub(super) fn direction(&self) -> Option<&[f64]> {
        matches!(self.kind, Kind::Cosine).then_some(self.query.as_slice())
    }

    /// Returns the distance to a row.
    pub(super) fn distance(&self, row: &[f64]) -> Result<f64, SearchError> {
        let squares = match &self.kind {
            Kind::Euclidean => row
                .iter()
                .zip(&self.query)
                .map(|(row, query)| row * self.scale - query)
                .map(|gap| gap * gap)
                .sum::<f64>(),
            Kind::Cosine => {
                // 1 - cos = |a - b|² / 2 for unit vectors, which keeps its digits at small angles.
                let row = unit(row).ok_or(SearchError::NoDirection)?;
                return Ok(row.iter().zip(&self.query).map(|(row, query)| (row - query).powi(2)).sum::<f64>() / 2.0);
            }
            Kind::Matrix { factor, .. } => {
                // A scan comes here once per row: fingerprints have at most 32 dimensions, and those need no memory.
                let (mut few, mut many) = ([0.0; SHORT], Vec::new());
                let gap: &mut [f64] = if let Some(few) = few.get_mut(..row.len()) {
                    few
                } else {
                    many.resize(row.len(), 0.0);
                    &mut many
                };
                for ((gap, row), query) in gap.iter_mut().zip(row).zip(&self.query) {
                    *gap = row * self.scale - query;
                }
                let along = |line: &Vec<f64>| line.iter().zip(&*gap).map(|(entry, gap)| entry * gap).sum::<f64>();
                factor.iter().map(along).map(|length| length * length).sum::<f64>()
            }
        };
        Ok(squares.sqrt() / self.scale)
    }
}

/// Returns the vector of length 1 in this direction; nothing for a zero vector.
fn unit(vector: &[f64]) -> Option<Vec<f64>> {
    let largest = vector.iter().fold(0.0_f64, |largest, coordinate| largest.max(coordinate.abs()));
    if largest <= 0.0 {
        return None;
    }
    let norm = vector.iter().map(|coordinate| (coordinate / largest).powi(2)).sum::<f64>().sqrt();
    Some(vector.iter().map(|coordinate| coordinate / largest / norm).collect())
}

/// Returns L with A = L'L, and [`least_by_axis`].
fn factor(matrix: &[f64], dimensions: usize) -> Result<(Vec<Vec<f64>>, Vec<f64>), SearchError> {
    if matrix.len() != dimensions * dimensions || matrix.iter().any(|entry| !entry.is_finite()) {
        return Err(SearchError::Matrix);
    }
    let largest = matrix.iter().fold(0.0_f64, |largest, entry| largest.max(entry.abs()));
    let matrix =
        Array2::from_shape_vec((dimensions, dimensions), matrix.to_vec()).map_err(|_shape| SearchError::Matrix)?;
    if matrix.indexed_iter().any(|((row, column), entry)| (entry - matrix[(column, row)]).abs() > ROUNDING * largest) {
        return Err(SearchError::Matrix);
    }
    let pairs = symmetric_eigen(&matrix).map_err(|_failed| SearchError::Matrix)?;
    let greatest = pairs.first().map_or(0.0, |(value, _)| value.max(0.0));
    let least = pairs.last().map_or(0.0, |(value, _)| *value);
    if least < -ROUNDING * greatest || (greatest <= 0.0 && largest > 0.0) {
        return Err(SearchError::Matrix);
    }
    let least = least_by_axis(&matrix);
    let factor = pairs
        .into_iter()
        .map(|(value, axis)| axis.into_iter().map(|entry| entry * value.max(0.0).sqrt()).collect())
        .collect();
    Ok((factor, least))
}

/// Returns a diagonal D with x'Dx <= x'Ax for all x: the diagonal of A times the smallest eigenvalue that is left when that is
/// brought to 1 everywhere; zeros where A is singular or nearly so.
fn least_by_axis(matrix: &Array2<f64>) -> Vec<f64> {
    let diagonal = matrix.diag();
    let nothing = vec![0.0; diagonal.len()];
    if diagonal.iter().any(|&entry| entry <= 0.0 || !entry.sqrt().recip().is_finite()) {
        return nothing;
    }
    let balanced = Array2::from_shape_fn(matrix.raw_dim(), |(row, column)| {
        matrix[(row, column)] / diagonal[row].sqrt() / diagonal[column].sqrt()
    });
    let least = symmetric_eigen(&balanced).ok().and_then(|pairs| pairs.last().map(|(value, _)| *value));
    match least {
        // Less than the eigenvalues were rounded by.
        Some(least) if least > SINGULAR => diagonal.iter().map(|entry| entry * least * (1.0 - SINGULAR)).collect(),
        _ => nothing,
    }
}

/// Collects the `k` nearest by (distance, row).
#[derive(Debug)]
pub(super) struct Nearest {
    k: usize,
    heap: BinaryHeap<Ranked>,
}

#[derive(Debug, Clone, Copy)]
struct Ranked(Neighbour);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.distance.total_cmp(&other.0.distance).then(self.0.row.cmp(&other.0.row))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl Nearest {
    pub(super) fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::new() }
    }

    pub(super) fn offer(&mut self, row: u32, distance: f64) {
        let ranked = Ranked(Neighbour { row, distance });
        if self.heap.len() < self.k {
            self.heap.push(ranked);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && ranked < *worst
        {
            *worst = ranked;
        }
    }

    /// Returns the distance of the `k`-th; nothing while there are fewer.
    pub(super) fn worst(&self) -> Option<f64> {
        (self.heap.len() >= self.k).then(|| self.heap.peek().map(|ranked| ranked.0.distance)).flatten()
    }

    pub(super) fn sorted(self) -> Vec<Neighbour> {
        self.heap.into_sorted_vec().into_iter().map(|ranked| ranked.0).collect()
    }
}
