//! From left-out workloads to a margin: which anchor and base an answer starts from, and how much is added so that it covers.

use serde::{Deserialize, Serialize};

use super::estimate::{BASES, Relative, allocation};
use super::need::{Anchor, Need, Resource};
use super::quantile::{Observed, Quantile, lower_rank_share, upper_quantile, upper_rank_share};
use super::ranked::Breadth;

/// Anchor and base of an answer are chosen at the next of these coverages, the highest for what lies above (ours). Between
/// two of them the choice stays, so a higher coverage gives more; the ladder takes the larger answer across them.
pub(super) const CHOSEN_AT: [f64; 6] = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99];

/// One stored workload left out: what the others said by breadth and anchor, and what was true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Case {
    pub(super) need: Need,
    pub(super) said: [[Option<Relative>; 3]; 2],
    /// Whether the store holds enough other instances of its application to answer for it.
    pub(super) recurring: bool,
}

/// One case seen through one breadth and anchor.
#[derive(Debug, Clone, Copy)]
struct Seen {
    need: Need,
    reference: f64,
    said: Relative,
}

impl Case {
    fn through(&self, breadth: Breadth, anchor: Anchor, floor: f64) -> Option<Seen> {
        let reference = anchor.reference(self.need.level, self.need.request, floor)?;
        Some(Seen { need: self.need, reference, said: self.said[breadth as usize][anchor as usize]? })
    }

    /// Returns what a choice would have allocated.
    fn allocated(&self, tuned: &Tuned, resource: Resource, floor: f64) -> Option<f64> {
        Some(self.through(tuned.way.breadth, tuned.way.anchor, floor)?.allocated(
            resource,
            floor,
            tuned.way,
            tuned.margin.value,
        ))
    }

    /// Returns whether that would have been enough.
    fn is_covered(&self, tuned: &Tuned, resource: Resource, floor: f64) -> bool {
        self.allocated(tuned, resource, floor).is_some_and(|allocated| allocated >= self.need.need)
    }
}

impl Seen {
    fn allocated(&self, resource: Resource, floor: f64, way: Way, margin: f64) -> f64 {
        allocation(resource, self.reference, self.need.level, floor, way.log_ratio(&self.said, margin))
    }

    fn residual(&self, way: Way) -> Observed {
        let relative = (self.need.need / self.reference).ln();
        let value = (relative - self.said.bases[way.base]) / way.unit.of(&self.said);
        Observed { value, weight: 1.0, at_least: self.need.at_least }
    }
}

/// What a margin is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unit {
    /// The spread among the neighbours: who has neighbours that disagree gets more.
    Spread,
    /// The same for everybody: how far neighbours disagree does not tell how far off they are.
    Same,
}

impl Unit {
    const ALL: [Self; 2] = [Self::Spread, Self::Same];

    const fn of(self, said: &Relative) -> f64 {
        match self {
            Self::Spread => said.spread,
            Self::Same => 1.0,
        }
    }
}

/// How neighbours become an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Way {
    /// How many neighbours are asked.
    pub(super) breadth: Breadth,
    /// What the need is relative to.
    pub(super) anchor: Anchor,
    /// Position in [`BASES`].
    pub(super) base: usize,
    /// What the margin is counted in.
    pub(super) unit: Unit,
}

impl Way {
    /// Returns ln(need / reference) with a margin.
    pub(super) fn log_ratio(self, said: &Relative, margin: f64) -> f64 {
        said.bases[self.base] + margin * self.unit.of(said)
    }
}

/// How an estimate becomes an allocation at one coverage: ln(need / reference) = base + margin × unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Tuned {
    /// How neighbours become an answer.
    pub(super) way: Way,
    /// The margin in its unit.
    pub(super) margin: Quantile,
    /// The margins of the interval's ends; nothing where the store holds too few workloads.
    pub(super) interval: Option<(f64, f64)>,
}

impl Tuned {
    /// Returns whether this can have been chosen.
    pub(super) const fn is_possible(&self) -> bool {
        self.way.base < BASES.len()
    }
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

/// Returns the margin at this coverage, and those of the interval's ends, for the way that wastes least. `lower` are the choices of lower coverages, below whose answers none of a higher one falls: what they cover
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
    let way = least_wasteful(cases, resource, floor, next, has_request)?;
    let seen: Vec<(&Case, Observed)> = cases
        .iter()
        .filter_map(|case| Some((case, case.through(way.breadth, way.anchor, floor)?.residual(way))))
        .collect();
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
    Some(Tuned { way, margin, interval })
}

/// Returns the way that would have wasted least on the left-out workloads, each at the margin that
/// covers them at this coverage.
fn least_wasteful(cases: &[Case], resource: Resource, floor: f64, coverage: f64, has_request: bool) -> Option<Way> {
    let mut best: Option<(f64, Way)> = None;
    let anchors = Anchor::ALL.into_iter().filter(|anchor| has_request || *anchor != Anchor::Request);
    for (anchor, breadth) in anchors.flat_map(|anchor| Breadth::ALL.map(|breadth| (anchor, breadth))) {
        let seen: Vec<Seen> = cases.iter().filter_map(|case| case.through(breadth, anchor, floor)).collect();
        if (seen.len() as f64) < USUAL * cases.len() as f64 {
            continue;
        }
        for (base, unit) in (0..BASES.len()).flat_map(|base| Unit::ALL.map(|unit| (base, unit))) {
            let way = Way { breadth, anchor, base, unit };
            let mut residuals: Vec<Observed> = seen.iter().map(|case| case.residual(way)).collect();
            // Of too few workloads for that coverage, all are covered.
            let share = upper_rank_share(&residuals, coverage).unwrap_or(1.0);
            let Some(margin) = upper_quantile(&mut residuals, share) else { continue };
            let wastes: Vec<f64> = seen
                .iter()
                .filter(|case| !case.need.at_least || margin.at_least)
                .map(|case| (case.allocated(resource, floor, way, margin.value) - case.need.need).max(0.0))
                .collect();
            let waste = wastes.iter().sum::<f64>() / wastes.len().max(1) as f64;
            if best.is_none_or(|(least, _)| waste < least) {
                best = Some((waste, way));
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
        Case { need, said: [[said, None, None]; 2], recurring: false }
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
                Case { said: [[said, None, None]; 2], ..case(1.0, need, 0.0, 0.5) }
            })
            .collect();
        let margin = Quantile { value: 1e-9, at_least: false };
        let way = Way { breadth: Breadth::Narrow, anchor: Anchor::Level, base: 3, unit: Unit::Spread };
        let lower = Tuned { way, margin, interval: None };
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
                Case { said: [[said, None, None]; 2], ..case(1.0, (truth + 1e-3).exp(), 0.0, 0.1) }
            })
            .collect();
        assert_eq!(tune(&cases, Resource::Memory, 0.1, 0.95, false, &[]).unwrap().way.base, 2);
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
                Case { need, said: [[flat(2.0), flat(0.5_f64.ln()), flat(3.0)]; 2], recurring: false }
            })
            .collect();
        let anchor = |has_request| tune(&cases, Resource::Memory, 0.1, 0.95, has_request, &[]).unwrap().way.anchor;
        assert_eq!(anchor(true), Anchor::Request);
        assert_ne!(anchor(false), Anchor::Request);
    }

    /// Ninety-nine cases that differ in what was said.
    fn cases(of: impl Fn(u32) -> ([Relative; 2], f64)) -> Vec<Case> {
        let one = |at: u32| {
            let (said, need) = of(at);
            Case { said: said.map(|said| [Some(said), None, None]), ..case(1.0, need, 0.0, 0.1) }
        };
        (1..=99).map(one).collect()
    }

    fn flat(base: f64, spread: f64) -> Relative {
        Relative { bases: [base; BASES.len()], spread }
    }

    #[test]
    fn a_spread_that_tells_nothing_of_the_error_does_not_blow_up_answers() {
        // Needs up to e times the base, whether neighbours agree or not: in spreads the margin would be that of those who agree.
        let spread = |at: u32| if at.is_multiple_of(2) { 0.1 } else { 3.0 };
        let cases = cases(|at| ([flat(0.0, spread(at)); 2], (f64::from(at * 37 % 100) / 100.0).exp()));
        let tuned = tune(&cases, Resource::Memory, 0.1, 0.95, false, &[]).unwrap();
        assert_eq!(tuned.way.unit, Unit::Same);
        let largest = cases.iter().filter_map(|case| case.allocated(&tuned, Resource::Memory, 0.1)).fold(0.0, f64::max);
        assert!(largest < 1.0_f64.exp(), "{largest}");
        // Where it does tell, it is what margins are counted in.
        let cases =
            self::cases(|at| ([flat(0.0, spread(at)); 2], (spread(at) * f64::from(at * 37 % 100) / 100.0).exp()));
        assert_eq!(tune(&cases, Resource::Memory, 0.1, 0.95, false, &[]).unwrap().way.unit, Unit::Spread);
    }

    #[test]
    fn as_many_neighbours_are_asked_as_tell_most() {
        let truth = |at: u32| f64::from(at % 10) / 5.0;
        let noise = |at: u32| f64::from(at * 37 % 100) / 50.0 - 1.0;
        for (narrow, wide, expected) in [(0.0, 1.0, Breadth::Narrow), (1.0, 0.0, Breadth::Wide)] {
            let said = |at: u32| [narrow, wide].map(|of| flat(truth(at) + of * noise(at), 0.1));
            let cases = cases(|at| (said(at), truth(at).exp()));
            assert_eq!(tune(&cases, Resource::Memory, 0.1, 0.95, false, &[]).unwrap().way.breadth, expected);
        }
        // Where they tell the same, no more are asked than were asked for.
        let cases = cases(|at| ([flat(0.0, 0.1); 2], truth(at).exp()));
        assert_eq!(tune(&cases, Resource::Memory, 0.1, 0.95, false, &[]).unwrap().way.breadth, Breadth::Narrow);
    }
}
