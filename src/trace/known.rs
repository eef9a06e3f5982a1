//! Tables of formats whose files are told apart by name, header or cells: one list per format says what each is.

use std::io::BufRead;

use super::delimited::{self, ColumnSpec, Outcome, Row, TableSpec};
use super::source::Input;
use super::{Confidence, Context, Head, TraceError};

/// Lines that are looked at; more than half of them must fit.
const LINES: usize = 20;

/// Turns a checked row of one table into what the sink takes; `S` is what is remembered between rows.
pub(super) type Handler<S> = fn(&Row<'_>, &mut S, &mut Context<'_>) -> Result<Outcome, TraceError>;

/// One table: its columns, its names, what cells look like, and what rows become. Several entries of one name are the
/// shapes of one table.
pub(super) struct Known<S: 'static> {
    /// Columns in file order.
    pub(super) spec: TableSpec,
    /// Beginnings of the names that its files, or their folders, have.
    pub(super) names: &'static [&'static str],
    /// One letter per column: `d` a number, `n` a number or nothing, `w` a word, `t` any text, `h` 32 or more
    /// hexadecimal digits, `*` anything. None fits when it is empty.
    pub(super) pattern: &'static str,
    /// Whether such cells are enough, whatever the file's name.
    pub(super) is_distinct: bool,
    /// What a row becomes.
    pub(super) handler: Handler<S>,
}

/// Shorthand for an unquoted table with commas.
pub(super) const fn known<S>(
    name: &'static str,
    names: &'static [&'static str],
    columns: &'static [ColumnSpec],
    pattern: &'static str,
    handler: Handler<S>,
) -> Known<S> {
    let spec = TableSpec { name, columns, trailing_optional: 0, is_quoted: false, delimiter: b',' };
    Known { spec, names, pattern, is_distinct: false, handler }
}

/// The same where the cells tell by themselves.
pub(super) const fn distinct<S>(mut known: Known<S>) -> Known<S> {
    known.is_distinct = true;
    known
}

/// Returns the table that `head` is, and how sure that is.
pub(super) fn recognise<S>(tables: &'static [Known<S>], head: &Head<'_>) -> Option<(&'static str, Confidence)> {
    let text = String::from_utf8_lossy(head.bytes);
    let mut lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty()).take(LINES);
    let first = lines.next()?;
    let delimiter = char::from(delimiter(first.as_bytes()));
    if let Some(known) = by_header(tables, &cells(first.trim_start_matches('#'), delimiter)) {
        let confidence = if is_named(head.path, known.names) { Confidence::Name } else { Confidence::Header };
        return Some((known.spec.name, confidence));
    }
    let rows: Vec<Vec<&str>> = std::iter::once(first).chain(lines).map(|line| cells(line, delimiter)).collect();
    let mostly = |known: &Known<S>| 2 * rows.iter().filter(|row| fits(known.pattern, row)).count() > rows.len();
    let by_name = tables.iter().find(|known| is_named(head.path, known.names) && mostly(known));
    by_name.map(|known| (known.spec.name, Confidence::Name)).or_else(|| {
        let by_cells = tables.iter().find(|known| known.is_distinct && mostly(known));
        by_cells.map(|known| (known.spec.name, Confidence::Cells))
    })
}

/// Reads a table to its end.
pub(super) fn read<S: Default>(
    tables: &'static [Known<S>],
    table: &str,
    input: Input<'_>,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    let unknown = |what: &str| TraceError::Columns { file: context.file.to_owned(), what: what.to_owned() };
    let Input::Text(text) = input else { return Err(unknown("the tables of this format are text, not Parquet")) };
    let first = match context.piece {
        Some(piece) => piece.first_line.to_owned(),
        None => first_line(text, context.file)?,
    };
    let delimiter = delimiter(&first);
    let fields = memchr::memchr_iter(delimiter, &first).count() + 1;
    let mut shapes = tables.iter().filter(|known| known.spec.name == table).peekable();
    let any = shapes.peek().copied();
    let Some(known) = shapes.find(|known| known.spec.columns.len() == fields).or(any) else {
        return Err(unknown("no such table in this format"));
    };
    let spec = TableSpec { delimiter, is_quoted: first.contains(&b'"'), ..known.spec };
    let mut state = S::default();
    delimited::read(&spec, text, context, &mut |row, context| (known.handler)(row, &mut state, context))
}

/// Says that rows of a table are only looked at.
#[expect(clippy::unnecessary_wraps, reason = "it is a `Handler`")]
pub(super) fn only_counted<S>(
    _row: &Row<'_>,
    _state: &mut S,
    context: &mut Context<'_>,
) -> Result<Outcome, TraceError> {
    note("rows of this table are checked and counted, not stored", context);
    Ok(Outcome::Kept)
}

/// Counts a row in the table's notes.
pub(super) fn note(what: &str, context: &mut Context<'_>) {
    if let Some(count) = context.summary.notes.get_mut(what) {
        *count += 1;
    } else {
        context.summary.notes.insert(what.to_owned(), 1);
    }
}

fn first_line(text: &mut dyn BufRead, file: &str) -> Result<Vec<u8>, TraceError> {
    let head = text.fill_buf().map_err(|source| delimited::io_error(file, 0, source))?;
    Ok(head.split(|&byte| byte == b'\n').next().unwrap_or_default().to_owned())
}

/// Returns the delimiter of a line: a tab where it has one, else a comma.
fn delimiter(line: &[u8]) -> u8 {
    if line.contains(&b'\t') { b'\t' } else { b',' }
}

fn cells(line: &str, delimiter: char) -> Vec<&str> {
    line.split(delimiter).map(|cell| cell.trim().trim_matches('"')).collect()
}

/// Returns the table whose columns the header names: all mandatory ones, and more than half of all or nothing else.
fn by_header<S>(tables: &'static [Known<S>], header: &[&str]) -> Option<&'static Known<S>> {
    let mut best: Option<(usize, &'static Known<S>)> = None;
    for known in tables {
        let columns = known.spec.columns;
        let found = columns.iter().filter(|column| header.iter().any(|name| column.is_called(name))).count();
        let has_all = columns
            .iter()
            .filter(|column| column.required)
            .all(|column| header.iter().any(|name| column.is_called(name)));
        let is_enough = 2 * found > columns.len() || (found >= 3 && found == header.len());
        if has_all && is_enough && best.is_none_or(|(most, _)| found > most) {
            best = Some((found, known));
        }
    }
    best.map(|(_, known)| known)
}

/// Returns whether the file or its folder bears one of the names, followed by no further letter.
pub(super) fn is_named(path: &str, names: &[&str]) -> bool {
    path.rsplit(['/', '!']).take(2).any(|part| {
        let part = part.to_lowercase();
        names.iter().any(|name| {
            let rest = part.strip_prefix(&name.to_lowercase());
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        })
    })
}

fn fits(pattern: &str, row: &[&str]) -> bool {
    let is_number = |cell: &str| lexical_core::parse::<f64>(cell.as_bytes()).is_ok();
    !pattern.is_empty()
        && pattern.len() == row.len()
        && pattern.chars().zip(row).all(|(letter, cell)| match letter {
            'd' => is_number(cell),
            'n' => cell.is_empty() || is_number(cell),
            'w' => !cell.is_empty() && !is_number(cell),
            't' => !cell.is_empty(),
            'h' => cell.len() >= 32 && cell.bytes().all(|byte| byte.is_ascii_hexdigit()),
            _ => true,
        })
}
