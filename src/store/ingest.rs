//! Trace files into a store: read, spool, compact, commit.
//!
//! A file counts once it was read to its end; the manifest is replaced after that. A kill leaves the old manifest or
//! the new one; files that no manifest names are removed by the next ingest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::artifact::{Digest, FileRecord, Lock, manifest};
use crate::trace::source::{Progress, SourceFile, discover};
use crate::trace::{Format, ReadOptions, Rejected, TableSummary, TraceError};

use super::compact::{compact, open_runs};
use super::manifest::{Manifest, STORE_MANIFEST, Source, Waiting};
use super::reading::{FileOutcome, FileRead, FileRows, Reading, read_files};
use super::run_file::{self, FOLDER};
use super::spool::{Runs, Table};
use super::{MachineSize, StoreError};

/// Buckets of a new store.
const BUCKETS: u32 = 32;
/// Memory of an ingest, unless the user says otherwise.
const MEMORY: u64 = 512 << 20;
/// What a spool holds at least: smaller runs are more of them.
const LEAST_SPOOL: usize = 1 << 20;
/// How often what was read is made durable.
const COMMIT_EVERY: Duration = Duration::from_secs(30);
/// Reading that took less than this is not made durable before it is compacted: to repeat it costs no more.
const WORTH_KEEPING: Duration = Duration::from_secs(5);

/// How many rejected rows a file may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RejectLimit {
    /// At most so many rows.
    Rows(u64),
    /// At most this share of the rows, 0..1.
    Share(f64),
}

/// What to ingest, and how.
#[derive(Debug, Clone, Default)]
pub struct IngestParams {
    /// Files, folders, patterns, `-`.
    pub paths: Vec<PathBuf>,
    /// Files with facts of workloads (`table` format), read like the others.
    pub facts: Vec<PathBuf>,
    /// The format, when the user names it.
    pub format: Option<&'static str>,
    /// Mapping of the `table` format.
    pub options: ReadOptions,
    /// Machine size stated by the user.
    pub machine: MachineSize,
    /// How many rows of a file may be rejected.
    pub max_rejects: Option<RejectLimit>,
    /// Bytes of memory to use at most; 512 MiB if nothing is said.
    pub memory_bytes: Option<u64>,
    /// How often what was read is made durable; every 30 s if nothing is said.
    pub commit_every: Option<Duration>,
}

/// One file that was read.
#[derive(Debug, Clone)]
pub struct IngestedFile {
    /// Its entry in the manifest.
    pub source: Source,
    /// First examples of rejected rows.
    pub examples: Vec<Rejected>,
    /// What the user should be told, with the rows it concerns.
    pub notes: Vec<(String, u64)>,
}

/// What an ingest did.
#[derive(Debug)]
pub struct IngestReport {
    /// Files read now.
    pub files: Vec<IngestedFile>,
    /// Files that were in the store already.
    pub known: Vec<String>,
    /// The manifest afterwards.
    pub manifest: Manifest,
    /// Files that were refused and left out, where each file stands alone: the others were read.
    pub set_aside: Vec<StoreError>,
    /// What ended the ingest early; files before it are kept.
    pub failure: Option<StoreError>,
}

/// Reads files into the store at `root`, making it where there is none.
///
/// # Errors
/// Nothing could be read or kept: the store is then what it was before. A failure after some files were kept is in
/// [`IngestReport::failure`].
pub fn ingest(root: &Path, params: &IngestParams, progress: &dyn Progress) -> Result<IngestReport, StoreError> {
    let wanted = params.format.and_then(crate::trace::format_named);
    let mut files = discover(&params.facts)?;
    files.extend(discover(&params.paths)?);
    let is_new = !root.exists();
    let _lock = Lock::take(root)?;
    let outcome = ingest_locked(root, params, wanted, &files, progress);
    if is_new && !root.join("store.json").exists() {
        // Nothing was kept: leave no half-made folder behind.
        fs_err::remove_dir_all(root).map_err(|error| StoreError::Artifact(error.into()))?;
    }
    outcome
}

fn ingest_locked(
    root: &Path,
    params: &IngestParams,
    wanted: Option<&'static dyn Format>,
    files: &[SourceFile],
    progress: &dyn Progress,
) -> Result<IngestReport, StoreError> {
    let manifest_path = root.join("store.json");
    let stored: Option<Manifest> =
        if manifest_path.exists() { Some(manifest::read(&manifest_path, STORE_MANIFEST)?) } else { None };
    remove_leftovers(root, stored.as_ref())?;
    let mut session = Session::new(root, params, stored);
    let failure = session.read(files, wanted, progress)?;
    let Some(mut manifest) = session.stored.take() else { return Err(session.nothing(failure)) };
    let Session { ingested, known, set_aside, .. } = session;
    if ingested.is_empty()
        && let Some(failure) = failure
    {
        return Err(failure);
    }
    let is_machine_new = merge_machine(&mut manifest.machine, params.machine);
    if !ingested.is_empty() || !manifest.is_complete {
        complete(root, &mut manifest)?;
    } else if is_machine_new {
        manifest::write(&manifest_path, STORE_MANIFEST, &manifest)?;
    }
    Ok(IngestReport { files: ingested, known, manifest, set_aside, failure })
}

/// One ingest: what it has read so far.
pub(super) struct Session<'a> {
    root: &'a Path,
    params: &'a IngestParams,
    pub(super) stored: Option<Manifest>,
    pub(super) ingested: Vec<IngestedFile>,
    known: Vec<String>,
    set_aside: Vec<StoreError>,
}

impl<'a> Session<'a> {
    pub(super) const fn new(root: &'a Path, params: &'a IngestParams, stored: Option<Manifest>) -> Self {
        Self { root, params, stored, ingested: Vec::new(), known: Vec::new(), set_aside: Vec::new() }
    }

    /// Returns why there is nothing to keep, given what ended the reading.
    pub(super) fn nothing(&mut self, failure: Option<StoreError>) -> StoreError {
        failure
            .or_else(|| self.set_aside.drain(..).next())
            .unwrap_or_else(|| StoreError::Trace(TraceError::Nothing { what: "there is no file to read".to_owned() }))
    }

    /// Reads files, and from time to time says in the manifest what was read, so that a stopped ingest goes on from
    /// there. Returns what ended it early.
    pub(super) fn read(
        &mut self,
        files: &[SourceFile],
        wanted: Option<&'static dyn Format>,
        progress: &dyn Progress,
    ) -> Result<Option<StoreError>, StoreError> {
        let buckets = self.stored.as_ref().map_or(BUCKETS, |manifest| manifest.buckets);
        let waiting = self.stored.as_ref().map_or(0, |manifest| manifest.waiting.len());
        let runs = Runs::new(self.root, buckets, u32::try_from(waiting).unwrap_or(u32::MAX / 2));
        let session = self.stored.as_ref().map_or(0, |manifest| manifest.sessions.len());
        let spool_bytes = spool_bytes(self.params.memory_bytes.unwrap_or(MEMORY));
        let every = self.params.commit_every.unwrap_or(COMMIT_EVERY);
        let mut slots = BTreeMap::new();
        let mut done = 0;
        while done < files.len() {
            let digests: BTreeSet<Digest> = self
                .stored
                .iter()
                .flat_map(|manifest| manifest.sources.iter().map(|source| source.digest.clone()))
                .collect();
            let began = Instant::now();
            let first_slot = u32::try_from(done).unwrap_or(u32::MAX / 2);
            let reading = Reading {
                root: self.root,
                files: &files[done..],
                first_slot,
                wanted,
                options: &self.params.options,
                progress,
                is_known: &|digest| digests.contains(digest),
                until: began + every,
            };
            let read = read_files(&reading, &runs, spool_bytes)?;
            let batch = &files[done..done + read.len()];
            done += read.len();
            let mut failure = None;
            for ((file, read), slot) in batch.iter().zip(read).zip(first_slot..) {
                match self.take(file, read) {
                    Ok(Some(number)) => {
                        slots.insert(slot, number);
                    }
                    Ok(None) => {}
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            let is_stopped = failure.is_some();
            if let Some(manifest) = &mut self.stored {
                let written = runs.take();
                if !slots.is_empty() {
                    manifest.sessions.truncate(session);
                    manifest.sessions.push(slots.clone());
                    manifest.waiting.extend(written.into_iter().map(|(path, rows)| Waiting { path, rows, session }));
                }
                if !slots.is_empty() && began.elapsed() >= every.min(WORTH_KEEPING) {
                    commit(self.root, manifest)?;
                }
            }
            if is_stopped {
                return Ok(failure);
            }
        }
        Ok(None)
    }

    /// Takes a file that was read into the manifest; returns the number of its source.
    fn take(&mut self, file: &SourceFile, read: FileRead) -> Result<Option<u32>, StoreError> {
        let rows = match read.outcome? {
            FileOutcome::Known => {
                self.known.push(file.name.clone());
                return Ok(None);
            }
            FileOutcome::SetAside(error) => {
                self.set_aside.push(error);
                return Ok(None);
            }
            FileOutcome::Read(rows) => rows,
        };
        let FileRows { tables, units, examples, quarantine } = *rows;
        let have = self.stored.as_ref().map_or(0, |manifest| manifest.sources.len());
        // Standard input cannot be read twice: each time counts as new.
        let digest = read.digest.unwrap_or_else(|| Digest::of(format!("stdin {have}").as_bytes()));
        let is_known = |manifest: &Manifest| manifest.sources.iter().any(|source| source.digest == digest);
        if self.stored.as_ref().is_some_and(is_known) {
            // The same content twice in one ingest.
            self.known.push(file.name.clone());
            return Ok(None);
        }
        check_rows(file, &tables, self.params.max_rejects)?;
        let manifest = self.stored.get_or_insert_with(|| Manifest {
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
            is_complete: true,
            buckets: BUCKETS,
            units,
            machine: MachineSize::default(),
            sources: Vec::new(),
            tables: BTreeMap::new(),
            waiting: Vec::new(),
            sessions: Vec::new(),
            files: Vec::new(),
            totals: super::Totals::default(),
        });
        if manifest.units != units {
            let stored = manifest.units;
            if manifest.sources.is_empty() {
                self.stored = None;
            }
            return Err(StoreError::Units { file: file.name.clone(), found: units, stored });
        }
        let number = u32::try_from(have).unwrap_or(u32::MAX - 1) + 1;
        let quarantine = match quarantine {
            None => None,
            Some(written) => {
                let name = format!("rejects/source-{number:06}.csv.gz");
                fs_err::rename(written, self.root.join(&name)).map_err(|error| StoreError::Artifact(error.into()))?;
                Some(name)
            }
        };
        let source = Source {
            name: file.name.clone(),
            digest,
            bytes: read.bytes,
            number,
            tables: tables.iter().map(|table| table.0.clone()).collect(),
            rows: tables.iter().map(|table| table.1.rows).sum(),
            rejected: tables.iter().map(|table| table.1.rejected.values().sum::<u64>()).sum(),
            quarantine,
        };
        let mut notes = Vec::new();
        for (name, summary) in tables {
            notes.extend(summary.notes.iter().map(|(note, count)| (note.clone(), *count)));
            manifest.tables.entry(name).or_default().merge(&summary);
        }
        manifest.sources.push(source.clone());
        self.ingested.push(IngestedFile { source, examples, notes });
        Ok(Some(number))
    }
}

/// Says in the manifest what was read so far. The store cannot be used before it is complete.
fn commit(root: &Path, manifest: &mut Manifest) -> Result<(), StoreError> {
    for waiting in &manifest.waiting {
        run_file::sync(root, &waiting.path)?;
    }
    manifest.is_complete = false;
    manifest::write(&root.join("store.json"), STORE_MANIFEST, manifest)?;
    Ok(())
}

/// Returns how much of the memory each thread's spool may take: an eighth stays for the program, and the pieces in flight,
/// buffers of files and sorting have their share.
fn spool_bytes(memory: u64) -> usize {
    let threads = rayon::current_num_threads().max(1);
    let fixed = (64_usize << 20) + threads * (8 << 20);
    let memory = usize::try_from(memory).unwrap_or(usize::MAX);
    ((memory - memory / 8).saturating_sub(fixed) / threads).max(LEAST_SPOOL)
}

/// Compacts what waits, commits, and removes the files that no longer count.
fn complete(root: &Path, manifest: &mut Manifest) -> Result<(), StoreError> {
    let generation = u32::try_from(manifest.sources.len()).unwrap_or(u32::MAX);
    let runs = open_runs(root, manifest)?;
    let (files, totals) = compact(root, manifest, &runs, generation)?;
    manifest.files = files;
    manifest.waiting = Vec::new();
    manifest.sessions = Vec::new();
    manifest.totals = totals;
    manifest.is_complete = true;
    env!("CARGO_PKG_VERSION").clone_into(&mut manifest.written_by);
    manifest::write(&root.join("store.json"), STORE_MANIFEST, manifest)?;
    remove_leftovers(root, Some(manifest))
}

fn merge_machine(stored: &mut MachineSize, stated: MachineSize) -> bool {
    let before = *stored;
    stored.nanocores = stated.nanocores.or(stored.nanocores);
    stored.memory_bytes = stated.memory_bytes.or(stored.memory_bytes);
    *stored != before
}

fn check_rows(
    file: &SourceFile,
    tables: &[(String, TableSummary)],
    limit: Option<RejectLimit>,
) -> Result<(), StoreError> {
    let rows: u64 = tables.iter().map(|table| table.1.rows).sum();
    let rejected: u64 = tables.iter().map(|table| table.1.rejected.values().sum::<u64>()).sum();
    let is_over = match limit {
        None => false,
        Some(RejectLimit::Rows(most)) => rejected > most,
        Some(RejectLimit::Share(most)) => rejected as f64 > most * rows as f64,
    };
    if is_over {
        return Err(StoreError::TooManyRejects { file: file.name.clone(), rejected, rows });
    }
    if rows > 0 && rejected == rows {
        let reasons = tables.iter().flat_map(|table| &table.1.rejected);
        let reason = reasons.max_by_key(|reason| reason.1).map(|reason| reason.0.clone()).unwrap_or_default();
        return Err(StoreError::NothingUsable { file: file.name.clone(), rows, reason });
    }
    Ok(())
}

/// Removes files of the store's tables that the manifest does not name: leftovers of a stopped run.
fn remove_leftovers(root: &Path, manifest: Option<&Manifest>) -> Result<(), StoreError> {
    let io = |error: std::io::Error| StoreError::Artifact(error.into());
    let files = manifest.iter().flat_map(|manifest| &manifest.files).map(|file: &FileRecord| file.path.as_str());
    let waiting = manifest.iter().flat_map(|manifest| &manifest.waiting).map(|run| run.path.as_str());
    let named: BTreeSet<&str> = files.chain(waiting).collect();
    let quarantines: BTreeSet<&str> = manifest
        .iter()
        .flat_map(|manifest| &manifest.sources)
        .filter_map(|source| source.quarantine.as_deref())
        .collect();
    for folder in Table::ALL.map(Table::folder).into_iter().chain(["rejects", FOLDER]) {
        let mut folders = vec![root.join(folder)];
        while let Some(folder) = folders.pop() {
            if !folder.is_dir() {
                continue;
            }
            for entry in fs_err::read_dir(&folder).map_err(io)? {
                let path = entry.map_err(io)?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                if !named.contains(below.as_str()) && !quarantines.contains(below.as_str()) {
                    fs_err::remove_file(&path).map_err(io)?;
                }
            }
        }
    }
    for entry in fs_err::read_dir(root).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name();
        // Manifest and workload table under the names that they have while they are written.
        if name.to_str().is_some_and(|name| name.starts_with(".writing-")) {
            fs_err::remove_file(entry.path()).map_err(io)?;
        }
    }
    // The folder of runs is there while something waits.
    match fs_err::remove_dir(root.join(FOLDER)) {
        Ok(()) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => Ok(()),
        Err(error) => Err(io(error)),
    }
}
