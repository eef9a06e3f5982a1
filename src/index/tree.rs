//! A balanced k-d tree over 32-bit coordinates: which rows may lie within a radius, without missing any.
//!
//! Every node halves its rows at the median of the axis in which they spread most, down to leaves of at most [`LEAF`]
//! rows; all leaves lie at one depth, so a node's rows follow from its number. A node keeps the box around its rows, which
//! prunes better than the cuts themselves: in 16 dimensions most axes are never cut. Coordinates of a leaf lie axis by axis,
//! so that one instruction looks at several rows. Cost: one pass over the rows and a selection per level to build; memory
//! 4 bytes a coordinate and two boxes a leaf.

use rayon::prelude::*;

use super::Points;
use super::grid::Grid;
use super::probe::{AXES, Probe};

/// Most rows of a leaf.
const LEAF: usize = 32;

/// Rows that are looked at together.
pub(super) const LANES: usize = 8;

/// Rows from which on both halves of a node are built at the same time.
const PARALLEL: usize = 8192;

/// Most dimensions of a tree: fingerprints have at most 32, and with more a scan is as fast.
pub(super) const MOST_DIMENSIONS: usize = 64;

/// Marks a place of a leaf without a row.
const NOBODY: u32 = u32::MAX;

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
    places: usize,
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

    const fn leaves(self) -> usize {
        1 << self.levels
    }

    /// Returns how many numbers a box takes: the lower corner, then the upper one.
    const fn box_length(self) -> usize {
        2 * self.dimensions.next_multiple_of(AXES)
    }

    /// Returns where the rows of a leaf begin among the rows in the order of the leaves.
    const fn begin(self, leaf: usize) -> usize {
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

    /// Returns the boxes, then the coordinates of the leaves, then their rows, little-endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 * (self.boxes.len() + self.coordinates.len() + self.rows.len()));
        bytes.extend(self.boxes.iter().chain(&self.coordinates).flat_map(|number| number.to_le_bytes()));
        bytes.extend(self.rows.iter().flat_map(|row| row.to_le_bytes()));
        bytes
    }

    /// Returns the tree of these bytes; nothing where they are not one of so many rows and dimensions.
    pub(super) fn decode(rows: usize, dimensions: usize, bytes: &[u8]) -> Option<Self> {
        if rows == 0 || dimensions == 0 || dimensions > MOST_DIMENSIONS {
            return None;
        }
        let shape = Shape::of(rows, dimensions);
        let (boxes, rest) = bytes.split_at_checked(4 * 2 * shape.leaves() * shape.box_length())?;
        let (coordinates, listed) = rest.split_at_checked(4 * shape.leaves() * shape.places * dimensions)?;
        let words = |bytes: &[u8]| -> Vec<u32> {
            bytes.chunks_exact(4).map(|word| word.try_into().map_or(NOBODY, u32::from_le_bytes)).collect()
        };
        let numbers = |bytes: &[u8]| -> Vec<f32> { words(bytes).into_iter().map(f32::from_bits).collect() };
        let (boxes, coordinates, listed) = (numbers(boxes), numbers(coordinates), words(listed));
        let mut is_listed = vec![false; rows];
        for leaf in 0..shape.leaves() {
            let own = listed.get(leaf * shape.places..(leaf + 1) * shape.places)?;
            let (members, rest) = own.split_at_checked(shape.begin(leaf + 1) - shape.begin(leaf))?;
            for &row in members {
                let is_listed = is_listed.get_mut(row as usize)?;
                if std::mem::replace(is_listed, true) {
                    return None;
                }
            }
            if rest.iter().any(|&row| row != NOBODY) {
                return None;
            }
        }
        let is_whole = listed.len() == shape.leaves() * shape.places;
        is_whole.then_some(Self { shape, boxes, coordinates, rows: listed })
    }

    /// Offers every row whose score is not above the limit, nearest parts of the tree first. `offer` returns the limit from
    /// then on, or nothing to stop.
    pub(super) fn visit(&self, probe: &Probe, mut limit: f32, offer: &mut dyn FnMut(u32) -> Option<f32>) {
        let mut open: Vec<(f32, usize)> = Vec::with_capacity(64);
        let mut next = Some(1);
        while let Some(mut node) = next {
            while node < self.shape.leaves() {
                let (left, right) = self.children(node);
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
                let leaf = self.leaf(node - self.shape.leaves());
                for first in (0..self.shape.places).step_by(LANES) {
                    let Some(scores) = probe.of_rows(leaf, first, limit) else { continue };
                    for (&row, score) in leaf.rows[first..].iter().zip(scores) {
                        if is_within(score, limit) && row != NOBODY {
                            match offer(row) {
                                Some(lower) => limit = lower,
                                None => return,
                            }
                        }
                    }
                }
            }
            next = None;
            while let Some((score, node)) = open.pop() {
                if is_within(score, limit) {
                    next = Some(node);
                    break;
                }
            }
        }
    }

    fn children(&self, node: usize) -> (&[f32], &[f32]) {
        let length = self.shape.box_length();
        self.boxes[2 * node * length..][..2 * length].split_at(length)
    }

    fn leaf(&self, leaf: usize) -> Leaf<'_> {
        let Shape { places, dimensions, .. } = self.shape;
        Leaf {
            places,
            coordinates: &self.coordinates[leaf * places * dimensions..][..places * dimensions],
            rows: &self.rows[leaf * places..][..places],
        }
    }
}

/// What cannot be compared is looked at.
fn is_within(score: f32, limit: f32) -> bool {
    score <= limit || score.is_nan()
}

/// The places of one leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf<'a> {
    places: usize,
    coordinates: &'a [f32],
    rows: &'a [u32],
}

impl Leaf<'_> {
    /// Returns one axis of the places from `first` on.
    pub(super) fn lanes(&self, axis: usize, first: usize) -> &[f32; LANES] {
        const NOTHING: [f32; LANES] = [f32::INFINITY; LANES];
        self.coordinates[axis * self.places + first..].first_chunk().unwrap_or(&NOTHING)
    }
}
