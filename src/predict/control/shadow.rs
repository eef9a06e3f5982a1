//! Shadow's own controller: what its neighbours needed, then what it uses itself.

use super::peaks::Peaks;
use super::record::DecayingRecord;
use super::settings::ControlSettings;
use super::stage::Stage;
use super::steady::{Proposal, Steady};
use super::{Change, Controller, InForce, Observed, Reason, memory_peak};
use crate::predict::{Answer, Facts, Newcomer};
use crate::profile::{Floors, profile_window};
use crate::trace::Sample;
use crate::units::Micros;

/// A share of the say below which neighbours have none (ten halvings): an allocation has to come to rest.
const NOTHING_LEFT: f64 = 1.0 / 1024.0;

/// Use of this share of what an answer said makes a higher one believable.
const NEAR: f64 = 0.8;

/// What a controller is told of the run it watches.
#[derive(Debug, Clone, Copy)]
struct Own<'a> {
    name: &'a str,
    facts: &'a Facts,
    start: Micros,
    floors: Floors,
}

/// Watches one run of a workload. Cost: constant per row, plus one comparison with stored workloads per stage; until the
/// last stage its rows are kept.
pub struct ShadowController<'a> {
    own: Own<'a>,
    settings: ControlSettings,
    /// Stages that are still to come, the next one last.
    stages: Vec<Stage<'a>>,
    /// Rows of the run until the last stage has been matched.
    seen: Vec<Sample>,
    last_row: Option<Micros>,
    answered: bool,
    /// What the owner asked for.
    request: InForce,
    /// What similar workloads say, the longest window so far.
    neighbours: InForce,
    /// Upper end of their interval for memory.
    neighbours_most: Option<f64>,
    peaks: Peaks,
    cpu: DecayingRecord,
    /// A kill is a peak of unknown size above this (what was in force, or used before if that is more): until more was
    /// used, memory does not fall.
    killed_at: Option<f64>,
    memory_steady: Steady,
    cpu_steady: Steady,
}

impl<'a> ShadowController<'a> {
    /// Returns a controller for a run that began at `start` on the clock of its rows. `stages` ascend; the first is the
    /// learning window.
    pub fn new(
        name: &'a str,
        facts: &'a Facts,
        start: Micros,
        floors: Floors,
        mut stages: Vec<Stage<'a>>,
        settings: ControlSettings,
    ) -> Self {
        stages.reverse();
        Self {
            own: Own { name, facts, start, floors },
            settings,
            stages,
            seen: Vec::new(),
            last_row: None,
            answered: false,
            request: InForce::default(),
            neighbours: InForce::default(),
            neighbours_most: None,
            peaks: Peaks::new(floors.memory, settings.memory_half_life_seconds),
            cpu: DecayingRecord::new(floors.cpu, settings.cpu_half_life_seconds),
            killed_at: None,
            memory_steady: Steady::default(),
            cpu_steady: Steady::default(),
        }
    }

    /// Takes rows into the run's own record; returns the largest memory peak among them. Rows that a restarted batch run
    /// shows again are no new evidence.
    fn record(&mut self, rows: &[Sample], throttled: bool) -> Option<f64> {
        let mut largest: Option<f64> = None;
        // Use at the limit is use of at least that: it stands for as much more as the next step would allow.
        let censored = if throttled { self.settings.throttled_factor } else { 1.0 };
        for row in rows {
            let peak = memory_peak(row);
            largest = match (largest, peak) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            };
            if self.last_row.is_some_and(|last| row.start <= last) {
                continue;
            }
            self.last_row = Some(row.start);
            let at = row.start.minus(self.own.start).as_seconds();
            if let Some(peak) = peak {
                self.peaks.add(at, peak);
            }
            if let Some(cpu) = row.cpu {
                // A point sample counts as one second: rows of one run are alike.
                let seconds = if row.duration.0 > 0 { row.duration.as_seconds() } else { 1.0 };
                self.cpu.add(at, cpu * censored, seconds);
            }
            if !self.stages.is_empty() {
                self.seen.push(*row);
            }
        }
        largest
    }

    /// Compares the run with stored ones: over the first stage at the first observation, over a later one when the run has
    /// been seen for as long as it looks. Of several stages that end at once the longest is asked.
    fn matched(&mut self) -> Option<Answer> {
        let end = self.seen.last().map(|row| row.start.plus(row.duration).minus(self.own.start))?;
        let mut reached = if self.answered { None } else { self.stages.pop() };
        while self.stages.last().is_some_and(|stage| end >= stage.window.length) {
            let next = self.stages.pop();
            // A first row longer than a later stage shows that stage nothing new.
            if self.answered {
                reached = next;
            }
        }
        self.answered = true;
        let answer = reached.and_then(|stage| {
            let window = profile_window(&self.seen, self.own.start, stage.window, self.own.floors).ok()?;
            stage.matcher.matched(&Newcomer { name: self.own.name.to_owned(), window, facts: self.own.facts.clone() })
        });
        if self.stages.is_empty() {
            self.seen = Vec::new();
        }
        answer
    }

    /// Returns how much the run's own record counts beside its neighbours, from 0 to 1. What is left to the neighbours
    /// halves again and again, so that it comes to nothing: a share that fell as one over the time would move
    /// allocations for ever.
    fn own_weight(&self) -> f64 {
        let left = (-(self.peaks.windows() as f64) / self.settings.takeover_windows).exp2();
        if left < NOTHING_LEFT { 1.0 } else { 1.0 - left }
    }

    /// Takes what similar workloads say over a longer window. The answers over two windows are both ends that the need of
    /// memory is said not to pass. A lower one is taken; a higher one only when the run has come near the one before, for
    /// until then nothing speaks against that, and seeing more of a run should rule futures out.
    fn take_answer(&mut self, answer: &Answer) {
        self.neighbours.cpu = answer.cpu.or(self.neighbours.cpu);
        let Some(memory) = answer.memory else { return };
        let used = self.peaks.upper(1.0).unwrap_or(0.0);
        if self.neighbours.memory.is_none_or(|known| memory < known || used > known * NEAR) {
            self.neighbours.memory = Some(memory);
            self.neighbours_most = answer.memory_interval.map(|(_, most)| most).or(self.neighbours_most);
        }
    }

    fn memory_target(&self) -> Option<f64> {
        let own = self.peaks.upper(self.settings.memory_share);
        let with_margin = own.map(|own| own * (1.0 + self.settings.memory_margin));
        let target = blended(self.neighbours.memory.or(self.request.memory), with_margin, self.own_weight())?;
        // What was used is what may be used again.
        Some(own.map_or(target, |own| target.max(own)))
    }

    fn cpu_target(&self) -> Option<f64> {
        let own = self.cpu.quantile(self.settings.cpu_share).map(|own| own * (1.0 + self.settings.cpu_margin));
        blended(self.neighbours.cpu.or(self.request.cpu), own, self.own_weight())
    }

    /// Returns memory after `kills` kills: each time the factor, or what the neighbours' interval still allows if that is
    /// more.
    fn after_kills(&self, in_force: f64, kills: u32) -> f64 {
        (0..kills)
            .fold(in_force, |memory, _| (memory * self.settings.oom_factor).max(self.neighbours_most.unwrap_or(0.0)))
    }
}

/// Returns the weighted geometric mean: amounts of workloads of any size are compared by their ratio.
fn blended(neighbours: Option<f64>, own: Option<f64>, own_weight: f64) -> Option<f64> {
    match (neighbours, own) {
        (Some(neighbours), Some(own)) if neighbours > 0.0 && own > 0.0 => {
            Some(neighbours.powf(1.0 - own_weight) * own.powf(own_weight))
        }
        (neighbours, own) => neighbours.or(own),
    }
}

impl Controller for ShadowController<'_> {
    fn observe(&mut self, seen: &Observed<'_>) -> Change {
        let throttled = seen.throttled > self.settings.throttled_share;
        let in_use = self.record(seen.rows, throttled).unwrap_or(0.0);
        let is_first = !self.answered;
        let answer = self.matched();
        let is_matched = answer.is_some();
        if let Some(answer) = answer {
            self.take_answer(&answer);
        }
        if is_first && self.answered {
            // Without an answer of its own the owner's request stands in until there is one.
            self.request = seen.in_force;
            if !is_matched {
                return Change::Keep;
            }
            return Change::Set {
                cpu: self.neighbours.cpu,
                memory: self.neighbours.memory,
                reason: Reason::FirstAnswer,
            };
        }
        if let (1.., Some(in_force)) = (seen.oom_kills, seen.in_force.memory) {
            // Rare peaks matter to this run: from now on its record counts every one.
            self.settings.memory_share = 1.0;
            self.killed_at = Some(self.peaks.upper(1.0).map_or(in_force, |own| own.max(in_force)));
            self.memory_steady.start_anew();
            let memory = self.after_kills(in_force, seen.oom_kills).max(in_use);
            return Change::Set { cpu: None, memory: Some(memory), reason: Reason::OomKill };
        }
        if self.killed_at.is_some_and(|killed_at| in_use > killed_at) {
            self.killed_at = None;
        }
        let because = if is_matched { Reason::Rematch } else { Reason::OwnHistory };
        let (memory, cpu) = (self.memory(seen, in_use), self.processor(seen, throttled));
        if memory.is_none() && cpu.is_none() {
            return Change::Keep;
        }
        let reason = match (seen.in_force.memory, memory) {
            (Some(in_force), Some(_)) if in_use > in_force => Reason::InUse,
            _ if throttled && cpu.is_some() => Reason::Throttled,
            _ => because,
        };
        Change::Set { cpu, memory, reason }
    }
}

impl ShadowController<'_> {
    fn memory(&mut self, seen: &Observed<'_>, in_use: f64) -> Option<f64> {
        let in_force = seen.in_force.memory?;
        // What killed it once is still to come.
        let target = match self.killed_at {
            Some(_) => self.memory_target()?.max(in_force),
            None => self.memory_target()?,
        };
        let wish = Proposal { at: seen.at, in_force, target, in_use };
        self.memory_steady.decide(&self.settings.memory, &wish)
    }

    fn processor(&mut self, seen: &Observed<'_>, throttled: bool) -> Option<f64> {
        let in_force = seen.in_force.cpu?;
        let wanted = self.cpu_target()?;
        let target = if throttled { wanted.max(in_force * self.settings.throttled_factor) } else { wanted };
        let wish = Proposal { at: seen.at, in_force, target, in_use: 0.0 };
        self.cpu_steady.decide(&self.settings.cpu, &wish)
    }
}

#[cfg(test)]
#[path = "shadow_tests.rs"]
mod tests;
