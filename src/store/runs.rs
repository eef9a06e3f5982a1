//! One workload's events and samples to its runs: when each began and ended, which request counted, what it is.
//!
//! Pure functions over the rows of one workload, sorted by time and file order; the rules are those of the trace
//! formats' documents (`docs/formats.md`).

use std::collections::BTreeMap;

use crate::trace::{
    Amounts, Duplicates, EventKind, Format, RequestRule, Sample, SampleFlags, WorkloadFlags, format_named,
};
use crate::units::Micros;

use super::in_force::InForce;
use super::rows::{FactRow, SampleRow};
use super::{Ending, Workload};

/// What all workloads of a format share.
pub(super) struct Rules {
    /// Which request counts.
    pub(super) request: RequestRule,
    /// Events at or before this time happened before observation began.
    pub(super) origin: Micros,
    /// A workload without a start event began visibly if its first sample starts after this time.
    pub(super) first_visible_sample: Option<Micros>,
}

/// One run: from one start to the next end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    start: Option<Micros>,
    end: Option<Micros>,
    ending: Ending,
}

/// Splits a workload's events into runs, ascending by start; one run with unknown ends where there is no start event.
fn split(events: &[FactRow], origin: Micros) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut is_open = false;
    let mut scheduled = None;
    for event in events {
        match event.kind {
            // After the trace: no sample is of that run, and its missing start does not mean "before the trace".
            EventKind::Schedule if event.time.is_none() => {}
            // Said twice of one moment, as by two metrics.
            EventKind::Schedule if is_open && event.time == scheduled => {}
            EventKind::Schedule => {
                // A schedule while a run is open repeats it (a restart without an end event counts as a new run).
                let start = event.time.filter(|&time| time > origin);
                runs.push(Run { start, end: None, ending: Ending::Unknown });
                is_open = true;
                scheduled = event.time;
            }
            kind if kind.is_end() && is_open => {
                if let Some(run) = runs.last_mut() {
                    let is_certain = !event.flags.contains(WorkloadFlags::END_CENSORED) && kind != EventKind::Lost;
                    run.end = event.time.filter(|_| is_certain);
                    run.ending = match kind {
                        EventKind::Finish if is_certain => Ending::Finished,
                        EventKind::Fail if is_certain => Ending::Failed,
                        EventKind::Kill if is_certain => Ending::Killed,
                        EventKind::Evict if is_certain => Ending::Evicted,
                        _ => Ending::Unknown,
                    };
                }
                is_open = false;
            }
            _ => {}
        }
    }
    if runs.is_empty() {
        runs.push(Run { start: None, end: None, ending: Ending::Unknown });
    }
    runs
}

/// Sets the run of every sample, resolves shares of the request and relative times, and fills in the request in force.
/// `events` are sorted by [`FactRow::order`], `samples` by start.
pub(super) fn assign(events: &[FactRow], request: &InForce, samples: &mut [SampleRow], rules: &Rules) -> Vec<Run> {
    let mut runs = split(events, rules.origin);
    resolve_times(samples, runs[0].start);
    if let ([run], Some(visible), Some(first)) = (runs.as_mut_slice(), rules.first_visible_sample, samples.first())
        && run.start.is_none()
        && !events.iter().any(|event| matches!(event.kind, EventKind::Schedule | EventKind::Submit))
        && first.sample.start > visible
    {
        run.start = Some(first.sample.start);
    }
    for row in samples.iter_mut() {
        let half = Micros((row.sample.duration.0 / 2).max(1_000_000));
        let middle = row.sample.start.plus(half);
        let begun = runs.partition_point(|run| run.start.is_none_or(|start| start < middle));
        row.run = u32::try_from(begun.saturating_sub(1)).unwrap_or(u32::MAX);
        let in_force = request.at(row.sample.start);
        fill_request(&mut row.sample, in_force);
    }
    runs
}

/// Joins a series with its events: [`assign`]s, sorts the samples by (run, start, file order), and returns one
/// [`Workload`] per run with the median step of its samples.
pub(super) fn join(
    id: &str,
    format: &str,
    events: &[FactRow],
    request: &InForce,
    samples: &mut [SampleRow],
    rules: &Rules,
    bucket: u32,
) -> Vec<(Workload, Micros)> {
    let runs = assign(events, request, samples, rules);
    let limit = InForce::limit(events);
    let common = Workload { bucket, ..stated(id, format, events) };
    samples.sort_by_key(|row| (row.run, row.order()));
    let mut workloads = Vec::with_capacity(runs.len());
    for (number, run) in runs.iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let begin = samples.partition_point(|row| row.run < number);
        let end = samples.partition_point(|row| row.run <= number);
        let own = &samples[begin..end];
        let at = run.start.or(own.first().map(|row| row.sample.start)).unwrap_or(rules.origin);
        let described = describe(&common, number, *run, request.at(at), limit.at(at), own);
        workloads.push((described, median_step(own)));
    }
    workloads
}

fn resolve_times(samples: &mut [SampleRow], start: Option<Micros>) {
    let Some(start) = start else { return };
    for row in samples.iter_mut().filter(|row| row.sample.flags.contains(SampleFlags::RELATIVE_TIME)) {
        row.sample.start = row.sample.start.plus(start);
        row.sample.flags = row.sample.flags.without(SampleFlags::RELATIVE_TIME);
    }
    samples.sort_by_key(SampleRow::order);
}

fn fill_request(sample: &mut Sample, request: Amounts) {
    sample.cpu_request = sample.cpu_request.or(request.cpu);
    sample.memory_request = sample.memory_request.or(request.memory);
    if sample.flags.contains(SampleFlags::CPU_OF_REQUEST)
        && let Some(request) = request.cpu
    {
        sample.cpu = sample.cpu.map(|share| share * request);
        sample.cpu_max = sample.cpu_max.map(|share| share * request);
        sample.flags = sample.flags.without(SampleFlags::CPU_OF_REQUEST);
    }
    if sample.flags.contains(SampleFlags::MEMORY_OF_REQUEST)
        && let Some(request) = request.memory
    {
        sample.memory = sample.memory.map(|share| share * request);
        sample.memory_max = sample.memory_max.map(|share| share * request);
        sample.flags = sample.flags.without(SampleFlags::MEMORY_OF_REQUEST);
    }
}

/// Returns what a workload's statements say of all its runs; of each field the last one counts.
fn stated(id: &str, format: &str, events: &[FactRow]) -> Workload {
    let last_of = |of: fn(&FactRow) -> Option<&String>| events.iter().rev().find_map(of).cloned();
    let labels = events.iter().rev().find_map(|event| event.labels.as_deref());
    Workload {
        application: last_of(|event| event.application.as_ref()),
        user: last_of(|event| event.user.as_ref()),
        class: last_of(|event| event.class.as_ref()),
        priority: events.iter().rev().find_map(|event| event.priority),
        replicas: events.iter().rev().find_map(|event| event.replicas),
        labels: labels.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        flags: events.iter().fold(WorkloadFlags::default(), |flags, event| {
            // A synthetic row says nothing about the workload as a whole.
            flags.with(WorkloadFlags(event.flags.0 & !WorkloadFlags::SYNTHETIC.0))
        }),
        ..Workload::new(id, format, None, None)
    }
}

/// Returns one run: what is `common` to all, what was in force when it began, and what its own samples say.
fn describe(
    common: &Workload,
    number: u32,
    run: Run,
    stated: Amounts,
    limit: Amounts,
    samples: &[SampleRow],
) -> Workload {
    let in_rows = samples.first().map(|row| row.sample);
    let request = Amounts {
        cpu: stated.cpu.or(in_rows.and_then(|sample| sample.cpu_request)),
        memory: stated.memory.or(in_rows.and_then(|sample| sample.memory_request)),
        disk: stated.disk,
    };
    let most = |of: fn(&SampleRow) -> Option<f64>, least: Option<f64>| {
        samples.iter().filter_map(of).chain(least).reduce(f64::max)
    };
    let largest_request = Amounts {
        cpu: most(|row| row.sample.cpu_request, request.cpu),
        memory: most(|row| row.sample.memory_request, request.memory),
        disk: request.disk,
    };
    let mut flags = common.flags;
    if samples.iter().any(|row| row.sample.flags.contains(SampleFlags::IN_ALLOC)) {
        flags = flags.with(WorkloadFlags::IN_ALLOC);
    }
    if samples.iter().any(|row| row.sample.flags.contains(SampleFlags::CPU_OF_REQUEST)) {
        flags = flags.with(WorkloadFlags::UTILISATION_ONLY);
    }
    if samples.iter().any(|row| row.sample.flags.contains(SampleFlags::MEMORY_ACTIVE)) {
        flags = flags.with(WorkloadFlags::MEMORY_ACTIVE);
    }
    Workload {
        run: number,
        start: run.start,
        end: run.end,
        ending: run.ending,
        request,
        limit,
        largest_request,
        flags,
        samples: samples.len() as u64,
        first_sample: samples.first().map(|row| row.sample.start),
        last_sample: samples.iter().map(|row| row.sample.start.plus(row.sample.duration)).max(),
        ..common.clone()
    }
}

/// Returns the median time between the starts of the samples of one run.
fn median_step(samples: &[SampleRow]) -> Micros {
    let mut steps: Vec<i64> = samples.windows(2).map(|pair| pair[1].sample.start.0 - pair[0].sample.start.0).collect();
    if steps.is_empty() {
        return Micros::ZERO;
    }
    let middle = steps.len() / 2;
    Micros(*steps.select_nth_unstable(middle).1)
}

/// The first and the last sample of each recording. Formats without recordings of their own share one.
#[derive(Debug, Default)]
pub(super) struct Recordings(BTreeMap<Option<(String, String)>, [Option<Micros>; 2]>);

impl Recordings {
    fn name_of(workload: &Workload) -> Option<(String, String)> {
        let name = format_named(&workload.format)?.recording_of(&workload.id)?;
        Some((workload.format.clone(), name.to_owned()))
    }

    /// Takes a run's first and last sample into account.
    pub(super) fn see(&mut self, workload: &Workload) {
        self.widen(Self::name_of(workload), [workload.first_sample, workload.last_sample]);
    }

    fn widen(&mut self, name: Option<(String, String)>, span: [Option<Micros>; 2]) {
        let [first, last] = self.0.entry(name).or_default();
        *first = [*first, span[0]].into_iter().flatten().min();
        *last = (*last).max(span[1]);
    }

    /// Takes what another saw into account.
    pub(super) fn merge(&mut self, other: &Self) {
        for (name, span) in &other.0 {
            self.widen(name.clone(), *span);
        }
    }

    /// Returns the start of the first and the end of the last sample of all.
    pub(super) fn span(&self) -> (Option<Micros>, Option<Micros>) {
        let first = self.0.values().filter_map(|[first, _]| *first).min();
        (first, self.0.values().filter_map(|[_, last]| *last).max())
    }
}

/// Says of a run what only the whole recording can tell: a series that stops well before the recording does has ended
/// there, though nothing says how; and a series of a user's table, or of a virtual machine, that begins well after the first
/// one began visibly (workloads that ran already are first sampled at different moments of the first steps).
/// `step` is the median step of the run's samples.
pub(super) fn conclude(workload: &mut Workload, step: Micros, recordings: &Recordings) {
    let [first, last] = recordings.0.get(&Recordings::name_of(workload)).copied().unwrap_or_default();
    let margin = Micros(step.0.saturating_mul(2).max(60_000_000));
    if workload.end.is_none() {
        workload.end = workload.last_sample.filter(|at| last.is_some_and(|last| at.plus(margin) < last));
    }
    let has_no_events = format_named(&workload.format).is_some_and(Format::has_starts_of_first_samples);
    if workload.start.is_none() && has_no_events && workload.run == 0 {
        workload.start = workload.first_sample.filter(|at| first.is_some_and(|first| *at > first.plus(margin)));
    }
}

/// Sorts samples by (start, file order), drops equal ones and makes one of those that differ, as the format says. Returns
/// how many were dropped and merged.
pub(super) fn settle(samples: &mut Vec<SampleRow>, rule: Duplicates) -> (u64, u64) {
    samples.sort_by_key(SampleRow::order);
    if samples.windows(2).all(|pair| pair[0].sample.start < pair[1].sample.start) {
        return (0, 0);
    }
    let (mut dropped, mut merged) = (0, 0);
    let mut kept: Vec<SampleRow> = Vec::with_capacity(samples.len());
    for row in samples.drain(..) {
        match kept.last_mut() {
            Some(last) if last.sample.start == row.sample.start => match rule {
                _ if last.sample == row.sample => dropped += 1,
                Duplicates::First => dropped += 1,
                Duplicates::Larger => {
                    last.sample = larger(&last.sample, &row.sample);
                    merged += 1;
                }
                Duplicates::Merge => {
                    merge(&mut last.sample, &row.sample);
                    merged += 1;
                }
            },
            _ => kept.push(row),
        }
    }
    *samples = kept;
    (dropped, merged)
}

/// Returns the larger one of each amount.
fn larger(one: &Sample, other: &Sample) -> Sample {
    let (mut amounts, others) = (one.amounts(), other.amounts());
    for (amount, other) in amounts.iter_mut().zip(others) {
        *amount = [*amount, other].into_iter().flatten().reduce(f64::max);
    }
    let flags = one.flags.with(other.flags).with(SampleFlags::MERGED);
    Sample { duration: one.duration.max(other.duration), flags, ..one.with_amounts(amounts) }
}

fn merge(into: &mut Sample, other: &Sample) {
    // Metrics that come one by one fill each other's gaps: nothing was measured twice.
    let is_twice = into.amounts().iter().zip(other.amounts()).any(|(one, other)| one.is_some() && other.is_some());
    let weights = [into.duration.0.max(1) as f64, other.duration.0.max(1) as f64];
    let mean = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Some((a * weights[0] + b * weights[1]) / (weights[0] + weights[1])),
        (a, b) => a.or(b),
    };
    let most = |a: Option<f64>, b: Option<f64>| [a, b].into_iter().flatten().reduce(f64::max);
    into.cpu = mean(into.cpu, other.cpu);
    into.memory = mean(into.memory, other.memory);
    into.network_received = mean(into.network_received, other.network_received);
    into.network_transmitted = mean(into.network_transmitted, other.network_transmitted);
    into.disk_read = mean(into.disk_read, other.disk_read);
    into.disk_written = mean(into.disk_written, other.disk_written);
    into.disk_busy = mean(into.disk_busy, other.disk_busy);
    into.cpu_max = most(into.cpu_max, other.cpu_max);
    into.memory_max = most(into.memory_max, other.memory_max);
    into.cpu_throttled = most(into.cpu_throttled, other.cpu_throttled);
    into.cpu_request = other.cpu_request.or(into.cpu_request);
    into.memory_request = other.memory_request.or(into.memory_request);
    into.memory_limit = other.memory_limit.or(into.memory_limit);
    into.duration = into.duration.max(other.duration);
    into.flags = into.flags.with(other.flags);
    if is_twice {
        into.flags = into.flags.with(SampleFlags::MERGED);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::trace::RequestRule;

    const RULES: Rules =
        Rules { request: RequestRule::LastAtOrBefore, origin: Micros::ZERO, first_visible_sample: None };

    fn event(sequence: u64, time: Option<i64>, kind: EventKind) -> FactRow {
        FactRow {
            format: Arc::from("google-2011"),
            key: Arc::from("1/0"),
            source: 0,
            sequence,
            time: time.map(Micros::from_seconds),
            kind,
            request: Amounts::default(),
            limit: Amounts::default(),
            application: None,
            user: None,
            class: None,
            priority: None,
            machine: None,
            replicas: None,
            labels: None,
            scaling: None,
            flags: WorkloadFlags::default(),
        }
    }

    fn sample(seconds: i64) -> SampleRow {
        let sample =
            Sample { start: Micros::from_seconds(seconds), duration: Micros::from_seconds(300), ..Sample::default() };
        SampleRow { run: 0, source: 0, sequence: 0, sample }
    }

    /// Start in seconds, ending and samples of each run.
    fn runs(events: &[FactRow], starts: &[i64]) -> Vec<(Option<i64>, Ending, u64)> {
        let mut samples: Vec<SampleRow> = starts.iter().map(|&start| sample(start)).collect();
        let request = InForce::request(events, RULES.request);
        let joined = join("1/0", "google-2011", events, &request, &mut samples, &RULES, 0);
        let seconds = |start: Micros| start.0 / 1_000_000;
        joined.into_iter().map(|(run, _)| (run.start.map(seconds), run.ending, run.samples)).collect()
    }

    #[test]
    fn samples_belong_to_the_run_that_had_begun_in_their_middle() {
        let events = [
            event(0, Some(0), EventKind::Schedule),
            event(1, Some(1_000), EventKind::Evict),
            event(2, Some(1_040), EventKind::Schedule),
            event(3, Some(2_000), EventKind::Finish),
        ];
        // The sample from 900 to 1200 s has its middle after the second start, that from 600 s before.
        let found = runs(&events, &[300, 600, 900, 1_200]);
        assert_eq!(found, vec![(None, Ending::Evicted, 2), (Some(1_040), Ending::Finished, 2)]);
    }

    #[test]
    fn a_start_after_the_trace_takes_no_samples() {
        let events = [event(0, Some(700), EventKind::Schedule), event(1, None, EventKind::Schedule)];
        assert_eq!(runs(&events, &[700, 1_000]), vec![(Some(700), Ending::Unknown, 2)]);
        assert_eq!(runs(&events[1..], &[700]), vec![(None, Ending::Unknown, 1)]);
    }
}
