//! The Vertical Pod Autoscaler in the closed loop: one sample a minute into its recommender, and its updater.
//!
//! Kind to it: its changes are applied in place (the real updater evicts the pod, which restarts it, and leaves pods
//! without a second replica alone), and a container killed for memory restarts with the target of the moment. The
//! updater looks when replay observes, every five minutes instead of every minute.

use super::Query;
use super::steps::{Polled, Steps};
use super::vpa::{Converted, HOUR_SECONDS, MINUTE_SECONDS, Vpa};
use super::vpa_container::VpaBounds;
use crate::predict::control::{Change, Controller, Observed, Reason};

/// The updater follows small differences only on pods older than this.
const SETTLED_SECONDS: f64 = 43_200.0;
/// The least relative difference that it follows then.
const LEAST_DIFFERENCE: f64 = 0.1;

/// Returns whether the updater acts on a pod of which each resource is (request, target, bounds): if a request is
/// outside its bounds, or the last run ended quickly in an OOM kill, or the pod is twelve hours old and the requests
/// differ from the targets by 10 % in all; never for a quick kill without any difference.
pub fn updater_acts(resources: &[(f64, f64, VpaBounds)], age_seconds: f64, quick_kill: bool) -> bool {
    let outside = resources.iter().any(|(request, _, bounds)| *request < bounds.lower || *request > bounds.upper);
    let difference: f64 =
        resources.iter().map(|(request, target, _)| (request - target).abs() / request.max(f64::MIN_POSITIVE)).sum();
    // A difference of 0.1 by the letter may be a digit less as a double.
    let is_settled = age_seconds >= SETTLED_SECONDS && difference >= LEAST_DIFFERENCE - 1e-12;
    (outside || quick_kill || is_settled) && !(quick_kill && difference <= 0.0)
}

/// What a recommender knows when its run has shown its first window.
pub(super) enum Start {
    /// The window and what came before it: it answers at once.
    Now(Converted),
    /// Nothing: it is fed with the rows from the first on, and answers at an age in seconds.
    Later {
        /// The empty history.
        held: Converted,
        /// Seconds.
        age: f64,
        /// Whether what comes before that age are hourly points.
        is_hourly: bool,
    },
}

/// Recommender and updater of one container.
#[derive(Debug)]
pub struct VpaController {
    vpa: Vpa,
    held: Converted,
    minutes: Steps,
    /// Before the age, where that is shown by the hour.
    hours: Option<Steps>,
    /// Seconds of life before which it does not answer.
    age: f64,
    /// Time of the run's start, so that histograms see the time that they would see.
    origin: f64,
    margin: f64,
    is_begun: bool,
    /// Real seconds at which the pod of the moment began; nothing before its first answer.
    pod_began: Option<f64>,
    /// Whether the window had the resource: without CPU or memory there is no target.
    has_cpu: bool,
    has_memory: bool,
}

impl VpaController {
    /// Returns what leads a run whose first window ends at `clock`.
    pub(super) fn new(vpa: Vpa, start: Start, clock: f64, query: &Query<'_>, margin: f64) -> Self {
        let window = &query.newcomer.window;
        let (held, age, is_hourly) = match start {
            Start::Now(held) => (held, 0.0, false),
            Start::Later { held, age, is_hourly } => (held, age, is_hourly),
        };
        Self {
            vpa,
            held,
            minutes: Steps::of(MINUTE_SECONDS),
            hours: is_hourly.then(|| Steps::of(HOUR_SECONDS)),
            age,
            origin: clock,
            margin,
            is_begun: false,
            pod_began: None,
            has_cpu: window.cpu.is_some(),
            has_memory: window.memory.is_some(),
        }
    }

    /// Feeds the steps that are over.
    fn feed(&mut self, seen: &Observed<'_>) {
        let weight = self.vpa.cpu_weight(seen.in_force.cpu.map(|cpu| cpu * self.held.cores_per_unit));
        let (held, origin) = (&mut self.held, self.origin);
        let mut add = |step: &Polled, memory: Option<f64>| {
            held.add(origin + step.at, step.cpu_mean().map(|cpu| (cpu, weight)), memory);
        };
        let minutes = self.minutes.add(seen.rows, seen.at);
        let Some(hours) = &mut self.hours else {
            for minute in &minutes {
                add(minute, minute.memory);
            }
            return;
        };
        for hour in hours.add(seen.rows, seen.at).iter().filter(|hour| hour.at <= self.age) {
            add(hour, hour.last_memory);
        }
        for minute in minutes.iter().filter(|minute| minute.at > self.age) {
            add(minute, minute.memory);
        }
    }

    fn cpu_target(&self) -> f64 {
        self.held.container.cpu_target(self.margin, self.vpa.has_floors) / self.held.cores_per_unit
    }

    fn memory_target(&self) -> f64 {
        self.held.container.memory_target(self.margin, self.vpa.has_floors) / self.held.bytes_per_unit
    }

    fn set(&self, reason: Reason) -> Change {
        Change::Set {
            cpu: self.has_cpu.then(|| self.cpu_target()),
            memory: self.has_memory.then(|| self.memory_target()),
            reason,
        }
    }

    fn acts(&self, seen: &Observed<'_>, age_seconds: f64) -> bool {
        let mut resources = Vec::with_capacity(2);
        let container = &self.held.container;
        let scaled =
            |bounds: VpaBounds, unit: f64| VpaBounds { lower: bounds.lower / unit, upper: bounds.upper / unit };
        if let (true, Some(request)) = (self.has_cpu, seen.in_force.cpu) {
            let bounds = scaled(container.cpu_bounds(self.margin), self.held.cores_per_unit);
            resources.push((request, self.cpu_target(), bounds));
        }
        if let (true, Some(request)) = (self.has_memory, seen.in_force.memory) {
            let bounds = scaled(container.memory_bounds(self.margin), self.held.bytes_per_unit);
            resources.push((request, self.memory_target(), bounds));
        }
        // After a kill the target is in force at once, so the rule on quick kills finds no difference.
        updater_acts(&resources, age_seconds, false)
    }
}

impl Controller for VpaController {
    fn observe(&mut self, seen: &Observed<'_>) -> Change {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.origin -= seen.at;
            if self.age <= 0.0 {
                // The container already has the first window as one sample.
                self.pod_began = Some(seen.at);
                return self.set(Reason::FirstAnswer);
            }
        }
        self.feed(seen);
        let is_too_young = seen.at < self.age;
        if let (1.., Some(in_force)) = (seen.oom_kills, seen.in_force.memory) {
            if self.has_memory {
                self.held.container.add_oom_kill(self.origin + seen.at, in_force * self.held.bytes_per_unit);
            }
            if !self.has_memory || is_too_young {
                // It has no target: what stands in for it grows by the usual factor.
                return Change::Set { cpu: None, memory: Some(in_force * 2.0), reason: Reason::OomKill };
            }
            self.pod_began = Some(seen.at);
            return self.set(Reason::OomKill);
        }
        if is_too_young {
            return Change::Keep;
        }
        let Some(began) = self.pod_began else {
            self.pod_began = Some(seen.at);
            return self.set(Reason::FirstAnswer);
        };
        if self.acts(seen, seen.at - began) {
            self.pod_began = Some(seen.at);
            return self.set(Reason::Rule);
        }
        Change::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: VpaBounds = VpaBounds { lower: 100.0, upper: 9000.0 };

    #[test]
    fn the_updater_follows_a_tenth_after_half_a_day() {
        let hour = 3600.0;
        let memory = (1e9, 1e9, VpaBounds { lower: 1e8, upper: 1e10 });
        let acts = |target: f64, age: f64| updater_acts(&[(1000.0, target, WIDE), memory], age, false);
        assert!(!acts(1099.0, 13.0 * hour));
        assert!(acts(1100.0, 13.0 * hour));
        assert!(!acts(1100.0, 11.0 * hour));
    }

    #[test]
    fn the_updater_acts_at_once_outside_the_bounds_and_after_a_quick_kill_with_a_difference() {
        assert!(updater_acts(&[(99.0, 101.0, WIDE)], 0.0, false));
        assert!(updater_acts(&[(9001.0, 8999.0, WIDE)], 0.0, false));
        assert!(updater_acts(&[(1000.0, 1001.0, WIDE)], 0.0, true));
        assert!(!updater_acts(&[(1000.0, 1000.0, WIDE)], 0.0, true));
    }
}
