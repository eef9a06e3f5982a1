//! The binary as its user meets it: wiring, streams, exit codes, and every text it prints.

mod completions;
mod generated;
mod global;
mod hints;
mod ingest;
mod man;
mod readme;
mod replay;
mod synth;
