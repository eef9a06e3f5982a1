//! The Google readers against real slices of both traces: every row, empty cell, extreme, sum and count must come out
//! as an independent count of the same files says. Skipped, with a printed reason, where the slices are not present.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hashbrown::{HashMap, HashSet};
use serde_json::Value;
use shadow::trace::delimited::{ColumnSpec, Kind, TableSpec};
use shadow::trace::source::{Silent, discover, for_each_table};
use shadow::trace::{
    Context, Dataset, EventRow, Format, GroupRow, Head, MachineRow, ReadOptions, Rejects, Sample, SampleFlags, Sink,
    TableSummary, TraceError, google_2019,
};

use crate::common::real_slices;
use crate::common::slices::{self, Differences, Slice, expectations, read_slice};

/// What is counted of the rows that a reader hands out.
#[derive(Default)]
struct Counting {
    workloads: HashSet<String>,
    ends: BTreeMap<String, u64>,
    samples: Vec<(String, Sample)>,
    requests: Vec<Request>,
    summary_rows: u64,
}

/// A request that an event states.
struct Request {
    workload: String,
    order: (i64, u64),
    cpu: f64,
    memory: f64,
}

impl Sink for Counting {
    fn sample(&mut self, dataset: Dataset, workload: &str, _sequence: u64, sample: &Sample) -> Result<(), TraceError> {
        self.see(workload);
        self.summary_rows += u64::from(dataset == Dataset::Summary);
        *self.ends.entry(sample.start.plus(sample.duration).0.to_string()).or_default() += 1;
        self.samples.push((workload.to_owned(), *sample));
        Ok(())
    }

    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError> {
        self.see(event.workload);
        if let (Some(cpu), Some(memory), Some(time)) = (event.request.cpu, event.request.memory, event.time) {
            let order = (time.0, event.sequence);
            self.requests.push(Request { workload: event.workload.to_owned(), order, cpu, memory });
        }
        Ok(())
    }

    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError> {
        self.see(group.group);
        Ok(())
    }

    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError> {
        self.see(machine.machine);
        Ok(())
    }
}

impl Counting {
    fn see(&mut self, workload: &str) {
        if !self.workloads.contains(workload) {
            self.workloads.insert(workload.to_owned());
        }
    }
}

/// What came of one file.
struct Reading {
    slice: Slice,
    counted: Counting,
}

/// Recognises the file at `path` among all formats and reads it.
fn read(path: &Path) -> Reading {
    let mut counted = Counting::default();
    let slice = read_slice(path, &ReadOptions::default(), &mut counted);
    Reading { slice, counted }
}

/// Compares a summary with what is expected of a file or a group of files.
fn compare(expected: &Value, summary: &TableSummary, counted: &Counting, differences: &mut Differences) {
    let ends = |name: &str| (name == "end_time").then(|| counted.ends.clone());
    slices::compare(expected, summary, &ends, differences);
    if expected["table"] != "kaggle sample" {
        slices::compare_empty(expected, summary, differences);
    }
}

/// Returns the reader's name of a table in the expectations.
fn table_of(expected: &Value) -> &str {
    match expected["table"].as_str().expect("a table") {
        "joined usage and limit (40 columns)" => "joined",
        "kaggle sample" => "kaggle",
        other => other,
    }
}

#[test]
fn google_slices_are_read_exactly() {
    let Some(folder) = real_slices("google_slices_are_read_exactly") else { return };
    let expected = expectations(&folder);
    let mut differences = Vec::new();
    let mut groups: BTreeMap<String, (TableSummary, Counting)> = BTreeMap::new();
    let mut files = 0_u32;
    for (path, expected) in expected["files"].as_object().expect("files") {
        let is_google = expected["format"].as_str().is_some_and(|format| format.starts_with("google-"));
        if !is_google || expected["table"] == "kaggle sample" {
            continue;
        }
        files += 1;
        let mut reading = read(&folder.join(path));
        let mut here = Differences::at(path);
        here.check("outcome", &reading.slice.outcome.as_ref().map_err(ToString::to_string), &Ok::<(), String>(()));
        here.check("format", &reading.slice.format, &expected["format"].as_str().expect("a format"));
        here.check("table", &reading.slice.table, &table_of(expected));
        compare(expected, &reading.slice.summary, &reading.counted, &mut here);
        // Alloc sets are no workloads: their identifiers are in quarantine, in the third column.
        if reading.slice.table == "collection_events" {
            here.check(
                "rejected",
                &reading.slice.summary.rejected,
                &BTreeMap::from([("alloc set, not a workload", 7)]),
            );
            for row in &reading.slice.rejected {
                reading.counted.see(row.split(',').nth(2).expect("a collection"));
            }
        }
        // Attributes and the column list are counted, not handed out.
        if !matches!(reading.slice.table, "machine_attributes" | "schema") {
            let workloads = expected["workloads"].as_u64().expect("workloads");
            here.check("workloads", &(reading.counted.workloads.len() as u64), &workloads);
        }
        differences.extend(here.found);
        let group = path.split('/').take(2).collect::<Vec<_>>().join("/");
        let (summary, counted) = groups.entry(group).or_default();
        summary.merge(&reading.slice.summary);
        counted.workloads.extend(reading.counted.workloads);
        counted.samples.extend(reading.counted.samples);
    }
    assert_eq!(files, 118, "every slice is covered");
    for (name, expected) in expected["groups"].as_object().expect("groups") {
        let Some((summary, counted)) = groups.get(name) else { continue };
        let mut here = Differences::at(name);
        compare(expected, summary, counted, &mut here);
        let workloads = expected["workloads"].as_u64().expect("workloads");
        here.check("workloads", &(counted.workloads.len() as u64), &workloads);
        if let Some(jobs) = expected["jobs"].as_u64() {
            let found: HashSet<&str> =
                counted.workloads.iter().filter_map(|key| key.split_once('/').map(|(job, _)| job)).collect();
            here.check("jobs", &(found.len() as u64), &jobs);
        }
        if name == "google-2019/joined" {
            compare_joined(expected, &counted.samples, &mut here);
        }
        differences.extend(here.found);
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Compares what samples of the joined slices say with the counts of the slices' rows.
fn compare_joined(expected: &Value, samples: &[(String, Sample)], differences: &mut Differences) {
    let mut starts: HashMap<(&str, i64), u64> = HashMap::new();
    let mut collections: BTreeMap<&str, (BTreeSet<&str>, u64)> = BTreeMap::new();
    for (workload, sample) in samples {
        *starts.entry((workload, sample.start.0)).or_default() += 1;
        let (collection, index) = workload.split_once('/').expect("a key of two parts");
        let (tasks, rows) = collections.entry(collection).or_default();
        tasks.insert(index);
        *rows += 1;
    }
    let count = |fits: &dyn Fn(&Sample) -> bool| samples.iter().filter(|(_, sample)| fits(sample)).count() as u64;
    let over = |used: Option<f64>, limit: Option<f64>| used.zip(limit).is_some_and(|(used, limit)| used > limit);
    for (name, actual) in [
        ("distinct_task_and_time", starts.len() as u64),
        ("duplicate_rows_beyond_the_first", samples.len() as u64 - starts.len() as u64),
        ("keys_with_duplicates", starts.values().filter(|rows| **rows > 1).count() as u64),
        ("rows_in_alloc_sets", count(&|sample| sample.flags.contains(SampleFlags::IN_ALLOC))),
        ("rows_assigned_memory_0", count(&|sample| sample.memory_limit.is_none())),
        ("rows_avg_cpu_over_limit", count(&|sample| over(sample.cpu, sample.cpu_request))),
        ("rows_max_cpu_over_limit", count(&|sample| over(sample.cpu_max, sample.cpu_request))),
        ("rows_max_memory_over_limit", count(&|sample| over(sample.memory_max, sample.memory_request))),
        ("rows_avg_cpu_0", count(&|sample| sample.cpu == Some(0.0))),
        ("rows_max_memory_0", count(&|sample| sample.memory_max == Some(0.0))),
    ] {
        differences.check(name, &actual, &expected[name].as_u64().expect("a count"));
    }
    for (collection, facts) in expected["collections"].as_object().expect("collections") {
        let (tasks, rows) = &collections[collection.as_str()];
        differences.check(&format!("{collection} tasks"), &Some(tasks.len() as u64), &facts["tasks"].as_u64());
        differences.check(&format!("{collection} rows"), &Some(*rows), &facts["rows"].as_u64());
    }
    let longest = samples.iter().map(|(_, sample)| sample.duration.0).max();
    differences.check("longest window", &longest, &Some(300_000_000_i64));
    differences.check("empty windows", &count(&|sample| sample.duration.0 <= 0), &0_u64);
}

#[test]
fn requests_in_force_of_google_2011_follow_the_order_of_rows() {
    let Some(folder) = real_slices("requests_in_force_of_google_2011_follow_the_order_of_rows") else { return };
    let usage = read(&folder.join("google-2011/task_usage/part-00000-of-00500.csv")).counted.samples;
    let tasks: HashSet<&str> = usage.iter().map(|(task, _)| task.as_str()).collect();
    let mut in_force: HashMap<String, Request> = HashMap::new();
    for part in ["part-00001-of-00500.csv.gz", "part-00000-of-00500.csv.gz"] {
        for request in read(&folder.join("google-2011/task_events").join(part)).counted.requests {
            let is_earlier = in_force.get(&request.workload).is_some_and(|other| other.order > request.order);
            if tasks.contains(request.workload.as_str()) && request.order.0 <= 600_000_000 && !is_earlier {
                in_force.insert(request.workload.clone(), request);
            }
        }
    }
    assert_eq!(in_force.len(), 677, "every window has a request");
    let sum = |amount: fn(&Request) -> f64| usage.iter().map(|(task, _)| amount(&in_force[task])).sum::<f64>();
    let (cpu, memory) = (sum(|request| request.cpu), sum(|request| request.memory));
    assert!((cpu - 48.078_798_8).abs() < 1e-9 * cpu, "sum of CPU requests: {cpu}");
    assert!((memory - 23.689_601).abs() < 1e-9 * memory, "sum of memory requests: {memory}");
    let above = |used: fn(&Sample) -> Option<f64>, amount: fn(&Request) -> f64| {
        usage.iter().filter(|(task, sample)| used(sample).is_some_and(|used| used > amount(&in_force[task]))).count()
    };
    assert_eq!(above(|sample| sample.memory, |request| request.memory), 2);
    assert_eq!(above(|sample| sample.cpu, |request| request.cpu), 3);
    assert_eq!(above(|sample| sample.cpu_max, |request| request.cpu), 449);
}

const KAGGLE: &str = "google-2019/kaggle/borg_traces_data_head1500.csv.gz";

#[test]
fn kaggle_slice_that_went_through_a_spreadsheet_is_refused() {
    let Some(folder) = real_slices("kaggle_slice_that_went_through_a_spreadsheet_is_refused") else { return };
    let reading = read(&folder.join(KAGGLE));
    assert_eq!((reading.slice.format, reading.slice.table), ("google-2019", "kaggle"));
    let Err(TraceError::Refused(refusal)) = reading.slice.outcome else { panic!("it should be refused") };
    assert!(refusal.file.ends_with(KAGGLE), "{}", refusal.file);
    assert_eq!((refusal.row, refusal.column.as_str(), refusal.found.as_str()), (1, "machine_id", "1.68846E+11"));
    assert_eq!(refusal.hint, "the file went through a spreadsheet; export it again from its source");
}

/// Returns the decompressed Kaggle slice.
fn kaggle_text(folder: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    let bytes = fs_err::read(folder.join(KAGGLE)).expect("the slice exists");
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(bytes.as_slice()), &mut text)
        .expect("it is gzip");
    text
}

/// Reads text in the Kaggle shape as `table` says.
fn read_kaggle(table: &TableSpec, mut text: &[u8]) -> (TableSummary, Counting) {
    let (options, rejects) = (ReadOptions::default(), Rejects::in_memory());
    let (mut summary, mut counted) = (TableSummary::default(), Counting::default());
    let mut context = Context {
        file: KAGGLE,
        ordinal: 0,
        options: &options,
        sink: &mut counted,
        rejects: &rejects,
        summary: &mut summary,
        piece: None,
    };
    google_2019::kaggle::read(table, &mut text, &mut context).expect("nothing is refused");
    (summary, counted)
}

#[test]
fn records_of_the_kaggle_slice_come_out_exactly_once_the_refusal_is_lifted() {
    let Some(folder) = real_slices("records_of_the_kaggle_slice_come_out_exactly_once_the_refusal_is_lifted") else {
        return;
    };
    let lifted: Vec<ColumnSpec> = google_2019::kaggle::TABLE
        .columns
        .iter()
        .map(|column| match column.kind {
            Kind::Id | Kind::Time => ColumnSpec { kind: Kind::Text, ..*column },
            _ => *column,
        })
        .collect();
    let table = TableSpec { columns: Vec::leak(lifted), ..google_2019::kaggle::TABLE };
    let (summary, counted) = read_kaggle(&table, &kaggle_text(&folder));
    let expected = &expectations(&folder)["files"][KAGGLE];
    let mut differences = Differences::at(KAGGLE);
    compare(expected, &summary, &counted, &mut differences);
    assert!(differences.found.is_empty(), "{}", differences.found.join("\n"));
    assert_eq!(summary.kept, 0, "without identifiers no row is kept");
}

#[test]
fn undamaged_records_of_the_kaggle_slice_are_summary_rows() {
    let Some(folder) = real_slices("undamaged_records_of_the_kaggle_slice_are_summary_rows") else { return };
    let text = kaggle_text(&folder);
    let mut records = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_slice());
    let mut undamaged = csv::Writer::from_writer(Vec::new());
    for record in records.records() {
        let record = record.expect("a record");
        if [1, 3, 7, 9, 19, 20].into_iter().all(|column| !record[column].contains("E+")) {
            undamaged.write_record(&record).expect("written");
        }
    }
    let (summary, counted) = read_kaggle(&google_2019::kaggle::TABLE, &undamaged.into_inner().expect("written"));
    assert!(summary.kept > 0, "{summary:?}");
    assert_eq!(summary.rejected.keys().filter(|reason| *reason != "alloc set, not a workload").count(), 0);
    assert_eq!(counted.summary_rows, summary.kept, "each is one summary row");
    assert!(counted.samples.iter().all(|(_, sample)| sample.cpu.is_some() && sample.duration.0 > 0));
}

#[test]
fn slices_of_other_traces_are_not_taken_for_google() {
    let Some(folder) = real_slices("slices_of_other_traces_are_not_taken_for_google") else { return };
    let options = ReadOptions::default();
    for slice in ["alibaba-2017", "alibaba-2018", "alibaba-gpu-2023", "bitbrains", "containers-2s"] {
        for file in discover(&[folder.join(slice)]).expect("it exists") {
            for_each_table(&file, &Silent, &mut |table| {
                let head = Head { path: &table.name, bytes: &table.head, options: &options };
                for format in [&shadow::trace::google_2011::Google2011 as &dyn Format, &google_2019::Google2019] {
                    assert_eq!(format.detect(&head), None, "{} is not {}", table.name, format.name());
                }
                Ok(())
            })
            .expect("it can be read");
        }
    }
}
