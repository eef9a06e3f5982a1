//! Which table of `google-2011` a file is: by the name of the file or its folder, by a header, or by its cells.

use crate::trace::delimited::{Kind, TableSpec};
use crate::trace::detect::first_cells;
use crate::trace::{Confidence, Head};

use super::tables;

/// Lines looked at when neither name nor header says what a file is.
const LINES: usize = 3;
/// Length of a base64 SHA-256, which stands for every name in this trace.
const HASH_LENGTH: usize = 44;
/// The longest window of `task_usage`, in microseconds.
const LONGEST_WINDOW: i64 = 300_000_000;

/// Returns the table that `head` is.
pub(super) fn recognise(head: &Head<'_>) -> Option<(&'static str, Confidence)> {
    if head.bytes.starts_with(b"{") || head.bytes.starts_with(b"[") || head.bytes.starts_with(b"PAR1") {
        return None;
    }
    let cells = first_cells(head, ',');
    let path = head.path.to_lowercase();
    if known(&tables::SCHEMA, &cells) == tables::SCHEMA.columns.len() {
        let is_named = path.rsplit(['/', '!']).next().is_some_and(|file| file.starts_with("schema.csv"));
        return Some((tables::SCHEMA.name, if is_named { Confidence::Name } else { Confidence::Header }));
    }
    // The table of which most columns are named: `job_events` has few names of its own.
    let by_header =
        tables::ALL.iter().filter(|table| has_header(table, &cells)).max_by_key(|table| known(table, &cells));
    if let Some(table) = by_header {
        let confidence = if path.contains(table.name) { Confidence::Name } else { Confidence::Header };
        return Some((table.name, confidence));
    }
    let begins_with_a_time = integer(cells.first()?).is_some();
    let by_name = tables::ALL.iter().find(|table| path.contains(table.name));
    if let Some(table) = by_name.filter(|_| begins_with_a_time) {
        return Some((table.name, Confidence::Name));
    }
    let text = String::from_utf8_lossy(head.bytes);
    let lines: Vec<Vec<&str>> = text.lines().take(LINES).map(|line| line.split(',').map(str::trim).collect()).collect();
    let by_cells = tables::ALL.iter().find(|table| lines.iter().any(|line| fits(table, line)));
    by_cells.map(|table| (table.name, Confidence::Cells))
}

/// Returns how many columns of the table are among the names.
fn known(table: &TableSpec, names: &[String]) -> usize {
    table.columns.iter().filter(|column| names.iter().any(|name| column.is_called(name))).count()
}

/// Returns whether `names` is a header of the table: every mandatory column, and little else.
fn has_header(table: &TableSpec, names: &[String]) -> bool {
    let has_all = table
        .columns
        .iter()
        .filter(|column| column.required)
        .all(|column| names.iter().any(|name| column.is_called(name)));
    let known = known(table, names);
    has_all && known * 2 > names.len() && known * 2 > table.columns.len()
}

/// Returns whether a line can only be a row of the table: numbers where it has numbers, hashes where it has names.
fn fits(table: &TableSpec, cells: &[&str]) -> bool {
    let most = table.columns.len();
    if !(most - table.trailing_optional..=most).contains(&cells.len()) {
        return false;
    }
    let mut hashes = 0_usize;
    let has_kinds = table.columns.iter().zip(cells).all(|(column, cell)| match column.kind {
        _ if cell.is_empty() => !column.required,
        Kind::Number => cell.parse::<f64>().is_ok(),
        Kind::Text | Kind::Category => {
            let is_hash = cell.len() == HASH_LENGTH && cell.ends_with('=');
            hashes += usize::from(is_hash);
            is_hash || column.name == "attribute_value"
        }
        Kind::Id | Kind::Time | Kind::Seconds | Kind::Integer | Kind::Code => integer(cell).is_some(),
    });
    if table.name == tables::TASK_USAGE.name {
        let window = integer(cells[1]).zip(integer(cells[0])).map(|(end, start)| end - start);
        return has_kinds && window.is_some_and(|length| (0..=LONGEST_WINDOW).contains(&length));
    }
    has_kinds && hashes > 0
}

fn integer(cell: &str) -> Option<i64> {
    cell.parse().ok()
}
