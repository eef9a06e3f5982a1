//! One stage at a time, from artifact to artifact; damaged and foreign files; the architecture.

mod architecture;
mod bitbrains;
mod corpora;
mod emitted;
mod expected_alibaba;
mod expected_formats;
mod expected_google;
mod forms;
mod index_files;
mod index_format;
mod replay_containers;
mod replay_samples;
mod store;
mod submission;
mod synth;
mod whole_traces;
