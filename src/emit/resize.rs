//! `resize`: new sizes for the containers of a running pod, in place (Kubernetes 1.33 or later).

use serde_yaml::Value;

use crate::predict::Prediction;

use super::target::{Target, one};
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, WorkloadKind};

/// The form.
pub(super) struct Resize;

impl Form for Resize {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let [prediction] = predictions else {
            return Err(EmitError::OneWorkload { form: "resize", count: predictions.len() });
        };
        if let Some(kind) = options.kind.filter(|kind| *kind != WorkloadKind::Pod) {
            return Err(EmitError::BadOption {
                option: "--kind",
                value: kind.name().to_owned(),
                expected: "pod: only a pod is resized in place",
            });
        }
        let sizing = Sizing::of(prediction, options)?;
        let target = Target::of(prediction, options)?;
        let pod = options.name.as_deref().unwrap_or("POD");
        let command =
            format!("kubectl patch pod {pod}{} --subresource resize --patch-file FILE", target.namespace_flag());
        let patch = one("spec", Value::Mapping(target.sized_pod(&sizing)));
        let text = format!(
            "# shadow {}: sizes of a running pod, in place:\n#   {command}\n{}",
            options.version,
            write_document(&Value::Mapping(patch))
        );
        let mut emitted = Emitted::one("resize.yaml", text);
        emitted.hints.push(format!("apply it with `{command}` (kubectl 1.32 and a server of 1.33, or later)"));
        emitted.hints.push(
            "the pod keeps its quality-of-service class: a `Guaranteed` one needs a CPU limit too, with `--cpu-limit`"
                .to_owned(),
        );
        Ok(emitted)
    }
}
