//! The decaying exponential histogram of the Kubernetes Vertical Pod Autoscaler
//! (`kubernetes/autoscaler` at 55c37cd5, `vertical-pod-autoscaler/pkg/recommender/util`).

/// Growth of bucket widths.
const RATIO: f64 = 1.05;
/// Weights below it count as nothing.
const EPSILON: f64 = 1e-4;
/// The reference time moves when a sample is so many half-lives after it.
const HALF_LIVES_BEFORE_SHIFT: f64 = 100.0;

/// Where the buckets lie: bucket k begins at `first * (1.05^k - 1) / 0.05`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistogramShape {
    /// Width of the first bucket.
    pub first: f64,
    /// Largest value told apart.
    pub max: f64,
}

impl HistogramShape {
    /// CPU in cores.
    pub const CPU: Self = Self { first: 0.01, max: 1000.0 };
    /// Memory in bytes.
    pub const MEMORY: Self = Self { first: 1e7, max: 1e12 };

    /// Returns the number of buckets: 176 for both published shapes.
    pub fn buckets(self) -> usize {
        to_index((self.max * (RATIO - 1.0) / self.first + 1.0).ln() / RATIO.ln(), true) + 1
    }

    /// Returns where a bucket begins.
    pub fn start(self, bucket: usize) -> f64 {
        let exponent = i32::try_from(bucket).unwrap_or(i32::MAX);
        self.first * (RATIO.powi(exponent) - 1.0) / (RATIO - 1.0)
    }

    /// Returns the bucket that holds `value`.
    pub fn bucket(self, value: f64) -> usize {
        if value < self.first {
            return 0;
        }
        to_index((value * (RATIO - 1.0) / self.first + 1.0).ln() / RATIO.ln(), false).min(self.buckets() - 1)
    }
}

/// Returns a non-negative float as an index.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "logarithms of values the buckets hold")]
fn to_index(value: f64, up: bool) -> usize {
    if up { value.ceil() as usize } else { value as usize }
}

/// Weights by bucket, each halved every half-life. Times are in seconds on one clock.
#[derive(Debug, Clone, PartialEq)]
pub struct DecayingHistogram {
    shape: HistogramShape,
    half_life: f64,
    weights: Vec<f64>,
    total: f64,
    reference: Option<f64>,
}

impl DecayingHistogram {
    /// Returns an empty histogram with a half-life of 24 h.
    pub fn new(shape: HistogramShape) -> Self {
        Self { shape, half_life: 86_400.0, weights: vec![0.0; shape.buckets()], total: 0.0, reference: None }
    }

    /// Adds `value` with `weight` at `time`.
    pub fn add(&mut self, value: f64, weight: f64, time: f64) {
        let weight = weight * self.decay(time);
        self.weights[self.shape.bucket(value)] += weight;
        self.total += weight;
    }

    /// Takes away what [`Self::add`] with the same arguments added; rests below 1e-4 become nothing.
    pub fn subtract(&mut self, value: f64, weight: f64, time: f64) {
        let weight = weight * self.decay(time);
        let rest = |amount: f64| if amount - weight < EPSILON { 0.0 } else { amount - weight };
        let bucket = self.shape.bucket(value);
        self.weights[bucket] = rest(self.weights[bucket]);
        self.total = rest(self.total);
    }

    /// Returns the upper edge of the bucket at which `share` of the weight is reached; 0 for an empty histogram.
    pub fn percentile(&self, share: f64) -> f64 {
        let heavy = |weight: &f64| *weight >= EPSILON;
        let (Some(first), Some(last)) = (self.weights.iter().position(heavy), self.weights.iter().rposition(heavy))
        else {
            return 0.0;
        };
        let threshold = share * self.total;
        let mut cumulative = 0.0;
        let mut bucket = first;
        while bucket < last {
            cumulative += self.weights[bucket];
            if cumulative >= threshold {
                break;
            }
            bucket += 1;
        }
        let top = self.weights.len() - 1;
        self.shape.start(if bucket < top { bucket + 1 } else { top })
    }

    /// Returns how many buckets hold weight.
    pub fn entries(&self) -> usize {
        self.weights.iter().filter(|weight| **weight >= EPSILON).count()
    }

    /// Returns the total weight, relative to the reference time.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Returns 2^((time - reference) in half-lives), after moving the reference if `time` is too far ahead of it.
    fn decay(&mut self, time: f64) -> f64 {
        let rounded = (time / self.half_life).round() * self.half_life;
        let reference = match self.reference {
            None => rounded,
            Some(old) if time - old > HALF_LIVES_BEFORE_SHIFT * self.half_life => {
                let factor = ((old - rounded) / self.half_life).exp2();
                self.weights.iter_mut().for_each(|weight| *weight *= factor);
                self.total *= factor;
                rounded
            }
            Some(old) => old,
        };
        self.reference = Some(reference);
        ((time - reference) / self.half_life).exp2()
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;

    /// One sample, then (bucket, start, end of the bucket).
    fn one(shape: HistogramShape, value: f64) -> (usize, f64, f64) {
        let mut histogram = DecayingHistogram::new(shape);
        histogram.add(value, 1.0, 0.0);
        let bucket = shape.bucket(value);
        (bucket, shape.start(bucket), histogram.percentile(0.9))
    }

    #[test]
    fn both_shapes_have_176_buckets() {
        assert_eq!((HistogramShape::CPU.buckets(), HistogramShape::MEMORY.buckets()), (176, 176));
    }

    #[test]
    fn cpu_samples_fall_into_the_published_buckets() {
        let expected = [
            (0.001, 0, 0.0, 0.01),
            (0.05, 4, 0.043_101, 0.055_256),
            (0.1, 8, 0.095_491, 0.110_266),
            (0.5, 25, 0.477_271, 0.511_135),
            (1.0, 36, 0.958_363, 1.016_281),
            (2.0, 49, 1.984_267, 2.093_480),
            (4.0, 62, 3.918_760, 4.124_699),
            (16.0, 90, 15.946_073, 16.753_377),
            (5000.0, 175, 1_021.109_409, 1_021.109_409),
        ];
        for (value, bucket, start, end) in expected {
            let found = one(HistogramShape::CPU, value);
            assert_eq!(found.0, bucket, "{value}");
            assert!((found.1 - start).abs() < 1e-6 && (found.2 - end).abs() < 1e-6, "{value}: {found:?}");
        }
    }

    #[test]
    fn memory_samples_fall_into_the_published_buckets() {
        let expected = [
            (1e8, 8, 95_491_089.0, 110_265_643.0),
            (268_435_456.0, 17, 258_403_664.0, 281_323_847.0),
            (1e9, 36, 958_363_227.0, 1_016_281_389.0),
            (1_073_741_824.0, 37, 1_016_281_389.0, 1_077_095_458.0),
            (4.0 * 1_073_741_824.0, 63, 4_124_698_514.0, 4_340_933_440.0),
            (16.0 * 1_073_741_824.0, 91, 16_753_376_660.0, 17_601_045_493.0),
        ];
        for (value, bucket, start, end) in expected {
            let found = one(HistogramShape::MEMORY, value);
            assert_eq!(found.0, bucket, "{value}");
            assert!((found.1 - start).abs() < 2.0 && (found.2 - end).abs() < 2.0, "{value}: {found:?}");
        }
    }

    #[test]
    fn one_peak_of_eight_days_fades_with_age() {
        const GIB: f64 = 1_073_741_824.0;
        const LOW: f64 = 1_077_095_458.0;
        const HIGH: f64 = 4_340_933_440.0;
        let percentiles = |age: u32, replicas: u32| {
            let mut histogram = DecayingHistogram::new(HistogramShape::MEMORY);
            for day in 0..8_u32 {
                for replica in 0..replicas {
                    let value = if 7 - day == age && replica == 0 { 4.0 * GIB } else { GIB };
                    histogram.add(value, 1.0, f64::from(day + 1) * 86_400.0);
                }
            }
            [0.5, 0.9, 0.95].map(|share| histogram.percentile(share).round())
        };
        let by_age = |age| match age {
            0 => [HIGH; 3],
            1 | 2 => [LOW, HIGH, HIGH],
            3 => [LOW, LOW, HIGH],
            _ => [LOW; 3],
        };
        for age in 0..8 {
            assert_eq!(percentiles(age, 1), by_age(age), "age {age}");
        }
        for (replicas, visible_until) in [(1, 3), (2, 2), (3, 1), (4, 1), (5, 1), (6, 0)] {
            for age in 0..8 {
                let visible = percentiles(age, replicas)[1] > LOW;
                assert_eq!(visible, age < visible_until, "{replicas} replicas, age {age}");
            }
        }
    }

    #[test]
    fn a_moved_reference_changes_no_percentile() {
        let mut near = DecayingHistogram::new(HistogramShape::CPU);
        let mut far = near.clone();
        for (histogram, origin) in [(&mut near, 0.0), (&mut far, 0.0)] {
            histogram.add(0.1, 1.0, origin);
        }
        far.add(1.0, 1.0, 101.0 * 86_400.0);
        assert!((far.percentile(0.9) - HistogramShape::CPU.start(37)).abs() < 1e-12);
        assert!((near.percentile(0.9) - HistogramShape::CPU.start(9)).abs() < 1e-12);
        assert!((far.total() - 1.0).abs() < 1e-9);
    }
}
