//! Do the intervals that shadow states hold, and how wide are they?

use serde::Serialize;

use super::abstain::width;
use super::{Population, Reading, Resource, Scorer, Weighting, weight};
use crate::replay::figures::{weighted_mean, weighted_quantile};
use crate::replay::truth::factor;

/// The stated intervals of one resource, where shadow answered at its published setting and stated one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StatedIntervals {
    /// The resource.
    pub resource: Resource,
    /// What a workload weighs.
    pub weighting: Weighting,
    /// How censored needs are read.
    pub reading: Reading,
    /// Workloads with an interval and a known need.
    pub workloads: u64,
    /// The share that shall lie inside: the coverage that was asked for.
    pub nominal: f64,
    /// Share of weight with P inside.
    pub inside: Option<f64>,
    /// Share of weight with P at most at the upper end.
    pub below_upper: Option<f64>,
    /// Median of ln(upper / lower).
    pub width_median: Option<f64>,
}

/// One interval beside the need, all in one unit.
#[derive(Debug, Clone, Copy)]
struct Beside {
    low: f64,
    high: f64,
    need: f64,
    weight: f64,
}

impl Scorer<'_> {
    /// Returns the intervals of both resources and weightings; a resource without any has no row.
    pub(in crate::replay) fn stated_intervals(&self) -> Vec<StatedIntervals> {
        let mut rows = Vec::new();
        for resource in Resource::ALL {
            for weighting in Weighting::ALL {
                let besides = self.intervals_beside(resource, weighting);
                if besides.is_empty() {
                    continue;
                }
                rows.push(StatedIntervals {
                    resource,
                    weighting,
                    reading: self.reading(resource),
                    workloads: besides.len() as u64,
                    nominal: self.params.question.coverage,
                    ..held(&besides)
                });
            }
        }
        rows
    }

    fn intervals_beside(&self, resource: Resource, weighting: Weighting) -> Vec<Beside> {
        let Some(shadow) = self.shadow() else { return Vec::new() };
        let published = self.contestants[shadow].rival.published();
        let reading = self.reading(resource);
        let of = |query: usize| {
            let stated = self.answers.stated(shadow, query);
            let (low, high) = match resource {
                Resource::Memory => stated.memory,
                Resource::Cpu => stated.cpu,
            }?;
            let answer = self.allocation(shadow, query, (0, published), resource, Population::Answered)?;
            let judged = self.truths[query].judge(resource, answer, &self.units)?;
            // An interval is judged by where the need lies: what is only a lower bound lies nowhere.
            let is_known = !judged.censored || reading == Reading::UndecidedFits;
            let factor = factor(resource, &self.units);
            is_known.then(|| Beside {
                low: low * factor,
                high: high * factor,
                need: judged.need,
                weight: weight(&judged, weighting),
            })
        };
        (0..self.truths.len()).filter_map(of).collect()
    }
}

fn held(besides: &[Beside]) -> StatedIntervals {
    let share = |holds: fn(&Beside) -> bool| {
        weighted_mean(besides.iter().map(|one| (Some(f64::from(u8::from(holds(one)))), one.weight)))
    };
    StatedIntervals {
        resource: Resource::Memory,
        weighting: Weighting::Workload,
        reading: Reading::UncensoredOnly,
        workloads: 0,
        nominal: 0.0,
        inside: share(|one| one.low <= one.need && one.need <= one.high),
        below_upper: share(|one| one.need <= one.high),
        width_median: weighted_quantile(besides.iter().map(|one| (width((one.low, one.high)), one.weight)), 0.5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_inside_below_and_above() {
        let one = |low, high, need, weight| Beside { low, high, need, weight };
        let found = held(&[one(1.0, 2.0, 1.5, 1.0), one(1.0, 4.0, 0.5, 1.0), one(2.0, 4.0, 5.0, 2.0)]);
        assert_eq!((found.inside, found.below_upper), (Some(0.25), Some(0.5)));
        assert!((found.width_median.unwrap() - 2.0_f64.ln()).abs() < 1e-12);
        // The ends belong to it.
        assert_eq!(held(&[one(1.0, 2.0, 2.0, 1.0), one(1.0, 2.0, 1.0, 1.0)]).inside, Some(1.0));
    }
}
