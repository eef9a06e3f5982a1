//! t-SNE: points on a plane such that those that are near in many dimensions are near there too.
//!
//! Input: for each of n points its nearest others ([`Neighbourhoods`]) and a first place on the plane. Output: places that
//! minimise the Kullback-Leibler divergence between the neighbourhoods and those of the plane (van der Maaten and Hinton
//! 2008), by gradient descent. Repulsion is approximated by Barnes and Hut's tree (van der Maaten 2014), which takes
//! n log n steps instead of n²; the schedule is that of Belkina et al. 2019.
//!
//! The same input gives the same places for any number of threads: each point's forces are summed by one thread in one
//! order, and sums over points are taken in the order of points.

mod affinity;
mod descend;
mod quadtree;

pub use affinity::{Affinities, Neighbourhoods};
pub use descend::{Embedding, embed};

/// What the descent is told. The values are those of openTSNE 1.0, so that maps can be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TsneParams {
    /// About how many neighbours a point has: 2 to the power of the entropy of its affinities.
    pub perplexity: f64,
    /// Steps with exaggerated attraction: clusters form.
    pub early_steps: u32,
    /// Steps after that: clusters find their shape.
    pub late_steps: u32,
    /// What attraction is multiplied by in the early steps.
    pub early_exaggeration: f64,
    /// A cell of the tree counts as one point when its side is less than this share of its distance.
    pub angle: f64,
    /// Separates points whose first places are equal.
    pub seed: u64,
}

impl Default for TsneParams {
    fn default() -> Self {
        Self { perplexity: 30.0, early_steps: 250, late_steps: 500, early_exaggeration: 12.0, angle: 0.5, seed: 1 }
    }
}

impl TsneParams {
    /// Returns how many steps the descent takes.
    pub fn steps(&self) -> u64 {
        u64::from(self.early_steps) + u64::from(self.late_steps)
    }

    /// Returns how many neighbours of each of `points` points are looked at: three times the perplexity, beyond which
    /// affinities vanish (van der Maaten 2014, section 3.1), and never more than there are others.
    pub fn neighbours(&self, points: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number; saturates"
        )]
        let wanted = (3.0 * self.perplexity) as usize;
        wanted.max(1).min(points.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests;
