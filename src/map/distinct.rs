//! Fingerprints without their repetitions, in an order of their own.
//!
//! Thousands of idle workloads share one fingerprint. They take one place on the map: as points of their own they would
//! only repel each other, and each would have others of them as all its neighbours.

use std::sync::Arc;

use rayon::prelude::*;

use crate::index::{Index, Metric, NearestNeighbours, Points, SearchError};
use crate::trace::source::Progress;

use super::MapError;
use super::tsne::Neighbourhoods;

/// Distinct fingerprints.
pub(super) struct Distinct {
    /// The fingerprints, in the order of their coordinates: the order of the store does not matter.
    pub(super) points: Points,
    /// The number of the fingerprint of each row that was given.
    pub(super) of: Vec<u32>,
}

impl Distinct {
    /// Returns the distinct ones among `rows` of `points`.
    ///
    /// # Errors
    /// Never for points that were accepted before.
    pub(super) fn among(points: &Points, rows: &[u32]) -> Result<Self, SearchError> {
        let coordinates = |position: usize| points.row(rows[position]).unwrap_or_default();
        let compare = |&a: &usize, &b: &usize| {
            let pairs = coordinates(a).iter().zip(coordinates(b));
            // Adding 0 makes one number of both zeros.
            let mut orders = pairs.map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
            orders.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        };
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.par_sort_by(compare);
        let mut of = vec![0; rows.len()];
        let mut kept: Vec<f64> = Vec::new();
        let mut number = 0_u32;
        for (place, &position) in order.iter().enumerate() {
            let is_new = place == 0 || compare(&order[place - 1], &position).is_ne();
            if is_new {
                number += u32::from(place > 0);
                kept.extend_from_slice(coordinates(position));
            }
            of[position] = number;
        }
        Ok(Self { points: Points::new(points.dimensions(), kept)?, of })
    }

    /// Returns the `count` nearest others of each fingerprint, exactly. Tells `progress` each as a row.
    ///
    /// # Errors
    /// The search is impossible: a defect.
    pub(super) fn neighbourhoods(&self, count: usize, progress: &dyn Progress) -> Result<Neighbourhoods, MapError> {
        let index = Index::build(Arc::new(self.points.clone()));
        let rows = u32::try_from(self.points.rows()).unwrap_or(u32::MAX);
        let found: Vec<Vec<(u32, f64)>> = (0..rows)
            .into_par_iter()
            .map(|row| {
                let query = self.points.row(row).unwrap_or_default();
                let nearest = index.nearest(query, count, &Metric::Euclidean, &|other| other != row)?;
                progress.rows(1);
                Ok(nearest.into_iter().map(|one| (one.row, one.distance)).collect())
            })
            .collect::<Result<_, SearchError>>()?;
        let (others, distances) = found.into_iter().flatten().unzip();
        Ok(Neighbourhoods { count, others, distances })
    }
}
