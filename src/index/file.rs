//! `tree.kd`: the tree as a sealed file. A cache; the truth is `fingerprints.parquet`.

use std::path::{Path, PathBuf};

use crate::artifact::ArtifactError;
use crate::artifact::sealed::{self, Seal};

use super::kd::{self, Groups, KIDDO_VERSION, Tree};
use super::{Points, mmap};

/// Kind of the seal.
const KIND: &str = "kd-tree";

/// Version of the layout that is written, and the only one that is read: an older file is built anew.
const VERSION: u32 = 1;

/// Numbers at the end of the content: length of the archive, groups, rows.
const TRAILER: usize = 24;

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
    /// It was written with another version of the tree library, whose layout may differ.
    #[error("`{path}` was written with kiddo {found}, this shadow has {}", KIDDO_VERSION)]
    Library {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: String,
    },
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
    kiddo: String,
    dimensions: usize,
    rows: usize,
    points: String,
}

impl About {
    fn of(points: &Points) -> Self {
        Self {
            kiddo: KIDDO_VERSION.to_owned(),
            dimensions: points.dimensions(),
            rows: points.rows(),
            points: points.digest().0,
        }
    }
}

/// Writes the archive and the groups (both empty for a flat scan).
pub(super) fn write(path: &Path, points: &Points, archive: &[u8], groups: &Groups) -> Result<(), ArtifactError> {
    let about = serde_json::to_string(&About::of(points))
        .map_err(|source| ArtifactError::Encode { path: path.to_owned(), source })?;
    let mut content = Vec::with_capacity(archive.len() + 4 * (groups.starts.len() + groups.rows.len()) + TRAILER);
    content.extend_from_slice(archive);
    content.extend(groups.starts.iter().chain(&groups.rows).flat_map(|number| number.to_le_bytes()));
    for number in [archive.len(), groups.starts.len(), groups.rows.len()] {
        content.extend_from_slice(&(number as u64).to_le_bytes());
    }
    sealed::write(path, &Seal { kind: KIND.to_owned(), version: VERSION, about }, &content)
}

/// A tree with the rows behind its points; nothing for a flat scan.
type Opened = Option<(Box<dyn Tree>, Groups)>;

/// Opens a tree built from `points`.
pub(super) fn open(path: &Path, points: &Points) -> Result<Opened, OpenError> {
    let damaged = |what: &str| ArtifactError::Damaged { path: path.to_owned(), what: what.to_owned() };
    let map = match mmap::map(path) {
        Ok(map) => map,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        Err(error) => return Err(ArtifactError::Io(error).into()),
    };
    let (seal, length) = sealed::check(path, &map)?;
    if seal.kind != KIND {
        return Err(ArtifactError::Foreign { path: path.to_owned(), expected: "a tree of fingerprints" }.into());
    }
    if seal.version != VERSION {
        let path = path.to_owned();
        return Err(ArtifactError::Version { path, found: seal.version, oldest: VERSION, newest: VERSION }.into());
    }
    let about: About = serde_json::from_str(&seal.about).map_err(|error| damaged(&format!("footer: {error}")))?;
    if about.kiddo != KIDDO_VERSION {
        return Err(OpenError::Library { path: path.to_owned(), found: about.kiddo });
    }
    if about != About::of(points) {
        return Err(OpenError::OtherPoints { path: path.to_owned() });
    }
    let content = map.get(..length).ok_or_else(|| damaged("the content is longer than the file"))?;
    let (archive_length, groups) = parts(content, points).ok_or_else(|| damaged("its parts do not fit together"))?;
    if archive_length == 0 {
        return Ok(None);
    }
    match kd::open(points.dimensions(), map, archive_length) {
        Some(Ok(tree)) => Ok(Some((tree, groups))),
        Some(Err(what)) => Err(damaged(&what).into()),
        None => Err(damaged("no tree has that many dimensions").into()),
    }
}

/// Returns the length of the archive and the groups, or nothing when lengths or row numbers are impossible.
fn parts(content: &[u8], points: &Points) -> Option<(usize, Groups)> {
    let (body, trailer) = content.split_at(content.len().checked_sub(TRAILER)?);
    let mut numbers =
        trailer.chunks_exact(8).map(|number| usize::try_from(u64::from_le_bytes(number.try_into().ok()?)).ok());
    let (archive, starts, rows) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let lists = body.get(archive..)?;
    if starts.checked_add(rows)?.checked_mul(4)? != lists.len() {
        return None;
    }
    let mut numbers = lists.chunks_exact(4).map(|number| number.try_into().map_or(u32::MAX, u32::from_le_bytes));
    let groups = Groups { starts: numbers.by_ref().take(starts).collect(), rows: numbers.collect() };
    let fits = if archive == 0 {
        starts == 0 && rows == 0
    } else {
        rows == points.rows()
            && groups.starts.first() == Some(&0)
            && groups.starts.last().is_some_and(|&end| end as usize == rows)
            && groups.starts.is_sorted()
            && groups.rows.iter().all(|&row| (row as usize) < rows)
    };
    fits.then_some((archive, groups))
}
