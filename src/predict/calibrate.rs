//! Leave-one-out over the store: what the estimator would have said about each stored workload from the others, and how
//! far its need lay from that. This is what makes a coverage mean what it says (`docs/methods.md`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use crate::index::{Metric, NearestNeighbours};

use super::draw::{drawn, sample};
use super::estimate::{BASES, Local, Relative, Weighted, allocation, equally, local};
use super::knowledge::{Knowledge, Space};
use super::need::{Anchor, Need, Resource};
use super::quantile::{Observed, Quantile, lower_rank_share, upper_quantile, upper_rank_share};
use super::{DistanceMetric, PredictError, Question, Similarity};

/// Most stored workloads that are left out in turn; of more, these many are drawn by a hash of their names. With 2,000
/// the standard error of a coverage of 95 % is half a percent.
pub(super) const MOST_CASES: usize = 2000;

/// Fewest earlier instances that answer for an application (ours).
pub(super) const LEAST_INSTANCES: usize = 5;

/// Anchor and base of an answer are chosen at the next of these coverages, the highest for what lies above (ours). Between
/// two of them the choice stays, so a higher coverage gives more; the ladder takes the larger answer across them.
const CHOSEN_AT: [f64; 6] = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99];

/// What a calibration depends on, beside the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CalibrationKey {
    k: usize,
    is_cosine: bool,
    weights: Option<[u64; 5]>,
    similarity: Similarity,
    absent: Vec<usize>,
    is_random: bool,
}

impl CalibrationKey {
    /// Returns the key of a question.
    pub(super) fn of(question: &Question, absent: &[usize], is_random: bool) -> Self {
        let bits = |weights: super::ResourceWeights| {
            [weights.cpu, weights.memory, weights.network, weights.disk, weights.facts].map(f64::to_bits)
        };
        Self {
            k: question.k,
            is_cosine: question.metric == DistanceMetric::Cosine,
            weights: question.weights.map(bits),
            similarity: question.similarity,
            absent: absent.to_vec(),
            is_random,
        }
    }
}

/// Where neighbours were looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// In the whole store.
    Store,
    /// Among instances of the same application.
    Application,
}

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

/// Scope, resource, bits of the coverage, and whether the newcomer has a request.
type TunedKey = (Scope, Resource, u64, bool);

/// The same, and whether only workloads that recur are looked at.
type WasteKey = (TunedKey, bool);

/// The result of leaving stored workloads out, for one way to choose neighbours.
#[derive(Debug, Default)]
pub(super) struct Calibration {
    /// Distance of each left-out workload to its nearest, ascending.
    pub(super) distances: Vec<f64>,
    /// By scope and resource.
    pub(super) cases: BTreeMap<(Scope, Resource), Vec<Case>>,
    tuned: Mutex<BTreeMap<TunedKey, Option<Tuned>>>,
    wastes: Mutex<BTreeMap<WasteKey, Option<f64>>>,
}

impl Calibration {
    /// Puts stored results together.
    pub(super) fn new(mut distances: Vec<f64>, cases: BTreeMap<(Scope, Resource), Vec<Case>>) -> Self {
        distances.sort_by(f64::total_cmp);
        Self { distances, cases, tuned: Mutex::default(), wastes: Mutex::default() }
    }

    /// Leaves workloads out in turn.
    pub(super) fn run(
        knowledge: &Knowledge,
        space: &Space,
        question: &Question,
        absent: &[usize],
        is_random: bool,
    ) -> Result<Self, PredictError> {
        let compared = Compared {
            knowledge,
            space,
            question,
            absent,
            metric: knowledge.metric(space, question, absent)?,
            is_random,
        };
        let one = |row: u32, scope: Scope| compared.leave_out(row, scope);
        let all = sample((0..knowledge.count()).collect(), &knowledge.rows, MOST_CASES);
        let mut recurring: Vec<u32> =
            knowledge.by_application.values().filter(|rows| rows.len() > LEAST_INSTANCES).flatten().copied().collect();
        recurring.sort_unstable();
        let drawn = sample(recurring.clone(), &knowledge.rows, MOST_CASES);
        let is_recurring = |row: u32| recurring.binary_search(&row).is_ok();
        let mut distances = Vec::new();
        let mut cases: BTreeMap<(Scope, Resource), Vec<Case>> = BTreeMap::new();
        for (scope, rows) in [(Scope::Store, all), (Scope::Application, drawn)] {
            let left_out: Vec<_> = rows.par_iter().map(|&row| one(row, scope)).collect();
            for outcome in left_out {
                let Some((nearest, locals)) = outcome? else { continue };
                if scope == Scope::Store {
                    distances.push(nearest.0);
                }
                for (resource, local) in Resource::ALL.into_iter().zip(locals) {
                    let need = knowledge.rows.get(nearest.1 as usize).and_then(|row| row.needs[resource as usize]);
                    if let Some((local, need)) = local.zip(need) {
                        let case = Case { need, said: local.relative, recurring: is_recurring(nearest.1) };
                        cases.entry((scope, resource)).or_default().push(case);
                    }
                }
            }
        }
        Ok(Self::new(distances, cases))
    }

    /// Returns the share of left-out workloads that were nearer to their nearest than `distance`.
    pub(super) fn novelty(&self, distance: f64) -> Option<f64> {
        let nearer = self.distances.partition_point(|&known| known < distance);
        (!self.distances.is_empty()).then(|| nearer as f64 / self.distances.len() as f64)
    }

    /// Returns how estimates of a scope become allocations at this coverage, for newcomers with or without a request;
    /// nothing where the store holds too few.
    pub(super) fn tuned(
        &self,
        scope: Scope,
        resource: Resource,
        floor: f64,
        coverage: f64,
        has_request: bool,
    ) -> Option<Tuned> {
        let key = (scope, resource, coverage.to_bits(), has_request);
        if let Ok(known) = self.tuned.lock()
            && let Some(tuned) = known.get(&key)
        {
            return *tuned;
        }
        let lower: Vec<Tuned> = choices_below(coverage)
            .filter_map(|lower| self.tuned(scope, resource, floor, lower, has_request))
            .collect();
        let cases = self.cases.get(&(scope, resource));
        let tuned = cases.and_then(|cases| tune(cases, resource, floor, coverage, has_request, &lower));
        if let Ok(mut known) = self.tuned.lock() {
            known.insert(key, tuned);
        }
        tuned
    }

    /// Returns what answers of a scope would have wasted on the left-out workloads (those that recur, if so asked) at a
    /// coverage, the mean in units of the resource; nothing where the store holds too few. What is only a lower bound is left aside.
    pub(super) fn waste(
        &self,
        scope: Scope,
        resource: Resource,
        floor: f64,
        coverage: f64,
        has_request: bool,
        recurring: bool,
    ) -> Option<f64> {
        let key = ((scope, resource, coverage.to_bits(), has_request), recurring);
        if let Ok(known) = self.wastes.lock()
            && let Some(&waste) = known.get(&key)
        {
            return waste;
        }
        let tuned = |coverage| self.tuned(scope, resource, floor, coverage, has_request);
        let waste = tuned(coverage).zip(self.cases.get(&(scope, resource))).and_then(|(highest, cases)| {
            let choices: Vec<Tuned> =
                std::iter::once(highest).chain(choices_below(coverage).filter_map(tuned)).collect();
            wasted(cases, &choices, resource, floor, recurring)
        });
        if let Ok(mut known) = self.wastes.lock() {
            known.insert(key, waste);
        }
        waste
    }
}

/// Returns what the largest of the choices would have wasted on the cases, the mean.
fn wasted(cases: &[Case], choices: &[Tuned], resource: Resource, floor: f64, recurring: bool) -> Option<f64> {
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
fn tune(
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

/// (distance to the nearest, row left out), and what the others say by resource.
type LeftOut = ((f64, u32), [Option<Local>; 3]);

/// How stored workloads are compared while one is left out.
struct Compared<'a> {
    knowledge: &'a Knowledge,
    space: &'a Space,
    question: &'a Question,
    absent: &'a [usize],
    metric: Metric,
    is_random: bool,
}

impl Compared<'_> {
    /// Returns what the other workloads say about `row`; nothing if there are none.
    fn leave_out(&self, row: u32, scope: Scope) -> Result<Option<LeftOut>, PredictError> {
        let Self { knowledge, space, question, .. } = self;
        let Some(own) = knowledge.rows.get(row as usize) else { return Ok(None) };
        let query = knowledge.place(space, question, &own.features, self.absent)?;
        let others: Option<Vec<u32>> = match scope {
            Scope::Store => None,
            Scope::Application => Some(knowledge.siblings(row)),
        };
        let searched = if self.is_random { 1 } else { Knowledge::searched(question) };
        let nearest = match &others {
            None => space.index.nearest(&query, searched, &self.metric, &|other| other != row)?,
            Some(others) => space.index.nearest_of(others, &query, searched, &self.metric)?,
        };
        let Some(first) = nearest.first() else { return Ok(None) };
        let neighbours: Vec<Weighted> = if self.is_random {
            let (name, k) = (own.name(), question.k);
            let drawn = match &others {
                None => drawn(0, &name, (0..knowledge.count()).filter(|&other| other != row), k),
                Some(others) => drawn(0, &name, others.iter().copied(), k),
            };
            equally(&drawn)
        } else {
            let found: Vec<(u32, f64)> = nearest.iter().map(|found| (found.row, found.distance)).collect();
            knowledge.choose(space, question, &own.features, self.absent, &found, Some(row))
        };
        let floors = knowledge.floors();
        let locals =
            Resource::ALL.map(|resource| local(&knowledge.rows, &neighbours, resource, resource.floor(floors)));
        Ok(Some(((first.distance, row), locals)))
    }
}

impl Knowledge {
    /// Returns the calibration of a question, made now if it was not asked before.
    pub(super) fn calibration(
        &self,
        space: &Space,
        question: &Question,
        absent: &[usize],
        is_random: bool,
    ) -> Result<Arc<Calibration>, PredictError> {
        let question =
            Question { weights: question.weights.filter(|weights| *weights != self.params.weights), ..*question };
        let key = CalibrationKey::of(&question, absent, is_random);
        if let Ok(known) = self.calibrations.lock()
            && let Some(calibration) = known.get(&key)
        {
            return Ok(Arc::clone(calibration));
        }
        // Two threads may both do the work; they get the same result.
        let made = Arc::new(Calibration::run(self, space, &question, absent, is_random)?);
        if let Ok(mut known) = self.calibrations.lock() {
            known.insert(key, Arc::clone(&made));
        }
        Ok(made)
    }
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
