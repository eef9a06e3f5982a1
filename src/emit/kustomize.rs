//! `kustomize`: a component with one patch per workload. On a stream the patches stand inside the one file.

use serde_yaml::{Mapping, Value};

use crate::predict::Prediction;

use super::kubernetes_patch::patchable;
use super::target::one;
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, EmittedFile, Form, Sizing};

/// The form.
pub(super) struct Kustomize;

impl Form for Kustomize {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let (mut files, mut patches) = (Vec::new(), Vec::new());
        for (prediction, target) in patchable(predictions, options)? {
            let sizing = Sizing::of(prediction, options)?;
            let text = write_document(&target.patch(prediction, &sizing, options)?);
            let kind = target.kind.name();
            let mut selector = one("kind", Value::from(kind));
            selector.insert(Value::from("name"), Value::from(target.name.as_str()));
            let mut patch = Mapping::new();
            if options.several_files {
                let name = format!("{}-{}.yaml", target.name, kind.to_ascii_lowercase());
                patch.insert(Value::from("path"), Value::from(name.as_str()));
                files.push(EmittedFile { name, text });
            } else {
                patch.insert(Value::from("patch"), Value::from(text));
            }
            patch.insert(Value::from("target"), Value::Mapping(selector));
            patches.push(Value::Mapping(patch));
        }
        let mut component = one("apiVersion", Value::from("kustomize.config.k8s.io/v1alpha1"));
        component.insert(Value::from("kind"), Value::from("Component"));
        component.insert(Value::from("patches"), Value::Sequence(patches));
        let text = format!(
            "# shadow {}: name this folder under `components` of an overlay, then: kubectl apply -k OVERLAY\n{}",
            options.version,
            write_document(&Value::Mapping(component))
        );
        // Written last: it names the others.
        files.push(EmittedFile { name: "kustomization.yaml".to_owned(), text });
        let hints = vec![
            "name its folder under `components` of an overlay; see it with `kubectl kustomize OVERLAY`".to_owned(),
        ];
        Ok(Emitted { files, hints })
    }
}
