//! The rivals, one file each, behind one trait, all written from their published descriptions.
//!
//! A rival is prepared once per block with the store of that block, and then asked about newcomers. It is handed the
//! first window's profile and the facts at submission; the future only if [`Rival::sees_the_future`]. What it does after its first
//! answer, with kills and in the closed loop, is its [`Conduct`], which knows the store that it was prepared with.

mod autopilot_ml;
mod autopilot_window;
mod boosting;
mod crane;
mod history;
mod krr;
mod neighbours;
mod oracle;
mod owner;
mod persistence;
mod prior;
mod recommender;
mod steps;
mod vpa;
mod vpa_container;
mod vpa_loop;

use std::collections::BTreeMap;

use crate::predict::control::Controller;
use crate::predict::{Newcomer, Question};
use crate::profile::{Floors, LifeProfile, Window};
use crate::trace::Sample;
use crate::units::Micros;

use super::case::Case;
use super::feedback::Attempt;
use super::learner::Learner;
use super::results::Resource;
use super::{ReplayError, Scale};

pub use autopilot_ml::{AutopilotMl, AutopilotModels};
pub use autopilot_window::{AutopilotWindow, MovingWindow, Statistic};
pub use boosting::Boosting;
pub use crane::{Crane, CraneContainer};
pub use history::HistoryLadder;
pub use krr::{Krr, KrrWorkload};
pub use neighbours::Neighbours;
pub use oracle::Oracle;
pub use owner::Owner;
pub use persistence::Persistence;
pub use prior::{ClassPrior, Constant};
pub use recommender::Recommender;
pub use steps::{Polled, Steps};
pub use vpa::Vpa;
pub use vpa_container::{VpaBounds, VpaContainer};
pub use vpa_loop::{VpaController, updater_acts};

/// Every rival that can be named, in the order of the report. `shadow` first, the unreachable reference last.
pub const NAMES: [&str; 28] = [
    "shadow",
    "owner",
    "persistence",
    "persistence-1.2",
    "persistence-2",
    "persistence-3",
    "history-ladder",
    "history-ladder-default",
    "class-prior",
    "constant",
    "vpa-cold",
    "vpa-cold-nofloor",
    "vpa-1.3",
    "vpa-warm-app",
    "vpa-warm-app-nofloor",
    "vpa-warm-24h",
    "vpa-warm-8d",
    "vpa-warm-hourly",
    "crane",
    "crane-decay",
    "krr",
    "krr-oom",
    "autopilot-window",
    "autopilot-window-mid",
    "autopilot-ml",
    "boosting",
    "random",
    "oracle",
];

/// The rivals of a report unless others are named.
pub const DEFAULT: [&str; 19] = [
    "shadow",
    "owner",
    "persistence-1.2",
    "persistence-2",
    "persistence-3",
    "history-ladder",
    "class-prior",
    "constant",
    "vpa-cold",
    "vpa-cold-nofloor",
    "vpa-warm-app",
    "vpa-warm-app-nofloor",
    "crane",
    "krr",
    "autopilot-window",
    "autopilot-ml",
    "boosting",
    "random",
    "oracle",
];

/// One value of a rival's knob. Every rival is swept over its own; most have one of the two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// The knob proper: a factor, a percentile or a coverage.
    pub knob: f64,
    /// Added share on top.
    pub margin: f64,
}

impl Setting {
    const fn knob(knob: f64) -> Self {
        Self { knob, margin: 0.0 }
    }
}

/// What a rival allocates, in the store's units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Recommendation {
    /// CPU.
    pub cpu: Option<f64>,
    /// Memory.
    pub memory: Option<f64>,
    /// Which of its ways answered.
    pub rung: &'static str,
}

/// What a store holds: the cases that ended before the cut of its block.
#[derive(Debug, Clone)]
pub struct Store<'a> {
    /// The cases.
    pub cases: Vec<&'a Case>,
    /// Whether times of different cases can be compared. Without a common clock, rules on age are off.
    pub has_clock: bool,
}

/// A newcomer at the end of its first window.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// First window and facts at submission.
    pub newcomer: &'a Newcomer,
    /// When the answer is given, on the trace's clock.
    pub at: Micros,
    /// Stable name of the workload, where it recurs: see [`super::application_key`].
    pub application: Option<&'a str>,
    /// The application without its user, where that is a broader key.
    pub broader: Option<&'a str>,
    /// The rows of the first window, in time order: those that its profile was made of.
    pub rows: &'a [Sample],
    /// Its whole life: only for rivals that see the future.
    pub future: Option<&'a LifeProfile>,
}

/// What all rivals may use besides the store.
pub struct Surroundings<'a> {
    /// Shadow's estimator.
    pub learner: &'a dyn Learner,
    /// The learning window.
    pub window: Window,
    /// What shadow is asked.
    pub question: Question,
    /// What the store's numbers are.
    pub scale: Scale,
    /// Amounts below which differences do not matter.
    pub floors: Floors,
    /// Seed.
    pub seed: u64,
    /// Draws of random neighbours.
    pub random_draws: u32,
}

/// A recommender.
pub trait Rival: Send + Sync {
    /// Returns its name in reports.
    fn name(&self) -> &'static str;

    /// Returns the name that rivals with one and the same sweep share; their curve is drawn once.
    fn family(&self) -> &'static str {
        self.name()
    }

    /// Returns what its knob is, in words.
    fn knob(&self) -> &'static str;

    /// Returns the values it is swept over (12 at least), from tight to loose.
    fn settings(&self) -> Vec<Setting>;

    /// Returns the position of its published (or default) setting.
    fn published(&self) -> usize;

    /// Returns the recommender's name and what it runs without where amounts of a resource are fractions of a machine
    /// of unknown size; nothing for rivals without constants in cores or bytes.
    fn absolute_constants(&self, _: Resource) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Returns whether it is handed the whole life of a query.
    fn sees_the_future(&self) -> bool {
        false
    }

    /// Returns how many independent draws it makes per query (1 unless it is random).
    fn draws(&self) -> u32 {
        1
    }

    /// Learns from a store.
    ///
    /// # Errors
    /// [`ReplayError::Learner`] if shadow's estimator cannot be fitted.
    fn prepare<'a>(
        &self,
        store: &Store<'a>,
        surroundings: &Surroundings<'_>,
    ) -> Result<Box<dyn Prepared + 'a>, ReplayError>;
}

/// A rival that has learned from a store.
pub trait Prepared: Send + Sync {
    /// Answers about a newcomer, once per setting; `None` where it has no answer.
    ///
    /// # Errors
    /// [`ReplayError::Learner`] if shadow's estimator fails on the question.
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        draw: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError>;

    /// Returns what the answer at a setting rests on and how sure it is; nothing for rivals that say neither.
    ///
    /// # Errors
    /// As [`Prepared::recommend`].
    fn grounds(&self, _: &Query<'_>, _: &Setting) -> Result<Grounds, ReplayError> {
        Ok(Grounds::default())
    }

    /// Returns what it does after its first answers. What only those needed is let go: of most rivals nothing is kept.
    fn conduct(self: Box<Self>) -> Box<dyn Conduct> {
        Box::new(Doubling)
    }
}

/// What an answer rests on, and how sure it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grounds {
    /// Positions in the store that the rival was prepared with and shares that sum to 1, largest first.
    pub evidence: Vec<(usize, f64)>,
    /// What the rival says of its own answer.
    pub stated: Stated,
}

/// What a rival says of its own answer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stated {
    /// How far the newcomer is from everything known, 0 to 1: see [`crate::predict::Prediction::novelty`].
    pub novelty: Option<f64>,
    /// Interval of the memory need, in the store's units.
    pub memory: Option<(f64, f64)>,
    /// Interval of the CPU need.
    pub cpu: Option<(f64, f64)>,
}

/// What a rival does with a run after its first answer.
pub trait Conduct: Send + Sync {
    /// Returns the memory allocation after the kills so far (oldest first): its own rule if it publishes one, else twice
    /// the allocation that was too small. Nothing gives the workload up.
    fn after_kills(&self, _: &Query<'_>, _: &Setting, kills: &[Attempt]) -> Option<f64> {
        kills.last().map(|kill| kill.allocation * 2.0)
    }

    /// Returns what leads a run in the closed loop from the end of its first window on, the first observation; nothing
    /// holds the first answer and grows it by [`Self::after_kills`].
    fn controller(&self, _: &Query<'_>, _: &Setting) -> Option<Box<dyn Controller>> {
        None
    }
}

/// The usual retry factor, and nothing else (our value).
struct Doubling;

impl Conduct for Doubling {}

/// Returns the rival of that name.
///
/// # Errors
/// [`ReplayError::UnknownRival`] lists the known names.
pub fn named(name: &str, question: &Question, random_draws: u32) -> Result<Box<dyn Rival>, ReplayError> {
    Ok(match name {
        "shadow" => Box::new(Neighbours::shadow(question)),
        "owner" => Box::new(Owner),
        "persistence" | "persistence-1.2" => Box::new(Persistence::times_1_2(name == "persistence")),
        "persistence-2" => Box::new(Persistence::times_2()),
        "persistence-3" => Box::new(Persistence::times_3()),
        "history-ladder" => Box::new(HistoryLadder { default: false }),
        "history-ladder-default" => Box::new(HistoryLadder { default: true }),
        "class-prior" => Box::new(ClassPrior::default()),
        "constant" => Box::new(Constant),
        "crane" | "crane-decay" => Box::new(Crane { has_decay: name == "crane-decay" }),
        "krr" | "krr-oom" => Box::new(Krr { uses_kills: name == "krr-oom" }),
        "autopilot-window" | "autopilot-window-mid" => {
            Box::new(AutopilotWindow { is_intermediate: name == "autopilot-window-mid" })
        }
        "autopilot-ml" => Box::new(AutopilotMl),
        "boosting" => Box::new(Boosting::new(question)),
        "random" => Box::new(Neighbours::random(question, random_draws)),
        "oracle" => Box::new(Oracle),
        _ => match Vpa::named(name) {
            Some(vpa) => Box::new(vpa),
            None => return Err(ReplayError::UnknownRival { name: name.to_owned(), known: NAMES.join(", ") }),
        },
    })
}

/// Returns the stored cases of each key.
fn by_key<'a, K: Ord>(store: &Store<'a>, key: impl Fn(&'a Case) -> Option<K>) -> BTreeMap<K, Vec<&'a Case>> {
    let mut groups: BTreeMap<K, Vec<&Case>> = BTreeMap::new();
    for case in &store.cases {
        if let Some(key) = key(case) {
            groups.entry(key).or_default().push(case);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_rival_is_swept_over_twelve_settings_and_marks_one() {
        for name in NAMES {
            let rival = named(name, &Question::default(), 20).unwrap();
            assert_eq!(rival.name(), name);
            assert!(rival.settings().len() >= 12, "{name} has {} settings", rival.settings().len());
            assert!(rival.published() < rival.settings().len(), "{name}");
        }
        assert!(named("autopilot", &Question::default(), 20).is_err());
    }
}
