//! A forest as bytes, little-endian: width (8), seed (8), share of rows sampled (8), number of trees (8), then per tree its
//! number of nodes (8) and its nodes (24 each: feature 4, left child 4, cut 8, share of what lacks it 8).

use super::{Forest, LEAF, Node, Tree};

const NODE: usize = 24;

impl Forest {
    /// Appends the forest to `bytes`.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let mut number = |value: u64| bytes.extend(value.to_le_bytes());
        number(self.width as u64);
        number(self.seed);
        number(self.sampled.to_bits());
        number(self.trees.len() as u64);
        for tree in &self.trees {
            bytes.extend((tree.len() as u64).to_le_bytes());
            for node in tree {
                bytes.extend(node.feature.to_le_bytes());
                bytes.extend(node.left.to_le_bytes());
                bytes.extend(node.cut.to_le_bytes());
                bytes.extend(node.lacking.to_le_bytes());
            }
        }
    }

    /// Takes a forest off the front of `bytes`. Every node is checked: children lie behind their parent and inside the tree, so
    /// that no walk is endless, and features are those of a row.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn decode(bytes: &mut &[u8]) -> Result<Self, String> {
        let width = length(bytes)?;
        let seed = number(bytes)?;
        let sampled = f64::from_bits(number(bytes)?);
        if !(sampled > 0.0 && sampled <= 1.0) {
            return Err(format!("a share of {sampled} of the rows"));
        }
        let count = length(bytes)?;
        let mut trees = Vec::new();
        for tree in 0..count {
            trees.push(decode_tree(bytes, width).map_err(|what| format!("tree {tree}: {what}"))?);
        }
        Ok(Self { width, seed, sampled, trees })
    }
}

fn decode_tree(bytes: &mut &[u8], width: usize) -> Result<Tree, String> {
    let count = length(bytes)?;
    if count == 0 || count.checked_mul(NODE).is_none_or(|needed| needed > bytes.len()) {
        return Err(format!("{count} nodes in {} bytes", bytes.len()));
    }
    let mut tree = Tree::with_capacity(count);
    for at in 0..count {
        let feature = u32::from_le_bytes(take(bytes)?);
        let left = u32::from_le_bytes(take(bytes)?);
        let cut = f64::from_le_bytes(take(bytes)?);
        let lacking = f64::from_le_bytes(take(bytes)?);
        let is_sound = left as usize > at && (left as usize) < count - 1 && (feature as usize) < width;
        if feature != LEAF && !(is_sound && cut.is_finite() && (0.0..=1.0).contains(&lacking)) {
            return Err(format!("node {at} is impossible"));
        }
        tree.push(Node { feature, left, cut, lacking });
    }
    Ok(tree)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], String> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or("it ends too early")?;
    *bytes = rest;
    Ok(*first)
}

fn number(bytes: &mut &[u8]) -> Result<u64, String> {
    Ok(u64::from_le_bytes(take(bytes)?))
}

fn length(bytes: &mut &[u8]) -> Result<usize, String> {
    let found = number(bytes)?;
    usize::try_from(found).map_err(|_too_long| format!("a length of {found}"))
}
