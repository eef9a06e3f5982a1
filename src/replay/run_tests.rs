use super::*;
use crate::replay::results::FeedbackRow;
use crate::replay::test_cases::{Fake, WINDOW, case};
use crate::replay::{FeedbackModel, Miss, MissedBy, Reading, Row};
use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};

const UNITS: UnitContract = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };
const GIB: f64 = 1_073_741_824.0;

fn params(split: Split) -> ReplayParams {
    ReplayParams { random_draws: 3, resamples: 100, ..ReplayParams::new(WINDOW, split, UNITS) }
}

/// Thirty applications, each with its own peak, four rounds over 12,000 s.
fn cases() -> Vec<Case> {
    (0..120_i64)
        .map(|at| {
            let application = at % 30;
            let peak = GIB * (1.0 + application as f64 / 10.0);
            case(&format!("w{at}"), &format!("app{application}"), at * 100, 60, peak)
        })
        .collect()
}

fn headline<'a>(report: &'a SplitReport, rival: &str) -> &'a Row {
    report
        .rows
        .iter()
        .find(|row| {
            row.rival == rival
                && row.resource == Resource::Memory
                && row.weighting == Weighting::Workload
                && row.population == Population::WithFallback
                && row.reading == Reading::UncensoredOnly
                && row.group == "all"
        })
        .unwrap()
}

fn near(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} instead of {expected}");
}

#[test]
fn known_rivals_get_the_figures_that_can_be_worked_out_by_hand() {
    let report = replay(&cases(), &params(Split::Recurring), &Fake).unwrap();
    let split = &report.splits[0];
    assert_eq!(report.units.memory, "GiB");
    // 36 queries start at or after 0.7 x 11,960 s = 8,372 s.
    assert_eq!(split.queries, 36);
    let mean_peak = (84..120).map(|at| 1.0 + f64::from(at % 30) / 10.0).sum::<f64>() / 36.0;
    // The owner asks for four times the peak.
    near(headline(split, "owner").figures.mean_waste, 3.0 * mean_peak);
    near(headline(split, "owner").figures.coverage, 1.0);
    near(headline(split, "owner").figures.footprint_ratio, 1.0);
    // The window shows half of the peak: 1.2 x is too small, 3 x is half too much.
    near(headline(split, "persistence-1.2").figures.under_provision_rate, 1.0);
    near(headline(split, "persistence-3").figures.over_allocation_median, 0.5);
    near(headline(split, "oracle").figures.under_provision_rate, 0.0);
    near(headline(split, "oracle").figures.median_ratio, 1.15);
    // Every life is 60 s, 10 of them the window: 50 s at 4 peaks, 20 s at half a peak and 30 s at the peak.
    near(headline(split, "owner").figures.waste, 36.0 * mean_peak * (200.0 - 40.0) / 3600.0);
}

#[test]
fn equal_rates_are_compared_with_paired_intervals() {
    let report = replay(&cases(), &params(Split::Recurring), &Fake).unwrap();
    let split = &report.splits[0];
    assert_eq!((split.clusters.count, split.clusters.by), (30, "application"));
    let at = |rival: &str, target: f64| {
        split
            .equal_coverage
            .iter()
            .find(|entry| {
                entry.rival == rival
                    && entry.resource == Resource::Memory
                    && entry.weighting == Weighting::Workload
                    && entry.population == Population::WithFallback
                    && (entry.target - target).abs() < 1e-12
            })
            .unwrap()
    };
    // Persistence jumps from failing always (1 + .75 times half a peak) to fitting exactly at twice the window.
    let persistence = at("persistence", 0.05);
    near(persistence.mean_waste, 0.0);
    assert!(persistence.interval.is_some());
    assert_eq!(at("shadow", 0.05).above_shadow, None);
    // The oracle never fails, so no rate above 0 lies on its curve.
    assert_eq!(at("oracle", 0.05).mean_waste, None);
    assert_eq!(split.equal_coverage.iter().filter(|entry| entry.rival == "persistence").count(), 2 * 2 * 2 * 4);
}

#[test]
fn knobs_are_chosen_on_the_calibration_period_and_scored_in_the_test() {
    let report = replay(&cases(), &params(Split::Recurring), &Fake).unwrap();
    let split = &report.splits[0];
    let of = |rival: &str| {
        split
            .calibrated
            .iter()
            .find(|entry| {
                entry.rival == rival
                    && entry.resource == Resource::Memory
                    && entry.weighting == Weighting::Workload
                    && (entry.target - 0.05).abs() < 1e-12
            })
            .unwrap()
    };
    // Twice the window is the cheapest setting that never failed there; half of the request (twice the peak) leaves
    // too much, .25 of it fits exactly.
    assert_eq!(of("persistence").settings, [(1.0, 0.0)]);
    near(of("persistence").under_provision_rate, 0.0);
    assert_eq!(of("owner").settings, [(0.25, 0.0)]);
    assert!(of("owner").above_shadow.is_some());
}

#[test]
fn kills_cost_what_the_models_say() {
    let report = replay(&cases(), &params(Split::Recurring), &Fake).unwrap();
    let split = &report.splits[0];
    let row = |rival: &str, model: FeedbackModel| -> &FeedbackRow {
        let same = |row: &&FeedbackRow| row.rival == rival && row.model == model && row.setting == "published";
        split.feedback.iter().find(same).unwrap()
    };
    // 1.2 times half a peak: killed 20 s after the window, doubled once, which fits.
    assert_eq!(row("persistence-1.2", FeedbackModel::F0).oom_kills, Some(1.0));
    let mean_peak = (84..120).map(|at| 1.0 + f64::from(at % 30) / 10.0).sum::<f64>() / 36.0;
    near(Some(row("persistence-1.2", FeedbackModel::F0).memory_lost), 36.0 * mean_peak * 0.6 * 20.0 / 3600.0);
    // 20 s to the kill, 10 s wait, 60 s again, over 50 s of trace.
    near(row("persistence-1.2", FeedbackModel::F0).stretch, 90.0 / 50.0);
    near(row("persistence-1.2", FeedbackModel::F2).stretch, 1.0);
    assert_eq!(row("owner", FeedbackModel::F0).oom_kills, Some(0.0));
    assert!(split.order.iter().any(|order| order.setting == "published" && !order.rivals.contains(&"oracle")));
    let quiet = ReplayParams { feedback: false, ..params(Split::Recurring) };
    let quiet = replay(&cases(), &quiet, &Fake).unwrap();
    assert!(quiet.splits[0].feedback.iter().all(|row| row.model == FeedbackModel::F1));
}

#[test]
fn unseen_applications_have_no_history() {
    let report = replay(&cases(), &params(Split::Unseen), &Fake).unwrap();
    let split = &report.splits[0];
    let history = split.rivals.iter().find(|rival| rival.name == "history-ladder").unwrap();
    assert_eq!((history.answered, history.unanswered), (0, 36));
    // The owner's request stands in.
    assert_eq!(headline(split, "history-ladder").figures.mean_waste, headline(split, "owner").figures.mean_waste);
    assert_eq!(split.folds, 10);
}

#[test]
fn a_leaky_replay_stands_beside_its_honest_twin() {
    let report = replay(&cases(), &params(Split::Leaky), &Fake).unwrap();
    assert_eq!(report.splits.iter().map(|split| split.split).collect::<Vec<_>>(), [Split::Recurring, Split::Leaky]);
    assert_eq!(report.splits[0].queries, report.splits[1].queries);
    assert!(report.flattery.iter().any(|entry| entry.rival == "shadow"));
}

#[test]
fn random_neighbours_report_the_range_of_their_draws() {
    let report = replay(&cases(), &params(Split::Recurring), &Fake).unwrap();
    let random = report.splits[0].rivals.iter().find(|rival| rival.name == "random").unwrap();
    let (low, high) = random.draw_wastes.unwrap();
    let mean = headline(&report.splits[0], "random").figures.mean_waste.unwrap();
    assert!(low <= mean && mean <= high && low < high, "{low} {mean} {high}");
    assert_eq!(headline(&report.splits[0], "random").figures.workloads, 36);
}

#[test]
fn a_trace_without_visible_starts_gives_a_report_that_says_so() {
    let mut cases = cases();
    for case in &mut cases {
        case.known.workload.start = None;
    }
    let report = replay(&cases, &params(Split::Recurring), &Fake).unwrap();
    assert_eq!(report.splits[0].queries, 0);
    assert!(report.splits[0].rows.is_empty());
    assert!(report.splits[0].warnings.iter().any(|warning| warning.contains("nothing can be asked")));
}

#[test]
fn lives_that_never_end_are_read_as_lower_bounds() {
    let mut cases = cases();
    for case in &mut cases {
        case.known.life.censoring.right = true;
    }
    let report = replay(&cases, &params(Split::Recurring), &Fake).unwrap();
    let split = &report.splits[0];
    assert_eq!(split.censored_memory, 36);
    assert_eq!(headline(split, "owner").figures.coverage, None);
    assert!(split.equal_coverage.iter().all(|entry| entry.reading == Reading::UndecidedFits));
    assert!(split.warnings.iter().any(|warning| warning.contains("only a lower bound")));
}

#[test]
fn a_normalised_trace_runs_in_fractions_and_in_cores_once_they_are_known() {
    let mut cases = cases();
    for case in &mut cases {
        let factor = 1.0 / (64.0 * GIB);
        let life = &mut case.known.life;
        life.memory_peak = life.memory_peak.map(|peak| peak * factor);
        if let Some(memory) = &mut case.known.window.memory {
            memory.max *= factor;
        }
        let request = &mut case.known.workload.request;
        request.memory = request.memory.map(|memory| memory * factor);
        for sample in case.samples.held() {
            sample.memory = sample.memory.map(|memory| memory * factor);
        }
    }
    let fraction = UnitContract { memory: MemoryUnit::MachineFraction, ..UNITS };
    let without = ReplayParams { units: fraction, ..params(Split::Recurring) };
    let report = replay(&cases, &without, &Fake).unwrap();
    assert!(report.warnings[0].contains("fractions of the largest machine"));
    let mut with = without;
    with.machine.memory_bytes = Some(64 << 30);
    let sized = replay(&cases, &with, &Fake).unwrap();
    assert!(sized.warnings.is_empty());
    let waste = |report: &ReplayReport| headline(&report.splits[0], "owner").figures.mean_waste.unwrap();
    near(Some(waste(&report) * 64.0), waste(&sized));
    // With its machine size the trace gives what the same trace in bytes gives, floors included.
    let bytes = replay(&self::cases(), &params(Split::Recurring), &Fake).unwrap();
    let vpa = |report: &ReplayReport| headline(&report.splits[0], "vpa-cold").figures.mean_waste;
    near(vpa(&sized), vpa(&bytes).unwrap());
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&replay(&cases(), &params(Split::Unseen), &Fake).unwrap()).unwrap())
    };
    assert_eq!(with(1), with(4));
}

#[test]
fn no_figure_is_ever_undefined() {
    let mut cases = cases();
    for case in &mut cases[90..] {
        case.known.life.memory_peak = Some(0.0);
        case.known.workload.request.memory = None;
        case.known.life.cpu_need = None;
    }
    let report = replay(&cases, &params(Split::Recurring), &Fake).unwrap();
    // An undefined number would be written as null only inside a number that is not optional.
    let text = serde_json::to_value(&report).unwrap();
    for row in text["splits"][0]["feedback"].as_array().unwrap() {
        assert!(row["memory_wasted"].is_number() && row["cpu_waste"].is_number(), "{row}");
    }
    for cells in report.rows().unwrap() {
        assert!(cells.iter().all(|cell| cell != "NaN" && cell != "inf"), "{cells:?}");
        assert_eq!(cells.len(), ReplayReport::columns().len());
    }
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    let refused = |params: ReplayParams| replay(&cases(), &params, &Fake).unwrap_err().to_string();
    let unknown = ReplayParams { rivals: vec!["autopilot".to_owned()], ..params(Split::Recurring) };
    assert!(refused(unknown).starts_with("there is no rival `autopilot`"));
    let shares = ReplayParams { test_share: 0.4, ..params(Split::Recurring) };
    assert_eq!(refused(shares), "`store and test share` is 0.5 and 0.4: allowed is 0 < store share < test share < 1");
    assert_eq!(
        replay(&[], &params(Split::Recurring), &Fake).unwrap_err().to_string(),
        "there is no workload to replay"
    );
}

#[test]
fn rows_longer_than_the_window_are_said() {
    let warned = |seconds: f64| {
        let mut cases = cases();
        for case in &mut cases {
            case.known.window.observed_seconds = seconds;
        }
        replay(&cases, &params(Split::Recurring), &Fake).unwrap().warnings
    };
    assert_eq!(warned(10.0), [""; 0]);
    assert!(
        warned(300.0)[0].contains("window of 10 s: half of the workloads were seen for 300 s"),
        "{:?}",
        warned(300.0)
    );
}

#[test]
fn the_headline_is_the_row_with_fallback_beside_its_family_and_its_feedback() {
    let report = replay(&cases(), &params(Split::Recurring), &Fake).unwrap();
    let split = &report.splits[0];
    let found = split.headline(Resource::Memory, Weighting::Workload, 0.05);
    assert_eq!(found.reading, Reading::UncensoredOnly);
    assert_eq!(found.lines.len(), split.rivals.len());
    let line = found.lines.iter().find(|line| line.rival.name == "persistence-3").unwrap();
    assert_eq!(line.row, headline(split, "persistence-3"));
    let equal = line.equal.unwrap();
    assert_eq!((equal.rival, equal.target, equal.weighting), ("persistence", 0.05, Weighting::Workload));
    let feedback = line.feedback.unwrap();
    assert_eq!((feedback.rival, feedback.model, &*feedback.setting), ("persistence-3", FeedbackModel::F0, "published"));
    let quiet = ReplayParams { feedback: false, ..params(Split::Recurring) };
    let report = replay(&cases(), &quiet, &Fake).unwrap();
    let found = report.splits[0].headline(Resource::Cpu, Weighting::ResourceHour, 0.05);
    assert!(found.lines.iter().all(|line| line.feedback.is_none() && line.row.resource == Resource::Cpu));
    let elsewhere = report.splits[0].headline(Resource::Cpu, Weighting::ResourceHour, 0.07);
    assert!(elsewhere.lines.iter().all(|line| line.equal.is_none()));
}

#[test]
fn the_worst_answers_come_with_the_workloads_they_rest_on() {
    let mut cases = cases();
    // One needs ten times what its application needed before, from a first window like theirs.
    cases[100].known.life.memory_peak = Some(20.0 * GIB);
    cases[100].known.workload.run = 2;
    let report = replay(&cases, &params(Split::Recurring), &Fake).unwrap();
    let misses = &report.splits[0].misses;
    let memory: Vec<&Miss> = misses.iter().filter(|miss| miss.resource == Resource::Memory).collect();
    let worst = memory[0];
    assert_eq!((worst.missed_by, worst.workload.as_str()), (MissedBy::TooLittle, "w100#2"));
    assert!((worst.need - 20.0).abs() < 1e-9 && worst.allocation < 5.0, "{worst:?}");
    assert_eq!((worst.rung, worst.neighbours.len()), ("neighbours", 5));
    // The nearest of the store have the same first window, and so the same peak.
    let first = &worst.neighbours[0];
    assert!((first.need.unwrap() - 2.0).abs() < 0.2 && first.workload.starts_with('w'), "{first:?}");
    let of = |missed_by| memory.iter().filter(|miss| miss.missed_by == missed_by).collect::<Vec<_>>();
    let too_much = of(MissedBy::TooMuch);
    assert!(of(MissedBy::TooLittle).len() <= 10 && too_much.len() == 10);
    let wastes: Vec<f64> = too_much.iter().map(|miss| miss.allocation - miss.need).collect();
    assert!(wastes.windows(2).all(|pair| pair[0] >= pair[1]) && wastes[9] > 0.0, "{wastes:?}");
}

#[test]
fn distributions_hold_every_rival_at_its_published_setting() {
    let report = replay(&cases(), &params(Split::Recurring), &Fake).unwrap();
    let of = |rival| {
        let found = report.splits[0].distributions.iter().find(|one| one.rival == rival);
        &found.unwrap().ratios
    };
    // The owner asks for four times the peak; twice the window's half peak is the peak.
    assert!(of("owner").len() == 51 && of("owner").iter().all(|ratio| (ratio - 4.0).abs() < 1e-9));
    assert!(of("persistence-2").iter().all(|ratio| (ratio - 1.0).abs() < 1e-9));
    assert!(of("shadow").is_sorted());
}

#[test]
fn constants_without_a_machine_are_named_for_the_rivals_that_take_part() {
    let units =
        UnitContract { cpu: CpuUnit::MachineFraction, memory: MemoryUnit::MachineFraction, network: NetworkUnit::None };
    let warnings = |rivals: &[&str], known: bool| {
        let machine = crate::store::MachineSize {
            nanocores: known.then_some(64_000_000_000),
            memory_bytes: known.then_some(256 << 30),
        };
        let rivals = rivals.iter().map(|name| (*name).to_owned()).collect();
        let params =
            ReplayParams { rivals, machine, feedback: false, ..ReplayParams::new(WINDOW, Split::Recurring, units) };
        replay(&cases(), &params, &Fake).unwrap().warnings
    };
    let few = warnings(&["owner", "krr", "krr-oom"], false);
    assert_eq!(few.len(), 2, "{few:?}");
    assert!(few[0].starts_with("CPU is in fractions") && few[0].contains("KRR without its least of 10 m"), "{few:?}");
    assert_eq!(few[1].matches("KRR").count(), 1, "variants share their constants: {few:?}");
    assert!(!few.concat().contains("VPA"), "{few:?}");
    let all = warnings(&["vpa-cold", "crane", "krr", "autopilot-window", "autopilot-ml"], false).concat();
    for name in ["VPA", "Crane", "KRR", "Autopilot's moving window", "Autopilot ML"] {
        assert_eq!(all.matches(name).count(), 2, "{name}: {all}");
    }
    assert!(warnings(&["owner", "persistence-2"], false).is_empty(), "they have no constants");
    assert!(warnings(&["vpa-cold", "krr"], true).is_empty(), "the machine is known");
}

#[test]
fn several_splits_stand_side_by_side() {
    let params = ReplayParams {
        also: vec![Split::Leaky],
        rivals: ["shadow", "owner", "persistence-2", "oracle"].map(str::to_owned).to_vec(),
        feedback: false,
        ..params(Split::Unseen)
    };
    let report = replay(&cases(), &params, &Fake).unwrap();
    let splits: Vec<Split> = report.splits.iter().map(|split| split.split).collect();
    assert_eq!(splits, [Split::Recurring, Split::Unseen, Split::Leaky]);
    // The same as each alone.
    let alone = replay(&cases(), &ReplayParams { also: Vec::new(), ..params }, &Fake).unwrap();
    assert_eq!(report.splits[1], alone.splits[0]);
    assert!(
        report.flattery.iter().all(|one| one.leaky.is_some() == one.honest.is_some()) && !report.flattery.is_empty()
    );
}

#[test]
fn sure_answers_seen_needs_and_regret_are_in_the_report() {
    let report = replay(&cases(), &params(Split::Recurring), &Fake).unwrap();
    let split = &report.splits[0];
    // The toy estimator states neither interval nor novelty: all its answers are equally sure.
    let whole: Vec<f64> = split
        .abstaining
        .iter()
        .filter(|point| (point.resource, point.weighting) == (Resource::Memory, Weighting::Workload))
        .map(|point| point.answered)
        .collect();
    assert_eq!(whole, [0.0, 1.0, 0.0, 1.0]);
    let mean_peak = (84..120).map(|at| 1.0 + f64::from(at % 30) / 10.0).sum::<f64>() / 36.0;
    near(split.abstaining[0].whole_mean_waste, 3.0 * mean_peak);
    near(split.abstaining[1].mean_waste, headline(split, "shadow").figures.mean_waste.unwrap());
    // Half of the peak is seen at 10 s of 60, all of it when the life is over.
    let seen: Vec<(f64, Option<f64>)> = split
        .seen
        .iter()
        .filter(|row| (row.resource, row.weighting) == (Resource::Memory, Weighting::Workload))
        .map(|row| (row.seconds, row.share_p50))
        .collect();
    assert_eq!(seen, [(10.0, Some(0.5)), (30.0, Some(0.5))]);
    // Sized at the peak, owners would waste nothing above the oracle; the cheapest factor that covers 95 % is 1.
    let owner: Vec<&super::super::Regret> =
        split.regret.iter().filter(|row| row.rival == "owner" && row.resource == Resource::Memory).collect();
    assert_eq!(owner.iter().map(|row| row.decile).collect::<Vec<_>>(), (1..=10).collect::<Vec<u32>>());
    assert_eq!(owner.iter().map(|row| row.workloads).sum::<u64>(), 36);
    for row in owner {
        let factor = row.knob * 4.0;
        // 50 s at (factor - 1) peaks more than the oracle, of which 20 s use half a peak and 30 s a whole one.
        near(row.regret_per_hour, (factor - 1.0) * 50.0 / 40.0);
    }
    assert!(split.regret.iter().all(|row| row.rival != "oracle"));
}
