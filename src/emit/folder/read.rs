//! The manifests below a folder.

use std::path::{Path, PathBuf};

use crate::emit::{EmitError, Manifest};

/// Endings of files that kubectl reads from a folder.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// One file with objects in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestFile {
    /// Its path below the folder, with `/` between its parts.
    pub path: String,
    /// What it holds.
    pub text: String,
    pub(super) manifest: Manifest,
}

/// A file that is left alone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Skipped {
    /// Its path below the folder.
    #[serde(rename = "file")]
    pub path: String,
    /// Why.
    pub reason: String,
}

/// The manifests of a folder, by path.
#[derive(Debug, Clone, PartialEq)]
pub struct Folder {
    /// Those that can be read.
    pub files: Vec<ManifestFile>,
    /// Those that cannot, as templates that are no YAML before they are filled in.
    pub skipped: Vec<Skipped>,
}

impl Folder {
    /// Reads the files that end in `.yaml`, `.yml` or `.json` below `root`, or `root` alone where it is a file. Hidden files
    /// and folders are left out, and symbolic links are not followed.
    ///
    /// # Errors
    /// [`EmitError::BadBase`] where a folder or a file cannot be opened, and where there is no such file at all.
    pub fn read(root: &Path) -> Result<Self, EmitError> {
        let unreadable = |error: std::io::Error| EmitError::BadBase(error.to_string());
        let mut found = Vec::new();
        if root.is_dir() {
            collect(root, &mut PathBuf::new(), &mut found).map_err(unreadable)?;
        } else if let Some(name) = root.file_name() {
            found.push((root.to_owned(), name.to_string_lossy().into_owned()));
        }
        found.sort_by(|left, right| left.1.cmp(&right.1));
        let mut folder = Self { files: Vec::new(), skipped: Vec::new() };
        for (place, path) in found {
            let bytes = fs_err::read(&place).map_err(unreadable)?;
            let read = String::from_utf8(bytes).map_err(|error| error.to_string()).and_then(|text| {
                Manifest::parse(&text).map(|manifest| (text, manifest)).map_err(|error| match error {
                    EmitError::BadBase(reason) => reason,
                    other => other.to_string(),
                })
            });
            match read {
                Ok((text, manifest)) => folder.files.push(ManifestFile { path, text, manifest }),
                Err(reason) => folder.skipped.push(Skipped { path, reason }),
            }
        }
        if folder.files.is_empty() {
            let unread = folder.skipped.first().map(|one| format!(" (`{}`: {})", one.path, one.reason));
            let unread = unread.unwrap_or_default();
            return Err(EmitError::BadBase(format!("no manifest below `{}`{unread}", root.display())));
        }
        Ok(folder)
    }
}

fn collect(folder: &Path, below: &mut PathBuf, found: &mut Vec<(PathBuf, String)>) -> std::io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = entry.file_type()?;
        below.push(&name);
        if kind.is_dir() {
            collect(&entry.path(), below, found)?;
        } else if kind.is_file()
            && below.extension().is_some_and(|ending| ENDINGS.iter().any(|one| ending.eq_ignore_ascii_case(one)))
        {
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            found.push((entry.path(), parts.join("/")));
        }
        below.pop();
    }
    Ok(())
}
