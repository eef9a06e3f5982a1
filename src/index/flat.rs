//! The scan of all rows: the oracle of the tree, and its stand-in where a tree does not pay.

use std::sync::Arc;

use super::measure::{Measure, Nearest};
use super::{Metric, NearestNeighbours, Neighbour, Points, SearchError};

/// Compares a query with every row. Cost: rows × dimensions per query (dimensions² for a matrix).
#[derive(Debug, Clone)]
pub struct FlatScan {
    points: Arc<Points>,
}

impl FlatScan {
    /// Scans `points`.
    pub fn new(points: Arc<Points>) -> Self {
        Self { points }
    }
}

impl NearestNeighbours for FlatScan {
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
        let measure = Measure::new(self.points.dimensions(), self.points.largest(), query, metric)?;
        scan(&self.points, &measure, k, admits)
    }
}

/// Returns the `k` nearest admitted rows.
pub(super) fn scan(
    points: &Points,
    measure: &Measure,
    k: usize,
    admits: &(dyn Fn(u32) -> bool + Sync),
) -> Result<Vec<Neighbour>, SearchError> {
    let mut nearest = Nearest::new(k);
    if k > 0 {
        for (row, coordinates) in points.iter().filter(|&(row, _)| admits(row)) {
            nearest.offer(row, measure.distance(coordinates)?);
        }
    }
    Ok(nearest.sorted())
}
