//! The rows of a run gathered into steps of equal length: what a recommender that polls a metrics service sees.

use crate::predict::control::memory_peak;
use crate::trace::Sample;

/// What one step showed, in the store's units.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polled {
    /// Its end, in seconds since the run's start.
    pub at: f64,
    /// Means of CPU and how many seconds of the step each of them held.
    pub cpu: Vec<(f64, f64)>,
    /// Largest memory.
    pub memory: Option<f64>,
    /// Memory of the last row.
    pub last_memory: Option<f64>,
}

impl Polled {
    /// Returns the mean CPU of the step.
    pub fn cpu_mean(&self) -> Option<f64> {
        let seconds: f64 = self.cpu.iter().map(|(_, seconds)| seconds).sum();
        let sum: f64 = self.cpu.iter().map(|(value, seconds)| value * seconds).sum();
        (seconds > 0.0).then(|| sum / seconds)
    }

    fn add(&mut self, row: &Sample, seconds: f64) {
        self.cpu.extend(row.cpu.map(|cpu| (cpu, seconds)));
        self.memory = match (self.memory, memory_peak(row)) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        self.last_memory = row.memory.or(row.memory_max).or(self.last_memory);
    }
}

/// Gathers rows. A row longer than a step is several steps of its mean (CPU) and its maximum (memory); the means of
/// shorter rows are averaged. A point sample belongs to the step that ends with it and counts as one second.
#[derive(Debug, Clone)]
pub struct Steps {
    seconds: f64,
    open: Option<(i64, Polled)>,
}

impl Steps {
    /// Returns steps of so many seconds (more than 0), the first of which begins with the run.
    pub const fn of(seconds: f64) -> Self {
        Self { seconds, open: None }
    }

    /// Takes rows in time order, the last of which ends `end` seconds after the run's start: after a restart rows are later
    /// than they say. Returns every step that is over.
    pub fn add(&mut self, rows: &[Sample], end: f64) -> Vec<Polled> {
        let mut over = Vec::new();
        let Some(last) = rows.last().map(|row| row.start.plus(row.duration)) else { return over };
        for row in rows {
            let begin = end - last.minus(row.start).as_seconds();
            let length = row.duration.as_seconds();
            let (first, after) = if length > 0.0 {
                (self.number(begin), self.number(begin + length - 1e-6) + 1)
            } else {
                let number = self.number(begin - 1e-6);
                (number, number + 1)
            };
            for number in first..after {
                let from = number as f64 * self.seconds;
                let inside =
                    if length > 0.0 { (begin + length).min(from + self.seconds) - begin.max(from) } else { 1.0 };
                let is_open = self.open.as_ref().is_some_and(|(open, _)| *open >= number);
                if !is_open {
                    over.extend(self.close());
                    self.open = Some((number, Polled { at: from + self.seconds, ..Polled::default() }));
                }
                if let Some((_, open)) = &mut self.open {
                    open.add(row, inside);
                }
            }
        }
        over
    }

    /// Returns the step that is not over yet, if there is one; what follows inside it is another step.
    pub fn close(&mut self) -> Option<Polled> {
        self.open.take().map(|(_, open)| open)
    }

    fn number(&self, seconds: f64) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a trace, far below 2^53")]
        let number = (seconds / self.seconds).floor() as i64;
        number.max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Micros;

    fn row(second: i64, length: i64, value: f64) -> Sample {
        Sample {
            start: Micros::from_seconds(second),
            duration: Micros::from_seconds(length),
            cpu: Some(value),
            memory: Some(value),
            ..Sample::default()
        }
    }

    /// (end, mean CPU, largest memory) of each step, the last one closed.
    fn gathered(seconds: f64, rows: &[Sample], end: f64) -> Vec<(f64, f64, f64)> {
        let mut steps = Steps::of(seconds);
        let mut all = steps.add(rows, end);
        all.extend(steps.close());
        all.iter().map(|step| (step.at, step.cpu_mean().unwrap(), step.memory.unwrap())).collect()
    }

    #[test]
    fn a_long_row_is_several_steps() {
        let ends: Vec<f64> = gathered(75.0, &[row(1000, 300, 1.0)], 300.0).iter().map(|step| step.0).collect();
        assert_eq!(ends, [75.0, 150.0, 225.0, 300.0]);
    }

    #[test]
    fn a_row_across_a_border_counts_on_either_side_for_its_seconds() {
        let rows = [row(0, 90, 1.0), row(90, 30, 5.0)];
        assert_eq!(gathered(60.0, &rows, 120.0), [(60.0, 1.0, 1.0), (120.0, 3.0, 5.0)]);
    }

    #[test]
    fn the_first_minute_of_points_is_one_step() {
        let rows: Vec<Sample> = (0..=30).map(|at| row(at * 2, 0, at as f64)).collect();
        assert_eq!(gathered(60.0, &rows, 60.0), [(60.0, 15.0, 30.0)]);
    }

    #[test]
    fn rows_that_come_again_after_a_restart_are_later() {
        let mut steps = Steps::of(60.0);
        let mut ends = Vec::new();
        for end in [60.0, 130.0] {
            ends.extend(steps.add(&[row(0, 60, 1.0)], end).iter().map(|step| step.at));
        }
        ends.extend(steps.close().map(|step| step.at));
        assert_eq!(ends, [60.0, 120.0, 180.0]);
    }
}
