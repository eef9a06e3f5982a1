//! `kubernetes`: the user's manifest with the sizes in it, good for plain `kubectl apply`; without one, the patch.

use crate::predict::Prediction;

use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, kubernetes_patch, merge};

/// The form.
pub(super) struct Kubernetes;

impl Form for Kubernetes {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let Some(base) = &options.base else {
            return kubernetes_patch::KubernetesPatch.emit(predictions, options);
        };
        let [prediction] = predictions else {
            return Err(EmitError::OneWorkload { form: "--base", count: predictions.len() });
        };
        let sizing = Sizing::of(prediction, options)?;
        let (documents, _) = merge::merged(base, prediction, &sizing, options)?;
        let mut text = format!("# shadow {}: whole objects:\n#   kubectl apply -f FILE\n", options.version);
        text += &documents.iter().map(write_document).collect::<Vec<_>>().join("---\n");
        let mut emitted = Emitted::one("shadow.yaml", text);
        emitted
            .hints
            .push("apply it with `kubectl apply -f FILE`; it replaces the manifest it was made from".to_owned());
        Ok(emitted)
    }
}
