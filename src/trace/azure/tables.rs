//! The tables of both editions, and what their rows mean.

use super::super::delimited::{ColumnSpec, Kind, Outcome, Row, optional, required};
use super::super::identifier::negative;
use super::super::known::{Known, known, note, only_counted};
use super::super::{Amounts, Context, Dataset, EventKind, EventRow, Sample, SampleFlags, TraceError, WorkloadFlags};
use crate::units::Micros;

/// Bytes of the unit in which memory is stated.
const GIB: f64 = 1_073_741_824.0;
/// Last steps of the two editions, in seconds: a machine that was deleted then was still there.
const LAST_STEPS: [i64; 2] = [2_591_400, 2_591_700];
/// Interval of the readings, in seconds.
const INTERVAL: i64 = 300;

/// Every table that is read.
pub(super) static TABLES: [Known<()>; 4] = [
    known("vmtable", &["vmtable"], &MACHINES, "tttddnnnw**", machine),
    known("vm_cpu_readings", &["vm_cpu_readings"], &READINGS, "dtnnn", reading),
    known("deployments", &["deployments"], &DEPLOYMENTS, "td", only_counted),
    known("subscriptions", &["subscriptions"], &SUBSCRIPTIONS, "tdn", only_counted),
];

const MACHINES: [ColumnSpec; 11] = [
    required("vmid", Kind::Text),
    optional("subscriptionid", Kind::Text),
    optional("deploymentid", Kind::Text),
    required("vmcreated", Kind::Seconds),
    required("vmdeleted", Kind::Seconds),
    optional("maxcpu", Kind::Number),
    optional("avgcpu", Kind::Number),
    optional("p95maxcpu", Kind::Number),
    optional("vmcategory", Kind::Category),
    optional("vmcorecount", Kind::Category).also(&["vmcorecountbucket"]),
    optional("vmmemory", Kind::Category).also(&["vmmemorybucket"]),
];

const READINGS: [ColumnSpec; 5] = [
    required("timestamp", Kind::Seconds),
    required("vmid", Kind::Text),
    optional("mincpu", Kind::Number),
    optional("maxcpu", Kind::Number),
    optional("avgcpu", Kind::Number),
];

const DEPLOYMENTS: [ColumnSpec; 2] = [required("deploymentid", Kind::Text), optional("deploymentsize", Kind::Integer)];

const SUBSCRIPTIONS: [ColumnSpec; 3] = [
    required("subscriptionid", Kind::Text),
    optional("firstvmcreated", Kind::Integer),
    optional("count", Kind::Integer),
];

/// Returns the size that a cell states, and whether it is only a lower bound (`>24`).
fn size(text: Option<&str>) -> Option<(f64, bool)> {
    let text = text?;
    let (number, is_open) = text.strip_prefix('>').map_or((text, false), |number| (number, true));
    let size: f64 = number.trim().parse().ok()?;
    (size.is_finite() && size > 0.0).then_some((size, is_open))
}

/// `vmid, subscriptionid, deploymentid, vmcreated, vmdeleted, maxcpu, avgcpu, p95maxcpu, vmcategory, cores, memory`.
/// A machine that was created at 0 was there before.
fn machine(row: &Row<'_>, _state: &mut (), context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let (created, deleted) = (row.time(3).unwrap_or_default(), row.time(4).unwrap_or_default());
    if deleted < created {
        return Ok(Outcome::Rejected("deleted before it was created", format!("{created} to {deleted}")));
    }
    let (cores, memory) = (size(row.text(9)), size(row.text(10)));
    let mut labels: Vec<(&str, &str)> = Vec::new();
    for (size, name, column) in [(cores, "cores", 9), (memory, "memory_gib", 10)] {
        if size.is_some_and(|(_, is_open)| is_open) {
            labels.extend(row.text(column).map(|text| (name, text)));
            note("an open bucket such as `>24` counts as its lower bound", context);
        }
    }
    let is_alive = LAST_STEPS.contains(&deleted);
    let flags = if is_alive { WorkloadFlags::END_CENSORED } else { WorkloadFlags::default() };
    let id = row.text(0).unwrap_or_default();
    let sequence = context.sequence(2 * row.number);
    let kind = if created > 0 { EventKind::Schedule } else { EventKind::Exists };
    let event = EventRow::new(id, Some(Micros::from_seconds(created)), sequence, kind);
    context.sink.event(&EventRow {
        request: Amounts {
            cpu: cores.map(|(cores, _)| cores),
            memory: memory.map(|(memory, _)| memory * GIB),
            disk: None,
        },
        application: row.text(2),
        user: row.text(1),
        class: row.text(8),
        labels: &labels,
        flags,
        ..event
    })?;
    if !is_alive {
        let end = EventRow::new(id, Some(Micros::from_seconds(deleted)), sequence + 1, EventKind::Finish);
        context.sink.event(&end)?;
    }
    Ok(Outcome::Kept)
}

/// `timestamp, vmid, min, max, avg`: percentages of the machine's cores.
fn reading(row: &Row<'_>, _state: &mut (), context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    if let Some(rejected) = negative(row, &[(2, "mincpu"), (3, "maxcpu"), (4, "avgcpu")]) {
        return Ok(rejected);
    }
    let sample = Sample {
        start: Micros::from_seconds(row.time(0).unwrap_or_default()),
        duration: Micros::from_seconds(INTERVAL),
        cpu: row.number(4).map(|percent| percent / 100.0),
        cpu_max: row.number(3).map(|percent| percent / 100.0),
        flags: SampleFlags::CPU_OF_REQUEST,
        ..Sample::default()
    };
    let sequence = context.sequence(row.number);
    context.sink.sample(Dataset::Usage, row.text(1).unwrap_or_default(), sequence, &sample)?;
    Ok(Outcome::Kept)
}
