//! `vpa-checkpoint`: the autoscaler and the memory of its recommender (`VerticalPodAutoscalerCheckpoint`, version v3), filled
//! from the neighbours, so that it starts warm.
//!
//! The shape of each histogram is that of the neighbours' needs, by their shares. It is scaled so that what the
//! recommender makes of it at once, the 90th percentile with 15 % on top, is the predicted allocation. The weights are
//! those of one day of its own samples, so its own record takes over within days. Buckets and weights are those of [`crate::vpa`].

use serde_yaml::{Mapping, Value};

use crate::predict::{Evidence, Prediction};
use crate::units::{Bytes, Micros};
use crate::vpa::{CPU_WEIGHT, HistogramShape, TARGET_PERCENTILE};

use super::target::{Target, one};
use super::vpa::{object, targets};
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, names};

/// The form.
pub(super) struct VpaCheckpoint;

/// What the recommender adds to its percentile.
const MARGIN: f64 = 1.15;
/// One day of CPU samples, one a minute.
const DAY_OF_CPU: f64 = 1440.0 * CPU_WEIGHT;
/// One day: one peak of memory.
const DAY_OF_MEMORY: f64 = 1.0;

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
    let histogram =
        |needs: &[(f64, f64)], amount: f64, shape: HistogramShape, weight: f64| -> Result<Value, EmitError> {
            let mut histogram = one("referenceTimestamp", date(day)?);
            histogram.insert(Value::from("bucketWeights"), Value::Mapping(buckets(&scaled(needs, amount), shape)));
            histogram.insert(Value::from("totalWeight"), Value::from(weight));
            Ok(Value::Mapping(histogram))
        };
    let mut status = one("version", Value::from("v3"));
    status.insert(Value::from("lastUpdateTime"), date(day)?);
    status.insert(Value::from("firstSampleStart"), date(day.minus(DAY))?);
    status.insert(Value::from("lastSampleStart"), date(day)?);
    status.insert(Value::from("totalSamplesCount"), Value::from(1440));
    let amount = sizing.cpu_request.as_f64();
    status.insert(Value::from("cpuHistogram"), histogram(&cpu, amount, HistogramShape::CPU, DAY_OF_CPU)?);
    let amount = sizing.memory_request.as_f64();
    status.insert(Value::from("memoryHistogram"), histogram(&memory, amount, HistogramShape::MEMORY, DAY_OF_MEMORY)?);
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
        passed >= TARGET_PERCENTILE * total
    });
    match percentile.or(needs.last()) {
        Some((at, _)) => needs.iter().map(|(need, share)| (need / at * wanted, *share)).collect(),
        None => vec![(wanted, 1.0)],
    }
}

/// Returns whole weights by bucket, the largest 10,000.
fn buckets(points: &[(f64, f64)], shape: HistogramShape) -> Mapping {
    let mut sums = std::collections::BTreeMap::<usize, f64>::new();
    for (value, share) in points {
        *sums.entry(shape.bucket(*value)).or_default() += share;
    }
    let largest = sums.values().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut mapping = Mapping::new();
    for (bucket, sum) in sums {
        let weight = whole((sum / largest * 10_000.0).round()).max(1);
        mapping.insert(Value::from(bucket.to_string()), Value::from(weight));
    }
    mapping
}

/// Returns a number that was rounded already.
fn whole(rounded: f64) -> u64 {
    Bytes::from_f64_up(rounded).map_or(0, Bytes::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ninetieth_percentile_with_the_margin_is_the_allocation() {
        let needs = [(1.0, 0.5), (2.0, 0.35), (4.0, 0.1), (9.0, 0.05)];
        let scaled = scaled(&needs, 8.0);
        assert!((scaled[2].0 * MARGIN - 8.0).abs() < 1e-9, "{scaled:?}");
        assert!((scaled[0].0 * 4.0 - scaled[2].0).abs() < 1e-9, "{scaled:?}");
        assert_eq!(super::scaled(&[], 2.3).len(), 1);
        let weights = buckets(&scaled, HistogramShape::CPU);
        assert_eq!(weights.values().filter_map(Value::as_u64).max(), Some(10_000));
    }
}
