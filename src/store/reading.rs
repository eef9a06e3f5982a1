//! Files to rows on several threads: over files, and inside those whose tables can be divided.
//!
//! Every thread takes the next file that nobody reads, decompresses it piece by piece (about 1 MiB of whole lines), and
//! puts the pieces into a queue that holds one per thread; when the queue is full it parses one itself. A thread without
//! a file parses pieces. What comes of the pieces is put together in their order, so counts, sums, quarantine and
//! examples do not depend on who read what; rows go to the thread's own [`Spool`] and are sorted later.

use std::collections::{BTreeMap, VecDeque};
use std::io::BufRead;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use crate::artifact::{ArtifactError, Digest, digest_file};
use crate::trace::delimited::io_error;
use crate::trace::source::{Input, OpenTable, Progress, SourceFile, for_each_table};
use crate::trace::{
    Context, Format, Head, Piece, ReadOptions, Rejected, Rejects, TableName, TableSummary, TraceError, UnitContract,
    detect,
};

use super::StoreError;
use super::spool::{Runs, Spool};

/// Bytes of a piece, roughly: larger ones leave the processor's caches, smaller ones cost more locks.
const PIECE: usize = 1 << 20;
/// A line longer than this is not text with rows.
const LONGEST_LINE: usize = 64 << 20;

/// What is read, and how.
pub(super) struct Reading<'a> {
    pub(super) root: &'a Path,
    pub(super) files: &'a [SourceFile],
    /// Slot of the first of them.
    pub(super) first_slot: u32,
    pub(super) wanted: Option<&'static dyn Format>,
    pub(super) options: &'a ReadOptions,
    pub(super) progress: &'a dyn Progress,
    /// Returns whether the store has a file of that digest.
    pub(super) is_known: &'a (dyn Fn(&Digest) -> bool + Sync),
    /// No file is begun after this moment, except the first.
    pub(super) until: Instant,
}

/// What became of one file.
pub(super) struct FileRead {
    /// Nothing for standard input, which cannot be read twice.
    pub(super) digest: Option<Digest>,
    pub(super) bytes: u64,
    pub(super) outcome: Result<FileOutcome, StoreError>,
}

/// What a file was.
pub(super) enum FileOutcome {
    /// The store has it already.
    Known,
    /// It was read to its end.
    Read(Box<FileRows>),
    /// It was refused, and the others can be read without it.
    SetAside(StoreError),
}

/// What was counted in a file.
pub(super) struct FileRows {
    /// Tables as `format/table`.
    pub(super) tables: Vec<(String, TableSummary)>,
    pub(super) units: UnitContract,
    pub(super) examples: Vec<Rejected>,
    /// The quarantine, under a name that goes by the slot.
    pub(super) quarantine: Option<std::path::PathBuf>,
}

/// A piece of a table that waits to be parsed.
struct Job {
    file: usize,
    table: usize,
    piece: usize,
    bytes: Vec<u8>,
    lines: u64,
    opened: Arc<Opened>,
}

/// A divisible table, as it was recognised.
struct Opened {
    file: String,
    name: TableName,
    format: &'static dyn Format,
    first_line: Vec<u8>,
}

/// What came of a piece.
struct Parsed {
    summary: TableSummary,
    rejected: Vec<Rejected>,
    outcome: Result<(), StoreError>,
}

/// One table of a file.
struct TableState {
    name: TableName,
    summary: TableSummary,
    next: usize,
    pending: BTreeMap<usize, Parsed>,
}

/// One file while it is read.
struct FileState {
    digest: Option<Digest>,
    bytes: u64,
    tables: Vec<TableState>,
    rejects: Option<Rejects>,
    units: Option<UnitContract>,
    is_alone: bool,
    outstanding: usize,
    is_known: bool,
    /// The first failure in the order of the file.
    failure: Option<StoreError>,
}

/// Pieces that wait, and how many threads read files.
#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    readers: usize,
    spare: Vec<Vec<u8>>,
}

struct Shared<'a> {
    reading: &'a Reading<'a>,
    threads: usize,
    next: AtomicUsize,
    is_stopped: AtomicBool,
    queue: Mutex<Queue>,
    changed: Condvar,
    states: Vec<Mutex<FileState>>,
}

fn poisoned() -> StoreError {
    StoreError::Artifact(ArtifactError::Io(std::io::Error::other("a thread ended while it read a file")))
}

/// Reads files until all are read or the time is over; returns what became of the first ones, in their order. Rows of the
/// file at place `i` carry the slot `first_slot + i`. All rows are in runs afterwards.
pub(super) fn read_files(
    reading: &Reading<'_>,
    runs: &Runs<'_>,
    spool_bytes: usize,
) -> Result<Vec<FileRead>, StoreError> {
    let threads = rayon::current_num_threads().max(1);
    let state = |slot| {
        let quarantine = reading.root.join(format!("rejects/reading-{slot:06}.csv.gz"));
        Mutex::new(FileState {
            digest: None,
            bytes: 0,
            tables: Vec::new(),
            rejects: Some(Rejects::to_file(&quarantine)),
            units: None,
            is_alone: false,
            outstanding: 0,
            is_known: false,
            failure: None,
        })
    };
    let shared = Shared {
        reading,
        threads,
        next: AtomicUsize::new(0),
        is_stopped: AtomicBool::new(false),
        queue: Mutex::default(),
        changed: Condvar::new(),
        states: (0..reading.files.len()).map(|index| state(reading.first_slot as usize + index)).collect(),
    };
    let worker = || -> Result<(), StoreError> {
        let mut spool = Spool::new(runs, spool_bytes);
        shared.work(&mut spool)?;
        spool.flush()
    };
    let outcomes = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut outcomes = vec![worker()];
        for other in others {
            match other.join() {
                Ok(outcome) => outcomes.push(outcome),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        outcomes
    });
    outcomes.into_iter().collect::<Result<Vec<()>, _>>()?;
    let begun = shared.next.load(Ordering::Relaxed).min(reading.files.len());
    shared
        .states
        .into_iter()
        .take(begun)
        .map(|state| Ok(state.into_inner().map_err(|_poisoned| poisoned())?.finish()))
        .collect()
}

impl FileState {
    fn finish(mut self) -> FileRead {
        let (digest, bytes) = (self.digest.take(), self.bytes);
        FileRead { digest, bytes, outcome: self.outcome() }
    }

    fn outcome(self) -> Result<FileOutcome, StoreError> {
        if self.is_known {
            return Ok(FileOutcome::Known);
        }
        if let Some(failure) = self.failure {
            // Such formats hand out nothing of a file before they accept it.
            let is_refused = matches!(failure, StoreError::Trace(TraceError::Refused(_)));
            return if self.is_alone && is_refused { Ok(FileOutcome::SetAside(failure)) } else { Err(failure) };
        }
        let (Some(rejects), Some(units)) = (self.rejects, self.units) else { return Err(poisoned()) };
        let examples = rejects.examples();
        let quarantine = rejects.finish()?;
        let tables =
            self.tables.into_iter().map(|table| (format!("{}/{}", table.name.format, table.name.table), table.summary));
        Ok(FileOutcome::Read(Box::new(FileRows { tables: tables.collect(), units, examples, quarantine })))
    }

    /// Puts together what came of pieces, as far as all before them are there.
    fn put_together(&mut self, table: usize) {
        let Some(state) = self.tables.get_mut(table) else { return };
        while let Some(parsed) = state.pending.remove(&state.next) {
            state.next += 1;
            let rows_before = state.summary.rows;
            state.summary.merge(&parsed.summary);
            if let Some(rejects) = &self.rejects {
                for rejected in parsed.rejected {
                    rejects.reject(rejected);
                }
            }
            if self.failure.is_none()
                && let Err(error) = parsed.outcome
            {
                self.failure = Some(after_row(error, rows_before));
            }
        }
    }
}

/// Says after which row of the whole table a stream broke.
fn after_row(error: StoreError, rows: u64) -> StoreError {
    match error {
        StoreError::Trace(TraceError::Truncated { file, what, row: 0 }) => {
            StoreError::Trace(TraceError::Truncated { file, what, row: rows })
        }
        other => other,
    }
}

impl Shared<'_> {
    fn queue(&self) -> Result<MutexGuard<'_, Queue>, StoreError> {
        self.queue.lock().map_err(|_poisoned| poisoned())
    }

    fn state(&self, file: usize) -> Result<MutexGuard<'_, FileState>, StoreError> {
        self.states[file].lock().map_err(|_poisoned| poisoned())
    }

    /// Reads files and parses pieces until there are none.
    fn work(&self, spool: &mut Spool<'_>) -> Result<(), StoreError> {
        loop {
            if let Some(file) = self.next_file()? {
                let read = self.read_file(file, spool);
                self.queue()?.readers -= 1;
                self.changed.notify_all();
                if let Err(error) = read {
                    let mut state = self.state(file)?;
                    state.failure.get_or_insert(error);
                    self.is_stopped.fetch_or(!state.is_alone, Ordering::Relaxed);
                }
                continue;
            }
            let job = {
                let mut queue = self.queue()?;
                loop {
                    if let Some(job) = queue.jobs.pop_front() {
                        break job;
                    }
                    if queue.readers == 0 {
                        return Ok(());
                    }
                    queue = self.changed.wait(queue).map_err(|_poisoned| poisoned())?;
                }
            };
            self.parse(job, spool)?;
        }
    }

    /// Takes the next file, and counts who took it as a reader.
    fn next_file(&self) -> Result<Option<usize>, StoreError> {
        let mut queue = self.queue()?;
        let next = self.next.load(Ordering::Relaxed);
        let is_over = next > 0 && Instant::now() > self.reading.until;
        if next >= self.reading.files.len() || is_over || self.is_stopped.load(Ordering::Relaxed) {
            return Ok(None);
        }
        self.next.store(next + 1, Ordering::Relaxed);
        queue.readers += 1;
        Ok(Some(next))
    }

    fn read_file(&self, index: usize, spool: &mut Spool<'_>) -> Result<(), StoreError> {
        let file = &self.reading.files[index];
        if let Some(path) = &file.path {
            let (digest, bytes) = digest_file(path)?;
            let is_known = (self.reading.is_known)(&digest);
            let mut state = self.state(index)?;
            (state.digest, state.bytes, state.is_known) = (Some(digest), bytes, is_known);
            if is_known {
                self.reading.progress.bytes(bytes);
                return Ok(());
            }
        }
        let mut failure = None;
        let read = for_each_table(file, self.reading.progress, &mut |table| {
            self.read_table(index, table, spool).map_err(|error| match error {
                StoreError::Trace(error) => error,
                other => {
                    let shown = other.to_string();
                    failure = Some(other);
                    TraceError::Sink(shown.into())
                }
            })
        });
        if let Err(error) = read {
            return Err(failure.unwrap_or(StoreError::Trace(error)));
        }
        if self.state(index)?.units.is_none() {
            return Err(TraceError::Nothing { what: format!("`{}` holds no table", file.name) }.into());
        }
        Ok(())
    }

    fn read_table(&self, index: usize, table: OpenTable<'_>, spool: &mut Spool<'_>) -> Result<(), StoreError> {
        let OpenTable { name: file, head, input } = table;
        let (format, name) =
            detect::detect(&Head { path: &file, bytes: &head, options: self.reading.options }, self.reading.wanted)?;
        let place = {
            let mut state = self.state(index)?;
            state.units = Some(format.units());
            state.is_alone = format.is_each_file_alone();
            let summary = TableSummary::default();
            state.tables.push(TableState { name, summary, next: 0, pending: BTreeMap::new() });
            state.tables.len() - 1
        };
        let first_line = first_line(&head);
        match input {
            // A remark may stand before the header.
            Input::Text(text) if !first_line.starts_with(b"#") && format.is_divisible(name.table, first_line) => {
                let opened = Arc::new(Opened { file, name, format, first_line: first_line.to_owned() });
                self.divide(index, place, &opened, text, spool)
            }
            input => {
                self.wait_for(index, spool)?;
                let Some(rejects) = self.state(index)?.rejects.take() else { return Err(poisoned()) };
                let mut summary = TableSummary::default();
                spool.begin(self.slot(index), format.name());
                let outcome = format.read(
                    name.table,
                    input,
                    &mut Context {
                        file: &file,
                        ordinal: self.reading.files[index].ordinal,
                        options: self.reading.options,
                        sink: spool,
                        rejects: &rejects,
                        summary: &mut summary,
                        piece: None,
                    },
                );
                self.reading.progress.rows(summary.rows);
                let mut state = self.state(index)?;
                state.rejects = Some(rejects);
                if let Some(table) = state.tables.get_mut(place) {
                    table.summary = summary;
                }
                outcome.map_err(|error| spool.take_failure().unwrap_or(StoreError::Trace(error)))
            }
        }
    }

    fn slot(&self, index: usize) -> u32 {
        self.reading.first_slot + u32::try_from(index).unwrap_or(u32::MAX / 2)
    }

    /// Cuts a table into pieces of whole lines.
    fn divide(
        &self,
        file: usize,
        table: usize,
        opened: &Arc<Opened>,
        text: &mut dyn BufRead,
        spool: &mut Spool<'_>,
    ) -> Result<(), StoreError> {
        let (mut piece, mut lines) = (0, 0);
        let mut carried: Vec<u8> = Vec::new();
        loop {
            let mut bytes = self.queue()?.spare.pop().unwrap_or_default();
            let kept = carried.len();
            bytes.resize(kept + PIECE, 0);
            bytes[..kept].copy_from_slice(&carried);
            let (filled, broken) = fill(text, &mut bytes, kept);
            let is_last = filled < bytes.len();
            bytes.truncate(filled);
            if !is_last || broken.is_some() {
                let Some(end) = memchr::memrchr(b'\n', &bytes) else {
                    if broken.is_none() && bytes.len() < LONGEST_LINE {
                        carried = bytes;
                        continue;
                    }
                    return Err(self.broken(opened, broken, file, spool)?);
                };
                carried.clear();
                carried.extend_from_slice(&bytes[end + 1..]);
                bytes.truncate(end + 1);
            }
            let counted = lines_in(&bytes);
            let job = Job { file, table, piece, bytes, lines, opened: Arc::clone(opened) };
            piece += 1;
            lines += counted;
            self.hand_out(job, spool)?;
            if broken.is_some() {
                return Err(self.broken(opened, broken, file, spool)?);
            }
            if is_last || self.state(file)?.failure.is_some() {
                return Ok(());
            }
        }
    }

    /// Returns why a stream ended early, once all its pieces are parsed.
    fn broken(
        &self,
        opened: &Opened,
        broken: Option<std::io::Error>,
        file: usize,
        spool: &mut Spool<'_>,
    ) -> Result<StoreError, StoreError> {
        self.wait_for(file, spool)?;
        let rows = self.state(file)?.tables.last().map_or(0, |table| table.summary.rows);
        Ok(StoreError::Trace(match broken {
            Some(source) => io_error(&opened.file, rows, source),
            None => TraceError::Truncated {
                file: opened.file.clone(),
                what: format!("a line is longer than {} MiB", LONGEST_LINE >> 20),
                row: rows,
            },
        }))
    }

    /// Puts a piece into the queue, and parses the first one when the queue is full.
    fn hand_out(&self, job: Job, spool: &mut Spool<'_>) -> Result<(), StoreError> {
        self.state(job.file)?.outstanding += 1;
        let first = {
            let mut queue = self.queue()?;
            queue.jobs.push_back(job);
            if queue.jobs.len() > self.threads { queue.jobs.pop_front() } else { None }
        };
        self.changed.notify_one();
        first.map_or(Ok(()), |job| self.parse(job, spool))
    }

    /// Parses pieces until none of the file is left.
    fn wait_for(&self, file: usize, spool: &mut Spool<'_>) -> Result<(), StoreError> {
        loop {
            if self.state(file)?.outstanding == 0 {
                return Ok(());
            }
            let mut queue = self.queue()?;
            if let Some(job) = queue.jobs.pop_front() {
                drop(queue);
                self.parse(job, spool)?;
            } else {
                // Those left are with other threads, which notify when they are done.
                let wait = std::time::Duration::from_millis(5);
                drop(self.changed.wait_timeout(queue, wait).map_err(|_poisoned| poisoned())?);
            }
        }
    }

    /// Parses a piece into the thread's spool, and notes what came of it.
    fn parse(&self, job: Job, spool: &mut Spool<'_>) -> Result<(), StoreError> {
        let opened = &job.opened;
        let rejects = Rejects::held();
        let mut summary = TableSummary::default();
        let piece = (job.piece > 0).then_some(Piece { first_line: &opened.first_line, lines: job.lines });
        spool.begin(self.slot(job.file), opened.format.name());
        let mut text: &[u8] = &job.bytes;
        let outcome = opened.format.read(
            opened.name.table,
            Input::Text(&mut text),
            &mut Context {
                file: &opened.file,
                ordinal: self.reading.files[job.file].ordinal,
                options: self.reading.options,
                sink: spool,
                rejects: &rejects,
                summary: &mut summary,
                piece,
            },
        );
        let outcome = outcome.map_err(|error| spool.take_failure().unwrap_or(StoreError::Trace(error)));
        self.reading.progress.rows(summary.rows);
        let mut state = self.state(job.file)?;
        if let Some(table) = state.tables.get_mut(job.table) {
            table.pending.insert(job.piece, Parsed { summary, rejected: rejects.into_held(), outcome });
        }
        state.put_together(job.table);
        state.outstanding -= 1;
        self.is_stopped.fetch_or(state.failure.is_some() && !state.is_alone, Ordering::Relaxed);
        drop(state);
        let mut queue = self.queue()?;
        if queue.spare.len() < self.threads {
            queue.spare.push(job.bytes);
        }
        drop(queue);
        self.changed.notify_all();
        Ok(())
    }
}

/// Reads until the buffer is full or the stream ends; returns how far, and why it ended early.
fn fill(text: &mut dyn BufRead, bytes: &mut [u8], from: usize) -> (usize, Option<std::io::Error>) {
    let mut filled = from;
    while filled < bytes.len() {
        match text.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

/// Returns the first line that is not blank.
fn first_line(head: &[u8]) -> &[u8] {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    let head = head.strip_prefix(MARK).unwrap_or(head);
    head.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default()
}

/// Returns how many lines are not blank.
fn lines_in(bytes: &[u8]) -> u64 {
    let (mut lines, mut start) = (0, 0);
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        // Most lines begin with something visible.
        let is_there = bytes.get(start).is_some_and(|byte| !byte.is_ascii_whitespace())
            || bytes.get(start..end).is_some_and(|line| !line.trim_ascii().is_empty());
        lines += u64::from(is_there);
        start = end + 1;
    }
    lines
}
