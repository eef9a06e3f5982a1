//! The binary as its user meets it: wiring, streams, exit codes, and every text it prints.

mod batch;
mod completions;
mod fingerprint;
mod fingerprint_add;
mod generated;
mod global;
mod hints;
mod ingest;
mod ingest_trouble;
mod instances;
mod man;
mod manifests;
mod map;
mod neighbours;
mod platforms;
mod predict;
mod predict_bad_input;
mod quality;
mod readme;
mod replay;
mod synth;
