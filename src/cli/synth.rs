//! Arguments of `shadow synth`.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::complete;

const EXAMPLES: &str = "\
Examples:
  shadow synth table --workloads 200 --days 1 --seed 7 -o /tmp/series
  shadow synth google-2019 --workloads 50 --days 2 --seed 1 -o traces/google-2019";

/// Writes a synthetic trace in one of the real formats
///
/// Workloads follow planted archetypes; the file `truth.csv` beside the trace says which workload is which. The same
/// format, numbers and seed give the same bytes on every machine.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Synth {
    /// Format of the trace
    #[arg(value_name = "FORMAT")]
    pub format: SynthFormat,

    /// Number of workloads
    #[arg(long, value_name = "N")]
    pub workloads: NonZeroU64,

    /// Length of the trace in days
    #[arg(long, value_name = "D")]
    pub days: NonZeroU32,

    /// Seed
    #[arg(long, value_name = "S", default_value = "1")]
    pub seed: u64,

    /// Folder to write into
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath, add = complete::folders())]
    pub output: PathBuf,
}

/// Formats that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SynthFormat {
    /// As Google published it in 2011
    #[value(name = "google-2011")]
    Google2011,
    /// As Google published it in 2019
    #[value(name = "google-2019")]
    Google2019,
    /// As Alibaba published it in 2018
    #[value(name = "alibaba-2018")]
    Alibaba2018,
    /// A long series with a table of workloads
    Table,
}
