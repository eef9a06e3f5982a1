//! From neighbours to a relative need: what one set of weighted, named workloads says about one resource.

use super::need::{Anchor, Need, Resource};
use super::quantile::{Observed, upper_quantile};
use super::ranked::Weighted;

/// Quantiles of the neighbours' needs that an answer can start from; calibration picks one by what it would have
/// wasted on the store (`docs/methods.md`).
pub(super) const BASES: [f64; 4] = [0.5, 0.8, 0.9, 0.98];

/// Added to the spread of ln(need / level) among neighbours: neighbours that agree by chance are not that sure (ours).
const LEAST_SPREAD: f64 = 0.1;

/// Fewest neighbours with a need for an estimate.
const LEAST_NEIGHBOURS: usize = 3;

/// What neighbours say about one resource relative to one anchor, as logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Relative {
    /// Weighted upper quantiles at [`BASES`].
    pub(super) bases: [f64; BASES.len()],
    /// Weighted standard deviation plus [`LEAST_SPREAD`].
    pub(super) spread: f64,
}

/// What neighbours say about one resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Local {
    /// By anchor, in the order of [`Anchor::ALL`]; nothing where a neighbour lacks it.
    pub(super) relative: [Option<Relative>; 3],
    /// Weighted mean of need / level itself.
    pub(super) mean_ratio: f64,
    /// Share of the weight whose needs are lower bounds.
    pub(super) at_least: f64,
}

/// Returns what the neighbours, whose needs of the resource `need_of` gives by row, say; nothing with fewer than three needs.
pub(super) fn local(
    need_of: impl Fn(u32) -> Option<Need>,
    neighbours: &[Weighted],
    resource: Resource,
    floor: f64,
) -> Option<Local> {
    let needs: Vec<(Need, f64)> = neighbours
        .iter()
        .filter_map(|neighbour| Some((need_of(neighbour.row)?, neighbour.shares[resource as usize])))
        .collect();
    let total: f64 = needs.iter().map(|(_, weight)| weight).sum();
    if needs.len() < LEAST_NEIGHBOURS.min(neighbours.len()) || needs.is_empty() || total <= 0.0 {
        return None;
    }
    Some(Local {
        relative: Anchor::ALL.map(|anchor| relative(&needs, total, anchor, floor)),
        mean_ratio: needs.iter().map(|(need, weight)| weight / total * (need.need / need.level)).sum(),
        at_least: needs.iter().filter(|(need, _)| need.at_least).map(|(_, weight)| weight / total).sum(),
    })
}

fn relative(needs: &[(Need, f64)], total: f64, anchor: Anchor, floor: f64) -> Option<Relative> {
    let observed = |&(need, weight): &(Need, f64)| {
        Some(Observed { value: need.relative(anchor, floor)?, weight: weight / total, at_least: need.at_least })
    };
    let mut observed: Vec<Observed> = needs.iter().map(observed).collect::<Option<_>>()?;
    let mean = observed.iter().map(|one| one.weight * one.value).sum::<f64>();
    let variance = observed.iter().map(|one| one.weight * (one.value - mean).powi(2)).sum::<f64>();
    let mut bases = [0.0; BASES.len()];
    for (base, share) in bases.iter_mut().zip(BASES) {
        *base = upper_quantile(&mut observed, share)?.value;
    }
    Some(Relative { bases, spread: variance.max(0.0).sqrt() + LEAST_SPREAD })
}

/// Returns an allocation in the store's units: the anchor's `reference` × exp(`log_ratio`), at least the floor and, for
/// a resource that kills, at least the level.
pub(super) fn allocation(resource: Resource, reference: f64, level: f64, floor: f64, log_ratio: f64) -> f64 {
    let level = level.max(floor);
    let raw = reference * log_ratio.exp();
    if resource.is_hard() { raw.max(level) } else { raw.max(floor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(level: f64, need: f64, request: Option<f64>) -> Need {
        Need { level, request, need, at_least: false }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }

    #[test]
    fn the_worked_example_of_the_protocol() {
        // Test vector E10: (P, l, w) = (2, 1, .5), (3, 2, .3), (1.2, 1, .2).
        let rows = [row(1.0, 2.0, Some(4.0)), row(2.0, 3.0, Some(4.0)), row(1.0, 1.2, None)];
        let neighbours: Vec<Weighted> = (0_u32..)
            .zip([0.5, 0.3, 0.2])
            .map(|(row, share)| Weighted { row, distance: 1.0, similarity: None, shares: [share; 3] })
            .collect();
        let local = local(|row| Some(rows[row as usize]), &neighbours, Resource::Memory, 0.1).unwrap();
        let level = local.relative[Anchor::Level as usize].unwrap();
        near(local.mean_ratio, 1.69);
        near(level.bases[2].exp(), 2.0);
        near(level.bases[0].exp(), 1.5);
        near(allocation(Resource::Memory, 4.0, 4.0, 0.1, 1.69_f64.ln()), 6.76);
        // Needs of 2, 3 and 1.2 as they are, in floors; not all neighbours have a request.
        near(local.relative[Anchor::Absolute as usize].unwrap().bases[2].exp() * 0.1, 3.0);
        assert_eq!(local.relative[Anchor::Request as usize], None);
    }

    #[test]
    fn memory_never_falls_below_what_was_used_but_cpu_may() {
        near(allocation(Resource::Memory, 4.0, 4.0, 0.1, -1.0), 4.0);
        near(allocation(Resource::Cpu, 4.0, 4.0, 0.1, 0.5_f64.ln()), 2.0);
        near(allocation(Resource::Cpu, 0.01, 0.0, 0.01, -1.0), 0.01);
    }
}
