//! Replays a trace, predicts each workload from its first window with what was known then, and scores shadow beside
//! its rivals.
//!
//! Input: [`Case`]s (one run of one workload with its profile and its samples, in the store's units), a [`Learner`]
//! (shadow's estimator), and [`ReplayParams`]. Output: a [`ReplayReport`], serialisable, with one [`Row`] per rival,
//! resource, weighting, population and reading of censored cases. `docs/methods.md` says what is computed and what is
//! not modelled.
//!
//! Invariants: no rival but the oracle is handed anything of a query beyond its first window and its facts at
//! submission; a store holds only what ended before the cut of its block; the same cases, seed and parameters give the
//! same report whatever the number of threads; a figure that cannot be computed is absent, never an undefined number.
//! Cost: the samples of a store lie in a file while it is replayed ([`read_cases`]), and each thread holds those of one case;
//! profiles and facts of all cases are held, and one answer per query, rival and setting.

use std::path::PathBuf;

use crate::store::StoreError;

mod answers;
mod bootstrap;
mod case;
pub mod closed;
mod compare;
mod feedback;
mod figures;
mod gate;
mod headline;
mod learner;
mod observed;
mod params;
mod plan;
mod quantile;
mod report;
mod results;
pub mod rivals;
mod run;
mod samples;
mod score;
mod scratch;
mod seen;
mod series;
mod shadow;
mod table;
#[cfg(test)]
mod test_cases;
mod truth;
mod watch;

pub use crate::predict::{OutputUnits, Scale};
pub use answers::GivenAnswer;
pub use case::{Case, application_key, read_cases};
pub use closed::{ClosedRow, Lives};
pub use compare::{Point, at_rate};
pub use feedback::{Attempt, FeedbackModel, FeedbackParams, FeedbackRun, simulate};
pub use figures::{Figures, Judged, Reading, figures, pinball, serious_oom_kills, witt_wastage};
pub use gate::{Comparison, Condition, Gate, GateError, GateFigure, Verdict};
pub use headline::{Headline, HeadlineLine};
pub use learner::{Fitted, LearnError, Learner};
pub use observed::{Alive, FirstAnswer, Observed, ObservedRow, ObservedWindow, seconds_observed};
pub use params::{ReplayParams, Split, SplitBasis, StoreMode};
pub use plan::{Block, Cuts, Plan, Reason, Removed, plan};
pub use quantile::weighted_upper_quantile;
pub use report::{Provenance, SourceFile, page};
pub use results::{
    Calibrated, Clusters, CurvePoint, Distribution, EqualCoverage, FeedbackRow, Flattery, Miss, MissNeighbour,
    MissedBy, OrderRow, Population, ReplayReport, Resource, RivalSummary, Row, SplitReport, Weighting,
};
pub use run::{answers_given, replay, replay_watched};
pub use samples::{RowBuffer, Samples};
pub use score::{AbstainPoint, Dimension, Regret, StatedIntervals, SurestBy};
pub use scratch::{Place, Scratch};
pub use seen::SeenRow;
pub use series::Series;
pub use shadow::Shadow;
pub use watch::{Unwatched, Watch};

/// Why a replay ends without a report.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A rival that does not exist was named.
    #[error("there is no rival `{name}`: known are {known}")]
    UnknownRival {
        /// What was asked for.
        name: String,
        /// The known names, with commas.
        known: String,
    },
    /// A parameter is outside its range.
    #[error("`{parameter}` is {value}: allowed is {allowed}")]
    Parameter {
        /// Its name.
        parameter: &'static str,
        /// What was found.
        value: String,
        /// The range in words.
        allowed: &'static str,
    },
    /// Shadow's estimator could not be fitted or could not answer.
    #[error("the estimator failed on {what}: {source}")]
    Learner {
        /// Which store or which query.
        what: String,
        /// What it said.
        source: LearnError,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What a replay puts away while it runs cannot be written or read back.
    #[error("cannot {doing} the temporary file in `{folder}` that holds the samples while they are replayed: {source}")]
    Scratch {
        /// What was done: make, write or read.
        doing: &'static str,
        /// Its folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is nothing to replay.
    #[error("there is no workload to replay")]
    NoCases,
}
