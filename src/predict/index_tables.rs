//! The Parquet tables of an index: fingerprints with features, levels and needs, and the left-out cases of its calibration.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use hashbrown::HashMap;

use crate::artifact::FileRecord;
use crate::index::Index;
use crate::store::parquet_file;
use crate::store::rows::column;
use crate::units::Micros;

use super::PredictError;
use super::calibrate::{Calibration, Scope};
use super::estimate::{BASES, Relative};
use super::knowledge::Knowledge;
use super::need::{Anchor, Need, Remembered, Resource};
use super::ranked::Breadth;
use super::tune::Case;

const TEXTS: [&str; 3] = ["application", "user", "class"];

const START: &str = "start_us";

const FITTED: &str = "fitted";

fn coordinate(position: usize) -> String {
    format!("c{position:02}")
}

fn needs_of(resource: Resource) -> [String; 4] {
    ["level", "request", "need", "at_least"].map(|what| format!("{}_{what}", resource.name()))
}

fn fingerprint_schema(features: &[String], components: usize) -> Arc<Schema> {
    let mut fields = vec![
        Field::new("format", DataType::Utf8, false),
        Field::new("workload", DataType::Utf8, false),
        Field::new("run", DataType::UInt32, false),
    ];
    fields.extend(TEXTS.map(|name| Field::new(name, DataType::Utf8, true)));
    fields.push(Field::new(START, DataType::Int64, true));
    fields.push(Field::new(FITTED, DataType::Boolean, false));
    for resource in Resource::ALL {
        let [level, request, need, at_least] = needs_of(resource);
        fields.extend([level, request, need].map(|name| Field::new(name, DataType::Float64, true)));
        fields.push(Field::new(at_least, DataType::Boolean, true));
    }
    fields.extend((0..components).map(|position| Field::new(coordinate(position), DataType::Float64, false)));
    fields.extend(features.iter().map(|name| Field::new(name, DataType::Float64, true)));
    Arc::new(Schema::new(fields))
}

/// Writes the fingerprints of `knowledge` into `folder`.
pub(super) fn write_fingerprints(
    folder: &Path,
    name: &str,
    features: &[String],
    components: usize,
    knowledge: &Knowledge,
) -> Result<FileRecord, PredictError> {
    let schema = fingerprint_schema(features, components);
    let numbered: Vec<(u32, &Remembered)> = (0..).zip(knowledge.all()?).collect();
    let points = knowledge.index().map(Index::points).transpose()?;
    let batch = |rows: &[(u32, &Remembered)]| -> Result<RecordBatch, ArrowError> {
        let text = |of: fn(&Remembered) -> Option<&String>| -> ArrayRef {
            Arc::new(rows.iter().map(|(_, row)| of(row).map(String::as_str)).collect::<StringArray>())
        };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, row)| &row.format))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, row)| &row.id))),
            Arc::new(UInt32Array::from_iter_values(rows.iter().map(|(_, row)| row.run))),
            text(|row| row.application.as_ref()),
            text(|row| row.user.as_ref()),
            text(|row| row.class.as_ref()),
            Arc::new(rows.iter().map(|(_, row)| row.start.map(|start| start.0)).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|(_, row)| Some(row.fitted)).collect::<BooleanArray>()),
        ];
        for resource in Resource::ALL {
            let need = |row: &Remembered| row.needs[resource as usize];
            let number = |of: fn(Need) -> Option<f64>| -> ArrayRef {
                Arc::new(rows.iter().map(|(_, row)| need(row).and_then(of)).collect::<Float64Array>())
            };
            columns.push(number(|need| Some(need.level)));
            columns.push(number(|need| need.request));
            columns.push(number(|need| Some(need.need)));
            columns.push(Arc::new(
                rows.iter().map(|(_, row)| need(row).map(|need| need.at_least)).collect::<BooleanArray>(),
            ));
        }
        for position in 0..components {
            let of = |row: u32| points.as_ref().and_then(|points| points.row(row)?.get(position).copied());
            columns.push(Arc::new(rows.iter().map(|&(row, _)| of(row)).collect::<Float64Array>()));
        }
        for position in 0..features.len() {
            let of = |row: &Remembered| row.features.get(position).copied().flatten();
            columns.push(Arc::new(rows.iter().map(|(_, row)| of(row)).collect::<Float64Array>()));
        }
        RecordBatch::try_new(Arc::clone(&schema), columns)
    };
    Ok(parquet_file::write(folder, name, Arc::clone(&schema), &numbered, batch)?)
}

/// Appends the rows of a batch, and their coordinates row by row. The error names the column that does not fit.
pub(super) fn read_fingerprints(
    batch: &RecordBatch,
    features: &[String],
    components: usize,
    rows: &mut Vec<Remembered>,
    coordinates: &mut Vec<f64>,
) -> Result<(), String> {
    let formats: &StringArray = column(batch, "format")?;
    let ids: &StringArray = column(batch, "workload")?;
    let runs: &UInt32Array = column(batch, "run")?;
    let texts: Vec<&StringArray> = TEXTS.iter().map(|name| column(batch, name)).collect::<Result<_, _>>()?;
    let starts: &Int64Array = column(batch, START)?;
    let fitted: &BooleanArray = column(batch, FITTED)?;
    let places: Vec<&Float64Array> =
        (0..components).map(|position| column(batch, &coordinate(position))).collect::<Result<_, _>>()?;
    let values: Vec<&Float64Array> = features.iter().map(|name| column(batch, name)).collect::<Result<_, _>>()?;
    let mut needs: Vec<([&Float64Array; 3], &BooleanArray)> = Vec::new();
    for resource in Resource::ALL {
        let [level, request, need, at_least] = needs_of(resource);
        let numbers = [column(batch, &level)?, column(batch, &request)?, column(batch, &need)?];
        needs.push((numbers, column(batch, &at_least)?));
    }
    let number = |array: &Float64Array, row: usize| array.is_valid(row).then(|| array.value(row));
    for row in 0..batch.num_rows() {
        let text = |position: usize| texts[position].is_valid(row).then(|| texts[position].value(row).to_owned());
        let need = |position: usize| {
            let ([level, request, need], at_least) = needs[position];
            let (level, need) = number(level, row).zip(number(need, row))?;
            let at_least = at_least.is_valid(row) && at_least.value(row);
            Some(Need { level, request: number(request, row), need, at_least })
        };
        coordinates.extend(places.iter().map(|place| place.value(row)));
        rows.push(Remembered {
            id: ids.value(row).to_owned(),
            run: runs.value(row),
            format: formats.value(row).to_owned(),
            application: text(0),
            user: text(1),
            class: text(2),
            start: starts.is_valid(row).then(|| Micros(starts.value(row))),
            fitted: fitted.value(row),
            features: values.iter().map(|values| number(values, row)).collect(),
            needs: [need(0), need(1), need(2)],
        });
    }
    Ok(())
}

/// What tells the workloads of an index apart: format, identifier and run.
pub(super) type RowKey = (String, String, u32);

/// Takes the key of each row of a batch, with whether the index was fitted on it.
pub(super) fn read_keys(batch: &RecordBatch, keys: &mut HashMap<RowKey, bool>) -> Result<(), String> {
    let formats: &StringArray = column(batch, "format")?;
    let ids: &StringArray = column(batch, "workload")?;
    let runs: &UInt32Array = column(batch, "run")?;
    let fitted: &BooleanArray = column(batch, FITTED)?;
    for row in 0..batch.num_rows() {
        keys.insert((formats.value(row).to_owned(), ids.value(row).to_owned(), runs.value(row)), fitted.value(row));
    }
    Ok(())
}

/// A row of the calibration table.
#[derive(Debug, Clone)]
pub(super) enum CaseRow {
    /// Distance of a left-out workload to its nearest.
    Distance(f64),
    /// What the others said, and what was true.
    Case(Scope, Resource, Box<Case>),
}

/// Numbers of a case beside what was said.
const NUMBERS: [&str; 4] = ["distance", "level", "request", "need"];

/// Breadths and anchors, in the order of their columns.
fn spoken() -> impl Iterator<Item = (Breadth, Anchor)> {
    Breadth::ALL.into_iter().flat_map(|breadth| Anchor::ALL.map(|anchor| (breadth, anchor)))
}

/// Columns of what was said at one breadth relative to one anchor: the spread, then the bases.
fn said_of((breadth, anchor): (Breadth, Anchor)) -> Vec<String> {
    let name = format!("{}_{}", breadth.name(), anchor.name());
    let bases = BASES.map(|share| format!("{name}_base_{:02.0}", share * 100.0));
    std::iter::once(format!("{name}_spread")).chain(bases).collect()
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Store => "store",
        Scope::Application => "application",
    }
}

/// Writes calibrations, each with what it leaves out, into `folder`.
pub(super) fn write_calibrations(
    folder: &Path,
    name: &str,
    calibrations: &[(String, Arc<Calibration>)],
) -> Result<FileRecord, PredictError> {
    let mut fields = vec![
        Field::new("without", DataType::Utf8, false),
        Field::new("scope", DataType::Utf8, true),
        Field::new("resource", DataType::Utf8, true),
    ];
    fields.extend(NUMBERS.map(|name| Field::new(name, DataType::Float64, true)));
    fields.extend(["at_least", "recurring"].map(|name| Field::new(name, DataType::Boolean, true)));
    fields.extend(spoken().flat_map(said_of).map(|name| Field::new(name, DataType::Float64, true)));
    let schema = Arc::new(Schema::new(fields));
    let mut rows: Vec<(&str, CaseRow)> = Vec::new();
    for (without, calibration) in calibrations {
        rows.extend(calibration.distances.iter().map(|&distance| (without.as_str(), CaseRow::Distance(distance))));
        for (&(scope, resource), cases) in calibration.cases()? {
            let row = |&case: &Case| (without.as_str(), CaseRow::Case(scope, resource, Box::new(case)));
            rows.extend(cases.iter().map(row));
        }
    }
    let batch = |rows: &[(&str, CaseRow)]| -> Result<RecordBatch, ArrowError> {
        let case = |(_, row): &(&str, CaseRow)| match row {
            CaseRow::Distance(_) => None,
            CaseRow::Case(scope, resource, case) => Some((*scope, *resource, **case)),
        };
        let number = |of: &dyn Fn(&Case) -> Option<f64>| -> ArrayRef {
            Arc::new(rows.iter().map(|row| case(row).and_then(|(_, _, case)| of(&case))).collect::<Float64Array>())
        };
        let distance = |(_, row): &(&str, CaseRow)| match row {
            CaseRow::Distance(distance) => Some(*distance),
            CaseRow::Case(..) => None,
        };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(without, _)| without))),
            Arc::new(rows.iter().map(|row| case(row).map(|(scope, ..)| scope_name(scope))).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| case(row).map(|(_, resource, _)| resource.name())).collect::<StringArray>()),
            Arc::new(rows.iter().map(distance).collect::<Float64Array>()),
            number(&|case| Some(case.need.level)),
            number(&|case| case.need.request),
            number(&|case| Some(case.need.need)),
            Arc::new(rows.iter().map(|row| case(row).map(|(_, _, case)| case.need.at_least)).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|row| case(row).map(|(_, _, case)| case.recurring)).collect::<BooleanArray>()),
        ];
        for (breadth, anchor) in spoken() {
            let said = |case: &Case| case.said[breadth as usize][anchor as usize];
            columns.push(number(&|case| said(case).map(|said| said.spread)));
            for position in 0..BASES.len() {
                columns.push(number(&|case| said(case).map(|said| said.bases[position])));
            }
        }
        RecordBatch::try_new(Arc::clone(&schema), columns)
    };
    Ok(parquet_file::write(folder, name, Arc::clone(&schema), &rows, batch)?)
}

/// Appends the rows of a batch to those of their calibration. The error names the column that does not fit.
pub(super) fn read_calibrations(
    batch: &RecordBatch,
    calibrations: &mut BTreeMap<String, Vec<CaseRow>>,
) -> Result<(), String> {
    let without: &StringArray = column(batch, "without")?;
    let scopes: &StringArray = column(batch, "scope")?;
    let resources: &StringArray = column(batch, "resource")?;
    let at_least: &BooleanArray = column(batch, "at_least")?;
    let recurring: &BooleanArray = column(batch, "recurring")?;
    let numbers: Vec<&Float64Array> = NUMBERS.iter().map(|name| column(batch, name)).collect::<Result<_, _>>()?;
    let mut said: Vec<Vec<&Float64Array>> = Vec::new();
    for one in spoken() {
        said.push(said_of(one).iter().map(|name| column(batch, name)).collect::<Result<_, _>>()?);
    }
    let number = |array: &Float64Array, row: usize| array.is_valid(row).then(|| array.value(row));
    for row in 0..batch.num_rows() {
        let rows = calibrations.entry(without.value(row).to_owned()).or_default();
        if scopes.is_null(row) {
            rows.push(CaseRow::Distance(numbers[0].value(row)));
            continue;
        }
        let scope =
            [Scope::Store, Scope::Application].into_iter().find(|scope| scope_name(*scope) == scopes.value(row));
        let resource = Resource::ALL.into_iter().find(|resource| resource.name() == resources.value(row));
        let (Some(scope), Some(resource)) = (scope, resource) else {
            return Err(format!("unknown scope `{}` or resource `{}`", scopes.value(row), resources.value(row)));
        };
        let need = Need {
            level: numbers[1].value(row),
            request: number(numbers[2], row),
            need: numbers[3].value(row),
            at_least: at_least.value(row),
        };
        let relative = |columns: &Vec<&Float64Array>| -> Option<Relative> {
            let values: Vec<f64> = columns.iter().map(|column| number(column, row)).collect::<Option<_>>()?;
            let (spread, bases) = values.split_first()?;
            Some(Relative { spread: *spread, bases: bases.try_into().ok()? })
        };
        let said = [0, 1].map(|breadth| [0, 1, 2].map(|anchor| relative(&said[breadth * Anchor::ALL.len() + anchor])));
        let case = Case { need, said, recurring: recurring.value(row) };
        rows.push(CaseRow::Case(scope, resource, Box::new(case)));
    }
    Ok(())
}
