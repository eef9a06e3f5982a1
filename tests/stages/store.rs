//! From trace files to a store: joins on real slices, idempotence, damage, stopped runs.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use shadow::artifact::Lock;
use shadow::store::{IngestParams, IngestReport, Store, StoreError, ingest};
use shadow::trace::source::Silent;

use crate::common::real_slices;

fn ingest_all(root: &Path, paths: &[PathBuf]) -> Result<IngestReport, StoreError> {
    ingest(root, &IngestParams { paths: paths.to_vec(), ..IngestParams::default() }, &Silent)
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} instead of {expected}");
}

const SERIES: &str = "workload,time_s,cpu_cores,memory_bytes\na,0,1,100\na,10,2,200\nb,30,0.5,50\nb,40,0.5,60\n";

fn small_trace(folder: &Path) -> PathBuf {
    let path = folder.join("series.csv");
    std::fs::write(&path, SERIES).unwrap();
    path
}

#[test]
fn join_1_google_2011_takes_the_request_in_force() {
    let Some(data) = real_slices("join_1_google_2011_takes_the_request_in_force") else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let slices = data.join("google-2011");
    ingest_all(&root, &[slices.join("task_usage"), slices.join("task_events")]).unwrap();
    let store = Store::open(&root).unwrap();
    let (mut matched, mut cpu, mut memory) = (0, 0.0, 0.0);
    let (mut cpu_over, mut memory_over, mut cpu_max_over) = (0, 0, 0);
    for bucket in 0..store.manifest().buckets {
        store
            .for_each_series(bucket, &mut |_workload, _run, samples| {
                for sample in samples {
                    let (Some(cpu_request), Some(memory_request)) = (sample.cpu_request, sample.memory_request) else {
                        continue;
                    };
                    matched += 1;
                    cpu += cpu_request;
                    memory += memory_request;
                    cpu_over += u32::from(sample.cpu.is_some_and(|used| used > cpu_request));
                    cpu_max_over += u32::from(sample.cpu_max.is_some_and(|used| used > cpu_request));
                    memory_over += u32::from(sample.memory.is_some_and(|used| used > memory_request));
                }
                Ok::<(), StoreError>(())
            })
            .unwrap();
    }
    assert_eq!((matched, memory_over, cpu_over, cpu_max_over), (677, 2, 3, 449));
    near(cpu, 48.078_798_8);
    near(memory, 23.689_601);
    let keys: std::collections::BTreeSet<String> =
        store.workloads().unwrap().into_iter().map(|workload| workload.id).collect();
    assert_eq!(keys.len(), 208_329);
}

#[test]
fn join_2_alibaba_batch_instances_get_their_plan() {
    let Some(data) = real_slices("join_2_alibaba_batch_instances_get_their_plan") else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    ingest_all(&root, &[data.join("alibaba-2018/spar")]).unwrap();
    let store = Store::open(&root).unwrap();
    let (mut rows, mut plan_cpu, mut plan_memory, mut cpu_over, mut used) = (0_u64, 0.0, 0.0, 0_u64, 0.0);
    for bucket in 0..store.manifest().buckets {
        store
            .for_each_summary(bucket, &mut |_workload, _run, samples| {
                for sample in samples {
                    let (Some(cpu), Some(memory)) = (sample.cpu_request, sample.memory_request) else { continue };
                    rows += 1;
                    plan_cpu += cpu * 100.0;
                    plan_memory += memory * 100.0;
                    cpu_over += u64::from(sample.cpu.is_some_and(|used| used > cpu));
                    used += sample.cpu.unwrap_or_default() * sample.duration.as_seconds();
                }
                Ok::<(), StoreError>(())
            })
            .unwrap();
    }
    assert_eq!((rows, cpu_over), (1_585_828, 549_361));
    near(plan_cpu, 119_242_575.0);
    near(plan_memory, 657_989.53);
    near(used, 50_301_691.17);
    assert_eq!(store.manifest().totals.workloads, 33_824);
}

#[test]
fn join_3_alibaba_container_usage_becomes_cores() {
    let Some(data) = real_slices("join_3_alibaba_container_usage_becomes_cores") else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let slices = data.join("alibaba-2018");
    // Usage first: the requests that resolve it come in a later ingest.
    ingest_all(&root, &[slices.join("container_usage.csv")]).unwrap();
    ingest_all(&root, &[slices.join("container_cpuReq_cpuLim.csv.gz"), slices.join("container_memReq.csv.gz")])
        .unwrap();
    let store = Store::open(&root).unwrap();
    let (mut rows, mut cores, mut memory) = (0, 0.0, 0.0);
    let (mut most_cores, mut most_memory) = (0.0_f64, 0.0_f64);
    for bucket in 0..store.manifest().buckets {
        store
            .for_each_series(bucket, &mut |_workload, _run, samples| {
                for sample in samples {
                    rows += 1;
                    cores += sample.cpu.unwrap();
                    memory += sample.memory.unwrap() * 100.0;
                    most_cores = most_cores.max(sample.cpu.unwrap());
                    most_memory = most_memory.max(sample.memory.unwrap() * 100.0);
                }
                Ok::<(), StoreError>(())
            })
            .unwrap();
    }
    assert_eq!(rows, 6_497);
    near(cores, 2_947.56);
    near(memory, 10_200.139_1);
    near(most_cores, 3.6);
    near(most_memory, 3.13);
    let usage = store.manifest().sources.iter().find(|source| source.name.ends_with("container_usage.csv")).unwrap();
    assert_eq!((usage.rows, usage.rejected), (10_000, 3_503));
}

#[test]
fn a_file_that_is_in_the_store_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let trace = small_trace(folder.path());
    ingest_all(&root, std::slice::from_ref(&trace)).unwrap();
    let before = std::fs::read(root.join("store.json")).unwrap();
    let copy = folder.path().join("copy.csv");
    std::fs::copy(&trace, &copy).unwrap();
    let report = ingest_all(&root, &[trace, copy]).unwrap();
    assert_eq!((report.files.len(), report.known.len()), (0, 2));
    assert_eq!(std::fs::read(root.join("store.json")).unwrap(), before);
}

#[test]
fn the_order_of_files_does_not_change_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one.csv", "two.csv"].map(|name| folder.path().join(name));
    std::fs::write(&one, SERIES).unwrap();
    std::fs::write(&two, "workload,time_s,cpu_cores,memory_bytes\na,20,3,300\nc,50,1,1\n").unwrap();
    let tables: Vec<Vec<shadow::store::Workload>> = [[&one, &two], [&two, &one]]
        .into_iter()
        .enumerate()
        .map(|(index, order)| {
            let root = folder.path().join(format!("store-{index}"));
            for file in order {
                ingest_all(&root, std::slice::from_ref(file)).unwrap();
            }
            Store::open(&root).unwrap().workloads().unwrap()
        })
        .collect();
    assert_eq!(tables[0], tables[1]);
    assert_eq!(tables[0].len(), 3);
}

#[test]
fn a_truncated_gzip_keeps_the_files_before_it_and_nothing_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let good = small_trace(folder.path());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    for time in 0..20_000 {
        writeln!(
            encoder,
            "{}z,{time},1.{time},5",
            if time == 0 { "workload,time_s,cpu_cores,memory_bytes\n" } else { "" }
        )
        .unwrap();
    }
    let bytes = encoder.finish().unwrap();
    let bad = folder.path().join("zbad.csv.gz");
    std::fs::write(&bad, &bytes[..bytes.len() / 2]).unwrap();
    let error = ingest_all(&root, std::slice::from_ref(&bad)).unwrap_err();
    assert!(error.to_string().contains("zbad.csv.gz") && error.to_string().contains("ends early"), "{error}");
    assert!(!root.exists(), "a store was left behind though nothing could be kept");
    let report = ingest_all(&root, &[good, bad]).unwrap();
    assert!(report.failure.is_some());
    let ids: Vec<String> =
        Store::open(&root).unwrap().workloads().unwrap().into_iter().map(|workload| workload.id).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn unusable_input_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let cases = [
        (folder.path().join("missing.csv"), "does not exist"),
        (write("empty.csv", ""), "the file is empty"),
        (
            write("text.csv", "workload,time_s,cpu_cores,memory_bytes\na,0,many,100\na,1,more,100\n"),
            "none of its 2 rows",
        ),
        (write("poem.csv", "shall I compare thee\nto a summer's day\n"), "cannot tell the format"),
    ];
    for (path, expected) in cases {
        let error = ingest_all(&root, std::slice::from_ref(&path)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains(path.file_name().unwrap().to_str().unwrap()), "{error}");
        assert!(!root.exists());
    }
    let barren = folder.path().join("barren");
    std::fs::create_dir(&barren).unwrap();
    std::fs::write(barren.join("notes.md"), "nothing").unwrap();
    assert!(ingest_all(&root, &[barren]).unwrap_err().to_string().contains("no trace files in folder"));
}

#[test]
fn rows_that_cannot_be_used_are_counted_and_quarantined() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let path = folder.path().join("s.csv");
    std::fs::write(&path, "workload,time_s,cpu_cores,memory_bytes\na,0,1,100\na,1,NaN,100\na,2,-5,100\na,3,1,200\n")
        .unwrap();
    let report = ingest_all(&root, &[path]).unwrap();
    let source = &report.files[0].source;
    assert_eq!((source.rows, source.rejected), (4, 2));
    assert_eq!(Store::open(&root).unwrap().manifest().totals.samples, 2);
    let quarantine = std::fs::File::open(root.join(source.quarantine.as_ref().unwrap())).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(quarantine).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn any_flipped_byte_of_a_table_is_detected_before_use() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    ingest_all(&root, &[small_trace(folder.path())]).unwrap();
    let table = root.join("workloads.parquet");
    let good = std::fs::read(&table).unwrap();
    for position in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[position] ^= 0x10;
        std::fs::write(&table, bad).unwrap();
        let error = Store::open(&root).unwrap().workloads().unwrap_err().to_string();
        assert!(error.contains("workloads.parquet") && error.contains("checksum"), "{error}");
    }
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    ingest_all(&root, &[small_trace(folder.path())]).unwrap();
    let path = root.join("store.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"version\": 1", "\"version\": 9", 1)).unwrap();
    let error = Store::open(&root).unwrap_err().to_string();
    assert!(error.contains("version 9"), "{error}");
    assert!(ingest_all(&root, &[small_trace(folder.path())]).is_err());
}

/// Pieces, runs and commits are how a store is made, not what it is.
#[test]
fn threads_memory_and_commits_do_not_change_a_byte() {
    let folder = tempfile::tempdir().unwrap();
    let usage = folder.path().join("task_usage");
    std::fs::create_dir(&usage).unwrap();
    for part in 0..3_u64 {
        let mut text = String::new();
        for row in 0..30_000_u64 {
            let (start, job) = (600 + 300 * (row / 100) + part, 7 * (row % 100) + part);
            let cpu = if row % 9_001 == 5 { "x".to_owned() } else { format!("0.0{}", row % 977) };
            let blank = if row % 5_000 == 0 { "\n" } else { "" };
            writeln!(text, "{blank}{start}000000,{}000000,{job},0,5,{cpu},0.1,,,,0.2,,,0.3,,,,0,1,0", start + 300)
                .unwrap();
        }
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        std::fs::write(usage.join(format!("part-{part:05}-of-00003.csv.gz")), packed.finish().unwrap()).unwrap();
    }
    let mut stores = Vec::new();
    for (threads, memory, seconds) in [(1, 1 << 30, 30), (4, 1, 30), (3, 1 << 30, 0)] {
        let root = folder.path().join(format!("store-{threads}"));
        let params = IngestParams {
            paths: vec![usage.clone()],
            memory_bytes: Some(memory),
            commit_every: Some(std::time::Duration::from_secs(seconds)),
            ..IngestParams::default()
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let report = pool.install(|| ingest(&root, &params, &Silent)).unwrap();
        let rejected: Vec<(u64, u64)> =
            report.files.iter().map(|file| (file.source.rows, file.source.rejected)).collect();
        assert_eq!(rejected, [(30_000, 4); 3]);
        let rows: Vec<u64> = report.files[1].examples.iter().map(|rejected| rejected.row).collect();
        assert_eq!(rows, [6, 9_007, 18_008], "rows are counted without blank lines, whatever the piece");
        let mut content = Vec::new();
        for file in &report.manifest.files {
            content.push((file.path.clone(), std::fs::read(root.join(&file.path)).unwrap()));
        }
        content.push(("store.json".to_owned(), std::fs::read(root.join("store.json")).unwrap()));
        assert!(!root.join("waiting").exists());
        stores.push(content);
    }
    assert!(stores[0] == stores[1], "four threads and many runs");
    assert!(stores[0] == stores[2], "three threads and a commit after each file");
}

#[test]
fn leftovers_of_a_stopped_run_are_removed_and_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    ingest_all(&root, &[small_trace(folder.path())]).unwrap();
    let leftover = root.join("usage/bucket=00/waiting-00000099.parquet");
    std::fs::create_dir_all(leftover.parent().unwrap()).unwrap();
    std::fs::write(&leftover, "half a file").unwrap();
    let more = folder.path().join("more.csv");
    std::fs::write(&more, "workload,time_s,cpu_cores,memory_bytes\nd,0,1,1\n").unwrap();
    ingest_all(&root, &[more]).unwrap();
    assert!(!leftover.exists());
    assert_eq!(Store::open(&root).unwrap().manifest().totals.workloads, 3);
}

#[test]
fn two_writers_at_once_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let _held = Lock::take(&root).unwrap();
    let error = ingest_all(&root, &[small_trace(folder.path())]).unwrap_err().to_string();
    assert!(error.contains("locked by another"), "{error}");
}

#[test]
fn traces_of_other_units_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    ingest_all(&root, &[small_trace(folder.path())]).unwrap();
    let google = folder.path().join("task_usage/part-00000-of-00500.csv");
    std::fs::create_dir_all(google.parent().unwrap()).unwrap();
    std::fs::write(
        &google,
        "600000000,900000000,3418309,0,4155527081,0.001562,0.06787,0.07568,0.001156,0.001503,0.06787,2.861e-06,0.0001869,0.03967,0.0003567,2.445,0.007243,0,1,0\n",
    )
    .unwrap();
    let error = ingest_all(&root, &[google]).unwrap_err();
    assert!(matches!(error, StoreError::Units { .. }), "{error}");
    assert_eq!(Store::open(&root).unwrap().manifest().totals.workloads, 2);
}

#[test]
fn a_table_series_that_ran_already_when_the_trace_began_has_no_visible_start() {
    use std::fmt::Write;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let path = folder.path().join("s.csv");
    let mut text = "workload,time_s,cpu_cores,memory_bytes\n".to_owned();
    // `late` is first sampled within the first steps, as a workload that ran already may be; `new` came into being.
    for (workload, first) in [("early", 0), ("late", 15), ("new", 500)] {
        for step in 0..100 {
            writeln!(text, "{workload},{},1,1", first + 20 * step).unwrap();
        }
    }
    std::fs::write(&path, text).unwrap();
    ingest_all(&root, &[path]).unwrap();
    let workloads = Store::open(&root).unwrap().workloads().unwrap();
    let started: Vec<&str> =
        workloads.iter().filter(|workload| workload.start.is_some()).map(|workload| workload.id.as_str()).collect();
    assert_eq!(started, ["new"]);
}
