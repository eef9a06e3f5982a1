//! Synthetic traces against the readers, and the samples in `traces/` against what makes them.
//!
//! `SHADOW_UPDATE=1 cargo test --test tests samples_are_what` writes the samples anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use shadow::synth::{Archetype, Packing, SynthFormat, SynthParams, generate};
use shadow::trace::source::{EXPECTED_FILE, Silent, TRUTH_FILE, discover, for_each_table};
use shadow::trace::{
    Context, Dataset, EventKind, EventRow, GroupRow, Head, MachineRow, ReadOptions, Rejects, Sample, Sink,
    TableSummary, TraceError, detect,
};

/// The samples, as `traces/README.md` says they are made.
const SAMPLES: [(SynthFormat, SynthParams); 4] = [
    (SynthFormat::Google2011, SynthParams { workloads: 220, days: 2, seed: 11 }),
    (SynthFormat::Google2019, SynthParams { workloads: 220, days: 1, seed: 19 }),
    (SynthFormat::Alibaba2018, SynthParams { workloads: 180, days: 1, seed: 18 }),
    (SynthFormat::Table, SynthParams { workloads: 240, days: 1, seed: 1 }),
];

fn sample_folder(format: SynthFormat) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(format.name())
}

/// Returns every file below `folder` with its content, by its path with `/`.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs_err::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("inside").to_string_lossy().replace('\\', "/");
                found.insert(name, fs_err::read(&path).expect("a file"));
            }
        }
    }
    found
}

fn make(format: SynthFormat, params: SynthParams, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    generate(format, params, Packing::Gzip, folder, &Silent).unwrap_or_else(|error| panic!("{error}"));
    files(folder)
}

#[test]
fn samples_are_what_their_commands_make() {
    let is_update = std::env::var_os("SHADOW_UPDATE").is_some();
    let mut total = 0;
    for (format, params) in SAMPLES {
        let folder = sample_folder(format);
        if is_update {
            if folder.exists() {
                fs_err::remove_dir_all(&folder).expect("removed");
            }
            make(format, params, &folder);
        }
        let temporary = tempfile::tempdir().expect("a folder");
        let (made, kept) = (make(format, params, temporary.path()), files(&folder));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&made), names(&kept), "{}", folder.display());
        for (name, bytes) in &made {
            assert!(kept[name] == *bytes, "`traces/{}/{name}` differs from what makes it", format.name());
            assert!(bytes.len() < 900_000, "`traces/{}/{name}` has {} bytes", format.name(), bytes.len());
            total += bytes.len();
        }
    }
    assert!(total < 3_000_000, "the samples have {total} bytes");
}

#[test]
fn the_readme_of_the_samples_names_their_commands_and_sizes() {
    let readme = fs_err::read_to_string(sample_folder(SynthFormat::Table).with_file_name("README.md")).expect("text");
    for (format, _) in SAMPLES {
        let folder = sample_folder(format);
        let expected: Value =
            serde_json::from_slice(&fs_err::read(folder.join(EXPECTED_FILE)).expect("it is there")).expect("JSON");
        let name = format.name();
        let made_by = expected["made_by"].as_str().expect("a command");
        let beginning = format!("| `{name}` | `{made_by} -o traces/{name}` | {} |", expected["rows"]);
        assert!(readme.contains(&beginning), "no line of `traces/README.md` begins {beginning}");
    }
}

/// Sums and identities of what readers hand out.
#[derive(Default)]
struct Counted {
    sums: BTreeMap<&'static str, f64>,
    workloads: BTreeMap<&'static str, BTreeSet<String>>,
    samples: BTreeMap<String, Vec<Sample>>,
    starts: BTreeMap<String, i64>,
    applications: BTreeMap<String, String>,
    requests: BTreeMap<String, (f64, f64)>,
}

impl Counted {
    fn add(&mut self, field: &'static str, value: Option<f64>) {
        *self.sums.entry(field).or_default() += value.unwrap_or_default();
    }

    fn see(&mut self, kind: &'static str, name: &str) {
        self.workloads.entry(kind).or_default().insert(name.to_owned());
    }
}

impl Sink for Counted {
    fn sample(&mut self, dataset: Dataset, workload: &str, _sequence: u64, sample: &Sample) -> Result<(), TraceError> {
        for (field, value) in [
            ("cpu", sample.cpu),
            ("cpu_max", sample.cpu_max),
            ("memory", sample.memory),
            ("memory_max", sample.memory_max),
            ("received", sample.network_received),
            ("transmitted", sample.network_transmitted),
            ("disk_busy", sample.disk_busy),
            ("memory_limit", sample.memory_limit),
        ] {
            self.add(field, value);
        }
        match dataset {
            Dataset::Usage => {
                self.see("series", workload);
                self.samples.entry(workload.to_owned()).or_default().push(*sample);
            }
            Dataset::Summary => self.see("summary", workload),
            Dataset::Machine => {}
        }
        Ok(())
    }

    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError> {
        for (field, value) in [
            ("request.cpu", event.request.cpu),
            ("request.memory", event.request.memory),
            ("request.disk", event.request.disk),
            ("limit.cpu", event.limit.cpu),
            ("limit.memory", event.limit.memory),
            ("replicas", event.replicas.map(f64::from)),
        ] {
            self.add(field, value);
        }
        self.see("events", event.workload);
        if let Some(application) = event.application {
            self.applications.insert(event.workload.to_owned(), application.to_owned());
        }
        if let (Some(cpu), Some(memory)) = (event.request.cpu, event.request.memory) {
            self.requests.entry(event.workload.to_owned()).or_insert((cpu, memory));
        }
        if let (EventKind::Schedule, Some(time)) = (event.kind, event.time)
            && time.0 > 0
        {
            self.starts.entry(event.workload.to_owned()).or_insert(time.0);
        }
        Ok(())
    }

    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError> {
        if let Some(application) = group.application {
            self.applications.insert(group.group.to_owned(), application.to_owned());
        }
        Ok(())
    }

    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError> {
        self.see("machines", machine.machine);
        for (field, value) in [("capacity.cpu", machine.capacity.cpu), ("capacity.memory", machine.capacity.memory)] {
            self.add(field, value);
        }
        Ok(())
    }
}

/// What a reader makes of one file.
struct Reading {
    format: &'static str,
    table: &'static str,
    summary: TableSummary,
    sums: BTreeMap<&'static str, f64>,
}

/// Reads every file of a folder; returns the readings by path, and what came out of all of them.
fn read(folder: &Path) -> (BTreeMap<String, Reading>, Counted) {
    let mut counted = Counted::default();
    let mut readings = BTreeMap::new();
    let (options, rejects) = (ReadOptions::default(), Rejects::in_memory());
    for file in discover(&[folder.to_owned()]).expect("there are files") {
        for_each_table(&file, &Silent, &mut |table| {
            let head = Head { path: &table.name, bytes: &table.head, options: &options };
            let (format, name) = detect::detect(&head, None)?;
            let mut summary = TableSummary::default();
            counted.sums.clear();
            let mut context = Context {
                file: &table.name,
                ordinal: file.ordinal,
                options: &options,
                sink: &mut counted,
                rejects: &rejects,
                summary: &mut summary,
                piece: None,
            };
            format.read(name.table, table.input, &mut context)?;
            let path = file.path.as_deref().and_then(|path| path.strip_prefix(folder).ok()).expect("inside");
            let sums = counted.sums.clone();
            let reading = Reading { format: name.format, table: name.table, summary, sums };
            readings.insert(path.to_string_lossy().replace('\\', "/"), reading);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{}: {error}", file.name));
    }
    (readings, counted)
}

/// Returns which sum of the sink is the sum of a column, and what it is multiplied by to be in the unit of the file.
fn field(table: &str, column: &str) -> (&'static str, f64) {
    let alibaba_machines = 100.0 / 96.0;
    match (table, column) {
        (_, "cpu_rate" | "average_usage.cpus" | "cpu_cores") => ("cpu", 1.0),
        (_, "canonical_memory" | "average_usage.memory" | "memory_bytes") => ("memory", 1.0),
        (_, "maximum_cpu_rate" | "maximum_usage.cpus") => ("cpu_max", 1.0),
        (_, "maximum_memory" | "maximum_usage.memory") => ("memory_max", 1.0),
        (_, "disk_io_time") => ("disk_busy", 1.0),
        (_, "assigned_memory") => ("memory_limit", 1.0),
        (_, "net_rx_bytes_per_s") => ("received", 1.0),
        (_, "net_tx_bytes_per_s") => ("transmitted", 1.0),
        (_, "net_in") => ("received", 100.0),
        (_, "net_out") => ("transmitted", 100.0),
        (_, "resource_request.cpus" | "requested_cpu_cores") | ("task_events", "cpu_request") => ("request.cpu", 1.0),
        (_, "resource_request.memory" | "requested_memory_bytes" | "memory_request") => ("request.memory", 1.0),
        (_, "cpu_request" | "plan_cpu") => ("request.cpu", 100.0),
        (_, "plan_mem") | ("container_meta", "mem_size") => ("request.memory", 100.0),
        (_, "disk_request") => ("request.disk", 1.0),
        (_, "cpu_limit") => ("limit.cpu", 100.0),
        (_, "limit_cpu_cores") => ("limit.cpu", 1.0),
        (_, "limit_memory_bytes") => ("limit.memory", 1.0),
        (_, "instance_num") => ("replicas", 1.0),
        (_, "cpus" | "capacity.cpus" | "cpu_num") => ("capacity.cpu", 1.0),
        (_, "memory" | "capacity.memory") => ("capacity.memory", 1.0),
        (_, "mem_size") => ("capacity.memory", 100.0),
        ("machine_usage", "cpu_util_percent") => ("cpu", alibaba_machines),
        (_, "cpu_util_percent" | "cpu_avg") => ("cpu", 100.0),
        (_, "cpu_max") => ("cpu_max", 100.0),
        (_, "mem_util_percent" | "mem_avg") => ("memory", 100.0),
        (_, "mem_max") => ("memory_max", 100.0),
        _ => panic!("no field for column `{column}` of `{table}`"),
    }
}

fn check_counts(folder: &Path) -> (Value, Counted) {
    let expected: Value =
        serde_json::from_slice(&fs_err::read(folder.join(EXPECTED_FILE)).expect("it is there")).expect("it is JSON");
    let (readings, counted) = read(folder);
    let files = expected["files"].as_object().expect("files");
    let names: Vec<&String> = files.keys().collect();
    assert_eq!(readings.keys().collect::<Vec<_>>(), names);
    for (name, file) in files {
        let reading = &readings[name];
        assert_eq!(reading.format, expected["format"], "{name}");
        assert_eq!(reading.table, file["table"], "{name}");
        assert_eq!(reading.summary.rows, file["rows"].as_u64().expect("rows"), "{name}");
        assert_eq!(reading.summary.kept, file["kept"].as_u64().expect("kept"), "{name}");
        assert_eq!(serde_json::to_value(&reading.summary.rejected).expect("JSON"), file["rejected"], "{name}");
        assert!(!reading.summary.ends_without_newline, "{name}");
        for (column, sum) in file["sums"].as_object().expect("sums") {
            let (field, factor) = field(reading.table, column);
            let (found, sum) = (reading.sums[field] * factor, sum.as_f64().expect("a sum"));
            assert!((found - sum).abs() <= 1e-9 * sum.abs(), "{name}, column `{column}`: {found} instead of {sum}");
        }
    }
    for (kind, count) in expected["workloads"].as_object().expect("workloads") {
        let kind = if kind == "facts" { "events" } else { kind };
        let found = counted.workloads.get(kind).map_or(0, BTreeSet::len);
        assert_eq!(found as u64, count.as_u64().expect("a count"), "{}: {kind}", folder.display());
    }
    (expected, counted)
}

#[test]
fn readers_count_in_the_samples_what_is_expected() {
    for (format, _) in SAMPLES {
        let (expected, _) = check_counts(&sample_folder(format));
        let reasons: Vec<&String> = expected["rejected"].as_object().expect("reasons").keys().collect();
        let planted: &[&str] = match format {
            SynthFormat::Google2011 => &["mandatory cell is empty"],
            SynthFormat::Google2019 => &["alloc set, not a workload"],
            SynthFormat::Alibaba2018 => &["container_id is empty"],
            SynthFormat::Table => &["negative use", "not a number", "nothing was measured", "number is not finite"],
        };
        assert_eq!(reasons, planted, "{}", format.name());
    }
}

#[test]
fn readers_count_what_is_expected_whatever_the_seed_and_packing() {
    for format in SynthFormat::ALL {
        for (seed, packing) in [(1, Packing::Plain), (2, Packing::Gzip)] {
            let folder = tempfile::tempdir().expect("a folder");
            let params = SynthParams { workloads: 60, days: 3, seed };
            let report = generate(format, params, packing, folder.path(), &Silent).expect("made");
            let (expected, _) = check_counts(folder.path());
            assert_eq!(serde_json::to_value(&report).expect("JSON"), expected, "the report is what is written");
        }
    }
}

#[test]
fn larger_traces_of_google_2011_are_in_parts_of_the_same_times() {
    let folder = tempfile::tempdir().expect("a folder");
    let params = SynthParams { workloads: 5_200, days: 1, seed: 4 };
    let report = generate(SynthFormat::Google2011, params, Packing::Gzip, folder.path(), &Silent).expect("made");
    let parts: Vec<&String> = report.files.keys().filter(|name| name.starts_with("task_usage/")).collect();
    assert_eq!(parts.len(), 3, "{parts:?}");
    assert!(parts[2].ends_with("task_usage/part-00002-of-00003.csv.gz"), "{parts:?}");
    let mut latest = 0.0;
    for part in 0..3 {
        for table in ["task_usage", "task_events"] {
            let name = format!("{table}/part-{part:05}-of-00003.csv.gz");
            let (readings, _) = read_one(folder.path(), &name);
            let column = if table == "task_usage" { "start_time" } else { "time" };
            let times = &readings.columns[column];
            assert!(times.min.expect("rows") >= latest, "{name} begins before the part before it ended");
            if table == "task_events" {
                latest = times.max.filter(|time| *time < 1e18).unwrap_or(latest);
            }
        }
        latest = (600e6 + 86_400e6) / 3.0 * f64::from(part + 1);
    }
}

fn read_one(folder: &Path, name: &str) -> (TableSummary, Counted) {
    let alone = tempfile::tempdir().expect("a folder");
    let target = alone.path().join(name);
    fs_err::create_dir_all(target.parent().expect("a parent")).expect("made");
    fs_err::copy(folder.join(name), &target).expect("copied");
    let (mut readings, counted) = read(alone.path());
    (readings.remove(name).expect("read").summary, counted)
}

/// One line of `truth.csv`.
#[derive(Debug)]
struct TrueRun {
    workload: String,
    run: u32,
    application: String,
    archetype: String,
    life: (i64, i64),
    seen: (bool, bool),
    memory_peak: f64,
    cpu_p95: f64,
}

fn truth(folder: &Path) -> Vec<TrueRun> {
    let mut reader = csv::Reader::from_path(folder.join(TRUTH_FILE)).expect("it is there");
    let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    assert_eq!(
        header.join(","),
        "workload,run,application,user,archetype,start,end,start_seen,end_seen,memory_peak,cpu_p95"
    );
    let rows = reader.records().map(|record| {
        let record = record.expect("a record");
        let number = |index: usize| record[index].parse::<f64>().expect("a number");
        TrueRun {
            workload: record[0].to_owned(),
            run: record[1].parse().expect("a number"),
            application: record[2].to_owned(),
            archetype: record[4].to_owned(),
            life: (record[5].parse().expect("a time"), record[6].parse().expect("a time")),
            seen: (&record[7] == "1", &record[8] == "1"),
            memory_peak: number(9),
            cpu_p95: number(10),
        }
    });
    rows.collect()
}

/// Returns the 95th percentile by nearest rank.
fn p95(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(95 * values.len()).div_ceil(100) - 1]
}

#[test]
fn the_truth_agrees_with_the_series() {
    for (format, _) in SAMPLES {
        let folder = sample_folder(format);
        let (_, counted) = read(&folder);
        let micros_per_unit =
            if matches!(format, SynthFormat::Google2011 | SynthFormat::Google2019) { 1 } else { 1_000_000 };
        let (mut compared, mut equal) = (0_u32, 0_u32);
        for run in truth(&folder) {
            let Some(samples) = counted.samples.get(&run.workload) else { continue };
            let (start, end) = (run.life.0 * micros_per_unit, run.life.1 * micros_per_unit);
            let inside: Vec<&Sample> = samples.iter().filter(|sample| (start..end).contains(&sample.start.0)).collect();
            if inside.is_empty() || run.archetype.is_empty() {
                continue;
            }
            // Alibaba's samples are shares of the request; its truth is on the scales of the file.
            let (cpu_unit, memory_unit) = match format {
                SynthFormat::Alibaba2018 => counted.requests[&run.workload],
                _ => (1.0, 1.0),
            };
            let (cpu_unit, memory_unit) = if format == SynthFormat::Alibaba2018 {
                (cpu_unit * 100.0, memory_unit * 100.0)
            } else {
                (cpu_unit, memory_unit)
            };
            let peak = inside.iter().filter_map(|sample| sample.memory_max.or(sample.memory)).fold(0.0, f64::max)
                * memory_unit;
            let cpu = p95(inside.iter().filter_map(|sample| sample.cpu).collect()) * cpu_unit;
            assert!(peak <= run.memory_peak * 1.000_01, "{run:?}: the series reaches {peak}");
            if run.seen == (true, true) {
                compared += 1;
                let is_equal = (peak - run.memory_peak).abs() <= 1e-5 * run.memory_peak
                    && (cpu - run.cpu_p95).abs() <= 1e-3 * run.cpu_p95;
                equal += u32::from(is_equal);
                // Rows that are missing or zeroed can hide the peak, but not by much in most runs.
                assert!(peak > 0.6 * run.memory_peak, "{run:?}: the series reaches {peak} only");
            }
        }
        assert!(compared >= 60, "{}: {compared} runs compared", format.name());
        assert!(equal * 10 >= compared * 8, "{}: {equal} of {compared} runs are equal", format.name());
    }
}

#[test]
fn samples_have_enough_newcomers_for_a_replay() {
    for (format, least) in [(SynthFormat::Google2011, 120), (SynthFormat::Google2019, 120), (SynthFormat::Table, 150)] {
        let folder = sample_folder(format);
        let (_, counted) = read(&folder);
        let mut starts: Vec<i64> = Vec::new();
        let mut applications = BTreeSet::new();
        let mut users_of_parts = [0; 3];
        let times: Vec<i64> = counted.samples.values().flatten().map(|sample| sample.start.0).collect();
        let (first, last) = (times.iter().min().expect("samples"), times.iter().max().expect("samples"));
        for (workload, start) in &counted.starts {
            if !counted.samples.contains_key(workload) {
                continue;
            }
            let group = workload.rsplit_once('/').map_or(workload.as_str(), |(group, _)| group);
            applications.insert(counted.applications[group].clone());
            starts.push(*start);
            let place = (start - first) as f64 / (last - first) as f64;
            users_of_parts[if place < 0.5 { 0 } else { usize::from(place >= 0.7) + 1 }] += 1;
        }
        assert!(starts.len() >= least, "{}: {} visible starts", format.name(), starts.len());
        assert!(applications.len() >= 12, "{}: {} applications", format.name(), applications.len());
        assert!(users_of_parts[1] >= 20 && users_of_parts[2] >= 30, "{}: {users_of_parts:?}", format.name());
    }
}

#[test]
fn every_archetype_is_planted_and_some_lives_are_cut() {
    for (format, _) in SAMPLES {
        let runs = truth(&sample_folder(format));
        let planted: BTreeSet<&str> = runs.iter().map(|run| run.archetype.as_str()).collect();
        let all: BTreeSet<&str> = Archetype::ALL.iter().map(|archetype| archetype.name()).collect();
        assert_eq!(planted, all, "{}", format.name());
        let count = |fits: &dyn Fn(&TrueRun) -> bool| runs.iter().filter(|run| fits(run)).count();
        assert!(count(&|run| !run.seen.0) >= 5, "{}: alive at the beginning", format.name());
        assert!(count(&|run| !run.seen.1) >= 5, "{}: alive at the end", format.name());
        let is_google = matches!(format, SynthFormat::Google2011 | SynthFormat::Google2019);
        assert_eq!(count(&|run| run.run == 1) >= 2, is_google, "{}: restarts", format.name());
        let archetypes: BTreeMap<&str, BTreeSet<&str>> = runs.iter().fold(BTreeMap::new(), |mut map, run| {
            map.entry(run.application.as_str()).or_insert_with(BTreeSet::new).insert(run.archetype.as_str());
            map
        });
        assert!(archetypes.values().all(|behaviours| behaviours.len() == 1), "one behaviour an application");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for format in SynthFormat::ALL {
        let made = |seed: u64| {
            let folder = tempfile::tempdir().expect("a folder");
            make(format, SynthParams { workloads: 40, days: 1, seed }, folder.path())
        };
        let (first, again, other) = (made(3), made(3), made(4));
        assert!(first == again, "{}: the same seed", format.name());
        for (name, bytes) in &first {
            let is_equal = other.get(name) == Some(bytes);
            assert!(!is_equal, "{}: `{name}` does not depend on the seed", format.name());
        }
    }
}

#[test]
fn only_an_empty_folder_is_filled() {
    let folder = tempfile::tempdir().expect("a folder");
    fs_err::write(folder.path().join("notes.txt"), "mine").expect("written");
    let params = SynthParams { workloads: 10, days: 1, seed: 1 };
    let error = generate(SynthFormat::Table, params, Packing::Gzip, folder.path(), &Silent).expect_err("not empty");
    assert_eq!(error.to_string(), format!("the folder `{}` is not empty", folder.path().display()));
    assert_eq!(files(folder.path()).len(), 1);
    let fresh = folder.path().join("fresh");
    let none = SynthParams { workloads: 0, ..params };
    let error = generate(SynthFormat::Table, none, Packing::Gzip, &fresh, &Silent).expect_err("no workloads");
    assert_eq!(error.to_string(), "a trace has 1 to 100000000 workloads, not 0");
    assert!(!fresh.exists(), "nothing is made");
    let error = "borg".parse::<SynthFormat>().expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "`borg` is no format of a synthetic trace: expected one of `google-2011`, `google-2019`, `alibaba-2018`, `table`"
    );
}
