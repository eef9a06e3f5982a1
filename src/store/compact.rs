//! Waiting runs and compacted rows of each bucket to new compacted files: sorted, joined, duplicates settled.
//!
//! Works bucket by bucket on as many threads as there are, key by key inside a bucket; the result depends on the rows
//! alone, not on how they were spread over files. Memory per thread: the rows of one workload, one batch of each table, a
//! buffer per run; and for all, the statements about groups.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashMap;

use crate::artifact::FileRecord;
use crate::trace::{Duplicates, Format, RequestRule, WorkloadFlags, format_named};
use crate::units::Micros;

use super::StoreError;
use super::in_force::InForce;
use super::manifest::{Manifest, Totals};
use super::merge::{Merge, TableRow};
use super::parquet_file::ParquetWriter;
use super::rows::{Columns, FactColumns, FactRow, SampleColumns, SampleRow};
use super::run_file::Run;
use super::runs::{Rules, assign, join, settle};
use super::spool::Table;
use super::workload_merge::{BucketWorkloads, WorkloadWriter, merge_workloads};

/// Name of the workload table below the store.
pub(super) const WORKLOADS: &str = "workloads.parquet";
/// Rows that are held before they are written as one batch.
const BATCH_ROWS: usize = 16_384;

/// What a group says of its workloads.
#[derive(Default, Clone)]
struct Group {
    application: Option<String>,
    user: Option<String>,
    class: Option<String>,
    priority: Option<i32>,
    is_autoscaled: bool,
}

/// What all groups say, by format and group.
type Groups = BTreeMap<(Arc<str>, Arc<str>), Group>;

/// One bucket's new files and workloads.
struct Compacted {
    files: Vec<FileRecord>,
    workloads: Option<BucketWorkloads>,
    totals: Totals,
}

/// What is compacted, and into which files.
struct Work<'a> {
    root: &'a Path,
    files: &'a [FileRecord],
    runs: &'a [Run],
    generation: u32,
}

/// Compacts every bucket; returns the new files and totals. Old files stay until the caller has replaced the manifest.
pub(super) fn compact(
    root: &Path,
    manifest: &Manifest,
    runs: &[Run],
    generation: u32,
) -> Result<(Vec<FileRecord>, Totals), StoreError> {
    let work = Work { root, files: &manifest.files, runs, generation };
    let groups = work.groups(manifest.buckets)?;
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
    /// Reads what all groups say; the newest statement of each field counts.
    fn groups(&self, buckets: u32) -> Result<Groups, StoreError> {
        let mut found: Groups = BTreeMap::new();
        for bucket in 0..buckets {
            let mut merge: Merge<'_, FactRow> = self.merge(Table::Groups, bucket)?;
            while let Some(key) = next_key(&[merge.key()]) {
                let rows = sorted_facts(merge.take(&key.0, &key.1)?);
                let mut group = Group::default();
                for row in rows {
                    group.application = row.application.or_else(|| group.application.take());
                    group.user = row.user.or_else(|| group.user.take());
                    group.class = row.class.or_else(|| group.class.take());
                    group.priority = row.priority.or(group.priority);
                    group.is_autoscaled |= row.scaling.is_some_and(|scaling| scaling >= 2);
                }
                found.insert(key, group);
            }
        }
        Ok(found)
    }

    fn merge<T: TableRow>(&self, table: Table, bucket: u32) -> Result<Merge<'_, T>, StoreError> {
        Merge::open(self.root, self.files, self.runs, table, bucket)
    }

    fn samples(&self, table: Table, bucket: u32) -> TableWriter<'_, SampleColumns> {
        TableWriter::new(self, table, bucket)
    }

    fn facts(&self, table: Table, bucket: u32) -> TableWriter<'_, FactColumns> {
        TableWriter::new(self, table, bucket)
    }

    fn bucket(&self, groups: &Groups, bucket: u32) -> Result<Compacted, StoreError> {
        let mut usage: Merge<'_, SampleRow> = self.merge(Table::Usage, bucket)?;
        let mut summaries: Merge<'_, SampleRow> = self.merge(Table::Summary, bucket)?;
        let mut events: Merge<'_, FactRow> = self.merge(Table::Events, bucket)?;
        let mut new_usage = self.samples(Table::Usage, bucket);
        let mut new_summaries = self.samples(Table::Summary, bucket);
        let mut new_events = self.facts(Table::Events, bucket);
        let mut workloads = WorkloadWriter::new(self.root, bucket);
        let mut totals = Totals::default();
        while let Some(key) = next_key(&[usage.key(), summaries.key(), events.key()]) {
            let mut own_samples = usage.take(&key.0, &key.1)?;
            let mut own_summaries = summaries.take(&key.0, &key.1)?;
            let own_events = sorted_facts(events.take(&key.0, &key.1)?);
            if own_samples.is_empty() && own_summaries.is_empty() && own_events.is_empty() {
                // All of them were rows of files that failed half way.
                continue;
            }
            let (duplicates, merged) = settle(&mut own_samples, duplicates(&key.0));
            totals.duplicates += duplicates;
            totals.merged += merged;
            let rules = rules(&key.0);
            // Summaries are rows of whole instances: they get the request in force, but make no workloads.
            let request = InForce::request(&own_events, rules.request);
            sort_samples(&mut own_summaries);
            assign(&own_events, &request, &mut own_summaries, &rules);
            let mut runs = join(&key.1, &key.0, &own_events, &request, &mut own_samples, &rules, bucket);
            let group = format_named(&key.0)
                .and_then(|format| format.group_of(&key.1))
                .map(|group| (group, groups.get(&(key.0.clone(), Arc::from(group)))));
            if let Some((name, facts)) = group {
                for (run, _step) in &mut runs {
                    let facts = facts.cloned().unwrap_or_default();
                    run.application = run.application.take().or(facts.application).or_else(|| Some(name.to_owned()));
                    run.user = run.user.take().or(facts.user);
                    run.class = run.class.take().or(facts.class);
                    run.priority = run.priority.or(facts.priority);
                    if facts.is_autoscaled {
                        run.flags = run.flags.with(WorkloadFlags::AUTOSCALED);
                    }
                }
            }
            for (run, step) in runs {
                workloads.push(run, step)?;
            }
            new_usage.extend(&key, own_samples)?;
            new_summaries.extend(&key, own_summaries)?;
            new_events.extend(&key, own_events)?;
        }
        let mut files = Vec::new();
        totals.samples = new_usage.finish(&mut files)?;
        totals.summaries = new_summaries.finish(&mut files)?;
        totals.events = new_events.finish(&mut files)?;
        let workloads = workloads.finish()?;
        let mut machines: Merge<'_, SampleRow> = self.merge(Table::Machine, bucket)?;
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
        let mut merge: Merge<'_, FactRow> = self.merge(table, bucket)?;
        let mut writer = self.facts(table, bucket);
        while let Some(key) = next_key(&[merge.key()]) {
            writer.extend(&key, sorted_facts(merge.take(&key.0, &key.1)?))?;
        }
        writer.finish(files)
    }
}

/// Returns the smallest of several keys.
fn next_key(fronts: &[Option<(&str, &str)>]) -> Option<(Arc<str>, Arc<str>)> {
    fronts.iter().flatten().min().map(|&(format, key)| (Arc::from(format), Arc::from(key)))
}

fn sorted_facts(mut rows: Vec<FactRow>) -> Vec<FactRow> {
    rows.sort_by_key(|row| (row.order(), row.source));
    rows
}

fn sort_samples(rows: &mut [SampleRow]) {
    rows.sort_by_key(SampleRow::order);
}

fn duplicates(format: &str) -> Duplicates {
    format_named(format).map_or(Duplicates::Merge, Format::duplicates)
}

fn rules(format: &str) -> Rules {
    let request = format_named(format).map_or(RequestRule::First, Format::request_rule);
    let is_google = format.starts_with("google-");
    Rules {
        request,
        // Both Google traces write 0 for "before the trace"; a user's table may well begin at 0.
        origin: if is_google || format.starts_with("alibaba-") || format.starts_with("azure-") {
            Micros::ZERO
        } else {
            Micros(i64::MIN)
        },
        // A first window later than 300 s means a start inside the trace (its first windows start at 300 s).
        first_visible_sample: (format == "google-2019").then(|| Micros::from_seconds(300)),
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
        Self { root: work.root, path, held: C::default(), file: None, rows: 0 }
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
