//! What shadow's controller knows of one store: an estimator per learning window, and its settings.

use crate::predict::control::{ControlSettings, MATCH_AGAIN_AFTER, Matcher, Stage, StoredRun};
use crate::predict::{Answer, Decision, Known, Newcomer, Question, Selection};
use crate::profile::{Floors, Window, profile_window};
use crate::replay::ReplayError;
use crate::replay::case::Case;
use crate::replay::learner::Fitted;
use crate::replay::rivals::Surroundings;

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
    settings: ControlSettings,
}

impl History {
    /// Profiles the stored cases over the learning window and every longer one, and chooses the controller's settings on
    /// them. Only `store` is looked at.
    pub(super) fn new(store: &[&Case], window: Window, floors: Floors) -> Self {
        let visible = |case: &&&Case| !case.known.life.censoring.left && case.known.workload.start.is_some();
        let mut windows = vec![(window, Vec::new())];
        let longer = MATCH_AGAIN_AFTER.into_iter().filter(|length| *length > window.length);
        windows.extend(longer.map(|length| (Window { length }, Vec::new())));
        for case in store.iter().filter(visible) {
            let Some(start) = case.known.workload.start else { continue };
            for (window, known) in &mut windows {
                if case.known.life.seconds < window.length.as_seconds() {
                    continue;
                }
                if let Ok(profile) = profile_window(&case.samples, start, *window, floors) {
                    known.push(Known { window: profile, ..case.known.clone() });
                }
            }
        }
        let runs: Vec<StoredRun> =
            store.iter().filter_map(|case| Some(StoredRun::new(&case.samples, case.begin()?))).collect();
        Self { windows, settings: ControlSettings::fit(&runs, floors.memory) }
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
        Ok(FittedStages { stages, settings: self.settings })
    }
}

/// Everything shadow's controller needs of a store.
pub(super) struct FittedStages<'a> {
    stages: Vec<FittedStage<'a>>,
    pub(super) settings: ControlSettings,
}

impl FittedStages<'_> {
    /// Returns the stages, shortest window first.
    pub(super) fn stages(&self) -> Vec<Stage<'_>> {
        self.stages.iter().map(|stage| Stage { window: stage.window, matcher: stage }).collect()
    }
}
