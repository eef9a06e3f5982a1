//! Autopilot's moving window recommender (Rzadca et al., `EuroSys` 2020, section 3.2.1): a statistic of a decaying
//! histogram of five-minute windows, with a margin, held up by the largest recommendation of the last hour.
//!
//! Not published, hence our values: 288 windows (a day) for the maximum, bounds that grow by 4 % from 1 MiB (memory) and 3.5 %
//! from a millicore (CPU), the margins between 10 and 15 %, and which statistic a workload gets. The paper counts
//! one-second samples of CPU; here a row's mean counts once per second that it held.

use std::collections::VecDeque;

use super::recommender::{AtTheWindow, OfRows, Recommender};
use super::steps::{Polled, Steps};
use super::{Prepared, Query, ReplayError, Rival, Setting, Store, Surroundings};
use crate::replay::Scale;
use crate::replay::case::is_service_class;
use crate::replay::results::Resource;
use crate::trace::Sample;

/// One count per window for memory, one per second for CPU.
pub(super) const WINDOW_SECONDS: f64 = 300.0;
const HALF_LIFE_CPU_SECONDS: f64 = 43_200.0;
const HALF_LIFE_MEMORY_SECONDS: f64 = 172_800.0;
/// Windows of the maximum (our value).
const MOST_WINDOWS: usize = 288;
/// Windows of an hour: the limit is the largest recommendation among them.
const HOUR_WINDOWS: usize = 12;
const GIB: f64 = 1_073_741_824.0;
/// Amounts up to which the whole margin applies, and from which two thirds of it do.
const MEMORY_MARGIN_BYTES: (f64, f64) = (4.0 * GIB, 32.0 * GIB);
const CPU_MARGIN_CORES: (f64, f64) = (1.0, 8.0);
const LARGE_MARGIN_SHARE: f64 = 2.0 / 3.0;
const MARGINS: [f64; 18] =
    [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 9.0, 14.0, 19.0, 29.0, 39.0];

/// Upper bounds of buckets, ascending; what is above the last one counts as it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds(pub(super) Vec<f64>);

impl Bounds {
    fn growing(first: f64, ratio: f64, most: f64) -> Self {
        Self(std::iter::successors(Some(first), |bound| (*bound < most).then(|| bound * ratio)).collect())
    }

    /// 1 MiB to 4 TiB, or a millionth to the whole of the largest machine.
    pub(super) fn of_memory(is_absolute: bool) -> Self {
        if is_absolute { Self::growing(1_048_576.0, 1.04, 4096.0 * GIB) } else { Self::growing(1e-6, 1.04, 1.0) }
    }

    /// A millicore to 1000 cores, or a millionth to the whole of the largest machine.
    pub(super) fn of_cpu(is_absolute: bool) -> Self {
        if is_absolute { Self::growing(0.001, 1.035, 1000.0) } else { Self::growing(1e-6, 1.035, 1.0) }
    }

    pub(super) fn bucket(&self, value: f64) -> usize {
        // A value on a bound belongs to it even after a multiplication has moved its last digit.
        self.0.partition_point(|bound| *bound * (1.0 + 1e-12) < value).min(self.0.len() - 1)
    }
}

/// What is read off the windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// Mean, the recent counting more.
    Average,
    /// Largest of the last windows.
    Max,
    /// The usage below which so many percent of the load lie.
    Percentile(f64),
    /// The larger of the 60th percentile and half of the maximum.
    Intermediate,
}

/// One resource's windows.
#[derive(Debug, Clone)]
struct Moving {
    bounds: Bounds,
    half_life: f64,
    /// Decayed counts by bucket, as of the newest window.
    counts: Vec<f64>,
    weighted_means: f64,
    weights: f64,
    newest: f64,
    /// Largest bound of each of the last windows.
    maxima: VecDeque<f64>,
    statistic: Statistic,
    most_windows: usize,
    /// The statistic after each window of the last hour.
    hour: VecDeque<f64>,
}

impl Moving {
    fn new(bounds: Bounds, half_life: f64, statistic: Statistic) -> Self {
        Self {
            counts: vec![0.0; bounds.0.len()],
            bounds,
            half_life,
            weighted_means: 0.0,
            weights: 0.0,
            newest: 0.0,
            maxima: VecDeque::new(),
            statistic,
            most_windows: MOST_WINDOWS,
            hour: VecDeque::new(),
        }
    }

    /// Adds the window that ends at `at`: values with their counts.
    fn add(&mut self, at: f64, values: &[(f64, f64)]) {
        let total: f64 = values.iter().map(|(_, count)| count).sum();
        if total <= 0.0 {
            return;
        }
        let fade = ((self.newest - at) / self.half_life).exp2().min(1.0);
        self.newest = self.newest.max(at);
        self.counts.iter_mut().for_each(|count| *count *= fade);
        let (mut mean, mut max) = (0.0, 0.0_f64);
        for (value, count) in values {
            let bucket = self.bounds.bucket(*value);
            let bound = self.bounds.0[bucket];
            self.counts[bucket] += count;
            mean += bound * count / total;
            max = max.max(bound);
        }
        self.weighted_means = self.weighted_means * fade + mean;
        self.weights = self.weights * fade + 1.0;
        keep(&mut self.maxima, max, self.most_windows);
        let statistic = self.of(self.statistic);
        keep(&mut self.hour, statistic, HOUR_WINDOWS);
    }

    fn of(&self, statistic: Statistic) -> f64 {
        let max = || self.maxima.iter().copied().fold(0.0, f64::max);
        match statistic {
            Statistic::Average => self.weighted_means / self.weights,
            Statistic::Max => max(),
            Statistic::Percentile(percent) => self.percentile(percent),
            Statistic::Intermediate => self.percentile(60.0).max(0.5 * max()),
        }
    }

    /// Every bucket weighs its counts times its bound: load, not time.
    fn percentile(&self, percent: f64) -> f64 {
        let loads = || self.counts.iter().zip(&self.bounds.0).map(|(count, bound)| count * bound);
        let threshold = loads().sum::<f64>() * percent / 100.0 * (1.0 - 1e-12);
        let mut cumulative = 0.0;
        let reached = loads().position(|load| {
            cumulative += load;
            load > 0.0 && cumulative >= threshold
        });
        let last = self.counts.iter().rposition(|count| *count > 0.0);
        reached.or(last).map_or(0.0, |bucket| self.bounds.0[bucket])
    }

    /// Returns the limit: the largest of the last hour's recommendations; nothing before the first window.
    fn limit(&self, margin: impl Fn(f64) -> f64) -> Option<f64> {
        self.hour.iter().map(|statistic| statistic * (1.0 + margin(*statistic))).max_by(f64::total_cmp)
    }
}

fn keep(values: &mut VecDeque<f64>, value: f64, most: usize) {
    values.push_back(value);
    if values.len() > most {
        values.pop_front();
    }
}

/// Returns the margin on an amount: `margin` where it is small, two thirds of it where it is large, linear in the
/// logarithm between.
fn margin_at(amount: f64, margin: f64, (small, large): (f64, f64)) -> f64 {
    let position = ((amount / small).log2() / (large / small).log2()).clamp(0.0, 1.0);
    margin * (1.0 - (1.0 - LARGE_MARGIN_SHARE) * position)
}

/// Autopilot's moving window over one task.
#[derive(Debug, Clone)]
pub struct MovingWindow {
    steps: Steps,
    cpu: Moving,
    memory: Moving,
    scale: Scale,
}

impl MovingWindow {
    /// Returns a recommender without windows. Where the size of the largest machine is unknown, it is 1.
    pub fn new(cpu: Statistic, memory: Statistic, scale: &Scale) -> Self {
        let cpu_bounds = Bounds::of_cpu(scale.cores_per_unit.is_some());
        let memory_bounds = Bounds::of_memory(scale.bytes_per_unit.is_some());
        Self {
            steps: Steps::of(WINDOW_SECONDS),
            cpu: Moving::new(cpu_bounds, HALF_LIFE_CPU_SECONDS, cpu),
            memory: Moving::new(memory_bounds, HALF_LIFE_MEMORY_SECONDS, memory),
            scale: *scale,
        }
    }

    fn add(&mut self, step: &Polled) {
        let cores = self.scale.cores_per_unit.unwrap_or(1.0);
        let cpu: Vec<(f64, f64)> = step.cpu.iter().map(|(value, seconds)| (value * cores, *seconds)).collect();
        self.cpu.add(step.at, &cpu);
        if let Some(memory) = step.memory {
            self.memory.add(step.at, &[(memory * self.scale.bytes_per_unit.unwrap_or(1.0), 1.0)]);
        }
    }
}

impl Recommender for MovingWindow {
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
        // Without machine sizes no amount is known to be large.
        let margin = |known: Option<f64>, sizes| {
            move |amount| if known.is_some() { margin_at(amount, setting.knob, sizes) } else { setting.knob }
        };
        let cpu = self.cpu.limit(margin(self.scale.cores_per_unit, CPU_MARGIN_CORES));
        let memory = self.memory.limit(margin(self.scale.bytes_per_unit, MEMORY_MARGIN_BYTES));
        let per_unit = |amount: Option<f64>, unit: Option<f64>| amount.map(|amount| amount / unit.unwrap_or(1.0));
        (per_unit(cpu, self.scale.cores_per_unit), per_unit(memory, self.scale.bytes_per_unit))
    }
}

/// The statistics of a workload (our mapping): CPU by class; memory by its maximum, or by the intermediate tolerance.
fn statistics(query: &Query<'_>, is_intermediate: bool) -> (Statistic, Statistic) {
    let class = query.newcomer.facts.class.as_deref().unwrap_or_default().to_ascii_lowercase();
    let cpu = match class.as_str() {
        "2" => Statistic::Percentile(90.0),
        "3" => Statistic::Percentile(95.0),
        class if is_service_class(class) => Statistic::Percentile(95.0),
        _ => Statistic::Average,
    };
    // One workload here is one task: its memory is never more than one machine's.
    (cpu, if is_intermediate { Statistic::Intermediate } else { Statistic::Max })
}

/// Autopilot's moving window; `is_intermediate` is the memory statistic of jobs that tolerate some OOM kills.
#[derive(Debug, Clone, Copy)]
pub struct AutopilotWindow {
    /// Whether memory follows max(60th percentile, half of the maximum).
    pub is_intermediate: bool,
}

impl Rival for AutopilotWindow {
    fn name(&self) -> &'static str {
        if self.is_intermediate { "autopilot-window-mid" } else { "autopilot-window" }
    }

    fn knob(&self) -> &'static str {
        "margin on small amounts"
    }

    fn settings(&self) -> Vec<Setting> {
        MARGINS.map(Setting::knob).to_vec()
    }

    fn published(&self) -> usize {
        3
    }

    fn absolute_constants(&self, resource: Resource) -> Option<(&'static str, &'static str)> {
        let without = match resource {
            Resource::Cpu => "its buckets of a millicore and more and its smaller margin above 1 core",
            Resource::Memory => "its buckets of 1 MiB and more and its smaller margin above 4 GiB",
        };
        Some(("Autopilot's moving window", without))
    }

    fn prepare<'a>(&self, _: &Store<'a>, world: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(AtTheWindow { rival: *self, scale: world.scale }))
    }
}

impl OfRows for AutopilotWindow {
    fn recommender(&self, query: &Query<'_>, _: &Setting, scale: &Scale) -> Box<dyn Recommender> {
        let (cpu, memory) = statistics(query, self.is_intermediate);
        Box::new(MovingWindow::new(cpu, memory, scale))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;

    fn moving(bounds: &[f64], half_life: f64, windows: &[(f64, &[(f64, f64)])]) -> Moving {
        let mut moving = Moving::new(Bounds(bounds.to_vec()), half_life, Statistic::Max);
        for (at, values) in windows {
            moving.add(*at, values);
        }
        moving
    }

    #[test]
    fn percentiles_are_by_load() {
        let paper = moving(&[1.0, 10.0], f64::INFINITY, &[(0.0, &[(1.0, 9.0), (10.0, 1.0)])]);
        assert_eq!(paper.of(Statistic::Percentile(90.0)), 10.0);
        let twelve_hours = [(0.0, &[(4.0, 1.0)][..]), (43_200.0, &[(2.0, 1.0)][..])];
        let faded = moving(&[2.0, 4.0], HALF_LIFE_CPU_SECONDS, &twelve_hours);
        assert_eq!([50.0, 51.0].map(|percent| faded.of(Statistic::Percentile(percent))), [2.0, 4.0]);
    }

    #[test]
    fn the_average_fades_by_half_in_twelve_hours() {
        let windows = [(0.0, &[(1.0, 1.0)][..]), (43_200.0, &[(2.0, 1.0)][..])];
        let average = moving(&[1.0, 2.0], HALF_LIFE_CPU_SECONDS, &windows).of(Statistic::Average);
        assert!((average - 2.5 / 1.5).abs() < 1e-12);
    }

    #[test]
    fn the_maximum_looks_at_the_last_windows_only() {
        let mut three = moving(&[2.0, 3.0, 4.0, 8.0], 1e9, &[]);
        three.most_windows = 3;
        for value in [8.0, 2.0, 3.0, 4.0] {
            three.add(0.0, &[(value, 1.0)]);
        }
        assert_eq!(three.of(Statistic::Max), 4.0);
    }

    #[test]
    fn one_large_window_of_98_is_the_98th_percentile_and_one_of_99_is_not() {
        let windows = |ones: usize| {
            let mut memory = moving(&[1.0, 2.0], f64::INFINITY, &[]);
            (0..ones).for_each(|_| memory.add(0.0, &[(1.0, 1.0)]));
            memory.add(0.0, &[(2.0, 1.0)]);
            (memory.of(Statistic::Percentile(98.0)), memory.of(Statistic::Max), memory.of(Statistic::Intermediate))
        };
        assert_eq!((windows(97), windows(98)), ((2.0, 2.0, 1.0), (1.0, 2.0, 1.0)));
    }

    #[test]
    fn the_margin_shrinks_from_4_to_32_gibibytes() {
        let expected = [(4.0, 4.6), (8.0, 9.0667), (16.0, 17.8667), (32.0, 35.2)];
        for (gibibytes, limit) in expected {
            let margin = margin_at(gibibytes * GIB, 0.15, MEMORY_MARGIN_BYTES);
            assert!((gibibytes * (1.0 + margin) - limit).abs() < 1e-4, "{gibibytes}");
        }
    }

    #[test]
    fn the_limit_is_the_largest_recommendation_of_an_hour() {
        let mut hour = moving(&[4.0, 5.0, 9.0], 1e9, &[]);
        hour.most_windows = 1;
        let mut limits = Vec::new();
        for value in [5.0, 9.0].into_iter().chain([4.0; 12]) {
            hour.add(0.0, &[(value, 1.0)]);
            limits.push(hour.limit(|_| 0.0).unwrap());
        }
        assert_eq!(limits[12..], [9.0, 4.0]);
    }

    #[test]
    fn a_first_window_is_answered_from_the_seconds_seen() {
        let scale =
            Scale { cores_per_unit: Some(1.0), bytes_per_unit: Some(1.0), machine_cpu: None, machine_memory: None };
        let mut window = MovingWindow::new(Statistic::Average, Statistic::Max, &scale);
        let row = |second: i64, cpu, memory| Sample {
            start: crate::units::Micros::from_seconds(second),
            duration: crate::units::Micros::from_seconds(30),
            cpu: Some(cpu),
            memory: Some(memory),
            ..Sample::default()
        };
        window.observe(&[row(0, 1.0, GIB), row(30, 3.0, 2.0 * GIB)], 60.0);
        assert_eq!(window.recommend(&Setting::knob(0.0)), (None, None));
        window.close();
        let (cpu, memory) = window.recommend(&Setting::knob(0.0));
        // Buckets are at most 3.5 and 4 % too high.
        assert!((2.0..2.07).contains(&cpu.unwrap()) && (2.0..2.08).contains(&(memory.unwrap() / GIB)));
    }
}
