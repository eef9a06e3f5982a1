//! The index: candidates from the tree, distances from the rows.

use std::path::Path;
use std::sync::Arc;

use crate::artifact::ArtifactError;

use super::flat::scan;
use super::grid::Grid;
use super::kd::{self, Groups, Tree};
use super::measure::{Measure, Nearest};
use super::{Metric, NearestNeighbours, Neighbour, OpenError, Points, SearchError, file};

/// Below this many rows a scan is as fast as a tree (32 leaves of 32 rows), so none is built.
pub const LEAST_TREE_ROWS: usize = 1024;

/// Groups asked for beyond k at first, so that ties and rounding at the k-th rarely need a second look.
const EXTRA: usize = 4;

/// What answers queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// The k-d tree, with the scan for what it cannot do: cosine and singular matrices.
    Tree,
    /// The scan of all rows.
    Flat,
}

/// Why an index cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The tree library refused the points: a defect.
    #[error("the tree cannot be built: {what}")]
    Tree {
        /// What it said.
        what: String,
    },
}

/// Points and, where it pays, their tree.
pub struct Index {
    points: Arc<Points>,
    grid: Grid,
    tree: Option<(Box<dyn Tree>, Groups)>,
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
    /// Builds a tree from [`LEAST_TREE_ROWS`] rows on where one is compiled for that many dimensions, else a scan.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(points: Arc<Points>) -> Result<Self, BuildError> {
        let structure = if points.rows() < LEAST_TREE_ROWS { Structure::Flat } else { Structure::Tree };
        Self::build_as(points, structure)
    }

    /// Builds what is asked for; a tree falls back to a scan where none is compiled for that many dimensions and for
    /// an empty set.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build_as(points: Arc<Points>, structure: Structure) -> Result<Self, BuildError> {
        let grid = Grid::of(&points);
        let tree = match structure {
            Structure::Tree if points.rows() > 0 => kd::build(&points, &grid)?,
            _ => None,
        };
        Ok(Self { points, grid, tree })
    }

    /// Opens the tree at `path`, if it was built from these points. It is mapped, not read.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the file; [`Index::build`] makes it anew.
    pub fn open(path: &Path, points: Arc<Points>) -> Result<Self, OpenError> {
        let tree = file::open(path, &points)?;
        let grid = Grid::of(&points);
        Ok(Self { points, grid, tree })
    }

    /// Opens the tree at `path`, or builds it where that fails and says why.
    ///
    /// # Errors
    /// [`BuildError`]; a file that cannot be used is not an error.
    pub fn open_or_build(path: &Path, points: Arc<Points>) -> Result<(Self, Option<OpenError>), BuildError> {
        match Self::open(path, Arc::clone(&points)) {
            Ok(index) => Ok((index, None)),
            Err(reason) => Ok((Self::build(points)?, Some(reason))),
        }
    }

    /// Writes the tree to `path`, atomically. An index that was opened from a file has nothing to write and is left.
    ///
    /// # Errors
    /// The file cannot be replaced.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        let Some((tree, groups)) = &self.tree else {
            return file::write(path, &self.points, &[], &Groups::default());
        };
        let Some(archive) = tree.archive() else { return Ok(()) };
        let archive =
            archive.map_err(|error| ArtifactError::Damaged { path: path.to_owned(), what: error.to_string() })?;
        file::write(path, &self.points, &archive, groups)
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
        let (Some((tree, groups)), Some(stretch), Some(placed), true) =
            (&self.tree, measure.stretch(), self.grid.place(query), k > 0)
        else {
            return scan(&self.points, &measure, k, admits);
        };
        let offer = |nearest: &mut Nearest, group: u32| -> Result<(), SearchError> {
            for &row in groups.rows_of(group).iter().filter(|&&row| admits(row)) {
                if let Some(coordinates) = self.points.row(row) {
                    nearest.offer(row, measure.distance(coordinates)?);
                }
            }
            Ok(())
        };
        let mut count = k.saturating_add(EXTRA);
        loop {
            // A tree visits most leaves for a large share of its groups: the scan is cheaper then.
            if count > groups.len() / 2 {
                return scan(&self.points, &measure, k, admits);
            }
            let found = tree.nearest(&placed, count);
            let mut nearest = Nearest::new(k);
            for &(group, _) in &found {
                offer(&mut nearest, group)?;
            }
            let Some(worst) = nearest.worst() else {
                count = count.saturating_mul(4);
                continue;
            };
            // Every row at most `worst` away lies inside this radius of the tree, whatever was rounded on the way.
            let radius = self.grid.squared_radius(
                &placed,
                worst / stretch * (1.0 + 1e-4 * f64::from(u8::from((stretch - 1.0).abs() > 0.0))),
            );
            let seen = found.iter().fold(0.0_f64, |seen, &(_, squared)| seen.max(squared));
            if seen > radius {
                return Ok(nearest.sorted());
            }
            let mut within = Nearest::new(k);
            let mut outcome = Ok(());
            tree.within(&placed, radius, &mut |group| {
                if outcome.is_ok() {
                    outcome = offer(&mut within, group);
                }
            });
            outcome?;
            return Ok(within.sorted());
        }
    }
}
