use super::*;
use crate::replay::test_cases::{WINDOW, case};
use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};

const UNITS: UnitContract = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };

fn params(split: Split) -> ReplayParams {
    ReplayParams::new(WINDOW, split, UNITS)
}

/// One instance of applications a, b and c every 100 s over 10,000 s, each living 50 s.
fn regular() -> Vec<Case> {
    (0..100)
        .map(|at: i64| {
            let application = ["a", "b", "c"][usize::try_from(at % 3).unwrap()];
            case(&format!("{application}{at}"), application, at * 100, 50, 1.0)
        })
        .collect()
}

fn start(cases: &[Case], case: usize) -> Micros {
    cases[case].known.workload.start.unwrap()
}

fn application(cases: &[Case], case: usize) -> &str {
    cases[case].known.workload.application.as_deref().unwrap()
}

#[test]
fn time_order_cuts_at_half_and_seven_tenths() {
    let cases = regular();
    let plan = plan(&cases, &params(Split::Recurring));
    let cuts = plan.cuts.unwrap();
    // The trace spans 0 to 9,950 s.
    assert_eq!((cuts.calibration, cuts.test), (Micros::from_seconds(4975), Micros::from_seconds(6965)));
    assert_eq!((plan.basis, plan.test.len(), plan.calibration.len()), (SplitBasis::TimeOrder, 1, 1));
    let test = &plan.test[0];
    assert!(test.store.iter().all(|case| cases[*case].finish().unwrap() < cuts.test));
    assert_eq!((test.store.len(), test.queries.len()), (70, 30));
    assert!(test.queries.iter().all(|query| start(&cases, *query) >= cuts.test));
    let calibration = &plan.calibration[0];
    assert_eq!((calibration.store.len(), calibration.queries.len()), (50, 20));
    assert!(calibration.store.iter().all(|case| cases[*case].finish().unwrap() < cuts.calibration));
}

#[test]
fn what_outlives_the_test_cut_neither_calibrates_nor_is_stored() {
    let mut cases = regular();
    // Begins in the calibration period, ends in the test period.
    cases.push(case("long", "a", 5000, 3000, 1.0));
    let long = cases.len() - 1;
    let plan = plan(&cases, &params(Split::Recurring));
    assert_eq!(plan.calibration_alive_at_test_cut, 1);
    assert!(!plan.calibration[0].queries.contains(&long));
    assert!(!plan.test[0].store.contains(&long));
}

#[test]
fn a_growing_store_holds_what_ended_before_each_step() {
    let cases = regular();
    let growing = ReplayParams { store_mode: StoreMode::Growing { steps: 3 }, ..params(Split::Recurring) };
    let plan = plan(&cases, &growing);
    assert_eq!(plan.test.iter().map(|block| block.queries.len()).sum::<usize>(), 30);
    assert_eq!(plan.test.iter().map(|block| block.store.len()).collect::<Vec<_>>(), [70, 80, 90]);
    for block in &plan.test {
        let first = block.queries.iter().map(|query| start(&cases, *query)).min().unwrap();
        assert!(block.store.iter().all(|case| cases[*case].finish().unwrap() < first));
    }
}

#[test]
fn the_first_of_an_application_is_no_recurring_query() {
    let mut cases = regular();
    cases.push(case("new", "never seen", 9000, 50, 1.0));
    let plan = plan(&cases, &params(Split::Recurring));
    assert_eq!(plan.removed[&Reason::FirstOfItsApplication].workloads, 1);
    assert!(!plan.test[0].queries.contains(&(cases.len() - 1)));
}

#[test]
fn removed_workloads_are_counted_with_their_resources() {
    let mut cases = regular();
    cases.push(case("short", "a", 9000, 19, 3_600.0 * 1_073_741_824.0));
    let mut running = case("running", "a", 0, 9000, 1.0);
    running.known.workload.start = None;
    cases.push(running);
    let mut gap = case("gap", "a", 9000, 50, 1.0);
    gap.known.window.samples = 0;
    cases.push(gap);
    let mut half = case("half", "a", 9000, 50, 1.0);
    half.known.window.observed_seconds = 4.0;
    cases.push(half);
    let removed = plan(&cases, &params(Split::Recurring)).removed;
    let short = removed[&Reason::ShorterThanMinimumLife];
    assert_eq!(short.workloads, 1);
    // Three quarters of 3600 GiB for 19 s.
    assert!((short.memory_hours - 0.75 * 19.0).abs() < 1e-9, "{short:?}");
    assert_eq!(removed[&Reason::StartNotVisible].workloads, 1);
    assert_eq!(removed[&Reason::NoSampleInWindow].workloads, 1);
    assert_eq!(removed[&Reason::WindowNotWhole].workloads, 1);
}

#[test]
fn an_unseen_query_meets_nothing_of_its_application_user_or_job() {
    let mut cases = regular();
    for (at, case) in cases.iter_mut().enumerate() {
        // Users u0 and u1 share application c, so a and b hang together through them.
        case.known.workload.user = Some(format!("u{}", at % 6));
    }
    for at in 0..20 {
        let mut other = case(&format!("d{at}"), &format!("d{}", at % 4), at * 490, 60, 1.0);
        other.known.workload.user = Some(format!("v{}", at % 4));
        cases.push(other);
    }
    let plan = plan(&cases, &params(Split::Unseen));
    assert_eq!((plan.basis, plan.held_out_by), (SplitBasis::TimeOrder, Some("application, job or user")));
    assert!(plan.folds > 1);
    let mut asked = 0;
    for block in plan.test.iter().chain(&plan.calibration) {
        for query in &block.queries {
            asked += 1;
            for stored in &block.store {
                assert_ne!(application(&cases, *query), application(&cases, *stored));
                assert_ne!(cases[*query].known.workload.user, cases[*stored].known.workload.user);
            }
        }
    }
    assert!(asked > 30, "{asked}");
    // A knob for a fold is never chosen by outcomes of its own groups.
    for block in &plan.test {
        for calibration in &block.calibrated_by {
            for other in &plan.calibration[*calibration].queries {
                assert!(block.queries.iter().all(|query| application(&cases, *query) != application(&cases, *other)));
            }
        }
    }
}

#[test]
fn jobs_named_by_identifiers_are_held_out_together() {
    let mut cases = regular();
    for (at, case) in cases.iter_mut().enumerate() {
        let workload = &mut case.known.workload;
        workload.format = "google-2011".to_owned();
        workload.id = format!("{}/{}", 1000 + at % 7, at);
        workload.application = None;
    }
    let plan = plan(&cases, &params(Split::Unseen));
    assert_eq!(plan.folds, 7);
    for block in &plan.test {
        let job = |case: &usize| cases[*case].known.workload.id.split('/').next().unwrap().to_owned();
        let asked: Vec<String> = block.queries.iter().map(job).collect();
        assert!(block.store.iter().all(|stored| !asked.contains(&job(stored))));
    }
}

#[test]
fn without_users_unseen_says_that_it_means_applications() {
    let plan = plan(&regular(), &params(Split::Unseen));
    assert_eq!((plan.folds, plan.held_out_by), (3, Some("application or job")));
    assert!(plan.notes.iter().any(|note| note.contains("names no users")), "{:?}", plan.notes);
}

#[test]
fn starts_at_zero_fall_back_to_folds_and_say_so() {
    let cases: Vec<Case> =
        (0..50).map(|at| case(&format!("w{at}"), ["a", "b", "c", "d"][at % 4], 0, 50, 1.0)).collect();
    let recurring = plan(&cases, &params(Split::Recurring));
    assert_eq!((recurring.basis, recurring.folds, recurring.cuts), (SplitBasis::Folds, 5, None));
    assert!(recurring.notes[0].contains("no clock common"), "{:?}", recurring.notes);
    let mut asked: Vec<usize> = recurring.test.iter().flat_map(|block| block.queries.clone()).collect();
    asked.sort_unstable();
    assert_eq!(asked, (0..50).collect::<Vec<_>>());
    for block in &recurring.test {
        assert!(block.queries.iter().all(|query| !block.store.contains(query)));
        for calibration in &block.calibrated_by {
            let calibration = &recurring.calibration[*calibration];
            // Neither the questions nor the store of the calibration touch the fold they choose for.
            assert!(calibration.queries.iter().all(|query| !block.queries.contains(query)));
            assert!(block.queries.iter().all(|query| !calibration.store.contains(query)));
        }
    }
    let unseen = plan(&cases, &params(Split::Unseen));
    assert_eq!((unseen.basis, unseen.folds), (SplitBasis::Folds, 4));
    for block in unseen.test.iter().chain(&unseen.calibration) {
        for query in &block.queries {
            assert!(block.store.iter().all(|stored| application(&cases, *stored) != application(&cases, *query)));
        }
    }
}

#[test]
fn an_empty_test_period_falls_back_to_folds() {
    // Everything starts in the first tenth; one run lasts to the end.
    let mut cases: Vec<Case> = (0..50).map(|at| case(&format!("w{at}"), "a", at, 50, 1.0)).collect();
    cases.push(case("long", "a", 0, 1000, 1.0));
    let plan = plan(&cases, &params(Split::Recurring));
    assert_eq!(plan.basis, SplitBasis::Folds);
    assert!(plan.notes[0].contains("no workload that starts in the test period"), "{:?}", plan.notes);
}

#[test]
fn the_leaky_split_asks_the_honest_queries_of_a_random_store() {
    let cases = regular();
    let honest = plan(&cases, &params(Split::Recurring));
    let leaky = plan(&cases, &params(Split::Leaky));
    let queries = |plan: &Plan| {
        let mut all: Vec<usize> = plan.test.iter().flat_map(|block| block.queries.clone()).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(queries(&leaky), queries(&honest));
    assert_eq!(leaky.basis, SplitBasis::Random);
    // It leaks: somewhere the store holds what ran later than the query.
    let later = leaky.test.iter().any(|block| {
        block
            .queries
            .iter()
            .any(|query| block.store.iter().any(|stored| start(&cases, *stored) > start(&cases, *query)))
    });
    assert!(later);
    assert!(leaky.test.iter().all(|block| block.queries.iter().all(|query| !block.store.contains(query))));
}

#[test]
fn the_same_seed_gives_the_same_plan_and_another_does_not() {
    let cases: Vec<Case> = (0..50).map(|at| case(&format!("w{at}"), "a", 0, 50, 1.0)).collect();
    let with = |seed| plan(&cases, &ReplayParams { seed, ..params(Split::Recurring) });
    assert_eq!(with(3), with(3));
    assert_ne!(with(3).test, with(4).test);
}
