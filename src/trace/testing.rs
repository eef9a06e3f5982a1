//! For unit tests of readers: a sink that keeps everything, and one call that reads a text as a table.

use super::source::Input;
use super::{
    Amounts, Confidence, Context, Dataset, EventKind, EventRow, Format, GroupRow, Head, MachineRow, ReadOptions,
    Rejects, Sample, Scaling, Sink, TableSummary, TraceError, WorkloadFlags,
};
use crate::units::Micros;

/// An [`EventRow`] that owns its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) workload: String,
    pub(crate) time: Option<Micros>,
    pub(crate) sequence: u64,
    pub(crate) kind: EventKind,
    pub(crate) request: Amounts,
    pub(crate) limit: Amounts,
    pub(crate) application: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) priority: Option<i32>,
    pub(crate) machine: Option<String>,
    pub(crate) replicas: Option<u32>,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) flags: WorkloadFlags,
}

/// A [`GroupRow`] that owns its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupEvent {
    pub(crate) group: String,
    pub(crate) time: Option<Micros>,
    pub(crate) kind: EventKind,
    pub(crate) application: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) scaling: Option<Scaling>,
}

/// A [`MachineRow`] that owns its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MachineEvent {
    pub(crate) machine: String,
    pub(crate) capacity: Amounts,
    pub(crate) platform: Option<String>,
    pub(crate) status: String,
}

/// Everything that a reader handed out.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) samples: Vec<(Dataset, String, Sample)>,
    pub(crate) events: Vec<Event>,
    pub(crate) groups: Vec<GroupEvent>,
    pub(crate) machines: Vec<MachineEvent>,
}

impl Sink for Kept {
    fn sample(&mut self, dataset: Dataset, workload: &str, _sequence: u64, sample: &Sample) -> Result<(), TraceError> {
        self.samples.push((dataset, workload.to_owned(), *sample));
        Ok(())
    }

    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError> {
        self.events.push(Event {
            workload: event.workload.to_owned(),
            time: event.time,
            sequence: event.sequence,
            kind: event.kind,
            request: event.request,
            limit: event.limit,
            application: event.application.map(str::to_owned),
            user: event.user.map(str::to_owned),
            class: event.class.map(str::to_owned),
            priority: event.priority,
            machine: event.machine.map(str::to_owned),
            replicas: event.replicas,
            labels: event.labels.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect(),
            flags: event.flags,
        });
        Ok(())
    }

    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError> {
        self.groups.push(GroupEvent {
            group: group.group.to_owned(),
            time: group.time,
            kind: group.kind,
            application: group.application.map(str::to_owned),
            user: group.user.map(str::to_owned),
            scaling: group.scaling,
        });
        Ok(())
    }

    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError> {
        self.machines.push(MachineEvent {
            machine: machine.machine.to_owned(),
            capacity: machine.capacity,
            platform: machine.platform.map(str::to_owned),
            status: machine.status.to_owned(),
        });
        Ok(())
    }
}

/// What came of reading a text.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) kept: Kept,
    pub(crate) summary: TableSummary,
    pub(crate) outcome: Result<(), TraceError>,
}

impl Reading {
    /// Returns the message of the error that ended the reading.
    pub(crate) fn error(&self) -> String {
        self.outcome.as_ref().expect_err("the reading should have failed").to_string()
    }

    /// Returns the reasons of rejected rows with their counts.
    pub(crate) fn rejected(&self) -> Vec<(&str, u64)> {
        self.summary.rejected.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()
    }
}

/// Returns what `format` takes the file at `path` with the content `text` for.
pub(crate) fn detect(format: &dyn Format, path: &str, text: &str) -> Option<(&'static str, Confidence)> {
    format.detect(&Head { path, bytes: text.as_bytes(), options: &ReadOptions::default() })
}

/// Reads `text`, which lies at `path`, as `table` of `format`; `ordinal` is the part number.
pub(crate) fn read(format: &dyn Format, table: &'static str, path: &str, ordinal: u32, text: &str) -> Reading {
    let mut bytes = text.as_bytes();
    read_input(format, table, path, ordinal, &ReadOptions::default(), Input::Text(&mut bytes))
}

/// Reads `input`, as [`read`], with what the user said.
pub(crate) fn read_input(
    format: &dyn Format,
    table: &'static str,
    path: &str,
    ordinal: u32,
    options: &ReadOptions,
    input: Input<'_>,
) -> Reading {
    let mut kept = Kept::default();
    let mut summary = TableSummary::default();
    let rejects = Rejects::in_memory();
    let mut context = Context {
        file: path,
        ordinal,
        options,
        sink: &mut kept,
        rejects: &rejects,
        summary: &mut summary,
        piece: None,
    };
    let outcome = format.read(table, input, &mut context);
    assert_eq!(rejects.total(), summary.rejected.values().sum::<u64>(), "the reporter and the summary agree");
    if outcome.is_ok() {
        assert_eq!(summary.rows, summary.kept + rejects.total(), "rows read = rows kept + rows rejected");
    }
    Reading { kept, summary, outcome }
}
