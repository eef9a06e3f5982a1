//! The recommender of the Kubernetes Vertical Pod Autoscaler (`kubernetes/autoscaler` at 55c37cd5), judged cold: at the
//! end of the first window it has one CPU sample (the window's mean) and one memory sample (its maximum).
//!
//! The allocation is its *target*; lower and upper bound only steer its updater. A killed container gets the target of
//! the moment at each restart, which is kind to it: a real updater waits.

use super::vpa_histogram::{DecayingHistogram, HistogramShape};
use super::vpa_loop::VpaController;
use super::{Prepared, Query, Recommendation, ReplayError, Rival, Setting, Store, Surroundings};
use crate::predict::control::Controller;
use crate::replay::Scale;
use crate::replay::feedback::Attempt;
use crate::replay::results::Resource;

const DAY: f64 = 86_400.0;
/// Weight of a CPU sample since VPA 1.4.0.
const CPU_WEIGHT: f64 = 0.1;
/// Shares of the histogram behind target, lower and upper bound.
const TARGET: f64 = 0.9;
const LOWER: f64 = 0.5;
const UPPER: f64 = 0.95;
/// Smallest recommendation for a pod of one container: millicores and bytes.
const POD_MINIMUM_MILLICORES: f64 = 25.0;
const POD_MINIMUM_BYTES: f64 = 262_144_000.0;
/// Largest amount, in millicores or bytes.
const MOST: f64 = 1e14;
/// After an OOM kill memory grows by the larger of the two.
const OOM_STEP_BYTES: f64 = 104_857_600.0;
const OOM_FACTOR: f64 = 1.2;
/// Where the published margin of .15 stands in the sweep.
const PUBLISHED: usize = 3;

/// What the numbers of a container are: decides whether absolute constants apply.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Amounts {
    /// Cores and bytes: every constant as published.
    Absolute,
    /// Fractions of the largest machine: buckets span [0, 1] in the published proportion, no floor, no rounding, no
    /// step of 100 MiB.
    Relative,
}

/// One container's history as the recommender keeps it. Times in seconds on one clock.
#[derive(Debug, Clone)]
pub struct VpaContainer {
    cpu: DecayingHistogram,
    memory: DecayingHistogram,
    cpu_amounts: Amounts,
    memory_amounts: Amounts,
    first_cpu: Option<f64>,
    last_cpu: Option<f64>,
    cpu_samples: f64,
    window_end: Option<f64>,
    memory_peak: f64,
    oom_peak: f64,
    last_memory: f64,
}

/// Lower and upper bound of one resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VpaBounds {
    /// The updater grows what lies below.
    pub lower: f64,
    /// The updater shrinks what lies above.
    pub upper: f64,
}

impl VpaContainer {
    /// Returns an empty history in cores and bytes.
    pub fn new() -> Self {
        Self::with(Amounts::Absolute, Amounts::Absolute)
    }

    fn with(cpu_amounts: Amounts, memory_amounts: Amounts) -> Self {
        // The published proportion of first bucket to largest value is 1e-5 for both resources.
        let relative = HistogramShape { first: 1e-5, max: 1.0 };
        let shape = |amounts, published| if amounts == Amounts::Absolute { published } else { relative };
        Self {
            cpu: DecayingHistogram::new(shape(cpu_amounts, HistogramShape::CPU)),
            memory: DecayingHistogram::new(shape(memory_amounts, HistogramShape::MEMORY)),
            cpu_amounts,
            memory_amounts,
            first_cpu: None,
            last_cpu: None,
            cpu_samples: 0.0,
            window_end: None,
            memory_peak: 0.0,
            oom_peak: 0.0,
            last_memory: 0.0,
        }
    }

    /// Takes a CPU sample; one that is not newer than the last is dropped. Cores are rounded up to millicores, as the
    /// metrics interface does.
    pub fn add_cpu(&mut self, time: f64, usage: f64) {
        if self.last_cpu.is_some_and(|last| time <= last) {
            return;
        }
        let usage = match self.cpu_amounts {
            Amounts::Absolute => (usage * 1000.0 - 1e-9).ceil().max(0.0) / 1000.0,
            Amounts::Relative => usage,
        };
        self.cpu.add(usage, CPU_WEIGHT, time);
        self.first_cpu.get_or_insert(time);
        self.last_cpu = Some(time);
        self.cpu_samples += 1.0;
    }

    /// Takes a memory sample: the largest of a 24-hour window counts, once.
    pub fn add_memory(&mut self, time: f64, usage: f64) {
        self.memory_event(time, usage, false);
    }

    /// Takes an OOM kill under the memory `request` in force. One that is a day older than the last sample is dropped.
    pub fn add_oom_kill(&mut self, time: f64, request: f64) {
        if self.window_end.is_some() && time < self.last_memory - DAY {
            return;
        }
        let used = request.max(self.memory_peak);
        let needed = match self.memory_amounts {
            Amounts::Absolute => (used + OOM_STEP_BYTES).max(used * OOM_FACTOR).trunc(),
            Amounts::Relative => used * OOM_FACTOR,
        };
        self.memory_event(time, needed, true);
    }

    fn memory_event(&mut self, time: f64, usage: f64, is_oom: bool) {
        if !is_oom && self.window_end.is_some() && time < self.last_memory {
            return;
        }
        self.last_memory = time;
        let mut window_end = *self.window_end.get_or_insert(time);
        let mut add = true;
        if time < window_end {
            let old = self.memory_peak.max(self.oom_peak);
            // A first sample of 0 hides later ones of its window: that is how the recommender compares.
            add = old > 0.0 && usage > old;
            if add {
                self.memory.subtract(old, 1.0, window_end);
            }
        } else {
            window_end += ((time - window_end) / DAY).trunc() * DAY + DAY;
            self.window_end = Some(window_end);
            self.memory_peak = 0.0;
            self.oom_peak = 0.0;
        }
        if add {
            self.memory.add(usage, 1.0, window_end);
            if is_oom {
                self.oom_peak = usage;
            } else {
                self.memory_peak = usage;
            }
        }
    }

    /// Returns the CPU target with `margin` (published: .15), floored at the pod minimum if `floors`.
    pub fn cpu_target(&self, margin: f64, floors: bool) -> f64 {
        self.cpu_amount(TARGET, margin, |amount| amount, floors)
    }

    /// Returns the memory target with `margin` (published: .15), floored at the pod minimum if `floors`.
    pub fn memory_target(&self, margin: f64, floors: bool) -> f64 {
        self.memory_amount(TARGET, margin, |amount| amount, floors)
    }

    /// Returns the bounds of CPU in cores.
    pub fn cpu_bounds(&self, margin: f64) -> VpaBounds {
        VpaBounds {
            lower: self.cpu_amount(LOWER, margin, |amount| amount * self.lower_factor(), true),
            upper: self.cpu_amount(UPPER, margin, |amount| amount * self.upper_factor(), true),
        }
    }

    /// Returns the bounds of memory in bytes.
    pub fn memory_bounds(&self, margin: f64) -> VpaBounds {
        VpaBounds {
            lower: self.memory_amount(LOWER, margin, |amount| amount * self.lower_factor(), true),
            upper: self.memory_amount(UPPER, margin, |amount| amount * self.upper_factor(), true),
        }
    }

    /// Returns the confidence in days: the smaller of the span of CPU samples and their number per 1440.
    fn confidence(&self) -> f64 {
        let span = self.last_cpu.zip(self.first_cpu).map_or(0.0, |(last, first)| last - first);
        (span / DAY).min(self.cpu_samples / 1440.0)
    }

    fn upper_factor(&self) -> f64 {
        1.0 + 1.0 / self.confidence()
    }

    fn lower_factor(&self) -> f64 {
        (1.0 + 0.001 / self.confidence()).powi(-2)
    }

    fn cpu_amount(&self, share: f64, margin: f64, bound: impl Fn(f64) -> f64, floors: bool) -> f64 {
        let value = self.cpu.percentile(share);
        match self.cpu_amounts {
            Amounts::Absolute => {
                let millicores = amount(bound(with_margin(amount(value * 1000.0), margin)));
                millicores.max(if floors { POD_MINIMUM_MILLICORES } else { 0.0 }) / 1000.0
            }
            Amounts::Relative => bound(value * (1.0 + margin)),
        }
    }

    fn memory_amount(&self, share: f64, margin: f64, bound: impl Fn(f64) -> f64, floors: bool) -> f64 {
        let value = self.memory.percentile(share);
        match self.memory_amounts {
            Amounts::Absolute => {
                let bytes = amount(bound(with_margin(amount(value), margin)));
                bytes.max(if floors { POD_MINIMUM_BYTES } else { 0.0 })
            }
            Amounts::Relative => bound(value * (1.0 + margin)),
        }
    }
}

impl Default for VpaContainer {
    fn default() -> Self {
        Self::new()
    }
}

/// Cuts to whole millicores or bytes inside what the recommender can hold.
fn amount(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.trunc().clamp(0.0, MOST) }
}

fn with_margin(raw: f64, margin: f64) -> f64 {
    raw + amount(raw * margin)
}

/// The recommender after one CPU and one memory sample.
#[derive(Debug, Clone, Copy)]
pub struct VpaCold {
    /// Whether the pod minimum (25 m, 250 MiB) applies.
    pub floors: bool,
}

/// A container in cores and bytes (or fractions), with what converts from the store's units.
#[derive(Debug, Clone)]
pub(super) struct Converted {
    pub(super) container: VpaContainer,
    pub(super) cores_per_unit: f64,
    pub(super) bytes_per_unit: f64,
}

impl Converted {
    pub(super) fn cold(query: &Query<'_>, scale: &Scale) -> Self {
        let amounts = |known: Option<f64>| if known.is_some() { Amounts::Absolute } else { Amounts::Relative };
        let cores_per_unit = scale.cores_per_unit.unwrap_or(1.0);
        let bytes_per_unit = scale.bytes_per_unit.unwrap_or(1.0);
        let mut container = VpaContainer::with(amounts(scale.cores_per_unit), amounts(scale.bytes_per_unit));
        let window = &query.newcomer.window;
        let time = query.at.as_seconds();
        if let Some(cpu) = window.cpu {
            container.add_cpu(time, cpu.mean * cores_per_unit);
        }
        if let Some(memory) = window.memory {
            container.add_memory(time, memory.max * bytes_per_unit);
        }
        Self { container, cores_per_unit, bytes_per_unit }
    }
}

impl Rival for VpaCold {
    fn name(&self) -> &'static str {
        if self.floors { "vpa-cold" } else { "vpa-cold-nofloor" }
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
        let without = match (resource, self.floors) {
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

    fn prepare<'a>(
        &self,
        _: &Store<'a>,
        surroundings: &Surroundings<'_>,
    ) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(PreparedVpa { floors: self.floors, scale: surroundings.scale }))
    }

    fn after_kills(&self, query: &Query<'_>, setting: &Setting, kills: &[Attempt], scale: &Scale) -> Option<f64> {
        let mut cold = Converted::cold(query, scale);
        for kill in kills {
            cold.container.add_oom_kill(query.at.as_seconds() + kill.at, kill.allocation * cold.bytes_per_unit);
        }
        Some(cold.container.memory_target(setting.knob, self.floors) / cold.bytes_per_unit)
    }

    fn controller(&self, query: &Query<'_>, setting: &Setting, scale: &Scale) -> Option<Box<dyn Controller>> {
        Some(Box::new(VpaController::new(Converted::cold(query, scale), query, setting.knob, self.floors)))
    }
}

struct PreparedVpa {
    floors: bool,
    scale: Scale,
}

impl Prepared for PreparedVpa {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let cold = Converted::cold(query, &self.scale);
        let window = &query.newcomer.window;
        let answer = |setting: &Setting| {
            let cpu = cold.container.cpu_target(setting.knob, self.floors) / cold.cores_per_unit;
            let memory = cold.container.memory_target(setting.knob, self.floors) / cold.bytes_per_unit;
            let answer =
                Recommendation { cpu: window.cpu.map(|_| cpu), memory: window.memory.map(|_| memory), rung: "target" };
            (answer.cpu.is_some() || answer.memory.is_some()).then_some(answer)
        };
        Ok(settings.iter().map(answer).collect())
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
#[path = "vpa_tests.rs"]
mod tests;
