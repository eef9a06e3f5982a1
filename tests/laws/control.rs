//! What the feedback controller promises, whatever a run shows.

use proptest::prelude::*;
use shadow::predict::control::{
    Change, ControlSettings, Controller, InForce, Matcher, Observed, ShadowController, Stage, memory_peak,
};
use shadow::predict::{Answer, Decision, Facts, Newcomer};
use shadow::profile::{Floors, Window};
use shadow::trace::Sample;
use shadow::units::Micros;

const FLOORS: Floors = Floors { cpu: 0.01, memory: 1.0, rate: 1.0 };
const ROW_SECONDS: i64 = 300;

/// Says so many times the newcomer's largest use.
struct Times(f64);

impl Matcher for Times {
    fn matched(&self, newcomer: &Newcomer) -> Option<Answer> {
        let memory = newcomer.window.memory?.max * self.0;
        Some(Answer {
            decision: Decision::Neighbours,
            passed_over: Vec::new(),
            cpu: newcomer.window.cpu.map(|cpu| cpu.max * self.0),
            memory: Some(memory),
            network: None,
            cpu_interval: None,
            memory_interval: Some((memory / 2.0, memory * 1.5)),
            novelty: None,
            support: Vec::new(),
            warnings: Vec::new(),
        })
    }
}

/// What one observation shows.
#[derive(Debug, Clone, Copy)]
struct Shown {
    cpu: f64,
    memory: f64,
    is_killed: bool,
    throttled: f64,
}

fn row(at: i64, shown: Shown) -> Sample {
    Sample {
        start: Micros::from_seconds(at * ROW_SECONDS),
        duration: Micros::from_seconds(ROW_SECONDS),
        cpu: Some(shown.cpu),
        memory: Some(shown.memory),
        ..Sample::default()
    }
}

/// Leads a run through `shown`; returns what was in force before, the change and what was in force after each.
fn lead(says: [f64; 2], shown: &[Shown]) -> Vec<(InForce, Change, InForce)> {
    let matchers = says.map(Times);
    let windows = [60, 3600].map(|seconds| Window { length: Micros::from_seconds(seconds) });
    let stages = windows.into_iter().zip(&matchers).map(|(window, matcher)| Stage { window, matcher }).collect();
    let facts = Facts::default();
    let mut controller = ShadowController::new("w", &facts, Micros::ZERO, FLOORS, stages, ControlSettings::default());
    let mut in_force = InForce { cpu: Some(1.0), memory: Some(100.0) };
    let mut all = Vec::new();
    for (at, shown) in (0_i64..).zip(shown) {
        let rows = [row(at, *shown)];
        let before = in_force;
        let change = controller.observe(&Observed {
            at: (at + 1) as f64 * ROW_SECONDS as f64,
            rows: &rows,
            in_force,
            oom_kills: u32::from(shown.is_killed),
            throttled: shown.throttled,
        });
        if let Change::Set { cpu, memory, .. } = change {
            in_force = InForce { cpu: cpu.or(in_force.cpu), memory: memory.or(in_force.memory) };
        }
        all.push((before, change, in_force));
    }
    all
}

fn shown() -> impl Strategy<Value = Shown> {
    (0.01..8.0_f64, 1.0..5000.0_f64, prop::bool::weighted(0.05), prop_oneof![Just(0.0), 0.0..1.0_f64])
        .prop_map(|(cpu, memory, is_killed, throttled)| Shown { cpu, memory, is_killed, throttled })
}

fn says() -> impl Strategy<Value = [f64; 2]> {
    [0.2..6.0_f64, 0.2..6.0_f64]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn constant_use_changes_nothing_after_settling(
        says in says(), cpu in 0.01..8.0_f64, memory in 1.0..5000.0_f64,
    ) {
        // From the tenth day on the neighbours have no say.
        let steady = Shown { cpu, memory, is_killed: false, throttled: 0.0 };
        let led = lead(says, &vec![steady; 30 * 288]);
        let last_change = led.iter().rposition(|(_, change, _)| *change != Change::Keep).unwrap_or(0);
        prop_assert!(last_change < 15 * 288, "still changing on day {}: {:?}", last_change / 288, led[last_change]);
        let settled = led[led.len() - 1].2;
        let over = settled.memory.unwrap() / memory;
        prop_assert!((1.0..=1.3).contains(&over), "{} times what is used", over);
    }

    #[test]
    fn memory_after_a_kill_is_at_least_twice_what_it_was(
        says in says(), shown in prop::collection::vec(shown(), 2..200),
    ) {
        for ((before, _, after), shown) in lead(says, &shown).into_iter().zip(&shown).skip(1) {
            if shown.is_killed {
                prop_assert!(after.memory.unwrap() >= 2.0 * before.memory.unwrap());
            }
        }
    }

    #[test]
    fn decreases_are_bounded_rare_and_never_below_what_is_used(
        says in says(), shown in prop::collection::vec(shown(), 2..400),
    ) {
        let rules = ControlSettings::default().memory;
        let mut last_fall: Option<usize> = None;
        for (at, ((before, change, after), shown)) in lead(says, &shown).into_iter().zip(&shown).enumerate().skip(1) {
            let (before, after) = (before.memory.unwrap(), after.memory.unwrap());
            prop_assert!(after >= before * (1.0 - rules.most_fall) * (1.0 - 1e-12));
            if change != Change::Keep {
                let peak = memory_peak(&row(0, *shown)).unwrap();
                prop_assert!(after >= peak || after >= before, "{} below {} in use", after, peak);
            }
            if after < before {
                let waited = last_fall.map_or(f64::INFINITY, |last| ((at - last) * 300) as f64);
                prop_assert!(waited >= rules.patience_seconds);
                last_fall = Some(at);
            }
        }
    }

    #[test]
    fn the_same_run_is_led_the_same_way(says in says(), shown in prop::collection::vec(shown(), 1..100)) {
        prop_assert_eq!(lead(says, &shown), lead(says, &shown));
    }
}
