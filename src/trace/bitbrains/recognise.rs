//! Whether a file is one of this trace, and which machine it speaks of.

use crate::trace::detect::first_cells;
use crate::trace::{Confidence, Head};

use super::VM;

/// Time stamps lie between these, in seconds or milliseconds since 1970: September 2001 and the year 5138.
const STAMPS: std::ops::Range<f64> = 1e9..1e14;

/// Returns the table, and how sure that is: a header with the names of the columns, or eleven numbers of which the first
/// is a time.
pub(super) fn recognise(head: &Head<'_>) -> Option<(&'static str, Confidence)> {
    let cells = first_cells(head, ';');
    let columns = VM.columns;
    let named = columns.iter().filter(|column| cells.iter().any(|cell| column.is_called(cell))).count();
    let has_time = cells.iter().any(|cell| columns[0].is_called(cell));
    if has_time && 2 * named > columns.len() {
        let is_named = machine(head.path).has_month;
        return Some((VM.name, if is_named { Confidence::Name } else { Confidence::Header }));
    }
    let numbers: Vec<f64> = cells.iter().map_while(|cell| cell.parse().ok()).collect();
    let is_row = numbers.len() == columns.len() && cells.len() == columns.len() && STAMPS.contains(&numbers[0]);
    is_row.then_some((VM.name, Confidence::Cells))
}

/// Which machine a file speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    /// `TRACE/MONTH/NUMBER`, as far as the path says it.
    pub(super) name: String,
    /// Whether the path names the month.
    pub(super) has_month: bool,
}

/// Returns the machine that the path of a file names, as in `rnd/2013-8/1.csv.gz`.
pub(super) fn machine(path: &str) -> Machine {
    let mut parts = path.rsplit(['/', '!']);
    let number = parts.next().and_then(|file| file.split('.').next()).unwrap_or_default();
    let Some(month) = parts.next().filter(|folder| is_month(folder)) else {
        return Machine { name: number.to_owned(), has_month: false };
    };
    let trace = parts.next().filter(|folder| !matches!(*folder, "" | "." | ".."));
    let name = trace.map_or_else(|| format!("{month}/{number}"), |trace| format!("{trace}/{month}/{number}"));
    Machine { name, has_month: true }
}

/// Returns whether a folder is called after a month, as `2013-8` is.
fn is_month(folder: &str) -> bool {
    let is_number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    folder.split_once('-').is_some_and(|(year, month)| is_number(year, 4..=4) && is_number(month, 1..=2))
}
