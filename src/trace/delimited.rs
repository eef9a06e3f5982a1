//! Delimited text to typed rows: one reader for every CSV-shaped table of every format.
//!
//! A table is described once ([`TableSpec`]): its columns with their kinds and other names they go by in the wild,
//! whether files have a header, whether cells may be quoted. The reader checks each record against it (number of
//! fields, mandatory cells, numbers that are numbers and finite), keeps the [`TableSummary`](super::TableSummary),
//! and hands typed rows to the format, which knows what they mean. Cost: one pass, one record in memory.

mod blocks;
mod cells;
mod plain;

use std::io::BufRead;

use super::reject::row_text;
use super::{Context, Refusal, Rejected, TraceError};

pub(in crate::trace) use blocks::{LastByte, for_each_block};
pub use blocks::{io_error, stream_error};
pub(in crate::trace) use cells::{Column, exact_decimal};
use cells::{Fault, type_cell};

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An identifier that must be an exact integer: scientific notation means the file went through a spreadsheet.
    Id,
    /// A time in whole units, where 2^63 - 1, and 2^63 (the same through a double), mean "after the trace".
    Time,
    /// A [`Kind::Time`] in whole seconds; a date, which some copies have, is read as seconds since 1970 (UTC).
    Seconds,
    /// An integer; `100.0` is read as 100.
    Integer,
    /// A finite number.
    Number,
    /// An integer with few distinct values, counted.
    Code,
    /// Text.
    Text,
    /// Text with few distinct values, counted.
    Category,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec {
    /// Name in the format's document.
    pub name: &'static str,
    /// What its cells are.
    pub kind: Kind,
    /// Whether an empty cell makes the row unusable.
    pub required: bool,
    /// Other names seen in headers.
    pub aliases: &'static [&'static str],
}

/// Shorthand for a column that may be empty.
pub const fn optional(name: &'static str, kind: Kind) -> ColumnSpec {
    ColumnSpec { name, kind, required: false, aliases: &[] }
}

/// Shorthand for a column that must not be empty.
pub const fn required(name: &'static str, kind: Kind) -> ColumnSpec {
    ColumnSpec { name, kind, required: true, aliases: &[] }
}

impl ColumnSpec {
    /// Adds other names seen in headers.
    #[must_use]
    pub const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Returns whether a header cell `name` means this column, whatever its case.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

/// One table of one format.
#[derive(Debug, Clone, Copy)]
pub struct TableSpec {
    /// Name in the format's document.
    pub name: &'static str,
    /// Columns in file order.
    pub columns: &'static [ColumnSpec],
    /// Trailing columns that older editions lack: a headerless row may have this many fields fewer.
    pub trailing_optional: usize,
    /// Whether cells may be quoted. Off for traces that do not quote, where one stray `"` would swallow the file.
    pub is_quoted: bool,
    /// The delimiter.
    pub delimiter: u8,
}

/// A typed cell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell {
    Empty,
    Integer(i64),
    /// A time at or beyond 2^63 - 1.
    AfterTrace,
    Number(f64),
    Text,
}

/// The fields of one record: where each lies in `bytes`.
#[derive(Clone, Copy)]
struct Fields<'a> {
    bytes: &'a [u8],
    ranges: &'a [(usize, usize)],
}

impl<'a> Fields<'a> {
    fn len(&self) -> usize {
        self.ranges.len()
    }

    fn get(&self, index: usize) -> Option<&'a [u8]> {
        let &(start, end) = self.ranges.get(index)?;
        self.bytes.get(start..end)
    }

    fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a, '_> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Returns the record as one line, for a rejection.
    fn joined(&self, delimiter: u8) -> Vec<u8> {
        self.iter().collect::<Vec<_>>().join(&delimiter)
    }
}

/// One record, checked against its table.
pub struct Row<'a> {
    /// Row, counted from 1 without the header.
    pub number: u64,
    fields: Fields<'a>,
    delimiter: u8,
    position: &'a [Option<usize>],
    cells: &'a [Cell],
}

impl<'a> Row<'a> {
    /// Returns the integer in column `index` of the table's list, if there is one.
    pub fn integer(&self, index: usize) -> Option<i64> {
        match self.cells[index] {
            Cell::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the time in column `index`: nothing for "after the trace" and for an empty cell.
    pub fn time(&self, index: usize) -> Option<i64> {
        self.integer(index)
    }

    /// Returns the number in column `index`, if there is one.
    pub fn number(&self, index: usize) -> Option<f64> {
        match self.cells[index] {
            Cell::Number(value) => Some(value),
            Cell::Integer(value) => Some(value as f64),
            _ => None,
        }
    }

    /// Returns the text of the cell in column `index` as it stands in the file, if it is not empty. For an
    /// identifier that is an integer this is its text.
    pub fn text(&self, index: usize) -> Option<&'a str> {
        let field = self.fields.get(self.position[index]?)?;
        let text = std::str::from_utf8(field).ok()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Returns how many columns the table's list has.
    pub fn columns(&self) -> usize {
        self.cells.len()
    }

    /// Returns the row as text, for a rejection.
    pub fn raw(&self) -> String {
        row_text(&self.fields.joined(self.delimiter))
    }
}

/// What a format made of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was handed to the sink.
    Kept,
    /// It cannot be used: the reason (rows are counted by it) and what exactly was found.
    Rejected(&'static str, String),
}

/// Reads delimited text to its end: the header where there is one, then `each` row that fits the table.
///
/// `position` of columns comes from the header by name (unknown columns are passed over), else from the file order.
/// A header is a first record of which no cell is a number where the table wants one and which names at least two columns.
/// A byte-order mark, and lines before it that begin with `#` and are no header, are passed over. In a later
/// [`Piece`](super::Piece) of a table the first line of the whole says what its header says.
///
/// # Errors
/// [`TraceError::Truncated`] or [`TraceError::Read`] from the stream, [`TraceError::Columns`] for a header without a
/// mandatory column, [`TraceError::Refused`] for identifiers in scientific notation, and whatever `each` returns.
pub fn read(
    table: &TableSpec,
    input: &mut dyn BufRead,
    context: &mut Context<'_>,
    each: &mut dyn FnMut(&Row<'_>, &mut Context<'_>) -> Result<Outcome, TraceError>,
) -> Result<(), TraceError> {
    let mut records = Records::new(table);
    if let Some(piece) = context.piece {
        records.number = piece.lines;
        let mut ranges = Vec::new();
        split_line(piece.first_line, table.delimiter, &mut ranges);
        if records.begin(Fields { bytes: piece.first_line, ranges: &ranges }, context.file)? {
            records.number -= 1;
        }
    }
    let ends_without_newline = if table.is_quoted {
        records.read_quoted(input, context, each)?
    } else {
        records.read_lines(input, context, each)?
    };
    context.summary.ends_without_newline |= ends_without_newline;
    records.finish(context);
    Ok(())
}

/// What is known while the records of a table are read.
struct Records<'a> {
    table: &'a TableSpec,
    position: Vec<Option<usize>>,
    header_cells: Option<usize>,
    has_begun: bool,
    /// Whether the first record was seen and columns stand where the table's list has them, so that records can be plain.
    is_in_place: bool,
    cells: Vec<Cell>,
    columns: Vec<Column>,
    number: u64,
}

impl<'a> Records<'a> {
    fn new(table: &'a TableSpec) -> Self {
        Self {
            table,
            position: (0..table.columns.len()).map(Some).collect(),
            header_cells: None,
            has_begun: false,
            is_in_place: false,
            cells: vec![Cell::Empty; table.columns.len()],
            columns: vec![Column::default(); table.columns.len()],
            number: 0,
        }
    }

    /// Looks at the first record; returns whether it is a header.
    fn begin(&mut self, fields: Fields<'_>, file: &str) -> Result<bool, TraceError> {
        self.has_begun = true;
        let found = header(self.table, fields, file)?;
        let is_header = found.is_some();
        if let Some(position) = found {
            self.position = position;
            self.header_cells = Some(fields.len());
        }
        let is_whole = self.header_cells.is_none_or(|cells| cells == self.table.columns.len());
        self.is_in_place = is_whole && self.position.iter().enumerate().all(|(place, found)| *found == Some(place));
        Ok(is_header)
    }

    /// Splits quoted text by the rules of CSV; returns whether the last line has no newline.
    fn read_quoted(
        &mut self,
        input: &mut dyn BufRead,
        context: &mut Context<'_>,
        each: &mut Each<'_>,
    ) -> Result<bool, TraceError> {
        let mut last = LastByte::new(input);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.table.delimiter)
            .buffer_capacity(1 << 18)
            .from_reader(&mut last);
        let mut record = csv::ByteRecord::new();
        let mut ranges = Vec::new();
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {}
                Err(error) => return Err(stream_error(context.file, self.number, error)),
            }
            ranges.clear();
            ranges.extend(
                (0..record.len()).filter_map(|field| record.range(field)).map(|range| (range.start, range.end)),
            );
            self.record(record.as_slice(), &mut ranges, context, each)?;
        }
        drop(reader);
        Ok(last.is_open())
    }

    /// Splits text at every delimiter and newline; returns whether the last line has no newline.
    fn read_lines(
        &mut self,
        input: &mut dyn BufRead,
        context: &mut Context<'_>,
        each: &mut Each<'_>,
    ) -> Result<bool, TraceError> {
        let delimiter = self.table.delimiter;
        let mut ranges: Vec<(usize, usize)> = Vec::with_capacity(self.table.columns.len() + 1);
        let file = context.file;
        let mut row = self.number;
        let is_open = for_each_block(input, &mut |block| {
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', block).chain([block.len()]) {
                let begin = std::mem::replace(&mut start, end + 1);
                if begin >= end || self.plain_record(block, (begin, end), &mut ranges, context, each)? {
                    continue;
                }
                let line = &block[begin..end];
                let mut from = begin;
                for at in memchr::memchr_iter(delimiter, line) {
                    ranges.push((from, begin + at));
                    from = begin + at + 1;
                }
                ranges.push((from, end));
                self.record(block, &mut ranges, context, each)?;
            }
            row = self.number;
            Ok(())
        });
        is_open.map_err(|broken| broken.into_error(file, row))
    }

    /// Takes one record in its plain form and empties `ranges`; returns whether it has that form. Columns are counted
    /// once all of its cells are known to be good.
    fn plain_record(
        &mut self,
        bytes: &[u8],
        line: (usize, usize),
        ranges: &mut Vec<(usize, usize)>,
        context: &mut Context<'_>,
        each: &mut Each<'_>,
    ) -> Result<bool, TraceError> {
        let table = self.table;
        let is_plain =
            self.is_in_place && plain::type_line(bytes, line, table.delimiter, table.columns, &mut self.cells, ranges);
        if !is_plain {
            ranges.clear();
            return Ok(false);
        }
        self.number += 1;
        context.summary.rows += 1;
        let fields = Fields { bytes, ranges };
        for (index, (column, cell)) in self.columns.iter_mut().zip(&self.cells).enumerate() {
            match *cell {
                Cell::Integer(value) => {
                    column.number(value as f64);
                    if table.columns[index].kind == Kind::Code {
                        column.code(value);
                    }
                }
                Cell::Number(value) => column.number(value),
                Cell::Empty => column.empty += 1,
                Cell::Text if table.columns[index].kind == Kind::Category => {
                    let field = fields.get(index).unwrap_or_default();
                    column.summary.category(std::str::from_utf8(field).unwrap_or_default());
                }
                Cell::Text | Cell::AfterTrace => {}
            }
        }
        self.hand_on(fields, None, context, each)?;
        ranges.clear();
        Ok(true)
    }

    /// Takes one record and empties `ranges`.
    fn record(
        &mut self,
        bytes: &[u8],
        ranges: &mut Vec<(usize, usize)>,
        context: &mut Context<'_>,
        each: &mut Each<'_>,
    ) -> Result<(), TraceError> {
        let fields = Fields { bytes, ranges };
        if fields.len() <= 1 && fields.get(0).unwrap_or_default().trim_ascii().is_empty() {
            ranges.clear();
            return Ok(());
        }
        if !self.has_begun {
            Self::skip_mark(bytes, ranges);
            let fields = Fields { bytes, ranges };
            if self.begin(fields, context.file)? {
                ranges.clear();
                return Ok(());
            }
            if fields.get(0).unwrap_or_default().starts_with(b"#") {
                // A remark before the table: what follows may still be its header.
                self.has_begun = false;
                ranges.clear();
                return Ok(());
            }
        }
        let fields = Fields { bytes, ranges };
        self.number += 1;
        context.summary.rows += 1;
        let rejected = match check_length(self.table, fields.len(), self.header_cells) {
            Err(detail) => Some(("wrong number of fields", detail)),
            Ok(()) => self.fill(fields, context.file)?,
        };
        self.hand_on(fields, rejected, context, each)?;
        ranges.clear();
        Ok(())
    }

    /// Hands a record to the format unless it was rejected, and counts what became of it.
    fn hand_on(
        &self,
        fields: Fields<'_>,
        rejected: Option<(&'static str, String)>,
        context: &mut Context<'_>,
        each: &mut Each<'_>,
    ) -> Result<(), TraceError> {
        let outcome = if let Some((reason, detail)) = rejected {
            Outcome::Rejected(reason, detail)
        } else {
            let (number, delimiter) = (self.number, self.table.delimiter);
            each(&Row { number, fields, delimiter, position: &self.position, cells: &self.cells }, context)?
        };
        match outcome {
            Outcome::Kept => context.summary.kept += 1,
            Outcome::Rejected(reason, detail) => {
                *context.summary.rejected.entry(reason.to_owned()).or_default() += 1;
                context.rejects.reject(Rejected {
                    file: context.file.to_owned(),
                    row: self.number,
                    reason,
                    detail,
                    text: row_text(fields.joined(self.table.delimiter).trim_ascii_end()),
                });
            }
        }
        Ok(())
    }

    /// Takes a byte-order mark off the first field.
    fn skip_mark(bytes: &[u8], ranges: &mut [(usize, usize)]) {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        if let Some((start, end)) = ranges.first_mut()
            && bytes.get(*start..*end).is_some_and(|field| field.starts_with(MARK))
        {
            *start += MARK.len();
        }
    }

    /// Types every cell; returns why the row cannot be used, if so.
    fn fill(&mut self, fields: Fields<'_>, file: &str) -> Result<Option<(&'static str, String)>, TraceError> {
        let mut rejected = None;
        let places = self.position.iter().zip(&mut self.cells).zip(&mut self.columns);
        for (spec, ((position, cell), column)) in self.table.columns.iter().zip(places) {
            let Some(at) = *position else {
                *cell = Cell::Empty;
                continue;
            };
            let field = fields.get(at).unwrap_or_default().trim_ascii();
            if field.is_empty() {
                column.empty += 1;
                *cell = Cell::Empty;
                if spec.required {
                    rejected.get_or_insert_with(|| ("mandatory cell is empty", format!("column `{}`", spec.name)));
                }
                continue;
            }
            *cell = match type_cell(spec.kind, field) {
                Ok(typed) => typed,
                Err(Fault::NotA(reason)) => {
                    rejected.get_or_insert_with(|| {
                        (reason, format!("column `{}`: found `{}`", spec.name, row_text(field)))
                    });
                    Cell::Empty
                }
                Err(fault) => return Err(refused(&fault, spec.name, field, file, self.number)),
            };
            match *cell {
                Cell::Integer(value) => {
                    column.number(value as f64);
                    if spec.kind == Kind::Code {
                        column.code(value);
                    }
                }
                Cell::Number(value) => column.number(value),
                Cell::Text if spec.kind == Kind::Category => {
                    column.summary.category(std::str::from_utf8(field).unwrap_or_default());
                }
                _ => {}
            }
        }
        Ok(rejected)
    }

    /// Hands over the summaries of the columns that the file has.
    fn finish(self, context: &mut Context<'_>) {
        for ((spec, column), _) in
            self.table.columns.iter().zip(self.columns).zip(&self.position).filter(|(_, found)| found.is_some())
        {
            let entry = super::TableSummary {
                columns: [(spec.name.to_owned(), column.finish())].into_iter().collect(),
                ..super::TableSummary::default()
            };
            context.summary.merge(&entry);
        }
    }
}

/// Splits one line, without its newline.
fn split_line(line: &[u8], delimiter: u8, ranges: &mut Vec<(usize, usize)>) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut start = 0;
    for at in memchr::memchr_iter(delimiter, line) {
        ranges.push((start, at));
        start = at + 1;
    }
    ranges.push((start, line.len()));
}

/// Receives rows.
type Each<'a> = dyn FnMut(&Row<'_>, &mut Context<'_>) -> Result<Outcome, TraceError> + 'a;

/// Returns the positions of the table's columns when the record is a header, or nothing when it is a row.
fn header(table: &TableSpec, record: Fields<'_>, file: &str) -> Result<Option<Vec<Option<usize>>>, TraceError> {
    let names: Vec<String> = record
        .iter()
        .map(|field| {
            String::from_utf8_lossy(field)
                .trim_start_matches('\u{feff}')
                .trim()
                .trim_start_matches('#')
                .trim()
                .to_owned()
        })
        .collect();
    let known = table.columns.iter().filter(|column| names.iter().any(|name| column.is_called(name))).count();
    if known < 2 && !(known == 1 && table.columns.len() == 1) {
        return Ok(None);
    }
    let mut position: Vec<Option<usize>> =
        table.columns.iter().map(|column| names.iter().position(|name| column.is_called(name))).collect();
    // Copies lose single header cells: a blank one is the column of its place where all others are in file order.
    let is_in_order = position.iter().enumerate().all(|(place, found)| found.is_none_or(|found| found == place));
    if names.len() == table.columns.len() && is_in_order {
        for (place, _) in names.iter().enumerate().filter(|(_, name)| name.is_empty()) {
            position[place] = Some(place);
        }
    }
    let missing: Vec<&str> = table
        .columns
        .iter()
        .zip(&position)
        .filter(|(column, found)| column.required && found.is_none())
        .map(|(column, _)| column.name)
        .collect();
    if missing.is_empty() {
        return Ok(Some(position));
    }
    Err(TraceError::Columns {
        file: file.to_owned(),
        what: format!("the header has no column `{}` (table `{}`)", missing.join("`, `"), table.name),
    })
}

fn check_length(table: &TableSpec, fields: usize, header_cells: Option<usize>) -> Result<(), String> {
    let most = header_cells.unwrap_or(table.columns.len());
    let least = header_cells.unwrap_or(most - table.trailing_optional);
    let fits = (least..=most).contains(&fields);
    if fits { Ok(()) } else { Err(format!("{fields} fields instead of {most}")) }
}

/// Returns the error that ends a file for what a cell shows.
fn refused(fault: &Fault, column: &str, field: &[u8], file: &str, row: u64) -> TraceError {
    let (what, hint) = match fault {
        Fault::Spreadsheet => (
            "an identifier or a time is in scientific notation, so its last digits are lost and rows can no longer be \
             joined",
            "the file went through a spreadsheet; export it again from its source",
        ),
        Fault::DoubleTime | Fault::NotA(_) => (
            "a time does not fit 64 bits",
            "the column went through a floating-point number; export it again as an integer",
        ),
    };
    TraceError::Refused(Box::new(Refusal {
        file: file.to_owned(),
        row,
        column: column.to_owned(),
        found: row_text(field),
        what: what.to_owned(),
        hint: hint.to_owned(),
    }))
}

#[cfg(test)]
mod tests;
