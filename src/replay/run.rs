//! The whole replay: plan, ask, score.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::ReplayError;
use super::answers::{Answers, Contestant, GivenAnswer, ask, steps};
use super::bootstrap::Resamples;
use super::case::Case;
use super::closed::closed_loop;
use super::learner::Learner;
use super::params::{ReplayParams, Split, SplitBasis};
use super::plan::{Block, Plan, Reason, earlier_instances, instances, plan};
use super::quantile::weighted_upper_quantile;
use super::results::{Clusters, Flattery, Population, ReplayReport, Resource, SplitReport, Weighting};
use super::rivals::{Surroundings, named};
use super::samples::RowBuffer;
use super::score::Scorer;
use super::truth::{Truth, cluster_name};
use super::watch::{Unwatched, Watch};
use crate::predict::{LifeSpan, Scale};
use crate::profile::{CPU_NEED, Floors};
use crate::trace::WorkloadFlags;

/// Target rate whose calibrated settings run in the feedback models.
const FEEDBACK_TARGET: f64 = 0.05;

/// Replays `cases` and scores shadow (through `learner`) beside its rivals.
///
/// Cases are in the store's units and in any order; the report depends on that order only through ties. With
/// [`Split::Leaky`] the honest recurring split is replayed as well, and honest splits stand before the leaky one. A trace in which
/// nothing can be asked gives a report without rows and with a warning.
///
/// # Errors
/// [`ReplayError::NoCases`] for no cases, [`ReplayError::Parameter`] and [`ReplayError::UnknownRival`] for wrong
/// parameters, [`ReplayError::Learner`] if the estimator fails,
/// [`ReplayError::Scratch`] if samples that were put away cannot be read.
pub fn replay(cases: &[Case], params: &ReplayParams, learner: &dyn Learner) -> Result<ReplayReport, ReplayError> {
    replay_watched(cases, params, learner, &Unwatched)
}

/// Does what [`replay`] does and tells `watch` how far it is.
///
/// # Errors
/// As [`replay`].
pub fn replay_watched(
    cases: &[Case],
    params: &ReplayParams,
    learner: &dyn Learner,
    watch: &dyn Watch,
) -> Result<ReplayReport, ReplayError> {
    params.check()?;
    if cases.is_empty() {
        return Err(ReplayError::NoCases);
    }
    let contestants = contestants(params)?;
    let surroundings = surroundings(params, learner);
    let scale = surroundings.scale;
    let mut warnings = life_warnings(cases, params);
    warnings.extend(window_warnings(cases, params));
    warnings.extend(scale_warnings(&scale, &contestants));
    let mut reports = Vec::new();
    for split in params.splits() {
        let of_split = ReplayParams { split, also: Vec::new(), ..params.clone() };
        reports.push(replay_split(cases, &of_split, &contestants, &surroundings, watch)?);
    }
    Ok(ReplayReport {
        window_seconds: params.window.length.as_seconds(),
        minimum_life_seconds: params.minimum_life_windows * params.window.length.as_seconds(),
        span: params.span,
        cpu_share: params.cpu_share,
        instances: None,
        seed: params.seed,
        k: params.question.k.asked(),
        coverage: params.question.coverage,
        feedback: params.feedback,
        cpu_limit: params.cpu_limit,
        resamples: params.resamples,
        units: scale.output(),
        workloads: cases.len() as u64,
        flattery: flattery(&reports),
        splits: reports,
        seconds_observed: None,
        warnings,
    })
}

/// Returns what every rival answers to every query of the test, at every setting: the part of a replay that must not
/// know the future. Of the first split alone: of the leaky one, only the leaky answers.
///
/// # Errors
/// As [`replay`].
pub fn answers_given(
    cases: &[Case],
    params: &ReplayParams,
    learner: &dyn Learner,
) -> Result<Vec<GivenAnswer>, ReplayError> {
    params.check()?;
    let contestants = contestants(params)?;
    let plan = plan(cases, params);
    let surroundings = surroundings(params, learner);
    Ok(ask(cases, &plan.test, &contestants, &surroundings, plan.cuts.is_some(), &Unwatched)?.given(cases, &contestants))
}

pub(super) fn contestants(params: &ReplayParams) -> Result<Vec<Contestant>, ReplayError> {
    let of_name = |name: &String| {
        let rival = named(name, &params.question, params.random_draws)?;
        Ok(Contestant { settings: rival.settings(), rival })
    };
    params.rivals.iter().map(of_name).collect()
}

pub(super) fn surroundings<'a>(params: &ReplayParams, learner: &'a dyn Learner) -> Surroundings<'a> {
    Surroundings {
        learner,
        window: params.window,
        question: params.question,
        scale: Scale::new(params.units, params.machine),
        floors: Floors::of(params.units),
        seed: params.seed,
        random_draws: params.random_draws,
    }
}

/// Says what is not what it usually is: which part of a run is its life, what CPU need means, what memory is.
fn life_warnings(cases: &[Case], params: &ReplayParams) -> Vec<String> {
    let mut warnings = Vec::new();
    if params.span == LifeSpan::Sampled {
        warnings.push(
            "lives are what the trace sampled, from the first row to the last: the learning window lies somewhere in a run and is no \
             start-up, and needs are those of the time that the trace shows"
                .to_owned(),
        );
    }
    if (params.cpu_share - CPU_NEED).abs() > 1e-9 {
        warnings.push(format!(
            "the need of CPU is the {} percentile of the rows' means instead of the 95th",
            ordinal(params.cpu_share * 100.0)
        ));
    }
    let active = cases.iter().filter(|case| case.known.workload.flags.contains(WorkloadFlags::MEMORY_ACTIVE)).count();
    if active > 0 {
        warnings.push(format!(
            "memory of {active} of {} workloads is what a hypervisor saw as active, far below what a guest holds: figures of memory \
             compare methods on that series and say nothing about running out of memory",
            cases.len()
        ));
    }
    warnings
}

/// Returns a number of percent as the ordinal of a percentile: 99th, 92nd, 99.9th.
fn ordinal(percent: f64) -> String {
    let percent = (percent * 1e6).round() / 1e6;
    let (ones, tens) = (percent % 10.0, percent % 100.0 - percent % 10.0);
    let is = |digit: f64| (ones - digit).abs() < 1e-9 && (tens - 10.0).abs() > 1e-9;
    let ending = if is(1.0) {
        "st"
    } else if is(2.0) {
        "nd"
    } else if is(3.0) {
        "rd"
    } else {
        "th"
    };
    format!("{percent}{ending}")
}

/// Says that the learning window is shorter than the rows of the trace, where it is for most workloads.
fn window_warnings(cases: &[Case], params: &ReplayParams) -> Vec<String> {
    let window = params.window.length.as_seconds();
    if window <= 0.0 {
        return vec![
            "asked at submission, before anything ran: methods that need a first window do not answer".to_owned(),
        ];
    }
    let seen: Vec<(f64, f64)> = cases
        .iter()
        .map(|case| &case.known.window)
        .filter(|shown| shown.samples > 0)
        .map(|shown| (shown.observed_seconds, 1.0))
        .collect();
    match weighted_upper_quantile(&seen, 0.5) {
        Some(median) if median > 1.5 * window => vec![format!(
            "the rows of this trace are longer than the learning window of {window} s: half of the workloads were seen for \
             {median:.0} s or longer before they were sized"
        )],
        _ => Vec::new(),
    }
}

/// Says which constants of the rivals that take part do not apply.
fn scale_warnings(scale: &Scale, contestants: &[Contestant]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (known, resource, name) in [
        (scale.cores_per_unit.is_some(), Resource::Cpu, "CPU"),
        (scale.bytes_per_unit.is_some(), Resource::Memory, "memory"),
    ] {
        // Variants of one recommender share its constants.
        let mut constants: Vec<(&str, &str)> = Vec::new();
        for (who, without) in contestants.iter().filter_map(|one| one.rival.absolute_constants(resource)) {
            if constants.iter().all(|known| known.0 != who) {
                constants.push((who, without));
            }
        }
        if known || constants.is_empty() {
            continue;
        }
        let named: Vec<String> = constants.iter().map(|(who, without)| format!("{who} without {without}")).collect();
        warnings.push(format!(
            "{name} is in fractions of the largest machine, whose size was not given: buckets span that machine, nothing is rounded, \
             and there run {}",
            named.join("; ")
        ));
    }
    warnings
}

fn replay_split(
    cases: &[Case],
    params: &ReplayParams,
    contestants: &[Contestant],
    surroundings: &Surroundings<'_>,
    watch: &dyn Watch,
) -> Result<SplitReport, ReplayError> {
    let plan = plan(cases, params);
    let has_clock = plan.cuts.is_some();
    watch.stage("asking", steps(&plan.test, contestants) + steps(&plan.calibration, contestants));
    let test = ask(cases, &plan.test, contestants, surroundings, has_clock, watch)?;
    let calibration = ask(cases, &plan.calibration, contestants, surroundings, has_clock, watch)?;
    watch.stage("scoring", 0);
    let calibrated_by: Vec<Vec<usize>> = plan.test.iter().map(|block| block.calibrated_by.clone()).collect();

    let scored = |answers: &'_ Answers, blocks: &[Block]| {
        let (truths, clusters) = truths(cases, answers, blocks, params.split)?;
        Ok::<_, ReplayError>((truths, clusters.len(), clusters))
    };
    let units = surroundings.scale.output();
    let (test_truths, count, sizes) = scored(&test, &plan.test)?;
    let (calibration_truths, calibration_count, _) = scored(&calibration, &plan.calibration)?;
    let scorer = Scorer::new(params, units, contestants, &test, test_truths, count);
    let calibrator = Scorer::new(params, units, contestants, &calibration, calibration_truths, calibration_count);

    let resamples = Resamples::new(count, params.resamples, params.minimum_clusters, params.seed);
    let (curves, equal_coverage) = scorer.sweeps(resamples.as_ref());
    let has_calibration = !calibration.queries.is_empty();
    let calibrated =
        if has_calibration { scorer.calibrated(&calibrator, &calibrated_by, resamples.as_ref()) } else { Vec::new() };
    let for_feedback = has_calibration.then_some((&calibrator, calibrated_by.as_slice(), FEEDBACK_TARGET));
    let (feedback, order) = scorer.feedback(cases, &surroundings.scale, for_feedback)?;
    let closed_loop = if params.feedback {
        closed_loop(cases, &plan.test, &test, contestants, surroundings, params, watch)?
    } else {
        Vec::new()
    };

    let queries = test.queries.len() as u64;
    let count_of =
        |condition: &dyn Fn(&Truth) -> bool| scorer.truths.iter().filter(|truth| condition(truth)).count() as u64;
    let users = params.split == Split::Unseen && cases.iter().any(|case| case.known.workload.user.is_some());
    let mut report = SplitReport {
        split: plan.split,
        basis: plan.basis,
        store_mode: params.store_mode,
        cuts_seconds: plan
            .cuts
            .filter(|_| plan.basis == SplitBasis::TimeOrder)
            .map(|cuts| [cuts.begin, cuts.calibration, cuts.test, cuts.end].map(crate::units::Micros::as_seconds)),
        held_out_by: plan.held_out_by,
        folds: plan.folds,
        store_workloads: store_sizes(&plan.test),
        queries,
        calibration_queries: calibration.queries.len() as u64,
        calibration_alive_at_test_cut: plan.calibration_alive_at_test_cut,
        removed: plan.removed.clone(),
        censored_memory: count_of(&|truth| truth.is_censored(Resource::Memory)),
        censored_cpu: count_of(&|truth| truth.is_censored(Resource::Cpu)),
        without_request: count_of(&|truth| truth.owner(Resource::Memory).is_none()),
        clusters: Clusters {
            by: if users { "user" } else { "application" },
            count: count as u64,
            largest_share: super::figures::quotient(sizes.iter().copied().max().unwrap_or(0) as f64, queries as f64),
        },
        rivals: scorer.summaries(),
        rows: if queries > 0 { scorer.rows(cases, plan.split, resamples.as_ref())? } else { Vec::new() },
        curves: if queries > 0 { curves } else { Vec::new() },
        equal_coverage: if queries > 0 { equal_coverage } else { Vec::new() },
        calibrated,
        feedback: if queries > 0 { feedback } else { Vec::new() },
        closed_loop,
        order: if queries > 0 { order } else { Vec::new() },
        distributions: scorer.distributions(),
        abstaining: scorer.abstaining(cases)?,
        stated_intervals: scorer.stated_intervals(),
        seen: super::seen::rows(&scorer.truths),
        regret: scorer.regrets(cases, 1.0 - params.question.coverage)?,
        misses: scorer.misses(cases),
        warnings: plan.notes.clone(),
    };
    report.warnings.extend(warnings(&report, &plan, params));
    Ok(report)
}

/// Returns the truth of every query, and how many queries each cluster has, in the order of cluster numbers.
pub(super) fn truths(
    cases: &[Case],
    answers: &Answers,
    blocks: &[Block],
    split: Split,
) -> Result<(Vec<Truth>, Vec<u64>), ReplayError> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for case in &answers.queries {
        numbers.insert(cluster_name(&cases[*case], split), 0);
    }
    for (number, entry) in numbers.values_mut().enumerate() {
        *entry = number;
    }
    let seen: Vec<BTreeMap<String, u64>> = blocks.iter().map(|block| instances(cases, &block.store)).collect();
    let truths: Vec<Truth> = answers
        .queries
        .par_iter()
        .zip(&answers.blocks)
        .map_init(RowBuffer::default, |buffer, (case, block)| {
            let cluster = numbers[&cluster_name(&cases[*case], split)];
            let earlier = earlier_instances(cases, &seen[*block], *case);
            Ok(Truth::new(*case, &cases[*case], &cases[*case].series(buffer)?, cluster, earlier))
        })
        .collect::<Result<_, ReplayError>>()?;
    let mut sizes = vec![0; numbers.len()];
    for truth in &truths {
        sizes[truth.cluster] += 1;
    }
    Ok((truths, sizes))
}

pub(super) fn store_sizes(blocks: &[Block]) -> Option<(u64, u64)> {
    let sizes = blocks.iter().map(|block| block.store.len() as u64);
    Some((sizes.clone().min()?, sizes.max()?))
}

/// Says what weakens the figures of a split.
fn warnings(report: &SplitReport, plan: &Plan, params: &ReplayParams) -> Vec<String> {
    let mut warnings = Vec::new();
    if report.queries == 0 {
        warnings
            .push("nothing can be asked: no workload with a visible start lived long enough in the test".to_owned());
        return warnings;
    }
    let first = report.removed.get(&Reason::FirstOfItsApplication).map_or(0, |removed| removed.workloads);
    if first > report.queries {
        warnings.push(format!(
            "{first} of {} workloads that could be asked have no earlier instance in the store and are left out: most of the \
             test is unseen work",
            first + report.queries
        ));
    }
    if report.clusters.count < u64::from(params.minimum_clusters) {
        warnings.push(format!(
            "no intervals: the queries come from {}, fewer than {}",
            counted(report.clusters.count, report.clusters.by),
            params.minimum_clusters
        ));
    }
    if plan.calibration.is_empty() {
        warnings.push("no calibration workloads: no knob could be chosen before the test".to_owned());
    }
    for (count, what) in [(report.calibration_queries, "calibration workload"), (report.queries, "query")] {
        let too_rare = params.targets.iter().copied().filter(|target| (count as f64) * target < 1.0);
        if let Some(rate) = too_rare.max_by(f64::total_cmp).filter(|_| count > 0) {
            warnings.push(format!(
                "{} cannot tell a rate of {} % or less from none",
                counted(count, what),
                (rate * 1e6).round() / 1e4
            ));
        }
    }
    for (censored, resource) in [(report.censored_memory, "memory"), (report.censored_cpu, "CPU")] {
        if censored == report.queries {
            warnings.push(format!(
                "every {resource} need is only a lower bound: figures count an allocation at or above it as enough"
            ));
        }
    }
    if report.without_request > 0 {
        warnings.push(format!(
            "{} without a memory request: where a rival has no answer either, they do not count for it",
            counted(report.without_request, "query")
        ));
    }
    warnings
}

/// Returns a number with what is counted, in the plural unless it is 1.
fn counted(count: u64, what: &str) -> String {
    match what.strip_suffix('y') {
        _ if count == 1 => format!("1 {what}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {what}s"),
    }
}

/// Compares the leaky split with the honest one before it.
fn flattery(reports: &[SplitReport]) -> Vec<Flattery> {
    let of = |split: Split| reports.iter().find(|report| report.split == split);
    let (Some(honest), Some(leaky)) = (of(Split::Recurring), of(Split::Leaky)) else { return Vec::new() };
    let headline = |entry: &&super::EqualCoverage| {
        entry.weighting == Weighting::Workload && entry.population == Population::WithFallback
    };
    honest
        .equal_coverage
        .iter()
        .filter(headline)
        .map(|entry| {
            let same = leaky.equal_coverage.iter().filter(headline).find(|other| {
                other.rival == entry.rival
                    && other.resource == entry.resource
                    && other.target.total_cmp(&entry.target).is_eq()
            });
            let leaked = same.and_then(|other| other.mean_waste);
            Flattery {
                rival: entry.rival,
                resource: entry.resource,
                target: entry.target,
                honest: entry.mean_waste,
                leaky: leaked,
                flatters_by: entry
                    .mean_waste
                    .zip(leaked)
                    .and_then(|(honest, leaky)| super::figures::quotient(honest, leaky)),
            }
        })
        .collect()
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
