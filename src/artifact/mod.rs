//! Files that can be trusted: versioned, checksummed, replaced atomically, and a lock for those who write.
//!
//! Three kinds of file exist in a store. **Manifests** ([`manifest`]) are JSON documents that say which other files
//! count; they are written last. **Files of blocks** ([`blocks`]) carry their kind, version and checksums in a footer.
//! **Foreign formats** (Parquet, gzip) cannot carry our footer and stay readable by other tools; a manifest records
//! their size and checksum as a [`FileRecord`]. Every file is written to a temporary name in its own folder, synced
//! and renamed, so a kill leaves the old file or the new one.

mod atomic;
pub mod blocks;
mod folder;
mod lock;
pub mod manifest;
mod record;

pub use atomic::{AtomicFile, write_atomic};
pub use folder::write_folder;
pub use lock::Lock;
pub use record::{Digest, FileRecord, digest_file};

use std::path::PathBuf;

/// What is wrong with a file of ours, or what happened on the way to it.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The operating system refused; the text names the file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file's content is not what was written: a checksum, length or structure does not fit.
    #[error("`{path}` is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit, with found and expected values.
        what: String,
    },
    /// The file was written by a version of shadow that this one does not know.
    #[error("`{path}` has format version {found}, this shadow reads {oldest} to {newest}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The oldest version that can be read.
        oldest: u32,
        /// The newest version that can be read.
        newest: u32,
    },
    /// The file is something else than what its place says.
    #[error("`{path}` is not {expected}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was expected, with its article ("a shadow store manifest").
        expected: &'static str,
    },
    /// Another process holds the lock.
    #[error("`{path}` is locked by another shadow process")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A manifest could not be written as JSON: a defect of ours.
    #[error("cannot write `{path}` as JSON: {source}")]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the encoder said.
        source: serde_json::Error,
    },
}
