//! The reader of `bitbrains` against real slices (every row, extreme and sum as an independent count says; skipped, with a
//! printed reason, where the slices are not present), and what the store makes of months and of refused files.

use std::path::{Path, PathBuf};

use shadow::store::{IngestParams, IngestReport, Store, StoreError, ingest};
use shadow::trace::source::Silent;
use shadow::trace::{
    Dataset, EventRow, GroupRow, MachineRow, ReadOptions, Sample, SampleFlags, Sink, TableSummary, TraceError,
    WorkloadFlags,
};
use shadow::units::Micros;

use crate::common::real_slices;
use crate::common::slices::{Differences, compare, expectations, read_slice};

/// The folder of the slices.
const FOLDER: &str = "bitbrains/rnd/2013-8";

/// What a file's rows add up to.
#[derive(Default)]
struct Seen {
    machines: Vec<String>,
    off: u64,
    cpu_over: u64,
    memory_over: u64,
}

impl Sink for Seen {
    fn sample(&mut self, dataset: Dataset, _workload: &str, _sequence: u64, sample: &Sample) -> Result<(), TraceError> {
        assert_eq!(dataset, Dataset::Usage);
        self.off += u64::from(sample.flags.contains(SampleFlags::OFF));
        // The source prints 100 % of what is provisioned with fifteen digits.
        let is_over =
            |used: Option<f64>, given: Option<f64>| used.zip(given).is_some_and(|(a, b)| a > b * (1.0 + 1e-12));
        self.cpu_over += u64::from(is_over(sample.cpu, sample.cpu_request));
        self.memory_over += u64::from(is_over(sample.memory, sample.memory_request));
        Ok(())
    }

    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError> {
        self.machines.push(event.workload.to_owned());
        Ok(())
    }

    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError> {
        panic!("`{}`: this format has no groups", group.group)
    }

    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError> {
        panic!("`{}`: this format has no hosts", machine.machine)
    }
}

#[test]
fn bitbrains_slices_are_read_exactly() {
    let Some(folder) = real_slices("bitbrains_slices_are_read_exactly") else { return };
    let expected = expectations(&folder);
    let files = expected["files"].as_object().expect("files");
    let files: Vec<_> = files.iter().filter(|(_, file)| file["format"] == "bitbrains").collect();
    assert_eq!(files.len(), 118);
    let (mut all, mut seen, mut differences) = (TableSummary::default(), Seen::default(), Vec::new());
    for (path, expected) in files {
        let slice = read_slice(&folder.join(path), &ReadOptions::default(), &mut seen);
        slice.outcome.as_ref().unwrap_or_else(|error| panic!("{error}"));
        let mut here = Differences::at(path);
        here.check("recognised as", &(slice.format, slice.table), &("bitbrains", "vm"));
        compare(expected, &slice.summary, &|_| None, &mut here);
        here.check("columns", &Some(slice.summary.columns.len() as u64), &expected["columns"].as_u64());
        here.check("rejected", &slice.rejected.len(), &0);
        let number = path.rsplit('/').next().and_then(|file| file.split('.').next()).expect("a number");
        here.check("machine", &seen.machines.last(), &Some(&format!("rnd/2013-8/{number}")));
        all.merge(&slice.summary);
        differences.extend(here.found);
    }
    let expected = &expected["groups"][FOLDER];
    let mut here = Differences::at(FOLDER);
    compare(expected, &all, &|_| None, &mut here);
    for (name, count) in [
        ("workloads", seen.machines.len() as u64),
        ("rows_with_0_cores", seen.off),
        ("rows_cpu_over_100_percent", seen.cpu_over),
        ("rows_memory_over_capacity", seen.memory_over),
    ] {
        here.check(name, &Some(count), &expected[name].as_u64());
    }
    differences.extend(here.found);
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

const HEADER: &str = "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\t\
                      Memory capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];\t\
                      Disk write throughput [KB/s];\tNetwork received throughput [KB/s];\t\
                      Network transmitted throughput [KB/s]\n";

/// Writes a machine's month with a row at each of the steps of 300 s.
fn month(folder: &Path, month: &str, number: u32, steps: impl Iterator<Item = i64>) -> PathBuf {
    let rows = steps.map(|step| {
        format!("{};\t2;\t5200;\t1300;\t25;\t8388608;\t1048576;\t1;\t2;\t3;\t4\n", 1_375_000_000 + 300 * step)
    });
    let path = folder.join("rnd").join(month).join(format!("{number}.csv"));
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, format!("{HEADER}{}", rows.collect::<String>())).expect("written");
    path
}

fn ingest_folder(root: &Path, folder: &Path) -> Result<IngestReport, StoreError> {
    ingest(root, &IngestParams { paths: vec![folder.to_owned()], ..IngestParams::default() }, &Silent)
}

#[test]
fn a_month_is_a_recording_of_its_own() {
    let world = tempfile::tempdir().expect("a folder");
    let traces = world.path().join("traces");
    // August follows July at once; one machine appears and one is gone inside August.
    month(&traces, "2013-7", 1, 0..50);
    month(&traces, "2013-8", 1, 50..100);
    month(&traces, "2013-8", 2, 70..100);
    month(&traces, "2013-8", 3, 50..80);
    let root = world.path().join("store");
    ingest_folder(&root, &traces).expect("kept");
    let found: Vec<(String, Option<Micros>, Option<Micros>)> = Store::open(&root)
        .and_then(|store| store.workloads())
        .expect("read")
        .into_iter()
        .inspect(|workload| assert!(workload.flags.contains(WorkloadFlags::MEMORY_ACTIVE)))
        .map(|workload| (workload.id, workload.start, workload.end))
        .collect();
    let at = |step: i64| Some(Micros::from_seconds(1_375_000_000 + 300 * step));
    let of = |name: &str, start, end| (format!("rnd/{name}"), start, end);
    let expected = [
        of("2013-7/1", None, None),
        of("2013-8/1", None, None),
        of("2013-8/2", at(70), None),
        of("2013-8/3", None, at(80)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_refused_file_takes_nothing_from_the_others() {
    let world = tempfile::tempdir().expect("a folder");
    let traces = world.path().join("traces");
    month(&traces, "2013-8", 1, 0..50);
    let both = month(&traces, "2013-8", 2, (0..50).flat_map(|step| [step, step - 30]));
    // A file of the same bytes would count as read already.
    month(&traces, "2013-8", 3, 0..51);
    let root = world.path().join("store");
    let report = ingest_folder(&root, &traces).expect("kept");
    assert!(report.failure.is_none());
    let [error] = report.set_aside.as_slice() else { panic!("one file is refused") };
    assert!(error.to_string().contains("2.csv") && error.to_string().contains("do not go forward"), "{error}");
    let names = |root: &Path| -> Vec<(String, u64)> {
        let workloads = Store::open(root).and_then(|store| store.workloads()).expect("read");
        workloads.into_iter().map(|workload| (workload.id, workload.samples)).collect()
    };
    assert_eq!(names(&root), [("rnd/2013-8/1".to_owned(), 50), ("rnd/2013-8/3".to_owned(), 51)]);
    // Alone it is an error, and leaves no store behind.
    let other = world.path().join("other");
    let error = ingest_folder(&other, &both).expect_err("nothing is left");
    assert!(error.to_string().contains("do not go forward"), "{error}");
    assert!(!other.exists());
}
