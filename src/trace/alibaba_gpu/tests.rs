use super::{AlibabaGpu2020, AlibabaGpu2023, GIB, MIB};
use crate::trace::testing::{self, Reading, read};
use crate::trace::{Confidence, Dataset, EventKind, Format, WorkloadFlags};
use crate::units::Micros;

fn pai(table: &'static str, text: &str) -> Reading {
    read(&AlibabaGpu2020, table, &format!("{table}.tar.gz!{table}.csv"), 0, text)
}

#[test]
fn pai_anomaly_1_and_2_use_above_the_plan_is_kept() {
    let task = pai("pai_task_table", "job1,tensorflow,2,Terminated,10.5,20.0,600.0,29.3,50.0,MISC\n");
    let event = &task.kept.events[0];
    assert_eq!((event.workload.as_str(), event.request.cpu), ("job1/tensorflow", Some(6.0)));
    assert_eq!((event.request.memory, event.replicas), (Some(29.3 * GIB), Some(2)));
    assert_eq!((event.time, event.kind), (Some(Micros(10_500_000)), EventKind::Schedule));
    assert_eq!(task.kept.events[1].kind, EventKind::Finish);
    let row = "job1,tensorflow,w1,i1,m1,/dev/nvidia0,900.0,120.5,1.5,2.5,,,,,,\n";
    let (dataset, workload, sample) = &pai("pai_sensor_table", row).kept.samples[0];
    assert_eq!((*dataset, workload.as_str(), sample.cpu), (Dataset::Summary, "job1/tensorflow", Some(9.0)));
    assert_eq!((sample.memory, sample.memory_max), (Some(1.5 * GIB), Some(2.5 * GIB)));
    assert_eq!(AlibabaGpu2020.group_of(workload), Some("job1"));
}

#[test]
fn pai_anomaly_3_tasks_that_have_not_ended_have_neither_times_nor_plans() {
    let events = pai("pai_task_table", "job1,worker,1.0,Waiting,,,,,,\n").kept.events;
    assert_eq!((events.len(), events[0].kind, events[0].request.cpu), (1, EventKind::Exists, None));
}

#[test]
fn pai_anomaly_4_sensors_are_summaries_and_say_so() {
    let reading = pai("pai_sensor_table", "j,t,w,i,m,,1,,,,,,,,,\n");
    assert!(reading.summary.notes.keys().any(|note| note.contains("not a series")));
}

#[test]
fn pai_anomaly_5_a_header_file_or_line_is_not_needed() {
    let row = "7399a758eb02bae1a3621236,CPU,96,512,0\n";
    let detect = |path: &str, text: &str| testing::detect(&AlibabaGpu2020, path, text);
    assert_eq!(
        detect("pai_machine_spec.tar.gz!pai_machine_spec.csv", row),
        Some(("pai_machine_spec", Confidence::Name))
    );
    assert_eq!(detect("x.csv", row), Some(("pai_machine_spec", Confidence::Cells)));
    let text = format!("machine,gpu_type,cap_cpu,cap_mem,cap_gpu\n{row}");
    let machine = &pai("pai_machine_spec", &text).kept.machines[0];
    assert_eq!((machine.capacity.cpu, machine.capacity.memory), (Some(96.0), Some(512.0 * GIB)));
    assert_eq!(machine.platform, None, "`CPU` is no GPU");
}

#[test]
fn pai_anomaly_6_jobs_are_groups_by_their_name() {
    let groups = pai("pai_job_table", "job1,inst9,user1,Terminated,10,20\n").kept.groups;
    assert_eq!((groups[0].group.as_str(), groups[0].user.as_deref()), ("job1", Some("user1")));
}

const HEADER: &str =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n";

fn pods(rows: &str) -> Reading {
    read(&AlibabaGpu2023, "pods", "openb_pod_list_default.csv", 0, &format!("{HEADER}{rows}"))
}

#[test]
fn openb_anomaly_1_pending_pods_were_never_scheduled() {
    let events = pods("openb-pod-1,6000,12288,1,460,,LS,Pending,5,90,\n").kept.events;
    assert_eq!((events.len(), events[0].kind, events[0].class.as_deref()), (1, EventKind::Submit, Some("LS")));
    assert_eq!((events[0].request.cpu, events[0].request.memory), (Some(6.0), Some(12_288.0 * MIB)));
}

#[test]
fn openb_anomaly_2_running_pods_have_no_end() {
    let events = pods("a,6000,12288,1,460,,LS,Running,5,90,7\nb,1,1,0,0,,BE,Failed,5,90,7\n").kept.events;
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [EventKind::Submit, EventKind::Schedule, EventKind::Submit, EventKind::Schedule, EventKind::Fail]
    );
    assert!(
        events[0].flags.contains(WorkloadFlags::END_CENSORED) && !events[2].flags.contains(WorkloadFlags::END_CENSORED)
    );
    assert!(events[0].sequence < events[1].sequence);
}

#[test]
fn openb_anomaly_3_the_wanted_gpu_is_a_label_where_it_is_stated() {
    let events = pods("a,1,1,1,460,V100M16|V100M32,LS,Running,5,90,7\n").kept.events;
    assert!(events[0].labels.contains(&("gpu_spec".to_owned(), "V100M16|V100M32".to_owned())));
}

#[test]
fn openb_anomaly_4_lists_of_five_columns_have_no_times() {
    let text = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1000,1024,2,1000\n";
    let path = "openb_pod_list_multigpu20.csv";
    assert_eq!(testing::detect(&AlibabaGpu2023, path, text), Some(("pods", Confidence::Name)));
    let events = read(&AlibabaGpu2023, "pods", path, 0, text).kept.events;
    assert_eq!((events.len(), events[0].kind, events[0].request.cpu), (1, EventKind::Exists, Some(1.0)));
}

#[test]
fn openb_anomaly_5_memory_of_0_is_no_request() {
    assert_eq!(pods("a,1000,0,1,460,,LS,Running,5,90,7\n").kept.events[0].request.memory, None);
}
