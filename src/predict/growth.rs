//! How workloads of a class, or all, grew beyond their first window, and what that makes of a newcomer's level.
//!
//! An allocation is exp(quantile) × (level + c), with c one hundredth of the store's mean need: what is tiny may grow many
//! times over and cost nothing, and without c the margin of all would follow it. Applications count by the square root of
//! their instances: between one margin for the instances seen, and one for the applications.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PredictError;
use super::calibrate::{LEAST_INSTANCES, MOST_CASES};
use super::draw::sample;
use super::estimate::allocation;
use super::knowledge::Knowledge;
use super::memo::Memo;
use super::need::{Need, Resource};
use super::quantile::{Observed, Quantile, lower_rank_share, upper_quantile, upper_rank_share};
use super::rows::Whole;
use super::strangers::{Grown, excess};

/// Added to a level before growth is measured, as a share of the mean need of the store (ours, see `docs/evaluation.md`).
const OFFSET: f64 = 0.01;

/// Stored workloads whose growth is taken together.
pub(super) struct Group<'a> {
    /// Their class; nothing for the whole store.
    pub(super) class: Option<&'a str>,
    /// Which they are.
    pub(super) rows: Vec<usize>,
    /// Whether no row of the class, or the store, is left aside.
    pub(super) is_whole: bool,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
struct Member {
    row: usize,
    application: usize,
    need: Need,
    growth: Observed,
}

/// The growth that covers, and the ends of the interval where the group is large enough for them.
type Covering = (Quantile, Option<(f64, f64)>);

/// How the members of a group grew in one resource.
#[derive(Debug)]
pub(super) struct Growths {
    resource: Resource,
    floor: f64,
    offset: f64,
    members: Vec<Member>,
    /// How many times as often as allowed a stranger exceeds a margin: see [`excess`].
    excess: f64,
    /// By bits of the coverage.
    covering: Memo<u64, Option<Covering>>,
}

impl Growths {
    /// Returns the growth that covers a stranger, and the ends of the interval; nothing where the group is too small.
    pub(super) fn at(&self, coverage: f64) -> Option<Covering> {
        self.covering.get_or(coverage.to_bits(), || {
            let mut values: Vec<Observed> = self.members.iter().map(|member| member.growth).collect();
            upper_rank_share(&values, coverage)?;
            let tail = (1.0 - coverage) / 2.0;
            let margin = self.above(&mut values, 1.0 - coverage)?;
            let ends = lower_rank_share(&values, tail).zip(upper_rank_share(&values, 1.0 - tail));
            let ends = ends.and_then(|(low, _)| {
                Some((upper_quantile(&mut values, low)?.value, self.above(&mut values, tail)?.value))
            });
            Some((margin, ends))
        })
    }

    /// Returns the growth that this share of strangers exceed. Where the group is too small for misses so rare, its largest.
    fn above(&self, values: &mut [Observed], misses: f64) -> Option<Quantile> {
        let share = upper_rank_share(values, 1.0 - misses / self.excess).unwrap_or(1.0);
        upper_quantile(values, share)
    }

    /// Returns what a workload at that level is given.
    pub(super) fn allocation(&self, level: f64, growth: f64) -> f64 {
        allocation(self.resource, level.max(self.floor) + self.offset, level, self.floor, growth)
    }

    /// Returns what the classic estimator gives it: the plain mean of need / level.
    pub(super) fn mean_allocation(&self, level: f64) -> f64 {
        let ratios = self.members.iter().map(|member| member.need.need / member.need.level);
        let mean = ratios.sum::<f64>() / self.members.len() as f64;
        allocation(self.resource, level.max(self.floor), level, self.floor, mean.ln())
    }
}

impl Knowledge {
    /// Returns how a group grew in a resource; found once for groups of which all rows may be used.
    pub(super) fn growths(&self, group: &Group<'_>, resource: Resource) -> Result<Arc<Growths>, PredictError> {
        let find = || Ok(Arc::new(self.find_growths(self.rows.whole()?, &group.rows, resource)));
        if group.is_whole { self.growths.try_get_or((group.class.map(str::to_owned), resource), find) } else { find() }
    }

    fn find_growths(&self, whole: &Whole, rows: &[usize], resource: Resource) -> Growths {
        let offset = OFFSET * self.mean_needs[resource as usize];
        let applications = applications_of(whole, rows);
        let weights = weights_by_application(&applications);
        let member = |(&row, (&application, &weight)): (&usize, (&usize, &f64))| {
            let need = whole.rows.get(row)?.needs[resource as usize]?;
            let value = (need.need / (need.level + offset)).ln();
            Some(Member { row, application, need, growth: Observed { value, weight, at_least: need.at_least } })
        };
        let members: Vec<Member> = rows.iter().zip(applications.iter().zip(&weights)).filter_map(member).collect();
        Growths {
            resource,
            floor: resource.floor(self.floors()),
            offset,
            excess: excess_of(whole, resource, offset, &members),
            members,
            covering: Memo::default(),
        }
    }

    /// Returns what growth alone would have wasted on the store's workloads at a coverage, or on those of applications with
    /// enough instances to answer for each other: the mean, in units of the resource; nothing where the store holds too few.
    pub(super) fn growth_waste(
        &self,
        resource: Resource,
        coverage: f64,
        recurring: bool,
    ) -> Result<Option<f64>, PredictError> {
        self.growth_wastes.try_get_or((resource, coverage.to_bits(), recurring), || {
            let whole = self.rows.whole()?;
            let all = Group { class: None, rows: (0..self.rows.len()).collect(), is_whole: true };
            let growths = self.growths(&all, resource)?;
            let Some((margin, _)) = growths.at(coverage) else { return Ok(None) };
            let counts = |member: &&Member| {
                let row = u32::try_from(member.row).unwrap_or(u32::MAX);
                !member.need.at_least && (!recurring || whole.of_application(row).len() > LEAST_INSTANCES)
            };
            let waste =
                |member: &Member| (growths.allocation(member.need.level, margin.value) - member.need.need).max(0.0);
            let wastes: Vec<f64> = growths.members.iter().filter(counts).map(waste).collect();
            Ok((!wastes.is_empty()).then(|| wastes.iter().sum::<f64>() / wastes.len() as f64))
        })
    }
}

/// Returns how many times as often as allowed a stranger exceeds a margin of the members: see [`excess`]. At most
/// [`MOST_CASES`] of them are looked at.
fn excess_of(whole: &Whole, resource: Resource, offset: f64, members: &[Member]) -> f64 {
    let rows = members.iter().filter_map(|member| u32::try_from(member.row).ok()).collect();
    let drawn = sample(rows, &whole.rows, MOST_CASES);
    let grown: Vec<Grown> = members
        .iter()
        .filter(|member| u32::try_from(member.row).is_ok_and(|row| drawn.binary_search(&row).is_ok()))
        .map(|&Member { application, need, growth, .. }| Grown {
            application,
            growth,
            least: if resource.is_hard() { (need.level / (need.level + offset)).ln() } else { f64::NEG_INFINITY },
        })
        .collect();
    excess(&grown)
}

/// Returns a number for the application of each of `rows`; a row without one is the only one of its own.
fn applications_of(whole: &Whole, rows: &[usize]) -> Vec<usize> {
    let mut numbers: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    let mut next = 0;
    let mut number = |row: usize| {
        let key = whole.rows.get(row).and_then(|row| Some((row.application.as_deref()?, row.user.as_deref())));
        let mut new = || {
            next += 1;
            next - 1
        };
        match key {
            Some(key) => *numbers.entry(key).or_insert_with(new),
            None => new(),
        }
    };
    rows.iter().map(|&row| number(row)).collect()
}

/// Returns a weight for each instance, given the numbers of their applications: 1 / √n with n the instances of its
/// application, at least as many as make an application known.
fn weights_by_application(applications: &[usize]) -> Vec<f64> {
    let mut counts = vec![0_u32; applications.iter().max().map_or(0, |most| most + 1)];
    for &application in applications {
        counts[application] += 1;
    }
    let weight = |&application: &usize| f64::from(counts[application]).max(LEAST_INSTANCES as f64).powf(-0.5);
    applications.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_counts_by_the_root_of_its_instances_but_not_before_it_is_known() {
        let applications: Vec<usize> =
            [(0, 100), (1, 25), (2, 1)].into_iter().flat_map(|(number, count)| vec![number; count]).collect();
        let weights = weights_by_application(&applications);
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
        near(weights[0], 0.1);
        near(weights[100], 0.2);
        near(weights[125], 0.2_f64.sqrt());
        assert!(weights_by_application(&[]).is_empty());
    }
}
