//! What the allocations would have done under the feedback models.

use super::{Population, Resource, Scorer};
use crate::predict::{OutputUnits, Scale};
use crate::replay::answers::Asked;
use crate::replay::case::Case;
use crate::replay::feedback::{Attempt, FeedbackModel, FeedbackParams, FeedbackRun, simulate};
use crate::replay::figures::quotient;
use crate::replay::results::{FeedbackRow, OrderRow};
use crate::replay::truth::factor;

/// Kills after which a run is given up, and the wait after each (our values).
const MOST_ATTEMPTS: usize = 10;
const RESTART_DELAY_SECONDS: f64 = 10.0;
/// The name of the marked settings.
const PUBLISHED: &str = "published";

impl Scorer<'_> {
    /// Returns what the published settings, and those calibrated for a target, do under the feedback models.
    pub(in crate::replay) fn feedback(
        &self,
        cases: &[Case],
        scale: &Scale,
        calibrated: Option<(&Scorer<'_>, &[Vec<usize>], f64)>,
    ) -> (Vec<FeedbackRow>, Vec<OrderRow>) {
        let mut rows = Vec::new();
        for rival in 0..self.contestants.len() {
            let published = self.contestants[rival].rival.published();
            let always = |_: usize| Some((published, published));
            rows.extend(self.feedback_rows(cases, scale, rival, PUBLISHED, &always));
        }
        if let Some((calibration, calibrated_by, target)) = calibrated {
            let name = format!("calibrated for {} %", target * 100.0);
            for rival in self.families() {
                let [memory, cpu] =
                    Resource::ALL.map(|resource| calibration.choose(rival, resource, target, calibrated_by));
                let published = self.contestants[rival].rival.published();
                // CPU keeps its published setting where calibration finds none: only memory decides the order.
                let of_block = |block: usize| {
                    let chosen = memory.get(block).copied().flatten()?;
                    let cpu = cpu.get(block).copied().flatten().map_or(published, |(setting, _)| setting);
                    Some((chosen.0, cpu))
                };
                if self.answers.blocks.iter().all(|block| of_block(*block).is_some()) {
                    rows.extend(self.feedback_rows(cases, scale, rival, &name, &of_block));
                }
            }
        }
        let order = orders(&rows);
        (rows, order)
    }

    fn feedback_rows(
        &self,
        cases: &[Case],
        scale: &Scale,
        rival: usize,
        name: &str,
        settings_of_block: &dyn Fn(usize) -> Option<(usize, usize)>,
    ) -> Vec<FeedbackRow> {
        let models: &[FeedbackModel] = if self.params.feedback {
            &[FeedbackModel::F0, FeedbackModel::F1, FeedbackModel::F2]
        } else {
            &[FeedbackModel::F1]
        };
        // A calibrated setting belongs to the sweep, not to the marked point that named the rival.
        let contestant = &self.contestants[rival].rival;
        let shown = if name == PUBLISHED { contestant.name() } else { contestant.family() };
        let row = |model: &FeedbackModel| {
            let draws = self.answers.draws(rival);
            let mut total = Totals::default();
            for query in 0..self.truths.len() {
                let Some(settings) = settings_of_block(self.answers.blocks[query]) else { continue };
                for draw in 0..draws {
                    let run = self.simulated(cases, scale, rival, (query, draw), settings, *model);
                    if let Some((run, trace_seconds)) = run {
                        total.add(&run, trace_seconds);
                    }
                }
            }
            total.row(shown, name, *model, draws as u64, &self.units)
        };
        models.iter().map(row).collect()
    }

    /// Runs one query under one model; nothing if there is no allocation for its memory.
    fn simulated(
        &self,
        cases: &[Case],
        scale: &Scale,
        rival: usize,
        (query, draw): (usize, usize),
        (memory_setting, cpu_setting): (usize, usize),
        model: FeedbackModel,
    ) -> Option<(FeedbackRun, f64)> {
        let truth = &self.truths[query];
        let of = |resource, setting| self.allocation(rival, query, (draw, setting), resource, Population::WithFallback);
        let memory = of(Resource::Memory, memory_setting)?;
        let cpu = of(Resource::Cpu, cpu_setting);
        let from = self.params.window.length.as_seconds();
        let params = FeedbackParams {
            model,
            from,
            cpu_limit: self.params.cpu_limit,
            service: truth.service,
            memory_cap: scale.machine_memory,
            restart_delay: RESTART_DELAY_SECONDS,
            most_attempts: MOST_ATTEMPTS,
        };
        let contestant = &self.contestants[rival];
        let asked = Asked::new(&cases[truth.case], self.params.window.length);
        let setting = contestant.settings[memory_setting];
        let own_answer = self.answers.get(rival, query, draw, memory_setting, Resource::Memory).is_some();
        let bump = |kills: &[Attempt]| {
            if own_answer {
                self.answers.conduct(rival, query).after_kills(&asked.query(), &setting, kills)
            } else {
                // The owner's request stands in, and grows by the usual factor.
                kills.last().map(|kill| kill.allocation * 2.0)
            }
        };
        let trace_seconds: f64 = truth.series.after(from).map(|step| step.seconds).sum();
        Some((simulate(&truth.series, cpu, Some(memory), &params, &bump), trace_seconds))
    }
}

/// Sums over simulated runs, in the store's units times seconds.
#[derive(Debug, Default)]
struct Totals {
    runs: u64,
    kills: f64,
    killed: f64,
    given_up: f64,
    sums: FeedbackRun,
    real_seconds: f64,
    trace_seconds: f64,
}

impl Totals {
    fn add(&mut self, run: &FeedbackRun, trace_seconds: f64) {
        self.runs += 1;
        self.kills += f64::from(run.oom_kills);
        self.killed += if run.oom_kills > 0 { 1.0 } else { 0.0 };
        self.given_up += if run.never_fits { 1.0 } else { 0.0 };
        self.sums.memory_lost += run.memory_lost;
        self.sums.memory_waste += run.memory_waste;
        self.sums.memory_allocated += run.memory_allocated;
        self.sums.cpu_waste += run.cpu_waste;
        self.sums.cpu_lost += run.cpu_lost;
        if !run.never_fits {
            self.real_seconds += run.real_seconds;
            self.trace_seconds += trace_seconds;
        }
    }

    fn row(
        &self,
        rival: &'static str,
        setting: &str,
        model: FeedbackModel,
        draws: u64,
        units: &OutputUnits,
    ) -> FeedbackRow {
        let hours = |sum: f64, resource| sum * factor(resource, units) / 3600.0 / draws as f64;
        let memory = |sum| hours(sum, Resource::Memory);
        FeedbackRow {
            rival,
            setting: setting.to_owned(),
            model,
            workloads: self.runs / draws,
            oom_kills: quotient(self.kills, self.runs as f64),
            killed: quotient(self.killed, self.runs as f64),
            never_fits: quotient(self.given_up, self.runs as f64),
            memory_lost: memory(self.sums.memory_lost),
            memory_waste: memory(self.sums.memory_waste),
            memory_wasted: memory(self.sums.memory_wasted()),
            memory_allocated: memory(self.sums.memory_allocated),
            cpu_waste: hours(self.sums.cpu_waste, Resource::Cpu),
            cpu_lost: hours(self.sums.cpu_lost, Resource::Cpu),
            stretch: quotient(self.real_seconds, self.trace_seconds),
        }
    }
}

/// Orders rivals by wastage with retries, per setting and model; the oracle is no rival, and a rival that simulated
/// other workloads than the rest cannot be ordered with them.
fn orders(rows: &[FeedbackRow]) -> Vec<OrderRow> {
    let mut orders: Vec<OrderRow> = Vec::new();
    let mut seen: Vec<(&str, FeedbackModel)> = rows.iter().map(|row| (row.setting.as_str(), row.model)).collect();
    let mut kept = Vec::new();
    seen.retain(|key| {
        let new = !kept.contains(key);
        kept.push(*key);
        new
    });
    for (setting, model) in seen {
        let mut inside: Vec<&FeedbackRow> = rows
            .iter()
            .filter(|row| row.setting == setting && row.model == model && row.rival != "oracle" && row.workloads > 0)
            .collect();
        let most = inside.iter().map(|row| row.workloads).max().unwrap_or(0);
        inside.retain(|row| row.workloads == most);
        inside.sort_by(|a, b| a.memory_wasted.total_cmp(&b.memory_wasted).then(a.rival.cmp(b.rival)));
        orders.push(OrderRow {
            setting: setting.to_owned(),
            model,
            rivals: inside.iter().map(|row| row.rival).collect(),
            same_in_all_models: false,
        });
    }
    let copies = orders.clone();
    for order in &mut orders {
        let others = copies.iter().filter(|other| other.setting == order.setting);
        order.same_in_all_models =
            others.clone().count() == 3 && others.clone().all(|other| other.rivals == order.rivals);
    }
    orders
}
