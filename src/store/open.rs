//! Reading a complete store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::artifact::manifest;
use crate::trace::Sample;

use super::compact::WORKLOADS;
use super::manifest::{Manifest, STORE_MANIFEST};
use super::parquet_file;
use super::rows::{SampleRow, read_samples};
use super::spool::Table;
use super::workload_table;
use super::{StoreError, Workload};

/// Receives the samples of one run with its workload's identifier and run.
pub type TakeSeries<'a> = &'a mut dyn FnMut(&str, u32, &[Sample]) -> Result<(), StoreError>;

/// Receives a run with its samples.
pub type TakeRun<'a> = &'a mut dyn FnMut(&Workload, &[Sample]) -> Result<(), StoreError>;

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
    pub fn for_each_series(&self, bucket: u32, take: TakeSeries<'_>) -> Result<(), StoreError> {
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
    pub fn for_each_run(&self, bucket: u32, runs: &[Workload], take: TakeRun<'_>) -> Result<(), StoreError> {
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
    pub fn for_each_summary(&self, bucket: u32, take: TakeSeries<'_>) -> Result<(), StoreError> {
        self.for_each_group(Table::Summary, bucket, take)
    }

    fn for_each_group(&self, table: Table, bucket: u32, take: TakeSeries<'_>) -> Result<(), StoreError> {
        let prefix = format!("{}/bucket={bucket:02}/", table.folder());
        let mut rows: Vec<SampleRow> = Vec::new();
        for file in self.manifest.files.iter().filter(|file| file.path.starts_with(&prefix)) {
            parquet_file::read(&self.root, file, |batch| read_samples(batch, &mut rows))?;
        }
        let mut samples = Vec::new();
        for group in rows.chunk_by(|a, b| (&a.format, &a.workload, a.run) == (&b.format, &b.workload, b.run)) {
            samples.clear();
            samples.extend(group.iter().map(|row| row.sample));
            take(&group[0].workload, group[0].run, &samples)?;
        }
        Ok(())
    }
}
