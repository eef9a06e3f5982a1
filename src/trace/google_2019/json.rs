//! JSON Lines from the publisher's bucket: one object a line, 64-bit integers as strings, records nested.
//!
//! Fields at their default may be left out: identifiers and enumerations are then 0 or none, measurements missing.
//! A line that is not an object of the table is rejected; reading goes on with the next.

use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::trace::delimited::{Outcome, io_error};
use crate::trace::reject::row_text;
use crate::trace::{Context, Dataset, Rejected, TraceError};

use super::columns::Columns;
use super::no_table;
use super::rows::{CollectionEvent, InstanceEvent, MachineEvent, Rows, Usage};

/// Reads a table of JSON Lines to its end.
pub(super) fn read(table: &str, text: &mut dyn BufRead, context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut rows = Rows::default();
    match table {
        "instance_usage" => read_lines(&USAGE, text, context, &mut |line, row, columns, context| {
            parse::<UsageLine>(line).map_or_else(Ok, |line| line.hand_on(&mut rows, row, columns, context))
        }),
        "instance_events" => read_lines(&INSTANCE, text, context, &mut |line, row, columns, context| {
            parse::<InstanceLine>(line).map_or_else(Ok, |line| line.hand_on(&mut rows, row, columns, context))
        }),
        "collection_events" => read_lines(&COLLECTION, text, context, &mut |line, row, columns, context| {
            parse::<CollectionLine<'_>>(line).map_or_else(Ok, |line| line.hand_on(&mut rows, row, columns, context))
        }),
        "machine_events" => read_lines(&MACHINE, text, context, &mut |line, row, columns, context| {
            parse::<MachineLine<'_>>(line).map_or_else(Ok, |line| line.hand_on(&mut rows, row, columns, context))
        }),
        "machine_attributes" => {
            read_lines(&ATTRIBUTE, text, context, &mut |line, _row, columns, _context| {
                Ok(parse::<AttributeLine<'_>>(line).map_or_else(|rejected| rejected, |line| line.count(columns)))
            })?;
            let kept = context.summary.kept;
            context.summary.notes.insert(super::csv::ATTRIBUTES_NOTE.to_owned(), kept);
            Ok(())
        }
        other => Err(no_table(other, context.file)),
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Outcome> {
    serde_json::from_slice(line)
        .map_err(|error| Outcome::Rejected("line is not an object of this table", error.to_string()))
}

type Each<'a> = dyn FnMut(&[u8], u64, &mut Columns, &mut Context<'_>) -> Result<Outcome, TraceError> + 'a;

fn read_lines(
    names: &'static [&'static str],
    text: &mut dyn BufRead,
    context: &mut Context<'_>,
    each: &mut Each<'_>,
) -> Result<(), TraceError> {
    let mut columns = Columns::new(names);
    let mut line = Vec::new();
    let mut row = 0_u64;
    let mut ends_without_newline = false;
    loop {
        line.clear();
        let read = text.read_until(b'\n', &mut line).map_err(|source| io_error(context.file, row, source))?;
        if read == 0 {
            break;
        }
        ends_without_newline = line.last() != Some(&b'\n');
        let content = line.trim_ascii();
        if content.is_empty() {
            continue;
        }
        row += 1;
        context.summary.rows += 1;
        match each(content, row, &mut columns, context)? {
            Outcome::Kept => context.summary.kept += 1,
            Outcome::Rejected(reason, detail) => {
                *context.summary.rejected.entry(reason.to_owned()).or_default() += 1;
                let text = row_text(content);
                context.rejects.reject(Rejected { file: context.file.to_owned(), row, reason, detail, text });
            }
        }
    }
    context.summary.ends_without_newline |= ends_without_newline;
    columns.finish(context.summary);
    Ok(())
}

/// A 64-bit integer, written as a string, a number, or (in other people's exports) a whole double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Int(i64);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntVisitor)
    }
}

struct IntVisitor;

impl Visitor<'_> for IntVisitor {
    type Value = Int;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a 64-bit integer as a number or a string")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Int, E> {
        Ok(Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Int, E> {
        // 2^63 is the sentinel "after the trace" once it went through a double.
        if value == 1 << 63 {
            return Ok(Int(i64::MAX));
        }
        i64::try_from(value).map(Int).map_err(|_out_of_range| E::custom(format!("integer `{value}` is out of range")))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Int, E> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        const AFTER_TRACE: f64 = 9_223_372_036_854_775_808.0;
        if value.to_bits() == AFTER_TRACE.to_bits() {
            return Ok(Int(i64::MAX));
        }
        if value.fract() == 0.0 && value.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            return Ok(Int(value as i64));
        }
        Err(E::custom(format!("`{value}` is no exact integer")))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Int, E> {
        match lexical_core::parse::<i64>(value.as_bytes()) {
            Ok(integer) => Ok(Int(integer)),
            Err(_) => Err(E::custom(format!("`{value}` is no integer"))),
        }
    }
}

/// A text, borrowed from the line unless it holds an escape.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(value.to_owned())))
    }
}

fn text<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    text.map(|text| text.0.as_ref()).filter(|text| !text.is_empty())
}

/// Up to N percentiles.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Distribution<const N: usize> {
    values: [Option<f64>; N],
}

impl<'de, const N: usize> Deserialize<'de> for Distribution<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(DistributionVisitor::<N>)
    }
}

struct DistributionVisitor<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for DistributionVisitor<N> {
    type Value = Distribution<N>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at most {N} percentiles")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Distribution<N>, A::Error> {
        let mut values = [None; N];
        for slot in &mut values {
            let Some(value) = items.next_element()? else { return Ok(Distribution { values }) };
            *slot = value;
        }
        if items.next_element::<de::IgnoredAny>()?.is_some() {
            return Err(de::Error::invalid_length(N + 1, &self));
        }
        Ok(Distribution { values })
    }
}

#[derive(Deserialize, Default, Clone, Copy)]
struct Resources {
    cpus: Option<f64>,
    memory: Option<f64>,
}

/// Absent identifiers and enumerations are at their default.
fn or_zero(value: Option<Int>) -> i64 {
    value.map_or(0, |value| value.0)
}

/// Returns a time, or nothing when it lies after the trace; an absent one is at its default, before the trace.
fn event_time(value: Option<Int>) -> Option<i64> {
    Some(or_zero(value)).filter(|time| *time != i64::MAX)
}

const USAGE: [&str; 24] = [
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

#[derive(Deserialize)]
struct UsageLine {
    start_time: Option<Int>,
    end_time: Option<Int>,
    collection_id: Option<Int>,
    instance_index: Option<Int>,
    machine_id: Option<Int>,
    alloc_collection_id: Option<Int>,
    alloc_instance_index: Option<Int>,
    collection_type: Option<Int>,
    average_usage: Option<Resources>,
    maximum_usage: Option<Resources>,
    random_sample_usage: Option<Resources>,
    assigned_memory: Option<f64>,
    page_cache_memory: Option<f64>,
    cycles_per_instruction: Option<f64>,
    memory_accesses_per_instruction: Option<f64>,
    sample_rate: Option<f64>,
    cpu_usage_distribution: Option<Distribution<11>>,
    tail_cpu_usage_distribution: Option<Distribution<9>>,
}

impl UsageLine {
    fn hand_on(
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

const INSTANCE: [&str; 13] = [
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
struct InstanceLine {
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
    fn hand_on(
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

const COLLECTION: [&str; 13] = [
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
struct CollectionLine<'a> {
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
    fn hand_on(
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

const MACHINE: [&str; 7] =
    ["time", "machine_id", "type", "switch_id", "capacity.cpus", "capacity.memory", "platform_id"];

#[derive(Deserialize)]
struct MachineLine<'a> {
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
    fn hand_on(
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

const ATTRIBUTE: [&str; 4] = ["time", "machine_id", "name", "value"];

#[derive(Deserialize)]
struct AttributeLine<'a> {
    time: Option<Int>,
    machine_id: Option<Int>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    value: Option<Text<'a>>,
}

impl AttributeLine<'_> {
    fn count(&self, columns: &mut Columns) -> Outcome {
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
