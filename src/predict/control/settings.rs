//! The constants of shadow's controller, and how two of them are chosen on the store.

use super::memory_peak;
use super::peaks::{PEAK_WINDOW_SECONDS, Peaks};
use super::steady::Steadying;
use crate::trace::Sample;
use crate::units::Micros;

const DAY_SECONDS: f64 = 86_400.0;
/// Windows of five minutes in a day.
const WINDOWS_PER_DAY: usize = 288;
/// Share of a stored run's days without a peak above its own record that the chosen rule has to reach: what
/// Autopilot reaches in job-days without an OOM kill (`EuroSys` 2020, section 4.3).
const SAFE_DAYS: f64 = 0.995;
/// Fewest days of stored runs for a choice.
const LEAST_DAYS: u32 = 20;
/// Candidates: shares of the decayed peaks, and margins on top.
const SHARES: [f64; 3] = [0.98, 0.999, 1.0];
const MARGINS: [f64; 6] = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3];

/// The settings of [`super::ShadowController`]; all are our values unless a source is named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlSettings {
    /// Share of its own decayed five-minute memory peaks that a run's allocation covers. Chosen on the store.
    pub memory_share: f64,
    /// What is added to that. Chosen on the store; 15 % is the upper end of Autopilot's margin.
    pub memory_margin: f64,
    /// After so many seconds a memory peak weighs half.
    pub memory_half_life_seconds: f64,
    /// Share of its own CPU use that is covered: the need of CPU is the 95th percentile.
    pub cpu_share: f64,
    /// What is added to that.
    pub cpu_margin: f64,
    /// After so many seconds CPU use weighs half (Autopilot: 12 hours).
    pub cpu_half_life_seconds: f64,
    /// What the neighbours weigh halves with each of so many five-minute windows of the run's own.
    pub takeover_windows: f64,
    /// Memory after an OOM kill over memory before.
    pub oom_factor: f64,
    /// Share of the time from which throttling raises CPU.
    pub throttled_share: f64,
    /// CPU after throttling over CPU before.
    pub throttled_factor: f64,
    /// What holds memory still.
    pub memory: Steadying,
    /// What holds CPU still.
    pub cpu: Steadying,
}

impl Default for ControlSettings {
    fn default() -> Self {
        // A run that has not been seen for a day has not shown its daily peak, and what is young tends to end soon: a
        // decrease would save little, and a kill lose everything. On containers-2s (lives of minutes to hours) decreases in
        // the first day nearly doubled the OOM kills of the first answer held.
        let steady = Steadying {
            least_rise: 0.02,
            least_fall: 0.05,
            patience_seconds: 3600.0,
            most_fall: 0.25,
            no_fall_before_seconds: DAY_SECONDS,
        };
        Self {
            memory_share: 1.0,
            memory_margin: 0.15,
            memory_half_life_seconds: 4.0 * DAY_SECONDS,
            cpu_share: 0.95,
            cpu_margin: 0.05,
            cpu_half_life_seconds: 0.5 * DAY_SECONDS,
            takeover_windows: WINDOWS_PER_DAY as f64,
            oom_factor: 2.0,
            throttled_share: 0.05,
            throttled_factor: 1.5,
            memory: steady,
            cpu: Steadying { least_rise: 0.1, least_fall: 0.1, no_fall_before_seconds: 0.0, ..steady },
        }
    }
}

/// A stored run as the choice of settings sees it: its memory peak in each five minutes that have one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoredRun {
    /// (Seconds since the start, peak), in time order.
    peaks: Vec<(f64, f64)>,
}

impl StoredRun {
    /// Returns the peaks of `samples`, in time order, of a run that began at `start`.
    pub fn new(samples: &[Sample], start: Micros) -> Self {
        let mut peaks: Vec<(f64, f64)> = Vec::new();
        for sample in samples {
            let Some(peak) = memory_peak(sample) else { continue };
            let window = (sample.start.minus(start).as_seconds() / PEAK_WINDOW_SECONDS).floor() * PEAK_WINDOW_SECONDS;
            match peaks.last_mut() {
                Some((last, largest)) if *last >= window => *largest = largest.max(peak),
                _ => peaks.push((window, peak)),
            }
        }
        Self { peaks }
    }
}

/// What one candidate did to the stored runs.
#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    unsafe_days: u32,
    idle: f64,
}

impl Outcome {
    fn add(&mut self, idle: f64, fails: bool) {
        self.idle += idle;
        self.unsafe_days += u32::from(fails);
    }
}

/// Chooses the share and margin of a run's own memory peaks on stored runs: the least idle memory among those that keep
/// 99.5 % of the days without a peak above the record, or the fewest such days if none does. Only days after the first
/// count, because until then neighbours have most of the say; with fewer than 20 of them nothing is chosen.
///
/// Runs are looked at one at a time and not kept.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    floor: f64,
    days: u32,
    outcomes: Outcomes,
}

type Outcomes = [[Outcome; MARGINS.len()]; SHARES.len()];

impl Rehearsal {
    /// Returns a choice that has seen no run; memory below `floor` counts as it.
    pub fn new(floor: f64) -> Self {
        Self { floor, days: 0, outcomes: Outcomes::default() }
    }

    /// Tries every candidate on one stored run, for this choice and for a narrower one.
    pub fn add(&mut self, run: &StoredRun, narrower: &mut Self) {
        let mut peaks = Peaks::new(self.floor, ControlSettings::default().memory_half_life_seconds);
        let mut today = f64::NEG_INFINITY;
        let mut failed = [[false; MARGINS.len()]; SHARES.len()];
        for &(at, peak) in &run.peaks {
            if at >= DAY_SECONDS {
                let day = (at / DAY_SECONDS).floor();
                if day > today {
                    today = day;
                    self.days += 1;
                    narrower.days += 1;
                    failed = Default::default();
                }
                for (position, share) in SHARES.iter().enumerate() {
                    let Some(own) = peaks.upper(*share) else { continue };
                    for (at_margin, margin) in MARGINS.iter().enumerate() {
                        let allocation = own * (1.0 + margin);
                        let idle = (allocation - peak).max(0.0) / allocation;
                        let fails = peak > allocation && !failed[position][at_margin];
                        failed[position][at_margin] |= fails;
                        self.outcomes[position][at_margin].add(idle, fails);
                        narrower.outcomes[position][at_margin].add(idle, fails);
                    }
                }
            }
            peaks.add(at, peak);
        }
    }

    /// Returns the defaults with what was chosen, if there were days enough.
    pub fn settings(&self) -> Option<ControlSettings> {
        if self.days < LEAST_DAYS {
            return None;
        }
        let most = (f64::from(self.days) * (1.0 - SAFE_DAYS)).floor();
        let mut best: Option<((f64, f64), ControlSettings)> = None;
        for (share, row) in SHARES.iter().zip(self.outcomes) {
            for (margin, outcome) in MARGINS.iter().zip(row) {
                let rank = ((f64::from(outcome.unsafe_days) - most).max(0.0), outcome.idle);
                if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                    let default = ControlSettings::default();
                    best = Some((rank, ControlSettings { memory_share: *share, memory_margin: *margin, ..default }));
                }
            }
        }
        best.map(|(_, settings)| settings)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "chosen from lists")]
mod tests {
    use super::*;

    fn run(days: usize, peak: impl Fn(usize) -> f64) -> StoredRun {
        let windows = 0..days * WINDOWS_PER_DAY;
        StoredRun { peaks: windows.map(|at| (at as f64 * PEAK_WINDOW_SECONDS, peak(at))).collect() }
    }

    fn chosen(run: &StoredRun, floor: f64) -> Option<ControlSettings> {
        let (mut of_store, mut of_application) = (Rehearsal::new(floor), Rehearsal::new(floor));
        of_store.add(run, &mut of_application);
        assert_eq!(of_store.settings(), of_application.settings());
        of_store.settings()
    }

    #[test]
    fn steady_stored_runs_need_no_margin() {
        let settings = chosen(&run(30, |_| 100.0), 1.0).unwrap();
        assert_eq!(settings.memory_margin, 0.0);
    }

    #[test]
    fn growing_stored_runs_need_the_margin_that_their_growth_takes() {
        // 10 % above all before, once a day.
        let grows = |at: usize| 1.1_f64.powi(i32::try_from(at / WINDOWS_PER_DAY).unwrap());
        let settings = chosen(&run(30, grows), 1e-3).unwrap();
        assert_eq!((settings.memory_share, settings.memory_margin), (0.98, 0.15));
    }

    #[test]
    fn rare_peaks_are_kept_in_mind() {
        // Once a day a peak of five: no share below 1 of 0.98 covers it.
        let peaks = |at: usize| if at % WINDOWS_PER_DAY == 7 { 5.0 } else { 1.0 };
        assert!(chosen(&run(30, peaks), 1e-3).unwrap().memory_share > 0.99);
    }

    #[test]
    fn few_days_choose_nothing() {
        assert_eq!(chosen(&run(5, |_| 1.0), 1e-3), None);
    }

    #[test]
    fn rows_of_two_seconds_give_a_peak_per_five_minutes() {
        let row = |second: i32| Sample {
            start: Micros::from_seconds(100 + i64::from(second)),
            memory: Some(f64::from(second)),
            ..Sample::default()
        };
        let samples: Vec<Sample> = (0..450).map(|at| row(at * 2)).collect();
        let run = StoredRun::new(&samples, Micros::from_seconds(100));
        assert_eq!(run.peaks, [(0.0, 298.0), (300.0, 598.0), (600.0, 898.0)]);
    }
}
