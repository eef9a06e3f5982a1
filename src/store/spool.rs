//! The receiver of rows while files are read: packs them by table and bucket, and writes a sorted run when its share of
//! the memory is full. Each thread has one.
//!
//! Rows carry the slot of their file, so those of a file that fails half way are left out when runs are compacted.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

use crate::trace::{Dataset, EventRow, GroupRow, MachineRow, Sample, Sink, TraceError};

use super::StoreError;
use super::packed::{Packer, RecordHead, head};
use super::run_file::{FOLDER, RunWriter};

/// Bytes of a block of records.
const BLOCK: usize = 32 << 10;

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

    /// Returns its place in [`Self::ALL`].
    pub(super) const fn number(self) -> u8 {
        self as u8
    }
}

/// Returns the bucket of a key: every row of a workload lies in the same one.
pub(super) fn bucket_of(key: &str, buckets: u32) -> u32 {
    crc32fast::hash(key.as_bytes()) % buckets
}

/// The runs that an ingest has written so far.
pub(super) struct Runs<'a> {
    pub(super) root: &'a Path,
    pub(super) buckets: u32,
    next: AtomicU32,
    written: Mutex<Vec<(String, u64)>>,
}

impl<'a> Runs<'a> {
    pub(super) fn new(root: &'a Path, buckets: u32, first: u32) -> Self {
        Self { root, buckets, next: AtomicU32::new(first), written: Mutex::default() }
    }

    fn next_path(&self) -> String {
        format!("{FOLDER}/run-{:08}.rows", self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn add(&self, path: String, rows: u64) -> Result<(), StoreError> {
        let poisoned = || StoreError::Artifact(std::io::Error::other("a thread ended while it wrote a run").into());
        self.written.lock().map_err(|_poisoned| poisoned())?.push((path, rows));
        Ok(())
    }

    /// Takes the runs that were written since the last call: path and rows.
    pub(super) fn take(&self) -> Vec<(String, u64)> {
        self.written.lock().map(|mut written| std::mem::take(&mut *written)).unwrap_or_default()
    }
}

/// The keys that rows name by number, with their buckets.
#[derive(Default)]
struct Keys {
    text: String,
    entries: Vec<KeyEntry>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Clone, Copy)]
struct KeyEntry {
    begin: usize,
    end: usize,
    format: u8,
    bucket: u32,
}

impl Keys {
    fn name(&self, entry: &KeyEntry) -> &str {
        &self.text[entry.begin..entry.end]
    }

    /// Returns the number of a key.
    fn number(&mut self, format: u8, key: &str, buckets: u32) -> u32 {
        let hash = self.hasher.hash_one((format, key));
        let is_same = |number: &u32| {
            let entry = &self.entries[*number as usize];
            entry.format == format && self.name(entry) == key
        };
        if let Some(&number) = self.table.find(hash, is_same) {
            return number;
        }
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let begin = self.text.len();
        self.text.push_str(key);
        self.entries.push(KeyEntry { begin, end: self.text.len(), format, bucket: bucket_of(key, buckets) });
        let (entries, text, hasher) = (&self.entries, &self.text, &self.hasher);
        self.table.insert_unique(hash, number, |&number| {
            let entry = &entries[number as usize];
            hasher.hash_one((entry.format, &text[entry.begin..entry.end]))
        });
        number
    }

    /// Returns about how many bytes the keys take.
    fn bytes(&self) -> usize {
        self.text.len() + self.entries.len() * (size_of::<KeyEntry>() + 12)
    }
}

/// The rows of one table and bucket: blocks of `key number u32 · record`.
#[derive(Default)]
struct Section {
    blocks: Vec<Vec<u8>>,
    rows: usize,
}

impl Section {
    /// Appends a record; returns by how many bytes the blocks grew.
    fn push(&mut self, key: u32, record: &[u8]) -> usize {
        let needed = record.len() + 4;
        let mut grown = 0;
        if self.blocks.last().is_none_or(|block| block.capacity() - block.len() < needed) {
            // A table of a few rows should not take a block per bucket.
            let size = if self.blocks.is_empty() { BLOCK / 16 } else { BLOCK };
            let block = Vec::with_capacity(size.max(needed));
            grown = block.capacity();
            self.blocks.push(block);
        }
        if let Some(block) = self.blocks.last_mut() {
            block.extend_from_slice(&key.to_le_bytes());
            block.extend_from_slice(record);
        }
        self.rows += 1;
        grown
    }
}

/// Where a record stands in a section, and by what it is sorted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: u32,
    head: RecordHead,
    block: u32,
    begin: u32,
}

/// Packs rows by table and bucket.
pub(super) struct Spool<'a> {
    runs: &'a Runs<'a>,
    /// Slot of the file that is being read.
    pub(super) slot: u32,
    formats: Vec<&'static str>,
    format: u8,
    keys: Keys,
    last: Option<(u32, u8)>,
    sections: Vec<Section>,
    packer: Packer,
    bytes: usize,
    limit: usize,
    failure: Option<StoreError>,
}

impl<'a> Spool<'a> {
    /// Returns an empty one that writes a run when it holds `limit` bytes.
    pub(super) fn new(runs: &'a Runs<'a>, limit: usize) -> Self {
        let mut sections = Vec::new();
        sections.resize_with(Table::ALL.len() * runs.buckets as usize, Section::default);
        Self {
            runs,
            slot: 0,
            formats: Vec::new(),
            format: 0,
            keys: Keys::default(),
            last: None,
            sections,
            packer: Packer::default(),
            bytes: 0,
            limit,
            failure: None,
        }
    }

    /// Says of which file and format the next rows are.
    pub(super) fn begin(&mut self, slot: u32, format: &'static str) {
        self.slot = slot;
        let known = self.formats.iter().position(|&name| name == format);
        let place = known.unwrap_or_else(|| {
            self.formats.push(format);
            self.formats.len() - 1
        });
        self.format = u8::try_from(place).unwrap_or(u8::MAX);
    }

    /// Returns the failure that a [`TraceError::Sink`] stands for.
    pub(super) fn take_failure(&mut self) -> Option<StoreError> {
        self.failure.take()
    }

    /// Returns the number of a key. Rows of one workload mostly follow each other.
    fn key(&mut self, key: &str) -> u32 {
        if let Some((number, format)) = self.last
            && format == self.format
            && self.keys.name(&self.keys.entries[number as usize]) == key
        {
            return number;
        }
        let number = self.keys.number(self.format, key, self.runs.buckets);
        self.last = Some((number, self.format));
        number
    }

    fn push(&mut self, table: Table, key: u32, pack: impl FnOnce(&mut Packer, u32) -> &[u8]) -> Result<(), TraceError> {
        let bucket = self.keys.entries[key as usize].bucket;
        let section = usize::from(table.number()) * self.runs.buckets as usize + bucket as usize;
        self.bytes += self.sections[section].push(key, pack(&mut self.packer, self.slot));
        if self.bytes + self.keys.bytes() < self.limit {
            return Ok(());
        }
        self.flush().map_err(|error| {
            let shown = error.to_string();
            self.failure = Some(error);
            TraceError::Sink(shown.into())
        })
    }

    /// Writes all rows as a run.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        if self.sections.iter().all(|section| section.rows == 0) {
            return Ok(());
        }
        let path = self.runs.next_path();
        let names = self.formats.iter().map(|&name| name.to_owned()).collect();
        let mut writer = RunWriter::create(self.runs.root, &path, names)?;
        let ranks = self.ranks();
        let mut places: Vec<Place> = Vec::new();
        for table in Table::ALL {
            for bucket in 0..self.runs.buckets {
                let at = usize::from(table.number()) * self.runs.buckets as usize + bucket as usize;
                let section = std::mem::take(&mut self.sections[at]);
                if section.rows == 0 {
                    continue;
                }
                writer.section(table, bucket);
                places.clear();
                places.reserve(section.rows);
                for (block, bytes) in (0_u32..).zip(&section.blocks) {
                    let mut begin = 0;
                    while let Some((number, rest)) = bytes.get(begin..).and_then(<[u8]>::split_first_chunk::<4>) {
                        let Some((head, length)) = head(rest) else { break };
                        let rank = ranks[u32::from_le_bytes(*number) as usize];
                        places.push(Place { rank, head, block, begin: u32::try_from(begin).unwrap_or(u32::MAX) });
                        begin += 4 + length;
                    }
                }
                places.sort_unstable();
                self.write_groups(&section, &places, &mut writer)?;
            }
        }
        let rows = writer.finish()?;
        self.keys = Keys::default();
        self.last = None;
        self.bytes = 0;
        self.runs.add(path, rows)
    }

    /// Returns the place of each key among all in the order of (format, key).
    fn ranks(&self) -> Vec<u32> {
        let keys = &self.keys;
        let mut order: Vec<u32> = (0..u32::try_from(keys.entries.len()).unwrap_or(u32::MAX)).collect();
        let name = |number: u32| {
            let entry = &keys.entries[number as usize];
            (self.formats[usize::from(entry.format)], keys.name(entry))
        };
        order.sort_unstable_by(|&a, &b| name(a).cmp(&name(b)));
        let mut ranks = vec![0; order.len()];
        for (rank, number) in (0..).zip(order) {
            ranks[number as usize] = rank;
        }
        ranks
    }

    fn write_groups(&self, section: &Section, places: &[Place], writer: &mut RunWriter) -> Result<(), StoreError> {
        let bytes_of = |place: &Place| -> (u32, &[u8]) {
            let rest = section.blocks[place.block as usize].get(place.begin as usize..).unwrap_or_default();
            let (number, rest) = rest.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
            let length = head(rest).map_or(0, |(_, length)| length);
            (u32::from_le_bytes(*number), rest.get(..length).unwrap_or_default())
        };
        for group in places.chunk_by(|a, b| a.rank == b.rank) {
            let Some(first) = group.first() else { continue };
            let entry = self.keys.entries[bytes_of(first).0 as usize];
            let bytes = group.iter().map(|place| bytes_of(place).1.len()).sum();
            writer.group(entry.format, self.keys.name(&entry), bytes, group.iter().map(|place| bytes_of(place).1))?;
        }
        Ok(())
    }
}

impl Sink for Spool<'_> {
    fn sample(&mut self, dataset: Dataset, workload: &str, sequence: u64, sample: &Sample) -> Result<(), TraceError> {
        let table = match dataset {
            Dataset::Usage => Table::Usage,
            Dataset::Summary => Table::Summary,
            Dataset::Machine => Table::Machine,
        };
        let key = self.key(workload);
        self.push(table, key, |packer, slot| packer.sample(slot, sequence, sample))
    }

    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError> {
        let key = self.key(event.workload);
        self.push(Table::Events, key, |packer, slot| packer.event(slot, event))
    }

    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError> {
        let key = self.key(group.group);
        self.push(Table::Groups, key, |packer, slot| packer.group(slot, group))
    }

    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError> {
        let key = self.key(machine.machine);
        self.push(Table::Machines, key, |packer, slot| packer.machine(slot, machine))
    }
}
