use super::AlibabaGenai2026;
use crate::trace::testing::{self, Reading, read};
use crate::trace::{Confidence, Duplicates, EventKind, Format, SampleFlags};
use crate::units::Micros;

const POD: &str = "25da09a77268ccc99a7968b3e453b8f0";

fn memory(rows: &str) -> Reading {
    let text = format!("value,timestamp_anon,container_ip\n{rows}");
    read(&AlibabaGenai2026, "pod_memory_util_anon", "pod_memory_util_anon.csv", 0, &text)
}

#[test]
fn the_file_name_says_the_metric_and_the_header_the_order() {
    let detect = |path: &str, text: &str| testing::detect(&AlibabaGenai2026, path, text);
    let path = "trace/pod_memory_util_anon.tar.gz!pod_memory_util_anon.csv";
    let text = format!("value,timestamp_anon,container_ip\n0.5,1662858720.0,{POD}\n");
    assert_eq!(detect(path, &text), Some(("pod_memory_util_anon", Confidence::Name)));
    assert_eq!(detect("other.csv", &text), None);
    let sample = memory(&format!("0.5,1662858720.0,{POD}\n")).kept.samples[0].2;
    assert_eq!((sample.memory, sample.start), (Some(0.5), Micros::from_seconds(1_662_858_720)));
    assert!(sample.flags.contains(SampleFlags::MEMORY_OF_REQUEST));
    let turned = format!("timestamp_anon,value,container_ip\n1662858720.0,33879490560.0,{POD}\n");
    let table = "pod_gpu_memory_used_bytes_anon";
    let reading = read(&AlibabaGenai2026, table, "pod_gpu_memory_used_bytes_anon.csv", 0, &turned);
    assert_eq!((reading.kept.samples.len(), reading.kept.events[0].kind), (0, EventKind::Exists));
    assert_eq!(reading.summary.columns["value"].max, Some(33_879_490_560.0));
}

#[test]
fn anomaly_1_rows_without_pod_are_rejected() {
    let reading = memory("0.5,1662858720.0,\n0.5,1662858720.0,None\n0.5,1662858720.0,NULL\n");
    assert_eq!(reading.rejected(), [("container_ip is empty", 3)]);
}

#[test]
fn anomaly_2_noise_below_0_is_0_and_counted() {
    let reading = memory(&format!("-1.2e-5,1662858720.0,{POD}\n-0.5,1662858777.0,{POD}\n"));
    let sample = reading.kept.samples[0].2;
    assert_eq!((sample.memory, sample.flags.contains(SampleFlags::CLAMPED)), (Some(0.0), true));
    assert_eq!(reading.summary.notes.values().sum::<u64>(), 1);
    assert_eq!(reading.rejected(), [("value is negative", 1)]);
}

#[test]
fn anomaly_3_of_two_values_of_one_time_the_larger_counts() {
    assert_eq!(AlibabaGenai2026.duplicates(), Duplicates::Larger);
}

#[test]
fn anomaly_4_archives_of_other_names_are_known_and_undocumented_tables_are_not() {
    let text = "timestamp_anon,value,container_ip\n1662858720.0,1.0,a\n";
    let detect = |path: &str| testing::detect(&AlibabaGenai2026, path, text).map(|found| found.0);
    assert_eq!(detect("basemodel_update_latency_anon.csv"), Some("base_model_update_latency_anon"));
    assert_eq!(detect("data_trace_processed.csv"), None);
    let head = crate::trace::Head {
        path: "data_trace_processed.csv",
        bytes: text.as_bytes(),
        options: &crate::trace::ReadOptions::default(),
    };
    assert!(AlibabaGenai2026.mismatch(&head).is_some_and(|why| why.contains("the file's name says the metric")));
}
