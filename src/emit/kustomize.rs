//! `kustomize`: a component with one patch per workload. On a stream the patches stand inside the one file.

use serde_yaml::Value;

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
            patches.push(if options.several_files {
                let name = format!("{}-{}.yaml", target.name, kind.to_ascii_lowercase());
                files.push(EmittedFile { name: name.clone(), text });
                patch_at(&name, kind, &target.name, None)
            } else {
                patch("patch", &text, kind, &target.name, None)
            });
        }
        // Written last: it names the others.
        files.push(component(patches, options));
        Ok(Emitted { files, hints: vec![HINT.to_owned()] })
    }
}

/// What to do with a component.
pub(super) const HINT: &str =
    "name its folder under `components` of an overlay; see it with `kubectl kustomize OVERLAY`";

/// Returns the entry of a patch that stands in a file beside.
pub(super) fn patch_at(file: &str, kind: &str, name: &str, namespace: Option<&str>) -> Value {
    patch("path", file, kind, name, namespace)
}

fn patch(key: &str, value: &str, kind: &str, name: &str, namespace: Option<&str>) -> Value {
    let mut selector = one("kind", Value::from(kind));
    selector.insert(Value::from("name"), Value::from(name));
    if let Some(namespace) = namespace {
        selector.insert(Value::from("namespace"), Value::from(namespace));
    }
    let mut patch = one(key, Value::from(value));
    patch.insert(Value::from("target"), Value::Mapping(selector));
    Value::Mapping(patch)
}

/// Returns the component with these entries.
pub(super) fn component(patches: Vec<Value>, options: &EmitOptions) -> EmittedFile {
    let mut component = one("apiVersion", Value::from("kustomize.config.k8s.io/v1alpha1"));
    component.insert(Value::from("kind"), Value::from("Component"));
    component.insert(Value::from("patches"), Value::Sequence(patches));
    let text = format!(
        "# shadow {}: name this folder under `components` of an overlay, then: kubectl apply -k OVERLAY\n{}",
        options.version,
        write_document(&Value::Mapping(component))
    );
    EmittedFile { name: "kustomization.yaml".to_owned(), text }
}
