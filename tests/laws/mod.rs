//! Laws that hold for all inputs (property tests).

mod no_leakage;
