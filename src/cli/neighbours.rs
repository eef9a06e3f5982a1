//! Arguments of `shadow neighbours`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::predict::ResourceWeights;
use crate::trace::table::Mapping;
use crate::units::Micros;

use super::complete;
use super::values::{FormatChoice, MetricChoice, moment, weights};

const EXAMPLES: &str = "\
Examples:
  Which stored workloads look like this sample, and in which resource:
    shadow neighbours first-minute.csv

  The five nearest to a workload of the store:
    shadow neighbours 3418309/0 -k 5

  Among the workloads of one class:
    shadow neighbours first-minute.csv --class batch

  Among those that began on the second day of the trace:
    shadow neighbours first-minute.csv --since 24h --until 48h

  Memory only, as JSON:
    shadow neighbours first-minute.csv --weights cpu=0,network=0,disk=0,facts=0 -o json";

/// Shows the stored workloads that resemble a sample most
///
/// The evidence alone, without a prediction: who is similar, how far away, and how much each resource adds to the
/// distance.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Neighbours {
    /// A sample (a file, or `-` for standard input), or the identifier of a stored workload
    #[arg(value_name = "SAMPLE|WORKLOAD", add = complete::inputs())]
    pub subject: String,

    /// Number of neighbours
    #[arg(short, long = "neighbours", value_name = "N", default_value = "15")]
    pub k: NonZeroUsize,

    /// How distance is measured
    #[arg(long, value_name = "METRIC", default_value = "euclidean")]
    pub metric: MetricChoice,

    /// Weights of resources: cpu, memory, network, disk and facts; 1 each by default
    #[arg(long, value_name = "LIST", value_parser = weights)]
    pub weights: Option<ResourceWeights>,

    /// Only workloads of this application; can be repeated
    #[arg(long, value_name = "NAME")]
    pub application: Vec<String>,

    /// Only workloads of this owner; can be repeated
    #[arg(long, value_name = "NAME")]
    pub user: Vec<String>,

    /// Only workloads of this scheduling class; can be repeated
    #[arg(long, value_name = "NAME")]
    pub class: Vec<String>,

    /// Only workloads from traces of this format; can be repeated
    #[arg(long, value_name = "NAME")]
    pub source: Vec<FormatChoice>,

    /// Only workloads that began at this time or later: a date, or a time of the trace, as in `36h`
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    pub since: Option<Micros>,

    /// Only workloads that began before this time
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    pub until: Option<Micros>,

    /// Learning window of the index to ask [default: the longest one that the sample fills]
    #[arg(long, value_name = "W")]
    pub window: Option<Micros>,

    /// Form of the answer [default: table on a terminal, else json]
    #[arg(long, short, value_name = "FORMAT")]
    pub output: Option<NeighboursForm>,

    /// Format of the sample
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub format: FormatChoice,

    /// Table of what was known of the sample's workloads at submission
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, add = complete::inputs())]
    pub workloads: Vec<PathBuf>,

    /// Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated
    #[arg(long, value_name = "TARGET=COLUMN")]
    pub map: Vec<Mapping>,
}

/// Forms of a list of neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NeighboursForm {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// One row per neighbour
    Csv,
}
