use super::*;
use crate::predict::Decision;
use crate::predict::control::Matcher;
use crate::profile::Window;
use crate::units::Micros;

const FLOORS: Floors = Floors { cpu: 0.01, memory: 1.0, rate: 1.0 };

/// Answers the same whatever it is asked, and how many samples it was shown as network.
struct Says(f64);

impl Matcher for Says {
    fn matched(&self, newcomer: &Newcomer) -> Option<Answer> {
        (self.0 > 0.0).then(|| Answer {
            decision: Decision::Neighbours,
            passed_over: Vec::new(),
            cpu: Some(self.0 / 100.0),
            memory: Some(self.0),
            network: Some(f64::from(newcomer.window.samples)),
            cpu_interval: None,
            memory_interval: Some((self.0, self.0 * 3.0)),
            novelty: None,
            support: Vec::new(),
            warnings: Vec::new(),
        })
    }
}

fn rows(from: i64, count: i64, cpu: f64, memory: f64) -> Vec<Sample> {
    let row = |at: i64| Sample {
        start: Micros::from_seconds(1000 + from + at * 60),
        duration: Micros::from_seconds(60),
        cpu: Some(cpu),
        memory: Some(memory),
        ..Sample::default()
    };
    (0..count).map(row).collect()
}

/// A controller with its facts kept alive, and the allocation that it leads.
struct World {
    controller: ShadowController<'static>,
    in_force: InForce,
    at: f64,
}

impl World {
    fn new(says: &'static [Says], windows: &[i64]) -> Self {
        let facts: &'static Facts = Box::leak(Box::default());
        let stage = |(matcher, window): (&'static Says, &i64)| Stage {
            window: Window { length: Micros::from_seconds(*window) },
            matcher,
        };
        let stages = says.iter().zip(windows).map(stage).collect();
        let start = Micros::from_seconds(1000);
        let settings = ControlSettings::default();
        Self {
            controller: ShadowController::new("w", facts, start, FLOORS, stages, settings),
            in_force: InForce { cpu: Some(4.0), memory: Some(500.0) },
            at: 0.0,
        }
    }

    fn see(&mut self, rows: &[Sample], oom_kills: u32, throttled: f64) -> Change {
        self.at += rows.iter().map(|row| row.duration.as_seconds()).sum::<f64>();
        let seen = Observed { at: self.at, rows, in_force: self.in_force, oom_kills, throttled };
        let change = self.controller.observe(&seen);
        if let Change::Set { cpu, memory, .. } = change {
            self.in_force = InForce { cpu: cpu.or(self.in_force.cpu), memory: memory.or(self.in_force.memory) };
        }
        change
    }

    fn live(&mut self, from: i64, windows: i64, memory: f64) -> Vec<Change> {
        (0..windows).map(|at| self.see(&rows(from + at * 300, 5, 1.0, memory), 0, 0.0)).collect()
    }
}

fn reasons(changes: &[Change]) -> Vec<Reason> {
    let reason = |change: &Change| match change {
        Change::Set { reason, .. } => Some(*reason),
        Change::Keep => None,
    };
    changes.iter().filter_map(reason).collect()
}

#[test]
fn the_first_answer_is_that_of_the_learning_window() {
    let mut world = World::new(&[Says(200.0)], &[60]);
    let first = world.see(&rows(0, 1, 1.0, 100.0), 0, 0.0);
    assert_eq!(first, Change::Set { cpu: Some(2.0), memory: Some(200.0), reason: Reason::FirstAnswer });
}

#[test]
fn an_abstention_leaves_the_owners_request_until_a_longer_window_answers() {
    let mut world = World::new(&[Says(0.0), Says(900.0)], &[60, 300]);
    assert_eq!(world.see(&rows(0, 1, 1.0, 100.0), 0, 0.0), Change::Keep);
    assert_eq!(world.see(&rows(60, 3, 1.0, 100.0), 0, 0.0), Change::Keep);
    let Change::Set { memory: Some(memory), reason, .. } = world.see(&rows(240, 1, 1.0, 100.0), 0, 0.0) else {
        panic!("kept")
    };
    // Almost all of the say is the neighbours': one window of the run's own is closed or open.
    assert_eq!(reason, Reason::Rematch);
    assert!((890.0..=900.0).contains(&memory), "{memory}");
}

#[test]
fn a_longer_window_is_matched_once_with_all_its_rows() {
    let mut world = World::new(&[Says(100.0), Says(120.0), Says(150.0)], &[60, 300, 3600]);
    world.see(&rows(0, 1, 1.0, 90.0), 0, 0.0);
    let changes = world.live(60, 12, 99.0);
    assert_eq!(reasons(&changes)[..2], [Reason::Rematch, Reason::Rematch]);
    // Nothing is kept of the rows after the last stage.
    assert!(world.controller.seen.is_empty());
}

#[test]
fn a_longer_window_that_says_more_is_believed_when_the_run_comes_near_what_was_said() {
    let mut world = World::new(&[Says(200.0), Says(900.0), Says(150.0)], &[60, 300, 3600]);
    world.see(&rows(0, 1, 1.0, 100.0), 0, 0.0);
    world.live(60, 3, 100.0);
    assert_eq!(world.controller.neighbours.memory, Some(200.0));
    world.live(960, 10, 100.0);
    assert_eq!(world.controller.neighbours.memory, Some(150.0));
    let mut world = World::new(&[Says(200.0), Says(900.0)], &[60, 300]);
    world.see(&rows(0, 1, 1.0, 165.0), 0, 0.0);
    world.live(60, 3, 165.0);
    assert_eq!(world.controller.neighbours.memory, Some(900.0));
}

#[test]
fn a_first_row_longer_than_a_later_stage_is_not_matched_twice() {
    let mut world = World::new(&[Says(200.0), Says(300.0)], &[60, 300]);
    let mut row = rows(0, 1, 1.0, 100.0);
    row[0].duration = Micros::from_seconds(300);
    world.see(&row, 0, 0.0);
    assert_eq!(world.in_force.memory, Some(200.0));
    assert_eq!(reasons(&world.live(300, 3, 100.0)), []);
}

#[test]
fn its_own_history_takes_over_in_bounded_steps() {
    let mut world = World::new(&[Says(400.0)], &[60]);
    world.see(&rows(0, 1, 1.0, 100.0), 0, 0.0);
    let mut before = 400.0;
    for day in 0..20 {
        for change in world.live(60 + day * 86_400, 288, 100.0) {
            let Change::Set { memory: Some(memory), reason, .. } = change else { continue };
            assert_eq!(reason, Reason::OwnHistory);
            assert!(memory < before && memory >= before * 0.75 - 1e-9, "{before} -> {memory}");
            before = memory;
        }
    }
    // The neighbours said four times as much as the run uses; 15 % above its own is where it goes.
    assert!((115.0..=140.0).contains(&before), "{before}");
}

#[test]
fn a_kill_doubles_or_takes_what_the_neighbours_allow_and_holds_until_the_peak_was_seen() {
    let mut world = World::new(&[Says(200.0)], &[60]);
    world.see(&rows(0, 1, 1.0, 100.0), 0, 0.0);
    assert_eq!(
        world.see(&rows(60, 1, 1.0, 150.0), 1, 0.0),
        Change::Set { cpu: None, memory: Some(600.0), reason: Reason::OomKill }
    );
    // The run begins anew and is far below; nothing is taken away before more than 200 was used.
    world.live(120, 600, 100.0);
    assert_eq!(world.in_force.memory, Some(600.0));
    world.see(&rows(200_000, 1, 1.0, 210.0), 0, 0.0);
    assert!(reasons(&world.live(200_060, 300, 100.0)).contains(&Reason::OwnHistory));
    assert!(world.in_force.memory.unwrap() >= 210.0);
    // A second kill: twice is more than the interval says.
    world.in_force.memory = Some(450.0);
    world.see(&rows(300_000, 1, 1.0, 100.0), 1, 0.0);
    assert_eq!(world.in_force.memory, Some(900.0));
}

#[test]
fn memory_is_never_below_what_is_used_and_cpu_is_raised_when_throttled() {
    let mut world = World::new(&[Says(200.0)], &[60]);
    world.see(&rows(0, 1, 1.0, 100.0), 0, 0.0);
    let Change::Set { memory: Some(memory), reason, .. } = world.see(&rows(60, 5, 1.0, 201.0), 0, 0.0) else {
        panic!("kept")
    };
    assert_eq!(reason, Reason::InUse);
    assert!(memory >= 201.0);
    let Change::Set { cpu, reason, .. } = world.see(&rows(360, 5, 2.0, 100.0), 0, 0.5) else { panic!("kept") };
    assert_eq!((cpu, reason), (Some(3.0), Reason::Throttled));
}
