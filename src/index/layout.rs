//! Where the parts of a tree lie in its file, so that a search reads few blocks: the boxes of several levels share one, and the parts of a leaf lie in as few as
//! hold them.

use crate::artifact::blocks::BLOCK;

use super::tree::Shape;

/// Offsets in the content of the file, in bytes.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    shape: Shape,
    /// Levels of parents whose children's boxes fit into one block.
    height: u32,
    /// Levels in the first block: what the others leave over.
    first_height: u32,
    /// By step down from block to block, how many blocks lie before.
    before: Vec<u64>,
    /// Where the 32-bit coordinates of the leaves begin.
    leaves: u64,
}

impl Layout {
    pub(super) fn of(shape: Shape) -> Self {
        let mut height = 1;
        while ((2 << height) - 1) * pair_bytes(shape) <= BLOCK {
            height += 1;
        }
        let levels = shape.levels();
        let first_height = if levels.is_multiple_of(height) { height.min(levels) } else { levels % height };
        let (mut before, mut blocks, mut depth) = (Vec::new(), 0_u64, 0);
        while depth < levels {
            before.push(blocks);
            blocks += 1 << depth;
            depth += if depth == 0 { first_height } else { height };
        }
        Self { shape, height, first_height, before, leaves: blocks * BLOCK as u64 }
    }

    /// Returns where the boxes of the children of a node lie, beside each other in one block.
    pub(super) fn children(&self, node: usize) -> u64 {
        let depth = node.ilog2();
        // From the uppermost node of the block down to this one; blocks above this one on the way from the root.
        let (down, step) = match depth.checked_sub(self.first_height) {
            None => (depth, 0),
            Some(below) => (below % self.height, 1 + below / self.height),
        };
        let top = node >> down;
        let block = self.before.get(step as usize).copied().unwrap_or(0) + (top - (1 << (depth - down))) as u64;
        let inside = (1 << down) - 1 + (node - (top << down));
        block * BLOCK as u64 + (inside * pair_bytes(self.shape)) as u64
    }

    /// Returns where the 32-bit coordinates of a leaf lie. They are most of what a search reads, so they are apart from the rest.
    pub(super) const fn leaf(&self, leaf: usize) -> u64 {
        self.leaves + packed(leaf, self.leaf_bytes())
    }

    /// Returns their length.
    pub(super) const fn leaf_bytes(&self) -> usize {
        4 * self.shape.places * self.shape.dimensions
    }

    /// Returns where the members of a leaf lie: its rows, then their 64-bit coordinates.
    pub(super) const fn members(&self, leaf: usize) -> u64 {
        self.leaf(self.shape.leaves()).next_multiple_of(BLOCK as u64) + packed(leaf, self.members_bytes())
    }

    /// Returns their length.
    pub(super) const fn members_bytes(&self) -> usize {
        4 * self.shape.places * (1 + 2 * self.shape.dimensions)
    }

    /// Returns where the 64-bit coordinates of a place (leaf × places + place in it) lie.
    pub(super) const fn exact(&self, place: usize) -> u64 {
        let Shape { places, dimensions, .. } = self.shape;
        self.members(place / places) + (4 * places + 8 * dimensions * (place % places)) as u64
    }

    /// Returns where the places of the rows begin.
    pub(super) const fn places(&self) -> u64 {
        self.members(self.shape.leaves()).next_multiple_of(BLOCK as u64)
    }

    /// Returns the length of the content.
    pub(super) const fn end(&self) -> u64 {
        self.places() + 4 * self.shape.rows as u64
    }
}

/// Returns where the part of this number begins, of parts of one length: as many in a block as fit, and a longer one at the beginning of a block.
const fn packed(number: usize, length: usize) -> u64 {
    let (number, length, block) = (number as u64, length as u64, BLOCK as u64);
    match block / length {
        0 => number * length.next_multiple_of(block),
        together => number / together * block + number % together * length,
    }
}

/// Bytes of the boxes of two children.
const fn pair_bytes(shape: Shape) -> usize {
    2 * 4 * shape.box_length()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_pairs_of_children_have_places_of_their_own_inside_a_block() {
        for (rows, dimensions) in [(1, 1), (33, 2), (1_000, 5), (40_000, 10), (70_000, 16), (70_000, 64), (5_000, 32)] {
            let shape = Shape::of(rows, dimensions);
            let layout = Layout::of(shape);
            let pair = pair_bytes(shape) as u64;
            let mut taken = BTreeSet::new();
            for node in 1..shape.leaves() {
                let at = layout.children(node);
                assert!(at % BLOCK as u64 + pair <= BLOCK as u64 && at + pair <= layout.leaf(0), "node {node}");
                assert_eq!((at % BLOCK as u64) % pair, 0);
                assert!(taken.insert(at), "node {node} has the place of another");
            }
            // The fewest blocks that a path can need.
            let blocks = |leaf: usize| -> BTreeSet<u64> {
                let parents = (1..=shape.levels()).map(|up| (shape.leaves() + leaf) >> up);
                parents.map(|node| layout.children(node) / BLOCK as u64).collect()
            };
            for leaf in [0, shape.leaves() / 3, shape.leaves() - 1] {
                assert_eq!(blocks(leaf).len(), shape.levels().div_ceil(layout.height) as usize);
            }
        }
    }

    #[test]
    fn a_leaf_lies_in_as_few_blocks_as_hold_it() {
        for (rows, dimensions) in [(1, 1), (1_000, 5), (40_000, 10), (70_000, 16), (5_000, 32)] {
            let shape = Shape::of(rows, dimensions);
            let layout = Layout::of(shape);
            let blocks = |begin: u64, end: u64| end.div_ceil(BLOCK as u64) - begin / BLOCK as u64;
            let fewest = |length: usize| (length as u64).div_ceil(BLOCK as u64);
            let (coordinates, members) = (layout.leaf_bytes(), layout.members_bytes());
            for leaf in 0..shape.leaves() {
                let (begin, end) = (layout.leaf(leaf), layout.leaf(leaf) + coordinates as u64);
                assert!(end <= layout.leaf(leaf + 1) && end <= layout.members(0));
                assert_eq!(blocks(begin, end), fewest(coordinates));
                let (begin, end) = (layout.members(leaf), layout.members(leaf) + members as u64);
                assert!(end <= layout.members(leaf + 1) && end <= layout.places());
                assert_eq!(blocks(begin, end), fewest(members));
                assert_eq!(layout.exact((leaf + 1) * shape.places - 1) + 8 * dimensions as u64, end);
            }
        }
    }
}
