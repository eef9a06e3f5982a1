//! `vpa`: a `VerticalPodAutoscaler` per workload whose bounds are the interval. It recommends only (`Off`) until its owner
//! sets another mode.

use serde_yaml::{Mapping, Value};

use crate::predict::Prediction;
use crate::units::{Bytes, Cores};

use super::sizing::{round_cpu, round_memory};
use super::target::{Target, check_one_name, one};
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, WorkloadKind, merge};

/// The form.
pub(super) struct Vpa;

impl Form for Vpa {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let mut documents = Vec::new();
        for (prediction, target) in targets(predictions, options)? {
            documents.push(write_document(&object(prediction, &target, options)?));
        }
        let head = format!("# shadow {}: whole objects: kubectl apply -f FILE\n", options.version);
        let mut emitted = Emitted::one("vpa.yaml", head + &documents.join("---\n"));
        emitted.hints.push(
            "apply it with `kubectl apply -f FILE` where the autoscaler is installed; it recommends only, until you set another `updateMode`"
                .to_owned(),
        );
        Ok(emitted)
    }
}

/// Returns each prediction with its target, if an autoscaler can own it.
///
/// # Errors
/// A name for several, a bare pod, or a bad name.
pub(super) fn targets<'a>(
    predictions: &'a [Prediction],
    options: &EmitOptions,
) -> Result<Vec<(&'a Prediction, Target)>, EmitError> {
    check_one_name(predictions, options)?;
    if options.kind == Some(WorkloadKind::Pod) {
        return Err(EmitError::BadOption {
            option: "--kind",
            value: "pod".to_owned(),
            expected: "what owns pods: an autoscaler has no bare pod for its target",
        });
    }
    predictions.iter().map(|prediction| Ok((prediction, Target::of(prediction, options)?))).collect()
}

/// Returns the autoscaler of `target`.
///
/// # Errors
/// As [`Sizing::of`]: bounds without an answer would be guesses.
pub(super) fn object(prediction: &Prediction, target: &Target, options: &EmitOptions) -> Result<Value, EmitError> {
    Sizing::of(prediction, options)?;
    let (cpu, memory) = (prediction.interval.cpu, prediction.interval.memory);
    let (mut least, mut most) = (Mapping::new(), Mapping::new());
    let mut bound = |resource: &str, low: Option<String>, high: Option<String>| {
        for (bounds, amount) in [(&mut least, low), (&mut most, high)] {
            if let Some(amount) = amount {
                bounds.insert(Value::from(resource), Value::from(amount));
            }
        }
    };
    let cores = |cpu: Cores| round_cpu(cpu).to_string();
    let bytes = |memory: Bytes| round_memory(memory).to_string();
    bound("cpu", cpu.map(|(low, _)| cores(low)), cpu.map(|(_, high)| cores(high)));
    bound("memory", memory.map(|(low, _)| bytes(low)), memory.map(|(_, high)| bytes(high)));
    let mut policy = one("containerName", Value::from(target.container.as_str()));
    for (field, bounds) in [("minAllowed", least), ("maxAllowed", most)] {
        if !bounds.is_empty() {
            policy.insert(Value::from(field), Value::Mapping(bounds));
        }
    }
    let mut owner = one("apiVersion", Value::from(target.kind.api_version()));
    owner.insert(Value::from("kind"), Value::from(target.kind.name()));
    owner.insert(Value::from("name"), Value::from(target.name.as_str()));
    let mut spec = one("targetRef", Value::Mapping(owner));
    // A bare `Off` would be a boolean; the writer quotes it.
    spec.insert(Value::from("updatePolicy"), Value::Mapping(one("updateMode", Value::from("Off"))));
    let policies = one("containerPolicies", Value::Sequence(vec![Value::Mapping(policy)]));
    spec.insert(Value::from("resourcePolicy"), Value::Mapping(policies));
    let mut object = one("apiVersion", Value::from("autoscaling.k8s.io/v1"));
    object.insert(Value::from("kind"), Value::from("VerticalPodAutoscaler"));
    object.insert(Value::from("metadata"), Value::Mapping(target.metadata(&target.name)));
    object.insert(Value::from("spec"), Value::Mapping(spec));
    merge::annotate(&mut object, prediction, options, &target.container);
    Ok(Value::Mapping(object))
}
