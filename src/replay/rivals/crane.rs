//! Crane's resource recommender (`gocrane/crane` at 2b0ddae8): the 99th percentile of a week of one-minute samples, each of
//! which weighs as much as it is large, with a margin.
//!
//! Its configuration names half-lives, but at this commit it builds a histogram without decay; `crane-decay` applies
//! them as configured.

use std::collections::VecDeque;

use super::recommender::{AtTheWindow, Fed, OfRows, Recommender};
use super::steps::{Polled, Steps};
use super::{Prepared, Query, ReplayError, Rival, Setting, Store, Surroundings};
use crate::replay::Scale;
use crate::replay::feedback::Attempt;
use crate::replay::results::Resource;
use crate::trace::Sample;

const STEP_SECONDS: f64 = 60.0;
const HISTORY_SECONDS: f64 = 7.0 * 86_400.0;
const HALF_LIFE_CPU_SECONDS: f64 = 86_400.0;
const HALF_LIFE_MEMORY_SECONDS: f64 = 2.0 * 86_400.0;
const PERCENTILE: f64 = 0.99;
/// Buckets of one width: 0 to 1000 times the width, and one for what is above.
const BUCKETS: usize = 1001;
const CPU_BUCKET_CORES: f64 = 0.1;
const MEMORY_BUCKET_BYTES: f64 = 104_857_600.0;
/// Width of a bucket where the size of the largest machine is 1.
const BUCKET_OF_MACHINE: f64 = 1e-3;
const LEAST_WEIGHT: f64 = 1e-5;
const EPSILON: f64 = 1e-10;
const OOM_STEP_BYTES: f64 = 104_857_600.0;
const OOM_FACTOR: f64 = 1.2;
/// Margins of the sweep.
const MARGINS: [f64; 22] = [
    0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 9.0, 14.0, 19.0, 29.0,
    39.0,
];

/// One resource's samples of the last week by bucket.
#[derive(Debug, Clone)]
struct Week {
    width: f64,
    half_life: Option<f64>,
    weights: Vec<f64>,
    total: f64,
    /// Time, bucket and weight of each sample, oldest first.
    samples: VecDeque<(f64, usize, f64)>,
}

impl Week {
    fn new(width: f64, half_life: Option<f64>) -> Self {
        Self { width, half_life, weights: vec![0.0; BUCKETS], total: 0.0, samples: VecDeque::new() }
    }

    fn add(&mut self, at: f64, value: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, then is capped")]
        let bucket = ((value / self.width) as usize).min(BUCKETS - 1);
        let weight = value.max(LEAST_WEIGHT) * self.half_life.map_or(1.0, |half_life| (at / half_life).exp2());
        self.weights[bucket] += weight;
        self.total += weight;
        self.samples.push_back((at, bucket, weight));
        while self.samples.front().is_some_and(|(time, _, _)| at - time > HISTORY_SECONDS) {
            let Some((_, bucket, weight)) = self.samples.pop_front() else { break };
            let rest = |amount: f64| if amount - weight < EPSILON { 0.0 } else { amount - weight };
            self.weights[bucket] = rest(self.weights[bucket]);
            self.total = rest(self.total);
        }
    }

    /// Returns the upper edge of the bucket at which `share` of the weight is reached; nothing without samples.
    fn percentile(&self, share: f64) -> Option<f64> {
        let last = self.weights.iter().rposition(|weight| *weight >= EPSILON)?;
        let threshold = share * self.total;
        let mut cumulative = 0.0;
        let reached = self.weights.iter().position(|weight| {
            cumulative += weight;
            *weight >= EPSILON && cumulative >= threshold
        });
        let bucket = reached.unwrap_or(last).min(last);
        Some((if bucket < BUCKETS - 1 { bucket + 1 } else { bucket }) as f64 * self.width)
    }
}

/// Crane's view of one container.
#[derive(Debug, Clone)]
pub struct CraneContainer {
    steps: Steps,
    cpu: Week,
    memory: Week,
    cores_per_unit: Option<f64>,
    bytes_per_unit: Option<f64>,
    /// Time of each OOM kill and the memory that is enough after it, in bytes or fractions.
    kills: Vec<(f64, f64)>,
    now: f64,
}

impl CraneContainer {
    /// Returns an empty history; without machine sizes the buckets span the largest machine, nothing is rounded, and memory
    /// has no step of 100 MiB.
    pub fn new(has_decay: bool, scale: &Scale) -> Self {
        let width = |known: Option<f64>, published| if known.is_some() { published } else { BUCKET_OF_MACHINE };
        let half_life = |seconds| has_decay.then_some(seconds);
        Self {
            steps: Steps::of(STEP_SECONDS),
            cpu: Week::new(width(scale.cores_per_unit, CPU_BUCKET_CORES), half_life(HALF_LIFE_CPU_SECONDS)),
            memory: Week::new(width(scale.bytes_per_unit, MEMORY_BUCKET_BYTES), half_life(HALF_LIFE_MEMORY_SECONDS)),
            cores_per_unit: scale.cores_per_unit,
            bytes_per_unit: scale.bytes_per_unit,
            kills: Vec::new(),
            now: 0.0,
        }
    }

    fn add_cpu(&mut self, at: f64, usage: f64) {
        self.now = self.now.max(at);
        self.cpu.add(at, usage * self.cores_per_unit.unwrap_or(1.0));
    }

    fn add_memory(&mut self, at: f64, usage: f64) {
        self.now = self.now.max(at);
        self.memory.add(at, usage * self.bytes_per_unit.unwrap_or(1.0));
    }

    fn add(&mut self, step: &Polled) {
        if let Some(cpu) = step.cpu_mean() {
            self.add_cpu(step.at, cpu);
        }
        if let Some(memory) = step.memory {
            self.add_memory(step.at, memory);
        }
    }
}

impl Recommender for CraneContainer {
    fn observe(&mut self, rows: &[Sample], end: f64) {
        for step in self.steps.add(rows, end) {
            self.add(&step);
        }
        self.now = self.now.max(end);
    }

    fn close(&mut self) {
        if let Some(step) = self.steps.close() {
            self.add(&step);
        }
    }

    fn on_oom_kill(&mut self, at: f64, memory_in_force: f64) -> bool {
        self.now = self.now.max(at);
        let request = memory_in_force * self.bytes_per_unit.unwrap_or(1.0);
        let step = if self.bytes_per_unit.is_some() { OOM_STEP_BYTES } else { 0.0 };
        self.kills.push((at, (request + step).max(request * OOM_FACTOR)));
        true
    }

    fn recommend(&self, setting: &Setting) -> (Option<f64>, Option<f64>) {
        let with_margin = |value: f64| value * (1.0 + setting.knob);
        let cpu = self.cpu.percentile(PERCENTILE).map(with_margin).map(|cores| match self.cores_per_unit {
            Some(per_unit) => (cores * 1000.0).trunc() / 1000.0 / per_unit,
            None => cores,
        });
        let young = self.kills.iter().filter(|(at, _)| self.now - at <= HISTORY_SECONDS);
        let after_kills = young.map(|(_, enough)| *enough).fold(0.0, f64::max);
        let memory = self.memory.percentile(PERCENTILE).map(with_margin).map(|bytes| match self.bytes_per_unit {
            Some(per_unit) => bytes.trunc().max(after_kills) / per_unit,
            None => bytes.max(after_kills),
        });
        (cpu, memory)
    }
}

/// Crane, with or without the half-lives of its configuration.
#[derive(Debug, Clone, Copy)]
pub struct Crane {
    /// Whether old samples weigh less.
    pub has_decay: bool,
}

impl Rival for Crane {
    fn name(&self) -> &'static str {
        if self.has_decay { "crane-decay" } else { "crane" }
    }

    fn knob(&self) -> &'static str {
        "margin fraction"
    }

    fn settings(&self) -> Vec<Setting> {
        MARGINS.map(Setting::knob).to_vec()
    }

    fn published(&self) -> usize {
        3
    }

    fn absolute_constants(&self, resource: Resource) -> Option<(&'static str, &'static str)> {
        let without = match resource {
            Resource::Cpu => "its buckets of .1 core and its rounding to millicores",
            Resource::Memory => "its buckets of 100 MiB and its step of 100 MiB after an OOM kill",
        };
        Some(("Crane", without))
    }

    fn prepare<'a>(&self, _: &Store<'a>, world: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(AtTheWindow { rival: *self, scale: world.scale }))
    }
}

impl OfRows for Crane {
    fn recommender(&self, _: &Query<'_>, _: &Setting, scale: &Scale) -> Box<dyn Recommender> {
        Box::new(CraneContainer::new(self.has_decay, scale))
    }

    fn after_kills(&self, fed: impl FnOnce() -> Option<Fed>, setting: &Setting, kills: &[Attempt]) -> Option<f64> {
        fed()?.memory_after(kills, setting)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;
    use crate::replay::rivals::Conduct;
    use crate::replay::samples::RowBuffer;
    use crate::replay::test_cases::{case, newcomer, query};

    const MIB: f64 = 1_048_576.0;
    const DAY: f64 = 86_400.0;
    const PLAIN: Setting = Setting::knob(0.0);
    const PUBLISHED: Setting = Setting::knob(0.15);
    const PHYSICAL: Scale =
        Scale { cores_per_unit: Some(1.0), bytes_per_unit: Some(1.0), machine_cpu: None, machine_memory: None };
    const FRACTIONS: Scale = Scale { cores_per_unit: None, bytes_per_unit: None, ..PHYSICAL };

    fn minutes(runs: &[(u32, f64)], add: fn(&mut CraneContainer, f64, f64)) -> CraneContainer {
        let mut crane = CraneContainer::new(false, &PHYSICAL);
        let values = runs.iter().flat_map(|(count, value)| std::iter::repeat_n(*value, *count as usize));
        for (minute, value) in (0_u32..).zip(values) {
            add(&mut crane, f64::from(minute) * 60.0, value);
        }
        crane
    }

    fn millicores(runs: &[(u32, f64)]) -> f64 {
        (minutes(runs, CraneContainer::add_cpu).recommend(&PUBLISHED).0.unwrap() * 1000.0).round()
    }

    fn bytes(runs: &[(u32, f64)]) -> f64 {
        let mebibytes: Vec<(u32, f64)> = runs.iter().map(|(count, value)| (*count, value * MIB)).collect();
        minutes(&mebibytes, CraneContainer::add_memory).recommend(&PUBLISHED).1.unwrap()
    }

    #[test]
    fn cpu_is_the_percentile_by_load() {
        assert_eq!(millicores(&[(1000, 0.25)]), 345.0);
        assert_eq!(millicores(&[(995, 0.25), (5, 2.05)]), 2415.0);
        assert_eq!(millicores(&[(999, 0.25), (1, 2.05)]), 345.0);
        assert!([114.0, 115.0].contains(&millicores(&[(10, 0.02)])));
    }

    #[test]
    fn memory_is_the_percentile_by_load() {
        assert!((bytes(&[(1000, 250.0)]) - 361_758_720.0).abs() <= 1.0);
        assert_eq!(bytes(&[(995, 250.0), (5, 950.0)]), 1_205_862_400.0);
    }

    #[test]
    fn a_kill_counts_for_seven_days() {
        let after = |age: f64| {
            let mut crane = minutes(&[(10, 250.0 * MIB)], CraneContainer::add_memory);
            crane.on_oom_kill(600.0, 500.0 * MIB);
            crane.now = 600.0 + age * DAY;
            crane.recommend(&PUBLISHED).1.unwrap()
        };
        assert_eq!(after(3.0), 629_145_600.0);
        assert!((after(8.0) - 361_758_720.0).abs() <= 1.0);
    }

    #[test]
    fn samples_are_forgotten_after_a_week_and_fade_only_where_that_is_configured() {
        let late_peak = |has_decay, days: f64| {
            let mut crane = CraneContainer::new(has_decay, &PHYSICAL);
            crane.add_cpu(0.0, 9.05);
            (1..200).for_each(|minute| crane.add_cpu(days * DAY + f64::from(minute), 0.25));
            (crane.recommend(&PLAIN).0.unwrap() * 10.0).round() / 10.0
        };
        assert_eq!((late_peak(false, 6.0), late_peak(false, 8.0)), (9.1, 0.3));
        assert_eq!((late_peak(true, 2.0), late_peak(true, 6.0)), (9.1, 0.3));
    }

    #[test]
    fn without_machine_sizes_nothing_is_absolute() {
        let mut crane = CraneContainer::new(false, &FRACTIONS);
        crane.add_memory(0.0, 0.0105);
        crane.add_cpu(0.0, 0.0105);
        assert!(crane.recommend(&PLAIN) == (Some(0.011), Some(0.011)));
        crane.on_oom_kill(1.0, 0.5);
        assert_eq!(crane.recommend(&PLAIN).1, Some(0.6));
    }

    #[test]
    fn it_answers_from_the_rows_of_the_window_and_after_each_kill() {
        let case = case("w", "a", 0, 100, 500.0 * MIB);
        let newcomer = newcomer(&case);
        let mut buffer = RowBuffer::default();
        let asked = Query { rows: case.window_rows(&mut buffer).unwrap(), ..query(&newcomer) };
        let crane = Crane { has_decay: false };
        let setting = crane.settings()[crane.published()];
        let prepared = AtTheWindow { rival: crane, scale: PHYSICAL };
        let answer = prepared.recommend(&asked, &[setting], 0).unwrap()[0].unwrap();
        // 250 MiB and half a core.
        assert!((answer.memory.unwrap() - 361_758_720.0).abs() <= 1.0);
        assert_eq!(answer.cpu, Some(0.69));
        let kill = |allocation| Attempt { allocation, seen: 0.0, at: 30.0 };
        let kills = [kill(361_758_720.0), kill(466_616_320.0)];
        assert_eq!(Conduct::after_kills(&prepared, &asked, &setting, &kills[..1]), Some(466_616_320.0));
        assert_eq!(Conduct::after_kills(&prepared, &asked, &setting, &kills), Some(571_473_920.0));
        assert_eq!(prepared.recommend(&query(&newcomer), &[setting], 0).unwrap()[0], None);
    }
}
