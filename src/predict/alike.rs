//! Learned similarity: which of the nearest fingerprints have needed alike, resource by resource.
//!
//! One forest per resource is grown on ln(need / level) of the store. Among the nearest fingerprints, the most similar ones
//! answer, with shares proportional to the squared similarity.

use std::sync::OnceLock;

use crate::artifact::ArtifactError;
use crate::fingerprint::{Ending, Forest, StoredForest};

use super::NeighbourCount;
use super::draw::hashed;
use super::need::{Remembered, Resource};
use super::ranked::{Likeness, Ranked};

/// How many of the nearest fingerprints are looked at (ours: on containers-2s 50 are too few, from 100 on it makes no
/// difference), or four times as many as answer.
const CANDIDATES: usize = 200;

/// Most leaves that are kept in memory, 4 bytes each; in larger stores those of the candidates are looked up anew.
const MOST_LEAVES: usize = 40_000_000;

/// Resources by which neighbours are chosen: both are always allocated.
const CHOOSING: [Resource; 2] = [Resource::Memory, Resource::Cpu];

/// A forest with the leaves of the stored rows.
#[derive(Debug)]
pub(super) enum Grown {
    /// Grown now; leaves by row, looked up when they are first asked for. Nothing is kept in larger stores.
    Here {
        /// The trees.
        forest: Forest,
        /// Their leaves.
        leaves: Vec<OnceLock<Box<[u32]>>>,
    },
    /// In a file.
    Stored(StoredForest),
}

/// The learned similarity of a store.
#[derive(Debug, Default)]
pub(super) struct Alike {
    /// In the order of [`Resource::ALL`]; nothing where the store holds too few needs.
    grown: [Option<Grown>; 3],
}

/// Returns how many of the nearest fingerprints are looked at for an answer of `k`.
pub(super) const fn candidates(k: NeighbourCount) -> usize {
    let four = k.few().saturating_mul(4);
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
        Self {
            grown: grown.map(|forest| {
                let forest = forest?;
                let is_kept = rows.len().saturating_mul(forest.trees()) <= MOST_LEAVES;
                let kept = if is_kept { rows.len() } else { 0 };
                Some(Grown::Here { forest, leaves: std::iter::repeat_with(OnceLock::new).take(kept).collect() })
            }),
        }
    }

    /// Puts stored forests together, in the order of [`Resource::ALL`].
    pub(super) fn stored(forests: [Option<StoredForest>; 3]) -> Self {
        Self { grown: forests.map(|forest| forest.map(Grown::Stored)) }
    }

    /// Returns the forests, in the order of [`Resource::ALL`].
    pub(super) fn grown(&self) -> [Option<&Grown>; 3] {
        self.grown.each_ref().map(Option::as_ref)
    }

    /// Puts `found` (rows with their distances, nearest first) in the order of their similarity to a row of features, most similar
    /// first; who is not similar at all is left out. `left_out` is a stored row that is asked about: only trees that have not
    /// seen it count. Without any similarity the order of distance stays.
    ///
    /// # Errors
    /// What is read of a stored forest is damaged.
    pub(super) fn rank(
        &self,
        rows: &[Remembered],
        features: &[Option<f64>],
        found: &[(u32, f64)],
        left_out: Option<u32>,
    ) -> Result<Ranked, ArtifactError> {
        let mut by_resource = [const { None }; 3];
        for (of, grown) in by_resource.iter_mut().zip(&self.grown) {
            *of = grown.as_ref().map(|grown| grown.similarities(rows, features, found, left_out)).transpose()?;
        }
        let chosen_by: Vec<&Vec<f64>> =
            CHOOSING.iter().filter_map(|&resource| by_resource[resource as usize].as_ref()).collect();
        let mean = |at: usize| chosen_by.iter().map(|of| of[at]).sum::<f64>() / chosen_by.len().max(1) as f64;
        let means: Vec<f64> = (0..found.len()).map(mean).collect();
        let mut order: Vec<usize> = (0..found.len()).filter(|&at| means[at] > 0.0).collect();
        if order.is_empty() {
            return Ok(Ranked::by_distance(found.to_vec()));
        }
        // Equally similar ones in the order in which they were found: the nearer one first.
        order.sort_by(|&left, &right| means[right].total_cmp(&means[left]));
        let likeness = |at: usize| Likeness {
            mean: means[at],
            of: by_resource.each_ref().map(|of| of.as_ref().map_or(means[at], |of| of[at])),
        };
        Ok(Ranked::learned(order.into_iter().map(|at| (found[at], likeness(at)))))
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
    ) -> Result<Vec<f64>, ArtifactError> {
        let left_out = left_out.and_then(|row| rows.get(row as usize));
        let ending = self.ending(features, left_out)?;
        let similarity = |&(row, _): &(u32, f64)| {
            Ok(match self {
                Self::Here { leaves, .. } => match leaves.get(row as usize) {
                    Some(kept) => {
                        ending.similarity(kept.get_or_init(|| self.leaves_here(rows, row).into_boxed_slice()))
                    }
                    None => ending.similarity(&self.leaves_here(rows, row)),
                },
                Self::Stored(forest) => ending.similarity(&forest.leaves(row)?),
            })
        };
        found.iter().map(similarity).collect()
    }

    fn ending(&self, features: &[Option<f64>], left_out: Option<&Remembered>) -> Result<Ending, ArtifactError> {
        match self {
            Self::Here { forest, .. } => {
                let counts = left_out.map(|row| forest.unseen_by(key(row))).unwrap_or_default();
                Ok(forest.ending(features, &counts))
            }
            Self::Stored(forest) => {
                let counts = left_out.map(|row| forest.unseen_by(key(row))).unwrap_or_default();
                forest.ending(features, &counts)
            }
        }
    }

    /// Returns the leaves of a stored row in trees that were grown now.
    fn leaves_here(&self, rows: &[Remembered], row: u32) -> Vec<u32> {
        match self {
            Self::Here { forest, .. } => {
                rows.get(row as usize).into_iter().flat_map(|row| forest.leaves(&row.features)).collect()
            }
            Self::Stored(_) => Vec::new(),
        }
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
        let ranked = Alike::grow(&rows).rank(&rows, &[Some(0.5), Some(0.99)], &everyone(&rows), None).unwrap();
        let chosen = ranked.first(15);
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
            let ranked = alike.rank(&rows, &rows[row as usize].features, &others, left_out).unwrap();
            ranked.first(60).iter().filter_map(|one| one.similarity).sum::<f64>()
        };
        let (seen, unseen) =
            (0..60).fold((0.0, 0.0), |sums, row| (sums.0 + sum(row, None), sums.1 + sum(row, Some(row))));
        assert!(unseen > 1.3 * seen, "{seen} {unseen}");
    }

    #[test]
    fn without_anything_learned_the_nearest_answer() {
        let rows = rows(10);
        let ranked = Alike::grow(&rows).rank(&rows, &[Some(0.5), Some(0.5)], &everyone(&rows), None).unwrap();
        let chosen = ranked.first(3);
        assert_eq!(chosen.iter().map(|one| one.row).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(chosen.iter().all(|one| one.similarity.is_none()));
    }

    #[test]
    fn stored_forests_choose_as_those_that_were_grown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("similarity.forest");
        let rows = rows(200);
        let alike = Alike::grow(&rows);
        alike.write(&path, &rows).unwrap();
        let read = Alike::read(&path, 2, rows.len()).unwrap();
        for (features, left_out) in
            [([Some(0.5), Some(0.99)], None), ([None, Some(0.2)], None), ([rows[3].features[0], None], Some(3))]
        {
            let grown = alike.rank(&rows, &features, &everyone(&rows), left_out).unwrap();
            assert_eq!(read.rank(&rows, &features, &everyone(&rows), left_out).unwrap(), grown);
        }
        assert!(Alike::read(&path, 3, rows.len()).unwrap_err().to_string().contains("instead of 3"));
        assert!(Alike::read(&path, 2, rows.len() + 1).is_err());
    }

    #[test]
    fn a_damaged_or_foreign_file_of_forests_is_refused_before_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("similarity.forest");
        let rows = rows(40);
        Alike::grow(&rows).write(&path, &rows).unwrap();
        let ask = || -> Result<Ranked, ArtifactError> {
            Alike::read(&path, 2, rows.len())?.rank(&rows, &[Some(0.5), None], &everyone(&rows), None)
        };
        let answer = ask().unwrap();
        let good = fs_err::read(&path).unwrap();
        let mut refused = 0;
        for position in (0..good.len()).step_by(509).chain(good.len() - 20..good.len()) {
            let mut bad = good.clone();
            bad[position] ^= 1;
            fs_err::write(&path, bad).unwrap();
            match ask() {
                // In a block that this question does not touch.
                Ok(found) => assert_eq!(found, answer),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 30, "{refused}");
        for length in [0, 10, good.len() / 2, good.len() - 1] {
            fs_err::write(&path, &good[..length]).unwrap();
            assert!(ask().is_err());
        }
    }
}
