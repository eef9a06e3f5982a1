//! Reading a complete store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::artifact::manifest;
use crate::trace::Sample;

use super::compact::WORKLOADS;
use super::manifest::{Manifest, STORE_MANIFEST};
use super::parquet_file;
use super::rows::{Keyed, SampleRow, read_samples};
use super::spool::Table;
use super::workload_table;
use super::{StoreError, Workload};

/// Receives the samples of one run with its workload's identifier and run.
pub type TakeSeries<'a, E> = &'a mut dyn FnMut(&str, u32, &[Sample]) -> Result<(), E>;

/// Receives the same with the number of the source of each sample.
pub(super) type TakeSourced<'a, E> = &'a mut dyn FnMut(&str, u32, &[Sample], &[u32]) -> Result<(), E>;

/// Receives a run with its samples.
pub type TakeRun<'a, E> = &'a mut dyn FnMut(&Workload, &[Sample]) -> Result<(), E>;

/// An opened store: version and completeness are checked, files are verified when they are read.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    manifest: Manifest,
}

impl Store {
    /// Opens the store at `root`.
    ///
    /// # Errors
    /// There is none, its manifest is damaged or of an unknown version, or an ingest into it was stopped.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let path = root.join("store.json");
        if !path.exists() {
            return Err(StoreError::Missing { path: root.to_owned() });
        }
        let manifest: Manifest = manifest::read(&path, STORE_MANIFEST)?;
        if !manifest.is_complete {
            return Err(StoreError::Incomplete { path: root.to_owned() });
        }
        Ok(Self { root: root.to_owned(), manifest })
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads every file and compares it with what was written; returns how many files and bytes these are.
    ///
    /// # Errors
    /// The first file that is damaged or missing.
    pub fn verify(&self) -> Result<(usize, u64), StoreError> {
        self.manifest.files.iter().try_for_each(|file| file.verify(&self.root))?;
        Ok((self.manifest.files.len(), self.manifest.files.iter().map(|file| file.bytes).sum()))
    }

    /// Reads every run of every workload, sorted by (format, workload, run).
    ///
    /// # Errors
    /// The file is damaged.
    pub fn workloads(&self) -> Result<Vec<Workload>, StoreError> {
        let mut rows = Vec::new();
        for file in self.manifest.files.iter().filter(|file| file.path == WORKLOADS) {
            parquet_file::read(&self.root, file, |batch| workload_table::read(batch, &mut rows))?;
        }
        Ok(rows)
    }

    /// Reads one bucket of the usage table and hands out the samples of each run, in time order, with its workload's
    /// identifier and run.
    ///
    /// # Errors
    /// A file is damaged, or `take` fails.
    pub fn for_each_series<E: From<StoreError>>(&self, bucket: u32, take: TakeSeries<'_, E>) -> Result<(), E> {
        self.for_each_group(Table::Usage, bucket, take)
    }

    /// Reads every run that has samples, by bucket, each bucket in the order of its series.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn sampled_runs(&self) -> Result<BTreeMap<u32, Vec<Workload>>, StoreError> {
        let mut by_bucket: BTreeMap<u32, Vec<Workload>> = BTreeMap::new();
        for workload in self.workloads()?.into_iter().filter(|workload| workload.samples > 0) {
            by_bucket.entry(workload.bucket).or_default().push(workload);
        }
        Ok(by_bucket)
    }

    /// Reads one bucket of the usage table and hands out each of its `runs` ([`Self::sampled_runs`]) with its samples, in
    /// time order. Both stand in the same order, so they are walked side by side.
    ///
    /// # Errors
    /// A file is damaged, a series has no run, or `take` fails.
    pub fn for_each_run<E: From<StoreError>>(
        &self,
        bucket: u32,
        runs: &[Workload],
        take: TakeRun<'_, E>,
    ) -> Result<(), E> {
        let mut rest = runs.iter();
        self.for_each_series(bucket, &mut |id, run, samples| {
            let workload =
                rest.find(|workload| workload.id == id && workload.run == run).ok_or_else(|| StoreError::Layout {
                    path: self.root.join(WORKLOADS),
                    what: format!("run {run} of `{id}` has samples but no row"),
                })?;
            take(workload, samples)
        })
    }

    /// The same as [`Self::for_each_series`] for the summary table: rows of whole instances, in order of their start.
    ///
    /// # Errors
    /// A file is damaged, or `take` fails.
    pub fn for_each_summary<E: From<StoreError>>(&self, bucket: u32, take: TakeSeries<'_, E>) -> Result<(), E> {
        self.for_each_group(Table::Summary, bucket, take)
    }

    /// The same as [`Self::for_each_series`], with the number of the source of each sample.
    pub(super) fn for_each_sourced<E: From<StoreError>>(&self, bucket: u32, take: TakeSourced<'_, E>) -> Result<(), E> {
        self.for_each_sourced_group(Table::Usage, bucket, take)
    }

    fn for_each_group<E: From<StoreError>>(&self, table: Table, bucket: u32, take: TakeSeries<'_, E>) -> Result<(), E> {
        self.for_each_sourced_group(table, bucket, &mut |id, run, samples, _| take(id, run, samples))
    }

    /// Holds one batch and one series: a series ends where the next begins.
    fn for_each_sourced_group<E: From<StoreError>>(
        &self,
        table: Table,
        bucket: u32,
        take: TakeSourced<'_, E>,
    ) -> Result<(), E> {
        let prefix = format!("{}/bucket={bucket:02}/", table.folder());
        let mut rows: Vec<Keyed<SampleRow>> = Vec::new();
        let mut open: Option<Keyed<SampleRow>> = None;
        let (mut samples, mut sources) = (Vec::new(), Vec::new());
        for file in self.manifest.files.iter().filter(|file| file.path.starts_with(&prefix)) {
            for batch in parquet_file::batches(&self.root, file)? {
                rows.clear();
                read_samples(&batch?, &mut rows)
                    .map_err(|what| StoreError::Layout { path: self.root.join(&file.path), what })?;
                for row in rows.drain(..) {
                    if let Some(last) = open.as_ref().filter(|last| !is_same_series(last, &row)) {
                        take(&last.key, last.row.run, &samples, &sources)?;
                        samples.clear();
                        sources.clear();
                    }
                    samples.push(row.row.sample);
                    sources.push(row.row.source);
                    open = Some(row);
                }
            }
        }
        open.map_or(Ok(()), |last| take(&last.key, last.row.run, &samples, &sources))
    }
}

fn is_same_series(a: &Keyed<SampleRow>, b: &Keyed<SampleRow>) -> bool {
    (a.row.run, &a.key, &a.format) == (b.row.run, &b.key, &b.format)
}
