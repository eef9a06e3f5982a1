//! What a store has taught: features, model, search structure, levels and needs of its workloads.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::fingerprint::{Components, Feature, FeatureSet, FingerprintError, Group, Model, ModelInput};
use crate::index::{Index, Metric, Points};
use crate::profile::quantile::interpolated;
use crate::profile::{Floors, Window, WindowProfile};
use crate::trace::UnitContract;

use super::alike::{Alike, Asking, candidates};
use super::calibrate::{Calibration, CalibrationKey};
use super::calibration_file::StoredCalibrations;
use super::growth::Growths;
use super::memo::Memo;
use super::need::{Remembered, Resource};
use super::ranked::{Breadth, Ranked};
use super::rows::Rows;
use super::{DistanceMetric, Facts, Known, PredictError, Question, ResourceWeights, Similarity};

/// Fewest workloads that a model is fitted to; below that there is no such thing as a distance between fingerprints.
const LEAST_ROWS: usize = 4;

/// In a store of more workloads a comparison of its own is not calibrated for each set of missing facts: it takes one
/// search of the whole store per left-out workload.
const MOST_ROWS_CALIBRATED_WHEN_ASKED: usize = 5000;

/// What a fit is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitParams {
    /// The learning window of the profiles.
    pub window: Window,
    /// What the store's numbers mean.
    pub units: UnitContract,
    /// Built-in weights of resources.
    pub weights: ResourceWeights,
    /// How many components a fingerprint has.
    pub components: Components,
}

impl FitParams {
    /// Share of the variance that components explain unless the user says how many there are (our value).
    pub const EXPLAINED: f64 = 0.95;

    /// Returns the defaults.
    pub fn new(window: Window, units: UnitContract) -> Self {
        Self { window, units, weights: ResourceWeights::default(), components: Components::Explaining(Self::EXPLAINED) }
    }
}

/// Model and search structure, where the store's workloads differ at all.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) model: Model,
    pub(super) index: Index,
    pub(super) alike: Alike,
}

impl Space {
    /// Puts the nearest fingerprints of each asking in the order in which they answer; its features are compared without those that
    /// are `absent`.
    pub(super) fn rank(
        &self,
        question: &Question,
        absent: &[usize],
        mut askings: Vec<Asking>,
    ) -> Result<Vec<Ranked>, PredictError> {
        match question.similarity {
            Similarity::Distance => Ok(askings.into_iter().map(|asking| Ranked::by_distance(asking.found)).collect()),
            Similarity::Learned => {
                for asking in &mut askings {
                    for &position in absent {
                        if let Some(value) = asking.features.get_mut(position) {
                            *value = None;
                        }
                    }
                }
                Ok(self.alike.rank(askings)?)
            }
        }
    }
}

/// A fitted estimator: everything an answer needs, without the store's samples.
#[derive(Debug)]
pub struct Knowledge {
    pub(super) params: FitParams,
    pub(super) features: FeatureSet,
    pub(super) space: Option<Space>,
    pub(super) rows: Rows,
    /// Median of the seconds that the first windows really cover: a row of 300 s is never cut.
    pub(super) covered_seconds: f64,
    /// Mean need of each resource, 0 where no row has one.
    pub(super) mean_needs: [f64; 3],
    /// Calibrations that were made beforehand.
    pub(super) stored_calibrations: Option<StoredCalibrations>,
    /// Calibrations by what they depend on, made when they are first asked for.
    pub(super) calibrations: Memo<CalibrationKey, Arc<Calibration>>,
    /// How a class, or the whole store, grew, by resource.
    pub(super) growths: Memo<(Option<String>, Resource), Arc<Growths>>,
    /// What growth alone would have wasted on the store, by resource, bits of the coverage, and whether on recurring workloads only.
    pub(super) growth_wastes: Memo<(Resource, u64, bool), Option<f64>>,
}

impl Knowledge {
    /// Fits on `known`, which must be learnable ([`Known::is_learnable`]); positions in it are the rows of answers.
    /// Fitted on these and nothing else; the same workloads in the same order give the same knowledge.
    ///
    /// # Errors
    /// The model cannot be fitted.
    pub fn fit(known: &[&Known], params: FitParams) -> Result<Self, PredictError> {
        let floors = Floors::of(params.units);
        let features = FeatureSet::of(floors, known.iter().map(|known| &known.workload.labels));
        let rows = remembered(known, &features, floors);
        let (names, weights): (Vec<String>, Vec<f64>) = features
            .features()
            .iter()
            .map(|feature| (feature.name.clone(), feature.weight * params.weights.of(feature.group)))
            .unzip();
        let values: Vec<&[Option<f64>]> = rows.iter().map(|row| row.features.as_slice()).collect();
        tracing::info!(workloads = rows.len(), features = names.len(), "computed the features");
        let space = if rows.len() < LEAST_ROWS {
            None
        } else {
            let units = params.units.to_string();
            let input = ModelInput {
                window: params.window.length,
                units: &units,
                names: &names,
                weights: &weights,
                rows: &values,
                components: params.components,
            };
            match Model::fit(input) {
                Ok((model, coordinates)) => {
                    tracing::info!(components = model.components(), "fitted the principal components");
                    let points = Points::new(model.components(), coordinates)?;
                    let index = Index::build(Arc::new(points));
                    tracing::info!(structure = ?index.structure(), "made the search structure");
                    let alike = Alike::grow(&rows);
                    tracing::info!("grew the forests of the learned similarity");
                    Some(Space { model, index, alike })
                }
                // All alike: there is no direction to compare along, and the lower rungs of the ladder answer.
                Err(FingerprintError::NothingVaries) => None,
                Err(error) => return Err(error.into()),
            }
        };
        let mut covered: Vec<f64> = known.iter().map(|known| known.window.observed_seconds).collect();
        covered.sort_by(f64::total_cmp);
        Ok(Self::of_rows(params, features, space, rows, interpolated(&covered, 0.5)))
    }

    /// Puts the parts together, fitted or read.
    pub(super) fn assemble(
        params: FitParams,
        features: FeatureSet,
        space: Option<Space>,
        rows: Rows,
        covered_seconds: f64,
        mean_needs: [f64; 3],
    ) -> Self {
        Self {
            params,
            features,
            space,
            rows,
            mean_needs,
            covered_seconds,
            stored_calibrations: None,
            calibrations: Memo::default(),
            growths: Memo::default(),
            growth_wastes: Memo::default(),
        }
    }

    /// The same of rows that are in memory.
    pub(super) fn of_rows(
        params: FitParams,
        features: FeatureSet,
        space: Option<Space>,
        rows: Vec<Remembered>,
        covered_seconds: f64,
    ) -> Self {
        let mean_needs = Resource::ALL.map(|resource| {
            let needs: Vec<f64> = rows.iter().filter_map(|row| Some(row.needs[resource as usize]?.need)).collect();
            needs.iter().sum::<f64>() / needs.len().max(1) as f64
        });
        Self::assemble(params, features, space, Rows::held(rows), covered_seconds, mean_needs)
    }

    /// Returns how many workloads were learned from.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Returns the same as a row number: an index holds no more rows than that.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// Returns a stored workload; nothing beyond the last.
    ///
    /// # Errors
    /// The index is damaged where it was read.
    pub fn row(&self, row: usize) -> Result<Option<Cow<'_, Remembered>>, PredictError> {
        self.rows.get(u32::try_from(row).unwrap_or(u32::MAX))
    }

    /// Returns all stored workloads. Those of an index are read when they are first asked for.
    ///
    /// # Errors
    /// The index is damaged.
    pub fn all(&self) -> Result<&[Remembered], PredictError> {
        Ok(&self.rows.whole()?.rows)
    }

    /// Returns the model; nothing where all workloads are alike or there are too few.
    pub fn model(&self) -> Option<&Model> {
        self.space.as_ref().map(|space| &space.model)
    }

    /// Returns the search structure; nothing where there is no model.
    pub fn index(&self) -> Option<&Index> {
        self.space.as_ref().map(|space| &space.index)
    }

    /// Returns how many seconds the first windows of the stored workloads cover, the median: more than the window where
    /// the trace's samples are longer than it.
    pub const fn covered_seconds(&self) -> f64 {
        self.covered_seconds
    }

    /// Returns what the fit was told.
    pub const fn params(&self) -> &FitParams {
        &self.params
    }

    /// Returns the floors of the store's units.
    pub(super) fn floors(&self) -> Floors {
        Floors::of(self.params.units)
    }

    /// Returns the row of features of a newcomer.
    pub fn features_of(&self, window: &WindowProfile, facts: &Facts) -> Vec<Option<f64>> {
        self.features.row(window, facts.submission())
    }

    /// Returns which features a newcomer is not compared in: those of a resource that was not seen at all, and facts
    /// that were not stated. Nobody is called different for what is not known of it. A single undefined shape (the
    /// correlation of a constant) stays at the store's centre instead. In a large store the comparison leaves out more
    /// than that where only such a comparison was calibrated beforehand ([`Self::variants`]).
    pub(super) fn absent(&self, row: &[Option<f64>]) -> Vec<usize> {
        let lacking = self.lacking(row);
        if self.rows.len() <= MOST_ROWS_CALIBRATED_WHEN_ASKED {
            return lacking;
        }
        let variants = self.variants();
        let covering = variants.into_iter().map(|(_, absent)| absent);
        covering
            .filter(|absent| lacking.iter().all(|position| absent.contains(position)))
            .min_by_key(Vec::len)
            .unwrap_or(lacking)
    }

    /// Returns the comparisons that an index calibrates beforehand: what they leave out, in words and as positions; with
    /// everything first. Facts, and network with disk, are what samples lack most.
    pub(super) fn variants(&self) -> Vec<(String, Vec<usize>)> {
        let features = self.features.features();
        let of = |groups: &[Group]| -> Vec<usize> {
            let model = self.model().map(|model| model.features.as_slice()).unwrap_or_default();
            let positions = model.iter().map(|feature| feature.position);
            positions.filter(|&at| features.get(at).is_some_and(|one| groups.contains(&one.group))).collect()
        };
        let sets: [&[Group]; 4] =
            [&[], &[Group::Facts], &[Group::Network, Group::Disk], &[Group::Facts, Group::Network, Group::Disk]];
        let mut variants: Vec<(String, Vec<usize>)> = Vec::new();
        for groups in sets {
            let absent = of(groups);
            if variants.iter().all(|(_, known)| *known != absent) {
                variants.push((groups.iter().map(|group| group.name()).collect::<Vec<_>>().join(","), absent));
            }
        }
        variants
    }

    fn lacking(&self, row: &[Option<f64>]) -> Vec<usize> {
        let Some(space) = &self.space else { return Vec::new() };
        let features = self.features.features();
        let is_missing = |position: usize| row.get(position).copied().flatten().is_none();
        let seen: BTreeSet<Group> =
            (0..features.len()).filter(|&position| !is_missing(position)).map(|at| features[at].group).collect();
        let positions = space.model.features.iter().map(|feature| feature.position);
        positions
            .filter(|&position| is_missing(position))
            .filter(|&position| {
                features.get(position).is_some_and(|one| one.group == Group::Facts || !seen.contains(&one.group))
            })
            .collect()
    }

    /// Returns the weight of each feature in a comparison; nothing where they are those of the fit.
    fn asked_weights(&self, question: &Question, absent: &[usize]) -> Option<Vec<f64>> {
        let other = question.weights.filter(|weights| *weights != self.params.weights);
        if other.is_none() && absent.is_empty() {
            return None;
        }
        let by_group = other.unwrap_or(self.params.weights);
        let weight = |(position, feature): (usize, &Feature)| {
            if absent.contains(&position) { 0.0 } else { feature.weight * by_group.of(feature.group) }
        };
        Some(self.features.features().iter().enumerate().map(weight).collect())
    }

    /// Returns the metric of a comparison. By cosine, what is absent counts as the store's centre.
    pub(super) fn metric(&self, space: &Space, question: &Question, absent: &[usize]) -> Result<Metric, PredictError> {
        match question.metric {
            DistanceMetric::Cosine if question.weights.is_some_and(|weights| weights != self.params.weights) => {
                Err(PredictError::CosineWithWeights)
            }
            DistanceMetric::Cosine => Ok(Metric::Cosine),
            DistanceMetric::Euclidean => match self.asked_weights(question, absent) {
                None => Ok(Metric::Euclidean),
                Some(weights) => Ok(Metric::Matrix(space.model.metric_for_weights(&weights)?)),
            },
        }
    }

    /// Returns the fingerprint of a row of features, without those that are `absent`.
    pub(super) fn place(
        &self,
        space: &Space,
        question: &Question,
        features: &[Option<f64>],
        absent: &[usize],
    ) -> Result<Vec<f64>, PredictError> {
        let is_cosine = question.metric == DistanceMetric::Cosine;
        Ok(match self.asked_weights(question, absent) {
            Some(weights) if !absent.is_empty() && !is_cosine => space.model.project_observed(features, &weights)?,
            _ => space.model.project(features)?,
        })
    }

    /// Returns how many of the nearest fingerprints are looked at for an answer.
    pub(super) const fn searched(question: &Question) -> usize {
        match question.similarity {
            Similarity::Learned => candidates(question.k),
            Similarity::Distance => Breadth::Wide.of(question.k),
        }
    }

    /// Returns, for each of `rows`, how much each group of features adds to the squared distance between a newcomer and it,
    /// with the weights of the comparison.
    pub(super) fn distances_by_group<'a>(
        &self,
        features: &[Option<f64>],
        rows: impl Iterator<Item = &'a Remembered>,
        question: &Question,
    ) -> Result<Vec<BTreeMap<String, f64>>, PredictError> {
        let Some(space) = &self.space else { return Ok(rows.map(|_| BTreeMap::new()).collect()) };
        let all = self.features.features();
        let asked = self.asked_weights(question, &self.absent(features));
        let fitted: BTreeMap<&str, (usize, f64)> =
            space.model.features.iter().map(|one| (one.name.as_str(), (one.position, one.weight))).collect();
        let of_row = |row: &Remembered| {
            let mut parts: BTreeMap<String, f64> = BTreeMap::new();
            for (name, part) in space.model.contributions(features, &row.features)? {
                let Some(&(position, weight)) = fitted.get(name.as_str()) else { continue };
                let scale = asked.as_ref().map_or(1.0, |asked| asked[position] / weight);
                if scale > 0.0 {
                    *parts.entry(all[position].group.name().to_owned()).or_default() += part * scale;
                }
            }
            Ok(parts)
        };
        rows.map(of_row).collect()
    }
}

impl ResourceWeights {
    /// Returns the weight of a group of features.
    pub const fn of(&self, group: Group) -> f64 {
        match group {
            Group::Cpu => self.cpu,
            Group::Memory => self.memory,
            Group::Network => self.network,
            Group::Disk => self.disk,
            Group::Facts => self.facts,
        }
    }
}

/// Returns what is remembered of profiled workloads, computed on all threads of the pool.
pub(super) fn remembered(known: &[&Known], features: &FeatureSet, floors: Floors) -> Vec<Remembered> {
    let of = |known: &&Known| {
        let facts = Facts::from(&known.workload);
        Remembered::of(known, features.row(&known.window, facts.submission()), floors)
    };
    known.par_iter().map(of).collect()
}
