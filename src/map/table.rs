//! The map as a Parquet table, for other tools.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema};

use crate::store::parquet_file;

use super::chart::{Chart, Column, Unit, Values};
use super::{MapError, drawing};

/// Columns that every table has; what is known of workloads stands behind them under other names.
const FIXED: [&str; 5] = ["workload", "x", "y", "equal_fingerprints", "is_approximate"];

/// Writes one row per workload, then one per newcomer, into the file at `path`, replacing it atomically: name, place, how many
/// workloads share its fingerprint, whether the place is approximate, and every column of the chart, numbers with their
/// unit in the name (`memory_bytes`).
///
/// # Errors
/// The file cannot be written.
pub fn write_table(chart: &Chart, path: &Path) -> Result<(), MapError> {
    let mut fields = vec![
        Field::new(FIXED[0], DataType::Utf8, false),
        Field::new(FIXED[1], DataType::Float64, false),
        Field::new(FIXED[2], DataType::Float64, false),
        Field::new(FIXED[3], DataType::UInt32, true),
        Field::new(FIXED[4], DataType::Boolean, false),
    ];
    for column in &chart.columns {
        let kind = match column.values {
            Values::Words(..) => DataType::Utf8,
            Values::Numbers(..) => DataType::Float64,
        };
        fields.push(Field::new(name_of(column), kind, true));
    }
    let schema = Arc::new(Schema::new(fields));
    let twins = drawing::twins(&chart.layout);
    let stored = chart.names.len();
    let rows: Vec<usize> = (0..stored + chart.newcomers.len()).collect();
    let batch = |rows: &[usize]| {
        let place =
            |row: usize| chart.layout.places.get(row).copied().unwrap_or_else(|| chart.newcomers[row - stored].place);
        let name = |row: usize| chart.names.get(row).unwrap_or_else(|| &chart.newcomers[row - stored].name);
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(rows.iter().map(|&row| name(row)))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|&row| place(row)[0]))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|&row| place(row)[1]))),
            Arc::new(rows.iter().map(|&row| twins.get(row).map(|(_, count)| *count)).collect::<UInt32Array>()),
            Arc::new(rows.iter().map(|&row| Some(row >= stored)).collect::<BooleanArray>()),
        ];
        for column in &chart.columns {
            columns.push(match &column.values {
                Values::Words(names, of) => {
                    let word = |row: usize| of.get(row).copied().flatten().and_then(|word| names.get(word as usize));
                    Arc::new(rows.iter().map(|&row| word(row)).collect::<StringArray>())
                }
                Values::Numbers(_, values) => {
                    Arc::new(rows.iter().map(|&row| values.get(row).copied().flatten()).collect::<Float64Array>())
                }
            });
        }
        RecordBatch::try_new(Arc::clone(&schema), columns)
    };
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    parquet_file::write(folder, &file, Arc::clone(&schema), &rows, batch)?;
    Ok(())
}

/// Returns the name of a column in the table.
fn name_of(column: &Column) -> String {
    let unit = match &column.values {
        Values::Numbers(Unit::Bytes, _) => "_bytes",
        Values::Numbers(Unit::Cores, _) => "_cores",
        Values::Numbers(Unit::Seconds, _) => "_seconds",
        Values::Numbers(Unit::Machine, _) => "_machines",
        // A label may have any name.
        Values::Words(..) if FIXED.contains(&column.name.as_str()) => "_label",
        Values::Words(..) => "",
    };
    format!("{}{unit}", column.name.replace('-', "_"))
}
