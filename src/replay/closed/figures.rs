//! Figures of the closed loop over job-days (Autopilot, `EuroSys` 2020, section 4.1; `docs/methods.md`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::days::{Day, DayOfResource};
use super::engine::LoopRun;
use crate::predict::OutputUnits;
use crate::predict::control::InForce;
use crate::replay::feedback::FeedbackModel;
use crate::replay::figures::{finite, quotient, serious_oom_kills, weighted_mean, weighted_quantile};
use crate::replay::params::Split;
use crate::replay::results::{Resource, Weighting};
use crate::replay::truth::factor;

const DAY_SECONDS: f64 = 86_400.0;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// How long runs live: slack over a day and over a part of one are different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lives {
    /// All.
    All,
    /// A day or longer.
    ADayOrLonger,
    /// Under a day: the life is the day.
    UnderADay,
}

impl Lives {
    const GROUPS: [Self; 3] = [Self::All, Self::ADayOrLonger, Self::UnderADay];

    pub(super) fn of(seconds: f64) -> Self {
        if seconds >= DAY_SECONDS { Self::ADayOrLonger } else { Self::UnderADay }
    }

    fn holds(self, other: Self) -> bool {
        self == Self::All || self == other
    }
}

/// One rival's closed loop under one model, over one resource. Rates and shares are between 0 and 1; a figure that cannot
/// be computed is absent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClosedRow {
    /// The split.
    pub split: Split,
    /// The rival; `shadow-held` is shadow's first answer, held.
    pub rival: &'static str,
    /// The model.
    pub model: FeedbackModel,
    /// The resource.
    pub resource: Resource,
    /// What a day weighs in means, medians and shares: 1, or what was used on it.
    pub weighting: Weighting,
    /// Which runs.
    pub lives: Lives,
    /// Runs led.
    pub runs: u64,
    /// Days of all runs.
    pub task_days: u64,
    /// Days of all jobs; tasks of a job share them.
    pub job_days: u64,
    /// Mean over job-days of (mean allocation - p95 of five-minute means) / mean allocation.
    pub relative_slack_mean: Option<f64>,
    /// Its median.
    pub relative_slack_median: Option<f64>,
    /// The same mean with five-minute peaks instead of means (memory).
    pub peak_slack_mean: Option<f64>,
    /// Its median.
    pub peak_slack_median: Option<f64>,
    /// Share of task-days without an OOM kill (memory).
    pub oom_free_task_days: Option<f64>,
    /// Share of job-days without an OOM kill (memory).
    pub oom_free_job_days: Option<f64>,
    /// OOM kills per task-day (memory).
    pub oom_kills_per_task_day: Option<f64>,
    /// Job-days with more OOM kills than max(4, tasks / 7) (memory).
    pub serious_job_days: Option<u64>,
    /// Changes of the allocation per task-day after the first answer.
    pub changes_per_task_day: Option<f64>,
    /// Share of task-days without a change.
    pub unchanged_task_days: Option<f64>,
    /// 99th percentile of changes per task-day.
    pub changes_p99: Option<f64>,
    /// Integral of the allocation over that of the owner's, where the owner asked for something.
    pub footprint_ratio: Option<f64>,
    /// Integral of the allocation, unit-hours.
    pub allocated: Option<f64>,
    /// Integral of use, unit-hours.
    pub used: Option<f64>,
    /// Integral of max(0, allocation - use), unit-hours, failed attempts included.
    pub waste: Option<f64>,
    /// Memory-hours allocated to batch attempts that were killed.
    pub lost: Option<f64>,
    /// Share of time with demand above the allocation.
    pub time_above: Option<f64>,
    /// Integral of demand above the allocation over that of use.
    pub excess: Option<f64>,
    /// Share of runs that were given up.
    pub never_fits: Option<f64>,
    /// Hours with rows, of all runs.
    pub hours: Option<f64>,
    /// How often controllers were asked.
    pub observations: u64,
}

/// One run beside its days.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunSummary {
    pub(super) run: LoopRun,
    pub(super) lives: Lives,
    pub(super) owner: InForce,
}

/// One resource of a job-day, without its five-minute values.
#[derive(Debug, Clone, Copy, Default)]
struct Summary {
    seconds: f64,
    allocated: f64,
    used: f64,
    waste: f64,
    excess: f64,
    seconds_above: f64,
    slack: Option<f64>,
    peak_slack: Option<f64>,
}

/// A task on a day: what it used, its kills and changes.
#[derive(Debug, Clone, Copy)]
struct TaskDay {
    used: [f64; 2],
    oom_kills: u32,
    changes: [u32; 2],
}

/// One day of one job, tasks of one life group.
#[derive(Debug, Clone)]
pub(super) struct JobDay {
    lives: Lives,
    resources: [Summary; 2],
    tasks: Vec<TaskDay>,
}

impl JobDay {
    fn oom_kills(&self) -> u64 {
        self.tasks.iter().map(|task| u64::from(task.oom_kills)).sum()
    }
}

fn summary(day: &mut DayOfResource) -> Summary {
    let (slack, peak_slack) = day.relative_slack();
    Summary {
        seconds: day.seconds,
        allocated: day.allocated,
        used: day.used,
        waste: day.waste,
        excess: day.excess,
        seconds_above: day.seconds_above,
        slack,
        peak_slack,
    }
}

/// Returns the job-days of the tasks of one job, by life group and day.
pub(super) fn job_days(tasks: Vec<(Lives, BTreeMap<u64, Day>)>) -> Vec<JobDay> {
    let mut days: BTreeMap<(Lives, u64), (Day, Vec<TaskDay>)> = BTreeMap::new();
    for (lives, of_task) in tasks {
        for (number, day) in of_task {
            let task = TaskDay {
                used: [day.memory.used, day.cpu.used],
                oom_kills: day.oom_kills,
                changes: [day.memory.changes, day.cpu.changes],
            };
            let entry = days.entry((lives, number)).or_default();
            if entry.1.is_empty() {
                entry.0 = day;
            } else {
                entry.0.memory.merge(&day.memory);
                entry.0.cpu.merge(&day.cpu);
            }
            entry.1.push(task);
        }
    }
    let job_day = |((lives, _), (mut day, tasks)): ((Lives, u64), (Day, Vec<TaskDay>))| JobDay {
        lives,
        resources: [summary(&mut day.memory), summary(&mut day.cpu)],
        tasks,
    };
    days.into_iter().map(job_day).collect()
}

/// All runs and job-days of one leader under one model.
#[derive(Debug, Default)]
pub(super) struct Tally {
    runs: Vec<RunSummary>,
    days: Vec<JobDay>,
}

impl Tally {
    pub(super) fn add(&mut self, (runs, days): (Vec<RunSummary>, Vec<JobDay>)) {
        self.runs.extend(runs);
        self.days.extend(days);
    }

    /// Returns whether an allocation was ever changed after the first.
    pub(super) fn has_changes(&self) -> bool {
        self.runs.iter().any(|summary| summary.run.changes > 0)
    }

    /// Returns the rows: by resource, weighting and life group; groups without runs have none.
    pub(super) fn rows(
        &self,
        split: Split,
        rival: &'static str,
        model: FeedbackModel,
        units: &OutputUnits,
    ) -> Vec<ClosedRow> {
        let mut rows = Vec::new();
        for resource in Resource::ALL {
            for weighting in Weighting::ALL {
                for lives in Lives::GROUPS {
                    let runs: Vec<&RunSummary> = self.runs.iter().filter(|run| lives.holds(run.lives)).collect();
                    let days: Vec<&JobDay> = self.days.iter().filter(|day| lives.holds(day.lives)).collect();
                    if runs.is_empty() {
                        continue;
                    }
                    let base = ClosedRow { split, rival, model, resource, weighting, lives, ..ClosedRow::none(split) };
                    rows.push(row(&base, &runs, &days, factor(resource, units) / SECONDS_PER_HOUR));
                }
            }
        }
        rows
    }
}

impl ClosedRow {
    /// Returns a row without figures.
    fn none(split: Split) -> Self {
        Self {
            split,
            rival: "",
            model: FeedbackModel::F0,
            resource: Resource::Memory,
            weighting: Weighting::Workload,
            lives: Lives::All,
            runs: 0,
            task_days: 0,
            job_days: 0,
            relative_slack_mean: None,
            relative_slack_median: None,
            peak_slack_mean: None,
            peak_slack_median: None,
            oom_free_task_days: None,
            oom_free_job_days: None,
            oom_kills_per_task_day: None,
            serious_job_days: None,
            changes_per_task_day: None,
            unchanged_task_days: None,
            changes_p99: None,
            footprint_ratio: None,
            allocated: None,
            used: None,
            waste: None,
            lost: None,
            time_above: None,
            excess: None,
            never_fits: None,
            hours: None,
            observations: 0,
        }
    }
}

fn row(base: &ClosedRow, runs: &[&RunSummary], days: &[&JobDay], per_hour: f64) -> ClosedRow {
    let at = usize::from(base.resource == Resource::Cpu);
    let is_memory = base.resource == Resource::Memory;
    let weight = |used: f64| if base.weighting == Weighting::Workload { 1.0 } else { used };
    let of_days = |value: &dyn Fn(&JobDay) -> Option<f64>| -> Vec<(Option<f64>, f64)> {
        days.iter().map(|day| (value(day), weight(day.resources[at].used))).collect()
    };
    let tasks: Vec<&TaskDay> = days.iter().flat_map(|day| &day.tasks).collect();
    let of_tasks = |value: &dyn Fn(&TaskDay) -> f64| -> Vec<(Option<f64>, f64)> {
        tasks.iter().map(|task| (Some(value(task)), weight(task.used[at]))).collect()
    };
    let mean = |values: Vec<(Option<f64>, f64)>| weighted_mean(values.into_iter());
    let quantile = |values: Vec<(Option<f64>, f64)>, share| weighted_quantile(values.into_iter(), share);
    let yes = |holds: bool| if holds { 1.0 } else { 0.0 };
    let sum = |value: &dyn Fn(&Summary) -> f64| days.iter().map(|day| value(&day.resources[at])).sum::<f64>();
    let memory_only = |value: Option<f64>| value.filter(|_| is_memory);
    let slack = of_days(&|day| day.resources[at].slack);
    let peaks = of_days(&|day| day.resources[at].peak_slack);
    let changes = of_tasks(&|task| f64::from(task.changes[at]));
    let kills: f64 = tasks.iter().map(|task| f64::from(task.oom_kills)).sum();
    ClosedRow {
        runs: runs.len() as u64,
        task_days: tasks.len() as u64,
        job_days: days.len() as u64,
        relative_slack_mean: mean(slack.clone()),
        relative_slack_median: quantile(slack, 0.5),
        peak_slack_mean: memory_only(mean(peaks.clone())),
        peak_slack_median: memory_only(quantile(peaks, 0.5)),
        oom_free_task_days: memory_only(mean(of_tasks(&|task| yes(task.oom_kills == 0)))),
        oom_free_job_days: memory_only(mean(of_days(&|day| Some(yes(day.oom_kills() == 0))))),
        oom_kills_per_task_day: memory_only(quotient(kills, tasks.len() as f64)),
        serious_job_days: is_memory.then(|| {
            days.iter().filter(|day| serious_oom_kills(day.oom_kills(), day.tasks.len() as u64)).count() as u64
        }),
        changes_per_task_day: mean(changes.clone()),
        unchanged_task_days: mean(of_tasks(&|task| yes(task.changes[at] == 0))),
        changes_p99: quantile(changes, 0.99),
        footprint_ratio: footprint(runs, days, at),
        allocated: finite(sum(&|day| day.allocated) * per_hour),
        used: finite(sum(&|day| day.used) * per_hour),
        waste: finite(sum(&|day| day.waste) * per_hour),
        lost: memory_only(finite(runs.iter().map(|run| run.run.memory_lost).sum::<f64>() * per_hour)),
        time_above: quotient(sum(&|day| day.seconds_above), sum(&|day| day.seconds)),
        excess: quotient(sum(&|day| day.excess), sum(&|day| day.used)),
        never_fits: quotient(runs.iter().map(|run| yes(run.run.never_fits)).sum(), runs.len() as f64),
        hours: finite(runs.iter().map(|run| run.run.spent_seconds).sum::<f64>() / SECONDS_PER_HOUR),
        observations: runs.iter().map(|run| run.run.observations).sum(),
        ..*base
    }
}

/// Integral of the allocation over what the owners would have had for the same time.
fn footprint(runs: &[&RunSummary], days: &[&JobDay], at: usize) -> Option<f64> {
    let owner = |run: &RunSummary| if at == 0 { run.owner.memory } else { run.owner.cpu };
    if runs.iter().any(|run| owner(run).is_none()) {
        return None;
    }
    let asked: f64 = runs.iter().filter_map(|run| Some(owner(run)? * run.run.spent_seconds)).sum();
    quotient(days.iter().map(|day| day.resources[at].allocated).sum(), asked)
}
