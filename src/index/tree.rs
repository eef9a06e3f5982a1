//! A balanced k-d tree over 32-bit coordinates: which rows may lie within a radius, without missing any.
//!
//! Every node halves its rows at the median of the axis in which they spread most, down to leaves of at most [`LEAF`]
//! rows; all leaves lie at one depth, so a node's rows follow from its number. A node keeps the box around its rows, which
//! prunes better than the cuts themselves: in 16 dimensions most axes are never cut. Coordinates of a leaf lie axis by axis,
//! so that one instruction looks at several rows. Cost: one pass over the rows and a selection per level to build; memory
//! 4 bytes a coordinate and two boxes a leaf.

use rayon::prelude::*;

use crate::artifact::blocks::LastBlock;

use super::grid::Grid;
use super::probe::{AXES, Probe};
use super::{Points, SearchError};

/// Most rows of a leaf.
const LEAF: usize = 32;

/// Rows that are looked at together.
pub(super) const LANES: usize = 8;

/// Rows from which on both halves of a node are built at the same time.
const PARALLEL: usize = 8192;

/// Most dimensions of a tree: fingerprints have at most 32, and with more a scan is as fast.
pub(super) const MOST_DIMENSIONS: usize = 64;

/// Marks a place of a leaf without a row.
pub(super) const NOBODY: u32 = u32::MAX;

/// The uppermost node.
pub(super) const ROOT: usize = 1;

/// Marks no node: larger than any.
const NOWHERE: usize = usize::MAX;

/// The shape of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) rows: usize,
    pub(super) dimensions: usize,
    /// Levels of nodes above the leaves.
    levels: u32,
    /// Places of a leaf.
    pub(super) places: usize,
}

impl Shape {
    pub(super) fn of(rows: usize, dimensions: usize) -> Self {
        let mut levels = 0;
        while rows > LEAF << levels {
            levels += 1;
        }
        let largest = rows.div_ceil(1 << levels);
        Self { rows, dimensions, levels, places: largest.next_multiple_of(LANES) }
    }

    pub(super) const fn levels(self) -> u32 {
        self.levels
    }

    pub(super) const fn leaves(self) -> usize {
        1 << self.levels
    }

    /// Returns how many numbers a box takes: the lower corner, then the upper one.
    pub(super) const fn box_length(self) -> usize {
        2 * self.dimensions.next_multiple_of(AXES)
    }

    /// Returns where the rows of a leaf begin among the rows in the order of the leaves.
    pub(super) const fn begin(self, leaf: usize) -> usize {
        ((self.rows as u128 * leaf as u128) >> self.levels) as usize
    }
}

/// The tree.
#[derive(Debug)]
pub(super) struct Tree {
    shape: Shape,
    /// Boxes of the nodes, breadth first: the root is 1, the children of i are 2 i and 2 i + 1. Place 0 is not used.
    boxes: Vec<f32>,
    /// Leaf by leaf, axis by axis.
    coordinates: Vec<f32>,
    /// Leaf by leaf, ascending inside each.
    rows: Vec<u32>,
}

/// A part of the tree that is being built.
struct Part<'a> {
    placed: &'a [f32],
    shape: Shape,
}

impl Part<'_> {
    fn point(&self, row: u32) -> &[f32] {
        &self.placed[row as usize * self.shape.dimensions..][..self.shape.dimensions]
    }

    /// Orders `rows` (those of the leaves `first` .. `first` + 2^`levels`) and writes the boxes above them, breadth first per level.
    fn split(&self, rows: &mut [u32], first: usize, levels: u32, keys: &mut Vec<(f32, u32)>) {
        if levels == 0 {
            rows.sort_unstable();
            return;
        }
        let middle = self.shape.begin(first + (1 << (levels - 1))) - self.shape.begin(first);
        let axis = self.widest(rows);
        keys.clear();
        keys.extend(rows.iter().map(|&row| (self.point(row)[axis], row)));
        keys.select_nth_unstable_by(middle, |left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        for (row, key) in rows.iter_mut().zip(&*keys) {
            *row = key.1;
        }
        let (left, right) = rows.split_at_mut(middle);
        let second = first + (1 << (levels - 1));
        if left.len() >= PARALLEL {
            rayon::join(
                || self.split(left, first, levels - 1, keys),
                || self.split(right, second, levels - 1, &mut Vec::new()),
            );
        } else {
            self.split(left, first, levels - 1, keys);
            self.split(right, second, levels - 1, keys);
        }
    }

    /// Returns the axis along which the rows spread most.
    fn widest(&self, rows: &[u32]) -> usize {
        let dimensions = self.shape.dimensions;
        let (mut sums, mut squares) = ([0.0_f64; MOST_DIMENSIONS], [0.0_f64; MOST_DIMENSIONS]);
        let origin = self.point(rows[0]);
        // A sample tells as well which axis is the widest.
        let step = (rows.len() / 1024).max(1);
        let mut count = 0.0;
        for &row in rows.iter().step_by(step) {
            count += 1.0;
            for (axis, (&at, &from)) in self.point(row).iter().zip(origin).enumerate() {
                let gap = f64::from(at - from);
                sums[axis] += gap;
                squares[axis] += gap * gap;
            }
        }
        let variance = |axis: usize| squares[axis] - sums[axis] * sums[axis] / count;
        (0..dimensions).fold(0, |best, axis| if variance(axis) > variance(best) { axis } else { best })
    }
}

impl Tree {
    /// Builds the tree of points; nothing without rows, or with more dimensions than a box is made for.
    pub(super) fn build(points: &Points, grid: &Grid) -> Option<Self> {
        let dimensions = points.dimensions();
        if points.rows() == 0 || dimensions > MOST_DIMENSIONS {
            return None;
        }
        let mut placed = Vec::with_capacity(points.rows() * dimensions);
        for (_, row) in points.iter() {
            placed.extend(grid.place(row)?);
        }
        let shape = Shape::of(points.rows(), dimensions);
        let mut order: Vec<u32> = (0..).take(shape.rows).collect();
        let part = Part { placed: &placed, shape };
        part.split(&mut order, 0, shape.levels, &mut Vec::new());
        let mut coordinates = vec![f32::INFINITY; shape.leaves() * shape.places * dimensions];
        let mut rows = vec![NOBODY; shape.leaves() * shape.places];
        let mut boxes = vec![0.0; 2 * shape.leaves() * shape.box_length()];
        let (_, last) = boxes.split_at_mut(shape.leaves() * shape.box_length());
        coordinates
            .par_chunks_mut(shape.places * dimensions)
            .zip(rows.par_chunks_mut(shape.places))
            .zip(last.par_chunks_mut(shape.box_length()))
            .enumerate()
            .for_each(|(leaf, ((coordinates, rows), own))| {
                let (low, high) = own.split_at_mut(shape.box_length() / 2);
                low[..dimensions].fill(f32::INFINITY);
                high[..dimensions].fill(f32::NEG_INFINITY);
                let members = &order[shape.begin(leaf)..shape.begin(leaf + 1)];
                rows[..members.len()].copy_from_slice(members);
                for (place, &row) in members.iter().enumerate() {
                    for (axis, &at) in part.point(row).iter().enumerate() {
                        coordinates[axis * shape.places + place] = at;
                        low[axis] = low[axis].min(at);
                        high[axis] = high[axis].max(at);
                    }
                }
            });
        let length = shape.box_length();
        for node in (1..shape.leaves()).rev() {
            let (own, below) = boxes.split_at_mut(2 * node * length);
            let own = &mut own[node * length..(node + 1) * length];
            let (left, right) = below[..2 * length].split_at(length);
            for axis in 0..length / 2 {
                own[axis] = left[axis].min(right[axis]);
                own[length / 2 + axis] = left[length / 2 + axis].max(right[length / 2 + axis]);
            }
        }
        Some(Self { shape, boxes, coordinates, rows })
    }

    pub(super) const fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn boxes(&self) -> &[f32] {
        &self.boxes
    }

    pub(super) fn leaf_at(&self, leaf: usize) -> Leaf<'_> {
        let Shape { places, dimensions, .. } = self.shape;
        Leaf {
            places,
            coordinates: &self.coordinates[leaf * places * dimensions..][..places * dimensions],
            rows: &self.rows[leaf * places..][..places],
            exact: &[],
        }
    }
}

/// Room for a part of a tree that is read from a file.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) last: LastBlock,
    pub(super) bytes: Vec<u8>,
    pub(super) numbers: Vec<f32>,
    pub(super) rows: Vec<u32>,
}

impl Page {
    /// Turns the first bytes into so many numbers, and those behind them into rows.
    pub(super) fn decode(&mut self, numbers: usize, rows: usize) {
        let words = self.bytes.as_chunks::<4>().0;
        let (first, rest) = words.split_at(numbers.min(words.len()));
        self.numbers.clear();
        self.numbers.extend(first.iter().map(|word| f32::from_le_bytes(*word)));
        self.rows.clear();
        self.rows.extend(rest.iter().take(rows).map(|word| u32::from_le_bytes(*word)));
    }
}

/// A row that a search came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) row: u32,
    /// Number of its leaf.
    pub(super) number: usize,
    pub(super) leaf: Leaf<'a>,
    /// Its place in the leaf.
    pub(super) place: usize,
}

/// A tree with its rows, wherever they are.
pub(super) trait Nodes {
    fn shape(&self) -> Shape;

    /// Returns the boxes of both children of a node.
    fn children<'a>(&'a self, node: usize, page: &'a mut Page) -> Result<(&'a [f32], &'a [f32]), SearchError>;

    fn leaf<'a>(&'a self, leaf: usize, page: &'a mut Page) -> Result<Leaf<'a>, SearchError>;

    /// Returns the 64-bit coordinates of a row.
    fn exact<'a>(&'a self, of: Found<'_>, page: &'a mut Vec<f64>) -> Result<&'a [f64], SearchError>;
}

/// A tree in memory with its rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) points: &'a Points,
    pub(super) tree: &'a Tree,
}

impl Nodes for Held<'_> {
    fn shape(&self) -> Shape {
        self.tree.shape
    }

    fn children<'a>(&'a self, node: usize, _: &'a mut Page) -> Result<(&'a [f32], &'a [f32]), SearchError> {
        let length = self.tree.shape.box_length();
        Ok(self.tree.boxes[2 * node * length..][..2 * length].split_at(length))
    }

    fn leaf<'a>(&'a self, leaf: usize, _: &'a mut Page) -> Result<Leaf<'a>, SearchError> {
        Ok(self.tree.leaf_at(leaf))
    }

    fn exact<'a>(&'a self, of: Found<'_>, _: &'a mut Vec<f64>) -> Result<&'a [f64], SearchError> {
        Ok(self.points.row(of.row).unwrap_or_default())
    }
}

/// Offers every row below node `top` whose score is not above the limit, nearest parts of the tree first. `limit_now` returns the limit, which what is offered
/// may lower.
pub(super) fn visit<N: Nodes>(
    nodes: &N,
    top: usize,
    probe: &Probe,
    limit_now: impl Fn() -> f32,
    mut offer: impl FnMut(Found<'_>) -> Result<(), SearchError>,
) -> Result<(), SearchError> {
    let shape = nodes.shape();
    let mut page = Page::default();
    let mut open: Vec<(f32, usize)> = Vec::with_capacity(64);
    let mut next = Some(top);
    while let Some(mut node) = next {
        let mut limit = limit_now();
        while node < shape.leaves() {
            let (left, right) = nodes.children(node, &mut page)?;
            let (left, right) = (probe.of_box(left, limit), probe.of_box(right, limit));
            let (near, far) = if left <= right {
                ((left, 2 * node), (right, 2 * node + 1))
            } else {
                ((right, 2 * node + 1), (left, 2 * node))
            };
            if is_within(far.0, limit) {
                open.push(far);
            }
            node = if is_within(near.0, limit) { near.1 } else { NOWHERE };
        }
        if node != NOWHERE {
            let number = node - shape.leaves();
            let leaf = nodes.leaf(number, &mut page)?;
            for first in (0..shape.places).step_by(LANES) {
                let Some(scores) = probe.of_rows(leaf, first, limit) else { continue };
                for ((place, &row), score) in (first..).zip(&leaf.rows[first..]).zip(scores) {
                    if is_within(score, limit) && row != NOBODY {
                        offer(Found { row, number, leaf, place })?;
                        limit = limit_now();
                    }
                }
            }
        }
        next = None;
        let limit = limit_now();
        while let Some((score, node)) = open.pop() {
            if is_within(score, limit) {
                next = Some(node);
                break;
            }
        }
    }
    Ok(())
}

/// What cannot be compared is looked at.
pub(super) fn is_within(score: f32, limit: f32) -> bool {
    score <= limit || score.is_nan()
}

/// The places of one leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf<'a> {
    pub(super) places: usize,
    pub(super) coordinates: &'a [f32],
    pub(super) rows: &'a [u32],
    /// Their 64-bit coordinates as bytes, where they were read with the others.
    pub(super) exact: &'a [u8],
}

impl Leaf<'_> {
    /// Returns one axis of the places from `first` on.
    pub(super) fn lanes(&self, axis: usize, first: usize) -> &[f32; LANES] {
        const NOTHING: [f32; LANES] = [f32::INFINITY; LANES];
        self.coordinates[axis * self.places + first..].first_chunk().unwrap_or(&NOTHING)
    }
}
