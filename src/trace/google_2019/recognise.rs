//! Which table of `google-2019` a file is, and in which shape: by a header, or by the fields of the first JSON object.
//! The name of the file or a folder makes it surer, and decides where the content could be two tables.

use std::collections::BTreeSet;

use crate::trace::delimited::TableSpec;
use crate::trace::detect::first_cells;
use crate::trace::{Confidence, Head};

use super::{csv, joined, kaggle, per_task};

/// Tables that JSON and CSV share.
const TABLES: [&str; 5] =
    ["instance_usage", "instance_events", "collection_events", "machine_events", "machine_attributes"];

/// Returns the table that `head` is.
pub(super) fn recognise(head: &Head<'_>) -> Option<(&'static str, Confidence)> {
    if head.bytes.starts_with(b"PAR1") {
        return None;
    }
    let named = TABLES.into_iter().find(|table| head.path.contains(table));
    if head.bytes.trim_ascii_start().starts_with(b"{") { json(head, named) } else { text(head, named) }
}

/// Returns why a Parquet shard is not read: its name says what it is.
pub(super) fn mismatch(head: &Head<'_>) -> Option<String> {
    let table = TABLES.into_iter().find(|table| head.path.contains(table))?;
    head.bytes.starts_with(b"PAR1").then(|| {
        format!("Parquet shards of `google-2019` are not read; get the JSON Lines of `{table}` from the same bucket")
    })
}

fn json(head: &Head<'_>, named: Option<&'static str>) -> Option<(&'static str, Confidence)> {
    let line = head.bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    let fields: BTreeSet<String> = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line)
        .ok()?
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    let has = |names: &[&str]| names.iter().all(|name| fields.contains(*name));
    let fits = |table: &str| match table {
        "instance_usage" => has(&["start_time", "collection_id"]),
        // Fields at their default may be left out, so a name decides between these two.
        "instance_events" => has(&["collection_id"]) && !has(&["start_time"]) && !has(&["collection_logical_name"]),
        "collection_events" => has(&["collection_id"]) && !has(&["start_time"]) && !has(&["instance_index"]),
        "machine_events" => has(&["machine_id"]) && !has(&["collection_id"]) && !has(&["name"]),
        "machine_attributes" => has(&["machine_id", "name"]),
        _ => false,
    };
    if let Some(table) = named.filter(|table| fits(table)) {
        return Some((table, Confidence::Name));
    }
    let table = if fits("instance_usage") {
        "instance_usage"
    } else if has(&["collection_id", "instance_index"]) || has(&["collection_id", "resource_request"]) {
        "instance_events"
    } else if has(&["collection_id", "type"]) || has(&["collection_id", "user"]) {
        "collection_events"
    } else if has(&["machine_id", "capacity"]) || has(&["machine_id", "platform_id"]) {
        "machine_events"
    } else {
        return None;
    };
    Some((table, Confidence::Header))
}

fn text(head: &Head<'_>, named: Option<&'static str>) -> Option<(&'static str, Confidence)> {
    let cells = first_cells(head, ',');
    if cells.starts_with(&["time".to_owned(), "unique_id".to_owned(), "collection_id".to_owned()]) {
        return Some((joined::TABLE.name, Confidence::Header));
    }
    if has(&kaggle::TABLE, &cells, |column| column.required) && cells.iter().any(|cell| cell == "average_usage") {
        return Some((kaggle::TABLE.name, Confidence::Header));
    }
    if cells.len() == per_task::TABLE.columns.len() && has(&per_task::TABLE, &cells, |_| true) {
        let is_named = per_task::ids_of_path(head.path).is_some();
        return Some((per_task::TABLE.name, if is_named { Confidence::Name } else { Confidence::Header }));
    }
    let is_about_machines = ["switch_id", "capacity", "capacity.cpus", "capacity_cpus", "platform_id"];
    let table = if has(&csv::INSTANCE_USAGE, &cells, |column| column.required) {
        csv::INSTANCE_USAGE.name
    } else if has(&csv::INSTANCE_EVENTS, &cells, |column| column.required) {
        csv::INSTANCE_EVENTS.name
    } else if has(&csv::COLLECTION_EVENTS, &cells, |column| column.required) {
        csv::COLLECTION_EVENTS.name
    } else if has(&csv::MACHINE_EVENTS, &cells, |column| column.required)
        && cells.iter().any(|cell| is_about_machines.contains(&cell.as_str()))
    {
        csv::MACHINE_EVENTS.name
    } else if has(&csv::MACHINE_ATTRIBUTES, &cells, |column| column.required) {
        csv::MACHINE_ATTRIBUTES.name
    } else {
        return None;
    };
    Some((table, if named == Some(table) { Confidence::Name } else { Confidence::Header }))
}

/// Returns whether the header names every column of the table that `wanted` picks.
fn has(table: &TableSpec, cells: &[String], wanted: impl Fn(&crate::trace::delimited::ColumnSpec) -> bool) -> bool {
    table.columns.iter().filter(|column| wanted(column)).all(|column| cells.iter().any(|cell| column.is_called(cell)))
}
