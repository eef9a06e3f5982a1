use super::*;
use crate::predict::Newcomer;
use crate::predict::control::{Change, InForce, Observed};
use crate::profile::ResourceProfile;
use crate::replay::test_cases::{Fake, WINDOW, case, newcomer, query, surroundings};
use crate::units::Micros;

const GIB: f64 = 1_073_741_824.0;
const MARGIN: f64 = 0.15;
const PHYSICAL: Scale =
    Scale { cores_per_unit: Some(1.0), bytes_per_unit: Some(1.0), machine_cpu: None, machine_memory: None };

fn millicores(cores: f64) -> f64 {
    (cores * 1000.0).round()
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} instead of {expected}");
}

fn prepared(name: &str, stored: &[Case], scale: Scale) -> PreparedVpa {
    with_clock(name, stored, scale, true)
}

fn with_clock(name: &str, stored: &[Case], scale: Scale, has_clock: bool) -> PreparedVpa {
    let vpa = Vpa::named(name).unwrap();
    let applications = match vpa.seen {
        Seen::Application => Warm::applications(&Store { cases: stored.iter().collect(), has_clock }, &scale).unwrap(),
        _ => BTreeMap::new(),
    };
    PreparedVpa { vpa, scale, window: WINDOW.length.as_seconds(), warm: Warm { applications, has_clock } }
}

fn memory(prepared: &PreparedVpa, asked: &Query<'_>) -> Option<(f64, &'static str)> {
    let answer = prepared.recommend(asked, &[Setting::knob(MARGIN)], 0).unwrap()[0]?;
    Some((answer.memory?, answer.rung))
}

/// A newcomer whose window shows 1 GiB, 100 s after the stored runs began.
fn young() -> Newcomer {
    newcomer(&case("new", "a", 1000, 100, 2.0 * GIB))
}

fn asked<'a>(newcomer: &'a Newcomer, application: &'a str) -> Query<'a> {
    Query { at: Micros::from_seconds(1010), application: Some(application), ..query(newcomer) }
}

#[test]
fn earlier_runs_of_the_application_are_replicas_of_one_history() {
    let newcomer = young();
    // Five earlier runs of 4 GiB and the newcomer's 1 GiB: six peaks.
    let stored: Vec<Case> = (0..5).map(|at| case(&format!("s{at}"), "a", at * 100, 100, 4.0 * GIB)).collect();
    let warm = prepared("vpa-warm-app", &stored, PHYSICAL);
    let cold = memory(&prepared("vpa-cold", &stored, PHYSICAL), &asked(&newcomer, "a")).unwrap();
    let (found, rung) = memory(&warm, &asked(&newcomer, "a")).unwrap();
    assert_eq!(rung, "application");
    near(found, 4_992_073_454.0, 2.0);
    near(cold.0, 1_238_659_775.0, 2.0);
    // Another application is a stranger.
    assert_eq!(memory(&warm, &asked(&newcomer, "b")), Some((cold.0, "cold")));
    // One of eleven peaks is above the 90th percentile.
    let mut many: Vec<Case> = (0..10).map(|at| case(&format!("s{at}"), "a", 0, 100, GIB)).collect();
    many[3] = case("s3", "a", 0, 100, 4.0 * GIB);
    near(memory(&prepared("vpa-warm-app", &many, PHYSICAL), &asked(&newcomer, "a")).unwrap().0, 1_238_659_775.0, 2.0);
}

#[test]
fn a_history_without_samples_for_eight_days_is_given_up() {
    let newcomer = young();
    let stored = [case("s", "a", 0, 100, 4.0 * GIB)];
    let rung = |days: i64, has_clock| {
        let at = Micros::from_seconds(100 + days * 86_400);
        let warm = with_clock("vpa-warm-app", &stored, PHYSICAL, has_clock);
        memory(&warm, &Query { at, ..asked(&newcomer, "a") }).unwrap().1
    };
    assert_eq!(
        [(7, true), (9, true), (9, false)].map(|(days, clock)| rung(days, clock)),
        ["application", "cold", "application"]
    );
}

#[test]
fn the_order_of_the_store_changes_nothing() {
    let newcomer = young();
    let stored: Vec<Case> =
        (0..9).map(|at| case(&format!("s{at}"), "a", at * 70, 100, GIB * (1.0 + at as f64))).collect();
    let turned: Vec<Case> = stored.iter().rev().cloned().collect();
    for has_clock in [true, false] {
        let of =
            |stored: &[Case]| memory(&with_clock("vpa-warm-app", stored, PHYSICAL, has_clock), &asked(&newcomer, "a"));
        assert_eq!(of(&stored), of(&turned));
    }
}

#[test]
fn kills_and_the_closed_loop_begin_with_the_same_history_as_the_answer() {
    let newcomer = young();
    let stored: Vec<Case> = (0..5).map(|at| case(&format!("s{at}"), "a", at * 100, 100, 4.0 * GIB)).collect();
    let rival = Vpa::named("vpa-warm-app").unwrap();
    let store = Store { cases: stored.iter().collect(), has_clock: true };
    let prepared = rival.prepare(&store, &surroundings(&Fake)).unwrap();
    let (query, setting) = (asked(&newcomer, "a"), Setting::knob(MARGIN));
    let first = prepared.recommend(&query, &[setting], 0).unwrap()[0].unwrap().memory;
    let conduct = prepared.conduct();
    let mut controller = conduct.controller(&query, &setting).unwrap();
    let seen =
        Observed { at: 10.0, rows: &[], in_force: InForce { cpu: None, memory: None }, oom_kills: 0, throttled: 0.0 };
    let Change::Set { memory, .. } = controller.observe(&seen) else { panic!("no first answer") };
    assert_eq!(memory, first);
    // Of seven peaks one lies above the 90th percentile: the kill's is seen.
    let kill = Attempt { allocation: first.unwrap(), seen: 0.0, at: 5.0 };
    assert!(conduct.after_kills(&query, &setting, &[kill]) > first);
}

#[test]
fn until_version_1_3_a_sample_weighs_as_much_as_the_request() {
    let old = Vpa::named("vpa-1.3").unwrap();
    assert_eq!([Some(4.0), Some(0.01), None].map(|request| old.cpu_weight(request)), [4.0, 0.1, 0.1]);
    assert_eq!(Vpa::named("vpa-cold").unwrap().cpu_weight(Some(4.0)), 0.1);
}

/// Rows of an hour from 0 on, each (mean CPU, mean memory, largest memory).
fn hours(values: &[(f64, f64, f64)]) -> Vec<Sample> {
    let row = |(at, (cpu, memory, memory_max)): (i64, &(f64, f64, f64))| Sample {
        start: Micros::from_seconds(at * 3600),
        duration: Micros::from_seconds(3600),
        cpu: Some(*cpu),
        memory: Some(*memory),
        memory_max: Some(*memory_max),
        ..Sample::default()
    };
    (0..).zip(values).map(row).collect()
}

#[test]
fn its_own_rows_are_answered_from_the_age_on() {
    let newcomer = young();
    let of = |name: &str, rows: &[Sample]| {
        let at = Micros::from_seconds(i64::try_from(rows.len()).unwrap() * 3600);
        memory(&prepared(name, &[], PHYSICAL), &Query { at, rows, ..query(&newcomer) }).map(|(memory, _)| memory)
    };
    let day = hours(&[(0.5, GIB, 4.0 * GIB); 24]);
    assert_eq!(of("vpa-warm-24h", &day[..23]), None);
    near(of("vpa-warm-24h", &day).unwrap(), 4_992_073_454.0, 2.0);
    assert_eq!(of("vpa-warm-8d", &day), None);
    // By the hour nobody sees what happens inside it.
    let week = hours(&[(0.5, GIB, 4.0 * GIB); 8 * 24]);
    near(of("vpa-warm-8d", &week).unwrap(), 4_992_073_454.0, 2.0);
    near(of("vpa-warm-hourly", &week).unwrap(), 1_238_659_775.0, 2.0);
}

#[test]
fn in_the_closed_loop_it_answers_when_it_is_old_enough() {
    let newcomer = young();
    let leads = |name: &str| {
        let conduct = prepared(name, &[], PHYSICAL);
        let query = Query { at: Micros::from_seconds(3600), ..query(&newcomer) };
        let mut controller = conduct.controller(&query, &Setting::knob(MARGIN)).unwrap();
        let rows = hours(&[(0.5, GIB, 4.0 * GIB); 8 * 24 + 1]);
        let mut answers = Vec::new();
        for (at, row) in (1_u32..).zip(&rows) {
            let in_force = InForce { cpu: Some(1.0), memory: Some(8.0 * GIB) };
            let seen = Observed {
                at: f64::from(at) * 3600.0,
                rows: std::slice::from_ref(row),
                in_force,
                oom_kills: 0,
                throttled: 0.0,
            };
            if let Change::Set { memory, .. } = controller.observe(&seen) {
                answers.push((at, memory.unwrap().round()));
            }
        }
        answers[0]
    };
    assert_eq!(leads("vpa-warm-24h"), (24, 4_992_073_454.0));
    assert_eq!(leads("vpa-warm-8d"), (192, 4_992_073_454.0));
    assert_eq!(leads("vpa-warm-hourly"), (192, 1_238_659_775.0));
}

#[test]
fn the_cold_answer_uses_the_mean_of_cpu_and_the_maximum_of_memory() {
    let mut asked = newcomer(&case("w", "a", 0, 100, 1.0));
    asked.window.cpu = Some(ResourceProfile { max: 4.0, mean: 1.0, ..ResourceProfile::default() });
    asked.window.memory = Some(ResourceProfile { max: GIB, mean: 1.0, ..ResourceProfile::default() });
    let absolute =
        Scale { cores_per_unit: Some(1.0), bytes_per_unit: Some(1.0), machine_cpu: None, machine_memory: None };
    let prepared = prepared("vpa-cold", &[], absolute);
    let answer = prepared.recommend(&query(&asked), &[Setting::knob(MARGIN)], 0).unwrap()[0].unwrap();
    assert_eq!(millicores(answer.cpu.unwrap()), 1168.0);
    near(answer.memory.unwrap(), 1_238_659_775.0, 2.0);
}

#[test]
fn fractions_of_an_unknown_machine_have_no_floor_and_no_fixed_step() {
    let mut asked = newcomer(&case("w", "a", 0, 100, 1.0));
    asked.window.cpu = None;
    asked.window.memory = Some(ResourceProfile { max: 0.01, mean: 0.01, ..ResourceProfile::default() });
    let fractions =
        Scale { cores_per_unit: None, bytes_per_unit: None, machine_cpu: Some(1.0), machine_memory: Some(1.0) };
    let prepared = prepared("vpa-cold", &[], fractions);
    let answer = prepared.recommend(&query(&asked), &[Setting::knob(MARGIN)], 0).unwrap()[0].unwrap();
    assert_eq!(answer.cpu, None);
    // 15 % above the upper edge of a bucket about 5 % wide.
    let memory = answer.memory.unwrap();
    assert!((0.0115..0.0123).contains(&memory), "{memory}");
    let kill = Attempt { allocation: memory, seen: 0.01, at: 5.0 };
    let next = prepared.after_kills(&query(&asked), &Setting::knob(MARGIN), &[kill]).unwrap();
    assert!(next > memory * 1.2 && next < memory * 1.5, "{next}");
}
