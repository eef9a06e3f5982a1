//! The index: candidates from the tree, distances from the rows.

use std::path::Path;
use std::sync::Arc;

use crate::artifact::ArtifactError;

use super::flat::scan;
use super::grid::Grid;
use super::measure::{Measure, Nearest};
use super::probe::Probe;
use super::tree::Tree;
use super::{Metric, NearestNeighbours, Neighbour, OpenError, Points, SearchError, file};

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
    points: Arc<Points>,
    grid: Grid,
    tree: Option<Tree>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Index")
            .field("rows", &self.points.rows())
            .field("dimensions", &self.points.dimensions())
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
        Self { points, grid, tree }
    }

    /// Opens the tree at `path`, if it was built from these points.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the file; [`Index::build`] makes it anew.
    pub fn open(path: &Path, points: Arc<Points>) -> Result<Self, OpenError> {
        let tree = file::open(path, &points)?;
        let grid = Grid::of(&points);
        Ok(Self { points, grid, tree })
    }

    /// Opens the tree at `path`, or builds it where that fails and says why.
    pub fn open_or_build(path: &Path, points: Arc<Points>) -> (Self, Option<OpenError>) {
        match Self::open(path, Arc::clone(&points)) {
            Ok(index) => (index, None),
            Err(reason) => (Self::build(points), Some(reason)),
        }
    }

    /// Writes the tree to `path`, atomically.
    ///
    /// # Errors
    /// The file cannot be replaced.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        file::write(path, &self.points, self.tree.as_ref())
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
        let measure = Measure::new(&self.points, query, metric)?;
        let mut nearest = Nearest::new(k);
        for &row in rows.iter().filter(|_| k > 0) {
            if let Some(coordinates) = self.points.row(row) {
                nearest.offer(row, measure.distance(coordinates)?);
            }
        }
        Ok(nearest.sorted())
    }

    /// Returns what answers queries.
    pub fn structure(&self) -> Structure {
        if self.tree.is_some() { Structure::Tree } else { Structure::Flat }
    }

    /// Returns the points.
    pub fn points(&self) -> &Points {
        &self.points
    }
}

impl NearestNeighbours for Index {
    fn rows(&self) -> usize {
        self.points.rows()
    }

    fn dimensions(&self) -> usize {
        self.points.dimensions()
    }

    fn nearest(
        &self,
        query: &[f64],
        k: usize,
        metric: &Metric,
        admits: &(dyn Fn(u32) -> bool + Sync),
    ) -> Result<Vec<Neighbour>, SearchError> {
        let measure = Measure::new(&self.points, query, metric)?;
        let probe = self.tree.as_ref().and_then(|tree| Some((tree, Probe::new(&self.grid, &measure, query)?)));
        let Some((tree, probe)) = probe.filter(|_| k > 0) else {
            return scan(&self.points, &measure, k, admits);
        };
        let mut nearest = Nearest::new(k);
        let mut outcome = Ok(());
        tree.visit(&probe, f32::INFINITY, &mut |row| {
            if admits(row)
                && let Some(coordinates) = self.points.row(row)
            {
                match measure.distance(coordinates) {
                    Ok(distance) => nearest.offer(row, distance),
                    Err(error) => {
                        outcome = Err(error);
                        return None;
                    }
                }
            }
            Some(nearest.worst().map_or(f32::INFINITY, |worst| probe.limit(worst)))
        });
        outcome?;
        Ok(nearest.sorted())
    }
}
