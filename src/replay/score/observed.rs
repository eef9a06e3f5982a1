//! The rows of one window of the curve against seconds observed.

use super::{Population, Resource, Scorer, View, Weighting, curve};
use crate::replay::compare::at_rate;
use crate::replay::figures::{Judged, figures, quotient};
use crate::replay::observed::{Alive, ObservedRow};

const POPULATION: Population = Population::WithFallback;

impl Scorer<'_> {
    /// Returns the rows of all rivals; waste is compared at the under-provision rate `target`.
    pub(in crate::replay) fn observed(&self, window_seconds: f64, alive: Alive, target: f64) -> Vec<ObservedRow> {
        let mut rows = Vec::new();
        for resource in Resource::ALL {
            let reading = self.reading(resource);
            let view = View { resource, weighting: Weighting::Workload, population: POPULATION, reading };
            let of_family: Vec<(&str, Option<f64>)> = self
                .families()
                .into_iter()
                .map(|rival| {
                    let points = curve(&self.table(rival, view), None);
                    (self.contestants[rival].rival.family(), at_rate(&points, target))
                })
                .collect();
            for (rival, contestant) in self.contestants.iter().enumerate() {
                let judged = self.judged_briefly(rival, resource);
                let figures = figures(&judged, reading);
                let queries = self.truths.len();
                let answered = (0..queries).filter(|query| self.answered(rival, *query, resource)).count();
                let family = contestant.rival.family();
                rows.push(ObservedRow {
                    window_seconds,
                    alive,
                    rival: contestant.rival.name(),
                    resource,
                    reading,
                    workloads: figures.workloads / self.answers.draws(rival) as u64,
                    unanswered: quotient((queries - answered) as f64, queries as f64),
                    log_ratio_median: figures.log_ratio_median,
                    q_error_p90: figures.q_error_p90,
                    coverage: figures.coverage,
                    mean_waste: figures.mean_waste,
                    waste_at_target: of_family.iter().find(|(name, _)| *name == family).and_then(|(_, waste)| *waste),
                });
            }
        }
        rows
    }

    /// Judges every draw at the published setting, without integrals over time.
    fn judged_briefly(&self, rival: usize, resource: Resource) -> Vec<Judged> {
        let published = self.contestants[rival].rival.published();
        let draws = self.answers.draws(rival);
        let pairs = (0..self.truths.len()).flat_map(|query| (0..draws).map(move |draw| (query, draw)));
        pairs
            .filter_map(|(query, draw)| {
                let allocation = self.allocation(rival, query, (draw, published), resource, POPULATION)?;
                self.truths[query].judge(resource, allocation, &self.units)
            })
            .collect()
    }
}
