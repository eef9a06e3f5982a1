//! The prediction as data: the object that `json`, `jsonl` and `yaml` share.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::predict::{Allocation, Prediction};

use super::instances::{Ranking, RankingRecord};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<RankingRecord<'a>>,
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
    similarity: Option<f64>,
    weight: Option<f64>,
    memory_share: Option<f64>,
    cpu_share: Option<f64>,
    peak_memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardRecord<'a>>,
}

/// With `--explain`: what a neighbour needed, where it differs, and what it changed.
#[derive(Debug, Serialize)]
struct CardRecord<'a> {
    cpu_p95_cores: Option<f64>,
    memory_ratio: Option<f64>,
    cpu_ratio: Option<f64>,
    squared_distance_by_resource: &'a BTreeMap<String, f64>,
    without_it: AllocationRecord,
}

impl AllocationRecord {
    fn of(allocation: &Allocation) -> Self {
        Self {
            cpu_cores: allocation.cpu.map(|cpu| round_cpu(cpu).as_f64()),
            memory_bytes: allocation.memory.map(|memory| round_memory(memory).get()),
            network_bytes_per_s: allocation.network.map(crate::units::BytesPerSecond::get),
        }
    }
}

/// Returns `value` unless it is NaN or infinite.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl<'a> Record<'a> {
    /// Returns the object of `prediction`, with the first `shown` machines of `ranking`.
    pub(super) fn of(prediction: &'a Prediction, ranking: Option<&'a Ranking>, shown: usize) -> Self {
        let (allocation, interval) = (&prediction.allocation, &prediction.interval);
        Self {
            schema: SCHEMA,
            workload: &prediction.workload,
            window_s: finite(prediction.window_seconds),
            observed_seconds: finite(prediction.observed_seconds),
            decision: prediction.decision.name(),
            confidence: finite(prediction.confidence()),
            allocation: AllocationRecord::of(allocation),
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
                    similarity: neighbour.similarity.and_then(finite),
                    weight: finite(neighbour.weight),
                    memory_share: finite(neighbour.memory_share),
                    cpu_share: finite(neighbour.cpu_share),
                    peak_memory_bytes: neighbour.memory_peak.map(crate::units::Bytes::get),
                    card: neighbour.without.as_ref().map(|without| CardRecord {
                        cpu_p95_cores: neighbour.cpu_p95.map(crate::units::Cores::as_f64),
                        memory_ratio: neighbour.memory_ratio.and_then(finite),
                        cpu_ratio: neighbour.cpu_ratio.and_then(finite),
                        squared_distance_by_resource: &neighbour.distance_by_resource,
                        without_it: AllocationRecord::of(without),
                    }),
                })
                .collect(),
            passed_over: &prediction.passed_over,
            warnings: &prediction.warnings,
            instances: ranking.map(|ranking| RankingRecord::of(ranking, shown)),
        }
    }

    /// Returns the object as a YAML value, fields in the order of the object.
    pub(super) fn to_yaml_value(&self) -> Result<serde_yaml::Value, super::EmitError> {
        serde_yaml::to_value(self).map_err(|error| super::EmitError::Encode(error.to_string()))
    }
}
