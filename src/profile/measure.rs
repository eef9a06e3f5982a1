//! Samples of one run to its window and life profiles.

use serde::{Deserialize, Serialize};

use crate::store::{Ending, Workload};
use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, Sample, UnitContract};
use crate::units::Micros;

use super::quantile::nearest_rank;
use super::resource::{Point, correlation, profile};
use super::{Censoring, LifeProfile, ProfileError, Window, WindowProfile};

/// Levels below which differences do not matter, in the store's units.
///
/// 16 MiB and 0.01 core are the guards of the evaluation protocol for tiny levels; in a normalised trace they are
/// the same shares of an ordinary large machine (64 cores, 256 GiB).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Floors {
    /// Of CPU.
    pub cpu: f64,
    /// Of memory.
    pub memory: f64,
    /// Of network and disk.
    pub rate: f64,
}

impl Floors {
    /// For cores and bytes.
    pub const PHYSICAL_CPU: f64 = 0.01;
    /// For bytes: 16 MiB.
    pub const PHYSICAL_MEMORY: f64 = 16.0 * 1_048_576.0;
    /// For bytes per second: 1 KiB/s.
    pub const PHYSICAL_RATE: f64 = 1024.0;
    /// For a share of the largest machine's CPU.
    pub const SHARE_CPU: f64 = 0.01 / 64.0;
    /// For a share of the largest machine's memory.
    pub const SHARE_MEMORY: f64 = 16.0 / 262_144.0;
    /// For a normalised rate, 0..1.
    pub const SHARE_RATE: f64 = 1e-4;

    /// Returns the floors in the units of a store. Disk use shares the floor of the network.
    pub const fn of(units: UnitContract) -> Self {
        Self {
            cpu: match units.cpu {
                CpuUnit::Cores => Self::PHYSICAL_CPU,
                CpuUnit::MachineFraction => Self::SHARE_CPU,
            },
            memory: match units.memory {
                MemoryUnit::Bytes => Self::PHYSICAL_MEMORY,
                MemoryUnit::MachineFraction => Self::SHARE_MEMORY,
            },
            rate: match units.network {
                NetworkUnit::BytesPerSecond | NetworkUnit::None => Self::PHYSICAL_RATE,
                NetworkUnit::Normalised => Self::SHARE_RATE,
            },
        }
    }
}

fn mean_and_max(mean: Option<f64>, max: Option<f64>) -> Option<(f64, f64)> {
    let mean = mean.or(max)?;
    Some((mean, max.unwrap_or(mean).max(mean)))
}

fn sum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or_default() + b.unwrap_or_default()),
    }
}

fn points(samples: &[Sample], origin: Micros, of: impl Fn(&Sample) -> Option<(f64, f64)>) -> Vec<Point> {
    samples
        .iter()
        .filter_map(|sample| {
            let (mean, max) = of(sample)?;
            Some(Point { at: sample.start.minus(origin).as_seconds(), length: sample.duration.as_seconds(), mean, max })
        })
        .collect()
}

/// Returns how many of the samples lie in the first window of a run that began at `start`: those that begin before its
/// end, at least one. On rows longer than the window this is the first row: an interval is never cut or interpolated.
fn in_window(samples: &[Sample], start: Micros, window: Window) -> usize {
    let end = start.plus(window.length);
    // A point sample exactly at the end still belongs to the window, as the first 60 s of a 2 s series include second 60.
    let inside = samples
        .partition_point(|sample| sample.start < end || (sample.start == end && sample.duration == Micros::ZERO));
    inside.max(1).min(samples.len())
}

/// Profiles the first window of a run that began at `start`. `samples` are those of the run, in time order; rows
/// after the window are not looked at. A window of no length is the moment of submission: nothing was observed.
///
/// # Errors
/// [`ProfileError::NoSamples`] when there is none, [`ProfileError::TooShort`] when less than half of the window was
/// observed although rows are shorter than it.
pub fn profile_window(
    samples: &[Sample],
    start: Micros,
    window: Window,
    floors: Floors,
) -> Result<WindowProfile, ProfileError> {
    if samples.is_empty() {
        return Err(ProfileError::NoSamples);
    }
    if window.length <= Micros::ZERO {
        return Ok(WindowProfile::default());
    }
    let seen = &samples[..in_window(samples, start, window)];
    let last = seen[seen.len() - 1];
    let observed = last.start.plus(last.duration).minus(start).as_seconds();
    let is_one_long_row = seen.len() == 1 && last.duration >= window.length;
    if !is_one_long_row && observed < window.length.as_seconds() / 2.0 && seen.len() == samples.len() {
        return Err(ProfileError::TooShort { observed_seconds: observed, window_seconds: window.length.as_seconds() });
    }
    let origin = seen[0].start;
    let mut steps: Vec<f64> = seen.windows(2).map(|pair| pair[1].start.minus(pair[0].start).as_seconds()).collect();
    steps.sort_by(f64::total_cmp);
    let cpu_of = |sample: &Sample| mean_and_max(sample.cpu, sample.cpu_max);
    let memory_of = |sample: &Sample| mean_and_max(sample.memory, sample.memory_max);
    let both: Vec<(f64, f64)> = seen.iter().filter_map(|sample| sample.cpu.zip(sample.memory)).collect();
    let (cpus, memories): (Vec<f64>, Vec<f64>) = both.into_iter().unzip();
    Ok(WindowProfile {
        observed_seconds: observed,
        interval_seconds: steps.get(steps.len() / 2).copied().unwrap_or(0.0),
        samples: u32::try_from(seen.len()).unwrap_or(u32::MAX),
        cpu: profile(&points(seen, origin, cpu_of), floors.cpu),
        memory: profile(&points(seen, origin, memory_of), floors.memory),
        network: profile(
            &points(seen, origin, |s| sum(s.network_received, s.network_transmitted).map(|rate| (rate, rate))),
            floors.rate,
        ),
        disk: profile(
            &points(seen, origin, |s| sum(s.disk_read, s.disk_written).or(s.disk_busy).map(|rate| (rate, rate))),
            floors.rate,
        ),
        cpu_memory_correlation: if cpus.is_empty() { None } else { correlation(&cpus, &memories) },
    })
}

/// The share of the time in which the CPU need of the protocol suffices: need is the 95th percentile of the row means.
pub const CPU_NEED: f64 = 0.95;

/// Profiles the whole life of a run. `samples` are those of the run, in time order; `cpu_share` in (0, 1] says which
/// percentile of its row means is its need of CPU, usually [`CPU_NEED`].
pub fn profile_life(samples: &[Sample], workload: &Workload, cpu_share: f64) -> LifeProfile {
    let start = workload.start.or(workload.first_sample).unwrap_or_default();
    let end = workload.end.or(workload.last_sample).unwrap_or(start);
    let mut life = LifeProfile {
        seconds: end.minus(start).as_seconds().max(0.0),
        samples: samples.len() as u64,
        ..LifeProfile::default()
    };
    let cpu = points(samples, start, |sample| sample.cpu.map(|mean| (mean, mean)));
    let memory = points(samples, start, |sample| mean_and_max(sample.memory, sample.memory_max));
    life.cpu_need = rank_of_means(&cpu, cpu_share);
    life.cpu_peak = cpu.iter().map(|point| point.mean).reduce(f64::max);
    life.cpu_mean = weighted_mean(&cpu);
    life.memory_mean = weighted_mean(&memory);
    life.network_p95 = rank_of_means(
        &points(samples, start, |s| sum(s.network_received, s.network_transmitted).map(|rate| (rate, rate))),
        0.95,
    );
    let peak = memory.iter().fold(None, |best: Option<Point>, &point| match best {
        Some(best) if best.max >= point.max => Some(best),
        _ => Some(point),
    });
    life.memory_peak = peak.map(|point| point.max);
    life.memory_peak_at_seconds = peak.map(|point| point.at);
    life.censoring = censoring(samples, workload, &life);
    life
}

/// Near a limit: what was seen is "at least".
const AT_LIMIT: f64 = 0.95;

fn censoring(samples: &[Sample], workload: &Workload, life: &LifeProfile) -> Censoring {
    let row_limits = samples.iter().filter_map(|sample| sample.memory_limit).reduce(f64::max);
    let memory_limit = workload.limit.memory.or(row_limits).or(workload.largest_request.memory);
    let cpu_limit = workload.limit.cpu;
    let reaches = |used: Option<f64>, limit: Option<f64>| {
        used.zip(limit).is_some_and(|(used, limit)| limit > 0.0 && used >= AT_LIMIT * limit)
    };
    Censoring {
        memory_at_limit: reaches(life.memory_peak, memory_limit),
        cpu_throttled: reaches(life.cpu_peak, cpu_limit),
        killed: matches!(workload.ending, Ending::Killed | Ending::Failed | Ending::Evicted),
        right: workload.end.is_none(),
        left: workload.start.is_none(),
    }
}

fn weighted_mean(points: &[Point]) -> Option<f64> {
    if points.is_empty() {
        return None;
    }
    // Point samples hold until the next one.
    let length = |index: usize| {
        let own = points[index].length;
        if own > 0.0 { own } else { points.get(index + 1).map_or(1.0, |next| (next.at - points[index].at).max(1e-6)) }
    };
    let total: f64 = (0..points.len()).map(length).sum();
    Some(points.iter().enumerate().map(|(index, point)| point.mean * length(index)).sum::<f64>() / total)
}

/// Returns the percentile of the points' means by nearest rank.
fn rank_of_means(points: &[Point], share: f64) -> Option<f64> {
    let mut means: Vec<f64> = points.iter().map(|point| point.mean).collect();
    means.sort_by(f64::total_cmp);
    nearest_rank(&means, share)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOORS: Floors =
        Floors { cpu: Floors::PHYSICAL_CPU, memory: Floors::PHYSICAL_MEMORY, rate: Floors::PHYSICAL_RATE };

    fn series(values: &[(i64, f64, f64)]) -> Vec<Sample> {
        values
            .iter()
            .map(|&(at, cpu, memory)| Sample {
                start: Micros::from_seconds(at),
                cpu: Some(cpu),
                memory: Some(memory),
                ..Sample::default()
            })
            .collect()
    }

    fn window(seconds: i64) -> Window {
        Window { length: Micros::from_seconds(seconds) }
    }

    fn run(start: i64, end: i64) -> Workload {
        Workload::new("w", "table", Some(Micros::from_seconds(start)), Some(Micros::from_seconds(end)))
    }

    #[test]
    fn rows_after_the_window_are_not_looked_at() {
        let mut samples = series(&[(0, 1.0, 100.0), (30, 2.0, 300.0), (60, 1.0, 200.0), (62, 1.0, 900.0)]);
        let before = profile_window(&samples, Micros::ZERO, window(60), FLOORS).unwrap();
        assert_eq!((before.samples, before.memory.unwrap().max), (3, 300.0));
        samples[3].memory = Some(1e12);
        samples[3].cpu = None;
        assert_eq!(profile_window(&samples, Micros::ZERO, window(60), FLOORS).unwrap(), before);
    }

    #[test]
    fn a_row_longer_than_the_window_is_taken_whole() {
        let mut samples = series(&[(0, 1.0, 100.0), (300, 5.0, 500.0)]);
        for sample in &mut samples {
            sample.duration = Micros::from_seconds(300);
        }
        let profile = profile_window(&samples, Micros::ZERO, window(60), FLOORS).unwrap();
        assert_eq!((profile.samples, profile.observed_seconds), (1, 300.0));
    }

    #[test]
    fn a_sample_shorter_than_half_the_window_is_refused() {
        let error = profile_window(&series(&[(0, 1.0, 1.0), (20, 1.0, 1.0)]), Micros::ZERO, window(60), FLOORS);
        assert_eq!(error, Err(ProfileError::TooShort { observed_seconds: 20.0, window_seconds: 60.0 }));
        assert_eq!(profile_window(&[], Micros::ZERO, window(60), FLOORS), Err(ProfileError::NoSamples));
    }

    #[test]
    fn at_submission_nothing_was_observed() {
        let samples = series(&[(0, 1.0, 100.0), (30, 2.0, 300.0)]);
        assert_eq!(profile_window(&samples, Micros::ZERO, window(0), FLOORS), Ok(WindowProfile::default()));
    }

    #[test]
    fn a_missing_resource_stays_missing() {
        let mut samples = series(&[(0, 1.0, 1.0), (60, 1.0, 1.0)]);
        for sample in &mut samples {
            sample.memory = None;
        }
        let profile = profile_window(&samples, Micros::ZERO, window(60), FLOORS).unwrap();
        assert!(profile.memory.is_none() && profile.network.is_none() && profile.cpu_memory_correlation.is_none());
    }

    #[test]
    fn needs_of_a_life_are_the_peak_of_memory_and_the_95th_percentile_of_cpu() {
        let samples: Vec<(i64, f64, f64)> =
            (0..100_i32).map(|at| (i64::from(at), f64::from(at), f64::from(100 - (at - 40).abs()))).collect();
        let life = profile_life(&series(&samples), &run(0, 100), CPU_NEED);
        assert_eq!(profile_life(&series(&samples), &run(0, 100), 0.99).cpu_need, Some(98.0));
        assert_eq!((life.cpu_need, life.cpu_peak, life.memory_peak), (Some(94.0), Some(99.0), Some(100.0)));
        assert_eq!((life.memory_peak_at_seconds, life.seconds), (Some(40.0), 100.0));
        assert_eq!(life.censoring, Censoring::default());
    }

    #[test]
    fn what_touched_its_limit_is_only_a_lower_bound() {
        let mut workload = run(0, 10);
        workload.limit.memory = Some(1000.0);
        let samples = series(&[(0, 1.0, 100.0), (5, 1.0, 950.0)]);
        assert!(profile_life(&samples, &workload, CPU_NEED).censoring.memory_at_limit);
        workload.limit.memory = Some(1001.0);
        assert!(!profile_life(&samples, &workload, CPU_NEED).censoring.memory_at_limit);
        workload.ending = Ending::Killed;
        workload.end = None;
        workload.start = None;
        let censoring = profile_life(&samples, &workload, CPU_NEED).censoring;
        assert!(censoring.killed && censoring.right && censoring.left);
    }
}
