//! From 64-bit coordinates to the tree's 32-bit ones, with a bound on what is lost.
//!
//! Coordinates are moved to the middle of their range and multiplied by one power of two that brings the widest range
//! to ±1. Both steps keep straight-line distances up to that factor.

use serde::{Deserialize, Serialize};

use super::Points;

/// Relative error of one coordinate: 2^-24 for rounding to 32 bits plus 2^-53 for the subtraction, doubled.
const COORDINATE_ERROR: f64 = 1.0 / 8_388_608.0;

/// Relative slack for 64-bit arithmetic inside the tree: at most 64 levels of 5 roundings of 2^-53, and the distance
/// itself (2^-44 together), with room.
const ARITHMETIC: f64 = 1.0 / 1_099_511_627_776.0;

/// More than the coordinates lose where they are too small for 32 bits (2^-150 each).
const SUBNORMAL: f64 = 1e-42;

/// Squares of coordinates farther out than this do not fit into 32 bits with room.
const FARTHEST: f64 = 1e15;

/// The tree's coordinates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Grid {
    centre: Vec<f64>,
    scale: f64,
}

impl Grid {
    /// Returns the grid of these points.
    pub(super) fn of(points: &Points) -> Self {
        let mut low = vec![f64::INFINITY; points.dimensions()];
        let mut high = vec![f64::NEG_INFINITY; points.dimensions()];
        for (_, row) in points.iter() {
            for ((low, high), &coordinate) in low.iter_mut().zip(&mut high).zip(row) {
                *low = low.min(coordinate);
                *high = high.max(coordinate);
            }
        }
        let middle = |(low, high): (&f64, &f64)| if low <= high { low / 2.0 + high / 2.0 } else { 0.0 };
        let centre: Vec<f64> = low.iter().zip(&high).map(middle).collect();
        let half = low.iter().zip(&high).fold(0.0_f64, |half, (low, high)| half.max(high / 2.0 - low / 2.0));
        let mut scale = 1.0_f64;
        while half * scale > 1.0 {
            scale /= 2.0;
        }
        while half > 0.0 && half * scale <= 0.5 && scale < 1e300 {
            scale *= 2.0;
        }
        Self { centre, scale }
    }

    /// Returns whether this can be the grid of points of so many dimensions.
    pub(super) fn is_of(&self, dimensions: usize) -> bool {
        self.centre.len() == dimensions
            && self.scale > 0.0
            && self.scale.is_finite()
            && self.centre.iter().all(|centre| centre.is_finite())
    }

    /// Returns a row's 32-bit coordinates, or nothing when they do not fit.
    pub(super) fn place(&self, row: &[f64]) -> Option<Vec<f32>> {
        let place = |(coordinate, centre): (&f64, &f64)| {
            let placed = (coordinate - centre) * self.scale;
            #[expect(clippy::cast_possible_truncation, reason = "rounded to the nearest: COORDINATE_ERROR covers it")]
            (placed.abs() <= FARTHEST).then_some(placed as f32 + 0.0)
        };
        row.iter().zip(&self.centre).map(place).collect()
    }

    /// Returns what lengths are multiplied by.
    pub(super) const fn scale(&self) -> f64 {
        self.scale
    }

    /// Returns the place from which coordinates count, in the grid's scale.
    pub(super) fn scaled_centre(&self) -> impl Iterator<Item = f64> {
        self.centre.iter().map(|centre| centre * self.scale)
    }

    /// Returns a squared radius in the tree that holds every row within `distance` of the query, whatever was rounded.
    ///
    /// A row within r of the query has length at most |q| + r, so rounding moves it by at most e (|q| + r) and the
    /// query by e |q|, e being [`COORDINATE_ERROR`].
    pub(super) fn squared_radius(&self, query: &[f32], distance: f64) -> f64 {
        let length = query.iter().map(|&coordinate| f64::from(coordinate).powi(2)).sum::<f64>().sqrt();
        let reach = distance * self.scale * (1.0 + ARITHMETIC);
        let radius = reach + 2.0 * COORDINATE_ERROR * (length * (1.0 + COORDINATE_ERROR) + reach) + SUBNORMAL;
        radius * radius * (1.0 + 4.0 * ARITHMETIC)
    }
}
