//! Trace files to typed rows: one file per format, one shared reader of delimited text, one reporter of bad rows.
//!
//! Input: paths as a user names them ([`source`]), recognised by name, header and content ([`detect`]). Output:
//! [`Sample`]s, [`EventRow`]s, [`GroupRow`]s and [`MachineRow`]s, handed to a [`Sink`] one at a time in file order;
//! nothing is held back, so memory does not grow with the input. A row that cannot be used goes to the
//! [`Rejects`] reporter with its reason; what a format document calls impossible ends the file as a [`TraceError`].
//! Rows read = rows kept + rows rejected, always.

pub mod alibaba_2017;
pub mod alibaba_2018;
pub mod alibaba_genai_2026;
pub mod alibaba_gpu;
pub mod alibaba_microservices;
pub mod azure;
pub mod bitbrains;
pub mod delimited;
pub mod detect;
mod digits;
pub mod google_2011;
pub mod google_2019;
pub(crate) mod guard;
mod identifier;
mod known;
pub mod prometheus;
pub mod record;
pub mod reject;
pub mod source;
pub mod summary;
pub mod table;
#[cfg(test)]
mod testing;
pub mod units;

use source::Input;

pub use record::{
    Amounts, Dataset, EventKind, EventRow, GroupRow, MachineRow, Sample, SampleFlags, Scaling, Sink, WorkloadFlags,
};
pub use reject::{Rejected, Rejects};
pub use summary::TableSummary;
pub use units::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};

/// Why a file as a whole must not be used, and where that was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}` cannot be used: {what}\n  at row {row}, column `{column}`: found `{found}`")]
pub struct Refusal {
    /// The file, with the member of an archive after `!`.
    pub file: String,
    /// Row, counted from 1 without the header.
    pub row: u64,
    /// Column name of the format document.
    pub column: String,
    /// The cell, cut to a readable length.
    pub found: String,
    /// Why, in words.
    pub what: String,
    /// What the user can do.
    pub hint: String,
}

/// What ends the reading of a file.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read; the text names it.
    #[error("cannot read `{file}`: {source}")]
    Read {
        /// The file, with the member of an archive after `!`.
        file: String,
        /// What the operating system or the decompressor said.
        source: std::io::Error,
    },
    /// A compressed stream or an archive ends early or is damaged.
    #[error("cannot read `{file}`: {what}\n  at row {row}")]
    Truncated {
        /// The file, with the member of an archive after `!`.
        file: String,
        /// What the decompressor said.
        what: String,
        /// Rows read before it.
        row: u64,
    },
    /// No format fits, or several do.
    #[error("cannot tell the format of `{file}`: {what}")]
    Unrecognised {
        /// The file.
        file: String,
        /// What was found there.
        what: String,
    },
    /// The file as a whole must not be used, as when its identifiers were destroyed by a spreadsheet.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The header or the mapping does not give what a table needs.
    #[error("`{file}`: {what}")]
    Columns {
        /// The file.
        file: String,
        /// Which columns are missing or unknown.
        what: String,
    },
    /// There is nothing to read.
    #[error("{what}")]
    Nothing {
        /// Where it was looked for and what was found instead.
        what: String,
    },
    /// The receiver of the rows failed.
    #[error("{0}")]
    Sink(Box<dyn std::error::Error + Send + Sync>),
}

/// Which request counts for a window: the rule of a format's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestRule {
    /// The last row in (time, file order) at or before the window with a non-empty value (google-2011, google-2019).
    LastAtOrBefore,
    /// The first row in (time, file order) (alibaba-2018, table); limits still follow the last row at or before.
    First,
}

/// What becomes of several samples of one workload and time that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// Means are weighted by length, of maxima the larger one counts.
    Merge,
    /// The first one in file order counts.
    First,
    /// Of each amount the larger one counts.
    Larger,
}

/// One table inside a format, as it was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableName {
    /// The format's name on the command line.
    pub format: &'static str,
    /// The table's name in the format's document.
    pub table: &'static str,
}

/// How sure a format is that a table is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The cells have the right number and patterns.
    Cells,
    /// The header holds the official names.
    Header,
    /// The file or folder name is the official one, and the content does not contradict it.
    Name,
}

/// The first bytes of a table, and where it lies.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    /// Path as shown to the user, with `/` (an archive's member after `!`).
    pub path: &'a str,
    /// Up to 64 KiB of decompressed content, cut after the last complete line where there is one; of a Parquet file
    /// its four magic bytes.
    pub bytes: &'a [u8],
    /// What the user said: names that are mapped count as the names they stand for.
    pub options: &'a ReadOptions,
}

/// What the user said about how to read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Mapping of the `table` format, in the order given: target = expression.
    pub map: Vec<table::Mapping>,
}

/// Everything a reader needs besides the bytes.
pub struct Context<'a> {
    /// The file, for messages.
    pub file: &'a str,
    /// Orders this file among others where a format breaks ties by file order; the part number where the name has one.
    pub ordinal: u32,
    /// What the user said.
    pub options: &'a ReadOptions,
    /// Receives good rows.
    pub sink: &'a mut dyn Sink,
    /// Receives bad rows.
    pub rejects: &'a Rejects,
    /// Counts, extremes and sums of every column, in the source's unit.
    pub summary: &'a mut TableSummary,
    /// Where the bytes begin, when they are a later part of a table that [`Format::is_divisible`].
    pub piece: Option<Piece<'a>>,
}

/// Where a later part of a table begins.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// The first line of the whole table that is not blank: its header, where it has one.
    pub first_line: &'a [u8],
    /// Lines of the table before this part that are not blank.
    pub lines: u64,
}

/// The bits of a sequence that count rows inside a file.
const ROW_BITS: u32 = 40;

impl Context<'_> {
    /// Returns the position of a row in the order of all rows: by file, then by line.
    pub const fn sequence(&self, row: u64) -> u64 {
        ((self.ordinal as u64) << ROW_BITS) | (row & ((1 << ROW_BITS) - 1))
    }
}

/// Returns where the file of a row begins in the order of all rows: its [`Context::sequence`] without the row.
pub const fn file_order(sequence: u64) -> u64 {
    sequence >> ROW_BITS << ROW_BITS
}

/// What one trace format is.
pub trait Format: Sync {
    /// Returns the name used on the command line and in the store.
    fn name(&self) -> &'static str;

    /// Returns the table that `head` is, with how sure that is, or nothing.
    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)>;

    /// Returns why `head` is none of the format's tables, where the user can do something about it.
    fn mismatch(&self, _head: &Head<'_>) -> Option<String> {
        None
    }

    /// Returns whether parts of a table can be read one by one, in any order: each row says all by itself, and lines end
    /// where the text has a newline. `first_line` is the first one that is not blank.
    fn is_divisible(&self, _table: &str, _first_line: &[u8]) -> bool {
        false
    }

    /// Reads a table, or a part of one ([`Context::piece`]), to its end.
    ///
    /// # Errors
    /// The stream breaks, or the format's document says that the file as a whole must not be used. Rows handed out
    /// before are then discarded by the caller.
    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError>;

    /// Returns which request counts.
    fn request_rule(&self) -> RequestRule;

    /// Returns the units in which samples, requests and capacities are handed out.
    fn units(&self) -> UnitContract;

    /// Returns the group (job, collection) that a workload belongs to, where its identifier says so.
    fn group_of<'a>(&self, workload: &'a str) -> Option<&'a str>;

    /// Returns the recording that a workload was seen in, where the trace has several that were made at different times:
    /// its first and last samples say nothing about when workloads of another recording began or ended.
    fn recording_of<'a>(&self, _workload: &'a str) -> Option<&'a str> {
        None
    }

    /// Returns whether each file holds whole workloads of its own, so that a refused file takes nothing from the others.
    fn is_each_file_alone(&self) -> bool {
        false
    }

    /// Returns what becomes of samples of the same workload and time.
    fn duplicates(&self) -> Duplicates {
        Duplicates::Merge
    }

    /// Returns whether a workload without events that is first sampled well after others began visibly.
    fn has_starts_of_first_samples(&self) -> bool {
        false
    }

    /// Returns the shortest time between samples that the format can hold, in seconds, for messages; 0 if any.
    fn sampling_seconds(&self) -> u32;
}

/// Returns every format, in the order in which detection asks them.
pub fn formats() -> [&'static dyn Format; 14] {
    [
        &google_2011::Google2011,
        &google_2019::Google2019,
        &alibaba_2017::Alibaba2017,
        &alibaba_2018::Alibaba2018,
        &alibaba_gpu::AlibabaGpu2020,
        &alibaba_microservices::AlibabaMicroservices2021,
        &alibaba_microservices::AlibabaMicroservices2022,
        &alibaba_gpu::AlibabaGpu2023,
        &alibaba_genai_2026::AlibabaGenai2026,
        &bitbrains::Bitbrains,
        &azure::Azure::V1,
        &azure::Azure::V2,
        &prometheus::Prometheus,
        &table::Table,
    ]
}

/// Returns the format of that name.
pub fn format_named(name: &str) -> Option<&'static dyn Format> {
    formats().into_iter().find(|format| format.name() == name)
}
