use super::*;
use crate::predict::control::Reason;

/// Gives a first answer and doubles memory after every kill.
struct Doubles {
    first: Option<InForce>,
    shown: Vec<usize>,
}

impl Doubles {
    fn new(cpu: Option<f64>, memory: f64) -> Self {
        Self { first: Some(InForce { cpu, memory: Some(memory) }), shown: Vec::new() }
    }
}

impl Controller for Doubles {
    fn observe(&mut self, seen: &Observed<'_>) -> Change {
        self.shown.push(seen.rows.len());
        if let Some(first) = self.first.take() {
            return Change::Set { cpu: first.cpu, memory: first.memory, reason: Reason::Rule };
        }
        if seen.oom_kills > 0 {
            let memory = seen.in_force.memory.map(|memory| memory * 2.0);
            return Change::Set { cpu: None, memory, reason: Reason::OomKill };
        }
        Change::Keep
    }
}

fn rows(steps: &[(i64, f64, f64)]) -> Vec<Sample> {
    let mut at = 0;
    let row = |(seconds, cpu, memory): &(i64, f64, f64)| {
        let row = Sample {
            start: Micros::from_seconds(at),
            duration: Micros::from_seconds(*seconds),
            cpu: Some(*cpu),
            memory: Some(*memory),
            ..Sample::default()
        };
        at += seconds;
        row
    };
    steps.iter().map(row).collect()
}

fn params(model: FeedbackModel) -> LoopParams {
    LoopParams {
        model,
        from: 0.0,
        cpu_limit: true,
        service: false,
        memory_cap: None,
        restart_delay: 10.0,
        most_attempts: 10,
    }
}

fn led(samples: &[Sample], controller: &mut dyn Controller, params: &LoopParams) -> (LoopRun, super::super::days::Day) {
    let series = Series::new(samples, Micros::ZERO);
    let owner = InForce { cpu: Some(9.0), memory: Some(9.0) };
    let case = LoopCase { samples, start: Micros::ZERO, series: &series, owner };
    let mut days = Days::new(0.0);
    let run = lead(&case, controller, params, &mut days);
    (run, days.finish().remove(&0).unwrap_or_default())
}

#[test]
fn throttled_work_takes_longer_when_conserved_and_disappears_when_lost() {
    let samples = rows(&[(60, 2.0, 0.5)]);
    let (run, day) = led(&samples, &mut Doubles::new(Some(1.0), 1.0), &params(FeedbackModel::F0));
    assert_eq!((run.real_seconds, day.cpu.allocated, day.cpu.used), (120.0, 120.0, 120.0));
    let (run, day) = led(&samples, &mut Doubles::new(Some(1.0), 1.0), &params(FeedbackModel::F2));
    assert_eq!((run.real_seconds, day.cpu.excess), (60.0, 60.0));
}

#[test]
fn a_killed_batch_run_begins_again_with_more_and_loses_what_it_had() {
    let samples = rows(&[(30, 0.0, 1.0), (30, 0.0, 3.0)]);
    let (run, day) = led(&samples, &mut Doubles::new(None, 2.0), &params(FeedbackModel::F0));
    assert_eq!((run.oom_kills, run.real_seconds, run.memory_lost, run.changes), (1, 100.0, 60.0, 1));
    // 30 s at 2 GiB with 1 used, then 30 s at 4 with 1 and 30 s at 4 with 3: of these 120 wasted in the last attempt.
    assert_eq!(day.memory.waste, 30.0 + 120.0);
    assert_eq!(day.oom_kills, 1);
}

#[test]
fn a_killed_service_goes_on_and_the_raw_trace_only_counts() {
    let samples = rows(&[(30, 0.0, 1.0), (30, 0.0, 3.0)]);
    let service = LoopParams { service: true, ..params(FeedbackModel::F0) };
    let (run, day) = led(&samples, &mut Doubles::new(None, 2.0), &service);
    assert_eq!((run.real_seconds, run.memory_lost, day.memory.waste), (70.0, 0.0, 60.0));
    let (run, day) = led(&samples, &mut Doubles::new(None, 2.0), &params(FeedbackModel::F1));
    assert_eq!((run.oom_kills, run.real_seconds, run.changes, day.memory.waste), (1, 60.0, 0, 30.0));
}

#[test]
fn ten_kills_at_one_place_are_given_up_and_kills_at_many_places_are_not() {
    let samples = rows(&[(300, 0.0, 5000.0)]);
    let (run, _) = led(&samples, &mut Doubles::new(None, 1.0), &params(FeedbackModel::F0));
    assert_eq!((run.never_fits, run.oom_kills), (true, 10));
    // Twelve places, each four times what was before, a service.
    let climbing: Vec<(i64, f64, f64)> = (0..13).map(|step| (300, 0.0, 4.0_f64.powi(step))).collect();
    let service = LoopParams { service: true, ..params(FeedbackModel::F0) };
    let (run, _) = led(&rows(&climbing), &mut Doubles::new(None, 1.0), &service);
    assert_eq!((run.never_fits, run.oom_kills), (false, 24));
}

#[test]
fn the_largest_machine_bounds_every_answer() {
    let samples = rows(&[(10, 0.0, 9.0)]);
    let capped = LoopParams { memory_cap: Some(8.0), ..params(FeedbackModel::F0) };
    let (run, _) = led(&samples, &mut Doubles::new(None, 1.0), &capped);
    assert_eq!((run.never_fits, run.oom_kills), (true, 4));
}

#[test]
fn every_row_is_shown_once_in_five_minutes_and_again_after_a_restart() {
    let two_seconds: Vec<(i64, f64, f64)> = (0..450).map(|_| (2, 0.0, 1.0)).collect();
    let mut controller = Doubles::new(None, 2.0);
    let (run, _) = led(&rows(&two_seconds), &mut controller, &LoopParams { from: 60.0, ..params(FeedbackModel::F0) });
    // The first minute, then twice five minutes; what is left of the run is shorter.
    assert_eq!((run.observations, controller.shown), (3, vec![30, 150, 150]));
    let long: Vec<(i64, f64, f64)> = vec![(600, 0.0, 1.0); 3];
    let mut controller = Doubles::new(None, 2.0);
    led(&rows(&long), &mut controller, &LoopParams { from: 600.0, ..params(FeedbackModel::F0) });
    assert_eq!(controller.shown, [1, 1, 1]);
    let killed = rows(&[(300, 0.0, 1.0), (300, 0.0, 3.0)]);
    let mut controller = Doubles::new(None, 2.0);
    led(&killed, &mut controller, &params(FeedbackModel::F0));
    assert_eq!(controller.shown, [0, 1, 0, 1, 1]);
}

#[test]
fn after_a_restart_nobody_is_shown_what_the_new_attempt_has_not_reached() {
    let samples = rows(&[(300, 0.0, 1.0), (300, 0.0, 1.0), (300, 0.0, 3.0)]);
    let mut controller = Doubles::new(None, 2.0);
    led(&samples, &mut controller, &params(FeedbackModel::F0));
    assert_eq!(controller.shown, [0, 1, 1, 0, 1, 1, 1]);
}

#[test]
fn a_gap_between_rows_is_time_that_passes_without_allocation() {
    let mut samples = rows(&[(300, 0.0, 1.0), (300, 0.0, 1.0)]);
    samples[1].start = Micros::from_seconds(1000);
    let (run, day) = led(&samples, &mut Doubles::new(None, 2.0), &params(FeedbackModel::F0));
    assert_eq!((run.real_seconds, run.spent_seconds, day.memory.allocated), (1300.0, 600.0, 1200.0));
}
