//! `helm-values`: `resources` under a path that the user names, nothing else.

use serde_yaml::Value;

use crate::predict::Prediction;

use super::target::{container, one, resources};
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, evidence};

/// The form.
pub(super) struct HelmValues;

impl Form for HelmValues {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let [prediction] = predictions else {
            return Err(EmitError::OneWorkload { form: "helm-values", count: predictions.len() });
        };
        let sizing = Sizing::of(prediction, options)?;
        let mut values = one("resources", Value::Mapping(resources(&sizing)));
        for key in path(options.helm_path.as_deref())?.iter().rev() {
            values = one(key, Value::Mapping(values));
        }
        let text = format!(
            "# shadow {}: helm upgrade RELEASE CHART --reuse-values -f FILE\n{}{}",
            options.version,
            evidence::comment(prediction, options, "", &container(prediction, options)?),
            write_document(&Value::Mapping(values))
        );
        let mut emitted = Emitted::one("values-shadow.yaml", text);
        emitted.hints.push("apply it with `helm upgrade RELEASE CHART --reuse-values -f FILE`".to_owned());
        Ok(emitted)
    }
}

/// Returns the keys of a path with dots.
fn path(text: Option<&str>) -> Result<Vec<&str>, EmitError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let keys: Vec<&str> = text.split('.').collect();
    if keys.iter().all(|key| !key.is_empty() && !key.chars().any(char::is_control)) {
        return Ok(keys);
    }
    Err(EmitError::BadOption {
        option: "--helm-path",
        value: text.escape_debug().to_string(),
        expected: "keys with dots between them, as in `backend.app`",
    })
}
