//! A forest in a file of blocks, of which only the paths of a newcomer and the leaves of its candidates are read.
//!
//! The nodes lie tree by tree as in [`super::bytes`]; the leaves of the stored rows lie row by row, 2 bytes for each tree.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactError;
use crate::artifact::blocks::{BlockWriter, Blocks};

use super::bytes::NODE as NODE_BYTES;
use super::{Compared, Forest, Node, compare, is_sampled};

/// Bytes of a node.
const NODE: u64 = NODE_BYTES as u64;

/// Bytes of a leaf's number.
const NUMBER: u64 = 2;

/// Where a forest lies in its file, and what its trees were grown on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredAbout {
    width: usize,
    seed: u64,
    sampled: f64,
    /// Nodes of each tree.
    nodes: Vec<u32>,
    /// Where its nodes begin.
    begin: u64,
    /// Stored rows.
    rows: u64,
    /// Where the leaves of the stored rows begin.
    leaves: u64,
}

/// A forest that is read as it is asked.
#[derive(Debug, Clone)]
pub struct StoredForest {
    about: StoredAbout,
    /// Where each tree begins.
    begins: Vec<u64>,
    blocks: Arc<Blocks>,
}

impl Forest {
    /// Appends nodes, and the `leaves` of `rows` stored rows ([`Forest::leaves_of`]), to a file of which `at` bytes are written.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn store(
        &self,
        writer: &mut BlockWriter,
        at: u64,
        rows: usize,
        leaves: &[u16],
    ) -> Result<(StoredAbout, u64), ArtifactError> {
        let mut bytes = Vec::new();
        for tree in &self.trees {
            bytes.clear();
            for node in tree {
                node.encode(&mut bytes);
            }
            writer.append(&bytes)?;
        }
        let nodes: Vec<u32> = self.trees.iter().map(|tree| u32::try_from(tree.len()).unwrap_or(u32::MAX)).collect();
        let begin = at + NODE * nodes.iter().map(|&count| u64::from(count)).sum::<u64>();
        for leaves in leaves.chunks(1 << 16) {
            bytes.clear();
            bytes.extend(leaves.iter().flat_map(|leaf| leaf.to_le_bytes()));
            writer.append(&bytes)?;
        }
        let end = begin + NUMBER * leaves.len() as u64;
        let (width, seed, sampled) = (self.width, self.seed, self.sampled);
        Ok((StoredAbout { width, seed, sampled, nodes, begin: at, rows: rows as u64, leaves: begin }, end))
    }
}

impl StoredForest {
    /// Returns a forest in an open file, for rows of `width` features.
    ///
    /// # Errors
    /// The file does not hold what it should.
    pub fn open(blocks: &Arc<Blocks>, about: StoredAbout, width: usize) -> Result<Self, ArtifactError> {
        let damaged = |what: String| ArtifactError::Damaged { path: blocks.path().to_owned(), what };
        if about.width != width {
            return Err(damaged(format!("grown on rows of {} features instead of {width}", about.width)));
        }
        if !(about.sampled > 0.0 && about.sampled <= 1.0) || about.nodes.contains(&0) {
            return Err(damaged(format!("a share of {} of the rows, or a tree without nodes", about.sampled)));
        }
        let mut next = Some(about.begin);
        let mut begins = Vec::with_capacity(about.nodes.len());
        for &count in &about.nodes {
            begins.extend(next);
            next = next.and_then(|at| at.checked_add(NODE * u64::from(count)));
        }
        let leaves = (NUMBER * about.nodes.len() as u64).checked_mul(about.rows);
        let end = leaves.and_then(|length| about.leaves.checked_add(length));
        if next != Some(about.leaves) || end.is_none_or(|end| end > blocks.bytes()) {
            return Err(damaged("its parts do not fit together".to_owned()));
        }
        Ok(Self { about, begins, blocks: Arc::clone(blocks) })
    }

    /// Returns how many rows are stored.
    pub const fn rows(&self) -> u64 {
        self.about.rows
    }

    /// Returns [`Forest::unseen_by`].
    pub fn unseen_by(&self, key: u64) -> Vec<bool> {
        let trees = 0_u32..;
        trees.zip(&self.begins).map(|(tree, _)| !is_sampled(self.about.seed, tree, key, self.about.sampled)).collect()
    }

    /// Returns [`Forest::similarities`].
    ///
    /// # Errors
    /// What is read is damaged.
    pub fn similarities(&self, rows: &[Compared<'_>]) -> Result<Vec<Vec<f64>>, ArtifactError> {
        compare::similarities(self.begins.len(), |tree, at| self.node(tree, at), rows)
    }

    /// Returns the leaves of a stored row.
    ///
    /// # Errors
    /// What is read is damaged, or there is no such row.
    pub fn leaves(&self, row: u32) -> Result<Vec<u16>, ArtifactError> {
        let trees = self.begins.len();
        let mut bytes = vec![0; trees * 2];
        let from = self.about.leaves + NUMBER * u64::from(row) * trees as u64;
        if u64::from(row) >= self.about.rows {
            return Err(self.damaged(format!("there is no row {row}")));
        }
        self.blocks.copy(from, &mut bytes)?;
        Ok(bytes.as_chunks::<2>().0.iter().map(|leaf| u16::from_le_bytes(*leaf)).collect())
    }

    /// Returns a node, checked: children lie behind their parent and inside the tree, so that no walk is endless.
    fn node(&self, tree: usize, at: u32) -> Result<Node, ArtifactError> {
        let (begin, count) = (self.begins[tree], self.about.nodes[tree]);
        let mut bytes = [0; NODE_BYTES];
        self.blocks.copy(begin + NODE * u64::from(at), &mut bytes)?;
        Node::decode(&mut &bytes[..], at as usize, count as usize, self.about.width)
            .map_err(|what| self.damaged(format!("tree {tree}: {what}")))
    }

    fn damaged(&self, what: String) -> ArtifactError {
        ArtifactError::Damaged { path: self.blocks.path().to_owned(), what }
    }
}
