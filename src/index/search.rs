//! The index: candidates from the tree, distances from the rows.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::artifact::ArtifactError;
use crate::artifact::blocks::{Blocks, Seal};

use super::flat::scan;
use super::grid::Grid;
use super::measure::{Measure, Nearest};
use super::probe::Probe;
use super::stored::{self, About, Opened, StoredTree};
use super::tree::{Held, Nodes, Page, ROOT, Tree, is_within, visit};
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
    Stored(Box<StoredTree>),
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
                Some(probe) => search(&Looking::new(&Held { points, tree }, &probe, &measure, k, admits)),
                None => everywhere(points),
            },
            Holding::Stored(tree) => match probe() {
                Some(probe) => search_together(&Looking::new(&**tree, &probe, &measure, k, admits)),
                None if k == 0 => Ok(Vec::new()),
                None => everywhere(&tree.points()?),
            },
        }
    }
}

/// Levels below the root at which a tree is shared out.
const SHARED_AT: u32 = 4;

/// Looks for the nearest rows below a node, with a limit that others may lower meanwhile.
struct Looking<'a, N> {
    nodes: &'a N,
    probe: &'a Probe,
    measure: &'a Measure,
    k: usize,
    admits: &'a (dyn Fn(u32) -> bool + Sync),
    /// The bits of the limit: those of numbers that are not negative ascend as they do.
    limit: AtomicU32,
}

impl<'a, N: Nodes> Looking<'a, N> {
    const fn new(
        nodes: &'a N,
        probe: &'a Probe,
        measure: &'a Measure,
        k: usize,
        admits: &'a (dyn Fn(u32) -> bool + Sync),
    ) -> Self {
        Self { nodes, probe, measure, k, admits, limit: AtomicU32::new(f32::INFINITY.to_bits()) }
    }

    fn limit(&self) -> f32 {
        f32::from_bits(self.limit.load(Ordering::Relaxed))
    }

    /// Candidates from the tree, distances from its rows.
    fn look(&self, top: usize, nearest: &mut Nearest) -> Result<(), SearchError> {
        let mut page = Vec::new();
        visit(
            self.nodes,
            top,
            self.probe,
            || self.limit(),
            |found| {
                if (self.admits)(found.row) {
                    nearest.offer(found.row, self.measure.distance(self.nodes.exact(found, &mut page)?)?);
                    if let Some(worst) = nearest.worst() {
                        self.limit.fetch_min(self.probe.limit(worst).to_bits(), Ordering::Relaxed);
                    }
                }
                Ok(())
            },
        )
    }
}

fn search<N: Nodes>(looking: &Looking<'_, N>) -> Result<Vec<Neighbour>, SearchError> {
    let mut nearest = Nearest::new(looking.k);
    looking.look(ROOT, &mut nearest)?;
    Ok(nearest.sorted())
}

/// The same on two threads, for a tree in a file, where most of the time is reading: the parts some levels below the root are taken in turn, the nearest
/// first, and what one thread finds lowers the limit of the other. Neighbours do not depend on who finds them.
fn search_together<N: Nodes + Sync>(looking: &Looking<'_, N>) -> Result<Vec<Neighbour>, SearchError> {
    let Looking { nodes, probe, .. } = looking;
    let mut parts = vec![(0.0, ROOT)];
    let mut page = Page::default();
    for _ in 0..SHARED_AT.min(nodes.shape().levels()) {
        let mut below = Vec::with_capacity(2 * parts.len());
        for (_, node) in parts {
            let (left, right) = nodes.children(node, &mut page)?;
            let score = |corners| probe.of_box(corners, f32::INFINITY);
            below.extend([(score(left), 2 * node), (score(right), 2 * node + 1)]);
        }
        parts = below;
    }
    parts.sort_by(|left, right| left.0.total_cmp(&right.0));
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut nearest = Nearest::new(looking.k);
        while let Some(&(score, top)) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            if is_within(score, looking.limit()) {
                looking.look(top, &mut nearest)?;
            }
        }
        Ok::<Vec<Neighbour>, SearchError>(nearest.sorted())
    };
    let (first, second) = rayon::join(worker, worker);
    let mut nearest = Nearest::new(looking.k);
    for one in first?.into_iter().chain(second?) {
        nearest.offer(one.row, one.distance);
    }
    Ok(nearest.sorted())
}
