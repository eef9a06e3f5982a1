//! `vpa-checkpoint`: the autoscaler and the memory of its recommender (`VerticalPodAutoscalerCheckpoint`, version v3), filled
//! from the neighbours, so that it starts warm.
//!
//! The shape of each histogram is that of the neighbours' needs, by their shares. It is scaled so that what the
//! recommender makes of it at once, the 90th percentile with 15 % on top, is the predicted allocation. The weights are
//! those of one day of its own samples, so its own record takes over within days. Buckets, weights and their decay are
//! those of the recommender's source (`histogram_options.go`, `aggregate_container_state.go`).

use serde_yaml::{Mapping, Value};

use crate::predict::{Evidence, Prediction};
use crate::units::{Bytes, Micros};

use super::target::{Target, one};
use super::vpa::{object, targets};
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, names};

/// The form.
pub(super) struct VpaCheckpoint;

/// What the recommender adds to its percentile.
const MARGIN: f64 = 1.15;
/// The percentile that it recommends.
const PERCENTILE: f64 = 0.9;
/// The first bucket of CPU: 0.01 cores.
const FIRST_CPU: f64 = 0.01;
/// The first bucket of memory: 10 MB.
const FIRST_MEMORY: f64 = 1e7;
/// One day of CPU samples, one a minute, each of weight 0.1.
const CPU_WEIGHT: f64 = 144.0;
/// One day: one peak of memory.
const MEMORY_WEIGHT: f64 = 1.0;

impl Form for VpaCheckpoint {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        // An abstention comes before any complaint about options.
        for prediction in predictions {
            Sizing::of(prediction, options)?;
        }
        let day = options.day.ok_or(EmitError::BadOption {
            option: "--day",
            value: String::new(),
            expected: "the day on which the recommender starts, as in `--day $(date -u +%F)`",
        })?;
        let (mut autoscalers, mut memories) = (Vec::new(), Vec::new());
        for (prediction, target) in targets(predictions, options)? {
            autoscalers.push(write_document(&object(prediction, &target, options)?));
            memories.push(write_document(&checkpoint(prediction, &target, day, options)?));
        }
        let head = format!(
            "# shadow {}: kubectl apply -f FILE, then at once, so that the recommender reads it:\n\
             #   kubectl -n kube-system rollout restart deployment vpa-recommender\n",
            options.version
        );
        autoscalers.append(&mut memories);
        let mut emitted = Emitted::one("vpa-checkpoint.yaml", head + &autoscalers.join("---\n"));
        emitted.hints.push(
            "apply it with `kubectl apply -f FILE`, then at once `kubectl -n kube-system rollout restart deployment vpa-recommender`"
                .to_owned(),
        );
        Ok(emitted)
    }
}

fn checkpoint(
    prediction: &Prediction,
    target: &Target,
    day: Micros,
    options: &EmitOptions,
) -> Result<Value, EmitError> {
    const DAY: Micros = Micros(86_400_000_000);
    let sizing = Sizing::of(prediction, options)?;
    let date =
        |at: Micros| at.to_date().map(Value::from).ok_or_else(|| EmitError::Encode("a day has no date".to_owned()));
    let cpu = needs(prediction, |one| one.cpu_p95.map(|cpu| (cpu.as_f64(), one.cpu_share)));
    let memory = needs(prediction, |one| one.memory_peak.map(|memory| (memory.as_f64(), one.memory_share)));
    let histogram = |needs: &[(f64, f64)], amount: f64, first: f64, weight: f64| -> Result<Value, EmitError> {
        let mut histogram = one("referenceTimestamp", date(day)?);
        histogram.insert(Value::from("bucketWeights"), Value::Mapping(buckets(&scaled(needs, amount), first)));
        histogram.insert(Value::from("totalWeight"), Value::from(weight));
        Ok(Value::Mapping(histogram))
    };
    let mut status = one("version", Value::from("v3"));
    status.insert(Value::from("lastUpdateTime"), date(day)?);
    status.insert(Value::from("firstSampleStart"), date(day.minus(DAY))?);
    status.insert(Value::from("lastSampleStart"), date(day)?);
    status.insert(Value::from("totalSamplesCount"), Value::from(1440));
    let amount = sizing.cpu_request.as_f64();
    status.insert(Value::from("cpuHistogram"), histogram(&cpu, amount, FIRST_CPU, CPU_WEIGHT)?);
    let amount = sizing.memory_request.as_f64();
    status.insert(Value::from("memoryHistogram"), histogram(&memory, amount, FIRST_MEMORY, MEMORY_WEIGHT)?);
    let mut spec = one("vpaObjectName", Value::from(target.name.as_str()));
    spec.insert(Value::from("containerName"), Value::from(target.container.as_str()));
    let mut checkpoint = one("apiVersion", Value::from("autoscaling.k8s.io/v1"));
    checkpoint.insert(Value::from("kind"), Value::from("VerticalPodAutoscalerCheckpoint"));
    // The recommender writes back under this very name.
    let name = format!("{}-{}", target.name, target.container);
    names::check_object(&name, 253)?;
    checkpoint.insert(Value::from("metadata"), Value::Mapping(target.metadata(&name)));
    checkpoint.insert(Value::from("spec"), Value::Mapping(spec));
    checkpoint.insert(Value::from("status"), Value::Mapping(status));
    Ok(Value::Mapping(checkpoint))
}

/// Returns what the neighbours needed with their shares, the smallest first.
fn needs(prediction: &Prediction, of: impl Fn(&Evidence) -> Option<(f64, f64)>) -> Vec<(f64, f64)> {
    let is_usable = |(need, share): &(f64, f64)| need.is_finite() && share.is_finite() && *need > 0.0 && *share > 0.0;
    let mut needs: Vec<(f64, f64)> = prediction.neighbours.iter().filter_map(of).filter(is_usable).collect();
    needs.sort_by(|left, right| left.0.total_cmp(&right.0));
    needs
}

/// Returns `needs` scaled so that the recommender's answer is `amount`; without any, that one point.
fn scaled(needs: &[(f64, f64)], amount: f64) -> Vec<(f64, f64)> {
    let wanted = amount / MARGIN;
    let total: f64 = needs.iter().map(|(_, share)| share).sum();
    let mut passed = 0.0;
    let percentile = needs.iter().find(|(_, share)| {
        passed += share;
        passed >= PERCENTILE * total
    });
    match percentile.or(needs.last()) {
        Some((at, _)) => needs.iter().map(|(need, share)| (need / at * wanted, *share)).collect(),
        None => vec![(wanted, 1.0)],
    }
}

/// Returns whole weights by bucket, the largest 10,000.
fn buckets(points: &[(f64, f64)], first: f64) -> Mapping {
    let mut sums = std::collections::BTreeMap::<u64, f64>::new();
    for (value, share) in points {
        *sums.entry(bucket(*value, first)).or_default() += share;
    }
    let largest = sums.values().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut mapping = Mapping::new();
    for (bucket, sum) in sums {
        let weight = whole((sum / largest * 10_000.0).round()).max(1);
        mapping.insert(Value::from(bucket.to_string()), Value::from(weight));
    }
    mapping
}

/// Returns the recommender's bucket of `value`: buckets grow by 5 %, there are 176.
fn bucket(value: f64, first: f64) -> u64 {
    if value < first {
        return 0;
    }
    let position = (value * 0.05 / first + 1.0).ln() / 1.05_f64.ln();
    whole(position.floor().min(175.0))
}

/// Returns a number that was rounded already.
fn whole(rounded: f64) -> u64 {
    Bytes::from_f64_up(rounded).map_or(0, Bytes::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns where a bucket begins, as the recommender computes it.
    fn start(bucket: i32, first: f64) -> f64 {
        first * (1.05_f64.powi(bucket) - 1.0) / 0.05
    }

    #[test]
    fn buckets_hold_their_values() {
        for (first, value) in [(FIRST_CPU, 0.25), (FIRST_CPU, 3.0), (FIRST_MEMORY, 512e6), (FIRST_MEMORY, 3e10)] {
            let found = i32::try_from(bucket(value, first)).unwrap();
            assert!(start(found, first) <= value && value < start(found + 1, first), "{value} in {found}");
        }
        assert_eq!((bucket(0.009, FIRST_CPU), bucket(1e30, FIRST_MEMORY)), (0, 175));
    }

    #[test]
    fn the_ninetieth_percentile_with_the_margin_is_the_allocation() {
        let needs = [(1.0, 0.5), (2.0, 0.35), (4.0, 0.1), (9.0, 0.05)];
        let scaled = scaled(&needs, 8.0);
        assert!((scaled[2].0 * MARGIN - 8.0).abs() < 1e-9, "{scaled:?}");
        assert!((scaled[0].0 * 4.0 - scaled[2].0).abs() < 1e-9, "{scaled:?}");
        assert_eq!(super::scaled(&[], 2.3).len(), 1);
        let weights = buckets(&scaled, FIRST_CPU);
        assert_eq!(weights.values().filter_map(Value::as_u64).max(), Some(10_000));
    }
}
