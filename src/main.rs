//! The `shadow` program.

fn main() {}
