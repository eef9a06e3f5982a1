//! `strategic-merge`: containers and resources alone, without kind and name, for a tool that knows the object already.

use serde_yaml::Value;

use crate::predict::Prediction;

use super::kubernetes_patch::patchable;
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, evidence};

/// The form.
pub(super) struct StrategicMerge;

impl Form for StrategicMerge {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let [prediction] = predictions else {
            return Err(EmitError::OneWorkload { form: "strategic-merge", count: predictions.len() });
        };
        let sizing = Sizing::of(prediction, options)?;
        let (_, target) = patchable(predictions, options)?.remove(0);
        let mut patch = target.patch(prediction, &sizing, options)?;
        if let Value::Mapping(patch) = &mut patch {
            patch.retain(|key, _| key.as_str() == Some("spec"));
        }
        let command = format!(
            "kubectl patch {} {}{} --type strategic --patch-file FILE",
            target.kind.name().to_ascii_lowercase(),
            target.name,
            target.namespace_flag()
        );
        let mut text = format!("# shadow {}: {command}\n", evidence::on_one_line(&options.version));
        text += &evidence::comment(prediction, options, &target.name, &target.container);
        let mut emitted = Emitted::one("shadow-patch.yaml", text + &write_document(&patch));
        emitted.hints.push(format!("apply it with `{command}`"));
        Ok(emitted)
    }
}
