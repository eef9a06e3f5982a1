//! Rows of features of an imagined store, and what a reader of `model.json` makes of them.
//!
//! Expected values are computed from what the model states (centre, spread, clip, weight, mean, loadings), as a reader in
//! another language would; none of the numbers behind the scaling is repeated.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use shadow::fingerprint::{Components, FingerprintError, Model, ModelFeature, ModelInput, SUPPORTED_COMPONENTS};
use shadow::units::Micros;

pub(crate) type Row = Vec<Option<f64>>;

/// Names, weights and rows of one imagined store.
#[derive(Debug, Clone)]
pub(crate) struct Features {
    pub(crate) names: Vec<String>,
    pub(crate) weights: Vec<f64>,
    pub(crate) rows: Vec<Row>,
}

impl Features {
    pub(crate) fn fit(&self, components: Components) -> Result<(Model, Vec<f64>), FingerprintError> {
        Model::fit(ModelInput {
            window: Micros(60_000_000),
            units: "cores and bytes",
            names: &self.names,
            weights: &self.weights,
            rows: &self.rows.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            components,
        })
    }

    /// As many components as there are features, so that no direction is lost.
    pub(crate) fn fit_all(&self) -> (Model, Vec<f64>) {
        let count = SUPPORTED_COMPONENTS.into_iter().find(|&count| count >= self.names.len()).unwrap();
        self.fit(Components::Fixed(count)).unwrap()
    }

    pub(crate) fn push(&mut self, name: &str, weight: f64, value: impl Fn(usize) -> Option<f64>) {
        self.names.push(name.to_owned());
        self.weights.push(weight);
        for (row, values) in self.rows.iter_mut().enumerate() {
            values.push(value(row));
        }
    }
}

/// Features that depend on three hidden ones, in units from 1e-3 to 1e9, with missing, repeated and absurd values.
/// The first two are never missing and vary.
pub(crate) fn features(rows: usize, width: usize, missing: f64, seed: u64) -> Features {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut found = Features { names: Vec::new(), weights: Vec::new(), rows: vec![Vec::with_capacity(width); rows] };
    let hidden: Vec<[f64; 3]> = (0..rows).map(|_| std::array::from_fn(|_| random.random_range(-1.0..1.0))).collect();
    for feature in 0..width {
        let unit = 10.0_f64.powi(random.random_range(-3..9));
        let offset = unit * random.random_range(-5.0..5.0);
        let mix: [f64; 3] = std::array::from_fn(|_| random.random_range(-1.0..1.0));
        let noise = if random.random_bool(0.3) { 0.0 } else { 0.5 };
        let weight = [0.25, 1.0, 1.0, 3.0][random.random_range(0..4)];
        let is_stepped = feature > 1 && random.random_bool(0.3);
        let values: Row = hidden
            .iter()
            .map(|hidden| {
                let clear: f64 = hidden.iter().zip(&mix).map(|(hidden, mix)| hidden * mix).sum();
                let value = clear + noise * random.random_range(-1.0..1.0);
                let value = if is_stepped { value.max(0.0) } else { value };
                let value = if random.random_bool(0.01) { value * 1e6 } else { value };
                (feature < 2 || !random.random_bool(missing)).then_some(offset + unit * value)
            })
            .collect();
        found.push(&format!("feature-{feature}"), weight, |row| values[row]);
    }
    found
}

pub(crate) fn any_features() -> impl Strategy<Value = Features> {
    let missing = prop::sample::select(vec![0.0, 0.1, 0.7]);
    (3_usize..70, 2_usize..15, missing, any::<u64>())
        .prop_map(|(rows, width, missing, seed)| features(rows, width, missing, seed))
}

/// The scaled, weighted features of a row, as `docs/index-format.md` says.
pub(crate) fn scaled(model: &Model, row: &Row) -> Vec<f64> {
    let of = |feature: &ModelFeature| {
        let scaled = row[feature.position].map_or(0.0, |value| {
            ((value - feature.scale.centre) / feature.scale.spread).clamp(-model.clip, model.clip)
        });
        scaled * feature.weight.sqrt()
    };
    model.features.iter().map(of).collect()
}

pub(crate) fn loadings(model: &Model, component: usize) -> Vec<f64> {
    model.features.iter().map(|feature| feature.loadings[component]).collect()
}

pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// Sum of squared differences, each times its weight.
pub(crate) fn squared(left: &[f64], right: &[f64], weights: impl Fn(usize) -> f64) -> f64 {
    left.iter().zip(right).enumerate().map(|(at, (left, right))| weights(at) * (left - right).powi(2)).sum()
}

pub(crate) fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}
