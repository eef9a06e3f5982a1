//! Replacing a file so that a kill leaves the old one or the new one.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::ArtifactError;

/// A file under a temporary name, in the folder where it will appear.
#[derive(Debug)]
pub struct AtomicFile {
    temporary: tempfile::NamedTempFile,
    target: PathBuf,
}

impl AtomicFile {
    /// Opens a temporary file beside `target`, making the folder where it is missing.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn create(target: &Path) -> Result<Self, ArtifactError> {
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        fs_err::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".writing-").suffix(".tmp");
        // A result is meant to be passed on: like any new file it is for whom the umask allows, not for its owner alone.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder).map_err(|error| {
            std::io::Error::new(error.kind(), format!("cannot write in `{}`: {error}", folder.display()))
        })?;
        Ok(Self { temporary, target: target.to_owned() })
    }

    /// Returns the path under which the file is written now.
    pub fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// Returns a handle to write through.
    pub fn as_file_mut(&mut self) -> &mut std::fs::File {
        self.temporary.as_file_mut()
    }

    /// Syncs the data, renames the file to its target and syncs the folder.
    ///
    /// # Errors
    /// Any of the three steps failed; the target is then what it was before.
    pub fn commit(self) -> Result<(), ArtifactError> {
        self.temporary.as_file().sync_all()?;
        let target = self.target;
        self.temporary.persist(&target).map_err(|error| {
            std::io::Error::new(error.error.kind(), format!("cannot replace `{}`: {}", target.display(), error.error))
        })?;
        if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs_err::File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.temporary.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.temporary.flush()
    }
}

/// Replaces the file at `target` by `content`.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`]; the old file is kept.
pub fn write_atomic(target: &Path, content: &[u8]) -> Result<(), ArtifactError> {
    let mut file = AtomicFile::create(target)?;
    file.write_all(content)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_for_whom_any_new_file_is() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| fs_err::metadata(folder.path().join(name)).unwrap().permissions().mode();
        fs_err::write(folder.path().join("plain"), b"x").unwrap();
        write_atomic(&folder.path().join("atomic"), b"x").unwrap();
        assert_eq!(mode("atomic"), mode("plain"));
    }
}
