//! What a replay found, serialisable: every number with its rival, resource, weighting, population and reading.

use std::collections::BTreeMap;

use serde::Serialize;

use super::closed::ClosedRow;
use super::feedback::FeedbackModel;
use super::figures::{Figures, Reading};
use super::observed::Observed;
use super::params::{Split, SplitBasis, StoreMode};
use super::plan::{Reason, Removed};
use super::score::{AbstainPoint, Dimension, Regret, StatedIntervals};
use super::seen::SeenRow;
use crate::predict::{Drawn, LifeSpan, OutputUnits};

/// What is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// Memory; its need is the whole-life peak.
    Memory,
    /// CPU; its need is the 95th percentile of the row means.
    Cpu,
}

impl Resource {
    /// Both, in the order of the report.
    pub const ALL: [Self; 2] = [Self::Memory, Self::Cpu];
}

/// What a workload weighs in means, medians and shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// One.
    Workload,
    /// The integral of its use over its life.
    ResourceHour,
}

impl Weighting {
    /// Both, in the order of the report.
    pub const ALL: [Self; 2] = [Self::Workload, Self::ResourceHour];
}

/// Which queries count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Population {
    /// All; where a rival had no answer, the owner's request stands in.
    WithFallback,
    /// Those that every rival answered (rivals that answered nothing, and the oracle, are not asked).
    Common,
    /// Those that the rival itself answered.
    Answered,
}

/// One rival's figures at its published or default setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The split.
    pub split: Split,
    /// The rival.
    pub rival: &'static str,
    /// Its knob at this setting.
    pub knob: f64,
    /// Its margin at this setting.
    pub margin: f64,
    /// The resource.
    pub resource: Resource,
    /// What a workload weighs.
    pub weighting: Weighting,
    /// Which queries count.
    pub population: Population,
    /// How censored needs are read.
    pub reading: Reading,
    /// By what the queries are parted; nothing for all of them.
    pub dimension: Option<Dimension>,
    /// `all`, or the part.
    pub group: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// 1 - pinball loss over that of the best of owner, persistence, history, class prior and constant; nothing where none
    /// of them takes part.
    pub skill: Option<f64>,
    /// 95 % interval of the under-provision rate; nothing with too few clusters.
    pub under_provision_interval: Option<(f64, f64)>,
    /// 95 % interval of the mean waste.
    pub mean_waste_interval: Option<(f64, f64)>,
}

/// One setting of a rival's sweep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The family: rivals that share the sweep.
    pub rival: &'static str,
    /// The resource.
    pub resource: Resource,
    /// What a workload weighs.
    pub weighting: Weighting,
    /// Which queries count.
    pub population: Population,
    /// The knob.
    pub knob: f64,
    /// The margin.
    pub margin: f64,
    /// Whether this is the published or default setting of a rival of the family.
    pub published: bool,
    /// Under-provision rate.
    pub under_provision_rate: Option<f64>,
    /// Mean of max(0, A - P).
    pub mean_waste: Option<f64>,
}

/// Waste at a target rate, read off the sweep: a description, not a claim.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EqualCoverage {
    /// The family.
    pub rival: &'static str,
    /// The resource.
    pub resource: Resource,
    /// What a workload weighs.
    pub weighting: Weighting,
    /// Which queries count.
    pub population: Population,
    /// How censored needs are read.
    pub reading: Reading,
    /// The under-provision rate compared at.
    pub target: f64,
    /// Mean of max(0, A - P) there; nothing if the sweep does not reach the rate.
    pub mean_waste: Option<f64>,
    /// 95 % interval.
    pub interval: Option<(f64, f64)>,
    /// The rival's waste minus shadow's.
    pub above_shadow: Option<f64>,
    /// Its paired 95 % interval; a difference is one if this excludes 0.
    pub above_shadow_interval: Option<(f64, f64)>,
}

/// What a setting chosen on the calibration period did in the test: the basis of a claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibrated {
    /// The family.
    pub rival: &'static str,
    /// The resource.
    pub resource: Resource,
    /// What a workload weighs.
    pub weighting: Weighting,
    /// How censored needs are read.
    pub reading: Reading,
    /// The under-provision rate aimed at.
    pub target: f64,
    /// Chosen (knob, margin) pairs, one if there is one calibration; empty if no setting was safe enough there.
    pub settings: Vec<(f64, f64)>,
    /// Rate on the calibration workloads, the mean over the test workloads' calibrations.
    pub calibration_rate: Option<f64>,
    /// Rate reached in the test.
    pub under_provision_rate: Option<f64>,
    /// Its 95 % interval.
    pub under_provision_interval: Option<(f64, f64)>,
    /// Mean of max(0, A - P) in the test.
    pub mean_waste: Option<f64>,
    /// Its 95 % interval.
    pub mean_waste_interval: Option<(f64, f64)>,
    /// The rival's waste minus shadow's.
    pub above_shadow: Option<f64>,
    /// Its paired 95 % interval.
    pub above_shadow_interval: Option<(f64, f64)>,
}

/// What happened to one rival's allocations under one feedback model, all queries with the owner's request as
/// fallback. Sums; random draws are averaged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeedbackRow {
    /// The rival.
    pub rival: &'static str,
    /// `published`, or the target its setting was calibrated for.
    pub setting: String,
    /// The model.
    pub model: FeedbackModel,
    /// Workloads simulated.
    pub workloads: u64,
    /// OOM kills per workload.
    pub oom_kills: Option<f64>,
    /// Share of workloads killed at least once.
    pub killed: Option<f64>,
    /// Share of workloads given up after ten kills or at the size of the machine.
    pub never_fits: Option<f64>,
    /// Memory-hours of failed attempts.
    pub memory_lost: f64,
    /// Memory-hours allocated above use in what ran to its end.
    pub memory_waste: f64,
    /// The sum of the two: wastage with retries.
    pub memory_wasted: f64,
    /// Memory-hours allocated.
    pub memory_allocated: f64,
    /// CPU-hours allocated above use.
    pub cpu_waste: f64,
    /// CPU-hours of demand that disappeared (F2).
    pub cpu_lost: f64,
    /// Real hours over trace hours, from the window to the end.
    pub stretch: Option<f64>,
}

/// Rivals by wastage with retries under one model, least first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderRow {
    /// `published`, or the target the settings were calibrated for.
    pub setting: String,
    /// The model.
    pub model: FeedbackModel,
    /// The order.
    pub rivals: Vec<&'static str>,
    /// Whether the order is the same under F0, F1 and F2: without that, no claim.
    pub same_in_all_models: bool,
}

/// What a rival did beside its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RivalSummary {
    /// Its name.
    pub name: &'static str,
    /// The name that rivals with the same sweep share.
    pub family: &'static str,
    /// What its knob is.
    pub knob: &'static str,
    /// Published or default knob.
    pub published_knob: f64,
    /// Published or default margin.
    pub published_margin: f64,
    /// Queries it answered for memory.
    pub answered: u64,
    /// Queries it answered for CPU.
    pub answered_cpu: u64,
    /// Queries it did not answer for memory.
    pub unanswered: u64,
    /// Queries without an answer and without an owner's request to stand in.
    pub without_allocation: u64,
    /// Answers by rung.
    pub rungs: BTreeMap<&'static str, u64>,
    /// Independent draws per query.
    pub draws: u32,
    /// Smallest and largest under-provision rate of memory over the draws, for rivals that draw.
    pub draw_rates: Option<(f64, f64)>,
    /// Smallest and largest mean waste of memory over the draws.
    pub draw_wastes: Option<(f64, f64)>,
}

/// What counts as one in intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Clusters {
    /// `application` or `user`.
    pub by: &'static str,
    /// How many.
    pub count: u64,
    /// Share of the queries in the largest.
    pub largest_share: Option<f64>,
}

/// How one rival's allocations lie around the needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// The rival.
    pub rival: &'static str,
    /// The resource.
    pub resource: Resource,
    /// How censored needs are read.
    pub reading: Reading,
    /// The smallest A / P, then its quantiles in steps of 2 %, up to the largest.
    pub ratios: Vec<f64>,
}

/// On which side of the need an answer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissedBy {
    /// It was too small.
    TooLittle,
    /// It was larger than needed.
    TooMuch,
}

/// One of shadow's worst answers at its published setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Miss {
    /// The resource.
    pub resource: Resource,
    /// The side.
    pub missed_by: MissedBy,
    /// The workload, with `#run` for restarts.
    pub workload: String,
    /// Its application.
    pub application: Option<String>,
    /// What it needed, in the report's unit.
    pub need: f64,
    /// What it was given.
    pub allocation: f64,
    /// The rung that answered.
    pub rung: &'static str,
    /// The heaviest workloads that the answer rests on.
    pub neighbours: Vec<MissNeighbour>,
}

/// A stored workload behind an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MissNeighbour {
    /// The workload, with `#run` for restarts.
    pub workload: String,
    /// Its application.
    pub application: Option<String>,
    /// Its share in the answer.
    pub weight: f64,
    /// What it needed, in the report's unit.
    pub need: Option<f64>,
}

/// One split's results.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitReport {
    /// The split.
    pub split: Split,
    /// Time order or folds.
    pub basis: SplitBasis,
    /// Frozen or growing store.
    pub store_mode: StoreMode,
    /// Begin of the trace, start of calibration, start of test, end; seconds on the trace's clock.
    pub cuts_seconds: Option<[f64; 4]>,
    /// What is held out together in the unseen split.
    pub held_out_by: Option<&'static str>,
    /// Folds, 0 without.
    pub folds: u32,
    /// Fewest and most workloads in a store of the test.
    pub store_workloads: Option<(u64, u64)>,
    /// Workloads asked.
    pub queries: u64,
    /// Workloads that chose the knobs.
    pub calibration_queries: u64,
    /// Calibration workloads left out because they were alive at the test cut.
    pub calibration_alive_at_test_cut: u64,
    /// Workloads left out of the test, by reason.
    pub removed: BTreeMap<Reason, Removed>,
    /// Queries whose memory need is only a lower bound.
    pub censored_memory: u64,
    /// Queries whose CPU need is only a lower bound.
    pub censored_cpu: u64,
    /// Queries without an owner's memory request.
    pub without_request: u64,
    /// What intervals resample.
    pub clusters: Clusters,
    /// One summary per rival.
    pub rivals: Vec<RivalSummary>,
    /// The rows.
    pub rows: Vec<Row>,
    /// The sweeps.
    pub curves: Vec<CurvePoint>,
    /// Waste at equal failure rates.
    pub equal_coverage: Vec<EqualCoverage>,
    /// Knobs chosen on the calibration period.
    pub calibrated: Vec<Calibrated>,
    /// Feedback models.
    pub feedback: Vec<FeedbackRow>,
    /// Runs led by every rival's own rules from the first answer to the end; empty without feedback.
    pub closed_loop: Vec<ClosedRow>,
    /// Order of the rivals under each model.
    pub order: Vec<OrderRow>,
    /// Allocations over needs.
    pub distributions: Vec<Distribution>,
    /// What shadow's surest answers are worth, and the whole when the others are left to their owners.
    pub abstaining: Vec<AbstainPoint>,
    /// Do shadow's stated intervals hold?
    pub stated_intervals: Vec<StatedIntervals>,
    /// Share of the needs that was in use by some time.
    pub seen: Vec<SeenRow>,
    /// Waste above the oracle's by tenths of resource-hours.
    pub regret: Vec<Regret>,
    /// Shadow's worst answers: by resource, too little before too much, the worst first.
    pub misses: Vec<Miss>,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// How much the leaky split flatters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Flattery {
    /// The family.
    pub rival: &'static str,
    /// The resource.
    pub resource: Resource,
    /// The under-provision rate compared at.
    pub target: f64,
    /// Mean waste in the honest split.
    pub honest: Option<f64>,
    /// Mean waste in the leaky split.
    pub leaky: Option<f64>,
    /// The first over the second: above 1, leaking flatters.
    pub flatters_by: Option<f64>,
}

/// Everything a replay found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayReport {
    /// The learning window, in seconds.
    pub window_seconds: f64,
    /// Queries lived at least so long, in seconds.
    pub minimum_life_seconds: f64,
    /// Which part of a run counts as its life.
    pub span: LifeSpan,
    /// Which percentile of the row means is the need of CPU, 0 to 1.
    pub cpu_share: f64,
    /// How many rows of whole instances were drawn, where they were asked about.
    pub instances: Option<Drawn>,
    /// The seed of everything random.
    pub seed: u64,
    /// Neighbours combined; nothing where shadow chose between two numbers.
    pub k: Option<usize>,
    /// Coverage that shadow was asked for.
    pub coverage: f64,
    /// Whether feedback models ran.
    pub feedback: bool,
    /// Whether the CPU answer was also a limit in them.
    pub cpu_limit: bool,
    /// Resamples behind the intervals.
    pub resamples: u32,
    /// Units of every figure.
    pub units: OutputUnits,
    /// Workloads that were handed in.
    pub workloads: u64,
    /// The splits that were asked for, honest ones first; the leaky one never without `recurring`.
    pub splits: Vec<SplitReport>,
    /// What leaking flatters; empty for honest splits alone.
    pub flattery: Vec<Flattery>,
    /// How answers improve with what was seen of a newcomer; nothing unless that was asked for.
    pub seconds_observed: Option<Observed>,
    /// What the reader must know about the whole run.
    pub warnings: Vec<String>,
}
