//! One task a file, six columns, identifiers in the path: `…/COLLECTION/INDEX.csv`. No request.

use std::io::BufRead;

use crate::trace::delimited::{self, Kind, TableSpec, optional, required};
use crate::trace::{Context, Dataset, TraceError};

use super::rows::{Rows, Usage};

/// The six columns.
pub(super) const TABLE: TableSpec = TableSpec {
    name: "per_task",
    columns: &[
        required("start_time", Kind::Time),
        required("end_time", Kind::Time),
        optional("avg_cpu_usage", Kind::Number),
        optional("avg_mem_usage", Kind::Number),
        optional("max_cpu_usage", Kind::Number),
        optional("max_mem_usage", Kind::Number),
    ],
    trailing_optional: 0,
    is_quoted: true,
    delimiter: b',',
};

/// Returns the collection and index that the path of a file names.
pub(super) fn ids_of_path(path: &str) -> Option<(i64, i64)> {
    let mut parts = path.rsplit(['/', '!']);
    let file = parts.next()?;
    let index = file.split('.').next()?.parse().ok()?;
    let collection = parts.next()?.parse().ok()?;
    Some((collection, index))
}

/// Reads one task's file to its end.
pub(super) fn read(text: &mut dyn BufRead, context: &mut Context<'_>) -> Result<(), TraceError> {
    let Some((collection, index)) = ids_of_path(context.file) else {
        return Err(TraceError::Columns {
            file: context.file.to_owned(),
            what: "a file of these six columns has no identifiers inside; its path has to end in \
                   `COLLECTION/INDEX.csv`, as in `330587238433/111.csv`"
                .to_owned(),
        });
    };
    let mut rows = Rows::default();
    delimited::read(&TABLE, text, context, &mut |row, context| {
        let usage = Usage {
            start: row.time(0),
            end: row.time(1),
            collection: Some(collection),
            index: Some(index),
            cpu: row.number(2),
            memory: row.number(3),
            cpu_max: row.number(4),
            memory_max: row.number(5),
            ..Usage::default()
        };
        rows.usage(&usage, Dataset::Usage, row.number, context)
    })
}
