//! Integrals over the time of queries. Samples are not in memory, so each query is read once for all allocations.

use rayon::prelude::*;

use super::{Judged, Resource, Scorer};
use crate::replay::ReplayError;
use crate::replay::case::Case;
use crate::replay::samples::RowBuffer;
use crate::replay::truth::OverTime;

/// An allocation of a resource, in the store's units; nothing is integrated where there is none.
pub(super) type Wanted = (Resource, Option<f64>);

impl Scorer<'_> {
    /// Returns the integrals of every query for the allocations that `wanted` names, in their order.
    pub(super) fn over_time(
        &self,
        cases: &[Case],
        wanted: impl Fn(usize) -> Vec<Wanted> + Sync,
    ) -> Result<Vec<Vec<OverTime>>, ReplayError> {
        let of_query = |buffer: &mut RowBuffer, query: usize| {
            let truth = &self.truths[query];
            let series = cases[truth.case].series(buffer)?;
            let integrated = wanted(query).into_iter().map(|(resource, allocation)| {
                allocation.map_or_else(OverTime::default, |allocation| {
                    truth.over_time(&series, resource, allocation, self.params, &self.units)
                })
            });
            Ok(integrated.collect())
        };
        (0..self.truths.len()).into_par_iter().map_init(RowBuffer::default, of_query).collect()
    }

    /// Judges an allocation with its integrals.
    pub(super) fn judge_fully(
        &self,
        query: usize,
        (resource, allocation): Wanted,
        over_time: &OverTime,
    ) -> Option<Judged> {
        Some(over_time.of(self.truths[query].judge(resource, allocation?, &self.units)?))
    }
}
