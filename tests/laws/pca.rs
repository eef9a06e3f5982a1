//! The fitted components: axes, variances, and what must not change them.

use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use shadow::fingerprint::{Components, DropReason, Model, Moments, PcaParams, SUPPORTED_COMPONENTS};

use crate::common::features::{any_features, bits, dot, features, loadings, scaled};

/// Sample covariance (divisor n - 1) of rows, in the textbook's two passes.
fn covariance(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (width, count) = (rows[0].len(), rows.len() as f64);
    let mean: Vec<f64> = (0..width).map(|at| rows.iter().map(|row| row[at] / count).sum()).collect();
    let entry = |first: usize, second: usize| -> f64 {
        rows.iter().map(|row| (row[first] - mean[first]) * (row[second] - mean[second]) / (count - 1.0)).sum()
    };
    (0..width).map(|first| (0..width).map(|second| entry(first, second)).collect()).collect()
}

/// What eigenvalues and axes together say, whatever axes were chosen inside a subspace of equal variance: the
/// covariance that they span, row-major.
fn spanned(eigenvalues: &[f64], axes: &[Vec<f64>]) -> Vec<f64> {
    let width = axes[0].len();
    let entry = |first: usize, second: usize| -> f64 {
        eigenvalues.iter().zip(axes).map(|(value, axis)| value * axis[first] * axis[second]).sum()
    };
    (0..width * width).map(|at| entry(at / width, at % width)).collect()
}

fn axes(model: &Model) -> Vec<Vec<f64>> {
    (0..model.components()).map(|component| loadings(model, component)).collect()
}

fn farthest(left: &[f64], right: &[f64]) -> f64 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| (left - right).abs()).fold(0.0, f64::max)
}

/// Name, weight and values of a feature, and why it is dropped.
type Extra = (&'static str, f64, fn(usize) -> Option<f64>, DropReason);

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn axes_are_orthonormal_and_their_variances_add_up(features in any_features(), which in 0_usize..12) {
        let components = SUPPORTED_COMPONENTS.get(which).map_or(Components::Explaining(0.9), |&count| Components::Fixed(count));
        let (model, coordinates) = features.fit(components).unwrap();
        let count = model.components();
        prop_assert_eq!(coordinates.len(), count * features.rows.len());
        prop_assert!(SUPPORTED_COMPONENTS.contains(&count));
        let rows: Vec<Vec<f64>> = features.rows.iter().map(|row| scaled(&model, row)).collect();
        let matrix = covariance(&rows);
        let total: f64 = matrix.iter().enumerate().map(|(at, line)| line[at]).sum();
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-9 * total;
        prop_assert!(near(model.total_variance, total), "{} instead of {}", model.total_variance, total);
        prop_assert!(model.eigenvalues.is_sorted_by(|left, right| left >= right), "{:?}", model.eigenvalues);
        prop_assert!(model.eigenvalues.iter().all(|&value| value >= 0.0));
        prop_assert!(model.eigenvalues.iter().sum::<f64>() <= total * (1.0 + 1e-9));
        if count >= model.features.len() {
            prop_assert!(near(model.eigenvalues.iter().sum(), total), "a direction is lost");
        }
        let along = covariance(&coordinates.chunks_exact(count).map(<[f64]>::to_vec).collect::<Vec<_>>());
        for (first, along) in along.iter().enumerate() {
            let (axis, value) = (loadings(&model, first), model.eigenvalues[first]);
            prop_assert!((model.explained_variance_ratio[first] - value / total).abs() <= 1e-12);
            // Along each axis lies the variance that is stated; axes share none.
            prop_assert!(near(along[first], value), "component {}", first);
            for (second, &shared) in along.iter().enumerate() {
                let expected = if first == second && value > 0.0 { 1.0 } else { 0.0 };
                let found = dot(&axis, &loadings(&model, second));
                prop_assert!((found - expected).abs() <= 1e-9, "axes {} and {}: {}", first, second, found);
                prop_assert!(first == second || near(shared, 0.0), "axes {} and {}", first, second);
            }
            if value > 0.0 {
                for (line, loading) in matrix.iter().zip(&axis) {
                    prop_assert!(near(dot(line, &axis), value * loading), "component {} is no eigenvector", first);
                }
                let largest = axis.iter().fold(0.0_f64, |largest, loading| largest.max(loading.abs()));
                let leading = axis.iter().find(|loading| loading.abs() >= largest * (1.0 - 1e-9)).unwrap();
                prop_assert!(*leading > 0.0, "the sign of component {} is not settled", first);
            }
        }
    }

    #[test]
    fn fewer_components_are_the_first_of_all(features in any_features(), share in 0.05..1.0_f64) {
        let (all, every) = features.fit_all();
        let rank = all.eigenvalues.iter().filter(|&&value| value > 0.0).count();
        let (some, few) = features.fit(Components::Explaining(share)).unwrap();
        let explained = |count: usize| all.explained_variance_ratio.iter().take(count).sum::<f64>();
        let found = some.components();
        let position = SUPPORTED_COMPONENTS.iter().position(|&count| count == found).unwrap();
        prop_assert!(explained(found) >= share - 1e-9 || found >= rank, "{} components explain too little", found);
        if position > 0 {
            let fewer = SUPPORTED_COMPONENTS[position - 1];
            prop_assert!(explained(fewer) <= share + 1e-9 && fewer < rank, "{} components are enough", fewer);
        }
        let kept = found.min(all.components());
        prop_assert_eq!(bits(&some.eigenvalues[..kept]), bits(&all.eigenvalues[..kept]));
        for (few, every) in few.chunks_exact(found).zip(every.chunks_exact(all.components())) {
            prop_assert_eq!(bits(&few[..kept]), bits(&every[..kept]));
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(features in any_features(), seed: u64) {
        let (model, _) = features.fit_all();
        let mut shuffled = features.clone();
        shuffled.rows.shuffle(&mut Pcg64Mcg::seed_from_u64(seed));
        let (other, _) = shuffled.fit_all();
        let total = model.total_variance;
        prop_assert!(farthest(&model.eigenvalues, &other.eigenvalues) <= 1e-9 * total);
        prop_assert!(farthest(&spanned(&model.eigenvalues, &axes(&model)), &spanned(&other.eigenvalues, &axes(&other))) <= 1e-9 * total);
        prop_assert_eq!(&model.dropped, &other.dropped);
        for (left, right) in model.features.iter().zip(&other.features) {
            prop_assert_eq!(&left.name, &right.name);
            prop_assert_eq!(left.scale, right.scale);
            prop_assert!((left.mean - right.mean).abs() <= 1e-12 * model.clip * left.weight.sqrt());
        }
        // Where an axis is well apart from its neighbours, it is the same one, with the same sign.
        for component in 0..model.components() {
            let value = model.eigenvalues[component];
            let gap = (0..model.components())
                .filter(|&other| other != component)
                .map(|other| (model.eigenvalues[other] - value).abs())
                .fold(value, f64::min);
            let axis = loadings(&model, component);
            let mut sizes: Vec<f64> = axis.iter().map(|loading| loading.abs()).collect();
            sizes.sort_by(|left, right| right.total_cmp(left));
            if gap > 1e-3 * total && sizes.get(1).is_none_or(|second| *second < sizes[0] - 1e-6) {
                prop_assert!(farthest(&axis, &loadings(&other, component)) <= 1e-8, "component {}", component);
            }
        }
    }

    #[test]
    fn shards_of_moments_give_the_same_components(features in any_features(), parts in 1_usize..9, seed: u64) {
        let (model, _) = features.fit_all();
        let width = model.features.len();
        let mut rows: Vec<Vec<f64>> = features.rows.iter().map(|row| scaled(&model, row)).collect();
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        rows.shuffle(&mut random);
        let mut shards = vec![Moments::empty(width); parts];
        for row in &rows {
            // Some shards stay empty, some get their rows in several chunks.
            shards[random.random_range(0..parts)].add(row);
        }
        let mut merged = Moments::empty(width);
        for shard in &shards {
            merged.merge(shard);
        }
        let params = linfa::ParamGuard::check(PcaParams::new(Components::Fixed(model.components()))).unwrap();
        let fitted = params.fit_moments(&merged).unwrap();
        let total = model.total_variance;
        prop_assert_eq!(fitted.rows(), model.rows);
        prop_assert!((fitted.total_variance() - total).abs() <= 1e-9 * total);
        prop_assert!(farthest(fitted.eigenvalues(), &model.eigenvalues) <= 1e-9 * total);
        prop_assert!(farthest(&spanned(fitted.eigenvalues(), fitted.axes()), &spanned(&model.eigenvalues, &axes(&model))) <= 1e-9 * total);
        let means: Vec<f64> = model.features.iter().map(|feature| feature.mean).collect();
        prop_assert!(farthest(fitted.mean(), &means) <= 1e-12 * model.clip * 2.0);
    }

    #[test]
    fn what_takes_no_part_changes_nothing(features in any_features(), at in 0_usize..4) {
        let (model, coordinates) = features.fit(Components::Fixed(8)).unwrap();
        let mut more = features.clone();
        let extras: [Extra; 4] = [
            ("never", 1.0, |_| None, DropReason::AlwaysMissing),
            ("always-7", 2.0, |_| Some(7.0e9), DropReason::Constant),
            ("seldom-7", 1.0, |row| (row % 3 == 0).then_some(-7.0), DropReason::Constant),
            ("no-weight", 0.0, |row| Some(row as f64), DropReason::NoWeight),
        ];
        let (name, weight, value, reason) = extras[at];
        more.push(name, weight, value);
        let (other, same) = more.fit(Components::Fixed(8)).unwrap();
        prop_assert_eq!(bits(&same), bits(&coordinates));
        prop_assert_eq!(&other.features, &model.features);
        let dropped = other.dropped.last().unwrap();
        prop_assert_eq!((dropped.name.as_str(), dropped.position, dropped.reason), (name, features.names.len(), reason));
        prop_assert_eq!(other.dropped.len(), model.dropped.len() + 1);
        // Whatever a newcomer shows there, and whatever weight is asked for, it has no part in distances.
        let mut row = more.rows[0].clone();
        *row.last_mut().unwrap() = Some(1e12);
        prop_assert_eq!(bits(&other.project(&row).unwrap()), bits(&coordinates[..8]));
        let mut weights = vec![1.0; features.names.len()];
        let metric = model.metric_for_weights(&weights).unwrap();
        weights.push(1e6);
        prop_assert_eq!(bits(&other.metric_for_weights(&weights).unwrap()), bits(&metric));
    }

    #[test]
    fn the_unit_of_a_feature_does_not_matter(features in any_features(), exponents in prop::collection::vec(-40_i32..40, 15)) {
        // Powers of two change no digit, so not even rounding may differ.
        let mut other = features.clone();
        for row in &mut other.rows {
            for (value, exponent) in row.iter_mut().zip(&exponents) {
                *value = value.map(|value| value * 2.0_f64.powi(*exponent));
            }
        }
        let (model, coordinates) = features.fit_all();
        let (changed, same) = other.fit_all();
        prop_assert_eq!(bits(&same), bits(&coordinates));
        prop_assert_eq!(bits(&changed.eigenvalues), bits(&model.eigenvalues));
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    // More rows than two chunks of the parallel sum.
    let features = features(9_500, 12, 0.1, 42);
    let fits: Vec<(Model, Vec<f64>)> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| features.fit(Components::Fixed(6)).unwrap())
        })
        .collect();
    for (model, coordinates) in &fits[1..] {
        assert_eq!(model, &fits[0].0);
        assert_eq!(bits(coordinates), bits(&fits[0].1));
    }
    let check = fits[0].0.self_check;
    assert_eq!((check.rows, check.compared), (9_500, 2));
    assert!(check.largest_deviation < 1e-9, "{check:?}");
}
