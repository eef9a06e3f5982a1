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

#[cfg(test)]
mod tests {
    use super::super::need::Need;
    use super::*;
    use crate::fingerprint::mixed;

    fn noise(at: u64) -> f64 {
        (mixed(at) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Workloads whose need follows the first feature and not the second.
    fn rows(count: u64) -> Vec<Remembered> {
        let row = |at: u64| {
            let (first, second) = (noise(at), noise(at + 10_000));
            let need = Need { level: 1.0, request: None, need: (first * 5.0).floor().exp(), at_least: false };
            Remembered {
                id: format!("w{at}"),
                run: 0,
                format: "table".to_owned(),
                application: None,
                user: None,
                class: None,
                features: vec![Some(first), Some(second)],
                needs: [Some(need), None, None],
            }
        };
        (0..count).map(row).collect()
    }

    fn everyone(rows: &[Remembered]) -> Vec<(u32, f64)> {
        (0..u32::try_from(rows.len()).unwrap()).map(|row| (row, f64::from(row))).collect()
    }

    #[test]
    fn those_that_need_alike_are_chosen_and_shares_are_squared_similarities() {
        let rows = rows(200);
        let chosen = Alike::grow(&rows).choose(&rows, &[Some(0.5), Some(0.99)], &everyone(&rows), 15, None);
        assert_eq!(chosen.len(), 15);
        let total: f64 = chosen.iter().map(|one| one.similarity.unwrap().powi(2)).sum();
        for one in &chosen {
            let first = rows[one.row as usize].features[0].unwrap();
            assert!((0.4..0.6).contains(&first), "{first} was taken for 0.5");
            assert!((one.shares[0] - one.similarity.unwrap().powi(2) / total).abs() < 1e-12);
        }
        assert!(chosen.windows(2).all(|pair| pair[0].similarity >= pair[1].similarity));
    }

    #[test]
    fn a_workload_that_is_left_out_meets_only_trees_that_have_not_seen_it() {
        let mut rows = rows(60);
        // Needs without a pattern: a tree that has seen a workload keeps it in a leaf of its own.
        for (row, at) in rows.iter_mut().zip(0_u64..) {
            row.needs[0] = Some(Need { level: 1.0, request: None, need: 1.0 + noise(at + 77_000), at_least: false });
        }
        let alike = Alike::grow(&rows);
        let sum = |row: u32, left_out: Option<u32>| {
            let others: Vec<(u32, f64)> = everyone(&rows).into_iter().filter(|(other, _)| *other != row).collect();
            let chosen = alike.choose(&rows, &rows[row as usize].features, &others, 60, left_out);
            chosen.iter().filter_map(|one| one.similarity).sum::<f64>()
        };
        let (seen, unseen) =
            (0..60).fold((0.0, 0.0), |sums, row| (sums.0 + sum(row, None), sums.1 + sum(row, Some(row))));
        assert!(unseen > 1.3 * seen, "{seen} {unseen}");
    }

    #[test]
    fn without_anything_learned_the_nearest_answer() {
        let rows = rows(10);
        let chosen = Alike::grow(&rows).choose(&rows, &[Some(0.5), Some(0.5)], &everyone(&rows), 3, None);
        assert_eq!(chosen.iter().map(|one| one.row).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(chosen.iter().all(|one| one.similarity.is_none()));
    }

    #[test]
    fn a_damaged_or_foreign_file_of_forests_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("similarity.forest");
        let alike = Alike::grow(&rows(40));
        alike.write(&path).unwrap();
        let read = Alike::read(&path, 2).unwrap();
        assert_eq!(read.forests(), alike.forests());
        assert!(Alike::read(&path, 3).unwrap_err().to_string().contains("instead of 3"));
        let good = fs_err::read(&path).unwrap();
        for position in [0, good.len() / 2, good.len() - 20] {
            let mut bad = good.clone();
            bad[position] ^= 1;
            fs_err::write(&path, bad).unwrap();
            assert!(Alike::read(&path, 2).is_err(), "byte {position} flipped unnoticed");
        }
    }
}
