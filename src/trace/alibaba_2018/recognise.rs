//! Which of the tables a file is: official names, header names, or the pattern of the cells.

use super::super::{Confidence, Head};
use super::is_numbered;
use super::tables::{Entry, TABLES};

/// Lines that are looked at; more than half of them must fit.
const LINES: usize = 20;

/// How strictly identifiers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identifiers {
    /// As the trace writes them: `c_1`, `m_1`, `j_1`, `app_1`, `ins_1`.
    AsPublished,
    /// Any text that is no number: the file name says what it is.
    AnyText,
}

/// Returns the table that `head` is, and how sure that is.
pub(super) fn recognise(head: &Head<'_>) -> Option<(&'static str, Confidence)> {
    let text = String::from_utf8_lossy(head.bytes);
    let mut lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty()).take(LINES);
    let first = lines.next()?;
    let delimiter = char::from(delimiter(first.as_bytes()));
    if let Some(entry) = by_header(&cells(first.trim_start_matches('#'), delimiter)) {
        let is_named = names(head.path, entry.spec.name);
        return Some((entry.spec.name, if is_named { Confidence::Name } else { Confidence::Header }));
    }
    let rows: Vec<Vec<&str>> = std::iter::once(first).chain(lines).map(|line| cells(line, delimiter)).collect();
    let mostly = |entry: &Entry, identifiers: Identifiers| {
        2 * rows.iter().filter(|row| fits(entry.pattern, row, identifiers)).count() > rows.len()
    };
    TABLES
        .iter()
        .find(|entry| names(head.path, entry.spec.name) && mostly(entry, Identifiers::AnyText))
        .map(|entry| (entry.spec.name, Confidence::Name))
        .or_else(|| {
            TABLES
                .iter()
                .find(|entry| mostly(entry, Identifiers::AsPublished))
                .map(|entry| (entry.spec.name, Confidence::Cells))
        })
}

/// Returns the delimiter of a line: a tab where it has one, else a comma.
pub(super) fn delimiter(line: &[u8]) -> u8 {
    if line.contains(&b'\t') { b'\t' } else { b',' }
}

fn cells(line: &str, delimiter: char) -> Vec<&str> {
    line.split(delimiter).map(|cell| cell.trim().trim_matches('"')).collect()
}

/// Returns the table whose columns the header names: all mandatory ones and more than half of all.
fn by_header(header: &[&str]) -> Option<&'static Entry> {
    let mut best: Option<(usize, &'static Entry)> = None;
    for entry in &TABLES {
        let columns = entry.spec.columns;
        let known = columns.iter().filter(|column| header.iter().any(|name| column.is_called(name))).count();
        // Blank header cells stand for the column of their place, as in `delimited::read`.
        let is_missing = |(place, column): (usize, &super::super::delimited::ColumnSpec)| {
            column.required
                && !header.iter().any(|name| column.is_called(name))
                && !(header.len() == columns.len() && header[place].is_empty())
        };
        if 2 * known > columns.len()
            && !columns.iter().enumerate().any(is_missing)
            && best.is_none_or(|(most, _)| known > most)
        {
            best = Some((known, entry));
        }
    }
    best.map(|(_, entry)| entry)
}

/// Returns whether the file or its folder bears the table's official name.
fn names(path: &str, table: &str) -> bool {
    let mut parts = path.rsplit(['/', '!']);
    let file = parts.next().unwrap_or_default().to_lowercase();
    let is_file = file.strip_prefix(table).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    is_file || parts.next().is_some_and(|folder| folder.eq_ignore_ascii_case(table))
}

/// Returns whether each cell is of the kind that the pattern's letter says: `c C m j i a` identifiers (`C` may be
/// empty), `d` a number, `n` a number or nothing, `w` a word, `t` any text, `*` anything.
fn fits(pattern: &str, row: &[&str], identifiers: Identifiers) -> bool {
    let is_number = |cell: &str| lexical_core::parse::<f64>(cell.as_bytes()).is_ok();
    let is_word = |cell: &str| !cell.is_empty() && !is_number(cell);
    let is_id = |cell: &str, prefix: &str| match identifiers {
        Identifiers::AsPublished => is_numbered(cell, prefix),
        Identifiers::AnyText => is_word(cell),
    };
    !pattern.is_empty()
        && pattern.len() == row.len()
        && pattern.chars().zip(row).all(|(letter, cell)| match letter {
            'c' => is_id(cell, "c_"),
            'C' => cell.is_empty() || is_id(cell, "c_"),
            'm' => is_id(cell, "m_"),
            'j' => is_id(cell, "j_"),
            'i' => is_id(cell, "ins_"),
            'a' => is_id(cell, "app_"),
            'd' => is_number(cell),
            'n' => cell.is_empty() || is_number(cell),
            'w' => is_word(cell),
            't' => !cell.is_empty(),
            _ => true,
        })
}
