//! The Kubernetes Vertical Pod Autoscaler as a rival, by what it has seen when it is asked.
//!
//! * `vpa-cold`: one CPU sample (the window's mean) and one memory sample (its maximum). `vpa-1.3` weighs CPU samples by the CPU
//!   request, as versions before 1.4 did.
//! * `vpa-warm-app`: every stored run of the same application before that, one sample a minute, as if one VPA had watched them
//!   all; runs add to the same histograms, each with a memory peak per day of its own.
//! * `vpa-warm-24h`, `vpa-warm-8d`: its own rows alone, one sample a minute, and no answer before that age.
//! * `vpa-warm-hourly`: the same at eight days, but what came before are hourly points, as after a start from Prometheus: the
//!   mean CPU of the hour and the memory at the hour.
//!
//! A killed container gets the target of the moment at each restart, which is kind to it: a real updater waits.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::steps::Steps;
use super::vpa_container::VpaContainer;
use super::vpa_loop::{Start, VpaController};
use super::{Conduct, Prepared, Query, Recommendation, ReplayError, Rival, Setting, Store, Surroundings};
use crate::predict::control::Controller;
use crate::replay::Scale;
use crate::replay::case::{Case, application_key};
use crate::replay::feedback::Attempt;
use crate::replay::results::Resource;
use crate::replay::samples::RowBuffer;
use crate::trace::Sample;
use crate::vpa::CPU_WEIGHT;

pub(super) const MINUTE_SECONDS: f64 = 60.0;
pub(super) const HOUR_SECONDS: f64 = 3600.0;
const DAY: f64 = 86_400.0;
/// How far back hourly points go.
pub(super) const HOURLY_SECONDS: f64 = 8.0 * DAY;
/// Where the published margin of .15 stands in the sweep.
const PUBLISHED: usize = 3;

/// What it has seen when it is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    /// One sample of the window.
    Window,
    /// Earlier runs of the application, then one sample of the window.
    Application,
    /// Its own rows, from an age in seconds on.
    Own { age: f64, is_hourly: bool },
}

/// The Vertical Pod Autoscaler.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vpa {
    name: &'static str,
    seen: Seen,
    /// Whether the pod minimum (25 m, 250 MiB) applies.
    pub(super) has_floors: bool,
    /// Whether CPU samples weigh as much as the CPU request.
    pub(super) weighs_by_request: bool,
}

impl Vpa {
    /// Returns the variant of that name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        let of = |name, seen| Self { name, seen, has_floors: true, weighs_by_request: false };
        Some(match name {
            "vpa-cold" => of("vpa-cold", Seen::Window),
            "vpa-cold-nofloor" => Self { has_floors: false, ..of("vpa-cold-nofloor", Seen::Window) },
            "vpa-1.3" => Self { weighs_by_request: true, ..of("vpa-1.3", Seen::Window) },
            "vpa-warm-app" => of("vpa-warm-app", Seen::Application),
            "vpa-warm-app-nofloor" => Self { has_floors: false, ..of("vpa-warm-app-nofloor", Seen::Application) },
            "vpa-warm-24h" => of("vpa-warm-24h", Seen::Own { age: DAY, is_hourly: false }),
            "vpa-warm-8d" => of("vpa-warm-8d", Seen::Own { age: HOURLY_SECONDS, is_hourly: false }),
            "vpa-warm-hourly" => of("vpa-warm-hourly", Seen::Own { age: HOURLY_SECONDS, is_hourly: true }),
            _ => return None,
        })
    }

    /// Returns the weight of a CPU sample under a CPU request in cores (or fractions).
    pub(super) fn cpu_weight(&self, request: Option<f64>) -> f64 {
        request.filter(|_| self.weighs_by_request).map_or(CPU_WEIGHT, |request| request.max(CPU_WEIGHT))
    }
}

impl Rival for Vpa {
    fn name(&self) -> &'static str {
        self.name
    }

    fn knob(&self) -> &'static str {
        "margin fraction"
    }

    fn settings(&self) -> Vec<Setting> {
        const MARGINS: [f64; 22] = [
            0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 9.0, 14.0, 19.0,
            29.0, 39.0,
        ];
        MARGINS.map(Setting::knob).to_vec()
    }

    fn published(&self) -> usize {
        PUBLISHED
    }

    fn absolute_constants(&self, resource: Resource) -> Option<(&'static str, &'static str)> {
        let without = match (resource, self.has_floors) {
            (Resource::Cpu, true) => {
                "its floor of 25 m, its rounding to millicores and its buckets of .01 core and more"
            }
            (Resource::Cpu, false) => "its rounding to millicores and its buckets of .01 core and more",
            (Resource::Memory, true) => {
                "its floor of 250 MiB, its step of 100 MiB after an OOM kill and its buckets of 10 MB and more"
            }
            (Resource::Memory, false) => "its step of 100 MiB after an OOM kill and its buckets of 10 MB and more",
        };
        Some(("VPA", without))
    }

    fn prepare<'a>(&self, store: &Store<'a>, world: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        let applications = match self.seen {
            Seen::Application => Warm::applications(store, &world.scale)?,
            Seen::Window | Seen::Own { .. } => BTreeMap::new(),
        };
        let warm = Warm { applications, has_clock: store.has_clock };
        Ok(Box::new(PreparedVpa { vpa: *self, scale: world.scale, window: world.window.length.as_seconds(), warm }))
    }
}

/// A container in cores and bytes (or fractions), with what converts from the store's units.
#[derive(Debug, Clone)]
pub(super) struct Converted {
    pub(super) container: VpaContainer,
    pub(super) cores_per_unit: f64,
    pub(super) bytes_per_unit: f64,
}

impl Converted {
    fn of(container: VpaContainer, scale: &Scale) -> Self {
        Self {
            container,
            cores_per_unit: scale.cores_per_unit.unwrap_or(1.0),
            bytes_per_unit: scale.bytes_per_unit.unwrap_or(1.0),
        }
    }

    /// Takes a sample in the store's units; CPU with the weight of its sample.
    pub(super) fn add(&mut self, time: f64, cpu: Option<(f64, f64)>, memory: Option<f64>) {
        if let Some((cpu, weight)) = cpu {
            self.container.add_weighted_cpu(time, cpu * self.cores_per_unit, weight);
        }
        if let Some(memory) = memory {
            self.container.add_memory(time, memory * self.bytes_per_unit);
        }
    }
}

/// What stored runs have shown.
struct Warm {
    applications: BTreeMap<String, VpaContainer>,
    has_clock: bool,
}

impl Warm {
    /// Feeds all runs of each application into one history, in the order in which they began. Without a clock that is common to
    /// them each has just ended when the question comes.
    fn applications(store: &Store<'_>, scale: &Scale) -> Result<BTreeMap<String, VpaContainer>, ReplayError> {
        let groups = super::by_key(store, |case| application_key(&case.known.workload));
        let of_group = |buffer: &mut RowBuffer, (key, mut cases): (String, Vec<&Case>)| {
            cases.sort_by_key(|case| (case.begin(), case.known.workload.id.as_str(), case.known.workload.run));
            let mut fed = Converted::of(VpaContainer::of(scale), scale);
            for case in cases {
                fed.container.begin_run();
                feed_run(&mut fed, case.samples.read(buffer)?, store.has_clock);
            }
            Ok((key, fed.container))
        };
        groups.into_par_iter().map_init(RowBuffer::default, of_group).collect()
    }

    /// Returns the history of an application at `time`, if it has one that is not given up.
    fn history(&self, application: Option<&str>, time: f64) -> Option<&VpaContainer> {
        let history = self.applications.get(application?)?;
        (!history.is_expired(time)).then_some(history)
    }
}

/// Feeds the rows of a whole run, one sample a minute: on the trace's clock, or on one on which the run ends at 0.
fn feed_run(fed: &mut Converted, rows: &[Sample], has_clock: bool) {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
    let length = last.start.plus(last.duration).minus(first.start).as_seconds();
    let begin = if has_clock { first.start.as_seconds() } else { -length };
    let mut steps = Steps::of(MINUTE_SECONDS);
    let mut minutes = steps.add(rows, length);
    minutes.extend(steps.close());
    for minute in minutes {
        fed.add(begin + minute.at, minute.cpu_mean().map(|cpu| (cpu, CPU_WEIGHT)), minute.memory);
    }
}

struct PreparedVpa {
    vpa: Vpa,
    scale: Scale,
    /// Seconds.
    window: f64,
    warm: Warm,
}

impl PreparedVpa {
    /// Returns the time of the answer on the clock of the histograms.
    fn clock(&self, query: &Query<'_>) -> f64 {
        // Stored runs without a common clock ended at 0, and the query began then.
        if self.vpa.seen == Seen::Application && !self.warm.has_clock { self.window } else { query.at.as_seconds() }
    }

    /// Returns the recommender at the end of the window and the way it answered; nothing while it is too young.
    fn start(&self, query: &Query<'_>) -> Option<(Converted, &'static str)> {
        let fresh = || Converted::of(VpaContainer::of(&self.scale), &self.scale);
        let time = self.clock(query);
        let (mut fed, rung) = match self.vpa.seen {
            Seen::Window => (fresh(), "target"),
            Seen::Application => match self.warm.history(query.application, time) {
                Some(history) => {
                    let mut fed = Converted::of(history.clone(), &self.scale);
                    fed.container.begin_run();
                    (fed, "application")
                }
                None => (fresh(), "cold"),
            },
            Seen::Own { age, is_hourly } => {
                let fed = own_rows(fresh(), query.rows, (age, is_hourly), time);
                return fed.map(|fed| (fed, "own rows"));
            }
        };
        let window = &query.newcomer.window;
        let request = query.newcomer.facts.request.cpu.map(|cpu| cpu * fed.cores_per_unit);
        let weight = self.vpa.cpu_weight(request);
        fed.add(time, window.cpu.map(|cpu| (cpu.mean, weight)), window.memory.map(|memory| memory.max));
        Some((fed, rung))
    }
}

/// Feeds a run's own rows, the last of which ends at `time`; nothing if they cover less than the age.
fn own_rows(mut fed: Converted, rows: &[Sample], (age, is_hourly): (f64, bool), time: f64) -> Option<Converted> {
    let (first, last) = (rows.first()?, rows.last()?);
    let length = last.start.plus(last.duration).minus(first.start).as_seconds();
    if length < age {
        return None;
    }
    let mut steps = Steps::of(if is_hourly { HOUR_SECONDS } else { MINUTE_SECONDS });
    for step in steps.add(rows, length) {
        let is_kept = !is_hourly || length - step.at < HOURLY_SECONDS;
        if is_kept {
            let memory = if is_hourly { step.last_memory } else { step.memory };
            fed.add(time - length + step.at, step.cpu_mean().map(|cpu| (cpu, CPU_WEIGHT)), memory);
        }
    }
    Some(fed)
}

impl Prepared for PreparedVpa {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let Some((fed, rung)) = self.start(query) else { return Ok(vec![None; settings.len()]) };
        let window = &query.newcomer.window;
        let answer = |setting: &Setting| {
            let cpu = fed.container.cpu_target(setting.knob, self.vpa.has_floors) / fed.cores_per_unit;
            let memory = fed.container.memory_target(setting.knob, self.vpa.has_floors) / fed.bytes_per_unit;
            let answer = Recommendation { cpu: window.cpu.map(|_| cpu), memory: window.memory.map(|_| memory), rung };
            (answer.cpu.is_some() || answer.memory.is_some()).then_some(answer)
        };
        Ok(settings.iter().map(answer).collect())
    }

    fn conduct(self: Box<Self>) -> Box<dyn Conduct> {
        self
    }
}

impl Conduct for PreparedVpa {
    fn after_kills(&self, query: &Query<'_>, setting: &Setting, kills: &[Attempt]) -> Option<f64> {
        let Some((mut fed, _)) = self.start(query) else { return kills.last().map(|kill| kill.allocation * 2.0) };
        for kill in kills {
            fed.container.add_oom_kill(self.clock(query) + kill.at, kill.allocation * fed.bytes_per_unit);
        }
        Some(fed.container.memory_target(setting.knob, self.vpa.has_floors) / fed.bytes_per_unit)
    }

    fn controller(&self, query: &Query<'_>, setting: &Setting) -> Option<Box<dyn Controller>> {
        let start = match (self.vpa.seen, self.start(query)) {
            (Seen::Own { age, is_hourly }, _) => {
                Start::Later { held: Converted::of(VpaContainer::of(&self.scale), &self.scale), age, is_hourly }
            }
            (_, Some((held, _))) => Start::Now(held),
            (_, None) => return None,
        };
        Some(Box::new(VpaController::new(self.vpa, start, self.clock(query), query, setting.knob)))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
#[path = "vpa_rival_tests.rs"]
mod tests;
