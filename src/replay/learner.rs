//! What replay needs of shadow's estimator: fit on a store, answer about a newcomer.

use crate::predict::{Answer, Known, Newcomer, Question, Selection};
use crate::profile::Window;

/// What the estimator says when it fails.
pub type LearnError = Box<dyn std::error::Error + Send + Sync>;

/// Fits an estimator on stored workloads.
pub trait Learner: Sync {
    /// Fits on `known`, and on nothing else; positions in `known` are the rows of later answers.
    ///
    /// # Errors
    /// The estimator cannot be fitted on this store.
    fn fit<'a>(&self, known: &[&'a Known], window: Window, seed: u64) -> Result<Box<dyn Fitted + 'a>, LearnError>;
}

/// A fitted estimator.
pub trait Fitted: Send + Sync {
    /// Answers about `newcomer` from the rows for which `admits` holds.
    ///
    /// # Errors
    /// The question cannot be answered for a reason other than "nothing resembles it", which is an abstention.
    fn answer(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        selection: Selection,
        admits: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Answer, LearnError>;
}
