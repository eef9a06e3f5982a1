//! What `predict` and `neighbours` share: the sample, the index that fits it, and what the user should know of both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::artifact::blocks::CacheUse;
use crate::cli::values::{EstimatorChoice, FormatChoice, MetricChoice, SimilarityChoice};
use crate::error::CommandError;
use crate::predict::{
    DistanceMetric, Estimator, Knowledge, OpenIndex, PredictError, ReadSample, SampleParams, Sighting, Similarity,
    indexed_windows, read_sample,
};
use crate::profile::Window;
use crate::store::Store;
use crate::trace::ReadOptions;
use crate::trace::table::Mapping;
use crate::ui::{Ui, human};
use crate::units::Micros;

/// A sample fills a window of which this share was seen: the last sample may come a step before its end.
const FILLED: f64 = 0.8;

/// Examples of rejected rows that are shown.
const SHOWN: usize = 3;

/// Reads the sample and says what was wrong with it.
pub(super) fn read(
    ui: &Ui,
    path: &Path,
    facts: &[PathBuf],
    format: FormatChoice,
    map: &[Mapping],
) -> Result<ReadSample, CommandError> {
    let params = SampleParams {
        path: path.to_owned(),
        facts: facts.to_vec(),
        format: format.name(),
        options: ReadOptions { map: map.to_vec() },
    };
    let sample = {
        let progress = ui.transfer("reading", fs_err::metadata(path).map_or(0, |metadata| metadata.len()));
        read_sample(&params, &progress)?
    };
    if sample.rejected > 0 {
        let examples: Vec<String> = sample
            .examples
            .iter()
            .take(SHOWN)
            .map(|one| format!("`{}` row {}: {}: {}", one.file, one.row, one.reason, one.detail))
            .collect();
        ui.warn(&format!(
            "{} of {} rows of the sample were rejected:\n  {}",
            human::count(sample.rejected),
            human::count(sample.rows),
            examples.join("\n  ")
        ));
    }
    if sample.without_samples > 0 {
        ui.warn(&format!(
            "{} of the tables of facts have no samples and get no answer",
            human::counted(sample.without_samples, "workload", "workloads")
        ));
    }
    if sample.sightings.is_empty() {
        return Err(CommandError::user(format!("`{}` holds no series of a workload", path.display()))
            .hint("name what is known at submission with `--workloads`, and the series itself as the sample"));
    }
    Ok(sample)
}

/// The indexes of a store, opened as they are asked for.
pub(super) struct Indexes<'a> {
    ui: &'a Ui,
    store: &'a Store,
    windows: Vec<Micros>,
    open: BTreeMap<Micros, OpenIndex>,
}

impl<'a> Indexes<'a> {
    /// Lists the indexes: all, or the one for the window that the user named.
    pub(super) fn of(ui: &'a Ui, store: &'a Store, asked: Option<Micros>) -> Result<Self, CommandError> {
        let mut windows = indexed_windows(store.root())?;
        if let Some(asked) = asked {
            windows.retain(|window| *window == asked);
        }
        if windows.is_empty() {
            return Err(PredictError::NoIndex { store: store.root().to_owned(), window: asked }.into());
        }
        Ok(Self { ui, store, windows, open: BTreeMap::new() })
    }

    /// Logs how often what is kept of each open index in memory was asked for.
    pub(super) fn log_use(&self) {
        for (window, open) in &self.open {
            let CacheUse { hits, misses, bytes } = open.cache_use();
            tracing::info!(%window, hits, misses, bytes, "blocks of the index: held, read, and bytes held");
        }
    }

    /// Returns the longest window that the sighting fills, else the shortest there is.
    pub(super) fn window_for(&self, sighting: &Sighting) -> Micros {
        let observed = sighting.observed().as_seconds();
        let filled = self.windows.iter().rev().find(|window| observed >= FILLED * window.as_seconds());
        filled.or(self.windows.first()).copied().unwrap_or_default()
    }

    /// Returns the longest window.
    pub(super) fn longest(&self) -> Micros {
        self.windows.last().copied().unwrap_or_default()
    }

    /// Opens the index for `window`, and warns once when the store has grown since it was made.
    pub(super) fn open(&mut self, window: Micros) -> Result<&OpenIndex, CommandError> {
        if !self.open.contains_key(&window) {
            let opened = Knowledge::open(self.store.root(), window)?;
            if opened.manifest.is_outdated(self.store.manifest()) {
                self.ui.warn(&format!(
                    "the store holds other traces than when its index was made: run `shadow fingerprint --window {window}`, or the same with `--add`"
                ));
            }
            if let Some(why) = opened.manifest.drift.and_then(|drift| drift.advice()) {
                self.ui.warn(&format!(
                    "the index should be fitted anew: {why}; run `shadow fingerprint --window {window}`"
                ));
            }
            self.open.insert(window, opened);
        }
        self.open.get(&window).ok_or_else(|| CommandError::internal("an index that was opened is not open"))
    }
}

/// Returns the window of a sample as the library takes it.
pub(super) const fn window(length: Micros) -> Window {
    Window { length }
}

impl From<MetricChoice> for DistanceMetric {
    fn from(choice: MetricChoice) -> Self {
        match choice {
            MetricChoice::Euclidean => Self::Euclidean,
            MetricChoice::Cosine => Self::Cosine,
        }
    }
}

impl From<SimilarityChoice> for Similarity {
    fn from(choice: SimilarityChoice) -> Self {
        match choice {
            SimilarityChoice::Learned => Self::Learned,
            SimilarityChoice::Distance => Self::Distance,
        }
    }
}

impl From<EstimatorChoice> for Estimator {
    fn from(choice: EstimatorChoice) -> Self {
        match choice {
            EstimatorChoice::Quantile => Self::Quantile,
            EstimatorChoice::Mean => Self::Mean,
        }
    }
}
