//! How much more often than allowed an application exceeds a margin that others set.
//!
//! A margin that covers 95 % of the instances of a store covers fewer of an application that is not in it. How many fewer,
//! the store says itself: each application is left out whole, the others set margins, and what of it exceeds them is counted.

use super::quantile::{Observed, upper_quantile, upper_rank_share};

/// How many margins are tried, for shares of misses from [`MOST`] down to [`FEWEST`] in equal ratios (ours).
const TRIED: u32 = 10;
const MOST: f64 = 0.2;
const FEWEST: f64 = 0.01;

/// How one workload grew beyond its first window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grown {
    /// Which application it is an instance of.
    pub(super) application: usize,
    /// Its growth as a logarithm, with the weight of the instance.
    pub(super) growth: Observed,
    /// The growth that it is given at least: less than the level is never allocated of memory.
    pub(super) least: f64,
}

/// Returns how many times as often as allowed the instances of an application that was left out exceed the margin that
/// the others set: the geometric mean over the margins tried, each at least 1. 1 for fewer than two applications. An instance
/// whose need is only a lower bound helps to set margins but is not counted, for nobody knows whether it fits.
///
/// Cost: applications × instances.
pub(super) fn excess(grown: &[Grown]) -> f64 {
    let mut sorted = grown.to_vec();
    sorted.sort_by(|left, right| {
        let by_growth = left.growth.value.total_cmp(&right.growth.value);
        by_growth.then(left.growth.at_least.cmp(&right.growth.at_least))
    });
    let mut applications: Vec<usize> = grown.iter().map(|one| one.application).collect();
    applications.sort_unstable();
    applications.dedup();
    if applications.len() < 2 {
        return 1.0;
    }
    let allowed: Vec<f64> =
        (0..TRIED).map(|at| MOST * (FEWEST / MOST).powf(f64::from(at) / f64::from(TRIED - 1))).collect();
    let mut missed = vec![0.0; allowed.len()];
    let mut counted = 0.0;
    for application in applications {
        let (own, others): (Vec<Grown>, Vec<Grown>) = sorted.iter().partition(|one| one.application == application);
        let own: Vec<Grown> = own.into_iter().filter(|one| !one.growth.at_least).collect();
        counted += own.iter().map(|one| one.growth.weight).sum::<f64>();
        let mut others: Vec<Observed> = others.into_iter().map(|one| one.growth).collect();
        for (missed, allowed) in missed.iter_mut().zip(&allowed) {
            let share = upper_rank_share(&others, 1.0 - allowed).unwrap_or(1.0);
            let Some(margin) = upper_quantile(&mut others, share) else { continue };
            let exceeds = |one: &&Grown| one.growth.value > margin.value.max(one.least);
            *missed += own.iter().filter(exceeds).map(|one| one.growth.weight).sum::<f64>();
        }
    }
    if counted <= 0.0 {
        return 1.0;
    }
    let logs = missed.iter().zip(&allowed).map(|(missed, allowed)| (missed / counted / allowed).max(1.0).ln());
    (logs.sum::<f64>() / f64::from(TRIED)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(application: usize, value: f64) -> Grown {
        Grown { application, growth: Observed { value, weight: 1.0, at_least: false }, least: f64::NEG_INFINITY }
    }

    fn is_one(grown: &[Grown]) -> bool {
        (excess(grown) - 1.0).abs() < 1e-12
    }

    #[test]
    fn applications_that_grow_alike_exceed_nothing() {
        let all: Vec<Grown> = (0..400).map(|at| grown(at % 4, (at / 4 % 100) as f64)).collect();
        assert!((excess(&all) - 1.0).abs() < 0.05, "{}", excess(&all));
        assert!(is_one(&all[..1]));
        assert!(is_one(&[]));
    }

    #[test]
    fn an_application_that_grows_beyond_all_others_is_missed_whole() {
        // Of four applications of equal size one doubles: left out, all of its quarter is missed at every margin. The
        // other three are never missed.
        let all: Vec<Grown> = (0..400).map(|at| grown(at % 4, if at % 4 == 0 { 1.0 } else { 0.0 })).collect();
        let expected: f64 = (0..10).map(|at| (0.25 / (0.2 * 0.05_f64.powf(f64::from(at) / 9.0))).ln()).sum::<f64>();
        let expected = (expected / 10.0).exp();
        assert!((excess(&all) - expected).abs() < 1e-9, "{} instead of {expected}", excess(&all));
    }

    #[test]
    fn what_may_fit_or_not_is_not_counted_and_levels_are_always_given() {
        let mut all: Vec<Grown> = (0..400).map(|at| grown(at % 4, if at % 4 == 0 { 1.0 } else { 0.0 })).collect();
        for one in all.iter_mut().filter(|one| one.application == 0) {
            one.growth.at_least = true;
        }
        assert!(is_one(&all));
        for one in all.iter_mut().filter(|one| one.application == 0) {
            one.growth.at_least = false;
            one.least = 1.0;
        }
        assert!(is_one(&all));
    }
}
