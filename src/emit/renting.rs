//! The granularity `vm`: a prediction as whole machines of a catalogue.

use crate::predict::{Decision, Prediction};

use super::instances::{Catalogue, Demand, Ranking, Terms, rank};
use super::{EmitError, EmitOptions, Sizing};

/// From what and how a machine is chosen for each prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renting {
    /// What there is.
    pub catalogue: Catalogue,
    /// What it must be, and what stays free.
    pub terms: Terms,
    /// Replicas of each workload, at least 1.
    pub replicas: u32,
    /// How many placements are shown, the choice included.
    pub shown: usize,
}

impl Renting {
    /// Returns the machines for `prediction`, or nothing where CPU or memory was not predicted.
    ///
    /// # Errors
    /// As [`Sizing::of`], except for an abstention.
    pub fn ranking(&self, prediction: &Prediction, options: &EmitOptions) -> Result<Option<Ranking>, EmitError> {
        let sizing = match Sizing::of(prediction, options) {
            Ok(sizing) => sizing,
            Err(error) if error.is_abstention() => return Ok(None),
            Err(error) => return Err(error),
        };
        let known = prediction.decision != Decision::Abstain;
        let demand = Demand {
            cpu: sizing.cpu_request,
            memory: sizing.memory_request,
            network: prediction.allocation.network.filter(|_| known),
            replicas: self.replicas,
        };
        Ok(Some(rank(&self.catalogue, &demand, &self.terms)))
    }
}

/// Returns one ranking per prediction where machines were asked for, else nothing for each.
pub(super) fn rankings(predictions: &[Prediction], options: &EmitOptions) -> Result<Vec<Option<Ranking>>, EmitError> {
    let ranking = |prediction: &Prediction| match &options.renting {
        Some(renting) => renting.ranking(prediction, options),
        None => Ok(None),
    };
    predictions.iter().map(ranking).collect()
}
