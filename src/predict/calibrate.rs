//! Leave-one-out over the store: what the estimator would have said about each stored workload from the others, and how
//! far its need lay from that. This is what makes a coverage mean what it says (`docs/methods.md`).

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::index::{Metric, NearestNeighbours};

use super::alike::Asking;
use super::draw::{drawn, sample};
use super::estimate::{Local, local};
use super::knowledge::{Knowledge, Space};
use super::memo::Memo;
use super::need::{Remembered, Resource};
use super::ranked::{Breadth, Ranked};
use super::tune::{Case, Tuned, choices_below, tune, wasted};
use super::{DistanceMetric, NeighbourCount, PredictError, Question, Similarity};

/// Most stored workloads that are left out in turn; of more, these many are drawn by a hash of their names. With 2,000
/// the standard error of a coverage of 95 % is half a percent.
pub(super) const MOST_CASES: usize = 2000;

/// Workloads that are left out side by side: the trees are read once for all of them.
const TOGETHER: usize = 16;

/// Fewest earlier instances that answer for an application (ours).
pub(super) const LEAST_INSTANCES: usize = 5;

/// What a calibration depends on, beside the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CalibrationKey {
    k: NeighbourCount,
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
    tuned: Memo<TunedKey, Option<Tuned>>,
    wastes: Memo<WasteKey, Option<f64>>,
}

impl Calibration {
    /// Puts stored results together.
    pub(super) fn new(mut distances: Vec<f64>, cases: BTreeMap<(Scope, Resource), Vec<Case>>) -> Self {
        distances.sort_by(f64::total_cmp);
        Self { distances, cases, tuned: Memo::default(), wastes: Memo::default() }
    }

    /// Returns the same for answers that never rest on more than the fewer neighbours.
    fn of_the_few(&self) -> Self {
        let few = |case: &Case| Case { said: [case.said[Breadth::Narrow as usize]; 2], ..*case };
        let cases = self.cases.iter().map(|(&key, cases)| (key, cases.iter().map(few).collect())).collect();
        Self::new(self.distances.clone(), cases)
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
        let all = sample((0..knowledge.count()).collect(), &knowledge.rows, MOST_CASES);
        let mut recurring: Vec<u32> =
            knowledge.by_application.values().filter(|rows| rows.len() > LEAST_INSTANCES).flatten().copied().collect();
        recurring.sort_unstable();
        let drawn = sample(recurring.clone(), &knowledge.rows, MOST_CASES);
        let is_recurring = |row: u32| recurring.binary_search(&row).is_ok();
        let mut distances = Vec::new();
        let mut cases: BTreeMap<(Scope, Resource), Vec<Case>> = BTreeMap::new();
        for (scope, rows) in [(Scope::Store, all), (Scope::Application, drawn)] {
            let left_out: Vec<Result<Vec<LeftOut>, PredictError>> =
                rows.par_chunks(TOGETHER).map(|rows| compared.leave_out(rows, scope)).collect();
            let left_out: Vec<Vec<LeftOut>> = left_out.into_iter().collect::<Result<_, _>>()?;
            for (nearest, locals) in left_out.into_iter().flatten() {
                if scope == Scope::Store {
                    distances.push(nearest.0);
                }
                for resource in Resource::ALL {
                    let need = knowledge.rows.get(nearest.1 as usize).and_then(|row| row.needs[resource as usize]);
                    let said = locals.each_ref().map(|of| of[resource as usize].map(|local| local.relative));
                    if let ([Some(narrow), Some(wide)], Some(need)) = (said, need) {
                        let case = Case { need, said: [narrow, wide], recurring: is_recurring(nearest.1) };
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
        self.tuned.get_or((scope, resource, coverage.to_bits(), has_request), || {
            let lower: Vec<Tuned> = choices_below(coverage)
                .filter_map(|lower| self.tuned(scope, resource, floor, lower, has_request))
                .collect();
            tune(self.cases.get(&(scope, resource))?, resource, floor, coverage, has_request, &lower)
        })
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
        self.wastes.get_or(((scope, resource, coverage.to_bits(), has_request), recurring), || {
            let tuned = |coverage| self.tuned(scope, resource, floor, coverage, has_request);
            let choices: Vec<Tuned> =
                std::iter::once(tuned(coverage)?).chain(choices_below(coverage).filter_map(tuned)).collect();
            wasted(self.cases.get(&(scope, resource))?, &choices, resource, floor, recurring)
        })
    }
}

/// (distance to the nearest, row left out), and what the others say by breadth and resource.
type LeftOut = ((f64, u32), [[Option<Local>; 3]; 2]);

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
    /// Returns what the other workloads say about each of `rows`, without those for which there are none.
    fn leave_out(&self, rows: &[u32], scope: Scope) -> Result<Vec<LeftOut>, PredictError> {
        let Self { knowledge, space, question, .. } = self;
        let mut nearest_of = Vec::with_capacity(rows.len());
        let mut askings = Vec::with_capacity(rows.len());
        for &row in rows {
            let Some(own) = knowledge.rows.get(row as usize) else { continue };
            let query = knowledge.place(space, question, &own.features, self.absent)?;
            let searched = if self.is_random { 1 } else { Knowledge::searched(question) };
            let nearest = match scope {
                Scope::Store => space.index.nearest(&query, searched, &self.metric, &|other| other != row)?,
                Scope::Application => {
                    space.index.nearest_of(&knowledge.siblings(row), &query, searched, &self.metric)?
                }
            };
            let Some(first) = nearest.first() else { continue };
            nearest_of.push((first.distance, row));
            let found = nearest.iter().map(|found| (found.row, found.distance)).collect();
            askings.push(Asking { features: own.features.clone(), found, left_out: Some(row) });
        }
        let ranked = if self.is_random {
            nearest_of.iter().map(|&(_, row)| self.draw(row, scope)).collect()
        } else {
            knowledge.rank(space, question, self.absent, askings)?
        };
        let locals = |ranked: &Ranked| {
            Breadth::ALL.map(|breadth| {
                let neighbours = ranked.first(breadth.of(question.k));
                let floor = |resource: Resource| resource.floor(knowledge.floors());
                Resource::ALL.map(|resource| local(&knowledge.rows, &neighbours, resource, floor(resource)))
            })
        };
        Ok(nearest_of.into_iter().zip(&ranked).map(|(nearest, ranked)| (nearest, locals(ranked))).collect())
    }

    /// Returns others drawn at random for `row`.
    fn draw(&self, row: u32, scope: Scope) -> Ranked {
        let knowledge = self.knowledge;
        let name = knowledge.rows.get(row as usize).map(Remembered::name).unwrap_or_default();
        let most = Breadth::Wide.of(self.question.k);
        Ranked::equally(match scope {
            Scope::Store => drawn(0, &name, (0..knowledge.count()).filter(|&other| other != row), most),
            Scope::Application => drawn(0, &name, knowledge.siblings(row).into_iter(), most),
        })
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
        self.calibrations.try_get_or(key, || {
            // The usual number by name: what was found for the choice between it and another holds for it alone.
            if question.k == NeighbourCount::Exactly(NeighbourCount::FEW) {
                let chosen = Question { k: NeighbourCount::Chosen, ..question };
                return Ok(Arc::new(self.calibration(space, &chosen, absent, is_random)?.of_the_few()));
            }
            Ok(Arc::new(Calibration::run(self, space, &question, absent, is_random)?))
        })
    }
}
