//! Exact, deterministic principal components from the covariance of all rows.
//!
//! Input: [`Moments`] or a linfa dataset. Output: axes in descending variance. Axes beyond the rank of the data are
//! zero vectors: they stand for no direction, and coordinates on them are always 0. Where eigenvalues are equal, the
//! data determine the subspace but not the axes inside it; the same input still gives the same axes. Cost: one pass
//! over the rows and one symmetric eigendecomposition of features².

use linfa::prelude::*;
use ndarray::{Array2, ArrayBase, Axis, Data, Ix2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{FingerprintError, Moments, symmetric_eigen};

/// Numbers of components that can be fitted: those that the k-d tree is compiled for.
pub const SUPPORTED_COMPONENTS: [usize; 11] = [2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32];

/// Eigenvalues below this share of the total variance are rounding noise and count as 0.
const RANK_TOLERANCE: f64 = 1e-12;

/// Rows per partial sum: fixed, so that the result does not depend on the number of threads.
const CHUNK_ROWS: usize = 4096;

/// How many components are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Components {
    /// The smallest supported number that explains at least this share of the variance, in (0, 1], or the largest.
    Explaining(f64),
    /// This number, one of [`SUPPORTED_COMPONENTS`].
    Fixed(usize),
}

impl Default for Components {
    /// 95 % of the variance.
    fn default() -> Self {
        Self::Explaining(0.95)
    }
}

/// Checked parameters of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ValidPcaParams {
    components: Components,
}

/// Unchecked parameters of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PcaParams(ValidPcaParams);

impl PcaParams {
    /// Returns parameters that keep `components`.
    pub fn new(components: Components) -> Self {
        Self(ValidPcaParams { components })
    }
}

impl ParamGuard for PcaParams {
    type Checked = ValidPcaParams;
    type Error = FingerprintError;

    fn check_ref(&self) -> Result<&Self::Checked, Self::Error> {
        match self.0.components {
            Components::Fixed(count) if !SUPPORTED_COMPONENTS.contains(&count) => {
                Err(FingerprintError::Components { found: count })
            }
            Components::Explaining(share) if !(share > 0.0 && share <= 1.0) => {
                Err(FingerprintError::Explained { found: share })
            }
            _ => Ok(&self.0),
        }
    }

    fn check(self) -> Result<Self::Checked, Self::Error> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl ValidPcaParams {
    /// Fits components to the rows behind `moments`.
    ///
    /// # Errors
    /// [`FingerprintError::NoRows`] without rows, [`FingerprintError::Overflow`] when their covariance is not finite,
    /// [`FingerprintError::Eigen`] when the decomposition fails.
    pub fn fit_moments(&self, moments: &Moments) -> Result<Pca, FingerprintError> {
        let width = moments.width();
        if moments.count() == 0 || width == 0 {
            return Err(FingerprintError::NoRows);
        }
        let covariance = moments.covariance();
        let mean = moments.mean();
        if covariance.iter().chain(&mean).any(|value| !value.is_finite()) {
            return Err(FingerprintError::Overflow);
        }
        let total_variance: f64 = (0..width).map(|at| covariance[at * width + at]).sum();
        let matrix = Array2::from_shape_vec((width, width), covariance).map_err(Error::from)?;
        let floor = total_variance * RANK_TOLERANCE;
        let mut pairs: Vec<(f64, usize, Vec<f64>)> = symmetric_eigen(&matrix)?
            .into_iter()
            .filter(|&(value, _)| value > floor)
            .map(|(value, mut axis)| {
                let leading = leading(&axis);
                if axis[leading] < 0.0 {
                    for loading in &mut axis {
                        *loading = -*loading;
                    }
                }
                (value, leading, axis)
            })
            .collect();
        // Values that differ by rounding only are ordered by their largest loading. The list is sorted already, so
        // runs of equal values are neighbours.
        let mut from = 0;
        while from < pairs.len() {
            let mut to = from + 1;
            while to < pairs.len() && pairs[from].0 - pairs[to].0 <= floor {
                to += 1;
            }
            pairs[from..to].sort_by_key(|(_, leading, _)| *leading);
            from = to;
        }
        let count = self.count(&pairs, total_variance);
        pairs.truncate(count);
        let mut eigenvalues: Vec<f64> = pairs.iter().map(|(value, _, _)| *value).collect();
        eigenvalues.resize(count, 0.0);
        let mut axes: Vec<Vec<f64>> = pairs.into_iter().map(|(_, _, axis)| axis).collect();
        axes.resize(count, vec![0.0; width]);
        Ok(Pca { mean, axes, eigenvalues, total_variance, rows: moments.count() })
    }

    /// Returns how many components are kept.
    fn count(&self, pairs: &[(f64, usize, Vec<f64>)], total_variance: f64) -> usize {
        match self.components {
            Components::Fixed(count) => count,
            Components::Explaining(share) => {
                let explains = |count: usize| {
                    count >= pairs.len()
                        || pairs.iter().take(count).map(|(value, _, _)| value).sum::<f64>() >= share * total_variance
                };
                let largest = SUPPORTED_COMPONENTS[SUPPORTED_COMPONENTS.len() - 1];
                SUPPORTED_COMPONENTS.into_iter().find(|&count| explains(count)).unwrap_or(largest)
            }
        }
    }
}

/// Returns the position of the largest absolute loading; of several that differ by rounding only, the first.
fn leading(axis: &[f64]) -> usize {
    let largest = axis.iter().fold(0.0_f64, |largest, loading| largest.max(loading.abs()));
    axis.iter().position(|loading| loading.abs() >= largest * (1.0 - 1e-9)).unwrap_or(0)
}

/// Fitted principal components.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    mean: Vec<f64>,
    axes: Vec<Vec<f64>>,
    eigenvalues: Vec<f64>,
    total_variance: f64,
    rows: u64,
}

impl Pca {
    /// Returns the mean of the rows, which is subtracted before projecting.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Returns the axes, one per component, each of unit length or all zero.
    pub fn axes(&self) -> &[Vec<f64>] {
        &self.axes
    }

    /// Returns the variance along each axis (divisor n - 1), descending.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// Returns the variance of the rows along all directions: the trace of their covariance.
    pub fn total_variance(&self) -> f64 {
        self.total_variance
    }

    /// Returns the share of the total variance along each axis; zeros for constant rows.
    pub fn explained_variance_ratio(&self) -> Vec<f64> {
        let total = if self.total_variance > 0.0 { self.total_variance } else { 1.0 };
        self.eigenvalues.iter().map(|value| value / total).collect()
    }

    /// Returns how many rows were fitted.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the coordinates of `row`, which has as many values as the fitted rows.
    pub fn project(&self, row: &[f64]) -> Vec<f64> {
        project(&self.mean, &self.axes, row)
    }
}

/// Returns the coordinates of `row - mean` along `axes`.
pub(super) fn project(mean: &[f64], axes: &[Vec<f64>], row: &[f64]) -> Vec<f64> {
    let along = |axis: &Vec<f64>| {
        row.iter().zip(mean).zip(axis).fold(0.0, |sum, ((value, mean), loading)| sum + (value - mean) * loading)
    };
    axes.iter().map(along).collect()
}

/// Returns the moments of row-major `rows`, in fixed chunks merged in order, on all threads of the pool.
pub(super) fn moments_of(rows: &[f64], width: usize) -> Moments {
    let mut total = Moments::empty(width);
    let partial: Vec<Moments> = rows
        .par_chunks((CHUNK_ROWS * width).max(1))
        .map(|chunk| {
            let mut moments = Moments::empty(width);
            moments.add(chunk);
            moments
        })
        .collect();
    for moments in &partial {
        total.merge(moments);
    }
    total
}

impl<D: Data<Elem = f64>, T> Fit<ArrayBase<D, Ix2>, T, FingerprintError> for ValidPcaParams {
    type Object = Pca;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Pca, FingerprintError> {
        let width = dataset.nfeatures();
        let rows: Vec<f64> = dataset.records().iter().copied().collect();
        if let Some(at) = rows.iter().position(|value| !value.is_finite()) {
            return Err(FingerprintError::NotFinite { row: at / width, feature: at % width });
        }
        self.fit_moments(&moments_of(&rows, width))
    }
}

impl<D: Data<Elem = f64>, T> Transformer<DatasetBase<ArrayBase<D, Ix2>, T>, DatasetBase<Array2<f64>, T>> for Pca {
    /// Replaces the records by their coordinates; targets and weights are kept.
    fn transform(&self, dataset: DatasetBase<ArrayBase<D, Ix2>, T>) -> DatasetBase<Array2<f64>, T> {
        let DatasetBase { records, targets, weights, .. } = dataset;
        let mut coordinates = Array2::zeros((records.nrows(), self.axes.len()));
        for (row, mut target) in records.axis_iter(Axis(0)).zip(coordinates.axis_iter_mut(Axis(0))) {
            for (target, value) in target.iter_mut().zip(self.project(&row.to_vec())) {
                *target = value;
            }
        }
        DatasetBase::new(coordinates, targets).with_weights(weights)
    }
}
