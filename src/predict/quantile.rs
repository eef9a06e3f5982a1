//! Upper quantiles of needs of which some are only lower bounds, and the ranks of conformal prediction.

use serde::{Deserialize, Serialize};

/// A value with its weight; `at_least` when the true value may be larger (censored).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// The value.
    pub value: f64,
    /// Its weight, at least 0.
    pub weight: f64,
    /// Whether the true value is at least `value`.
    pub at_least: bool,
}

/// An upper quantile, and whether it is itself only a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// One of the values.
    pub value: f64,
    /// Whether so much is censored that the true quantile may lie higher.
    pub at_least: bool,
}

/// Returns the weighted upper quantile by the product-limit estimator (Kaplan and Meier 1958): the smallest value at
/// which the estimated share of larger needs is at most 1 - `share`. Without censored values this is the smallest value
/// whose cumulative weight reaches `share`. Where the estimate never gets there because of censoring, the quantile of
/// the values as they stand, but at least the largest uncensored value, is returned and marked: so a larger share never
/// gives less. Nothing without positive weight.
///
/// `values` are finite; they are sorted. Cost: the sort.
pub fn upper_quantile(values: &mut [Observed], share: f64) -> Option<Quantile> {
    // At equal values what ended there comes before what was still going on.
    values.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.at_least.cmp(&b.at_least)));
    let total: f64 = values.iter().map(|value| value.weight).sum();
    if total <= 0.0 {
        return None;
    }
    // Sums of equal weights such as 1/3 must not miss a share by their last digit.
    let wanted = share * (1.0 - 1e-12);
    let mut at_risk = total;
    let mut surviving = 1.0;
    let mut largest_exact = f64::NEG_INFINITY;
    for (position, observed) in values.iter().enumerate() {
        if !observed.at_least && observed.weight > 0.0 {
            surviving *= if position + 1 == values.len() { 0.0 } else { (1.0 - observed.weight / at_risk).max(0.0) };
            if 1.0 - surviving >= wanted {
                return Some(Quantile { value: observed.value, at_least: false });
            }
            largest_exact = observed.value;
        }
        at_risk -= observed.weight;
    }
    let mut cumulative = 0.0;
    let reached = values.iter().find(|observed| {
        cumulative += observed.weight;
        cumulative >= wanted * total
    });
    reached.or(values.last()).map(|observed| Quantile { value: observed.value.max(largest_exact), at_least: true })
}

/// Returns the share of `residuals` whose quantile bounds the next one from above with probability `coverage`: with equal
/// weights ceil((n + 1) × coverage) / n (Vovk et al. 2005, section 2.2). Where weights differ, the next one counts like the
/// heaviest (Tibshirani et al. 2019, "Conformal prediction under covariate shift", section 2, where its weight is known), as far as
/// there are residuals high enough. Nothing where there are too few for equal weights.
pub fn upper_rank_share(residuals: &[Observed], coverage: f64) -> Option<f64> {
    let count = residuals.len() as f64;
    // A product such as 20 × 0.95 must not exceed 19 by its last digit.
    let rank = (count + 1.0) * coverage - 1e-9;
    let total: f64 = residuals.iter().map(|residual| residual.weight).sum();
    let heaviest = residuals.iter().fold(0.0_f64, |heaviest, residual| heaviest.max(residual.weight));
    let share = (coverage * (total + heaviest) - 1e-9 * heaviest) / total;
    (rank <= count && total > 0.0).then_some(share.min(1.0))
}

/// The same from below, for the share `tail` that may lie lower: with equal weights floor((n + 1) × tail) / n.
pub fn lower_rank_share(residuals: &[Observed], tail: f64) -> Option<f64> {
    let count = residuals.len() as f64;
    let total: f64 = residuals.iter().map(|residual| residual.weight).sum();
    let allowed = ((count + 1.0) * tail + 1e-9) / count * total;
    let mut sorted: Vec<(f64, f64)> = residuals.iter().map(|residual| (residual.value, residual.weight)).collect();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut below = 0.0;
    let reached = sorted.iter().map(|&(_, weight)| {
        below += weight;
        below
    });
    let last = reached.take_while(|&below| below <= allowed).last()?;
    Some(last / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(values: &[(f64, f64, bool)]) -> Vec<Observed> {
        values.iter().map(|&(value, weight, at_least)| Observed { value, weight, at_least }).collect()
    }

    #[test]
    fn without_censoring_it_is_the_weighted_upper_quantile() {
        // The ratios of test vector E10 of the evaluation protocol.
        let mut values = observed(&[(2.0, 0.5, false), (1.5, 0.3, false), (1.2, 0.2, false)]);
        for (share, expected) in [(0.9, 2.0), (0.5, 1.5), (0.2, 1.2)] {
            assert_eq!(upper_quantile(&mut values, share), Some(Quantile { value: expected, at_least: false }));
        }
        assert_eq!(upper_quantile(&mut [], 0.5), None);
    }

    #[test]
    fn a_censored_value_passes_its_weight_to_larger_ones() {
        // Five equal weights, the third is "at least 3": 1/5, 2/5 are gone, then the rest shares what is left.
        let mut values =
            observed(&[(1.0, 1.0, false), (2.0, 1.0, false), (3.0, 1.0, true), (4.0, 1.0, false), (5.0, 1.0, false)]);
        // After 4 the surviving share is 3/5 × 1/2 = 0.3, so 70 % lie at or below 4.
        assert_eq!(upper_quantile(&mut values, 0.7), Some(Quantile { value: 4.0, at_least: false }));
        assert_eq!(upper_quantile(&mut values, 0.71), Some(Quantile { value: 5.0, at_least: false }));
    }

    #[test]
    fn when_the_largest_are_censored_the_answer_is_a_lower_bound() {
        let mut values = observed(&[(1.0, 1.0, false), (2.0, 1.0, true), (3.0, 1.0, true)]);
        assert_eq!(upper_quantile(&mut values, 0.9), Some(Quantile { value: 3.0, at_least: true }));
    }

    #[test]
    fn a_lower_bound_is_not_below_what_a_smaller_share_gives() {
        // Half of what is left at 9 ends there, so 50 % reach 9; as they stand, 60 % of the values lie at or below 6.
        let values: Vec<(f64, f64, bool)> = (1..=10).map(|value| (f64::from(value), 1.0, value != 9)).collect();
        let mut values = observed(&values);
        assert_eq!(upper_quantile(&mut values, 0.5), Some(Quantile { value: 9.0, at_least: false }));
        assert_eq!(upper_quantile(&mut values, 0.6), Some(Quantile { value: 9.0, at_least: true }));
    }

    #[test]
    fn ranks_are_those_of_the_protocol() {
        // Test vector E11.
        let equal = |count: u32| (1..=count).map(|at| observed(&[(f64::from(at), 1.0, false)])[0]).collect::<Vec<_>>();
        let rank = |count, coverage| {
            let mut residuals = equal(count);
            let share = upper_rank_share(&residuals, coverage)?;
            upper_quantile(&mut residuals, share).map(|quantile| quantile.value)
        };
        assert_eq!((rank(19, 0.9), rank(9, 0.9), rank(8, 0.9)), (Some(18.0), Some(9.0), None));
        assert_eq!((rank(99, 0.95), rank(18, 0.95), rank(19, 0.95)), (Some(95.0), None, Some(19.0)));
        assert_eq!(lower_rank_share(&equal(39), 0.025), Some(1.0 / 39.0));
        assert_eq!(lower_rank_share(&equal(38), 0.025), None);
    }

    #[test]
    fn the_next_one_counts_like_the_heaviest() {
        // Weights 1, 1, 1, 1 and 4: of 8 and 4 for the next, 0.3 are 3.6 and 0.4 are 4.8, which takes the heavy one in;
        // 0.8 are more than there is, and five residuals are enough for it.
        let steps = [(1.0, 1.0, false), (2.0, 1.0, false), (3.0, 1.0, false), (4.0, 1.0, false), (5.0, 4.0, false)];
        let residuals = observed(&steps);
        let at = |coverage| {
            let share = upper_rank_share(&residuals, coverage)?;
            upper_quantile(&mut residuals.clone(), share).map(|quantile| quantile.value)
        };
        assert_eq!((at(0.3), at(0.4), at(0.8), at(0.9)), (Some(4.0), Some(5.0), Some(5.0), None));
        assert_eq!(lower_rank_share(&residuals, 0.25), Some(2.0 / 8.0));
    }
}
