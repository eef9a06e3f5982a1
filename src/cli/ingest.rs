//! Arguments of `shadow ingest`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::trace::table::Mapping;
use crate::units::{Bytes, Cores};

use super::complete;
use super::values::{FormatChoice, MaxRejects, cores, size};

const EXAMPLES: &str = "\
Examples:
  A folder of public trace files, recognised by themselves:
    shadow ingest clusterdata-2011-2/

  Your own series, with other names and units, and what is known of each workload:
    shadow ingest usage.csv.gz --workloads workloads.csv \\
      --map workload=pod --map time_s=t --map cpu_cores=cpu_pct/100 --map memory_bytes=mem_mib*1048576

  A normalised trace, with the size of its largest machine, so that predictions are in cores and bytes:
    shadow ingest google-2019/ --machine-cores 96 --machine-memory 768GiB

  From another program:
    zcat usage.csv.gz | shadow ingest --format table -";

/// Reads trace files into the store
///
/// Reads files, folders and globs of `.csv .json .jsonl`, each also with `.gz` or `.zst`, `.parquet`, and archives `.tar`
/// `.tar.gz .tar.zst` at any depth. The format is recognised from names, headers and content; what a file was taken for is said. Prints
/// rows read, kept and rejected with reasons, workloads, the span of time and the speed.
///
/// Appends to a store. A file that is in the store already (by the digest of its content) is skipped, so the command
/// can be repeated. Rejected rows are kept with file, row and reason in the store's folder `rejects`. A kill at any
/// moment leaves the old store or the new one.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Ingest {
    /// Files, folders or globs; `-` is standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath, add = complete::inputs())]
    pub paths: Vec<PathBuf>,

    /// Format of the files
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub format: FormatChoice,

    /// Table of what is known of each workload, to go with series in the `table` format
    ///
    /// Columns: `workload` and any of `application, user, priority, class, start_s, end_s, requested_cpu_cores,
    /// requested_memory_bytes, limit_cpu_cores, limit_memory_bytes`; any further column becomes a label.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, add = complete::inputs())]
    pub workloads: Vec<PathBuf>,

    /// Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated
    ///
    /// TARGET is a column of the `table` format, COLUMN is the name in your file, optionally followed by `*NUMBER` and
    /// `/NUMBER` to convert its unit.
    #[arg(long, value_name = "TARGET=COLUMN")]
    pub map: Vec<Mapping>,

    /// Cores of the largest machine, where a trace gives CPU as a share of it
    #[arg(long, value_name = "N", value_parser = cores)]
    pub machine_cores: Option<Cores>,

    /// Memory of the largest machine, where a trace gives memory as a share of it, as in 256GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub machine_memory: Option<Bytes>,

    /// Most memory to use, whatever the size of the input; beyond it, sorted runs wait on disk
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = size)]
    pub memory: Bytes,

    /// Seconds between two moments at which what was read is made durable; for tests
    #[arg(long, value_name = "SECONDS", hide = true)]
    pub commit_every: Option<u64>,

    /// Refuse a file when more of its rows than this are rejected: a number, or a percentage of the rows read
    #[arg(long, value_name = "N|P%")]
    pub max_rejects: Option<MaxRejects>,
}
