//! Arguments of `shadow info`.

use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  shadow info
  shadow info -o json | jq .sources
  shadow --store /data/cluster-a info";

/// Shows what the store holds
///
/// Sources with their formats, units, workloads, the span of time, resources, the quality of the data (rows rejected by
/// reason), and the indexes with their learning windows.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Info {
    /// Form of the answer
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: InfoForm,
}

/// Forms of what the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InfoForm {
    /// For people
    Table,
    /// For programs: everything, with counts, extremes and sums of every column read
    Json,
}
