//! JSON documents that say which files count: `{"kind": …, "version": …, "crc32": …, "body": …}`.
//!
//! The checksum covers the bytes of `body` exactly as they stand in the file, so a flipped byte anywhere is found:
//! in the body by the checksum, in the envelope by the parser or by the comparison of kind, version and checksum.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{ArtifactError, write_atomic};

/// What a manifest is: its name in the file and the versions this program reads.
#[derive(Debug, Clone, Copy)]
pub struct ManifestKind {
    /// The text under `kind`.
    pub name: &'static str,
    /// What a reader expected, with its article, for error messages.
    pub described: &'static str,
    /// The oldest version that can be read.
    pub oldest: u32,
    /// The version that is written, and the newest that can be read.
    pub newest: u32,
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    kind: String,
    version: u32,
    crc32: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// Only what must be readable in every version, also of the future.
#[derive(Deserialize)]
struct Head {
    kind: String,
    version: u32,
}

/// Writes `body` as a manifest of this kind, atomically.
///
/// # Errors
/// The body cannot be encoded or the file cannot be replaced.
pub fn write<T: Serialize>(path: &Path, kind: ManifestKind, body: &T) -> Result<(), ArtifactError> {
    let encode = |source| ArtifactError::Encode { path: path.to_owned(), source };
    let body = serde_json::to_string_pretty(body).map_err(encode)?;
    let crc32 = format!("{:08x}", crc32fast::hash(body.as_bytes()));
    let body = RawValue::from_string(body).map_err(encode)?;
    let envelope = Envelope { kind: kind.name.to_owned(), version: kind.newest, crc32, body: &body };
    let mut text = serde_json::to_string_pretty(&envelope).map_err(encode)?;
    text.push('\n');
    write_atomic(path, text.as_bytes())
}

/// Reads a manifest of this kind, comparing kind, version and checksum before the body is looked at.
///
/// # Errors
/// [`ArtifactError::Io`] when it cannot be read, [`ArtifactError::Foreign`] when it is not JSON of this kind,
/// [`ArtifactError::Version`] for an unknown version, [`ArtifactError::Damaged`] when the checksum differs.
pub fn read<T: DeserializeOwned>(path: &Path, kind: ManifestKind) -> Result<T, ArtifactError> {
    let bytes = fs_err::read(path)?;
    let damaged = |what: String| ArtifactError::Damaged { path: path.to_owned(), what };
    let head: Head = serde_json::from_slice(&bytes)
        .map_err(|error| damaged(format!("not the JSON of {}: {error}", kind.described)))?;
    if head.kind != kind.name {
        return Err(ArtifactError::Foreign { path: path.to_owned(), expected: kind.described });
    }
    if head.version < kind.oldest || head.version > kind.newest {
        return Err(ArtifactError::Version {
            path: path.to_owned(),
            found: head.version,
            oldest: kind.oldest,
            newest: kind.newest,
        });
    }
    let envelope: Envelope<'_> = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    let found = format!("{:08x}", crc32fast::hash(envelope.body.get().as_bytes()));
    if found != envelope.crc32 {
        return Err(damaged(format!("checksum {found} instead of {}", envelope.crc32)));
    }
    serde_json::from_str(envelope.body.get()).map_err(|error| damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: ManifestKind = ManifestKind { name: "test", described: "a test manifest", oldest: 1, newest: 2 };

    #[test]
    fn any_flipped_byte_is_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.json");
        write(&path, KIND, &vec![("name".to_owned(), 0.1 + 0.2, 7)]).unwrap();
        let good = fs_err::read(&path).unwrap();
        let value: Vec<(String, f64, i32)> = read(&path, KIND).unwrap();
        assert_eq!(value, vec![("name".to_owned(), 0.1 + 0.2, 7)]);
        for position in 0..good.len() {
            // White space may become other white space outside the body without any change of meaning.
            if good[position].is_ascii_whitespace() {
                continue;
            }
            let mut bad = good.clone();
            bad[position] ^= 0x01;
            fs_err::write(&path, &bad).unwrap();
            let outcome: Result<Vec<(String, f64, i32)>, _> = read(&path, KIND);
            match outcome {
                Err(_) => {}
                Ok(found) => assert_eq!(found, value, "byte {position} flipped unnoticed"),
            }
        }
    }

    #[test]
    fn a_newer_version_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.json");
        write(&path, ManifestKind { newest: 9, ..KIND }, &1).unwrap();
        let error = read::<i32>(&path, KIND).unwrap_err();
        assert!(matches!(error, ArtifactError::Version { found: 9, newest: 2, .. }), "{error}");
    }
}
