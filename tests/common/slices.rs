//! Real slices read through detection into a sink, and compared with an independent count of the same files.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use shadow::trace::source::{Silent, discover, for_each_table};
use shadow::trace::{Context, Head, ReadOptions, Rejects, Sink, TableSummary, TraceError, detect};

/// What came of one file.
pub(crate) struct Slice {
    pub(crate) format: &'static str,
    pub(crate) table: &'static str,
    pub(crate) summary: TableSummary,
    /// Text of the rejected rows.
    pub(crate) rejected: Vec<String>,
    pub(crate) outcome: Result<(), TraceError>,
}

/// Recognises the file at `path` among all formats and reads it into `sink`.
pub(crate) fn read_slice(path: &Path, options: &ReadOptions, sink: &mut dyn Sink) -> Slice {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rejects = Rejects::to_file(&folder.path().join("rejects.csv.gz"));
    let files = discover(&[path.to_owned()]).expect("the slice exists");
    let mut summary = TableSummary::default();
    let mut found = None;
    let mut outcome = Ok(());
    for_each_table(&files[0], &Silent, &mut |table| {
        let head = Head { path: &table.name, bytes: &table.head, options };
        let (format, name) = detect::detect(&head, None)?;
        let mut context = Context {
            file: &table.name,
            ordinal: files[0].ordinal,
            options,
            sink: &mut *sink,
            rejects: &rejects,
            summary: &mut summary,
            piece: None,
        };
        found = Some(name);
        outcome = format.read(name.table, table.input, &mut context);
        Ok(())
    })
    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let found = found.expect("one table");
    let rejected =
        rejects.finish().expect("the quarantine is written").map_or_else(Vec::new, |file| quarantined(&file));
    Slice { format: found.format, table: found.table, summary, rejected, outcome }
}

/// Returns the text of the rows in a quarantine file.
fn quarantined(file: &Path) -> Vec<String> {
    let bytes = fs_err::read(file).expect("the quarantine can be read");
    csv::Reader::from_reader(flate2::read::MultiGzDecoder::new(bytes.as_slice()))
        .records()
        .map(|row| row.expect("a row")[4].to_owned())
        .collect()
}

/// Returns the independent count that lies beside the slices.
pub(crate) fn expectations(folder: &Path) -> Value {
    serde_json::from_slice(&fs_err::read(folder.join("EXPECTED.json")).expect("it is there")).expect("it is JSON")
}

/// Collects differences, so that one run shows all of them.
pub(crate) struct Differences {
    pub(crate) place: String,
    pub(crate) found: Vec<String>,
}

impl Differences {
    pub(crate) fn at(place: &str) -> Self {
        Self { place: place.to_owned(), found: Vec::new() }
    }

    pub(crate) fn check(&mut self, what: &str, actual: &impl std::fmt::Debug, expected: &impl std::fmt::Debug) {
        let (actual, expected) = (format!("{actual:?}"), format!("{expected:?}"));
        if actual != expected {
            self.found.push(format!("{}: {what}: {actual} instead of {expected}", self.place));
        }
    }

    /// Compares a sum to a relative 1e-9.
    pub(crate) fn check_sum(&mut self, what: &str, actual: f64, expected: &Value) {
        let expected = expected.as_f64().expect("a sum");
        if (actual - expected).abs() > 1e-9 * expected.abs() {
            self.check(what, &actual, &expected);
        }
    }
}

/// Returns an object of counts.
pub(crate) fn integers(value: &Value) -> BTreeMap<String, u64> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(name, count)| (name.clone(), count.as_u64().expect("a count"))).collect()
}

/// Compares rows, numbers, counts and times of a summary; `counts` gives those of columns that no summary holds.
pub(crate) fn compare(
    expected: &Value,
    summary: &TableSummary,
    counts: &dyn Fn(&str) -> Option<BTreeMap<String, u64>>,
    differences: &mut Differences,
) {
    differences.check("rows", &summary.rows, &expected["rows"].as_u64().expect("rows"));
    let rejected: u64 = summary.rejected.values().sum();
    differences.check("rows kept and rejected", &(summary.kept + rejected), &summary.rows);
    for (name, numeric) in expected["numeric"].as_object().into_iter().flatten() {
        let Some(column) = summary.columns.get(name) else {
            differences.check("column", &"missing", name);
            continue;
        };
        differences.check(&format!("{name} count"), &Some(column.numbers), &numeric["count"].as_u64());
        differences.check(&format!("{name} min"), &column.min, &numeric["min"].as_f64());
        differences.check(&format!("{name} max"), &column.max, &numeric["max"].as_f64());
        differences.check_sum(&format!("{name} sum"), column.sum.value(), &numeric["sum"]);
    }
    for (name, expected) in expected["counts"].as_object().into_iter().flatten() {
        let found = counts(name).unwrap_or_else(|| summary.columns[name].counts.clone());
        differences.check(&format!("counts of {name}"), &found, &integers(expected));
    }
    if let Some(time) = expected["time"].as_object() {
        let column = &summary.columns[time["column"].as_str().expect("a column")];
        differences.check("first time", &column.min, &time["min"].as_f64());
        differences.check("last time", &column.max, &time["max"].as_f64());
    }
}

/// Compares the number of columns and the empty cells of each.
pub(crate) fn compare_empty(expected: &Value, summary: &TableSummary, differences: &mut Differences) {
    let empty: BTreeMap<String, u64> = summary
        .columns
        .iter()
        .filter(|(_, column)| column.empty > 0)
        .map(|(name, column)| (name.clone(), column.empty))
        .collect();
    differences.check("columns", &(summary.columns.len() as u64), &expected["columns"].as_u64().expect("columns"));
    differences.check("empty", &empty, &integers(&expected["empty"]));
}
