//! Arguments of `shadow info`.

use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  shadow info
  shadow info -o json | jq .sources
  shadow info --quality
  shadow info --quality -o json | jq '.sources[] | select(.quality.gaps > 0) | .name'
  shadow info --check
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

    /// Read all samples and count what is odd about them, by source
    ///
    /// Gaps, windows merged from several rows, uses above and at their limit, clock oddities, workloads whose start was not seen, and rows rejected by
    /// reason with examples. All of these occur in real traces, and answers live with them; `docs/store.md` says what each count means. What a trace may not
    /// have too much of is said while it is read: `shadow ingest PATH --max-rejects 1%`.
    #[arg(long)]
    pub quality: bool,

    /// Read every file of the store and its indexes and compare it with what was written
    ///
    /// Commands compare what they read and nothing else; of an index that is little. A damaged file ends the command with
    /// exit code 3.
    #[arg(long, conflicts_with_all = ["output", "quality"])]
    pub check: bool,
}

/// Forms of what the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InfoForm {
    /// For people
    Table,
    /// For programs: everything, with counts, extremes and sums of every column read
    Json,
}
