//! JSON Lines from the publisher's bucket: one object a line, 64-bit integers as strings, records nested.
//!
//! Fields at their default may be left out: identifiers and enumerations are then 0 or none, measurements missing.
//! A line that is not an object of the table is rejected; reading goes on with the next.

mod lines;
mod plain;
mod values;

use std::io::BufRead;

use serde::Deserialize;

use crate::trace::delimited::{Outcome, for_each_block};
use crate::trace::reject::row_text;
use crate::trace::{Context, Rejected, TraceError};

use lines::{
    ATTRIBUTE, AttributeLine, COLLECTION, CollectionLine, INSTANCE, InstanceLine, MACHINE, MachineLine, USAGE,
    UsageLine,
};

use super::columns::Columns;
use super::no_table;
use super::rows::Rows;

/// Reads a table of JSON Lines to its end.
pub(super) fn read(table: &str, text: &mut dyn BufRead, context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut rows = Rows::default();
    match table {
        "instance_usage" => read_lines(&USAGE, text, context, &mut |line, row, columns, context| {
            let plain = plain::usage(line).map_or_else(|| parse::<UsageLine>(line), Ok);
            plain.map_or_else(Ok, |line| line.hand_on(&mut rows, row, columns, context))
        }),
        "instance_events" => read_lines(&INSTANCE, text, context, &mut |line, row, columns, context| {
            parse::<InstanceLine>(line).map_or_else(Ok, |line| line.hand_on(&mut rows, row, columns, context))
        }),
        "collection_events" => read_lines(&COLLECTION, text, context, &mut |line, row, columns, context| {
            parse::<CollectionLine<'_>>(line).map_or_else(Ok, |line| line.hand_on(&mut rows, row, columns, context))
        }),
        "machine_events" => read_lines(&MACHINE, text, context, &mut |line, row, columns, context| {
            parse::<MachineLine<'_>>(line).map_or_else(Ok, |line| line.hand_on(&mut rows, row, columns, context))
        }),
        "machine_attributes" => {
            read_lines(&ATTRIBUTE, text, context, &mut |line, _row, columns, _context| {
                Ok(parse::<AttributeLine<'_>>(line).map_or_else(|rejected| rejected, |line| line.count(columns)))
            })?;
            let kept = context.summary.kept;
            context.summary.notes.insert(super::csv::ATTRIBUTES_NOTE.to_owned(), kept);
            Ok(())
        }
        other => Err(no_table(other, context.file)),
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Outcome> {
    serde_json::from_slice(line)
        .map_err(|error| Outcome::Rejected("line is not an object of this table", error.to_string()))
}

type Each<'a> = dyn FnMut(&[u8], u64, &mut Columns, &mut Context<'_>) -> Result<Outcome, TraceError> + 'a;

fn read_lines(
    names: &'static [&'static str],
    text: &mut dyn BufRead,
    context: &mut Context<'_>,
    each: &mut Each<'_>,
) -> Result<(), TraceError> {
    let mut columns = Columns::new(names);
    let file = context.file;
    let mut row = context.piece.map_or(0, |piece| piece.lines);
    let mut rows_before = row;
    let is_open = for_each_block(text, &mut |block| {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', block).chain([block.len()]) {
            let content = block[start.min(end)..end].trim_ascii();
            start = end + 1;
            if content.is_empty() {
                continue;
            }
            row += 1;
            context.summary.rows += 1;
            match each(content, row, &mut columns, context)? {
                Outcome::Kept => context.summary.kept += 1,
                Outcome::Rejected(reason, detail) => {
                    *context.summary.rejected.entry(reason.to_owned()).or_default() += 1;
                    let text = row_text(content);
                    context.rejects.reject(Rejected { file: context.file.to_owned(), row, reason, detail, text });
                }
            }
        }
        rows_before = row;
        Ok(())
    });
    let ends_without_newline = is_open.map_err(|broken| broken.into_error(file, rows_before))?;
    context.summary.ends_without_newline |= ends_without_newline;
    columns.finish(context.summary);
    Ok(())
}
