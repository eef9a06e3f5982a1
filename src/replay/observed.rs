//! How answers improve with what was seen of a newcomer: the whole replay again for each of several learning windows.
//!
//! Everything is made anew per window: first windows, plan, fits, answers. Figures come twice: over the workloads that
//! could be asked at every window, where the population is the same along the curve, and over all that could be asked
//! at each window, where it is not. Cost: as many replays as there are windows, without calibration, feedback and
//! intervals; one window's profiles and answers at a time are held beside the cases.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use super::ReplayError;
use super::answers::{ask, steps};
use super::case::Case;
use super::figures::{Reading, quotient};
use super::learner::Learner;
use super::params::{ReplayParams, Split, SplitBasis};
use super::plan::{Plan, plan};
use super::results::Resource;
use super::run::{contestants, store_sizes, surroundings, truths};
use super::samples::RowBuffer;
use super::score::Scorer;
use super::watch::Watch;
use crate::predict::{Scale, first_window};
use crate::profile::quantile::nearest_rank;
use crate::profile::{Floors, Window};
use crate::units::Micros;

/// Fewer workloads than this tell little about a curve (our value).
const FEW: usize = 20;

/// Which workloads a figure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alive {
    /// Those that could be asked at every window: the same along the curve.
    AtEveryWindow,
    /// All that could be asked at this window.
    AtThisWindow,
}

impl Alive {
    /// Both, in the order of the report.
    pub const ALL: [Self; 2] = [Self::AtEveryWindow, Self::AtThisWindow];
}

/// What a window had to go by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ObservedWindow {
    /// The learning window, in seconds.
    pub window_seconds: f64,
    /// Time order or folds.
    pub basis: SplitBasis,
    /// Workloads asked.
    pub queries: u64,
    /// Fewest and most workloads in a store.
    pub store_workloads: Option<(u64, u64)>,
}

/// One rival after one window: all queries with the owner's request as fallback, every workload weighing the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ObservedRow {
    /// The learning window, in seconds.
    pub window_seconds: f64,
    /// Which workloads count.
    pub alive: Alive,
    /// The rival.
    pub rival: &'static str,
    /// The resource.
    pub resource: Resource,
    /// How censored needs are read.
    pub reading: Reading,
    /// Workloads that count.
    pub workloads: u64,
    /// Share of the queries that the rival did not answer itself.
    pub unanswered: Option<f64>,
    /// Median of abs(ln(A / P)) at the published setting.
    pub log_ratio_median: Option<f64>,
    /// 90th percentile of max(A / P, P / A).
    pub q_error_p90: Option<f64>,
    /// Share with P <= A.
    pub coverage: Option<f64>,
    /// Mean of max(0, A - P).
    pub mean_waste: Option<f64>,
    /// Mean of max(0, A - P) read off the family's sweep at the target rate.
    pub waste_at_target: Option<f64>,
}

/// After how much of a newcomer a rival first answers by itself, over the workloads that can be asked at every window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FirstAnswer {
    /// The rival.
    pub rival: &'static str,
    /// The resource.
    pub resource: Resource,
    /// Workloads.
    pub workloads: u64,
    /// Median of the shortest window with an answer, in seconds; nothing where half of them have none.
    pub seconds_p50: Option<f64>,
    /// 90th percentile.
    pub seconds_p90: Option<f64>,
    /// Share without an answer at any window.
    pub never: Option<f64>,
}

impl FirstAnswer {
    fn new(rival: &'static str, resource: Resource, firsts: &[Option<f64>]) -> Self {
        // Never is later than any window.
        let mut sorted: Vec<f64> = firsts.iter().map(|first| first.unwrap_or(f64::INFINITY)).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share| nearest_rank(&sorted, share).filter(|seconds| seconds.is_finite());
        let never = firsts.iter().filter(|first| first.is_none()).count() as f64;
        Self {
            rival,
            resource,
            workloads: firsts.len() as u64,
            seconds_p50: at(0.5),
            seconds_p90: at(0.9),
            never: quotient(never, firsts.len() as f64),
        }
    }
}

/// Errors against seconds observed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observed {
    /// The split.
    pub split: Split,
    /// The under-provision rate at which waste is compared.
    pub target: f64,
    /// Workloads that could be asked at every window where any could.
    pub alive_at_every_window: u64,
    /// The windows, shortest first.
    pub windows: Vec<ObservedWindow>,
    /// By window, population, rival and resource.
    pub rows: Vec<ObservedRow>,
    /// When rivals first answer.
    pub first_answers: Vec<FirstAnswer>,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// Replays `cases` once per window. Consumes them, since their first windows are profiled anew from their samples;
/// `params.window` does not matter, the coverage of `params.question` sets the target.
///
/// # Errors
/// As [`super::replay`].
pub fn seconds_observed(
    mut cases: Vec<Case>,
    windows: &[Window],
    params: &ReplayParams,
    learner: &dyn Learner,
    watch: &dyn Watch,
) -> Result<Observed, ReplayError> {
    if cases.is_empty() {
        return Err(ReplayError::NoCases);
    }
    let lengths: BTreeSet<Micros> = windows.iter().map(|window| window.length).collect();
    let of_window = |length: Micros| ReplayParams { window: Window { length }, ..params.clone() };
    let target = 1.0 - params.question.coverage;

    // Who can be asked at every window is known only after all of them were looked at.
    let mut common: Option<BTreeSet<usize>> = None;
    for length in &lengths {
        let params = of_window(*length);
        params.check()?;
        see(&mut cases, &params)?;
        let asked: BTreeSet<usize> = queries(&plan(&cases, &params)).collect();
        if !asked.is_empty() {
            common = Some(common.map_or(asked.clone(), |common| common.intersection(&asked).copied().collect()));
        }
    }
    let common = common.unwrap_or_default();

    let units = Scale::new(params.units, params.machine).output();
    let mut observed = Observed {
        split: params.split,
        target,
        alive_at_every_window: common.len() as u64,
        windows: Vec::new(),
        rows: Vec::new(),
        first_answers: Vec::new(),
        warnings: Vec::new(),
    };
    // By rival and resource, by workload: the shortest window with an answer.
    let mut firsts: Vec<[BTreeMap<usize, Option<f64>>; 2]> = vec![Default::default(); params.rivals.len()];
    for length in &lengths {
        let params = of_window(*length);
        see(&mut cases, &params)?;
        let contestants = contestants(&params)?;
        let plan = plan(&cases, &params);
        watch.stage(&format!("asking after {length}"), steps(&plan.test, &contestants));
        let surroundings = surroundings(&params, learner);
        let answers = ask(&cases, &plan.test, &contestants, &surroundings, plan.cuts.is_some(), watch)?;
        for (query, case) in answers.queries.iter().enumerate().filter(|(_, case)| common.contains(*case)) {
            for (rival, contestant) in contestants.iter().enumerate() {
                for (at, resource) in Resource::ALL.into_iter().enumerate() {
                    let answer = answers.get(rival, query, 0, contestant.rival.published(), resource);
                    let first = firsts[rival][at].entry(*case).or_insert(None);
                    *first = first.or(answer.map(|_| length.as_seconds()));
                }
            }
        }
        observed.windows.push(ObservedWindow {
            window_seconds: length.as_seconds(),
            basis: plan.basis,
            queries: answers.queries.len() as u64,
            store_workloads: store_sizes(&plan.test),
        });
        for alive in Alive::ALL {
            let answers = answers.only(|case| alive == Alive::AtThisWindow || common.contains(&case));
            if answers.queries.is_empty() {
                continue;
            }
            let (truths, clusters) = truths(&cases, &answers, &plan.test, params.split)?;
            let scorer = Scorer::new(&params, units, &contestants, &answers, truths, clusters.len());
            observed.rows.extend(scorer.observed(length.as_seconds(), alive, target));
        }
    }
    for (contestant, of_rival) in contestants(params)?.iter().zip(&firsts) {
        for (resource, firsts) in Resource::ALL.into_iter().zip(of_rival) {
            let firsts: Vec<Option<f64>> = firsts.values().copied().collect();
            if !firsts.is_empty() && !contestant.rival.sees_the_future() {
                observed.first_answers.push(FirstAnswer::new(contestant.rival.name(), resource, &firsts));
            }
        }
    }
    observed.warnings = warnings(&observed, common.len());
    Ok(observed)
}

/// Profiles the first windows of all cases anew.
fn see(cases: &mut [Case], params: &ReplayParams) -> Result<(), ReplayError> {
    let floors = Floors::of(params.units);
    cases.par_iter_mut().try_for_each_init(RowBuffer::default, |buffer, case| {
        let known = &mut case.known;
        let samples = case.samples.read(buffer)?;
        known.window = first_window(&known.workload, &known.life, samples, params.window, floors);
        Ok(())
    })
}

fn queries(plan: &Plan) -> impl Iterator<Item = usize> {
    plan.test.iter().flat_map(|block| block.queries.iter().copied())
}

fn warnings(observed: &Observed, common: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    let nobody: Vec<String> = observed
        .windows
        .iter()
        .filter(|window| window.queries == 0)
        .map(|window| format!("{} s", window.window_seconds))
        .collect();
    if !nobody.is_empty() {
        warnings.push(format!("nothing can be asked after {}", nobody.join(", ")));
    }
    if common < FEW && nobody.len() < observed.windows.len() {
        let workloads = if common == 1 { "workload" } else { "workloads" };
        warnings.push(format!("{common} {workloads} can be asked at every window: the longest windows leave few"));
    }
    let asked = observed.windows.iter().filter(|window| window.queries > 0);
    let bases: BTreeSet<&str> = asked
        .map(|window| match window.basis {
            SplitBasis::TimeOrder => "time order",
            SplitBasis::Folds => "folds",
            SplitBasis::Random => "random folds",
        })
        .collect();
    if bases.len() > 1 {
        warnings.push(
            "some windows are replayed in time order and others by folds, which flatter: do not compare them"
                .to_owned(),
        );
    }
    warnings
}

#[cfg(test)]
#[path = "observed_tests.rs"]
mod tests;
