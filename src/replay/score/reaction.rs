//! What the allocations would have done under the feedback models.

use rayon::prelude::*;

use super::{Population, Resource, Scorer};
use crate::predict::{OutputUnits, Scale};
use crate::replay::ReplayError;
use crate::replay::answers::Asked;
use crate::replay::case::Case;
use crate::replay::feedback::{Attempt, FeedbackModel, FeedbackParams, FeedbackRun, simulate};
use crate::replay::figures::quotient;
use crate::replay::results::{FeedbackRow, OrderRow};
use crate::replay::samples::RowBuffer;
use crate::replay::series::Series;
use crate::replay::truth::factor;

/// Kills after which a run is given up, and the wait after each (our values).
const MOST_ATTEMPTS: usize = 10;
const RESTART_DELAY_SECONDS: f64 = 10.0;
/// The name of the marked settings.
const PUBLISHED: &str = "published";

/// Queries per thread whose simulated runs are held before they are added up.
const AT_ONCE: usize = 64;

/// What one query did, by line and model, one run per draw.
struct Simulated {
    trace_seconds: f64,
    runs: Vec<Vec<FeedbackRun>>,
}

/// One rival at one choice of settings.
struct Line<'a> {
    rival: usize,
    shown: &'static str,
    name: &'a str,
    /// Settings of memory and CPU, by block.
    settings: Vec<(usize, usize)>,
}

impl Scorer<'_> {
    /// Returns what the published settings, and those calibrated for a target, do under the feedback models.
    ///
    /// # Errors
    /// [`ReplayError::Scratch`] if samples cannot be read.
    pub(in crate::replay) fn feedback(
        &self,
        cases: &[Case],
        scale: &Scale,
        calibrated: Option<(&Scorer<'_>, &[Vec<usize>], f64)>,
    ) -> Result<(Vec<FeedbackRow>, Vec<OrderRow>), ReplayError> {
        let blocks = self.answers.blocks.iter().max().map_or(0, |last| last + 1);
        let mut lines = Vec::new();
        for (rival, contestant) in self.contestants.iter().enumerate() {
            let published = contestant.rival.published();
            let settings = vec![(published, published); blocks];
            lines.push(Line { rival, shown: contestant.rival.name(), name: PUBLISHED, settings });
        }
        let name = calibrated.map(|(_, _, target)| format!("calibrated for {} %", target * 100.0)).unwrap_or_default();
        if let Some((calibration, calibrated_by, target)) = calibrated {
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
                if let Some(settings) = (0..blocks).map(of_block).collect() {
                    // A calibrated setting belongs to the sweep, not to the marked point that named the rival.
                    lines.push(Line { rival, shown: self.contestants[rival].rival.family(), name: &name, settings });
                }
            }
        }
        let rows = self.feedback_rows(cases, scale, &lines)?;
        let order = orders(&rows);
        Ok((rows, order))
    }

    /// Each query is read once, for all lines; runs are added up in the order of queries and draws, whatever thread they
    /// ran on.
    fn feedback_rows(
        &self,
        cases: &[Case],
        scale: &Scale,
        lines: &[Line<'_>],
    ) -> Result<Vec<FeedbackRow>, ReplayError> {
        let models: &[FeedbackModel] = if self.params.feedback {
            &[FeedbackModel::F0, FeedbackModel::F1, FeedbackModel::F2]
        } else {
            &[FeedbackModel::F1]
        };
        let mut totals: Vec<Totals> = lines.iter().flat_map(|_| models.iter().map(|_| Totals::default())).collect();
        let queries: Vec<usize> = (0..self.truths.len()).collect();
        for chunk in queries.chunks(AT_ONCE * rayon::current_num_threads().max(1)) {
            let simulated: Vec<Simulated> = chunk
                .par_iter()
                .map_init(RowBuffer::default, |buffer, query| {
                    self.simulated(cases, scale, (lines, models), *query, buffer)
                })
                .collect::<Result<_, ReplayError>>()?;
            for of_query in simulated {
                for (total, runs) in totals.iter_mut().zip(of_query.runs) {
                    for run in &runs {
                        total.add(run, of_query.trace_seconds);
                    }
                }
            }
        }
        let shown = lines.iter().flat_map(|line| models.iter().map(move |model| (line, *model)));
        Ok(shown
            .zip(totals)
            .map(|((line, model), total)| {
                total.row(line.shown, line.name, model, self.answers.draws(line.rival) as u64, &self.units)
            })
            .collect())
    }

    /// Runs one query by every line under every model.
    fn simulated(
        &self,
        cases: &[Case],
        scale: &Scale,
        (lines, models): (&[Line<'_>], &[FeedbackModel]),
        query: usize,
        buffer: &mut RowBuffer,
    ) -> Result<Simulated, ReplayError> {
        let truth = &self.truths[query];
        let case = &cases[truth.case];
        let asked = Asked::new(case, self.params.window.length, buffer)?;
        let series = case.series(buffer)?;
        let from = self.params.window.length.as_seconds();
        let mut runs = Vec::with_capacity(lines.len() * models.len());
        for line in lines {
            for model in models {
                let params = FeedbackParams {
                    model: *model,
                    from,
                    cpu_limit: self.params.cpu_limit,
                    service: truth.service,
                    memory_cap: scale.machine_memory,
                    restart_delay: RESTART_DELAY_SECONDS,
                    most_attempts: MOST_ATTEMPTS,
                };
                let of_draw = |draw| self.simulated_draw((line, query, draw), (&series, &asked), &params);
                runs.push((0..self.answers.draws(line.rival)).filter_map(of_draw).collect());
            }
        }
        Ok(Simulated { trace_seconds: series.after(from).map(|step| step.seconds).sum(), runs })
    }

    /// Runs one draw; nothing if there is no allocation for its memory.
    fn simulated_draw(
        &self,
        (line, query, draw): (&Line<'_>, usize, usize),
        (series, asked): (&Series, &Asked),
        params: &FeedbackParams,
    ) -> Option<FeedbackRun> {
        let (memory_setting, cpu_setting) = *line.settings.get(self.answers.blocks[query])?;
        let of =
            |resource, setting| self.allocation(line.rival, query, (draw, setting), resource, Population::WithFallback);
        let memory = of(Resource::Memory, memory_setting)?;
        let cpu = of(Resource::Cpu, cpu_setting);
        let contestant = &self.contestants[line.rival];
        let setting = contestant.settings[memory_setting];
        let own_answer = self.answers.get(line.rival, query, draw, memory_setting, Resource::Memory).is_some();
        let bump = |kills: &[Attempt]| {
            if own_answer {
                self.answers.conduct(line.rival, query).after_kills(&asked.query(), &setting, kills)
            } else {
                // The owner's request stands in, and grows by the usual factor.
                kills.last().map(|kill| kill.allocation * 2.0)
            }
        };
        Some(simulate(series, cpu, Some(memory), params, &bump))
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
