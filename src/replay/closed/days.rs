//! What happened on each day of a run: allocation, use by five minutes, kills and changes.

use std::collections::BTreeMap;

use crate::predict::control::InForce;
use crate::replay::series::Step;

const DAY_SECONDS: f64 = 86_400.0;
/// Step of the relative slack (Autopilot, `EuroSys` 2020, section 4.1).
const BIN_SECONDS: f64 = 300.0;

/// One resource on one day of one run, in the store's units (times seconds where it is an integral).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DayOfResource {
    /// Seconds with the resource and an allocation.
    pub seconds: f64,
    /// Integral of the allocation.
    pub allocated: f64,
    /// Integral of use.
    pub used: f64,
    /// Integral of max(0, allocation - use).
    pub waste: f64,
    /// Integral of max(0, demand - allocation).
    pub excess: f64,
    /// Seconds with demand above the allocation.
    pub seconds_above: f64,
    /// Changes of the allocation.
    pub changes: u32,
    /// Five-minute means of use.
    pub means: Vec<f64>,
    /// Five-minute peaks of use (memory; CPU has none).
    pub peaks: Vec<f64>,
}

/// One day of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Day {
    /// Memory.
    pub memory: DayOfResource,
    /// CPU.
    pub cpu: DayOfResource,
    /// OOM kills.
    pub oom_kills: u32,
}

/// The five minutes that are still open.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    number: u64,
    memory: (f64, f64),
    peak: f64,
    cpu: (f64, f64),
}

/// The days of one run on a clock that may have begun before it: tasks of one job share theirs.
#[derive(Debug)]
pub struct Days {
    /// Seconds from the clock's zero to the run's start.
    offset: f64,
    by_number: BTreeMap<u64, Day>,
    bin: Bin,
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more, far below 2^53")]
fn number(seconds: f64, length: f64) -> u64 {
    (seconds.max(0.0) / length) as u64
}

impl Days {
    /// Returns no days yet.
    pub fn new(offset: f64) -> Self {
        Self { offset, by_number: BTreeMap::new(), bin: Bin::default() }
    }

    fn day(&mut self, clock: f64) -> &mut Day {
        self.by_number.entry(number(self.offset + clock, DAY_SECONDS)).or_default()
    }

    /// Takes `real` seconds from `clock` on with `step`'s use (CPU: what was used, `demand`: what was wanted).
    pub(super) fn spend(&mut self, clock: f64, real: f64, in_force: InForce, step: &Step, demand: Option<f64>) {
        let (mut from, end) = (self.offset + clock, self.offset + clock + real);
        // Most steps lie inside one bin; a long row is cut at every border.
        while from < end {
            let bin = number(from, BIN_SECONDS);
            let until = ((bin + 1) as f64 * BIN_SECONDS).min(end);
            // The border is beyond `from` by construction, except where a double cannot tell.
            let seconds = (until - from).max(f64::MIN_POSITIVE);
            if bin != self.bin.number {
                self.close();
                self.bin.number = bin;
            }
            if let Some(used) = step.memory {
                self.bin.memory.0 += used * seconds;
                self.bin.memory.1 += seconds;
                self.bin.peak = self.bin.peak.max(step.memory_peak.unwrap_or(used));
            }
            if let Some(used) = step.cpu {
                self.bin.cpu.0 += used * seconds;
                self.bin.cpu.1 += seconds;
            }
            let day = self.by_number.entry(number(from, DAY_SECONDS)).or_default();
            if let Some((used, allocation)) = step.memory.zip(in_force.memory) {
                day.memory.add(seconds, allocation, used, used);
            }
            if let Some((used, allocation)) = step.cpu.zip(in_force.cpu) {
                day.cpu.add(seconds, allocation, used, demand.unwrap_or(used));
            }
            if until <= from {
                break;
            }
            from = until;
        }
    }

    fn close(&mut self) {
        let bin = std::mem::take(&mut self.bin);
        let at = bin.number as f64 * BIN_SECONDS;
        let day = self.by_number.entry(number(at, DAY_SECONDS));
        if bin.memory.1 <= 0.0 && bin.cpu.1 <= 0.0 {
            return;
        }
        let day = day.or_default();
        if bin.memory.1 > 0.0 {
            day.memory.means.push(bin.memory.0 / bin.memory.1);
            day.memory.peaks.push(bin.peak);
        }
        if bin.cpu.1 > 0.0 {
            day.cpu.means.push(bin.cpu.0 / bin.cpu.1);
        }
    }

    pub(super) fn oom_kill(&mut self, clock: f64) {
        self.day(clock).oom_kills += 1;
    }

    pub(super) fn change(&mut self, clock: f64, memory: bool, cpu: bool) {
        let day = self.day(clock);
        day.memory.changes += u32::from(memory);
        day.cpu.changes += u32::from(cpu);
    }

    /// Returns the days by number.
    pub fn finish(mut self) -> BTreeMap<u64, Day> {
        self.close();
        self.by_number
    }
}

impl DayOfResource {
    fn add(&mut self, seconds: f64, allocation: f64, used: f64, demand: f64) {
        self.seconds += seconds;
        self.allocated += allocation * seconds;
        self.used += used * seconds;
        self.waste += (allocation - used).max(0.0) * seconds;
        if demand > allocation {
            self.excess += (demand - allocation) * seconds;
            self.seconds_above += seconds;
        }
    }

    /// Adds another task's same day.
    pub(super) fn merge(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.allocated += other.allocated;
        self.used += other.used;
        self.waste += other.waste;
        self.excess += other.excess;
        self.seconds_above += other.seconds_above;
        self.changes += other.changes;
        self.means.extend_from_slice(&other.means);
        self.peaks.extend_from_slice(&other.peaks);
    }

    /// Returns (mean allocation - 95th percentile of the five-minute values) / mean allocation, by means and by peaks.
    pub(super) fn relative_slack(&mut self) -> (Option<f64>, Option<f64>) {
        let mean = if self.seconds > 0.0 { self.allocated / self.seconds } else { 0.0 };
        let slack = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            let p95 = crate::profile::quantile::nearest_rank(values, 0.95)?;
            (mean > 0.0).then(|| (mean - p95) / mean)
        };
        (slack(&mut self.means), slack(&mut self.peaks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(seconds: f64, memory: f64) -> Step {
        Step { from: 0.0, seconds, cpu: Some(1.0), memory: Some(memory), memory_peak: Some(memory * 2.0) }
    }

    #[test]
    fn a_limit_of_ten_over_a_95th_percentile_of_seven_is_30_percent() {
        let mut days = Days::new(0.0);
        let in_force = InForce { cpu: None, memory: Some(10.0) };
        days.spend(0.0, DAY_SECONDS, in_force, &step(DAY_SECONDS, 7.0), None);
        let mut days = days.finish();
        let (mean, peak) = days.get_mut(&0).unwrap().memory.relative_slack();
        assert!((mean.unwrap() - 0.3).abs() < 1e-12 && (peak.unwrap() + 0.4).abs() < 1e-12);
        assert_eq!((days.len(), days[&0].memory.means.len(), days[&0].cpu.means.len()), (1, 288, 288));
    }

    #[test]
    fn a_row_over_midnight_belongs_to_both_days() {
        let mut days = Days::new(DAY_SECONDS - 600.0);
        let in_force = InForce { cpu: Some(2.0), memory: Some(10.0) };
        days.spend(0.0, 1500.0, in_force, &step(1500.0, 4.0), Some(3.0));
        days.oom_kill(900.0);
        let days = days.finish();
        let of = |day: u64| (days[&day].memory.seconds, days[&day].memory.means.len(), days[&day].oom_kills);
        assert_eq!((of(0), of(1)), ((600.0, 2, 0), (900.0, 3, 1)));
        assert!((days[&1].cpu.excess - 900.0).abs() < 1e-9);
    }
}
