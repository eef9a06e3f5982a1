//! A forest in a file of blocks, of which only the paths of a newcomer and the leaves of its candidates are read.
//!
//! A tree is blocks of nodes ([`super::bytes`]) as [`super::grow::gathered`] fills them. Every path goes through the first block of its tree, so the first
//! blocks of all trees lie side by side and are read at once; the other blocks follow tree by tree. The leaves of the stored rows lie row by
//! row, 2 bytes for each tree.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactError;
use crate::artifact::blocks::{BLOCK, BlockWriter, Blocks, LastBlock};

use super::bytes::NODE as NODE_BYTES;
use super::{Compared, Forest, Node, SLOTS, compare, is_sampled};

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
    /// Slots for nodes of each tree.
    slots: Vec<u32>,
    /// Where the first block of each tree lies.
    first_blocks: u64,
    /// Where their other blocks lie.
    other_blocks: u64,
    /// Where the leaves of the stored rows lie.
    pub leaves: StoredLeaves,
}

/// Where the leaves of the stored rows lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoredLeaves {
    /// Stored rows.
    pub rows: u64,
    /// The first byte of the first row.
    pub begin: u64,
    /// Bytes from a row to the next: several forests may lay theirs side by side.
    pub stride: u64,
}

/// A forest that is read as it is asked.
#[derive(Debug, Clone)]
pub struct StoredForest {
    about: StoredAbout,
    /// Where the second block of each tree lies.
    others: Vec<u64>,
    blocks: Arc<Blocks>,
}

/// Returns the bytes of the blocks of a tree but for the first.
fn other_bytes(slots: u32) -> u64 {
    let others = (slots as usize).saturating_sub(SLOTS).div_ceil(SLOTS);
    (others * BLOCK) as u64
}

impl Forest {
    /// Appends the trees to a file. Where the leaves of the stored rows ([`Forest::leaves_of`]) lie is for the caller to say.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn store(&self, writer: &mut BlockWriter) -> Result<StoredAbout, ArtifactError> {
        let mut bytes = Vec::new();
        let mut append = |writer: &mut BlockWriter, nodes: &[Node]| {
            bytes.clear();
            for node in nodes {
                node.encode(&mut bytes);
            }
            writer.append(&bytes)?;
            writer.align()
        };
        let first_blocks = writer.align()?;
        for tree in &self.trees {
            append(writer, &tree[..tree.len().min(SLOTS)])?;
        }
        let other_blocks = writer.align()?;
        for tree in &self.trees {
            append(writer, tree.get(SLOTS..).unwrap_or_default())?;
        }
        let slots = self.trees.iter().map(|tree| u32::try_from(tree.len()).unwrap_or(u32::MAX)).collect();
        let (width, seed, sampled, leaves) = (self.width, self.seed, self.sampled, StoredLeaves::default());
        Ok(StoredAbout { width, seed, sampled, slots, first_blocks, other_blocks, leaves })
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
        if !(about.sampled > 0.0 && about.sampled <= 1.0) || about.slots.contains(&0) {
            return Err(damaged(format!("a share of {} of the rows, or a tree without nodes", about.sampled)));
        }
        let trees = about.slots.len() as u64;
        let mut next = Some(about.other_blocks);
        let mut others = Vec::with_capacity(about.slots.len());
        for &count in &about.slots {
            others.extend(next);
            next = next.and_then(|at| at.checked_add(other_bytes(count)));
        }
        let StoredLeaves { rows, begin, stride } = about.leaves;
        let leaves = NUMBER * trees;
        // The leaves of the last row are not followed by those of another.
        let end = match rows.checked_sub(1) {
            None => Some(begin),
            Some(last) => stride.checked_mul(last).and_then(|at| at.checked_add(begin)?.checked_add(leaves)),
        };
        let first_end = about.first_blocks.checked_add(trees * BLOCK as u64);
        let is_inside = |end: Option<u64>| end.is_some_and(|end| end <= blocks.bytes());
        let are_aligned = [about.first_blocks, about.other_blocks].iter().all(|begin| begin % BLOCK as u64 == 0);
        if !are_aligned || stride < leaves || ![next, first_end, end].into_iter().all(is_inside) {
            return Err(damaged("its parts do not fit together".to_owned()));
        }
        Ok(Self { about, others, blocks: Arc::clone(blocks) })
    }

    /// Returns how many rows are stored.
    pub const fn rows(&self) -> u64 {
        self.about.leaves.rows
    }

    /// Returns [`Forest::unseen_by`].
    pub fn unseen_by(&self, key: u64) -> Vec<bool> {
        let trees = 0_u32..;
        trees.zip(&self.others).map(|(tree, _)| !is_sampled(self.about.seed, tree, key, self.about.sampled)).collect()
    }

    /// Returns [`Forest::similarities`].
    ///
    /// # Errors
    /// What is read is damaged.
    pub fn similarities(&self, rows: &[Compared<'_>]) -> Result<Vec<Vec<f64>>, ArtifactError> {
        self.blocks.fetch(self.about.first_blocks, (self.others.len() * BLOCK) as u64)?;
        // Of the first block of a tree and of another.
        let mut last = [LastBlock::default(), LastBlock::default()];
        compare::similarities(self.others.len(), |tree, at| self.node(tree, at, &mut last), rows)
    }

    /// Reads all of its trees.
    ///
    /// # Errors
    /// What is read is damaged.
    pub fn read(&self) -> Result<Forest, ArtifactError> {
        let mut last = [LastBlock::default(), LastBlock::default()];
        let mut tree = |(tree, &slots): (usize, &u32)| (0..slots).map(|at| self.node(tree, at, &mut last)).collect();
        let trees = self.about.slots.iter().enumerate().map(&mut tree).collect::<Result<_, _>>()?;
        let StoredAbout { width, seed, sampled, .. } = self.about;
        Ok(Forest { width, seed, sampled, trees })
    }

    /// Returns the leaves of a stored row.
    ///
    /// # Errors
    /// What is read is damaged, or there is no such row.
    pub fn leaves(&self, row: u32) -> Result<Vec<u16>, ArtifactError> {
        let StoredLeaves { rows, begin, stride } = self.about.leaves;
        if u64::from(row) >= rows {
            return Err(self.damaged(format!("there is no row {row}")));
        }
        let mut bytes = vec![0; 2 * self.others.len()];
        self.blocks.copy(begin + stride * u64::from(row), &mut bytes)?;
        Ok(bytes.as_chunks::<2>().0.iter().map(|leaf| u16::from_le_bytes(*leaf)).collect())
    }

    /// Returns a node, checked: children lie behind their parent and inside the tree, so that no walk is endless.
    fn node(&self, tree: usize, at: u32, last: &mut [LastBlock; 2]) -> Result<Node, ArtifactError> {
        let [first, other] = last;
        let mut bytes = match (at as usize).checked_sub(SLOTS) {
            None => {
                let begin = self.about.first_blocks + (tree * BLOCK) as u64;
                self.blocks.within(first, begin + NODE * u64::from(at), NODE_BYTES)?
            }
            Some(behind) => self.blocks.within(other, self.others[tree] + NODE * behind as u64, NODE_BYTES)?,
        };
        Node::decode(&mut bytes, at as usize, self.about.slots[tree] as usize, self.about.width)
            .map_err(|what| self.damaged(format!("tree {tree}: {what}")))
    }

    fn damaged(&self, what: String) -> ArtifactError {
        ArtifactError::Damaged { path: self.blocks.path().to_owned(), what }
    }
}
