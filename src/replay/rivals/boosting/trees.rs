//! Gradient boosting of a quantile (Friedman 2001, "Greedy function approximation", Annals of Statistics 29, with the pinball
//! loss of Koenker and Bassett 1978): trees of at most 16 leaves, each added with a rate of .05.
//!
//! A tree is grown on the sign of the residuals, which is the gradient of the loss, and each of its leaves then takes the
//! quantile of its residuals. A step along the mean gradient would be the alternative: it moves every leaf by at most a
//! twentieth of 1 per tree whatever it is off by, and by as little when only the scale of the target changes, while the
//! quantile is what minimises the loss in the leaf (Friedman's `TreeBoost`, and what other libraries do).
//!
//! Sums over rows are sums of integers, rows are drawn by their keys, and quantiles are values: the order of the rows and the
//! number of threads change nothing.

use super::bins::{Column, LACKING, PLACES};
use crate::fingerprint::mixed;

/// Trees, rate, levels of splits and share of the rows that a tree is grown on: the values of the protocol.
const TREES: u64 = 300;
const RATE: f64 = 0.05;
const DEPTH: usize = 4;
const SAMPLED: f64 = 0.8;
/// Fewest rows of a leaf (our value).
const LEAST_ROWS: u64 = 10;
/// Residuals closer to 0 than this are neither above nor below.
const SAME: f64 = 1e-12;
/// Least gain of a split, against rounding.
const LEAST_GAIN: f64 = 1e-9;

/// How many rows there are, and how many of them lie above and below what is predicted so far: three counts of 21 bits in
/// one number, so that they are added and subtracted at once.
type Counts = u64;
const ONE: Counts = 1 << 42;
const ABOVE: Counts = 1 << 21;
const BELOW: Counts = 1;
/// Counts by place of one feature.
type Histogram = [Counts; PLACES];

const fn rows_of(counts: Counts) -> u64 {
    counts >> 42
}

/// Sum of the negative gradients of the pinball loss at `quantile`.
fn gradient(counts: Counts, quantile: f64) -> f64 {
    let mask = ABOVE - 1;
    quantile * ((counts >> 21) & mask) as f64 - (1.0 - quantile) * (counts & mask) as f64
}

/// A split, or a leaf where there are no children.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    /// Position of the left child; the right one follows. 0 for a leaf.
    left: usize,
    /// Position of the column that is split on.
    column: usize,
    /// Rows in bins up to this go left: values up to `border`.
    bin: u8,
    border: f64,
    is_lacking_left: bool,
    /// What a leaf adds.
    value: f64,
}

impl Node {
    const LEAF: Self = Self { left: 0, column: 0, bin: 0, border: 0.0, is_lacking_left: false, value: 0.0 };
}

/// A boosted quantile: a start and what each tree adds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Boosted {
    /// Feature of each column.
    features: Vec<usize>,
    start: f64,
    trees: Vec<Vec<Node>>,
}

impl Boosted {
    /// Fits the `quantile` of `targets` (finite, one per row of `columns`, fewer than two million); which rows a tree is grown
    /// on depends on their `keys` and the seed. Nothing without rows.
    pub(super) fn fit(columns: &[Column], targets: &[f64], keys: &[u64], quantile: f64, seed: u64) -> Option<Self> {
        let start = upper_quantile(&mut targets.to_vec(), quantile)?;
        let mut found = vec![start; targets.len()];
        let mut trees = Vec::new();
        for number in 0..TREES {
            let sign = |(target, found): (&f64, &f64)| match target - found {
                residual if residual > SAME => ONE + ABOVE,
                residual if residual < -SAME => ONE + BELOW,
                _ => ONE,
            };
            let counts: Vec<Counts> = targets.iter().zip(&found).map(sign).collect();
            let draw = mixed(seed ^ mixed(number));
            let rows = (0_u32..).zip(keys).filter(|(_, key)| is_drawn(draw, **key)).map(|(row, _)| row).collect();
            let mut tree = Growing { columns, counts: &counts, quantile, nodes: vec![Node::LEAF] };
            for (leaf, rows) in tree.grow(rows) {
                let mut residuals: Vec<f64> =
                    rows.iter().map(|row| targets[*row as usize] - found[*row as usize]).collect();
                tree.nodes[leaf].value = RATE * upper_quantile(&mut residuals, quantile).unwrap_or(0.0);
            }
            for (row, found) in found.iter_mut().enumerate() {
                *found += leaf(&tree.nodes, |node| goes_left(node, columns[node.column].places[row])).value;
            }
            trees.push(tree.nodes);
        }
        Some(Self { features: columns.iter().map(|column| column.feature).collect(), start, trees })
    }

    /// Returns the quantile for a row of features.
    pub(super) fn predict(&self, row: &[Option<f64>]) -> f64 {
        let is_left = |node: &Node| match row.get(self.features[node.column]).copied().flatten() {
            Some(value) => value <= node.border,
            None => node.is_lacking_left,
        };
        self.start + self.trees.iter().map(|tree| leaf(tree, is_left).value).sum::<f64>()
    }
}

/// Returns whether a tree is grown on the row of a key.
fn is_drawn(draw: u64, key: u64) -> bool {
    // The upper 53 bits as a number in [0, 1).
    ((mixed(draw ^ key) >> 11) as f64) / ((1_u64 << 53) as f64) < SAMPLED
}

fn goes_left(node: &Node, place: u8) -> bool {
    if place == LACKING { node.is_lacking_left } else { place <= node.bin }
}

fn leaf(tree: &[Node], is_left: impl Fn(&Node) -> bool) -> &Node {
    let mut node = &tree[0];
    while node.left > 0 {
        node = &tree[if is_left(node) { node.left } else { node.left + 1 }];
    }
    node
}

/// Returns the smallest value that at least the share `quantile` of the values do not exceed.
fn upper_quantile(values: &mut [f64], quantile: f64) -> Option<f64> {
    let count = values.len() as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let rank = (quantile * count * (1.0 - 1e-12)).ceil().max(1.0) as usize;
    let last = values.len().checked_sub(1)?;
    Some(*values.select_nth_unstable_by((rank - 1).min(last), f64::total_cmp).1)
}

/// A tree while it grows.
struct Growing<'a> {
    columns: &'a [Column],
    /// By row.
    counts: &'a [Counts],
    quantile: f64,
    nodes: Vec<Node>,
}

/// A node that may be split.
struct Open {
    node: usize,
    rows: Vec<u32>,
    histograms: Vec<Histogram>,
}

struct Split {
    column: usize,
    bin: u8,
    is_lacking_left: bool,
}

impl Growing<'_> {
    /// Grows the tree level by level and returns its leaves with their rows.
    fn grow(&mut self, rows: Vec<u32>) -> Vec<(usize, Vec<u32>)> {
        let mut leaves = Vec::new();
        let histograms = self.histograms(&rows);
        let mut level = vec![Open { node: 0, rows, histograms }];
        for depth in 0..DEPTH {
            let mut next = Vec::new();
            for open in level {
                match self.best_split(&open) {
                    Some(split) => next.extend(self.split(open, &split, depth + 1 < DEPTH)),
                    None => leaves.push((open.node, open.rows)),
                }
            }
            level = next;
        }
        leaves.extend(level.into_iter().map(|open| (open.node, open.rows)));
        leaves
    }

    fn histograms(&self, rows: &[u32]) -> Vec<Histogram> {
        let of = |column: &Column| {
            let mut histogram = [0; PLACES];
            for row in rows {
                histogram[usize::from(column.places[*row as usize]) % PLACES] += self.counts[*row as usize];
            }
            histogram
        };
        self.columns.iter().map(of).collect()
    }

    /// Returns the split that decreases the squared error of the gradients most; nothing if none decreases it.
    fn best_split(&self, open: &Open) -> Option<Split> {
        let total: Counts = open.rows.iter().map(|row| self.counts[*row as usize]).sum();
        let score = |counts: Counts| gradient(counts, self.quantile).powi(2) / rows_of(counts) as f64;
        let mut best: Option<Split> = None;
        let mut least = score(total) + LEAST_GAIN;
        for (column, histogram) in open.histograms.iter().enumerate() {
            let lacking = histogram[usize::from(LACKING)];
            let mut inside: Counts = 0;
            for (bin, counts) in (0_u8..LACKING).zip(histogram) {
                // An empty bin offers what the one before it did.
                if *counts == 0 {
                    continue;
                }
                inside += counts;
                for is_lacking_left in [false, true] {
                    let left = if is_lacking_left { inside + lacking } else { inside };
                    let right = total - left;
                    if (is_lacking_left && lacking == 0) || rows_of(left) < LEAST_ROWS || rows_of(right) < LEAST_ROWS {
                        continue;
                    }
                    let score = score(left) + score(right);
                    if score > least {
                        least = score;
                        // A newcomer may lack what all rows here have: it follows the larger side.
                        let is_lacking_left =
                            if lacking == 0 { rows_of(left) >= rows_of(right) } else { is_lacking_left };
                        best = Some(Split { column, bin, is_lacking_left });
                    }
                }
            }
        }
        best
    }

    /// Splits a node and returns its children; those of the last level need no histograms.
    fn split(&mut self, open: Open, split: &Split, is_counted: bool) -> [Open; 2] {
        let column = &self.columns[split.column];
        let left = self.nodes.len();
        let node = Node {
            left,
            column: split.column,
            bin: split.bin,
            border: column.borders[usize::from(split.bin)],
            is_lacking_left: split.is_lacking_left,
            value: 0.0,
        };
        self.nodes[open.node] = node;
        self.nodes.extend([Node::LEAF; 2]);
        let (left_rows, right_rows): (Vec<u32>, Vec<u32>) =
            open.rows.into_iter().partition(|row| goes_left(&node, column.places[*row as usize]));
        let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
        if is_counted {
            // The larger child is what the smaller one leaves of the parent.
            let is_left_smaller = left_rows.len() <= right_rows.len();
            let smaller = self.histograms(if is_left_smaller { &left_rows } else { &right_rows });
            let mut larger = open.histograms;
            for (larger, smaller) in larger.iter_mut().zip(&smaller) {
                for (larger, smaller) in larger.iter_mut().zip(smaller) {
                    *larger -= smaller;
                }
            }
            (of_left, of_right) = if is_left_smaller { (smaller, larger) } else { (larger, smaller) };
        }
        [
            Open { node: left, rows: left_rows, histograms: of_left },
            Open { node: left + 1, rows: right_rows, histograms: of_right },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUANTILES: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];

    fn keys(count: u64) -> Vec<u64> {
        (0..count).map(mixed).collect()
    }

    fn fit(rows: &[Vec<Option<f64>>], targets: &[f64], quantile: f64) -> Boosted {
        Boosted::fit(&Column::all(rows), targets, &keys(targets.len() as u64), quantile, 1).unwrap()
    }

    /// A feature in [0, 1) and noise that is larger on the right.
    fn fan(count: u32) -> (Vec<Vec<Option<f64>>>, Vec<f64>) {
        let unit = |at: u64| (mixed(at) >> 11) as f64 / (1_u64 << 53) as f64;
        (0..u64::from(count))
            .map(|at| {
                let x = unit(at);
                (vec![Some(x), Some(unit(at + 1_000_000))], x * unit(at + 2_000_000))
            })
            .unzip()
    }

    #[test]
    fn t79_a_constant_target_is_returned_at_every_quantile() {
        let rows: Vec<Vec<Option<f64>>> = (0..40).map(|at| vec![Some(f64::from(at))]).collect();
        for quantile in QUANTILES {
            assert!((fit(&rows, &[0.7; 40], quantile).predict(&rows[3]) - 0.7).abs() < 1e-12, "{quantile}");
        }
    }

    #[test]
    fn t80_a_binary_feature_tells_ratios_of_one_and_two_apart() {
        let rows: Vec<Vec<Option<f64>>> = (0..60).map(|at| vec![Some(f64::from(at % 2))]).collect();
        let targets: Vec<f64> = (0..60).map(|at| f64::from(1 + at % 2).ln()).collect();
        let model = fit(&rows, &targets, 0.9);
        for (row, ratio) in [(0.0, 1.0), (1.0, 2.0)] {
            let found = model.predict(&[Some(row)]).exp();
            assert!((found - ratio).abs() < 1e-6, "{found} instead of {ratio}");
        }
    }

    #[test]
    fn a_quantile_covers_its_share_of_newcomers_and_follows_the_spread() {
        let (rows, targets) = fan(2000);
        for quantile in [0.5, 0.9] {
            let model = fit(&rows[..1000], &targets[..1000], quantile);
            let covered = rows[1000..].iter().zip(&targets[1000..]).filter(|(row, it)| **it <= model.predict(row));
            let share = covered.count() as f64 / 1000.0;
            assert!((share - quantile).abs() < 0.06, "{share} instead of {quantile}");
            // The quantile of x times uniform noise is quantile times x.
            let right = model.predict(&[Some(0.9), Some(0.5)]);
            assert!((right - 0.9 * quantile).abs() < 0.12, "{right} at {quantile}");
        }
    }

    #[test]
    fn what_is_missing_has_a_side_of_its_own() {
        let rows: Vec<Vec<Option<f64>>> = (0..60).map(|at| vec![(at % 3 > 0).then(|| f64::from(at % 3))]).collect();
        let targets: Vec<f64> = (0..60).map(|at| if at % 3 == 0 { 5.0 } else { 1.0 }).collect();
        let model = fit(&rows, &targets, 0.5);
        for (value, target) in [(None, 5.0), (Some(1.0), 1.0), (Some(2.0), 1.0)] {
            let found = model.predict(&[value]);
            assert!((found - target).abs() < 1e-5, "{value:?}: {found}");
        }
    }

    #[test]
    fn the_order_of_the_rows_changes_nothing() {
        let (rows, targets) = fan(300);
        let all = keys(300);
        let order: Vec<usize> = (0..300).map(|at| (at * 7) % 300).collect();
        assert_eq!(order.iter().collect::<std::collections::BTreeSet<_>>().len(), 300);
        let shuffled: Vec<Vec<Option<f64>>> = order.iter().map(|at| rows[*at].clone()).collect();
        let of = |rows: &[Vec<Option<f64>>], order: &mut dyn Iterator<Item = usize>| {
            let (targets, keys): (Vec<f64>, Vec<u64>) = order.map(|at| (targets[at], all[at])).unzip();
            Boosted::fit(&Column::all(rows), &targets, &keys, 0.9, 1).unwrap()
        };
        let straight = of(&rows, &mut (0..300));
        assert_eq!(straight, of(&shuffled, &mut order.into_iter()));
        assert_ne!(straight, Boosted::fit(&Column::all(&rows), &targets, &all, 0.9, 2).unwrap());
    }

    #[test]
    fn no_rows_no_model() {
        assert_eq!(Boosted::fit(&[], &[], &[], 0.5, 1), None);
    }
}
