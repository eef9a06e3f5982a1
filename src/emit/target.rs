//! The object and the container that a sizing without a manifest is for: names that the user gave, else made ones.

use serde_yaml::{Mapping, Value};

use crate::predict::Prediction;

use super::manifest::WorkloadKind;
use super::{EmitError, EmitOptions, Sizing, bandwidth, merge, names};

/// The longest name that is made: also the longest that labels and hosts take.
pub(super) const LONGEST_MADE: usize = 63;

/// One container of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: WorkloadKind,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) container: String,
}

/// Refuses a name that was given for several workloads.
///
/// # Errors
/// [`EmitError::OneWorkload`].
pub(super) fn check_one_name(predictions: &[Prediction], options: &EmitOptions) -> Result<(), EmitError> {
    if options.name.is_some() && predictions.len() != 1 {
        return Err(EmitError::OneWorkload { form: "--name", count: predictions.len() });
    }
    Ok(())
}

impl Target {
    /// Returns whom the sizes of `prediction` are for.
    ///
    /// # Errors
    /// [`EmitError::BadName`] for a name that was given and that Kubernetes refuses.
    pub(super) fn of(prediction: &Prediction, options: &EmitOptions) -> Result<Self, EmitError> {
        let kind = options.kind.unwrap_or(WorkloadKind::Deployment);
        let name = match &options.name {
            Some(name) => {
                names::check_object(name, kind.longest_name())?;
                name.clone()
            }
            None => names::made(&prediction.workload, kind.longest_name().min(LONGEST_MADE)),
        };
        if let Some(namespace) = &options.namespace {
            names::check_label("the namespace", namespace)?;
        }
        let container = container(prediction, options)?;
        Ok(Self { kind, name, namespace: options.namespace.clone(), container })
    }

    /// Returns `metadata` with name and namespace.
    pub(super) fn metadata(&self, name: &str) -> Mapping {
        let mut metadata = Mapping::new();
        metadata.insert(Value::from("name"), Value::from(name));
        if let Some(namespace) = &self.namespace {
            metadata.insert(Value::from("namespace"), Value::from(namespace.as_str()));
        }
        metadata
    }

    /// Returns `-n NAMESPACE` with a blank in front, for commands.
    pub(super) fn namespace_flag(&self) -> String {
        self.namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default()
    }

    /// Returns the minimal patch: kind, name, evidence, container and resources.
    ///
    /// # Errors
    /// Network bandwidth that was asked for and not predicted.
    pub(super) fn patch(
        &self,
        prediction: &Prediction,
        sizing: &Sizing,
        options: &EmitOptions,
    ) -> Result<Value, EmitError> {
        let mut body = self.sized_pod(sizing);
        for step in self.kind.pod_path().iter().skip(1).rev() {
            body = one(step, Value::Mapping(body));
        }
        let mut object = one("apiVersion", Value::from(self.kind.api_version()));
        object.insert(Value::from("kind"), Value::from(self.kind.name()));
        object.insert(Value::from("metadata"), Value::Mapping(self.metadata(&self.name)));
        object.insert(Value::from("spec"), Value::Mapping(body));
        merge::annotate(&mut object, prediction, options, &self.container);
        bandwidth::annotate(&mut object, self.kind, prediction, options)?;
        Ok(Value::Mapping(object))
    }

    /// Returns `containers` with the one container.
    pub(super) fn sized_pod(&self, sizing: &Sizing) -> Mapping {
        let mut sized = one("name", Value::from(self.container.as_str()));
        sized.insert(Value::from("resources"), Value::Mapping(resources(sizing)));
        one("containers", Value::Sequence(vec![Value::Mapping(sized)]))
    }
}

/// Returns the name of the container: the given one, else one made from the workload's.
pub(super) fn container(prediction: &Prediction, options: &EmitOptions) -> Result<String, EmitError> {
    match options.container_of(prediction) {
        Some(container) => {
            names::check_label("the container", container)?;
            Ok(container.clone())
        }
        None => Ok(names::made(&prediction.workload, LONGEST_MADE)),
    }
}

/// Returns `requests` and `limits`.
pub(super) fn resources(sizing: &Sizing) -> Mapping {
    let mut resources = Mapping::new();
    merge::fill_resources(&mut resources, sizing);
    resources
}

/// Returns a mapping with one key.
pub(super) fn one(key: &str, value: Value) -> Mapping {
    let mut mapping = Mapping::new();
    mapping.insert(Value::from(key), value);
    mapping
}
