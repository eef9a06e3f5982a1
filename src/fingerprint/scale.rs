//! Robust scaling: each feature is centred at its median and divided by its spread, the larger of the interquartile
//! range and the winsorised standard deviation (each made comparable to a standard deviation).
//!
//! The interquartile range alone calls a feature narrow when half of the store shares one value and the other half is
//! spread wide (a start-up slope, the size of an input): such features would then own every distance.
//!
//! Missing values become 0 after scaling (the store's centre) and are counted. Scaled values are clipped to
//! ±[`CLIP`], so that one absurd value cannot own the principal components.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::profile::quantile::interpolated;

use super::FingerprintError;

/// Scaled values lie in ±this many spreads. For a normal distribution, 1 value in 2 million lies beyond 5.
pub const CLIP: f64 = 5.0;

/// Share of the values that winsorising moves inwards, on each side.
const WINSORISED: f64 = 0.01;

/// Interquartile range of the standard normal distribution, 2 × 0.67449 (Rousseeuw and Croux 1993, section 1).
const NORMAL_IQR: f64 = 1.349;

/// A spread below this share of the centre's size is rounding noise of a constant and counts as 0.
const NOISE: f64 = 1e-12;

/// What a feature's spread was computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpreadSource {
    /// Interquartile range / 1.349.
    InterquartileRange,
    /// Population standard deviation after values outside the 1st and 99th percentile were moved to these.
    WinsorisedDeviation,
    /// Population standard deviation, because both of the above are 0.
    Deviation,
    /// 1, because the feature is constant or always missing.
    One,
}

/// Centre and spread of one feature, in the feature's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FeatureScale {
    /// Median (0 if the feature is always missing).
    pub centre: f64,
    /// Divisor, above 0.
    pub spread: f64,
    /// Where the divisor comes from.
    pub source: SpreadSource,
    /// Rows of the fit that lack the feature.
    pub missing: u64,
}

impl FeatureScale {
    /// Fits centre and spread to the `present` values (finite, any order; they are reordered).
    pub fn fit(present: &mut [f64], missing: u64) -> Self {
        if present.is_empty() {
            return Self { centre: 0.0, spread: 1.0, source: SpreadSource::One, missing };
        }
        present.sort_unstable_by(f64::total_cmp);
        let centre = interpolated(present, 0.5);
        let noise = NOISE * centre.abs();
        let quartiles = (interpolated(present, 0.75) - interpolated(present, 0.25)) / NORMAL_IQR;
        let (low, high) = (interpolated(present, WINSORISED), interpolated(present, 1.0 - WINSORISED));
        let winsorised = deviation(present, |value| value.clamp(low, high));
        let (spread, source) = if quartiles >= winsorised {
            (quartiles, SpreadSource::InterquartileRange)
        } else {
            (winsorised, SpreadSource::WinsorisedDeviation)
        };
        if spread > noise && spread.is_finite() {
            return Self { centre, spread, source, missing };
        }
        let spread = deviation(present, |value| value);
        if spread > noise && spread.is_finite() {
            return Self { centre, spread, source: SpreadSource::Deviation, missing };
        }
        Self { centre, spread: 1.0, source: SpreadSource::One, missing }
    }

    /// Returns the scaled, clipped value; 0 for a missing one.
    pub fn apply(&self, value: Option<f64>) -> f64 {
        value.map_or(0.0, |value| ((value - self.centre) / self.spread).clamp(-CLIP, CLIP))
    }
}

/// Returns the population standard deviation of the values as `seen`.
fn deviation(values: &[f64], seen: impl Fn(f64) -> f64) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|&value| seen(value) / count).sum::<f64>();
    values.iter().map(|&value| (seen(value) - mean).powi(2) / count).sum::<f64>().sqrt()
}

/// Fits a scale to every one of `width` features of `rows`.
///
/// # Errors
/// [`FingerprintError::Width`] for a row of another length, [`FingerprintError::NotFinite`] for an infinite or
/// undefined value.
pub fn fit_scales<R: AsRef<[Option<f64>]> + Sync>(
    rows: &[R],
    width: usize,
) -> Result<Vec<FeatureScale>, FingerprintError> {
    check_rows(rows, width)?;
    let scale = |feature: usize| {
        let mut present: Vec<f64> =
            rows.iter().filter_map(|row| row.as_ref().get(feature).copied().flatten()).collect();
        let missing = (rows.len() - present.len()) as u64;
        FeatureScale::fit(&mut present, missing)
    };
    Ok((0..width).into_par_iter().map(scale).collect())
}

/// Checks lengths and finiteness of all rows.
fn check_rows<R: AsRef<[Option<f64>]>>(rows: &[R], width: usize) -> Result<(), FingerprintError> {
    for (row, values) in rows.iter().map(AsRef::as_ref).enumerate() {
        if values.len() != width {
            return Err(FingerprintError::Width { row, found: values.len(), expected: width });
        }
        if let Some(feature) = values.iter().position(|value| value.is_some_and(|value| !value.is_finite())) {
            return Err(FingerprintError::NotFinite { row, feature });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_the_wider_of_two_and_falls_back_to_deviation_and_one() {
        let mut values: Vec<f64> = (0..101).map(f64::from).collect();
        let scale = FeatureScale::fit(&mut values, 3);
        assert_eq!((scale.centre, scale.source, scale.missing), (50.0, SpreadSource::InterquartileRange, 3));
        assert!((scale.spread - 50.0 / 1.349).abs() < 1e-12);
        // Three quarters share a value: the quartiles see nothing of the rest.
        let mut half_zero = vec![0.0; 60];
        half_zero.extend([8.0; 20]);
        let scale = FeatureScale::fit(&mut half_zero, 0);
        assert_eq!((scale.centre, scale.source), (0.0, SpreadSource::WinsorisedDeviation));
        assert!((scale.spread - 12.0_f64.sqrt()).abs() < 1e-12, "{scale:?}");
        // One absurd value in a thousand is moved to the 99th percentile, so only the plain deviation is left.
        let mut mostly_zero = vec![0.0; 999];
        mostly_zero.push(10.0);
        let scale = FeatureScale::fit(&mut mostly_zero, 0);
        assert_eq!((scale.centre, scale.source), (0.0, SpreadSource::Deviation));
        assert!((scale.spread - (0.1_f64 - 1e-4).sqrt()).abs() < 1e-12, "{scale:?}");
        assert_eq!(FeatureScale::fit(&mut [0.1 + 0.2, 0.3, 0.1 + 0.2], 0).source, SpreadSource::One);
        assert_eq!(FeatureScale::fit(&mut [], 7).source, SpreadSource::One);
    }

    #[test]
    fn absurd_values_are_clipped_and_missing_ones_are_the_centre() {
        let scale = FeatureScale { centre: 2.0, spread: 4.0, source: SpreadSource::One, missing: 0 };
        let applied = [Some(1e300), Some(-1e300), None, Some(6.0)].map(|value| scale.apply(value));
        assert_eq!(format!("{applied:?}"), format!("{:?}", [CLIP, -CLIP, 0.0, 1.0]));
    }

    #[test]
    fn values_that_are_not_finite_are_named() {
        let rows = vec![vec![Some(1.0), None], vec![Some(2.0), Some(f64::NAN)]];
        assert_eq!(fit_scales(&rows, 2), Err(FingerprintError::NotFinite { row: 1, feature: 1 }));
        assert_eq!(fit_scales(&rows, 3), Err(FingerprintError::Width { row: 0, found: 2, expected: 3 }));
    }
}
