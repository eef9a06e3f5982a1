//! `json`: one object, or an array of objects for a batch.

use crate::predict::Prediction;

use super::record::Record;
use super::{EmitError, EmitOptions, Emitted, Form};

/// The form.
pub(super) struct Json;

impl Form for Json {
    fn emit(&self, predictions: &[Prediction], _options: &EmitOptions) -> Result<Emitted, EmitError> {
        let records: Vec<Record<'_>> = predictions.iter().map(Record::of).collect();
        let text = match records.as_slice() {
            [record] => serde_json::to_string_pretty(record),
            records => serde_json::to_string_pretty(records),
        };
        let text = text.map_err(|error| EmitError::Encode(error.to_string()))?;
        Ok(Emitted::one("shadow.json", text + "\n"))
    }
}
