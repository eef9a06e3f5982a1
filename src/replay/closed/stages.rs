//! What shadow's controller knows of one store: an estimator per learning window, and its settings.

use std::collections::BTreeMap;

use crate::predict::control::{ControlSettings, MATCH_AGAIN_AFTER, Matcher, Stage, StoredRun};
use crate::predict::{Answer, Decision, Known, Newcomer, Question, Selection};
use crate::profile::{Floors, Window, profile_window};
use crate::replay::ReplayError;
use crate::replay::case::{Case, application_key};
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
    settings: Settings,
}

/// Settings of the controller by application, and those of the whole store.
#[derive(Debug, Clone)]
struct Settings {
    by_application: BTreeMap<String, ControlSettings>,
    of_store: ControlSettings,
}

impl Settings {
    /// Chooses settings on the stored cases of each application, on the whole store where an application has too few days.
    fn new(store: &[&Case], floor: f64) -> Self {
        let mut runs: BTreeMap<Option<String>, Vec<StoredRun>> = BTreeMap::new();
        for case in store {
            let Some(begin) = case.begin() else { continue };
            let run = StoredRun::new(&case.samples, begin);
            runs.entry(application_key(&case.known.workload)).or_default().push(run);
        }
        let by_application =
            runs.iter().filter_map(|(key, runs)| Some((key.clone()?, ControlSettings::fit(runs, floor)?))).collect();
        let all: Vec<StoredRun> = runs.into_values().flatten().collect();
        Self { by_application, of_store: ControlSettings::fit(&all, floor).unwrap_or_default() }
    }
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
        Self { windows, settings: Settings::new(store, floors.memory) }
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
