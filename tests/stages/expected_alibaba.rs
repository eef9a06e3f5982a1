//! The readers of `alibaba-2018` and of the user's own tables against real slices: every row, empty cell, extreme, sum
//! and count must come out as an independent count of the same files says, and the joins of usage to requests with
//! them. Skipped, with a printed reason, where the slices are not present.

use std::collections::BTreeMap;
use std::path::Path;

use hashbrown::{HashMap, HashSet};
use serde_json::Value;
use shadow::trace::{
    Amounts, Dataset, EventKind, EventRow, GroupRow, MachineRow, ReadOptions, Sample, SampleFlags, Sink, TraceError,
    WorkloadFlags,
};

use crate::common::real_slices;
use crate::common::slices::{Differences, Slice, compare, compare_empty, expectations, integers, read_slice};

/// What a reader handed out. Names are kept once, because one slice has 1.6 million rows.
#[derive(Default)]
struct Seen {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    samples: Vec<(usize, Dataset, Sample)>,
    events: Vec<Event>,
    machines: HashSet<String>,
}

struct Event {
    workload: usize,
    seconds: f64,
    kind: EventKind,
    request: Amounts,
    replicas: Option<u32>,
    application: Option<String>,
    labels: BTreeMap<String, String>,
    flags: WorkloadFlags,
}

impl Seen {
    fn number(&mut self, name: &str) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// Returns how many samples each workload has, by its number.
    fn samples_by_workload(&self) -> Vec<u64> {
        let mut rows = vec![0; self.names.len()];
        self.samples.iter().for_each(|(workload, _, _)| rows[*workload] += 1);
        rows
    }

    fn count(&self, fits: impl Fn(&Sample) -> bool) -> u64 {
        self.samples.iter().filter(|(_, _, sample)| fits(sample)).count() as u64
    }

    fn jobs(&self) -> u64 {
        let jobs: HashSet<&str> =
            self.names.iter().filter_map(|name| name.split_once('/')).map(|(job, _)| job).collect();
        jobs.len() as u64
    }
}

impl Sink for Seen {
    fn sample(&mut self, dataset: Dataset, workload: &str, _sequence: u64, sample: &Sample) -> Result<(), TraceError> {
        let workload = self.number(workload);
        self.samples.push((workload, dataset, *sample));
        Ok(())
    }

    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError> {
        let workload = self.number(event.workload);
        self.events.push(Event {
            workload,
            seconds: event.time.expect("every time is known").as_seconds(),
            kind: event.kind,
            request: event.request,
            replicas: event.replicas,
            application: event.application.map(str::to_owned),
            labels: event.labels.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect(),
            flags: event.flags,
        });
        Ok(())
    }

    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError> {
        panic!("`{}`: these formats have no groups", group.group)
    }

    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError> {
        self.machines.insert(machine.machine.to_owned());
        Ok(())
    }
}

/// Reads a slice that must not fail.
fn read(folder: &Path, path: &str, map: &[&str]) -> (Slice, Seen) {
    let mut seen = Seen::default();
    let map = map.iter().map(|entry| entry.parse().expect("a mapping")).collect();
    let slice = read_slice(&folder.join(path), &ReadOptions { map }, &mut seen);
    if let Err(error) = &slice.outcome {
        panic!("{error}");
    }
    (slice, seen)
}

/// Compares what is the same for every file.
fn check(expected: &Value, slice: &Slice, seen: &Seen, here: &mut Differences) {
    here.check("format", &Some(slice.format), &expected["format"].as_str());
    compare(expected, &slice.summary, &|_| None, here);
    compare_empty(expected, &slice.summary, here);
    let workloads = seen.names.len() + seen.machines.len();
    here.check("workloads", &Some(workloads as u64), &expected["workloads"].as_u64());
    if !expected["jobs"].is_null() {
        here.check("jobs", &Some(seen.jobs()), &expected["jobs"].as_u64());
    }
}

const SLICES: [(&str, &str); 8] = [
    ("alibaba-2018/batch_task/selected_DAGs.csv.gz", "batch_task"),
    ("alibaba-2018/container_cpuReq_cpuLim.csv.gz", "container_requests"),
    ("alibaba-2018/container_memReq.csv.gz", "container_memory"),
    ("alibaba-2018/container_usage.csv", "container_usage"),
    ("alibaba-2018/machine_meta.csv.gz", "machine_meta"),
    ("alibaba-2018/machine_usage.csv.gz", "machine_usage"),
    ("alibaba-2018/spar/sample_instances.csv.gz", "sample_instances"),
    ("alibaba-2018/spar/sample_tasks.csv.gz", "sample_tasks"),
];

#[test]
fn alibaba_slices_are_read_exactly() {
    let Some(folder) = real_slices("alibaba_slices_are_read_exactly") else { return };
    let expected = expectations(&folder);
    let files = expected["files"].as_object().expect("files");
    let covered: Vec<&str> =
        files.iter().filter(|(_, file)| file["format"] == "alibaba-2018").map(|(path, _)| path.as_str()).collect();
    assert_eq!(covered, SLICES.map(|(path, _)| path), "every slice is covered");
    let mut differences = Vec::new();
    for (path, table) in SLICES {
        let expected = &files[path];
        let (slice, seen) = read(&folder, path, &[]);
        let mut here = Differences::at(path);
        here.check("table", &slice.table, &table);
        check(expected, &slice, &seen, &mut here);
        let rejected = if table == "container_usage" { 3_503 } else { 0 };
        here.check("rejected", &slice.rejected.len(), &rejected);
        match table {
            "batch_task" => check_tasks(expected, &slice, &seen, &mut here),
            "container_usage" => {
                let rows: BTreeMap<String, u64> = seen.names.iter().cloned().zip(seen.samples_by_workload()).collect();
                here.check("rows by container", &rows, &integers(&expected["rows_by_container"]));
                here.check("without container", &slice.summary.rejected["container_id is empty"], &3_503);
            }
            "machine_usage" => {
                let invalid = ["disk_io_percent_minus_1", "disk_io_percent_101"].map(|name| expected[name].as_u64());
                let dropped = |sample: &Sample| sample.flags.contains(SampleFlags::VALUE_DROPPED);
                let invalid: u64 = invalid.into_iter().flatten().sum();
                here.check("-1 or 101", &seen.count(dropped), &invalid);
                here.check("disk missing", &seen.count(|sample| sample.disk_busy.is_none()), &invalid);
            }
            "sample_instances" => {
                here.check("instances", &Some(seen.samples.len() as u64), &expected["instances"].as_u64());
                let summaries = seen.samples.iter().all(|(_, dataset, _)| *dataset == Dataset::Summary);
                here.check("one row per instance", &summaries, &true);
                for (name, count) in [
                    ("duration_0", seen.count(|sample| sample.duration.0 == 0)),
                    ("cpu_avg_0", seen.count(|sample| sample.cpu == Some(0.0))),
                    ("mem_avg_0", seen.count(|sample| sample.memory == Some(0.0))),
                ] {
                    here.check(name, &Some(count), &expected[name].as_u64());
                }
            }
            _ => {}
        }
        differences.extend(here.found);
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Compares what only `batch_task` has.
fn check_tasks(expected: &Value, slice: &Slice, seen: &Seen, here: &mut Differences) {
    let notes = &slice.summary.notes;
    let unfinished = notes.get("the end lies before the start: the task had not ended").copied();
    here.check("end before start", &unfinished, &expected["end_before_start"].as_u64());
    let kinds = |kind: EventKind| seen.events.iter().filter(move |event| event.kind == kind);
    let cut = kinds(EventKind::Schedule).chain(kinds(EventKind::Exists));
    let cut = cut.filter(|event| event.flags.contains(WorkloadFlags::DAG_TRUNCATED)).count() as u64;
    here.check("names of 50 characters", &Some(cut), &expected["task_names_of_50_characters"].as_u64());
    let statuses = &expected["counts"]["status"];
    here.check("finished", &Some(kinds(EventKind::Finish).count() as u64), &statuses["Terminated"].as_u64());
    here.check("waiting", &Some(kinds(EventKind::Exists).count() as u64), &statuses["Waiting"].as_u64());
    let finished: HashSet<usize> = kinds(EventKind::Finish).map(|event| event.workload).collect();
    let starts = kinds(EventKind::Schedule).filter(|event| finished.contains(&event.workload));
    let first = starts.map(|event| event.seconds).reduce(f64::min);
    here.check("first start", &first, &expected["time_terminated"]["start_min"].as_f64());
    let last = kinds(EventKind::Finish).map(|event| event.seconds).reduce(f64::max);
    here.check("last end", &last, &expected["time_terminated"]["end_max"].as_f64());
    let jobs =
        seen.events.iter().all(|event| seen.names[event.workload].split('/').next() == event.application.as_deref());
    here.check("the job is the application", &jobs, &true);
}

#[test]
fn instances_of_alibaba_2018_join_their_plan() {
    let Some(folder) = real_slices("instances_of_alibaba_2018_join_their_plan") else { return };
    let expected = &expectations(&folder)["joins"]["alibaba-2018 spar instance to plan"]["expected"];
    let (_, tasks) = read(&folder, "alibaba-2018/spar/sample_tasks.csv.gz", &[]);
    let (_, instances) = read(&folder, "alibaba-2018/spar/sample_instances.csv.gz", &[]);
    let plans: HashMap<&str, &Event> = tasks
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Schedule)
        .map(|event| (tasks.names[event.workload].as_str(), event))
        .collect();
    let plan_of: Vec<Option<&&Event>> = instances.names.iter().map(|name| plans.get(name.as_str())).collect();
    let joined: Vec<(&Event, &Sample)> = instances
        .samples
        .iter()
        .filter_map(|(workload, _, sample)| plan_of[*workload].map(|plan| (*plan, sample)))
        .collect();
    let rows = instances.samples_by_workload();
    let complete = plan_of
        .iter()
        .zip(rows)
        .filter(|(plan, rows)| plan.is_some_and(|plan| plan.replicas.map(u64::from) == Some(*rows)));
    let mut here = Differences::at("instance to plan");
    let above = |used: fn(&Sample) -> Option<f64>, plan: fn(&Amounts) -> Option<f64>| {
        joined.iter().filter(|(task, sample)| used(sample) > plan(&task.request)).count() as u64
    };
    for (name, actual) in [
        ("matched", joined.len() as u64),
        ("unmatched", (instances.samples.len() - joined.len()) as u64),
        ("tasks", plans.len() as u64),
        ("tasks_whose_instance_num_equals_their_rows", complete.count() as u64),
        ("cpu_avg_over_plan", above(|sample| sample.cpu, |plan| plan.cpu)),
        ("mem_avg_over_plan", above(|sample| sample.memory, |plan| plan.memory)),
    ] {
        here.check(name, &Some(actual), &expected[name].as_u64());
    }
    let sum = |amount: &dyn Fn(&Event, &Sample) -> Option<f64>| -> f64 {
        joined.iter().map(|(task, sample)| amount(task, sample).expect("nothing is missing")).sum()
    };
    let seconds = |sample: &Sample| sample.duration.as_seconds();
    // The expectations are in the trace's terms: 100 is one core, and 100 the largest machine's memory.
    for (name, actual) in [
        ("sum_plan_cpu", 100.0 * sum(&|task, _| task.request.cpu)),
        ("sum_plan_mem", 100.0 * sum(&|task, _| task.request.memory)),
        ("core_seconds_used", sum(&|_, sample| Some(sample.cpu? * seconds(sample)))),
        ("core_seconds_planned", sum(&|task, sample| Some(task.request.cpu? * seconds(sample)))),
        ("mem_seconds_used", 100.0 * sum(&|_, sample| Some(sample.memory? * seconds(sample)))),
        ("mem_seconds_planned", 100.0 * sum(&|task, sample| Some(task.request.memory? * seconds(sample)))),
    ] {
        here.check_sum(name, actual, &expected[name]);
    }
    assert!(here.found.is_empty(), "{}", here.found.join("\n"));
}

#[test]
fn containers_of_alibaba_2018_join_their_request() {
    let Some(folder) = real_slices("containers_of_alibaba_2018_join_their_request") else { return };
    let expected = &expectations(&folder)["joins"]["alibaba-2018 container_usage to request"]["expected"];
    let mut requests: HashMap<String, Amounts> = HashMap::new();
    for path in ["alibaba-2018/container_cpuReq_cpuLim.csv.gz", "alibaba-2018/container_memReq.csv.gz"] {
        let (_, seen) = read(&folder, path, &[]);
        for event in &seen.events {
            let request = requests.entry(seen.names[event.workload].clone()).or_default();
            request.cpu = request.cpu.or(event.request.cpu);
            request.memory = request.memory.or(event.request.memory);
        }
    }
    let (slice, usage) = read(&folder, "alibaba-2018/container_usage.csv", &[]);
    let both = SampleFlags::CPU_OF_REQUEST.with(SampleFlags::MEMORY_OF_REQUEST);
    let joined: Vec<(f64, f64)> = usage
        .samples
        .iter()
        .filter(|(_, _, sample)| sample.flags.contains(both))
        .filter_map(|(workload, _, sample)| {
            let request = requests.get(&usage.names[*workload])?;
            Some((sample.cpu? * request.cpu?, 100.0 * sample.memory? * request.memory?))
        })
        .collect();
    let mut here = Differences::at("container to request");
    here.check("matched", &Some(joined.len() as u64), &expected["matched"].as_u64());
    here.check("containers", &Some(usage.names.len() as u64), &expected["containers"].as_u64());
    here.check("dropped", &Some(slice.rejected.len() as u64), &expected["dropped_empty_container_id"].as_u64());
    let largest = |of: fn(&(f64, f64)) -> f64| joined.iter().map(of).fold(0.0, f64::max);
    here.check_sum("cores", joined.iter().map(|(cores, _)| cores).sum(), &expected["sum_cores"]);
    here.check_sum("memory", joined.iter().map(|(_, memory)| memory).sum(), &expected["sum_memory_0_100"]);
    here.check_sum("most cores", largest(|(cores, _)| *cores), &expected["max_cores"]);
    here.check_sum("most memory", largest(|(_, memory)| *memory), &expected["max_memory_0_100"]);
    assert!(here.found.is_empty(), "{}", here.found.join("\n"));
}

/// The mapping that `docs/formats.md` shows, without the columns that must not become labels.
const CONTAINERS: [&str; 8] = [
    "workload=id",
    "offset_s=t_s",
    "cpu_cores=cpu_pct_of_one_core/100",
    "memory_bytes=mem_mib*1048576",
    "application=task",
    "requested_cpu_cores=requested_cpus",
    "requested_memory_bytes=requested_mem_bytes",
    "start_s=start_unix_s",
];

#[test]
fn containers_of_2_s_are_read_exactly_through_a_mapping() {
    let Some(folder) = real_slices("containers_of_2_s_are_read_exactly_through_a_mapping") else { return };
    let expected = expectations(&folder);
    let mut differences = Vec::new();
    for (path, table) in [("containers-2s/series.csv.gz", "series"), ("containers-2s/tasks.csv.gz", "workloads")] {
        let expected = &expected["files"][path];
        let (slice, seen) = read(&folder, path, &CONTAINERS);
        let mut here = Differences::at(path);
        here.check("table", &slice.table, &table);
        here.check("kept", &slice.summary.kept, &slice.summary.rows);
        check(expected, &slice, &seen, &mut here);
        if table == "series" {
            let clamped = |sample: &Sample| sample.flags.contains(SampleFlags::CLAMPED);
            here.check("slightly negative CPU", &seen.count(clamped), &1_u64);
            let relative = |sample: &Sample| sample.flags.contains(SampleFlags::RELATIVE_TIME);
            here.check("relative time", &seen.count(relative), &slice.summary.rows);
        }
        differences.extend(here.found);
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn containers_of_2_s_join_their_request() {
    let Some(folder) = real_slices("containers_of_2_s_join_their_request") else { return };
    let expected = &expectations(&folder)["joins"]["containers-2s series to request"]["expected"];
    let (_, tasks) = read(&folder, "containers-2s/tasks.csv.gz", &CONTAINERS);
    let (_, series) = read(&folder, "containers-2s/series.csv.gz", &CONTAINERS);
    let starts: Vec<&Event> = tasks.events.iter().filter(|event| event.kind == EventKind::Schedule).collect();
    let ends: HashMap<usize, f64> = tasks
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Finish)
        .map(|event| (event.workload, event.seconds))
        .collect();
    let mut peaks = vec![0.0_f64; series.names.len()];
    for (workload, _, sample) in &series.samples {
        peaks[*workload] = peaks[*workload].max(sample.memory.expect("no sample lacks memory"));
    }
    let rows = series.samples_by_workload();
    let number_of = |task: &Event| series.numbers[&tasks.names[task.workload]];
    let count = |fits: &dyn Fn(&Event) -> bool| starts.iter().filter(|task| fits(task)).count() as u64;
    let lasts = |seconds: f64| {
        // Ends are start + duration, each to the microsecond.
        count(&|task| ends[&task.workload] - task.seconds >= seconds - 2e-6)
    };
    let share = |task: &Event| peaks[number_of(task)] / task.request.memory.expect("each task has a request");
    let stated = |task: &Event| task.labels["samples"].parse::<u64>().expect("a count");
    let known: HashSet<&str> = starts.iter().map(|task| tasks.names[task.workload].as_str()).collect();
    let matched = series.samples.iter().filter(|(workload, ..)| known.contains(series.names[*workload].as_str()));
    let mut here = Differences::at("series to request");
    for (name, actual) in [
        ("matched_samples", matched.count() as u64),
        ("tasks", starts.len() as u64),
        ("tasks_whose_samples_equal_their_rows", count(&|task| stated(task) == rows[number_of(task)])),
        ("tasks_of_60_s_or_more", lasts(60.0)),
        ("tasks_of_300_s_or_more", lasts(300.0)),
        ("tasks_of_3600_s_or_more", lasts(3600.0)),
        ("peak_memory_over_request", count(&|task| share(task) > 1.0)),
        ("peak_memory_at_least_98_percent_of_request", count(&|task| share(task) >= 0.98)),
    ] {
        here.check(name, &Some(actual), &expected[name].as_u64());
    }
    here.check_sum("peaks", peaks.iter().sum::<f64>() / 1_048_576.0, &expected["sum_peak_mem_mib"]);
    assert!(here.found.is_empty(), "{}", here.found.join("\n"));
}
