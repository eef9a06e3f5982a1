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
        let conditional: Vec<f64> = near
            .distances
            .par_chunks(count)
            .flat_map_iter(|distances| conditional(distances, perplexity.ln()))
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
        let mut entries = vec![(0_u32, 0.0_f64); 2 * near.others.len()];
        let mut put = |row: usize, column: u32, value: f64| {
            entries[next[row]] = (column, value);
            next[row] += 1;
        };
        for (position, (&other, &value)) in near.others.iter().zip(&conditional).enumerate() {
            let row = position / count;
            put(row, other, value);
            put(other as usize, u32::try_from(row).unwrap_or(u32::MAX), value);
        }
        let rows: Vec<Vec<(u32, f64)>> = (0..points)
            .into_par_iter()
            .map(|row| {
                let mut own = entries[starts[row]..starts[row + 1]].to_vec();
                own.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
                own.dedup_by(|later, kept| {
                    let is_same = later.0 == kept.0;
                    if is_same {
                        kept.1 += later.1;
                    }
                    is_same
                });
                own
            })
            .collect();
        let share = 0.5 / points as f64;
        let mut symmetric = Self { starts: vec![0], others: Vec::new(), values: Vec::new() };
        for row in rows {
            symmetric.others.extend(row.iter().map(|(column, _)| *column));
            #[expect(clippy::cast_possible_truncation, reason = "an affinity needs no more digits than places have")]
            symmetric.values.extend(row.iter().map(|(_, value)| (value * share) as f32));
            symmetric.starts.push(symmetric.others.len());
        }
        symmetric
    }

    /// Returns the perplexity that `neighbours` of each point allow when `wanted` is asked for.
    pub fn perplexity(wanted: f64, neighbours: usize) -> f64 {
        wanted.min((neighbours as f64 / 3.0).max(1.0))
    }
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
