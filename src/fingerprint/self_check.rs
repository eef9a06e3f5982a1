//! Comparison of our eigenvalues with those of `linfa_reduction::Pca` on the same rows.
//!
//! linfa's solver is an iteration that is reliable for few components only, so the first features / 5 are compared,
//! and none below [`LEAST_FEATURES`] features.

use linfa::Dataset;
use linfa::traits::Fit;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::trace::guard::guarded;

use super::pca::{Pca, PcaParams, moments_of};
use super::{Components, FingerprintError};
use linfa::ParamGuard;

/// Fewest features at which the comparison says something.
const LEAST_FEATURES: usize = 10;

/// Most rows compared; more add time, not certainty.
const MOST_ROWS: usize = 20_000;

/// An eigenvalue of theirs that exceeds ours by more than this share of the largest is a defect of ours: what an
/// iteration finds inside a subspace never exceeds the true k-th eigenvalue (Courant and Fischer), but stays below it
/// where the iteration stopped early, as it does where eigenvalues nearly coincide.
const TOLERANCE: f64 = 1e-3;

/// What the comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelfCheck {
    /// Rows compared (evenly spread over the fitted rows).
    pub rows: u64,
    /// Eigenvalues compared; 0 when there was nothing to compare.
    pub compared: usize,
    /// Largest difference of two eigenvalues, as a share of the largest eigenvalue.
    pub largest_deviation: f64,
}

/// Compares both decompositions on at most `MOST_ROWS` rows of row-major `rows`.
///
/// # Errors
/// [`FingerprintError::SelfCheck`] when they disagree.
pub fn self_check(rows: &[f64], width: usize) -> Result<SelfCheck, FingerprintError> {
    let none = SelfCheck { rows: 0, compared: 0, largest_deviation: 0.0 };
    let count = rows.len() / width.max(1);
    if width < LEAST_FEATURES || count <= width {
        return Ok(none);
    }
    let step = count.div_ceil(MOST_ROWS);
    let sample: Vec<f64> = rows.chunks_exact(width).step_by(step).flatten().copied().collect();
    let sampled = sample.len() / width;
    let ours: Pca = PcaParams::new(Components::Fixed(32)).check()?.fit_moments(&moments_of(&sample, width))?;
    let rank = ours.eigenvalues().iter().filter(|&&value| value > 0.0).count();
    let wanted = (width / 5).min(rank);
    if wanted == 0 {
        return Ok(none);
    }
    let records = Array2::from_shape_vec((sampled, width), sample).map_err(linfa::Error::from)?;
    // A solver that gives up has found nothing to compare; it does not make our answer wrong. It panics on NaN of its own
    // making where few directions carry nearly all of the variance.
    let fitted = guarded(|| linfa_reduction::Pca::params(wanted).fit(&Dataset::from(records)));
    let Ok(Ok(theirs)) = fitted else { return Ok(none) };
    let largest = ours.eigenvalues()[0];
    let divisor = (sampled - 1) as f64;
    let mut squares: Vec<f64> = theirs.singular_values().iter().map(|sigma| sigma * sigma / divisor).collect();
    squares.sort_by(|a, b| b.total_cmp(a));
    let deviations = squares.iter().zip(ours.eigenvalues()).map(|(square, value)| (square - value) / largest);
    let mut check = SelfCheck { rows: sampled as u64, ..none };
    for deviation in deviations {
        check.compared += 1;
        check.largest_deviation = check.largest_deviation.max(deviation.abs());
        if deviation > TOLERANCE {
            return Err(FingerprintError::SelfCheck { deviation });
        }
    }
    Ok(check)
}
