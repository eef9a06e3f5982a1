//! Parquet that others wrote, through polars: every codec, timestamps of any unit, dictionary text, nested columns by
//! dotted name. Decimals come through the `parquet` crate, because polars reads them only with a feature that would be
//! compiled into every one of its functions; that leaves out decimals inside nested columns and gzip, LZ4 and Brotli.
//!
//! Parquet carries no checksum that would protect it, and readers were seen to panic on damaged files, so each call is
//! guarded. Rows are taken in slices, so memory does not grow with the file beyond its largest row group.

use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use polars::prelude::{
    ArrowDataType, ArrowField, Column, DataFrame, DataType, Float64Chunked, Int64Chunked, ParallelStrategy,
    ParquetReader, PolarsError, SerReader, StringChunked, TimeUnit,
};

use super::mapping::{Measure, Target};
use super::plan::{self, PlannedColumn};
use super::rows::Rows;
use super::value::{Fractions, Value};
use crate::trace::delimited::Outcome;
use crate::trace::{Context, Rejected, TraceError, guard};
use crate::units::Micros;

/// Rows decoded at a time.
const SLICE: usize = 1 << 17;

/// Returns the names of the columns, nested ones with dots.
pub(super) fn names(path: &Path) -> Result<Vec<String>, TraceError> {
    let file = path.display().to_string();
    let schema = guarded(&file, 0, || open(path)?.schema())?;
    let mut names = Vec::new();
    schema.iter_values().for_each(|field| flatten(field, "", &mut names));
    Ok(names)
}

fn flatten(field: &ArrowField, prefix: &str, names: &mut Vec<String>) {
    let name = format!("{prefix}{}", field.name);
    match &field.dtype {
        ArrowDataType::Struct(fields) => {
            for field in fields {
                flatten(field, &format!("{name}."), names);
            }
        }
        _ => names.push(name),
    }
}

fn is_decimal(dtype: &ArrowDataType) -> bool {
    matches!(
        dtype,
        ArrowDataType::Decimal(..)
            | ArrowDataType::Decimal32(..)
            | ArrowDataType::Decimal64(..)
            | ArrowDataType::Decimal256(..)
    )
}

fn holds_decimal(dtype: &ArrowDataType) -> bool {
    match dtype {
        ArrowDataType::Struct(fields) => fields.iter().any(|field| holds_decimal(&field.dtype)),
        other => is_decimal(other),
    }
}

fn open(path: &Path) -> Result<ParquetReader<std::fs::File>, PolarsError> {
    let file = fs_err::File::open(path)?.into_parts().0;
    Ok(ParquetReader::new(file).read_parallel(ParallelStrategy::None))
}

/// Calls polars, and makes an error of a panic too.
fn guarded<T>(file: &str, row: u64, call: impl FnOnce() -> Result<T, PolarsError>) -> Result<T, TraceError> {
    let damaged = |what: String| TraceError::Truncated { file: file.to_owned(), what, row };
    match guard::guarded(call) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(PolarsError::IO { error, .. })) => Err(TraceError::Read {
            file: file.to_owned(),
            source: std::io::Error::new(error.kind(), error.to_string()),
        }),
        Ok(Err(error)) => Err(damaged(format!("the Parquet reader says `{error}`"))),
        Err(guard::Panicked) => Err(damaged("the Parquet file is damaged".to_owned())),
    }
}

/// Reads a table to its end.
pub(super) fn read(table: &'static str, path: &Path, context: &mut Context<'_>) -> Result<(), TraceError> {
    let names = names(path)?;
    let plan = plan::plan(table, &names, &context.options.map)
        .map_err(|what| TraceError::Columns { file: context.file.to_owned(), what })?;
    // Names of nested columns have dots, but so may plain ones.
    let mut rows = Rows::new(table, plan, Fractions::PointOnly);
    let file = context.file.to_owned();
    let schema = guarded(&file, 0, || open(path)?.schema())?;
    let mut decimals = Vec::new();
    for column in &rows.plan().columns {
        let top = top_level(&column.name, |name| schema.contains(name));
        let dtype = schema.get(top).map(|field| &field.dtype);
        decimals.push(dtype.is_some_and(is_decimal));
        if dtype.is_some_and(|dtype| !is_decimal(dtype) && holds_decimal(dtype)) {
            return Err(TraceError::Columns {
                file,
                what: format!("column `{}` lies in `{top}`, which holds decimals; cast them to double", column.name),
            });
        }
    }
    let total = guarded(&file, 0, || open(path)?.num_rows())?;
    let mut first = 0;
    while first < total {
        let length = SLICE.min(total - first);
        let columns = guarded(&file, first as u64, || {
            let columns = &rows.plan().columns;
            let slice =
                slice(path, columns.iter().zip(&decimals).filter(|(_, is)| !**is).map(|(column, _)| column), first)?;
            let cells = columns.iter().zip(&decimals).map(|(column, is_decimal)| {
                if *is_decimal { decimal(path, &column.name, first, length) } else { Cells::of(&slice, column) }
            });
            cells.collect::<Result<Vec<_>, PolarsError>>()
        })?;
        let columns = columns
            .into_iter()
            .collect::<Result<Vec<Cells>, String>>()
            .map_err(|what| TraceError::Columns { file: file.clone(), what })?;
        for row in 0..length {
            take(&mut rows, (first + row) as u64 + 1, row, &columns, context)?;
        }
        first += length;
    }
    rows.finish(context.summary);
    Ok(())
}

fn take(
    rows: &mut Rows,
    number: u64,
    row: usize,
    columns: &[Cells],
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    let values: Vec<Value<'_>> = columns.iter().map(|column| column.value(row)).collect();
    context.summary.rows += 1;
    match rows.take(number, &values, context)? {
        Outcome::Kept => context.summary.kept += 1,
        Outcome::Rejected(reason, detail) => {
            *context.summary.rejected.entry(reason.to_owned()).or_default() += 1;
            let text = format!("{values:?}");
            context.rejects.reject(Rejected { file: context.file.to_owned(), row: number, reason, detail, text });
        }
    }
    Ok(())
}

/// Decodes the columns that are needed of the rows from `first` on.
fn slice<'a>(
    path: &Path,
    columns: impl Iterator<Item = &'a PlannedColumn>,
    first: usize,
) -> Result<DataFrame, PolarsError> {
    let mut reader = open(path)?;
    let schema = reader.schema()?;
    let mut wanted: Vec<String> = Vec::new();
    for column in columns {
        let top = top_level(&column.name, |name| schema.contains(name));
        if !wanted.iter().any(|name| name == top) {
            wanted.push(top.to_owned());
        }
    }
    reader.with_columns(Some(wanted)).with_slice(Some((first, SLICE))).finish()
}

/// Returns the column of the file that holds a dotted name.
fn top_level(name: &str, has: impl Fn(&str) -> bool) -> &str {
    if has(name) {
        return name;
    }
    let dots = name.match_indices('.').map(|(at, _)| &name[..at]);
    dots.into_iter().find(|prefix| has(prefix)).unwrap_or(name)
}

/// Decodes a column of decimals.
fn decimal(path: &Path, name: &str, first: usize, length: usize) -> Result<Result<Cells, String>, PolarsError> {
    let failed = |error: &dyn std::fmt::Display| PolarsError::ComputeError(error.to_string().into());
    let file = fs_err::File::open(path)?.into_parts().0;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| failed(&error))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [name]);
    let reader = builder
        .with_projection(mask)
        .with_offset(first)
        .with_limit(length)
        .with_batch_size(length)
        .build()
        .map_err(|error| failed(&error))?;
    let mut values = Vec::with_capacity(length);
    for batch in reader {
        let batch = batch.map_err(|error| failed(&error))?;
        let doubles = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Float64)
            .map_err(|error| failed(&error))?;
        values.extend(doubles.as_primitive::<Float64Type>().iter());
    }
    Ok(Ok(Cells::Decimal(values)))
}

/// One column of a slice, in the type it is used in.
enum Cells {
    Text(StringChunked),
    Number(Float64Chunked),
    Decimal(Vec<Option<f64>>),
    Whole(Int64Chunked),
    /// Microseconds.
    Time(Int64Chunked),
}

impl Cells {
    /// Returns the cells of a planned column, or why its type cannot be used.
    fn of(slice: &DataFrame, planned: &PlannedColumn) -> Result<Result<Self, String>, PolarsError> {
        let top = top_level(&planned.name, |name| slice.column(name).is_ok());
        let mut column: Column = slice.column(top)?.rechunk();
        let mut path = planned.name[top.len()..].split('.');
        path.next();
        for name in path {
            column = column.struct_()?.field_by_name(name)?.into();
        }
        let is_text = planned.target.is_none_or(|target| target.measure() == Measure::Text);
        let unusable = |dtype: &DataType| {
            Ok(Err(format!(
                "column `{}` holds {dtype}, which cannot be used; cast it to a number or to text",
                planned.name
            )))
        };
        Ok(Ok(match column.dtype().clone() {
            DataType::Float32 | DataType::Float64 if planned.target == Some(Target::Workload) => {
                return Ok(Err(format!(
                    "column `{}` holds identifiers as floating-point numbers, which lose digits; export it as text or \
                     integers",
                    planned.name
                )));
            }
            DataType::List(_) | DataType::Struct(_) | DataType::Binary => return unusable(column.dtype()),
            _ if is_text => Self::Text(column.cast(&DataType::String)?.str()?.clone()),
            DataType::String | DataType::Categorical(..) | DataType::Enum(..) => {
                Self::Text(column.cast(&DataType::String)?.str()?.clone())
            }
            DataType::Date | DataType::Datetime(..) => {
                Self::Time(micros(&column, &DataType::Datetime(TimeUnit::Microseconds, None))?)
            }
            DataType::Duration(_) => Self::Time(micros(&column, &DataType::Duration(TimeUnit::Microseconds))?),
            DataType::Boolean | DataType::Time | DataType::Null => return unusable(column.dtype()),
            DataType::Float32 | DataType::Float64 | DataType::UInt64 => {
                Self::Number(column.cast(&DataType::Float64)?.f64()?.clone())
            }
            dtype if dtype.is_integer() => Self::Whole(column.cast(&DataType::Int64)?.i64()?.clone()),
            _ => Self::Number(column.cast(&DataType::Float64)?.f64()?.clone()),
        }))
    }

    fn value(&self, row: usize) -> Value<'_> {
        let value = match self {
            Self::Text(cells) => cells.get(row).map(str::trim).filter(|text| !text.is_empty()).map(Value::Text),
            Self::Number(cells) => cells.get(row).map(Value::Number),
            Self::Decimal(cells) => cells.get(row).copied().flatten().map(Value::Number),
            Self::Whole(cells) => cells.get(row).map(Value::Whole),
            Self::Time(cells) => cells.get(row).map(|micros| Value::Time(Micros(micros))),
        };
        value.unwrap_or(Value::Missing)
    }
}

fn micros(column: &Column, unit: &DataType) -> Result<Int64Chunked, PolarsError> {
    Ok(column.cast(unit)?.cast(&DataType::Int64)?.i64()?.clone())
}
