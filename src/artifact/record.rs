//! Size, checksum and digest of files that carry none themselves.

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ArtifactError;
use super::blocks::Blocks;

/// A BLAKE3 digest, printed as 64 hexadecimal digits: what identifies an input, wherever it lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).to_hex().to_string())
    }

    /// Returns the first 12 digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// A file as a manifest knows it: where it lies below the store, how long it is, and its CRC-32.
///
/// Parquet pages written by us carry no checksum and a flipped bit may be read as different data without an error,
/// so the record is compared before a file is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path below the store's folder, with `/`.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// CRC-32 (ISO-HDLC) of the content, eight hexadecimal digits.
    pub crc32: String,
    /// Rows inside.
    pub rows: u64,
}

impl FileRecord {
    /// Reads the file at `root`/`path` and records its length and checksum.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(root: &Path, path: &str, rows: u64) -> Result<Self, ArtifactError> {
        let (bytes, crc32) = checksum(&root.join(path))?;
        Ok(Self { path: path.to_owned(), bytes, crc32: format!("{crc32:08x}"), rows })
    }

    /// Compares the file below `root` with the record.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] when the file is missing, shorter, longer, or another.
    pub fn verify(&self, root: &Path) -> Result<(), ArtifactError> {
        let path = root.join(&self.path);
        let (bytes, crc32) = match checksum(&path) {
            Ok(found) => found,
            Err(ArtifactError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ArtifactError::Damaged { path, what: "the file is missing".to_owned() });
            }
            Err(error) => return Err(error),
        };
        if bytes != self.bytes {
            return Err(ArtifactError::Damaged { path, what: format!("{bytes} bytes instead of {}", self.bytes) });
        }
        let found = format!("{crc32:08x}");
        if found != self.crc32 {
            return Err(ArtifactError::Damaged { path, what: format!("checksum {found} instead of {}", self.crc32) });
        }
        Ok(())
    }
}

impl FileRecord {
    /// Records an open file of blocks ([`super::blocks`]), which lies at `path`: its length, and the checksum of its table, which stands
    /// for the content.
    pub fn of_blocks(path: &str, blocks: &Blocks, rows: u64) -> Self {
        Self { path: path.to_owned(), bytes: blocks.file_bytes(), crc32: blocks.table_crc32().to_owned(), rows }
    }

    /// Compares an open file of blocks with the record, without reading its content.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] when it is another file.
    pub fn verify_blocks(&self, blocks: &Blocks) -> Result<(), ArtifactError> {
        let found = Self::of_blocks(&self.path, blocks, self.rows);
        if found == *self {
            return Ok(());
        }
        let what = format!(
            "{} bytes with checksums {} instead of {} with {}",
            found.bytes, found.crc32, self.bytes, self.crc32
        );
        Err(ArtifactError::Damaged { path: blocks.path().to_owned(), what })
    }
}

/// Reads a file once in chunks of 1 MiB, hands each to `take`, and returns its length.
fn each_chunk(path: &Path, mut take: impl FnMut(&[u8])) -> Result<u64, ArtifactError> {
    let mut file = fs_err::File::open(path)?;
    let mut buffer = vec![0_u8; 1 << 20];
    let mut bytes = 0_u64;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(bytes);
        }
        take(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Returns the length and CRC-32 of a file.
fn checksum(path: &Path) -> Result<(u64, u32), ArtifactError> {
    let mut hasher = crc32fast::Hasher::new();
    let bytes = each_chunk(path, |chunk| hasher.update(chunk))?;
    Ok((bytes, hasher.finalize()))
}

/// Returns the digest and length of a file, read once.
///
/// # Errors
/// The file cannot be read.
pub fn digest_file(path: &Path) -> Result<(Digest, u64), ArtifactError> {
    let mut hasher = blake3::Hasher::new();
    let bytes = each_chunk(path, |chunk| {
        hasher.update(chunk);
    })?;
    Ok((Digest(hasher.finalize().to_hex().to_string()), bytes))
}
