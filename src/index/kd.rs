//! The k-d tree of kiddo over 32-bit coordinates, for every supported number of dimensions.
//!
//! Rows that coincide in 32 bits are one group, because the tree would keep them in one leaf and return arbitrary
//! members. The tree computes in 64 bits from its 32-bit coordinates.

use std::num::NonZero;

use hashbrown::HashMap;
use kiddo::{ImmutableKdTree, SquaredEuclidean};
use rkyv::util::AlignedVec;

use super::grid::Grid;
use super::mmap::MappedTree;
use super::{BuildError, Points};

/// Version of kiddo whose private layout the archives follow; `Cargo.toml` pins the same.
pub(super) const KIDDO_VERSION: &str = "6.3.0";

/// A tree of any number of dimensions: proposes groups of rows.
pub(super) trait Tree: Send + Sync {
    /// Returns the `count` nearest groups with their squared distances in the tree, in any order.
    fn nearest(&self, query: &[f32], count: usize) -> Vec<(u32, f64)>;
    /// Visits every group within a squared radius, in any order.
    fn within(&self, query: &[f32], squared_radius: f64, visit: &mut dyn FnMut(u32));
    /// Returns the tree's archive; nothing for a tree that is one already.
    fn archive(&self) -> Option<Result<AlignedVec, rkyv::rancor::Error>>;
}

/// Which rows share their 32-bit coordinates.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Groups {
    /// Where each group begins in `rows`, and the end of the last.
    pub(super) starts: Vec<u32>,
    /// Rows by group, ascending inside each.
    pub(super) rows: Vec<u32>,
}

impl Groups {
    /// Returns the rows of a group.
    pub(super) fn rows_of(&self, group: u32) -> &[u32] {
        let at = group as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&from), Some(&to)) => self.rows.get(from as usize..to as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Returns how many groups there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
}

macro_rules! for_dimensions {
    ($dimensions:expr, $call:ident ( $($argument:expr),* ), $otherwise:expr) => {
        match $dimensions {
            2 => $call::<2>($($argument),*),
            3 => $call::<3>($($argument),*),
            4 => $call::<4>($($argument),*),
            6 => $call::<6>($($argument),*),
            8 => $call::<8>($($argument),*),
            10 => $call::<10>($($argument),*),
            12 => $call::<12>($($argument),*),
            16 => $call::<16>($($argument),*),
            20 => $call::<20>($($argument),*),
            24 => $call::<24>($($argument),*),
            32 => $call::<32>($($argument),*),
            _ => $otherwise,
        }
    };
}

type Built = Option<(Box<dyn Tree>, Groups)>;

/// Builds a tree; nothing where no tree is compiled for that many dimensions.
pub(super) fn build(points: &Points, grid: &Grid) -> Result<Built, BuildError> {
    for_dimensions!(points.dimensions(), build_for(points, grid), Ok(None))
}

fn build_for<const K: usize>(points: &Points, grid: &Grid) -> Result<Built, BuildError> {
    let mut group_of: HashMap<[u32; K], u32> = HashMap::with_capacity(points.rows());
    let mut placed: Vec<[f32; K]> = Vec::new();
    let mut groups_of_rows: Vec<u32> = Vec::with_capacity(points.rows());
    for (_, row) in points.iter() {
        let Some(point) = grid.place(row).and_then(|place| <[f32; K]>::try_from(place).ok()) else { return Ok(None) };
        let next = u32::try_from(placed.len()).unwrap_or(u32::MAX);
        let group = *group_of.entry(point.map(f32::to_bits)).or_insert(next);
        if group == next {
            placed.push(point);
        }
        groups_of_rows.push(group);
    }
    let mut starts = vec![0_u32; placed.len() + 1];
    for &group in &groups_of_rows {
        starts[group as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut free = starts.clone();
    let mut rows = vec![0_u32; groups_of_rows.len()];
    for (row, &group) in (0_u32..).zip(&groups_of_rows) {
        rows[free[group as usize] as usize] = row;
        free[group as usize] += 1;
    }
    let tree: ImmutableKdTree<f32, K> =
        ImmutableKdTree::new_from_slice(&placed).map_err(|error| BuildError::Tree { what: error.to_string() })?;
    Ok(Some((Box::new(OwnedTree(tree)), Groups { starts, rows })))
}

/// Opens the archive at the start of a mapped file; nothing where no tree is compiled for that many dimensions.
pub(super) fn open(dimensions: usize, map: memmap2::Mmap, length: usize) -> Option<Result<Box<dyn Tree>, String>> {
    for_dimensions!(dimensions, open_for(map, length), None)
}

#[expect(clippy::unnecessary_wraps, reason = "one arm of a match over dimensions")]
fn open_for<const K: usize>(map: memmap2::Mmap, length: usize) -> Option<Result<Box<dyn Tree>, String>> {
    Some(MappedTree::<K>::new(map, length).map(|tree| Box::new(tree) as Box<dyn Tree>))
}

struct OwnedTree<const K: usize>(ImmutableKdTree<f32, K>);

impl<const K: usize> Tree for OwnedTree<K> {
    fn nearest(&self, query: &[f32], count: usize) -> Vec<(u32, f64)> {
        let (Ok(query), Some(count)) = (<&[f32; K]>::try_from(query), NonZero::new(count)) else { return Vec::new() };
        let found = self.0.query(query).nearest_n::<SquaredEuclidean<f64>>(count).unsorted().execute();
        found.into_iter().map(|found| (found.item, found.distance)).collect()
    }

    fn within(&self, query: &[f32], squared_radius: f64, visit: &mut dyn FnMut(u32)) {
        if let Ok(query) = <&[f32; K]>::try_from(query) {
            self.0
                .query(query)
                .within::<SquaredEuclidean<f64>>(squared_radius)
                .unsorted()
                .visit(|found| visit(found.item));
        }
    }

    fn archive(&self) -> Option<Result<AlignedVec, rkyv::rancor::Error>> {
        Some(rkyv::to_bytes::<rkyv::rancor::Error>(&self.0))
    }
}

impl<const K: usize> Tree for MappedTree<K> {
    fn nearest(&self, query: &[f32], count: usize) -> Vec<(u32, f64)> {
        let (Ok(query), Some(count)) = (<&[f32; K]>::try_from(query), NonZero::new(count)) else { return Vec::new() };
        let found = self.get().query(query).nearest_n::<SquaredEuclidean<f64>>(count).unsorted().execute();
        found.into_iter().map(|found| (found.item, found.distance)).collect()
    }

    fn within(&self, query: &[f32], squared_radius: f64, visit: &mut dyn FnMut(u32)) {
        if let Ok(query) = <&[f32; K]>::try_from(query) {
            self.get()
                .query(query)
                .within::<SquaredEuclidean<f64>>(squared_radius)
                .unsorted()
                .visit(|found| visit(found.item));
        }
    }

    fn archive(&self) -> Option<Result<AlignedVec, rkyv::rancor::Error>> {
        None
    }
}
