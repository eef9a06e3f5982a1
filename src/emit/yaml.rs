//! `yaml`: the object of `json`, one document per workload.

use crate::predict::Prediction;

use super::record::Record;
use super::renting::rankings;
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form};

/// The form.
pub(super) struct Yaml;

impl Form for Yaml {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let mut documents = Vec::new();
        let rankings = rankings(predictions, options)?;
        for (prediction, ranking) in predictions.iter().zip(&rankings) {
            documents.push(write_document(&Record::of(prediction, ranking.as_ref(), options.shown()).to_yaml_value()?));
        }
        Ok(Emitted::one("shadow.yaml", documents.join("---\n")))
    }
}
