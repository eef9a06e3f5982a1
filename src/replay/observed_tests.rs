//! Curves against seconds observed, on workloads whose memory doubles in the middle of their lives.

use super::*;
use crate::replay::test_cases::{Fake, WINDOW, case};
use crate::replay::{Split, Unwatched};
use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};

/// Half live 100 s, half 400 s.
fn cases() -> Vec<Case> {
    (0..60_u32)
        .map(|at| {
            let seconds = if at % 2 == 0 { 100 } else { 400 };
            case(&format!("w{at}"), "a", i64::from(at) * 500, seconds, 1.0 + f64::from(at % 5))
        })
        .collect()
}

fn params() -> ReplayParams {
    let units = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };
    let rivals = ["shadow", "owner", "persistence-1.2", "persistence-2"].map(str::to_owned).to_vec();
    ReplayParams { rivals, minimum_life_windows: 1.0, ..ReplayParams::new(WINDOW, Split::Recurring, units) }
}

fn observed(seconds: &[i64]) -> Observed {
    let windows: Vec<Window> =
        seconds.iter().map(|seconds| Window { length: Micros::from_seconds(*seconds) }).collect();
    seconds_observed(cases(), &windows, &params(), &Fake, &Unwatched).unwrap()
}

fn row(observed: &Observed, seconds: f64, alive: Alive, rival: &str) -> ObservedRow {
    let found = observed.rows.iter().find(|row| {
        row.window_seconds.total_cmp(&seconds).is_eq()
            && row.alive == alive
            && row.rival == rival
            && row.resource == Resource::Memory
    });
    *found.unwrap()
}

#[test]
fn the_population_stays_the_same_where_it_should() {
    let observed = observed(&[250, 10, 10]);
    let windows: Vec<(f64, u64)> = observed.windows.iter().map(|one| (one.window_seconds, one.queries)).collect();
    // 18 start in the last 30 % of the time; half of them live long enough for the longer window.
    assert_eq!(windows, [(10.0, 18), (250.0, 9)]);
    assert_eq!(observed.alive_at_every_window, 9);
    let counted = |seconds, alive| row(&observed, seconds, alive, "owner").workloads;
    assert_eq!((counted(10.0, Alive::AtEveryWindow), counted(250.0, Alive::AtEveryWindow)), (9, 9));
    assert_eq!((counted(10.0, Alive::AtThisWindow), counted(250.0, Alive::AtThisWindow)), (18, 9));
    assert!(observed.warnings.iter().any(|warning| warning.starts_with("9 workloads can be asked")));
}

#[test]
fn a_longer_window_sees_what_a_shorter_one_cannot() {
    let observed = observed(&[10, 250]);
    let error = |seconds, rival| row(&observed, seconds, Alive::AtEveryWindow, rival).log_ratio_median.unwrap();
    // Half of the peak is seen in the first ten seconds, all of it after 250 s.
    assert!((error(10.0, "persistence-1.2") - (1.0_f64 / 0.6).ln()).abs() < 1e-9);
    assert!((error(250.0, "persistence-1.2") - 1.2_f64.ln()).abs() < 1e-9);
    // The owner does not look.
    assert!((error(10.0, "owner") - error(250.0, "owner")).abs() < 1e-12);
    let at_95 = |seconds| row(&observed, seconds, Alive::AtEveryWindow, "persistence-2").waste_at_target;
    assert!(at_95(10.0).unwrap() < 1e-12, "twice what was seen is exactly enough");
    assert_eq!(at_95(250.0), None, "no margin fails so often once the peak was seen");
    let factor = |seconds| row(&observed, seconds, Alive::AtEveryWindow, "persistence-2").q_error_p90.unwrap();
    assert!((factor(10.0) - 1.0).abs() < 1e-9 && (factor(250.0) - 2.0).abs() < 1e-9);
}

#[test]
fn a_window_that_nobody_survives_is_said() {
    let observed = observed(&[10, 5000]);
    assert_eq!(observed.windows[1].queries, 0);
    assert_eq!(observed.alive_at_every_window, 18);
    assert!(observed.rows.iter().all(|row| row.window_seconds < 11.0));
    assert_eq!(observed.warnings[0], "nothing can be asked after 5000 s");
}

#[test]
fn the_first_answer_is_that_of_the_shortest_window_with_one() {
    let first = |firsts: &[Option<f64>]| FirstAnswer::new("krr", Resource::Memory, firsts);
    let found = first(&[None, Some(10.0), Some(250.0), Some(10.0)]);
    assert_eq!((found.seconds_p50, found.seconds_p90, found.never), (Some(10.0), None, Some(0.25)));
    assert_eq!((first(&[None, None, Some(1.0)]).seconds_p50, first(&[None]).never), (None, Some(1.0)));
    let observed = observed(&[10, 250]);
    let owner = observed.first_answers.iter().find(|one| one.rival == "owner").unwrap();
    assert_eq!((owner.workloads, owner.seconds_p90, owner.never), (9, Some(10.0), Some(0.0)));
}
