//! `kubernetes-patch`: name, annotations, container and resources, nothing else; for `kubectl patch`.

use crate::predict::Prediction;

use super::manifest::WorkloadKind;
use super::target::{Target, check_one_name};
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing};

/// The form.
pub(super) struct KubernetesPatch;

impl Form for KubernetesPatch {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let (mut documents, mut hints) = (Vec::new(), Vec::new());
        for (prediction, target) in patchable(predictions, options)? {
            let sizing = Sizing::of(prediction, options)?;
            let command = format!(
                "kubectl patch {} {}{} --patch-file FILE",
                target.kind.name().to_ascii_lowercase(),
                target.name,
                target.namespace_flag()
            );
            documents.push(format!(
                "# shadow {version}: a patch, not a whole object; any number of times, on a live object:\n#   {command}\n\
                 # or, where the object is not managed with plain `kubectl apply`:\n\
                 #   kubectl apply --server-side --field-manager=shadow -f FILE\n{document}",
                version = options.version,
                document = write_document(&target.patch(prediction, &sizing, options)?),
            ));
            hints.push(format!("apply it with `{command}`"));
        }
        if predictions.len() > 1 {
            hints = vec![
                "`kubectl patch` takes one document at a time; the whole stream goes through `kubectl apply --server-side --field-manager=shadow -f FILE`, except for objects made with plain `kubectl apply`".to_owned(),
            ];
        }
        let mut emitted = Emitted::one("shadow-patch.yaml", documents.join("---\n"));
        emitted.hints = hints;
        Ok(emitted)
    }
}

/// Returns each prediction with its target, if all can be patched.
///
/// # Errors
/// A name for several, a kind whose pod template cannot be changed, or a bad name.
pub(super) fn patchable<'a>(
    predictions: &'a [Prediction],
    options: &EmitOptions,
) -> Result<Vec<(&'a Prediction, Target)>, EmitError> {
    check_one_name(predictions, options)?;
    let kind = options.kind.unwrap_or(WorkloadKind::Deployment);
    if matches!(kind, WorkloadKind::Job | WorkloadKind::Pod) {
        return Err(EmitError::NeedsBase(kind.name()));
    }
    predictions.iter().map(|prediction| Ok((prediction, Target::of(prediction, options)?))).collect()
}
