//! The ladder: same application, nearest neighbours, class prior, persistence, abstain. The first rung that can say
//! something about memory or CPU with the coverage that was asked for answers, and says why those above it did not.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::index::{NearestNeighbours, Neighbour};

use super::alike::Asking;
use super::calibrate::{Calibration, LEAST_INSTANCES, Scope};
use super::draw::drawn;
use super::estimate::{Local, allocation, local};
use super::knowledge::{Knowledge, Space};
use super::need::{Anchor, Need, Resource};
use super::ranked::{Breadth, Ranked, Weighted};
use super::tune::{Tuned, choices_below};
use super::{Answer, Decision, Estimator, Facts, Newcomer, PredictError, Question, Support};

/// Newcomers farther from their nearest workload than this share of the store's own are not compared with neighbours
/// (ours, see `docs/evaluation.md`).
pub(super) const NOVEL: f64 = 0.98;

/// Beyond this many times the largest distance that the store saw among its own, nothing is known of a newcomer (ours).
const FOREIGN: f64 = 3.0;

/// A share of the evidence above which the user is told that needs are only lower bounds.
const MUCH: f64 = 0.5;

/// Which stored workloads are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// The nearest ones, weighted by similarity.
    Nearest,
    /// As many, drawn at random among the eligible ones, with equal weights.
    Random {
        /// Seed of the draw; the same seed gives the same answer for the same newcomer.
        seed: u64,
    },
}

/// What a rung says of one resource, in the store's units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Said {
    pub(super) amount: f64,
    pub(super) interval: Option<(f64, f64)>,
}

impl Said {
    /// Returns it with an amount, and an upper end, of at least `amount`.
    fn raised_to(self, amount: f64) -> Self {
        Self { amount: self.amount.max(amount), interval: self.interval.map(|(low, high)| (low, high.max(amount))) }
    }
}

/// What a rung says.
pub(super) type Rung = [Option<Said>; 3];

impl Knowledge {
    /// Answers about `newcomer` from the rows for which `admits` holds.
    ///
    /// # Errors
    /// The question cannot be answered for another reason than "nothing resembles it".
    pub fn answer(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        selection: Selection,
        admits: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Answer, PredictError> {
        let mut answer = Answer {
            decision: Decision::Abstain,
            passed_over: Vec::new(),
            cpu: None,
            memory: None,
            network: None,
            cpu_interval: None,
            memory_interval: None,
            novelty: None,
            support: Vec::new(),
            warnings: Vec::new(),
        };
        if Resource::ALL.iter().all(|resource| resource.level(&newcomer.window).is_none()) {
            answer.passed_over.push("the sample holds neither CPU nor memory".to_owned());
            return Ok(answer);
        }
        let seen = newcomer.window.observed_seconds;
        if seen * 2.0 < self.covered_seconds {
            answer.warnings.push(format!(
                "the stored workloads were first seen over {:.0} s at once, the sample covers {seen:.0} s: the two are not alike",
                self.covered_seconds
            ));
        }
        let mut is_foreign = false;
        if let Some(space) = &self.space {
            let features = self.features_of(&newcomer.window, &newcomer.facts);
            let absent = self.absent(&features);
            let asked = Asked {
                newcomer,
                question,
                selection,
                admits,
                query: self.place(space, question, &features, &absent)?,
                calibration: &*self.calibration(space, question, &absent, selection != Selection::Nearest)?,
                absent,
                features,
                space,
            };
            if self.by_similarity_rungs(&asked, &mut answer, &mut is_foreign)? {
                return Ok(answer);
            }
        } else {
            answer.passed_over.push(format!(
                "same-application, neighbours: the {} workloads of the store do not differ in anything",
                self.rows.len()
            ));
        }
        if is_foreign {
            answer.passed_over.push("class-prior, persistence: what the store holds says nothing about it".to_owned());
            return Ok(answer);
        }
        self.prior_rungs(newcomer, question, admits, &mut answer)?;
        Ok(answer)
    }

    /// Tries the rungs that need distances. Returns whether one answered.
    fn by_similarity_rungs(
        &self,
        asked: &Asked<'_>,
        answer: &mut Answer,
        is_foreign: &mut bool,
    ) -> Result<bool, PredictError> {
        let metric = self.metric(asked.space, asked.question, &asked.absent)?;
        let pairs = |found: Vec<Neighbour>| found.into_iter().map(|one| (one.row, one.distance)).collect::<Vec<_>>();
        let admits = |row: u32| (asked.admits)(row as usize);
        let searched = if asked.selection == Selection::Nearest { Self::searched(asked.question) } else { 1 };
        let rank = |found: Vec<(u32, f64)>| {
            let asking = Asking { features: asked.features.clone(), found, left_out: None };
            let mut ranked = asked.space.rank(asked.question, &asked.absent, vec![asking])?;
            Ok::<Ranked, PredictError>(ranked.pop().unwrap_or_else(|| Ranked::equally(Vec::new())))
        };
        let most = Breadth::Wide.of(asked.question.k);
        let found = pairs(asked.space.index.nearest(&asked.query, searched, &metric, &admits)?);
        answer.novelty = found.first().and_then(|&(_, distance)| asked.calibration.novelty(distance));
        // Same application.
        let instances = self.instances(&asked.newcomer.facts, asked.admits)?;
        let recurs = instances.len() >= LEAST_INSTANCES;
        let expected = self.expected(asked.newcomer, asked.question, asked.calibration, recurs)?;
        match &asked.newcomer.facts.application {
            None => answer.passed_over.push("same-application: the sample does not name its application".to_owned()),
            Some(application) if !recurs => answer.passed_over.push(format!(
                "same-application: the store holds {} earlier instances of `{application}`, fewer than {LEAST_INSTANCES}",
                instances.len()
            )),
            Some(_) if let Some(why) = expected.against_same_application() => answer.passed_over.push(why),
            Some(_) => {
                let ranked = match asked.selection {
                    Selection::Nearest => {
                        rank(pairs(asked.space.index.nearest_of(&instances, &asked.query, searched, &metric)?))?
                    }
                    Selection::Random { seed } => {
                        Ranked::equally(drawn(seed, &asked.newcomer.name, instances.iter().copied(), most))
                    }
                };
                if self.say(asked, Scope::Application, &ranked, Decision::SameApplication, answer)? {
                    return Ok(true);
                }
            }
        }
        let Some(&(_, distance)) = found.first() else {
            answer.passed_over.push("neighbours: the store holds none that may be used".to_owned());
            return Ok(false);
        };
        let farthest = asked.calibration.distances.last().copied().unwrap_or(0.0);
        if answer.novelty.is_some_and(|novelty| novelty > NOVEL) {
            let own = quantile_of(&asked.calibration.distances, NOVEL);
            answer.passed_over.push(format!(
                "neighbours: the nearest workload is {distance:.2} away, {} % of the store's own have one within {own:.2}",
                NOVEL * 100.0
            ));
            *is_foreign = distance > FOREIGN * farthest;
            return Ok(false);
        }
        if let Some(why) = expected.against_neighbours() {
            answer.passed_over.push(why);
            return Ok(false);
        }
        let ranked = match asked.selection {
            Selection::Nearest => rank(found)?,
            Selection::Random { seed } => {
                let eligible = (0..self.count()).filter(|&row| admits(row));
                Ranked::equally(drawn(seed, &asked.newcomer.name, eligible, most))
            }
        };
        self.say(asked, Scope::Store, &ranked, Decision::Neighbours, answer)
    }

    /// Fills the answer from the first of the ranked workloads. Returns whether they say anything about memory or CPU.
    fn say(
        &self,
        asked: &Asked<'_>,
        scope: Scope,
        ranked: &Ranked,
        decision: Decision,
        answer: &mut Answer,
    ) -> Result<bool, PredictError> {
        let chosen = Breadth::ALL.map(|breadth| ranked.first(breadth.of(asked.question.k)));
        let mut needs: BTreeMap<u32, [Option<Need>; 3]> = BTreeMap::new();
        for one in chosen.iter().flatten() {
            if let Entry::Vacant(place) = needs.entry(one.row) {
                place.insert(self.rows.get(one.row)?.map_or([None; 3], |row| row.needs));
            }
        }
        let mut rung: Rung = [None; 3];
        let mut rests_on = [Breadth::Narrow; 3];
        let mut bounds = Vec::new();
        for resource in Resource::ALL {
            let Some(level) = resource.level(&asked.newcomer.window) else { continue };
            let floor = resource.floor(self.floors());
            let need_of = |row: u32| needs.get(&row)?[resource as usize];
            let locals = chosen.each_ref().map(|chosen| local(need_of, chosen, resource, floor));
            let [Some(narrow), Some(_)] = &locals else { continue };
            let request = resource.request(asked.newcomer.facts.request);
            let has_request = Anchor::Request.reference(level, request, floor).is_some()
                && narrow.relative[Anchor::Request as usize].is_some();
            let tuned = |coverage| asked.calibration.tuned(scope, resource, floor, coverage, has_request);
            let own = Own { resource, level, request, floor };
            let of = |tuned: &Tuned| {
                let said = said(own, locals[tuned.way.breadth as usize].as_ref()?, tuned, asked.question.estimator)?;
                Some((said, tuned.way.breadth))
            };
            let Some(tuned_here) = tuned(asked.question.coverage)? else { continue };
            let Some(said) = of(&tuned_here) else { continue };
            // Another way may give less than what a lower coverage was promised.
            let lower: Vec<Option<Tuned>> =
                choices_below(asked.question.coverage).map(tuned).collect::<Result<_, PredictError>>()?;
            let lower = lower.iter().flatten().filter_map(of);
            let (said, breadth) = lower.fold(said, |(said, breadth), (lower, other)| {
                (said.raised_to(lower.amount), if lower.amount > said.amount { other } else { breadth })
            });
            rung[resource as usize] = Some(said);
            rests_on[resource as usize] = breadth;
            let at_least = locals[breadth as usize].as_ref().map_or(0.0, |local| local.at_least);
            if at_least > MUCH || tuned_here.margin.at_least {
                bounds.push(resource.name());
            }
        }
        if rung[Resource::Memory as usize].is_none() && rung[Resource::Cpu as usize].is_none() {
            let cases = asked.calibration.cases()?.get(&(scope, Resource::Memory)).map_or(0, Vec::len);
            answer.passed_over.push(too_few(decision, cases, asked.question.coverage));
            return Ok(false);
        }
        let spoken: Vec<usize> = (0..rung.len()).filter(|&resource| rung[resource].is_some()).collect();
        answer.support = support(&chosen, rests_on, &spoken, asked.selection == Selection::Nearest);
        fill(answer, decision, &rung, &bounds);
        Ok(true)
    }

    /// Returns the rows of the newcomer's application that may be used, ascending. Users are compared where both sides
    /// have one.
    fn instances(&self, facts: &Facts, admits: &(dyn Fn(usize) -> bool + Sync)) -> Result<Vec<u32>, PredictError> {
        let Some(application) = &facts.application else { return Ok(Vec::new()) };
        let mut rows = self.rows.instances(application, facts.user.as_deref())?;
        rows.retain(|&row| admits(row as usize));
        Ok(rows)
    }
}

/// Returns whom an answer rests on, nearest first: whom any of the resources that it speaks of was taken from, with no share in
/// those that were taken from fewer.
fn support(chosen: &[Vec<Weighted>; 2], rests_on: [Breadth; 3], spoken: &[usize], has_distances: bool) -> Vec<Support> {
    let breadth = spoken.iter().map(|&resource| rests_on[resource]).max().unwrap_or(Breadth::Narrow);
    let support = |(at, one): (usize, &Weighted)| {
        let share = |resource: usize| {
            chosen[rests_on[resource] as usize].get(at).map_or(0.0, |weighted| weighted.shares[resource])
        };
        let shares = [share(0), share(1), share(2)];
        let own: Vec<f64> = spoken.iter().map(|&resource| shares[resource]).collect();
        // The mean of equal shares would miss them by the last digit.
        let are_equal = own.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits());
        let weight = if are_equal { own[0] } else { own.iter().sum::<f64>() / own.len() as f64 };
        let distance = has_distances.then_some(one.distance);
        Support { row: one.row as usize, distance, similarity: one.similarity, weight, shares }
    };
    let mut support: Vec<Support> = chosen[breadth as usize].iter().enumerate().map(support).collect();
    // Similar in another resource only than those that were taken from so many.
    support.retain(|one| one.weight > 0.0);
    if has_distances {
        support.sort_by(|left, right| left.distance.partial_cmp(&right.distance).unwrap_or(Ordering::Equal));
    }
    support
}

/// One question with all that the similarity rungs share.
struct Asked<'a> {
    newcomer: &'a Newcomer,
    question: &'a Question,
    selection: Selection,
    admits: &'a (dyn Fn(usize) -> bool + Sync),
    query: Vec<f64>,
    absent: Vec<usize>,
    features: Vec<Option<f64>>,
    calibration: &'a Calibration,
    space: &'a Space,
}

/// What the newcomer brings of one resource.
#[derive(Debug, Clone, Copy)]
struct Own {
    resource: Resource,
    level: f64,
    request: Option<f64>,
    floor: f64,
}

fn said(own: Own, local: &Local, tuned: &Tuned, estimator: Estimator) -> Option<Said> {
    let relative = local.relative[tuned.way.anchor as usize]?;
    let reference = tuned.way.anchor.reference(own.level, own.request, own.floor)?;
    let of =
        |margin: f64| allocation(own.resource, reference, own.level, own.floor, tuned.way.log_ratio(&relative, margin));
    let amount = match estimator {
        Estimator::Quantile => of(tuned.margin.value),
        Estimator::Mean => {
            allocation(own.resource, own.level.max(own.floor), own.level, own.floor, local.mean_ratio.ln())
        }
    };
    Some(Said { amount, interval: tuned.interval.map(|(low, high)| (of(low), of(high))) })
}

/// Writes a rung's answer.
pub(super) fn fill(answer: &mut Answer, decision: Decision, rung: &Rung, bounds: &[&str]) {
    let of = |resource: Resource| rung[resource as usize];
    answer.decision = decision;
    answer.memory = of(Resource::Memory).map(|said| said.amount);
    answer.cpu = of(Resource::Cpu).map(|said| said.amount);
    answer.network = of(Resource::Network).map(|said| said.amount);
    answer.memory_interval = of(Resource::Memory).and_then(|said| said.interval);
    answer.cpu_interval = of(Resource::Cpu).and_then(|said| said.interval);
    if !bounds.is_empty() {
        answer.warnings.push(format!(
            "most of what the {} answer rests on was cut off by a limit, a kill or the end of the trace: its need may be larger",
            bounds.join(" and ")
        ));
    }
}

/// Says that a rung rests on too few workloads for the coverage.
pub(super) fn too_few(decision: Decision, count: usize, coverage: f64) -> String {
    let needed = (coverage / (1.0 - coverage) - 1e-9).ceil();
    format!("{}: {count} workloads bear on it, a coverage of {coverage} takes {needed}", decision.name())
}

fn quantile_of(sorted: &[f64], share: f64) -> f64 {
    crate::profile::quantile::nearest_rank(sorted, share).unwrap_or(0.0)
}
