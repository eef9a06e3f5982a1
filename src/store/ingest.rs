//! Trace files into a store: read, spool, compact, commit.
//!
//! A file counts once it was read to its end; the manifest is replaced after that. A kill leaves the old manifest or
//! the new one; files that no manifest names are removed by the next ingest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::artifact::{Digest, FileRecord, Lock, digest_file, manifest};
use crate::trace::source::{OpenTable, Progress, SourceFile, discover, for_each_table};
use crate::trace::{Context, Format, Head, ReadOptions, Rejected, Rejects, TableSummary, TraceError, detect};

use super::compact::compact;
use super::manifest::{Manifest, STORE_MANIFEST, Source};
use super::spool::{Spool, Table};
use super::{MachineSize, StoreError};

/// Buckets of a new store.
const BUCKETS: u32 = 32;

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
    let mut stored: Option<Manifest> =
        if manifest_path.exists() { Some(manifest::read(&manifest_path, STORE_MANIFEST)?) } else { None };
    remove_leftovers(root, stored.as_ref())?;
    let buckets = stored.as_ref().map_or(BUCKETS, |manifest| manifest.buckets);
    let waiting = stored.as_ref().map_or(0, |manifest| manifest.waiting.len());
    let mut spool = Spool::new(root, buckets, u32::try_from(waiting).unwrap_or(u32::MAX / 2));
    let (mut ingested, mut known, mut set_aside, mut failure) = (Vec::new(), Vec::new(), Vec::new(), None);
    for file in files {
        match one_file(root, file, wanted, params, &mut stored, &mut spool, progress) {
            Ok(FileOutcome::Read(file)) => ingested.push(*file),
            Ok(FileOutcome::Known) => known.push(file.name.clone()),
            Ok(FileOutcome::SetAside(error)) => set_aside.push(error),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    let Some(mut manifest) = stored else {
        return Err(failure.or_else(|| set_aside.into_iter().next()).unwrap_or_else(|| {
            StoreError::Trace(TraceError::Nothing { what: "there is no file to read".to_owned() })
        }));
    };
    if ingested.is_empty()
        && let Some(failure) = failure
    {
        return Err(failure);
    }
    let is_machine_new = merge_machine(&mut manifest.machine, params.machine);
    if !ingested.is_empty() || !manifest.is_complete {
        spool.flush()?;
        manifest.waiting.append(&mut spool.written);
        manifest.is_complete = false;
        manifest::write(&manifest_path, STORE_MANIFEST, &manifest)?;
        complete(root, &mut manifest)?;
    } else if is_machine_new {
        manifest::write(&manifest_path, STORE_MANIFEST, &manifest)?;
    }
    Ok(IngestReport { files: ingested, known, manifest, set_aside, failure })
}

/// Compacts what waits, commits, and removes the files that no longer count.
fn complete(root: &Path, manifest: &mut Manifest) -> Result<(), StoreError> {
    let generation = u32::try_from(manifest.sources.len()).unwrap_or(u32::MAX);
    let (files, totals) = compact(root, manifest, generation)?;
    manifest.files = files;
    manifest.waiting = Vec::new();
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

/// What became of a file.
enum FileOutcome {
    /// It was read.
    Read(Box<IngestedFile>),
    /// The store has it already.
    Known,
    /// It was refused, and the others can be read without it.
    SetAside(StoreError),
}

/// Reads one file.
fn one_file(
    root: &Path,
    file: &SourceFile,
    wanted: Option<&'static dyn Format>,
    params: &IngestParams,
    stored: &mut Option<Manifest>,
    spool: &mut Spool<'_>,
    progress: &dyn Progress,
) -> Result<FileOutcome, StoreError> {
    let (digest, bytes) = match &file.path {
        Some(path) => digest_file(path)?,
        // Standard input cannot be read twice: each time counts as new.
        None => (
            Digest::of(format!("stdin {}", stored.as_ref().map_or(0, |manifest| manifest.sources.len())).as_bytes()),
            0,
        ),
    };
    if stored.as_ref().is_some_and(|manifest| manifest.sources.iter().any(|source| source.digest == digest)) {
        progress.bytes(bytes);
        return Ok(FileOutcome::Known);
    }
    let number = stored.as_ref().map_or(0, |manifest| u32::try_from(manifest.sources.len()).unwrap_or(u32::MAX)) + 1;
    let quarantine = format!("rejects/source-{number:06}.csv.gz");
    let rejects = Rejects::to_file(&root.join(&quarantine));
    spool.source = number;
    let mut tables: Vec<(String, TableSummary)> = Vec::new();
    let (mut units, mut is_alone) = (None, false);
    let read = for_each_table(file, progress, &mut |table: OpenTable<'_>| {
        let head = Head { path: &table.name, bytes: &table.head, options: &params.options };
        let (format, name) = detect::detect(&head, wanted)?;
        spool.format = Arc::from(format.name());
        units = Some(format.units());
        is_alone = format.is_each_file_alone();
        let mut summary = TableSummary::default();
        let mut context = Context {
            file: &table.name,
            ordinal: file.ordinal,
            options: &params.options,
            sink: spool,
            rejects: &rejects,
            summary: &mut summary,
        };
        format.read(name.table, table.input, &mut context)?;
        progress.rows(summary.rows);
        tables.push((format!("{}/{}", name.format, name.table), summary));
        Ok(())
    });
    if let Err(error) = read {
        // Such formats hand out nothing of a file before they accept it, so its number is free for the next.
        if is_alone && matches!(error, TraceError::Refused(_)) {
            return Ok(FileOutcome::SetAside(error.into()));
        }
        return Err(spool.take_failure().unwrap_or(StoreError::Trace(error)));
    }
    let Some(units) = units else {
        return Err(TraceError::Nothing { what: format!("`{}` holds no table", file.name) }.into());
    };
    check_rows(file, &tables, params.max_rejects)?;
    let manifest = stored.get_or_insert_with(|| Manifest {
        written_by: env!("CARGO_PKG_VERSION").to_owned(),
        is_complete: true,
        buckets: BUCKETS,
        units,
        machine: MachineSize::default(),
        sources: Vec::new(),
        tables: std::collections::BTreeMap::new(),
        waiting: Vec::new(),
        files: Vec::new(),
        totals: super::Totals::default(),
    });
    if manifest.units != units {
        return Err(StoreError::Units { file: file.name.clone(), found: units, stored: manifest.units });
    }
    let examples = rejects.examples();
    let is_quarantined = rejects.finish()?.is_some();
    let mut notes = Vec::new();
    let source = Source {
        name: file.name.clone(),
        digest,
        bytes,
        number,
        tables: tables.iter().map(|table| table.0.clone()).collect(),
        rows: tables.iter().map(|table| table.1.rows).sum(),
        rejected: tables.iter().map(|table| table.1.rejected.values().sum::<u64>()).sum(),
        quarantine: is_quarantined.then_some(quarantine),
    };
    for (name, summary) in tables {
        notes.extend(summary.notes.iter().map(|(note, count)| (note.clone(), *count)));
        manifest.tables.entry(name).or_default().merge(&summary);
    }
    manifest.sources.push(source.clone());
    Ok(FileOutcome::Read(Box::new(IngestedFile { source, examples, notes })))
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
    let named: BTreeSet<&str> = manifest
        .iter()
        .flat_map(|manifest| manifest.files.iter().chain(&manifest.waiting).map(|file: &FileRecord| file.path.as_str()))
        .collect();
    let quarantines: BTreeSet<&str> = manifest
        .iter()
        .flat_map(|manifest| &manifest.sources)
        .filter_map(|source| source.quarantine.as_deref())
        .collect();
    for folder in Table::ALL.map(Table::folder).into_iter().chain(["rejects"]) {
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
    Ok(())
}
