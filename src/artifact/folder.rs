//! A folder of results that appears as a whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{ArtifactError, write_atomic};

/// Lists what shadow wrote, so that a later run takes away nothing else.
const LIST: &str = ".shadow-files";

/// Puts a folder with these files (paths with `/` between their parts, and contents) at `target`.
///
/// The files are written beside it and the folder is renamed. One that an earlier run wrote is replaced, if it holds nothing
/// else: a kill leaves the old folder or the new one, or between two renames the old one as `.old-NAME`.
///
/// # Errors
/// `target` holds a file that no earlier run wrote, or the folder around it cannot be written; nothing has changed then.
pub fn write_folder(target: &Path, files: &[(&str, &str)]) -> Result<(), ArtifactError> {
    let other = |reason: &str| {
        let text = format!("cannot write the folder `{}`: {reason}", target.display());
        ArtifactError::from(std::io::Error::new(std::io::ErrorKind::AlreadyExists, text))
    };
    let name = target.file_name().ok_or_else(|| other("it has no name"))?;
    let around = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if target.exists() {
        let foreign = if target.is_dir() { foreign_file(target)? } else { Some(PathBuf::from(name)) };
        if let Some(foreign) = foreign {
            return Err(other(&format!("no earlier run wrote `{}` in it", foreign.display())));
        }
    }
    fs_err::create_dir_all(around)?;
    let new = tempfile::Builder::new().prefix(".writing-").suffix(".tmp").tempdir_in(around)?;
    let mut list = String::new();
    for (path, text) in files {
        write_atomic(&new.path().join(path), text.as_bytes())?;
        list.extend([path, "\n"]);
    }
    write_atomic(&new.path().join(LIST), list.as_bytes())?;
    #[cfg(unix)]
    {
        // A temporary folder is for its owner alone; a result is for whom the umask allows, as its files are.
        let mode = fs_err::metadata(new.path().join(LIST))?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
        let with_search = mode | (mode & 0o444) >> 2;
        fs_err::set_permissions(new.path(), std::os::unix::fs::PermissionsExt::from_mode(with_search))?;
    }
    let mut old_name = std::ffi::OsString::from(".old-");
    old_name.push(name);
    let old = around.join(old_name);
    if old.exists() && target.exists() {
        fs_err::remove_dir_all(&old)?;
    }
    if target.exists() {
        fs_err::rename(target, &old)?;
    }
    fs_err::rename(new.keep(), target)?;
    fs_err::File::open(around)?.sync_all()?;
    if old.exists() {
        fs_err::remove_dir_all(&old)?;
    }
    Ok(())
}

/// Returns a file in `folder` that is not on its list.
fn foreign_file(folder: &Path) -> Result<Option<PathBuf>, ArtifactError> {
    let list = match fs_err::read_to_string(folder.join(LIST)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let known: BTreeSet<PathBuf> = list.lines().chain([LIST]).map(|line| folder.join(line)).collect();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs_err::read_dir(&next)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if !known.contains(&entry.path()) {
                return Ok(Some(
                    entry.path().strip_prefix(folder).map_or_else(|_outside| entry.path(), Path::to_owned),
                ));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_replaced_whole_and_never_with_files_of_others_in_it() {
        let around = tempfile::tempdir().unwrap();
        let target = around.path().join("out");
        let names = |folder: &Path| -> Vec<String> {
            let mut names: Vec<String> = fs_err::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        };
        write_folder(&target, &[("a.yaml", "1"), ("deep/b.yaml", "2")]).unwrap();
        assert_eq!(names(&target), [".shadow-files", "a.yaml", "deep"]);
        write_folder(&target, &[("c.yaml", "3")]).unwrap();
        assert_eq!(
            (names(&target), names(around.path())),
            (vec![".shadow-files".into(), "c.yaml".into()], vec!["out".into()])
        );
        fs_err::write(target.join("mine.yaml"), "mine").unwrap();
        let refused = write_folder(&target, &[("d.yaml", "4")]).unwrap_err().to_string();
        assert!(refused.contains("no earlier run wrote `mine.yaml`"), "{refused}");
        assert_eq!(names(&target), [".shadow-files", "c.yaml", "mine.yaml"]);
        assert_eq!(names(around.path()), ["out"]);
        let file = around.path().join("file");
        fs_err::write(&file, "mine").unwrap();
        assert!(write_folder(&file, &[("a", "1")]).is_err());
    }
}
