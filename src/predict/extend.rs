//! New workloads in an index without a new fit: they are projected by its model, its trees say where they end, and its calibration stays.

use hashbrown::HashMap;
use rayon::prelude::*;
use std::sync::Arc;

use crate::index::{Index, Points};
use crate::profile::quantile::nearest_rank;
use crate::store::parquet_file;

use super::drift::Drift;
use super::index_tables::{RowKey, read_keys};
use super::knowledge::{Knowledge, Space, remembered};
use super::persist::{FINGERPRINTS, OpenIndex};
use super::{Known, PredictError, Question};

impl Knowledge {
    /// Puts `known`, all that can be learned from now, into an index that was fitted on a part of it: what the index remembers of them is replaced, and the search
    /// structure is made anew; model, forests and calibration stay. Returns how those that were added differ.
    ///
    /// # Errors
    /// The index is damaged, or has no model to project with.
    pub fn extended(from: &OpenIndex, known: &[&Known]) -> Result<(Self, Drift), PredictError> {
        let old = &from.knowledge;
        let window = old.params.window.length;
        let Some(space) = &old.space else { return Err(PredictError::NothingToExtend { window }) };
        let mut fitted: HashMap<RowKey, bool> = HashMap::new();
        parquet_file::read(&from.folder, from.file(FINGERPRINTS)?, |batch| read_keys(batch, &mut fitted))?;
        let mut rows = remembered(known, &old.features, old.floors());
        for row in &mut rows {
            let key = (row.format.clone(), row.id.clone(), row.run);
            row.fitted = fitted.get(&key).copied().unwrap_or(false);
        }
        let places: Vec<Vec<f64>> =
            rows.par_iter().map(|row| space.model.project(&row.features)).collect::<Result<_, _>>()?;
        let points = Points::new(space.model.components(), places.concat())?;
        let own = old.calibration(space, &Question::default(), &[], false)?;
        let far = nearest_rank(&own.distances, super::ladder::NOVEL);
        let model = space.model.clone();
        let space = Space { model, index: Index::build(Arc::new(points)), alike: space.alike.with_rows(&rows)? };
        let drift = Drift::measure(&rows, &space, far)?;
        let extended = Self::of_rows(old.params, old.features.clone(), Some(space), rows, old.covered_seconds);
        Ok((extended, drift))
    }
}
