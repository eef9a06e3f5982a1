//! What a query asks of the tree: lower bounds, in 32 bits, of its distance to a box and to the rows of a leaf.
//!
//! Scores compare with [`Probe::limit`] of the farthest distance that still counts: a score above it belongs to no row within
//! that distance, whatever was rounded. `docs/index-format.md` has the argument. Straight-line scores are squared distances in the
//! grid's scale, those of a matrix squared lengths after it was applied, those of cosine 1 - cos.

use super::grid::Grid;
use super::measure::Measure;
use super::tree::{LANES, Leaf};

/// Twice the rounding unit of 32 bits.
const UNIT: f64 = 1.0 / 8_388_608.0;

/// More than any product of numbers too small for 32 bits loses.
const SUBNORMAL: f64 = 1e-37;

/// Axes of a box that are looked at together; boxes are padded with axes in which nothing differs.
pub(super) const AXES: usize = 4;

/// A query as the tree sees it.
#[derive(Debug)]
pub(super) struct Probe {
    /// Its 32-bit coordinates, padded with zeros to the length of a box's corner.
    at: Vec<f32>,
    dimensions: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Euclidean {
        /// Turns a distance into a radius of the tree.
        grid: Grid,
    },
    /// Rows of L, the longest first.
    Matrix {
        lines: Vec<Line>,
        /// Per axis, what a squared gap counts at least; padded like the query.
        weights: Vec<f32>,
        scale: f64,
        /// What rounding adds to a length.
        slack: f64,
    },
    Cosine {
        /// Unit vector.
        towards: Vec<f32>,
        /// The grid's centre in its own scale.
        centre: Vec<f32>,
        /// What rounding adds to a length in the grid's scale.
        slack: f32,
    },
}

/// One row of L in the grid's scale, with its value at the query.
#[derive(Debug)]
struct Line {
    along: Vec<f32>,
    at_query: f32,
}

impl Probe {
    /// Returns the probe of a query; nothing where it does not fit into the tree's coordinates.
    pub(super) fn new(grid: &Grid, measure: &Measure, query: &[f64]) -> Option<Self> {
        let dimensions = query.len();
        let padded = |mut values: Vec<f32>| {
            values.resize(dimensions.next_multiple_of(AXES), 0.0);
            values
        };
        let at = padded(grid.place(query)?);
        // Rows lie within 1 of the centre along each axis.
        let reach = (dimensions as f64).sqrt() * (1.0 + UNIT) + length(&at);
        let kind = if let Some((factor, weights)) = measure.matrix() {
            let mut size = 0.0;
            let mut lines = Vec::with_capacity(factor.len());
            for line in factor {
                size += line.iter().map(|entry| entry * entry).sum::<f64>();
                let along: Vec<f32> = line.iter().map(|&entry| narrow(entry)).collect();
                let at_query = along.iter().zip(&at).map(|(entry, at)| f64::from(*entry) * f64::from(*at)).sum();
                lines.push(Line { along, at_query: narrow(at_query) });
            }
            if !(size.sqrt() < 1e15 && (size == 0.0 || size.sqrt() > 1e-15)) {
                return None;
            }
            // Entries and coordinates were rounded, and a sum of products rounds once for each.
            let slack = 2.0 * (dimensions as f64 + 6.0) * UNIT * size.sqrt() * reach;
            let weights = padded(weights.iter().map(|&weight| narrow(weight * (1.0 - UNIT))).collect());
            Kind::Matrix { lines, weights, scale: grid.scale(), slack }
        } else if let Some(towards) = measure.direction() {
            let centre: Vec<f32> = grid.scaled_centre().map(narrow).collect();
            let slack = 4.0 * UNIT * (reach + length(&centre));
            Kind::Cosine { towards: towards.iter().map(|&entry| narrow(entry)).collect(), centre, slack: raised(slack) }
        } else {
            Kind::Euclidean { grid: grid.clone() }
        };
        Some(Self { at, dimensions, kind })
    }

    /// Returns the largest score that a row within `distance` can have.
    pub(super) fn limit(&self, distance: f64) -> f32 {
        let rounding = 1.0 + (self.dimensions as f64 + 8.0) * UNIT;
        match &self.kind {
            Kind::Euclidean { grid } => {
                raised(grid.squared_radius(&self.at[..self.dimensions], distance) * rounding + SUBNORMAL)
            }
            Kind::Matrix { scale, slack, .. } => {
                // The factor was found to within 1e-9 or so of its largest entry.
                let radius = distance * scale * (1.0 + 1e-6) + slack;
                raised(radius * radius * rounding + SUBNORMAL)
            }
            Kind::Cosine { .. } => raised(distance + (2.0 * self.dimensions as f64 + 16.0) * UNIT),
        }
    }

    /// Returns a lower bound of the scores of the rows in a box (lower corner, upper corner, both padded).
    pub(super) fn of_box(&self, corners: &[f32], limit: f32) -> f32 {
        let (low, high) = corners.split_at(self.at.len());
        match &self.kind {
            Kind::Euclidean { .. } => squared_gap(&self.at, low, high, None),
            Kind::Matrix { lines, weights, .. } => {
                let bound = squared_gap(&self.at, low, high, Some(weights));
                if bound > limit { bound } else { bound.max(of_lines(lines, low, high)) }
            }
            Kind::Cosine { towards, centre, slack } => {
                let (mut most, mut squared) = (0.0_f32, 0.0_f32);
                for axis in 0..self.dimensions {
                    let (low, high) = (low[axis] + centre[axis], high[axis] + centre[axis]);
                    most += (low * towards[axis]).max(high * towards[axis]);
                    let nearest = low.max(-high).max(0.0);
                    squared += nearest * nearest;
                }
                angle(most, squared, *slack)
            }
        }
    }

    /// Returns lower bounds of the scores of `LANES` rows of a leaf; nothing where all lie above the limit.
    pub(super) fn of_rows(&self, leaf: Leaf<'_>, first: usize, limit: f32) -> Option<[f32; LANES]> {
        match &self.kind {
            Kind::Euclidean { .. } => {
                let mut sums = [0.0_f32; LANES];
                let (early, late) = self.at[..self.dimensions].split_at(self.dimensions / 2);
                // Most rows lie too far away in the first half of the axes already: they vary most.
                for (axis, &at) in early.iter().enumerate() {
                    add_gap(&mut sums, leaf.lanes(axis, first), at);
                }
                if sums.iter().all(|&sum| sum > limit) {
                    return None;
                }
                for (axis, &at) in (early.len()..).zip(late) {
                    add_gap(&mut sums, leaf.lanes(axis, first), at);
                }
                Some(sums)
            }
            Kind::Matrix { lines, .. } => {
                let mut sums = [0.0_f32; LANES];
                for line in lines {
                    let mut images = [-line.at_query; LANES];
                    for (axis, &entry) in line.along.iter().enumerate() {
                        for (image, lane) in images.iter_mut().zip(leaf.lanes(axis, first)) {
                            *image += entry * lane;
                        }
                    }
                    for (sum, image) in sums.iter_mut().zip(images) {
                        *sum += image * image;
                    }
                    if sums.iter().all(|&sum| sum > limit) {
                        return None;
                    }
                }
                Some(sums)
            }
            Kind::Cosine { towards, centre, slack } => {
                let (mut along, mut squared) = ([0.0_f32; LANES], [0.0_f32; LANES]);
                for (axis, (&towards, &centre)) in towards.iter().zip(centre).enumerate() {
                    for ((along, squared), lane) in along.iter_mut().zip(&mut squared).zip(leaf.lanes(axis, first)) {
                        let value = lane + centre;
                        *along += value * towards;
                        *squared += value * value;
                    }
                }
                let mut scores = [0.0_f32; LANES];
                for ((score, along), squared) in scores.iter_mut().zip(along).zip(squared) {
                    *score = angle(along, squared, *slack);
                }
                Some(scores)
            }
        }
    }
}

/// Returns the squared length that the images of a box keep from that of the query, line by line.
fn of_lines(lines: &[Line], low: &[f32], high: &[f32]) -> f32 {
    let mut sum = 0.0_f32;
    for line in lines {
        let (mut middle, mut half) = (-line.at_query, 0.0_f32);
        for ((entry, low), high) in line.along.iter().zip(low).zip(high) {
            middle += entry * (low * 0.5 + high * 0.5);
            half += entry.abs() * (high * 0.5 - low * 0.5);
        }
        // What 32 bits lose here is less than a thousandth of the box.
        let gap = (middle.abs() - half * 1.001).max(0.0);
        sum += gap * gap;
    }
    sum
}

fn add_gap(sums: &mut [f32; LANES], lanes: &[f32; LANES], at: f32) {
    for (sum, lane) in sums.iter_mut().zip(lanes) {
        let gap = lane - at;
        *sum += gap * gap;
    }
}

/// Returns a lower bound of 1 - cos for vectors with at most that product with the unit vector and at least that squared length.
fn angle(product: f32, squared: f32, slack: f32) -> f32 {
    let (product, length) = (product + slack, squared.sqrt() - slack);
    if length > 0.0 { 1.0 - product / length } else { f32::NEG_INFINITY }
}

/// Returns the (weighted) squared distance from a point to a box.
fn squared_gap(point: &[f32], low: &[f32], high: &[f32], weights: Option<&[f32]>) -> f32 {
    let mut sums = [0.0_f32; AXES];
    let mut add = |from: usize, weight: &dyn Fn(usize) -> f32| {
        for (at, sum) in (from..).zip(&mut sums) {
            let gap = (low[at] - point[at]).max(point[at] - high[at]).max(0.0);
            *sum += weight(at) * (gap * gap);
        }
    };
    for from in (0..point.len()).step_by(AXES) {
        match weights {
            None => add(from, &|_| 1.0),
            Some(weights) => add(from, &|at| weights[at]),
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

fn length(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

#[expect(clippy::cast_possible_truncation, reason = "rounded to the nearest: the slack of each kind covers it")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Returns the value in 32 bits, rounded up.
fn raised(value: f64) -> f32 {
    narrow(value * (1.0 + UNIT)).next_up()
}
