//! `similarity.forest`: the forests of the learned similarity, and the leaves of the stored workloads in them, as a file of blocks.

use std::path::Path;
use std::sync::Arc;

use crate::artifact::ArtifactError;
use crate::artifact::blocks::{BlockWriter, Blocks, Seal};
use crate::fingerprint::{StoredAbout, StoredForest, StoredLeaves};

use super::alike::{Alike, Grown};

const KIND: &str = "similarity-forest";

/// Version 1 held the trees alone, with one checksum for all; version 2 held nodes of 24 bytes and leaves of 4; in version 3 trees did not begin
/// with a block, and each forest had the leaves of all rows for itself.
const VERSION: u32 = 4;

impl Alike {
    /// Writes the forests and the leaves of the `rows` stored workloads, atomically. Those that lie in a file already are left there.
    pub(super) fn write(&self, path: &Path, rows: usize) -> Result<(), ArtifactError> {
        let mut writer = BlockWriter::create(path)?;
        let mut abouts: [Option<StoredAbout>; 3] = [const { None }; 3];
        let mut beside: Vec<(usize, &[u16])> = Vec::new();
        for (about, grown) in abouts.iter_mut().zip(self.grown()) {
            if let Some(Grown::Here { forest, leaves }) = grown {
                *about = Some(forest.store(&mut writer)?);
                beside.push((forest.trees(), leaves));
            }
        }
        // A candidate is asked about by all forests, so its leaves lie side by side.
        let mut begin = writer.align()?;
        let stride = 2 * beside.iter().map(|(trees, _)| *trees as u64).sum::<u64>();
        for (about, (trees, _)) in abouts.iter_mut().flatten().zip(&beside) {
            about.leaves = StoredLeaves { rows: rows as u64, begin, stride };
            begin += 2 * *trees as u64;
        }
        let mut bytes = Vec::new();
        for row in 0..rows {
            bytes.clear();
            for (trees, leaves) in &beside {
                let own = leaves.get(row * trees..(row + 1) * trees).unwrap_or_default();
                bytes.extend(own.iter().flat_map(|leaf| leaf.to_le_bytes()));
            }
            writer.append(&bytes)?;
        }
        let about =
            serde_json::to_string(&abouts).map_err(|source| ArtifactError::Encode { path: path.to_owned(), source })?;
        writer.commit(&Seal { kind: KIND.to_owned(), version: VERSION, about })
    }

    /// Takes those of an open file, for `rows` stored workloads of `width` features.
    pub(super) fn read(seal: &Seal, blocks: Blocks, width: usize, rows: usize) -> Result<Self, ArtifactError> {
        let path = blocks.path().to_owned();
        seal.expect(&path, KIND, VERSION, "forests of a learned similarity")?;
        let damaged = |what: String| ArtifactError::Damaged { path: path.clone(), what };
        let abouts: [Option<StoredAbout>; 3] =
            serde_json::from_str(&seal.about).map_err(|error| damaged(format!("footer: {error}")))?;
        let blocks = Arc::new(blocks);
        let mut forests = [const { None }; 3];
        for (forest, about) in forests.iter_mut().zip(abouts) {
            let Some(about) = about else { continue };
            let opened = StoredForest::open(&blocks, about, width)?;
            if opened.rows() != rows as u64 {
                return Err(damaged(format!("the leaves of {} workloads instead of {rows}", opened.rows())));
            }
            *forest = Some(opened);
        }
        Ok(Self::stored(forests))
    }
}
