//! Which workloads are asked, what each of them may rest on, and why others are left out.
//!
//! Time order (the default): the first half of the trace's time fills the store, the next fifth is the calibration
//! period, the rest is the test period; the shares are settings. A store holds only runs that ended before its cut.
//! Where the trace has no clock common to its workloads, or time order leaves nothing to ask or nothing to learn
//! from, folds replace it, and the plan says so in its notes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::units::Micros;

use super::case::{Case, application_key, job_key};
use super::params::{ReplayParams, Split, SplitBasis, StoreMode};

/// Why a workload is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It ran when the trace began, or its start is unknown: it has no first window.
    StartNotVisible,
    /// No sample lies in its first window.
    NoSampleInWindow,
    /// It lived less than the minimum life.
    ShorterThanMinimumLife,
    /// Its samples cover less than half of its first window.
    WindowNotWhole,
    /// No other instance of its application is in the store (recurring split only).
    FirstOfItsApplication,
}

impl Reason {
    /// Returns the reason as the end of a sentence that begins with a number of workloads.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::StartNotVisible => "without a visible start",
            Self::NoSampleInWindow => "without a sample in the first window",
            Self::ShorterThanMinimumLife => "that lived shorter",
            Self::WindowNotWhole => "with less than half of the first window",
            Self::FirstOfItsApplication => "first of their application",
        }
    }
}

/// How many workloads a reason removed, and how much of the resources they used.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Removed {
    /// Workloads.
    pub workloads: u64,
    /// Their memory use over their lives, in the report's memory unit times hours.
    pub memory_hours: f64,
    /// Their CPU use over their lives, in the report's CPU unit times hours.
    pub cpu_hours: f64,
}

/// Where time order cuts the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cuts {
    /// The first thing the trace shows, in microseconds on its clock.
    pub begin: Micros,
    /// Start of the calibration period.
    pub calibration: Micros,
    /// Start of the test period.
    pub test: Micros,
    /// The last thing the trace shows.
    pub end: Micros,
}

/// Queries that share a store. Numbers are positions in the cases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// What may be learned from.
    pub store: Vec<usize>,
    /// What is asked.
    pub queries: Vec<usize>,
    /// For a test block: the calibration blocks whose outcomes may choose its knobs.
    pub calibrated_by: Vec<usize>,
}

/// Queries, stores and what was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The split.
    pub split: Split,
    /// How queries and store are told apart.
    pub basis: SplitBasis,
    /// The cuts of time order.
    pub cuts: Option<Cuts>,
    /// What two workloads must not share in the unseen split.
    pub held_out_by: Option<&'static str>,
    /// Folds, where there are any.
    pub folds: u32,
    /// What is scored.
    pub test: Vec<Block>,
    /// What chooses the knobs.
    pub calibration: Vec<Block>,
    /// Workloads left out of the test, by reason.
    pub removed: BTreeMap<Reason, Removed>,
    /// Calibration workloads left out because they were alive at the test cut.
    pub calibration_alive_at_test_cut: u64,
    /// What the reader of the report must know.
    pub notes: Vec<String>,
}

/// Returns the plan of a replay of `cases`. Nothing of a query's life beyond its length (for the minimum life) and
/// nothing of its outcome decides where it stands.
pub fn plan(cases: &[Case], params: &ReplayParams) -> Plan {
    match params.split {
        Split::Recurring => timed(cases, params, Split::Recurring).unwrap_or_else(|why| folded(cases, params, &why)),
        Split::Unseen => timed(cases, params, Split::Unseen).unwrap_or_else(|why| grouped_folds(cases, params, &why)),
        Split::Leaky => leaky(cases, params),
    }
}

/// Returns why a case cannot be asked.
fn hindrance(case: &Case, params: &ReplayParams) -> Option<Reason> {
    let known = &case.known;
    let window_seconds = params.window.length.as_seconds();
    if known.workload.start.is_none() || known.life.censoring.left {
        return Some(Reason::StartNotVisible);
    }
    if known.life.seconds < params.minimum_life_windows * window_seconds {
        return Some(Reason::ShorterThanMinimumLife);
    }
    // At submission nothing is to be seen yet.
    if window_seconds <= 0.0 {
        return None;
    }
    // A machine that was switched off has rows, but shows nothing.
    let shows_nothing = known.window.cpu.is_none() && known.window.memory.is_none();
    if known.window.samples == 0 || shows_nothing {
        return Some(Reason::NoSampleInWindow);
    }
    (known.window.observed_seconds < window_seconds / 2.0).then_some(Reason::WindowNotWhole)
}

/// Counts removed workloads in the report's units.
struct Tally<'a> {
    cases: &'a [Case],
    memory_factor: f64,
    cpu_factor: f64,
    removed: BTreeMap<Reason, Removed>,
}

impl<'a> Tally<'a> {
    fn new(cases: &'a [Case], params: &ReplayParams) -> Self {
        let output = super::Scale::new(params.units, params.machine).output();
        Self { cases, memory_factor: output.memory_factor, cpu_factor: output.cpu_factor, removed: BTreeMap::new() }
    }

    fn add(&mut self, case: usize, reason: Reason) {
        let (memory_seconds, cpu_seconds) = self.cases[case].resource_seconds();
        let entry = self.removed.entry(reason).or_default();
        entry.workloads += 1;
        entry.memory_hours += memory_seconds * self.memory_factor / 3600.0;
        entry.cpu_hours += cpu_seconds * self.cpu_factor / 3600.0;
    }

    /// Keeps the candidates that can be asked and counts the others.
    fn askable(&mut self, params: &ReplayParams, candidates: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut kept = Vec::new();
        for case in candidates {
            match hindrance(&self.cases[case], params) {
                Some(reason) => self.add(case, reason),
                None => kept.push(case),
            }
        }
        kept
    }
}

/// Returns the cuts of the trace's clock, or why it has none.
fn cuts(cases: &[Case], params: &ReplayParams) -> Result<Cuts, String> {
    let mut starts: Vec<Micros> = cases.iter().filter_map(|case| case.known.workload.start).collect();
    starts.sort_unstable();
    starts.dedup();
    match starts.as_slice() {
        [] => return Err("no workload's start is visible".to_owned()),
        [Micros(0)] => {
            return Err("every workload starts at time 0, so the trace has no clock common to them".to_owned());
        }
        [one] => return Err(format!("every workload starts at the same time ({one}), so there is no order in time")),
        _ => {}
    }
    let begin = cases.iter().filter_map(Case::begin).min().unwrap_or_default();
    let end = cases.iter().filter_map(Case::finish).max().unwrap_or_default();
    let span = end.minus(begin).as_seconds();
    let at = |share: f64| begin.plus(Micros::from_seconds_f64(span * share).unwrap_or_default());
    Ok(Cuts { begin, calibration: at(params.store_share), test: at(params.test_share), end })
}

/// Returns the positions of the runs that ended before `cut`.
fn ended_before(cases: &[Case], cut: Micros) -> Vec<usize> {
    (0..cases.len()).filter(|case| cases[*case].ended_before(cut)).collect()
}

/// Time order; `Err` says why it is impossible.
fn timed(cases: &[Case], params: &ReplayParams, split: Split) -> Result<Plan, String> {
    let cuts = cuts(cases, params)?;
    let mut tally = Tally::new(cases, params);
    let start = |case: usize| cases[case].known.workload.start;
    for case in 0..cases.len() {
        if start(case).is_none() {
            tally.add(case, Reason::StartNotVisible);
        }
    }
    let in_test = (0..cases.len()).filter(|case| start(*case).is_some_and(|start| start >= cuts.test));
    let queries = tally.askable(params, in_test);
    let store = ended_before(cases, cuts.test);
    if queries.is_empty() {
        return Err("no workload that starts in the test period can be asked".to_owned());
    }
    if store.is_empty() {
        return Err("no workload ended before the test period".to_owned());
    }

    // A workload that outlives the test cut would carry what happened after it into the choice of knobs.
    let in_calibration =
        |case: &usize| start(*case).is_some_and(|start| start >= cuts.calibration && start < cuts.test);
    let candidates = (0..cases.len()).filter(in_calibration).filter(|case| hindrance(&cases[*case], params).is_none());
    let (calibration_queries, alive): (Vec<usize>, Vec<usize>) =
        candidates.partition(|case| cases[*case].ended_before(cuts.test));
    let calibration_store = ended_before(cases, cuts.calibration);

    // Growing: each step of the test period has the store of its own beginning.
    let steps = match params.store_mode {
        StoreMode::Frozen => 1,
        StoreMode::Growing { steps } => steps,
    };
    let step_begin = |step: u32| {
        let share = f64::from(step) / f64::from(steps);
        let seconds = cuts.end.minus(cuts.test).as_seconds() * share;
        cuts.test.plus(Micros::from_seconds_f64(seconds).unwrap_or_default())
    };
    let mut test: Vec<Block> = Vec::new();
    for step in 0..steps {
        let (from, until) = (step_begin(step), step_begin(step + 1));
        let inside =
            |case: &&usize| start(**case).is_some_and(|start| start >= from && (start < until || step + 1 == steps));
        test.push(Block {
            store: ended_before(cases, from),
            queries: queries.iter().filter(inside).copied().collect(),
            calibrated_by: vec![0],
        });
    }
    let calibration = Block { store: calibration_store, queries: calibration_queries, calibrated_by: Vec::new() };

    let mut plan = Plan {
        split,
        basis: SplitBasis::TimeOrder,
        cuts: Some(cuts),
        held_out_by: None,
        folds: 0,
        test,
        calibration: vec![calibration],
        removed: BTreeMap::new(),
        calibration_alive_at_test_cut: alive.len() as u64,
        notes: Vec::new(),
    };
    if split == Split::Unseen {
        hold_out_groups(cases, params, &mut plan);
    } else {
        keep_recurring(cases, &mut plan, &mut tally);
    }
    plan.removed = tally.removed;
    drop_empty(&mut plan);
    if plan.test.is_empty() {
        return Err(match split {
            Split::Unseen => "holding out whole groups leaves nothing to ask".to_owned(),
            _ => "no workload of the test period has an earlier instance in the store".to_owned(),
        });
    }
    Ok(plan)
}

/// Removes queries of which no other instance is in the store, where the trace names applications at all.
fn keep_recurring(cases: &[Case], plan: &mut Plan, tally: &mut Tally<'_>) {
    if cases.iter().all(|case| case.known.workload.application.is_none()) {
        plan.notes.push("the trace names no applications: recurring means time order alone".to_owned());
        return;
    }
    for block in &mut plan.test {
        let seen = instances(cases, &block.store);
        block.queries.retain(|query| {
            let stays = earlier_instances(cases, &seen, *query) > 0;
            if !stays {
                tally.add(*query, Reason::FirstOfItsApplication);
            }
            stays
        });
    }
}

/// Counts the stored instances of each application.
pub(super) fn instances(cases: &[Case], store: &[usize]) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    for case in store {
        if let Some(key) = application_key(&cases[*case].known.workload) {
            *seen.entry(key).or_insert(0) += 1;
        }
    }
    seen
}

/// Returns how many instances of the query's application were counted.
pub(super) fn earlier_instances(cases: &[Case], seen: &BTreeMap<String, u64>, query: usize) -> u64 {
    application_key(&cases[query].known.workload).and_then(|key| seen.get(&key).copied()).unwrap_or(0)
}

/// Splits every block by folds of whole groups, so that no query meets its own group in a store or in a fit.
fn hold_out_groups(cases: &[Case], params: &ReplayParams, plan: &mut Plan) {
    let (fold_of, folds, key) = group_folds(cases, params, &mut plan.notes);
    let per_fold = |block: &Block, fold: u32| Block {
        store: block.store.iter().copied().filter(|case| fold_of[*case] != fold).collect(),
        queries: block.queries.iter().copied().filter(|case| fold_of[*case] == fold).collect(),
        calibrated_by: (0..folds as usize).filter(|other| *other != fold as usize).collect(),
    };
    plan.test =
        plan.test.iter().flat_map(|block| (0..folds).map(|fold| per_fold(block, fold)).collect::<Vec<_>>()).collect();
    plan.calibration = plan
        .calibration
        .iter()
        .flat_map(|block| (0..folds).map(|fold| per_fold(block, fold)).collect::<Vec<_>>())
        .collect();
    for block in &mut plan.calibration {
        block.calibrated_by.clear();
    }
    plan.folds = folds;
    plan.held_out_by = Some(key);
}

/// Assigns whole groups to folds: groups in descending size, each to the fold with the fewest workloads.
fn group_folds(cases: &[Case], params: &ReplayParams, notes: &mut Vec<String>) -> (Vec<u32>, u32, &'static str) {
    let has_user = cases.iter().any(|case| case.known.workload.user.is_some());
    let (mut group_of, mut key) = if has_user {
        (groups(cases, true), "application, job or user")
    } else {
        notes.push("the trace names no users: unseen means unseen application".to_owned());
        (groups(cases, false), "application or job")
    };
    if has_user && group_of.iter().all(|group| *group == group_of[0]) {
        notes.push("one user owns everything, so users cannot be held out: unseen means unseen application".to_owned());
        (group_of, key) = (groups(cases, false), "application or job");
    }
    if cases.iter().all(|case| case.known.workload.application.is_none()) {
        notes.push("the trace names no applications: unseen holds out jobs and users only".to_owned());
    }
    let mut sizes: BTreeMap<usize, u64> = BTreeMap::new();
    for group in &group_of {
        *sizes.entry(*group).or_insert(0) += 1;
    }
    let mut order: Vec<(usize, u64)> = sizes.iter().map(|(group, size)| (*group, *size)).collect();
    let name = |group: usize| digest(params.seed, &cases[group].known.workload.id);
    order.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| name(a.0).cmp(&name(b.0))).then(a.0.cmp(&b.0)));
    let folds = u32::try_from(order.len()).unwrap_or(u32::MAX).clamp(1, params.group_folds);
    let mut load = vec![0_u64; folds as usize];
    let mut fold_of_group = BTreeMap::new();
    for (group, size) in order {
        let fold = (0..folds).min_by_key(|fold| (load[*fold as usize], *fold)).unwrap_or(0);
        load[fold as usize] += size;
        fold_of_group.insert(group, fold);
    }
    (group_of.iter().map(|group| fold_of_group[group]).collect(), folds, key)
}

/// Returns for each case the first case of its group: cases that share an application, a job, an identifier or (with
/// `by_user`) a user are one group, and so are those linked through others.
fn groups(cases: &[Case], by_user: bool) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..cases.len()).collect();
    let mut first_with: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    for (case, entry) in cases.iter().enumerate() {
        let workload = &entry.known.workload;
        let keys = [
            (0, Some(workload.id.as_str())),
            (1, workload.application.as_deref()),
            (2, job_key(workload)),
            (3, workload.user.as_deref().filter(|_| by_user)),
        ];
        for (kind, key) in keys {
            let Some(key) = key else { continue };
            let other = *first_with.entry((kind, key)).or_insert(case);
            let (a, b) = (root(&mut parent, case), root(&mut parent, other));
            // The smaller position stays the root, so that a group's name does not depend on the order of unions.
            parent[a.max(b)] = a.min(b);
        }
    }
    (0..cases.len()).map(|case| root(&mut parent, case)).collect()
}

/// Finds the root and shortens the path to it.
fn root(parent: &mut [usize], mut case: usize) -> usize {
    while parent[case] != case {
        parent[case] = parent[parent[case]];
        case = parent[case];
    }
    case
}

/// Returns a portable, seeded order of names.
fn digest(seed: u64, name: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(name.as_bytes());
    let mut first = [0; 16];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    first
}

/// Assigns identifiers to folds in the order of their digests; all runs of an identifier share its fold.
fn identifier_folds(cases: &[Case], seed: u64, folds: u32) -> Vec<u32> {
    let mut names: Vec<&str> = cases.iter().map(|case| case.known.workload.id.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.sort_by_cached_key(|name| digest(seed, name));
    let fold: BTreeMap<&str, u32> = names.into_iter().zip((0..folds).cycle()).collect();
    cases.iter().map(|case| fold[case.known.workload.id.as_str()]).collect()
}

/// Builds one test block per fold, each with the next fold as its calibration: answered without either.
fn blocks_of_folds(fold_of: &[u32], folds: u32, queries: &[usize]) -> (Vec<Block>, Vec<Block>) {
    let of = |fold: u32| queries.iter().copied().filter(|case| fold_of[*case] == fold).collect::<Vec<_>>();
    let without =
        |a: u32, b: u32| (0..fold_of.len()).filter(|case| fold_of[*case] != a && fold_of[*case] != b).collect();
    let test = (0..folds)
        .map(|fold| Block { store: without(fold, fold), queries: of(fold), calibrated_by: vec![fold as usize] })
        .collect();
    let calibration = (0..folds)
        .map(|fold| {
            let next = (fold + 1) % folds;
            Block { store: without(fold, next), queries: of(next), calibrated_by: Vec::new() }
        })
        .collect();
    (test, calibration)
}

/// Says that folds replace time order.
fn loudly(why: &str, folds: u32, by: &str) -> String {
    format!(
        "no split in time order: {why}; {folds} folds by {by} replace it, so stores may hold workloads that ran later than \
         the query, and figures are more flattering than in time order"
    )
}

/// Folds by instance: what replaces the recurring split where there is no order in time.
fn folded(cases: &[Case], params: &ReplayParams, why: &str) -> Plan {
    let mut tally = Tally::new(cases, params);
    let queries = tally.askable(params, 0..cases.len());
    let fold_of = identifier_folds(cases, params.seed, params.folds);
    let (test, calibration) = blocks_of_folds(&fold_of, params.folds, &queries);
    let mut plan = Plan {
        split: Split::Recurring,
        basis: SplitBasis::Folds,
        cuts: None,
        held_out_by: None,
        folds: params.folds,
        test,
        calibration,
        removed: BTreeMap::new(),
        calibration_alive_at_test_cut: 0,
        notes: vec![loudly(why, params.folds, "instance")],
    };
    keep_recurring(cases, &mut plan, &mut tally);
    plan.removed = tally.removed;
    drop_empty(&mut plan);
    plan
}

/// Folds by group: what replaces the unseen split where there is no order in time.
fn grouped_folds(cases: &[Case], params: &ReplayParams, why: &str) -> Plan {
    let mut tally = Tally::new(cases, params);
    let queries = tally.askable(params, 0..cases.len());
    let mut notes = Vec::new();
    let (fold_of, folds, key) = group_folds(cases, params, &mut notes);
    let (test, mut calibration) = blocks_of_folds(&fold_of, folds, &queries);
    // With one or two folds the next fold is the store itself or the test: there is nothing left to calibrate on.
    if folds < 3 {
        calibration.clear();
    }
    notes.insert(0, loudly(why, folds, key));
    let mut plan = Plan {
        split: Split::Unseen,
        basis: SplitBasis::Folds,
        cuts: None,
        held_out_by: Some(key),
        folds,
        test,
        calibration,
        removed: tally.removed,
        calibration_alive_at_test_cut: 0,
        notes,
    };
    drop_empty(&mut plan);
    plan
}

/// The queries of the recurring split, each answered from a random part of everything else.
fn leaky(cases: &[Case], params: &ReplayParams) -> Plan {
    let honest = timed(cases, params, Split::Recurring).unwrap_or_else(|why| folded(cases, params, &why));
    let mut queries: Vec<usize> = honest.test.iter().flat_map(|block| block.queries.iter().copied()).collect();
    queries.sort_unstable();
    // Runs are drawn one by one, whatever they belong to: that is what makes the split leak.
    let mut order: Vec<usize> = (0..cases.len()).collect();
    let name = |case: usize| {
        let workload = &cases[case].known.workload;
        digest(params.seed.wrapping_add(1), &format!("{}\u{1f}{}", workload.id, workload.run))
    };
    order.sort_by_cached_key(|case| name(*case));
    let mut fold_of = vec![0; cases.len()];
    for (case, fold) in order.into_iter().zip((0..params.folds).cycle()) {
        fold_of[case] = fold;
    }
    let (test, calibration) = blocks_of_folds(&fold_of, params.folds, &queries);
    let mut plan = Plan {
        split: Split::Leaky,
        basis: SplitBasis::Random,
        cuts: honest.cuts,
        held_out_by: None,
        folds: params.folds,
        test,
        calibration,
        removed: honest.removed,
        calibration_alive_at_test_cut: 0,
        notes: vec![format!(
            "the leaky split ignores time and groups: {} random folds over all runs; its figures flatter and count only \
             beside the honest ones",
            params.folds
        )],
    };
    drop_empty(&mut plan);
    plan
}

/// Forgets test blocks without queries and calibration blocks without queries or store, keeping references right.
fn drop_empty(plan: &mut Plan) {
    plan.test.retain(|block| !block.queries.is_empty());
    let mut renumbered = BTreeMap::new();
    let mut kept = Vec::new();
    for (position, block) in std::mem::take(&mut plan.calibration).into_iter().enumerate() {
        if !block.queries.is_empty() && !block.store.is_empty() {
            renumbered.insert(position, kept.len());
            kept.push(block);
        }
    }
    plan.calibration = kept;
    for block in &mut plan.test {
        block.calibrated_by = block.calibrated_by.iter().filter_map(|old| renumbered.get(old).copied()).collect();
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
