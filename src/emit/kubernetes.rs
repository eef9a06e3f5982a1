//! `kubernetes`: the user's manifest with the sizes in it, good for plain `kubectl apply`; without one, the patch.

use crate::predict::Prediction;

use super::manifest::WITHOUT_COMMENTS;
use super::target::Target;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, kubernetes_patch, merge};

/// The form.
pub(super) struct Kubernetes;

impl Form for Kubernetes {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let Some(base) = &options.base else {
            return kubernetes_patch::KubernetesPatch.emit(predictions, options);
        };
        let mut documents = base.documents.clone();
        let mut sized: Vec<Target> = Vec::new();
        for prediction in predictions {
            let sizing = Sizing::of(prediction, options)?;
            let place = merge::merge(&mut documents, prediction, &sizing, options)?;
            if sized.contains(&place.target) {
                return Err(EmitError::BadOption {
                    option: "--container",
                    value: place.target.container,
                    expected: "a container of its own for each workload, as in `--container WORKLOAD=CONTAINER`",
                });
            }
            sized.push(place.target);
        }
        let head = format!("# shadow {}: whole objects:\n#   kubectl apply -f FILE\n", options.version);
        let rewritten = base.rewritten(&documents);
        let mut emitted = Emitted::one("shadow.yaml", head + &rewritten.text);
        emitted
            .hints
            .push("apply it with `kubectl apply -f FILE`; it replaces the manifest it was made from".to_owned());
        if rewritten.is_without_comments {
            emitted.hints.push(WITHOUT_COMMENTS.to_owned());
        }
        Ok(emitted)
    }
}
