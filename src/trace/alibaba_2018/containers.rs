//! `container_meta`, `container_usage`, and the two request tables that were derived from the first.

use super::super::delimited::{Outcome, Row};
use super::super::{Amounts, Context, Dataset, EventKind, EventRow, Sample, SampleFlags, TraceError, WorkloadFlags};
use super::machines::note_dropped;
use super::{Most, Running, is_numbered, share};
use crate::units::Micros;

/// `container_id, machine_id, time_stamp, app_du, status, cpu_request, cpu_limit, mem_size`.
///
/// A container has a row of time 0 if it was there when the trace began, and further rows when its limit changes. So a
/// later `started` row is a start only where no earlier row shows the container alive.
pub(super) fn meta(row: &Row<'_>, running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let id = row.text(0).unwrap_or_default();
    let time = row.time(2).map(Micros::from_seconds);
    let kind = match row.text(4) {
        Some("stopped") if time != Some(Micros::ZERO) => {
            running.containers.remove(id);
            EventKind::Finish
        }
        status => {
            let is_new = !running.containers.contains(id);
            if is_new {
                running.containers.insert(id.to_owned());
            }
            let is_start = is_new && status == Some("started") && time != Some(Micros::ZERO);
            if is_start { EventKind::Schedule } else { EventKind::Exists }
        }
    };
    let event = EventRow {
        request: Amounts { cpu: cores(row.number(5)), memory: memory_size(row.number(7)), disk: None },
        limit: Amounts { cpu: cores(row.number(6)), ..Amounts::default() },
        application: row.text(3),
        machine: row.text(1),
        flags: id_flags(id),
        ..EventRow::new(id, time, context.sequence(row.number), kind)
    };
    context.sink.event(&event)?;
    Ok(Outcome::Kept)
}

/// `container_id, machine_id, time_stamp, cpu_util_percent, mem_util_percent, cpi, mem_gps, mpki, net_in, net_out`,
/// `disk_io_percent`.
///
/// CPU and memory are shares of the container's request; the store turns them into cores and memory once it knows it.
pub(super) fn usage(row: &Row<'_>, _running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let Some(id) = row.text(0) else {
        return Ok(Outcome::Rejected(
            "container_id is empty",
            format!("on machine `{}`", row.text(1).unwrap_or_default()),
        ));
    };
    let Some(seconds) = row.time(2) else {
        return Ok(Outcome::Rejected("time lies after the trace", "column `time_stamp`".to_owned()));
    };
    let mut flags = SampleFlags::CPU_OF_REQUEST.with(SampleFlags::MEMORY_OF_REQUEST);
    let sample = Sample {
        start: Micros::from_seconds(seconds),
        // Above 100 where the limit lies above the request.
        cpu: share(row.number(3), Most::Anything, &mut flags),
        memory: share(row.number(4), Most::Hundred, &mut flags),
        network_received: share(row.number(8), Most::Hundred, &mut flags),
        network_transmitted: share(row.number(9), Most::Hundred, &mut flags),
        disk_busy: share(row.number(10), Most::Hundred, &mut flags),
        ..Sample::default()
    };
    let sample = Sample { flags, ..sample };
    let sequence = context.sequence(row.number);
    context.sink.sample(Dataset::Usage, id, sequence, &sample)?;
    note_dropped(flags, context);
    Ok(Outcome::Kept)
}

/// `containerID, container_cpuLim, container_cpuReq`: the first row of each container, without time or machine.
pub(super) fn requests(
    row: &Row<'_>,
    _running: &mut Running,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    let request = Amounts { cpu: cores(row.number(2)), ..Amounts::default() };
    let limit = Amounts { cpu: cores(row.number(1)), ..Amounts::default() };
    exists(row, request, limit, context)
}

/// `containerID, container_memReq`.
pub(super) fn memory(row: &Row<'_>, _running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    exists(row, Amounts { memory: memory_size(row.number(1)), ..Amounts::default() }, Amounts::default(), context)
}

fn exists(row: &Row<'_>, request: Amounts, limit: Amounts, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let id = row.text(0).unwrap_or_default();
    let new = EventRow::new(id, Some(Micros::ZERO), context.sequence(row.number), EventKind::Exists);
    context.sink.event(&EventRow { request, limit, flags: id_flags(id), ..new })?;
    Ok(Outcome::Kept)
}

/// The trace's 100 is one core.
fn cores(value: Option<f64>) -> Option<f64> {
    value.map(|hundredths| hundredths / 100.0)
}

/// The trace's 100 is the largest machine; 0 is no size (two containers have it).
fn memory_size(value: Option<f64>) -> Option<f64> {
    value.filter(|&size| size > 0.0).map(|size| size / 100.0)
}

fn id_flags(id: &str) -> WorkloadFlags {
    if is_numbered(id, "c_") { WorkloadFlags::default() } else { WorkloadFlags::UNUSUAL_ID }
}
