//! The canonical Parquet tables of a store: partition, join, compact, scan by bucket.
//!
//! Input: rows from [`crate::trace`]. Output: `workloads.parquet` (one row per run of a workload) and samples,
//! hash-partitioned by workload and sorted by (workload, run, time), as `docs/store.md` describes. The manifest
//! `store.json` is written last and says which files count; whatever else lies in the folder is a leftover of a
//! stopped run and is removed by the next writer.

mod at_once;
mod compact;
mod error;
mod in_force;
mod ingest;
mod joining;
mod manifest;
mod merge;
mod open;
mod packed;
pub(crate) mod parquet_file;
mod quality;
mod reading;
mod record;
pub(crate) mod rows;
mod run_file;
mod runs;
mod spool;
mod workload_merge;
mod workload_table;

pub use at_once::{ReadAtOnce, read_at_once};
pub use error::StoreError;
pub use ingest::{IngestParams, IngestReport, IngestedFile, RejectLimit, ingest};
pub use manifest::{Manifest, STORE_MANIFEST, Source, Totals, Waiting};
pub use open::{Store, TakeRun, TakeSeries};
pub use quality::{Bounded, ClockOddities, Quality};
pub use record::{Ending, MachineSize, Workload};
