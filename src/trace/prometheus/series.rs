//! Points of series to samples, requests and restarts.

use std::collections::BTreeMap;
use std::io::BufRead;

use hashbrown::HashMap;
use serde::de::DeserializeSeed;

use super::super::delimited::io_error;
use super::super::known::note;
use super::super::summary::ColumnSummary;
use super::super::{Amounts, Context, Dataset, EventKind, EventRow, Rejected, Sample, TableSummary, TraceError};
use super::labels::{Container, NoContainer};
use super::metric::Metric;
use super::refused;
use super::response::{Answer, Envelope, Series};
use crate::units::Micros;

/// A counter rises at nearly every point of a series this long; a rate does not.
const LEAST_POINTS_OF_A_COUNTER: usize = 20;
/// A container that is not seen for this many steps was another one afterwards.
const STEPS_OF_A_RESTART: i64 = 5;
/// Larger values are no measurement, and rates of them would not be finite (ours).
const LARGEST: f64 = 1e300;

/// What is remembered between series.
#[derive(Default)]
struct Running {
    /// Points so far.
    row: u64,
    columns: BTreeMap<&'static str, ColumnSummary>,
    /// Last point of each metric of a container: points at or before it come from another scrape or repeat the edge of
    /// a range.
    last: HashMap<(Metric, String), Micros>,
    /// Containers whose application was handed on.
    known: HashMap<String, ()>,
    failure: Option<TraceError>,
}

/// Reads all answers of a file.
pub(super) fn read(text: &mut dyn BufRead, context: &mut Context<'_>) -> Result<(), TraceError> {
    let by_name = Metric::named_in(context.file.rsplit('/').next().unwrap_or_default())
        .or_else(|| Metric::named_in(context.file));
    let mut running = Running::default();
    let mut answers = serde_json::Deserializer::from_reader(text);
    loop {
        let mut envelope = Envelope::default();
        let mut take =
            |series: Series| running.take(series, by_name, context).map_err(|error| running.failure = Some(error));
        let outcome = Answer { envelope: &mut envelope, take: &mut take }.deserialize(&mut answers);
        if let Some(failure) = running.failure.take() {
            return Err(failure);
        }
        if envelope.status == "error" {
            let found = envelope.error.unwrap_or_default();
            let hint = "correct the query, and save its answer again";
            return Err(refused(context, running.row, "error", &found, "Prometheus answered with an error", hint));
        }
        if matches!(envelope.result_type.as_str(), "scalar" | "string") {
            let what = "the answer is a single value, not series of containers";
            let hint = "query a metric of containers by `query_range`, as in `container_memory_working_set_bytes`";
            return Err(refused(context, running.row, "resultType", &envelope.result_type, what, hint));
        }
        outcome.map_err(|error| match error.classify() {
            serde_json::error::Category::Io => io_error(context.file, running.row, error.into()),
            _ => TraceError::Truncated {
                file: context.file.to_owned(),
                what: format!("the JSON is no answer of Prometheus, or is cut ({error})"),
                row: running.row,
            },
        })?;
        for warning in envelope.warnings {
            note(&format!("Prometheus warned: {warning}"), context);
        }
        if answers.end().is_ok() {
            break;
        }
    }
    let columns = running.columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect();
    context.summary.merge(&TableSummary { columns, ..TableSummary::default() });
    Ok(())
}

impl Running {
    fn take(&mut self, series: Series, by_name: Option<Metric>, context: &mut Context<'_>) -> Result<(), TraceError> {
        let name = series.metric.get("__name__").map(String::as_str);
        let Some(metric) = name.map_or(by_name, Metric::named_in) else {
            let what = "which metric it is cannot be told: `__name__` is missing or unknown, and the file's name holds no known metric";
            let hint = "name the file after the metric, as in `container_cpu_usage_seconds_total.json`; `rate()` takes the name away";
            return Err(refused(context, self.row, "__name__", name.unwrap_or_default(), what, hint));
        };
        if series.histograms.is_some() {
            note("native histograms are passed over", context);
        }
        let is_instant = series.values.is_empty() && series.value.is_some();
        if is_instant && !metric.is_statement() {
            let what = "the answer is one instant (`vector`), which is of use for requests and limits alone";
            let hint = "ask `query_range` for a series";
            return Err(refused(context, self.row, "resultType", "vector", what, hint));
        }
        let container = match Container::of(&series.metric) {
            Ok(container) => container,
            Err(why) => {
                self.leave_out(&series, metric, why, context);
                return Ok(());
            }
        };
        if metric == Metric::PodStart {
            self.leave_out(&series, metric, NoContainer::Sum, context);
            return Ok(());
        }
        let points = self.points(series.values.into_iter().chain(series.value), metric, &container, context);
        let node = series.metric.get("node").map(String::as_str);
        if !self.known.contains_key(&container.workload) && !metric.is_statement() {
            self.known.insert(container.workload.clone(), ());
            // It says nothing about when the container began: that is for the samples to show.
            let exists = EventRow::new(
                &container.workload,
                Some(Micros(i64::MIN)),
                context.sequence(self.row),
                EventKind::Exists,
            );
            let namespace = series.metric.get("namespace").map(String::as_str);
            context.sink.event(&EventRow {
                application: Some(&container.application),
                user: namespace,
                machine: node,
                ..exists
            })?;
        }
        match metric {
            Metric::Request | Metric::Limit => {
                let resource = series.metric.get("resource").map_or("", String::as_str);
                self.statements(&points, metric, resource, &container, context)
            }
            Metric::Restarts => self.restarts(&points, &container, context),
            _ => {
                let is_counter = name.is_some_and(|name| name.ends_with("_total"));
                self.samples(&points, metric, is_counter, &container, context)
            }
        }
    }

    /// Counts the points of a series that is of no container.
    fn leave_out(&mut self, series: &Series, metric: Metric, why: NoContainer, context: &mut Context<'_>) {
        let is_of_pod = matches!(metric, Metric::NetworkReceived | Metric::NetworkTransmitted | Metric::PodStart);
        let reason = match why {
            NoContainer::Sum if is_of_pod => "the metric is the pod's, not a container's",
            NoContainer::Sum => "sum over containers, or pause container",
            NoContainer::Unnamed => "no label names the pod",
        };
        for (seconds, value) in series.values.iter().chain(&series.value) {
            self.row += 1;
            context.summary.rows += 1;
            *context.summary.rejected.entry(reason.to_owned()).or_default() += 1;
            context.rejects.reject(Rejected {
                file: context.file.to_owned(),
                row: self.row,
                reason,
                detail: format!("of the series {:?}", series.metric),
                text: format!("[{seconds},\"{value}\"]"),
            });
        }
    }

    /// Returns the points of a series that can be used, in time order.
    fn points(
        &mut self,
        values: impl Iterator<Item = (f64, String)>,
        metric: Metric,
        container: &Container,
        context: &mut Context<'_>,
    ) -> Vec<(Micros, f64)> {
        let key = (metric, container.workload.clone());
        let before = self.last.get(&key).copied();
        let mut points: Vec<(Micros, f64)> = Vec::new();
        for (seconds, text) in values {
            self.row += 1;
            context.summary.rows += 1;
            let mut reject = |reason: &'static str| {
                *context.summary.rejected.entry(reason.to_owned()).or_default() += 1;
                context.rejects.reject(Rejected {
                    file: context.file.to_owned(),
                    row: self.row,
                    reason,
                    detail: format!("found `{text}` of `{}` at {seconds}", container.workload),
                    text: format!("[{seconds},\"{text}\"]"),
                });
            };
            let column = self.columns.entry(metric.column()).or_default();
            let Ok(time) = Micros::from_seconds_f64(seconds) else {
                reject("time is no number");
                continue;
            };
            let Ok(value) = text.parse::<f64>() else {
                reject("not a number");
                continue;
            };
            if !value.is_finite() || value > LARGEST {
                // `NaN` and `Inf`: what is missing stays missing.
                column.empty += 1;
                reject("number is not finite");
                continue;
            }
            column.number(value);
            if value < 0.0 {
                reject("value is negative");
                continue;
            }
            if before.is_some_and(|before| time <= before) {
                reject("repeated point: another scrape, or the edge of two ranges");
                continue;
            }
            // A rate between two points of one time is none.
            let place = match points.last() {
                Some((last, _)) if *last >= time => points.binary_search_by_key(&time, |(time, _)| *time),
                _ => Err(points.len()),
            };
            match place {
                Ok(_) => reject("repeated point: another scrape, or the edge of two ranges"),
                Err(place) => {
                    context.summary.kept += 1;
                    points.insert(place, (time, value));
                }
            }
        }
        if let Some((last, _)) = points.last() {
            self.last.insert(key, *last);
        }
        points
    }

    /// Hands on a request or limit where it changes.
    fn statements(
        &self,
        points: &[(Micros, f64)],
        metric: Metric,
        resource: &str,
        container: &Container,
        context: &mut Context<'_>,
    ) -> Result<(), TraceError> {
        let mut before = None;
        for &(time, value) in points {
            if before == Some(value.to_bits()) {
                continue;
            }
            before = Some(value.to_bits());
            let amounts = match resource {
                "cpu" => Amounts { cpu: Some(value), ..Amounts::default() },
                "memory" => Amounts { memory: Some(value), ..Amounts::default() },
                _ => {
                    note("requests of other resources than cpu and memory are passed over", context);
                    return Ok(());
                }
            };
            let new = EventRow::new(&container.workload, Some(time), context.sequence(self.row), EventKind::Update);
            let event = if metric == Metric::Request {
                EventRow { request: amounts, ..new }
            } else {
                EventRow { limit: amounts, ..new }
            };
            context.sink.event(&EventRow { application: Some(&container.application), ..event })?;
        }
        Ok(())
    }

    /// Hands on a start where the number of restarts rises.
    fn restarts(
        &self,
        points: &[(Micros, f64)],
        container: &Container,
        context: &mut Context<'_>,
    ) -> Result<(), TraceError> {
        let times = points.windows(2).filter(|pair| pair[1].1 > pair[0].1).map(|pair| pair[1].0);
        self.begins(times.collect(), container, context)
    }

    /// Hands on starts of later runs; the first one began before anything was seen.
    fn begins(&self, times: Vec<Micros>, container: &Container, context: &mut Context<'_>) -> Result<(), TraceError> {
        if times.is_empty() {
            return Ok(());
        }
        for time in std::iter::once(Micros(i64::MIN)).chain(times) {
            let sequence = context.sequence(self.row);
            context.sink.event(&EventRow::new(&container.workload, Some(time), sequence, EventKind::Schedule))?;
        }
        Ok(())
    }

    /// Hands on samples. The step is the median distance of the points.
    fn samples(
        &self,
        points: &[(Micros, f64)],
        metric: Metric,
        is_counter: bool,
        container: &Container,
        context: &mut Context<'_>,
    ) -> Result<(), TraceError> {
        let mut steps: Vec<i64> = points.windows(2).map(|pair| pair[1].0.minus(pair[0].0).0).collect();
        steps.sort_unstable();
        let step = Micros(steps.get(steps.len() / 2).copied().unwrap_or_default());
        let restarted = step.0.max(1).saturating_mul(STEPS_OF_A_RESTART);
        if !is_counter && metric.is_counted() && only_rises(points) {
            let what = "the values only rise: it is a counter, not a rate, though its name is gone";
            let hint = "query `rate(METRIC[5m])`, or keep the name by querying the metric itself";
            return Err(refused(context, self.row, "values", &container.workload, what, hint));
        }
        let mut rows: Vec<(Micros, Micros, f64)> = Vec::with_capacity(points.len());
        if is_counter {
            for pair in points.windows(2) {
                let [(from, before), (to, after)] = [pair[0], pair[1]];
                let length = to.minus(from);
                if length.0 > restarted {
                    continue;
                }
                // A counter that falls was reset: what it shows is what came since.
                let grown = if after >= before { after - before } else { after };
                rows.push((from, length, grown / length.as_seconds()));
            }
        } else {
            rows.extend(points.iter().map(|&(time, value)| (time, step, value)));
        }
        for &(start, duration, value) in &rows {
            let bare = Sample { start, duration, ..Sample::default() };
            let value = Some(value);
            let sample = match metric {
                Metric::Cpu => Sample { cpu: value, ..bare },
                Metric::Memory => Sample { memory: value, ..bare },
                Metric::NetworkReceived => Sample { network_received: value, ..bare },
                Metric::NetworkTransmitted => Sample { network_transmitted: value, ..bare },
                Metric::DiskRead => Sample { disk_read: value, ..bare },
                Metric::DiskWritten => Sample { disk_written: value, ..bare },
                Metric::Request | Metric::Limit | Metric::Restarts | Metric::PodStart => return Ok(()),
            };
            context.sink.sample(Dataset::Usage, &container.workload, context.sequence(self.row), &sample)?;
        }
        // One metric speaks for all: the others have their gaps at the same times.
        if metric == Metric::Cpu {
            let gaps = points.windows(2).filter(|pair| pair[1].0.minus(pair[0].0).0 > restarted);
            return self.begins(gaps.map(|pair| pair[1].0).collect(), container, context);
        }
        Ok(())
    }
}

/// Returns whether values rise at nearly every point and never fall.
fn only_rises(points: &[(Micros, f64)]) -> bool {
    let rises = points.windows(2).filter(|pair| pair[1].1 > pair[0].1).count();
    let falls = points.windows(2).any(|pair| pair[1].1 < pair[0].1);
    points.len() >= LEAST_POINTS_OF_A_COUNTER && !falls && rises * 10 >= (points.len() - 1) * 9
}
