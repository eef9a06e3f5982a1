//! The tree answers what the scan of all rows answers, bit for bit.

use std::sync::Arc;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use shadow::index::{FlatScan, Index, Metric, NearestNeighbours, Points, SearchError, Structure};

/// Kinds of data that trees find hard.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Uniform,
    Clustered,
    Duplicated,
    Collinear,
    Offset,
}

const SHAPES: [Shape; 5] = [Shape::Uniform, Shape::Clustered, Shape::Duplicated, Shape::Collinear, Shape::Offset];

fn coordinates(shape: Shape, rows: usize, dimensions: usize, scale: f64, seed: u64) -> Vec<f64> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut values = Vec::with_capacity(rows * dimensions);
    for row in 0..rows {
        let along = random.random_range(-1.0..1.0);
        for dimension in 0..dimensions {
            let decay = 1.0 / (1.0 + dimension as f64);
            let value: f64 = match shape {
                Shape::Uniform => random.random_range(-1.0..1.0),
                Shape::Clustered => (row % 7) as f64 * decay + random.random_range(-1e-3..1e-3),
                Shape::Duplicated => f64::from(random.random_range(0_i32..2)),
                Shape::Collinear => along * decay,
                // Differences far below what 32 bits hold.
                Shape::Offset => 1.0 + random.random_range(-1e-9..1e-9) + f64::from(u8::from(row == 0)),
            };
            values.push(value * scale);
        }
    }
    values
}

/// A symmetric positive definite matrix with eigenvalues from `least` to 1.
fn matrix(dimensions: usize, least: f64, random: &mut Pcg64Mcg) -> Vec<f64> {
    let mut matrix = vec![0.0; dimensions * dimensions];
    let axis: Vec<f64> = (0..dimensions).map(|_| random.random_range(-1.0..1.0)).collect();
    let norm = axis.iter().map(|value| value * value).sum::<f64>();
    for row in 0..dimensions {
        for column in 0..dimensions {
            let identity = if row == column { 1.0 } else { 0.0 };
            matrix[row * dimensions + column] = identity - (1.0 - least) * axis[row] * axis[column] / norm;
        }
    }
    matrix
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_is_the_scan(
        dimensions in 1_usize..40,
        shape in 0_usize..SHAPES.len(),
        rows in 1_usize..900,
        exponent in prop::sample::select(vec![0, 0, 0, -300, -30, 30, 150, 300]),
        k in 0_usize..40,
        every in 1_u32..12,
        least in prop::sample::select(vec![1.0, 0.3, 1e-2, 1e-5, 0.0]),
        seed: u64,
    ) {
        let scale = 10.0_f64.powi(exponent);
        let values = coordinates(SHAPES[shape], rows, dimensions, scale, seed);
        let points = Arc::new(Points::new(dimensions, values).unwrap());
        let index = Index::build_as(Arc::clone(&points), Structure::Tree);
        prop_assert_eq!(index.structure(), Structure::Tree);
        let flat = FlatScan::new(Arc::clone(&points));
        let mut random = Pcg64Mcg::seed_from_u64(seed ^ 1);
        let near = points.row(random.random_range(0..u32::try_from(rows).unwrap())).unwrap().to_vec();
        let queries = [
            near.clone(),
            near.iter().map(|value| value + scale * random.random_range(-0.01..0.01)).collect(),
            near.iter().map(|_| scale * random.random_range(-3.0..3.0)).collect(),
            near.iter().map(|value| value * 1e6).collect::<Vec<f64>>(),
        ];
        let metrics = [Metric::Euclidean, Metric::Cosine, Metric::Matrix(matrix(dimensions, least, &mut random))];
        for query in &queries {
            for metric in &metrics {
                let admits = |row: u32| row.is_multiple_of(every);
                let tree = index.nearest(query, k, metric, &admits);
                let scan = flat.nearest(query, k, metric, &admits);
                prop_assert_eq!(&tree, &scan);
                let batch = index.nearest_batch(&[query, &near], k, metric, &admits).map(|mut found| found.swap_remove(0));
                prop_assert!(batch == scan || batch.is_err());
                if let Ok(found) = scan {
                    prop_assert_eq!(found.len(), k.min(rows.div_ceil(every as usize)));
                    prop_assert!(found.is_sorted_by(|a, b| (a.distance, a.row) < (b.distance, b.row)));
                }
            }
        }
    }
}

/// The scan itself, against distances written out by hand.
#[expect(clippy::float_cmp, reason = "exactly the value that was computed")]
#[test]
fn the_scan_ranks_by_distance_then_row() {
    let points = Arc::new(Points::new(2, vec![3.0, 4.0, 0.0, 1.0, 0.0, -1.0, 5.0, 12.0]).unwrap());
    let flat = FlatScan::new(points);
    let found = flat.nearest(&[0.0, 0.0], 9, &Metric::Euclidean, &|_| true).unwrap();
    let found: Vec<(u32, f64)> = found.iter().map(|found| (found.row, found.distance)).collect();
    assert_eq!(found, vec![(1, 1.0), (2, 1.0), (0, 5.0), (3, 13.0)]);
    let found = flat.nearest(&[0.0, 0.0], 1, &Metric::Matrix(vec![9.0, 0.0, 0.0, 0.0]), &|row| row != 1 && row != 2);
    assert_eq!(found.unwrap()[0].distance, 9.0);
    let found = flat.nearest(&[0.0, 2.0], 4, &Metric::Cosine, &|_| true).unwrap();
    assert_eq!((found[0].row, found[0].distance, found[3].row), (1, 0.0, 2));
    assert!((found[3].distance - 2.0).abs() < 1e-15 && (found[2].distance - 0.2).abs() < 1e-15, "{found:?}");
}

#[test]
fn impossible_searches_are_refused() {
    let points = Arc::new(Points::new(2, vec![1.0, 2.0, 0.0, 0.0]).unwrap());
    let index = Index::build_as(points, Structure::Tree);
    let all = |_: u32| true;
    let refused = |query: &[f64], metric: &Metric| index.nearest(query, 1, metric, &all).unwrap_err();
    assert_eq!(refused(&[1.0], &Metric::Euclidean), SearchError::Dimensions { found: 1, expected: 2 });
    assert_eq!(refused(&[1.0, f64::NAN], &Metric::Euclidean), SearchError::NotFinite { position: 1 });
    assert_eq!(refused(&[0.0, 0.0], &Metric::Cosine), SearchError::NoDirection);
    assert_eq!(refused(&[1.0, 0.0], &Metric::Cosine), SearchError::NoDirection);
    for wrong in [vec![1.0], vec![1.0, 0.5, 0.0, 1.0], vec![-1.0, 0.0, 0.0, 1.0], vec![f64::NAN; 4]] {
        assert_eq!(refused(&[1.0, 0.0], &Metric::Matrix(wrong)), SearchError::Matrix);
    }
    assert_eq!(Points::new(2, vec![1.0, 2.0, 3.0]), Err(SearchError::Dimensions { found: 1, expected: 2 }));
    assert_eq!(Points::new(2, vec![1.0, f64::INFINITY]), Err(SearchError::NotFinite { position: 1 }));
    let empty = Index::build(Arc::new(Points::new(4, Vec::new()).unwrap()));
    assert_eq!(empty.nearest(&[0.0; 4], 3, &Metric::Euclidean, &all), Ok(Vec::new()));
}

#[expect(clippy::cast_possible_truncation, reason = "both trees are given the rounded values")]
/// A tree of others finds the same distances, to what its 32-bit coordinates hold.
#[test]
fn another_library_finds_the_same() {
    const DIMENSIONS: usize = 16;
    let values = coordinates(Shape::Clustered, 3000, DIMENSIONS, 1.0, 5);
    let rows: Vec<[f32; DIMENSIONS]> =
        values.chunks_exact(DIMENSIONS).map(|row| std::array::from_fn(|axis| row[axis] as f32)).collect();
    let points = Points::new(DIMENSIONS, rows.iter().flatten().map(|&value| f64::from(value)).collect()).unwrap();
    let index = Index::build(Arc::new(points));
    assert_eq!(index.structure(), Structure::Tree);
    let other: kiddo::ImmutableKdTree<f32, DIMENSIONS> = kiddo::ImmutableKdTree::new_from_slice(&rows).unwrap();
    let count = std::num::NonZero::new(10).unwrap();
    for row in rows.iter().step_by(37) {
        let query: [f32; DIMENSIONS] = std::array::from_fn(|axis| row[axis] * 1.01);
        let wide: Vec<f64> = query.iter().map(|&value| f64::from(value)).collect();
        let own = index.nearest(&wide, 10, &Metric::Euclidean, &|_| true).unwrap();
        let theirs = other.query(&query).nearest_n::<kiddo::SquaredEuclidean<f64>>(count).execute();
        for (own, theirs) in own.iter().zip(theirs) {
            assert!((own.distance - theirs.distance.sqrt()).abs() <= 1e-12 * own.distance, "{own:?} {theirs:?}");
        }
    }
}
