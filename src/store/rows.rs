//! Rows of the store's tables in memory, and their Arrow form: the one place that knows column names and types.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, Float64Builder, Int32Array, Int64Array, RecordBatch, StringArray, StringBuilder,
    UInt8Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema};

use crate::trace::{Amounts, EventKind, Sample, SampleFlags, WorkloadFlags, file_order};
use crate::units::Micros;

/// A row that was read from a compacted table, with its key: format, and workload, group or machine.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Keyed<T> {
    pub(super) format: Arc<str>,
    pub(super) key: Arc<str>,
    pub(super) row: T,
}

/// A sample of a workload that is known. `source` is the number of the file it came from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SampleRow {
    pub(super) run: u32,
    pub(super) source: u32,
    pub(super) sequence: u64,
    pub(super) sample: Sample,
}

impl SampleRow {
    /// The order of the samples of one workload: by time, then by file order. Of rows that were compacted before only the file
    /// is known; no other rows can come from it, and they stand in their order already, so the sort must be stable.
    pub(super) fn order(&self) -> (Micros, u64, u32, u64) {
        (self.sample.start, file_order(self.sequence), self.source, self.sequence)
    }
}

/// An event, a statement about a group, or one about a machine, with owned text. The kinds share one layout.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FactRow {
    pub(super) format: Arc<str>,
    /// Workload, group or machine.
    pub(super) key: Arc<str>,
    pub(super) source: u32,
    pub(super) sequence: u64,
    /// Nothing: after the trace.
    pub(super) time: Option<Micros>,
    pub(super) kind: EventKind,
    pub(super) request: Amounts,
    pub(super) limit: Amounts,
    pub(super) application: Option<String>,
    pub(super) user: Option<String>,
    pub(super) class: Option<String>,
    pub(super) priority: Option<i32>,
    /// Machine of an event; platform of a machine.
    pub(super) machine: Option<String>,
    pub(super) replicas: Option<u32>,
    /// Labels as a JSON object; status of a machine.
    pub(super) labels: Option<String>,
    pub(super) scaling: Option<u8>,
    pub(super) flags: WorkloadFlags,
}

impl FactRow {
    /// The order in which statements about one key count: by time, "after the trace" last, then by file order.
    pub(super) fn order(&self) -> (i64, u64) {
        (self.time.map_or(i64::MAX, |time| time.0), self.sequence)
    }
}

/// Columns of optional numbers of a sample, in the order of [`Sample::amounts`].
const AMOUNTS: [&str; 13] = [
    "cpu",
    "cpu_max",
    "memory",
    "memory_max",
    "network_received",
    "network_transmitted",
    "disk_read",
    "disk_written",
    "disk_busy",
    "cpu_throttled",
    "cpu_request",
    "memory_request",
    "memory_limit",
];

/// Returns the layout of the usage, summary and machine-usage tables.
fn sample_schema() -> Arc<Schema> {
    let mut fields = vec![
        Field::new("format", DataType::Utf8, false),
        Field::new("workload", DataType::Utf8, false),
        Field::new("run", DataType::UInt32, false),
        Field::new("start_us", DataType::Int64, false),
        Field::new("duration_us", DataType::Int64, false),
    ];
    fields.extend(AMOUNTS.iter().map(|name| Field::new(*name, DataType::Float64, true)));
    fields.push(Field::new("flags", DataType::UInt32, false));
    fields.push(Field::new("source", DataType::UInt32, false));
    fields.push(Field::new("sequence", DataType::UInt64, false));
    Arc::new(Schema::new(fields))
}

/// Rows on their way to a batch of a table.
pub(super) trait Columns: Default {
    type Row;

    /// Returns the layout of the table.
    fn schema() -> Arc<Schema>;

    /// Returns how many rows are held.
    fn len(&self) -> usize;

    /// Takes the next `count` rows, all of the same key.
    fn extend(&mut self, format: &str, key: &str, rows: &mut std::vec::IntoIter<Self::Row>, count: usize);

    /// Returns what is held as one batch, and holds nothing afterwards.
    fn batch(&mut self) -> Result<RecordBatch, arrow::error::ArrowError>;
}

/// Samples, column by column: a series is copied once, while it is still in the processor's cache.
#[derive(Default)]
pub(super) struct SampleColumns {
    formats: StringBuilder,
    workloads: StringBuilder,
    runs: Vec<u32>,
    starts: Vec<i64>,
    durations: Vec<i64>,
    amounts: [Float64Builder; AMOUNTS.len()],
    flags: Vec<u32>,
    sources: Vec<u32>,
    sequences: Vec<u64>,
    /// The amounts of one series, 0 where one is missing.
    series: [Vec<f64>; AMOUNTS.len()],
}

impl Columns for SampleColumns {
    type Row = SampleRow;

    fn schema() -> Arc<Schema> {
        sample_schema()
    }

    fn len(&self) -> usize {
        self.runs.len()
    }

    fn extend(&mut self, format: &str, key: &str, rows: &mut std::vec::IntoIter<SampleRow>, count: usize) {
        let own = &rows.as_slice()[..count.min(rows.len())];
        self.formats.append_value_n(format, own.len());
        self.workloads.append_value_n(key, own.len());
        self.runs.extend(own.iter().map(|row| row.run));
        self.starts.extend(own.iter().map(|row| row.sample.start.0));
        self.durations.extend(own.iter().map(|row| row.sample.duration.0));
        self.flags.extend(own.iter().map(|row| row.sample.flags.0));
        self.sources.extend(own.iter().map(|row| row.source));
        // Rows of one file were settled against each other, so only the order of files can still decide; the rows' own
        // numbers took a seventh of the table.
        self.sequences.extend(own.iter().map(|row| file_order(row.sequence)));
        let mut missing = [0_usize; AMOUNTS.len()];
        for row in own {
            let amounts = row.sample.amounts().into_iter();
            for ((amount, values), missing) in amounts.zip(&mut self.series).zip(&mut missing) {
                *missing += usize::from(amount.is_none());
                values.push(amount.unwrap_or_default());
            }
        }
        // Within a series a column is mostly there or not.
        for (column, (builder, values)) in self.amounts.iter_mut().zip(&mut self.series).enumerate() {
            match missing[column] {
                0 => builder.append_slice(values),
                missing if missing == own.len() => builder.append_nulls(missing),
                _ => own.iter().for_each(|row| builder.append_option(row.sample.amounts()[column])),
            }
            values.clear();
        }
        rows.by_ref().take(count).for_each(drop);
    }

    fn batch(&mut self) -> Result<RecordBatch, arrow::error::ArrowError> {
        use std::mem::take;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.formats.finish()),
            Arc::new(self.workloads.finish()),
            Arc::new(UInt32Array::from(take(&mut self.runs))),
            Arc::new(Int64Array::from(take(&mut self.starts))),
            Arc::new(Int64Array::from(take(&mut self.durations))),
        ];
        columns.extend(self.amounts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        columns.push(Arc::new(UInt32Array::from(take(&mut self.flags))));
        columns.push(Arc::new(UInt32Array::from(take(&mut self.sources))));
        columns.push(Arc::new(UInt64Array::from(take(&mut self.sequences))));
        RecordBatch::try_new(sample_schema(), columns)
    }
}

/// Appends the rows of a batch to `rows`. The error names the column that is missing or of another type.
pub(super) fn read_samples(batch: &RecordBatch, rows: &mut Vec<Keyed<SampleRow>>) -> Result<(), String> {
    let formats: &StringArray = column(batch, "format")?;
    let workloads: &StringArray = column(batch, "workload")?;
    let runs: &UInt32Array = column(batch, "run")?;
    let starts: &Int64Array = column(batch, "start_us")?;
    let durations: &Int64Array = column(batch, "duration_us")?;
    let flags: &UInt32Array = column(batch, "flags")?;
    let sources: &UInt32Array = column(batch, "source")?;
    let sequences: &UInt64Array = column(batch, "sequence")?;
    let numbers: Vec<&Float64Array> = AMOUNTS.iter().map(|name| column(batch, name)).collect::<Result<_, _>>()?;
    let (mut format, mut workload): (Arc<str>, Arc<str>) = (Arc::from(""), Arc::from(""));
    rows.reserve(batch.num_rows());
    for row in 0..batch.num_rows() {
        // Neighbouring rows are mostly of one workload: share its text.
        if *format != *formats.value(row) {
            format = Arc::from(formats.value(row));
        }
        if *workload != *workloads.value(row) {
            workload = Arc::from(workloads.value(row));
        }
        let bare = Sample {
            start: Micros(starts.value(row)),
            duration: Micros(durations.value(row)),
            flags: SampleFlags(flags.value(row)),
            ..Sample::default()
        };
        let amount = |index: usize| numbers[index].is_valid(row).then(|| numbers[index].value(row));
        let sample = bare.with_amounts(std::array::from_fn(amount));
        let (run, source, sequence) = (runs.value(row), sources.value(row), sequences.value(row));
        let own = SampleRow { run, source, sequence, sample };
        rows.push(Keyed { format: Arc::clone(&format), key: Arc::clone(&workload), row: own });
    }
    Ok(())
}

/// Returns the layout of the event, group and machine tables.
fn fact_schema() -> Arc<Schema> {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    Arc::new(Schema::new(vec![
        Field::new("format", DataType::Utf8, false),
        Field::new("key", DataType::Utf8, false),
        Field::new("time_us", DataType::Int64, true),
        Field::new("kind", DataType::UInt8, false),
        number("cpu_request"),
        number("memory_request"),
        number("disk_request"),
        number("cpu_limit"),
        number("memory_limit"),
        text("application"),
        text("user"),
        text("class"),
        Field::new("priority", DataType::Int32, true),
        text("machine"),
        Field::new("replicas", DataType::UInt32, true),
        text("labels"),
        Field::new("scaling", DataType::UInt8, true),
        Field::new("flags", DataType::UInt32, false),
        Field::new("source", DataType::UInt32, false),
        Field::new("sequence", DataType::UInt64, false),
    ]))
}

/// Facts as they are.
#[derive(Default)]
pub(super) struct FactColumns(Vec<FactRow>);

impl Columns for FactColumns {
    type Row = FactRow;

    fn schema() -> Arc<Schema> {
        fact_schema()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn extend(&mut self, _format: &str, _key: &str, rows: &mut std::vec::IntoIter<FactRow>, count: usize) {
        self.0.extend(rows.by_ref().take(count));
    }

    fn batch(&mut self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let batch = fact_batch(&self.0);
        self.0.clear();
        batch
    }
}

/// Returns rows as one batch.
fn fact_batch(rows: &[FactRow]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let text = |of: fn(&FactRow) -> Option<&String>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| of(row).map(String::as_str)).collect::<StringArray>())
    };
    let number =
        |of: fn(&FactRow) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Float64Array>()) };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &*row.format))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &*row.key))),
        Arc::new(rows.iter().map(|row| row.time.map(|time| time.0)).collect::<Int64Array>()),
        Arc::new(UInt8Array::from_iter_values(rows.iter().map(|row| row.kind as u8))),
        number(|row| row.request.cpu),
        number(|row| row.request.memory),
        number(|row| row.request.disk),
        number(|row| row.limit.cpu),
        number(|row| row.limit.memory),
        text(|row| row.application.as_ref()),
        text(|row| row.user.as_ref()),
        text(|row| row.class.as_ref()),
        Arc::new(rows.iter().map(|row| row.priority).collect::<Int32Array>()),
        text(|row| row.machine.as_ref()),
        Arc::new(rows.iter().map(|row| row.replicas).collect::<UInt32Array>()),
        text(|row| row.labels.as_ref()),
        Arc::new(rows.iter().map(|row| row.scaling).collect::<UInt8Array>()),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.flags.0))),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.source))),
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.sequence))),
    ];
    RecordBatch::try_new(fact_schema(), columns)
}

/// Appends the rows of a batch to `rows`. The error names the column that is missing or of another type.
pub(super) fn read_facts(batch: &RecordBatch, rows: &mut Vec<FactRow>) -> Result<(), String> {
    let formats: &StringArray = column(batch, "format")?;
    let keys: &StringArray = column(batch, "key")?;
    let times: &Int64Array = column(batch, "time_us")?;
    let kinds: &UInt8Array = column(batch, "kind")?;
    let priorities: &Int32Array = column(batch, "priority")?;
    let replicas: &UInt32Array = column(batch, "replicas")?;
    let scalings: &UInt8Array = column(batch, "scaling")?;
    let flags: &UInt32Array = column(batch, "flags")?;
    let sources: &UInt32Array = column(batch, "source")?;
    let sequences: &UInt64Array = column(batch, "sequence")?;
    let numbers: Vec<&Float64Array> = ["cpu_request", "memory_request", "disk_request", "cpu_limit", "memory_limit"]
        .map(|name| column(batch, name))
        .into_iter()
        .collect::<Result<_, _>>()?;
    let texts: Vec<&StringArray> = ["application", "user", "class", "machine", "labels"]
        .map(|name| column(batch, name))
        .into_iter()
        .collect::<Result<_, _>>()?;
    rows.reserve(batch.num_rows());
    for row in 0..batch.num_rows() {
        let number = |index: usize| numbers[index].is_valid(row).then(|| numbers[index].value(row));
        let text = |index: usize| texts[index].is_valid(row).then(|| texts[index].value(row).to_owned());
        rows.push(FactRow {
            format: Arc::from(formats.value(row)),
            key: Arc::from(keys.value(row)),
            source: sources.value(row),
            sequence: sequences.value(row),
            time: times.is_valid(row).then(|| Micros(times.value(row))),
            kind: EventKind::from_code(kinds.value(row)).ok_or_else(|| format!("event kind {}", kinds.value(row)))?,
            request: Amounts { cpu: number(0), memory: number(1), disk: number(2) },
            limit: Amounts { cpu: number(3), memory: number(4), disk: None },
            application: text(0),
            user: text(1),
            class: text(2),
            priority: priorities.is_valid(row).then(|| priorities.value(row)),
            machine: text(3),
            replicas: replicas.is_valid(row).then(|| replicas.value(row)),
            labels: text(4),
            scaling: scalings.is_valid(row).then(|| scalings.value(row)),
            flags: WorkloadFlags(flags.value(row)),
        });
    }
    Ok(())
}

/// Returns a column by name and type.
pub(crate) fn column<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T, String> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref())
        .ok_or_else(|| format!("column `{name}` is missing or of another type"))
}
