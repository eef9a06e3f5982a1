//! The `prometheus` format: answers of `query_range` (and instant queries of requests), one or several in a file.
//!
//! Each series is one metric of one container. What the metric is, `__name__` says, or the file's name once `rate()` has taken it
//! away. Output: samples per container with CPU in cores and memory in bytes, requests and limits of kube-state-metrics,
//! restarts. A workload is `NAMESPACE/POD/CONTAINER`, its application the pod's owner. Each point counts as a row. One
//! series is in memory at a time.

mod labels;
mod metric;
mod response;
mod series;
#[cfg(test)]
mod tests;

use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, Refusal, RequestRule, TraceError, UnitContract,
};

/// The `prometheus` format.
#[derive(Debug, Clone, Copy)]
pub struct Prometheus;

impl Format for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        let text = head.bytes.trim_ascii_start();
        let has = |field: &str| memchr::memmem::find(text, field.as_bytes()).is_some();
        let is_answer = has("\"status\"") && (has("\"resultType\"") || has("\"errorType\""));
        (text.starts_with(b"{") && is_answer).then_some(("query_range", Confidence::Header))
    }

    fn mismatch(&self, head: &Head<'_>) -> Option<String> {
        let is_page = head.bytes.trim_ascii_start().starts_with(b"<");
        is_page
            .then(|| "it is a web page, perhaps one of an error or a login, and not an answer of Prometheus".to_owned())
    }

    fn read(&self, _table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        let Input::Text(text) = input else {
            let what = "answers of Prometheus are JSON, not Parquet".to_owned();
            return Err(TraceError::Unrecognised { file: context.file.to_owned(), what });
        };
        series::read(text, context)
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::LastAtOrBefore
    }

    fn units(&self) -> UnitContract {
        UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::BytesPerSecond }
    }

    fn group_of<'a>(&self, _workload: &'a str) -> Option<&'a str> {
        None
    }

    fn has_starts_of_first_samples(&self) -> bool {
        true
    }

    fn sampling_seconds(&self) -> u32 {
        0
    }
}

/// Returns the error for an answer that must not be used.
fn refused(context: &Context<'_>, row: u64, column: &str, found: &str, what: &str, hint: &str) -> TraceError {
    TraceError::Refused(Box::new(Refusal {
        file: context.file.to_owned(),
        row,
        column: column.to_owned(),
        found: found.chars().take(200).collect(),
        what: what.to_owned(),
        hint: hint.to_owned(),
    }))
}
