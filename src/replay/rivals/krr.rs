//! KRR's "simple" strategy (`robusta-dev/krr` at d6baa745): the 95th percentile of CPU and the maximum of memory over two
//! weeks of 75-second steps, with a buffer on memory. It answers nothing before it has 100 points.

use std::collections::VecDeque;

use super::recommender::{AtTheWindow, Fed, OfRows, Recommender};
use super::steps::{Polled, Steps};
use super::{Prepared, Query, ReplayError, Rival, Setting, Store, Surroundings};
use crate::profile::quantile::interpolated;
use crate::replay::Scale;
use crate::replay::feedback::Attempt;
use crate::replay::results::Resource;
use crate::trace::Sample;

const STEP_SECONDS: f64 = 75.0;
const HISTORY_SECONDS: f64 = 14.0 * 86_400.0;
const PERCENTILE: f64 = 0.95;
/// Fewest points over all pods, per resource.
const LEAST_POINTS: usize = 100;
const LEAST_MILLICORES: f64 = 10.0;
const LEAST_MEBIBYTES: f64 = 100.0;
const MEBIBYTE: f64 = 1_048_576.0;
/// Memory after a kill, where `use_oomkill_data` is on.
const OOM_FACTOR: f64 = 1.25;
/// Memory buffers of the sweep.
const BUFFERS: [f64; 16] = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 9.0, 19.0];

/// Points of one resource of one pod. Two weeks are 16,128 of them, and it is asked every five minutes: they are kept
/// sorted, since sorting them for each answer took nine tenths of a replay's closed loop.
#[derive(Debug, Clone, Default)]
struct Points {
    /// End of the step and value, oldest first.
    by_time: VecDeque<(f64, f64)>,
    /// The values, ascending.
    by_value: Vec<f64>,
}

impl Points {
    fn add(&mut self, at: f64, value: f64) {
        self.by_time.push_back((at, value));
        let position = self.by_value.partition_point(|known| known.total_cmp(&value).is_le());
        self.by_value.insert(position, value);
    }

    /// Forgets what is more than two weeks older than `now`.
    fn forget(&mut self, now: f64) {
        while let Some((_, value)) = self.by_time.front().filter(|(at, _)| now - at > HISTORY_SECONDS) {
            let position = self.by_value.partition_point(|known| known.total_cmp(value).is_lt());
            self.by_value.remove(position);
            self.by_time.pop_front();
        }
    }

    fn percentile(&self) -> f64 {
        interpolated(&self.by_value, PERCENTILE)
    }

    fn largest(&self) -> f64 {
        self.by_value.last().map_or(0.0, |value| value.max(0.0))
    }
}

/// One workload as KRR sees it.
#[derive(Debug, Clone)]
pub struct KrrWorkload {
    steps: Steps,
    cores_per_unit: Option<f64>,
    bytes_per_unit: Option<f64>,
    /// CPU and memory per pod; the rows that are observed are those of the first.
    pods: Vec<(Points, Points)>,
    /// Whether kills count, and the largest limit that was too small, in bytes or fractions.
    uses_kills: bool,
    killed_at: f64,
}

impl KrrWorkload {
    /// Returns a workload without points; without machine sizes nothing is rounded or floored.
    pub fn new(uses_kills: bool, scale: &Scale) -> Self {
        Self {
            steps: Steps::of(STEP_SECONDS),
            cores_per_unit: scale.cores_per_unit,
            bytes_per_unit: scale.bytes_per_unit,
            pods: vec![(Points::default(), Points::default())],
            uses_kills,
            killed_at: 0.0,
        }
    }

    fn add(&mut self, pod: usize, step: &Polled) {
        if self.pods.len() <= pod {
            self.pods.resize(pod + 1, (Points::default(), Points::default()));
        }
        let (cpu, memory) = &mut self.pods[pod];
        if let Some(value) = step.cpu_mean() {
            cpu.add(step.at, value * self.cores_per_unit.unwrap_or(1.0));
        }
        if let Some(value) = step.memory {
            memory.add(step.at, value * self.bytes_per_unit.unwrap_or(1.0));
        }
        cpu.forget(step.at);
        memory.forget(step.at);
    }

    /// Returns the largest of the pods' figures, if they have points enough together.
    fn over_pods(&self, of: fn(&(Points, Points)) -> &Points, figure: fn(&Points) -> f64) -> Option<f64> {
        let pods = || self.pods.iter().map(of).filter(|points| !points.by_value.is_empty());
        let points: usize = pods().map(|points| points.by_value.len()).sum();
        (points >= LEAST_POINTS).then(|| pods().map(figure).fold(0.0, f64::max))
    }
}

/// Rounds up to a whole unit; what lies above one by the last digits of a double is that one.
fn round_up(value: f64) -> f64 {
    (value - 1e-9).ceil()
}

impl Recommender for KrrWorkload {
    fn observe(&mut self, rows: &[Sample], end: f64) {
        for step in self.steps.add(rows, end) {
            self.add(0, &step);
        }
    }

    fn close(&mut self) {
        if let Some(step) = self.steps.close() {
            self.add(0, &step);
        }
    }

    fn on_oom_kill(&mut self, _: f64, memory_in_force: f64) -> bool {
        self.killed_at = self.killed_at.max(memory_in_force * self.bytes_per_unit.unwrap_or(1.0));
        self.uses_kills
    }

    fn recommend(&self, setting: &Setting) -> (Option<f64>, Option<f64>) {
        let cpu = self.over_pods(|pod| &pod.0, Points::percentile).map(|cores| match self.cores_per_unit {
            Some(per_unit) => round_up(cores * 1000.0).max(LEAST_MILLICORES) / 1000.0 / per_unit,
            None => cores,
        });
        let after_kill = if self.uses_kills { self.killed_at * OOM_FACTOR } else { 0.0 };
        let memory = self.over_pods(|pod| &pod.1, Points::largest).map(|bytes| {
            let bytes = (bytes * (1.0 + setting.knob)).max(after_kill);
            match self.bytes_per_unit {
                Some(per_unit) => round_up(bytes / MEBIBYTE).max(LEAST_MEBIBYTES) * MEBIBYTE / per_unit,
                None => bytes,
            }
        });
        (cpu, memory)
    }
}

/// KRR, with or without `use_oomkill_data` (off by default).
#[derive(Debug, Clone, Copy)]
pub struct Krr {
    /// Whether kills raise the memory.
    pub uses_kills: bool,
}

impl Rival for Krr {
    fn name(&self) -> &'static str {
        if self.uses_kills { "krr-oom" } else { "krr" }
    }

    fn knob(&self) -> &'static str {
        "memory buffer"
    }

    fn settings(&self) -> Vec<Setting> {
        BUFFERS.map(Setting::knob).to_vec()
    }

    fn published(&self) -> usize {
        3
    }

    fn absolute_constants(&self, resource: Resource) -> Option<(&'static str, &'static str)> {
        let without = match resource {
            Resource::Cpu => "its least of 10 m and its rounding to millicores",
            Resource::Memory => "its least of 100 MiB and its rounding to MiB",
        };
        Some(("KRR", without))
    }

    fn prepare<'a>(&self, _: &Store<'a>, world: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(AtTheWindow { rival: *self, scale: world.scale }))
    }
}

impl OfRows for Krr {
    fn recommender(&self, _: &Query<'_>, _: &Setting, scale: &Scale) -> Box<dyn Recommender> {
        Box::new(KrrWorkload::new(self.uses_kills, scale))
    }

    fn after_kills(&self, fed: impl FnOnce() -> Option<Fed>, setting: &Setting, kills: &[Attempt]) -> Option<f64> {
        let factor = if self.uses_kills { OOM_FACTOR } else { 2.0 };
        let bumped = kills.last().map(|kill| kill.allocation * factor);
        let own = if self.uses_kills { fed().and_then(|fed| fed.memory_after(kills, setting)) } else { None };
        own.or(bumped)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;

    const PLAIN: Setting = Setting::knob(0.0);
    const PUBLISHED: Setting = Setting::knob(0.15);
    const PHYSICAL: Scale =
        Scale { cores_per_unit: Some(1.0), bytes_per_unit: Some(1.0), machine_cpu: None, machine_memory: None };

    /// Pods of (count, value), CPU in cores and memory in MiB alike.
    fn pods(pods: &[&[(u32, f64)]]) -> KrrWorkload {
        let mut krr = KrrWorkload::new(false, &PHYSICAL);
        for (pod, runs) in pods.iter().enumerate() {
            let values = runs.iter().flat_map(|(count, value)| std::iter::repeat_n(*value, *count as usize));
            for (at, value) in (0_u32..).zip(values) {
                let at = f64::from(at) * STEP_SECONDS;
                krr.add(
                    pod,
                    &Polled { at, cpu: vec![(value, 1.0)], memory: Some(value * MEBIBYTE), ..Polled::default() },
                );
            }
        }
        krr
    }

    fn millicores(krr: &KrrWorkload) -> Option<f64> {
        krr.recommend(&PUBLISHED).0.map(|cores| (cores * 1000.0).round())
    }

    fn mebibytes(value: f64) -> f64 {
        pods(&[&[(100, value)]]).recommend(&PUBLISHED).1.unwrap() / MEBIBYTE
    }

    #[test]
    fn cpu_is_the_interpolated_percentile_of_the_busiest_pod() {
        let ramp: Vec<(u32, f64)> = (1..=100).map(|hundredths| (1, f64::from(hundredths) / 100.0)).collect();
        assert_eq!(millicores(&pods(&[&ramp])), Some(951.0));
        assert_eq!(millicores(&pods(&[&[(95, 0.1), (5, 1.0)]])), Some(145.0));
        assert_eq!(millicores(&pods(&[&[(94, 0.1), (6, 1.0)]])), Some(1000.0));
        assert_eq!(millicores(&pods(&[&[(96, 0.1), (4, 1.0)]])), Some(100.0));
        assert_eq!(millicores(&pods(&[&[(90, 0.1), (10, 1.0)], &[(100, 0.3)]])), Some(1000.0));
        assert_eq!(millicores(&pods(&[&[(100, 0.003)]])), Some(10.0));
    }

    #[test]
    fn a_hundred_points_are_needed_over_all_pods() {
        assert_eq!(pods(&[&[(99, 0.1)]]).recommend(&PUBLISHED), (None, None));
        assert!(millicores(&pods(&[&[(50, 0.1)], &[(50, 0.1)]])).is_some());
    }

    #[test]
    fn memory_is_the_largest_step_with_its_buffer_in_whole_mebibytes() {
        let found = [200.0, 100.3, 50.0, 87.0, 512.0].map(mebibytes);
        assert_eq!(found, [230.0, 116.0, 100.0, 101.0, 589.0]);
    }

    #[test]
    fn kills_count_where_they_are_asked_for() {
        let after = |uses_kills| {
            let mut krr = KrrWorkload { uses_kills, ..pods(&[&[(100, 200.0)]]) };
            krr.on_oom_kill(0.0, 400.0 * MEBIBYTE);
            krr.on_oom_kill(0.0, 300.0 * MEBIBYTE);
            krr.recommend(&PUBLISHED).1.unwrap() / MEBIBYTE
        };
        assert_eq!((after(false), after(true)), (230.0, 500.0));
    }

    #[test]
    fn points_are_forgotten_after_two_weeks() {
        let mut krr = KrrWorkload::new(false, &PHYSICAL);
        let point = |at, mebibytes: f64| Polled { at, memory: Some(mebibytes * MEBIBYTE), ..Polled::default() };
        krr.add(0, &point(0.0, 900.0));
        (0..100).for_each(|at| krr.add(0, &point(HISTORY_SECONDS + 75.0 + f64::from(at), 200.0)));
        assert_eq!(krr.recommend(&PLAIN).1, Some(200.0 * MEBIBYTE));
    }

    #[test]
    fn a_row_of_five_minutes_is_four_points() {
        let row = |at: i64| Sample {
            start: crate::units::Micros::from_seconds(at * 300),
            duration: crate::units::Micros::from_seconds(300),
            cpu: Some(0.5),
            ..Sample::default()
        };
        let answered = |rows: i64| {
            let mut krr = KrrWorkload::new(false, &PHYSICAL);
            krr.observe(&(0..rows).map(row).collect::<Vec<_>>(), rows as f64 * 300.0);
            krr.close();
            krr.recommend(&PLAIN).0
        };
        assert_eq!((answered(24), answered(25)), (None, Some(0.5)));
    }
}
