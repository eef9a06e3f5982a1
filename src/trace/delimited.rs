//! Delimited text to typed rows: one reader for every CSV-shaped table of every format.
//!
//! A table is described once ([`TableSpec`]): its columns with their kinds and other names they go by in the wild,
//! whether files have a header, whether cells may be quoted. The reader checks each record against it (number of
//! fields, mandatory cells, numbers that are numbers and finite), keeps the [`TableSummary`](super::TableSummary),
//! and hands typed rows to the format, which knows what they mean. Cost: one pass, one record in memory.

use std::io::{BufRead, Read};

use super::reject::row_text;
use super::{Context, Refusal, Rejected, TraceError};
use crate::trace::summary::ColumnSummary;
use crate::units::Micros;

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

/// One record, checked against its table.
pub struct Row<'a> {
    /// Row, counted from 1 without the header.
    pub number: u64,
    record: &'a csv::ByteRecord,
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
        let field = self.record.get(self.position[index]?)?;
        let text = std::str::from_utf8(field).ok()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Returns the row as text, for a rejection.
    pub fn raw(&self) -> String {
        row_text(self.record.as_slice())
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
    let mut last = LastByte::new(input);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .quoting(table.is_quoted)
        .delimiter(table.delimiter)
        .buffer_capacity(1 << 18)
        .from_reader(&mut last);
    let mut record = csv::ByteRecord::new();
    let mut position: Vec<Option<usize>> = (0..table.columns.len()).map(Some).collect();
    let mut header_cells = None;
    let mut is_first = true;
    let mut cells = vec![Cell::Empty; table.columns.len()];
    let mut columns = vec![Column::default(); table.columns.len()];
    let mut number = 0_u64;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => return Err(stream_error(context.file, number, error)),
        }
        if record.len() == 1 && record.get(0).is_some_and(|field| field.trim_ascii().is_empty()) {
            continue;
        }
        if std::mem::take(&mut is_first)
            && let Some(found) = header(table, &record, context.file)?
        {
            position = found;
            header_cells = Some(record.len());
            continue;
        }
        number += 1;
        context.summary.rows += 1;
        let rejected = match check_length(table, &record, header_cells) {
            Err(detail) => Some(("wrong number of fields", detail)),
            Ok(()) => fill(table, &record, &position, &mut cells, &mut columns, context.file, number)?,
        };
        let outcome = match rejected {
            Some((reason, detail)) => Outcome::Rejected(reason, detail),
            None => each(&Row { number, record: &record, position: &position, cells: &cells }, context)?,
        };
        match outcome {
            Outcome::Kept => context.summary.kept += 1,
            Outcome::Rejected(reason, detail) => {
                *context.summary.rejected.entry(reason.to_owned()).or_default() += 1;
                context.rejects.reject(Rejected {
                    file: context.file.to_owned(),
                    row: number,
                    reason,
                    detail,
                    text: row_text(&record.iter().collect::<Vec<_>>().join(&table.delimiter)),
                });
            }
        }
    }
    drop(reader);
    context.summary.ends_without_newline |= last.is_open();
    for ((spec, column), _) in table.columns.iter().zip(columns).zip(&position).filter(|(_, found)| found.is_some()) {
        let entry = super::TableSummary {
            columns: [(spec.name.to_owned(), column.finish())].into_iter().collect(),
            ..super::TableSummary::default()
        };
        context.summary.merge(&entry);
    }
    Ok(())
}

/// Translates an error of the CSV reader: what the stream said, and after which row.
pub fn stream_error(file: &str, row: u64, error: csv::Error) -> TraceError {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => io_error(file, row, source),
        other => TraceError::Truncated { file: file.to_owned(), what: format!("{other:?}"), row },
    }
}

/// Translates an error of the stream below a reader.
pub fn io_error(file: &str, row: u64, source: std::io::Error) -> TraceError {
    match source.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            TraceError::Truncated { file: file.to_owned(), what: "the compressed stream ends early".to_owned(), row }
        }
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => TraceError::Truncated {
            file: file.to_owned(),
            what: format!("the compressed stream is damaged ({source})"),
            row,
        },
        _ => TraceError::Read { file: file.to_owned(), source },
    }
}

/// Returns the positions of the table's columns when the record is a header, or nothing when it is a row.
fn header(table: &TableSpec, record: &csv::ByteRecord, file: &str) -> Result<Option<Vec<Option<usize>>>, TraceError> {
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

fn check_length(table: &TableSpec, record: &csv::ByteRecord, header_cells: Option<usize>) -> Result<(), String> {
    let most = header_cells.unwrap_or(table.columns.len());
    let least = header_cells.unwrap_or(most - table.trailing_optional);
    let fits = (least..=most).contains(&record.len());
    if fits { Ok(()) } else { Err(format!("{} fields instead of {most}", record.len())) }
}

/// Types every cell; returns why the row cannot be used, if so.
fn fill(
    table: &TableSpec,
    record: &csv::ByteRecord,
    position: &[Option<usize>],
    cells: &mut [Cell],
    columns: &mut [Column],
    file: &str,
    row: u64,
) -> Result<Option<(&'static str, String)>, TraceError> {
    let mut rejected = None;
    for (index, spec) in table.columns.iter().enumerate() {
        let Some(at) = position[index] else {
            cells[index] = Cell::Empty;
            continue;
        };
        let field = record.get(at).unwrap_or_default().trim_ascii();
        let column = &mut columns[index];
        let summary = &mut column.summary;
        cells[index] = if field.is_empty() {
            summary.empty += 1;
            Cell::Empty
        } else {
            match type_cell(spec.kind, field) {
                Ok(cell) => cell,
                Err(Fault::Spreadsheet) => {
                    return Err(TraceError::Refused(Box::new(Refusal {
                        file: file.to_owned(),
                        row,
                        column: spec.name.to_owned(),
                        found: row_text(field),
                        what:
                            "an identifier or a time is in scientific notation, so its last digits are lost and rows \
                               can no longer be joined"
                                .to_owned(),
                        hint: "the file went through a spreadsheet; export it again from its source".to_owned(),
                    })));
                }
                Err(Fault::DoubleTime) => {
                    return Err(TraceError::Refused(Box::new(Refusal {
                        file: file.to_owned(),
                        row,
                        column: spec.name.to_owned(),
                        found: row_text(field),
                        what: "a time does not fit 64 bits".to_owned(),
                        hint: "the column went through a floating-point number; export it again as an integer"
                            .to_owned(),
                    })));
                }
                Err(Fault::NotA(reason)) => {
                    rejected.get_or_insert((reason, format!("column `{}`: found `{}`", spec.name, row_text(field))));
                    Cell::Empty
                }
            }
        };
        match cells[index] {
            Cell::Empty if field.is_empty() && spec.required => {
                rejected.get_or_insert(("mandatory cell is empty", format!("column `{}`", spec.name)));
            }
            Cell::Integer(value) if spec.kind == Kind::Code => {
                column.code(value);
                column.summary.number(value as f64);
            }
            Cell::Integer(value) => summary.number(value as f64),
            Cell::Number(value) => summary.number(value),
            Cell::Text if spec.kind == Kind::Category => {
                summary.category(std::str::from_utf8(field).unwrap_or_default());
            }
            _ => {}
        }
    }
    Ok(rejected)
}

/// Codes below this are counted by position instead of in a map of texts (`task_events`, one thread, release: 245
/// instead of 209 MB/s).
const SMALL_CODES: usize = 16;

/// The summary of one column while it is read.
#[derive(Clone, Default)]
struct Column {
    summary: ColumnSummary,
    small_codes: [u64; SMALL_CODES],
}

impl Column {
    fn code(&mut self, value: i64) {
        match usize::try_from(value).ok().and_then(|value| self.small_codes.get_mut(value)) {
            Some(count) => *count += 1,
            None => self.summary.category(&value.to_string()),
        }
    }

    fn finish(mut self) -> ColumnSummary {
        for (code, count) in self.small_codes.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            *self.summary.counts.entry(code.to_string()).or_default() += count;
        }
        self.summary
    }
}

enum Fault {
    Spreadsheet,
    DoubleTime,
    NotA(&'static str),
}

fn type_cell(kind: Kind, field: &[u8]) -> Result<Cell, Fault> {
    match kind {
        Kind::Text | Kind::Category => {
            std::str::from_utf8(field).map(|_text| Cell::Text).map_err(|_not_utf8| Fault::NotA("text is not UTF-8"))
        }
        Kind::Number => number(field).map(Cell::Number),
        Kind::Seconds => integer(Kind::Time, field).or_else(|fault| {
            let date = std::str::from_utf8(field).ok().and_then(|text| Micros::from_date(text).ok());
            date.map(|date| Cell::Integer(date.0.div_euclid(1_000_000))).ok_or(fault)
        }),
        Kind::Id | Kind::Time | Kind::Integer | Kind::Code => integer(kind, field),
    }
}

/// Parses a finite number.
fn number(field: &[u8]) -> Result<f64, Fault> {
    match lexical_core::parse::<f64>(field) {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(Fault::NotA("number is not finite")),
        Err(_) => Err(Fault::NotA("not a number")),
    }
}

fn integer(kind: Kind, field: &[u8]) -> Result<Cell, Fault> {
    // Doubles hold every integer up to 2^53; beyond it, a column that went through a double has lost digits.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // 2^63.
    const AFTER_TRACE: f64 = 9_223_372_036_854_775_808.0;
    if let Ok(value) = lexical_core::parse::<i64>(field) {
        return Ok(if kind == Kind::Time && value == i64::MAX { Cell::AfterTrace } else { Cell::Integer(value) });
    }
    let value = number(field)?;
    // "After the trace" once it went through a double: numpy and spreadsheets with all digits print it in many ways.
    if kind == Kind::Time && value.to_bits() == AFTER_TRACE.to_bits() {
        return Ok(Cell::AfterTrace);
    }
    let is_scientific = field.iter().any(|byte| matches!(byte, b'e' | b'E'));
    if is_scientific && matches!(kind, Kind::Id | Kind::Time) {
        return Err(Fault::Spreadsheet);
    }
    if kind == Kind::Time && value.abs() > EXACT {
        return Err(Fault::DoubleTime);
    }
    if value.abs() > EXACT {
        return Err(if kind == Kind::Id { Fault::Spreadsheet } else { Fault::NotA("integer is out of range") });
    }
    if value.fract() == 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return Ok(Cell::Integer(value as i64));
    }
    Err(Fault::NotA("not an integer"))
}

/// Remembers the last byte that went through.
pub(super) struct LastByte<'a> {
    inner: &'a mut dyn BufRead,
    last: Option<u8>,
}

impl<'a> LastByte<'a> {
    pub(super) fn new(inner: &'a mut dyn BufRead) -> Self {
        Self { inner, last: None }
    }

    /// Returns whether the last line has no newline.
    pub(super) fn is_open(&self) -> bool {
        self.last.is_some_and(|byte| byte != b'\n')
    }
}

impl Read for LastByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(&byte) = buffer[..read].last() {
            self.last = Some(byte);
        }
        Ok(read)
    }
}

impl BufRead for LastByte<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed was shown by the last `fill_buf`, which does not read again while it holds bytes.
        if let Some(byte) = amount.checked_sub(1).and_then(|at| self.inner.fill_buf().ok()?.get(at).copied()) {
            self.last = Some(byte);
        }
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests;
