//! The map of a store: every fingerprint as a point on a plane, workloads that behave alike near each other.
//!
//! Input: an index ([`crate::predict::Knowledge`]) and, for what is shown of each point, the store. Output: a [`Layout`] of
//! places by t-SNE ([`tsne`]), a [`Chart`] with what is known of each, and pictures and tables of it ([`svg()`],
//! [`page()`], [`write_table`]). The same store gives the same map for any number of threads and any order of its rows.
//!
//! A map is for looking at: only nearness means something on it, and no answer is ever made from it.

mod chart;
mod distinct;
mod drawing;
mod layout;
mod legend;
mod page;
mod place;
mod svg;
mod table;
#[cfg(test)]
mod testing;
pub mod tsne;

pub use chart::{Chart, Column, OUTLINE_STEPS, PlacedNewcomer, Unit, Values, in_units};
pub use layout::{Layout, LayoutParams, Prepared};
pub use page::page;
pub use svg::svg;
pub use table::write_table;

use crate::index::SearchError;
use crate::predict::PredictError;
use crate::store::StoreError;

/// Why there is no map.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// All workloads have one fingerprint, or there are too few for a model.
    #[error("there is nothing to map: the index holds {workloads} workloads that do not differ")]
    NothingDiffers {
        /// How many it holds.
        workloads: usize,
    },
    /// The search is impossible: a defect.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A newcomer cannot be compared with the store.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// The store cannot be read, or a table not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing of that name is known of the workloads.
    #[error("nothing named `{}` is known of the workloads: there is {}", asked.escape_debug(), known.join(", "))]
    NoColumn {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: Vec<String>,
    },
}
