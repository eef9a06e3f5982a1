//! How allocations lie around needs: the distribution of A / P of each rival.

use super::{Population, Resource, Scorer};
use crate::replay::quantile::quantile_of_sorted;
use crate::replay::results::Distribution;

/// Steps between the smallest and the largest ratio.
const STEPS: u32 = 50;

impl Scorer<'_> {
    /// Returns the distributions of all rivals at their published settings: every workload weighing the same, with
    /// fallback, the headline reading of censored needs.
    pub(in crate::replay) fn distributions(&self) -> Vec<Distribution> {
        let rivals = 0..self.contestants.len();
        Resource::ALL
            .into_iter()
            .flat_map(|resource| rivals.clone().filter_map(move |rival| self.distribution(rival, resource)))
            .collect()
    }

    fn distribution(&self, rival: usize, resource: Resource) -> Option<Distribution> {
        let reading = self.reading(resource);
        let published = self.contestants[rival].rival.published();
        let draws = self.answers.draws(rival);
        let pairs = (0..self.truths.len()).flat_map(|query| (0..draws).map(move |draw| (query, draw)));
        let mut ratios: Vec<(f64, f64)> = pairs
            .filter_map(|(query, draw)| {
                let population = Population::WithFallback;
                let allocation = self.allocation(rival, query, (draw, published), resource, population)?;
                let judged = self.truths[query].judge(resource, allocation, &self.units)?;
                judged.fails(reading)?;
                let ratio = judged.allocation / judged.need;
                ratio.is_finite().then_some((ratio, 1.0))
            })
            .collect();
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let smallest = ratios.first()?.0;
        let above = (1..=STEPS).map(|step| quantile_of_sorted(&ratios, f64::from(step) / f64::from(STEPS)));
        Some(Distribution {
            rival: self.contestants[rival].rival.name(),
            resource,
            reading,
            ratios: std::iter::once(Some(smallest)).chain(above).collect::<Option<_>>()?,
        })
    }
}
