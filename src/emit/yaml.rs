//! `yaml`: the object of `json`, one document per workload.

use crate::predict::Prediction;

use super::record::Record;
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form};

/// The form.
pub(super) struct Yaml;

impl Form for Yaml {
    fn emit(&self, predictions: &[Prediction], _options: &EmitOptions) -> Result<Emitted, EmitError> {
        let mut documents = Vec::new();
        for prediction in predictions {
            documents.push(write_document(&Record::of(prediction).to_yaml_value()?));
        }
        Ok(Emitted::one("shadow.yaml", documents.join("---\n")))
    }
}
