//! `store.json`: which files count. Written last; whatever it does not name is a leftover.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::artifact::manifest::ManifestKind;
use crate::artifact::{Digest, FileRecord};
use crate::trace::{TableSummary, UnitContract};
use crate::units::Micros;

use super::MachineSize;

/// The manifest of a store.
pub const STORE_MANIFEST: ManifestKind =
    ManifestKind { name: "shadow-store", described: "a shadow store manifest", oldest: 1, newest: 1 };

/// One trace file that was read to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// What it was called.
    pub name: String,
    /// Digest of its bytes on disk: the same file is never read twice, wherever it lies.
    pub digest: Digest,
    /// Its length on disk.
    pub bytes: u64,
    /// Number that its rows carry while they wait to be compacted.
    pub number: u32,
    /// Tables inside, as `format/table`.
    pub tables: Vec<String>,
    /// Rows read.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Its quarantine file below the store, if a row was rejected.
    pub quarantine: Option<String>,
}

/// Totals after compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Runs of workloads, with or without samples.
    pub workloads: u64,
    /// Runs with at least one sample.
    pub sampled_workloads: u64,
    /// Runs whose start is visible.
    pub started_workloads: u64,
    /// Samples in the usage table.
    pub samples: u64,
    /// Rows in the summary table.
    pub summaries: u64,
    /// Samples of machines.
    pub machine_samples: u64,
    /// Events of workloads.
    pub events: u64,
    /// Statements about groups.
    pub groups: u64,
    /// Statements about machines.
    pub machines: u64,
    /// Samples dropped because an equal one was there.
    pub duplicates: u64,
    /// Samples merged into another of the same workload and time.
    pub merged: u64,
    /// Start of the first sample.
    pub first: Option<Micros>,
    /// End of the last sample.
    pub last: Option<Micros>,
}

impl Totals {
    /// Adds what one bucket counted.
    pub(super) fn add(&mut self, part: &Self) {
        self.samples += part.samples;
        self.summaries += part.summaries;
        self.machine_samples += part.machine_samples;
        self.events += part.events;
        self.groups += part.groups;
        self.machines += part.machines;
        self.duplicates += part.duplicates;
        self.merged += part.merged;
    }
}

/// A run with rows that wait to be compacted. Its checksums are inside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Path below the store's folder.
    pub path: String,
    /// Rows inside, those of unfinished files included.
    pub rows: u64,
    /// Which of the manifest's sessions wrote it.
    pub session: usize,
}

/// The body of `store.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the program that wrote it.
    pub written_by: String,
    /// Whether rows still wait to be compacted: an ingest was stopped.
    pub is_complete: bool,
    /// Buckets of the hash partitioning.
    pub buckets: u32,
    /// Units of every amount in the store.
    pub units: UnitContract,
    /// What 1.0 is in a normalised trace, where the user said so.
    pub machine: MachineSize,
    /// Files that were read, in that order.
    pub sources: Vec<Source>,
    /// Summaries of what was read, by `format/table`.
    pub tables: BTreeMap<String, TableSummary>,
    /// Runs with rows that wait to be compacted, when an ingest was stopped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
    /// Of each ingest that left runs: which number the source of each slot has. Rows of other slots do not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<BTreeMap<u32, u32>>,
    /// Compacted files and `workloads.parquet`, sorted by path.
    pub files: Vec<FileRecord>,
    /// Totals after the last compaction.
    pub totals: Totals,
}
