//! The prediction as data: the object that `json`, `jsonl` and `yaml` share.

use serde::Serialize;

use crate::predict::Prediction;

use super::sizing::{round_cpu, round_memory};

/// The version of the object; it changes when a field changes its meaning.
const SCHEMA: u32 = 1;

/// The object of one prediction. Unknown values are `null`; there is no NaN and no infinity.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    schema: u32,
    workload: &'a str,
    window_s: Option<f64>,
    observed_seconds: Option<f64>,
    decision: &'static str,
    confidence: Option<f64>,
    allocation: AllocationRecord,
    interval: IntervalRecord,
    coverage: Option<f64>,
    novelty: Option<f64>,
    neighbours: Vec<NeighbourRecord<'a>>,
    passed_over: &'a [String],
    warnings: &'a [String],
}

#[derive(Debug, Serialize)]
struct AllocationRecord {
    cpu_cores: Option<f64>,
    memory_bytes: Option<u64>,
    network_bytes_per_s: Option<u64>,
}

#[derive(Debug, Serialize)]
struct IntervalRecord {
    cpu_cores: Option<[f64; 2]>,
    memory_bytes: Option<[u64; 2]>,
}

#[derive(Debug, Serialize)]
struct NeighbourRecord<'a> {
    workload: &'a str,
    application: Option<&'a str>,
    distance: Option<f64>,
    weight: Option<f64>,
    peak_memory_bytes: Option<u64>,
}

/// Returns `value` unless it is NaN or infinite.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl<'a> Record<'a> {
    /// Returns the object of `prediction`.
    pub(super) fn of(prediction: &'a Prediction) -> Self {
        let (allocation, interval) = (&prediction.allocation, &prediction.interval);
        Self {
            schema: SCHEMA,
            workload: &prediction.workload,
            window_s: finite(prediction.window_seconds),
            observed_seconds: finite(prediction.observed_seconds),
            decision: prediction.decision.name(),
            confidence: finite(prediction.confidence()),
            allocation: AllocationRecord {
                cpu_cores: allocation.cpu.map(|cpu| round_cpu(cpu).as_f64()),
                memory_bytes: allocation.memory.map(|memory| round_memory(memory).get()),
                network_bytes_per_s: allocation.network.map(crate::units::BytesPerSecond::get),
            },
            interval: IntervalRecord {
                // Rounded like the allocation, so that it stays inside.
                cpu_cores: interval.cpu.map(|(low, high)| [low, high].map(|cpu| round_cpu(cpu).as_f64())),
                memory_bytes: interval.memory.map(|(low, high)| [low, high].map(|memory| round_memory(memory).get())),
            },
            coverage: finite(prediction.coverage),
            novelty: prediction.novelty.and_then(finite),
            neighbours: prediction
                .neighbours
                .iter()
                .map(|neighbour| NeighbourRecord {
                    workload: &neighbour.workload,
                    application: neighbour.application.as_deref(),
                    distance: neighbour.distance.and_then(finite),
                    weight: finite(neighbour.weight),
                    peak_memory_bytes: neighbour.memory_peak.map(crate::units::Bytes::get),
                })
                .collect(),
            passed_over: &prediction.passed_over,
            warnings: &prediction.warnings,
        }
    }

    /// Returns the object as a YAML value, fields in the order of the object.
    pub(super) fn to_yaml_value(&self) -> Result<serde_yaml::Value, super::EmitError> {
        serde_yaml::to_value(self).map_err(|error| super::EmitError::Encode(error.to_string()))
    }
}
