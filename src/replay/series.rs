//! The samples of a run as steps of demand over the run's own time, for feedback and integrals.

use std::collections::BTreeMap;

use crate::trace::Sample;
use crate::units::Micros;

use crate::profile::quantile::nearest_rank;

/// Five minutes: the step of the relative slack (Autopilot, `EuroSys` 2020, section 4.1).
const SLACK_STEP_SECONDS: f64 = 300.0;
/// A job-day.
const DAY_SECONDS: f64 = 86_400.0;

/// Demand over [from, from + seconds) of the run's own time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Seconds after the run's start.
    pub from: f64,
    /// Length, more than 0.
    pub seconds: f64,
    /// Mean CPU.
    pub cpu: Option<f64>,
    /// Mean memory.
    pub memory: Option<f64>,
    /// Largest memory: the row's maximum, or its mean where it has none.
    pub memory_peak: Option<f64>,
}

/// A run's demand in time order. Gaps between rows are no demand and no allocation: they count nowhere.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// The steps.
    pub steps: Vec<Step>,
}

/// Integrals of one resource against one allocation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Integrals {
    /// Seconds with the resource.
    pub(super) seconds: f64,
    /// Use.
    pub(super) used: f64,
    /// Allocation minus use, signed.
    pub(super) slack: f64,
    /// Allocation above use.
    pub(super) waste: f64,
    /// Use above allocation.
    pub(super) excess: f64,
    /// Seconds with use above allocation.
    pub(super) seconds_above: f64,
}

impl Series {
    /// Returns the steps of `samples` (in time order) of a run that began at `start`.
    ///
    /// A row holds for its own length; a point sample holds until the next row, and the last one as long as the
    /// median of the others (one second for a single point). A row never outlasts the beginning of the next.
    pub fn new(samples: &[Sample], start: Micros) -> Self {
        let mut steps = Vec::with_capacity(samples.len());
        for (position, sample) in samples.iter().enumerate() {
            let until_next = samples.get(position + 1).map(|next| next.start.minus(sample.start).0.max(0));
            let length = match (sample.duration.0 > 0, until_next) {
                (true, Some(next)) => sample.duration.0.min(next),
                (true, None) => sample.duration.0,
                (false, Some(next)) => next,
                (false, None) => median_gap(samples),
            };
            if length <= 0 {
                continue;
            }
            let peak = match (sample.memory_max, sample.memory) {
                (Some(max), Some(mean)) => Some(max.max(mean)),
                (max, mean) => max.or(mean),
            };
            steps.push(Step {
                from: sample.start.minus(start).as_seconds(),
                seconds: Micros(length).as_seconds(),
                cpu: sample.cpu,
                memory: sample.memory.or(sample.memory_max),
                memory_peak: peak,
            });
        }
        Self { steps }
    }

    /// Returns the steps from `seconds` on; a step that contains it is cut.
    pub(super) fn after(&self, seconds: f64) -> impl Iterator<Item = Step> + '_ {
        self.steps.iter().filter_map(move |step| {
            let end = step.from + step.seconds;
            (end > seconds).then(|| {
                let from = step.from.max(seconds);
                Step { from, seconds: end - from, ..*step }
            })
        })
    }

    /// Integrates `use_of` against `allocation` from `seconds` on.
    pub(super) fn integrate(&self, seconds: f64, allocation: f64, use_of: impl Fn(&Step) -> Option<f64>) -> Integrals {
        let mut sums = Integrals::default();
        for step in self.after(seconds) {
            let Some(used) = use_of(&step) else { continue };
            sums.seconds += step.seconds;
            sums.used += used * step.seconds;
            sums.slack += (allocation - used) * step.seconds;
            sums.waste += (allocation - used).max(0.0) * step.seconds;
            if used > allocation {
                sums.excess += (used - allocation) * step.seconds;
                sums.seconds_above += step.seconds;
            }
        }
        sums
    }

    /// Returns for each day of the run (a life under a day is one) the 95th percentile (nearest rank) of the five-minute
    /// means of `use_of`.
    pub(super) fn daily_p95(&self, use_of: impl Fn(&Step) -> Option<f64>) -> Vec<f64> {
        // (weighted sum, seconds) per five minutes; a step is cut at their borders.
        let mut means: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
        for step in &self.steps {
            let Some(used) = use_of(step) else { continue };
            let (mut from, end) = (step.from.max(0.0), step.from + step.seconds);
            while from < end {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0 <= from, far below 2^53"
                )]
                let bin = (from / SLACK_STEP_SECONDS) as u64;
                let until = ((bin + 1) as f64 * SLACK_STEP_SECONDS).min(end);
                let entry = means.entry(bin).or_default();
                entry.0 += used * (until - from);
                entry.1 += until - from;
                from = until;
            }
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "288")]
        let bins_per_day = (DAY_SECONDS / SLACK_STEP_SECONDS) as u64;
        let mut days: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (bin, (sum, seconds)) in means {
            days.entry(bin / bins_per_day).or_default().push(sum / seconds);
        }
        days.into_values()
            .filter_map(|mut day| {
                day.sort_by(f64::total_cmp);
                nearest_rank(&day, 0.95)
            })
            .collect()
    }
}

/// Returns the median time between rows, in microseconds: a second where there is none.
fn median_gap(samples: &[Sample]) -> i64 {
    let gaps = samples.windows(2).map(|pair| pair[1].start.minus(pair[0].start).0);
    let mut gaps: Vec<i64> = gaps.filter(|gap| *gap > 0).collect();
    let middle = gaps.len() / 2;
    if gaps.is_empty() { 1_000_000 } else { *gaps.select_nth_unstable(middle).1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(second: i64, cpu: f64, memory: f64) -> Sample {
        Sample { start: Micros::from_seconds(second), cpu: Some(cpu), memory: Some(memory), ..Sample::default() }
    }

    #[test]
    fn point_samples_hold_until_the_next() {
        let series =
            Series::new(&[point(10, 1.0, 2.0), point(12, 3.0, 4.0), point(15, 1.0, 1.0)], Micros::from_seconds(10));
        let lengths: Vec<(f64, f64)> = series.steps.iter().map(|step| (step.from, step.seconds)).collect();
        assert_eq!(lengths, [(0.0, 2.0), (2.0, 3.0), (5.0, 3.0)]);
    }

    #[test]
    fn a_gap_is_neither_use_nor_allocation() {
        let row = |second| Sample { duration: Micros::from_seconds(5), ..point(second, 1.0, 1.0) };
        let sums = Series::new(&[row(0), row(100)], Micros::ZERO).integrate(0.0, 3.0, |step| step.memory);
        assert_eq!((sums.seconds, sums.waste), (10.0, 20.0));
    }

    #[test]
    fn time_above_and_excess_follow_the_worked_example() {
        let samples =
            [1.0, 1.0, 3.0, 1.0].iter().zip(0..).map(|(cpu, second)| point(second, *cpu, 0.0)).collect::<Vec<_>>();
        let sums = Series::new(&samples, Micros::ZERO).integrate(0.0, 2.0, |step| step.cpu);
        assert_eq!((sums.seconds_above / sums.seconds, sums.excess / sums.used), (0.25, 1.0 / 6.0));
        assert_eq!((sums.waste, sums.slack), (3.0, 2.0));
    }

    #[test]
    fn every_day_has_its_own_percentile() {
        let hour =
            |hour: i64, memory| Sample { duration: Micros::from_seconds(3600), ..point(hour * 3600, 0.0, memory) };
        let samples: Vec<Sample> = (0..48).map(|at| hour(at, if at < 24 { 1.0 } else { 2.0 })).collect();
        assert_eq!(Series::new(&samples, Micros::ZERO).daily_p95(|step| step.memory), [1.0, 2.0]);
    }
}
