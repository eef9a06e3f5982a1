//! Shadow itself, and the same estimator with neighbours drawn at random: does similarity matter at all?

use super::{Grounds, Prepared, Query, Recommendation, ReplayError, Rival, Setting, Stated, Store, Surroundings};
use crate::predict::{Decision, Question, Selection};
use crate::replay::learner::Fitted;

/// Coverages of the sweep; the one that was asked for joins them.
const COVERAGES: [f64; 11] = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99];
/// Margins on top of the largest coverage.
const MARGINS: [f64; 10] = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 4.0];

/// Shadow's estimator with one way to choose neighbours.
#[derive(Debug, Clone)]
pub struct Neighbours {
    name: &'static str,
    coverages: Vec<f64>,
    published: usize,
    /// Draws of random neighbours; nothing for the nearest.
    draws: Option<u32>,
}

impl Neighbours {
    /// Shadow: the nearest neighbours.
    pub fn shadow(question: &Question) -> Self {
        Self::new("shadow", question, None)
    }

    /// Random neighbours, `draws` times.
    pub fn random(question: &Question, draws: u32) -> Self {
        Self::new("random", question, Some(draws.max(1)))
    }

    fn new(name: &'static str, question: &Question, draws: Option<u32>) -> Self {
        let mut coverages = COVERAGES.to_vec();
        if !coverages.contains(&question.coverage) {
            coverages.push(question.coverage);
            coverages.sort_by(f64::total_cmp);
        }
        let published =
            coverages.iter().position(|coverage| coverage.total_cmp(&question.coverage).is_eq()).unwrap_or(0);
        Self { name, coverages, published, draws }
    }
}

impl Rival for Neighbours {
    fn name(&self) -> &'static str {
        self.name
    }

    fn knob(&self) -> &'static str {
        "coverage, then a margin"
    }

    fn settings(&self) -> Vec<Setting> {
        let most = self.coverages.last().copied().unwrap_or(1.0);
        let margins = MARGINS.map(|margin| Setting { knob: most, margin });
        self.coverages.iter().copied().map(Setting::knob).chain(margins).collect()
    }

    fn published(&self) -> usize {
        self.published
    }

    fn draws(&self) -> u32 {
        self.draws.unwrap_or(1)
    }

    fn prepare<'a>(
        &self,
        store: &Store<'a>,
        surroundings: &Surroundings<'_>,
    ) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        // What ran before the trace began has no first window to learn from.
        let (rows, known): (Vec<usize>, Vec<_>) = store
            .cases
            .iter()
            .enumerate()
            .filter(|(_, case)| case.known.can_teach(surroundings.window))
            .map(|(position, case)| (position, &case.known))
            .unzip();
        let fitted = if known.is_empty() {
            None
        } else {
            let fitted = surroundings.learner.fit(&known, surroundings.window, surroundings.seed);
            let what = || format!("a store of {} workloads", known.len());
            Some(fitted.map_err(|source| ReplayError::Learner { what: what(), source })?)
        };
        Ok(Box::new(PreparedNeighbours {
            fitted,
            rows,
            question: surroundings.question,
            random: self.draws.is_some(),
            seed: surroundings.seed,
        }))
    }
}

struct PreparedNeighbours<'a> {
    fitted: Option<Box<dyn Fitted + 'a>>,
    /// Position in the store of each row that was learned from.
    rows: Vec<usize>,
    question: Question,
    random: bool,
    seed: u64,
}

impl Prepared for PreparedNeighbours<'_> {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        draw: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let Some(fitted) = &self.fitted else { return Ok(vec![None; settings.len()]) };
        let selection = if self.random {
            Selection::Random { seed: self.seed.wrapping_mul(1000).wrapping_add(u64::from(draw)) }
        } else {
            Selection::Nearest
        };
        let mut answers = Vec::with_capacity(settings.len());
        // Settings that differ in the margin alone share an answer.
        let mut last: Option<(f64, crate::predict::Answer)> = None;
        for setting in settings {
            let answer = match last.take() {
                Some((coverage, answer)) if coverage.total_cmp(&setting.knob).is_eq() => answer,
                _ => {
                    let question = Question { coverage: setting.knob, ..self.question };
                    fitted
                        .answer(query.newcomer, &question, selection, &|_| true)
                        .map_err(|source| ReplayError::Learner { what: format!("`{}`", query.newcomer.name), source })?
                }
            };
            let with_margin = |amount: Option<f64>| {
                amount.filter(|amount| amount.is_finite()).map(|amount| amount * (1.0 + setting.margin))
            };
            let recommendation = Recommendation {
                cpu: with_margin(answer.cpu),
                memory: with_margin(answer.memory),
                rung: answer.decision.name(),
            };
            let answered = answer.decision != Decision::Abstain
                && (recommendation.cpu.is_some() || recommendation.memory.is_some());
            answers.push(answered.then_some(recommendation));
            last = Some((setting.knob, answer));
        }
        Ok(answers)
    }

    fn grounds(&self, query: &Query<'_>, setting: &Setting) -> Result<Grounds, ReplayError> {
        // Random neighbours say nothing about the query.
        let Some(fitted) = self.fitted.as_ref().filter(|_| !self.random) else { return Ok(Grounds::default()) };
        let question = Question { coverage: setting.knob, ..self.question };
        let answer = fitted
            .answer(query.newcomer, &question, Selection::Nearest, &|_| true)
            .map_err(|source| ReplayError::Learner { what: format!("`{}`", query.newcomer.name), source })?;
        let mut support: Vec<(usize, f64)> =
            answer.support.iter().filter_map(|one| Some((*self.rows.get(one.row)?, one.weight))).collect();
        support.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let stated = Stated { novelty: answer.novelty, memory: answer.memory_interval, cpu: answer.cpu_interval };
        Ok(Grounds { evidence: support, stated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Case;
    use crate::replay::test_cases::{Fake, case, newcomer, query, surroundings};

    fn memory(rival: &Neighbours, cases: &[Case], asked: &Case, draw: u32) -> Option<f64> {
        let store = Store { cases: cases.iter().collect(), has_clock: true };
        let prepared = rival.prepare(&store, &surroundings(&Fake)).unwrap();
        let newcomer = newcomer(asked);
        prepared.recommend(&query(&newcomer), &[rival.settings()[0]], draw).unwrap()[0].and_then(|answer| answer.memory)
    }

    fn stored(count: u32) -> Vec<Case> {
        (0..count).map(|at| case(&format!("s{at}"), "a", 0, 100, 1.0 + f64::from(at))).collect()
    }

    #[test]
    fn a_store_of_k_makes_random_neighbours_the_nearest_ones() {
        let (cases, new) = (stored(15), case("new", "b", 1000, 100, 3.0));
        let question = Question::default();
        let nearest = memory(&Neighbours::shadow(&question), &cases, &new, 0);
        for draw in 0..3 {
            assert_eq!(memory(&Neighbours::random(&question, 20), &cases, &new, draw), nearest);
        }
    }

    #[test]
    fn the_same_draw_gives_the_same_answer_and_another_may_not() {
        let (cases, new) = (stored(100), case("new", "b", 1000, 100, 3.0));
        let random = Neighbours::random(&Question::default(), 20);
        let answers: Vec<_> = (0..20).map(|draw| memory(&random, &cases, &new, draw)).collect();
        assert_eq!(answers, (0..20).map(|draw| memory(&random, &cases, &new, draw)).collect::<Vec<_>>());
        assert!(answers.iter().any(|answer| *answer != answers[0]));
    }

    #[test]
    fn an_empty_store_has_no_answer() {
        let new = case("new", "b", 1000, 100, 3.0);
        assert_eq!(memory(&Neighbours::shadow(&Question::default()), &[], &new, 0), None);
    }

    #[test]
    fn the_coverage_that_was_asked_for_is_the_marked_setting() {
        let question = Question { coverage: 0.94, ..Question::default() };
        let shadow = Neighbours::shadow(&question);
        assert_eq!(shadow.settings()[shadow.published()], Setting::knob(0.94));
    }
}
