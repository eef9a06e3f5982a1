//! Good checksums for any content, and a place for files.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shadow::artifact::blocks::{BLOCK, BlockCache, Blocks, Seal};

/// A file of blocks, taken apart.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) kind: String,
    pub(super) version: u32,
    /// JSON about the content.
    pub(super) about: Value,
    pub(super) content: Vec<u8>,
}

impl Parts {
    /// Takes the file at `path` apart.
    pub(super) fn of(path: &Path) -> Self {
        let (Seal { kind, version, about }, blocks) = Blocks::open(path, &BlockCache::of(0)).unwrap();
        let mut content = vec![0; usize::try_from(blocks.bytes()).unwrap()];
        blocks.copy(0, &mut content).unwrap();
        Self { kind, version, about: serde_json::from_str(&about).unwrap(), content }
    }

    /// Changes what is about the content, or the content, or takes the input for one of them.
    pub(super) fn changed(&self, input: &[u8]) -> Self {
        let (what, input) = super::split_first(input);
        let mut changed = self.clone();
        match what % 4 {
            0 => changed.content = input.to_vec(),
            1 => changed.content = super::changes::bytes(&self.content, input),
            2 => changed.about = super::changes::json(&self.about, input),
            _ => {
                let (length, rest) = super::split_first(input);
                let (about, content) = rest.split_at(rest.len().min(usize::from(length)));
                changed.about = super::changes::json(&self.about, about);
                changed.content = super::changes::bytes(&self.content, content);
            }
        }
        changed
    }

    /// Returns the file, with the checksum of its table in hexadecimal digits.
    pub(super) fn sealed(&self) -> (Vec<u8>, String) {
        let table = table(&self.content);
        let crc32 = format!("{:08x}", crc32fast::hash(&table));
        let footer = json!({
            "kind": self.kind, "version": self.version, "about": self.about.to_string(),
            "bytes": self.content.len(), "table_crc32": crc32,
        });
        (whole(&self.content, footer.to_string().as_bytes()), crc32)
    }
}

/// Returns the checksums of all blocks.
fn table(content: &[u8]) -> Vec<u8> {
    content.chunks(BLOCK).flat_map(|block| crc32fast::hash(block).to_le_bytes()).collect()
}

/// Returns a file of blocks with any footer.
pub(super) fn whole(content: &[u8], footer: &[u8]) -> Vec<u8> {
    let mut file = content.to_vec();
    file.extend(table(content));
    file.extend(footer);
    file.extend(u32::try_from(footer.len()).unwrap().to_le_bytes());
    file.extend(crc32fast::hash(footer).to_le_bytes());
    file.extend(b"SHADOW\x02\n");
    file
}

/// Returns a manifest with any body.
pub(super) fn manifest(kind: &str, version: u32, body: &str) -> String {
    format!(
        "{{\"kind\": \"{kind}\", \"version\": {version}, \"crc32\": \"{:08x}\", \"body\": {body}}}",
        crc32fast::hash(body.as_bytes())
    )
}

thread_local! {
    static FOLDER: tempfile::TempDir = tempfile::tempdir().unwrap();
}

/// Returns the path of a file in a folder of this thread's own.
pub(super) fn scratch(name: &str) -> PathBuf {
    FOLDER.with(|folder| folder.path().join(name))
}

/// Writes such a file.
pub(super) fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = scratch(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
