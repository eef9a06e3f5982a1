use super::Alibaba2017;
use crate::trace::testing::{self, Reading, read};
use crate::trace::{Confidence, EventKind, SampleFlags, WorkloadFlags};
use crate::units::Micros;

fn table(name: &'static str, text: &str) -> Reading {
    read(&Alibaba2017, name, &format!("{name}.csv"), 0, text)
}

#[test]
fn anomaly_1_plans_of_batch_tasks_are_hundredths_and_those_of_containers_cores() {
    let task = &table("batch_task", "6459,6524,3,4,15740,Terminated,50,0.007956928\n").kept.events;
    assert_eq!((task[0].workload.as_str(), task[0].request.cpu, task[0].replicas), ("3/4", Some(0.5), Some(15_740)));
    assert_eq!((task[0].kind, task[0].application.as_deref()), (EventKind::Schedule, Some("3")));
    assert_eq!((task[1].kind, task[1].time), (EventKind::Finish, Some(Micros::from_seconds(6524))));
    let container = &table("container_event", "0,Create,7,12,4,0.04,0.05,0|1|32|33|\n").kept.events[0];
    assert_eq!((container.request.cpu, container.request.memory), (Some(4.0), Some(0.04)));
    assert_eq!(container.kind, EventKind::Exists, "it was there before the trace");
}

#[test]
fn anomaly_2_a_task_without_a_plan_has_no_request() {
    let event = &table("batch_task", "6036,6046,4,7,393,Waiting,,\n").kept.events[0];
    assert_eq!((event.request.cpu, event.request.memory, event.kind), (None, None, EventKind::Exists));
}

#[test]
fn anomaly_3_times_before_the_trace_and_ends_before_the_creation() {
    let reading = table("batch_task", "-1078,0,1,1,1,Running,50,0.1\n500,400,1,2,1,Terminated,50,0.1\n");
    let events = &reading.kept.events;
    assert_eq!((events.len(), events[0].kind), (2, EventKind::Exists));
    assert!(events[1].flags.contains(WorkloadFlags::END_CENSORED));
    assert_eq!(reading.summary.notes.values().sum::<u64>(), 1);
}

#[test]
fn anomaly_4_instances_without_job_are_rejected() {
    let reading = table("batch_instance", "60000,60010,,,5,Terminated,1,1,,,,\n");
    assert_eq!(reading.rejected(), [("job or task is empty", 1)]);
}

#[test]
fn anomaly_5_use_of_unknown_containers_is_kept_as_a_share() {
    let sample = table("container_usage", "39600,9088,12.5,40,0.1,1,1,1,,,,\n").kept.samples[0].2;
    assert_eq!((sample.cpu, sample.memory, sample.start), (Some(0.125), Some(0.4), Micros::from_seconds(39_600)));
    assert!(sample.flags.contains(SampleFlags::CPU_OF_REQUEST.with(SampleFlags::MEMORY_OF_REQUEST)));
}

#[test]
fn anomaly_6_a_second_create_is_no_start_and_noted() {
    let reading = table("container_event", "0,Create,7,12,4,0.04,0.05,0\n0,Create,7,13,4,0.99996,0.05,0\n");
    assert_eq!(reading.kept.events.len(), 2);
    assert!(reading.kept.events[0].sequence < reading.kept.events[1].sequence, "the first one counts");
    assert_eq!(reading.summary.notes.values().sum::<u64>(), 1);
}

#[test]
fn anomaly_7_a_maximum_below_the_mean_is_replaced_by_it() {
    let sample = table("batch_instance", "10,20,1,2,5,Terminated,1,1,0.5,0.75,0.2,0.1\n").kept.samples[0].2;
    assert_eq!((sample.cpu, sample.cpu_max, sample.memory_max), (Some(0.75), Some(0.75), Some(0.2)));
    assert!(sample.flags.contains(SampleFlags::MAX_DROPPED));
    assert_eq!(sample.duration, Micros::from_seconds(10));
}

#[test]
fn anomaly_8_and_10_errors_state_no_capacity_and_adds_keep_theirs() {
    let text = "0,1,add,,64,0.6900059534594777,1\n5,1,softerror,agent_check,0,0,0\n0,2,add,,64,1,1\n";
    let machines = table("server_event", text).kept.machines;
    assert_eq!((machines[0].capacity.cpu, machines[1].capacity.cpu), (Some(64.0), None));
    assert_eq!((machines[1].status.as_str(), machines[2].capacity.memory), ("softerror", Some(1.0)));
}

#[test]
fn anomaly_9_copies_with_invented_headers_are_read() {
    let text = "task_create_time, task_end_time, job_id, task_id,number_of_instances, status, \
                number_of_cpus_requested_per_instance_in_the_task,normalized_memory_requested_per_instance_in_the_task\r\n\
                6459,6524,3,4,15740,Terminated,50,0.007956928\r\n";
    assert_eq!(testing::detect(&Alibaba2017, "x.csv", text), Some(("batch_task", Confidence::Header)));
    let event = &table("batch_task", text).kept.events[0];
    assert_eq!(event.request.memory, Some(0.007_956_928));
}

#[test]
fn tables_are_recognised_by_name_and_those_of_2018_are_not() {
    let detect = |path: &str, text: &str| testing::detect(&Alibaba2017, path, text).map(|found| found.0);
    assert_eq!(detect("t/server_event.csv", "0,1148,add,,64,0.69,1\n"), Some("server_event"));
    assert_eq!(detect("container_usage.csv", "39600,1,1,2,3,4,5,6,,,,\n"), Some("container_usage"));
    assert_eq!(detect("any.csv", "6459,6524,3,4,15740,Terminated,50,0.007956928\n"), Some("batch_task"));
    assert_eq!(detect("container_usage.csv", "c_1,m_2556,86610,12,88,,,,1.22,1.15,7\n"), None);
    assert_eq!(detect("batch_task.csv", "R2_1,1,j_2,1,Terminated,87076,87086,50,0.2\n"), None);
}
