//! Percentile intervals from resampling whole clusters: instances of one application are not independent.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rayon::prelude::*;

/// Lower and upper end of the share of resamples that an interval keeps: 2.5 to 97.5 %.
const KEPT: (f64, f64) = (0.025, 0.975);

/// Draws clusters with replacement, the same draws for every figure of a report, so that differences are paired.
#[derive(Debug, Clone)]
pub(super) struct Resamples {
    /// How often each cluster was drawn, per resample.
    draws: Vec<Vec<u32>>,
}

impl Resamples {
    /// Draws `resamples` times from `clusters` clusters; nothing if there are fewer than `fewest`.
    pub(super) fn new(clusters: usize, resamples: u32, fewest: u32, seed: u64) -> Option<Self> {
        if clusters < fewest as usize || clusters == 0 {
            return None;
        }
        let mut random = Pcg64::seed_from_u64(seed);
        let draws = (0..resamples)
            .map(|_| {
                let mut counts = vec![0; clusters];
                for _ in 0..clusters {
                    counts[random.random_range(0..clusters)] += 1;
                }
                counts
            })
            .collect();
        Some(Self { draws })
    }

    /// Returns a statistic of every resample, in the order of the draws.
    pub(super) fn map<T: Send>(&self, statistic: impl Fn(&[u32]) -> T + Sync) -> Vec<T> {
        self.draws.par_iter().map(|draw| statistic(draw)).collect()
    }
}

/// Returns the interval of a statistic over its resamples; nothing if it could not be computed in half of them or more:
/// a rate that is mostly not reached has no honest interval.
pub(super) fn interval(values: impl Iterator<Item = Option<f64>>) -> Option<(f64, f64)> {
    let mut drawn = 0;
    let mut known: Vec<f64> = values.inspect(|_| drawn += 1).flatten().filter(|value| value.is_finite()).collect();
    if known.len() * 2 <= drawn {
        return None;
    }
    known.sort_by(f64::total_cmp);
    Some((
        crate::profile::quantile::nearest_rank(&known, KEPT.0)?,
        crate::profile::quantile::nearest_rank(&known, KEPT.1)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of values 0..n, by cluster.
    fn mean(counts: &[u32]) -> f64 {
        let drawn: u32 = counts.iter().sum();
        let sum: f64 = counts.iter().enumerate().map(|(value, count)| value as f64 * f64::from(*count)).sum();
        sum / f64::from(drawn)
    }

    #[test]
    fn the_interval_of_a_mean_has_about_the_width_of_theory() {
        let (low, high) = interval(Resamples::new(100, 2000, 20, 1).unwrap().map(mean).into_iter().map(Some)).unwrap();
        // Standard error of the mean of 0..99: sqrt((100² - 1)/12)/10 = 2.89; +-1.96 of it around 49.5.
        assert!((low - 43.8).abs() < 1.0 && (high - 55.2).abs() < 1.0, "{low} to {high}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let of = |seed| interval(Resamples::new(30, 200, 20, seed).unwrap().map(mean).into_iter().map(Some));
        assert_eq!(of(5), of(5));
        assert_ne!(of(5), of(6));
    }

    #[test]
    fn too_few_clusters_have_no_interval() {
        assert!(Resamples::new(19, 2000, 20, 1).is_none());
    }

    #[test]
    fn a_statistic_that_mostly_fails_has_no_interval() {
        let rarely = |counts: &[u32]| (counts[0] > 3).then_some(1.0);
        assert_eq!(interval(Resamples::new(30, 200, 20, 1).unwrap().map(rarely).into_iter()), None);
    }
}
