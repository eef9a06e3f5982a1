//! The parts of the queries that rows are given for.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::profile::Censoring;
use crate::replay::quantile::quantile_of_sorted;
use crate::replay::results::Resource;
use crate::replay::truth::Truth;

/// Classes and priorities that have rows of their own, the largest ones; the rest are one part (our value).
const MOST_NAMED: usize = 8;
/// Quarters of the memory need among the queries.
const QUARTERS: [&str; 4] = ["quarter 1 (smallest)", "quarter 2", "quarter 3", "quarter 4 (largest)"];
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

/// By what queries are parted. A workload has a part in each dimension that says something of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// Runs of its application in the store.
    EarlierInstances,
    /// The rung of shadow's ladder that answered, for all rivals alike.
    Rung,
    /// How long it lived.
    Life,
    /// Whether memory peaked after the first hour, or the first day.
    LatePeak,
    /// Its size.
    MemoryNeed,
    /// Its priority: bands where the trace's documentation names them.
    Priority,
    /// Its scheduling class.
    Class,
    /// What its owner stated of memory.
    Limit,
    /// What its needs are only a lower bound by. Such needs are read as met by what lies at or above them.
    Censoring,
    /// Who wrote its request.
    SizedBy,
}

/// One part of the queries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) dimension: Dimension,
    rank: u32,
    pub(super) name: String,
}

fn part(dimension: Dimension, rank: u32, name: impl Into<String>) -> Part {
    Part { dimension, rank, name: name.into() }
}

/// Returns the parts of each query; `rungs` are those of shadow. A dimension in which all queries are in one part, and
/// in no other, would repeat the row over all of them: it has none.
pub(super) fn parts(truths: &[Truth], rungs: &[Option<&'static str>]) -> Vec<Vec<Part>> {
    let classes = Largest::of(truths.iter().filter_map(|truth| truth.class.clone()));
    let priorities = Largest::of(truths.iter().filter_map(|truth| truth.priority.clone()));
    let thresholds = quarters(truths);
    let mut all: Vec<Vec<Part>> = truths
        .iter()
        .zip(rungs)
        .map(|(truth, rung)| {
            let mut parts = of_one(truth);
            parts.extend(truth.class.as_ref().map(|class| classes.part(Dimension::Class, "class", class)));
            let priority = truth.priority.as_ref();
            parts.extend(priority.map(|band| priorities.part(Dimension::Priority, "priority", band)));
            parts.push(match rung {
                Some(rung) => part(Dimension::Rung, 0, format!("shadow: {rung}")),
                None => part(Dimension::Rung, 1, "shadow: no answer"),
            });
            if let (Some(need), Some(thresholds)) = (truth.need(Resource::Memory), thresholds) {
                let quarter = thresholds.iter().filter(|threshold| need > **threshold).count();
                parts.push(part(Dimension::MemoryNeed, 0, format!("memory need {}", QUARTERS[quarter])));
            }
            parts
        })
        .collect();
    let mut sizes: BTreeMap<Part, usize> = BTreeMap::new();
    for one in all.iter().flatten() {
        *sizes.entry(one.clone()).or_insert(0) += 1;
    }
    let says_nothing = |dimension: Dimension| {
        let own: Vec<usize> =
            sizes.iter().filter(|(one, _)| one.dimension == dimension).map(|(_, size)| *size).collect();
        own == [truths.len()]
    };
    for parts in &mut all {
        parts.retain(|one| !says_nothing(one.dimension));
    }
    all
}

/// The names with the most queries.
struct Largest(Vec<String>);

impl Largest {
    fn of(names: impl Iterator<Item = String>) -> Self {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for name in names {
            *counts.entry(name).or_insert(0) += 1;
        }
        let mut names: Vec<(String, u64)> = counts.into_iter().collect();
        names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        Self(names.into_iter().take(MOST_NAMED).map(|(name, _)| name).collect())
    }

    fn part(&self, dimension: Dimension, what: &str, name: &str) -> Part {
        if self.0.iter().any(|known| known == name) {
            part(dimension, 0, format!("{what} {name}"))
        } else {
            part(dimension, 1, format!("{what}: all others"))
        }
    }
}

/// Returns the three needs of memory that cut the queries into quarters; nothing where all needs are the same.
fn quarters(truths: &[Truth]) -> Option<[f64; 3]> {
    let mut needs: Vec<(f64, f64)> =
        truths.iter().filter_map(|truth| Some((truth.need(Resource::Memory)?, 1.0))).collect();
    needs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, last) = (needs.first()?.0, needs.last()?.0);
    let at = |share| quantile_of_sorted(&needs, share);
    let thresholds = [at(0.25)?, at(0.5)?, at(0.75)?];
    (first < last).then_some(thresholds)
}

fn of_one(truth: &Truth) -> Vec<Part> {
    let (rank, earlier) = match truth.earlier {
        0 => (0, "0"),
        1 => (1, "1"),
        2..=4 => (2, "2-4"),
        5..=19 => (3, "5-19"),
        _ => (4, "20+"),
    };
    let (life_rank, life) = match truth.life_seconds {
        seconds if seconds < HOUR => (0, "life under 1 h"),
        seconds if seconds <= DAY => (1, "life 1-24 h"),
        _ => (2, "life over 24 h"),
    };
    let mut parts = vec![
        part(Dimension::EarlierInstances, rank, format!("earlier instances {earlier}")),
        part(Dimension::Life, life_rank, life),
        part(Dimension::Limit, truth.limit_kind.rank(), truth.limit_kind.name()),
    ];
    for (rank, (span, what)) in (0..).zip([(HOUR, "hour"), (DAY, "day")]) {
        if truth.life_seconds > span
            && let Some(at) = truth.peak_at_seconds
        {
            let when = if at > span { "after" } else { "in" };
            parts.push(part(Dimension::LatePeak, rank, format!("peak {when} the first {what}")));
        }
    }
    parts.extend(censored_by(truth.censoring).into_iter().map(|(rank, name)| part(Dimension::Censoring, rank, name)));
    let (rank, who) = if truth.autoscaled { (1, "sized by an autoscaler") } else { (0, "sized by its owner") };
    parts.push(part(Dimension::SizedBy, rank, who));
    parts
}

/// Returns why needs are only lower bounds; several reasons may hold.
fn censored_by(flags: Censoring) -> Vec<(u32, &'static str)> {
    let reasons = [
        (flags.memory_at_limit, (1, "censored: at its memory limit")),
        (flags.cpu_throttled, (2, "censored: CPU throttled")),
        (flags.killed, (3, "censored: killed, failed or evicted")),
        (flags.right, (4, "censored: alive at the end")),
    ];
    let names: Vec<(u32, &'static str)> =
        reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, name)| name).collect();
    if names.is_empty() { vec![(0, "not censored")] } else { names }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Case;
    use crate::replay::series::Series;
    use crate::replay::test_cases::case;

    fn truth(class: Option<&str>, need: f64) -> Truth {
        of(|case| case.known.workload.class = class.map(str::to_owned), need)
    }

    fn of(change: impl Fn(&mut Case), need: f64) -> Truth {
        let mut case = case("w", "a", 0, 100, need);
        change(&mut case);
        Truth::new(0, &case, &Series::default(), 0, 0)
    }

    /// Returns the names of the parts of one dimension, query by query.
    fn names(truths: &[Truth], dimension: Dimension) -> Vec<String> {
        let rungs = vec![Some("neighbours"); truths.len()];
        let parts = parts(truths, &rungs).into_iter().flatten();
        parts.filter(|part| part.dimension == dimension).map(|part| part.name).collect()
    }

    #[test]
    fn needs_of_memory_are_cut_into_quarters() {
        let truths: Vec<Truth> = (1..=8_u32).map(|need| truth(None, f64::from(need))).collect();
        let expected: Vec<String> = (0..8_usize).map(|at| format!("memory need {}", QUARTERS[at / 2])).collect();
        assert_eq!(names(&truths, Dimension::MemoryNeed), expected);
        let same: Vec<Truth> = (0..8).map(|_| truth(None, 2.0)).collect();
        assert_eq!(names(&same, Dimension::MemoryNeed), Vec::<String>::new());
    }

    #[test]
    fn small_classes_are_one_part() {
        let mut truths: Vec<Truth> = (0..10_u32).map(|at| truth(Some(&format!("c{at}")), 1.0)).collect();
        truths.push(truth(Some("c9"), 1.0));
        let found = names(&truths, Dimension::Class);
        assert!(found.contains(&"class c9".to_owned()) && found.contains(&"class c6".to_owned()), "{found:?}");
        assert!(!found.contains(&"class c7".to_owned()), "{found:?}");
        assert_eq!(found.iter().filter(|name| *name == "class: all others").count(), 2);
        // One class is no part.
        assert_eq!(names(&[truth(Some("c"), 1.0), truth(Some("c"), 2.0)], Dimension::Class), Vec::<String>::new());
        // Two queries of which one has a class are parted by it.
        assert_eq!(names(&[truth(Some("c"), 1.0), truth(None, 2.0)], Dimension::Class), ["class c"]);
    }

    #[test]
    fn priorities_are_named_by_the_bands_of_the_trace() {
        let with = |format: &str, priority| {
            of(
                |case| {
                    case.known.workload.format = format.to_owned();
                    case.known.workload.priority = Some(priority);
                },
                1.0,
            )
        };
        let band =
            |format, priority| names(&[with(format, priority), with("table", -7)], Dimension::Priority).remove(0);
        let found = [0, 99, 100, 115, 116, 119, 120, 200, 201, 360].map(|priority| band("google-2019", priority));
        let expected =
            ["free", "free", "best-effort batch", "best-effort batch", "mid", "mid", "production", "production"];
        assert_eq!(found[..8].to_vec(), expected.map(|name| format!("priority {name}")).to_vec());
        assert_eq!(found[8..], ["priority monitoring", "priority monitoring"]);
        let found = [1, 2, 8, 9, 11, 12].map(|priority| band("google-2011", priority));
        let expected = ["free", "other", "other", "production", "production", "monitoring"];
        assert_eq!(found.to_vec(), expected.map(|name| format!("priority {name}")).to_vec());
        assert_eq!(band("table", 3), "priority 3");
    }

    #[test]
    fn limits_are_told_from_requests() {
        let with = |request, limit| {
            of(
                |case| {
                    case.known.workload.request.memory = request;
                    case.known.workload.limit.memory = limit;
                },
                1.0,
            )
        };
        let all = [(Some(2.0), Some(2.0)), (Some(2.0), Some(4.0)), (Some(2.0), None), (None, Some(2.0)), (None, None)];
        assert_eq!(
            names(&all.map(|(request, limit)| with(request, limit)), Dimension::Limit),
            [
                "memory limit equals the request",
                "memory limit above the request",
                "memory request without a limit",
                "memory limit without a request",
                "neither request nor limit of memory",
            ]
        );
    }

    #[test]
    fn late_peaks_are_told_by_the_hour_and_the_day() {
        let with = |life: f64, at: f64| {
            of(
                |case| {
                    case.known.life.seconds = life;
                    case.known.life.memory_peak_at_seconds = Some(at);
                },
                1.0,
            )
        };
        let found = |life, at| names(&[with(life, at), truth(None, 1.0)], Dimension::LatePeak);
        assert_eq!(found(100.0, 50.0), Vec::<String>::new());
        assert_eq!(found(7200.0, 50.0), ["peak in the first hour"]);
        assert_eq!(found(2.0 * DAY, 7200.0), ["peak after the first hour", "peak in the first day"]);
        assert_eq!(found(2.0 * DAY, 1.5 * DAY), ["peak after the first hour", "peak after the first day"]);
    }

    #[test]
    fn a_need_may_be_censored_for_several_reasons() {
        let flags = Censoring { memory_at_limit: true, killed: true, ..Censoring::default() };
        let censored = of(|case| case.known.life.censoring = flags, 1.0);
        assert_eq!(
            names(&[censored, truth(None, 1.0)], Dimension::Censoring),
            ["censored: at its memory limit", "censored: killed, failed or evicted", "not censored"]
        );
    }

    #[test]
    fn rungs_are_those_of_shadow() {
        let truths = [truth(None, 1.0), truth(None, 1.0), truth(None, 1.0)];
        let parts = parts(&truths, &[Some("neighbours"), None, Some("persistence")]);
        let rung = |at: usize| parts[at].iter().find(|one| one.dimension == Dimension::Rung).unwrap().name.clone();
        assert_eq!([rung(0), rung(1), rung(2)], ["shadow: neighbours", "shadow: no answer", "shadow: persistence"]);
    }
}
