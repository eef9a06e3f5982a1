use super::*;
use crate::replay::test_cases::{Fake, WINDOW, case};
use crate::replay::{ReplayReport, Split, Weighting, replay};
use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};

const UNITS: UnitContract = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };
const GIB: f64 = 1_073_741_824.0;

/// Thirty applications, each with its own peak, four rounds over 12,000 s; runs of a minute.
fn report(threads: usize) -> ReplayReport {
    let cases: Vec<Case> = (0..120_i64)
        .map(|at| {
            let application = at % 30;
            let peak = GIB * (1.0 + application as f64 / 10.0);
            case(&format!("w{at}"), &format!("app{application}"), at * 100, 60, peak)
        })
        .collect();
    let params = ReplayParams { random_draws: 2, resamples: 10, ..ReplayParams::new(WINDOW, Split::Recurring, UNITS) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| replay(&cases, &params, &Fake).unwrap())
}

fn of<'a>(report: &'a ReplayReport, rival: &str, model: FeedbackModel) -> &'a ClosedRow {
    let rows = &report.splits[0].closed_loop;
    let is_it = |row: &&ClosedRow| {
        row.rival == rival
            && row.model == model
            && row.resource == Resource::Memory
            && row.weighting == Weighting::Workload
            && row.lives == Lives::All
    };
    rows.iter().find(is_it).unwrap()
}

#[test]
fn what_is_held_costs_what_can_be_worked_out_by_hand() {
    let report = report(1);
    let owner = of(&report, "owner", FeedbackModel::F0);
    // 36 runs of 60 s, ten of them the window; the owner asks for four peaks and one is used at the end of the life.
    assert_eq!((owner.runs, owner.task_days, owner.job_days), (36, 36, 36));
    assert!((owner.hours.unwrap() * 3600.0 - 36.0 * 50.0).abs() < 1e-6);
    assert_eq!((owner.oom_free_task_days, owner.footprint_ratio), (Some(1.0), Some(1.0)));
    // One five-minute bin: 20 s at half a peak and 30 s at a peak are 0.8 peaks of four; the peak is a quarter.
    assert!((owner.relative_slack_mean.unwrap() - 0.8).abs() < 1e-9);
    assert!((owner.peak_slack_mean.unwrap() - 0.75).abs() < 1e-9);
    // The window shows half of the peak: 1.2 times that is killed once, doubled to 2.4 times, and fits.
    let held = of(&report, "persistence-1.2", FeedbackModel::F0);
    assert_eq!((held.oom_free_task_days, held.oom_kills_per_task_day), (Some(0.0), Some(1.0)));
    assert_eq!((held.changes_per_task_day, held.serious_job_days), (Some(1.0), Some(0)));
    // Killed at 30 s: 20 s at 0.6 peaks are lost by each.
    let mean_peak = (84..120).map(|at| 1.0 + f64::from(at % 30) / 10.0).sum::<f64>() / 36.0;
    assert!((held.lost.unwrap() * 3600.0 - 36.0 * mean_peak * 0.6 * 20.0).abs() < 1e-6);
    assert_eq!(of(&report, "oracle", FeedbackModel::F0).oom_free_task_days, Some(1.0));
    assert!(of(&report, SHADOW_HELD, FeedbackModel::F0).runs == 36);
}

#[test]
fn the_raw_trace_restarts_nothing() {
    let report = report(1);
    let raw = of(&report, "persistence-1.2", FeedbackModel::F1);
    assert_eq!((raw.oom_free_task_days, raw.changes_per_task_day, raw.lost), (Some(0.0), Some(0.0), Some(0.0)));
    let lost_load = of(&report, "persistence-1.2", FeedbackModel::F2);
    assert_eq!((lost_load.oom_kills_per_task_day, lost_load.lost), (Some(1.0), Some(0.0)));
    assert!((lost_load.hours.unwrap() * 3600.0 - 36.0 * 50.0).abs() < 1e-6);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    assert_eq!(report(1).splits[0].closed_loop, report(2).splits[0].closed_loop);
}
