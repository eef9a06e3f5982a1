//! Laws that hold for all inputs (property tests).

mod merging;
mod no_leakage;
mod quantities;
