//! `jsonl`: one object per line.

use crate::predict::Prediction;

use super::record::Record;
use super::{EmitError, EmitOptions, Emitted, Form};

/// The form.
pub(super) struct Jsonl;

impl Form for Jsonl {
    fn emit(&self, predictions: &[Prediction], _options: &EmitOptions) -> Result<Emitted, EmitError> {
        let mut text = String::new();
        for prediction in predictions {
            let line = serde_json::to_string(&Record::of(prediction));
            text += &line.map_err(|error| EmitError::Encode(error.to_string()))?;
            text.push('\n');
        }
        Ok(Emitted::one("shadow.jsonl", text))
    }
}
