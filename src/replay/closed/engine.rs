//! One run, led by one controller from the end of its first window to its end.

use super::days::Days;
use crate::predict::control::{Change, Controller, InForce, Observed};
use crate::replay::feedback::FeedbackModel;
use crate::replay::series::{Series, Step};
use crate::trace::Sample;
use crate::units::Micros;

/// Five minutes: what a controller is shown at once, at least one row.
pub(in crate::replay) const OBSERVE_EVERY_SECONDS: f64 = 300.0;

/// Settings of a closed loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoopParams {
    /// How the run reacts.
    pub model: FeedbackModel,
    /// Where on the run's own time the first answer is given, in seconds: figures begin there.
    pub from: f64,
    /// Whether the CPU allocation is a limit and not only a request.
    pub cpu_limit: bool,
    /// Whether a restart goes on at the same place (service) instead of at the beginning (batch).
    pub service: bool,
    /// Largest memory a machine has; nothing if unknown.
    pub memory_cap: Option<f64>,
    /// Seconds between a kill and the restart.
    pub restart_delay: f64,
    /// Kills in a row, without getting past the place of the last one, after which the run "never fits".
    pub most_attempts: u32,
}

/// What a closed loop did to one run, beside its days. Amounts are in the store's units times seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LoopRun {
    /// Real time from the first answer to the end, with restarts and with gaps between rows.
    pub real_seconds: f64,
    /// Real time with rows.
    pub spent_seconds: f64,
    /// OOM kills (F1: observations with a violation).
    pub oom_kills: u32,
    /// Whether it was given up.
    pub never_fits: bool,
    /// Changes of the allocation after the first answer, bumps included.
    pub changes: u32,
    /// Memory allocation times time of failed batch attempts.
    pub memory_lost: f64,
    /// How often the controller was asked.
    pub observations: u64,
}

/// A run as it is replayed.
#[derive(Debug, Clone, Copy)]
pub struct LoopCase<'a> {
    /// Its rows, in time order.
    pub samples: &'a [Sample],
    /// When it began, on the clock of the rows.
    pub start: Micros,
    /// The same rows as steps of demand.
    pub series: &'a Series,
    /// What its owner asked for: in force until the first answer.
    pub owner: InForce,
}

/// Where a run stands.
struct State {
    in_force: InForce,
    /// Real seconds since the run's start.
    clock: f64,
    /// Real time of the last observation.
    observed_at: f64,
    throttled_seconds: f64,
    violated: bool,
    /// Rows before this one have been shown in this attempt.
    shown: usize,
    /// Rows before this one have ended.
    ended: usize,
    /// What the attempt would lose.
    attempt: f64,
    attempts: u32,
    /// The farthest place of a kill.
    farthest: f64,
    run: LoopRun,
}

/// Leads a run. `days` takes what happened from the first answer on.
///
/// A kill happens at the beginning of the first row whose largest memory is above the allocation: that row never ran, so
/// nobody is shown it. F1 counts it and goes on.
pub fn lead(case: &LoopCase<'_>, controller: &mut dyn Controller, params: &LoopParams, days: &mut Days) -> LoopRun {
    let cap = params.memory_cap.unwrap_or(f64::INFINITY);
    let mut state = State {
        in_force: InForce { memory: case.owner.memory.map(|memory| memory.min(cap)), ..case.owner },
        clock: params.from,
        observed_at: 0.0,
        throttled_seconds: 0.0,
        violated: false,
        shown: 0,
        ended: ended_before(case, params.from, 0),
        attempt: 0.0,
        attempts: 0,
        farthest: f64::NEG_INFINITY,
        run: LoopRun::default(),
    };
    state.observe(case, controller, 0, cap);
    let mut from = params.from;
    'attempts: loop {
        let mut reached = from;
        for step in case.series.after(from) {
            let place = step.from;
            // A gap between rows is time that passes, with neither use nor allocation.
            state.clock += (place - reached).max(0.0);
            reached = place + step.seconds;
            if let Some(in_force) = state.violation(&step) {
                if params.model == FeedbackModel::F1 {
                    state.violated = true;
                } else {
                    if !state.kill(case, controller, (in_force, place, cap), params, days) {
                        state.run.never_fits = true;
                        break 'attempts;
                    }
                    let keeps_progress = params.service || params.model == FeedbackModel::F2;
                    from = if keeps_progress { place } else { 0.0 };
                    if !keeps_progress {
                        (state.shown, state.ended) = (0, 0);
                    }
                    continue 'attempts;
                }
            }
            state.spend(&step, params, days);
            state.ended = ended_before(case, reached, state.ended);
            if state.clock - state.observed_at >= OBSERVE_EVERY_SECONDS - 1e-6 {
                let before = state.in_force;
                state.observe(case, controller, 0, cap);
                state.note_change(before, days);
            }
        }
        break;
    }
    if state.violated {
        state.run.oom_kills += 1;
        days.oom_kill(state.clock);
    }
    state.run.real_seconds = state.clock - params.from;
    state.run
}

/// Returns how many rows began before `seconds` of the run's own time; `known` is such a number already.
fn ended_before(case: &LoopCase<'_>, seconds: f64, known: usize) -> usize {
    let mut ended = known;
    while case.samples.get(ended).is_some_and(|row| row.start.minus(case.start).as_seconds() < seconds - 1e-6) {
        ended += 1;
    }
    ended
}

impl State {
    /// Returns the memory in force if a step needs more.
    fn violation(&self, step: &Step) -> Option<f64> {
        let in_force = self.in_force.memory?;
        (step.memory_peak? > in_force).then_some(in_force)
    }

    /// Shows the controller what ended since the last observation and takes its answer. Returns whether it set anything.
    fn observe(&mut self, case: &LoopCase<'_>, controller: &mut dyn Controller, oom_kills: u32, cap: f64) -> bool {
        let passed = self.clock - self.observed_at;
        let seen = Observed {
            at: self.clock,
            rows: case.samples.get(self.shown..self.ended).unwrap_or_default(),
            in_force: self.in_force,
            oom_kills,
            throttled: if passed > 0.0 { (self.throttled_seconds / passed).min(1.0) } else { 0.0 },
        };
        self.run.observations += 1;
        let change = controller.observe(&seen);
        if let Change::Set { cpu, memory, .. } = change {
            let usable = |amount: Option<f64>| amount.filter(|amount| amount.is_finite() && *amount >= 0.0);
            self.in_force.cpu = usable(cpu).or(self.in_force.cpu);
            self.in_force.memory = usable(memory).map(|memory| memory.min(cap)).or(self.in_force.memory);
        }
        self.shown = self.ended;
        self.observed_at = self.clock;
        self.throttled_seconds = 0.0;
        change != Change::Keep
    }

    fn note_change(&mut self, before: InForce, days: &mut Days) {
        if self.violated {
            self.violated = false;
            self.run.oom_kills += 1;
            days.oom_kill(self.clock);
        }
        let differs = |a: Option<f64>, b: Option<f64>| a.map(f64::to_bits) != b.map(f64::to_bits);
        let memory = differs(before.memory, self.in_force.memory);
        let cpu = differs(before.cpu, self.in_force.cpu);
        if memory || cpu {
            self.run.changes += 1;
            days.change(self.clock, memory, cpu);
        }
    }

    /// Ends an attempt at `place` of the run's own time. Returns whether there is another.
    fn kill(
        &mut self,
        case: &LoopCase<'_>,
        controller: &mut dyn Controller,
        (in_force, place, cap): (f64, f64, f64),
        params: &LoopParams,
        days: &mut Days,
    ) -> bool {
        self.run.oom_kills += 1;
        days.oom_kill(self.clock);
        let keeps_progress = params.service || params.model == FeedbackModel::F2;
        if !keeps_progress {
            self.run.memory_lost += self.attempt;
            self.attempt = 0.0;
        }
        self.attempts = if place > self.farthest { 1 } else { self.attempts + 1 };
        self.farthest = self.farthest.max(place);
        let before = self.in_force;
        let has_rule = self.observe(case, controller, 1, cap);
        self.note_change(before, days);
        if params.model == FeedbackModel::F0 {
            self.clock += params.restart_delay;
        }
        // Who has no rule for it, and who has the largest machine already, is given up; a rule that changes nothing yet
        // leads into the same kill again.
        has_rule && self.attempts < params.most_attempts && in_force < cap
    }

    /// Lets a step pass under the allocation in force.
    fn spend(&mut self, step: &Step, params: &LoopParams, days: &mut Days) {
        let is_throttled = match (step.cpu, self.in_force.cpu) {
            (Some(demand), Some(allocation)) => params.cpu_limit && demand > allocation,
            _ => false,
        };
        // A limit of 0 cannot be waited for; it counts as 1 % of the demand, so that the time stays finite.
        let stretch = match (step.cpu, self.in_force.cpu) {
            (Some(demand), Some(allocation)) if is_throttled && params.model == FeedbackModel::F0 => {
                demand / allocation.max(demand * 0.01)
            }
            _ => 1.0,
        };
        let real = step.seconds * stretch;
        if is_throttled {
            self.throttled_seconds += real;
        }
        let used = match (step.cpu, self.in_force.cpu) {
            (Some(demand), Some(allocation)) if is_throttled => Some(demand.min(allocation)),
            (demand, _) => demand,
        };
        // A violation that only counts (F1) went through: use may lie above the allocation.
        days.spend(self.clock, real, self.in_force, &Step { cpu: used, ..*step }, step.cpu);
        if let Some(memory) = self.in_force.memory.filter(|_| step.memory.is_some()) {
            self.attempt += memory * real;
        }
        self.clock += real;
        self.run.spent_seconds += real;
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
#[path = "engine_tests.rs"]
mod tests;
