//! Files of a trace, and what a reader must count in them.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::trace::source::{EXPECTED_FILE, Progress};
use crate::trace::summary::Sum;

use super::decimal::Decimal;
use super::{Packing, SynthError, SynthFormat, SynthParams};

/// Rows between two reports of progress.
const ROWS_PER_REPORT: u64 = 4096;

/// One file of a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SynthFile {
    /// Name of the table in the format's document.
    pub table: &'static str,
    /// Records, without the header.
    pub rows: u64,
    /// Records that a reader keeps.
    pub kept: u64,
    /// Records that a reader rejects, by its reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Sums of columns over the kept records, in the unit of the file.
    pub sums: BTreeMap<&'static str, f64>,
}

/// What was written; the content of `EXPECTED.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SynthReport {
    /// Name of the format.
    pub format: &'static str,
    /// The command that makes the folder, without its destination.
    pub made_by: String,
    /// Records of all files.
    pub rows: u64,
    /// Records that a reader keeps.
    pub kept: u64,
    /// Records that a reader rejects, by its reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Distinct workloads: with samples in a series, with summary rows, in events or facts.
    pub workloads: BTreeMap<&'static str, u64>,
    /// Oddities that were planted, with their numbers.
    pub planted: BTreeMap<&'static str, u64>,
    /// The files, by their path inside the folder.
    pub files: BTreeMap<String, SynthFile>,
}

enum Stream {
    Gzip(Box<flate2::write::GzEncoder<BufWriter<fs_err::File>>>),
    Plain(BufWriter<fs_err::File>),
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(stream) => stream.write(bytes),
            Self::Plain(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(stream) => stream.flush(),
            Self::Plain(stream) => stream.flush(),
        }
    }
}

/// What a reader makes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It keeps it.
    Kept,
    /// It rejects it, for the reason in its words.
    Rejected(&'static str),
}

/// A file that is being written.
pub(super) struct TableFile {
    name: String,
    table: &'static str,
    stream: Stream,
    columns: &'static [&'static str],
    sums: Vec<Sum>,
    rows: u64,
    rejected: BTreeMap<&'static str, u64>,
}

impl TableFile {
    /// Writes something that is no record, as a header.
    pub(super) fn header(&mut self, line: &[u8]) -> io::Result<()> {
        self.stream.write_all(line)
    }

    /// Writes a record. `cells` are the values of the summed columns, in their order; nothing where a cell is empty.
    pub(super) fn row(&mut self, line: &[u8], fate: Fate, cells: &[Option<Decimal>]) -> io::Result<()> {
        self.stream.write_all(line)?;
        self.rows += 1;
        match fate {
            Fate::Rejected(reason) => *self.rejected.entry(reason).or_default() += 1,
            Fate::Kept => {
                for (sum, cell) in self.sums.iter_mut().zip(cells) {
                    if let Some(cell) = cell {
                        sum.add(cell.value());
                    }
                }
            }
        }
        Ok(())
    }
}

/// The folder that is being filled.
pub(super) struct Output<'a> {
    folder: PathBuf,
    packing: Packing,
    progress: &'a dyn Progress,
    unreported: u64,
    files: BTreeMap<String, SynthFile>,
    workloads: BTreeMap<&'static str, u64>,
    planted: BTreeMap<&'static str, u64>,
}

impl<'a> Output<'a> {
    /// Makes the folder.
    pub(super) fn create(folder: &Path, packing: Packing, progress: &'a dyn Progress) -> Result<Self, SynthError> {
        fs_err::create_dir_all(folder)?;
        if fs_err::read_dir(folder)?.next().is_some() {
            return Err(SynthError::NotEmpty { folder: folder.display().to_string() });
        }
        Ok(Self {
            folder: folder.to_owned(),
            packing,
            progress,
            unreported: 0,
            files: BTreeMap::new(),
            workloads: BTreeMap::new(),
            planted: BTreeMap::new(),
        })
    }

    /// Opens the file `name` (with `/`) of a table, which gets the ending of the packing. `columns` are those whose
    /// sums are kept.
    pub(super) fn open(
        &self,
        name: &str,
        table: &'static str,
        columns: &'static [&'static str],
    ) -> io::Result<TableFile> {
        let name = match self.packing {
            Packing::Gzip => format!("{name}.gz"),
            Packing::Plain => name.to_owned(),
        };
        self.open_as(&name, self.packing, table, columns)
    }

    /// Opens the file `name` of a table as plain text.
    pub(super) fn open_plain(
        &self,
        name: &str,
        table: &'static str,
        columns: &'static [&'static str],
    ) -> io::Result<TableFile> {
        self.open_as(name, Packing::Plain, table, columns)
    }

    fn open_as(
        &self,
        name: &str,
        packing: Packing,
        table: &'static str,
        columns: &'static [&'static str],
    ) -> io::Result<TableFile> {
        let stream = self.stream(name, packing)?;
        let sums = vec![Sum::default(); columns.len()];
        Ok(TableFile { name: name.to_owned(), table, stream, columns, sums, rows: 0, rejected: BTreeMap::new() })
    }

    fn stream(&self, name: &str, packing: Packing) -> io::Result<Stream> {
        let path = self.folder.join(name);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        let file = BufWriter::with_capacity(1 << 17, fs_err::File::create(path)?);
        Ok(match packing {
            // Without a time and a file name, and with an unknown system, the header is the same everywhere.
            Packing::Gzip => Stream::Gzip(Box::new(
                flate2::GzBuilder::new().mtime(0).operating_system(255).write(file, flate2::Compression::new(6)),
            )),
            Packing::Plain => Stream::Plain(file),
        })
    }

    /// Opens a file that is no table of the trace.
    pub(super) fn open_beside(&self, name: &str) -> io::Result<impl Write + use<>> {
        self.stream(name, Packing::Plain)
    }

    /// Ends a file and takes over its counts.
    pub(super) fn close(&mut self, file: TableFile) -> io::Result<()> {
        match file.stream {
            Stream::Gzip(stream) => stream.finish()?.flush()?,
            Stream::Plain(mut stream) => stream.flush()?,
        }
        let sums = file.columns.iter().zip(&file.sums).map(|(name, sum)| (*name, sum.value())).collect();
        let kept = file.rows - file.rejected.values().sum::<u64>();
        let entry = SynthFile { table: file.table, rows: file.rows, kept, rejected: file.rejected, sums };
        self.files.insert(file.name, entry);
        Ok(())
    }

    /// Reports a row to whoever watches.
    pub(super) fn tick(&mut self) {
        self.unreported += 1;
        if self.unreported == ROWS_PER_REPORT {
            self.progress.rows(std::mem::take(&mut self.unreported));
        }
    }

    /// Counts a workload in a kind of table.
    pub(super) fn workload(&mut self, kind: &'static str) {
        *self.workloads.entry(kind).or_default() += 1;
    }

    /// Counts a planted oddity.
    pub(super) fn planted(&mut self, what: &'static str) {
        *self.planted.entry(what).or_default() += 1;
    }

    /// Writes `EXPECTED.json` and returns its content.
    pub(super) fn finish(self, format: SynthFormat, params: SynthParams) -> io::Result<SynthReport> {
        self.progress.rows(self.unreported);
        let SynthParams { workloads, days, seed } = params;
        let mut rejected: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (reason, count) in self.files.values().flat_map(|file| &file.rejected) {
            *rejected.entry(reason).or_default() += count;
        }
        let report = SynthReport {
            format: format.name(),
            made_by: format!("shadow synth {} --workloads {workloads} --days {days} --seed {seed}", format.name()),
            rows: self.files.values().map(|file| file.rows).sum(),
            kept: self.files.values().map(|file| file.kept).sum(),
            rejected,
            workloads: self.workloads.clone(),
            planted: self.planted.clone(),
            files: self.files.clone(),
        };
        let mut file = self.open_beside(EXPECTED_FILE)?;
        serde_json::to_writer_pretty(&mut file, &report)?;
        file.write_all(b"\n")?;
        file.flush()?;
        Ok(report)
    }
}
