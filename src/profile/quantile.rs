//! Quantiles of sorted values: by interpolation for shapes, by rank where the answer has to be one of the values.

/// Returns the quantile `share` (0..=1) of sorted, non-empty values by linear interpolation (Hyndman and Fan 1996,
/// type 7); 0 for no values. It never falls while `share` rises, and lies between its neighbours: rounding included, so
/// that two quantiles can bound a range.
pub fn interpolated(sorted: &[f64], share: f64) -> f64 {
    let position = share * sorted.len().saturating_sub(1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    let below = position.floor() as usize;
    let low = sorted.get(below).copied().unwrap_or_default();
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    let fraction = position - position.floor();
    let gap = high - low;
    // A gap of opposite huge values does not fit into a double; its ends do, as shares.
    if gap.is_finite() { (low + fraction * gap).min(high) } else { low * (1.0 - fraction) + high * fraction }
}

/// Returns the nearest-rank percentile of sorted values, `sorted[ceil(share * n)]` counted from 1; nothing for no values.
pub fn nearest_rank(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64 - 1e-9).ceil().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the length")]
    let rank = rank as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_rise_with_their_share(
            base in prop::sample::select(vec![0.0, 0.1, -0.3, 1e-9, 7.0e9, -1e308]),
            steps in prop::collection::vec(prop::sample::select(vec![0_u64, 0, 1, 2, 1 << 40]), 0..12),
            shares in prop::collection::vec(0.0..=1.0_f64, 2),
        ) {
            // Neighbours that are equal, or differ in the last digit, are where rounding could turn two quantiles round.
            let mut sorted = vec![base];
            for step in steps {
                let last: f64 = sorted[sorted.len() - 1];
                let moved = if last < 0.0 { last.to_bits() - step } else { last.to_bits() + step };
                sorted.push(f64::from_bits(moved));
            }
            let (less, more) = (shares[0].min(shares[1]), shares[0].max(shares[1]));
            let (low, high) = (interpolated(&sorted, less), interpolated(&sorted, more));
            prop_assert!(low <= high, "{} above {}", low, high);
            prop_assert!(sorted[0] <= low && high <= sorted[sorted.len() - 1]);
        }
    }

    #[test]
    fn a_quantile_of_equal_values_is_that_value() {
        for share in 0..=100 {
            assert_eq!(interpolated(&[0.1; 37], f64::from(share) / 100.0).to_bits(), 0.1_f64.to_bits());
        }
        assert!(interpolated(&[f64::MIN, f64::MAX], 0.5).abs() < 1.0);
        assert_eq!(interpolated(&[f64::MIN, f64::MAX], 0.0).to_bits(), f64::MIN.to_bits());
    }

    #[test]
    fn nearest_rank_counts_from_one() {
        let sorted: Vec<f64> = (1..=60).map(f64::from).collect();
        assert_eq!(nearest_rank(&sorted, 0.9), Some(54.0));
        assert_eq!(nearest_rank(&sorted, 1.0), Some(60.0));
        assert_eq!(nearest_rank(&[], 0.9), None);
    }

    #[test]
    fn interpolation_lies_between_its_neighbours() {
        for (share, expected) in [(0.0, 1.0), (0.1, 1.4), (0.5, 3.0), (0.9, 4.6), (1.0, 5.0)] {
            assert!((interpolated(&[1.0, 2.0, 3.0, 4.0, 5.0], share) - expected).abs() < 1e-12, "{share}");
        }
    }
}
