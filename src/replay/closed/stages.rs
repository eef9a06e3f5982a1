//! What shadow's controller knows of one store: an estimator per learning window, and its settings.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::predict::control::{ControlSettings, MATCH_AGAIN_AFTER, Matcher, Rehearsal, Stage, StoredRun};
use crate::predict::{Answer, Decision, Known, Newcomer, Question, Selection};
use crate::profile::{Floors, Window, profile_window};
use crate::replay::ReplayError;
use crate::replay::case::{Case, application_key};
use crate::replay::learner::Fitted;
use crate::replay::rivals::Surroundings;
use crate::replay::samples::RowBuffer;

/// One fitted window.
struct FittedStage<'a> {
    window: Window,
    fitted: Box<dyn Fitted + 'a>,
    question: Question,
}

impl Matcher for FittedStage<'_> {
    /// An estimator that fails on a longer window has no answer there: the one before it stays.
    fn matched(&self, newcomer: &Newcomer) -> Option<Answer> {
        let answer = self.fitted.answer(newcomer, &self.question, Selection::Nearest, &|_| true).ok()?;
        (answer.decision != Decision::Abstain).then_some(answer)
    }
}

/// Stored workloads over each learning window: those that lived that long.
pub(super) struct History {
    windows: Vec<(Window, Vec<Known>)>,
    settings: Settings,
}

/// Settings of the controller by application, and those of the whole store.
#[derive(Debug, Clone)]
struct Settings {
    by_application: BTreeMap<String, ControlSettings>,
    of_store: ControlSettings,
}

/// Stored runs per thread that are read at once.
const AT_ONCE: usize = 16;

/// One stored run: what it showed in each window that it lived through, and its peaks.
type Seen = (Vec<Option<Known>>, Option<StoredRun>);

fn see(case: &Case, windows: &[Window], floors: Floors, buffer: &mut RowBuffer) -> Result<Seen, ReplayError> {
    let samples = case.samples.read(buffer)?;
    let start = case.known.workload.start.filter(|_| !case.known.life.censoring.left);
    let of_window = |window: &Window| {
        let start = start.filter(|_| case.known.life.seconds >= window.length.as_seconds())?;
        let profile = profile_window(samples, start, *window, floors).ok()?;
        Some(Known { window: profile, ..case.known.clone() })
    };
    Ok((windows.iter().map(of_window).collect(), case.begin().map(|begin| StoredRun::new(samples, begin))))
}

impl History {
    /// Profiles the stored cases over the learning window and every longer one, and chooses the controller's settings on the
    /// runs of each application, and of the whole store where an application has too few days. Only `store` is looked at,
    /// a few runs at a time.
    pub(super) fn new(store: &[&Case], window: Window, floors: Floors) -> Result<Self, ReplayError> {
        let longer = MATCH_AGAIN_AFTER.into_iter().filter(|length| *length > window.length);
        let lengths: Vec<Window> = std::iter::once(window).chain(longer.map(|length| Window { length })).collect();
        // The settings of an application are chosen when the last of its runs was looked at.
        let mut by_application: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
        for (position, case) in store.iter().enumerate() {
            by_application.entry(application_key(&case.known.workload)).or_default().push(position);
        }
        let mut known: Vec<Vec<Option<Known>>> = vec![Vec::new(); store.len()];
        let mut settings = Settings { by_application: BTreeMap::new(), of_store: ControlSettings::default() };
        let mut of_store = Rehearsal::new(floors.memory);
        for (application, positions) in by_application {
            let mut own = Rehearsal::new(floors.memory);
            for some in positions.chunks(AT_ONCE * rayon::current_num_threads().max(1)) {
                let seen: Vec<Seen> = some
                    .par_iter()
                    .map_init(RowBuffer::default, |buffer, at| see(store[*at], &lengths, floors, buffer))
                    .collect::<Result<_, _>>()?;
                for (position, (windows, run)) in some.iter().zip(seen) {
                    known[*position] = windows;
                    if let Some(run) = run {
                        of_store.add(&run, &mut own);
                    }
                }
            }
            settings.by_application.extend(application.zip(own.settings()));
        }
        settings.of_store = of_store.settings().unwrap_or_default();
        let mut windows: Vec<(Window, Vec<Known>)> = lengths.into_iter().map(|window| (window, Vec::new())).collect();
        for of_case in known {
            for ((_, all), known) in windows.iter_mut().zip(of_case) {
                all.extend(known);
            }
        }
        Ok(Self { windows, settings })
    }

    /// Fits an estimator to every window that has workloads.
    pub(super) fn fit<'a>(&'a self, surroundings: &Surroundings<'_>) -> Result<FittedStages<'a>, ReplayError> {
        let mut stages = Vec::new();
        for (window, known) in &self.windows {
            if known.is_empty() {
                continue;
            }
            let all: Vec<&Known> = known.iter().collect();
            let fitted = surroundings.learner.fit(&all, *window, surroundings.seed).map_err(|source| {
                ReplayError::Learner { what: format!("{} workloads seen for {}", all.len(), window.length), source }
            })?;
            stages.push(FittedStage { window: *window, fitted, question: surroundings.question });
        }
        Ok(FittedStages { stages, settings: &self.settings })
    }
}

/// Everything shadow's controller needs of a store.
pub(super) struct FittedStages<'a> {
    stages: Vec<FittedStage<'a>>,
    settings: &'a Settings,
}

impl FittedStages<'_> {
    /// Returns the settings for a run of that application.
    pub(super) fn settings(&self, application: Option<&str>) -> ControlSettings {
        let own = application.and_then(|key| self.settings.by_application.get(key));
        own.copied().unwrap_or(self.settings.of_store)
    }

    /// Returns the stages, shortest window first.
    pub(super) fn stages(&self) -> Vec<Stage<'_>> {
        self.stages.iter().map(|stage| Stage { window: stage.window, matcher: stage }).collect()
    }
}
