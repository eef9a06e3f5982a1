//! Where the parts of a tree lie in its file, so that a search reads few blocks: the boxes of several levels share one, and a leaf lies in as few as hold it.

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
    /// Where the leaves begin.
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

    /// Returns where a leaf lies: 32-bit coordinates, rows, 64-bit coordinates.
    pub(super) const fn leaf(&self, leaf: usize) -> u64 {
        let (leaf, whole, block) = (leaf as u64, self.leaf_bytes() as u64, BLOCK as u64);
        self.leaves
            + match block / whole {
                0 => leaf * whole.next_multiple_of(block),
                together => leaf / together * block + leaf % together * whole,
            }
    }

    /// Returns the length of a leaf.
    pub(super) const fn leaf_bytes(&self) -> usize {
        self.front_bytes() + 8 * self.shape.places * self.shape.dimensions
    }

    /// Returns the length of its 32-bit coordinates and rows.
    pub(super) const fn front_bytes(&self) -> usize {
        4 * self.shape.places * (self.shape.dimensions + 1)
    }

    /// Returns where the 64-bit coordinates of a place (leaf × places + place in it) lie.
    pub(super) const fn exact(&self, place: usize) -> u64 {
        let (leaf, inside) = (place / self.shape.places, place % self.shape.places);
        self.leaf(leaf) + (self.front_bytes() + 8 * inside * self.shape.dimensions) as u64
    }

    /// Returns where the places of the rows begin.
    pub(super) const fn places(&self) -> u64 {
        self.leaf(self.shape.leaves()).next_multiple_of(BLOCK as u64)
    }

    /// Returns the length of the content.
    pub(super) const fn end(&self) -> u64 {
        self.places() + 4 * self.shape.rows as u64
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
    fn leaves_lie_side_by_side_in_as_few_blocks_as_hold_them() {
        for (rows, dimensions) in [(1, 1), (1_000, 5), (40_000, 10), (70_000, 16), (5_000, 32)] {
            let shape = Shape::of(rows, dimensions);
            let layout = Layout::of(shape);
            let length = layout.leaf_bytes() as u64;
            for leaf in 0..shape.leaves() {
                let (begin, end) = (layout.leaf(leaf), layout.leaf(leaf) + length);
                assert!(end <= layout.leaf(leaf + 1).max(layout.places()));
                let blocks = end.div_ceil(BLOCK as u64) - begin / BLOCK as u64;
                assert_eq!(blocks, length.div_ceil(BLOCK as u64));
                assert_eq!(layout.exact((leaf + 1) * shape.places - 1) + 8 * dimensions as u64, end);
            }
        }
    }
}
