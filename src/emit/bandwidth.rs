//! The granularity `network`: predicted bandwidth as the annotations of pods that the bandwidth plugin of CNI reads.
//!
//! They stand on the pod template, because that is where the plugin looks; a change of them restarts the pods. One rate
//! was predicted, of both directions together, so neither direction alone is ever held below it.

use serde_yaml::{Mapping, Value};

use crate::predict::Prediction;
use crate::units::BytesPerSecond;

use super::manifest::WorkloadKind;
use super::merge::mapping_at;
use super::{EmitError, EmitOptions};

const KEYS: [&str; 2] = ["kubernetes.io/ingress-bandwidth", "kubernetes.io/egress-bandwidth"];

/// Sets the annotations on the pod template of `object` where network was asked for.
///
/// # Errors
/// [`EmitError::MissingResource`] where it was not predicted.
pub(super) fn annotate(
    object: &mut Mapping,
    kind: WorkloadKind,
    prediction: &Prediction,
    options: &EmitOptions,
) -> Result<(), EmitError> {
    if !options.has_network {
        return Ok(());
    }
    let rate = rate(prediction)?;
    let mut template = object;
    if let Some((_, outer)) = kind.pod_path().split_last() {
        for step in outer {
            template = mapping_at(template, step);
        }
    }
    let annotations = mapping_at(mapping_at(template, "metadata"), "annotations");
    for key in KEYS {
        annotations.insert(Value::from(key), Value::from(quantity(rate)));
    }
    Ok(())
}

/// Returns the predicted rate.
pub(super) fn rate(prediction: &Prediction) -> Result<BytesPerSecond, EmitError> {
    let missing =
        || EmitError::MissingResource { workload: prediction.workload.clone(), resource: "network bandwidth" };
    prediction.allocation.network.ok_or_else(missing)
}

/// Returns bits per second in Kubernetes' canonical form, rounded up to a whole kilobit: the plugin takes 1k to 1P.
pub(super) fn quantity(rate: BytesPerSecond) -> String {
    let kilobits = (u128::from(rate.get()) * 8).div_ceil(1000).clamp(1, 1_000_000_000_000);
    let mut number = kilobits;
    let mut suffixes = ["k", "M", "G", "T", "P"].into_iter();
    let mut suffix = suffixes.next().unwrap_or_default();
    while number.is_multiple_of(1000) {
        match suffixes.next() {
            Some(next) => (number, suffix) = (number / 1000, next),
            None => break,
        }
    }
    format!("{number}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_canonical_bits_rounded_up_and_inside_what_the_plugin_takes() {
        for (bytes, expected) in [
            (0, "1k"),
            (1, "1k"),
            (125, "1k"),
            (126, "2k"),
            (125_000, "1M"),
            (125_001, "1001k"),
            (125_000_000, "1G"),
            (u64::MAX, "1P"),
        ] {
            assert_eq!(quantity(BytesPerSecond::new(bytes)), expected);
        }
    }
}
