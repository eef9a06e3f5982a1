//! Small worlds for the tests of this module.

use crate::predict::{Answer, Decision, Facts, Known, Newcomer, Question, Selection, Support};
use crate::profile::{Floors, LifeProfile, ResourceProfile, Window, WindowProfile};
use crate::store::{Ending, Workload};
use crate::trace::{Amounts, Sample, WorkloadFlags};
use crate::units::Micros;

use super::learner::{Fitted, LearnError, Learner};
use super::rivals::{Query, Surroundings};
use super::{Case, Scale};

/// Ten seconds.
pub(super) const WINDOW: Window = Window { length: Micros(10_000_000) };

/// A run of `seconds` from `start` with a point sample a second; memory rises from half of `peak` to `peak` in the
/// middle of its life; it asked for one core and four times its peak.
pub(super) fn case(id: &str, application: &str, start: i64, seconds: i64, peak: f64) -> Case {
    let samples: Vec<Sample> = (0..seconds)
        .map(|at| Sample {
            start: Micros::from_seconds(start + at),
            cpu: Some(0.5),
            memory: Some(if at * 2 < seconds { peak / 2.0 } else { peak }),
            ..Sample::default()
        })
        .collect();
    let level =
        |value: f64| Some(ResourceProfile { max: value, mean: value, samples: 10, ..ResourceProfile::default() });
    let request = Amounts { cpu: Some(1.0), memory: Some(peak * 4.0), disk: None };
    let workload = Workload {
        id: id.to_owned(),
        run: 0,
        format: "table".to_owned(),
        application: Some(application.to_owned()),
        user: None,
        class: None,
        priority: None,
        start: Some(Micros::from_seconds(start)),
        end: Some(Micros::from_seconds(start + seconds)),
        ending: Ending::Finished,
        request,
        limit: Amounts::default(),
        largest_request: request,
        replicas: None,
        labels: std::collections::BTreeMap::default(),
        flags: WorkloadFlags::default(),
        samples: samples.len() as u64,
        first_sample: Some(Micros::from_seconds(start)),
        last_sample: Some(Micros::from_seconds(start + seconds)),
        bucket: 0,
    };
    let window = WindowProfile {
        observed_seconds: 9.0,
        interval_seconds: 1.0,
        samples: 10,
        cpu: level(0.5),
        memory: level(peak / 2.0),
        ..WindowProfile::default()
    };
    let life = LifeProfile {
        seconds: seconds as f64,
        samples: samples.len() as u64,
        memory_peak: Some(peak),
        memory_mean: Some(peak * 0.75),
        cpu_need: Some(0.5),
        cpu_peak: Some(0.5),
        cpu_mean: Some(0.5),
        ..LifeProfile::default()
    };
    Case { known: Known { workload, window, life }, samples: samples.into() }
}

pub(super) fn newcomer(case: &Case) -> Newcomer {
    let workload = &case.known.workload;
    Newcomer { name: workload.id.clone(), window: case.known.window.clone(), facts: Facts::from(workload) }
}

pub(super) fn query(newcomer: &Newcomer) -> Query<'_> {
    Query { newcomer, at: Micros::from_seconds(10), application: None, broader: None, rows: &[], future: None }
}

pub(super) fn surroundings(learner: &dyn Learner) -> Surroundings<'_> {
    Surroundings {
        learner,
        window: WINDOW,
        question: Question::default(),
        scale: Scale { cores_per_unit: Some(1.0), bytes_per_unit: Some(1.0), machine_cpu: None, machine_memory: None },
        floors: Floors { cpu: Floors::PHYSICAL_CPU, memory: Floors::PHYSICAL_MEMORY, rate: Floors::PHYSICAL_RATE },
        seed: 1,
        random_draws: 20,
    }
}

/// A toy estimator: the upper quantile of the peaks of the k stored workloads whose window is nearest in memory (or
/// of k drawn at random).
pub(super) struct Fake;

struct FakeFitted {
    /// (window level, peak).
    rows: Vec<(f64, f64)>,
}

impl Learner for Fake {
    fn fit<'a>(&self, known: &[&'a Known], _: Window, _: u64) -> Result<Box<dyn Fitted + 'a>, LearnError> {
        let row = |known: &&Known| Some((known.window.memory?.max, known.life.memory_peak?));
        Ok(Box::new(FakeFitted { rows: known.iter().filter_map(row).collect() }))
    }
}

impl Fitted for FakeFitted {
    fn answer(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        selection: Selection,
        admits: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Answer, LearnError> {
        let level = newcomer.window.memory.map_or(0.0, |memory| memory.max);
        let mut rows: Vec<(f64, usize)> = (0..self.rows.len())
            .filter(|row| admits(*row))
            .map(|row| match selection {
                Selection::Nearest => ((self.rows[row].0 - level).abs(), row),
                Selection::Random { seed } => {
                    // A fixed scrambling of (seed, row).
                    let mixed = (seed ^ (row as u64)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
                    (mixed.wrapping_mul(0xD134_2543_DE82_EF95) as f64, row)
                }
            })
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        rows.truncate(question.k.few());
        let peaks: Vec<(f64, f64)> = rows.iter().map(|(_, row)| (self.rows[*row].1, 1.0)).collect();
        let memory = super::weighted_upper_quantile(&peaks, question.coverage);
        Ok(Answer {
            decision: if memory.is_some() { Decision::Neighbours } else { Decision::Abstain },
            passed_over: Vec::new(),
            cpu: memory.map(|_| 1.0),
            memory,
            network: None,
            cpu_interval: None,
            memory_interval: None,
            novelty: None,
            support: rows
                .iter()
                .map(|(_, row)| Support { row: *row, distance: None, similarity: None, weight: 1.0, shares: [1.0; 3] })
                .collect(),
            warnings: Vec::new(),
        })
    }
}
