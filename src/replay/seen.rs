//! How much of its need a workload has shown after some time: what no window can show, nobody can know from it.

use serde::Serialize;

use super::figures::weighted_quantile;
use super::results::{Resource, Weighting};
use super::series::{Series, Step};
use super::truth::Truth;

/// Seconds since the start at which is looked (`EVALUATION.md`'s axis of seconds observed, and days of long lives).
pub(super) const MOMENTS: [f64; 11] =
    [10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 14_400.0, 43_200.0, 86_400.0, 259_200.0, 604_800.0];

/// How much of their need workloads have shown by some time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SeenRow {
    /// The resource.
    pub resource: Resource,
    /// What a workload weighs.
    pub weighting: Weighting,
    /// Seconds since the start.
    pub seconds: f64,
    /// Workloads whose need is known.
    pub workloads: u64,
    /// Those of them that are still alive.
    pub alive: u64,
    /// Share of weight that has shown its whole need; what ended has.
    pub whole: Option<f64>,
    /// 10th percentile of the share of the need that was shown.
    pub share_p10: Option<f64>,
    /// 25th percentile.
    pub share_p25: Option<f64>,
    /// Median.
    pub share_p50: Option<f64>,
    /// Median among those that are still alive.
    pub share_p50_of_alive: Option<f64>,
}

/// Returns the largest share of `need` that was in use by each moment, at most 1: a row counts once it is over.
pub(super) fn shares(series: &Series, need: Option<f64>, use_of: impl Fn(&Step) -> Option<f64>) -> Option<Vec<f64>> {
    let need = need.filter(|need| *need > 0.0)?;
    let end = series.steps.last().map(|step| step.from + step.seconds)?;
    let of = |moment: &f64| {
        if *moment >= end {
            return 1.0;
        }
        let over = series.steps.iter().take_while(|step| step.from + step.seconds <= *moment);
        (over.filter_map(&use_of).fold(0.0, f64::max) / need).min(1.0)
    };
    Some(MOMENTS.iter().map(of).collect())
}

/// Returns the rows of both resources and weightings; moments at which nobody is alive any more have none.
pub(super) fn rows(truths: &[Truth]) -> Vec<SeenRow> {
    let mut rows = Vec::new();
    for resource in Resource::ALL {
        for weighting in Weighting::ALL {
            // (shares by moment, life, weight); a need that is only a lower bound was not shown by anyone.
            let known: Vec<(&[f64], f64, f64)> = truths
                .iter()
                .filter(|truth| !truth.is_censored(resource))
                .filter_map(|truth| {
                    let weight = match weighting {
                        Weighting::Workload => 1.0,
                        Weighting::ResourceHour => truth.resource_seconds(resource),
                    };
                    Some((truth.seen(resource)?, truth.life_seconds, weight))
                })
                .collect();
            rows.extend((0..MOMENTS.len()).filter_map(|at| row(&known, at, resource, weighting)));
        }
    }
    rows
}

fn row(known: &[(&[f64], f64, f64)], at: usize, resource: Resource, weighting: Weighting) -> Option<SeenRow> {
    let seconds = MOMENTS[at];
    let alive = |life: f64| life > seconds;
    let count = known.iter().filter(|one| alive(one.1)).count();
    if count == 0 {
        return None;
    }
    let whole = known.iter().map(|one| (Some(f64::from(u8::from(one.0[at] >= 1.0 - 1e-9))), one.2));
    let quantile = |share| weighted_quantile(known.iter().map(|one| (Some(one.0[at]), one.2)), share);
    let living = known.iter().filter(|one| alive(one.1)).map(|one| (Some(one.0[at]), one.2));
    Some(SeenRow {
        resource,
        weighting,
        seconds,
        workloads: known.len() as u64,
        alive: count as u64,
        whole: super::figures::weighted_mean(whole),
        share_p10: quantile(0.1),
        share_p25: quantile(0.25),
        share_p50: quantile(0.5),
        share_p50_of_alive: weighted_quantile(living, 0.5),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Case;
    use crate::replay::samples::RowBuffer;
    use crate::replay::test_cases::case;

    fn truth(case: &Case) -> Truth {
        Truth::new(0, case, &case.series(&mut RowBuffer::default()).unwrap(), 0, 0)
    }

    #[test]
    fn half_of_the_peak_is_seen_until_the_middle_of_the_life() {
        // Memory doubles in the middle of the life; use of CPU is the same all along.
        let truth = truth(&case("w", "a", 0, 100, 8.0));
        // 10 s, 30 s: half; 60 s: the rows of the second half have begun to be over; then it has ended.
        assert_eq!(truth.seen(Resource::Memory).unwrap()[..4], [0.5, 0.5, 1.0, 1.0]);
        assert!(truth.seen(Resource::Cpu).unwrap().iter().all(|share| *share >= 1.0));
    }

    #[test]
    fn rows_count_who_is_alive_and_who_has_shown_everything() {
        let truths: Vec<Truth> = [40, 200].map(|seconds| truth(&case("w", "a", 0, seconds, 8.0))).to_vec();
        let rows = rows(&truths);
        let memory: Vec<&SeenRow> = rows
            .iter()
            .filter(|row| (row.resource, row.weighting) == (Resource::Memory, Weighting::Workload))
            .collect();
        // Nobody lives longer than 200 s: 10, 30 and 60 s remain.
        assert_eq!(
            memory.iter().map(|row| (row.seconds, row.alive)).collect::<Vec<_>>(),
            [(10.0, 2), (30.0, 2), (60.0, 1)]
        );
        // At 30 s the short one is in its second half, at 60 s it has ended and the long one is in its first.
        assert_eq!(memory.iter().map(|row| row.whole).collect::<Vec<_>>(), [Some(0.0), Some(0.5), Some(0.5)]);
        assert_eq!((memory[2].share_p10, memory[2].share_p50_of_alive), (Some(0.5), Some(0.5)));
        // By resource-hours the long one weighs five times the short one.
        let hours = rows.iter().find(|row| row.seconds > 50.0 && row.weighting == Weighting::ResourceHour).unwrap();
        assert!((hours.whole.unwrap() - 40.0 / 240.0).abs() < 1e-12);
    }

    #[test]
    fn a_row_that_is_not_over_shows_nothing() {
        let mut entry = case("w", "a", 0, 100, 8.0);
        entry.samples.held().truncate(1);
        entry.samples.held()[0].duration = crate::units::Micros::from_seconds(300);
        entry.samples.held()[0].memory = Some(8.0);
        let truth = truth(&entry);
        assert_eq!(truth.seen(Resource::Memory).unwrap()[..4], [0.0, 0.0, 0.0, 1.0]);
    }
}
