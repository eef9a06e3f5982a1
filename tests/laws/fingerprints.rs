//! Fingerprints under a fitted model: coordinates, distances, weights at query time, missing values, the file.

use std::sync::Arc;

use proptest::prelude::*;
use shadow::artifact::ArtifactError;
use shadow::fingerprint::{Components, FingerprintError, Model, SUPPORTED_COMPONENTS};
use shadow::index::{FlatScan, Metric, NearestNeighbours, Points};

use crate::common::features::{Features, Row, any_features, bits, dot, features, scaled, squared};

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_fitted_row_has_its_stored_coordinates_bit_for_bit(features in any_features(), which in 0_usize..SUPPORTED_COMPONENTS.len()) {
        let (model, coordinates) = features.fit(Components::Fixed(SUPPORTED_COMPONENTS[which])).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.json");
        model.write(&path).unwrap();
        let read = Model::read(&path).unwrap();
        prop_assert_eq!(&read, &model);
        for (row, stored) in features.rows.iter().zip(coordinates.chunks_exact(model.components())) {
            prop_assert_eq!(bits(&model.project(row).unwrap()), bits(stored));
            prop_assert_eq!(bits(&read.project(row).unwrap()), bits(stored));
            // As another language would compute it.
            let row = scaled(&model, row);
            for (component, stored) in stored.iter().enumerate() {
                let along: f64 = model.features.iter().zip(&row).map(|(feature, value)| (value - feature.mean) * feature.loadings[component]).sum();
                prop_assert!((along - stored).abs() <= 1e-12 * model.clip * row.len() as f64);
            }
        }
    }

    #[test]
    fn distances_in_all_components_are_those_of_the_features(features in any_features(), few in 0_usize..4) {
        let (model, coordinates) = features.fit_all();
        let count = model.components();
        let (small, _) = features.fit(Components::Fixed(SUPPORTED_COMPONENTS[few])).unwrap();
        let scale = model.total_variance * features.rows.len() as f64;
        for (first, left) in features.rows.iter().enumerate() {
            let second = (first * 7 + 3) % features.rows.len();
            let right = &features.rows[second];
            let expected = squared(&scaled(&model, left), &scaled(&model, right), |_| 1.0);
            let found = squared(&coordinates[first * count..][..count], &coordinates[second * count..][..count], |_| 1.0);
            prop_assert!((found - expected).abs() <= 1e-9 * scale, "rows {} and {}: {} instead of {}", first, second, found, expected);
            // Directions that are left out only bring rows nearer.
            let part = squared(&small.project(left).unwrap(), &small.project(right).unwrap(), |_| 1.0);
            prop_assert!(part <= expected + 1e-9 * scale);
            let parts: f64 = model.contributions(left, right).unwrap().iter().map(|(_, part)| part).sum();
            prop_assert!((parts - expected).abs() <= 1e-9 * (expected + f64::MIN_POSITIVE));
        }
    }

    #[test]
    fn weights_at_query_time_act_on_features_in_the_fitted_basis(
        features in any_features(),
        which in 0_usize..6,
        weights in prop::collection::vec(prop::sample::select(vec![0.0, 0.1, 1.0, 2.5, 40.0]), 15),
    ) {
        let weights = &weights[..features.names.len()];
        let (model, coordinates) = if let Some(&count) = SUPPORTED_COMPONENTS.get(which) {
            features.fit(Components::Fixed(count)).unwrap()
        } else {
            features.fit_all()
        };
        let count = model.components();
        let is_whole = count >= model.features.len();
        let matrix = model.metric_for_weights(weights).unwrap();
        let scan = FlatScan::new(Arc::new(Points::new(count, coordinates.clone()).unwrap()));
        let query = &coordinates[..count];
        let found = scan.nearest(query, features.rows.len(), &Metric::Matrix(matrix), &|_| true).unwrap();
        prop_assert_eq!(found.len(), features.rows.len());
        let ratio = |at: usize| weights[model.features[at].position] / model.features[at].weight;
        let heaviest = (0..model.features.len()).map(ratio).fold(1.0, f64::max);
        let scale = heaviest * model.total_variance * features.rows.len() as f64;
        for neighbour in found {
            let row = &coordinates[neighbour.row as usize * count..][..count];
            // The two rows as the kept components show them, back in scaled, weighted features.
            let shown = |row: &[f64]| -> Vec<f64> { model.features.iter().map(|feature| dot(&feature.loadings, row)).collect() };
            let expected = squared(&shown(row), &shown(query), ratio);
            prop_assert!((neighbour.distance.powi(2) - expected).abs() <= 1e-9 * scale, "{} instead of {}", neighbour.distance, expected.sqrt());
            if is_whole {
                // Nothing is lost, so these are the distances of the features under the new weights alone.
                let plain = |row: &Row| -> Vec<f64> {
                    let weighted = scaled(&model, row);
                    weighted.iter().zip(&model.features).map(|(value, feature)| value / feature.weight.sqrt()).collect()
                };
                let new = |at: usize| weights[model.features[at].position];
                let expected = squared(&plain(&features.rows[neighbour.row as usize]), &plain(&features.rows[0]), new);
                prop_assert!((neighbour.distance.powi(2) - expected).abs() <= 1e-9 * scale);
            }
        }
        // The built-in weights are the straight line.
        let own = model.metric_for_weights(&features.weights).unwrap();
        prop_assert_eq!(own.len(), count * count);
        for (at, entry) in own.into_iter().enumerate() {
            let expected = f64::from(u8::from(at / count == at % count));
            prop_assert!((entry - expected).abs() <= 1e-9, "entry {}: {}", at, entry);
        }
    }

    #[test]
    fn a_missing_value_is_the_centre_and_is_counted(features in any_features(), position in 0_usize..15) {
        let (model, _) = features.fit_all();
        for feature in &model.features {
            let missing = features.rows.iter().filter(|row| row[feature.position].is_none()).count();
            prop_assert_eq!(feature.scale.missing, missing as u64);
        }
        let feature = &model.features[position % model.features.len()];
        let mut row = features.rows[0].clone();
        row[feature.position] = None;
        let absent = model.project(&row).unwrap();
        row[feature.position] = Some(feature.scale.centre);
        prop_assert_eq!(bits(&model.project(&row).unwrap()), bits(&absent));
        let nothing = vec![None; features.names.len()];
        prop_assert!(model.project(&nothing).unwrap().iter().all(|coordinate| coordinate.is_finite()));
    }

    #[test]
    fn an_absurd_newcomer_is_far_but_not_infinitely_far(features in any_features(), sign in prop::sample::select(vec![-1.0, 1.0])) {
        let (model, _) = features.fit_all();
        let at = |size: f64| {
            let row: Row = (0..features.names.len()).map(|at| Some(if at % 2 == 0 { size } else { -size })).collect();
            model.project(&row).unwrap()
        };
        let (absurd, more) = (at(sign * 1e200), at(sign * f64::MAX));
        prop_assert_eq!(bits(&absurd), bits(&more));
        let most: f64 = model.features.iter().map(|feature| (model.clip * feature.weight.sqrt() + feature.mean.abs()).powi(2)).sum();
        prop_assert!(dot(&absurd, &absurd) <= most * (1.0 + 1e-9), "{:?}", absurd);
    }
}

#[test]
fn what_cannot_be_fitted_is_refused_by_name() {
    let good = features(20, 4, 0.0, 1);
    let refused = |change: &dyn Fn(&mut Features)| {
        let mut features = good.clone();
        change(&mut features);
        features.fit(Components::Fixed(2)).unwrap_err()
    };
    assert_eq!(refused(&|features| features.rows.clear()), FingerprintError::NoRows);
    assert_eq!(refused(&|features| features.rows.truncate(1)), FingerprintError::NothingVaries);
    assert_eq!(
        refused(&|features| features.rows.fill(vec![Some(1.0), None, Some(-3.0), None])),
        FingerprintError::NothingVaries
    );
    assert_eq!(refused(&|features| features.weights.fill(0.0)), FingerprintError::NothingVaries);
    assert_eq!(
        refused(&|features| features.rows[7].truncate(3)),
        FingerprintError::Width { row: 7, found: 3, expected: 4 }
    );
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            refused(&|features| features.rows[11][2] = Some(wrong)),
            FingerprintError::NotFinite { row: 11, feature: 2 }
        );
    }
    assert_eq!(refused(&|features| features.weights.truncate(2)), FingerprintError::Weights { found: 2, expected: 4 });
    assert_eq!(refused(&|features| features.weights[3] = -1.0), FingerprintError::Weight { feature: 3, found: -1.0 });
    for count in [0, 1, 5, 33] {
        assert_eq!(good.fit(Components::Fixed(count)).unwrap_err(), FingerprintError::Components { found: count });
    }
    for share in [0.0, -1.0, 1.0001] {
        assert_eq!(good.fit(Components::Explaining(share)).unwrap_err(), FingerprintError::Explained { found: share });
    }

    let (model, _) = good.fit(Components::Fixed(2)).unwrap();
    assert_eq!(model.project(&[None]), Err(FingerprintError::Width { row: 0, found: 1, expected: 4 }));
    let wrong = [Some(1.0), Some(f64::NAN), None, None];
    assert_eq!(model.project(&wrong), Err(FingerprintError::NotFinite { row: 0, feature: 1 }));
    assert_eq!(model.metric_for_weights(&[1.0]), Err(FingerprintError::Weights { found: 1, expected: 4 }));
    for wrong in [-1.0, f64::INFINITY] {
        let refused = model.metric_for_weights(&[1.0, wrong, 1.0, 1.0]);
        assert_eq!(refused, Err(FingerprintError::Weight { feature: 1, found: wrong }));
    }
}

#[test]
fn a_flipped_byte_of_the_model_is_refused() {
    let (model, _) = features(30, 5, 0.2, 9).fit(Components::Fixed(4)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.json");
    model.write(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    let body = good.windows(7).position(|bytes| bytes == b"\"body\":").unwrap() + 8;
    let end = good.iter().rposition(|&byte| byte == b'}').unwrap();
    for position in 0..good.len() {
        for flip in [0x01, 0x08, 0x40] {
            let mut bad = good.clone();
            bad[position] ^= flip;
            std::fs::write(&path, &bad).unwrap();
            match Model::read(&path) {
                Err(ArtifactError::Damaged { .. } | ArtifactError::Foreign { .. } | ArtifactError::Version { .. }) => {}
                Err(other) => panic!("byte {position}: {other}"),
                // Between the parts of the envelope, white space may become other white space.
                Ok(read) => {
                    let is_space = good[position].is_ascii_whitespace() && bad[position].is_ascii_whitespace();
                    let is_outside = position < body || position + 2 >= end;
                    assert!(is_space && is_outside && read == model, "byte {position} ^ {flip} unnoticed");
                }
            }
        }
    }
    for length in (0..good.len() - 1).step_by(7) {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(Model::read(&path).is_err(), "cut to {length} bytes unnoticed");
    }
}
