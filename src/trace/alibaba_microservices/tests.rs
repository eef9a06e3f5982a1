use super::{AlibabaMicroservices2021, AlibabaMicroservices2022};
use crate::trace::testing::{self, Reading, read};
use crate::trace::{Confidence, Dataset, Duplicates, Format, SampleFlags, WorkloadFlags};
use crate::units::Micros;

const SERVICE: &str = "e969a0c7f24365fb761f28067720558309317afce8630dfbc12a2f8644dee2b6";
const POD: &str = "2d64adf48bfaa8e81b72c6ec8e691a90d72237c944c4de775000e35e2d6523d4";
const NODE: &str = "85ad19cedb18370e11dd3f2f5ecde656b171464734e31b1de74af98a2bc30f87";

fn resource(text: &str) -> Reading {
    read(&AlibabaMicroservices2021, "MSResource", "MSResource_0.csv", 0, text)
}

#[test]
fn anomaly_1_index_and_header_are_there_or_not_in_any_order() {
    let header = ",msname,msinstanceid,nodeid,instance_cpu_usage,instance_memory_usage,timestamp\n";
    let row = format!("0,{SERVICE},{POD},{NODE},0.25,0.5,60000\n");
    let bare = format!("60000,{SERVICE},{POD},{NODE},0.25,0.5\n");
    let turned = format!(
        "nodeid,timestamp,msinstanceid,msname,instance_memory_usage,instance_cpu_usage\n{NODE},60000,{POD},{SERVICE},0.5,0.25\n"
    );
    for text in [format!("{header}{row}"), row, bare, turned] {
        let detected = testing::detect(&AlibabaMicroservices2021, "MSResource_0/MSResource_0.csv", &text);
        assert_eq!(detected, Some(("MSResource", Confidence::Name)), "{text}");
        let reading = resource(&text);
        let [(dataset, workload, sample)] = reading.kept.samples.as_slice() else { panic!("one sample of {text}") };
        assert_eq!((*dataset, workload.as_str()), (Dataset::Usage, POD));
        assert_eq!((sample.cpu, sample.memory), (Some(0.25), Some(0.5)));
        assert_eq!((sample.start, sample.duration), (Micros::from_seconds(30), Micros::from_seconds(30)));
        assert!(sample.flags.contains(SampleFlags::CPU_OF_REQUEST.with(SampleFlags::MEMORY_OF_REQUEST)));
        assert_eq!(reading.kept.events[0].application.as_deref(), Some(SERVICE));
    }
    let node = format!("999998,11280000,{NODE},0.64,0.75\n");
    assert_eq!(testing::detect(&AlibabaMicroservices2021, "x.csv", &node), Some(("Node", Confidence::Cells)));
}

#[test]
fn anomaly_2_empty_cells_are_missing() {
    let sample = resource(&format!("0,{SERVICE},{POD},{NODE},,0.5,60000\n")).kept.samples[0].2;
    assert_eq!((sample.cpu, sample.memory), (None, Some(0.5)));
}

#[test]
fn anomaly_3_and_4_odd_calls_are_kept_and_noted() {
    let text = ",traceid,timestamp,rpcid,um,rpctype,dm,interface,rt\n0,0b13,219678,0.1,NAN,rpc,(?),,-5\n1,0b13,219678,0.1,,rpc,a,,7\n";
    let reading = read(&AlibabaMicroservices2021, "MSCallGraph", "MSCallGraph_0.csv", 0, text);
    assert_eq!((reading.summary.rows, reading.summary.kept), (2, 2));
    assert_eq!(reading.summary.notes["negative response times were recorded at the callee"], 1);
    assert_eq!(
        (reading.summary.notes["the caller is unknown"], reading.summary.notes["the callee is unknown"]),
        (1, 1)
    );
}

#[test]
fn anomaly_5_http_rates_are_noted() {
    let text = format!(",timestamp,msname,msinstanceid,metric,value\n0,60000,{SERVICE},{POD},HTTP_MCR,3.5\n");
    let reading = read(&AlibabaMicroservices2021, "MSRTQps", "MSRTQps_0.csv", 0, &text);
    assert_eq!(reading.summary.notes.len(), 2, "{:?}", reading.summary.notes);
}

#[test]
fn anomaly_6_a_stray_later_time_is_kept() {
    let text =
        format!(",timestamp,nodeid,node_cpu_usage,node_memory_usage\n0,35820000,{NODE},0.5,0.5\n1,0,{NODE},0.5,0.5\n");
    let samples = read(&AlibabaMicroservices2021, "Node", "Node.csv", 0, &text).kept.samples;
    assert_eq!((samples[0].0, samples.len()), (Dataset::Machine, 2));
}

const METRICS: &str = "timestamp,msname,msinstanceid,nodeid,cpu_utilization,memory_utilization\n";

fn metrics(row: &str) -> Reading {
    read(&AlibabaMicroservices2022, "MSMetrics", "MSMetricsUpdate_0.csv", 0, &format!("{METRICS}{row}"))
}

#[test]
fn edition_2022_is_told_by_its_identifiers() {
    let text = format!("{METRICS}60000,MS_1,MS_1_POD_2,NODE_3,0.5,0.25\n");
    let path = "data/MSMetrics/MSMetrics_0.tar.gz!MSMetricsUpdate_0.csv";
    assert_eq!(testing::detect(&AlibabaMicroservices2022, path, &text), Some(("MSMetrics", Confidence::Name)));
    assert_eq!(testing::detect(&AlibabaMicroservices2021, path, &text), None);
    let sample = metrics("60000,MS_1,MS_1_POD_2,NODE_3,0.5,0.25\n").kept.samples[0].2;
    assert_eq!((sample.start, sample.duration), (Micros::ZERO, Micros::from_seconds(60)));
}

#[test]
fn edition_2022_anomaly_2_the_first_of_two_rows_of_one_time_counts() {
    assert_eq!(AlibabaMicroservices2022.duplicates(), Duplicates::First);
}

#[test]
fn edition_2022_anomaly_3_calls_with_a_surplus_field_are_rejected() {
    let header = "timestamp,traceid,service,rpc_id,rpctype,um,uminstanceid,interface,dm,dminstanceid,rt\n";
    let text = format!(
        "{header}1,T_1,S_1,0.1,rpc,MS_1,MS_1_POD_1,i,MS_2,MS_2_POD_1,None\n1,T_1,S_1,0.1,rpc,MS_1,p,i,MS_2,p,4,x\n"
    );
    let reading = read(&AlibabaMicroservices2022, "CallGraph", "CallGraph_0.csv", 0, &text);
    assert_eq!((reading.summary.kept, reading.rejected()), (1, vec![("wrong number of fields", 1)]));
}

#[test]
fn edition_2022_anomaly_4_containers_of_another_service_are_flagged() {
    let events = metrics("60000,MS_1,MS_2_POD_2,NODE_3,0.5,0.25\n").kept.events;
    assert!(events[0].flags.contains(WorkloadFlags::UNUSUAL_ID));
}
