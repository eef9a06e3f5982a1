//! A learned similarity: the share of the trees of a forest, grown on the store, in which two workloads end in the same
//! leaf.
//!
//! Distances between fingerprints weigh every feature alike wherever one looks. The trees split on what tells needs
//! apart, so two workloads share many leaves when they agree in the features that matter for one resource, where
//! they matter: adaptive nearest neighbours (Lin and Jeon 2006, "Random forests and adaptive nearest neighbors",
//! JASA 101). The similarity is the scalar product of two vectors of leaf indicators, so the square root of 2 (1 - s) is a Euclidean
//! distance. Trees are extremely randomised (Geurts, Ernst and Wehenkel 2006, Machine Learning 63): at each node one random cut per
//! feature, of which the best is taken.
//!
//! Every tree sees a random share of the rows. Rows that a tree has not seen can be asked about without bias, which is
//! what calibration does with stored workloads. Nothing is drawn from a state: the same rows, targets and seed give the same forest
//! whatever the number of threads.

mod bytes;
mod compare;
mod grow;
mod stored;

pub use compare::Compared;
pub use stored::{StoredAbout, StoredForest, StoredLeaves};

use std::convert::Infallible;

use rayon::prelude::*;

use crate::artifact::blocks::BLOCK;

/// How many trees a forest has (ours: with 100 the answers of containers-2s are 3 % more wasteful, with 400 the same).
const TREES: u32 = 200;

/// Share of the rows that a tree is grown on: as many as differ in a bootstrap sample.
const SAMPLED: f64 = 0.632;

/// Most rows that a tree is grown on in expectation (ours): beyond that, trees only become larger.
const MOST_SAMPLED: f64 = 4096.0;

/// Fewest rows with a target for a forest (ours).
const LEAST_ROWS: usize = 20;

/// A newcomer that lacks a feature follows both sides of a split; what is less likely than this follows the larger side
/// alone, so that a path through many unknown features does not become the whole tree (ours).
const LEAST_MASS: f64 = 1.0 / 64.0;

/// Names no leaf: larger than any.
const LEAF: u32 = u32::MAX;

/// Stored rows that walk one tree before the next.
const TOGETHER: usize = 256;

/// A split, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    /// Position of the feature in a row, or [`NO_FEATURE`] in a leaf.
    feature: u16,
    /// Position of the left child; the right one follows.
    left: u16,
    /// What goes left of the mass of a row that lacks the feature: 0 or 1 where such rows took part in the split, else
    /// the share of the rows that went left.
    lacking: f32,
    /// Values up to this go left.
    cut: f64,
}

/// Marks a leaf.
const NO_FEATURE: u16 = u16::MAX;

/// Most nodes of a tree, so that two bytes name one though three quarters of the slots stay empty: nearly twice what a tree of [`MOST_SAMPLED`] rows
/// can have.
const MOST_NODES: usize = 1 << 14;

/// Slots for nodes in a block of a file.
const SLOTS: usize = BLOCK / bytes::NODE;

impl Node {
    const UNGROWN: Self = Self { feature: NO_FEATURE, left: 0, lacking: 0.0, cut: 0.0 };

    /// Returns the children; nothing for a leaf.
    fn children(&self) -> Option<(u32, u32)> {
        let left = u32::from(self.left);
        (self.feature != NO_FEATURE).then_some((left, left + 1))
    }

    fn value(&self, row: &[Option<f64>]) -> Option<f64> {
        row.get(usize::from(self.feature)).copied().flatten()
    }

    /// Returns where a stored row goes. What it lacks goes where most rows went.
    fn goes_left(&self, row: &[Option<f64>]) -> bool {
        match self.value(row) {
            Some(value) => value <= self.cut,
            None => self.lacking >= 0.5,
        }
    }
}

type Tree = Vec<Node>;

/// A forest of trees over rows of features.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    width: usize,
    seed: u64,
    sampled: f64,
    trees: Vec<Tree>,
}

impl Forest {
    /// Grows a forest that tells `targets` apart; nothing with fewer than 20 targets.
    ///
    /// `rows` have one length; missing values are `None`. Targets are finite; rows without one take no part. `keys` name the rows:
    /// which of them a tree sees, and in which order, depends on their keys and not on the order of `rows`. Cost: per
    /// tree two passes over the rows of each node and feature, about rows × features × log2(rows).
    pub fn grow<R: AsRef<[Option<f64>]>>(rows: &[R], targets: &[Option<f64>], keys: &[u64], seed: u64) -> Option<Self> {
        let width = rows.first()?.as_ref().len();
        let known = targets.iter().flatten().count();
        if known < LEAST_ROWS {
            return None;
        }
        let sampled = SAMPLED.min(MOST_SAMPLED / known as f64);
        let columns = grow::Columns::of(rows, width);
        let mut known: Vec<(u64, u32, f64)> =
            (0_u32..).zip(targets).zip(keys).filter_map(|((row, target), key)| Some((*key, row, (*target)?))).collect();
        known.sort_unstable_by_key(|&(key, row, _)| (key, row));
        let of_tree = |tree: u32| {
            let sample = known.iter().filter(|(key, ..)| is_sampled(seed, tree, *key, sampled));
            let sample: Vec<(u32, f64)> = sample.map(|&(_, row, target)| (row, target)).collect();
            grow::tree(&columns, &sample, mixed(mixed(seed) ^ u64::from(tree)))
        };
        let trees = (0..TREES).into_par_iter().map(of_tree).collect();
        Some(Self { width, seed, sampled, trees })
    }

    /// Returns how many features a row has.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Returns how many trees there are.
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// Returns the trees that were not grown on the row of this key: those that may be asked about it.
    pub fn unseen_by(&self, key: u64) -> Vec<bool> {
        (0_u32..).zip(&self.trees).map(|(tree, _)| !is_sampled(self.seed, tree, key, self.sampled)).collect()
    }

    /// Returns the leaf of a stored row in every tree. What it lacks goes where most rows went.
    pub fn leaves(&self, row: &[Option<f64>]) -> Vec<u16> {
        self.trees.iter().map(|tree| leaf(tree, row)).collect()
    }

    /// Returns [`Self::leaves`] of stored rows, one after the other, found on all threads of the pool.
    pub fn leaves_of<R: AsRef<[Option<f64>]> + Sync>(&self, rows: &[R]) -> Vec<u16> {
        let trees = self.trees.len();
        let mut leaves = vec![0; rows.len() * trees];
        leaves.par_chunks_mut((TOGETHER * trees).max(1)).zip(rows.par_chunks(TOGETHER)).for_each(|(leaves, rows)| {
            // A tree at a time, which then stays in the processor's cache.
            for (number, tree) in self.trees.iter().enumerate() {
                for (own, row) in leaves.chunks_exact_mut(trees).zip(rows) {
                    own[number] = leaf(tree, row.as_ref());
                }
            }
        });
        leaves
    }

    /// Returns the similarity of each row to each of its stored rows, from 0 to 1.
    pub fn similarities(&self, rows: &[Compared<'_>]) -> Vec<Vec<f64>> {
        let node = |tree: usize, at: u32| Ok::<Node, Infallible>(self.trees[tree][at as usize]);
        match compare::similarities(self.trees.len(), node, rows) {
            Ok(found) => found,
            Err(never) => match never {},
        }
    }
}

/// Returns the leaf of a stored row. A tree has at most [`MOST_NODES`] nodes.
#[expect(clippy::cast_possible_truncation, reason = "a position in a tree fits into two bytes")]
fn leaf(tree: &[Node], row: &[Option<f64>]) -> u16 {
    let mut at = 0;
    while let Some((left, right)) = tree.get(at as usize).and_then(Node::children) {
        at = if tree[at as usize].goes_left(row) { left } else { right };
    }
    at as u16
}

/// Returns whether a tree is grown on a row: a draw that depends on seed, tree and key alone.
fn is_sampled(seed: u64, tree: u32, key: u64, share: f64) -> bool {
    let draw = mixed(mixed(seed ^ mixed(u64::from(tree))) ^ key);
    // The upper 53 bits as a number in [0, 1).
    ((draw >> 11) as f64) / ((1_u64 << 53) as f64) < share
}

/// Mixes the bits of a number: the finaliser of `SplitMix64` (Steele, Lea and Flood 2014).
pub(crate) const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
