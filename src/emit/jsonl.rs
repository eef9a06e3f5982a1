//! `jsonl`: one object per line.

use crate::predict::Prediction;

use super::record::Record;
use super::renting::rankings;
use super::{EmitError, EmitOptions, Emitted, Form};

/// The form.
pub(super) struct Jsonl;

impl Form for Jsonl {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let mut text = String::new();
        let rankings = rankings(predictions, options)?;
        for (prediction, ranking) in predictions.iter().zip(&rankings) {
            let line = serde_json::to_string(&Record::of(prediction, ranking.as_ref(), options.shown()));
            text += &line.map_err(|error| EmitError::Encode(error.to_string()))?;
            text.push('\n');
        }
        Ok(Emitted::one("shadow.jsonl", text))
    }
}
