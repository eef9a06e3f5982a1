//! The Vertical Pod Autoscaler in the closed loop: one sample a minute into its recommender, and its updater.
//!
//! Kind to it: its changes are applied in place (the real updater evicts the pod, which restarts it, and leaves pods
//! without a second replica alone), and a container killed for memory restarts with the target of the moment. The
//! updater looks when replay observes, every five minutes instead of every minute.

use super::vpa::Converted;
use super::{Minutes, Query, VpaBounds};
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

/// Recommender and updater of one container.
#[derive(Debug)]
pub struct VpaController {
    held: Converted,
    minutes: Minutes,
    /// Trace time of the run's start, so that histograms see the time that they would see.
    origin: f64,
    margin: f64,
    floors: bool,
    /// Real seconds at which the pod of the moment began; nothing before the first observation.
    pod_began: Option<f64>,
    /// Whether the window had the resource: without CPU or memory there is no target.
    has_cpu: bool,
    has_memory: bool,
}

impl VpaController {
    pub(super) fn new(held: Converted, query: &Query<'_>, margin: f64, floors: bool) -> Self {
        let window = &query.newcomer.window;
        Self {
            held,
            minutes: Minutes::default(),
            origin: query.at.as_seconds(),
            margin,
            floors,
            pod_began: None,
            has_cpu: window.cpu.is_some(),
            has_memory: window.memory.is_some(),
        }
    }

    fn cpu_target(&self) -> f64 {
        self.held.container.cpu_target(self.margin, self.floors) / self.held.cores_per_unit
    }

    fn memory_target(&self) -> f64 {
        self.held.container.memory_target(self.margin, self.floors) / self.held.bytes_per_unit
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
        // The container already has the first window as one sample.
        let Some(began) = self.pod_began else {
            self.pod_began = Some(seen.at);
            self.origin -= seen.at;
            return self.set(Reason::FirstAnswer);
        };
        let (container, cores, bytes) = (&mut self.held.container, self.held.cores_per_unit, self.held.bytes_per_unit);
        self.minutes.add(seen.rows, self.origin + seen.at, |minute| {
            if let Some(cpu) = minute.cpu {
                container.add_cpu(minute.at, cpu * cores);
            }
            if let Some(memory) = minute.memory {
                container.add_memory(minute.at, memory * bytes);
            }
        });
        if let (1.., Some(in_force)) = (seen.oom_kills, seen.in_force.memory) {
            if !self.has_memory {
                // It never had a target: what stands in for it grows by the usual factor.
                return Change::Set { cpu: None, memory: Some(in_force * 2.0), reason: Reason::OomKill };
            }
            self.held.container.add_oom_kill(self.origin + seen.at, in_force * self.held.bytes_per_unit);
            self.pod_began = Some(seen.at);
            return self.set(Reason::OomKill);
        }
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
