//! What earlier instances of the same application used: the ladder of Kubernetes' `InitialResources` design
//! (`kubernetes/design-proposals-archive`, `autoscaling/initial-resources.md`).
//!
//! Application at most 7 days old (60 samples), at most 30 days (60 samples), then the broader key at most 30 days
//! (1 sample): the 90th percentile of one-minute samples, each resource on its own. It never looks at the query's own
//! window. A row of several minutes counts as so many samples of its mean (CPU) or maximum (memory); rows under a
//! minute are gathered by minute. Without a clock common to the workloads every sample counts as young.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::prior::StoreConstant;
use super::{Prepared, Query, Recommendation, ReplayError, Rival, Setting, Store, Surroundings};
use crate::replay::case::{Case, application_key, broader_key};
use crate::replay::quantile::quantile_of_sorted;
use crate::replay::samples::RowBuffer;
use crate::replay::scratch::{Bytes, Scratch};
use crate::trace::Sample;
use crate::units::Micros;

const DAY: i64 = 86_400;
/// (age in days, samples needed) of the rungs of the application.
const APPLICATION_RUNGS: [(i64, f64, &str); 2] = [(7, 60.0, "application-7d"), (30, 60.0, "application-30d")];
/// The same for the rung of the broader key.
const BROADER_RUNG: (i64, f64, &str) = (30, 1.0, "broader-30d");
const MINUTE_SECONDS: f64 = 60.0;

/// The ladder; `default` decides whether a constant of the store stands in where no rung answers.
#[derive(Debug, Clone, Copy)]
pub struct HistoryLadder {
    /// Answer with the store's constant where the application was never seen.
    pub default: bool,
}

/// One-minute values with their time and weight, sorted by value.
type Values = Vec<(f64, f64, Micros)>;

#[derive(Debug, Default)]
struct History {
    cpu: Values,
    memory: Values,
}

impl History {
    fn of(cases: &[&Case]) -> Result<Self, ReplayError> {
        let mut history = Self::default();
        let mut buffer = RowBuffer::default();
        for case in cases {
            history.add(case.samples.read(&mut buffer)?);
        }
        history.cpu.sort_by(|a, b| a.0.total_cmp(&b.0));
        history.memory.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(history)
    }

    fn add(&mut self, samples: &[Sample]) {
        // (sum of CPU, samples of CPU, largest memory, end) of rows under a minute, by minute.
        let mut minutes: BTreeMap<i64, (f64, f64, Option<f64>, Micros)> = BTreeMap::new();
        for sample in samples {
            let end = sample.start.plus(sample.duration);
            let memory = sample.memory_max.or(sample.memory);
            let seconds = sample.duration.as_seconds();
            if seconds >= MINUTE_SECONDS {
                let weight = (seconds / MINUTE_SECONDS).round();
                self.cpu.extend(sample.cpu.map(|cpu| (cpu, weight, end)));
                self.memory.extend(memory.map(|memory| (memory, weight, end)));
                continue;
            }
            let minute = minutes.entry(sample.start.0.div_euclid(60_000_000)).or_insert((0.0, 0.0, None, end));
            if let Some(cpu) = sample.cpu {
                minute.0 += cpu;
                minute.1 += 1.0;
            }
            minute.2 = match (minute.2, memory) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            };
            minute.3 = minute.3.max(end);
        }
        for (cpu, samples, memory, end) in minutes.into_values() {
            if samples > 0.0 {
                self.cpu.push((cpu / samples, 1.0, end));
            }
            self.memory.extend(memory.map(|memory| (memory, 1.0, end)));
        }
    }
}

/// A history that is put away: memory holds those of the query that is answered, not those of the store.
struct Stored {
    cpu: Bytes,
    memory: Bytes,
}

impl Stored {
    fn new(cases: &[&Case], scratch: Option<&Scratch>) -> Result<Self, ReplayError> {
        let history = History::of(cases)?;
        let put = |values: Values| {
            let of = |(value, weight, end): (f64, f64, Micros)| {
                [value.to_le_bytes(), weight.to_le_bytes(), end.0.to_le_bytes()]
            };
            Bytes::new(values.into_iter().flat_map(of).flatten().collect(), scratch)
        };
        Ok(Self { cpu: put(history.cpu)?, memory: put(history.memory)? })
    }
}

/// Returns what [`Stored::new`] wrote.
fn values(bytes: &[u8]) -> Values {
    let (records, _) = bytes.as_chunks::<8>();
    let (records, _) = records.as_chunks::<3>();
    let of = |[value, weight, end]: &[[u8; 8]; 3]| {
        (f64::from_le_bytes(*value), f64::from_le_bytes(*weight), Micros(i64::from_le_bytes(*end)))
    };
    records.iter().map(of).collect()
}

/// Returns the values inside (at - age, at], if there are enough.
fn young(values: &Values, at: Micros, age_days: i64, needed: f64, has_clock: bool) -> Option<Vec<(f64, f64)>> {
    let oldest = at.minus(Micros::from_seconds(age_days * DAY));
    let inside = |time: Micros| !has_clock || (time > oldest && time <= at);
    let kept: Vec<(f64, f64)> =
        values.iter().filter(|(_, _, time)| inside(*time)).map(|(value, weight, _)| (*value, *weight)).collect();
    let samples: f64 = kept.iter().map(|(_, weight)| weight).sum();
    (samples >= needed).then_some(kept)
}

/// Values with their weights, sorted by value, and the rung that they are from.
type Rung = (Vec<(f64, f64)>, &'static str);

struct PreparedHistory {
    applications: BTreeMap<String, Stored>,
    broader: BTreeMap<String, Stored>,
    constant: Option<StoreConstant>,
    has_clock: bool,
}

impl PreparedHistory {
    /// Returns the values of the first rung that has enough of them.
    fn rung(&self, query: &Query<'_>, bytes: fn(&Stored) -> &Bytes) -> Result<Option<Rung>, ReplayError> {
        let application = query.application.and_then(|key| self.applications.get(key));
        let broader = query.broader.and_then(|key| self.broader.get(key));
        for (stored, rungs) in [(application, &APPLICATION_RUNGS[..]), (broader, &[BROADER_RUNG])] {
            let Some(stored) = stored else { continue };
            let values = values(bytes(stored).read(&mut Vec::new())?);
            for (age, needed, name) in rungs {
                if let Some(found) = young(&values, query.at, *age, *needed, self.has_clock) {
                    return Ok(Some((found, name)));
                }
            }
        }
        Ok(None)
    }
}

impl Rival for HistoryLadder {
    fn name(&self) -> &'static str {
        if self.default { "history-ladder-default" } else { "history-ladder" }
    }

    fn knob(&self) -> &'static str {
        "percentile of the application's samples, then a margin"
    }

    fn settings(&self) -> Vec<Setting> {
        let percentiles = [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1.0].map(Setting::knob);
        let margins = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 4.0].map(|margin| Setting { knob: 1.0, margin });
        percentiles.into_iter().chain(margins).collect()
    }

    fn published(&self) -> usize {
        6
    }

    fn prepare<'a>(&self, store: &Store<'a>, _: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        let applications = super::by_key(store, |case| application_key(&case.known.workload));
        let broader = super::by_key(store, |case| broader_key(&case.known.workload).map(str::to_owned));
        // As long as this store is asked, and no longer.
        let scratch = store.cases.iter().find_map(|case| case.samples.scratch()).map(Scratch::another).transpose()?;
        let histories = |groups: BTreeMap<String, Vec<&'a Case>>| {
            let stored = |(key, cases): (String, Vec<&Case>)| Ok((key, Stored::new(&cases, scratch.as_ref())?));
            groups.into_par_iter().map(stored).collect::<Result<_, ReplayError>>()
        };
        Ok(Box::new(PreparedHistory {
            applications: histories(applications)?,
            broader: histories(broader)?,
            constant: self.default.then(|| StoreConstant::of(store)),
            has_clock: store.has_clock,
        }))
    }
}

impl Prepared for PreparedHistory {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let cpu = self.rung(query, |stored| &stored.cpu)?;
        let memory = self.rung(query, |stored| &stored.memory)?;
        let default = self.constant.as_ref().and_then(StoreConstant::answer);
        let answer = |setting: &Setting| {
            let of = |found: &Option<Rung>| {
                let (values, _) = found.as_ref()?;
                quantile_of_sorted(values, setting.knob).map(|value| value * (1.0 + setting.margin))
            };
            let rung = memory.as_ref().or(cpu.as_ref()).map_or("default", |(_, rung)| rung);
            let answer = Recommendation {
                cpu: of(&cpu).or(default.and_then(|default| default.cpu)),
                memory: of(&memory).or(default.and_then(|default| default.memory)),
                rung,
            };
            (answer.cpu.is_some() || answer.memory.is_some()).then_some(answer)
        };
        Ok(settings.iter().map(answer).collect())
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;
    use crate::replay::test_cases::{Fake, case, newcomer, query, surroundings};

    const MIB: f64 = 1_048_576.0;

    /// An instance of `application` with one-minute samples of 1, 2, 3 … MiB that end `days` before day 100.
    fn history(application: &str, user: Option<&str>, days: i64, mebibytes: impl Iterator<Item = f64>) -> Case {
        let mut earlier = case(&format!("{application}-{days}"), application, 0, 100, 1.0);
        earlier.known.workload.user = user.map(str::to_owned);
        let begin = (100 - days) * DAY - 7200;
        let samples: Vec<Sample> = (0..)
            .zip(mebibytes)
            .map(|(minute, value)| Sample {
                start: Micros::from_seconds(begin + minute * 60),
                duration: Micros::from_seconds(60),
                memory: Some(value * MIB),
                ..Sample::default()
            })
            .collect();
        earlier.samples = samples.into();
        earlier
    }

    fn ask(
        ladder: HistoryLadder,
        cases: &[Case],
        application: &str,
        user: Option<&str>,
    ) -> Option<(f64, &'static str)> {
        let mut new = case("new", application, 100 * DAY, 100, 1.0);
        new.known.workload.user = user.map(str::to_owned);
        let newcomer = newcomer(&new);
        let key = application_key(&new.known.workload);
        let asked = Query {
            at: Micros::from_seconds(100 * DAY),
            application: key.as_deref(),
            broader: broader_key(&new.known.workload),
            ..query(&newcomer)
        };
        let store = Store { cases: cases.iter().collect(), has_clock: true };
        let prepared = ladder.prepare(&store, &surroundings(&Fake)).unwrap();
        let answer = prepared.recommend(&asked, &[ladder.settings()[ladder.published()]], 0).unwrap()[0]?;
        answer.memory.map(|memory| (memory / MIB, answer.rung))
    }

    const LADDER: HistoryLadder = HistoryLadder { default: false };
    const WITH_DEFAULT: HistoryLadder = HistoryLadder { default: true };

    #[test]
    fn sixty_young_samples_answer_with_their_ninetieth_percentile() {
        let cases = [history("a", None, 1, (1..=60).map(f64::from))];
        assert_eq!(ask(LADDER, &cases, "a", None), Some((54.0, "application-7d")));
    }

    #[test]
    fn too_few_young_samples_send_it_to_thirty_days() {
        // 59 within the week; the 61 within the month are 1..=61.
        let cases = [history("a", None, 1, (1..=59).map(f64::from)), history("a", None, 20, [60.0, 61.0].into_iter())];
        assert_eq!(ask(LADDER, &cases, "a", None), Some((55.0, "application-30d")));
    }

    #[test]
    fn the_broader_key_needs_one_sample_of_at_most_thirty_days() {
        let young = [history("a", Some("other"), 29, [300.0].into_iter())];
        assert_eq!(ask(LADDER, &young, "a", Some("me")), Some((300.0, "broader-30d")));
        let old = [history("a", Some("other"), 31, [300.0].into_iter())];
        assert_eq!(ask(LADDER, &old, "a", Some("me")), None);
        assert_eq!(ask(WITH_DEFAULT, &old, "a", Some("me")), Some((1.0 / MIB, "default")));
    }

    #[test]
    fn a_long_row_counts_once_per_minute_and_short_rows_once_together() {
        let mut earlier = history("a", None, 1, [7.0].into_iter());
        earlier.samples.held()[0].duration = Micros::from_seconds(300);
        assert_eq!(History::of(&[&earlier]).unwrap().memory[0].1, 5.0);
        let second = |at: i64, value| Sample {
            start: Micros::from_seconds(at),
            memory: Some(value),
            cpu: Some(value),
            ..Sample::default()
        };
        earlier.samples = vec![second(0, 1.0), second(2, 3.0), second(60, 2.0)].into();
        let history = History::of(&[&earlier]).unwrap();
        let memory: Vec<(f64, f64)> = history.memory.iter().map(|(value, weight, _)| (*value, *weight)).collect();
        assert_eq!(memory, [(2.0, 1.0), (3.0, 1.0)]);
        assert_eq!(history.cpu.iter().map(|(value, ..)| *value).collect::<Vec<_>>(), [2.0, 2.0]);
    }
}
