//! Predictions to what other tools take: one file per form.
