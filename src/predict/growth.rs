//! How workloads of a class, or all, grew beyond their first window, and what that makes of a newcomer's level.
//!
//! An allocation is exp(quantile) × (level + c), with c one hundredth of the store's mean need: what is tiny may grow many
//! times over and cost nothing, and without c the margin of all would follow it. Applications count by the square root of
//! their instances: between one margin for the instances seen, and one for the applications.

use std::collections::BTreeMap;

use super::calibrate::{LEAST_INSTANCES, MOST_CASES};
use super::draw::sample;
use super::estimate::allocation;
use super::knowledge::Knowledge;
use super::need::{Need, Resource};
use super::quantile::{Observed, Quantile, lower_rank_share, upper_quantile, upper_rank_share};
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

/// How the members of a group grew in one resource.
pub(super) struct Growths {
    resource: Resource,
    floor: f64,
    offset: f64,
    members: Vec<Member>,
    values: Vec<Observed>,
    /// How many times as often as allowed a stranger exceeds a margin: see [`excess`].
    excess: f64,
}

impl Growths {
    /// Returns the growth that covers a stranger, and the ends of the interval; nothing where the group is too small.
    pub(super) fn at(&mut self, coverage: f64) -> Option<(Quantile, Option<(f64, f64)>)> {
        upper_rank_share(&self.values, coverage)?;
        let tail = (1.0 - coverage) / 2.0;
        let margin = self.above(1.0 - coverage)?;
        let ends = lower_rank_share(&self.values, tail).zip(upper_rank_share(&self.values, 1.0 - tail));
        let ends =
            ends.and_then(|(low, _)| Some((upper_quantile(&mut self.values, low)?.value, self.above(tail)?.value)));
        Some((margin, ends))
    }

    /// Returns the growth that this share of strangers exceed. Where the group is too small for misses so rare, its largest.
    fn above(&mut self, misses: f64) -> Option<Quantile> {
        let share = upper_rank_share(&self.values, 1.0 - misses / self.excess).unwrap_or(1.0);
        upper_quantile(&mut self.values, share)
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
    /// Returns how a group grew in a resource.
    pub(super) fn growths(&self, group: &Group<'_>, resource: Resource) -> Growths {
        let offset = OFFSET * self.mean_needs[resource as usize];
        let applications = self.applications(&group.rows);
        let weights = weights_by_application(&applications);
        let member = |(&row, (&application, &weight)): (&usize, (&usize, &f64))| {
            let need = self.rows.get(row)?.needs[resource as usize]?;
            let value = (need.need / (need.level + offset)).ln();
            Some(Member { row, application, need, growth: Observed { value, weight, at_least: need.at_least } })
        };
        let members: Vec<Member> =
            group.rows.iter().zip(applications.iter().zip(&weights)).filter_map(member).collect();
        Growths {
            resource,
            floor: resource.floor(self.floors()),
            offset,
            values: members.iter().map(|member| member.growth).collect(),
            excess: self.excess(group, resource, offset, &members),
            members,
        }
    }

    /// Returns what growth alone would have wasted on the store's workloads at a coverage, or on those of applications with
    /// enough instances to answer for each other: the mean, in units of the resource; nothing where the store holds too few.
    pub(super) fn growth_waste(&self, resource: Resource, coverage: f64, recurring: bool) -> Option<f64> {
        let key = (resource, coverage.to_bits(), recurring);
        if let Ok(known) = self.growth_wastes.lock()
            && let Some(&waste) = known.get(&key)
        {
            return waste;
        }
        let mut growths =
            self.growths(&Group { class: None, rows: (0..self.rows.len()).collect(), is_whole: true }, resource);
        let waste = growths.at(coverage).and_then(|(margin, _)| {
            let counts = |member: &&Member| {
                let row = u32::try_from(member.row).unwrap_or(u32::MAX);
                !member.need.at_least && (!recurring || self.of_application(row).len() > LEAST_INSTANCES)
            };
            let waste =
                |member: &Member| (growths.allocation(member.need.level, margin.value) - member.need.need).max(0.0);
            let wastes: Vec<f64> = growths.members.iter().filter(counts).map(waste).collect();
            (!wastes.is_empty()).then(|| wastes.iter().sum::<f64>() / wastes.len() as f64)
        });
        if let Ok(mut known) = self.growth_wastes.lock() {
            known.insert(key, waste);
        }
        waste
    }

    /// Returns how many times as often as allowed a stranger exceeds a margin of the group: see [`excess`]. At most
    /// [`MOST_CASES`] members are looked at; what they say is kept for groups of which all rows may be used.
    fn excess(&self, group: &Group<'_>, resource: Resource, offset: f64, members: &[Member]) -> f64 {
        let key = (group.class.map(str::to_owned), resource);
        if group.is_whole
            && let Ok(known) = self.excesses.lock()
            && let Some(&excess) = known.get(&key)
        {
            return excess;
        }
        let rows = members.iter().filter_map(|member| u32::try_from(member.row).ok()).collect();
        let drawn = sample(rows, &self.rows, MOST_CASES);
        let grown: Vec<Grown> = members
            .iter()
            .filter(|member| u32::try_from(member.row).is_ok_and(|row| drawn.binary_search(&row).is_ok()))
            .map(|&Member { application, need, growth, .. }| Grown {
                application,
                growth,
                least: if resource.is_hard() { (need.level / (need.level + offset)).ln() } else { f64::NEG_INFINITY },
            })
            .collect();
        let excess = excess(&grown);
        if group.is_whole
            && let Ok(mut known) = self.excesses.lock()
        {
            known.insert(key, excess);
        }
        excess
    }

    /// Returns a number for the application of each of `rows`; a row without one is the only one of its own.
    fn applications(&self, rows: &[usize]) -> Vec<usize> {
        let mut numbers: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
        let mut next = 0;
        let mut number = |row: usize| {
            let key = self.rows.get(row).and_then(|row| Some((row.application.as_deref()?, row.user.as_deref())));
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
