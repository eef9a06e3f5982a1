use super::Google2011;
use crate::trace::testing::{self, Reading, read};
use crate::trace::{Confidence, Dataset, EventKind, Format, SampleFlags, WorkloadFlags};
use crate::units::Micros;

const USER: &str = "70s3v5qRyCO0PCdI6fVXnrW8FU/w+5CKRSa72xgcIIo=";

fn usage(text: &str) -> Reading {
    read(&Google2011, "task_usage", "task_usage/part-00000-of-00500.csv.gz", 0, text)
}

fn tasks(text: &str) -> Reading {
    read(&Google2011, "task_events", "task_events/part-00007-of-00500.csv.gz", 7, text)
}

fn detect(path: &str, text: &str) -> Option<(&'static str, Confidence)> {
    testing::detect(&Google2011, path, text)
}

const WINDOW: &str = "600000000,900000000,3418309,0,4155527081,0.001562,0.06787,0.07568,0.001156,0.001503,0.06787,\
                      2.861e-06,0.0001869,0.03967,0.0003567,2.445,0.007243,0,1,0";

#[test]
fn window_becomes_a_sample_of_its_task() {
    let reading = usage(&format!("{WINDOW}\n"));
    let [(dataset, workload, sample)] = reading.kept.samples.as_slice() else { panic!("one sample") };
    assert_eq!((*dataset, workload.as_str()), (Dataset::Usage, "3418309/0"));
    assert_eq!((sample.start, sample.duration), (Micros(600_000_000), Micros(300_000_000)));
    assert_eq!((sample.cpu, sample.cpu_max), (Some(0.001_562), Some(0.03967)));
    assert_eq!((sample.memory, sample.memory_max), (Some(0.06787), Some(0.06787)));
    assert_eq!(sample.disk_busy, Some(2.861e-06));
    assert_eq!((sample.memory_limit, sample.cpu_request, sample.network_received), (None, None, None));
    assert_eq!(Google2011.group_of(workload), Some("3418309"));
}

#[test]
fn first_edition_of_nineteen_columns_is_read() {
    let row = WINDOW.strip_suffix(",0").expect("it ends so");
    assert_eq!(usage(&format!("{row}\n")).kept.samples.len(), 1);
    assert_eq!(detect("part-00000-of-00500.csv.gz", &format!("{row}\n")), Some(("task_usage", Confidence::Cells)));
}

#[test]
fn anomaly_1_submit_and_schedule_of_time_0_keep_both_requests_in_file_order() {
    let text = format!(
        "0,,3418314,0,3938719206,0,{USER},3,9,0.125,0.07446,0.0004244,0\n\
         0,,3418314,0,3938719206,1,{USER},3,9,0.0625,0.09473,0.0004702,0\n"
    );
    let [submit, schedule] = tasks(&text).kept.events.try_into().expect("two events");
    assert_eq!((submit.kind, submit.request.cpu, submit.time), (EventKind::Submit, Some(0.125), Some(Micros(0))));
    assert_eq!((schedule.kind, schedule.request.cpu), (EventKind::Schedule, Some(0.0625)));
    assert!(submit.sequence < schedule.sequence, "the later line counts");
    let earlier_part = read(&Google2011, "task_events", "task_events/part-00006-of-00500.csv.gz", 6, &text);
    assert!(earlier_part.kept.events[1].sequence < submit.sequence, "the later part counts");
    assert_eq!(schedule.workload, "3418314/0");
    assert_eq!((schedule.class.as_deref(), schedule.priority), (Some("3"), Some(9)));
    assert_eq!((schedule.machine.as_deref(), schedule.user.as_deref()), (Some("3938719206"), Some(USER)));
}

#[test]
fn anomaly_2_missing_info_2_is_synthetic_and_never_the_request() {
    let text = format!(
        "0,2,3418309,0,4155527081,0,{USER},3,9,,,,\n\
         0,2,3418309,1,4155527081,0,{USER},3,9,0.5,0.5,0.5,0\n"
    );
    for event in tasks(&text).kept.events {
        assert!(event.flags.contains(WorkloadFlags::SYNTHETIC));
        assert_eq!((event.request.cpu, event.request.memory, event.request.disk), (None, None, None));
    }
}

#[test]
fn anomaly_3_request_of_0_is_kept_as_0() {
    let reading = tasks(&format!("5,,1,0,,0,{USER},0,0,0,0,0,0\n"));
    assert_eq!(reading.kept.events[0].request.cpu, Some(0.0));
    assert_eq!(reading.kept.events[0].request.memory, Some(0.0));
    assert_eq!(reading.kept.events[0].machine, None);
}

#[test]
fn anomaly_4_and_8_use_above_the_request_and_use_of_0_are_kept() {
    let text = "600000000,900000000,1,0,5,0,0,0,0,0,0,0,0,0,0,,,0,0,0\n600000000,900000000,1,1,5,0.9,1.5,0,0,0,2.0,0,0,1,0,,,0,0,0\n";
    let samples = usage(text).kept.samples;
    assert_eq!((samples[0].2.cpu, samples[0].2.memory_max), (Some(0.0), Some(0.0)));
    assert_eq!((samples[1].2.memory, samples[1].2.memory_max), (Some(1.5), Some(2.0)));
}

#[test]
fn anomaly_6_short_windows_keep_their_length() {
    let sample = usage(&WINDOW.replace("900000000", "891000000")).kept.samples[0].2;
    assert_eq!(sample.duration, Micros(291_000_000));
    let reading = usage(&WINDOW.replace("600000000,900000000", "900000000,600000000"));
    assert_eq!(reading.rejected(), [("window ends before it starts", 1)]);
}

#[test]
fn anomaly_9_impossible_counters_are_flagged() {
    let is_flagged = |text: &str| usage(text).kept.samples[0].2.flags.contains(SampleFlags::COUNTER_DROPPED);
    assert!(!is_flagged(WINDOW));
    assert!(is_flagged(&WINDOW.replace(",2.445,", ",24000,")));
    assert!(is_flagged(&WINDOW.replace(",0.007243,", ",1.5,")));
    assert!(is_flagged(&WINDOW.replace(",0.001562,", ",1e-7,")), "too little CPU to count instructions");
    assert!(!is_flagged(&WINDOW.replace(",2.445,0.007243,", ",,,")));
}

#[test]
fn anomaly_10_missing_disk_time_is_missing() {
    assert_eq!(usage(&WINDOW.replace(",2.861e-06,", ",,")).kept.samples[0].2.disk_busy, None);
}

#[test]
fn anomaly_11_maxima_that_are_sums_are_flagged() {
    assert!(usage(WINDOW).kept.samples[0].2.flags.contains(SampleFlags::MAX_IS_SUM));
    let row = WINDOW.replace(",0,1,0", ",0,0,0");
    assert!(!usage(&row).kept.samples[0].2.flags.contains(SampleFlags::MAX_IS_SUM));
}

#[test]
fn anomaly_12_end_of_time_is_no_time_and_lossy_times_are_refused() {
    for end in ["9223372036854775807", "9.223372036854776E18"] {
        assert_eq!(tasks(&format!("{end},,1,0,,4,{USER},0,0,,,,\n")).kept.events[0].time, None);
    }
    let reading = tasks(&format!("92233720368547758070,,1,0,,4,{USER},0,0,,,,\n"));
    assert!(reading.error().contains("a time does not fit 64 bits\n  at row 1, column `time`"), "{}", reading.error());
    let reading = usage(&WINDOW.replace("900000000", "9223372036854775807"));
    assert_eq!(reading.rejected(), [("window lies after the trace", 1)]);
}

#[test]
fn anomaly_14_and_5_jobs_and_restarts_keep_their_keys() {
    let text = "7,,6253771429,0,u,1,name,logical\n8,,6253771429,5,u,1,name,logical\n9,,6253771429,0,u,1,name,logical\n";
    let groups = read(&Google2011, "job_events", "job_events/part-00000-of-00500.csv.gz", 0, text).kept.groups;
    assert!(groups.iter().all(|group| group.group == "6253771429"));
    assert_eq!(groups[1].kind, EventKind::Kill);
    assert_eq!((groups[0].application.as_deref(), groups[0].user.as_deref()), (Some("logical"), Some("u")));
}

#[test]
fn anomaly_15_lost_and_inferred_ends_are_censored() {
    let flags =
        |missing: &str, kind: &str| tasks(&format!("5,{missing},1,0,,{kind},{USER},0,0,,,,\n")).kept.events[0].flags;
    assert!(flags("", "6").contains(WorkloadFlags::END_CENSORED), "LOST");
    assert!(flags("1", "4").contains(WorkloadFlags::END_CENSORED));
    assert!(!flags("", "4").contains(WorkloadFlags::END_CENSORED));
    assert!(!flags("1", "1").contains(WorkloadFlags::END_CENSORED), "a start is no end");
}

#[test]
fn anomaly_16_machines_without_capacity_are_kept_without() {
    let text = format!("0,5,0,{USER},0.5,0.2493\n113019603442,6264344062,0,{USER},,\n9,5,1,{USER},0.5,0.2493\n");
    let machines =
        read(&Google2011, "machine_events", "machine_events/part-00000-of-00001.csv.gz", 0, &text).kept.machines;
    assert_eq!((machines[0].machine.as_str(), machines[0].capacity.memory), ("5", Some(0.2493)));
    assert_eq!((machines[1].capacity.cpu, machines[1].capacity.memory), (None, None));
    assert_eq!((machines[0].status.as_str(), machines[2].status.as_str()), ("ADD", "REMOVE"));
    assert_eq!(machines[0].platform.as_deref(), Some(USER));
}

#[test]
fn anomaly_17_cut_rows_are_kept_when_only_optional_fields_are_gone() {
    let cut = WINDOW.strip_suffix("7243,0,1,0").expect("it ends so");
    let reading = usage(&format!("{cut},,,"));
    assert_eq!((reading.kept.samples.len(), reading.summary.ends_without_newline), (1, true));
    assert_eq!(usage(&format!("{WINDOW}\n600000000,9000")).rejected(), [("wrong number of fields", 1)]);
    let attribute = format!("0,5,{USER},1,0\n0,5,{USER},1,");
    let reading = read(&Google2011, "machine_attributes", "machine_attributes.csv", 0, &attribute);
    assert_eq!(reading.rejected(), [("mandatory cell is empty", 1)]);
    assert_eq!(reading.summary.notes.values().copied().collect::<Vec<_>>(), [1]);
}

#[test]
fn anomaly_18_copies_with_other_names_and_headers_are_recognised() {
    let header = "# stime,etime,jID,tID,mID,CPU_rate,canonical_mem,assigned_mem,unmapped_page_cache,total_page_cache,\
                  max_mem_usage,disk_IO,disk_usage,max_CPU,max_disk_IO_time,CPI,MPI,sample_portion,agg_type,sample_CPU";
    let text = format!("{header}\n{WINDOW}\n");
    assert_eq!(detect("copy.csv", &text), Some(("task_usage", Confidence::Header)));
    let sample = usage(&text).kept.samples[0].2;
    assert_eq!((sample.cpu_max, sample.memory_max, sample.cpu), (Some(0.03967), Some(0.06787), Some(0.001_562)));
    assert_eq!(
        detect("task_usage-part-00000-of-00500.csv", &format!("{WINDOW}\n")),
        Some(("task_usage", Confidence::Name))
    );
    assert_eq!(detect("copy.csv", &format!("unknown,names,only\n{WINDOW}\n")), Some(("task_usage", Confidence::Cells)));
    assert_eq!(detect("task_usage.csv", "unknown,names,only\n1,2,3\n"), None, "refused");
    let official = "time,missing info,job ID,task index,machine ID,event type,user,scheduling class,priority,CPU request,\
                    memory request,disk space request,different machines restriction\n";
    assert_eq!(detect("x/task_events/part-00000-of-00500.csv", official), Some(("task_events", Confidence::Name)));
}

#[test]
fn each_table_is_recognised_by_its_cells() {
    for (table, row) in [
        ("task_events", format!("0,,3418314,0,3938719206,0,{USER},3,9,0.125,0.07446,0.0004244,0\n")),
        ("job_events", format!("0,,3418309,0,{USER},3,{USER},{USER}\n")),
        ("machine_events", format!("0,5,0,{USER},0.5,0.2493\n")),
        ("machine_attributes", format!("0,5,{USER},1,0\n")),
        ("task_constraints", format!("600,3418309,0,1,{USER},1\n")),
    ] {
        assert_eq!(detect("part-00000-of-00500.csv.gz", &row), Some((table, Confidence::Cells)));
        assert_eq!(detect(&format!("trace/{table}/part-00000-of-00500.csv.gz"), &row), Some((table, Confidence::Name)));
    }
    for foreign in
        ["{\"time\":\"0\"}\n", "PAR1", "c_1,m_2556,86610,12,88,,,,1.22,1.15,7\n", "a,b\n1,2\n", "0,1,2,3,4,5\n"]
    {
        assert_eq!(detect("part-00000.csv", foreign), None, "{foreign}");
    }
    let columns_of_2019 = "time,machine_id,type,switch_id,capacity,platform_id,missing_data_reason\n0,1,1,,,,\n";
    assert_eq!(detect("machine_events.csv", columns_of_2019), None);
}

#[test]
fn schema_of_another_column_order_is_refused() {
    let header = "file pattern,field number,content,format,mandatory\n";
    let good = format!("{header}task_usage/part-?????-of-?????.csv.gz,6,CPU rate,FLOAT,NO\n");
    assert_eq!(detect("schema.csv", &good), Some(("schema", Confidence::Name)));
    assert!(read(&Google2011, "schema", "schema.csv", 0, &good).outcome.is_ok());
    let swapped = good.replace(",6,CPU rate", ",6,canonical memory usage");
    let reading = read(&Google2011, "schema", "schema.csv", 0, &swapped);
    let error = reading.error();
    assert!(error.contains("it puts `canonical memory usage` where field 6 of `task_usage` is `cpu_rate`"), "{error}");
}

#[test]
fn rows_that_make_no_sense_are_rejected_by_reason() {
    assert_eq!(usage(&WINDOW.replace(",0.001562,", ",-0.001562,")).rejected(), [("value is negative", 1)]);
    assert_eq!(usage(&WINDOW.replace(",0.001562,", ",NaN,")).rejected(), [("number is not finite", 1)]);
    assert_eq!(usage(&WINDOW.replace("3418309,0", "3418309,-1")).rejected(), [("identifier is negative", 1)]);
    assert_eq!(tasks(&format!("5,,1,0,,9,{USER},0,0,,,,\n")).rejected(), [("unknown event type", 1)]);
    assert_eq!(tasks(&format!("5,,1,0,,0,{USER},0,0,-1,,,\n")).rejected(), [("value is negative", 1)]);
}

#[test]
fn identifiers_that_lost_digits_are_refused() {
    let reading = usage(&WINDOW.replace("3418309", "6.25377E+09"));
    assert!(reading.error().contains("at row 1, column `job_id`: found `6.25377E+09`"), "{}", reading.error());
}
