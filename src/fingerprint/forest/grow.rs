//! Growing one tree: at every node one random cut per feature, the best of which splits it, until targets agree.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{LEAF, Node, Tree};

/// Targets closer than this are the same.
const SAME_TARGET: f64 = 1e-9;

/// The features that vary, column by column; what is missing is undefined.
pub(super) struct Columns {
    varying: Vec<(u32, Vec<f64>)>,
}

impl Columns {
    /// Turns rows of `width` features into columns.
    pub(super) fn of(rows: &[Vec<Option<f64>>], width: usize) -> Self {
        let column = |(feature, position): (u32, usize)| {
            let values: Vec<f64> =
                rows.iter().map(|row| row.get(position).copied().flatten().unwrap_or(f64::NAN)).collect();
            let (low, high) = range(values.iter().copied())?;
            (low < high).then_some((feature, values))
        };
        Self { varying: (0_u32..).zip(0..width).filter_map(column).collect() }
    }
}

/// A cut of one feature with what it does.
struct Cut {
    column: usize,
    at: f64,
    /// Where rows without the feature go; nothing where there are none.
    lacking_left: Option<bool>,
    score: f64,
    share_left: f64,
}

/// Grows a tree on `sample`, rows with their targets.
pub(super) fn tree(columns: &Columns, mut sample: Vec<(u32, f64)>, seed: u64) -> Tree {
    const UNGROWN: Node = Node { feature: LEAF, left: 0, cut: 0.0, lacking: 0.0 };
    let mut draws = Pcg64Mcg::seed_from_u64(seed);
    let mut nodes = vec![UNGROWN];
    let mut open = vec![(0_usize, 0_usize, sample.len())];
    while let Some((node, begin, end)) = open.pop() {
        let rows = &mut sample[begin..end];
        let agree = range(rows.iter().map(|&(_, target)| target)).is_none_or(|(low, high)| high - low <= SAME_TARGET);
        if agree {
            continue;
        }
        let Some(cut) = best_cut(columns, rows, &mut draws) else { continue };
        let (feature, values) = &columns.varying[cut.column];
        let goes_left = |row: u32| {
            let value = values[row as usize];
            if value.is_nan() { cut.lacking_left.unwrap_or(false) } else { value <= cut.at }
        };
        // A stable partition: the order of rows inside a node does not depend on anything but the sample.
        rows.sort_by_key(|&(row, _)| !goes_left(row));
        let middle = begin + rows.partition_point(|&(row, _)| goes_left(row));
        let Ok(left) = u32::try_from(nodes.len()) else { continue };
        let lacking = match cut.lacking_left {
            Some(is_left) => f64::from(u8::from(is_left)),
            None => cut.share_left,
        };
        nodes[node] = Node { feature: *feature, left, cut: cut.at, lacking };
        nodes.extend([UNGROWN, UNGROWN]);
        open.extend([(left as usize, begin, middle), (left as usize + 1, middle, end)]);
    }
    nodes
}

/// Returns the best of one random cut per feature; nothing where no feature varies.
fn best_cut(columns: &Columns, rows: &[(u32, f64)], draws: &mut Pcg64Mcg) -> Option<Cut> {
    let mut best: Option<Cut> = None;
    let mut own = Vec::with_capacity(rows.len());
    for (column, (_, values)) in columns.varying.iter().enumerate() {
        // Most of the time of a fit is spent here: each column is read once, and what follows stays in the cache.
        own.clear();
        let (mut low, mut high, mut is_lacking) = (f64::INFINITY, f64::NEG_INFINITY, false);
        for &(row, _) in rows {
            let value = values[row as usize];
            is_lacking |= value.is_nan();
            if value < low {
                low = value;
            }
            if value > high {
                high = value;
            }
            own.push(value);
        }
        if low >= high {
            continue;
        }
        let drawn: f64 = draws.random();
        let at = low + drawn * (high - low);
        // Rounding may reach the upper end, and then nothing would go right.
        let at = if at < high { at } else { low };
        let lacking_left = is_lacking.then(|| draws.random::<bool>());
        let (mut left_sum, mut left_count, mut sum) = (0.0, 0_u32, 0.0);
        for (&value, &(_, target)) in own.iter().zip(rows) {
            sum += target;
            if value <= at || (value.is_nan() && lacking_left == Some(true)) {
                left_sum += target;
                left_count += 1;
            }
        }
        let (all, left) = (rows.len() as f64, f64::from(left_count));
        let right_sum = sum - left_sum;
        // The decrease of the squared error, but for a constant of the node.
        let score = left_sum * left_sum / left + right_sum * right_sum / (all - left);
        if best.as_ref().is_none_or(|best| score > best.score) {
            best = Some(Cut { column, at, lacking_left, score, share_left: left / all });
        }
    }
    best
}

/// Returns the smallest and the largest defined value.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let grown = values
        .filter(|value| !value.is_nan())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    (grown.0 <= grown.1).then_some(grown)
}
