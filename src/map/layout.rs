//! Places of the workloads of an index.

use crate::fingerprint::mixed;
use crate::index::Points;
use crate::predict::{Knowledge, Remembered};
use crate::trace::source::Progress;

use super::MapError;
use super::distinct::Distinct;
use super::tsne::{Affinities, Neighbourhoods, TsneParams, embed};

/// First places have this standard deviation along the first component, so that no point begins far from the forces
/// (Kobak and Berens 2019).
const FIRST_DEVIATION: f64 = 1e-4;

/// How far the seed moves first places, as a share of their deviation: points that differ only in later components part.
const JITTER: f64 = 0.01;

/// What a layout is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayoutParams {
    /// Workloads on the map at most; of more, a sample is drawn by their names.
    pub most: usize,
    /// The descent.
    pub tsne: TsneParams,
}

impl Default for LayoutParams {
    fn default() -> Self {
        Self { most: 100_000, tsne: TsneParams::default() }
    }
}

/// A layout before its points are moved.
pub struct Prepared {
    rows: Vec<u32>,
    distinct: Distinct,
    near: Neighbourhoods,
    params: TsneParams,
}

/// Where workloads lie on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Rows of the index, ascending; all others were left out of the sample.
    pub rows: Vec<u32>,
    /// The place of each.
    pub places: Vec<[f64; 2]>,
    /// The number of the fingerprint of each: who shares it shares the place.
    pub fingerprints: Vec<u32>,
    /// How many fingerprints there are.
    pub distinct: usize,
    /// The perplexity that the number of fingerprints allowed.
    pub perplexity: f64,
    /// How much of the neighbourhoods is lost on the plane: the Kullback-Leibler divergence, in nats.
    pub divergence: f64,
}

impl Prepared {
    /// Finds the neighbours of the fingerprints of `knowledge`. Tells `progress` each fingerprint as a row.
    ///
    /// # Errors
    /// [`MapError::NothingDiffers`], or a search failed.
    pub fn of(knowledge: &Knowledge, params: &LayoutParams, progress: &dyn Progress) -> Result<Self, MapError> {
        let nothing = MapError::NothingDiffers { workloads: knowledge.rows() };
        let Some(index) = knowledge.index() else { return Err(nothing) };
        let rows = drawn(knowledge, params.most, params.tsne.seed)?;
        let prepared = Self::among(&*index.points()?, rows, params.tsne, progress)?;
        if prepared.distinct.points.rows() < 2 { Err(nothing) } else { Ok(prepared) }
    }

    /// The same for any points, of which `rows` are laid out.
    ///
    /// # Errors
    /// A search failed.
    pub fn among(
        points: &Points,
        rows: Vec<u32>,
        params: TsneParams,
        progress: &dyn Progress,
    ) -> Result<Self, MapError> {
        let distinct = Distinct::among(points, &rows)?;
        let near = distinct.neighbourhoods(params.neighbours(distinct.points.rows()), progress)?;
        Ok(Self { rows, distinct, near, params })
    }

    /// Moves the points. Tells `progress` each step as a row, of [`TsneParams::steps`].
    pub fn lay_out(self, progress: &dyn Progress) -> Layout {
        let affinities = Affinities::new(&self.near, self.params.perplexity);
        let initial = first_places(&self.distinct.points, self.params.seed);
        let embedding = embed(&affinities, &initial, &self.params, &|| progress.rows(1));
        Layout {
            places: self.distinct.of.iter().map(|&number| embedding.places[number as usize]).collect(),
            rows: self.rows,
            distinct: embedding.places.len(),
            fingerprints: self.distinct.of,
            perplexity: Affinities::perplexity(self.params.perplexity, self.near.count),
            divergence: embedding.divergence,
        }
    }
}

/// Returns the rows on the map, ascending: all, or those whose names are drawn.
fn drawn(knowledge: &Knowledge, most: usize, seed: u64) -> Result<Vec<u32>, MapError> {
    let all = 0..u32::try_from(knowledge.rows()).unwrap_or(u32::MAX);
    if knowledge.rows() <= most {
        return Ok(all.collect());
    }
    let lot = |row: &Remembered| {
        let digest = blake3::hash(format!("{}\0{}\0{}", row.format, row.id, row.run).as_bytes());
        let bytes: [u8; 8] = digest.as_bytes()[..8].try_into().unwrap_or_default();
        mixed(seed ^ u64::from_le_bytes(bytes))
    };
    let mut lots: Vec<(u64, u32)> = all.zip(knowledge.all()?).map(|(number, row)| (lot(row), number)).collect();
    lots.sort_unstable();
    let mut rows: Vec<u32> = lots.into_iter().take(most).map(|(_, row)| row).collect();
    rows.sort_unstable();
    Ok(rows)
}

/// Returns the first two components, small: the map then keeps what is far apart, and needs no luck.
fn first_places(points: &Points, seed: u64) -> Vec<[f64; 2]> {
    let count = points.rows().max(1) as f64;
    let first = |row: &[f64]| row.first().copied().unwrap_or(0.0);
    let mean = points.iter().map(|(_, row)| first(row)).sum::<f64>() / count;
    let variance = points.iter().map(|(_, row)| (first(row) - mean).powi(2)).sum::<f64>() / count;
    let scale = if variance > 0.0 { FIRST_DEVIATION / variance.sqrt() } else { 0.0 };
    points
        .iter()
        .map(|(number, row)| {
            [0, 1].map(|axis: usize| {
                let lot = mixed(mixed(seed) ^ (u64::from(number) << 1 | axis as u64));
                // The upper 53 bits as a number in [-1, 1).
                let moved = (lot >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
                row.get(axis).copied().unwrap_or(0.0) * scale + moved * JITTER * FIRST_DEVIATION
            })
        })
        .collect()
}
