//! Who resembles a sample or a stored workload most: the evidence alone.

use crate::index::NearestNeighbours;

use super::knowledge::Knowledge;
use super::ranked::Ranked;
use super::{Evidence, NeighbourCount, Only, PredictError, Question, Scale, Support};

/// The nearest workloads of a store.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    /// See [`super::Prediction::novelty`].
    pub novelty: Option<f64>,
    /// Nearest first.
    pub neighbours: Vec<Evidence>,
}

impl Knowledge {
    /// Returns the row of the stored workload of this name ([`super::Remembered::name`], or the identifier alone, which
    /// means its first run).
    ///
    /// # Errors
    /// The index is damaged.
    pub fn row_named(&self, name: &str) -> Result<Option<usize>, PredictError> {
        let rows = self.all()?;
        let exact = rows.iter().position(|row| row.name() == name);
        Ok(exact.or_else(|| rows.iter().position(|row| row.id == name)))
    }

    /// Returns the rows of the `question.k` workloads nearest to a row of features among those that `admits` lets in, with
    /// distances, nearest first. None where all stored workloads are alike.
    ///
    /// # Errors
    /// The search is impossible.
    pub fn nearest_rows(
        &self,
        features: &[Option<f64>],
        question: &Question,
        admits: &(dyn Fn(u32) -> bool + Sync),
    ) -> Result<Vec<(u32, f64)>, PredictError> {
        let Some(space) = &self.space else { return Ok(Vec::new()) };
        let absent = self.absent(features);
        let metric = self.metric(space, question, &absent)?;
        let query = self.place(space, question, features, &absent)?;
        let found = space.index.nearest(&query, question.k.few(), &metric, admits)?;
        Ok(found.iter().map(|found| (found.row, found.distance)).collect())
    }

    /// Returns the `question.k` (of two numbers the lesser) workloads nearest to a row of features among those that `only`
    /// admits, without the stored workload `itself`. None where all stored workloads are alike. How novel something is beside a
    /// part of the store is not known.
    ///
    /// # Errors
    /// The search is impossible.
    pub fn similar(
        &self,
        features: &[Option<f64>],
        itself: Option<usize>,
        only: &Only,
        question: &Question,
        scale: &Scale,
    ) -> Result<Similar, PredictError> {
        let Some(space) = &self.space else { return Ok(Similar { novelty: None, neighbours: Vec::new() }) };
        let absent = self.absent(features);
        let metric = self.metric(space, question, &absent)?;
        let query = self.place(space, question, features, &absent)?;
        // Who may be named depends on what is known of all of them.
        let rows = if *only == Only::default() { None } else { Some(self.all()?) };
        let is_asked = |row: u32| rows.is_none_or(|rows| rows.get(row as usize).is_some_and(|row| only.admits(row)));
        let admits = |row: u32| itself != Some(row as usize) && is_asked(row);
        let found = space.index.nearest(&query, question.k.few(), &metric, &admits)?;
        let nearest = found.first().filter(|_| *only == Only::default()).map(|found| found.distance);
        // Distances to the nearest do not depend on how many are combined.
        let usual = Question { k: NeighbourCount::Chosen, ..*question };
        let novelty = match nearest {
            Some(nearest) => self.calibration(space, &usual, &absent, false)?.novelty(nearest),
            None => None,
        };
        let pairs: Vec<(u32, f64)> = found.iter().map(|found| (found.row, found.distance)).collect();
        let support: Vec<Support> = Ranked::by_distance(pairs)
            .first(question.k.few())
            .into_iter()
            .map(|one| Support {
                row: one.row as usize,
                distance: Some(one.distance),
                similarity: None,
                weight: one.shares[0],
                shares: one.shares,
            })
            .collect();
        Ok(Similar { novelty, neighbours: self.evidence(features, question, &support, scale)? })
    }
}
