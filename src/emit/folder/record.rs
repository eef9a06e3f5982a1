//! A review as data: JSON, and CSV with one row per container.

use serde::Serialize;

use super::super::EmitError;
use super::super::csv::guard;
use super::read::{Folder, Skipped};
use super::review::{Answer, Review, Row};
use crate::predict::Prediction;
use crate::units::{Bytes, Cores};

/// The version of the object; it changes when a field changes its meaning.
const SCHEMA: u32 = 1;

#[derive(Debug, Serialize)]
struct ReviewRecord<'a> {
    schema: u32,
    sized: usize,
    off: usize,
    containers: Vec<ContainerRecord<'a>>,
    unused_workloads: &'a [String],
    unused_assignments: &'a [String],
    skipped: &'a [Skipped],
}

/// One container. Unknown values are `null`.
#[derive(Debug, Serialize)]
struct ContainerRecord<'a> {
    file: &'a str,
    kind: &'static str,
    namespace: Option<&'a str>,
    name: &'a str,
    container: &'a str,
    workload: Option<&'a str>,
    found_by: Option<&'static str>,
    answer: &'static str,
    reason: Option<&'a str>,
    confidence: Option<f64>,
    cpu: ResourceRecord<f64>,
    memory: ResourceRecord<u64>,
}

/// Cores or bytes.
#[derive(Debug, Serialize)]
struct ResourceRecord<T> {
    request_now: Option<T>,
    request: Option<T>,
    limit: Option<T>,
    interval: Option<[T; 2]>,
    standing: Option<&'static str>,
}

impl<'a> ContainerRecord<'a> {
    fn of(row: &'a Row, predictions: &'a [Prediction]) -> Self {
        let (cores, bytes) = (|cpu: Cores| cpu.as_f64(), |memory: Bytes| memory.get());
        let mut record = Self {
            file: &row.file,
            kind: row.kind.name(),
            namespace: row.namespace.as_deref(),
            name: &row.name,
            container: &row.container,
            workload: row.workload.as_ref().map(|(workload, _)| workload.as_str()),
            found_by: row.workload.as_ref().map(|(_, by)| by.name()),
            answer: "no sample",
            reason: None,
            confidence: None,
            cpu: ResourceRecord {
                request_now: row.now.cpu.map(cores),
                request: None,
                limit: None,
                interval: None,
                standing: None,
            },
            memory: ResourceRecord {
                request_now: row.now.memory.map(bytes),
                request: None,
                limit: None,
                interval: None,
                standing: None,
            },
        };
        match &row.answer {
            Answer::NoSample => {}
            Answer::Refused(reason) => {
                record.answer = "refused";
                record.reason = Some(reason);
            }
            Answer::Sized { sizing, prediction, cpu, memory } => {
                let prediction = &predictions[*prediction];
                let (cpu_interval, memory_interval) = (prediction.interval.cpu, prediction.interval.memory);
                record.answer = prediction.decision.name();
                record.confidence = Some(prediction.confidence());
                record.cpu.request = Some(cores(sizing.cpu_request));
                record.cpu.limit = sizing.cpu_limit.map(cores);
                record.cpu.interval = cpu_interval.map(|(low, high)| [cores(low), cores(high)]);
                record.cpu.standing = Some(cpu.name());
                record.memory.request = Some(bytes(sizing.memory_request));
                record.memory.limit = Some(bytes(sizing.memory_limit));
                record.memory.interval = memory_interval.map(|(low, high)| [bytes(low), bytes(high)]);
                record.memory.standing = Some(memory.name());
            }
        }
        record
    }
}

impl Review {
    /// Returns the review as one JSON object, ending in a line break.
    ///
    /// # Errors
    /// [`EmitError::Encode`], a defect.
    pub fn json(&self, folder: &Folder, predictions: &[Prediction]) -> Result<String, EmitError> {
        let record = ReviewRecord {
            schema: SCHEMA,
            sized: self.sized(),
            off: self.off(),
            containers: self.rows.iter().map(|row| ContainerRecord::of(row, predictions)).collect(),
            unused_workloads: &self.unused_workloads,
            unused_assignments: &self.unused_lines,
            skipped: &folder.skipped,
        };
        let text = serde_json::to_string_pretty(&record).map_err(|error| EmitError::Encode(error.to_string()))?;
        Ok(text + "\n")
    }

    /// Returns a header and one row per container; an unknown value is an empty field.
    ///
    /// # Errors
    /// [`EmitError::Encode`], a defect.
    pub fn csv(&self, predictions: &[Prediction]) -> Result<String, EmitError> {
        const HEADER: [&str; 19] = [
            "file",
            "kind",
            "namespace",
            "name",
            "container",
            "workload",
            "found_by",
            "answer",
            "reason",
            "confidence",
            "cpu_request_now_cores",
            "cpu_request_cores",
            "cpu_low_cores",
            "cpu_high_cores",
            "memory_request_now_bytes",
            "memory_request_bytes",
            "memory_low_bytes",
            "memory_high_bytes",
            "standing",
        ];
        let failed = |error: ::csv::Error| EmitError::Encode(error.to_string());
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(HEADER).map_err(failed)?;
        for row in &self.rows {
            let one = ContainerRecord::of(row, predictions);
            let text = |text: Option<&str>| text.map(guard).unwrap_or_default();
            let standing = one.cpu.standing.zip(one.memory.standing);
            let fields = [
                guard(one.file),
                one.kind.to_owned(),
                text(one.namespace),
                guard(one.name),
                guard(one.container),
                text(one.workload),
                text(one.found_by),
                one.answer.to_owned(),
                text(one.reason),
                shown(one.confidence),
                shown(one.cpu.request_now),
                shown(one.cpu.request),
                shown(one.cpu.interval.map(|[low, _]| low)),
                shown(one.cpu.interval.map(|[_, high]| high)),
                shown(one.memory.request_now),
                shown(one.memory.request),
                shown(one.memory.interval.map(|[low, _]| low)),
                shown(one.memory.interval.map(|[_, high]| high)),
                standing.map(|(cpu, memory)| format!("cpu {cpu} memory {memory}")).unwrap_or_default(),
            ];
            writer.write_record(fields).map_err(failed)?;
        }
        let bytes = writer.into_inner().map_err(|error| EmitError::Encode(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| EmitError::Encode(error.to_string()))
    }
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
