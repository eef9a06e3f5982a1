//! Binary files with a footer: content, footer JSON (kind, version, CRC-32 of the content), its length, magic.
//!
//! The content starts at byte 0, so that a memory map of the file is aligned for types that demand it. Opening tells
//! the damages apart: shorter than a footer can be, another magic, an absurd footer length, a footer that claims
//! more content than there is, and content that differs.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{ArtifactError, write_atomic};

/// The last eight bytes of every sealed file.
const MAGIC: [u8; 8] = *b"SHADOW\x01\n";
/// Footer length (4 bytes, little-endian) and magic.
const TAIL: usize = 4 + MAGIC.len();

/// What a sealed file is: its name in the footer, the version, and free text that must agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// What the content is, as in `"kd-tree"`.
    pub kind: String,
    /// Version of the content's layout.
    pub version: u32,
    /// What else a reader compares before use: library version, digest of the source.
    pub about: String,
}

#[derive(Serialize, Deserialize)]
struct Footer {
    #[serde(flatten)]
    seal: Seal,
    bytes: u64,
    crc32: String,
}

/// Writes `content` with its seal, atomically.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, seal: &Seal, content: &[u8]) -> Result<(), ArtifactError> {
    let footer =
        Footer { seal: seal.clone(), bytes: content.len() as u64, crc32: format!("{:08x}", crc32fast::hash(content)) };
    let footer =
        serde_json::to_vec(&footer).map_err(|source| ArtifactError::Encode { path: path.to_owned(), source })?;
    let length = u32::try_from(footer.len())
        .map_err(|_too_long| ArtifactError::Damaged { path: path.to_owned(), what: "footer over 4 GiB".to_owned() })?;
    let mut file = Vec::with_capacity(content.len() + footer.len() + TAIL);
    file.extend_from_slice(content);
    file.extend_from_slice(&footer);
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&MAGIC);
    write_atomic(path, &file)
}

/// Checks the seal of a whole file in memory and returns its footer's seal and the length of its content.
///
/// # Errors
/// [`ArtifactError::Foreign`] or [`ArtifactError::Damaged`], with what does not fit.
pub fn check(path: &Path, file: &[u8]) -> Result<(Seal, usize), ArtifactError> {
    let damaged = |what: String| ArtifactError::Damaged { path: path.to_owned(), what };
    let Some(before_magic) = file.len().checked_sub(TAIL) else {
        return Err(damaged(format!("{} bytes are too few for a footer", file.len())));
    };
    let (rest, tail) = file.split_at(before_magic);
    let (length, magic) = tail.split_at(4);
    if magic != MAGIC {
        return Err(ArtifactError::Foreign { path: path.to_owned(), expected: "a file sealed by shadow" });
    }
    let length = length.iter().rev().fold(0_usize, |sum, &byte| (sum << 8) | usize::from(byte));
    let Some(content) = rest.len().checked_sub(length) else {
        return Err(damaged(format!("footer of {length} bytes in a file of {}", file.len())));
    };
    let footer: Footer =
        serde_json::from_slice(&rest[content..]).map_err(|error| damaged(format!("footer: {error}")))?;
    if footer.bytes != content as u64 {
        return Err(damaged(format!("{content} bytes of content instead of {}", footer.bytes)));
    }
    let found = format!("{:08x}", crc32fast::hash(&rest[..content]));
    if found != footer.crc32 {
        return Err(damaged(format!("checksum {found} instead of {}", footer.crc32)));
    }
    Ok((footer.seal, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_or_missing_byte_is_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tree.kd");
        let seal = Seal { kind: "kd-tree".to_owned(), version: 1, about: "test".to_owned() };
        write(&path, &seal, b"some content").unwrap();
        let good = fs_err::read(&path).unwrap();
        assert_eq!(check(&path, &good).unwrap(), (seal.clone(), 12));
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 0x04;
            if let Ok((found, _)) = check(&path, &bad) {
                assert_ne!(found, seal, "byte {position} flipped unnoticed");
            }
        }
        for length in 0..good.len() {
            assert!(check(&path, &good[..length]).is_err(), "cut to {length} bytes unnoticed");
        }
    }
}
