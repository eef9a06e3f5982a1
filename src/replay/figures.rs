//! The figures of one rival over a set of workloads: how often it was too small, and how much it wasted.
//!
//! Notation of `docs/methods.md`: A the allocation, P the need (memory: whole-life peak; CPU: 95th percentile of row
//! means), U(t) the use, W the window. Every figure that cannot be computed is absent.

use serde::Serialize;

use super::quantile::quantile_of_sorted;

/// How a need that is only known to be "at least" P is judged where A >= P.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Reading (a): workloads with such a need are left out.
    UncensoredOnly,
    /// Reading (b): it counts as enough.
    UndecidedFits,
    /// Reading (c): it counts as too small.
    UndecidedFails,
}

/// One allocation beside what the workload turned out to need, in the report's units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Judged {
    /// A.
    pub allocation: f64,
    /// P.
    pub need: f64,
    /// Whether P is only a lower bound.
    pub censored: bool,
    /// Use over the life, in unit-hours.
    pub resource_hours: f64,
    /// Hours from start to end.
    pub life_hours: f64,
    /// What the owner asked for.
    pub owner: Option<f64>,
    /// From W to the end: hours with samples.
    pub hours: f64,
    /// Integral of U from W on, unit-hours.
    pub used: f64,
    /// Integral of A - U, signed.
    pub slack: f64,
    /// Integral of max(0, A - U).
    pub waste: f64,
    /// Integral of max(0, U - A).
    pub excess: f64,
    /// Hours with U > A.
    pub hours_above: f64,
    /// Mean over the run's days of (A - p95 of five-minute means) / A.
    pub relative_slack: Option<f64>,
    /// Weight in the figures.
    pub weight: f64,
    /// Coverage that the answer aimed at, for the pinball loss.
    pub coverage: f64,
}

impl Judged {
    /// Returns whether the allocation was too small.
    pub fn too_small(&self) -> bool {
        self.need > self.allocation
    }

    /// Returns whether it was too small under a reading; nothing where the reading leaves the workload out.
    pub fn fails(&self, reading: Reading) -> Option<bool> {
        match (self.censored, reading) {
            (false, _) | (true, Reading::UndecidedFits) => Some(self.too_small()),
            (true, Reading::UncensoredOnly) => None,
            (true, Reading::UndecidedFails) => Some(true),
        }
    }
}

/// The figures. Rates and shares are between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Figures {
    /// Workloads that count.
    pub workloads: u64,
    /// Share of weight with P > A.
    pub under_provision_rate: Option<f64>,
    /// 1 - that.
    pub coverage: Option<f64>,
    /// Weighted mean of max(0, A - P), in the unit.
    pub mean_waste: Option<f64>,
    /// Weighted median of A / P.
    pub median_ratio: Option<f64>,
    /// Weighted mean of A / P - 1.
    pub over_allocation_mean: Option<f64>,
    /// Weighted median of A / P - 1.
    pub over_allocation_median: Option<f64>,
    /// The mean of A / P - 1 over those that were not too small.
    pub over_allocation_mean_of_fitting: Option<f64>,
    /// The median of A / P - 1 over those that were not too small.
    pub over_allocation_median_of_fitting: Option<f64>,
    /// Weighted mean of relative slack.
    pub relative_slack_mean: Option<f64>,
    /// Weighted median of relative slack.
    pub relative_slack_median: Option<f64>,
    /// Sum of the integrals of A - U, signed, in unit-hours.
    pub absolute_slack: Option<f64>,
    /// Sum of the integrals of max(0, A - U), in unit-hours.
    pub waste: Option<f64>,
    /// Sum of the integrals of A over that of the owner's allocation, where the owner stated one.
    pub footprint_ratio: Option<f64>,
    /// Share of time with U > A.
    pub time_above: Option<f64>,
    /// Integral of max(0, U - A) over that of U.
    pub excess: Option<f64>,
    /// Weighted median of max(A / P, P / A).
    pub q_error_p50: Option<f64>,
    /// 90th percentile of it.
    pub q_error_p90: Option<f64>,
    /// 99th percentile of it.
    pub q_error_p99: Option<f64>,
    /// Weighted median of |ln(A / P)|.
    pub log_ratio_median: Option<f64>,
    /// Share with A within 25 % of P (q-error at most 1.25).
    pub within_quarter: Option<f64>,
    /// Share with A within a factor of two of P.
    pub within_twice: Option<f64>,
    /// Weighted mean of |A - P|, in the unit.
    pub mean_absolute_error: Option<f64>,
    /// Weighted median of |A - P| / P.
    pub median_relative_error: Option<f64>,
    /// Sum of |A - P| over sum of P.
    pub weighted_relative_error: Option<f64>,
    /// Weighted mean pinball loss at the coverage that was asked for, in the unit.
    pub pinball: Option<f64>,
    /// The same loss of ln A for ln P: an error of a tenth counts alike for the small and the large.
    pub pinball_log: Option<f64>,
    /// Share whose A falls into the same quarter of the owner's request as P; above the request is a fifth part.
    pub bucket_accuracy: Option<f64>,
    /// The largest share of P in one of those parts: what naming always the same one would reach.
    pub bucket_majority: Option<f64>,
    /// Sum of P T over that of P T, over-allocation and lost attempts, retries doubling A (see [`witt_wastage`], ttf 1).
    pub allocation_quality: Option<f64>,
    /// [`Self::absolute_slack`] in hours of the largest machine; nothing where its size is unknown.
    pub slack_machine_hours: Option<f64>,
    /// [`Self::waste`] in hours of the largest machine.
    pub waste_machine_hours: Option<f64>,
}

/// Returns the figures of `judged` under a reading. Absolute sums (slack, waste) are not weighted; means, medians and
/// shares are, by [`Judged::weight`].
pub fn figures(judged: &[Judged], reading: Reading) -> Figures {
    let counted: Vec<(&Judged, bool)> =
        judged.iter().filter_map(|one| one.fails(reading).map(|fails| (one, fails))).collect();
    if counted.is_empty() {
        return Figures::default();
    }
    let mean =
        |value: &dyn Fn(&Judged) -> Option<f64>| weighted_mean(counted.iter().map(|(one, _)| (value(one), one.weight)));
    let quantile = |share, value: &dyn Fn(&Judged) -> Option<f64>| {
        weighted_quantile(counted.iter().map(|(one, _)| (value(one), one.weight)), share)
    };
    let sum = |value: &dyn Fn(&Judged) -> f64| counted.iter().map(|(one, _)| value(one)).sum::<f64>();
    let fitting = |value: &dyn Fn(&Judged) -> Option<f64>| -> Vec<(Option<f64>, f64)> {
        counted.iter().filter(|(_, fails)| !fails).map(|(one, _)| (value(one), one.weight)).collect()
    };
    let ratio = |one: &Judged| (one.need > 0.0).then(|| one.allocation / one.need);
    let over = |one: &Judged| ratio(one).map(|ratio| ratio - 1.0);
    let q_error = |one: &Judged| {
        let ratio = ratio(one).filter(|ratio| *ratio > 0.0)?;
        Some(ratio.max(1.0 / ratio))
    };
    let relative_error = |one: &Judged| ratio(one).map(|ratio| (ratio - 1.0).abs());
    let within = |most: f64| mean(&|one| q_error(one).map(|error| f64::from(u8::from(error <= most))));
    let rate = weighted_mean(counted.iter().map(|(one, fails)| (Some(f64::from(u8::from(*fails))), one.weight)));
    let with_owner: Vec<(&Judged, f64)> = counted.iter().filter_map(|(one, _)| Some((*one, one.owner?))).collect();
    let buckets: Vec<(u8, u8, f64)> = with_owner
        .iter()
        .filter(|(_, owner)| *owner > 0.0)
        .map(|(one, owner)| (quarter(one.allocation / owner), quarter(one.need / owner), one.weight))
        .collect();
    let in_buckets: f64 = buckets.iter().map(|bucket| bucket.2).sum();
    let share_of_buckets = |holds: &dyn Fn(u8, u8) -> bool| {
        let hit: f64 = buckets.iter().filter(|bucket| holds(bucket.0, bucket.1)).map(|bucket| bucket.2).sum();
        quotient(hit, in_buckets)
    };
    let majority = (0..=4).filter_map(|part| share_of_buckets(&|_, need| need == part)).max_by(f64::total_cmp);
    let wastage = |one: &Judged| {
        let (lost, over, _) = witt_wastage(one.allocation, one.need, one.life_hours, RETRY_FACTOR, 1.0);
        lost + over
    };
    // Needs and lives of nothing cannot be missed, and nothing grows from an allocation of nothing.
    let of_witt = || counted.iter().map(|(one, _)| *one).filter(|one| one.need > 0.0 && one.allocation > 0.0);
    let needed: f64 = of_witt().map(|one| one.need * one.life_hours).sum();
    let wasted: f64 = of_witt().map(wastage).sum();
    let allocated: f64 = with_owner.iter().map(|(one, _)| one.allocation * one.hours).sum();
    let asked: f64 = with_owner.iter().map(|(one, owner)| owner * one.hours).sum();
    Figures {
        workloads: counted.len() as u64,
        under_provision_rate: rate,
        coverage: rate.map(|rate| 1.0 - rate),
        mean_waste: mean(&|one| Some((one.allocation - one.need).max(0.0))),
        median_ratio: quantile(0.5, &ratio),
        over_allocation_mean: mean(&over),
        over_allocation_median: quantile(0.5, &over),
        over_allocation_mean_of_fitting: weighted_mean(fitting(&over).into_iter()),
        over_allocation_median_of_fitting: weighted_quantile(fitting(&over).into_iter(), 0.5),
        relative_slack_mean: mean(&|one| one.relative_slack),
        relative_slack_median: quantile(0.5, &|one| one.relative_slack),
        absolute_slack: finite(sum(&|one| one.slack)),
        waste: finite(sum(&|one| one.waste)),
        footprint_ratio: quotient(allocated, asked),
        time_above: quotient(sum(&|one| one.hours_above), sum(&|one| one.hours)),
        excess: quotient(sum(&|one| one.excess), sum(&|one| one.used)),
        q_error_p50: quantile(0.5, &q_error),
        q_error_p90: quantile(0.9, &q_error),
        q_error_p99: quantile(0.99, &q_error),
        log_ratio_median: quantile(0.5, &|one| q_error(one).map(f64::ln)),
        within_quarter: within(1.25),
        within_twice: within(2.0),
        mean_absolute_error: mean(&|one| Some((one.allocation - one.need).abs())),
        median_relative_error: quantile(0.5, &relative_error),
        weighted_relative_error: quotient(
            sum(&|one| one.weight * (one.allocation - one.need).abs()),
            sum(&|one| one.weight * one.need),
        ),
        pinball: mean(&|one| Some(pinball(one.coverage, one.need, one.allocation))),
        pinball_log: mean(&|one| {
            let is_positive = one.need > 0.0 && one.allocation > 0.0;
            is_positive.then(|| pinball(one.coverage, one.need.ln(), one.allocation.ln()))
        }),
        bucket_accuracy: share_of_buckets(&|given, need| given == need),
        bucket_majority: majority,
        allocation_quality: quotient(needed, needed + wasted),
        slack_machine_hours: None,
        waste_machine_hours: None,
    }
}

/// Allocations double after a failed attempt in the published form of wastage (our value, the usual factor of the
/// memory-sizing papers).
const RETRY_FACTOR: f64 = 2.0;

/// Returns the quarter of a request that a share of it falls into, 0 to 3; 4 above the request.
fn quarter(share: f64) -> u8 {
    match share {
        share if share <= 0.25 => 0,
        share if share <= 0.5 => 1,
        share if share <= 0.75 => 2,
        share if share <= 1.0 => 3,
        _ => 4,
    }
}

/// Returns the pinball loss of forecast `f` for outcome `y` at quantile `q`: q (y - f) from below, (1 - q)(f - y) from
/// above (Koenker and Bassett 1978).
pub fn pinball(q: f64, y: f64, f: f64) -> f64 {
    if y >= f { q * (y - f) } else { (1.0 - q) * (f - y) }
}

/// Returns whether a day of a job had more OOM kills than max(4, tasks / 7) (Autopilot,
/// `EuroSys` 2020, table 2).
pub fn serious_oom_kills(kills: u64, tasks: u64) -> bool {
    kills as f64 > (tasks as f64 / 7.0).max(4.0)
}

/// Returns (lost, over, MAQ) of retries in the published form (Witt, Tovar, Sizey): first allocation `a`, need `p`,
/// hours `t` per attempt, factor `b` between attempts, share `ttf` of an attempt before it fails. Unit-hours.
pub fn witt_wastage(a: f64, p: f64, t: f64, b: f64, ttf: f64) -> (f64, f64, f64) {
    let attempts = ((p / a).ln() / b.ln() - 1e-12).ceil().max(0.0);
    let lost = a * (b.powf(attempts) - 1.0) / (b - 1.0) * t * ttf;
    let over = (a * b.powf(attempts) - p) * t;
    (lost, over, p * t / (p * t + over + lost))
}

/// Returns a number that can be reported.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Returns a / b where that is a number.
pub(super) fn quotient(a: f64, b: f64) -> Option<f64> {
    if b > 0.0 { finite(a / b) } else { None }
}

/// Returns the weighted mean of the values that are there.
pub(super) fn weighted_mean(values: impl Iterator<Item = (Option<f64>, f64)>) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (value, weight) in values {
        if let Some(value) = value {
            sum += value * weight;
            weights += weight;
        }
    }
    quotient(sum, weights)
}

pub(super) fn weighted_quantile(values: impl Iterator<Item = (Option<f64>, f64)>, share: f64) -> Option<f64> {
    let mut sorted: Vec<(f64, f64)> = values
        .filter_map(|(value, weight)| Some((value?, weight)))
        .filter(|(value, weight)| value.is_finite() && *weight > 0.0)
        .collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    quantile_of_sorted(&sorted, share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(allocation: f64, need: f64) -> Judged {
        Judged { allocation, need, weight: 1.0, coverage: 0.9, ..Judged::default() }
    }

    fn near(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-4, "{found} instead of {expected}");
    }

    #[test]
    fn wastage_with_retries_follows_the_published_form() {
        for ((a, ttf), (lost, over, maq)) in
            [((1.0, 1.0), (3.0, 1.0, 0.4286)), ((1.0, 0.5), (1.5, 1.0, 0.5455)), ((4.0, 1.0), (0.0, 1.0, 0.75))]
        {
            let found = witt_wastage(a, 3.0, 1.0, 2.0, ttf);
            near(Some(found.0), lost);
            near(Some(found.1), over);
            near(Some(found.2), maq);
        }
    }

    #[test]
    fn q_error_is_symmetric() {
        let errors: Vec<f64> = [(2.0, 1.0), (3.0, 4.0), (8.0, 8.0)]
            .map(|(a, p)| figures(&[judged(a, p)], Reading::UncensoredOnly).q_error_p50.unwrap())
            .to_vec();
        near(Some(errors[0]), 2.0);
        near(Some(errors[1]), 1.3333);
        near(Some(errors[2]), 1.0);
    }

    #[test]
    fn pinball_loss_costs_more_from_below() {
        near(Some(pinball(0.9, 10.0, 8.0)), 1.8);
        near(Some(pinball(0.9, 8.0, 10.0)), 0.2);
    }

    #[test]
    fn pinball_on_the_logarithm_is_the_same_for_the_small_and_the_large() {
        let of = |a: f64, p: f64| figures(&[judged(a, p)], Reading::UncensoredOnly).pinball_log;
        near(of(8.0, 10.0), 0.9 * (10.0_f64 / 8.0).ln());
        near(of(10.0, 8.0), 0.1 * (10.0_f64 / 8.0).ln());
        near(of(0.08, 0.1), of(8.0, 10.0).unwrap());
        assert_eq!(of(0.0, 1.0), None);
    }

    #[test]
    fn quarters_of_the_request_are_hit_or_not() {
        let with = |allocation, need| Judged { owner: Some(8.0), ..judged(allocation, need) };
        // Parts of P: 1st, 1st, 2nd, above; A hits the first and the last.
        let all = [with(1.0, 1.0), with(2.1, 2.0), with(8.0, 3.0), with(9.0, 20.0), judged(1.0, 1.0)];
        let found = figures(&all, Reading::UncensoredOnly);
        assert_eq!((found.bucket_accuracy, found.bucket_majority), (Some(0.5), Some(0.5)));
        assert_eq!(figures(&all[4..], Reading::UncensoredOnly).bucket_accuracy, None, "nobody asked for anything");
    }

    #[test]
    fn allocation_quality_is_what_was_needed_over_what_was_held() {
        // [E2]: a = 1, P = 3 and a = 4, P = 3, an hour each: 4 and 1 GiB-hours beside 3 needed.
        let of = |a: f64| figures(&[Judged { life_hours: 1.0, ..judged(a, 3.0) }], Reading::UncensoredOnly);
        near(of(1.0).allocation_quality, 0.4286);
        near(of(4.0).allocation_quality, 0.75);
        let both = [1.0, 4.0].map(|a| Judged { life_hours: 1.0, ..judged(a, 3.0) });
        near(figures(&both, Reading::UncensoredOnly).allocation_quality, 6.0 / 11.0);
        assert_eq!(figures(&[judged(0.0, 3.0)], Reading::UncensoredOnly).allocation_quality, None);
    }

    #[test]
    fn days_with_many_oom_kills_are_serious() {
        let seen = [(4, 20), (5, 20), (10, 70), (11, 70)].map(|(kills, tasks)| serious_oom_kills(kills, tasks));
        assert_eq!(seen, [false, true, false, true]);
    }

    #[test]
    fn readings_of_a_censored_need() {
        let enough = Judged { censored: true, ..judged(2.0, 1.0) };
        let too_small = Judged { censored: true, ..judged(0.5, 1.0) };
        let all = [judged(2.0, 1.0), enough, too_small];
        let rate = |reading| figures(&all, reading).under_provision_rate;
        assert_eq!(rate(Reading::UncensoredOnly), Some(0.0));
        near(rate(Reading::UndecidedFits), 1.0 / 3.0);
        near(rate(Reading::UndecidedFails), 2.0 / 3.0);
    }

    #[test]
    fn weights_decide_between_many_small_and_one_large() {
        let mut all = vec![judged(1.0, 2.0); 9];
        all.push(Judged { weight: 91.0, ..judged(4.0, 2.0) });
        near(figures(&all, Reading::UncensoredOnly).under_provision_rate, 0.09);
        near(figures(&all, Reading::UncensoredOnly).mean_waste, 1.82);
        near(figures(&all, Reading::UncensoredOnly).median_ratio, 2.0);
    }

    #[test]
    fn nothing_to_judge_gives_no_figures() {
        assert_eq!(figures(&[], Reading::UncensoredOnly), Figures::default());
        let zero_need = figures(&[judged(1.0, 0.0)], Reading::UncensoredOnly);
        assert_eq!((zero_need.median_ratio, zero_need.q_error_p50), (None, None));
        assert_eq!(zero_need.mean_waste, Some(1.0));
    }

    #[test]
    fn footprint_compares_with_what_the_owner_asked_for() {
        let with = |owner, hours| Judged { owner, hours, ..judged(2.0, 1.0) };
        let all = [with(Some(4.0), 1.0), with(Some(8.0), 3.0), with(None, 100.0)];
        near(figures(&all, Reading::UncensoredOnly).footprint_ratio, 8.0 / 28.0);
    }
}
