//! One writer at a time.

use std::path::{Path, PathBuf};

use super::ArtifactError;

/// The right to write a store, held until dropped; the operating system lets go of it when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: std::fs::File,
}

impl Lock {
    /// Takes the lock of `folder` (its file `.lock`), without waiting.
    ///
    /// # Errors
    /// [`ArtifactError::Locked`] when another process holds it.
    pub fn take(folder: &Path) -> Result<Self, ArtifactError> {
        fs_err::create_dir_all(folder)?;
        let path: PathBuf = folder.join(".lock");
        let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(&path)?.into_parts().0;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) => Err(ArtifactError::Locked { path }),
            Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
        }
    }
}
