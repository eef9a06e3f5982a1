//! Random numbers and elementary functions that give the same bits on every machine.
//!
//! The generator is PCG XSL RR 128/64 (MCG) with a seed per purpose and item, so that what is drawn for one workload does
//! not depend on how many others were made before. The functions below use only operations that IEEE 754 rounds exactly;
//! those of the standard library call the system's mathematics library, whose last digits differ between machines.

use rand::Rng as _;
use rand_pcg::Pcg64Mcg;

/// What numbers are drawn for; each purpose has numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Purpose {
    /// Facts of an application.
    Application = 1,
    /// Which application a workload belongs to, and its facts.
    Workload = 2,
    /// Noise of a series.
    Series = 3,
    /// Oddities of rows.
    Rows = 4,
    /// Hashed names.
    Name = 5,
    /// Facts and series of a machine.
    Machine = 6,
    /// Tasks and instances of a batch job.
    Batch = 7,
}

/// A source of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Chance(Pcg64Mcg);

/// The finaliser of `SplitMix64` (Steele, Lea and Flood 2014): spreads every bit of `value` over all bits.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Chance {
    /// Returns the numbers of item `index` for `purpose` under `seed`.
    pub(super) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let high = mix(mix(mix(seed) ^ purpose as u64) ^ index);
        Self(Pcg64Mcg::new((u128::from(high) << 64) | u128::from(mix(high))))
    }

    /// Returns 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Returns a number in [0, 1), a multiple of 2^-53.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a number in [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Returns a whole number in [0, count), 0 for a count of 0.
    pub(super) fn below(&mut self, count: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(count);
        (product >> 64) as u64
    }

    /// Returns true with the given probability.
    pub(super) fn is(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Returns a normally distributed number of mean 0 and deviation 1 (Marsaglia and Bray 1964, the polar method).
    pub(super) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * ln(square) / square).sqrt();
            }
        }
    }

    /// Returns a log-normally distributed number: its median, and the deviation of its natural logarithm.
    pub(super) fn log_normal(&mut self, median: f64, deviation: f64) -> f64 {
        median * exp(deviation * self.normal())
    }
}

/// Returns e^x; 0 far below and the largest power far above what a double holds. Error below 4e-16 relative.
pub(super) fn exp(x: f64) -> f64 {
    const HIGHEST: f64 = 700.0;
    let x = x.clamp(-HIGHEST, HIGHEST);
    let power = (x * std::f64::consts::LOG2_E).round();
    let rest = x - power * std::f64::consts::LN_2;
    let mut sum = 1.0;
    for term in (1..=14).rev() {
        sum = 1.0 + sum * rest / f64::from(term);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within -1010..1010, then positive")]
    let scale = f64::from_bits(((1023 + power as i64) as u64) << 52);
    sum * scale
}

/// Returns the natural logarithm of a positive normal number. Error below 1e-15 absolute around 1.
pub(super) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut power = f64::from(u32::try_from(bits >> 52).unwrap_or_default()) - 1023.0;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        power += 1.0;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)); the argument is below 0.172, so 11 terms are enough.
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let mut sum = 0.0;
    for term in (0..=10).rev() {
        sum = sum * square + 1.0 / f64::from(2 * term + 1);
    }
    power * std::f64::consts::LN_2 + 2.0 * ratio * sum
}

/// Returns the sine of a number of full turns. Error below 1e-13.
pub(super) fn sine_of_turns(turns: f64) -> f64 {
    let mut turn = turns - turns.round();
    // sin x = sin(pi - x): back into a quarter turn around 0.
    if turn > 0.25 {
        turn = 0.5 - turn;
    } else if turn < -0.25 {
        turn = -0.5 - turn;
    }
    let angle = turn * std::f64::consts::TAU;
    let square = angle * angle;
    let mut sum = 1.0;
    for term in (1..=8).rev() {
        sum = 1.0 - sum * square / f64::from(2 * term * (2 * term + 1));
    }
    angle * sum
}

/// Returns the whole number nearest to `value`, at the ends of the type when it lies outside, 0 for no number.
pub(super) fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and gives 0 for no number")]
    {
        value.round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_agree_with_the_standard_library() {
        for step in -400..=400 {
            let x = f64::from(step) / 20.0;
            assert!((exp(x) - x.exp()).abs() <= 4e-15 * x.exp(), "exp {x}");
            assert!((sine_of_turns(x) - (x * std::f64::consts::TAU).sin()).abs() < 1e-12, "sin {x}");
            let y = x.exp();
            assert!((ln(y) - y.ln()).abs() < 4e-15 * y.ln().abs().max(1.0), "ln {y}");
        }
        assert!(exp(-1e9) < 1e-300 && exp(1e9).is_finite());
    }

    #[test]
    fn numbers_have_the_moments_of_their_distribution() {
        let mut chance = Chance::new(1, Purpose::Series, 0);
        let normals: Vec<f64> = (0..20_000).map(|_| chance.normal()).collect();
        let mean = normals.iter().sum::<f64>() / 20_000.0;
        let variance = normals.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        let dice: Vec<u64> = (0..6_000).map(|_| chance.below(6)).collect();
        for face in 0..6 {
            let count = dice.iter().filter(|&&die| die == face).count();
            assert!((850..1150).contains(&count), "face {face}: {count}");
        }
    }

    #[test]
    fn items_and_purposes_have_numbers_of_their_own() {
        let first = |seed, purpose, index| Chance::new(seed, purpose, index).bits();
        let mut drawn = vec![first(7, Purpose::Series, 0), first(8, Purpose::Series, 0), first(7, Purpose::Rows, 0)];
        drawn.extend((1..100).map(|index| first(7, Purpose::Series, index)));
        let distinct: std::collections::BTreeSet<u64> = drawn.iter().copied().collect();
        assert_eq!(distinct.len(), drawn.len());
        assert_eq!(first(7, Purpose::Series, 0), first(7, Purpose::Series, 0));
    }
}
