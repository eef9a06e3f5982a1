//! One test per anomaly of the trace document that a reader can see, and per table.

use super::*;
use crate::trace::testing::{self, Event, Reading};
use crate::trace::{Amounts, Dataset, EventKind, Sample, WorkloadFlags};
use crate::units::Micros;

fn read(table: &'static str, text: &str) -> Reading {
    testing::read(&Alibaba2018, table, "trace.csv", 0, text)
}

fn detect(path: &str, text: &str) -> Option<(&'static str, Confidence)> {
    testing::detect(&Alibaba2018, path, text)
}

fn at(seconds: i64) -> Micros {
    Micros::from_seconds(seconds)
}

fn one_sample(reading: &Reading) -> (Dataset, &str, Sample) {
    assert_eq!(reading.kept.samples.len(), 1, "{:?}", reading.rejected());
    let (dataset, workload, sample) = &reading.kept.samples[0];
    (*dataset, workload, *sample)
}

fn one_event(reading: &Reading) -> &Event {
    assert_eq!(reading.kept.events.len(), 1, "{:?}", reading.rejected());
    &reading.kept.events[0]
}

#[test]
fn container_usage_is_a_share_of_the_request() {
    let reading = read("container_usage", "c_1,m_2556,86610,12,88,,,,1.22,1.15,7\n");
    let (dataset, workload, sample) = one_sample(&reading);
    assert_eq!((dataset, workload), (Dataset::Usage, "c_1"));
    assert_eq!(sample.start, Micros::from_seconds(86_610));
    assert_eq!(sample.duration, Micros::ZERO);
    assert_eq!((sample.cpu, sample.memory), (Some(0.12), Some(0.88)));
    assert_eq!(sample.network_received, Some(1.22 / 100.0));
    assert_eq!(sample.network_transmitted, Some(1.15 / 100.0));
    assert_eq!(sample.disk_busy, Some(0.07));
    assert_eq!(sample.flags, SampleFlags::CPU_OF_REQUEST.with(SampleFlags::MEMORY_OF_REQUEST));
}

#[test]
fn anomaly_1_rows_without_container_id_are_rejected() {
    let reading = read("container_usage", ",m_108,696330,20,56,,,,0,0,2\nc_1,m_1,10,1,2,,,,0,0,2\n");
    assert_eq!(reading.rejected(), [("container_id is empty", 1)]);
    assert_eq!(reading.kept.samples.len(), 1);
    assert_eq!(reading.summary.columns["container_id"].empty, 1);
    assert_eq!(reading.summary.columns["cpu_util_percent"].numbers, 2, "the summary counts what was read");
}

#[test]
fn anomaly_2_time_stamps_are_not_shifted() {
    let reading = read("container_usage", "c_1,m_1,777590,1,2,,,,0,0,2\n");
    assert_eq!(one_sample(&reading).2.start, Micros::from_seconds(777_590));
}

#[test]
fn anomaly_3_cpu_above_the_request_is_kept() {
    let reading = read("container_usage", "c_1,m_1,10,180,2,,,,0,0,2\n");
    assert_eq!(one_sample(&reading).2.cpu, Some(1.8));
}

#[test]
fn anomaly_4_minus_1_and_101_are_no_values() {
    let reading =
        read("machine_usage", "m_1,10,41,92,,,43.04,33.08,-1\nm_1,20,101,-1,,,-1,101,101\nm_1,30,1,1,,,1,1,1\n");
    let samples: Vec<Sample> = reading.kept.samples.iter().map(|(_, _, sample)| *sample).collect();
    assert_eq!(samples[0].disk_busy, None);
    assert_eq!(samples[0].memory, Some(0.92));
    let nothing = (None, None, None, None, None);
    let second = samples[1];
    let values = (second.cpu, second.memory, second.network_received, second.network_transmitted, second.disk_busy);
    assert_eq!(values, nothing);
    assert!(samples[..2].iter().all(|sample| sample.flags.contains(SampleFlags::VALUE_DROPPED)));
    assert_eq!(samples[2].flags, SampleFlags::default());
    assert_eq!(reading.summary.notes["values of -1 or 101 are invalid and were left out"], 2);
    let disk = &reading.summary.columns["disk_io_percent"];
    assert_eq!((disk.min, disk.max), (Some(-1.0), Some(101.0)), "the summary is in the source's terms");

    let reading = read("container_usage", "c_1,m_1,10,101,101,,,,0,0,-1\n");
    let sample = one_sample(&reading).2;
    assert_eq!((sample.cpu, sample.memory, sample.disk_busy), (None, None, None));
}

#[test]
fn anomaly_5_counters_may_be_empty_together() {
    let reading = read("container_usage", "c_1,m_1,10,1,2,,,,0,0,\n");
    assert_eq!(one_sample(&reading).2.disk_busy, None);
    let empty = ["cpi", "mem_gps", "mpki", "disk_io_percent"].map(|column| reading.summary.columns[column].empty);
    assert_eq!(empty, [1; 4]);
}

#[test]
fn machine_usage_is_in_cores_and_fractions() {
    let reading = read("machine_usage", "m_1932,386640,50,92,,,43.04,33.08,5\n");
    let (dataset, machine, sample) = one_sample(&reading);
    assert_eq!((dataset, machine), (Dataset::Machine, "m_1932"));
    assert_eq!((sample.cpu, sample.memory, sample.disk_busy), (Some(48.0), Some(0.92), Some(0.05)));
}

#[test]
fn container_meta_states_requests_and_limits() {
    let text = "c_1,m_2556,0,app_5052,started,400,800,1.56\nc_1,m_2556,100,app_5052,started,400,400,1.56\n\
                c_2,m_1,100,app_1,started,400,400,1.56\nc_2,m_1,150,app_1,started,400,800,1.56\n\
                c_2,m_1,200,app_1,stopped,400,400,1.56\nc_2,m_1,300,app_1,started,400,400,1.56\n";
    let reading = read("container_meta", text);
    let event = &reading.kept.events[0];
    assert_eq!((event.workload.as_str(), event.time, event.kind), ("c_1", Some(at(0)), EventKind::Exists));
    assert_eq!(event.request, Amounts { cpu: Some(4.0), memory: Some(1.56 / 100.0), disk: None });
    assert_eq!(event.limit, Amounts { cpu: Some(8.0), ..Amounts::default() });
    assert_eq!((event.application.as_deref(), event.machine.as_deref()), (Some("app_5052"), Some("m_2556")));
    let kinds: Vec<EventKind> = reading.kept.events.iter().map(|event| event.kind).collect();
    let (exists, schedule) = (EventKind::Exists, EventKind::Schedule);
    assert_eq!(kinds, [exists, exists, schedule, exists, EventKind::Finish, schedule]);
}

#[test]
fn anomaly_8_huge_limits_are_kept_and_memory_of_0_is_none() {
    let reading = read("container_meta", "c_1,m_1,0,app_1,started,3200,19200,0\n");
    let event = one_event(&reading);
    assert_eq!(event.request, Amounts { cpu: Some(32.0), ..Amounts::default() });
    assert_eq!(event.limit.cpu, Some(192.0));
    let reading = read("container_memory", "containerID,container_memReq\nc_1,0.0\nc_2,3.13\n");
    assert_eq!(reading.kept.events[0].request, Amounts::default());
    assert_eq!(reading.kept.events[1].request.memory, Some(3.13 / 100.0));
}

#[test]
fn derived_tables_state_partial_requests() {
    let reading = read("container_requests", "containerID,container_cpuLim,container_cpuReq\nc_1,800,400\n");
    let event = one_event(&reading);
    assert_eq!((event.time, event.kind), (Some(at(0)), EventKind::Exists));
    assert_eq!(event.request, Amounts { cpu: Some(4.0), ..Amounts::default() });
    assert_eq!(event.limit, Amounts { cpu: Some(8.0), ..Amounts::default() });
    assert_eq!(reading.summary.columns["container_cpuReq"].counts["400"], 1);
}

#[test]
fn batch_tasks_start_with_their_plan_and_end_by_status() {
    let text = "R2_1,3.0,j_2,1,Terminated,87076,87086,50.0,0.2\nM1,1.0,j_1,1,Failed,419912,419912,100.0,0.2\n";
    let reading = read("batch_task", text);
    let [start, end, other, failed] = reading.kept.events.as_slice() else { panic!("four events") };
    assert_eq!((start.workload.as_str(), start.time, start.kind), ("j_2/R2_1", Some(at(87_076)), EventKind::Schedule));
    assert_eq!(start.request, Amounts { cpu: Some(0.5), memory: Some(0.002), disk: None });
    assert_eq!(
        (start.replicas, start.application.as_deref(), start.class.as_deref()),
        (Some(3), Some("j_2"), Some("1"))
    );
    assert_eq!((end.time, end.kind, end.request), (Some(at(87_086)), EventKind::Finish, Amounts::default()));
    assert_eq!((other.kind, failed.kind), (EventKind::Schedule, EventKind::Fail));
    let sequences: Vec<u64> = reading.kept.events.iter().map(|event| event.sequence).collect();
    assert!(sequences.is_sorted_by(|one, next| one < next), "{sequences:?}");
}

#[test]
fn anomaly_9_unfinished_tasks_have_no_end() {
    let text = "M1,2,j_1,1,Running,500,0,,\nM1,2,j_2,1,Running,500,600,100,0.1\nM2,,j_1,1,Waiting,0,0,,\n";
    let reading = read("batch_task", text);
    let [running, other, waiting] = reading.kept.events.as_slice() else { panic!("no ends") };
    assert_eq!((running.kind, running.time, running.request), (EventKind::Schedule, Some(at(500)), Amounts::default()));
    assert_eq!(other.kind, EventKind::Schedule);
    assert_eq!((waiting.kind, waiting.time, waiting.replicas), (EventKind::Exists, Some(at(0)), None));
    assert_eq!(reading.summary.notes["the end lies before the start: the task had not ended"], 1);
}

#[test]
fn anomaly_10_cut_names_and_self_dependencies_are_flagged() {
    let cut = "J60_1_2_3_4_5_6_7_8_9_10_11_12_13_14_15_16_17_18_6";
    let ends_in_underscore = "J60_1_2_3_4_5_6_7_8_9_10_11_12_13_14_15_16_17_180_";
    let independent = "task_LTg0MTUwNTIxNTI5MDY3ODc3NzQLTg0MTUwNTIxNTI5MD";
    assert_eq!([cut.len(), ends_in_underscore.len(), independent.len()], [50; 3]);
    let flags = |name: &str| {
        let reading = read("batch_task", &format!("{name},1,j_1,1,Running,5,0,100,0.1\n"));
        one_event(&reading).flags
    };
    assert_eq!(flags(cut), WorkloadFlags::DAG_TRUNCATED);
    assert_eq!(flags(ends_in_underscore), WorkloadFlags::DAG_TRUNCATED);
    assert_eq!(flags(independent), WorkloadFlags::default());
    assert_eq!(flags("R4_2_3"), WorkloadFlags::default());
    assert_eq!(flags("M1_1"), WorkloadFlags::DAG_CYCLE);
    assert_eq!(flags("MergeTask"), WorkloadFlags::default());
}

#[test]
fn anomaly_11_children_may_start_before_their_parents() {
    let text = "M1,1,j_1,1,Terminated,500,600,100,0.1\nR2_1,1,j_1,1,Terminated,400,600,100,0.1\n";
    assert_eq!(read("batch_task", text).summary.kept, 2);
}

#[test]
fn anomaly_12_instances_of_no_length_and_no_use_are_kept() {
    let text = "ins_1,M1,j_1,1,Terminated,500,500,m_1,1,1,0,0,0,0\nins_2,M1,j_1,1,Failed,500,510,m_1,1,2,,,,\n\
                ins_3,M1,j_1,1,Running,500,0,m_1,1,1,12,150,0.5,0.75\n";
    let reading = read("batch_instance", text);
    let samples = &reading.kept.samples;
    assert!(samples.iter().all(|(dataset, workload, _)| *dataset == Dataset::Summary && workload == "j_1/M1"));
    assert_eq!((samples[0].2.cpu, samples[0].2.memory, samples[0].2.duration), (Some(0.0), Some(0.0), Micros::ZERO));
    assert_eq!((samples[1].2.cpu, samples[1].2.duration), (None, Micros::from_seconds(10)));
    let last = samples[2].2;
    assert_eq!(
        (last.cpu, last.cpu_max, last.memory, last.memory_max),
        (Some(0.12), Some(1.5), Some(0.005), Some(0.0075))
    );
    assert_eq!(last.duration, Micros::ZERO);
}

#[test]
fn anomaly_13_use_above_plan_is_kept() {
    let reading = read("sample_instances", "0,j_2063029,M1,ins_1306069470,11,1841.0,7.4\n");
    let (dataset, workload, sample) = one_sample(&reading);
    assert_eq!((dataset, workload), (Dataset::Summary, "j_2063029/M1"));
    assert_eq!((sample.start, sample.duration), (Micros::from_seconds(203_040), Micros::from_seconds(11)));
    assert_eq!((sample.cpu, sample.memory), (Some(18.41), Some(7.4 / 100.0)));
}

#[test]
fn what_is_known_of_a_task_when_it_is_handed_in_becomes_labels() {
    let labels = |row: &str| {
        let reading = read("batch_task", row);
        let labels = reading.kept.events[0].labels.clone();
        labels.into_iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>()
    };
    assert_eq!(labels("R4_2_3,7,j_2,1,Running,5,0,50,0.2\n"), ["dependencies=2", "instances=7"]);
    assert_eq!(labels("task_LTg0MTUw,7,j_2,1,Running,5,0,50,0.2\n"), ["dependencies=0", "instances=7"]);
    assert_eq!(labels("M1,,j_2,1,Waiting,0,0,,\n"), ["dependencies=0"]);
}

#[test]
fn reduced_tasks_count_from_their_hour() {
    let reading = read("sample_tasks", "60,j_2063029,R4_3,12,100.0,0.39,3\n");
    let [start, end] = reading.kept.events.as_slice() else { panic!("start and end") };
    assert_eq!((start.time, start.kind, start.replicas), (Some(at(203_100)), EventKind::Schedule, Some(3)));
    assert_eq!(start.request, Amounts { cpu: Some(1.0), memory: Some(0.39 / 100.0), disk: None });
    assert_eq!((end.time, end.kind), (Some(at(203_112)), EventKind::Finish));
}

#[test]
fn anomaly_14_failure_domains_may_be_empty_and_machines_repeat() {
    let reading = read("machine_meta", "m_1,0,219,17,96,100,USING\nm_1,148984,219,,96,100,IMPORT_INSTALLING\n");
    let machines = &reading.kept.machines;
    assert_eq!(machines[0].capacity, Amounts { cpu: Some(96.0), memory: Some(1.0), disk: None });
    assert_eq!((machines[0].platform.as_deref(), machines[1].platform.as_deref()), (Some("17"), None));
    assert_eq!(machines[1].status, "IMPORT_INSTALLING");
}

#[test]
fn anomaly_16_copies_with_headers_tabs_dates_and_blank_header_cells_are_read() {
    let texts = [
        "task_name,instance_num,job_name,task_type,status,start_time,end_time,plan_cpu,plan_mem\r\n\
         R2_1,1.0,j_2,1.0,Terminated,87076.0,87086.0,50.0,0.2\r\n",
        "\u{feff}task_name\tinstance_num\tjob_name\ttask_type\tstatus\tstart_time\tend_time\tplan_cpu\tplan_mem\n\
         R2_1\t1\tj_2\t1\tTerminated\t87076\t87086\t50\t0.2\n",
        "task_name,instance_num,job_name,,status,start_time,end_time,,plan_mem\n\
         R2_1,1,j_2,1,Terminated,87076,87086,50,0.2\n",
        "\"job_name\",\"task_name\",\"instance_num\",\"status\",\"start_time\",\"end_time\",\"plan_cpu\",\"plan_mem\"\n\
         \"j_2\",\"R2_1\",\"1\",\"Terminated\",\"87076\",\"87086\",\"50\",\"0.2\"\n",
        "R2_1,1,j_2,1,Terminated,1970-01-02 00:11:16,1970-01-02T00:11:26Z,50,0.2\n",
    ];
    for text in texts {
        let reading = read("batch_task", text);
        assert_eq!(reading.rejected(), [], "{text}");
        let event = &reading.kept.events[0];
        assert_eq!((event.workload.as_str(), event.time), ("j_2/R2_1", Some(at(87_076))), "{text}");
        assert_eq!(reading.kept.events[1].time, Some(at(87_086)), "{text}");
        assert_eq!(event.request.cpu, Some(0.5), "{text}");
    }
    for text in &texts[..4] {
        assert_eq!(detect("copy.csv", text), Some(("batch_task", Confidence::Header)), "{text}");
    }
}

#[test]
fn anomaly_16_identifiers_of_look_alikes_are_flagged() {
    let reading = read("batch_task", "M1,1,job_1,1,Running,5,0,100,0.1\n");
    assert_eq!(one_event(&reading).flags, WorkloadFlags::UNUSUAL_ID);
    let reading = read("container_meta", "container-1,m_1,0,app_1,started,400,400,1\n");
    assert_eq!(one_event(&reading).flags, WorkloadFlags::UNUSUAL_ID);
}

#[test]
fn anomaly_17_network_is_normalised() {
    assert_eq!(Alibaba2018.units().network, NetworkUnit::Normalised);
    assert_eq!(Alibaba2018.units().memory, MemoryUnit::MachineFraction);
}

#[test]
fn headerless_tables_are_known_by_their_cells() {
    let rows = [
        ("machine_meta", "m_1,0,219,17,96,100,USING\n"),
        ("machine_usage", "m_1932,386640,41,92,,,43.04,33.08,5\n"),
        ("container_meta", "c_1,m_2556,0,app_5052,started,400,400,1.56\n"),
        ("container_usage", ",m_108,696330,20,56,,,,0,0,2\n"),
        ("batch_task", "R2_1,1,j_2,1,Terminated,87076,87086,50,0.2\n"),
        ("batch_instance", "ins_1,M1,j_1,1,Terminated,500,500,m_1,1,1,0,0,0,0\n"),
        ("sample_tasks", "0,j_2063029,M1,1,100.0,0.3,1\n"),
        ("sample_instances", "0,j_2063029,M1,ins_1306069470,1,30.0,0.02\n"),
    ];
    for (table, row) in rows {
        assert_eq!(detect("data.csv", row), Some((table, Confidence::Cells)), "{row}");
        assert_eq!(detect(&format!("v2018/{table}.csv.gz"), row), Some((table, Confidence::Name)));
        assert_eq!(detect(&format!("v2018.tar.gz!{table}.csv"), row), Some((table, Confidence::Name)));
        assert_eq!(detect(&format!("{table}/selected.csv"), row), Some((table, Confidence::Name)));
    }
    let derived = "containerID,container_memReq\nc_1,1.56\n";
    assert_eq!(detect("container_memReq.csv.gz", derived), Some(("container_memory", Confidence::Header)));
    let derived = "containerID,container_cpuLim,container_cpuReq\nc_1,400,400\n";
    assert_eq!(detect("x.csv", derived), Some(("container_requests", Confidence::Header)));
}

#[test]
fn a_name_does_not_outweigh_the_content() {
    // The tables of the trace of 2017 bear the same names.
    assert_eq!(detect("batch_task.csv", "6459,6524,3,4,15740,Terminated,50,0.007956928\n"), None);
    assert_eq!(detect("container_usage.csv", "workload,time_s,cpu_cores\na,0,1\n"), None);
    assert_eq!(detect("machine_usage.csv", "m_1,2\n"), None);
    assert_eq!(detect("machine_usages_of_mine.csv", "a,b,c\n"), None);
}

#[test]
fn wrong_rows_are_rejected_by_reason() {
    let text = "c_1,m_1,10,1,2,,,,0,0,2\nc_1,m_1,10,1,2\nc_1,m_1,ten,1,2,,,,0,0,2\nc_1,m_1,10,nan,2,,,,0,0,2\n";
    let reading = read("container_usage", text);
    assert_eq!(reading.rejected(), [("not a number", 1), ("number is not finite", 1), ("wrong number of fields", 1)]);
}
