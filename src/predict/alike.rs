//! Learned similarity: which of the nearest fingerprints have needed alike, resource by resource.
//!
//! One forest per resource is grown on ln(need / level) of the store. Among the nearest fingerprints, the `k` most
//! similar ones answer, with shares proportional to the squared similarity.

use std::sync::OnceLock;

use crate::fingerprint::Forest;

use super::draw::hashed;
use super::estimate::{Weighted, by_distance};
use super::need::{Remembered, Resource};

/// How many of the nearest fingerprints are looked at (ours: on containers-2s 50 are too few, from 100 on it makes no
/// difference), or four times as many as answer.
const CANDIDATES: usize = 200;

/// Most leaves that are kept in memory, 4 bytes each; in larger stores those of the candidates are looked up anew.
const MOST_LEAVES: usize = 40_000_000;

/// Resources by which neighbours are chosen: both are always allocated.
const CHOOSING: [Resource; 2] = [Resource::Memory, Resource::Cpu];

/// A forest with the leaves of all stored rows, row by row.
#[derive(Debug)]
struct Grown {
    forest: Forest,
    leaves: OnceLock<Vec<u32>>,
}

/// The learned similarity of a store.
#[derive(Debug, Default)]
pub(super) struct Alike {
    /// In the order of [`Resource::ALL`]; nothing where the store holds too few needs.
    grown: [Option<Grown>; 3],
}

/// Returns how many of the nearest fingerprints are looked at for an answer of `k`.
pub(super) const fn candidates(k: usize) -> usize {
    let four = k.saturating_mul(4);
    if four > CANDIDATES { four } else { CANDIDATES }
}

impl Alike {
    /// Learns from the rows of a store.
    pub(super) fn grow(rows: &[Remembered]) -> Self {
        let features: Vec<Vec<Option<f64>>> = rows.iter().map(|row| row.features.clone()).collect();
        let keys: Vec<u64> = rows.iter().map(key).collect();
        let grown = Resource::ALL.map(|resource| {
            let target = |row: &Remembered| row.needs[resource as usize].map(|need| need.log_ratio());
            let targets: Vec<Option<f64>> = rows.iter().map(target).collect();
            Forest::grow(&features, &targets, &keys, resource as u64)
        });
        Self::of(grown)
    }

    /// Puts forests together, grown or read.
    pub(super) fn of(forests: [Option<Forest>; 3]) -> Self {
        Self { grown: forests.map(|forest| forest.map(|forest| Grown { forest, leaves: OnceLock::new() })) }
    }

    /// Returns the forests, in the order of [`Resource::ALL`].
    pub(super) fn forests(&self) -> [Option<&Forest>; 3] {
        self.grown.each_ref().map(|grown| grown.as_ref().map(|grown| &grown.forest))
    }

    /// Chooses the `k` most similar of `found` (rows with their distances, nearest first) to a row of features, most similar
    /// first. `left_out` is a stored row that is asked about: only trees that have not seen it count.
    ///
    /// Without any similarity, the `k` nearest with shares by distance.
    pub(super) fn choose(
        &self,
        rows: &[Remembered],
        features: &[Option<f64>],
        found: &[(u32, f64)],
        k: usize,
        left_out: Option<u32>,
    ) -> Vec<Weighted> {
        let by_resource = self
            .grown
            .each_ref()
            .map(|grown| grown.as_ref().map(|grown| grown.similarities(rows, features, found, left_out)));
        let chosen_by: Vec<&Vec<f64>> =
            CHOOSING.iter().filter_map(|&resource| by_resource[resource as usize].as_ref()).collect();
        let mean = |at: usize| chosen_by.iter().map(|of| of[at]).sum::<f64>() / chosen_by.len().max(1) as f64;
        let means: Vec<f64> = (0..found.len()).map(mean).collect();
        let mut order: Vec<usize> = (0..found.len()).filter(|&at| means[at] > 0.0).collect();
        if order.is_empty() {
            return by_distance(&found[..k.min(found.len())]);
        }
        // Equally similar ones in the order in which they were found: the nearer one first.
        order.sort_by(|&left, &right| means[right].total_cmp(&means[left]));
        order.truncate(k);
        let shares_of = |similarities: &Vec<f64>| {
            let squares: Vec<f64> = order.iter().map(|&at| similarities[at].powi(2)).collect();
            let total: f64 = squares.iter().sum();
            let share = |square: f64| if total > 0.0 { square / total } else { 1.0 / squares.len() as f64 };
            squares.iter().map(|&square| share(square)).collect::<Vec<f64>>()
        };
        let fallback = shares_of(&means);
        let shares = by_resource.map(|of| of.map_or_else(|| fallback.clone(), |of| shares_of(&of)));
        let one = |(position, &at): (usize, &usize)| Weighted {
            row: found[at].0,
            distance: found[at].1,
            similarity: Some(means[at]),
            shares: [shares[0][position], shares[1][position], shares[2][position]],
        };
        order.iter().enumerate().map(one).collect()
    }
}

/// Returns what stands for a row in draws.
fn key(row: &Remembered) -> u64 {
    hashed(hashed(0, &row.format), &row.name())
}

impl Grown {
    fn similarities(
        &self,
        rows: &[Remembered],
        features: &[Option<f64>],
        found: &[(u32, f64)],
        left_out: Option<u32>,
    ) -> Vec<f64> {
        let trees = self.forest.trees();
        let counts = left_out.and_then(|row| rows.get(row as usize)).map(|row| self.forest.unseen_by(key(row)));
        let counts = counts.unwrap_or_default();
        let ending = self.forest.ending(features, &counts);
        let kept = (rows.len().saturating_mul(trees) <= MOST_LEAVES).then(|| {
            self.leaves.get_or_init(|| rows.iter().flat_map(|row| self.forest.leaves(&row.features)).collect())
        });
        let similarity = |&(row, _): &(u32, f64)| {
            let row = row as usize;
            if let Some(leaves) = kept {
                return ending.similarity(&leaves[row * trees..(row + 1) * trees]);
            }
            let leaves = rows.get(row).into_iter().flat_map(|row| self.forest.leaves(&row.features));
            ending.similarity(&leaves.collect::<Vec<u32>>())
        };
        found.iter().map(similarity).collect()
    }
}
