//! What is odd about the samples of a store, counted by source: gaps, uses above and at their bound, clocks, unseen starts.
//!
//! One pass over the usage table, bucket by bucket on all threads; counts are exact and do not depend on the number of threads. In memory are the
//! samples of one run per thread, and 64 bytes per run: what its row in the workload table says of its life and its limits. `docs/store.md` says
//! what each count means. Nothing is judged: the traces have these oddities, and estimates must live with them.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::trace::{Sample, SampleFlags};
use crate::units::Micros;

use super::compact::WORKLOADS;
use super::parquet_file;
use super::workload_table;
use super::{Store, StoreError, Workload};

/// A use of at least this share of its bound is at it: what more would have been used cannot be known (ours).
const AT_BOUND: f64 = 0.99;

/// Uses above a bound by less than this share are its rounding: traces state both to six digits or so (ours).
const ROUNDING: f64 = 1e-6;

/// Uses of one resource beside what bounds them: the limit, else the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bounded {
    /// Samples that have both.
    pub samples: u64,
    /// Samples above it.
    pub above: u64,
    /// Samples from 99 % of it up to it: the need is censored, it may have been larger.
    pub at: u64,
}

/// Times that cannot be, or cannot be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClockOddities {
    /// Runs that end before they start.
    pub end_before_start: u64,
    /// Windows that begin before the one before them ends.
    pub overlapping: u64,
    /// Samples that do not lie on the grid of their run: its first sample, and its usual step.
    pub off_grid: u64,
    /// Windows that lie wholly before the start of their run or after its end.
    pub outside_life: u64,
    /// Samples before the origin of the trace's clock.
    pub before_origin: u64,
}

/// What is odd about the samples of a source. A gap counts for the source of the sample after it, a run for that of its first sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// Samples that are kept.
    pub samples: u64,
    /// Places where at least one window of a run is missing.
    pub gaps: u64,
    /// Windows missing there.
    pub missing_windows: u64,
    /// Windows that several differing rows of the source, or of several sources, were merged into.
    pub merged_windows: u64,
    /// Use of CPU beside its bound.
    pub cpu: Bounded,
    /// Use of memory beside its bound.
    pub memory: Bounded,
    /// Times.
    pub clock: ClockOddities,
    /// Runs with samples.
    pub runs: u64,
    /// Runs whose start was not seen.
    pub runs_without_start: u64,
    /// Runs whose end was not seen.
    pub runs_without_end: u64,
}

impl Bounded {
    fn merge(&mut self, other: &Self) {
        self.samples += other.samples;
        self.above += other.above;
        self.at += other.at;
    }

    fn take(&mut self, uses: Option<f64>, bound: Option<f64>) {
        let Some((uses, bound)) = uses.zip(bound.filter(|&bound| bound > 0.0)) else { return };
        self.samples += 1;
        if uses > bound * (1.0 + ROUNDING) {
            self.above += 1;
        } else if uses >= bound * AT_BOUND {
            self.at += 1;
        }
    }
}

impl ClockOddities {
    /// Returns how many there are.
    pub const fn total(&self) -> u64 {
        self.end_before_start + self.overlapping + self.off_grid + self.outside_life + self.before_origin
    }

    fn merge(&mut self, other: &Self) {
        self.end_before_start += other.end_before_start;
        self.overlapping += other.overlapping;
        self.off_grid += other.off_grid;
        self.outside_life += other.outside_life;
        self.before_origin += other.before_origin;
    }
}

impl Quality {
    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.samples += other.samples;
        self.gaps += other.gaps;
        self.missing_windows += other.missing_windows;
        self.merged_windows += other.merged_windows;
        self.cpu.merge(&other.cpu);
        self.memory.merge(&other.memory);
        self.clock.merge(&other.clock);
        self.runs += other.runs;
        self.runs_without_start += other.runs_without_start;
        self.runs_without_end += other.runs_without_end;
    }
}

/// What the workload table says of a run.
#[derive(Debug, Clone, Copy)]
struct RunFacts {
    start: Option<Micros>,
    end: Option<Micros>,
    cpu_limit: Option<f64>,
    memory_limit: Option<f64>,
}

/// Counts by the number of the source.
type Counted = BTreeMap<u32, Quality>;

impl Store {
    /// Counts what is odd, by the number of the source ([`super::Source::number`]).
    ///
    /// # Errors
    /// A file is damaged.
    pub fn quality(&self) -> Result<Counted, StoreError> {
        let runs = self.run_facts()?;
        let buckets: Vec<Result<Counted, StoreError>> =
            runs.par_iter().map(|(&bucket, runs)| self.quality_of(bucket, runs)).collect();
        let mut counted = Counted::new();
        for bucket in buckets {
            for (source, quality) in bucket? {
                counted.entry(source).or_default().merge(&quality);
            }
        }
        Ok(counted)
    }

    /// Reads the lives and limits of the runs with samples, by bucket, in the order of their series.
    fn run_facts(&self) -> Result<BTreeMap<u32, Vec<RunFacts>>, StoreError> {
        let mut by_bucket: BTreeMap<u32, Vec<RunFacts>> = BTreeMap::new();
        let mut rows: Vec<Workload> = Vec::new();
        for file in self.manifest().files.iter().filter(|file| file.path == WORKLOADS) {
            parquet_file::read(self.root(), file, |batch| {
                rows.clear();
                workload_table::read(batch, &mut rows)?;
                for row in rows.iter().filter(|row| row.samples > 0) {
                    by_bucket.entry(row.bucket).or_default().push(RunFacts {
                        start: row.start,
                        end: row.end,
                        cpu_limit: row.limit.cpu,
                        memory_limit: row.limit.memory,
                    });
                }
                Ok(())
            })?;
        }
        Ok(by_bucket)
    }

    fn quality_of(&self, bucket: u32, runs: &[RunFacts]) -> Result<Counted, StoreError> {
        let mut counted = Counted::new();
        let mut rest = runs.iter();
        self.for_each_sourced(bucket, &mut |_, _, samples, sources| {
            let Some(run) = rest.next() else {
                let what = "there are more series than runs with samples".to_owned();
                return Err(StoreError::Layout { path: self.root().join(WORKLOADS), what });
            };
            count(samples, sources, run, &mut counted);
            Ok(())
        })?;
        Ok(counted)
    }
}

/// Counts one run: its samples in time order, each with its source.
fn count(samples: &[Sample], sources: &[u32], run: &RunFacts, counted: &mut Counted) {
    let (Some(first), Some(&source)) = (samples.first(), sources.first()) else { return };
    let whole = counted.entry(source).or_default();
    whole.runs += 1;
    whole.runs_without_start += u64::from(run.start.is_none());
    whole.runs_without_end += u64::from(run.end.is_none());
    whole.clock.end_before_start += u64::from(run.start.zip(run.end).is_some_and(|(start, end)| end < start));
    let grid = Grid::of(samples);
    let mut before: Option<&Sample> = None;
    for (sample, source) in samples.iter().zip(sources) {
        let quality = counted.entry(*source).or_default();
        quality.samples += 1;
        quality.merged_windows += u64::from(sample.flags.contains(SampleFlags::MERGED));
        bounds(sample, run, quality);
        let end = sample.start.plus(sample.duration);
        let is_outside = run.start.is_some_and(|start| end < start) || run.end.is_some_and(|end| sample.start > end);
        quality.clock.outside_life += u64::from(is_outside);
        quality.clock.before_origin += u64::from(sample.start < Micros::ZERO);
        if let Some(before) = before.replace(sample) {
            let is_stated = before.duration > Micros::ZERO;
            let length = if is_stated { before.duration } else { grid.step };
            let uncovered = sample.start.minus(before.start.plus(length));
            if 2 * uncovered.0 > grid.step.0 {
                quality.gaps += 1;
                // To the nearest window, at least one.
                let windows = (2 * i128::from(uncovered.0) / i128::from(grid.step.0.max(1)) + 1) / 2;
                quality.missing_windows += u64::try_from(windows).unwrap_or(u64::MAX).max(1);
            }
            quality.clock.overlapping += u64::from(is_stated && uncovered < Micros::ZERO);
            // A window that begins where the one before it ends is where it belongs.
            quality.clock.off_grid += u64::from(uncovered != Micros::ZERO && !grid.holds(sample.start));
        }
    }
    debug_assert!(first.start <= samples.last().map_or(first.start, |last| last.start), "samples come in time order");
}

/// Compares what was used with what bounds it: the largest use where the sample states one.
fn bounds(sample: &Sample, run: &RunFacts, quality: &mut Quality) {
    let has = |flag| sample.flags.contains(flag);
    let largest =
        |most: Option<f64>, mean: Option<f64>| if has(SampleFlags::MAX_IS_SUM) { mean } else { most.or(mean) };
    // Inside an alloc set the set is the bound, and of what is a share of a request the request is 1.
    let request = |of_request, request: Option<f64>| match (has(of_request), has(SampleFlags::IN_ALLOC)) {
        (true, _) => Some(1.0),
        (false, true) => None,
        (false, false) => request,
    };
    let cpu = run.cpu_limit.filter(|_| !has(SampleFlags::CPU_OF_REQUEST));
    let memory = sample.memory_limit.or(run.memory_limit).filter(|_| !has(SampleFlags::MEMORY_OF_REQUEST));
    let cpu_bound = cpu.or(request(SampleFlags::CPU_OF_REQUEST, sample.cpu_request));
    let memory_bound = memory.or(request(SampleFlags::MEMORY_OF_REQUEST, sample.memory_request));
    quality.cpu.take(largest(sample.cpu_max, sample.cpu), cpu_bound);
    quality.memory.take(largest(sample.memory_max, sample.memory), memory_bound);
}

/// When the samples of a run begin: every so often, at a usual remainder.
#[derive(Debug, Clone, Copy)]
struct Grid {
    /// The median time between the starts of two samples; 0 of a single one.
    step: Micros,
    /// The hundredth of a step in which most of them begin.
    phase: i64,
}

impl Grid {
    /// Parts of a step: times are as good as equal when they fall into neighbouring ones.
    const PARTS: i64 = 100;

    fn of(samples: &[Sample]) -> Self {
        let mut steps: Vec<i64> =
            samples.windows(2).map(|pair| pair[1].start.minus(pair[0].start).0).filter(|&step| step > 0).collect();
        if steps.is_empty() {
            return Self { step: Micros::ZERO, phase: 0 };
        }
        let middle = (steps.len() - 1) / 2;
        let step = Micros(*steps.select_nth_unstable(middle).1);
        let mut phases: Vec<i64> = samples.iter().map(|sample| Self::phase_of(sample.start, step)).collect();
        phases.sort_unstable();
        let most = phases.chunk_by(|a, b| a == b).max_by_key(|equal| equal.len());
        Self { step, phase: most.and_then(|equal| equal.first()).copied().unwrap_or(0) }
    }

    fn phase_of(start: Micros, step: Micros) -> i64 {
        let part = i128::from(start.0.rem_euclid(step.0)) * i128::from(Self::PARTS) / i128::from(step.0);
        i64::try_from(part).unwrap_or(0)
    }

    /// Returns whether a sample that begins at `start` lies where most do.
    fn holds(&self, start: Micros) -> bool {
        if self.step == Micros::ZERO {
            return true;
        }
        let apart = (Self::phase_of(start, self.step) - self.phase).rem_euclid(Self::PARTS);
        apart <= 1 || apart >= Self::PARTS - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: RunFacts = RunFacts { start: None, end: None, cpu_limit: None, memory_limit: None };

    /// A sample from `start` for `length` seconds.
    fn sample(start: f64, length: i64) -> Sample {
        let start = Micros::from_seconds_f64(start).unwrap();
        Sample { start, duration: Micros::from_seconds(length), ..Sample::default() }
    }

    fn counted(samples: &[Sample], run: RunFacts) -> Quality {
        let mut counted = Counted::new();
        count(samples, &vec![7; samples.len()], &run, &mut counted);
        assert_eq!(counted.keys().collect::<Vec<_>>(), [&7]);
        counted[&7]
    }

    #[test]
    fn gaps_are_what_no_window_covers_and_windows_of_any_length_may_follow_each_other() {
        let covered: Vec<Sample> =
            [(0.0, 5), (5.0, 5), (10.0, 60), (70.0, 60), (130.0, 60)].map(|(a, b)| sample(a, b)).into();
        let quality = counted(&covered, LIFE);
        assert_eq!((quality.samples, quality.gaps, quality.clock.total()), (5, 0, 0));
        // Two of them missing at 120 s, then one.
        let gappy: Vec<Sample> = [0.0, 60.0, 240.0, 300.0, 420.0].map(|start| sample(start, 60)).into();
        let quality = counted(&gappy, LIFE);
        assert_eq!((quality.gaps, quality.missing_windows, quality.clock.total()), (2, 3, 0));
    }

    #[test]
    fn without_stated_lengths_the_usual_step_says_what_is_missing() {
        let gappy: Vec<Sample> = [0.0, 10.0, 20.0, 50.0, 60.0, 63.0, 70.0].map(|start| sample(start, 0)).into();
        let quality = counted(&gappy, LIFE);
        assert_eq!((quality.gaps, quality.missing_windows), (1, 2));
        assert_eq!((quality.clock.off_grid, quality.clock.overlapping), (1, 0));
        assert_eq!(counted(&[sample(3.0, 0)], LIFE).gaps, 0, "a single sample has no step");
    }

    #[test]
    fn windows_that_overlap_begin_off_the_grid_or_lie_outside_the_life_are_told_apart() {
        let run = RunFacts { start: Some(Micros::from_seconds(60)), end: Some(Micros::from_seconds(200)), ..LIFE };
        let odd: Vec<Sample> = [(-60.0, 60), (0.0, 50), (60.0, 60), (100.0, 60), (180.0, 60), (240.0, 60)]
            .map(|(a, b)| sample(a, b))
            .into();
        let clock = counted(&odd, run).clock;
        assert_eq!((clock.overlapping, clock.off_grid), (1, 1), "{clock:?}");
        assert_eq!((clock.outside_life, clock.before_origin, clock.end_before_start), (3, 1, 0), "{clock:?}");
        let turned = RunFacts { start: run.end, end: run.start, ..LIFE };
        assert_eq!(counted(&odd[..1], turned).clock.end_before_start, 1);
    }

    #[test]
    fn uses_are_compared_with_the_limit_else_with_the_request() {
        let used = |memory: f64, request: Option<f64>| Sample {
            memory: Some(memory),
            memory_request: request,
            ..sample(0.0, 0)
        };
        let samples = [
            used(99.0, Some(100.0)),
            used(100.0, Some(100.0)),
            used(101.0, Some(100.0)),
            used(50.0, Some(100.0)),
            used(5.0, None),
        ];
        assert_eq!(counted(&samples, LIFE).memory, Bounded { samples: 4, above: 1, at: 2 });
        // The limit counts where there is one, and of a row its own.
        let limited = RunFacts { memory_limit: Some(50.0), ..LIFE };
        assert_eq!(counted(&samples, limited).memory, Bounded { samples: 5, above: 3, at: 1 });
        let own = Sample { memory_limit: Some(1_000.0), ..samples[2] };
        assert_eq!(counted(&[own], limited).memory, Bounded { samples: 1, above: 0, at: 0 });
        // Shares of an unknown request are bounded by 1; a request inside an alloc set bounds nothing.
        let share = Sample { cpu: Some(1.5), flags: SampleFlags::CPU_OF_REQUEST, ..sample(0.0, 0) };
        assert_eq!(counted(&[share], LIFE).cpu, Bounded { samples: 1, above: 1, at: 0 });
        let inside = Sample { flags: SampleFlags::IN_ALLOC, ..samples[2] };
        assert_eq!(counted(&[inside], LIFE).memory, Bounded::default());
        let summed = Sample { memory_max: Some(500.0), flags: SampleFlags::MAX_IS_SUM, ..samples[3] };
        assert_eq!(counted(&[summed], LIFE).memory, Bounded { samples: 1, above: 0, at: 0 });
    }
}
