//! Autopilot's ML recommender (Rzadca et al., `EuroSys` 2020, section 3.2.2): an ensemble of models, each of which picks the
//! limit that would have cost least; the model in force is the one that cost least of late.
//!
//! The five hyper-parameters and the grid of models are not published: all of them are our values, so this is "Autopilot ML,
//! our values". The paper prints the new limit inside the last choice; it is read as the limit now in force.

use super::autopilot_window::{Bounds, WINDOW_SECONDS};
use super::recommender::{AtTheWindow, OfRows, Recommender};
use super::steps::{Polled, Steps};
use super::{Prepared, Query, ReplayError, Rival, Setting, Store, Surroundings};
use crate::replay::Scale;
use crate::replay::results::Resource;
use crate::trace::Sample;

/// Decay of the models' costs per window (our value).
const COST_DECAY: f64 = 1.0 / 288.0;
/// Cost of load above the limit per cost of load below it (our values).
const OVERRUN_MEMORY: f64 = 100.0;
const OVERRUN_CPU: f64 = 10.0;
/// Cost of changing a limit or the model (our value).
const CHANGE: f64 = 0.01;
/// Decays of the models per window (our values).
const DECAYS: [f64; 5] = [1.0 / 12.0, 1.0 / 48.0, 1.0 / 144.0, 1.0 / 288.0, 1.0 / 576.0];
/// Margins of the models, as shares of their limit (our values).
const MODEL_MARGINS: [f64; 4] = [0.0, 0.05, 0.1, 0.2];
/// Factors on the ratio of the costs, then margins on top of the largest.
const FACTORS: [f64; 9] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];
const MARGINS: [f64; 13] = [0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 9.0, 19.0, 39.0];

/// What limits cost.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Costs {
    overrun: f64,
    underrun: f64,
    limit_change: f64,
    model_change: f64,
}

impl Costs {
    fn of(self, overrun: f64, underrun: f64, is_changed: bool) -> f64 {
        self.overrun * overrun + self.underrun * underrun + if is_changed { self.limit_change } else { 0.0 }
    }
}

/// The limits that one decay leads to.
#[derive(Debug, Clone)]
struct Line {
    decay: f64,
    /// Decayed counts above and below each bound.
    over: Vec<f64>,
    under: Vec<f64>,
    /// Position of the limit in force.
    limit: Option<usize>,
}

impl Line {
    fn new(decay: f64, bounds: usize) -> Self {
        Self { decay, over: vec![0.0; bounds], under: vec![0.0; bounds], limit: None }
    }

    /// Adds a histogram (what lies above and below each bound) and picks the limit; of equal costs the larger limit.
    fn add(&mut self, sides: &[(f64, f64)], costs: Costs) -> usize {
        let mut best = (f64::INFINITY, 0);
        let decayed = self.over.iter_mut().zip(&mut self.under);
        for (position, ((over, under), (above, below))) in decayed.zip(sides).enumerate() {
            *over = (1.0 - self.decay) * *over + self.decay * above;
            *under = (1.0 - self.decay) * *under + self.decay * below;
            let is_changed = self.limit.is_some_and(|limit| limit != position);
            let cost = costs.of(*over, *under, is_changed);
            if cost <= best.0 {
                best = (cost, position);
            }
        }
        self.limit = Some(best.1);
        best.1
    }
}

/// Returns what of a histogram lies above and below each bound.
fn sides(counts: &[f64]) -> Vec<(f64, f64)> {
    let total: f64 = counts.iter().sum();
    let mut below = 0.0;
    let of_bound = |count: &f64| {
        let side = ((total - below - count).max(0.0), below);
        below += count;
        side
    };
    counts.iter().map(of_bound).collect()
}

/// A model: a line of limits, and a margin.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ModelState {
    line: usize,
    margin: f64,
    cost: f64,
    limit: Option<f64>,
}

/// Returns what a histogram costs at a limit, decayed into what it cost before.
fn model_cost(before: f64, newest: (f64, f64), is_changed: bool, costs: Costs, decay: f64) -> f64 {
    decay * costs.of(newest.0, newest.1, is_changed) + (1.0 - decay) * before
}

/// Returns the model that takes over; of equal costs the one with the larger limit.
fn choose(models: &[(f64, f64)], in_force: Option<(usize, f64)>, costs: Costs) -> Option<usize> {
    let total = |position: usize, (cost, limit): (f64, f64)| {
        let (model, now) = in_force.unwrap_or((position, limit));
        let model_change = if model == position { 0.0 } else { costs.model_change };
        cost + model_change + if now.total_cmp(&limit).is_eq() { 0.0 } else { costs.limit_change }
    };
    let numbered = models.iter().enumerate().map(|(position, model)| (position, total(position, *model), model.1));
    numbered.min_by(|a, b| a.1.total_cmp(&b.1).then(b.2.total_cmp(&a.2))).map(|(position, ..)| position)
}

/// The ensemble of one resource.
#[derive(Debug, Clone)]
struct Ensemble {
    bounds: Bounds,
    costs: Costs,
    lines: Vec<Line>,
    models: Vec<ModelState>,
    in_force: Option<(usize, f64)>,
}

impl Ensemble {
    fn new(bounds: Bounds, ratio: f64) -> Self {
        let costs = Costs { overrun: ratio, underrun: 1.0, limit_change: CHANGE, model_change: CHANGE };
        let of_line = |line| MODEL_MARGINS.map(|margin| ModelState { line, margin, cost: 0.0, limit: None });
        Self {
            lines: DECAYS.map(|decay| Line::new(decay, bounds.0.len())).to_vec(),
            models: (0..DECAYS.len()).flat_map(of_line).collect(),
            bounds,
            costs,
            in_force: None,
        }
    }

    /// Adds a window: values with their counts, whose sum becomes 1.
    fn add(&mut self, values: &[(f64, f64)]) {
        let total: f64 = values.iter().map(|(_, count)| count).sum();
        if total <= 0.0 {
            return;
        }
        let mut counts = vec![0.0; self.bounds.0.len()];
        for (value, count) in values {
            counts[self.bounds.bucket(*value)] += count / total;
        }
        let sides = sides(&counts);
        let limits: Vec<f64> = self.lines.iter_mut().map(|line| self.bounds.0[line.add(&sides, self.costs)]).collect();
        // A window fills few of some 400 buckets, and there are 20 models.
        let filled: Vec<(f64, f64)> =
            self.bounds.0.iter().copied().zip(counts).filter(|(_, count)| *count > 0.0).collect();
        for model in &mut self.models {
            let limit = limits[model.line] * (1.0 + model.margin);
            let side = |is_counted: &dyn Fn(f64) -> bool| {
                filled.iter().filter(|(bound, _)| is_counted(*bound)).map(|(_, count)| count).sum::<f64>()
            };
            let newest = (side(&|bound| bound > limit), side(&|bound| bound < limit));
            let is_changed = model.limit.is_some_and(|before| before.total_cmp(&limit).is_ne());
            model.cost = model_cost(model.cost, newest, is_changed, self.costs, COST_DECAY);
            model.limit = Some(limit);
        }
        let judged: Vec<(f64, f64)> =
            self.models.iter().map(|model| (model.cost, model.limit.unwrap_or_default())).collect();
        self.in_force = choose(&judged, self.in_force, self.costs).map(|model| (model, judged[model].1));
    }
}

/// Autopilot's ML recommender over one task, with our values.
#[derive(Debug, Clone)]
pub struct AutopilotModels {
    steps: Steps,
    cpu: Ensemble,
    memory: Ensemble,
    scale: Scale,
}

impl AutopilotModels {
    /// Returns a recommender without windows; `factor` multiplies the ratio of the costs of too little and too much.
    pub fn new(factor: f64, scale: &Scale) -> Self {
        Self {
            steps: Steps::of(WINDOW_SECONDS),
            cpu: Ensemble::new(Bounds::of_cpu(scale.cores_per_unit.is_some()), OVERRUN_CPU * factor),
            memory: Ensemble::new(Bounds::of_memory(scale.bytes_per_unit.is_some()), OVERRUN_MEMORY * factor),
            scale: *scale,
        }
    }

    fn add(&mut self, step: &Polled) {
        let cores = self.scale.cores_per_unit.unwrap_or(1.0);
        let cpu: Vec<(f64, f64)> = step.cpu.iter().map(|(value, seconds)| (value * cores, *seconds)).collect();
        self.cpu.add(&cpu);
        if let Some(memory) = step.memory {
            self.memory.add(&[(memory * self.scale.bytes_per_unit.unwrap_or(1.0), 1.0)]);
        }
    }
}

impl Recommender for AutopilotModels {
    fn observe(&mut self, rows: &[Sample], end: f64) {
        for step in self.steps.add(rows, end) {
            self.add(&step);
        }
    }

    fn close(&mut self) {
        if let Some(step) = self.steps.close() {
            self.add(&step);
        }
    }

    fn recommend(&self, setting: &Setting) -> (Option<f64>, Option<f64>) {
        let limit = |ensemble: &Ensemble, unit: Option<f64>| {
            ensemble.in_force.map(|(_, limit)| limit * (1.0 + setting.margin) / unit.unwrap_or(1.0))
        };
        (limit(&self.cpu, self.scale.cores_per_unit), limit(&self.memory, self.scale.bytes_per_unit))
    }
}

/// Autopilot ML, our values.
#[derive(Debug, Clone, Copy)]
pub struct AutopilotMl;

impl Rival for AutopilotMl {
    fn name(&self) -> &'static str {
        "autopilot-ml"
    }

    fn knob(&self) -> &'static str {
        "factor on the cost of too little per too much, then a margin"
    }

    fn settings(&self) -> Vec<Setting> {
        let most = FACTORS[FACTORS.len() - 1];
        let margins = MARGINS.map(|margin| Setting { knob: most, margin });
        FACTORS.map(Setting::knob).into_iter().chain(margins).collect()
    }

    fn published(&self) -> usize {
        4
    }

    fn absolute_constants(&self, resource: Resource) -> Option<(&'static str, &'static str)> {
        let without = match resource {
            Resource::Cpu => "its buckets of a millicore and more",
            Resource::Memory => "its buckets of 1 MiB and more",
        };
        Some(("Autopilot ML", without))
    }

    fn prepare<'a>(&self, _: &Store<'a>, world: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(AtTheWindow { rival: *self, scale: world.scale }))
    }
}

impl OfRows for AutopilotMl {
    fn recommender(&self, _: &Query<'_>, setting: &Setting, scale: &Scale) -> Box<dyn Recommender> {
        Box::new(AutopilotModels::new(setting.knob, scale))
    }

    /// The factor on the costs decides what the models learn.
    fn learns_alike(&self, a: &Setting, b: &Setting) -> bool {
        a.knob.total_cmp(&b.knob).is_eq()
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;

    /// Counts at 1, 2, 3, 4, 5.
    const COUNTS: [f64; 5] = [5.0, 3.0, 0.0, 2.0, 0.0];

    const fn costs(overrun: f64, underrun: f64, limit_change: f64, model_change: f64) -> Costs {
        Costs { overrun, underrun, limit_change, model_change }
    }

    /// The limit (1 to 5) that a histogram leads to, after another limit.
    fn limit(before: Option<usize>, costs: Costs) -> usize {
        let mut line = Line { limit: before.map(|limit| limit - 1), ..Line::new(1.0, 5) };
        line.add(&sides(&COUNTS), costs) + 1
    }

    #[test]
    fn a_line_picks_the_cheapest_limit_and_changes_it_only_for_gain() {
        assert_eq!(limit(None, costs(1.0, 0.1, 0.0, 0.0)), 4);
        assert_eq!(limit(None, costs(1.0, 1.0, 0.0, 0.0)), 1);
        assert_eq!(limit(Some(5), costs(1.0, 0.1, 1.0, 0.0)), 5);
    }

    #[test]
    fn counts_above_a_limit_fade() {
        let mut line = Line::new(0.5, 5);
        line.over[1] = 4.0;
        line.add(&sides(&COUNTS), costs(1.0, 1.0, 0.0, 0.0));
        assert_eq!(line.over[1], 3.0);
    }

    #[test]
    fn the_cheapest_model_takes_over_unless_the_change_costs_more() {
        let with = |model_change| costs(1.0, 0.1, 0.2, model_change);
        // At 4 nothing is above and 8 below; at 2 there are 2 above and 5 below.
        let a = model_cost(2.0, (0.0, 8.0), false, with(0.5), 0.5);
        let b = model_cost(1.0, (2.0, 5.0), false, with(0.5), 0.5);
        assert!((a - 1.4).abs() < 1e-12 && (b - 1.75).abs() < 1e-12);
        let chosen = |model_change| choose(&[(a, 4.0), (b, 2.0)], Some((1, 2.0)), with(model_change));
        assert_eq!((chosen(0.5), chosen(0.1)), (Some(1), Some(0)));
    }

    #[test]
    fn a_sudden_peak_raises_the_limit_where_too_little_is_dear() {
        let after_peak = |ratio| {
            let mut ensemble = Ensemble::new(Bounds((1..=10).map(f64::from).collect()), ratio);
            (0..50).for_each(|_| ensemble.add(&[(2.0, 1.0)]));
            let before = ensemble.in_force.unwrap().1;
            ensemble.add(&[(9.0, 1.0)]);
            (before, ensemble.in_force.unwrap().1)
        };
        assert_eq!((after_peak(10_000.0), after_peak(0.001)), ((2.0, 9.0), (2.0, 2.0)));
    }
}
