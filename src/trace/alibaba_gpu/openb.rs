//! Pods and nodes of the trace of 2023.

use super::super::delimited::{ColumnSpec, Kind, Outcome, Row, optional, required};
use super::super::identifier::negative;
use super::super::known::{Known, known, note};
use super::super::{Amounts, Context, EventKind, EventRow, MachineRow, TraceError, WorkloadFlags};
use super::MIB;
use crate::units::Micros;

/// Every table that is read; lists of pods with several GPUs have no times.
pub(super) static TABLES: [Known<()>; 3] = [
    known("nodes", &["openb_node_list"], &NODES, "wddd*", node),
    known("pods", &["openb_pod_list"], &PODS, "wdddd*wwnnn", pod),
    known("pods", &["openb_pod_list"], &PODS_WITHOUT_TIMES, "wdddd", pod_without_times),
];

const NODES: [ColumnSpec; 5] = [
    required("sn", Kind::Text),
    optional("cpu_milli", Kind::Number),
    optional("memory_mib", Kind::Number),
    optional("gpu", Kind::Number),
    optional("model", Kind::Category),
];

const PODS: [ColumnSpec; 11] = [
    required("name", Kind::Text),
    optional("cpu_milli", Kind::Number),
    optional("memory_mib", Kind::Number),
    optional("num_gpu", Kind::Code),
    optional("gpu_milli", Kind::Number),
    optional("gpu_spec", Kind::Category),
    optional("qos", Kind::Category),
    optional("pod_phase", Kind::Category),
    optional("creation_time", Kind::Seconds),
    optional("deletion_time", Kind::Seconds),
    optional("scheduled_time", Kind::Seconds),
];
const PODS_WITHOUT_TIMES: [ColumnSpec; 5] = [PODS[0], PODS[1], PODS[2], PODS[3], PODS[4]];

fn node(row: &Row<'_>, _state: &mut (), context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    if let Some(rejected) = negative(row, &[(1, "cpu_milli"), (2, "memory_mib")]) {
        return Ok(rejected);
    }
    context.sink.machine(&MachineRow {
        machine: row.text(0).unwrap_or_default(),
        time: Some(Micros::ZERO),
        sequence: context.sequence(row.number),
        capacity: Amounts {
            cpu: row.number(1).map(|milli| milli / 1000.0),
            memory: row.number(2).map(|mib| mib * MIB),
            disk: None,
        },
        platform: row.text(4),
        status: "node",
    })?;
    Ok(Outcome::Kept)
}

fn pod(row: &Row<'_>, _state: &mut (), context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let phase = row.text(7);
    let (created, deleted, scheduled) = (row.time(8), row.time(9), row.time(10));
    let mut flags = WorkloadFlags::default();
    let ending = match phase {
        Some("Succeeded") => Some(EventKind::Finish),
        Some("Failed") => Some(EventKind::Fail),
        _ => None,
    };
    if phase == Some("Running") && deleted.is_some() {
        flags = flags.with(WorkloadFlags::END_CENSORED);
        note("a pod still ran: its deletion time is the end of the observation", context);
    }
    let submitted = state_of(row, created, EventKind::Submit, flags, row.text(6), context)?;
    if let Submitted::Rejected(outcome) = submitted {
        return Ok(outcome);
    }
    let sequence = context.sequence(3 * row.number);
    let name = row.text(0).unwrap_or_default();
    let mut event = |time: Option<i64>, kind: EventKind, place: u64| match time {
        None => Ok(()),
        Some(time) => {
            context.sink.event(&EventRow::new(name, Some(Micros::from_seconds(time)), sequence + place, kind))
        }
    };
    event(scheduled, EventKind::Schedule, 1)?;
    if let Some(kind) = ending {
        event(deleted, kind, 2)?;
    }
    Ok(Outcome::Kept)
}

fn pod_without_times(row: &Row<'_>, _state: &mut (), context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    match state_of(row, Some(0), EventKind::Exists, WorkloadFlags::default(), None, context)? {
        Submitted::HandedOn => Ok(Outcome::Kept),
        Submitted::Rejected(outcome) => Ok(outcome),
    }
}

/// What became of the first statement about a pod.
enum Submitted {
    HandedOn,
    Rejected(Outcome),
}

/// Hands on what a pod asks for. Memory of 0 is no request.
fn state_of(
    row: &Row<'_>,
    created: Option<i64>,
    kind: EventKind,
    flags: WorkloadFlags,
    class: Option<&str>,
    context: &mut Context<'_>,
) -> Result<Submitted, TraceError> {
    if let Some(rejected) = negative(row, &[(1, "cpu_milli"), (2, "memory_mib")]) {
        return Ok(Submitted::Rejected(rejected));
    }
    let request = Amounts {
        cpu: row.number(1).map(|milli| milli / 1000.0),
        memory: row.number(2).filter(|&mib| mib > 0.0).map(|mib| mib * MIB),
        disk: None,
    };
    let names = [(3, "num_gpu"), (4, "gpu_milli")];
    let mut labels: Vec<(&str, &str)> =
        names.iter().filter_map(|&(column, name)| Some((name, row.text(column)?))).collect();
    if row.columns() > 5 {
        labels.extend(row.text(5).map(|spec| ("gpu_spec", spec)));
    }
    let sequence = context.sequence(3 * row.number);
    let event = EventRow::new(row.text(0).unwrap_or_default(), created.map(Micros::from_seconds), sequence, kind);
    context.sink.event(&EventRow { request, class, labels: &labels, flags, ..event })?;
    Ok(Submitted::HandedOn)
}
