//! `google-2019`: the traces of eight Borg cells over 31 days of May 2019 (`ClusterData2019`), in the shapes people
//! have them in.
//!
//! | shape | file | table |
//! |---|---|---|
//! | JSON Lines from the publisher's bucket | `json` | `instance_usage`, `instance_events`, `collection_events`, `machine_events`, `machine_attributes` |
//! | CSV exports of `BigQuery` and pandas, records as text or flattened | `csv` | the same |
//! | usage joined to limits, 40 columns | `joined` | `joined` |
//! | one task a file, 6 columns, identifiers in the path | `per_task` | `per_task` |
//! | the Kaggle sample, 34 columns | `kaggle` | `kaggle` |
//!
//! Output: windows of instances as samples, instance events with the request they state, collection events as groups,
//! machine events. A workload is `COLLECTION/INDEX`, its group the collection. Alloc sets are rejected by reason: their
//! use is the sum of the tasks inside them. CPU and memory are fractions of the largest machine of all cells. Times are
//! microseconds as in the source: 0 is before the trace, 2^63 - 1 after it. Parquet is not recognised here.

mod columns;
mod csv;
mod joined;
mod json;
pub mod kaggle;
mod per_task;
mod python;
mod recognise;
mod rows;

use std::io::BufRead;

use super::delimited::io_error;
use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, RequestRule, TraceError, UnitContract,
};

/// The `google-2019` format.
#[derive(Debug, Clone, Copy)]
pub struct Google2019;

impl Format for Google2019 {
    fn name(&self) -> &'static str {
        "google-2019"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        recognise::recognise(head)
    }

    fn mismatch(&self, head: &Head<'_>) -> Option<String> {
        recognise::mismatch(head)
    }

    fn is_divisible(&self, _table: &str, first_line: &[u8]) -> bool {
        first_line.trim_ascii_start().starts_with(b"{")
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        let Input::Text(text) = input else {
            return Err(TraceError::Unrecognised {
                file: context.file.to_owned(),
                what: "Parquet exports of `google-2019` are not read; get the JSON Lines or CSV of the same table"
                    .to_owned(),
            });
        };
        match table {
            "joined" => joined::read(text, context),
            "per_task" => per_task::read(text, context),
            "kaggle" => kaggle::read(&kaggle::TABLE, text, context),
            _ if is_json(text, context)? => json::read(table, text, context),
            _ => csv::read(table, text, context),
        }
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::LastAtOrBefore
    }

    fn units(&self) -> UnitContract {
        UnitContract { cpu: CpuUnit::MachineFraction, memory: MemoryUnit::MachineFraction, network: NetworkUnit::None }
    }

    fn group_of<'a>(&self, workload: &'a str) -> Option<&'a str> {
        workload.rsplit_once('/').map(|(collection, _index)| collection)
    }

    fn sampling_seconds(&self) -> u32 {
        300
    }
}

/// Returns whether the text is JSON Lines; CSV never begins with a brace. What a table is, its first line says: that of a later part may be broken.
fn is_json(text: &mut dyn BufRead, context: &Context<'_>) -> Result<bool, TraceError> {
    let begins_with_brace = |bytes: &[u8]| bytes.trim_ascii_start().first() == Some(&b'{');
    match context.piece {
        Some(piece) => Ok(begins_with_brace(piece.first_line)),
        None => text.fill_buf().map(begins_with_brace).map_err(|source| io_error(context.file, 0, source)),
    }
}

/// Says that the format has no such table.
fn no_table(table: &str, file: &str) -> TraceError {
    TraceError::Unrecognised { file: file.to_owned(), what: format!("`google-2019` has no table `{table}`") }
}

#[cfg(test)]
mod tests;
