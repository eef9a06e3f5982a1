//! Growing one tree: at every node one random cut per feature, the best of which splits it, until targets agree.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{MOST_NODES, Node, SLOTS, Tree};

/// Targets closer than this are the same.
const SAME_TARGET: f64 = 1e-9;

/// The features that vary, column by column; what is missing is undefined.
pub(super) struct Columns {
    varying: Vec<(u16, Vec<f64>)>,
}

impl Columns {
    /// Turns rows of `width` features into columns.
    pub(super) fn of<R: AsRef<[Option<f64>]>>(rows: &[R], width: usize) -> Self {
        let column = |(feature, position): (u16, usize)| {
            let values: Vec<f64> =
                rows.iter().map(|row| row.as_ref().get(position).copied().flatten().unwrap_or(f64::NAN)).collect();
            let (low, high) = range(values.iter().copied())?;
            (low < high).then_some((feature, values))
        };
        Self { varying: (0_u16..).zip(0..width).filter_map(column).collect() }
    }

    /// Returns the same features of some rows, numbered in their order.
    fn of_sample(&self, sample: &[(u32, f64)]) -> Self {
        let of = |values: &[f64]| sample.iter().map(|&(row, _)| values[row as usize]).collect();
        Self { varying: self.varying.iter().map(|(feature, values)| (*feature, of(values))).collect() }
    }
}

/// A cut of one feature with what it does.
struct Cut {
    column: usize,
    at: f64,
    /// Where rows without the feature go; nothing where there are none.
    lacking_left: Option<bool>,
    score: f64,
    share_left: f32,
}

/// Grows a tree on `sample`, rows with their targets.
pub(super) fn tree(columns: &Columns, sample: &[(u32, f64)], seed: u64) -> Tree {
    // The columns of the sample alone stay in the processor's cache, those of a large store do not.
    let columns = columns.of_sample(sample);
    let mut sample: Vec<(u32, f64)> = (0_u32..).zip(sample).map(|(at, &(_, target))| (at, target)).collect();
    let mut draws = Pcg64Mcg::seed_from_u64(seed);
    let mut nodes = vec![Node::UNGROWN];
    let mut open = vec![(0_usize, 0_usize, sample.len())];
    while let Some((node, begin, end)) = open.pop() {
        let rows = &mut sample[begin..end];
        let agree = range(rows.iter().map(|&(_, target)| target)).is_none_or(|(low, high)| high - low <= SAME_TARGET);
        if agree {
            continue;
        }
        let Some(cut) = best_cut(&columns, rows, &mut draws) else { continue };
        let (feature, values) = &columns.varying[cut.column];
        let goes_left = |row: u32| {
            let value = values[row as usize];
            if value.is_nan() { cut.lacking_left.unwrap_or(false) } else { value <= cut.at }
        };
        // A stable partition: the order of rows inside a node does not depend on anything but the sample.
        rows.sort_by_key(|&(row, _)| !goes_left(row));
        let middle = begin + rows.partition_point(|&(row, _)| goes_left(row));
        let Ok(left) = u16::try_from(nodes.len()) else { continue };
        if nodes.len() + 2 > MOST_NODES {
            continue;
        }
        let lacking = match cut.lacking_left {
            Some(is_left) => f32::from(u8::from(is_left)),
            None => cut.share_left,
        };
        nodes[node] = Node { feature: *feature, left, cut: cut.at, lacking };
        nodes.extend([Node::UNGROWN, Node::UNGROWN]);
        open.extend([(usize::from(left), begin, middle), (usize::from(left) + 1, middle, end)]);
    }
    gathered(&nodes)
}

/// Returns the same tree in an order in which a path meets few blocks of [`SLOTS`] nodes: from the root on, what most nodes lie below goes into the
/// first block; each subtree below it into one other, as far as one holds it. Slots that are left over stay empty.
pub(super) fn gathered(tree: &[Node]) -> Tree {
    // Children stand behind their parents.
    let mut below = vec![0_usize; tree.len()];
    for (at, node) in tree.iter().enumerate().rev() {
        below[at] = node.children().map_or(0, |(left, right)| 2 + below[left as usize] + below[right as usize]);
    }
    let mut nodes: Tree = tree.first().copied().into_iter().collect();
    // The next free slot of each block. Siblings stand side by side, so the root has the first two.
    let mut free = vec![2_usize];
    // Positions in the old tree and in the new one.
    let mut parts = VecDeque::from([(0_usize, 0_usize)]);
    while let Some((top, parent)) = parts.pop_front() {
        let wanted = below.get(top).map_or(0, |&below| below.min(SLOTS));
        if wanted == 0 {
            continue;
        }
        // Behind the parent, so that whoever walks a tree comes to an end.
        let fits = |(block, free): (usize, &usize)| {
            (parent == 0 || free + wanted <= SLOTS) && block * SLOTS + free > parent && *free < SLOTS
        };
        let block = free.iter().enumerate().position(fits).unwrap_or_else(|| {
            free.push(0);
            free.len() - 1
        });
        let mut open = BinaryHeap::from([(below[top], Reverse(parent), top)]);
        while let Some((_, Reverse(new), old)) = open.pop() {
            let Some((left, right)) = tree[old].children() else { continue };
            if free[block] + 2 > SLOTS {
                parts.push_back((old, new));
                continue;
            }
            let at = block * SLOTS + free[block];
            free[block] += 2;
            nodes.resize(nodes.len().max(at + 2), Node::UNGROWN);
            // [`MOST_NODES`] leaves room for slots that stay empty.
            nodes[new].left = u16::try_from(at).unwrap_or(u16::MAX);
            for (new, old) in (at..).zip([left as usize, right as usize]) {
                nodes[new] = tree[old];
                open.push((below[old], Reverse(new), old));
            }
        }
    }
    nodes
}

/// Values of which the extremes are found together.
const LANES: usize = 8;

/// Returns the best of one random cut per feature; nothing where no feature varies.
fn best_cut(columns: &Columns, rows: &[(u32, f64)], draws: &mut Pcg64Mcg) -> Option<Cut> {
    let mut best: Option<Cut> = None;
    let targets: Vec<f64> = rows.iter().map(|&(_, target)| target).collect();
    let (all, sum) = (rows.len() as f64, targets.iter().fold(0.0, |sum, target| sum + target));
    let mut own = vec![0.0; rows.len()];
    for (column, (_, values)) in columns.varying.iter().enumerate() {
        // Most of the time of a fit is spent here: each column is read once, and what follows stays in the cache.
        for (own, &(row, _)) in own.iter_mut().zip(rows) {
            *own = values[row as usize];
        }
        let (low, high, is_lacking) = extremes(&own);
        if low >= high {
            continue;
        }
        let drawn: f64 = draws.random();
        let at = low + drawn * (high - low);
        // Rounding may reach the upper end, and then nothing would go right.
        let at = if at < high { at } else { low };
        let lacking_left = is_lacking.then(|| draws.random::<bool>());
        let (left_sum, left) = left_of(&own, &targets, at, lacking_left == Some(true));
        let right_sum = sum - left_sum;
        // The decrease of the squared error, but for a constant of the node.
        let score = left_sum * left_sum / left + right_sum * right_sum / (all - left);
        if best.as_ref().is_none_or(|best| score > best.score) {
            best = Some(Cut { column, at, lacking_left, score, share_left: narrow(left / all) });
        }
    }
    best
}

/// Returns the smallest and the largest defined value, and whether there is an undefined one.
fn extremes(values: &[f64]) -> (f64, f64, bool) {
    let (mut low, mut high, mut lacking) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES], [false; LANES]);
    let mut look = |lane: usize, value: f64| {
        low[lane] = if value < low[lane] { value } else { low[lane] };
        high[lane] = if value > high[lane] { value } else { high[lane] };
        lacking[lane] |= value.is_nan();
    };
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in chunk.iter().enumerate() {
            look(lane, value);
        }
    }
    for (lane, &value) in rest.iter().enumerate() {
        look(lane, value);
    }
    let low = low.into_iter().fold(f64::INFINITY, f64::min);
    (low, high.into_iter().fold(f64::NEG_INFINITY, f64::max), lacking.contains(&true))
}

/// Returns the sum of the targets of the rows that go left, and how many these are. One row after the other: cuts that part the same rows are told apart by
/// the last digit of their sums alone, and another order of additions would be another forest.
fn left_of(values: &[f64], targets: &[f64], at: f64, lacking_go_left: bool) -> (f64, f64) {
    let (mut sum, mut count) = (0.0, 0_u32);
    for (&value, &target) in values.iter().zip(targets) {
        if value <= at || (lacking_go_left && value.is_nan()) {
            sum += target;
            count += 1;
        }
    }
    (sum, f64::from(count))
}

#[expect(clippy::cast_possible_truncation, reason = "a share in 32 bits: shares out what a newcomer lacks")]
const fn narrow(share: f64) -> f32 {
    share as f32
}

/// Returns the smallest and the largest defined value.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let grown = values
        .filter(|value| !value.is_nan())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    (grown.0 <= grown.1).then_some(grown)
}
