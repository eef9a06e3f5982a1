//! A node as bytes, little-endian: feature (2), left child (2), share of what lacks it (4), cut (8).

use super::{NO_FEATURE, Node};

/// Bytes of a node.
pub(super) const NODE: usize = 16;

impl Node {
    /// Appends the node to `bytes`.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.feature.to_le_bytes());
        bytes.extend(self.left.to_le_bytes());
        bytes.extend(self.lacking.to_le_bytes());
        bytes.extend(self.cut.to_le_bytes());
    }

    /// Takes node `at` of a tree of `count` off the front of `bytes`. It is checked: children lie behind their parent and inside
    /// the tree, so that no walk is endless, and features are those of a row of `width`.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub(super) fn decode(bytes: &mut &[u8], at: usize, count: usize, width: usize) -> Result<Self, String> {
        let feature = u16::from_le_bytes(take(bytes)?);
        let left = u16::from_le_bytes(take(bytes)?);
        let lacking = f32::from_le_bytes(take(bytes)?);
        let cut = f64::from_le_bytes(take(bytes)?);
        let child = usize::from(left);
        let is_sound = child > at && child + 1 < count && usize::from(feature) < width;
        if at >= count || (feature != NO_FEATURE && !(is_sound && cut.is_finite() && (0.0..=1.0).contains(&lacking))) {
            return Err(format!("node {at} is impossible"));
        }
        Ok(Self { feature, left, lacking, cut })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], String> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or("it ends too early")?;
    *bytes = rest;
    Ok(*first)
}
