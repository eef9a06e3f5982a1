//! The closed loop: every run is led by a controller from its first answer to its end, and each rival by its own rules.
//!
//! Input: the plan's test blocks with their stores, the first answers of all rivals, and the rows of every query. Output:
//! [`ClosedRow`]s: what was allocated, used and killed per job-day, under F0, F1 and F2. Shadow matches again over longer
//! windows and lets the run's own record take over ([`crate::predict::control`]); rivals with a published feedback
//! follow it ([`super::rivals::Conduct::controller`]); all others hold their first answer and grow it after a kill.
//!
//! Invariants: a controller is shown rows only after they ended, and stores hold what their block allows; figures begin
//! at the end of the rows that the first answer rests on; runs are led in parallel and added up in the order of the
//! cases, so that the number of threads changes nothing. Cost: time grows with rows, rivals and models; beside the cases,
//! one summary per job-day, rival and model is held.

mod days;
mod engine;
mod figures;
mod held;
mod stages;
mod task;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::predict::control::{Controller, InForce, ShadowController};
use crate::profile::Floors;

use super::ReplayError;
use super::answers::{Answers, Asked, Contestant};
use super::case::{Case, application_key, job_key};
use super::feedback::FeedbackModel;
use super::params::ReplayParams;
use super::plan::Block;
use super::results::Resource;
use super::rivals::{Conduct, Surroundings};
use super::samples::RowBuffer;
use super::watch::Watch;

pub use days::{Day, DayOfResource, Days};
pub use engine::{LoopCase, LoopParams, LoopRun, lead};
pub use figures::{ClosedRow, Lives};

use figures::{JobDay, RunSummary, Tally};
use held::Held;
use stages::{FittedStages, History};
use task::{Task, Tasks};

/// Kills in a row after which a run is given up, and the wait after each (our values, those of the one-shot feedback).
const MOST_ATTEMPTS: u32 = 10;
const RESTART_DELAY_SECONDS: f64 = 10.0;
const MODELS: [FeedbackModel; 3] = [FeedbackModel::F0, FeedbackModel::F1, FeedbackModel::F2];
/// Shadow's first answer held like that of a rival: what the controller adds is the difference.
const SHADOW_HELD: &str = "shadow-held";

/// Who leads.
#[derive(Clone, Copy)]
struct Leader {
    name: &'static str,
    /// Position of the rival whose first answer it is.
    contestant: usize,
    is_shadow: bool,
    /// Whether it had no first answer to anything.
    is_silent: bool,
}

/// Everything that leading needs.
struct World<'a> {
    cases: &'a [Case],
    params: &'a ReplayParams,
    contestants: &'a [Contestant],
    answers: &'a Answers,
    surroundings: &'a Surroundings<'a>,
    leaders: Vec<Leader>,
}

/// Leads every query of the test by every rival under every model.
///
/// # Errors
/// [`ReplayError::Learner`] if shadow's estimator cannot be fitted over a longer window.
pub(super) fn closed_loop(
    cases: &[Case],
    blocks: &[Block],
    answers: &Answers,
    contestants: &[Contestant],
    surroundings: &Surroundings<'_>,
    params: &ReplayParams,
    watch: &dyn Watch,
) -> Result<Vec<ClosedRow>, ReplayError> {
    let mut leaders = Vec::new();
    for (contestant, entry) in contestants.iter().enumerate() {
        // Without any answer, at first or later, a rival's line would be the owner's.
        let is_silent = (0..answers.queries.len()).all(|query| answers.rung(contestant, query).is_none());
        let answers_later = match answers.queries.first().filter(|_| is_silent) {
            Some(case) => answers_later(&cases[*case], entry, answers.conduct(contestant, 0), params)?,
            None => false,
        };
        if is_silent && !answers_later {
            continue;
        }
        let name = entry.rival.name();
        leaders.push(Leader { name, contestant, is_shadow: name == "shadow", is_silent });
        if name == "shadow" {
            leaders.push(Leader { name: SHADOW_HELD, contestant, is_shadow: false, is_silent });
        }
    }
    let world = World { cases, params, contestants, answers, surroundings, leaders };
    let floors = Floors::of(params.units);
    let mut tallies: BTreeMap<(usize, FeedbackModel), Tally> = BTreeMap::new();
    watch.stage("leading runs", answers.queries.len() as u64);
    let leads_shadow = world.leaders.iter().any(|leader| leader.is_shadow);
    // A job's tasks may be asked in several blocks, each with the knowledge of its own.
    let histories: Vec<History> = blocks
        .par_iter()
        .filter(|_| leads_shadow)
        .map(|block| {
            let store: Vec<&Case> = block.store.iter().map(|case| &cases[*case]).collect();
            History::new(&store, params.window, floors)
        })
        .collect::<Result<_, _>>()?;
    let stages: Vec<FittedStages<'_>> =
        histories.iter().map(|history| history.fit(surroundings)).collect::<Result<_, _>>()?;
    let led: Vec<Vec<Part>> = jobs(&world)
        .par_iter()
        .map_init(Tasks::default, |tasks, job| {
            let led = world.lead_job(job, &stages, tasks);
            watch.advance(job.len() as u64);
            led
        })
        .collect::<Result<_, _>>()?;
    for (key, part) in led.into_iter().flatten() {
        tallies.entry(key).or_default().add(part);
    }
    let units = surroundings.scale.output();
    // Who never answered at all led nothing: its line would be the owner's.
    let changed: BTreeSet<usize> =
        tallies.iter().filter(|(_, tally)| tally.has_changes()).map(|((leader, _), _)| *leader).collect();
    let has_led = |leader: usize| !world.leaders[leader].is_silent || changed.contains(&leader);
    Ok(tallies
        .iter()
        .filter(|((leader, _), _)| has_led(*leader))
        .flat_map(|((leader, model), tally)| tally.rows(params.split, world.leaders[*leader].name, *model, &units))
        .collect())
}

/// Returns whether a rival is led by rules of its own: it may answer when it has seen more.
fn answers_later(
    case: &Case,
    entry: &Contestant,
    conduct: &dyn Conduct,
    params: &ReplayParams,
) -> Result<bool, ReplayError> {
    let asked = Asked::new(case, params.window.length, &mut RowBuffer::default())?;
    let setting = entry.settings[entry.rival.published()];
    Ok(conduct.controller(&asked.query(), &setting).is_some())
}

/// Groups queries by the job that their identifiers name, in the order of their first; a run without a job is its own.
fn jobs(world: &World<'_>) -> Vec<Vec<usize>> {
    let mut position: BTreeMap<&str, usize> = BTreeMap::new();
    let mut jobs: Vec<Vec<usize>> = Vec::new();
    for (query, case) in world.answers.queries.iter().enumerate() {
        match job_key(&world.cases[*case].known.workload) {
            Some(job) => {
                let at = *position.entry(job).or_insert_with(|| {
                    jobs.push(Vec::new());
                    jobs.len() - 1
                });
                jobs[at].push(query);
            }
            None => jobs.push(vec![query]),
        }
    }
    jobs
}

/// What one job adds to one leader and model.
type Part = ((usize, FeedbackModel), (Vec<RunSummary>, Vec<JobDay>));

impl World<'_> {
    fn case(&self, query: usize) -> &Case {
        &self.cases[self.answers.queries[query]]
    }

    /// Leads the tasks of one job by everybody. Tasks share the days of the job, counted from its first start. Of a job with
    /// several tasks each is read again for every leader: all together may be more than memory holds.
    fn lead_job(
        &self,
        job: &[usize],
        stages: &[FittedStages<'_>],
        tasks: &mut Tasks,
    ) -> Result<Vec<Part>, ReplayError> {
        let start = |query: usize| self.case(query).known.workload.start.unwrap_or_default();
        let origin = job.iter().map(|query| start(*query)).min().unwrap_or_default();
        let mut parts = Vec::new();
        for (number, leader) in self.leaders.iter().enumerate() {
            let mut led = MODELS.map(|_| (Vec::new(), Vec::new()));
            for query in job {
                let task = tasks.of(*query, self.case(*query), self.params.window.length)?;
                let offset = start(*query).minus(origin).as_seconds();
                let of_block = stages.get(self.answers.blocks[*query]);
                for (model, (summaries, days)) in MODELS.iter().zip(&mut led) {
                    let run = self.lead_one(*leader, *model, *query, (task, offset), of_block);
                    if let Some((summary, of_task)) = run {
                        summaries.push(summary);
                        days.push((summary.lives, of_task));
                    }
                }
            }
            for (model, (summaries, days)) in MODELS.into_iter().zip(led) {
                parts.push(((number, model), (summaries, figures::job_days(days))));
            }
        }
        Ok(parts)
    }

    /// Leads one run; nothing if neither the rival nor its owner allocates memory.
    fn lead_one(
        &self,
        leader: Leader,
        model: FeedbackModel,
        query: usize,
        (task, offset): (&Task, f64),
        stages: Option<&FittedStages<'_>>,
    ) -> Option<(RunSummary, BTreeMap<u64, Day>)> {
        let case = self.case(query);
        let workload = &case.known.workload;
        let start = workload.start.unwrap_or_default();
        let (cpu, memory) = super::rivals::Owner::asked(&workload.request, &workload.limit);
        let owner = InForce { cpu, memory };
        let entry = &self.contestants[leader.contestant];
        let published = entry.rival.published();
        let answer = |resource| self.answers.get(leader.contestant, query, 0, published, resource);
        let own = InForce { cpu: answer(Resource::Cpu), memory: answer(Resource::Memory) };
        // The oracle is a reference: where it does not know the truth, nobody stands in for it.
        if entry.rival.sees_the_future() && own.memory.is_none() {
            return None;
        }
        let first = InForce { cpu: own.cpu.or(owner.cpu), memory: own.memory.or(owner.memory) };
        first.memory?;
        let asked = &task.asked;
        let setting = entry.settings[published];
        let scale = &self.surroundings.scale;
        let own_rule = own.memory.is_some();
        let conduct = self.answers.conduct(leader.contestant, query);
        let by_rule = || conduct.controller(&asked.query(), &setting);
        let mut controller: Box<dyn Controller + '_> = match stages.filter(|_| leader.is_shadow) {
            Some(stages) => {
                let floors = Floors::of(self.params.units);
                let settings = stages.settings(application_key(workload).as_deref());
                Box::new(ShadowController::new(&workload.id, &task.facts, start, floors, stages.stages(), settings))
            }
            None => by_rule().map_or_else(
                || {
                    let query = asked;
                    let bump = move |kills: &[super::feedback::Attempt]| {
                        if own_rule {
                            conduct.after_kills(&query.query(), &setting, kills)
                        } else {
                            kills.last().map(|kill| kill.allocation * 2.0)
                        }
                    };
                    Box::new(Held::new(first, Box::new(bump))) as Box<dyn Controller + '_>
                },
                |controller| controller as Box<dyn Controller + '_>,
            ),
        };
        let params = LoopParams {
            model,
            from: self.params.window.length.as_seconds().max(case.known.window.observed_seconds),
            cpu_limit: self.params.cpu_limit,
            service: case.is_service(),
            memory_cap: scale.machine_memory,
            restart_delay: RESTART_DELAY_SECONDS,
            most_attempts: MOST_ATTEMPTS,
        };
        let mut days = Days::new(offset);
        let loop_case = LoopCase { samples: &task.samples, start, series: &task.series, owner };
        let run = lead(&loop_case, &mut *controller, &params, &mut days);
        let lives = Lives::of(case.known.life.seconds);
        Some((RunSummary { run, lives, owner }, days.finish()))
    }
}

#[cfg(test)]
#[path = "closed_tests.rs"]
mod tests;
