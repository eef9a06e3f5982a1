//! What can go wrong with a store.

use std::path::PathBuf;

use crate::artifact::ArtifactError;
use crate::trace::{TraceError, UnitContract};

/// What ends work on a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no store in the folder.
    #[error("there is no store in `{path}`")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// An ingest was stopped; the next one completes it.
    #[error("the store in `{path}` is half written: an ingest was stopped")]
    Incomplete {
        /// The folder.
        path: PathBuf,
    },
    /// A file of the store.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A trace file.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The trace's units differ from those of the store.
    #[error("`{file}` has other units than the store\n  the file: {found}\n  the store: {stored}")]
    Units {
        /// The trace file.
        file: String,
        /// Units of the trace file.
        found: UnitContract,
        /// Units of the store.
        stored: UnitContract,
    },
    /// More rows were rejected than the user allows.
    #[error("`{file}`: {rejected} of {rows} rows were rejected, more than `--max-rejects` allows")]
    TooManyRejects {
        /// The trace file.
        file: String,
        /// Rejected rows.
        rejected: u64,
        /// Rows read.
        rows: u64,
    },
    /// No row of a file could be used.
    #[error("`{file}`: none of its {rows} rows can be used; most often: {reason}")]
    NothingUsable {
        /// The trace file.
        file: String,
        /// Rows read.
        rows: u64,
        /// The most frequent reason.
        reason: String,
    },
    /// A Parquet file of the store cannot be written or read.
    #[error("`{path}`: {source}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: parquet::errors::ParquetError,
    },
    /// A Parquet file of the store has other columns than its version says.
    #[error("`{path}` is damaged: {what}")]
    Layout {
        /// The file.
        path: PathBuf,
        /// Which column.
        what: String,
    },
}
