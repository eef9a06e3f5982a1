//! All integration tests, in one binary: each further one would link polars again.
//!
//! `cfg(test)` always holds here; it tells clippy that helpers of tests may unwrap and print.

#![expect(clippy::disallowed_methods, reason = "tests damage files on purpose; a panic names the line, not the file")]
#![expect(clippy::needless_raw_string_hashes, reason = "snapshots are rewritten by a tool that always sets them")]

#[cfg(test)]
mod cli;
#[cfg(test)]
mod common;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod stages;
