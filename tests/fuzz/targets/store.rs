//! The files of a store: its manifest and its tables behind good checksums, opened and read; and the runs of a stopped ingest, which is then
//! completed.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};
use shadow::error::{CommandError, Kind};
use shadow::store::{IngestParams, STORE_MANIFEST, Store, StoreError, ingest};
use shadow::trace::source::Progress;

use super::sealing::{manifest as sealed_manifest, scratch, written};
use super::{changes, split_first};

/// A store as it was made: its files, and the body of its manifest.
struct Made {
    root: PathBuf,
    manifest: Value,
    /// All other files, by their path below the store.
    files: BTreeMap<String, Vec<u8>>,
}

impl Made {
    /// Reads what lies at `root`.
    fn of(root: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                    files.insert(name, std::fs::read(path).unwrap());
                }
            }
        }
        let sealed: Value = serde_json::from_slice(&files.remove("store.json").unwrap()).unwrap();
        files.retain(|name, _| name != ".lock");
        Self { root: root.to_owned(), manifest: sealed["body"].clone(), files }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn write_manifest(&self, body: &Value) {
        let text = sealed_manifest(STORE_MANIFEST.name, STORE_MANIFEST.newest, &body.to_string());
        self.write("store.json", text.as_bytes());
    }

    /// Writes the manifest with what is now the length and the checksum of a file.
    fn write_manifest_with(&self, name: &str, bytes: &[u8]) {
        let mut body = self.manifest.clone();
        for file in body["files"].as_array_mut().unwrap() {
            if file["path"] == name {
                file["bytes"] = bytes.len().into();
                file["crc32"] = format!("{:08x}", crc32fast::hash(bytes)).into();
            }
        }
        self.write_manifest(&body);
    }
}

/// A table with two workloads.
fn series(file: &str) -> PathBuf {
    let mut text = "workload,time_s,interval_s,cpu_cores,memory_bytes,application\n".to_owned();
    for row in 0..12 {
        text += &format!("w{},{},10,0.{row},{}000\n", row % 2, 10 * row, row + 1).replace('\n', ",a\n");
    }
    written(file, text.as_bytes())
}

/// Begins a store of one bucket, which keeps all rows in few files.
fn begin(root: &Path) {
    let body = json!({
        "written_by": "0", "is_complete": true, "buckets": 1,
        "units": {"cpu": "cores", "memory": "bytes", "network": "bytes-per-second"},
        "machine": {"nanocores": null, "memory_bytes": null}, "sources": [], "tables": {}, "files": [],
        "totals": {
            "workloads": 0, "sampled_workloads": 0, "started_workloads": 0, "samples": 0, "summaries": 0,
            "machine_samples": 0, "events": 0, "groups": 0, "machines": 0, "duplicates": 0, "merged": 0,
            "first": null, "last": null,
        },
    });
    std::fs::create_dir_all(root).unwrap();
    std::fs::write(
        root.join("store.json"),
        sealed_manifest(STORE_MANIFEST.name, STORE_MANIFEST.newest, &body.to_string()),
    )
    .unwrap();
}

/// Takes the store as it is when the second file begins to be read: what a kill would leave.
struct Taking<'a> {
    root: &'a Path,
    taken: Mutex<Option<Made>>,
}

impl Progress for Taking<'_> {
    fn bytes(&self, _: u64) {
        let made = std::fs::read(self.root.join("store.json")).unwrap();
        if String::from_utf8(made).unwrap().contains("\"is_complete\": false") {
            self.taken.lock().unwrap().get_or_insert_with(|| Made::of(self.root));
        }
    }

    fn rows(&self, _: u64) {}
}

thread_local! {
    static MADE: OnceCell<(Made, Made)> = const { OnceCell::new() };
}

fn make() -> (Made, Made) {
    let complete = scratch("complete");
    begin(&complete);
    let facts = written("facts.csv", b"workload,application,start_s,end_s\nw0,a,0,100\nw1,b,5,\n");
    let params = IngestParams { paths: vec![series("a.csv")], facts: vec![facts.clone()], ..IngestParams::default() };
    ingest(&complete, &params, &shadow::trace::source::Silent).unwrap();
    let stopped = scratch("stopped");
    begin(&stopped);
    let taking = Taking { root: &stopped, taken: Mutex::new(None) };
    let other = written("b.csv", b"workload,time_s,cpu_cores,memory_bytes\nw2,0,1,1\n");
    let params = IngestParams {
        paths: vec![series("a.csv"), other],
        facts: vec![facts],
        commit_every: Some(std::time::Duration::ZERO),
        ..IngestParams::default()
    };
    ingest(&stopped, &params, &taking).unwrap();
    (Made::of(&complete), taking.taken.into_inner().unwrap().unwrap())
}

fn expect_no_bug(error: StoreError) {
    let shown = format!("{error:?}");
    assert_ne!(CommandError::from(error).kind(), Kind::Internal, "{shown}");
}

/// Opens the store and reads everything.
fn read_all(root: &Path) -> Result<(), StoreError> {
    let store = Store::open(root)?;
    store.workloads()?;
    for (bucket, runs) in store.sampled_runs()? {
        store.for_each_run(bucket, &runs, &mut |_, _| Ok::<(), StoreError>(()))?;
    }
    store.for_each_summary(0, &mut |_, _, _| Ok::<(), StoreError>(()))?;
    store.verify().map(drop)
}

/// `store.json`, and the Parquet tables that it names.
pub(super) fn tables(input: &[u8]) {
    MADE.with(|made| {
        let (made, _) = made.get_or_init(make);
        let (which, rest) = split_first(input);
        let names: Vec<&String> = made.files.keys().filter(|name| name.ends_with(".parquet")).collect();
        match usize::from(which % 8) {
            0 => made.write("store.json", rest),
            1 | 2 => made.write_manifest(&changes::json(&made.manifest, rest)),
            number => {
                let name = names[number % names.len()];
                let bytes = changes::bytes(&made.files[name], rest);
                made.write(name, &bytes);
                made.write_manifest_with(name, &bytes);
            }
        }
        read_all(&made.root).unwrap_or_else(expect_no_bug);
        for (name, bytes) in &made.files {
            made.write(name, bytes);
        }
    });
}

/// The runs that a stopped ingest left, and the manifest that names them: the ingest is completed.
pub(super) fn runs(input: &[u8]) {
    MADE.with(|made| {
        let (_, made) = made.get_or_init(make);
        std::fs::remove_dir_all(&made.root).unwrap();
        for (name, bytes) in &made.files {
            made.write(name, bytes);
        }
        let (which, rest) = split_first(input);
        let run = made.manifest["waiting"][0]["path"].as_str().unwrap();
        match which % 4 {
            0 => made.write_manifest(&changes::json(&made.manifest, rest)),
            1 => {
                made.write(run, &changes::bytes(&made.files[run], rest));
                made.write_manifest(&made.manifest);
            }
            _ => {
                made.write(run, &changed_run(&made.files[run], which, rest));
                made.write_manifest(&made.manifest);
            }
        }
        match ingest(&made.root, &IngestParams::default(), &shadow::trace::source::Silent) {
            Ok(_) => read_all(&made.root).unwrap_or_else(expect_no_bug),
            Err(error) => expect_no_bug(error),
        }
    });
}

/// Changes the rows of one section of a run, or the list of sections, and mends the checksums.
fn changed_run(good: &[u8], which: u8, input: &[u8]) -> Vec<u8> {
    let end = good.len() - 20;
    let length = u64::from_le_bytes(good[end + 4..end + 12].try_into().unwrap());
    let begin = end - usize::try_from(length).unwrap();
    let mut listed: Value = serde_json::from_slice(&good[begin..end]).unwrap();
    let mut content = good[..begin].to_vec();
    if which % 4 == 2 {
        let (chosen, input) = split_first(input);
        let sections = listed["sections"].as_array_mut().unwrap();
        let chosen = usize::from(chosen) % sections.len();
        let place = |name: &str| usize::try_from(sections[chosen][name].as_u64().unwrap()).unwrap();
        let (from, count) = (place("offset"), place("bytes"));
        // So few rows are one frame: its checksum, its length, the groups.
        let groups = changes::bytes(&content[from + 8..from + count], input);
        let mut frame = crc32fast::hash(&groups).to_le_bytes().to_vec();
        frame.extend(u32::try_from(groups.len()).unwrap().to_le_bytes());
        frame.extend(groups);
        sections[chosen]["bytes"] = frame.len().into();
        for later in &mut sections[chosen + 1..] {
            let moved = later["offset"].as_u64().unwrap() + frame.len() as u64 - count as u64;
            later["offset"] = moved.into();
        }
        drop(content.splice(from..from + count, frame));
    } else {
        listed = changes::json(&listed, input);
    }
    let listed = listed.to_string();
    content.extend(listed.as_bytes());
    content.extend(crc32fast::hash(listed.as_bytes()).to_le_bytes());
    content.extend((listed.len() as u64).to_le_bytes());
    content.extend(b"shadrun2");
    content
}
