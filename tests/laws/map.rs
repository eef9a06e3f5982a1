//! A map depends on the fingerprints alone: not on their order, not on the number of threads; equal ones share a place.

use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use shadow::index::Points;
use shadow::map::tsne::TsneParams;
use shadow::map::{Layout, Prepared};
use shadow::trace::source::Silent;

/// Few steps: laws hold after each of them.
const PARAMS: TsneParams =
    TsneParams { perplexity: 8.0, early_steps: 40, late_steps: 60, early_exaggeration: 12.0, angle: 0.5, seed: 3 };

/// Rows in clusters, some of them repeated.
fn rows(count: usize, dimensions: usize, random: &mut Pcg64Mcg) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for number in 0..count {
        let repeated = rows.len() > 3 && random.random_range(0..4) == 0;
        let row = if repeated {
            rows[random.random_range(0..rows.len())].clone()
        } else {
            (0..dimensions)
                .map(|axis| (number % 3) as f64 * 5.0 / (axis + 1) as f64 + random.random_range(-1.0..1.0))
                .collect()
        };
        rows.push(row);
    }
    rows
}

fn layout(rows: &[Vec<f64>], params: TsneParams) -> Layout {
    let dimensions = rows.first().map_or(1, Vec::len);
    let points = Points::new(dimensions, rows.concat()).unwrap();
    let numbers = (0..u32::try_from(rows.len()).unwrap()).collect();
    Prepared::among(&points, numbers, params, &Silent).unwrap().lay_out(&Silent)
}

/// Places as bits: equal means equal to the last digit.
fn bits(place: [f64; 2]) -> [u64; 2] {
    place.map(f64::to_bits)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_order_gives_the_same_places_and_equal_rows_share_theirs(
        count in 1_usize..160, dimensions in 1_usize..6, seed in any::<u64>()
    ) {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let original = rows(count, dimensions, &mut random);
        let first = layout(&original, PARAMS);
        prop_assert!(first.places.iter().flatten().all(|place| place.is_finite()));
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut random);
        let shuffled: Vec<Vec<f64>> = order.iter().map(|&row| original[row].clone()).collect();
        let second = layout(&shuffled, PARAMS);
        for (position, &row) in order.iter().enumerate() {
            prop_assert_eq!(bits(second.places[position]), bits(first.places[row]));
        }
        for one in 0..count {
            for other in 0..one {
                let is_same = original[one] == original[other];
                prop_assert_eq!(is_same, first.fingerprints[one] == first.fingerprints[other]);
                prop_assert!(!is_same || bits(first.places[one]) == bits(first.places[other]));
            }
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_places(seed in any::<u64>()) {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        // More than one task of each parallel loop.
        let rows = rows(1200, 4, &mut random);
        let of = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| layout(&rows, TsneParams { early_steps: 8, late_steps: 8, ..PARAMS }))
        };
        let one = of(1);
        for threads in [2, 3, 7] {
            let other = of(threads);
            prop_assert_eq!(one.divergence.to_bits(), other.divergence.to_bits());
            prop_assert!(one.places.iter().zip(&other.places).all(|(a, b)| bits(*a) == bits(*b)));
        }
    }
}

#[test]
fn clusters_stay_together_and_apart() {
    let mut random = Pcg64Mcg::seed_from_u64(11);
    let original: Vec<Vec<f64>> = (0..150)
        .map(|number| (0..4).map(|axis| f64::from(number % 3 == axis) * 9.0 + random.random_range(-1.0..1.0)).collect())
        .collect();
    let map = layout(&original, TsneParams { perplexity: 15.0, ..TsneParams::default() });
    let distance =
        |a: usize, b: usize| (map.places[a][0] - map.places[b][0]).hypot(map.places[a][1] - map.places[b][1]);
    for point in 0..150 {
        let nearest =
            (0..150).filter(|&other| other != point).min_by(|&a, &b| distance(point, a).total_cmp(&distance(point, b)));
        assert_eq!(nearest.unwrap() % 3, point % 3, "the nearest of point {point} is of another cluster");
    }
    assert!(map.divergence > 0.0 && map.divergence < 1.0, "{}", map.divergence);
    // Another seed is another map of the same quality.
    let other = layout(&original, TsneParams { perplexity: 15.0, seed: 4, ..TsneParams::default() });
    assert_ne!(map.places, other.places);
    assert!((map.divergence - other.divergence).abs() < 0.3 * map.divergence, "{}", other.divergence);
}
