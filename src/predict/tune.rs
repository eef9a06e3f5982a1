//! From left-out workloads to a margin: which anchor and base an answer starts from, and how much is added so that it covers.

use super::estimate::{BASES, Relative, allocation};
use super::need::{Anchor, Need, Resource};
use super::quantile::{Observed, Quantile, lower_rank_share, upper_quantile, upper_rank_share};

/// Anchor and base of an answer are chosen at the next of these coverages, the highest for what lies above (ours). Between
/// two of them the choice stays, so a higher coverage gives more; the ladder takes the larger answer across them.
const CHOSEN_AT: [f64; 6] = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99];

/// One stored workload left out: what the others said by anchor, and what was true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Case {
    pub(super) need: Need,
    pub(super) said: [Option<Relative>; 3],
    /// Whether the store holds enough other instances of its application to answer for it.
    pub(super) recurring: bool,
}

/// One case seen through one anchor.
#[derive(Debug, Clone, Copy)]
struct Seen {
    need: Need,
    reference: f64,
    said: Relative,
}

impl Case {
    fn through(&self, anchor: Anchor, floor: f64) -> Option<Seen> {
        let reference = anchor.reference(self.need.level, self.need.request, floor)?;
        Some(Seen { need: self.need, reference, said: self.said[anchor as usize]? })
    }

    /// Returns what a choice would have allocated.
    fn allocated(&self, tuned: &Tuned, resource: Resource, floor: f64) -> Option<f64> {
        Some(self.through(tuned.anchor, floor)?.allocated(resource, floor, tuned.base, tuned.margin.value))
    }

    /// Returns whether that would have been enough.
    fn is_covered(&self, tuned: &Tuned, resource: Resource, floor: f64) -> bool {
        self.allocated(tuned, resource, floor).is_some_and(|allocated| allocated >= self.need.need)
    }
}

impl Seen {
    fn allocated(&self, resource: Resource, floor: f64, base: usize, margin: f64) -> f64 {
        let ratio = self.said.bases[base] + margin * self.said.spread;
        allocation(resource, self.reference, self.need.level, floor, ratio)
    }

    fn residual(&self, base: usize) -> Observed {
        let relative = (self.need.need / self.reference).ln();
        let value = (relative - self.said.bases[base]) / self.said.spread;
        Observed { value, weight: 1.0, at_least: self.need.at_least }
    }
}

/// How an estimate becomes an allocation at one coverage: ln(need / reference) = base + margin × spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tuned {
    /// What the need is relative to.
    pub(super) anchor: Anchor,
    /// Position in [`BASES`].
    pub(super) base: usize,
    /// The margin in spreads.
    pub(super) margin: Quantile,
    /// The margins of the interval's ends; nothing where the store holds too few workloads.
    pub(super) interval: Option<(f64, f64)>,
}

/// Returns what the largest of the choices would have wasted on the cases, the mean.
pub(super) fn wasted(
    cases: &[Case],
    choices: &[Tuned],
    resource: Resource,
    floor: f64,
    recurring: bool,
) -> Option<f64> {
    let wastes: Vec<f64> = cases
        .iter()
        .filter(|case| !case.need.at_least && (case.recurring || !recurring))
        .filter_map(|case| {
            let largest = choices.iter().filter_map(|tuned| case.allocated(tuned, resource, floor)).reduce(f64::max)?;
            Some((largest - case.need.need).max(0.0))
        })
        .collect();
    (!wastes.is_empty()).then(|| wastes.iter().sum::<f64>() / wastes.len() as f64)
}

/// Returns the coverages below `coverage` up to which other choices hold.
pub(super) fn choices_below(coverage: f64) -> impl Iterator<Item = f64> {
    CHOSEN_AT.into_iter().filter(move |&chosen| chosen < coverage)
}

/// An anchor must be there for this share of the left-out workloads, or what it wastes on them says nothing (ours).
const USUAL: f64 = 0.9;

/// Returns the margin at this coverage, and those of the interval's ends, beside the anchor and above the base that
/// waste least. `lower` are the choices of lower coverages, below whose answers none of a higher one falls: what they cover
/// need not be covered by the margin.
pub(super) fn tune(
    cases: &[Case],
    resource: Resource,
    floor: f64,
    coverage: f64,
    has_request: bool,
    lower: &[Tuned],
) -> Option<Tuned> {
    let next = CHOSEN_AT.into_iter().find(|&chosen| coverage <= chosen).unwrap_or(CHOSEN_AT[CHOSEN_AT.len() - 1]);
    let (anchor, base) = least_wasteful(cases, resource, floor, next, has_request)?;
    let seen: Vec<(&Case, Observed)> =
        cases.iter().filter_map(|case| Some((case, case.through(anchor, floor)?.residual(base)))).collect();
    let mut residuals: Vec<Observed> = seen.iter().map(|(_, residual)| *residual).collect();
    let share = upper_rank_share(&residuals, coverage)?;
    // Anywhere below the margin does.
    let middle = upper_quantile(&mut residuals, 0.5)?.value;
    let mut left: Vec<Observed> = seen
        .iter()
        .map(|(case, residual)| {
            let is_covered = !residual.at_least && lower.iter().any(|tuned| case.is_covered(tuned, resource, floor));
            Observed { value: if is_covered { residual.value.min(middle) } else { residual.value }, ..*residual }
        })
        .collect();
    // Without what a lower choice covers, needs that are only lower bounds may ask for more; with it they do not.
    let margin = [upper_quantile(&mut residuals, share)?, upper_quantile(&mut left, share)?]
        .into_iter()
        .min_by(|one, other| one.value.total_cmp(&other.value))?;
    let tail = (1.0 - coverage) / 2.0;
    let ends = lower_rank_share(&residuals, tail).zip(upper_rank_share(&residuals, 1.0 - tail));
    let interval = ends.and_then(|(low, high)| {
        Some((upper_quantile(&mut residuals, low)?.value, upper_quantile(&mut residuals, high)?.value))
    });
    Some(Tuned { anchor, base, margin, interval })
}

/// Returns the anchor and the base that would have wasted least on the left-out workloads, each at the margin that covers
/// them at this coverage.
fn least_wasteful(
    cases: &[Case],
    resource: Resource,
    floor: f64,
    coverage: f64,
    has_request: bool,
) -> Option<(Anchor, usize)> {
    let mut best: Option<(f64, (Anchor, usize))> = None;
    for anchor in Anchor::ALL.into_iter().filter(|anchor| has_request || *anchor != Anchor::Request) {
        let seen: Vec<Seen> = cases.iter().filter_map(|case| case.through(anchor, floor)).collect();
        if (seen.len() as f64) < USUAL * cases.len() as f64 {
            continue;
        }
        for base in 0..BASES.len() {
            let mut residuals: Vec<Observed> = seen.iter().map(|case| case.residual(base)).collect();
            // Of too few workloads for that coverage, all are covered.
            let share = upper_rank_share(&residuals, coverage).unwrap_or(1.0);
            let Some(margin) = upper_quantile(&mut residuals, share) else { continue };
            let wastes: Vec<f64> = seen
                .iter()
                .filter(|case| !case.need.at_least || margin.at_least)
                .map(|case| (case.allocated(resource, floor, base, margin.value) - case.need.need).max(0.0))
                .collect();
            let waste = wastes.iter().sum::<f64>() / wastes.len().max(1) as f64;
            if best.is_none_or(|(least, _)| waste < least) {
                best = Some((waste, (anchor, base)));
            }
        }
    }
    best.map(|(_, chosen)| chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(level: f64, need: f64, base: f64, spread: f64) -> Case {
        let said = Some(Relative { bases: [base; BASES.len()], spread });
        let need = Need { level, request: None, need, at_least: false };
        Case { need, said: [said, None, None], recurring: false }
    }

    #[test]
    fn the_margin_covers_what_was_left_out() {
        // Residuals 1..=99 in tenths: at 95 % the 95th.
        let cases: Vec<Case> = (1..=99).map(|at| case(1.0, (f64::from(at) / 10.0 * 0.5).exp(), 0.0, 0.5)).collect();
        let tuned = tune(&cases, Resource::Memory, 0.1, 0.95, false, &[]).unwrap();
        assert!((tuned.margin.value - 9.5).abs() < 1e-9, "{tuned:?}");
        let (low, high) = tuned.interval.unwrap();
        assert!((low - 0.2).abs() < 1e-9 && (high - 9.8).abs() < 1e-9, "{tuned:?}");
        assert_eq!(tune(&cases[..18], Resource::Memory, 0.1, 0.95, false, &[]), None);
    }

    #[test]
    fn what_a_lower_coverage_covers_needs_no_margin() {
        // Residuals 1..=99 in tenths; a lower choice with base 3 covers the ten largest, so that 95 % are covered by what covers
        // 85 of the others: of 100 ranks, ten are taken from above the 85th.
        let cases: Vec<Case> = (1..=99)
            .map(|at| {
                let need = (f64::from(at) / 10.0 * 0.5).exp();
                let rescue = if at >= 90 { need.ln() } else { 0.0 };
                let said = Some(Relative { bases: [0.0, 0.0, 0.0, rescue], spread: 0.5 });
                Case { said: [said, None, None], ..case(1.0, need, 0.0, 0.5) }
            })
            .collect();
        let margin = Quantile { value: 1e-9, at_least: false };
        let lower = Tuned { anchor: Anchor::Level, base: 3, margin, interval: None };
        let alone = tune(&cases, Resource::Memory, 0.1, 0.95, false, &[]).unwrap();
        let beside = tune(&cases, Resource::Memory, 0.1, 0.95, false, &[lower]).unwrap();
        assert!(beside.margin.value < alone.margin.value, "{beside:?} {alone:?}");
        let covers = |case: &&Case| [alone, lower].iter().any(|tuned| case.is_covered(tuned, Resource::Memory, 0.1));
        assert!(cases.iter().filter(covers).count() > 95);
        let covers = |case: &&Case| [beside, lower].iter().any(|tuned| case.is_covered(tuned, Resource::Memory, 0.1));
        assert_eq!(cases.iter().filter(covers).count(), 95);
    }

    #[test]
    fn the_base_that_wastes_least_is_taken() {
        // Base 0 knows nothing, base 2 is exact but for one thousandth.
        let cases: Vec<Case> = (1..=99)
            .map(|at| {
                let truth = f64::from(at % 10) / 5.0;
                let said = Some(Relative { bases: [0.0, 0.0, truth, 0.0], spread: 0.1 });
                Case { said: [said, None, None], ..case(1.0, (truth + 1e-3).exp(), 0.0, 0.1) }
            })
            .collect();
        assert_eq!(tune(&cases, Resource::Memory, 0.1, 0.95, false, &[]).unwrap().base, 2);
    }

    #[test]
    fn the_anchor_that_tells_most_is_taken_if_the_newcomer_has_it() {
        // Levels say nothing of needs; everybody needs half of what was requested, give or take a thousandth.
        let flat = |base| Some(Relative { bases: [base; BASES.len()], spread: 0.1 });
        let cases: Vec<Case> = (1..=99)
            .map(|at| {
                let request = 1.0 + f64::from(at % 10);
                let need = request / 2.0 * (1.0 + f64::from(at % 7) * 1e-4);
                let need = Need { level: 0.2, request: Some(request), need, at_least: false };
                Case { need, said: [flat(2.0), flat(0.5_f64.ln()), flat(3.0)], recurring: false }
            })
            .collect();
        let anchor = |has_request| tune(&cases, Resource::Memory, 0.1, 0.95, has_request, &[]).unwrap().anchor;
        assert_eq!(anchor(true), Anchor::Request);
        assert_ne!(anchor(false), Anchor::Request);
    }
}
