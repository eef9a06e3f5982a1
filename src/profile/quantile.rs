//! Quantiles of sorted values: by interpolation for shapes, by rank where the answer has to be one of the values.

/// Returns the quantile `share` (0..=1) of sorted, non-empty values by linear interpolation (Hyndman and Fan 1996,
/// type 7); 0 for no values.
pub fn interpolated(sorted: &[f64], share: f64) -> f64 {
    let position = share * sorted.len().saturating_sub(1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    let below = position.floor() as usize;
    let low = sorted.get(below).copied().unwrap_or_default();
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    let fraction = position - position.floor();
    low * (1.0 - fraction) + high * fraction
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
    use super::*;

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
