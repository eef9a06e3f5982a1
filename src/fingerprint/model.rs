//! The persisted model: from a row of features to coordinates, without the rows it was fitted on.
//!
//! `index/window=W/model.json` is a manifest ([`crate::artifact::manifest`]); `docs/index-format.md` describes it.

use std::ops::RangeInclusive;
use std::path::Path;

use linfa::ParamGuard;
use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactError;
use crate::artifact::manifest::{self, ManifestKind};
use crate::units::Micros;

use super::pca::{self, Components, PcaParams};
use super::scale::{CLIP, FeatureScale, SpreadSource, fit_scales};
use super::self_check::{SelfCheck, self_check};
use super::{FingerprintError, symmetric_eigen};

/// Directions in which observed features differ less than this share of the most are not told apart by them (ours).
const UNSEEN: f64 = 1e-3;

/// Weights and spreads whose squares and quotients are numbers (ours).
const WEIGHTS: RangeInclusive<f64> = 1e-150..=1e150;

/// Kind and versions of `model.json`.
pub const MODEL_KIND: ManifestKind =
    ManifestKind { name: "shadow-fingerprint-model", described: "a fingerprint model", oldest: 1, newest: 1 };

/// What a model is fitted to.
#[derive(Debug, Clone, Copy)]
pub struct ModelInput<'a> {
    /// Learning window of the profiles.
    pub window: Micros,
    /// Unit contract of the store, in words.
    pub units: &'a str,
    /// Name of each feature.
    pub names: &'a [String],
    /// Built-in weight of each feature, at least 0: its share in squared distances.
    pub weights: &'a [f64],
    /// One row per workload; missing values are `None`.
    pub rows: &'a [&'a [Option<f64>]],
    /// How many components are kept.
    pub components: Components,
}

/// A feature of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFeature {
    /// Its name.
    pub name: String,
    /// Position in the rows of features.
    pub position: usize,
    /// Its built-in weight, above 0.
    pub weight: f64,
    /// Centre and spread.
    pub scale: FeatureScale,
    /// Mean of the scaled, weighted feature.
    pub mean: f64,
    /// Loading on each component.
    pub loadings: Vec<f64>,
}

impl ModelFeature {
    /// Returns whether a fit can give these numbers: what is computed from others overflows.
    fn is_possible(&self) -> bool {
        let is_moderate = |amount: f64| WEIGHTS.contains(&amount);
        // Loadings are entries of unit vectors; means are those of values within the clip.
        is_moderate(self.weight)
            && is_moderate(self.scale.spread)
            && self.scale.centre.is_finite()
            && self.mean.abs() <= 1.01 * CLIP * self.weight.sqrt()
            && self.loadings.iter().all(|loading| loading.abs() <= 1.01)
    }
}

/// Why a feature takes no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// No workload has it.
    AlwaysMissing,
    /// All workloads that have it have the same value.
    Constant,
    /// Its weight is 0.
    NoWeight,
}

/// A feature that takes no part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedFeature {
    /// Its name.
    pub name: String,
    /// Position in the rows of features.
    pub position: usize,
    /// Why.
    pub reason: DropReason,
}

/// A fitted fingerprint model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Version of the program that fitted it.
    pub tool_version: String,
    /// Learning window in microseconds.
    pub window: Micros,
    /// Unit contract of the store, in words.
    pub units: String,
    /// Rows fitted.
    pub rows: u64,
    /// Width of the rows of features.
    pub width: usize,
    /// Scaled values lie in ± this.
    pub clip: f64,
    /// Features that take part.
    pub features: Vec<ModelFeature>,
    /// Features that do not.
    pub dropped: Vec<DroppedFeature>,
    /// Variance along each component, descending; 0 for components without direction.
    pub eigenvalues: Vec<f64>,
    /// Variance along all directions.
    pub total_variance: f64,
    /// Share of the variance along each component.
    pub explained_variance_ratio: Vec<f64>,
    /// Comparison with an independent solver.
    pub self_check: SelfCheck,
}

impl Model {
    /// Fits scaling, weights and components, and returns the model with the coordinates of all rows, row-major.
    ///
    /// # Errors
    /// Wrong shapes, values that are not finite, no row, no feature that varies, or a failed self-check.
    pub fn fit(input: ModelInput<'_>) -> Result<(Self, Vec<f64>), FingerprintError> {
        let width = input.names.len();
        if input.weights.len() != width {
            return Err(FingerprintError::Weights { found: input.weights.len(), expected: width });
        }
        if let Some(feature) = input.weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return Err(FingerprintError::Weight { feature, found: input.weights[feature] });
        }
        if input.rows.is_empty() {
            return Err(FingerprintError::NoRows);
        }
        let params = PcaParams::new(input.components).check()?;
        let scales = fit_scales(input.rows, width)?;
        let mut features = Vec::new();
        let mut dropped = Vec::new();
        for (position, ((name, &weight), scale)) in input.names.iter().zip(input.weights).zip(scales).enumerate() {
            let reason = if scale.missing == input.rows.len() as u64 {
                Some(DropReason::AlwaysMissing)
            } else if scale.source == SpreadSource::One {
                Some(DropReason::Constant)
            } else {
                (weight <= 0.0).then_some(DropReason::NoWeight)
            };
            match reason {
                Some(reason) => dropped.push(DroppedFeature { name: name.clone(), position, reason }),
                None => features.push(ModelFeature {
                    name: name.clone(),
                    position,
                    weight,
                    scale,
                    mean: 0.0,
                    loadings: Vec::new(),
                }),
            }
        }
        if features.is_empty() {
            return Err(FingerprintError::NothingVaries);
        }
        let kept = features.len();
        let mut scaled = vec![0.0; input.rows.len() * kept];
        scaled.par_chunks_mut(kept).zip(input.rows).for_each(|(scaled, row)| {
            for (scaled, value) in scaled.iter_mut().zip(self::scaled(&features, row)) {
                *scaled = value;
            }
        });
        let fitted = params.fit_moments(&pca::moments_of(&scaled, kept))?;
        let self_check = self_check(&scaled, kept)?;
        for (at, feature) in features.iter_mut().enumerate() {
            feature.mean = fitted.mean()[at];
            feature.loadings = fitted.axes().iter().map(|axis| axis[at]).collect();
        }
        let count = fitted.eigenvalues().len();
        let mut coordinates = vec![0.0; input.rows.len() * count];
        coordinates.par_chunks_mut(count).zip(scaled.par_chunks_exact(kept)).for_each(|(coordinates, row)| {
            coordinates.copy_from_slice(&fitted.project(row));
        });
        let model = Self {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            window: input.window,
            units: input.units.to_owned(),
            rows: input.rows.len() as u64,
            width,
            clip: CLIP,
            features,
            dropped,
            eigenvalues: fitted.eigenvalues().to_vec(),
            total_variance: fitted.total_variance(),
            explained_variance_ratio: fitted.explained_variance_ratio(),
            self_check,
        };
        Ok((model, coordinates))
    }

    /// Returns the number of components: the length of a fingerprint.
    pub fn components(&self) -> usize {
        self.eigenvalues.len()
    }

    /// Returns the `count` features with the largest loadings on a component, largest first: what it is made of.
    pub fn strongest(&self, component: usize, count: usize) -> impl Iterator<Item = &ModelFeature> {
        let loading =
            move |feature: &ModelFeature| feature.loadings.get(component).map_or(0.0, |loading| loading.abs());
        let mut features: Vec<&ModelFeature> = self.features.iter().collect();
        features.sort_by(|a, b| loading(b).total_cmp(&loading(a)).then(a.position.cmp(&b.position)));
        features.into_iter().take(count)
    }

    /// Returns the fingerprint of a row of features, in the order the model was fitted with.
    ///
    /// # Errors
    /// [`FingerprintError::Width`] for another length, [`FingerprintError::NotFinite`] for an infinite or undefined
    /// value (both with row 0).
    pub fn project(&self, features: &[Option<f64>]) -> Result<Vec<f64>, FingerprintError> {
        self.check_row(features)?;
        let mut coordinates = vec![0.0; self.components()];
        // The order of additions is that of the fit, so that a stored workload gets its stored coordinates bit for bit.
        for (feature, value) in self.features.iter().zip(scaled(&self.features, features)) {
            for (coordinate, loading) in coordinates.iter_mut().zip(&feature.loadings) {
                *coordinate += (value - feature.mean) * loading;
            }
        }
        Ok(coordinates)
    }

    /// Returns the squared length of the scaled and weighted row that [`Self::project`] makes coordinates of: that of the coordinates is the part of it that the
    /// components show.
    ///
    /// # Errors
    /// As [`Self::project`].
    pub fn squared_length(&self, features: &[Option<f64>]) -> Result<f64, FingerprintError> {
        self.check_row(features)?;
        let all = self.features.iter().zip(scaled(&self.features, features));
        Ok(all.map(|(feature, value)| value - feature.mean).fold(0.0, |sum, value| value.mul_add(value, sum)))
    }

    /// Returns the point from which distances by [`Self::metric_for_weights`] of `new_weights` are those to a row of which
    /// only the features that weigh something were observed: the one whose image comes nearest to them, by weighted least
    /// squares. What is not observed does not pull the point towards the centre.
    ///
    /// # Errors
    /// As [`Self::project`] and [`Self::metric_for_weights`].
    pub fn project_observed(
        &self,
        features: &[Option<f64>],
        new_weights: &[f64],
    ) -> Result<Vec<f64>, FingerprintError> {
        self.check_row(features)?;
        let matrix = self.metric_for_weights(new_weights)?;
        let count = self.components();
        let mut pulled = vec![0.0; count];
        for (feature, value) in self.features.iter().zip(scaled(&self.features, features)) {
            let ratio = new_weights[feature.position] / feature.weight;
            for (sum, loading) in pulled.iter_mut().zip(&feature.loadings) {
                *sum += ratio * (value - feature.mean) * loading;
            }
        }
        let matrix = Array2::from_shape_vec((count, count), matrix)
            .map_err(|error| FingerprintError::Eigen { what: error.to_string() })?;
        let pairs = symmetric_eigen(&matrix)?;
        let largest = pairs.first().map_or(0.0, |(value, _)| *value);
        let mut point = vec![0.0; count];
        // Along what no observed feature tells apart, the point stays at the centre.
        for (value, vector) in pairs.iter().filter(|(value, _)| *value > UNSEEN * largest) {
            let along = vector.iter().zip(&pulled).map(|(axis, pull)| axis * pull).sum::<f64>() / value;
            point.iter_mut().zip(vector).for_each(|(sum, part)| *sum += along * part);
        }
        Ok(point)
    }

    /// Returns the matrix (components², row-major) of the metric in which features weigh `new_weights` (one per feature of a row, at least 0) instead of the
    /// built-in weights, in the fitted basis: V' D V with the columns of V the components and D the diagonal of new /
    /// built-in weights. Features that were dropped have no part in it.
    ///
    /// # Errors
    /// [`FingerprintError::Weights`] or [`FingerprintError::Weight`].
    pub fn metric_for_weights(&self, new_weights: &[f64]) -> Result<Vec<f64>, FingerprintError> {
        if new_weights.len() != self.width {
            return Err(FingerprintError::Weights { found: new_weights.len(), expected: self.width });
        }
        if let Some(feature) = new_weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return Err(FingerprintError::Weight { feature, found: new_weights[feature] });
        }
        let count = self.components();
        let mut matrix = vec![0.0; count * count];
        for feature in &self.features {
            let ratio = new_weights[feature.position] / feature.weight;
            for first in 0..count {
                for second in 0..count {
                    matrix[first * count + second] += ratio * (feature.loadings[first] * feature.loadings[second]);
                }
            }
        }
        // No point differs along a component without direction; 1 there keeps the matrix invertible.
        for (at, _) in self.eigenvalues.iter().enumerate().filter(|&(_, &value)| value <= 0.0) {
            matrix[at * count + at] = 1.0;
        }
        Ok(matrix)
    }

    /// Returns the first feature of the model that does not stand at its place in `names`, if there is one: the model
    /// was then fitted by a version that computes other features, and rows of today's features do not belong to it.
    pub fn misplaced_feature(&self, names: &[String]) -> Option<&str> {
        let misplaced = |feature: &&ModelFeature| names.get(feature.position) != Some(&feature.name);
        self.features.iter().find(misplaced).map(|feature| feature.name.as_str())
    }

    /// Returns how much each feature adds to the squared distance of two rows of features, largest first, then by
    /// name: scaled and weighted differences, squared.
    ///
    /// Directions without a component are in it, so the sum is at least the squared distance of the fingerprints. A
    /// missing feature counts as the centre, as in a fingerprint.
    ///
    /// # Errors
    /// As [`Model::project`].
    pub fn contributions(
        &self,
        left: &[Option<f64>],
        right: &[Option<f64>],
    ) -> Result<Vec<(String, f64)>, FingerprintError> {
        self.check_row(left)?;
        self.check_row(right)?;
        let pairs = scaled(&self.features, left).zip(scaled(&self.features, right));
        let mut parts: Vec<(String, f64)> = self
            .features
            .iter()
            .zip(pairs)
            .map(|(feature, (left, right))| (feature.name.clone(), (left - right).powi(2)))
            .collect();
        parts.sort_by(|left, right| right.1.total_cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        Ok(parts)
    }

    /// Checks length and finiteness of a row.
    fn check_row(&self, features: &[Option<f64>]) -> Result<(), FingerprintError> {
        if features.len() != self.width {
            return Err(FingerprintError::Width { row: 0, found: features.len(), expected: self.width });
        }
        match features.iter().position(|value| value.is_some_and(|value| !value.is_finite())) {
            Some(feature) => Err(FingerprintError::NotFinite { row: 0, feature }),
            None => Ok(()),
        }
    }

    /// Writes the model, atomically.
    ///
    /// # Errors
    /// The file cannot be replaced.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        manifest::write(path, MODEL_KIND, self)
    }

    /// Reads a model and checks that its parts fit together.
    ///
    /// # Errors
    /// As [`manifest::read`]; [`ArtifactError::Damaged`] when lengths inside disagree, or a number is none that a fit can give.
    pub fn read(path: &Path) -> Result<Self, ArtifactError> {
        let model: Self = manifest::read(path, MODEL_KIND)?;
        let damaged = |what: &str| Err(ArtifactError::Damaged { path: path.to_owned(), what: what.to_owned() });
        let count = model.components();
        let fits = |feature: &ModelFeature| feature.loadings.len() == count && feature.position < model.width;
        if model.explained_variance_ratio.len() != count || !model.features.iter().all(fits) {
            return damaged("lengths of its lists disagree");
        }
        if !model.features.iter().all(ModelFeature::is_possible) {
            return damaged("numbers of a feature are impossible");
        }
        Ok(model)
    }
}

/// Returns the scaled, weighted features of a row.
fn scaled(features: &[ModelFeature], row: &[Option<f64>]) -> impl Iterator<Item = f64> {
    let of = |feature: &ModelFeature| {
        feature.scale.apply(row.get(feature.position).copied().flatten()) * feature.weight.sqrt()
    };
    features.iter().map(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["level", "burst", "trend"].map(str::to_owned).to_vec()
    }

    /// Six workloads, no two alike; `trend` is missing once.
    fn rows() -> Vec<Vec<Option<f64>>> {
        [
            [Some(1.0), Some(0.3), Some(-1.0)],
            [Some(2.0), Some(0.1), None],
            [Some(4.0), Some(0.9), Some(0.5)],
            [Some(3.0), Some(0.2), Some(2.0)],
            [Some(7.0), Some(0.4), Some(0.1)],
            [Some(5.0), Some(0.8), Some(-0.2)],
        ]
        .map(|row| row.to_vec())
        .to_vec()
    }

    fn model() -> Model {
        model_of(3)
    }

    fn narrow_model() -> Model {
        model_of(2)
    }

    fn model_of(components: usize) -> Model {
        let (names, rows) = (names(), rows());
        let input = ModelInput {
            window: Micros(60_000_000),
            units: "cores and bytes",
            names: &names,
            weights: &[2.0, 1.0, 1.0],
            rows: &rows.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            components: Components::Fixed(components),
        };
        Model::fit(input).unwrap().0
    }

    #[test]
    fn contributions_add_up_to_the_squared_distance() {
        let (model, rows) = (model(), rows());
        let squared =
            |left: &[f64], right: &[f64]| -> f64 { left.iter().zip(right).map(|(a, b)| (a - b).powi(2)).sum() };
        for (left, right) in [(0, 1), (1, 4), (2, 5)] {
            let parts = model.contributions(&rows[left], &rows[right]).unwrap();
            let sum: f64 = parts.iter().map(|(_, part)| part).sum();
            let distance = squared(&model.project(&rows[left]).unwrap(), &model.project(&rows[right]).unwrap());
            assert!((sum - distance).abs() <= 1e-12 * sum, "rows {left} and {right}: {sum} {distance}");
            assert!(parts.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{parts:?}");
        }
        // The weight is in it: `level` counts twice.
        let parts = model.contributions(&[Some(3.0), None, None], &[Some(5.0), None, None]).unwrap();
        let spread = model.features[0].scale.spread;
        assert_eq!(parts[0].0, "level");
        assert!((parts[0].1 - 2.0 * (2.0 / spread).powi(2)).abs() < 1e-12, "{parts:?}");
        assert!(model.contributions(&[None], &[None, None, None]).is_err());
    }

    #[test]
    fn what_was_not_observed_does_not_pull_a_point_to_the_centre() {
        let (model, rows) = (model(), rows());
        // Without `trend`, the fifth workload and a newcomer with its other features are in one place.
        let weights = [2.0, 1.0, 0.0];
        let newcomer = [rows[4][0], rows[4][1], None];
        let metric = model.metric_for_weights(&weights).unwrap();
        let squared = |left: &[f64], right: &[f64]| -> f64 {
            let gap: Vec<f64> = left.iter().zip(right).map(|(left, right)| left - right).collect();
            let row = |at: usize| gap.iter().zip(&metric[at * 3..]).map(|(gap, entry)| gap * entry).sum::<f64>();
            gap.iter().enumerate().map(|(at, gap)| gap * row(at)).sum()
        };
        let stored = model.project(&rows[4]).unwrap();
        let seen = squared(&model.project_observed(&newcomer, &weights).unwrap(), &stored);
        let centred = squared(&model.project(&newcomer).unwrap(), &stored);
        assert!(seen.abs() < 1e-12 && centred.abs() < 1e-12, "{seen} {centred}");
        // With two components the missing feature reaches both, and only the observed place stays near.
        let narrow = narrow_model();
        let distance = |point: Vec<f64>| -> f64 {
            let image = |point: &[f64], feature: &ModelFeature| -> f64 {
                point.iter().zip(&feature.loadings).map(|(at, loading)| at * loading).sum()
            };
            let missed = |feature: &ModelFeature| {
                let value = feature.scale.apply(newcomer[feature.position]) * feature.weight.sqrt() - feature.mean;
                (value - image(&point, feature)).powi(2) * weights[feature.position] / feature.weight
            };
            narrow.features.iter().map(missed).sum()
        };
        let observed = distance(narrow.project_observed(&newcomer, &weights).unwrap());
        let centred = distance(narrow.project(&newcomer).unwrap());
        assert!(observed < centred - 1e-6, "{observed} {centred}");
    }

    #[test]
    fn features_of_another_version_are_noticed() {
        let model = model();
        assert_eq!(model.misplaced_feature(&names()), None);
        let renamed = ["level", "burstiness", "trend"].map(str::to_owned);
        assert_eq!(model.misplaced_feature(&renamed), Some("burst"));
        assert_eq!(model.misplaced_feature(&names()[..1]), Some("burst"));
    }

    #[test]
    fn the_strongest_features_have_the_largest_loadings() {
        let model = model();
        for component in 0..3 {
            let order: Vec<f64> =
                model.strongest(component, 3).map(|feature| feature.loadings[component].abs()).collect();
            assert!(order.len() == 3 && order.is_sorted_by(|a, b| a >= b), "{order:?}");
        }
        assert_eq!(model.strongest(0, 1).count(), 1);
        assert_eq!(model.strongest(9, 2).map(|feature| feature.position).collect::<Vec<_>>(), [0, 1]);
    }
}
