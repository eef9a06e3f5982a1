//! Predictions as the ladder hands them out, for tests of what is emitted.

use std::collections::BTreeMap;

use shadow::predict::{Allocation, Decision, Evidence, Interval, Prediction};
use shadow::units::{Bytes, BytesPerSecond, Cores};

/// Returns an answer from one neighbour for `workload`.
pub(crate) fn answered(workload: &str, millis: u64, mebibytes: u64) -> Prediction {
    let (cpu, memory) = (Cores::from_millis(millis), Bytes::from_mebibytes(mebibytes));
    Prediction {
        workload: workload.to_owned(),
        window_seconds: 60.0,
        observed_seconds: 60.0,
        decision: Decision::Neighbours,
        passed_over: vec!["no earlier instance of the same application".to_owned()],
        allocation: Allocation { cpu: Some(cpu), memory: Some(memory), network: Some(BytesPerSecond::new(125_000)) },
        interval: Interval {
            cpu: Some((Cores::from_millis(1), cpu)),
            memory: Some((Bytes::from_mebibytes(1), memory)),
        },
        coverage: 0.95,
        novelty: Some(0.12),
        neighbours: vec![Evidence {
            workload: workload.to_owned(),
            application: Some("=cart".to_owned()),
            distance: Some(0.08),
            similarity: Some(0.5),
            weight: 1.0,
            memory_share: 1.0,
            cpu_share: 1.0,
            memory_peak: Some(memory),
            cpu_p95: Some(cpu),
            memory_ratio: Some(1.2),
            cpu_ratio: Some(f64::NAN),
            distance_by_resource: BTreeMap::new(),
            without: None,
        }],
        store_workloads: 48_201,
        store_digest: "b3:0123456789abcdef".to_owned(),
        warnings: vec![],
    }
}

/// Returns an abstention.
pub(crate) fn abstained(workload: &str) -> Prediction {
    Prediction {
        decision: Decision::Abstain,
        allocation: Allocation::default(),
        interval: Interval::default(),
        novelty: None,
        neighbours: vec![],
        ..answered(workload, 1, 1)
    }
}
