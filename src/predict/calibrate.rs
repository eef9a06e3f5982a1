//! Leave-one-out over the store: what the estimator would have said about each stored workload from the others, and how
//! far its need lay from that. This is what makes a coverage mean what it says (`docs/methods.md`).

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::index::{Metric, NearestNeighbours};

use super::alike::{Asking, key};
use super::calibration_file::StoredCases;
use super::choice::COMPARED_AT;
use super::draw::{drawn, sample};
use super::estimate::{Local, local};
use super::knowledge::{Knowledge, Space};
use super::memo::Memo;
use super::need::{Remembered, Resource};
use super::ranked::{Breadth, Ranked};
use super::rows::Whole;
use super::tune::{CHOSEN_AT, Case, Tuned, choices_below, tune, wasted};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

/// Left-out workloads by scope and resource.
pub(super) type Cases = BTreeMap<(Scope, Resource), Vec<Case>>;

/// [`TunedKey`] with the coverage itself, and what was chosen.
pub(super) type TunedRecord = (Scope, Resource, f64, bool, Option<Tuned>);

/// [`WasteKey`] with the coverage itself, and the waste.
pub(super) type WasteRecord = (Scope, Resource, f64, bool, bool, Option<f64>);

/// What usual questions need of a calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Chosen {
    /// Distance of each left-out workload to its nearest, ascending.
    pub(super) distances: Vec<f64>,
    /// How estimates become allocations.
    pub(super) tuned: Vec<TunedRecord>,
    /// What that wastes.
    pub(super) wastes: Vec<WasteRecord>,
}

impl Chosen {
    /// Returns whether calibrating can give this.
    pub(super) fn is_possible(&self) -> bool {
        self.tuned.iter().filter_map(|(.., tuned)| tuned.as_ref()).all(Tuned::is_possible)
    }
}

/// The result of leaving stored workloads out, for one way to choose neighbours.
#[derive(Debug, Default)]
pub(super) struct Calibration {
    /// Distance of each left-out workload to its nearest, ascending.
    pub(super) distances: Vec<f64>,
    cases: OnceLock<Cases>,
    /// Where the cases lie, if they were not needed yet.
    stored: Option<StoredCases>,
    tuned: Memo<TunedKey, Option<Tuned>>,
    wastes: Memo<WasteKey, Option<f64>>,
}

impl Calibration {
    /// Puts stored results together.
    pub(super) fn new(mut distances: Vec<f64>, cases: Cases) -> Self {
        distances.sort_by(f64::total_cmp);
        Self { distances, cases: OnceLock::from(cases), ..Self::default() }
    }

    /// Takes what was chosen beforehand; for all other choices the cases are read.
    pub(super) fn chosen(chosen: Chosen, stored: StoredCases) -> Self {
        let Chosen { distances, tuned, wastes } = chosen;
        let calibration = Self { distances, stored: Some(stored), ..Self::default() };
        for (scope, resource, coverage, has_request, tuned) in tuned {
            calibration.tuned.insert((scope, resource, coverage.to_bits(), has_request), tuned);
        }
        for (scope, resource, coverage, has_request, recurring, waste) in wastes {
            calibration.wastes.insert(((scope, resource, coverage.to_bits(), has_request), recurring), waste);
        }
        calibration
    }

    /// Chooses for every question that is usual: at the coverages of [`CHOSEN_AT`].
    pub(super) fn choose(&self, floor: impl Fn(Resource) -> f64 + Sync) -> Result<Chosen, PredictError> {
        let mut keys = Vec::new();
        for scope in [Scope::Store, Scope::Application] {
            for resource in Resource::ALL {
                keys.extend([false, true].map(|has_request| (scope, resource, has_request)));
            }
        }
        let of = |&(scope, resource, has_request): &(Scope, Resource, bool)| {
            let floor = floor(resource);
            let tuned = |coverage: f64| {
                let tuned = self.tuned(scope, resource, floor, coverage, has_request)?;
                Ok((scope, resource, coverage, has_request, tuned))
            };
            let waste = |recurring: bool| {
                let waste = self.waste(scope, resource, floor, COMPARED_AT, has_request, recurring)?;
                Ok((scope, resource, COMPARED_AT, has_request, recurring, waste))
            };
            let tuned = CHOSEN_AT.into_iter().map(tuned).collect::<Result<_, PredictError>>()?;
            let wastes = [false, true].into_iter().map(waste).collect::<Result<_, PredictError>>()?;
            Ok(Chosen { distances: Vec::new(), tuned, wastes })
        };
        let found: Vec<Result<Chosen, PredictError>> = keys.par_iter().map(of).collect();
        let mut chosen = Chosen { distances: self.distances.clone(), tuned: Vec::new(), wastes: Vec::new() };
        for one in found {
            let one = one?;
            chosen.tuned.extend(one.tuned);
            chosen.wastes.extend(one.wastes);
        }
        Ok(chosen)
    }

    /// Returns the left-out workloads by scope and resource.
    pub(super) fn cases(&self) -> Result<&Cases, PredictError> {
        if self.cases.get().is_none()
            && let Some(stored) = &self.stored
        {
            // Two threads may both read them, and they read the same.
            drop(self.cases.set(stored.read()?));
        }
        Ok(self.cases.get_or_init(Cases::new))
    }

    /// Returns the same for answers that never rest on more than the fewer neighbours.
    fn of_the_few(&self) -> Result<Self, PredictError> {
        let few = |case: &Case| Case { said: [case.said[Breadth::Narrow as usize]; 2], ..*case };
        let cases = self.cases()?.iter().map(|(&key, cases)| (key, cases.iter().map(few).collect())).collect();
        Ok(Self::new(self.distances.clone(), cases))
    }

    /// Leaves workloads out in turn.
    pub(super) fn run(
        knowledge: &Knowledge,
        space: &Space,
        question: &Question,
        absent: &[usize],
        is_random: bool,
    ) -> Result<Self, PredictError> {
        let whole = knowledge.rows.whole()?;
        let compared = Compared {
            knowledge,
            whole,
            space,
            question,
            absent,
            metric: knowledge.metric(space, question, absent)?,
            is_random,
        };
        let all = sample((0..knowledge.count()).collect(), &whole.rows, MOST_CASES);
        let mut recurring: Vec<u32> =
            whole.by_application.values().filter(|rows| rows.len() > LEAST_INSTANCES).flatten().copied().collect();
        recurring.sort_unstable();
        let drawn = sample(recurring.clone(), &whole.rows, MOST_CASES);
        let is_recurring = |row: u32| recurring.binary_search(&row).is_ok();
        let mut distances = Vec::new();
        let mut cases = Cases::new();
        for (scope, rows) in [(Scope::Store, all), (Scope::Application, drawn)] {
            let left_out: Vec<Result<Vec<LeftOut>, PredictError>> =
                rows.par_chunks(TOGETHER).map(|rows| compared.leave_out(rows, scope)).collect();
            let left_out: Vec<Vec<LeftOut>> = left_out.into_iter().collect::<Result<_, _>>()?;
            for (nearest, locals) in left_out.into_iter().flatten() {
                if scope == Scope::Store {
                    distances.push(nearest.0);
                }
                for resource in Resource::ALL {
                    let need = whole.rows.get(nearest.1 as usize).and_then(|row| row.needs[resource as usize]);
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
    ) -> Result<Option<Tuned>, PredictError> {
        self.tuned.try_get_or((scope, resource, coverage.to_bits(), has_request), || {
            let lower: Vec<Option<Tuned>> = choices_below(coverage)
                .map(|lower| self.tuned(scope, resource, floor, lower, has_request))
                .collect::<Result<_, _>>()?;
            let lower: Vec<Tuned> = lower.into_iter().flatten().collect();
            let cases = self.cases()?.get(&(scope, resource));
            Ok(cases.and_then(|cases| tune(cases, resource, floor, coverage, has_request, &lower)))
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
    ) -> Result<Option<f64>, PredictError> {
        self.wastes.try_get_or(((scope, resource, coverage.to_bits(), has_request), recurring), || {
            let tuned = |coverage| self.tuned(scope, resource, floor, coverage, has_request);
            let Some(own) = tuned(coverage)? else { return Ok(None) };
            let lower: Vec<Option<Tuned>> = choices_below(coverage).map(tuned).collect::<Result<_, _>>()?;
            let choices: Vec<Tuned> = std::iter::once(own).chain(lower.into_iter().flatten()).collect();
            let cases = self.cases()?.get(&(scope, resource));
            Ok(cases.and_then(|cases| wasted(cases, &choices, resource, floor, recurring)))
        })
    }
}

/// (distance to the nearest, row left out), and what the others say by breadth and resource.
type LeftOut = ((f64, u32), [[Option<Local>; 3]; 2]);

/// How stored workloads are compared while one is left out.
struct Compared<'a> {
    knowledge: &'a Knowledge,
    whole: &'a Whole,
    space: &'a Space,
    question: &'a Question,
    absent: &'a [usize],
    metric: Metric,
    is_random: bool,
}

impl Compared<'_> {
    /// Returns what the other workloads say about each of `rows`, without those for which there are none.
    fn leave_out(&self, rows: &[u32], scope: Scope) -> Result<Vec<LeftOut>, PredictError> {
        let Self { knowledge, whole, space, question, .. } = self;
        let mut nearest_of = Vec::with_capacity(rows.len());
        let mut askings = Vec::with_capacity(rows.len());
        for &row in rows {
            let Some(own) = whole.rows.get(row as usize) else { continue };
            let query = knowledge.place(space, question, &own.features, self.absent)?;
            let searched = if self.is_random { 1 } else { Knowledge::searched(question) };
            let nearest = match scope {
                Scope::Store => space.index.nearest(&query, searched, &self.metric, &|other| other != row)?,
                Scope::Application => space.index.nearest_of(&whole.siblings(row), &query, searched, &self.metric)?,
            };
            let Some(first) = nearest.first() else { continue };
            nearest_of.push((first.distance, row));
            let found = nearest.iter().map(|found| (found.row, found.distance)).collect();
            askings.push(Asking { features: own.features.clone(), found, left_out: Some(key(own)) });
        }
        let ranked = if self.is_random {
            nearest_of.iter().map(|&(_, row)| self.draw(row, scope)).collect()
        } else {
            space.rank(question, self.absent, askings)?
        };
        let locals = |ranked: &Ranked| {
            Breadth::ALL.map(|breadth| {
                let neighbours = ranked.first(breadth.of(question.k));
                let floor = |resource: Resource| resource.floor(knowledge.floors());
                Resource::ALL.map(|resource| {
                    let need_of = |row: u32| whole.rows.get(row as usize)?.needs[resource as usize];
                    local(need_of, &neighbours, resource, floor(resource))
                })
            })
        };
        Ok(nearest_of.into_iter().zip(&ranked).map(|(nearest, ranked)| (nearest, locals(ranked))).collect())
    }

    /// Returns others drawn at random for `row`.
    fn draw(&self, row: u32, scope: Scope) -> Ranked {
        let Self { knowledge, whole, .. } = self;
        let name = whole.rows.get(row as usize).map(Remembered::name).unwrap_or_default();
        let most = Breadth::Wide.of(self.question.k);
        Ranked::equally(match scope {
            Scope::Store => drawn(0, &name, (0..knowledge.count()).filter(|&other| other != row), most),
            Scope::Application => drawn(0, &name, whole.siblings(row).into_iter(), most),
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
        self.calibrations.try_get_or(key.clone(), || {
            if let Some(stored) = self.stored_calibrations.as_ref()
                && let Some(calibration) = stored.read(&key)?
            {
                return Ok(Arc::new(calibration));
            }
            // The usual number by name: what was found for the choice between it and another holds for it alone.
            if question.k == NeighbourCount::Exactly(NeighbourCount::FEW) {
                let chosen = Question { k: NeighbourCount::Chosen, ..question };
                return Ok(Arc::new(self.calibration(space, &chosen, absent, is_random)?.of_the_few()?));
            }
            Ok(Arc::new(Calibration::run(self, space, &question, absent, is_random)?))
        })
    }
}
