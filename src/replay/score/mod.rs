//! Answers beside the truth: what is allocated to whom, and how outcomes are summed. The files below make rows, sweeps,
//! calibrated settings and feedback of it.

mod abstain;
mod calibrated;
mod distribution;
mod groups;
mod intervals;
mod misses;
mod observed;
mod over_time;
mod reaction;
mod regret;
mod rows;
mod skill;
mod sweep;

pub use abstain::{AbstainPoint, SurestBy};
pub use groups::Dimension;
pub use intervals::StatedIntervals;
pub use regret::Regret;

use std::collections::BTreeMap;

use super::answers::{Answers, Contestant};
use super::compare::Point;
use super::figures::{Judged, Reading, quotient};
use super::params::ReplayParams;
use super::results::{Population, Resource, Weighting};
use super::truth::Truth;
use crate::predict::OutputUnits;

/// What one set of answers is scored with.
pub(super) struct Scorer<'a> {
    pub(super) params: &'a ReplayParams,
    pub(super) units: OutputUnits,
    pub(super) contestants: &'a [Contestant],
    pub(super) answers: &'a Answers,
    pub(super) truths: Vec<Truth>,
    pub(super) clusters: usize,
    /// By resource: queries that every rival that answers at all answered.
    common: BTreeMap<Resource, Vec<bool>>,
}

/// Weight, weight of failures, weighted waste of one cluster under one setting.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    weight: f64,
    failed: f64,
    waste: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.weight += other.weight;
        self.failed += other.failed;
        self.waste += other.waste;
    }
}

/// By setting, by cluster.
type Table = Vec<Vec<Sums>>;

/// Adds clusters as often as they were drawn (`None`: once each).
fn point(clusters: &[Sums], draw: Option<&[u32]>) -> Option<Point> {
    let mut all = Sums::default();
    for (position, sums) in clusters.iter().enumerate() {
        let times = draw.map_or(1.0, |draw| f64::from(draw[position]));
        all.weight += times * sums.weight;
        all.failed += times * sums.failed;
        all.waste += times * sums.waste;
    }
    Some(Point { rate: quotient(all.failed, all.weight)?, waste: quotient(all.waste, all.weight)? })
}

/// Returns the points of a sweep, in the order of the settings.
fn curve(table: &Table, draw: Option<&[u32]>) -> Vec<Point> {
    table.iter().filter_map(|clusters| point(clusters, draw)).collect()
}

fn difference(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? - b?)
}

impl<'a> Scorer<'a> {
    pub(in crate::replay) fn new(
        params: &'a ReplayParams,
        units: OutputUnits,
        contestants: &'a [Contestant],
        answers: &'a Answers,
        truths: Vec<Truth>,
        clusters: usize,
    ) -> Self {
        let mut scorer = Self { params, units, contestants, answers, truths, clusters, common: BTreeMap::new() };
        for resource in Resource::ALL {
            let asked: Vec<usize> = (0..contestants.len())
                .filter(|rival| !contestants[*rival].rival.sees_the_future())
                .filter(|rival| (0..scorer.truths.len()).any(|query| scorer.answered(*rival, query, resource)))
                .collect();
            let common = (0..scorer.truths.len())
                .map(|query| asked.iter().all(|rival| scorer.answered(*rival, query, resource)))
                .collect();
            scorer.common.insert(resource, common);
        }
        scorer
    }

    fn answered(&self, rival: usize, query: usize, resource: Resource) -> bool {
        let published = self.contestants[rival].rival.published();
        self.answers.get(rival, query, 0, published, resource).is_some()
    }

    /// Returns what is allocated to a query, in the store's units; nothing if it does not count in the population.
    fn allocation(
        &self,
        rival: usize,
        query: usize,
        (draw, setting): (usize, usize),
        resource: Resource,
        population: Population,
    ) -> Option<f64> {
        let answer = self.answers.get(rival, query, draw, setting, resource);
        match population {
            Population::Answered => answer,
            Population::Common => answer.filter(|_| self.common[&resource][query]),
            // The oracle is a reference: where it does not know the truth, nobody stands in for it.
            Population::WithFallback if self.contestants[rival].rival.sees_the_future() => answer,
            Population::WithFallback => answer.or(self.truths[query].owner(resource)),
        }
    }

    /// Returns the reading of headline figures: (a), or (b) where no query has an uncensored need.
    pub(in crate::replay) fn reading(&self, resource: Resource) -> Reading {
        let known = |truth: &Truth| truth.has(resource) && !truth.is_censored(resource);
        if self.truths.iter().any(known) { Reading::UncensoredOnly } else { Reading::UndecidedFits }
    }

    /// Returns one query's outcome (the mean of all draws) under one setting.
    fn outcome(&self, rival: usize, query: usize, setting: usize, view: View) -> Sums {
        let truth = &self.truths[query];
        let draws = self.answers.draws(rival);
        let mut sums = Sums::default();
        for draw in 0..draws {
            let Some(allocation) = self.allocation(rival, query, (draw, setting), view.resource, view.population)
            else {
                continue;
            };
            let Some(judged) = truth.judge(view.resource, allocation, &self.units) else { continue };
            let Some(fails) = judged.fails(view.reading) else { continue };
            let weight = weight(&judged, view.weighting) / draws as f64;
            sums.weight += weight;
            sums.failed += if fails { weight } else { 0.0 };
            sums.waste += weight * (judged.allocation - judged.need).max(0.0);
        }
        sums
    }

    /// Returns the outcomes by cluster, each query under the setting that `setting_of` names for it.
    fn by_cluster(&self, rival: usize, view: View, setting_of: impl Fn(usize) -> usize) -> Vec<Sums> {
        let mut clusters = vec![Sums::default(); self.clusters];
        for query in 0..self.truths.len() {
            clusters[self.truths[query].cluster].add(self.outcome(rival, query, setting_of(query), view));
        }
        clusters
    }

    fn table(&self, rival: usize, view: View) -> Table {
        let settings = self.contestants[rival].settings.len();
        (0..settings).map(|setting| self.by_cluster(rival, view, |_| setting)).collect()
    }

    /// Returns the first rival of each family: their sweeps are drawn once.
    fn families(&self) -> Vec<usize> {
        let family = |rival: usize| self.contestants[rival].rival.family();
        (0..self.contestants.len()).filter(|rival| (0..*rival).all(|other| family(other) != family(*rival))).collect()
    }

    fn shadow(&self) -> Option<usize> {
        self.contestants.iter().position(|contestant| contestant.rival.name() == "shadow")
    }
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
struct View {
    resource: Resource,
    weighting: Weighting,
    population: Population,
    reading: Reading,
}

fn weight(judged: &Judged, weighting: Weighting) -> f64 {
    match weighting {
        Weighting::Workload => 1.0,
        Weighting::ResourceHour => judged.resource_hours,
    }
}
