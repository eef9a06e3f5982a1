//! Learned similarity: which of the nearest fingerprints have needed alike, resource by resource.
//!
//! One forest per resource is grown on ln(need / level) of the store. Among the nearest fingerprints, the most similar ones
//! answer, with shares proportional to the squared similarity.

use rayon::prelude::*;

use crate::artifact::ArtifactError;
use crate::fingerprint::{Compared, Forest, StoredForest};

use super::NeighbourCount;
use super::draw::hashed;
use super::need::{Remembered, Resource};
use super::ranked::{Likeness, Ranked};

/// How many of the nearest fingerprints are looked at (ours: on containers-2s 50 are too few, from 100 on it makes no
/// difference), or four times as many as answer.
const CANDIDATES: usize = 200;

/// Resources by which neighbours are chosen: both are always allocated.
const CHOOSING: [Resource; 2] = [Resource::Memory, Resource::Cpu];

/// A forest with the leaves of the stored rows.
#[derive(Debug)]
pub(super) enum Grown {
    /// Grown now.
    Here {
        /// The trees.
        forest: Forest,
        /// The leaf of every row in every tree, row by row.
        leaves: Vec<u16>,
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

/// What the nearest fingerprints are put in order for.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// A row of features.
    pub(super) features: Vec<Option<f64>>,
    /// Rows with their distances, nearest first.
    pub(super) found: Vec<(u32, f64)>,
    /// The [`key`] of the stored row that is asked about, if it is one: only trees that have not seen it count.
    pub(super) left_out: Option<u64>,
}

/// Returns how many of the nearest fingerprints are looked at for an answer of `k`.
pub(super) const fn candidates(k: NeighbourCount) -> usize {
    let four = k.few().saturating_mul(4);
    if four > CANDIDATES { four } else { CANDIDATES }
}

impl Alike {
    /// Learns from the rows of a store.
    pub(super) fn grow(rows: &[Remembered]) -> Self {
        let features: Vec<&[Option<f64>]> = rows.iter().map(|row| row.features.as_slice()).collect();
        let keys: Vec<u64> = rows.iter().map(key).collect();
        let grown = Resource::ALL.map(|resource| {
            let target = |row: &Remembered| row.needs[resource as usize].map(|need| need.log_ratio());
            let targets: Vec<Option<f64>> = rows.iter().map(target).collect();
            let forest = Forest::grow(&features, &targets, &keys, resource as u64)?;
            Some(Grown::Here { leaves: forest.leaves_of(&features), forest })
        });
        Self { grown }
    }

    /// Returns the same forests with other stored rows.
    ///
    /// # Errors
    /// What is read of a stored forest is damaged.
    pub(super) fn with_rows(&self, rows: &[Remembered]) -> Result<Self, ArtifactError> {
        let features: Vec<&[Option<f64>]> = rows.iter().map(|row| row.features.as_slice()).collect();
        let mut grown = [const { None }; 3];
        for (new, old) in grown.iter_mut().zip(&self.grown) {
            let forest = match old {
                None => continue,
                Some(Grown::Here { forest, .. }) => forest.clone(),
                Some(Grown::Stored(stored)) => stored.read()?,
            };
            *new = Some(Grown::Here { leaves: forest.leaves_of(&features), forest });
        }
        Ok(Self { grown })
    }

    /// Puts stored forests together, in the order of [`Resource::ALL`].
    pub(super) fn stored(forests: [Option<StoredForest>; 3]) -> Self {
        Self { grown: forests.map(|forest| forest.map(Grown::Stored)) }
    }

    /// Returns the forests, in the order of [`Resource::ALL`].
    pub(super) fn grown(&self) -> [Option<&Grown>; 3] {
        self.grown.each_ref().map(Option::as_ref)
    }

    /// Puts the nearest of each asking in the order of their similarity to it, most similar first; who is not similar at all is left
    /// out. Without any similarity the order of distance stays.
    ///
    /// # Errors
    /// What is read of a stored forest is damaged.
    pub(super) fn rank(&self, askings: Vec<Asking>) -> Result<Vec<Ranked>, ArtifactError> {
        let of = |grown: &Option<Grown>| grown.as_ref().map(|grown| grown.similarities(&askings)).transpose();
        let by_resource: Vec<Option<Vec<Vec<f64>>>> = self.grown.par_iter().map(of).collect::<Result<_, _>>()?;
        let ranked = |(number, asking): (usize, Asking)| {
            let of = |resource: usize| by_resource[resource].as_ref().map(|found| found[number].as_slice());
            in_order(asking.found, [of(0), of(1), of(2)])
        };
        Ok(askings.into_iter().enumerate().map(ranked).collect())
    }
}

/// Puts rows in the order of their similarities, which are given by resource.
fn in_order(found: Vec<(u32, f64)>, by_resource: [Option<&[f64]>; 3]) -> Ranked {
    let chosen_by: Vec<&[f64]> = CHOOSING.iter().filter_map(|&resource| by_resource[resource as usize]).collect();
    let mean = |at: usize| chosen_by.iter().map(|of| of[at]).sum::<f64>() / chosen_by.len().max(1) as f64;
    let means: Vec<f64> = (0..found.len()).map(mean).collect();
    let mut order: Vec<usize> = (0..found.len()).filter(|&at| means[at] > 0.0).collect();
    if order.is_empty() {
        return Ranked::by_distance(found);
    }
    // Equally similar ones in the order in which they were found: the nearer one first.
    order.sort_by(|&left, &right| means[right].total_cmp(&means[left]));
    let likeness =
        |at: usize| Likeness { mean: means[at], of: by_resource.map(|of| of.map_or(means[at], |of| of[at])) };
    Ranked::learned(order.into_iter().map(|at| (found[at], likeness(at))))
}

fn compared<'a>(asking: &'a Asking, counts: Option<Vec<bool>>, leaves: Vec<&'a [u16]>) -> Compared<'a> {
    Compared { features: &asking.features, counts: counts.unwrap_or_default(), leaves }
}

/// Returns what stands for a row in draws.
pub(super) fn key(row: &Remembered) -> u64 {
    hashed(hashed(0, &row.format), &row.name())
}

impl Grown {
    /// Returns the similarities of each asking to what was found for it.
    fn similarities(&self, askings: &[Asking]) -> Result<Vec<Vec<f64>>, ArtifactError> {
        let counts = |asking: &Asking| {
            asking.left_out.map(|key| match self {
                Self::Here { forest, .. } => forest.unseen_by(key),
                Self::Stored(forest) => forest.unseen_by(key),
            })
        };
        match self {
            Self::Here { forest, leaves } => {
                let trees = forest.trees();
                let of = |&(row, _): &(u32, f64)| leaves.get(row as usize * trees..).and_then(|rest| rest.get(..trees));
                let leaves = |asking: &Asking| asking.found.iter().map(|one| of(one).unwrap_or_default()).collect();
                let compared: Vec<Compared<'_>> =
                    askings.iter().map(|asking| compared(asking, counts(asking), leaves(asking))).collect();
                Ok(forest.similarities(&compared))
            }
            Self::Stored(forest) => {
                let mut found = Vec::with_capacity(askings.len());
                for asking in askings {
                    let leaves: Vec<Vec<u16>> =
                        asking.found.iter().map(|&(row, _)| forest.leaves(row)).collect::<Result<_, _>>()?;
                    let leaves = leaves.iter().map(Vec::as_slice).collect();
                    found.extend(forest.similarities(&[compared(asking, counts(asking), leaves)])?);
                }
                Ok(found)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::need::Need;
    use super::*;
    use crate::artifact::blocks::{BlockCache, Blocks};
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
                start: None,
                fitted: true,
                features: vec![Some(first), Some(second)],
                needs: [Some(need), None, None],
            }
        };
        (0..count).map(row).collect()
    }

    fn everyone(rows: &[Remembered]) -> Vec<(u32, f64)> {
        (0..u32::try_from(rows.len()).unwrap()).map(|row| (row, f64::from(row))).collect()
    }

    fn read(path: &std::path::Path, width: usize, rows: usize) -> Result<Alike, ArtifactError> {
        let (seal, blocks) = Blocks::open(path, &BlockCache::of(1 << 20))?;
        Alike::read(&seal, blocks, width, rows)
    }

    fn rank(
        alike: &Alike,
        rows: &[Remembered],
        features: &[Option<f64>],
        found: &[(u32, f64)],
        left_out: Option<u32>,
    ) -> Result<Ranked, ArtifactError> {
        let left_out = left_out.map(|row| key(&rows[row as usize]));
        let asking = Asking { features: features.to_vec(), found: found.to_vec(), left_out };
        Ok(alike.rank(vec![asking])?.remove(0))
    }

    #[test]
    fn those_that_need_alike_are_chosen_and_shares_are_squared_similarities() {
        let rows = rows(200);
        let ranked = rank(&Alike::grow(&rows), &rows, &[Some(0.5), Some(0.99)], &everyone(&rows), None).unwrap();
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
            let ranked = rank(&alike, &rows, &rows[row as usize].features, &others, left_out).unwrap();
            ranked.first(60).iter().filter_map(|one| one.similarity).sum::<f64>()
        };
        let (seen, unseen) =
            (0..60).fold((0.0, 0.0), |sums, row| (sums.0 + sum(row, None), sums.1 + sum(row, Some(row))));
        assert!(unseen > 1.3 * seen, "{seen} {unseen}");
    }

    #[test]
    fn without_anything_learned_the_nearest_answer() {
        let rows = rows(10);
        let ranked = rank(&Alike::grow(&rows), &rows, &[Some(0.5), Some(0.5)], &everyone(&rows), None).unwrap();
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
        alike.write(&path, rows.len()).unwrap();
        let stored = read(&path, 2, rows.len()).unwrap();
        for (features, left_out) in
            [([Some(0.5), Some(0.99)], None), ([None, Some(0.2)], None), ([rows[3].features[0], None], Some(3))]
        {
            let grown = rank(&alike, &rows, &features, &everyone(&rows), left_out).unwrap();
            assert_eq!(rank(&stored, &rows, &features, &everyone(&rows), left_out).unwrap(), grown);
        }
        assert!(read(&path, 3, rows.len()).unwrap_err().to_string().contains("instead of 3"));
        assert!(read(&path, 2, rows.len() + 1).is_err());
    }

    #[test]
    fn a_damaged_or_foreign_file_of_forests_is_refused_before_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("similarity.forest");
        let rows = rows(40);
        Alike::grow(&rows).write(&path, rows.len()).unwrap();
        let ask = || -> Result<Ranked, ArtifactError> {
            rank(&read(&path, 2, rows.len())?, &rows, &[Some(0.5), None], &everyone(&rows), None)
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
