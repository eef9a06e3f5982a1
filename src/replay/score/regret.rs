//! What not knowing the need costs, by size: waste above that of the oracle, for tenths of the workloads by the
//! resource-hours they used.

use serde::Serialize;

use super::over_time::Wanted;
use super::{Population, Reading, Resource, Scorer, View, Weighting, point};
use crate::replay::ReplayError;
use crate::replay::case::Case;
use crate::replay::compare::{Point, cheapest_within};
use crate::replay::figures::{Judged, quotient};
use crate::replay::truth::OverTime;

/// Parts of the workloads, each with the same number of them.
const PARTS: usize = 10;

/// One family in one tenth of the workloads, with the cheapest setting that keeps the rate compared at.
///
/// The oracle is the exact need without a margin, the same for every family: where a family needs a margin to keep the
/// rate, the margin is part of what not knowing costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Regret {
    /// The family.
    pub rival: &'static str,
    /// The resource.
    pub resource: Resource,
    /// The under-provision rate that the setting keeps over all workloads.
    pub target: f64,
    /// Its knob.
    pub knob: f64,
    /// Its margin.
    pub margin: f64,
    /// The tenth: 1 used the fewest resource-hours, 10 the most.
    pub decile: u32,
    /// Workloads that count: those whose need is known.
    pub workloads: u64,
    /// Share of all resource-hours that they used.
    pub resource_hours_share: Option<f64>,
    /// Share of them with P > A.
    pub under_provision_rate: Option<f64>,
    /// Mean per workload of the integral of max(0, A - U), in unit-hours.
    pub waste: Option<f64>,
    /// The same of the oracle.
    pub oracle_waste: Option<f64>,
    /// The first minus the second; below 0 where too little was given.
    pub regret: Option<f64>,
    /// Sum of that over the sum of what was used from the first answer on.
    pub regret_per_hour: Option<f64>,
}

/// One workload.
#[derive(Debug, Clone, Copy, Default)]
struct Beside {
    weight: f64,
    failed: f64,
    waste: f64,
    oracle: f64,
    used: f64,
    resource_hours: f64,
}

impl Scorer<'_> {
    /// Returns the regret of every family whose sweep keeps the rate `target`.
    ///
    /// # Errors
    /// [`ReplayError::Scratch`] if samples cannot be read.
    pub(in crate::replay) fn regrets(&self, cases: &[Case], target: f64) -> Result<Vec<Regret>, ReplayError> {
        let mut rows = Vec::new();
        for resource in Resource::ALL {
            let chosen: Vec<(usize, usize)> = self
                .families()
                .into_iter()
                .filter_map(|rival| Some((rival, self.setting_for(rival, resource, target)?)))
                .collect();
            // The oracle's, then those of every draw of every family.
            let over_time = self.over_time(cases, |query| {
                let truth = &self.truths[query];
                let need = truth.need(resource).filter(|_| !truth.is_censored(resource));
                let drawn = chosen.iter().flat_map(|one| self.drawn(*one, query, resource)).map(|(_, wanted)| wanted);
                std::iter::once((resource, need)).chain(drawn).collect()
            })?;
            let tenths = self.tenths(resource, &over_time);
            let all: f64 = tenths.iter().flatten().map(|(_, oracle)| oracle.resource_hours).sum();
            let mut first = 1;
            for (rival, setting) in chosen {
                for (position, tenth) in tenths.iter().enumerate() {
                    let besides: Vec<Beside> = tenth
                        .iter()
                        .filter_map(|one| self.beside((rival, setting), resource, one, &over_time[one.0][first..]))
                        .collect();
                    if besides.is_empty() {
                        continue;
                    }
                    let chosen = self.contestants[rival].settings[setting];
                    rows.push(Regret {
                        rival: self.contestants[rival].rival.family(),
                        resource,
                        target,
                        knob: chosen.knob,
                        margin: chosen.margin,
                        decile: u32::try_from(position + 1).unwrap_or(u32::MAX),
                        ..sums(&besides, all)
                    });
                }
                first += self.answers.draws(rival);
            }
        }
        Ok(rows)
    }

    /// Returns the draws of a rival with what each gives.
    fn drawn(
        &self,
        (rival, setting): (usize, usize),
        query: usize,
        resource: Resource,
    ) -> impl Iterator<Item = (usize, Wanted)> {
        (0..self.answers.draws(rival)).map(move |draw| {
            let population = Population::WithFallback;
            (draw, (resource, self.allocation(rival, query, (draw, setting), resource, population)))
        })
    }

    /// Returns the queries whose need is known with the oracle's outcome, by tenths of resource-hours.
    fn tenths(&self, resource: Resource, over_time: &[Vec<OverTime>]) -> Vec<Vec<(usize, Judged)>> {
        let mut known: Vec<(usize, Judged)> = (0..self.truths.len())
            .filter(|query| !self.truths[*query].is_censored(resource))
            .filter_map(|query| {
                let need = self.truths[query].need(resource);
                Some((query, self.judge_fully(query, (resource, need), &over_time[query][0])?))
            })
            .collect();
        known.sort_by(|a, b| a.1.resource_hours.total_cmp(&b.1.resource_hours).then(a.0.cmp(&b.0)));
        cut(&known, PARTS)
    }

    /// Returns the cheapest setting of a rival that keeps the rate, all queries with the owner's request as fallback.
    fn setting_for(&self, rival: usize, resource: Resource, target: f64) -> Option<usize> {
        let (weighting, population) = (Weighting::Workload, Population::WithFallback);
        let view = View { resource, weighting, population, reading: Reading::UncensoredOnly };
        if self.contestants[rival].rival.sees_the_future() {
            return None;
        }
        let points: Vec<Option<Point>> = self.table(rival, view).iter().map(|clusters| point(clusters, None)).collect();
        cheapest_within(&points, target)
    }

    /// Returns a rival's outcome beside the oracle's, the mean of its draws; `over_time` begins with the first of them.
    fn beside(
        &self,
        chosen: (usize, usize),
        resource: Resource,
        (query, oracle): &(usize, Judged),
        over_time: &[OverTime],
    ) -> Option<Beside> {
        let judged: Vec<Judged> = self
            .drawn(chosen, *query, resource)
            .filter_map(|(draw, wanted)| self.judge_fully(*query, wanted, &over_time[draw]))
            .collect();
        let mean = |value: &dyn Fn(&Judged) -> f64| judged.iter().map(value).sum::<f64>() / judged.len() as f64;
        (!judged.is_empty()).then(|| Beside {
            weight: 1.0,
            failed: mean(&|one| f64::from(u8::from(one.too_small()))),
            waste: mean(&|one| one.waste),
            oracle: oracle.waste,
            used: oracle.used,
            resource_hours: oracle.resource_hours,
        })
    }
}

/// Cuts a sorted list into parts that differ by at most one in length; shorter lists give empty parts.
fn cut<T: Clone>(sorted: &[T], parts: usize) -> Vec<Vec<T>> {
    (0..parts).map(|part| sorted[part * sorted.len() / parts..(part + 1) * sorted.len() / parts].to_vec()).collect()
}

/// Returns the figures of one tenth; `all` is what all tenths used.
fn sums(besides: &[Beside], all: f64) -> Regret {
    let sum = |value: fn(&Beside) -> f64| besides.iter().map(value).sum::<f64>();
    let weight = sum(|one| one.weight);
    let regret = sum(|one| one.waste - one.oracle);
    Regret {
        rival: "",
        resource: Resource::Memory,
        target: 0.0,
        knob: 0.0,
        margin: 0.0,
        decile: 0,
        workloads: besides.len() as u64,
        resource_hours_share: quotient(sum(|one| one.resource_hours), all),
        under_provision_rate: quotient(sum(|one| one.failed), weight),
        waste: quotient(sum(|one| one.waste), weight),
        oracle_waste: quotient(sum(|one| one.oracle), weight),
        regret: quotient(regret, weight),
        regret_per_hour: quotient(regret, sum(|one| one.used)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regret_is_the_waste_above_that_of_the_oracle() {
        // Two workloads: 10 wasted where the oracle wastes 4, 1 where it wastes 3 (too little was given).
        let enough = Beside { weight: 1.0, failed: 0.0, waste: 10.0, oracle: 4.0, used: 6.0, resource_hours: 8.0 };
        let too_little = Beside { weight: 1.0, failed: 1.0, waste: 1.0, oracle: 3.0, used: 2.0, resource_hours: 2.0 };
        let found = sums(&[enough, too_little], 40.0);
        assert_eq!((found.waste, found.oracle_waste, found.regret), (Some(5.5), Some(3.5), Some(2.0)));
        assert_eq!((found.regret_per_hour, found.resource_hours_share), (Some(0.5), Some(0.25)));
        assert_eq!((found.under_provision_rate, found.workloads), (Some(0.5), 2));
    }

    #[test]
    fn tenths_hold_equally_many() {
        let lengths: Vec<usize> = cut(&[0; 25], PARTS).iter().map(Vec::len).collect();
        assert_eq!(
            (lengths.iter().sum::<usize>(), lengths.iter().max(), lengths.iter().min()),
            (25, Some(&3), Some(&2))
        );
        assert_eq!(cut(&(0..10).collect::<Vec<u32>>(), PARTS)[9], [9]);
        assert_eq!(cut(&[1, 2], PARTS).iter().filter(|part| part.is_empty()).count(), 8);
    }
}
