//! Asks every rival about every query of every block.

use std::sync::Arc;

use rayon::prelude::*;

use crate::predict::{Facts, Newcomer};
use crate::trace::Sample;
use crate::units::Micros;

use super::ReplayError;
use super::case::{Case, application_key, broader_key};
use super::plan::Block;
use super::results::Resource;
use super::rivals::{Conduct, Query, Recommendation, Rival, Setting, Stated, Store, Surroundings};
use super::samples::RowBuffer;
use super::watch::Watch;

/// A rival with its sweep.
pub(super) struct Contestant {
    pub(super) rival: Box<dyn Rival>,
    pub(super) settings: Vec<Setting>,
}

/// What a query may show.
pub(super) struct Asked {
    newcomer: Newcomer,
    at: Micros,
    application: Option<String>,
    broader: Option<String>,
    rows: Vec<Sample>,
}

impl Asked {
    /// Reads the rows of the first window; `buffer` is used for that alone.
    pub(super) fn new(case: &Case, window: Micros, buffer: &mut RowBuffer) -> Result<Self, ReplayError> {
        let workload = &case.known.workload;
        let newcomer =
            Newcomer { name: workload.id.clone(), window: case.known.window.clone(), facts: Facts::from(workload) };
        Ok(Self {
            newcomer,
            at: workload.start.unwrap_or_default().plus(window),
            application: application_key(workload),
            broader: broader_key(workload).map(str::to_owned),
            rows: case.window_rows(buffer)?.to_vec(),
        })
    }

    /// Returns the query for rivals that do not see the future.
    pub(super) fn query(&self) -> Query<'_> {
        Query {
            newcomer: &self.newcomer,
            at: self.at,
            application: self.application.as_deref(),
            broader: self.broader.as_deref(),
            rows: &self.rows,
            future: None,
        }
    }
}

/// One answer, 16 bytes: undefined stands for none inside this module.
#[derive(Debug, Clone, Copy)]
struct Cell {
    cpu: f64,
    memory: f64,
}

impl Cell {
    fn new(answer: Option<&Recommendation>) -> Self {
        let amount = |amount: Option<f64>| amount.filter(|amount| amount.is_finite()).unwrap_or(f64::NAN);
        Self {
            cpu: amount(answer.and_then(|answer| answer.cpu)),
            memory: amount(answer.and_then(|answer| answer.memory)),
        }
    }
}

/// A stored workload that an answer rests on: its position in the cases and its share.
pub(super) type Rested = (u32, f32);

/// The workloads that are kept of an answer: the heaviest ones, as many as a person reads.
const KEPT_EVIDENCE: usize = 5;

/// One rival's answers to one query.
struct Told {
    cells: Vec<Cell>,
    /// Of its published setting, first draw.
    rung: Option<&'static str>,
    /// Of its published setting.
    evidence: Vec<Rested>,
    /// Of its published setting.
    stated: Stated,
}

/// The answers to a list of queries.
pub(super) struct Answers {
    /// Positions in the cases, block by block.
    pub(super) queries: Vec<usize>,
    /// Block of each query.
    pub(super) blocks: Vec<usize>,
    /// Per rival: cells by query, draw, setting.
    cells: Vec<Vec<Cell>>,
    /// Per rival: the rung of each query's published setting, first draw.
    rungs: Vec<Vec<Option<&'static str>>>,
    /// Per rival: what each query's published setting rests on, heaviest first; empty for most rivals.
    evidence: Vec<Vec<Vec<Rested>>>,
    /// Per rival: what each query's published setting says of itself.
    stated: Vec<Vec<Stated>>,
    /// Per rival: (draws, settings).
    shapes: Vec<(usize, usize)>,
    /// Per block and rival: what it does after its first answers.
    conducts: Vec<Vec<Arc<dyn Conduct>>>,
}

impl Answers {
    /// Returns an answer in the store's units.
    pub(super) fn get(
        &self,
        rival: usize,
        query: usize,
        draw: usize,
        setting: usize,
        resource: Resource,
    ) -> Option<f64> {
        let (draws, settings) = self.shapes[rival];
        let cell = self.cells[rival][(query * draws + draw) * settings + setting];
        let value = match resource {
            Resource::Memory => cell.memory,
            Resource::Cpu => cell.cpu,
        };
        value.is_finite().then_some(value)
    }

    /// Returns the rung that answered a query at the published setting.
    pub(super) fn rung(&self, rival: usize, query: usize) -> Option<&'static str> {
        self.rungs[rival][query]
    }

    /// Returns the heaviest workloads that the answer to a query at the published setting rests on.
    pub(super) fn evidence(&self, rival: usize, query: usize) -> &[Rested] {
        &self.evidence[rival][query]
    }

    /// Returns what the answer to a query at the published setting says of itself.
    pub(super) fn stated(&self, rival: usize, query: usize) -> &Stated {
        &self.stated[rival][query]
    }

    /// Returns the answers to the queries for which `keeps` holds, a position in the cases.
    pub(super) fn only(&self, keeps: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.queries.len()).filter(|query| keeps(self.queries[*query])).collect();
        let cells_of = |(cells, (draws, settings)): (&Vec<Cell>, &(usize, usize))| {
            let width = draws * settings;
            kept.iter().flat_map(|query| cells[query * width..(query + 1) * width].iter().copied()).collect()
        };
        Self {
            queries: kept.iter().map(|query| self.queries[*query]).collect(),
            blocks: kept.iter().map(|query| self.blocks[*query]).collect(),
            cells: self.cells.iter().zip(&self.shapes).map(cells_of).collect(),
            rungs: self.rungs.iter().map(|rungs| kept.iter().map(|query| rungs[*query]).collect()).collect(),
            evidence: self
                .evidence
                .iter()
                .map(|evidence| kept.iter().map(|query| evidence[*query].clone()).collect())
                .collect(),
            stated: self.stated.iter().map(|stated| kept.iter().map(|query| stated[*query]).collect()).collect(),
            shapes: self.shapes.clone(),
            conducts: self.conducts.clone(),
        }
    }

    /// Returns what a rival does with a query after its first answer.
    pub(super) fn conduct(&self, rival: usize, query: usize) -> &dyn Conduct {
        &*self.conducts[self.blocks[query]][rival]
    }

    /// Returns the draws of a rival.
    pub(super) fn draws(&self, rival: usize) -> usize {
        self.shapes[rival].0
    }
}

/// One answer as it was given, in the store's units.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenAnswer {
    /// The workload, with its run.
    pub workload: (String, u32),
    /// The rival.
    pub rival: &'static str,
    /// Its knob.
    pub setting: Setting,
    /// Its draw, from 0.
    pub draw: u32,
    /// CPU.
    pub cpu: Option<f64>,
    /// Memory.
    pub memory: Option<f64>,
}

impl Answers {
    /// Returns every answer, query by query.
    pub(super) fn given(&self, cases: &[Case], contestants: &[Contestant]) -> Vec<GivenAnswer> {
        let mut all = Vec::new();
        for (query, case) in self.queries.iter().enumerate() {
            let workload = &cases[*case].known.workload;
            for (rival, contestant) in contestants.iter().enumerate() {
                for draw in 0..contestant.rival.draws() {
                    for (position, setting) in contestant.settings.iter().enumerate() {
                        let of = |resource| self.get(rival, query, draw as usize, position, resource);
                        all.push(GivenAnswer {
                            workload: (workload.id.clone(), workload.run),
                            rival: contestant.rival.name(),
                            setting: *setting,
                            draw,
                            cpu: of(Resource::Cpu),
                            memory: of(Resource::Memory),
                        });
                    }
                }
            }
        }
        all
    }
}

/// Shares are shown with two digits.
#[expect(clippy::cast_possible_truncation, reason = "a share of 0 to 1, to the seventh digit")]
const fn narrow(share: f64) -> f32 {
    share as f32
}

/// Returns how many steps [`ask`] tells: one per query, rival and draw.
pub(super) fn steps(blocks: &[Block], contestants: &[Contestant]) -> u64 {
    let draws: u64 = contestants.iter().map(|contestant| u64::from(contestant.rival.draws())).sum();
    blocks.iter().map(|block| block.queries.len() as u64).sum::<u64>() * draws
}

/// Asks all rivals. Blocks run one after another, queries of a block in parallel; the order of the result is that of the
/// blocks and their queries.
pub(super) fn ask(
    cases: &[Case],
    blocks: &[Block],
    contestants: &[Contestant],
    surroundings: &Surroundings<'_>,
    has_clock: bool,
    watch: &dyn Watch,
) -> Result<Answers, ReplayError> {
    let shapes: Vec<(usize, usize)> =
        contestants.iter().map(|contestant| (contestant.rival.draws() as usize, contestant.settings.len())).collect();
    let mut answers = Answers {
        queries: Vec::new(),
        blocks: Vec::new(),
        cells: contestants.iter().map(|_| Vec::new()).collect(),
        rungs: contestants.iter().map(|_| Vec::new()).collect(),
        evidence: contestants.iter().map(|_| Vec::new()).collect(),
        stated: contestants.iter().map(|_| Vec::new()).collect(),
        shapes,
        conducts: Vec::new(),
    };
    for (position, block) in blocks.iter().enumerate() {
        let store = Store { cases: block.store.iter().map(|case| &cases[*case]).collect(), has_clock };
        let mut conducts = Vec::with_capacity(contestants.len());
        for (rival, contestant) in contestants.iter().enumerate() {
            let prepared = contestant.rival.prepare(&store, surroundings)?;
            let published = contestant.rival.published();
            let answered: Vec<Result<Told, ReplayError>> = block
                .queries
                .par_iter()
                .map_init(RowBuffer::default, |buffer, case| {
                    let asked = Asked::new(&cases[*case], surroundings.window.length, buffer)?;
                    let future = contestant.rival.sees_the_future().then_some(&cases[*case].known.life);
                    let query = Query { future, ..asked.query() };
                    let mut cells = Vec::new();
                    let mut rung = None;
                    for draw in 0..contestant.rival.draws() {
                        let found = prepared.recommend(&query, &contestant.settings, draw)?;
                        if draw == 0 {
                            rung = found.get(published).and_then(|answer| answer.map(|answer| answer.rung));
                        }
                        cells.extend(found.iter().map(|answer| Cell::new(answer.as_ref())));
                    }
                    watch.advance(u64::from(contestant.rival.draws()));
                    let grounds = prepared.grounds(&query, &contestant.settings[published])?;
                    let evidence = grounds.evidence.iter().take(KEPT_EVIDENCE).filter_map(|(position, share)| {
                        // Positions beyond 4 billion do not occur: the estimator counts its rows in 32 bits.
                        let case = u32::try_from(*block.store.get(*position)?).ok()?;
                        Some((case, narrow(*share)))
                    });
                    Ok(Told { cells, rung, evidence: evidence.collect(), stated: grounds.stated })
                })
                .collect();
            for one in answered {
                let told = one?;
                answers.cells[rival].extend(told.cells);
                answers.rungs[rival].push(told.rung);
                answers.evidence[rival].push(told.evidence);
                answers.stated[rival].push(told.stated);
            }
            conducts.push(Arc::from(prepared.conduct()));
        }
        answers.conducts.push(conducts);
        answers.queries.extend(&block.queries);
        answers.blocks.extend(block.queries.iter().map(|_| position));
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::WindowProfile;
    use crate::replay::test_cases::{WINDOW, case};

    #[test]
    fn a_query_shows_the_rows_of_its_window_and_none_after_it() {
        let mut one = case("w", "a", 0, 100, 4.0);
        let mut buffer = RowBuffer::default();
        let asked = Asked::new(&one, WINDOW.length, &mut buffer).unwrap();
        let rows = asked.query().rows;
        assert_eq!(rows, &one.samples.held()[..10]);
        assert!(rows.iter().all(|row| row.start.plus(row.duration) <= asked.at));
        one.known.window = WindowProfile::default();
        assert!(Asked::new(&one, WINDOW.length, &mut buffer).unwrap().query().rows.is_empty());
    }
}
