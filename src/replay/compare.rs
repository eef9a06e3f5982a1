//! Comparing rivals at an equal failure rate: each is swept over its knob, and waste is read off its curve.

/// One setting's outcome: how often it was too small, and what it wasted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Under-provision rate, 0 to 1.
    pub rate: f64,
    /// Waste or slack, in any unit.
    pub waste: f64,
}

/// Returns the waste at the target rate, read off the lower edge of the curve (the settings for which no other fails as
/// rarely for less): linear in ln(rate) between the two neighbouring points, linear in the rate if one of the rates is
/// 0. Nothing where the curve does not reach the rate: never extrapolated.
pub fn at_rate(points: &[Point], target: f64) -> Option<f64> {
    let edge = lower_edge(points);
    let below = edge.iter().find(|point| point.rate <= target)?;
    let Some(above) = edge.iter().rev().find(|point| point.rate >= target) else {
        // The sweep reaches over the target, but only with settings that cost no less: the cheapest of all is the answer.
        return points.iter().any(|point| point.rate >= target).then_some(below.waste);
    };
    // Rates fall along the edge: `above` is the last at or over the target, `below` the first at or under it.
    if above.rate <= below.rate {
        return Some(below.waste.min(above.waste));
    }
    let (r1, r2) = (above.rate, below.rate);
    let share = if r2 > 0.0 { (r1.ln() - target.ln()) / (r1.ln() - r2.ln()) } else { (r1 - target) / (r1 - r2) };
    Some(above.waste + (below.waste - above.waste) * share)
}

/// Returns the points that no other beats in both, by falling rate and rising waste.
fn lower_edge(points: &[Point]) -> Vec<Point> {
    let mut sorted: Vec<Point> =
        points.iter().copied().filter(|point| point.rate.is_finite() && point.waste.is_finite()).collect();
    // Cheapest first; among equals the one that fails more rarely.
    sorted.sort_by(|a, b| a.waste.total_cmp(&b.waste).then(a.rate.total_cmp(&b.rate)));
    let mut edge: Vec<Point> = Vec::new();
    for point in sorted {
        if edge.last().is_none_or(|last| point.rate < last.rate) {
            edge.push(point);
        }
    }
    edge
}

/// Returns the position of the setting with the least waste among those that fail at most at the target rate.
pub(super) fn cheapest_within(points: &[Option<Point>], target: f64) -> Option<usize> {
    points
        .iter()
        .enumerate()
        .filter_map(|(position, point)| point.filter(|point| point.rate <= target).map(|point| (position, point.waste)))
        .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
        .map(|(position, _)| position)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(pairs: &[(f64, f64)]) -> Vec<Point> {
        pairs.iter().map(|(rate, waste)| Point { rate: *rate, waste: *waste }).collect()
    }

    #[test]
    fn waste_is_interpolated_in_the_logarithm_of_the_rate() {
        let found = at_rate(&points(&[(0.04, 20.0), (0.01, 30.0)]), 0.02).unwrap();
        assert!((found - 25.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn a_rate_of_zero_is_interpolated_in_the_rate() {
        let found = at_rate(&points(&[(0.04, 20.0), (0.0, 30.0)]), 0.01).unwrap();
        assert!((found - 27.5).abs() < 1e-9, "{found}");
    }

    #[test]
    fn nothing_is_extrapolated() {
        let curve = points(&[(0.5, 1.0), (0.1, 2.0)]);
        assert_eq!(at_rate(&curve, 0.05), None);
        assert_eq!(at_rate(&curve, 0.6), None);
        assert_eq!(at_rate(&curve, 0.1), Some(2.0));
        assert_eq!(at_rate(&points(&[(0.0, 1.0), (0.0, 2.0)]), 0.05), None);
        assert_eq!(at_rate(&[], 0.05), None);
        // A setting that fails more without costing less does not hide the one that never fails.
        assert_eq!(at_rate(&points(&[(1.0, 3.0), (0.0, 3.0)]), 0.05), Some(3.0));
    }

    #[test]
    fn a_setting_that_costs_more_and_fails_more_is_passed_over() {
        let with = at_rate(&points(&[(0.10, 10.0), (0.06, 50.0), (0.02, 20.0)]), 0.05);
        assert_eq!(with, at_rate(&points(&[(0.10, 10.0), (0.02, 20.0)]), 0.05));
    }

    #[test]
    fn calibration_takes_the_cheapest_that_is_safe_enough() {
        let curve: Vec<Option<Point>> =
            [(0.2, 1.0), (0.04, 3.0), (0.05, 2.0)].map(|(rate, waste)| Some(Point { rate, waste })).to_vec();
        assert_eq!(cheapest_within(&curve, 0.05), Some(2));
        assert_eq!(cheapest_within(&curve, 0.01), None);
    }
}
