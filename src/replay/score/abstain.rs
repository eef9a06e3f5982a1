//! Is shadow sure where it is right? Its answers from the surest on: what they are worth alone, and what the whole is
//! worth when the owner's request stands in for the others.

use serde::Serialize;

use super::over_time::Wanted;
use super::{Population, Reading, Resource, Scorer, Weighting, weight};
use crate::replay::ReplayError;
use crate::replay::case::Case;
use crate::replay::figures::{Judged, figures, quotient};
use crate::replay::rivals::Stated;
use crate::replay::truth::OverTime;

/// Steps from no answer to all of them.
const STEPS: usize = 20;
/// Novelty of an answer that measured no distance, as in [`crate::predict::Prediction::confidence`].
const UNMEASURED: f64 = 0.5;

/// What tells sure answers from unsure ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SurestBy {
    /// The width of the stated interval, ln(upper / lower): narrow is sure. Answers without one come last.
    Interval,
    /// The novelty of the newcomer: near to something known is sure.
    Novelty,
}

impl SurestBy {
    /// Both, in the order of the report.
    pub const ALL: [Self; 2] = [Self::Interval, Self::Novelty];

    /// Returns how unsure an answer is.
    fn doubt(self, stated: &Stated, resource: Resource) -> f64 {
        let interval = match resource {
            Resource::Memory => stated.memory,
            Resource::Cpu => stated.cpu,
        };
        match self {
            Self::Novelty => stated.novelty.unwrap_or(UNMEASURED),
            Self::Interval => interval.and_then(width).unwrap_or(f64::INFINITY),
        }
    }
}

/// Returns the width of an interval of needs, ln(upper / lower).
pub(super) fn width((low, high): (f64, f64)) -> Option<f64> {
    (low > 0.0 && high >= low).then(|| (high / low).ln()).filter(|width| width.is_finite())
}

/// Shadow answers its surest workloads at its published setting, and leaves the others to their owners.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AbstainPoint {
    /// The resource.
    pub resource: Resource,
    /// What a workload weighs.
    pub weighting: Weighting,
    /// How censored needs are read.
    pub reading: Reading,
    /// What tells sure from unsure.
    pub surest_by: SurestBy,
    /// Share of the weight of all workloads that is answered.
    pub answered: f64,
    /// Workloads that are answered.
    pub workloads: u64,
    /// The doubt of the least sure of them: width of its interval, or novelty; nothing without answers or where it has
    /// no interval.
    pub least_sure: Option<f64>,
    /// Share of weight with P > A among the answered.
    pub under_provision_rate: Option<f64>,
    /// Mean of max(0, A - P) among the answered.
    pub mean_waste: Option<f64>,
    /// Mean relative slack among the answered.
    pub relative_slack_mean: Option<f64>,
    /// The rate of the whole, the owner's request standing in for the others.
    pub whole_under_provision_rate: Option<f64>,
    /// The waste of the whole.
    pub whole_mean_waste: Option<f64>,
    /// The relative slack of the whole.
    pub whole_relative_slack_mean: Option<f64>,
}

/// One workload: how unsure shadow is, what it is given if shadow answers, and if its owner does.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    doubt: f64,
    own: Option<Judged>,
    owners: Option<Judged>,
}

impl Scorer<'_> {
    /// Returns the curves of both resources and weightings, from no answer to all that shadow gives.
    ///
    /// # Errors
    /// [`ReplayError::Scratch`] if samples cannot be read.
    pub(in crate::replay) fn abstaining(&self, cases: &[Case]) -> Result<Vec<AbstainPoint>, ReplayError> {
        let Some(shadow) = self.shadow() else { return Ok(Vec::new()) };
        let both = |query| Resource::ALL.map(|resource| self.own_and_owners(shadow, query, resource));
        let over_time = self.over_time(cases, |query| both(query).concat())?;
        let mut points = Vec::new();
        for resource in Resource::ALL {
            let reading = self.reading(resource);
            for surest_by in SurestBy::ALL {
                let candidates = self.candidates(shadow, resource, surest_by, &over_time);
                for weighting in Weighting::ALL {
                    points.extend(curve(&candidates, (resource, weighting, reading, surest_by)));
                }
            }
        }
        Ok(points)
    }

    /// Returns what shadow and what the owner would give a query.
    fn own_and_owners(&self, shadow: usize, query: usize, resource: Resource) -> [Wanted; 2] {
        let published = self.contestants[shadow].rival.published();
        let own = self.allocation(shadow, query, (0, published), resource, Population::Answered);
        [own, self.truths[query].owner(resource)].map(|allocation| (resource, allocation))
    }

    /// Returns the workloads whose need is known, the surest first; those that shadow does not answer last.
    fn candidates(
        &self,
        shadow: usize,
        resource: Resource,
        surest_by: SurestBy,
        over_time: &[Vec<OverTime>],
    ) -> Vec<Candidate> {
        let first = if resource == Resource::Memory { 0 } else { 2 };
        let reading = self.reading(resource);
        let mut candidates: Vec<Candidate> = (0..self.truths.len())
            .filter_map(|query| {
                let judge = |wanted, at: usize| {
                    let judged = self.judge_fully(query, wanted, &over_time[query][first + at])?;
                    judged.fails(reading).is_some().then_some(judged)
                };
                let [own, owners] = self.own_and_owners(shadow, query, resource);
                let (own, owners) = (judge(own, 0), judge(owners, 1));
                let doubt = surest_by.doubt(self.answers.stated(shadow, query), resource);
                (own.is_some() || owners.is_some()).then_some(Candidate { doubt, own, owners })
            })
            .collect();
        candidates.sort_by(|a, b| b.own.is_some().cmp(&a.own.is_some()).then(a.doubt.total_cmp(&b.doubt)));
        candidates
    }
}

type What = (Resource, Weighting, Reading, SurestBy);

fn curve(candidates: &[Candidate], what: What) -> Vec<AbstainPoint> {
    let answering = candidates.iter().filter(|one| one.own.is_some()).count();
    if answering == 0 {
        return Vec::new();
    }
    let mut cuts: Vec<usize> = (0..=STEPS)
        .map(|step| {
            let mut cut = answering * step / STEPS;
            // Answers that are equally sure are given together.
            while cut > 0 && cut < answering && candidates[cut].doubt.total_cmp(&candidates[cut - 1].doubt).is_eq() {
                cut += 1;
            }
            cut
        })
        .collect();
    cuts.dedup();
    cuts.into_iter().filter_map(|cut| point(candidates, cut, what)).collect()
}

/// Returns the point at which the first `cut` workloads are answered.
fn point(
    candidates: &[Candidate],
    cut: usize,
    (resource, weighting, reading, surest_by): What,
) -> Option<AbstainPoint> {
    let weighed = |judged: Judged| Judged { weight: weight(&judged, weighting), ..judged };
    let answered: Vec<Judged> = candidates[..cut].iter().filter_map(|one| one.own.map(weighed)).collect();
    let rest = candidates[cut..].iter().filter_map(|one| one.owners.map(weighed));
    let whole: Vec<Judged> = answered.iter().copied().chain(rest).collect();
    // A sum of nothing is 0, not -0 as of an empty iterator of floats.
    let sum = |judged: &[Judged]| judged.iter().fold(0.0, |sum, one| sum + one.weight);
    let (own, all) = (figures(&answered, reading), figures(&whole, reading));
    Some(AbstainPoint {
        resource,
        weighting,
        reading,
        surest_by,
        answered: quotient(sum(&answered), sum(&whole))?,
        workloads: answered.len() as u64,
        least_sure: cut.checked_sub(1).map(|last| candidates[last].doubt).filter(|doubt| doubt.is_finite()),
        under_provision_rate: own.under_provision_rate,
        mean_waste: own.mean_waste,
        relative_slack_mean: own.relative_slack_mean,
        whole_under_provision_rate: all.under_provision_rate,
        whole_mean_waste: all.mean_waste,
        whole_relative_slack_mean: all.relative_slack_mean,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: What = (Resource::Memory, Weighting::Workload, Reading::UncensoredOnly, SurestBy::Interval);

    fn judged(allocation: f64, need: f64) -> Judged {
        Judged { allocation, need, weight: 1.0, resource_hours: need, ..Judged::default() }
    }

    /// Needs of 1; the two surest answers fit, the third is too small; owners give 4.
    fn four() -> Vec<Candidate> {
        let of = |doubt, own: Option<f64>| Candidate {
            doubt,
            own: own.map(|own| judged(own, 1.0)),
            owners: Some(judged(4.0, 1.0)),
        };
        vec![of(0.1, Some(1.5)), of(0.2, Some(2.0)), of(0.7, Some(0.5)), of(f64::INFINITY, None)]
    }

    #[test]
    fn answering_the_surest_only_leaves_the_rest_to_their_owners() {
        let two = point(&four(), 2, WHAT).unwrap();
        assert_eq!((two.answered, two.workloads, two.least_sure), (0.5, 2, Some(0.2)));
        assert_eq!((two.under_provision_rate, two.mean_waste), (Some(0.0), Some(0.75)));
        // 0.5 and 1 of the answered, 3 for each of the two owners.
        assert_eq!((two.whole_under_provision_rate, two.whole_mean_waste), (Some(0.0), Some(7.5 / 4.0)));
        let three = point(&four(), 3, WHAT).unwrap();
        assert_eq!((three.answered, three.under_provision_rate), (0.75, Some(1.0 / 3.0)));
        assert_eq!(three.whole_under_provision_rate, Some(0.25));
        let none = point(&four(), 0, WHAT).unwrap();
        assert_eq!((none.answered, none.under_provision_rate, none.whole_mean_waste), (0.0, None, Some(3.0)));
        assert!(none.answered.is_sign_positive(), "-0 is printed as such");
    }

    #[test]
    fn the_curve_begins_at_the_owners_and_ends_where_shadow_falls_silent() {
        let shares: Vec<f64> = curve(&four(), WHAT).iter().map(|point| point.answered).collect();
        assert_eq!(shares, [0.0, 0.25, 0.5, 0.75]);
        let equally_sure: Vec<Candidate> = four().into_iter().map(|one| Candidate { doubt: 0.5, ..one }).collect();
        let shares: Vec<f64> = curve(&equally_sure, WHAT).iter().map(|point| point.answered).collect();
        assert_eq!(shares, [0.0, 0.75], "equally sure answers were told apart");
    }

    #[test]
    fn doubt_is_the_width_of_the_interval_or_the_novelty() {
        let stated = Stated { novelty: Some(0.3), memory: Some((1.0, 1.0)), cpu: None };
        let doubt = |by: SurestBy, resource| by.doubt(&stated, resource);
        assert_eq!((doubt(SurestBy::Novelty, Resource::Cpu), doubt(SurestBy::Interval, Resource::Memory)), (0.3, 0.0));
        let silent = SurestBy::Novelty.doubt(&Stated::default(), Resource::Memory);
        assert_eq!((doubt(SurestBy::Interval, Resource::Cpu), silent), (f64::INFINITY, 0.5));
        assert_eq!(width((0.0, 1.0)), None);
        assert!((width((1.0, 4.0)).unwrap() - 4.0_f64.ln()).abs() < 1e-12);
    }
}
