//! The sizes of a review as patches: one file per object, and a Kustomize component that names them.

use serde_yaml::{Mapping, Value};

use super::super::target::one;
use super::super::yaml_text::write_document;
use super::super::{EmitError, EmitOptions, Emitted, EmittedFile, Sizing, WorkloadKind, kustomize, merge, names};
use super::review::{Review, SizedObject, options_for};
use crate::predict::Prediction;

impl Review {
    /// Returns one patch per object, for `kubectl patch --patch-file`, or with `is_component` for Kustomize; and the objects
    /// whose pods cannot be changed by one.
    ///
    /// # Errors
    /// As [`Sizing::of`].
    pub fn patches(
        &self,
        predictions: &[Prediction],
        options: &EmitOptions,
        is_component: bool,
    ) -> Result<(Emitted, Vec<String>), EmitError> {
        let mut emitted = Emitted { files: Vec::new(), hints: Vec::new() };
        let (mut without, mut listed) = (Vec::new(), Vec::new());
        for object in &self.objects {
            let kind = object.kind.name();
            if matches!(object.kind, WorkloadKind::Job | WorkloadKind::Pod) {
                without.push(format!("{kind}/{}", object.name));
                continue;
            }
            let name = file_name(object, &emitted.files);
            let patch = patch(object, predictions, options)?;
            let command = command(object, &name);
            let head = if is_component {
                String::new()
            } else {
                format!(
                    "# shadow {}: a patch, not a whole object; any number of times, on a live object:\n#   {command}\n",
                    options.version
                )
            };
            listed.push(kustomize::patch_at(&name, kind, &object.name, object.namespace.as_deref()));
            emitted.files.push(EmittedFile { name, text: head + &write_document(&patch) });
        }
        if is_component && !listed.is_empty() {
            emitted.files.push(kustomize::component(listed, options));
        }
        emitted.hints.push(if is_component {
            kustomize::HINT.to_owned()
        } else {
            "the first lines of each file name the command that applies it".to_owned()
        });
        Ok((emitted, without))
    }
}

/// Returns `NAMESPACE.KIND.NAME.yaml`, with a number where that is taken.
fn file_name(object: &SizedObject, files: &[EmittedFile]) -> String {
    let namespace = object.namespace.as_ref().map(|namespace| format!("{namespace}.")).unwrap_or_default();
    let stem = format!("{namespace}{}.{}", object.kind.name().to_ascii_lowercase(), object.name);
    let is_free = |name: &String| files.iter().all(|file| file.name != *name);
    let numbered = (2..).map(|number| format!("{stem}.{number}.yaml"));
    std::iter::once(format!("{stem}.yaml")).chain(numbered).find(is_free).unwrap_or(stem)
}

fn command(object: &SizedObject, file: &str) -> String {
    let namespace = object.namespace.as_ref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    let kind = object.kind.name().to_ascii_lowercase();
    format!("kubectl patch {kind} {}{namespace} --patch-file {file}", object.name)
}

/// Returns kind, names, notes and resources of all sized containers: what a merge writes into an object that holds nothing else.
fn patch(object: &SizedObject, predictions: &[Prediction], options: &EmitOptions) -> Result<Value, EmitError> {
    let named = |name: &String| Value::Mapping(one("name", Value::from(name.as_str())));
    let mut lists = Mapping::new();
    for (list, is_initial) in [("containers", false), ("initContainers", true)] {
        let names: Vec<Value> =
            object.containers.iter().filter(|one| one.is_initial == is_initial).map(|one| named(&one.name)).collect();
        if !names.is_empty() {
            lists.insert(Value::from(list), Value::Sequence(names));
        }
    }
    let mut body = lists;
    for step in object.kind.pod_path().iter().skip(1).rev() {
        body = one(step, Value::Mapping(body));
    }
    let mut metadata = one("name", Value::from(object.name.as_str()));
    if let Some(namespace) = &object.namespace {
        names::check_label("the namespace", namespace)?;
        metadata.insert(Value::from("namespace"), Value::from(namespace.as_str()));
    }
    let mut whole = one("apiVersion", Value::from(object.kind.api_version()));
    whole.insert(Value::from("kind"), Value::from(object.kind.name()));
    whole.insert(Value::from("metadata"), Value::Mapping(metadata));
    whole.insert(Value::from("spec"), Value::Mapping(body));
    for container in &object.containers {
        let prediction = &predictions[container.prediction];
        let options = options_for(options, prediction, &container.name, object.has_several);
        merge::merge_into(object.kind, &mut whole, prediction, &Sizing::of(prediction, &options)?, &options)?;
    }
    Ok(Value::Mapping(whole))
}
