//! The `alibaba-genai-2026` format: pods that serve image generation, one file per metric.
//!
//! All files have the columns `timestamp_anon, value, container_ip` in some order, so the file's name says what the value is.
//! Memory utilisation becomes a series: a share of a limit that was not published. GPU metrics, queues and latencies are
//! checked and counted, and say that their pods exist. A workload is a pod (`container_ip`).

#[cfg(test)]
mod tests;

use hashbrown::HashSet;

use super::delimited::{self, ColumnSpec, Kind, Outcome, Row, TableSpec, optional, required};
use super::known::{is_named, note};
use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Dataset, Duplicates, EventKind, EventRow, Format, Head, MemoryUnit, NetworkUnit,
    RequestRule, Sample, SampleFlags, TraceError, UnitContract, detect,
};
use crate::units::Micros;

/// A share this far below 0 is noise of the meter (the published files have one cell of -1.2e-5).
const NOISE: f64 = -1e-3;
/// The table whose values become samples.
const MEMORY: &str = "pod_memory_util_anon";
/// Requests of users, with columns of their own.
const REQUESTS: &str = "lora_request_trace";

/// Tables of a value per pod and time; names that the archives have instead are in [`ALIASES`].
const METRICS: [&str; 10] = [
    MEMORY,
    "pod_gpu_duty_cycle_anon",
    "pod_gpu_memory_used_bytes_anon",
    "queue_size_raw_anon",
    "queue_rt_raw_anon",
    "base_model_update_latency_anon",
    "controlnet_latency_data_anon",
    "model_predict_data_anon",
    "pipeline_inference_data_anon",
    "lora_update_latency_anon",
];
const ALIASES: [(&str, &str); 2] =
    [("basemodel_update_latency_anon", "base_model_update_latency_anon"), ("qps", "qps")];

const VALUES: [ColumnSpec; 4] = [
    required("timestamp_anon", Kind::Seconds).also(&["timestamp"]),
    optional("value", Kind::Number),
    optional("container_ip", Kind::Text),
    optional("request_type", Kind::Category),
];

const LORA: [ColumnSpec; 11] = [
    required("gmt_create", Kind::Text),
    optional("predict_type", Kind::Category),
    optional("predict_status", Kind::Category),
    optional("exec_time_seconds", Kind::Number),
    optional("groupId", Kind::Text),
    optional("prompt_length", Kind::Number),
    optional("negative_prompt_length", Kind::Number),
    optional("num_images_per_prompt", Kind::Number),
    optional("num_inference_steps", Kind::Number),
    optional("checkpoint_model_version_id", Kind::Text),
    optional("num_lora", Kind::Number),
];

const fn table(name: &'static str, columns: &'static [ColumnSpec]) -> TableSpec {
    TableSpec { name, columns, trailing_optional: 0, is_quoted: true, delimiter: b',' }
}

/// The `alibaba-genai-2026` format.
#[derive(Debug, Clone, Copy)]
pub struct AlibabaGenai2026;

impl Format for AlibabaGenai2026 {
    fn name(&self) -> &'static str {
        "alibaba-genai-2026"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        let header = detect::first_cells(head, ',');
        let has = |name: &str| header.iter().any(|cell| cell == name);
        if has("gmt_create") && has("exec_time_seconds") {
            return Some((REQUESTS, Confidence::Header));
        }
        if !has("value") || !has("timestamp_anon") {
            return None;
        }
        let alias = ALIASES.iter().find(|(alias, _)| is_named(head.path, &[alias])).map(|&(_, table)| table);
        let table = METRICS.iter().copied().find(|table| is_named(head.path, &[table])).or(alias)?;
        Some((table, Confidence::Name))
    }

    fn mismatch(&self, head: &Head<'_>) -> Option<String> {
        let header = detect::first_cells(head, ',');
        let has = |name: &str| header.iter().any(|cell| cell == name);
        (has("value") && has("timestamp_anon") && has("container_ip")).then(|| {
            format!("the columns are those of `alibaba-genai-2026`, where the file's name says the metric, as in `{MEMORY}.csv`")
        })
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        let Input::Text(text) = input else {
            let what = "the tables of this format are text, not Parquet".to_owned();
            return Err(TraceError::Columns { file: context.file.to_owned(), what });
        };
        if table == REQUESTS {
            return delimited::read(&self::table(REQUESTS, &LORA), text, context, &mut |_row, context| {
                note("rows of this table are checked and counted, not stored", context);
                Ok(Outcome::Kept)
            });
        }
        let mut pods = HashSet::new();
        delimited::read(&self::table(table, &VALUES), text, context, &mut |row, context| {
            value(table, row, &mut pods, context)
        })
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::First
    }

    fn units(&self) -> UnitContract {
        UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None }
    }

    fn group_of<'a>(&self, _workload: &'a str) -> Option<&'a str> {
        None
    }

    fn duplicates(&self) -> Duplicates {
        Duplicates::Larger
    }

    fn has_starts_of_first_samples(&self) -> bool {
        true
    }

    fn sampling_seconds(&self) -> u32 {
        57
    }
}

/// Takes one value of one pod.
fn value(
    table: &str,
    row: &Row<'_>,
    pods: &mut HashSet<String>,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    if table == "qps" {
        note("rows of this table are checked and counted, not stored", context);
        return Ok(Outcome::Kept);
    }
    let Some(pod) = row.text(2).filter(|pod| !matches!(*pod, "None" | "NULL")) else {
        let found = row.text(2).unwrap_or_default();
        return Ok(Outcome::Rejected("container_ip is empty", format!("found `{found}`")));
    };
    let sequence = context.sequence(row.number);
    if table != MEMORY {
        if !pods.contains(pod) {
            pods.insert(pod.to_owned());
            context.sink.event(&EventRow::new(pod, Some(Micros::ZERO), sequence, EventKind::Exists))?;
        }
        note("rows of this table are checked and counted, not stored", context);
        return Ok(Outcome::Kept);
    }
    let mut flags = SampleFlags::MEMORY_OF_REQUEST;
    let memory = match row.number(1) {
        Some(share) if share < NOISE => {
            return Ok(Outcome::Rejected("value is negative", format!("column `value`: found `{share}`")));
        }
        Some(share) if share < 0.0 => {
            flags = flags.with(SampleFlags::CLAMPED);
            note("slightly negative values were set to 0", context);
            Some(0.0)
        }
        share => share,
    };
    let Some(seconds) = row.time(0) else {
        return Ok(Outcome::Rejected("time lies after the trace", "column `timestamp_anon`".to_owned()));
    };
    let sample = Sample { start: Micros::from_seconds(seconds), memory, flags, ..Sample::default() };
    context.sink.sample(Dataset::Usage, pod, sequence, &sample)?;
    Ok(Outcome::Kept)
}
