//! Arguments of `shadow demo`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::complete;

const EXAMPLES: &str = "\
Examples:
  shadow demo
  shadow demo --keep /tmp/demo-store";

/// Shows ingest, fingerprint, predict and replay on bundled sample traces
///
/// The first thing to run: takes less than a minute, says each command before it runs it, and ends with what to try
/// next. Works in a temporary folder unless `--keep` names one.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Demo {
    /// New or empty folder that keeps the demo's files and store
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, add = complete::folders())]
    pub keep: Option<PathBuf>,

    /// Folder of the sample traces [default: the bundled ones]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, add = complete::folders())]
    pub traces: Option<PathBuf>,
}
