//! Rows as one sample a minute: what recommenders that poll a metrics service see.

use crate::predict::control::memory_peak;
use crate::trace::Sample;

const MINUTE_SECONDS: f64 = 60.0;

/// One minute of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
    /// Its end, in seconds on the caller's clock.
    pub at: f64,
    /// Mean CPU.
    pub cpu: Option<f64>,
    /// Largest memory.
    pub memory: Option<f64>,
}

/// Gathers rows by minute. A row of five minutes is five samples of its mean (CPU) and maximum (memory); rows of a few
/// seconds are averaged.
#[derive(Debug, Clone, Default)]
pub struct Minutes {
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    number: i64,
    cpu: (f64, f64),
    memory: Option<f64>,
}

impl Open {
    fn minute(&self) -> Minute {
        let cpu = (self.cpu.1 > 0.0).then(|| self.cpu.0 / self.cpu.1);
        Minute { at: (self.number + 1) as f64 * MINUTE_SECONDS, cpu, memory: self.memory }
    }
}

impl Minutes {
    /// Takes rows in time order, the last of which ends at `end` (seconds on the caller's clock: after a restart rows have
    /// a later time than they say); hands out every minute that is over.
    pub fn add(&mut self, rows: &[Sample], end: f64, mut take: impl FnMut(Minute)) {
        let Some(last) = rows.last().map(|row| row.start.plus(row.duration).as_seconds()) else { return };
        for row in rows {
            let begin = end - (last - row.start.as_seconds());
            let length = row.duration.as_seconds().max(1.0);
            let number = |seconds: f64| {
                #[expect(clippy::cast_possible_truncation, reason = "seconds of a trace, far below 2^53")]
                let number = (seconds / MINUTE_SECONDS).floor() as i64;
                number
            };
            // The end of a row belongs to its last minute.
            for minute in number(begin)..=number(begin + length - 1e-6) {
                match &mut self.open {
                    Some(open) if open.number == minute => open.add(row),
                    other => {
                        let fresh = Open { number: minute, cpu: (0.0, 0.0), memory: None };
                        if let Some(over) = other.replace(fresh) {
                            take(over.minute());
                        }
                        if let Some(open) = other {
                            open.add(row);
                        }
                    }
                }
            }
        }
    }
}

impl Open {
    fn add(&mut self, row: &Sample) {
        if let Some(cpu) = row.cpu {
            self.cpu.0 += cpu;
            self.cpu.1 += 1.0;
        }
        self.memory = match (self.memory, memory_peak(row)) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Micros;

    fn row(second: i64, length: i64, cpu: f64) -> Sample {
        Sample {
            start: Micros::from_seconds(second),
            duration: Micros::from_seconds(length),
            cpu: Some(cpu),
            memory: Some(cpu * 10.0),
            ..Sample::default()
        }
    }

    fn minutes(rows: &[Sample]) -> Vec<(f64, f64, f64)> {
        let mut all = Vec::new();
        let end = rows.last().map(|row| row.start.plus(row.duration).as_seconds()).unwrap();
        Minutes::default().add(rows, end, |minute| all.push((minute.at, minute.cpu.unwrap(), minute.memory.unwrap())));
        all
    }

    #[test]
    fn a_row_of_five_minutes_is_five_samples() {
        let ends: Vec<f64> = minutes(&[row(0, 300, 1.0), row(300, 300, 2.0)]).iter().map(|minute| minute.0).collect();
        // The last minute is open until something follows it.
        assert_eq!(ends, [60.0, 120.0, 180.0, 240.0, 300.0, 360.0, 420.0, 480.0, 540.0]);
    }

    #[test]
    fn rows_that_come_again_are_later() {
        let mut ends = Vec::new();
        let mut minutes = Minutes::default();
        for end in [120.0, 240.0, 360.0] {
            minutes.add(&[row(0, 60, 1.0), row(60, 60, 1.0)], end, |minute| ends.push(minute.at));
        }
        assert_eq!(ends, [60.0, 120.0, 180.0, 240.0, 300.0]);
    }

    #[test]
    fn short_rows_are_averaged_and_the_largest_memory_counts() {
        let rows: Vec<Sample> = (0..61).map(|at| row(at * 2, 0, if at < 30 { at as f64 } else { 7.0 })).collect();
        assert_eq!(minutes(&rows), [(60.0, 14.5, 290.0), (120.0, 7.0, 70.0)]);
    }
}
