use super::Google2019;
use crate::trace::testing::{self, Reading, read};
use crate::trace::{Confidence, Dataset, EventKind, Format, Head, SampleFlags, Scaling, TraceError, WorkloadFlags};
use crate::units::Micros;

fn json(table: &'static str, text: &str) -> Reading {
    read(&Google2019, table, "instance_usage-000000000012.json.gz", 12, text)
}

fn csv(table: &'static str, text: &str) -> Reading {
    read(&Google2019, table, "export.csv", 0, text)
}

fn detect(path: &str, text: &str) -> Option<(&'static str, Confidence)> {
    testing::detect(&Google2019, path, text)
}

const LINE: &str = r#"{"start_time":"1838400000000","end_time":"1838700000000","collection_id":"330587238433","instance_index":"111","machine_id":"23624491139","alloc_collection_id":"330587160469","alloc_instance_index":"111","collection_type":"0","average_usage":{"cpus":0.0083,"memory":0.0094},"maximum_usage":{"cpus":0.0479,"memory":0.0193},"random_sample_usage":{"cpus":0.0166},"assigned_memory":0,"page_cache_memory":0.0032,"cycles_per_instruction":0.89,"memory_accesses_per_instruction":0.0015,"sample_rate":0.99,"cpu_usage_distribution":[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1.0,1.1],"tail_cpu_usage_distribution":[1,2,3,4,5,6,7,8,9]}"#;

#[test]
fn json_window_becomes_a_sample() {
    let reading = json("instance_usage", &format!("{LINE}\n"));
    let [(dataset, workload, sample)] = reading.kept.samples.as_slice() else { panic!("one sample") };
    assert_eq!((*dataset, workload.as_str()), (Dataset::Usage, "330587238433/111"));
    assert_eq!((sample.start, sample.duration), (Micros(1_838_400_000_000), Micros(300_000_000)));
    assert_eq!((sample.cpu, sample.cpu_max), (Some(0.0083), Some(0.0479)));
    assert_eq!((sample.memory, sample.memory_max), (Some(0.0094), Some(0.0193)));
    assert_eq!(sample.flags, SampleFlags::IN_ALLOC);
    assert_eq!(reading.summary.columns["cpu_usage_distribution[10]"].max, Some(1.1));
    assert_eq!(reading.summary.columns["tail_cpu_usage_distribution[4]"].max, Some(5.0));
    assert_eq!(reading.summary.columns["collection_type"].counts["0"], 1);
    assert_eq!(Google2019.group_of(workload), Some("330587238433"));
}

#[test]
fn json_integers_may_be_numbers_and_texts_may_hold_escapes() {
    let line = LINE.replace("\"330587238433\"", "330587238433").replace("\"111\",\"machine", "111.0,\"machine");
    assert_eq!(json("instance_usage", &line).kept.samples[0].1, "330587238433/111");
    let line = r#"{"time":7,"type":3,"collection_id":"5","user":"a\"b\n","collection_logical_name":"\u00e9","vertical_scaling":"2"}"#;
    let group = &json("collection_events", line).kept.groups[0];
    assert_eq!((group.user.as_deref(), group.application.as_deref()), (Some("a\"b\n"), Some("é")));
    assert_eq!((group.kind, group.scaling), (EventKind::Schedule, Some(Scaling::Constrained)));
}

#[test]
fn lines_that_are_no_objects_of_the_table_are_rejected_and_reading_goes_on() {
    let text = format!("{{\"start_time\":\n\n{LINE}\nnot json\n{}\n", LINE.replace("0.0083", "\"many\""));
    let reading = json("instance_usage", &text);
    assert_eq!(reading.rejected(), [("line is not an object of this table", 3)]);
    assert_eq!((reading.summary.rows, reading.kept.samples.len()), (4, 1));
    let thirteen = LINE.replace("[1,2,3,4,5,6,7,8,9]", "[1,2,3,4,5,6,7,8,9,10]");
    assert_eq!(json("instance_usage", &thirteen).rejected(), [("line is not an object of this table", 1)]);
    assert_eq!(json("instance_usage", &LINE.replace("0.0083", "-1")).rejected(), [("value is negative", 1)]);
    assert_eq!(json("instance_usage", &LINE.replace("0.0083", "1e999")).rejected().len(), 1);
}

#[test]
fn anomaly_1_end_of_time_is_no_time() {
    for time in ["\"9223372036854775807\"", "9223372036854775807", "9223372036854775808", "9.223372036854776e18"] {
        let line = format!("{{\"time\":{time},\"type\":\"7\",\"collection_id\":\"5\",\"instance_index\":\"1\"}}");
        assert_eq!(json("instance_events", &line).kept.events[0].time, None, "{time}");
    }
    let line = r#"{"time":"0","type":"3","collection_id":"5","instance_index":"1"}"#;
    assert_eq!(json("instance_events", line).kept.events[0].time, Some(Micros(0)));
}

const KAGGLE: &str = ",time,instance_events_type,collection_id,scheduling_class,collection_type,priority,alloc_collection_id,instance_index,machine_id,resource_request,constraint,collections_events_type,user,collection_name,collection_logical_name,start_after_collection_ids,vertical_scaling,scheduler,start_time,end_time,average_usage,maximum_usage,random_sample_usage,assigned_memory,page_cache_memory,cycles_per_instruction,memory_accesses_per_instruction,sample_rate,cpu_usage_distribution,tail_cpu_usage_distribution,cluster,event,failed\n";
const RECORD: &str = "0,0,2,94591244395,3,0,200,0,144,168846000000,\"{'cpus': 0.0206, 'memory': 0.0144}\",\"[{'name': 'a', 'value': 'b', 'relation': 0}\n {'name': 'c', 'value': None, 'relation': 6}]\",2,user,name,logical,[],3,0,274800000000,275100000000,\"{'cpus': 0.0046, 'memory': 0.0059}\",\"{'cpus': 0.0119, 'memory': None}\",\"{'cpus': 0.0043, 'memory': None}\",0.0144,0.0004,,,1,\"[0.00314331 0.00381088 0.00401306 0.00415039 0.00432587 0.00449371\n 0.00463104 0.00478363 0.00498962 0.00530243 0.01194763]\",\"[0.1 0.2 0.3 0.4 0.5 0.6\n 0.7 0.8 0.9]\",7,FAIL,1\n";

#[test]
fn kaggle_record_becomes_an_event_and_a_summary_row() {
    assert_eq!(detect("borg_traces_data.csv", KAGGLE), Some(("kaggle", Confidence::Header)));
    let reading = csv("kaggle", &format!("{KAGGLE}{RECORD}{}", RECORD.replacen("0,0,2", "1,5,3", 1)));
    assert_eq!(reading.summary.rows, 2, "a record is a record, however many lines it has");
    let (dataset, workload, sample) = &reading.kept.samples[0];
    assert_eq!((*dataset, workload.as_str()), (Dataset::Summary, "94591244395/144"));
    assert_eq!((sample.start, sample.duration), (Micros(274_800_000_000), Micros(300_000_000)));
    assert_eq!((sample.cpu, sample.cpu_max, sample.memory), (Some(0.0046), Some(0.0119), Some(0.0059)));
    assert_eq!(sample.memory_limit, Some(0.0144));
    let event = &reading.kept.events[1];
    assert_eq!((event.kind, event.time, event.request.cpu), (EventKind::Schedule, Some(Micros(5)), Some(0.0206)));
    assert_eq!((event.application.as_deref(), event.user.as_deref()), (Some("logical"), Some("user")));
    assert_eq!(reading.kept.groups[0].scaling, Some(Scaling::Automatic));
    assert_eq!(reading.summary.columns["cpu_usage_distribution.len"].counts["11"], 2);
    assert_eq!(reading.summary.columns["tail_cpu_usage_distribution.len"].counts["9"], 2);
}

#[test]
fn anomaly_1_kaggle_end_of_time_went_through_a_double() {
    let reading = csv("kaggle", &format!("{KAGGLE}{}", RECORD.replacen("0,0,2", "0,9.223372036854776e+18,7", 1)));
    assert_eq!(reading.kept.events[0].time, None);
}

#[test]
fn anomaly_2_identifiers_destroyed_by_a_spreadsheet_are_refused() {
    for (from, to, column) in [
        ("168846000000", "1.68846E+11", "machine_id"),
        ("94591244395", "9.45912E+10", "collection_id"),
        ("274800000000", "2.748E+11", "start_time"),
    ] {
        let reading = csv("kaggle", &format!("{KAGGLE}{RECORD}{}", RECORD.replace(from, to)));
        let Err(TraceError::Refused(refusal)) = &reading.outcome else { panic!("{to} should be refused") };
        assert_eq!((refusal.file.as_str(), refusal.row, refusal.column.as_str()), ("export.csv", 2, column));
        assert!(refusal.hint.contains("spreadsheet"), "{}", refusal.hint);
    }
}

#[test]
fn anomaly_3_wrong_columns_of_the_kaggle_sample_are_passed_over_and_noted() {
    let reading = csv("kaggle", &format!("{KAGGLE}{RECORD}"));
    assert_eq!(reading.kept.events[0].kind, EventKind::Queue, "2 is ENABLE, whatever `event` says");
    assert_eq!(
        reading.summary.notes.iter().map(|(note, rows)| (note.as_str(), *rows)).collect::<Vec<_>>(),
        [("columns `event` and `failed` contradict `instance_events_type` and are passed over", 1)]
    );
}

#[test]
fn anomaly_4_none_in_records_is_missing_and_requests_of_0_are_no_requests() {
    let record = RECORD.replace("{'cpus': 0.0206, 'memory': 0.0144}", "{'cpus': 0.0, 'memory': 0.0144}");
    let reading = csv("kaggle", &format!("{KAGGLE}{record}"));
    assert_eq!(reading.kept.events[0].request.memory, None, "both or none");
    assert_eq!(reading.kept.samples[0].2.memory_max, None);
    let empty = RECORD
        .replace("\"{'cpus': 0.0206, 'memory': 0.0144}\"", "")
        .replace("[0.1 0.2 0.3 0.4 0.5 0.6\n 0.7 0.8 0.9]", "[]");
    let reading = csv("kaggle", &format!("{KAGGLE}{empty}"));
    assert_eq!((reading.kept.events[0].request.cpu, reading.kept.samples.len()), (None, 1));
    let broken = RECORD.replace("{'cpus': 0.0206", "{'cpus' 0.0206");
    assert_eq!(csv("kaggle", &format!("{KAGGLE}{broken}")).rejected(), [("nested record is malformed", 1)]);
}

const JOINED: &str = "time,unique_id,collection_id,instance_index,priority,scheduling_class,machine_id,alloc_collection_id,alloc_instance_index,collection_type,avg_cpu_usage,avg_memory_usage,max_cpu_usage,max_memory_usage,random_sample_cpu_usage,assigned_memory,sample_rate,p0_cpu_usage,p10_cpu_usage,p20_cpu_usage,p30_cpu_usage,p40_cpu_usage,p50_cpu_usage,p60_cpu_usage,p70_cpu_usage,p80_cpu_usage,p90_cpu_usage,p91_cpu_usage,p92_cpu_usage,p93_cpu_usage,p94_cpu_usage,p95_cpu_usage,p96_cpu_usage,p97_cpu_usage,p98_cpu_usage,p99_cpu_usage,memory_limit,cpu_limit,abstract_usage,abstract_limit\n";

/// A joined row of task 5/`index` at `seconds`, with (average CPU, maximum CPU) and the rest as given.
struct JoinedRow {
    seconds: u64,
    index: u32,
    alloc: u64,
    kind: u8,
    cpu: (f64, f64),
    assigned: f64,
    rate: f64,
    priority: u32,
}

const ROW: JoinedRow = JoinedRow {
    seconds: 600,
    index: 1,
    alloc: 0,
    kind: 0,
    cpu: (0.25, 0.5),
    assigned: 0.125,
    rate: 1.0,
    priority: 200,
};

impl std::fmt::Display for JoinedRow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seconds, index, alloc, kind, cpu: (mean, maximum), assigned, rate, priority } = self;
        write!(
            formatter,
            "{seconds}000000,5-{index},5,{index},{priority},2,77,{alloc},0,{kind},{mean},0.01,{maximum},0.02,0.2,{assigned},{rate}"
        )?;
        for _ in 0..19 {
            formatter.write_str(",-1.0")?;
        }
        formatter.write_str(",0.0625,0.75,0.0,0.0\n")
    }
}

fn joined(rows: &[JoinedRow]) -> Reading {
    let rows: String = rows.iter().map(ToString::to_string).collect();
    csv("joined", &format!("{JOINED}{rows}"))
}

#[test]
fn joined_windows_end_at_the_next_row_or_on_the_grid() {
    assert_eq!(detect("1-600000000-1500000000.csv.gz", JOINED), Some(("joined", Confidence::Header)));
    let reading = joined(&[
        JoinedRow { seconds: 500, ..ROW },
        ROW,
        JoinedRow { seconds: 850, ..ROW },
        JoinedRow { seconds: 9000, ..ROW },
        JoinedRow { seconds: 9000, index: 2, ..ROW },
    ]);
    let seconds = |micros: Micros| micros.0 / 1_000_000;
    let windows: Vec<_> = reading
        .kept
        .samples
        .iter()
        .map(|(_, workload, sample)| (workload.as_str(), seconds(sample.start), seconds(sample.duration)))
        .collect();
    assert_eq!(
        windows,
        [("5/1", 500, 100), ("5/1", 600, 250), ("5/1", 850, 50), ("5/1", 9000, 300), ("5/2", 9000, 300)]
    );
}

#[test]
fn joined_limits_are_the_requests_in_force() {
    let sample = joined(&[ROW]).kept.samples[0].2;
    assert_eq!((sample.cpu_request, sample.memory_request), (Some(0.75), Some(0.0625)), "memory stands first");
    assert_eq!(sample.memory_limit, Some(0.125));
    assert_eq!((sample.cpu, sample.cpu_max), (Some(0.25), Some(0.5)));
    assert_eq!((sample.memory, sample.memory_max), (Some(0.01), Some(0.02)));
}

#[test]
fn joined_priority_and_class_are_handed_on_when_they_change() {
    let reading = joined(&[ROW, JoinedRow { seconds: 900, ..ROW }, JoinedRow { seconds: 1200, priority: 360, ..ROW }]);
    let facts: Vec<_> = reading.kept.events.iter().map(|event| (event.kind, event.time, event.priority)).collect();
    assert_eq!(
        facts,
        [
            (EventKind::Exists, Some(Micros(600_000_000)), Some(200)),
            (EventKind::Exists, Some(Micros(1_200_000_000)), Some(360))
        ]
    );
    assert_eq!(
        (reading.kept.events[0].class.as_deref(), reading.kept.events[0].machine.as_deref()),
        (Some("2"), Some("77"))
    );
}

#[test]
fn anomaly_5_tasks_in_alloc_sets_are_flagged() {
    let reading = joined(&[JoinedRow { alloc: 330_587_160_469, ..ROW }]);
    assert!(reading.kept.samples[0].2.flags.contains(SampleFlags::IN_ALLOC));
    assert!(reading.kept.events[0].flags.contains(WorkloadFlags::IN_ALLOC));
    assert!(!joined(&[ROW]).kept.samples[0].2.flags.contains(SampleFlags::IN_ALLOC));
}

#[test]
fn anomaly_6_alloc_sets_are_no_workloads() {
    let reason = [("alloc set, not a workload", 1)];
    assert_eq!(joined(&[JoinedRow { kind: 1, ..ROW }]).rejected(), reason);
    let line = LINE.replace(r#""collection_type":"0""#, r#""collection_type":"1""#);
    assert_eq!(json("instance_usage", &line).rejected(), reason);
    let line = r#"{"time":"7","type":"3","collection_id":"5","collection_type":"1"}"#;
    assert_eq!(json("collection_events", line).rejected(), reason);
    assert_eq!(json("instance_events", line).rejected(), reason);
    assert_eq!(csv("kaggle", &format!("{KAGGLE}{}", RECORD.replacen("395,3,0,", "395,3,1,", 1))).rejected(), reason);
}

#[test]
fn anomaly_7_assigned_memory_of_0_is_no_limit() {
    assert_eq!(joined(&[JoinedRow { assigned: 0.0, ..ROW }]).kept.samples[0].2.memory_limit, None);
}

#[test]
fn anomaly_8_and_16_placeholders_of_instances_and_machines_mean_none() {
    let line = |machine: &str| {
        let line = format!(
            r#"{{"time":"7","type":"3","collection_id":"5","machine_id":"{machine}","alloc_collection_id":"0","alloc_instance_index":"-1"}}"#
        );
        json("instance_events", &line).kept.events.remove(0)
    };
    assert_eq!((line("0").machine, line("-1").machine.as_deref()), (None, Some("-1")));
    assert!(!line("0").flags.contains(WorkloadFlags::IN_ALLOC));
    assert_eq!(joined(&[ROW]).kept.samples.len(), 1, "index 0 of a set is passed over");
}

#[test]
fn anomaly_9_fields_left_out_are_at_their_default_and_measurements_missing() {
    let line = r#"{"start_time":"300000000","end_time":"600000000","collection_id":"5","average_usage":{"cpus":0.5}}"#;
    let reading = json("instance_usage", line);
    let (_, workload, sample) = &reading.kept.samples[0];
    assert_eq!((workload.as_str(), sample.cpu, sample.memory), ("5/0", Some(0.5), None));
    assert_eq!((sample.memory_limit, sample.flags.contains(SampleFlags::IN_ALLOC)), (None, false));
    assert_eq!(reading.summary.columns["alloc_instance_index"].empty, 1);
    let reading = json("instance_usage", r#"{"end_time":"600000000","collection_id":"5"}"#);
    assert_eq!(reading.rejected(), [("mandatory cell is empty", 1)]);
    let event = &json("instance_events", r#"{"time":"5","collection_id":"5"}"#).kept.events[0];
    assert_eq!((event.workload.as_str(), event.kind, event.request.cpu), ("5/0", EventKind::Submit, None));
}

const COLLECTIONS: &str = "time,type,collection_id,scheduling_class,missing_type,collection_type,priority,alloc_collection_id,user,collection_name,collection_logical_name,parent_collection_id,start_after_collection_ids,max_per_machine,max_per_switch,vertical_scaling,scheduler\n";

#[test]
fn anomaly_10_blanks_of_pandas_mean_none() {
    assert_eq!(detect("collection_events.csv.gz", COLLECTIONS), Some(("collection_events", Confidence::Name)));
    let text = format!(
        "{COLLECTIONS}0,3,374974548937,1,,0,200,,user,name,logical,,\"[393558560874\n 393558632101]\",,,1,0\n\
         2674842481513,7,374974548937.0,1,3.0,0,200,370539600000.0,user,name,logical,,[],,,,\n"
    );
    let [first, second] = csv("collection_events", &text).kept.groups.try_into().expect("two");
    assert_eq!(
        (first.group.as_str(), first.kind, first.scaling),
        ("374974548937", EventKind::Schedule, Some(Scaling::Off))
    );
    assert_eq!((first.application.as_deref(), first.user.as_deref()), (Some("logical"), Some("user")));
    assert_eq!((second.group.as_str(), second.kind, second.scaling), ("374974548937", EventKind::Kill, None));
}

#[test]
fn anomaly_11_windows_that_come_twice_keep_their_length() {
    let reading = joined(&[ROW, JoinedRow { cpu: (0.0, 0.0), ..ROW }, JoinedRow { seconds: 700, ..ROW }]);
    let durations: Vec<_> = reading.kept.samples.iter().map(|(_, _, sample)| sample.duration.0 / 1_000_000).collect();
    assert_eq!(durations, [100, 100, 200]);
}

#[test]
fn anomaly_12_rows_out_of_order_and_gaps_are_kept() {
    let reading = joined(&[JoinedRow { seconds: 900, ..ROW }, ROW]);
    let durations: Vec<_> = reading.kept.samples.iter().map(|(_, _, sample)| sample.duration.0 / 1_000_000).collect();
    assert_eq!(durations, [300, 300]);
    assert_eq!(
        csv("joined", &format!("{JOINED}{}", ROW.to_string().replace("600000000,", ","))).rejected(),
        [("mandatory cell is empty", 1)]
    );
}

#[test]
fn anomaly_13_percentiles_above_the_maximum_and_of_minus_1_do_not_matter() {
    let row = ROW.to_string().replace(",-1.0,0.0625", ",9.0,0.0625");
    assert_eq!(csv("joined", &format!("{JOINED}{row}")).summary.columns["p99_cpu_usage"].max, Some(9.0));
    assert_eq!(joined(&[ROW]).summary.columns["p0_cpu_usage"].min, Some(-1.0));
}

#[test]
fn anomaly_14_maximum_of_0_beside_a_mean_is_dropped() {
    let sample = joined(&[JoinedRow { cpu: (0.25, 0.0), ..ROW }]).kept.samples[0].2;
    assert_eq!((sample.cpu, sample.cpu_max), (Some(0.25), None));
    assert!(sample.flags.contains(SampleFlags::MAX_DROPPED));
    let sample = joined(&[JoinedRow { cpu: (0.0, 0.0), ..ROW }]).kept.samples[0].2;
    assert_eq!((sample.cpu_max, sample.flags), (Some(0.0), SampleFlags::default()));
}

#[test]
fn anomaly_15_use_above_the_request_is_kept() {
    let sample = joined(&[JoinedRow { cpu: (0.9, 1.5), ..ROW }]).kept.samples[0].2;
    assert_eq!((sample.cpu, sample.cpu_max, sample.cpu_request), (Some(0.9), Some(1.5), Some(0.75)));
}

#[test]
fn anomaly_17_low_sample_rates_are_flagged() {
    assert!(joined(&[JoinedRow { rate: 0.2, ..ROW }]).kept.samples[0].2.flags.contains(SampleFlags::UNDERSAMPLED));
    assert!(!joined(&[JoinedRow { rate: 0.5, ..ROW }]).kept.samples[0].2.flags.contains(SampleFlags::UNDERSAMPLED));
}

#[test]
fn anomaly_18_every_step_of_the_request_is_kept() {
    let row = JoinedRow { seconds: 900, ..ROW }.to_string().replace(",0.0625,0.75,", ",0.0625,0.875,");
    let samples = csv("joined", &format!("{JOINED}{ROW}{row}")).kept.samples;
    assert_eq!([samples[0].2.cpu_request, samples[1].2.cpu_request], [Some(0.75), Some(0.875)]);
}

#[test]
fn anomaly_19_empty_users_and_machines_without_capacity_are_kept() {
    let line = r#"{"time":"5","type":"3","collection_id":"5","user":"","collection_logical_name":null}"#;
    let group = &json("collection_events", line).kept.groups[0];
    assert_eq!((group.user.as_deref(), group.application.as_deref()), (None, None));
    let line = r#"{"time":"0","machine_id":"77","type":"1","capacity":null,"platform_id":"p"}"#;
    assert_eq!(detect("x/machine_events-000000000000.json.gz", line), Some(("machine_events", Confidence::Name)));
    let machine = &json("machine_events", line).kept.machines[0];
    assert_eq!((machine.machine.as_str(), machine.status.as_str(), machine.capacity.cpu), ("77", "ADD", None));
    let machine =
        &json("machine_events", r#"{"machine_id":"77","capacity":{"cpus":0.5,"memory":0.25}}"#).kept.machines[0];
    assert_eq!((machine.status.as_str(), machine.capacity.memory), ("UNKNOWN", Some(0.25)));
}

#[test]
fn event_numbers_are_those_of_this_trace() {
    use EventKind::{Evict, Fail, Finish, Kill, Lost, Queue, Schedule, Submit, Update};
    let kind = |code: u8| {
        let line = format!(r#"{{"time":"5","type":"{code}","collection_id":"5","instance_index":"1"}}"#);
        json("instance_events", &line).kept.events.first().map(|event| event.kind)
    };
    let kinds = [Submit, Queue, Queue, Schedule, Evict, Fail, Finish, Kill, Lost, Update, Update];
    for (code, expected) in (0..).zip(kinds) {
        assert_eq!(kind(code), Some(expected), "{code}");
    }
    assert_eq!(kind(11), None);
}

#[test]
fn made_up_and_inferred_events_are_flagged() {
    let event = |missing: u8, kind: u8, request: &str| {
        let line = format!(r#"{{"time":"5","type":"{kind}","collection_id":"5","missing_type":"{missing}"{request}}}"#);
        json("instance_events", &line).kept.events.remove(0)
    };
    assert!(event(3, 0, "").flags.contains(WorkloadFlags::SYNTHETIC));
    let with_request = event(3, 0, r#","resource_request":{"cpus":0.5,"memory":0.25}"#);
    assert!(!with_request.flags.contains(WorkloadFlags::SYNTHETIC));
    assert_eq!(with_request.request.cpu, Some(0.5));
    assert!(event(2, 7, "").flags.contains(WorkloadFlags::END_CENSORED));
    assert!(event(0, 8, "").flags.contains(WorkloadFlags::END_CENSORED), "LOST");
    assert!(!event(0, 7, "").flags.contains(WorkloadFlags::END_CENSORED));
    assert!(!event(1, 3, "").flags.contains(WorkloadFlags::END_CENSORED), "a start is no end");
}

#[test]
fn nested_and_flattened_exports_give_the_same_sample() {
    let nested = "start_time,end_time,collection_id,instance_index,machine_id,average_usage,maximum_usage,sample_rate\n\
                  600000000,900000000,5,1,77,\"{'cpus': 0.25, 'memory': 0.5}\",\"{'cpus': 0.5, 'memory': None}\",1.0\n";
    let expected = csv("instance_usage", nested);
    assert_eq!((expected.kept.samples[0].2.cpu, expected.kept.samples[0].2.memory), (Some(0.25), Some(0.5)));
    assert_eq!(expected.summary.columns["average_usage.cpus"].max, Some(0.25));
    for (cpu, memory, cpu_max, memory_max) in [
        ("average_usage_cpus", "average_usage_memory", "maximum_usage_cpus", "maximum_usage_memory"),
        ("average_usage.cpus", "average_usage.memory", "maximum_usage.cpus", "maximum_usage.memory"),
        ("average_usage_cpu", "average_usage_mem", "maximum_usage_cpu", "maximum_usage_mem"),
        ("avg_cpu", "avg_mem", "max_cpu", "max_mem"),
    ] {
        let text = format!(
            "start_time,end_time,collection_id,instance_index,machine_id,{cpu},{memory},{cpu_max},{memory_max},sample_rate\n\
             600000000,900000000,5,1,77,0.25,0.5,0.5,,1.0\n"
        );
        assert_eq!(detect("flat.csv", &text), Some(("instance_usage", Confidence::Header)));
        let reading = csv("instance_usage", &text);
        assert_eq!(reading.kept.samples, expected.kept.samples, "{cpu}");
        assert!(!reading.summary.columns.contains_key("average_usage"));
    }
}

#[test]
fn flattened_instance_events_are_read() {
    let text = "time,type,collection_id,instance_index,machine_id,resource_request_cpus,resource_request_memory,constraint_names\n\
                7,3,5,1,0,0.25,0.5,a|b\n8,6,5,1,0,0,0,\n";
    assert_eq!(detect("flat.csv", text), Some(("instance_events", Confidence::Header)));
    let [start, end] = csv("instance_events", text).kept.events.try_into().expect("two");
    assert_eq!((start.kind, start.request.cpu, start.request.memory), (EventKind::Schedule, Some(0.25), Some(0.5)));
    assert_eq!((end.kind, end.request.cpu), (EventKind::Finish, None));
}

#[test]
fn one_task_a_file_takes_its_identifiers_from_the_path() {
    let text = "start_time,end_time,avg_cpu_usage,avg_mem_usage,max_cpu_usage,max_mem_usage\n600000000,900000000,0.25,0.5,0.75,1.0\n";
    let path = "usage/330587238433/111.csv.gz";
    assert_eq!(detect(path, text), Some(("per_task", Confidence::Name)));
    let reading = read(&Google2019, "per_task", path, 0, text);
    let (_, workload, sample) = &reading.kept.samples[0];
    assert_eq!((workload.as_str(), sample.cpu, sample.memory_max), ("330587238433/111", Some(0.25), Some(1.0)));
    let reading = read(&Google2019, "per_task", "usage/task.csv", 0, text);
    assert!(reading.error().contains("its path has to end in `COLLECTION/INDEX.csv`"), "{}", reading.error());
}

#[test]
fn tables_are_recognised_by_fields_and_names() {
    assert_eq!(
        detect("clusterdata/instance_usage-000000000000.json.gz", LINE),
        Some(("instance_usage", Confidence::Name))
    );
    assert_eq!(detect("shard.jsonl", LINE), Some(("instance_usage", Confidence::Header)));
    let event = r#"{"time":"5","type":"3","collection_id":"5"}"#;
    assert_eq!(detect("instance_events-000000000000.json.gz", event), Some(("instance_events", Confidence::Name)));
    assert_eq!(detect("x.json", event), Some(("collection_events", Confidence::Header)));
    let attribute = r#"{"time":"5","machine_id":"3","name":"a","value":"b"}"#;
    assert_eq!(
        detect("machine_attributes-000000000000.json.gz", attribute),
        Some(("machine_attributes", Confidence::Name))
    );
    assert_eq!(json("machine_attributes", attribute).summary.notes.values().sum::<u64>(), 1);
    for foreign in [
        "PAR1",
        r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
        "600000000,900000000,3418309,0,4155527081,0.001562\n",
        "workload,time_s,cpu_cores,memory_bytes\n",
        "time,machine_id,event_type,platform_id,cpus,memory\n",
    ] {
        assert_eq!(detect("machine_events/part-00000-of-00001.csv", foreign), None, "{foreign}");
    }
}

#[test]
fn parquet_shards_and_unknown_tables_are_named() {
    let options = crate::trace::ReadOptions::default();
    let head = Head { path: "x/instance_usage-000000000000.parquet.gz", bytes: b"PAR1", options: &options };
    let detected = crate::trace::detect::detect(&head, Some(&Google2019));
    let error = detected.err().map(|error| error.to_string()).expect("it is not read");
    assert!(error.contains("get the JSON Lines of `instance_usage` from the same bucket"), "{error}");
    let error = csv("trace", "a,b\n").error();
    assert_eq!(error, "cannot tell the format of `export.csv`: `google-2019` has no table `trace`");
}
