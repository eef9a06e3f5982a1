//! `machine_meta` and `machine_usage`.

use super::super::delimited::{Outcome, Row};
use super::super::{Amounts, Context, Dataset, MachineRow, Sample, SampleFlags, TraceError};
use super::{Most, Running, share};
use crate::units::Micros;

/// CPUs of every machine of the trace (trace document; all 17,592 rows of `machine_meta` say so), which turns a
/// machine's percentage into cores.
const MACHINE_CORES: f64 = 96.0;

/// `machine_id, time_stamp, failure_domain_1, failure_domain_2, cpu_num, mem_size, status`.
pub(super) fn meta(row: &Row<'_>, _running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let sequence = context.sequence(row.number);
    context.sink.machine(&MachineRow {
        machine: row.text(0).unwrap_or_default(),
        time: row.time(1).map(Micros::from_seconds),
        sequence,
        capacity: Amounts { cpu: row.number(4), memory: row.number(5).map(|size| size / 100.0), disk: None },
        platform: row.text(3),
        status: row.text(6).unwrap_or_default(),
    })?;
    Ok(Outcome::Kept)
}

/// `machine_id, time_stamp, cpu_util_percent, mem_util_percent, mem_gps, mkpi, net_in, net_out, disk_io_percent`.
pub(super) fn usage(row: &Row<'_>, _running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    let Some(seconds) = row.time(1) else {
        return Ok(Outcome::Rejected("time lies after the trace", "column `time_stamp`".to_owned()));
    };
    let mut flags = SampleFlags::default();
    let sample = Sample {
        start: Micros::from_seconds(seconds),
        cpu: share(row.number(2), Most::Hundred, &mut flags).map(|cpu| cpu * MACHINE_CORES),
        memory: share(row.number(3), Most::Hundred, &mut flags),
        network_received: share(row.number(6), Most::Hundred, &mut flags),
        network_transmitted: share(row.number(7), Most::Hundred, &mut flags),
        disk_busy: share(row.number(8), Most::Hundred, &mut flags),
        ..Sample::default()
    };
    let sample = Sample { flags, ..sample };
    let sequence = context.sequence(row.number);
    context.sink.sample(Dataset::Machine, row.text(0).unwrap_or_default(), sequence, &sample)?;
    note_dropped(flags, context);
    Ok(Outcome::Kept)
}

/// Counts rows with invalid values, for the table's summary.
pub(super) fn note_dropped(flags: SampleFlags, context: &mut Context<'_>) {
    if flags.contains(SampleFlags::VALUE_DROPPED) {
        *context.summary.notes.entry("values of -1 or 101 are invalid and were left out".to_owned()).or_default() += 1;
    }
}
