//! Delimited text as users have it: comma, semicolon or tab, comment lines, quoted cells, a byte-order mark.

use std::io::BufRead;

use super::plan::{self, recognise};
use super::rows::Rows;
use super::value::{Fractions, Value};
use crate::trace::delimited::{LastByte, Outcome, io_error, stream_error};
use crate::trace::reject::row_text;
use crate::trace::table::mapping::Mapping;
use crate::trace::{Context, Refusal, Rejected, TraceError};

/// The header of a table, and what separates its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// Names of the columns.
    pub(super) names: Vec<String>,
    /// The delimiter.
    pub(super) delimiter: u8,
}

/// Reads up to the end of the header: past empty lines, comments (`#`) and a line `sep=;`. A header may itself begin
/// with `#`. Returns nothing if the text ends before.
pub(super) fn header(input: &mut dyn BufRead, map: &[Mapping]) -> std::io::Result<Option<Header>> {
    let mut stated = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
        if text.is_empty() {
            continue;
        }
        if let [b's', b'e', b'p', b'=', delimiter] = text {
            stated = Some(*delimiter);
            continue;
        }
        let is_comment = text.starts_with(b"#");
        let text = text.strip_prefix(b"#").unwrap_or(text);
        let delimiter = stated.unwrap_or_else(|| delimiter(text));
        let names = cells(text, delimiter);
        if !is_comment || recognise(&names, map).is_some() {
            return Ok(Some(Header { names, delimiter }));
        }
    }
}

/// Returns the delimiter that occurs most often outside quotes; of several a tab, then a semicolon.
fn delimiter(line: &[u8]) -> u8 {
    let mut best = (0, b',');
    for candidate in [b'\t', b';', b','] {
        let mut is_quoted = false;
        let count = line
            .iter()
            .filter(|&&byte| {
                is_quoted ^= byte == b'"';
                byte == candidate && !is_quoted
            })
            .count();
        if count > best.0 {
            best = (count, candidate);
        }
    }
    best.1
}

fn cells(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(line);
    let mut record = csv::ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(true) => record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// Reads a table to its end.
pub(super) fn read(table: &'static str, input: &mut dyn BufRead, context: &mut Context<'_>) -> Result<(), TraceError> {
    let columns = |what: String| TraceError::Columns { file: context.file.to_owned(), what };
    let mut last = LastByte::new(input);
    if last.fill_buf().map_err(|source| io_error(context.file, 0, source))?.starts_with(b"PAR1") {
        return Err(columns("Parquet inside an archive or a gzip cannot be read; unpack it first".to_owned()));
    }
    let header = header(&mut last, &context.options.map).map_err(|source| io_error(context.file, 0, source))?;
    let Some(Header { names, delimiter }) = header else {
        return Err(columns("there is no header that names the columns".to_owned()));
    };
    let plan = plan::plan(table, &names, &context.options.map).map_err(columns)?;
    let fractions = if delimiter == b',' { Fractions::PointOnly } else { Fractions::Unknown };
    let mut rows = Rows::new(table, plan, fractions);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(1 << 18)
        .from_reader(&mut last);
    let mut record = csv::ByteRecord::new();
    let mut number = 0_u64;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => return Err(stream_error(context.file, number, error)),
        }
        if is_no_row(&record, &names) {
            continue;
        }
        number += 1;
        context.summary.rows += 1;
        let outcome = if record.len() == names.len() {
            take(&mut rows, number, &record, context)?
        } else if record.as_slice().contains(&b'\n') {
            return Err(open_quote(context.file, number, &record));
        } else {
            let detail = format!("{} fields instead of {}", record.len(), names.len());
            Outcome::Rejected("wrong number of fields", detail)
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
                    text: row_text(&record.iter().collect::<Vec<_>>().join(&delimiter)),
                });
            }
        }
    }
    drop(reader);
    context.summary.ends_without_newline |= last.is_open();
    rows.finish(context.summary);
    Ok(())
}

/// Returns whether a record is an empty line, a comment of another length than a row, or the header once more (files
/// put one behind the other).
fn is_no_row(record: &csv::ByteRecord, names: &[String]) -> bool {
    let first = record.get(0).unwrap_or_default().trim_ascii();
    let is_blank = record.len() == 1 && first.is_empty();
    let is_comment = first.starts_with(b"#") && record.len() != names.len();
    let is_header = || {
        record.len() == names.len() && record.iter().zip(names).all(|(cell, name)| cell.trim_ascii() == name.as_bytes())
    };
    is_blank || is_comment || is_header()
}

fn take(
    rows: &mut Rows,
    number: u64,
    record: &csv::ByteRecord,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    let values: Vec<Value<'_>> = rows
        .plan()
        .columns
        .iter()
        .map(|column| {
            let cell = record.get(column.place).unwrap_or_default().trim_ascii();
            match std::str::from_utf8(cell) {
                Ok("") => Value::Missing,
                Ok(text) => Value::Text(text),
                Err(_) => Value::NotText,
            }
        })
        .collect();
    rows.take(number, &values, context)
}

/// A quote that is never closed swallows the rows behind it: none of them could be counted.
fn open_quote(file: &str, row: u64, record: &csv::ByteRecord) -> TraceError {
    let cell = record.iter().find(|cell| cell.contains(&b'\n')).unwrap_or_default();
    let line = cell.split(|&byte| byte == b'\n').next().unwrap_or_default();
    TraceError::Refused(Box::new(Refusal {
        file: file.to_owned(),
        row,
        column: "(all)".to_owned(),
        found: row_text(line),
        what: "a quoted cell runs over several lines and its row has another number of fields than the header, so a \
               quote is not closed"
            .to_owned(),
        hint: "close the quote, or write a quote inside a cell twice".to_owned(),
    }))
}
