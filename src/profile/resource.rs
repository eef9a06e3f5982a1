//! One resource over a stretch of samples: size, shape and movement.

use super::ResourceProfile;
use super::quantile::interpolated;

/// One sample's value of a resource: when (seconds), how long (seconds), mean and maximum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) at: f64,
    pub(super) length: f64,
    pub(super) mean: f64,
    pub(super) max: f64,
}

/// Returns the profile of `points` in time order, or nothing when there are none.
///
/// `floor` is the level below which differences do not matter (16 MiB of memory, 0.01 core); slopes and roughness are
/// taken on ln(1 + value/floor), so that they compare workloads of any size.
pub(super) fn profile(points: &[Point], floor: f64) -> Option<ResourceProfile> {
    let count = points.len();
    let last = points.last()?;
    let means: Vec<f64> = points.iter().map(|point| point.mean).collect();
    let logs: Vec<f64> = means.iter().map(|mean| (mean.max(0.0) / floor).ln_1p()).collect();
    // Point samples have no length: each counts the same.
    let weights: Vec<f64> = points.iter().map(|point| if point.length > 0.0 { point.length } else { 1.0 }).collect();
    let total: f64 = weights.iter().sum();
    let mean = means.iter().zip(&weights).map(|(mean, weight)| mean * weight).sum::<f64>() / total;
    let centre = means.iter().sum::<f64>() / count as f64;
    let variance = means.iter().map(|mean| (mean - centre).powi(2)).sum::<f64>() / count as f64;
    let mut sorted = means.clone();
    sorted.sort_by(f64::total_cmp);
    let peak = points.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (index, point)| {
        if point.max > best.1 { (index, point.max) } else { best }
    });
    let fifth = count.div_ceil(5);
    let average = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let times: Vec<f64> = points.iter().map(|point| point.at / 60.0).collect();
    let half = count / 2;
    let span = last.at - points[0].at;
    Some(ResourceProfile {
        max: peak.1,
        mean,
        percentiles: [0.1, 0.25, 0.5, 0.75, 0.9].map(|share| interpolated(&sorted, share)),
        deviation: variance.sqrt(),
        first: average(&means[..fifth]),
        last: average(&means[count - fifth..]),
        slope: slope(&times, &logs),
        late_slope: slope(&times[half..], &logs[half..]),
        peak_position: if span > 0.0 { (points[peak.0].at - points[0].at) / span } else { 0.0 },
        roughness: if count > 1 {
            logs.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>() / (count - 1) as f64
        } else {
            0.0
        },
        autocorrelation: if count >= 4 { correlation(&means[..count - 1], &means[1..]).unwrap_or(0.0) } else { 0.0 },
        samples: u32::try_from(count).unwrap_or(u32::MAX),
    })
}

/// Returns the least-squares slope; 0 for fewer than two distinct times.
fn slope(times: &[f64], values: &[f64]) -> f64 {
    let count = times.len() as f64;
    let (time, value) = (times.iter().sum::<f64>() / count, values.iter().sum::<f64>() / count);
    let spread: f64 = times.iter().map(|at| (at - time).powi(2)).sum();
    let product: f64 = times.iter().zip(values).map(|(at, of)| (at - time) * (of - value)).sum();
    if spread > 0.0 { product / spread } else { 0.0 }
}

/// Returns Pearson's correlation; nothing when either side is (nearly) constant.
pub(super) fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let count = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / count, b.iter().sum::<f64>() / count);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        aa += (a - mean_a).powi(2);
        bb += (b - mean_b).powi(2);
        ab += (a - mean_a) * (b - mean_b);
    }
    // Constant up to rounding: the sum of squares is below the square of one part in 1e9 of the level.
    let is_constant = |squares: f64, mean: f64| squares <= count * (mean * 1e-9).powi(2);
    if count < 2.0 || is_constant(aa, mean_a) || is_constant(bb, mean_b) {
        return None;
    }
    Some((ab / (aa * bb).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Vec<Point> {
        values
            .iter()
            .enumerate()
            .map(|(index, &value)| Point { at: index as f64 * 2.0, length: 2.0, mean: value, max: value })
            .collect()
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    #[test]
    fn a_ramp_has_its_slope_and_ends_at_its_peak() {
        // ln(1 + value/1) rises by 0.1 per sample of 2 s: 3 per minute.
        let values: Vec<f64> = (0..31).map(|step| (f64::from(step) * 0.1).exp() - 1.0).collect();
        let profile = profile(&points(&values), 1.0).unwrap();
        assert!((profile.slope - 3.0).abs() < 1e-9 && (profile.late_slope - 3.0).abs() < 1e-9, "{profile:?}");
        near(profile.peak_position, 1.0);
        assert!((profile.roughness - 0.1).abs() < 1e-12);
        near(profile.max, values[30]);
    }

    #[test]
    fn a_constant_has_no_shape() {
        let profile = profile(&points(&[0.3; 9]), 0.01).unwrap();
        near(profile.mean, 0.3);
        for value in [profile.slope, profile.late_slope, profile.roughness, profile.autocorrelation] {
            assert!(value.abs() < 1e-9, "{profile:?}");
        }
        near(profile.peak_position, 0.0);
    }

    #[test]
    fn percentiles_interpolate_linearly() {
        let profile = profile(&points(&[4.0, 1.0, 3.0, 2.0, 5.0]), 1.0).unwrap();
        for (found, expected) in profile.percentiles.into_iter().zip([1.4, 2.0, 3.0, 4.0, 4.6]) {
            near(found, expected);
        }
        near(profile.deviation, 2.0_f64.sqrt());
    }

    #[test]
    fn the_mean_is_weighted_by_length_and_a_single_sample_is_enough() {
        let long = Point { at: 0.0, length: 300.0, mean: 1.0, max: 4.0 };
        let short = Point { at: 300.0, length: 100.0, mean: 5.0, max: 5.0 };
        near(profile(&[long, short], 1.0).unwrap().mean, 2.0);
        let single = profile(&[long], 1.0).unwrap();
        near(single.max, 4.0);
        near(single.slope, 0.0);
        assert_eq!(profile(&[], 1.0), None);
    }

    #[test]
    fn autocorrelation_tells_smooth_from_alternating() {
        let smooth: Vec<f64> = (0..20).map(f64::from).collect();
        let alternating: Vec<f64> = (0..20).map(|step| f64::from(step % 2)).collect();
        assert!(profile(&points(&smooth), 1.0).unwrap().autocorrelation > 0.99);
        assert!(profile(&points(&alternating), 1.0).unwrap().autocorrelation < -0.99);
    }
}
