//! One test per anomaly of the format's document that a reader can see, and per form that a table comes in.

mod forms;
mod parquet;

use super::*;
use crate::trace::testing::{self, Reading};
use crate::trace::{Amounts, Dataset, EventKind, ReadOptions, Sample, SampleFlags};
use crate::units::Micros;

fn options(map: &[&str]) -> ReadOptions {
    ReadOptions { map: map.iter().map(|entry| entry.parse().expect("a mapping")).collect() }
}

/// Reads `text` as a series through a mapping.
fn series(map: &[&str], text: &str) -> Reading {
    let mut bytes = text.as_bytes();
    testing::read_input(&Table, plan::SERIES, "series.csv", 0, &options(map), Input::Text(&mut bytes))
}

/// Reads `text` as the table of workloads.
fn workloads(map: &[&str], text: &str) -> Reading {
    let mut bytes = text.as_bytes();
    testing::read_input(&Table, plan::WORKLOADS, "workloads.csv", 0, &options(map), Input::Text(&mut bytes))
}

fn detect(map: &[&str], text: &str) -> Option<(&'static str, Confidence)> {
    Table.detect(&Head { path: "some.csv", bytes: text.as_bytes(), options: &options(map) })
}

/// Returns the samples of a reading that kept every row.
fn samples(reading: &Reading) -> Vec<(&str, Sample)> {
    if let Err(error) = &reading.outcome {
        panic!("{error}");
    }
    assert_eq!(reading.rejected(), []);
    assert!(reading.kept.samples.iter().all(|(dataset, _, _)| *dataset == Dataset::Usage));
    reading.kept.samples.iter().map(|(_, workload, sample)| (workload.as_str(), *sample)).collect()
}

/// Returns the refusal's text and hint.
fn refusal(reading: &Reading) -> (String, String) {
    match &reading.outcome {
        Err(TraceError::Refused(refusal)) => (refusal.to_string(), refusal.hint.clone()),
        other => panic!("it should be refused: {other:?}"),
    }
}

#[test]
fn every_column_of_a_series_is_read() {
    let header = "workload,time_s,interval_s,cpu_cores,cpu_cores_max,memory_bytes,memory_bytes_max,net_rx_bytes_per_s,\
                  net_tx_bytes_per_s,disk_read_bytes_per_s,disk_write_bytes_per_s,cpu_throttled_ratio,\
                  requested_cpu_cores,requested_memory_bytes,limit_memory_bytes,something_else\n";
    let reading = series(&[], &format!("{header}a,100,2,0.5,1,1024,2048,3,4,5,6,0.25,2,4096,8192,x\n"));
    let expected = Sample {
        start: Micros::from_seconds(100),
        duration: Micros::from_seconds(2),
        cpu: Some(0.5),
        cpu_max: Some(1.0),
        memory: Some(1024.0),
        memory_max: Some(2048.0),
        network_received: Some(3.0),
        network_transmitted: Some(4.0),
        disk_read: Some(5.0),
        disk_written: Some(6.0),
        disk_busy: None,
        cpu_throttled: Some(0.25),
        cpu_request: Some(2.0),
        memory_request: Some(4096.0),
        memory_limit: Some(8192.0),
        flags: SampleFlags::default(),
    };
    assert_eq!(samples(&reading), [("a", expected)]);
    assert!(!reading.summary.columns.contains_key("something_else"), "columns that are not used are passed over");
}

#[test]
fn mapped_columns_are_converted_and_summed_up_in_their_own_unit() {
    let map = ["workload=id", "offset_s=t_s", "cpu_cores=cpu_pct/100", "memory_bytes=mem_mib*1048576"];
    let reading = series(&map, "mem_mib,id,cpu_pct,t_s\n2.5,7,128.2181,4\n");
    let expected = Sample {
        start: Micros::from_seconds(4),
        cpu: Some(128.2181 / 100.0),
        memory: Some(2_621_440.0),
        flags: SampleFlags::RELATIVE_TIME,
        ..Sample::default()
    };
    assert_eq!(samples(&reading), [("7", expected)]);
    assert_eq!(reading.summary.columns["cpu_pct"].max, Some(128.2181));
    assert_eq!(reading.summary.columns["t_s"].max, Some(4.0));
}

#[test]
fn times_in_every_unit_are_the_same_time() {
    let instant = Micros(1_716_292_800_250_000);
    for (map, time) in [
        ("time_s=t", "1716292800.25"),
        ("time_s=t/1000", "1716292800250"),
        ("time_s=t/1e6", "1716292800250000"),
        ("time_s=t/1000000000", "1716292800250000000"),
        ("time_s=t", "2024-05-21T12:00:00.25Z"),
        ("time_s=t", "2024-05-21T14:00:00.250+02:00"),
        ("time_s=t", "2024-05-21 12:00:00.25"),
    ] {
        let reading = series(&[map], &format!("workload,t,cpu_cores\na,{time},1\n"));
        assert_eq!(samples(&reading)[0].1.start, instant, "{map} {time}");
    }
    // What a double cannot hold: 1 µs in nanoseconds since 1970.
    let reading = series(&["time_s=t/1e9"], "workload,t,cpu_cores\na,1716292800250001000,1\n");
    assert_eq!(samples(&reading)[0].1.start, instant.plus(Micros(1)));
}

#[test]
fn anomaly_1_magnitudes_that_contradict_the_unit_are_refused() {
    let (text, hint) = refusal(&series(&[], "workload,time_s,cpu_cores\na,1686189709162,1\n"));
    assert_eq!(
        text,
        "`series.csv` cannot be used: read as seconds, a time lies after the year 5000; read as milliseconds it is \
         2023-06-08T02:01:49.162Z\n  at row 1, column `time_s`: found `1686189709162`"
    );
    assert_eq!(hint, "the column holds milliseconds: divide it by 1000, as in `--map time_s=COLUMN/1000`");
    for (stamp, unit) in [("1686189709162000", "microseconds"), ("1686189709162000000", "nanoseconds")] {
        let (text, _) = refusal(&series(&[], &format!("workload,time_s,cpu_cores\na,{stamp},1\n")));
        assert!(text.contains(&format!("read as {unit} it is 2023-06-08T02:01:49.162Z")), "{text}");
    }
    let (text, hint) = refusal(&series(&["memory_bytes=mem*1048576"], "workload,time_s,mem\na,0,1e9\n"));
    assert!(text.contains("a workload uses 954 TiB of memory; read as bytes it is 953.7 MiB"), "{text}");
    assert_eq!(hint, "if the column holds bytes, map it without a factor, as in `--map memory_bytes=COLUMN`");
    let (text, _) = refusal(&series(&[], "workload,time_s,cpu_cores\na,0,250000000\n"));
    assert!(text.contains("a workload uses 250000000 cores"), "{text}");
    let (text, _) = refusal(&workloads(&[], "workload,start_s\na,1686189709162\n"));
    assert!(text.contains("column `start_s`"), "{text}");
}

#[test]
fn anomaly_2_marks_line_ends_delimiters_commas_quotes_and_comments_are_understood() {
    let expected = Sample { start: Micros::from_seconds(10), cpu: Some(0.5), memory: Some(100.0), ..Sample::default() };
    for text in [
        "\u{feff}workload,time_s,cpu_cores,memory_bytes\r\na,10,0.5,100\r\n",
        "workload;time_s;cpu_cores;memory_bytes\na;10;0,5;100\n",
        "workload\ttime_s\tcpu_cores\tmemory_bytes\na\t10\t0.5\t100\n",
        "\"workload\",\"time_s\",\"cpu_cores\",\"memory_bytes\"\n\"a\",\"10\",\"0.5\",\"100\"\n",
        "# made by hand\n# of this and that\nworkload,time_s,cpu_cores,memory_bytes\n# a comment\na,10,0.5,100\n",
        "#workload,time_s,cpu_cores,memory_bytes\na,10,0.5,100\n",
        "sep=;\nworkload;time_s;cpu_cores;memory_bytes\na;10;0,5;100\n",
        "\n\nWorkload, Time_S, CPU_cores, memory_bytes\n\na, 10, 0.5, 100\n\n",
        "workload,time_s,cpu_cores,memory_bytes\na,10,0.5,100\nworkload,time_s,cpu_cores,memory_bytes\n",
    ] {
        assert_eq!(samples(&series(&[], text)), [("a", expected)], "{text}");
        assert_eq!(detect(&[], text), Some(("series", Confidence::Header)), "{text}");
    }
}

#[test]
fn anomaly_2_what_is_ambiguous_is_rejected() {
    let text = "workload;time_s;cpu_cores;memory_bytes\na;1;0,5;100\na;2;0.5;100\na;3;0,5;1.000,5\na;4;1,000,000;1\n";
    let reading = series(&[], text);
    assert_eq!(reading.rejected(), [("decimal commas and points are mixed", 1), ("not a number", 2)]);
    let reading = series(&[], "workload,time_s,cpu_cores\na,1,\"0,5\"\n");
    assert_eq!(reading.rejected(), [("not a number", 1)]);
}

#[test]
fn anomaly_3_use_as_a_share_of_the_request_is_flagged() {
    let map = ["cpu_of_request=cpu_percent/100", "memory_of_request=mem_percent/100"];
    let reading = series(&map, "workload,time_s,cpu_percent,mem_percent\na,0,150,50\n");
    let sample = samples(&reading)[0].1;
    assert_eq!((sample.cpu, sample.memory), (Some(1.5), Some(0.5)));
    assert_eq!(sample.flags, SampleFlags::CPU_OF_REQUEST.with(SampleFlags::MEMORY_OF_REQUEST));
}

#[test]
fn anomaly_4_duplicates_are_handed_on_in_file_order() {
    // Which of them counts is decided where all files come together.
    let reading = series(&[], "workload,time_s,cpu_cores\na,0,1\na,0,2\n");
    let cpus: Vec<Option<f64>> = samples(&reading).iter().map(|(_, sample)| sample.cpu).collect();
    assert_eq!(cpus, [Some(1.0), Some(2.0)]);
}

#[test]
fn anomaly_5_slightly_negative_use_is_0_and_more_is_rejected() {
    let reading = series(
        &["cpu_cores=pct/100", "memory_bytes=mib*1048576"],
        "workload,time_s,pct,mib\na,0,-0.0001,1\na,1,-1,1\na,2,1000,1\na,3,-0.9,1\na,4,-1.1,1\na,5,1,-10\n",
    );
    assert_eq!(reading.rejected(), [("negative use", 3)]);
    let kept: Vec<(i64, Option<f64>, bool)> = reading
        .kept
        .samples
        .iter()
        .map(|(_, _, sample)| (sample.start.0 / 1_000_000, sample.cpu, sample.flags.contains(SampleFlags::CLAMPED)))
        .collect();
    assert_eq!(kept, [(0, Some(0.0), true), (2, Some(10.0), false), (3, Some(0.0), true)]);
    assert_eq!(reading.summary.notes["slightly negative use was set to 0"], 2);
    assert_eq!(reading.summary.columns["pct"].min, Some(-1.1), "the summary is in the source's terms");
}

#[test]
fn anomaly_6_interleaved_and_unsorted_rows_are_handed_on_as_they_come() {
    let reading = series(&[], "workload,time_s,cpu_cores\nb,5,1\na,9,2\nb,1,3\n");
    let names: Vec<&str> = samples(&reading).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["b", "a", "b"]);
}

#[test]
fn anomaly_8_influxdb_tables_are_read_once_pivoted() {
    let long = "#group,false,false,true\n#datatype,string,long,dateTime:RFC3339\n#default,_result,,\n\
                ,result,table,_time,_value,_field,host\n,,0,2024-05-21T12:00:00Z,1.5,cpu,a\n";
    let map = ["time_s=_time", "cpu_cores=cpu", "workload=host"];
    assert_eq!(detect(&map, long), Some(("series", Confidence::Header)));
    let error = series(&map, long).error();
    assert!(error.contains("add `|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"]"), "{error}");
    let wide = "#group,false,false,true\n#datatype,string,long,dateTime:RFC3339\n#default,_result,,\n\
                ,result,table,_time,cpu,host\n,,0,2024-05-21T12:00:00Z,1.5,a\n\n\
                #group,false,false,true\n#datatype,string,long,dateTime:RFC3339\n#default,_result,,\n\
                ,result,table,_time,cpu,host\n,,1,2024-05-21T12:00:00Z,2.5,b\n";
    let reading = series(&map, wide);
    let found: Vec<(&str, Option<f64>)> = samples(&reading).iter().map(|(name, sample)| (*name, sample.cpu)).collect();
    assert_eq!(found, [("a", Some(1.5)), ("b", Some(2.5))]);
}

#[test]
fn not_finite_missing_and_empty_use_is_never_0() {
    let text = "workload,time_s,cpu_cores,memory_bytes\na,1,NaN,5\na,2,1,inf\na,3,,5\na,4,,\na,5,x,5\n,6,1,1\na,,1,1\n";
    let reading = series(&[], text);
    assert_eq!(
        reading.rejected(),
        [("mandatory cell is empty", 2), ("not a number", 1), ("nothing was measured", 1), ("number is not finite", 2)]
    );
    let kept = &reading.kept.samples;
    assert_eq!((kept.len(), kept[0].2.cpu, kept[0].2.memory), (1, None, Some(5.0)));
}

#[test]
fn other_impossible_cells_are_rejected_by_reason() {
    let text = "workload,offset_s,interval_s,cpu_cores\na,-1,2,1\na,1,-2,1\na,1,2\na,1,2,1,1\na,soon,2,1\n";
    let reading = series(&[], text);
    assert_eq!(
        reading.rejected(),
        [("negative length of time", 2), ("not a number", 1), ("wrong number of fields", 2)]
    );
    let reading = series(&[], "workload,time_s,cpu_cores\na,12:00,1\na,2024-05-21,1\n");
    assert_eq!(reading.rejected(), [("neither seconds nor a date with a time", 1), ("not a number", 1)]);
}

#[test]
fn names_may_hold_anything_that_is_quoted() {
    let name = "a \"b\"\n${c}, 'd'";
    let quoted = name.replace('"', "\"\"");
    let reading = series(&[], &format!("workload,time_s,cpu_cores\n\"{quoted}\",0,1\n#5,1,1\n"));
    let names: Vec<&str> = samples(&reading).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [name, "#5"]);
    let mut bytes = b"workload,time_s,cpu_cores\n\xff\xfe,0,1\n".as_slice();
    let reading =
        testing::read_input(&Table, plan::SERIES, "x.csv", 0, &ReadOptions::default(), Input::Text(&mut bytes));
    assert_eq!(reading.rejected(), [("text is not UTF-8", 1)]);
}

#[test]
fn a_quote_that_is_not_closed_is_refused() {
    let (text, hint) = refusal(&series(&[], "workload,time_s,cpu_cores\na,0,1\n\"b,1,1\nc,2,1\nd,3,1\n"));
    assert!(text.contains("so a quote is not closed\n  at row 2"), "{text}");
    assert_eq!(hint, "close the quote, or write a quote inside a cell twice");
}

#[test]
fn identifiers_that_a_spreadsheet_rounded_are_refused() {
    let (text, _) = refusal(&series(&[], "workload,time_s,cpu_cores\n1.68846E+11,0,1\n"));
    assert!(text.contains("an identifier is in scientific notation"), "{text}");
    let reading = series(&[], "workload,time_s,cpu_cores\n1e5,0,1\nE+1,0,1\nv1.2E+,0,1\n");
    assert_eq!(samples(&reading).len(), 3, "names that only look similar are names");
}

#[test]
fn a_sample_of_one_workload_needs_no_name() {
    let reading = series(&[], "time_s,cpu_cores\n0,1\n2,1\n");
    assert_eq!(samples(&reading).iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["sample", "sample"]);
    let note = "there is no column `workload`: all rows belong to a workload named `sample`";
    assert_eq!(reading.summary.notes[note], 2);
}
