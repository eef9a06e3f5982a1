//! The run that a thread leads, read once for everybody who leads it next.

use crate::predict::Facts;
use crate::replay::ReplayError;
use crate::replay::answers::Asked;
use crate::replay::case::Case;
use crate::replay::samples::RowBuffer;
use crate::replay::series::Series;
use crate::trace::Sample;
use crate::units::Micros;

/// A run with its rows.
pub(super) struct Task {
    query: usize,
    pub(super) facts: Facts,
    pub(super) asked: Asked,
    pub(super) samples: Vec<Sample>,
    pub(super) series: Series,
}

/// Reads tasks; each thread has its own.
#[derive(Default)]
pub(super) struct Tasks {
    buffer: RowBuffer,
    last: Option<Task>,
}

impl Tasks {
    /// Returns the task of a query: what was asked for last time is still there.
    pub(super) fn of(&mut self, query: usize, case: &Case, window: Micros) -> Result<&Task, ReplayError> {
        let task = match self.last.take().filter(|task| task.query == query) {
            Some(task) => task,
            None => Task {
                query,
                facts: Facts::from(&case.known.workload),
                asked: Asked::new(case, window, &mut self.buffer)?,
                series: case.series(&mut self.buffer)?,
                samples: case.samples.read(&mut self.buffer)?.to_vec(),
            },
        };
        Ok(self.last.insert(task))
    }
}
