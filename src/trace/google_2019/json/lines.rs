//! The objects of the five tables.

use serde::Deserialize;

use crate::trace::delimited::Outcome;
use crate::trace::google_2019::columns::Columns;
use crate::trace::google_2019::rows::{CollectionEvent, InstanceEvent, MachineEvent, Rows, Usage};
use crate::trace::{Context, Dataset, TraceError};

use super::values::{Distribution, Int, Resources, Text, text};

/// Absent identifiers and enumerations are at their default.
fn or_zero(value: Option<Int>) -> i64 {
    value.map_or(0, |value| value.0)
}

/// Returns a time, or nothing when it lies after the trace; an absent one is at its default, before the trace.
fn event_time(value: Option<Int>) -> Option<i64> {
    Some(or_zero(value)).filter(|time| *time != i64::MAX)
}

/// Fields of `instance_usage` that are summarised.
pub(super) const USAGE: [&str; 24] = [
    "start_time",
    "end_time",
    "collection_id",
    "instance_index",
    "machine_id",
    "alloc_collection_id",
    "alloc_instance_index",
    "collection_type",
    "average_usage.cpus",
    "average_usage.memory",
    "maximum_usage.cpus",
    "maximum_usage.memory",
    "random_sample_usage.cpus",
    "assigned_memory",
    "page_cache_memory",
    "cycles_per_instruction",
    "memory_accesses_per_instruction",
    "sample_rate",
    // Of the percentiles both ends and the middle are summarised.
    "cpu_usage_distribution[0]",
    "cpu_usage_distribution[5]",
    "cpu_usage_distribution[10]",
    "tail_cpu_usage_distribution[0]",
    "tail_cpu_usage_distribution[4]",
    "tail_cpu_usage_distribution[8]",
];

#[derive(Deserialize, Debug, Default, PartialEq)]
pub(super) struct UsageLine {
    pub(super) start_time: Option<Int>,
    pub(super) end_time: Option<Int>,
    pub(super) collection_id: Option<Int>,
    pub(super) instance_index: Option<Int>,
    pub(super) machine_id: Option<Int>,
    pub(super) alloc_collection_id: Option<Int>,
    pub(super) alloc_instance_index: Option<Int>,
    pub(super) collection_type: Option<Int>,
    pub(super) average_usage: Option<Resources>,
    pub(super) maximum_usage: Option<Resources>,
    pub(super) random_sample_usage: Option<Resources>,
    pub(super) assigned_memory: Option<f64>,
    pub(super) page_cache_memory: Option<f64>,
    pub(super) cycles_per_instruction: Option<f64>,
    pub(super) memory_accesses_per_instruction: Option<f64>,
    pub(super) sample_rate: Option<f64>,
    pub(super) cpu_usage_distribution: Option<Distribution<11>>,
    pub(super) tail_cpu_usage_distribution: Option<Distribution<9>>,
}

impl UsageLine {
    /// Summarises the line and hands it to the sink.
    pub(super) fn hand_on(
        &self,
        rows: &mut Rows,
        row: u64,
        columns: &mut Columns,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        let average = self.average_usage.unwrap_or_default();
        let maximum = self.maximum_usage.unwrap_or_default();
        self.count(average, maximum, columns);
        let (Some(Int(start)), Some(Int(end))) = (self.start_time, self.end_time) else {
            let detail = "field `start_time` or `end_time`".to_owned();
            return Ok(Outcome::Rejected("mandatory cell is empty", detail));
        };
        if end == i64::MAX {
            return Ok(Outcome::Rejected("window lies after the trace", "field `end_time`".to_owned()));
        }
        let usage = Usage {
            start: Some(start).filter(|start| *start != i64::MAX),
            end: Some(end),
            collection: self.collection_id.map(|id| id.0),
            index: Some(or_zero(self.instance_index)),
            alloc_collection: Some(or_zero(self.alloc_collection_id)),
            collection_type: Some(or_zero(self.collection_type)),
            cpu: average.cpus,
            memory: average.memory,
            cpu_max: maximum.cpus,
            memory_max: maximum.memory,
            assigned_memory: self.assigned_memory,
            sample_rate: self.sample_rate,
            cpu_request: None,
            memory_request: None,
        };
        rows.usage(&usage, Dataset::Usage, row, context)
    }

    fn count(&self, average: Resources, maximum: Resources, columns: &mut Columns) {
        let integers = [
            self.start_time,
            self.end_time,
            self.collection_id,
            self.instance_index,
            self.machine_id,
            self.alloc_collection_id,
            self.alloc_instance_index,
        ];
        for (index, value) in integers.into_iter().enumerate() {
            columns.integer(index, value.map(|value| value.0));
        }
        columns.code(7, self.collection_type.map(|value| value.0));
        let body = self.cpu_usage_distribution.map_or([None; 11], |distribution| distribution.values);
        let tail = self.tail_cpu_usage_distribution.map_or([None; 9], |distribution| distribution.values);
        let numbers = [
            average.cpus,
            average.memory,
            maximum.cpus,
            maximum.memory,
            self.random_sample_usage.and_then(|usage| usage.cpus),
            self.assigned_memory,
            self.page_cache_memory,
            self.cycles_per_instruction,
            self.memory_accesses_per_instruction,
            self.sample_rate,
            body[0],
            body[5],
            body[10],
            tail[0],
            tail[4],
            tail[8],
        ];
        for (index, value) in numbers.into_iter().enumerate() {
            columns.number(index + 8, value);
        }
    }
}

/// Fields of `instance_events` that are summarised.
pub(super) const INSTANCE: [&str; 13] = [
    "time",
    "type",
    "collection_id",
    "scheduling_class",
    "missing_type",
    "collection_type",
    "priority",
    "alloc_collection_id",
    "instance_index",
    "machine_id",
    "alloc_instance_index",
    "resource_request.cpus",
    "resource_request.memory",
];

#[derive(Deserialize)]
pub(super) struct InstanceLine {
    time: Option<Int>,
    r#type: Option<Int>,
    collection_id: Option<Int>,
    scheduling_class: Option<Int>,
    missing_type: Option<Int>,
    collection_type: Option<Int>,
    priority: Option<Int>,
    alloc_collection_id: Option<Int>,
    instance_index: Option<Int>,
    machine_id: Option<Int>,
    alloc_instance_index: Option<Int>,
    resource_request: Option<Resources>,
}

impl InstanceLine {
    /// Summarises the line and hands it to the sink.
    pub(super) fn hand_on(
        &self,
        rows: &mut Rows,
        row: u64,
        columns: &mut Columns,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        let request = self.resource_request.unwrap_or_default();
        for (index, value) in
            [(0, self.time), (2, self.collection_id), (7, self.alloc_collection_id), (8, self.instance_index)]
        {
            columns.integer(index, value.map(|value| value.0));
        }
        for (index, value) in [
            (1, self.r#type),
            (3, self.scheduling_class),
            (4, self.missing_type),
            (5, self.collection_type),
            (6, self.priority),
        ] {
            columns.code(index, value.map(|value| value.0));
        }
        columns.integer(9, self.machine_id.map(|value| value.0));
        columns.integer(10, self.alloc_instance_index.map(|value| value.0));
        columns.number(11, request.cpus);
        columns.number(12, request.memory);
        let instance = InstanceEvent {
            time: event_time(self.time),
            kind: Some(or_zero(self.r#type)),
            collection: self.collection_id.map(|id| id.0),
            index: Some(or_zero(self.instance_index)),
            class: Some(or_zero(self.scheduling_class)),
            missing: Some(or_zero(self.missing_type)),
            collection_type: Some(or_zero(self.collection_type)),
            priority: Some(or_zero(self.priority)),
            alloc_collection: Some(or_zero(self.alloc_collection_id)),
            machine: Some(or_zero(self.machine_id)),
            cpu_request: request.cpus,
            memory_request: request.memory,
            ..InstanceEvent::default()
        };
        rows.instance(&instance, row, context)
    }
}

/// Fields of `collection_events` that are summarised.
pub(super) const COLLECTION: [&str; 13] = [
    "time",
    "type",
    "collection_id",
    "scheduling_class",
    "missing_type",
    "collection_type",
    "priority",
    "alloc_collection_id",
    "user",
    "collection_name",
    "collection_logical_name",
    "vertical_scaling",
    "scheduler",
];

#[derive(Deserialize)]
pub(super) struct CollectionLine<'a> {
    time: Option<Int>,
    r#type: Option<Int>,
    collection_id: Option<Int>,
    scheduling_class: Option<Int>,
    missing_type: Option<Int>,
    collection_type: Option<Int>,
    priority: Option<Int>,
    alloc_collection_id: Option<Int>,
    #[serde(borrow)]
    user: Option<Text<'a>>,
    #[serde(borrow)]
    collection_name: Option<Text<'a>>,
    #[serde(borrow)]
    collection_logical_name: Option<Text<'a>>,
    vertical_scaling: Option<Int>,
    scheduler: Option<Int>,
}

impl CollectionLine<'_> {
    /// Summarises the line and hands it to the sink.
    pub(super) fn hand_on(
        &self,
        rows: &mut Rows,
        row: u64,
        columns: &mut Columns,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        for (index, value) in [(0, self.time), (2, self.collection_id), (7, self.alloc_collection_id)] {
            columns.integer(index, value.map(|value| value.0));
        }
        for (index, value) in [
            (1, self.r#type),
            (3, self.scheduling_class),
            (4, self.missing_type),
            (5, self.collection_type),
            (6, self.priority),
            (11, self.vertical_scaling),
            (12, self.scheduler),
        ] {
            columns.code(index, value.map(|value| value.0));
        }
        columns.text(8, text(self.user.as_ref()));
        columns.text(9, text(self.collection_name.as_ref()));
        columns.text(10, text(self.collection_logical_name.as_ref()));
        let collection = CollectionEvent {
            time: event_time(self.time),
            kind: Some(or_zero(self.r#type)),
            collection: self.collection_id.map(|id| id.0),
            class: Some(or_zero(self.scheduling_class)),
            collection_type: Some(or_zero(self.collection_type)),
            priority: Some(or_zero(self.priority)),
            user: text(self.user.as_ref()),
            logical_name: text(self.collection_logical_name.as_ref()),
            scaling: self.vertical_scaling.map(|value| value.0),
        };
        rows.collection(&collection, row, context)
    }
}

/// Fields of `machine_events` that are summarised.
pub(super) const MACHINE: [&str; 7] =
    ["time", "machine_id", "type", "switch_id", "capacity.cpus", "capacity.memory", "platform_id"];

#[derive(Deserialize)]
pub(super) struct MachineLine<'a> {
    time: Option<Int>,
    machine_id: Option<Int>,
    r#type: Option<Int>,
    #[serde(borrow)]
    switch_id: Option<Text<'a>>,
    capacity: Option<Resources>,
    #[serde(borrow)]
    platform_id: Option<Text<'a>>,
}

impl MachineLine<'_> {
    /// Summarises the line and hands it to the sink.
    pub(super) fn hand_on(
        &self,
        rows: &mut Rows,
        row: u64,
        columns: &mut Columns,
        context: &mut Context<'_>,
    ) -> Result<Outcome, TraceError> {
        let capacity = self.capacity.unwrap_or_default();
        columns.integer(0, self.time.map(|value| value.0));
        columns.integer(1, self.machine_id.map(|value| value.0));
        columns.code(2, self.r#type.map(|value| value.0));
        columns.text(3, text(self.switch_id.as_ref()));
        columns.number(4, capacity.cpus);
        columns.number(5, capacity.memory);
        columns.text(6, text(self.platform_id.as_ref()));
        let machine = MachineEvent {
            time: event_time(self.time),
            machine: self.machine_id.map(|id| id.0),
            kind: Some(or_zero(self.r#type)),
            cpus: capacity.cpus,
            memory: capacity.memory,
            platform: text(self.platform_id.as_ref()),
        };
        rows.machine(&machine, row, context)
    }
}

/// Fields of `machine_attributes` that are summarised.
pub(super) const ATTRIBUTE: [&str; 4] = ["time", "machine_id", "name", "value"];

#[derive(Deserialize)]
pub(super) struct AttributeLine<'a> {
    time: Option<Int>,
    machine_id: Option<Int>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    value: Option<Text<'a>>,
}

impl AttributeLine<'_> {
    /// Summarises the line.
    pub(super) fn count(&self, columns: &mut Columns) -> Outcome {
        columns.integer(0, self.time.map(|value| value.0));
        columns.integer(1, self.machine_id.map(|value| value.0));
        columns.text(2, text(self.name.as_ref()));
        columns.text(3, text(self.value.as_ref()));
        if self.machine_id.is_none() || self.name.is_none() {
            return Outcome::Rejected("mandatory cell is empty", "field `machine_id` or `name`".to_owned());
        }
        Outcome::Kept
    }
}
