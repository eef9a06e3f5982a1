//! `tree.kd`: the tree as a sealed file. A cache; the truth is `fingerprints.parquet`.

use std::path::{Path, PathBuf};

use crate::artifact::ArtifactError;
use crate::artifact::sealed::{self, Seal};

use super::Points;
use super::tree::Tree;

/// Kind of the seal.
const KIND: &str = "kd-tree";

/// Version of the layout that is written, and the only one that is read: an older file is built anew.
/// Version 1 held an archive of kiddo.
const VERSION: u32 = 2;

/// Why a tree file cannot be used. The answer is always to build it anew.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no file.
    #[error("`{path}` does not exist")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read, is damaged, is something else, or has another format version.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// It was built from other points.
    #[error("`{path}` was built from other fingerprints")]
    OtherPoints {
        /// The file.
        path: PathBuf,
    },
}

/// What the seal says besides kind and version.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct About {
    dimensions: usize,
    rows: usize,
    points: String,
}

impl About {
    fn of(points: &Points) -> Self {
        Self { dimensions: points.dimensions(), rows: points.rows(), points: points.digest().0 }
    }
}

/// Writes a tree; nothing for a flat scan.
pub(super) fn write(path: &Path, points: &Points, tree: Option<&Tree>) -> Result<(), ArtifactError> {
    let about = serde_json::to_string(&About::of(points))
        .map_err(|source| ArtifactError::Encode { path: path.to_owned(), source })?;
    let content = tree.map(Tree::encode).unwrap_or_default();
    sealed::write(path, &Seal { kind: KIND.to_owned(), version: VERSION, about }, &content)
}

/// Opens a tree built from `points`; nothing for a flat scan.
pub(super) fn open(path: &Path, points: &Points) -> Result<Option<Tree>, OpenError> {
    let damaged = |what: &str| ArtifactError::Damaged { path: path.to_owned(), what: what.to_owned() };
    let file = match fs_err::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        Err(error) => return Err(ArtifactError::Io(error).into()),
    };
    let (seal, length) = sealed::check(path, &file)?;
    if seal.kind != KIND {
        return Err(ArtifactError::Foreign { path: path.to_owned(), expected: "a tree of fingerprints" }.into());
    }
    if seal.version != VERSION {
        let path = path.to_owned();
        return Err(ArtifactError::Version { path, found: seal.version, oldest: VERSION, newest: VERSION }.into());
    }
    let about: About = serde_json::from_str(&seal.about).map_err(|error| damaged(&format!("footer: {error}")))?;
    if about != About::of(points) {
        return Err(OpenError::OtherPoints { path: path.to_owned() });
    }
    let content = file.get(..length).ok_or_else(|| damaged("the content is longer than the file"))?;
    if content.is_empty() {
        return Ok(None);
    }
    let tree = Tree::decode(points.rows(), points.dimensions(), content);
    Ok(Some(tree.ok_or_else(|| damaged("its parts do not fit together"))?))
}
