//! Headers, mappings and the table of workloads.

use super::*;
use crate::trace::testing::Event;

const TASKS: &str = "id,task,start_unix_s,duration_s,samples,requested_cpus,requested_mem_bytes\n\
                     1,bwa,1685665774.641,1469.5,729,8,17179869184\n";
const TASK_MAP: [&str; 5] = [
    "workload=id",
    "application=task",
    "requested_cpu_cores=requested_cpus",
    "requested_memory_bytes=requested_mem_bytes",
    "start_s=start_unix_s",
];

fn events(reading: &Reading) -> Vec<&Event> {
    if let Err(error) = &reading.outcome {
        panic!("{error}");
    }
    reading.kept.events.iter().collect()
}

#[test]
fn every_fact_of_a_workload_is_read() {
    let text = "workload,application,user,priority,class,start_s,end_s,requested_cpu_cores,requested_memory_bytes,\
                limit_cpu_cores,limit_memory_bytes,files,kind of work\n\
                a,shop,me,-5,batch,100,2024-05-21 12:00:00,0.5,1024,2,4096,7,\"sorting, mostly\"\n";
    let reading = workloads(&[], text);
    let [start, end] = events(&reading)[..] else { panic!("a start and an end") };
    assert_eq!(
        (start.workload.as_str(), start.kind, start.time),
        ("a", EventKind::Schedule, Some(Micros(100_000_000)))
    );
    assert_eq!(start.request, Amounts { cpu: Some(0.5), memory: Some(1024.0), disk: None });
    assert_eq!(start.limit, Amounts { cpu: Some(2.0), memory: Some(4096.0), disk: None });
    let texts = [&start.application, &start.user, &start.class].map(|text| text.as_deref());
    assert_eq!((texts, start.priority), ([Some("shop"), Some("me"), Some("batch")], Some(-5)));
    let labels = [("files", "7"), ("kind of work", "sorting, mostly")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(start.labels, labels);
    assert_eq!((end.kind, end.time), (EventKind::Finish, Some(Micros(1_716_292_800_000_000))));
    assert!(start.sequence < end.sequence);
    assert_eq!(reading.summary.columns["application"].counts["shop"], 1);
    assert_eq!(reading.summary.columns["files"].max, Some(7.0));
}

#[test]
fn a_duration_gives_the_end_and_ignored_columns_are_no_labels() {
    let reading = workloads(&[&TASK_MAP[..], &["ignore=samples"]].concat(), TASKS);
    let [start, end] = events(&reading)[..] else { panic!("a start and an end") };
    assert_eq!(start.time, Some(Micros(1_685_665_774_641_000)));
    assert_eq!(end.time, Some(Micros(1_685_667_244_141_000)));
    assert_eq!(start.labels, []);
    assert_eq!(start.request, Amounts { cpu: Some(8.0), memory: Some(17_179_869_184.0), disk: None });
    assert!(!reading.summary.columns.contains_key("samples"));
    let reading = workloads(&TASK_MAP, TASKS);
    assert_eq!(events(&reading)[0].labels, [("samples".to_owned(), "729".to_owned())]);
}

#[test]
fn workloads_without_times_exist() {
    let reading = workloads(&[], "workload,duration_s,requested_cpu_cores,limit_cpu_cores\na,5,1,\nb,,0,0\n");
    let [one, other] = events(&reading)[..] else { panic!("no ends") };
    assert_eq!((one.kind, one.time, one.request.cpu), (EventKind::Exists, Some(Micros::ZERO), Some(1.0)));
    assert_eq!((other.request, other.limit), (Amounts::default(), Amounts::default()), "0 is no request");
    assert_eq!(reading.summary.notes["a duration without a start gives no end"], 1);
}

#[test]
fn impossible_facts_are_rejected_or_left_out() {
    let text = "workload,start_s,end_s,requested_cpu_cores,priority\n\
                a,5,1,1,1\nb,0,1,-1,1\nc,0,1,1,high\nd,0,1,1,0.5\n,0,1,1,1\n";
    let reading = workloads(&[], text);
    assert_eq!(
        reading.rejected(),
        [("mandatory cell is empty", 1), ("negative request or limit", 1), ("not a number", 1), ("not an integer", 1)]
    );
    assert_eq!(events(&reading).len(), 1, "an end before the start is no end");
    assert_eq!(reading.summary.notes["the end lies before the start and was left out"], 1);
}

#[test]
fn tables_are_known_by_their_header() {
    let is = |map: &[&str], text: &str| detect(map, text).map(|(table, _)| table);
    assert_eq!(is(&[], "workload,time_s,cpu_cores\n"), Some("series"));
    assert_eq!(is(&[], "memory_bytes,offset_s\n"), Some("series"));
    assert_eq!(is(&[], "time_s,cpu_of_request\n"), Some("series"));
    assert_eq!(is(&[], "workload,requested_cpu_cores\n"), Some("workloads"));
    assert_eq!(is(&TASK_MAP, TASKS), Some("workloads"));
    assert_eq!(is(&["offset_s=t_s", "cpu_cores=cpu_pct/100", "workload=id"], "id,t_s,cpu_pct\n"), Some("series"));
    for nothing in ["id,t_s,cpu_pct\n", "1,2,3\n", "{\"a\":1}\n", "workload,x\n", "time_s,x\n", "cpu_cores\n", "# x\n"]
    {
        assert_eq!(is(&[], nothing), None, "{nothing}");
    }
}

#[test]
fn what_is_no_table_is_explained_with_its_columns() {
    let none = ReadOptions::default();
    let why = |text: &str| Table.mismatch(&Head { path: "x.csv", bytes: text.as_bytes(), options: &none });
    assert_eq!(
        why("id,t_s,cpu_pct\n1,2,3\n").as_deref(),
        Some(
            "its columns are `id`, `t_s`, `cpu_pct`; say which is which with `--map time_s=COLUMN \
             --map cpu_cores=COLUMN`"
        )
    );
    let wrong = options(&["workload=id", "time_s=t"]);
    let head = Head { path: "x.csv", bytes: b"id,t_s,cpu_pct\n", options: &wrong };
    assert_eq!(
        Table.mismatch(&head).as_deref(),
        Some("there is no column `t`, which `--map time_s=t` names; the columns are `id`, `t_s`, `cpu_pct`")
    );
    assert_eq!(why("1,2,3\n"), None);
    assert_eq!(why("{\"a\":1,\"b\":2}\n"), None);
}

#[test]
fn columns_that_are_missing_are_named() {
    let text = "workload,time_s,cpu_cores\na,0,1\n";
    assert_eq!(
        series(&["cpu_cores_max=peak"], text).error(),
        "`series.csv`: there is no column `peak`, which `--map cpu_cores_max=peak` names; the columns are `workload`, \
         `time_s`, `cpu_cores`"
    );
    assert_eq!(
        series(&["workload=id"], "name,time_s,cpu_cores\n").error(),
        "`series.csv`: there is no column `id`, which `--map workload=id` names; the columns are `name`, `time_s`, \
         `cpu_cores`"
    );
    assert!(series(&[], "workload,t,cpu_cores\n").error().contains("there is no column `time_s` (or `offset_s`"));
    assert!(series(&[], "workload,time_s,x\n").error().contains("no column `cpu_cores` or `memory_bytes`"));
    assert!(
        workloads(&[], "id,user\n").error().contains("there is no column `workload`; the columns are `id`, `user`")
    );
    assert_eq!(series(&[], "# nothing\n").error(), "`series.csv`: there is no header that names the columns");
    // A mapping for the other table, and one that the table's own name fulfils, are no errors.
    assert_eq!(samples(&series(&["requested_cpu_cores=cpus", "application=task", "workload=id"], text)).len(), 1);
    // Of two columns for one target the one that the file has counts.
    assert_eq!(samples(&series(&["cpu_cores=a", "cpu_cores=b*2"], "time_s,b\n0,1\n"))[0].1.cpu, Some(2.0));
}

#[test]
fn a_cut_file_is_noticed() {
    assert!(series(&[], "time_s,cpu_cores\n0,1\n2,1").summary.ends_without_newline);
    assert!(!series(&[], "time_s,cpu_cores\n0,1\n2,1\n").summary.ends_without_newline);
}
