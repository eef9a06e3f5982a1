//! Affinities: how much each point wants to be near each of its neighbours.

use rayon::prelude::*;

/// The nearest others of each point: `count` of them per point, nearest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbourhoods {
    /// Neighbours per point.
    pub count: usize,
    /// Numbers of the neighbours, `count` per point.
    pub others: Vec<u32>,
    /// Their distances.
    pub distances: Vec<f64>,
}

/// Symmetric affinities p(i, j) that sum to 1, as the rows of a sparse matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Affinities {
    /// Where each row begins in the other two; one more entry than rows.
    pub(super) starts: Vec<usize>,
    /// Columns, ascending within a row.
    pub(super) others: Vec<u32>,
    /// Affinities.
    pub(super) values: Vec<f32>,
}

/// Halvings of the search for a point's bandwidth: the entropy is then right to rounding.
const MOST_HALVINGS: usize = 100;

/// The entropy of a point is met when it differs by less than this (van der Maaten's implementations take 1e-5).
const ENTROPY_TOLERANCE: f64 = 1e-6;

impl Affinities {
    /// Returns p(i, j) = (p(j | i) + p(i | j)) / 2n, where p(j | i) falls with the squared distance like a normal
    /// distribution whose width gives each point the same `perplexity` (van der Maaten and Hinton 2008, equations 1 and 2).
    /// A perplexity that the number of neighbours cannot give is lowered ([`Self::perplexity`]).
    pub fn new(near: &Neighbourhoods, perplexity: f64) -> Self {
        let count = near.count;
        if count == 0 {
            return Self { starts: vec![0; near.others.len() + 1], others: Vec::new(), values: Vec::new() };
        }
        let points = near.others.len() / count;
        let perplexity = Self::perplexity(perplexity, count);
        #[expect(clippy::cast_possible_truncation, reason = "an affinity needs no more digits than places have")]
        let conditional: Vec<f32> = near
            .distances
            .par_chunks(count)
            .flat_map_iter(|distances| conditional(distances, perplexity.ln()).into_iter().map(|value| value as f32))
            .collect();
        // Every pair twice, once from either side: counted, placed by row, sorted inside rows, equal columns added.
        let mut starts = vec![0_usize; points + 1];
        for (position, &other) in near.others.iter().enumerate() {
            starts[position / count + 1] += 1;
            starts[other as usize + 1] += 1;
        }
        for row in 0..points {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0_u32, 0.0_f32); 2 * near.others.len()];
        let mut put = |row: usize, column: u32, value: f32| {
            entries[next[row]] = (column, value);
            next[row] += 1;
        };
        for (position, (&other, &value)) in near.others.iter().zip(&conditional).enumerate() {
            let row = position / count;
            put(row, other, value);
            put(other as usize, u32::try_from(row).unwrap_or(u32::MAX), value);
        }
        drop(conditional);
        let mut rows: Vec<&mut [(u32, f32)]> = Vec::with_capacity(points);
        let mut rest = entries.as_mut_slice();
        for bounds in starts.windows(2) {
            let (row, after) = rest.split_at_mut(bounds[1] - bounds[0]);
            rows.push(row);
            rest = after;
        }
        let lengths: Vec<usize> = rows.par_iter_mut().map(|row| merge(row)).collect();
        let total = lengths.iter().sum();
        let mut symmetric =
            Self { starts: vec![0], others: Vec::with_capacity(total), values: Vec::with_capacity(total) };
        #[expect(clippy::cast_possible_truncation, reason = "a small number")]
        let share = (0.5 / points as f64) as f32;
        for (row, length) in rows.iter().zip(lengths) {
            symmetric.others.extend(row[..length].iter().map(|(column, _)| *column));
            symmetric.values.extend(row[..length].iter().map(|(_, value)| value * share));
            symmetric.starts.push(symmetric.others.len());
        }
        symmetric
    }

    /// Returns the perplexity that `neighbours` of each point allow when `wanted` is asked for.
    pub fn perplexity(wanted: f64, neighbours: usize) -> f64 {
        wanted.min((neighbours as f64 / 3.0).max(1.0))
    }
}

/// Sorts a row by column, adds entries of the same column, and returns how many are left at its front.
fn merge(row: &mut [(u32, f32)]) -> usize {
    row.sort_unstable_by_key(|(column, _)| *column);
    let mut length = 0;
    for at in 0..row.len() {
        if length > 0 && row[length - 1].0 == row[at].0 {
            // Two at most: from either side. Their sum does not depend on which came first.
            row[length - 1].1 += row[at].1;
        } else {
            row[length] = row[at];
            length += 1;
        }
    }
    length
}

/// Returns the affinities of one point to its neighbours, nearest first, that sum to 1 and have this entropy.
pub(super) fn conditional(distances: &[f64], entropy: f64) -> Vec<f64> {
    let nearest = distances.first().copied().unwrap_or(0.0);
    // Differences to the nearest keep the exponential from vanishing for a point far from all others.
    let squared: Vec<f64> = distances.iter().map(|distance| distance * distance - nearest * nearest).collect();
    let farthest = squared.last().copied().unwrap_or(0.0);
    let mut values = vec![1.0 / distances.len() as f64; distances.len()];
    // All equally far: no bandwidth tells them apart.
    if !(farthest.is_finite() && farthest > 0.0) {
        return values;
    }
    let (mut low, mut high) = (0.0_f64, f64::INFINITY);
    let mut precision = 1.0 / farthest;
    for _ in 0..MOST_HALVINGS {
        let mut sum = 0.0;
        let mut weighted = 0.0;
        for (value, difference) in values.iter_mut().zip(&squared) {
            *value = (-precision * difference).exp();
            sum += *value;
            weighted += *value * difference;
        }
        let found = sum.ln() + precision * weighted / sum;
        for value in &mut values {
            *value /= sum;
        }
        if (found - entropy).abs() < ENTROPY_TOLERANCE || !(precision.is_finite() && precision > 0.0) {
            break;
        }
        if found > entropy {
            low = precision;
            precision = if high.is_finite() { f64::midpoint(low, high) } else { precision * 2.0 };
        } else {
            high = precision;
            precision = f64::midpoint(low, high);
        }
    }
    values
}
