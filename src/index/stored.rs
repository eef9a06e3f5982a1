//! `tree.kd`: a tree, with the rows that it was built from, in a file of blocks of which a search reads the parts that it visits.
//!
//! Content, little-endian: the boxes of the children of every node (32-bit numbers, as [`super::tree::Tree`] holds them); leaf by leaf the 32-bit coordinates axis by
//! axis, the rows, and the 64-bit coordinates row by row; then the place (leaf × places + place in it) of every row. [`Layout`] says where. Where there is
//! no tree, the 64-bit coordinates row by row. `docs/index-format.md` has the offsets.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactError;
use crate::artifact::blocks::{BLOCK, BlockWriter, Blocks, Seal};

use super::grid::Grid;
use super::layout::Layout;
use super::tree::{Found, Leaf, MOST_DIMENSIONS, NOBODY, Nodes, Page, Shape, Tree};
use super::{Points, SearchError};

/// Kind of the seal.
const KIND: &str = "kd-tree";

/// Version of the layout that is written, and the only one that is read. Version 1 held an archive of kiddo, version 2 one
/// checksum for all and no 64-bit coordinates, version 3 the boxes level by level and the 64-bit coordinates behind all leaves.
const VERSION: u32 = 4;

/// What the seal says besides kind and version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) dimensions: usize,
    pub(super) rows: usize,
    /// Largest absolute coordinate.
    pub(super) largest: f64,
    pub(super) is_tree: bool,
    pub(super) grid: Grid,
}

/// A tree in a file.
#[derive(Debug)]
pub(super) struct StoredTree {
    shape: Shape,
    layout: Layout,
    blocks: Blocks,
}

/// What was opened.
pub(super) enum Opened {
    Tree(Box<StoredTree>),
    Points(Arc<Points>),
}

/// Writes points with their tree, or alone.
pub(super) fn write(path: &Path, points: &Points, grid: &Grid, tree: Option<&Tree>) -> Result<(), ArtifactError> {
    let about = About {
        dimensions: points.dimensions(),
        rows: points.rows(),
        largest: points.largest(),
        is_tree: tree.is_some(),
        grid: grid.clone(),
    };
    let about =
        serde_json::to_string(&about).map_err(|source| ArtifactError::Encode { path: path.to_owned(), source })?;
    let mut writer = BlockWriter::create(path)?;
    match tree {
        None => {
            for (_, row) in points.iter() {
                writer.extend(row.iter().flat_map(|number| number.to_le_bytes()))?;
            }
        }
        Some(tree) => {
            write_tree(&mut writer, points, tree)?;
        }
    }
    writer.commit(&Seal { kind: KIND.to_owned(), version: VERSION, about })
}

fn write_tree(writer: &mut BlockWriter, points: &Points, tree: &Tree) -> Result<(), ArtifactError> {
    let shape = tree.shape();
    let layout = Layout::of(shape);
    let length = shape.box_length();
    // Part by part in the order of the file, with zeros between them.
    let mut parents: Vec<(u64, usize)> = (1..shape.leaves()).map(|node| (layout.children(node), node)).collect();
    parents.sort_unstable();
    for (at, node) in parents {
        writer.fill_to(at)?;
        writer
            .extend(tree.boxes()[2 * node * length..][..2 * length].iter().flat_map(|number| number.to_le_bytes()))?;
    }
    let mut places = vec![NOBODY; points.rows()];
    for leaf in 0..shape.leaves() {
        let own = tree.leaf_at(leaf);
        writer.fill_to(layout.leaf(leaf))?;
        writer.extend(own.coordinates.iter().flat_map(|number| number.to_le_bytes()))?;
        writer.extend(own.rows.iter().flat_map(|row| row.to_le_bytes()))?;
        for (place, &row) in own.rows.iter().enumerate() {
            let nothing = || std::iter::repeat_n(0_u8, 8 * shape.dimensions);
            match points.row(row) {
                Some(exact) => writer.extend(exact.iter().flat_map(|number| number.to_le_bytes()))?,
                None => writer.extend(nothing())?,
            }
            if let Some(own) = places.get_mut(row as usize) {
                *own = u32::try_from(leaf * shape.places + place).unwrap_or(NOBODY);
            }
        }
    }
    writer.fill_to(layout.places())?;
    writer.extend(places.iter().flat_map(|place| place.to_le_bytes()))
}

/// Opens what [`write`] wrote. Of a tree nothing is read yet.
pub(super) fn open(seal: &Seal, blocks: Blocks) -> Result<(About, Opened), ArtifactError> {
    let path = blocks.path().to_owned();
    seal.expect(&path, KIND, VERSION, "a tree of fingerprints")?;
    let damaged = |what: String| ArtifactError::Damaged { path: path.clone(), what };
    let about: About = serde_json::from_str(&seal.about).map_err(|error| damaged(format!("footer: {error}")))?;
    let unfit = || damaged("its parts do not fit together".to_owned());
    let rows = u32::try_from(about.rows).map_err(|_too_many| unfit())?;
    if !about.grid.is_of(about.dimensions) || !about.largest.is_finite() {
        return Err(unfit());
    }
    let bare = about.dimensions.checked_mul(8).and_then(|row| row.checked_mul(about.rows)).ok_or_else(unfit)?;
    if !about.is_tree {
        if blocks.bytes() != bare as u64 {
            return Err(unfit());
        }
        let mut bytes = vec![0; bare];
        blocks.copy(0, &mut bytes)?;
        let points = Points::new(about.dimensions, numbers(&bytes)).map_err(|error| damaged(error.to_string()))?;
        return Ok((about, Opened::Points(Arc::new(points))));
    }
    if rows == 0 || about.dimensions == 0 || about.dimensions > MOST_DIMENSIONS {
        return Err(unfit());
    }
    let shape = Shape::of(about.rows, about.dimensions);
    let layout = Layout::of(shape);
    if blocks.bytes() != layout.end() {
        return Err(unfit());
    }
    Ok((about, Opened::Tree(Box::new(StoredTree { shape, layout, blocks }))))
}

fn numbers(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<8>().0.iter().map(|number| f64::from_le_bytes(*number)).collect()
}

impl StoredTree {
    pub(super) const fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    fn damaged(&self, what: &str) -> SearchError {
        ArtifactError::Damaged { path: self.blocks.path().to_owned(), what: what.to_owned() }.into()
    }

    /// Returns the coordinates at a place (leaf × places + place in it).
    fn at(&self, place: usize) -> Result<Vec<f64>, SearchError> {
        let mut bytes = vec![0; 8 * self.shape.dimensions];
        self.blocks.copy(self.layout.exact(place), &mut bytes)?;
        self.checked(numbers(&bytes))
    }

    fn checked(&self, row: Vec<f64>) -> Result<Vec<f64>, SearchError> {
        if row.iter().all(|coordinate| coordinate.is_finite()) {
            Ok(row)
        } else {
            Err(self.damaged("a coordinate is not finite"))
        }
    }

    /// Returns the coordinates of a row; nothing beyond the last.
    pub(super) fn row(&self, row: u32) -> Result<Option<Vec<f64>>, SearchError> {
        if row as usize >= self.shape.rows {
            return Ok(None);
        }
        let mut place = [0; 4];
        self.blocks.copy(self.layout.places() + 4 * u64::from(row), &mut place)?;
        let place = u32::from_le_bytes(place) as usize;
        if place >= self.shape.leaves() * self.shape.places {
            return Err(self.damaged("a row has no place"));
        }
        self.at(place).map(Some)
    }

    /// Reads all rows.
    pub(super) fn points(&self) -> Result<Points, SearchError> {
        let Shape { rows, dimensions, .. } = self.shape;
        let mut coordinates = vec![f64::NAN; rows * dimensions];
        let mut page = Page::default();
        for leaf in 0..self.shape.leaves() {
            let listed: Vec<u32> = self.leaf(leaf, &mut page)?.rows.to_vec();
            for (place, row) in listed.into_iter().enumerate().filter(|&(_, row)| row != NOBODY) {
                let exact = self.at(leaf * self.shape.places + place)?;
                coordinates[row as usize * dimensions..][..dimensions].copy_from_slice(&exact);
            }
        }
        Points::new(dimensions, coordinates).map_err(|_a_row_is_missing| self.damaged("a row is in no leaf"))
    }
}

impl Nodes for StoredTree {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn children<'a>(&'a self, node: usize, page: &'a mut Page) -> Result<(&'a [f32], &'a [f32]), SearchError> {
        let length = self.shape.box_length();
        let Page { last, numbers, .. } = page;
        let bytes = self.blocks.within(last, self.layout.children(node), 8 * length)?;
        numbers.clear();
        numbers.extend(bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)));
        Ok(numbers.split_at(length))
    }

    fn leaf<'a>(&'a self, leaf: usize, page: &'a mut Page) -> Result<Leaf<'a>, SearchError> {
        let Shape { places, dimensions, .. } = self.shape;
        let (front, whole) = (self.layout.front_bytes(), self.layout.leaf_bytes());
        // What lies in the same block is there anyway, more is read row by row.
        page.bytes.resize(if whole <= BLOCK { whole } else { front }, 0);
        self.blocks.copy(self.layout.leaf(leaf), &mut page.bytes)?;
        page.decode(places * dimensions, places);
        let members = self.shape.begin(leaf + 1) - self.shape.begin(leaf);
        let is_sound = |(place, row): (usize, &u32)| {
            if place < members { (*row as usize) < self.shape.rows } else { *row == NOBODY }
        };
        if !page.rows.iter().enumerate().all(is_sound) {
            return Err(self.damaged("its parts do not fit together"));
        }
        Ok(Leaf { places, coordinates: &page.numbers, rows: &page.rows, exact: &page.bytes[front..] })
    }

    fn exact<'a>(&'a self, of: Found<'_>, page: &'a mut Vec<f64>) -> Result<&'a [f64], SearchError> {
        let length = 8 * self.shape.dimensions;
        *page = match of.leaf.exact.get(of.place * length..(of.place + 1) * length) {
            Some(bytes) => self.checked(numbers(bytes))?,
            None => self.at(of.number * self.shape.places + of.place)?,
        };
        Ok(page)
    }
}
