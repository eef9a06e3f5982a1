use super::Azure;
use crate::trace::testing::{self, Reading, read};
use crate::trace::{EventKind, SampleFlags, WorkloadFlags};
use crate::units::Micros;

const VM: &str = "x/XsOfHO4ocsV99i4NluqKDuxctW2MMVmwqOPAlg4wp8mqbBOe3wxBlQo0+Qx+uf";

fn machines(rest: &str) -> Reading {
    read(&Azure::V2, "vmtable", "vmtable.csv", 0, &format!("{VM},s,d,{rest}\n"))
}

#[test]
fn editions_are_told_apart_or_left_to_the_user() {
    let detect = |path: &str, text: &str| {
        [testing::detect(&Azure::V1, path, text), testing::detect(&Azure::V2, path, text)]
            .map(|found| found.map(|found| found.0))
    };
    let reading = format!("0,{VM},2.052803,3.911587,2.86979\n");
    let table = Some("vm_cpu_readings");
    assert_eq!(detect("vm_cpu_readings/vm_cpu_readings-file-1-of-125.csv.gz", &reading), [table, None]);
    assert_eq!(detect("vm_cpu_readings/vm_cpu_readings-file-1-of-195.csv.gz", &reading), [None, table]);
    assert_eq!(detect("vm_cpu_readings.csv", &reading), [table, table], "the user has to say");
    let machine = format!("{VM},s,d,0,2591400,99.3,3.4,10.1,Unknown,>24,>64\n");
    assert_eq!(detect("vmtable.csv.gz", &machine), [None, Some("vmtable")]);
}

#[test]
fn anomaly_1_open_buckets_are_lower_bounds_and_say_so() {
    let reading = machines("5,900,99.3,3.4,10.1,Delay-insensitive,>24,>64");
    let event = &reading.kept.events[0];
    assert_eq!((event.request.cpu, event.request.memory), (Some(24.0), Some(64.0 * 1_073_741_824.0)));
    assert!(event.labels.contains(&("cores".to_owned(), ">24".to_owned())), "{:?}", event.labels);
    assert_eq!(reading.summary.notes.values().sum::<u64>(), 2);
    assert_eq!(machines("5,900,9,3,1,Unknown,2,0.75").kept.events[0].request.memory, Some(805_306_368.0));
}

#[test]
fn anomaly_2_lives_that_reach_over_the_trace_are_open() {
    let events = machines("0,2591700,9,3,1,Unknown,2,4").kept.events;
    assert_eq!((events.len(), events[0].kind), (1, EventKind::Exists));
    assert!(events[0].flags.contains(WorkloadFlags::END_CENSORED));
    let events = machines("300,900,9,3,1,Unknown,2,4").kept.events;
    assert_eq!((events[0].kind, events[1].kind), (EventKind::Schedule, EventKind::Finish));
    assert_eq!((events[0].application.as_deref(), events[0].user.as_deref()), (Some("d"), Some("s")));
}

#[test]
fn anomaly_3_5_and_6_readings_are_shares_of_cores_without_memory() {
    let text = format!("0,{VM},2.05,3.9,2.5\n");
    let reading = read(&Azure::V1, "vm_cpu_readings", "vm_cpu_readings-file-1-of-125.csv", 0, &text);
    let (_, workload, sample) = &reading.kept.samples[0];
    assert_eq!((workload.as_str(), sample.cpu, sample.memory), (VM, Some(0.025), None));
    assert!(sample.flags.contains(SampleFlags::CPU_OF_REQUEST));
    assert_eq!(sample.duration, Micros::from_seconds(300));
}
