//! The index: candidates from the tree, distances from the rows.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::artifact::ArtifactError;
use crate::artifact::blocks::{Blocks, Seal};

use super::flat::scan;
use super::grid::Grid;
use super::measure::{Measure, Nearest};
use super::probe::Probe;
use super::stored::{self, About, Opened, StoredTree};
use super::tree::{Held, Nodes, Tree, visit};
use super::{Metric, NearestNeighbours, Neighbour, Points, SearchError};

/// Below this many rows a scan is as fast as a tree (32 leaves of 32 rows), so none is built.
pub const LEAST_TREE_ROWS: usize = 1024;

/// What answers queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// The k-d tree.
    Tree,
    /// The scan of all rows.
    Flat,
}

/// Points and, where it pays, their tree.
pub struct Index {
    rows: usize,
    dimensions: usize,
    /// Largest absolute coordinate.
    largest: f64,
    grid: Grid,
    held: Holding,
}

/// What is searched.
enum Holding {
    Scan(Arc<Points>),
    Tree(Arc<Points>, Tree),
    /// In a file.
    Stored(StoredTree),
}

impl std::fmt::Debug for Index {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Index")
            .field("rows", &self.rows)
            .field("dimensions", &self.dimensions)
            .field("structure", &self.structure())
            .finish_non_exhaustive()
    }
}

impl Index {
    /// Builds a tree from [`LEAST_TREE_ROWS`] rows on, else a scan.
    pub fn build(points: Arc<Points>) -> Self {
        let structure = if points.rows() < LEAST_TREE_ROWS { Structure::Flat } else { Structure::Tree };
        Self::build_as(points, structure)
    }

    /// Builds what is asked for; a tree falls back to a scan for an empty set and for more dimensions than a tree is made for.
    pub fn build_as(points: Arc<Points>, structure: Structure) -> Self {
        let grid = Grid::of(&points);
        let tree = match structure {
            Structure::Tree => Tree::build(&points, &grid),
            Structure::Flat => None,
        };
        let (rows, dimensions, largest) = (points.rows(), points.dimensions(), points.largest());
        let held = match tree {
            Some(tree) => Holding::Tree(points, tree),
            None => Holding::Scan(points),
        };
        Self { rows, dimensions, largest, grid, held }
    }

    /// Takes what [`Self::write`] wrote. Of a tree only what a search comes to is read, and compared with its checksum.
    ///
    /// # Errors
    /// The file is damaged, something else, or has another format version.
    pub fn open(seal: &Seal, blocks: Blocks) -> Result<Self, ArtifactError> {
        let (about, opened) = stored::open(seal, blocks)?;
        let held = match opened {
            Opened::Tree(tree) => Holding::Stored(tree),
            Opened::Points(points) => Holding::Scan(points),
        };
        let About { dimensions, rows, largest, grid, .. } = about;
        Ok(Self { rows, dimensions, largest, grid, held })
    }

    /// Writes points and tree to `path`, atomically.
    ///
    /// # Errors
    /// The file cannot be replaced, or what is stored elsewhere cannot be read.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        match &self.held {
            Holding::Scan(points) => stored::write(path, points, &self.grid, None),
            Holding::Tree(points, tree) => stored::write(path, points, &self.grid, Some(tree)),
            Holding::Stored(tree) => {
                let damaged = |error: SearchError| ArtifactError::Damaged {
                    path: tree.blocks().path().to_owned(),
                    what: error.to_string(),
                };
                Self::build_as(Arc::new(tree.points().map_err(damaged)?), Structure::Tree).write(path)
            }
        }
    }

    fn measure(&self, query: &[f64], metric: &Metric) -> Result<Measure, SearchError> {
        Measure::new(self.dimensions, self.largest, query, metric)
    }

    /// Returns the `k` nearest of the listed rows, by (distance, row), by comparing with each of them: for a selection that
    /// is small beside all rows. Rows beyond the last are passed over.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub fn nearest_of(
        &self,
        rows: &[u32],
        query: &[f64],
        k: usize,
        metric: &Metric,
    ) -> Result<Vec<Neighbour>, SearchError> {
        let measure = self.measure(query, metric)?;
        let mut nearest = Nearest::new(k);
        for &row in rows.iter().filter(|_| k > 0) {
            if let Some(coordinates) = self.row(row)? {
                nearest.offer(row, measure.distance(&coordinates)?);
            }
        }
        Ok(nearest.sorted())
    }

    /// Returns what answers queries.
    pub const fn structure(&self) -> Structure {
        match self.held {
            Holding::Scan(_) => Structure::Flat,
            Holding::Tree(..) | Holding::Stored(_) => Structure::Tree,
        }
    }

    /// Returns the coordinates of a row; nothing beyond the last.
    ///
    /// # Errors
    /// What is read is damaged.
    pub fn row(&self, row: u32) -> Result<Option<Cow<'_, [f64]>>, SearchError> {
        match &self.held {
            Holding::Scan(points) | Holding::Tree(points, _) => Ok(points.row(row).map(Cow::Borrowed)),
            Holding::Stored(tree) => Ok(tree.row(row)?.map(Cow::Owned)),
        }
    }

    /// Returns all points, read where they are in a file.
    ///
    /// # Errors
    /// What is read is damaged.
    pub fn points(&self) -> Result<Arc<Points>, SearchError> {
        match &self.held {
            Holding::Scan(points) | Holding::Tree(points, _) => Ok(Arc::clone(points)),
            Holding::Stored(tree) => Ok(Arc::new(tree.points()?)),
        }
    }
}

impl NearestNeighbours for Index {
    fn rows(&self) -> usize {
        self.rows
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn nearest(
        &self,
        query: &[f64],
        k: usize,
        metric: &Metric,
        admits: &(dyn Fn(u32) -> bool + Sync),
    ) -> Result<Vec<Neighbour>, SearchError> {
        let measure = self.measure(query, metric)?;
        let probe = || Probe::new(&self.grid, &measure, query).filter(|_| k > 0);
        let everywhere = |points: &Points| scan(points, &measure, k, admits);
        match &self.held {
            Holding::Scan(points) => everywhere(points),
            Holding::Tree(points, tree) => match probe() {
                Some(probe) => search(&Held { points, tree }, &probe, &measure, k, admits),
                None => everywhere(points),
            },
            Holding::Stored(tree) => match probe() {
                Some(probe) => search(tree, &probe, &measure, k, admits),
                None if k == 0 => Ok(Vec::new()),
                None => everywhere(&tree.points()?),
            },
        }
    }
}

/// Candidates from a tree, distances from its rows.
fn search<N: Nodes>(
    nodes: &N,
    probe: &Probe,
    measure: &Measure,
    k: usize,
    admits: &(dyn Fn(u32) -> bool + Sync),
) -> Result<Vec<Neighbour>, SearchError> {
    let mut nearest = Nearest::new(k);
    let mut page = Vec::new();
    visit(nodes, probe, f32::INFINITY, |found| {
        if admits(found.row) {
            nearest.offer(found.row, measure.distance(nodes.exact(found, &mut page)?)?);
        }
        Ok(nearest.worst().map_or(f32::INFINITY, |worst| probe.limit(worst)))
    })?;
    Ok(nearest.sorted())
}
