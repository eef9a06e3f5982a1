//! All integration tests, in one binary: each further one would link polars again.

mod cli;
mod common;
mod laws;
mod stages;
