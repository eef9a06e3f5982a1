//! The similarity of rows to stored rows: the share of the trees in which they end in the same leaf.
//!
//! All rows that are compared walk one tree before the next is looked at, so that a tree is read once; and the masses of a tree's
//! leaves are looked up by the stored rows, so that the cost of a newcomer which ends in many leaves does not multiply with theirs.

use super::{LEAF, LEAST_MASS, Node};

/// A row that is compared with stored ones.
#[derive(Debug, Clone)]
pub struct Compared<'a> {
    /// Its features.
    pub features: &'a [Option<f64>],
    /// By tree, whether it counts; all do where this is empty.
    pub counts: Vec<bool>,
    /// Of each stored row, its leaf in every tree.
    pub leaves: Vec<&'a [u16]>,
}

/// Returns the similarity of each row to each of its stored rows, from 0 to 1, in trees whose nodes `node_of` gives by tree and position.
pub(super) fn similarities<E>(
    trees: usize,
    mut node_of: impl FnMut(usize, u32) -> Result<Node, E>,
    rows: &[Compared<'_>],
) -> Result<Vec<Vec<f64>>, E> {
    let mut sums: Vec<Vec<f64>> = rows.iter().map(|row| vec![0.0; row.leaves.len()]).collect();
    let mut counted = vec![0_u32; rows.len()];
    let mut masses: Vec<f64> = Vec::new();
    let (mut ends, mut open) = (Vec::new(), Vec::new());
    for tree in 0..trees {
        for ((row, sums), counted) in rows.iter().zip(&mut sums).zip(&mut counted) {
            if !row.counts.get(tree).copied().unwrap_or(true) {
                continue;
            }
            *counted += 1;
            walk(|at| node_of(tree, at), row.features, &mut open, &mut ends)?;
            let theirs = row.leaves.iter().map(|leaves| leaves.get(tree).map_or(LEAF, |&leaf| u32::from(leaf)));
            if let [(leaf, _)] = ends[..] {
                for (sum, other) in sums.iter_mut().zip(theirs) {
                    *sum += f64::from(u8::from(other == leaf));
                }
                continue;
            }
            for &(leaf, mass) in &ends {
                let leaf = leaf as usize;
                if masses.len() <= leaf {
                    masses.resize(leaf + 1, 0.0);
                }
                masses[leaf] += mass;
            }
            for (sum, other) in sums.iter_mut().zip(theirs) {
                *sum += masses.get(other as usize).copied().unwrap_or(0.0);
            }
            for &(leaf, _) in &ends {
                masses[leaf as usize] = 0.0;
            }
        }
    }
    for (sums, counted) in sums.iter_mut().zip(counted) {
        for sum in sums {
            *sum /= f64::from(counted.max(1));
        }
    }
    Ok(sums)
}

/// Finds where a row ends in a tree: leaves with their shares, which sum to 1. What it lacks is no reason to tell it apart: it follows
/// both sides of such a split, each with the share of the rows that went there.
fn walk<E>(
    mut node_of: impl FnMut(u32) -> Result<Node, E>,
    row: &[Option<f64>],
    open: &mut Vec<(u32, f64)>,
    ends: &mut Vec<(u32, f64)>,
) -> Result<(), E> {
    ends.clear();
    open.push((0, 1.0));
    while let Some((mut at, mut mass)) = open.pop() {
        loop {
            let node = node_of(at)?;
            let Some((left, right)) = node.children() else { break };
            at = match node.value(row) {
                Some(value) if value <= node.cut => left,
                Some(_) => right,
                None => {
                    let lacking = f64::from(node.lacking);
                    let (larger, smaller) = if lacking >= 0.5 { (left, right) } else { (right, left) };
                    let apart = mass * lacking.min(1.0 - lacking);
                    if apart >= LEAST_MASS {
                        open.push((smaller, apart));
                        mass -= apart;
                    }
                    larger
                }
            };
        }
        ends.push((at, mass));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn what_a_row_lacks_is_shared_out_and_the_shares_sum_to_one() {
        // Feature 0 splits in thirds, then feature 1 (which is there) on the left.
        let nodes = [
            Node { feature: 0, left: 1, cut: 0.0, lacking: 0.25 },
            Node { feature: 1, left: 3, cut: 5.0, lacking: 0.5 },
            Node::UNGROWN,
            Node::UNGROWN,
            Node::UNGROWN,
        ];
        let (mut open, mut ends) = (Vec::new(), Vec::new());
        walk(|at| Ok::<Node, Infallible>(nodes[at as usize]), &[None, Some(9.0)], &mut open, &mut ends).unwrap();
        ends.sort_by_key(|&(leaf, _)| leaf);
        assert_eq!(ends, [(2, 0.75), (4, 0.25)]);
        let leaves: [&[u16]; 3] = [&[2], &[4], &[3]];
        let row = Compared { features: &[None, Some(9.0)], counts: Vec::new(), leaves: leaves.to_vec() };
        let node_of = |_: usize, at: u32| Ok::<Node, Infallible>(nodes[at as usize]);
        // The same row twice: nothing is left over from the first.
        let found = similarities(1, node_of, &[row.clone(), row]).unwrap();
        assert_eq!(found, [[0.75, 0.25, 0.0], [0.75, 0.25, 0.0]]);
    }
}
