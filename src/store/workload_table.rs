//! `workloads.parquet`: one row per run of a workload.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema};

use crate::trace::{Amounts, WorkloadFlags};
use crate::units::Micros;

use super::rows::column;
use super::{Ending, Workload};

const AMOUNTS: [&str; 8] = [
    "cpu_request",
    "memory_request",
    "disk_request",
    "cpu_limit",
    "memory_limit",
    "largest_cpu_request",
    "largest_memory_request",
    "largest_disk_request",
];
const TIMES: [&str; 4] = ["start_us", "end_us", "first_sample_us", "last_sample_us"];
const TEXTS: [&str; 4] = ["application", "user", "class", "labels"];

/// Returns the layout of the table.
pub(super) fn schema() -> Arc<Schema> {
    let mut fields: Vec<Field> =
        ["format", "workload", "ending"].map(|name| Field::new(name, DataType::Utf8, false)).into();
    fields.push(Field::new("run", DataType::UInt32, false));
    fields.extend(TEXTS.map(|name| Field::new(name, DataType::Utf8, true)));
    fields.push(Field::new("priority", DataType::Int32, true));
    fields.extend(TIMES.map(|name| Field::new(name, DataType::Int64, true)));
    fields.extend(AMOUNTS.map(|name| Field::new(name, DataType::Float64, true)));
    fields.push(Field::new("replicas", DataType::UInt32, true));
    fields.push(Field::new("flags", DataType::UInt32, false));
    fields.push(Field::new("samples", DataType::UInt64, false));
    fields.push(Field::new("bucket", DataType::UInt32, false));
    Arc::new(Schema::new(fields))
}

/// Returns workloads as one batch.
pub(super) fn batch(rows: &[Workload]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let labels: Vec<Option<String>> = rows
        .iter()
        .map(|row| if row.labels.is_empty() { None } else { serde_json::to_string(&row.labels).ok() })
        .collect();
    let optional = |of: fn(&Workload) -> Option<&String>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| of(row).map(String::as_str)).collect::<StringArray>())
    };
    let time = |of: fn(&Workload) -> Option<Micros>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| of(row).map(|time| time.0)).collect::<Int64Array>())
    };
    let amount =
        |of: fn(&Workload) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Float64Array>()) };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.format))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.id))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.ending.name()))),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.run))),
        optional(|row| row.application.as_ref()),
        optional(|row| row.user.as_ref()),
        optional(|row| row.class.as_ref()),
        Arc::new(labels.iter().map(Option::as_deref).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.priority).collect::<Int32Array>()),
        time(|row| row.start),
        time(|row| row.end),
        time(|row| row.first_sample),
        time(|row| row.last_sample),
        amount(|row| row.request.cpu),
        amount(|row| row.request.memory),
        amount(|row| row.request.disk),
        amount(|row| row.limit.cpu),
        amount(|row| row.limit.memory),
        amount(|row| row.largest_request.cpu),
        amount(|row| row.largest_request.memory),
        amount(|row| row.largest_request.disk),
        Arc::new(rows.iter().map(|row| row.replicas).collect::<UInt32Array>()),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.flags.0))),
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.samples))),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.bucket))),
    ];
    RecordBatch::try_new(schema(), columns)
}

/// Appends the rows of a batch. The error names the column that is missing, of another type, or holds an unknown value.
pub(super) fn read(batch: &RecordBatch, rows: &mut Vec<Workload>) -> Result<(), String> {
    let formats: &StringArray = column(batch, "format")?;
    let ids: &StringArray = column(batch, "workload")?;
    let endings: &StringArray = column(batch, "ending")?;
    let runs: &UInt32Array = column(batch, "run")?;
    let priorities: &Int32Array = column(batch, "priority")?;
    let replicas: &UInt32Array = column(batch, "replicas")?;
    let flags: &UInt32Array = column(batch, "flags")?;
    let samples: &UInt64Array = column(batch, "samples")?;
    let buckets: &UInt32Array = column(batch, "bucket")?;
    let texts: Vec<&StringArray> = TEXTS.iter().map(|name| column(batch, name)).collect::<Result<_, _>>()?;
    let times: Vec<&Int64Array> = TIMES.iter().map(|name| column(batch, name)).collect::<Result<_, _>>()?;
    let amounts: Vec<&Float64Array> = AMOUNTS.iter().map(|name| column(batch, name)).collect::<Result<_, _>>()?;
    for row in 0..batch.num_rows() {
        let text = |index: usize| texts[index].is_valid(row).then(|| texts[index].value(row).to_owned());
        let time = |index: usize| times[index].is_valid(row).then(|| Micros(times[index].value(row)));
        let amount = |index: usize| amounts[index].is_valid(row).then(|| amounts[index].value(row));
        let labels: BTreeMap<String, String> = match text(3) {
            None => BTreeMap::new(),
            Some(text) => serde_json::from_str(&text).map_err(|error| format!("column `labels`: {error}"))?,
        };
        rows.push(Workload {
            id: ids.value(row).to_owned(),
            run: runs.value(row),
            format: formats.value(row).to_owned(),
            application: text(0),
            user: text(1),
            class: text(2),
            priority: priorities.is_valid(row).then(|| priorities.value(row)),
            start: time(0),
            end: time(1),
            ending: Ending::named(endings.value(row))
                .ok_or_else(|| format!("column `ending`: `{}`", endings.value(row)))?,
            request: Amounts { cpu: amount(0), memory: amount(1), disk: amount(2) },
            limit: Amounts { cpu: amount(3), memory: amount(4), disk: None },
            largest_request: Amounts { cpu: amount(5), memory: amount(6), disk: amount(7) },
            replicas: replicas.is_valid(row).then(|| replicas.value(row)),
            labels,
            flags: WorkloadFlags(flags.value(row)),
            samples: samples.value(row),
            first_sample: time(2),
            last_sample: time(3),
            bucket: buckets.value(row),
        });
    }
    Ok(())
}
