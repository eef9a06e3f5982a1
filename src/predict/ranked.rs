//! Who may answer, in order, and with what shares the first few of them do.

use serde::{Deserialize, Serialize};

use super::NeighbourCount;

/// On how many workloads an answer rests: see [`NeighbourCount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Breadth {
    /// The fewer.
    Narrow,
    /// The more.
    Wide,
}

impl Breadth {
    /// Both, in the order of arrays over breadths.
    pub(super) const ALL: [Self; 2] = [Self::Narrow, Self::Wide];

    /// Returns its name in files.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Narrow => "narrow",
            Self::Wide => "wide",
        }
    }

    /// Returns how many workloads answer.
    pub(super) const fn of(self, count: NeighbourCount) -> usize {
        match self {
            Self::Narrow => count.few(),
            Self::Wide => count.many(),
        }
    }
}

/// One stored workload in an answer, with its shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weighted {
    pub(super) row: u32,
    /// Distance of its fingerprint.
    pub(super) distance: f64,
    /// Learned similarity, the mean over memory and CPU; nothing where shares follow the distance or are equal.
    pub(super) similarity: Option<f64>,
    /// Share in the answer about each resource, in the order of [`super::need::Resource::ALL`]; each sums to 1.
    pub(super) shares: [f64; 3],
}

/// Learned similarity of one stored workload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likeness {
    /// The mean over memory and CPU, by which workloads are put in order.
    pub(super) mean: f64,
    /// By resource.
    pub(super) of: [f64; 3],
}

/// Stored workloads (row, distance) in the order in which they are asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranked {
    rows: Vec<(u32, f64)>,
    weighting: Weighting,
}

#[derive(Debug, Clone, PartialEq)]
enum Weighting {
    Distance,
    Equal,
    Learned(Vec<Likeness>),
}

impl Ranked {
    /// Ranks by distance: `found` is nearest first.
    pub(super) const fn by_distance(found: Vec<(u32, f64)>) -> Self {
        Self { rows: found, weighting: Weighting::Distance }
    }

    /// Takes them as they come, all alike.
    pub(super) const fn equally(drawn: Vec<(u32, f64)>) -> Self {
        Self { rows: drawn, weighting: Weighting::Equal }
    }

    /// Ranks by learned similarity, most similar first.
    pub(super) fn learned(ranked: impl Iterator<Item = ((u32, f64), Likeness)>) -> Self {
        let (rows, likeness) = ranked.unzip();
        Self { rows, weighting: Weighting::Learned(likeness) }
    }

    /// Returns the first `count` with shares that sum to 1: equal, or proportional to the squared similarity, or to
    /// 1 / (d + D/4) with D the largest distance among them, so that they do not depend on the unit of distance, and a copy
    /// does not silence the others.
    pub(super) fn first(&self, count: usize) -> Vec<Weighted> {
        let rows = &self.rows[..count.min(self.rows.len())];
        let raw: Vec<[f64; 3]> = match &self.weighting {
            Weighting::Equal => vec![[1.0; 3]; rows.len()],
            Weighting::Distance => {
                let farthest = rows.iter().fold(0.0_f64, |farthest, &(_, distance)| farthest.max(distance));
                let weight = |distance: f64| if farthest > 0.0 { 1.0 / (distance + farthest / 4.0) } else { 1.0 };
                rows.iter().map(|&(_, distance)| [weight(distance); 3]).collect()
            }
            Weighting::Learned(likeness) => {
                let squares: Vec<[f64; 3]> =
                    likeness[..rows.len()].iter().map(|one| one.of.map(|similarity| similarity.powi(2))).collect();
                // A resource in which nobody is similar: all count alike.
                let is_nothing: [bool; 3] = std::array::from_fn(|at| squares.iter().all(|of| of[at] <= 0.0));
                let filled = |of: [f64; 3]| std::array::from_fn(|at| if is_nothing[at] { 1.0 } else { of[at] });
                squares.into_iter().map(filled).collect()
            }
        };
        let totals: [f64; 3] = std::array::from_fn(|at| raw.iter().map(|of| of[at]).sum());
        let similarity = |at: usize| match &self.weighting {
            Weighting::Learned(likeness) => likeness.get(at).map(|one| one.mean),
            Weighting::Distance | Weighting::Equal => None,
        };
        let one = |(at, (&(row, distance), raw)): (usize, (&(u32, f64), &[f64; 3]))| Weighted {
            row,
            distance,
            similarity: similarity(at),
            shares: std::array::from_fn(|resource| raw[resource] / totals[resource]),
        };
        rows.iter().zip(&raw).enumerate().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }

    #[test]
    fn shares_fall_with_distance_whatever_its_unit() {
        let shares = |found: &[(u32, f64)]| Ranked::by_distance(found.to_vec()).first(found.len());
        let near_and_far = shares(&[(0, 0.0), (1, 1.0), (2, 2.0)]);
        let scaled = shares(&[(0, 0.0), (1, 1000.0), (2, 2000.0)]);
        near(near_and_far.iter().map(|one| one.shares[0]).sum(), 1.0);
        for (a, b) in near_and_far.iter().zip(&scaled) {
            near(a.shares[0], b.shares[0]);
        }
        assert!(near_and_far.windows(2).all(|pair| pair[0].shares[0] > pair[1].shares[0]));
        // Copies of the newcomer share equally.
        near(shares(&[(0, 0.0), (1, 0.0)])[0].shares[0], 0.5);
    }

    #[test]
    fn the_first_few_share_among_themselves() {
        let likeness = |mean: f64| Likeness { mean, of: [mean, mean / 2.0, 0.0] };
        let ranked = Ranked::learned(
            [((7, 1.0), likeness(0.8)), ((3, 0.5), likeness(0.4)), ((5, 2.0), likeness(0.4))].into_iter(),
        );
        let two = ranked.first(2);
        assert_eq!(two.iter().map(|one| one.row).collect::<Vec<_>>(), [7, 3]);
        near(two[0].shares[0], 0.8);
        near(two[1].shares[1], 0.2);
        // Where nobody is similar, all count alike.
        near(two[0].shares[2], 0.5);
        assert_eq!(two[1].similarity, Some(0.4));
        near(ranked.first(99)[0].shares[0], 0.64 / 0.96);
    }
}
