//! The receiver of rows while files are read: packs them by table and bucket, and writes a sorted run when its share of
//! the memory is full. Each thread has one.
//!
//! Rows carry the slot of their file, so those of a file that fails half way are left out when runs are compacted.

use std::cmp::Ordering::Equal;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

use crate::trace::{Dataset, EventRow, GroupRow, MachineRow, Sample, Sink, TraceError};

use super::StoreError;
use super::packed::{LARGEST_SAMPLE, Packer, head};
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

/// A key. Its first bytes stand in the entry: every further place to look at is one that the processor has not seen for long.
#[derive(Clone, Copy)]
struct KeyEntry {
    /// The first bytes, so that numbers compare as the texts do; zeros behind a shorter text.
    front: u128,
    begin: usize,
    length: u32,
    number: u32,
    bucket: u32,
    format: u8,
    /// The key whose row came after its last row. Rows that come by time name another workload each, but window after window
    /// mostly in the same order: entries are then walked as they lie, and nothing is hashed.
    next: u32,
}

/// Bytes of a key that its entry holds.
const FRONT: usize = size_of::<u128>();

fn front_of(key: &str) -> u128 {
    let mut bytes = [0; FRONT];
    let length = key.len().min(FRONT);
    bytes[..length].copy_from_slice(&key.as_bytes()[..length]);
    u128::from_be_bytes(bytes)
}

impl Keys {
    fn name(&self, entry: &KeyEntry) -> &str {
        &self.text[entry.begin..entry.begin + entry.length as usize]
    }

    /// Returns the entry of a key, which is mostly that of the row before (`last`) or the one that came after it last time.
    fn entry(&mut self, last: Option<u32>, format: u8, key: &str, buckets: u32) -> KeyEntry {
        let front = front_of(key);
        let tail = key.as_bytes().get(FRONT..).unwrap_or_default();
        let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
        let is_same = |entry: &KeyEntry| {
            (entry.front, entry.length, entry.format) == (front, length, format)
                && (tail.is_empty() || self.name(entry) == key)
        };
        let before = last.and_then(|last| self.entries.get(last as usize));
        let guesses = [before, before.and_then(|before| self.entries.get(before.next as usize))];
        if let Some(entry) = guesses.into_iter().flatten().find(|entry| is_same(entry)) {
            return *entry;
        }
        let hash = self.hasher.hash_one((format, front, tail));
        let found = self.table.find(hash, |&number| is_same(&self.entries[number as usize])).copied();
        let number = found.unwrap_or_else(|| {
            let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
            let begin = self.text.len();
            self.text.push_str(key);
            let bucket = bucket_of(key, buckets);
            self.entries.push(KeyEntry { front, begin, length, number, bucket, format, next: u32::MAX });
            let (entries, text, hasher) = (&self.entries, &self.text, &self.hasher);
            self.table.insert_unique(hash, number, |&number| {
                let entry = &entries[number as usize];
                let key = &text[entry.begin..entry.begin + entry.length as usize];
                hasher.hash_one((entry.format, entry.front, key.as_bytes().get(FRONT..).unwrap_or_default()))
            });
            number
        });
        if let Some(before) = last.and_then(|last| self.entries.get_mut(last as usize)) {
            before.next = number;
        }
        self.entries[number as usize]
    }

    /// Returns about how many bytes the keys take: a list that grows is there twice.
    fn bytes(&self) -> usize {
        self.text.len() + self.entries.len() * (2 * size_of::<KeyEntry>() + 12)
    }

    /// Returns the place of each key among those of its bucket, in the order of (format, key), and the keys of each bucket in
    /// that order.
    fn ranks(&self, formats: &[&'static str], buckets: u32) -> (Vec<u32>, Vec<Vec<KeyEntry>>) {
        let mut of_buckets: Vec<Vec<KeyEntry>> = vec![Vec::new(); buckets as usize];
        for entry in &self.entries {
            of_buckets[entry.bucket as usize].push(*entry);
        }
        let mut ranks = vec![0; self.entries.len()];
        for keys in &mut of_buckets {
            keys.sort_unstable_by(|a, b| {
                let format = |entry: &KeyEntry| formats[usize::from(entry.format)];
                let by_format = if a.format == b.format { Equal } else { format(a).cmp(format(b)) };
                by_format.then(a.front.cmp(&b.front)).then_with(|| self.name(a).cmp(self.name(b)))
            });
            for (rank, entry) in (0..).zip(keys) {
                ranks[entry.number as usize] = rank;
            }
        }
        (ranks, of_buckets)
    }
}

/// The rows of one table and bucket: blocks of `key number u32 · record`.
#[derive(Default)]
struct Section {
    blocks: Vec<Vec<u8>>,
    rows: usize,
}

impl Section {
    /// Returns the block that has room for `needed` more bytes, and by how many bytes the blocks grew for it.
    fn room(&mut self, needed: usize) -> (&mut Vec<u8>, usize) {
        self.rows += 1;
        let mut grown = 0;
        if self.blocks.last().is_none_or(|block| block.capacity() - block.len() < needed) {
            // A table of a few rows should not take a block per bucket.
            let size = if self.blocks.is_empty() { BLOCK / 16 } else { BLOCK };
            let block = Vec::with_capacity(size.max(needed));
            grown = block.capacity();
            self.blocks.push(block);
        }
        let last = self.blocks.len() - 1;
        (&mut self.blocks[last], grown)
    }

    /// Returns where each record begins, sorted by the rank of its key and then as they came, and where the records of each
    /// rank end. Counting beats comparing: there are few keys beside the records.
    fn sorted(&self, ranks: &[u32], keys: usize) -> (Vec<Place>, Vec<u32>) {
        let mut places = Vec::with_capacity(self.rows);
        let mut ends = vec![0_u32; keys];
        for (block, bytes) in (0_u32..).zip(&self.blocks) {
            let mut begin = 0;
            while let Some((number, rest)) = bytes.get(begin..).and_then(<[u8]>::split_first_chunk::<4>) {
                let Some((_, length)) = head(rest) else { break };
                let rank = ranks[u32::from_le_bytes(*number) as usize];
                ends[rank as usize] += 1;
                places.push((rank, Place { block, begin: u32::try_from(begin).unwrap_or(u32::MAX) }));
                begin += 4 + length;
            }
        }
        let mut next = 0;
        for end in &mut ends {
            (*end, next) = (next, next + *end);
        }
        let mut sorted = vec![Place::default(); places.len()];
        for (rank, place) in places {
            let at = &mut ends[rank as usize];
            sorted[*at as usize] = place;
            *at += 1;
        }
        (sorted, ends)
    }

    /// Returns the record at a place.
    fn record(&self, place: Place) -> &[u8] {
        let rest = self.blocks[place.block as usize].get(place.begin as usize + 4..).unwrap_or_default();
        let length = head(rest).map_or(0, |(_, length)| length);
        rest.get(..length).unwrap_or_default()
    }
}

/// Where a record stands in a section.
#[derive(Clone, Copy, Default)]
struct Place {
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
    /// Number of the last row's key.
    last: Option<u32>,
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

    fn key(&mut self, key: &str) -> KeyEntry {
        let entry = self.keys.entry(self.last, self.format, key, self.runs.buckets);
        self.last = Some(entry.number);
        entry
    }

    /// Returns the block that takes a record of at most `needed` bytes, with the key's number written into it.
    fn room(&mut self, table: Table, key: KeyEntry, needed: usize) -> &mut Vec<u8> {
        let section = usize::from(table.number()) * self.runs.buckets as usize + key.bucket as usize;
        let (block, grown) = self.sections[section].room(needed + 4);
        self.bytes += grown;
        block.extend_from_slice(&key.number.to_le_bytes());
        block
    }

    fn push(&mut self, table: Table, key: KeyEntry, pack: impl FnOnce(&mut Packer, u32)) -> Result<(), TraceError> {
        let mut packer = std::mem::take(&mut self.packer);
        pack(&mut packer, self.slot);
        self.room(table, key, packer.bytes().len()).extend_from_slice(packer.bytes());
        self.packer = packer;
        self.flush_when_full()
    }

    fn flush_when_full(&mut self) -> Result<(), TraceError> {
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
        let (ranks, keys) = self.keys.ranks(&self.formats, self.runs.buckets);
        for table in Table::ALL {
            for (bucket, keys) in (0..self.runs.buckets).zip(&keys) {
                let at = usize::from(table.number()) * self.runs.buckets as usize + bucket as usize;
                let section = std::mem::take(&mut self.sections[at]);
                if section.rows == 0 {
                    continue;
                }
                writer.section(table, bucket)?;
                let (mut places, ends) = section.sorted(&ranks, keys.len());
                let mut begin = 0;
                for (entry, end) in keys.iter().zip(ends) {
                    let group = &mut places[begin..end as usize];
                    begin = end as usize;
                    if group.is_empty() {
                        continue;
                    }
                    let order = |place: &Place| head(section.record(*place)).map(|(head, _)| head);
                    if !group.is_sorted_by_key(order) {
                        group.sort_by_key(order);
                    }
                    writer.group(
                        entry.format,
                        self.keys.name(entry),
                        group.iter().map(|place| section.record(*place)),
                    )?;
                }
            }
        }
        let rows = writer.finish()?;
        self.keys = Keys::default();
        self.last = None;
        self.bytes = 0;
        self.runs.add(path, rows)
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
        let slot = self.slot;
        // Most rows are samples: they are packed where they stay.
        super::packed::sample(self.room(table, key, LARGEST_SAMPLE), slot, sequence, sample);
        self.flush_when_full()
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
