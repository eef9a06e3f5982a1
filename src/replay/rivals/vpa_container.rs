//! What the recommender of the Kubernetes Vertical Pod Autoscaler (`kubernetes/autoscaler` at 55c37cd5) keeps of a container, and
//! what it recommends.
//!
//! The allocation is its *target*; lower and upper bound only steer its updater.

use crate::replay::Scale;
use crate::vpa::{CPU_WEIGHT, DecayingHistogram, HistogramShape, TARGET_PERCENTILE};

const DAY: f64 = 86_400.0;
/// A history that got no sample for so long is given up.
const IDLE_SECONDS: f64 = 8.0 * DAY;
/// Shares of the histogram behind lower and upper bound.
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

/// What the numbers of a container are: decides whether absolute constants apply.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Amounts {
    /// Cores and bytes: every constant as published.
    Absolute,
    /// Fractions of the largest machine: buckets span [0, 1] in the published proportion, no floor, no rounding, no
    /// step of 100 MiB.
    Relative,
}

/// The history of a container as the recommender keeps it: histograms that all runs and replicas share, and what belongs to the
/// run of the moment. Times in seconds on one clock.
#[derive(Debug, Clone)]
pub struct VpaContainer {
    cpu: DecayingHistogram,
    memory: DecayingHistogram,
    cpu_amounts: Amounts,
    memory_amounts: Amounts,
    first_cpu: Option<f64>,
    last_cpu: Option<f64>,
    cpu_samples: f64,
    last_sample: Option<f64>,
    /// Of the run of the moment.
    previous_cpu: Option<f64>,
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

    /// Returns an empty history in the units of a store: fractions of a machine of unknown size have no absolute constants.
    pub(super) fn of(scale: &Scale) -> Self {
        let amounts = |known: Option<f64>| if known.is_some() { Amounts::Absolute } else { Amounts::Relative };
        Self::with(amounts(scale.cores_per_unit), amounts(scale.bytes_per_unit))
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
            last_sample: None,
            previous_cpu: None,
            window_end: None,
            memory_peak: 0.0,
            oom_peak: 0.0,
            last_memory: 0.0,
        }
    }

    /// Begins another run (or replica): it adds to the same histograms, while its day of memory and its last sample are its own.
    pub(super) fn begin_run(&mut self) {
        self.previous_cpu = None;
        self.window_end = None;
        (self.memory_peak, self.oom_peak, self.last_memory) = (0.0, 0.0, 0.0);
    }

    /// Returns whether the history is given up at `time`: nothing was sampled for eight days.
    pub(super) fn is_expired(&self, time: f64) -> bool {
        self.last_sample.is_none_or(|last| time - last > IDLE_SECONDS)
    }

    /// Takes a CPU sample; one that is not newer than the last of its run is dropped. Cores are rounded up to millicores, as the
    /// metrics interface does.
    pub fn add_cpu(&mut self, time: f64, usage: f64) {
        self.add_weighted_cpu(time, usage, CPU_WEIGHT);
    }

    /// Takes a CPU sample with a weight of its own, as until VPA 1.3.
    pub(super) fn add_weighted_cpu(&mut self, time: f64, usage: f64, weight: f64) {
        if self.previous_cpu.is_some_and(|previous| time <= previous) {
            return;
        }
        let usage = match self.cpu_amounts {
            Amounts::Absolute => (usage * 1000.0 - 1e-9).ceil().max(0.0) / 1000.0,
            Amounts::Relative => usage,
        };
        self.cpu.add(usage, weight, time);
        self.previous_cpu = Some(time);
        self.first_cpu = Some(self.first_cpu.map_or(time, |first| first.min(time)));
        self.last_cpu = Some(self.last_cpu.map_or(time, |last| last.max(time)));
        self.last_sample = Some(self.last_sample.map_or(time, |last| last.max(time)));
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
        self.last_sample = Some(self.last_sample.map_or(time, |last| last.max(time)));
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
        self.cpu_amount(TARGET_PERCENTILE, margin, |amount| amount, floors)
    }

    /// Returns the memory target with `margin` (published: .15), floored at the pod minimum if `floors`.
    pub fn memory_target(&self, margin: f64, floors: bool) -> f64 {
        self.memory_amount(TARGET_PERCENTILE, margin, |amount| amount, floors)
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

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
#[path = "vpa_tests.rs"]
mod tests;
