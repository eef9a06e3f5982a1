//! Laws that hold for all inputs (property tests).
