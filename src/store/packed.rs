//! Rows as bytes while they wait to be compacted: what a row needs and nothing else.
//!
//! A record is `time i64 · sequence u64 · slot u32 · length u32 · payload`, little endian. The payload of a sample is its
//! duration, flags, a mask of the amounts that are there, and those; that of a fact likewise, with texts at the end.
//! A sample of the 2011 Google trace takes 78 bytes, against 264 as a [`SampleRow`].

use std::sync::Arc;

use crate::trace::{Amounts, EventKind, EventRow, GroupRow, MachineRow, Sample, SampleFlags, WorkloadFlags};
use crate::units::Micros;

use super::rows::{FactRow, SampleRow};

/// Bytes of a record before its payload.
pub(super) const HEAD: usize = 24;

/// What every record begins with, and what its order in a series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordHead {
    /// Start of a sample; time of a fact, the largest number where it lies after the trace.
    pub(super) time: i64,
    pub(super) sequence: u64,
    /// Which file of its ingest the row came from.
    pub(super) slot: u32,
}

/// Bytes of a sample's record at most.
pub(super) const LARGEST_SAMPLE: usize = HEAD + 14 + 13 * 8;

/// Appends a sample as a record.
pub(super) fn sample(block: &mut Vec<u8>, slot: u32, sequence: u64, sample: &Sample) {
    let mut record = [0_u8; LARGEST_SAMPLE];
    let (mut mask, mut end) = (0_u16, HEAD + 14);
    for (bit, amount) in sample.amounts().into_iter().enumerate() {
        // Written in any case, kept when it is there: whether it is differs by column and cannot be foreseen.
        record[end..end + 8].copy_from_slice(&amount.unwrap_or_default().to_le_bytes());
        mask |= u16::from(amount.is_some()) << bit;
        end += 8 * usize::from(amount.is_some());
    }
    let length = u32::try_from(end - HEAD).unwrap_or(u32::MAX);
    record[..8].copy_from_slice(&sample.start.0.to_le_bytes());
    record[8..16].copy_from_slice(&sequence.to_le_bytes());
    record[16..20].copy_from_slice(&slot.to_le_bytes());
    record[20..24].copy_from_slice(&length.to_le_bytes());
    record[24..32].copy_from_slice(&sample.duration.0.to_le_bytes());
    record[32..36].copy_from_slice(&sample.flags.0.to_le_bytes());
    record[36..38].copy_from_slice(&mask.to_le_bytes());
    block.extend_from_slice(&record[..end]);
}

/// Writes the records of facts into a buffer, one at a time.
#[derive(Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
}

impl Packer {
    fn begin(&mut self, head: RecordHead) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&head.time.to_le_bytes());
        self.bytes.extend_from_slice(&head.sequence.to_le_bytes());
        self.bytes.extend_from_slice(&head.slot.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
    }

    /// Writes the length, now that it is known.
    fn end(&mut self) {
        let length = u32::try_from(self.bytes.len() - HEAD).unwrap_or(u32::MAX);
        self.bytes[HEAD - 4..HEAD].copy_from_slice(&length.to_le_bytes());
    }

    /// Returns the last record.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn fact(&mut self, slot: u32, fact: &Fact<'_>) {
        self.begin(RecordHead { time: fact.time.map_or(i64::MAX, |time| time.0), sequence: fact.sequence, slot });
        self.bytes.push(fact.kind as u8);
        self.bytes.extend_from_slice(&fact.flags.0.to_le_bytes());
        let numbers = [fact.request.cpu, fact.request.memory, fact.request.disk, fact.limit.cpu, fact.limit.memory];
        let mut mask = 0_u16;
        for (bit, is_there) in numbers
            .iter()
            .map(Option::is_some)
            .chain([fact.priority.is_some(), fact.replicas.is_some(), fact.scaling.is_some()])
            .chain(fact.texts.iter().map(Option::is_some))
            .enumerate()
        {
            mask |= u16::from(is_there) << bit;
        }
        self.bytes.extend_from_slice(&mask.to_le_bytes());
        for number in numbers.into_iter().flatten() {
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
        if let Some(priority) = fact.priority {
            self.bytes.extend_from_slice(&priority.to_le_bytes());
        }
        if let Some(replicas) = fact.replicas {
            self.bytes.extend_from_slice(&replicas.to_le_bytes());
        }
        self.bytes.extend(fact.scaling);
        for text in fact.texts.into_iter().flatten() {
            self.bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            self.bytes.extend_from_slice(text.as_bytes());
        }
        self.end();
    }

    /// Packs an event as a record.
    pub(super) fn event(&mut self, slot: u32, event: &EventRow<'_>) {
        let labels: std::collections::BTreeMap<&str, &str> = event.labels.iter().copied().collect();
        let labels = if labels.is_empty() { None } else { serde_json::to_string(&labels).ok() };
        self.fact(
            slot,
            &Fact {
                time: event.time,
                sequence: event.sequence,
                kind: event.kind,
                request: event.request,
                limit: event.limit,
                priority: event.priority,
                replicas: event.replicas,
                scaling: None,
                texts: [event.application, event.user, event.class, event.machine, labels.as_deref()],
                flags: event.flags,
            },
        );
    }

    /// Packs a statement about a group as a record.
    pub(super) fn group(&mut self, slot: u32, group: &GroupRow<'_>) {
        self.fact(
            slot,
            &Fact {
                time: group.time,
                sequence: group.sequence,
                kind: group.kind,
                request: Amounts::default(),
                limit: Amounts::default(),
                priority: group.priority,
                replicas: None,
                scaling: group.scaling.map(|scaling| scaling as u8),
                texts: [group.application, group.user, group.class, None, None],
                flags: WorkloadFlags::default(),
            },
        );
    }

    /// Packs a statement about a machine as a record: its platform and status stand where an event has machine and
    /// labels.
    pub(super) fn machine(&mut self, slot: u32, machine: &MachineRow<'_>) {
        self.fact(
            slot,
            &Fact {
                time: machine.time,
                sequence: machine.sequence,
                kind: EventKind::Exists,
                request: machine.capacity,
                limit: Amounts::default(),
                priority: None,
                replicas: None,
                scaling: None,
                texts: [None, None, None, machine.platform, Some(machine.status)],
                flags: WorkloadFlags::default(),
            },
        );
    }
}

/// A fact before it is packed; texts are application, user, class, machine, labels.
struct Fact<'a> {
    time: Option<Micros>,
    sequence: u64,
    kind: EventKind,
    request: Amounts,
    limit: Amounts,
    priority: Option<i32>,
    replicas: Option<u32>,
    scaling: Option<u8>,
    texts: [Option<&'a str>; 5],
    flags: WorkloadFlags,
}

/// Takes values off the front of bytes; nothing when they end early.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn f64(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.u32()? as usize;
        Some(std::str::from_utf8(self.bytes(length)?).ok()?.to_owned())
    }
}

/// Returns the head of the record at the front of `bytes`, and the length of the whole record.
pub(super) fn head(bytes: &[u8]) -> Option<(RecordHead, usize)> {
    let mut cursor = Cursor(bytes);
    let time = i64::from_le_bytes(cursor.take()?);
    let sequence = u64::from_le_bytes(cursor.take()?);
    let slot = cursor.u32()?;
    let length = cursor.u32()? as usize;
    Some((RecordHead { time, sequence, slot }, HEAD + length))
}

/// A row that can be read from a record.
pub(super) trait Packed: Sized {
    /// Returns the row, or nothing when the bytes are no record. `source` replaces the slot.
    fn unpack(format: &Arc<str>, key: &Arc<str>, source: u32, head: RecordHead, payload: &[u8]) -> Option<Self>;
}

impl Packed for SampleRow {
    fn unpack(_format: &Arc<str>, _key: &Arc<str>, source: u32, head: RecordHead, payload: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(payload);
        let duration = Micros(i64::from_le_bytes(cursor.take()?));
        let flags = SampleFlags(cursor.u32()?);
        let mask = u16::from_le_bytes(cursor.take()?);
        let mut amounts = [None; 13];
        for (bit, amount) in amounts.iter_mut().enumerate() {
            if mask >> bit & 1 == 1 {
                *amount = Some(cursor.f64()?);
            }
        }
        let bare = Sample { start: Micros(head.time), duration, flags, ..Sample::default() };
        Some(Self { run: 0, source, sequence: head.sequence, sample: bare.with_amounts(amounts) })
    }
}

impl Packed for FactRow {
    fn unpack(format: &Arc<str>, key: &Arc<str>, source: u32, head: RecordHead, payload: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(payload);
        let [kind] = cursor.take()?;
        let flags = WorkloadFlags(cursor.u32()?);
        let mask = u16::from_le_bytes(cursor.take()?);
        let is_there = |bit: u32| mask >> bit & 1 == 1;
        let mut numbers = [None; 5];
        for (bit, number) in (0..).zip(&mut numbers) {
            if is_there(bit) {
                *number = Some(cursor.f64()?);
            }
        }
        let priority = if is_there(5) { Some(i32::from_le_bytes(cursor.take()?)) } else { None };
        let replicas = if is_there(6) { Some(cursor.u32()?) } else { None };
        let scaling = if is_there(7) { Some(u8::from_le_bytes(cursor.take()?)) } else { None };
        let mut texts = [const { None }; 5];
        for (bit, text) in (8..).zip(&mut texts) {
            if is_there(bit) {
                *text = Some(cursor.text()?);
            }
        }
        let [application, user, class, machine, labels] = texts;
        let [cpu, memory, disk, cpu_limit, memory_limit] = numbers;
        Some(Self {
            format: Arc::clone(format),
            key: Arc::clone(key),
            source,
            sequence: head.sequence,
            time: (head.time != i64::MAX).then_some(Micros(head.time)),
            kind: EventKind::from_code(kind)?,
            request: Amounts { cpu, memory, disk },
            limit: Amounts { cpu: cpu_limit, memory: memory_limit, disk: None },
            application,
            user,
            class,
            priority,
            machine,
            replicas,
            labels,
            scaling,
            flags,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unpacked<T: Packed>(record: &[u8]) -> (T, RecordHead) {
        let (head, length) = head(record).expect("a head");
        assert_eq!(length, record.len());
        let row = T::unpack(&Arc::from("table"), &Arc::from("a"), head.slot, head, &record[HEAD..]);
        (row.expect("a row"), head)
    }

    proptest! {
        #[test]
        fn samples_come_back_as_they_were(
            times in any::<[i64; 2]>(),
            sequence in any::<u64>(),
            amounts in any::<[Option<u32>; 13]>(),
            flags in any::<u32>(),
        ) {
            let amounts = amounts.map(|amount| amount.map(|amount| f64::from(amount) / 7.0));
            let bare = Sample { start: Micros(times[0]), duration: Micros(times[1]), ..Sample::default() };
            let sample = Sample { flags: SampleFlags(flags), ..bare.with_amounts(amounts) };
            let mut record = Vec::new();
            super::sample(&mut record, 9, sequence, &sample);
            let (row, head): (SampleRow, _) = unpacked(&record);
            prop_assert_eq!(row.sample, sample);
            prop_assert_eq!((row.sequence, row.source, head.time), (sequence, 9, times[0]));
        }

        #[test]
        fn events_come_back_as_they_were(
            time in prop::option::of(0_i64..1 << 40),
            numbers in any::<[Option<u16>; 5]>(),
            texts in any::<[Option<String>; 4]>(),
            rest in any::<(Option<i32>, Option<u32>, u32)>(),
        ) {
            let numbers = numbers.map(|number| number.map(f64::from));
            let [application, user, class, machine] = &texts;
            let event = EventRow {
                request: Amounts { cpu: numbers[0], memory: numbers[1], disk: numbers[2] },
                limit: Amounts { cpu: numbers[3], memory: numbers[4], disk: None },
                application: application.as_deref(),
                user: user.as_deref(),
                class: class.as_deref(),
                machine: machine.as_deref(),
                priority: rest.0,
                replicas: rest.1,
                flags: WorkloadFlags(rest.2),
                labels: &[("team", "ä")],
                ..EventRow::new("a", time.map(Micros), 7, EventKind::Evict)
            };
            let mut packer = Packer::default();
            packer.event(3, &event);
            let (row, _): (FactRow, _) = unpacked(packer.bytes());
            prop_assert_eq!((row.time, row.sequence, row.kind), (event.time, 7, EventKind::Evict));
            prop_assert_eq!((row.request, row.limit, row.flags), (event.request, event.limit, event.flags));
            prop_assert_eq!((row.priority, row.replicas), (event.priority, event.replicas));
            prop_assert_eq!([row.application, row.user, row.class, row.machine], texts);
            prop_assert_eq!(row.labels.as_deref(), Some("{\"team\":\"ä\"}"));
        }
    }
}
