//! `json-patch`: operations of RFC 6902 on a live workload. A test of the container's name goes before each change, so
//! that the patch does nothing at all to an object whose containers stand in another order.

use serde_json::json;

use crate::predict::Prediction;

use super::merge::Place;
use super::target::{Target, resources};
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, WorkloadKind, kubernetes_patch, merge};

/// The form.
pub(super) struct JsonPatch;

impl Form for JsonPatch {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let [prediction] = predictions else {
            return Err(EmitError::OneWorkload { form: "json-patch", count: predictions.len() });
        };
        let sizing = Sizing::of(prediction, options)?;
        let place = match &options.base {
            Some(base) => {
                let place = merge::merge(&mut base.documents.clone(), prediction, &sizing, options)?;
                if matches!(place.target.kind, WorkloadKind::Job | WorkloadKind::Pod) {
                    return Err(EmitError::NeedsBase(place.target.kind.name()));
                }
                place
            }
            None => first_container(prediction, &sizing, options)?,
        };
        let (target, list, index) = (&place.target, place.list, place.index);
        let path = format!("/{}/{list}/{index}", target.kind.pod_path().join("/"));
        let operations = json!([
            {"op": "test", "path": format!("{path}/name"), "value": target.container},
            {"op": "add", "path": format!("{path}/resources"), "value": place.resources},
        ]);
        let text = serde_json::to_string_pretty(&operations).map_err(|error| EmitError::Encode(error.to_string()))?;
        let mut emitted = Emitted::one("shadow-patch.json", text + "\n");
        emitted.hints.push(format!(
            "apply it with `kubectl patch {} {}{} --type json --patch-file FILE`",
            target.kind.name().to_ascii_lowercase(),
            target.name,
            target.namespace_flag()
        ));
        if options.base.is_none() {
            emitted.hints.push(
                "it is for the first container and replaces all of its resources: give the manifest with `--base` to keep others"
                    .to_owned(),
            );
        }
        Ok(emitted)
    }
}

/// Returns the place of a workload that is not at hand: its first container.
fn first_container(prediction: &Prediction, sizing: &Sizing, options: &EmitOptions) -> Result<Place, EmitError> {
    kubernetes_patch::patchable(std::slice::from_ref(prediction), options)?;
    let resources = serde_yaml::Value::Mapping(resources(sizing));
    Ok(Place { target: Target::of(prediction, options)?, list: "containers", index: 0, resources })
}
