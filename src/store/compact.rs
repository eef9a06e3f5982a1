//! Waiting runs and compacted rows of each bucket to new compacted files: sorted, joined, duplicates settled.
//!
//! Works bucket by bucket on as many threads as there are, key by key inside a bucket; the result depends on the rows
//! alone, not on how they were spread over files. Memory per thread: the rows of one workload, one batch of each table, a
//! buffer per run; and for all, the statements about groups.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashMap;

use crate::artifact::FileRecord;

use super::StoreError;
use super::joining::{Groups, Joining, Unjoined, duplicates, next_key, sorted_facts};
use super::manifest::{Manifest, Totals};
use super::merge::Merge;
use super::parquet_file::ParquetWriter;
use super::rows::{Columns, FactColumns, FactRow, SampleColumns, SampleRow};
use super::run_file::Run;
use super::runs::settle;
use super::spool::Table;
use super::workload_merge::{BucketWorkloads, WorkloadWriter, merge_workloads};

/// Name of the workload table below the store.
pub(super) const WORKLOADS: &str = "workloads.parquet";
/// Rows that are held before they are written as one batch.
const BATCH_ROWS: usize = 16_384;

/// One bucket's new files and workloads.
struct Compacted {
    files: Vec<FileRecord>,
    workloads: Option<BucketWorkloads>,
    totals: Totals,
}

/// What is compacted, and into which files.
struct Work<'a> {
    rows: Unjoined<'a>,
    generation: u32,
}

/// Compacts every bucket; returns the new files and totals. Old files stay until the caller has replaced the manifest.
pub(super) fn compact(
    root: &Path,
    manifest: &Manifest,
    runs: &[Run],
    generation: u32,
) -> Result<(Vec<FileRecord>, Totals), StoreError> {
    let work = Work { rows: Unjoined { root, files: &manifest.files, runs }, generation };
    let groups = work.rows.groups(manifest.buckets)?;
    let next = AtomicU32::new(0);
    let threads = rayon::current_num_threads().max(1);
    let buckets: Vec<(u32, Result<Compacted, StoreError>)> = std::thread::scope(|scope| {
        let worker = || {
            let mut done = Vec::new();
            loop {
                let bucket = next.fetch_add(1, Ordering::Relaxed);
                if bucket >= manifest.buckets {
                    return done;
                }
                done.push((bucket, work.bucket(&groups, bucket)));
            }
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    let mut buckets = buckets;
    buckets.sort_by_key(|(bucket, _)| *bucket);
    let mut files = Vec::new();
    let mut workloads = Vec::new();
    let mut totals = Totals::default();
    for (_, bucket) in buckets {
        let bucket = bucket?;
        files.extend(bucket.files);
        workloads.extend(bucket.workloads);
        totals.add(&bucket.totals);
    }
    files.push(merge_workloads(root, WORKLOADS, &workloads, &mut totals)?);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((files, totals))
}

impl Work<'_> {
    fn samples(&self, table: Table, bucket: u32) -> TableWriter<'_, SampleColumns> {
        TableWriter::new(self, table, bucket)
    }

    fn facts(&self, table: Table, bucket: u32) -> TableWriter<'_, FactColumns> {
        TableWriter::new(self, table, bucket)
    }

    fn bucket(&self, groups: &Groups, bucket: u32) -> Result<Compacted, StoreError> {
        let mut joining = Joining::open(self.rows, bucket)?;
        let mut new_usage = self.samples(Table::Usage, bucket);
        let mut new_summaries = self.samples(Table::Summary, bucket);
        let mut new_events = self.facts(Table::Events, bucket);
        let mut workloads = WorkloadWriter::new(self.rows.root, bucket);
        let mut totals = Totals::default();
        while let Some(joined) = joining.next(groups)? {
            totals.duplicates += joined.duplicates;
            totals.merged += joined.merged;
            for (run, step) in joined.runs {
                workloads.push(run, step)?;
            }
            new_usage.extend(&joined.key, joined.samples)?;
            new_summaries.extend(&joined.key, joined.summaries)?;
            new_events.extend(&joined.key, joined.events)?;
        }
        let mut files = Vec::new();
        totals.samples = new_usage.finish(&mut files)?;
        totals.summaries = new_summaries.finish(&mut files)?;
        totals.events = new_events.finish(&mut files)?;
        let workloads = workloads.finish()?;
        let mut machines: Merge<'_, SampleRow> = self.rows.merge(Table::Machine, bucket)?;
        let mut new_machines = self.samples(Table::Machine, bucket);
        while let Some(key) = next_key(&[machines.key()]) {
            let mut own = machines.take(&key.0, &key.1)?;
            let (duplicates, merged) = settle(&mut own, duplicates(&key.0));
            totals.duplicates += duplicates;
            totals.merged += merged;
            new_machines.extend(&key, own)?;
        }
        totals.machine_samples = new_machines.finish(&mut files)?;
        totals.groups = self.copy_facts(Table::Groups, bucket, &mut files)?;
        totals.machines = self.copy_facts(Table::Machines, bucket, &mut files)?;
        Ok(Compacted { files, workloads, totals })
    }

    /// Writes facts that are joined with nothing, in their order; returns how many.
    fn copy_facts(&self, table: Table, bucket: u32, files: &mut Vec<FileRecord>) -> Result<u64, StoreError> {
        let mut merge: Merge<'_, FactRow> = self.rows.merge(table, bucket)?;
        let mut writer = self.facts(table, bucket);
        while let Some(key) = next_key(&[merge.key()]) {
            writer.extend(&key, sorted_facts(merge.take(&key.0, &key.1)?))?;
        }
        writer.finish(files)
    }
}

/// Writes the rows of one table and bucket; no file where there are none.
struct TableWriter<'a, C> {
    root: &'a Path,
    path: String,
    held: C,
    file: Option<ParquetWriter<'a>>,
    rows: u64,
}

impl<'a, C: Columns> TableWriter<'a, C> {
    fn new(work: &Work<'a>, table: Table, bucket: u32) -> Self {
        let path = format!("{}/bucket={bucket:02}/part-{:06}.parquet", table.folder(), work.generation);
        Self { root: work.rows.root, path, held: C::default(), file: None, rows: 0 }
    }

    /// Takes the rows of a key.
    fn extend(&mut self, key: &(Arc<str>, Arc<str>), rows: Vec<C::Row>) -> Result<(), StoreError> {
        self.rows += rows.len() as u64;
        let mut rows = rows.into_iter();
        // Batches of one size whatever the workloads' sizes, so that the bytes written depend on the rows alone.
        while rows.len() > 0 {
            self.held.extend(&key.0, &key.1, &mut rows, BATCH_ROWS - self.held.len());
            if self.held.len() >= BATCH_ROWS {
                self.write()?;
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(ParquetWriter::create(self.root, &self.path, C::schema())?),
        };
        file.write(|| self.held.batch())
    }

    fn finish(mut self, files: &mut Vec<FileRecord>) -> Result<u64, StoreError> {
        if self.held.len() > 0 {
            self.write()?;
        }
        if let Some(file) = self.file {
            files.push(file.finish()?);
        }
        Ok(self.rows)
    }
}

/// Opens the runs that wait, each with what the slots of its ingest became.
pub(super) fn open_runs(root: &Path, manifest: &Manifest) -> Result<Vec<Run>, StoreError> {
    let sessions: Vec<Arc<HashMap<u32, u32>>> = manifest
        .sessions
        .iter()
        .map(|session| Arc::new(session.iter().map(|(&slot, &number)| (slot, number)).collect()))
        .collect();
    let waiting = manifest.waiting.iter();
    waiting
        .map(|run| {
            let sources = sessions.get(run.session).map(Arc::clone).unwrap_or_default();
            Run::open(root, &run.path, sources)
        })
        .collect()
}
