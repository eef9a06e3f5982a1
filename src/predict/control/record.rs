//! Quantiles of what was seen, the recent counting more.

/// Neighbouring bins differ by this factor; a quantile is a value that was seen, so the width costs rank, not size.
const BIN_RATIO_LN: f64 = 0.01;
/// Weights are scaled down when they have doubled this often, long before they leave the range of a double.
const MOST_DOUBLINGS: f64 = 200.0;
/// What weighs less than this share of a fresh observation (ten half-lives) is forgotten.
const FORGOTTEN: f64 = 1.0 / 1024.0;

/// Values between a floor and anything, each weighing half as much after every half-life.
///
/// Memory: one bin of 16 bytes per percent between the smallest and the largest value seen. Cost: constant per
/// observation, a walk from the top per quantile.
#[derive(Debug, Clone, PartialEq)]
pub struct DecayingRecord {
    floor: f64,
    half_life_seconds: f64,
    /// Time at which a weight of 1 is a weight of 1.
    reference: Option<f64>,
    /// Number of the first bin.
    first: usize,
    bins: Vec<Bin>,
    total: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Bin {
    weight: f64,
    largest: f64,
}

impl DecayingRecord {
    /// Returns an empty record; values below `floor` (more than 0) count as it.
    pub const fn new(floor: f64, half_life_seconds: f64) -> Self {
        Self { floor, half_life_seconds, reference: None, first: 0, bins: Vec::new(), total: 0.0 }
    }

    /// Takes a value seen at `at` (seconds, not before the last one) that weighs `weight`.
    pub fn add(&mut self, at: f64, value: f64, weight: f64) {
        if !value.is_finite() || weight <= 0.0 {
            return;
        }
        let reference = *self.reference.get_or_insert(at);
        let mut doublings = (at - reference) / self.half_life_seconds;
        if doublings > MOST_DOUBLINGS {
            self.scale_down((-doublings).exp2());
            self.reference = Some(at);
            doublings = 0.0;
        }
        let weight = weight * doublings.exp2();
        let value = value.max(self.floor);
        let at = self.bin_of(value);
        let bin = &mut self.bins[at];
        bin.weight += weight;
        bin.largest = bin.largest.max(value);
        self.total += weight;
    }

    /// Returns the position of a value's bin, made if it is new.
    fn bin_of(&mut self, value: f64) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 or more, at most 100 times 1500"
        )]
        let number = ((value / self.floor).ln() / BIN_RATIO_LN) as usize;
        if self.bins.is_empty() {
            self.first = number;
        }
        if number < self.first {
            let missing = self.first - number;
            self.bins.splice(0..0, std::iter::repeat_n(Bin::default(), missing));
            self.first = number;
        }
        let at = number - self.first;
        if at >= self.bins.len() {
            self.bins.resize(at + 1, Bin::default());
        }
        at
    }

    fn scale_down(&mut self, factor: f64) {
        for bin in &mut self.bins {
            bin.weight *= factor;
        }
        self.total *= factor;
    }

    /// Returns the smallest value seen that at least `share` of the weight does not exceed (a bin's largest value stands
    /// for it); 1 gives the largest value that is not forgotten. Nothing without values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let newest = self.bins.iter().rev().find(|bin| bin.weight > 0.0)?;
        // Sums of weights must not miss a share by their last digit; a single fresh observation is never forgotten.
        let spare = ((1.0 - share) * self.total).max(0.0) * (1.0 + 1e-9);
        let mut above = 0.0;
        for bin in self.bins.iter().rev().filter(|bin| bin.weight > 0.0) {
            above += bin.weight;
            if above > spare {
                return Some(bin.largest);
            }
        }
        Some(newest.largest)
    }

    /// Forgets what has become too light to matter at `at`: otherwise the largest value would stay for ever.
    pub fn forget(&mut self, at: f64) {
        let Some(reference) = self.reference else { return };
        let least = FORGOTTEN * ((at - reference) / self.half_life_seconds).exp2();
        for bin in &mut self.bins {
            if bin.weight > 0.0 && bin.weight < least {
                self.total -= bin.weight;
                *bin = Bin::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let mut record = DecayingRecord::new(1.0, 1e12);
        for (at, value) in (1..=100).map(|value| (f64::from(value), f64::from(value) * 3.0)) {
            record.add(at, value, 1.0);
        }
        assert_eq!(record.quantile(1.0), Some(300.0));
        assert_eq!(record.quantile(0.95), Some(285.0));
        assert_eq!(DecayingRecord::new(1.0, 1.0).quantile(1.0), None);
    }

    #[test]
    fn half_the_weight_is_gone_after_a_half_life() {
        // One at 4 now against two at 2 an hour ago, half-life an hour: equal weights.
        let mut record = DecayingRecord::new(1.0, 3600.0);
        record.add(0.0, 2.0, 2.0);
        record.add(3600.0, 4.0, 1.0);
        assert_eq!((record.quantile(0.5), record.quantile(0.51)), (Some(2.0), Some(4.0)));
    }

    #[test]
    fn a_peak_is_forgotten_after_ten_half_lives_however_long_the_run() {
        let mut record = DecayingRecord::new(1.0, 10.0);
        record.add(0.0, 9.0, 1.0);
        for at in 1..=5000 {
            record.add(f64::from(at), 2.0, 1.0);
            if at == 90 {
                record.forget(90.0);
                assert_eq!(record.quantile(1.0), Some(9.0));
            }
        }
        record.forget(5000.0);
        assert_eq!(record.quantile(1.0), Some(2.0));
    }

    #[test]
    fn smaller_values_after_larger_ones_find_their_place() {
        let mut record = DecayingRecord::new(1.0, 1e9);
        for value in [50.0, 5.0, 0.1, 500.0] {
            record.add(0.0, value, 1.0);
        }
        let found = [0.25, 0.5, 0.75, 1.0].map(|share| record.quantile(share));
        assert_eq!(found, [Some(1.0), Some(5.0), Some(50.0), Some(500.0)]);
    }
}
