//! `limit-range`: what containers of a namespace get that say nothing themselves.
//!
//! There is no `max`: the server fills a missing `default` from it, which would put a CPU limit on every pod.

use serde_yaml::Value;

use crate::predict::Prediction;

use super::target::{Target, one, resources};
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, merge, names};

/// The form.
pub(super) struct LimitRange;

impl Form for LimitRange {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let [prediction] = predictions else {
            return Err(EmitError::OneWorkload { form: "limit-range", count: predictions.len() });
        };
        let sizing = Sizing::of(prediction, options)?;
        let target = Target::of(prediction, options)?;
        let name = match &options.name {
            Some(name) => name.clone(),
            None => names::made(&format!("{}-defaults", target.name), 63),
        };
        let mut sizes = resources(&sizing);
        let mut limits = one("type", Value::from("Container"));
        for (field, part) in [("default", "limits"), ("defaultRequest", "requests")] {
            if let Some(amounts) = sizes.shift_remove(part) {
                limits.insert(Value::from(field), amounts);
            }
        }
        let mut object = one("apiVersion", Value::from("v1"));
        object.insert(Value::from("kind"), Value::from("LimitRange"));
        object.insert(Value::from("metadata"), Value::Mapping(target.metadata(&name)));
        object
            .insert(Value::from("spec"), Value::Mapping(one("limits", Value::Sequence(vec![Value::Mapping(limits)]))));
        merge::annotate(&mut object, prediction, options, &target.container);
        let text = format!(
            "# shadow {}: defaults of a namespace, for containers that say nothing themselves: kubectl apply -f FILE\n{}",
            options.version,
            write_document(&Value::Mapping(object))
        );
        let mut emitted = Emitted::one("limit-range.yaml", text);
        emitted
            .hints
            .push("apply it with `kubectl apply -f FILE`; pods that run already keep what they have".to_owned());
        Ok(emitted)
    }
}
