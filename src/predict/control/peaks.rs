//! A run's own memory peaks, one per five minutes.

use super::record::DecayingRecord;

/// Memory is judged by peaks of five minutes (Autopilot, `EuroSys` 2020, section 3.2).
pub const PEAK_WINDOW_SECONDS: f64 = 300.0;

/// The peaks of a run's five-minute windows with their decay.
#[derive(Debug, Clone, PartialEq)]
pub struct Peaks {
    record: DecayingRecord,
    /// Number and peak of the window that is still open.
    open: Option<(f64, f64)>,
    windows: u64,
}

impl Peaks {
    /// Returns no peaks yet.
    pub const fn new(floor: f64, half_life_seconds: f64) -> Self {
        Self { record: DecayingRecord::new(floor, half_life_seconds), open: None, windows: 0 }
    }

    /// Takes a peak at `at` seconds, not before the last one.
    pub fn add(&mut self, at: f64, peak: f64) {
        let window = (at / PEAK_WINDOW_SECONDS).floor();
        match &mut self.open {
            Some((open, largest)) if *open >= window => *largest = largest.max(peak),
            other => {
                let closed = other.replace((window, peak));
                if let Some((number, largest)) = closed {
                    self.record.add(number * PEAK_WINDOW_SECONDS, largest, 1.0);
                    self.windows += 1;
                    // A day of windows between two sweeps costs nothing and forgets soon enough.
                    if self.windows.is_multiple_of(288) {
                        self.record.forget(at);
                    }
                }
            }
        }
    }

    /// Returns the upper quantile of the closed windows, or the peak of the open one if that is larger.
    pub fn upper(&self, share: f64) -> Option<f64> {
        let open = self.open.map(|(_, peak)| peak);
        match (self.record.quantile(share), open) {
            (Some(closed), Some(open)) => Some(closed.max(open)),
            (closed, open) => closed.or(open),
        }
    }

    /// Returns how many windows were seen to their end.
    pub const fn windows(&self) -> u64 {
        self.windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peak_counts_per_five_minutes() {
        let mut peaks = Peaks::new(1.0, 1e9);
        for second in 0..900_u32 {
            peaks.add(f64::from(second), if second == 10 { 8.0 } else { 2.0 });
        }
        // Windows of 8 and 2 are closed, one of 2 is open.
        assert_eq!((peaks.windows(), peaks.upper(1.0), peaks.upper(0.5)), (2, Some(8.0), Some(2.0)));
        peaks.add(899.5, 9.0);
        assert_eq!(peaks.upper(0.5), Some(9.0));
    }
}
