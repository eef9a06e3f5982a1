//! No answer of a replay knows the future: whatever happens to a workload that had not ended before the cut, and
//! whatever happens after a query's first window, changes no answer and no knob.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shadow::predict::{Answer, Decision, Known, Newcomer, Question, Selection};
use shadow::profile::{LifeProfile, ResourceProfile, Window, WindowProfile};
use shadow::replay::{
    Case, Fitted, LearnError, Learner, ReplayParams, Samples, Split, StoreMode, answers_given, plan, replay,
};
use shadow::store::{Ending, Workload};
use shadow::trace::{Amounts, CpuUnit, MemoryUnit, NetworkUnit, Sample, UnitContract, WorkloadFlags};
use shadow::units::Micros;

const WINDOW_SECONDS: i64 = 10;
const SPAN_SECONDS: i64 = 10_000;
const GIB: f64 = 1_073_741_824.0;

/// An estimator that betrays whatever it was fitted on: its answer moves with every number of every stored workload.
struct Telltale;

struct FittedTelltale(f64);

impl Learner for Telltale {
    fn fit<'a>(&self, known: &[&'a Known], _: Window, _: u64) -> Result<Box<dyn Fitted + 'a>, LearnError> {
        let of = |known: &&Known| {
            let level = known.window.memory.map_or(0.0, |memory| memory.max);
            let peak = known.life.memory_peak.unwrap_or(0.0);
            let flags = f64::from(u8::from(known.life.censoring.killed)) * 0.37 * GIB;
            let asked = known.workload.request.memory.unwrap_or(0.0);
            level * 0.11 + peak * 0.23 + asked * 0.05 + flags + known.life.seconds * 1e5
        };
        Ok(Box::new(FittedTelltale(known.iter().map(of).sum::<f64>() / known.len() as f64)))
    }
}

impl Fitted for FittedTelltale {
    fn answer(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        _: Selection,
        _: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Answer, LearnError> {
        let level = newcomer.window.memory.map_or(0.0, |memory| memory.max);
        Ok(Answer {
            decision: Decision::Neighbours,
            passed_over: Vec::new(),
            cpu: Some(1.0),
            memory: Some((self.0 + level) * question.coverage),
            network: None,
            cpu_interval: None,
            memory_interval: None,
            novelty: None,
            support: Vec::new(),
            warnings: Vec::new(),
        })
    }
}

/// What is drawn for one workload.
#[derive(Debug, Clone)]
struct Draw {
    start: i64,
    seconds: i64,
    application: u8,
    user: u8,
    level: f64,
    growth: f64,
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let one = (0..SPAN_SECONDS - 400, 15_i64..400, 0_u8..6, 0_u8..8, 0.1..4.0, 1.0..5.0).prop_map(
        |(start, seconds, application, user, level, growth)| Draw { start, seconds, application, user, level, growth },
    );
    proptest::collection::vec(one, 40..70)
}

fn case(at: usize, draw: &Draw) -> Case {
    let point = |second: i64| Sample {
        start: Micros::from_seconds(draw.start + second),
        cpu: Some(0.5),
        memory: Some(if second > WINDOW_SECONDS { draw.level * draw.growth } else { draw.level } * GIB),
        ..Sample::default()
    };
    let request = Amounts { cpu: Some(1.0), memory: Some(draw.level * 6.0 * GIB), disk: None };
    let end = Micros::from_seconds(draw.start + draw.seconds);
    let workload = Workload {
        id: format!("w{at}"),
        run: 0,
        format: "table".to_owned(),
        application: Some(format!("a{}", draw.application)),
        user: Some(format!("u{}", draw.user)),
        class: None,
        priority: None,
        start: Some(Micros::from_seconds(draw.start)),
        end: Some(end),
        ending: Ending::Finished,
        request,
        limit: Amounts::default(),
        largest_request: request,
        replicas: None,
        labels: BTreeMap::new(),
        flags: WorkloadFlags::default(),
        samples: 0,
        first_sample: Some(Micros::from_seconds(draw.start)),
        last_sample: Some(end),
        bucket: 0,
    };
    let level = |value: f64| Some(ResourceProfile { max: value, mean: value, ..ResourceProfile::default() });
    let window = WindowProfile {
        observed_seconds: WINDOW_SECONDS as f64,
        samples: 6,
        cpu: level(0.5),
        memory: level(draw.level * GIB),
        ..WindowProfile::default()
    };
    let life = LifeProfile {
        seconds: draw.seconds as f64,
        memory_peak: Some(draw.level * draw.growth * GIB),
        memory_mean: Some(draw.level * GIB),
        cpu_need: Some(0.5),
        cpu_mean: Some(0.5),
        ..LifeProfile::default()
    };
    Case {
        known: Known { workload, window, life },
        samples: (0..draw.seconds).step_by(2).map(point).collect::<Vec<_>>().into(),
    }
}

/// A world: the drawn workloads and one that fixes the ends of the trace's clock.
fn world(draws: &[Draw]) -> Vec<Case> {
    let frame = Draw { start: 0, seconds: SPAN_SECONDS, application: 200, user: 200, level: 1.0, growth: 1.0 };
    std::iter::once(&frame).chain(draws).enumerate().map(|(at, draw)| case(at, draw)).collect()
}

fn params(split: Split) -> ReplayParams {
    let units = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };
    let window = Window { length: Micros::from_seconds(WINDOW_SECONDS) };
    let mut params = ReplayParams::new(window, split, units);
    // The oracle is the one rival that may know.
    params.rivals =
        shadow::replay::rivals::NAMES.iter().filter(|name| **name != "oracle").map(ToString::to_string).collect();
    params.random_draws = 2;
    params.resamples = 0;
    params.feedback = false;
    params
}

/// Changes everything about a workload that is not known at `now`: all of it, or what follows its first window.
fn change_the_future(case: &mut Case, keep_window: bool) {
    let window_end = case.known.workload.start.unwrap().plus(Micros::from_seconds(WINDOW_SECONDS));
    let Samples::Held(samples) = &mut case.samples else { panic!("the samples are not in memory") };
    for sample in samples {
        if !keep_window || sample.start > window_end {
            sample.memory = sample.memory.map(|memory| memory * 7.0 + 1.0);
            sample.cpu = Some(3.0);
        }
    }
    let life = &mut case.known.life;
    life.memory_peak = life.memory_peak.map(|peak| peak * 7.0 + 1.0);
    life.memory_mean = life.memory_mean.map(|mean| mean * 5.0);
    life.cpu_need = Some(3.0);
    life.censoring.killed = true;
    life.memory_peak_at_seconds = Some(12.0);
    case.known.workload.ending = Ending::Failed;
    if !keep_window {
        case.known.workload.request.memory = Some(GIB * 99.0);
        if let Some(memory) = &mut case.known.window.memory {
            memory.max *= 9.0;
        }
    }
}

/// Returns the world with the future of every workload that had not ended before the test cut changed.
fn with_another_future(cases: &[Case], params: &ReplayParams) -> Vec<Case> {
    let plan = plan(cases, params);
    let cut = plan.cuts.unwrap().test;
    let queries: Vec<usize> = plan.test.iter().flat_map(|block| block.queries.clone()).collect();
    let mut changed = cases.to_vec();
    for (at, case) in changed.iter_mut().enumerate() {
        if case.known.workload.end.unwrap() >= cut {
            change_the_future(case, queries.contains(&at));
        }
    }
    changed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn answers_and_knobs_do_not_know_the_future(draws in draws(), unseen in any::<bool>()) {
        let params = params(if unseen { Split::Unseen } else { Split::Recurring });
        let cases = world(&draws);
        prop_assume!(plan(&cases, &params).basis == shadow::replay::SplitBasis::TimeOrder);
        let changed = with_another_future(&cases, &params);
        prop_assert_ne!(&cases, &changed);
        let before = answers_given(&cases, &params, &Telltale).unwrap();
        prop_assert!(!before.is_empty());
        prop_assert_eq!(before, answers_given(&changed, &params, &Telltale).unwrap());
        let knobs = |cases: &[Case]| {
            let report = replay(cases, &params, &Telltale).unwrap();
            let split = &report.splits[0];
            // Censored needs change how the test is read, never what the calibration period says.
            split.calibrated.iter().map(|row| (row.rival, row.target.to_bits(), row.settings.clone())).collect::<Vec<_>>()
        };
        prop_assert_eq!(knobs(&cases), knobs(&changed));
    }

    #[test]
    fn what_happens_after_one_window_leaves_every_answer_to_it_alone(draws in draws(), which in any::<prop::sample::Index>()) {
        let growing = ReplayParams { store_mode: StoreMode::Growing { steps: 4 }, ..params(Split::Recurring) };
        let cases = world(&draws);
        let plan = plan(&cases, &growing);
        prop_assume!(plan.basis == shadow::replay::SplitBasis::TimeOrder);
        let queries: Vec<usize> = plan.test.iter().flat_map(|block| block.queries.clone()).collect();
        let query = queries[which.index(queries.len())];
        let mut changed = cases.clone();
        change_the_future(&mut changed[query], true);
        let name = &cases[query].known.workload.id;
        let to_it = |cases: &[Case]| {
            let mut answers = answers_given(cases, &growing, &Telltale).unwrap();
            answers.retain(|answer| answer.workload.0 == *name);
            answers
        };
        prop_assert_eq!(to_it(&cases), to_it(&changed));
    }
}

/// Eighty workloads at regular times, so that nothing is drawn by chance.
fn regular() -> Vec<Case> {
    let draws: Vec<Draw> = (0..80_u8)
        .map(|at| Draw {
            start: i64::from(at) * 120,
            seconds: 60,
            application: at % 4,
            user: at % 4,
            level: 1.0 + f64::from(at % 5),
            growth: 2.0,
        })
        .collect();
    world(&draws)
}

#[test]
fn the_law_would_notice_a_store_that_changed() {
    let params = params(Split::Recurring);
    let cases = regular();
    let mut changed = cases.clone();
    let stored = plan(&cases, &params).test[0].store[0];
    change_the_future(&mut changed[stored], true);
    let answers = |cases: &[Case], rival: &str| {
        let mut answers = answers_given(cases, &params, &Telltale).unwrap();
        answers.retain(|answer| answer.rival == rival);
        answers
    };
    for rival in ["shadow", "random", "history-ladder", "boosting"] {
        assert_ne!(answers(&cases, rival), answers(&changed, rival), "{rival}");
    }
}

#[test]
fn in_the_unseen_split_nothing_of_an_application_changes_an_answer_to_it() {
    let cases = regular();
    let of_one = |split: Split| {
        let params = params(split);
        let query = plan(&cases, &params).test[0].queries[0];
        let asked = cases[query].known.workload.clone();
        let mut changed = cases.clone();
        let same_application = |case: &&mut Case| case.known.workload.application == asked.application;
        for case in changed.iter_mut().filter(same_application).filter(|case| case.known.workload.id != asked.id) {
            change_the_future(case, false);
        }
        [&cases, &changed].map(|cases| {
            let mut answers = answers_given(cases, &params, &Telltale).unwrap();
            answers.retain(|answer| answer.workload.0 == asked.id);
            answers
        })
    };
    let [before, after] = of_one(Split::Unseen);
    assert!(before.iter().any(|answer| answer.rival == "boosting" && answer.memory.is_some()));
    assert_eq!(before, after);
    // Where the application may be known, the same change is seen.
    let [before, after] = of_one(Split::Recurring).map(|mut answers| {
        answers.retain(|answer| answer.rival == "boosting");
        answers
    });
    assert_ne!(before, after);
}

#[test]
fn the_leaky_split_breaks_the_law_and_is_named_for_it() {
    let params = params(Split::Leaky);
    let cases = regular();
    let changed = {
        let honest = ReplayParams { split: Split::Recurring, ..params.clone() };
        with_another_future(&cases, &honest)
    };
    let answers = |cases: &[Case]| answers_given(cases, &params, &Telltale).unwrap();
    assert_ne!(answers(&cases), answers(&changed));
}
