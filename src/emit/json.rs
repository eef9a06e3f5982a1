//! `json`: one object, or an array of objects for a batch.

use crate::predict::Prediction;

use super::record::Record;
use super::renting::rankings;
use super::{EmitError, EmitOptions, Emitted, Form};

/// The form.
pub(super) struct Json;

impl Form for Json {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let rankings = rankings(predictions, options)?;
        let shown = options.shown();
        let records: Vec<Record<'_>> =
            predictions.iter().zip(&rankings).map(|(one, ranking)| Record::of(one, ranking.as_ref(), shown)).collect();
        let text = match records.as_slice() {
            [record] => serde_json::to_string_pretty(record),
            records => serde_json::to_string_pretty(records),
        };
        let text = text.map_err(|error| EmitError::Encode(error.to_string()))?;
        Ok(Emitted::one("shadow.json", text + "\n"))
    }
}
