//! Laws that hold for all inputs (property tests).

mod merging;
mod moments;
mod no_leakage;
mod quantities;
mod search;
