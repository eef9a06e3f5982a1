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
mod grow;
mod stored;

pub use stored::{StoredAbout, StoredForest};

use std::convert::Infallible;

use rayon::prelude::*;

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

/// Marks a leaf.
const LEAF: u32 = u32::MAX;

/// A split, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    /// Position of the feature in a row, or [`LEAF`].
    feature: u32,
    /// Position of the left child; the right one follows.
    left: u32,
    /// Values up to this go left.
    cut: f64,
    /// What goes left of the mass of a row that lacks the feature: 0 or 1 where such rows took part in the split, else
    /// the share of the rows that went left.
    lacking: f64,
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

/// Where a newcomer ends in the trees that count.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ending {
    /// By tree: its only leaf, or [`LEAF`] where there are several or the tree does not count.
    single: Vec<u32>,
    /// (tree, leaf, probability) where there are several; those of a tree sum to 1.
    several: Vec<(usize, u32, f64)>,
    /// How many trees count.
    trees: u32,
}

impl Forest {
    /// Grows a forest that tells `targets` apart; nothing with fewer than 20 targets.
    ///
    /// `rows` have one length; missing values are `None`. Targets are finite; rows without one take no part. `keys` name the rows:
    /// which of them a tree sees, and in which order, depends on their keys and not on the order of `rows`. Cost: per
    /// tree two passes over the rows of each node and feature, about rows × features × log2(rows).
    pub fn grow(rows: &[Vec<Option<f64>>], targets: &[Option<f64>], keys: &[u64], seed: u64) -> Option<Self> {
        let width = rows.first()?.len();
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
            grow::tree(&columns, sample, mixed(mixed(seed) ^ u64::from(tree)))
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
    pub fn leaves(&self, row: &[Option<f64>]) -> impl Iterator<Item = u32> {
        self.trees.iter().map(|tree| {
            let mut at = 0;
            while let Some((node, left, right)) = split(tree, at) {
                let goes_left = match value(row, node) {
                    Some(value) => value <= node.cut,
                    None => node.lacking >= 0.5,
                };
                at = if goes_left { left } else { right };
            }
            at
        })
    }

    /// Returns where a newcomer ends in the trees for which `counts` holds (all where it is empty). What it lacks is no
    /// reason to tell it apart: it follows both sides of such a split, each with the share of the rows that went there.
    pub fn ending(&self, row: &[Option<f64>], counts: &[bool]) -> Ending {
        let node = |tree: usize, at: u32| Ok::<Node, Infallible>(self.trees[tree][at as usize]);
        match end(self.trees.len(), &node, row, counts) {
            Ok(ending) => ending,
            Err(never) => match never {},
        }
    }
}

/// Returns [`Forest::ending`] in trees whose nodes `node_of` gives by tree and position.
fn end<E>(
    trees: usize,
    node_of: &dyn Fn(usize, u32) -> Result<Node, E>,
    row: &[Option<f64>],
    counts: &[bool],
) -> Result<Ending, E> {
    let mut ending = Ending::default();
    let mut open = Vec::new();
    for tree in 0..trees {
        let mut single = LEAF;
        if counts.get(tree).copied().unwrap_or(true) {
            ending.trees += 1;
            let begin = ending.several.len();
            open.push((0, 1.0));
            while let Some((mut at, mut mass)) = open.pop() {
                loop {
                    let node = node_of(tree, at)?;
                    if node.feature == LEAF {
                        break;
                    }
                    let (left, right) = (node.left, node.left + 1);
                    at = match value(row, &node) {
                        Some(value) if value <= node.cut => left,
                        Some(_) => right,
                        None => {
                            let (larger, smaller) = if node.lacking >= 0.5 { (left, right) } else { (right, left) };
                            let apart = mass * node.lacking.min(1.0 - node.lacking);
                            if apart >= LEAST_MASS {
                                open.push((smaller, apart));
                                mass -= apart;
                            }
                            larger
                        }
                    };
                }
                ending.several.push((tree, at, mass));
            }
            if let [(_, leaf, _)] = ending.several[begin..] {
                single = leaf;
                ending.several.truncate(begin);
            }
        }
        ending.single.push(single);
    }
    Ok(ending)
}

impl Ending {
    /// Returns the similarity to a stored row whose `leaves` are given, from 0 to 1: the share of the trees.
    pub fn similarity(&self, leaves: &[u32]) -> f64 {
        if self.trees == 0 {
            return 0.0;
        }
        let mut same = 0_u32;
        for (own, other) in self.single.iter().zip(leaves) {
            same += u32::from(own == other);
        }
        let partly = self.several.iter().filter(|(tree, leaf, _)| leaves.get(*tree) == Some(leaf));
        (f64::from(same) + partly.map(|(_, _, mass)| mass).sum::<f64>()) / f64::from(self.trees)
    }
}

/// Returns the node with its children; nothing for a leaf.
fn split(tree: &[Node], at: u32) -> Option<(&Node, u32, u32)> {
    let node = tree.get(at as usize)?;
    (node.feature != LEAF).then_some((node, node.left, node.left + 1))
}

fn value(row: &[Option<f64>], node: &Node) -> Option<f64> {
    row.get(node.feature as usize).copied().flatten()
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
