//! Shadow's own estimator as a learner: the same knowledge that `shadow predict` asks, fitted on what a replay allows.

use crate::predict::{Answer, FitParams, Knowledge, Known, Newcomer, Question, Selection};
use crate::profile::Window;
use crate::trace::UnitContract;

use super::learner::{Fitted, LearnError, Learner};

/// Shadow's estimator with its defaults.
#[derive(Debug, Clone, Copy)]
pub struct Shadow {
    units: UnitContract,
}

impl Shadow {
    /// Returns the learner for a store in these units.
    pub const fn new(units: UnitContract) -> Self {
        Self { units }
    }
}

impl Learner for Shadow {
    fn fit<'a>(&self, known: &[&'a Known], window: Window, _seed: u64) -> Result<Box<dyn Fitted + 'a>, LearnError> {
        Ok(Box::new(Knowledge::fit(known, FitParams::new(window, self.units))?))
    }
}

impl Fitted for Knowledge {
    fn answer(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        selection: Selection,
        admits: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Answer, LearnError> {
        Ok(Self::answer(self, newcomer, question, selection, admits)?)
    }
}
