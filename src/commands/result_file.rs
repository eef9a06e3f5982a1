//! A file that a command writes its result to.

use std::path::Path;

use crate::artifact::{ArtifactError, AtomicFile};
use crate::error::CommandError;

/// Refuses a file that could not be written, before the work begins. `flag` names it on the command line, `example` is a command
/// that names one well.
pub(super) fn check(path: &Path, flag: &'static str, example: &str) -> Result<(), CommandError> {
    if path.is_dir() {
        return Err(CommandError::usage(format!("`{}` is a folder", path.display()))
            .hint(format!("name a file, as in `{example}`")));
    }
    // Dropped, the file under its temporary name is gone again.
    AtomicFile::create(path).map(drop).map_err(unwritable(flag))
}

/// Returns what an error of writing means to who gave `flag`.
pub(super) fn unwritable(flag: &'static str) -> impl Fn(ArtifactError) -> CommandError {
    move |error| CommandError::from(error).hint(format!("name a file in a folder that can be written, with `{flag}`"))
}
