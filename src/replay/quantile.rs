//! Quantiles that are always one of the values.

/// Returns the smallest of `values` whose cumulative weight is at least `share` of the total: no interpolation
/// (Hyndman and Fan 1996, definition 1, with weights). Nothing if there is no positive weight.
///
/// `values` are (value, weight) pairs, finite, weights not negative; `share` in (0, 1]. Cost: a sort.
pub fn weighted_upper_quantile(values: &[(f64, f64)], share: f64) -> Option<f64> {
    let mut sorted: Vec<(f64, f64)> =
        values.iter().copied().filter(|(value, weight)| value.is_finite() && *weight > 0.0).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    quantile_of_sorted(&sorted, share)
}

/// The same for pairs that are already sorted by value.
pub(super) fn quantile_of_sorted(sorted: &[(f64, f64)], share: f64) -> Option<f64> {
    let total: f64 = sorted.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return None;
    }
    // Sums of equal weights such as 1/3 must not miss a share by their last digit.
    let wanted = share * total * (1.0 - 1e-12);
    let mut cumulative = 0.0;
    for (value, weight) in sorted {
        cumulative += weight;
        if cumulative >= wanted {
            return Some(*value);
        }
    }
    sorted.last().map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_quantile_takes_a_value_and_never_interpolates() {
        let values = [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (4.0, 1.0)];
        assert_eq!(weighted_upper_quantile(&values, 0.50), Some(2.0));
        assert_eq!(weighted_upper_quantile(&values, 0.75), Some(3.0));
        assert_eq!(weighted_upper_quantile(&values, 0.76), Some(4.0));
        assert_eq!(weighted_upper_quantile(&[], 0.5), None);
    }
}
