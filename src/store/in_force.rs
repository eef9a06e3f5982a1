//! Which request and which limit were in force at a time, from the statements about one workload.
//!
//! The statements are walked once; every sample then asks in the logarithm of their number. A walk per sample lost:
//! a task that is restarted or resized thousands of times has as many samples as statements.

use crate::trace::{Amounts, RequestRule, WorkloadFlags};
use crate::units::Micros;

use super::rows::FactRow;

/// Amounts over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct InForce {
    /// What is in force before the first change.
    before: Amounts,
    /// When amounts changed, ascending, and what is in force from then on.
    changes: Vec<(Micros, Amounts)>,
}

impl InForce {
    /// Returns the request over time: the newest non-empty value of each resource, or at any time the first one of all
    /// where the format says so. Synthetic rows never count, nor does what is stated after the trace as the newest.
    /// `events` are sorted by [`FactRow::order`].
    pub(super) fn request(events: &[FactRow], rule: RequestRule) -> Self {
        let counted = events.iter().filter(|event| !event.flags.contains(WorkloadFlags::SYNTHETIC));
        match rule {
            RequestRule::LastAtOrBefore => Self::newest(counted.map(|event| (event.time, event.request))),
            RequestRule::First => {
                let before = counted.fold(Amounts::default(), |first, event| or(first, event.request));
                Self { before, changes: Vec::new() }
            }
        }
    }

    /// Returns the limit on CPU and memory over time: the newest non-empty value of each.
    pub(super) fn limit(events: &[FactRow]) -> Self {
        Self::newest(events.iter().map(|event| (event.time, Amounts { disk: None, ..event.limit })))
    }

    fn newest(statements: impl Iterator<Item = (Option<Micros>, Amounts)>) -> Self {
        let mut found = Self::default();
        let mut newest = Amounts::default();
        for (time, stated) in statements {
            let Some(time) = time else { break };
            let next = or(stated, newest);
            if next != newest {
                found.changes.push((time, next));
                newest = next;
            }
        }
        found
    }

    /// Returns what is in force at `time`, changes at that very time included.
    pub(super) fn at(&self, time: Micros) -> Amounts {
        let begun = self.changes.partition_point(|(since, _)| *since <= time);
        begun.checked_sub(1).and_then(|last| self.changes.get(last)).map_or(self.before, |(_, amounts)| *amounts)
    }
}

/// Returns each amount of the first, or of the second where the first is silent.
fn or(first: Amounts, second: Amounts) -> Amounts {
    Amounts { cpu: first.cpu.or(second.cpu), memory: first.memory.or(second.memory), disk: first.disk.or(second.disk) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::trace::EventKind;

    fn amounts() -> impl Strategy<Value = Amounts> {
        let amount = || prop::option::of(prop::sample::select(vec![0.0, 0.25, 0.5, 1.0]));
        (amount(), amount(), amount()).prop_map(|(cpu, memory, disk)| Amounts { cpu, memory, disk })
    }

    /// Statements at a few times, many of them equal, in the store's order.
    fn events() -> impl Strategy<Value = Vec<FactRow>> {
        let flags = prop::sample::select(vec![WorkloadFlags::default(), WorkloadFlags::SYNTHETIC]);
        let event = (prop::option::weighted(0.9, 0_i64..12), amounts(), amounts(), flags);
        prop::collection::vec(event, 0..24).prop_map(|events| {
            let mut rows: Vec<FactRow> = (0_u64..)
                .zip(events)
                .map(|(sequence, (time, request, limit, flags))| FactRow {
                    format: Arc::from("table"),
                    key: Arc::from("a"),
                    source: 0,
                    sequence,
                    time: time.map(Micros),
                    kind: EventKind::Update,
                    request,
                    limit,
                    application: None,
                    user: None,
                    class: None,
                    priority: None,
                    machine: None,
                    replicas: None,
                    labels: None,
                    scaling: None,
                    flags,
                })
                .collect();
            rows.sort_by_key(FactRow::order);
            rows
        })
    }

    /// The rules as they are written down, one walk per question.
    fn walked(events: &[FactRow], rule: RequestRule, time: Micros) -> (Amounts, Amounts) {
        let (mut request, mut limit) = (Amounts::default(), Amounts::default());
        for event in events {
            let is_past = event.time.is_some_and(|at| at <= time);
            let is_synthetic = event.flags.contains(WorkloadFlags::SYNTHETIC);
            match rule {
                RequestRule::LastAtOrBefore if is_past && !is_synthetic => {
                    request.cpu = event.request.cpu.or(request.cpu);
                    request.memory = event.request.memory.or(request.memory);
                    request.disk = event.request.disk.or(request.disk);
                }
                RequestRule::First if !is_synthetic => {
                    request.cpu = request.cpu.or(event.request.cpu);
                    request.memory = request.memory.or(event.request.memory);
                    request.disk = request.disk.or(event.request.disk);
                }
                _ => {}
            }
            if is_past {
                limit.cpu = event.limit.cpu.or(limit.cpu);
                limit.memory = event.limit.memory.or(limit.memory);
            }
        }
        (request, limit)
    }

    proptest! {
        #[test]
        fn one_walk_answers_as_a_walk_per_question(events in events()) {
            for rule in [RequestRule::LastAtOrBefore, RequestRule::First] {
                let (request, limit) = (InForce::request(&events, rule), InForce::limit(&events));
                for time in (-1..14).map(Micros).chain([Micros(i64::MIN), Micros(i64::MAX)]) {
                    prop_assert_eq!((request.at(time), limit.at(time)), walked(&events, rule, time), "at {:?}", time);
                }
            }
        }
    }
}
