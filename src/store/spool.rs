//! The receiver of rows while files are read: sorts them into buckets and writes full buffers to waiting files.
//!
//! Memory is bounded by [`BUFFERED_ROWS`], whatever the size of the input. Rows carry the number of their source, so
//! the rows of a file that fails half way are left out when waiting files are compacted.

use std::path::Path;
use std::sync::Arc;

use crate::artifact::FileRecord;
use crate::trace::{Dataset, EventKind, EventRow, GroupRow, MachineRow, Sample, Sink, TraceError, WorkloadFlags};

use super::StoreError;
use super::parquet_file;
use super::rows::{FactRow, SampleRow, fact_batch, fact_schema, sample_batch, sample_schema};

/// Rows held in memory before all buffers are written: about 250 bytes each.
const BUFFERED_ROWS: usize = 400_000;

/// The tables of a store, by folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Usage,
    Summary,
    Machine,
    Events,
    Groups,
    Machines,
}

impl Table {
    pub(super) const ALL: [Self; 6] =
        [Self::Usage, Self::Summary, Self::Machine, Self::Events, Self::Groups, Self::Machines];

    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Summary => "summaries",
            Self::Machine => "machine-usage",
            Self::Events => "events",
            Self::Groups => "groups",
            Self::Machines => "machines",
        }
    }
}

/// Returns the bucket of a key: every row of a workload lies in the same one.
pub(super) fn bucket_of(key: &str, buckets: u32) -> u32 {
    crc32fast::hash(key.as_bytes()) % buckets
}

/// Buffers rows by table and bucket.
pub(super) struct Spool<'a> {
    root: &'a Path,
    buckets: u32,
    /// Number of the source that is being read.
    pub(super) source: u32,
    /// Name of its format.
    pub(super) format: Arc<str>,
    samples: Vec<Vec<SampleRow>>,
    facts: Vec<Vec<FactRow>>,
    buffered: usize,
    files: u32,
    /// Files written so far.
    pub(super) written: Vec<FileRecord>,
    failure: Option<StoreError>,
}

impl<'a> Spool<'a> {
    pub(super) fn new(root: &'a Path, buckets: u32, first_file: u32) -> Self {
        let slots = 3 * buckets as usize;
        Self {
            root,
            buckets,
            source: 0,
            format: Arc::from(""),
            samples: vec![Vec::new(); slots],
            facts: vec![Vec::new(); slots],
            buffered: 0,
            files: first_file,
            written: Vec::new(),
            failure: None,
        }
    }

    /// Returns the failure that a [`TraceError::Sink`] stands for.
    pub(super) fn take_failure(&mut self) -> Option<StoreError> {
        self.failure.take()
    }

    fn counted(&mut self) -> Result<(), TraceError> {
        self.buffered += 1;
        if self.buffered < BUFFERED_ROWS {
            return Ok(());
        }
        self.flush().map_err(|error| {
            let shown = error.to_string();
            self.failure = Some(error);
            TraceError::Sink(shown.into())
        })
    }

    /// Writes every buffer to a waiting file.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        let buckets = self.buckets as usize;
        for slot in 0..self.samples.len() {
            let table = [Table::Usage, Table::Summary, Table::Machine][slot / buckets];
            let rows = std::mem::take(&mut self.samples[slot]);
            if !rows.is_empty() {
                let path = self.next_path(table, slot % buckets);
                self.written.push(parquet_file::write(self.root, &path, sample_schema(), &rows, sample_batch)?);
            }
            let table = [Table::Events, Table::Groups, Table::Machines][slot / buckets];
            let rows = std::mem::take(&mut self.facts[slot]);
            if !rows.is_empty() {
                let path = self.next_path(table, slot % buckets);
                self.written.push(parquet_file::write(self.root, &path, fact_schema(), &rows, fact_batch)?);
            }
        }
        self.buffered = 0;
        Ok(())
    }

    fn next_path(&mut self, table: Table, bucket: usize) -> String {
        self.files += 1;
        format!("{}/bucket={bucket:02}/waiting-{:08}.parquet", table.folder(), self.files)
    }

    fn fact(&self, key: &str, sequence: u64) -> FactRow {
        FactRow {
            format: self.format.clone(),
            key: Arc::from(key),
            source: self.source,
            sequence,
            time: None,
            kind: EventKind::Exists,
            request: crate::trace::Amounts::default(),
            limit: crate::trace::Amounts::default(),
            application: None,
            user: None,
            class: None,
            priority: None,
            machine: None,
            replicas: None,
            labels: None,
            scaling: None,
            flags: WorkloadFlags::default(),
        }
    }

    fn push_fact(&mut self, table: usize, fact: FactRow) -> Result<(), TraceError> {
        let slot = table * self.buckets as usize + bucket_of(&fact.key, self.buckets) as usize;
        self.facts[slot].push(fact);
        self.counted()
    }
}

impl Sink for Spool<'_> {
    fn sample(&mut self, dataset: Dataset, workload: &str, sequence: u64, sample: &Sample) -> Result<(), TraceError> {
        let table = match dataset {
            Dataset::Usage => 0,
            Dataset::Summary => 1,
            Dataset::Machine => 2,
        };
        let slot = table * self.buckets as usize + bucket_of(workload, self.buckets) as usize;
        let (format, source) = (self.format.clone(), self.source);
        // Rows of one workload mostly follow each other: share its text.
        let workload = match self.samples[slot].last() {
            Some(last) if *last.workload == *workload => last.workload.clone(),
            _ => Arc::from(workload),
        };
        self.samples[slot].push(SampleRow { format, workload, run: 0, source, sequence, sample: *sample });
        self.counted()
    }

    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let labels: std::collections::BTreeMap<&str, &str> = event.labels.iter().copied().collect();
        let fact = FactRow {
            time: event.time,
            kind: event.kind,
            request: event.request,
            limit: event.limit,
            application: owned(event.application),
            user: owned(event.user),
            class: owned(event.class),
            priority: event.priority,
            machine: owned(event.machine),
            replicas: event.replicas,
            labels: if labels.is_empty() { None } else { serde_json::to_string(&labels).ok() },
            flags: event.flags,
            ..self.fact(event.workload, event.sequence)
        };
        self.push_fact(0, fact)
    }

    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let fact = FactRow {
            time: group.time,
            kind: group.kind,
            application: owned(group.application),
            user: owned(group.user),
            class: owned(group.class),
            priority: group.priority,
            scaling: group.scaling.map(|scaling| scaling as u8),
            ..self.fact(group.group, group.sequence)
        };
        self.push_fact(1, fact)
    }

    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError> {
        let fact = FactRow {
            time: machine.time,
            request: machine.capacity,
            machine: machine.platform.map(str::to_owned),
            labels: Some(machine.status.to_owned()),
            ..self.fact(machine.machine, machine.sequence)
        };
        self.push_fact(2, fact)
    }
}
