//! The file of a tree: what was written answers alike, and whatever is wrong with it is noticed and built anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use shadow::artifact::{ArtifactError, sealed};
use shadow::index::{
    FlatScan, Index, LEAST_TREE_ROWS, Metric, NearestNeighbours, Neighbour, OpenError, Points, SearchError, Structure,
};

/// Rows of every test that expects a tree to be built anew.
const ROWS: usize = LEAST_TREE_ROWS + 200;

/// Rows on a coarse grid (ties), every third a copy of an earlier one, no zero vector.
fn points(rows: usize, dimensions: usize, seed: u64) -> Arc<Points> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut coordinates: Vec<f64> = Vec::with_capacity(rows * dimensions);
    for row in 0..rows {
        if row % 3 == 2 {
            let from = dimensions * random.random_range(0..row);
            coordinates.extend_from_within(from..from + dimensions);
            continue;
        }
        coordinates.push(f64::from(random.random_range(1_i32..9)));
        for dimension in 1..dimensions {
            let fine: f64 = random.random_range(-1.0..1.0);
            coordinates.push(if row % 2 == 0 { (fine * 4.0).round() } else { fine } / dimension as f64);
        }
    }
    Arc::new(Points::new(dimensions, coordinates).unwrap())
}

/// Every answer that the tests compare, bit for bit.
fn answers(searched: &dyn NearestNeighbours, points: &Points) -> Vec<Result<Vec<Neighbour>, SearchError>> {
    let dimensions = points.dimensions();
    let mut random = Pcg64Mcg::seed_from_u64(7);
    let mut weights = vec![0.0; dimensions * dimensions];
    for dimension in 0..dimensions {
        weights[dimension * dimensions + dimension] = 1.0 + dimension as f64;
    }
    let metrics = [Metric::Euclidean, Metric::Cosine, Metric::Matrix(weights)];
    let mut found = Vec::new();
    for row in [0_u32, 1, 2, 5] {
        let near = points.row(row).unwrap().to_vec();
        let beside: Vec<f64> = near.iter().map(|value| value + random.random_range(-0.3..0.3)).collect();
        for query in [near, beside] {
            for metric in &metrics {
                for k in [0, 1, 15, points.rows() + 9] {
                    found.push(searched.nearest(&query, k, metric, &|_| true));
                    found.push(searched.nearest(&query, k, metric, &|row| row % 5 != 0));
                }
            }
        }
    }
    found
}

/// The scan of all rows is the truth.
fn assert_answers_like_the_scan(index: &Index, points: &Arc<Points>) {
    let scan = answers(&FlatScan::new(Arc::clone(points)), points);
    assert!(scan.iter().all(Result::is_ok));
    assert!(answers(index, points) == scan, "{index:?} answers otherwise than the scan");
}

/// A folder with the tree of `points`, its path and its bytes.
fn written(points: &Arc<Points>, structure: Structure) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tree.kd");
    Index::build_as(Arc::clone(points), structure).write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (folder, path, bytes)
}

fn refusal(path: &Path, points: &Arc<Points>) -> Option<OpenError> {
    Index::open(path, Arc::clone(points)).err()
}

/// Opens what must not open, builds instead and compares the answers; returns why it did not open.
fn built_anew(path: &Path, points: &Arc<Points>) -> OpenError {
    let (index, reason) = Index::open_or_build(path, Arc::clone(points));
    let expected = if points.rows() < LEAST_TREE_ROWS { Structure::Flat } else { Structure::Tree };
    assert_eq!(index.structure(), expected);
    assert_answers_like_the_scan(&index, points);
    reason.expect("a file that cannot be used was opened")
}

/// Seals the content of a file again after `change`, so that the checksum fits.
fn resealed(path: &Path, bytes: &[u8], change: impl FnOnce(&mut sealed::Seal, &mut Vec<u8>)) {
    let (mut seal, length) = sealed::check(path, bytes).unwrap();
    let mut content = bytes[..length].to_vec();
    change(&mut seal, &mut content);
    sealed::write(path, &seal, &content).unwrap();
}

#[test]
fn a_written_tree_answers_like_the_built_one_in_every_number_of_dimensions() {
    for dimensions in [1, 2, 3, 5, 8, 16, 24, 31, 32, 64] {
        for rows in [1, 2, 33, 700] {
            let points = points(rows.max(6), dimensions, rows as u64);
            let (_folder, path, bytes) = written(&points, Structure::Tree);
            let opened = Index::open(&path, Arc::clone(&points)).unwrap();
            assert_eq!(opened.structure(), Structure::Tree, "{rows} rows of {dimensions}");
            assert_answers_like_the_scan(&opened, &points);
            // The same points give the same bytes.
            let (_again, _path, other) = written(&points, Structure::Tree);
            assert!(bytes == other, "{rows} rows of {dimensions}: two builds differ");
        }
    }
}

#[test]
fn a_scan_is_remembered_and_no_dimensions_are_too_many_for_it() {
    for (rows, dimensions, structure) in [(20, 3, Structure::Flat), (200, 65, Structure::Tree)] {
        let points = points(rows, dimensions, 3);
        let (_folder, path, _bytes) = written(&points, structure);
        let (opened, reason) = Index::open_or_build(&path, Arc::clone(&points));
        assert!(reason.is_none(), "{reason:?}");
        assert_eq!(opened.structure(), Structure::Flat, "{dimensions} dimensions");
        assert_answers_like_the_scan(&opened, &points);
    }
    let none = Arc::new(Points::new(4, Vec::new()).unwrap());
    let (_folder, path, _bytes) = written(&none, Structure::Tree);
    let opened = Index::open(&path, none).unwrap();
    assert_eq!(opened.nearest(&[0.0; 4], 3, &Metric::Euclidean, &|_| true), Ok(Vec::new()));
}

#[test]
fn an_opened_tree_is_written_as_it_was() {
    let points = points(50, 3, 4);
    let (folder, path, bytes) = written(&points, Structure::Tree);
    Index::open(&path, points).unwrap().write(&folder.path().join("copy.kd")).unwrap();
    assert!(std::fs::read(folder.path().join("copy.kd")).unwrap() == bytes);
}

#[test]
fn duplicates_and_ties_are_ranked_by_row() {
    // 1500 copies of one row around one other: more than a leaf holds, and equal in every distance.
    let mut coordinates = [2.0, -1.0].repeat(1_500);
    coordinates[2 * 700] = 3.0;
    let points = Arc::new(Points::new(2, coordinates).unwrap());
    let (_folder, path, _bytes) = written(&points, Structure::Tree);
    let opened = Index::open(&path, Arc::clone(&points)).unwrap();
    assert_eq!(opened.structure(), Structure::Tree);
    let found = opened.nearest(&[2.0, -1.0], 703, &Metric::Euclidean, &|_| true).unwrap();
    let rows: Vec<u32> = found.iter().map(|found| found.row).collect();
    assert_eq!(rows, (0..700).chain(701..704).collect::<Vec<u32>>());
    let all = opened.nearest(&[2.0, -1.0], usize::MAX, &Metric::Euclidean, &|_| true).unwrap();
    assert_eq!((all.len(), all[1_499].row), (1_500, 700));
    assert_answers_like_the_scan(&opened, &points);
}

#[test]
fn any_flipped_byte_is_refused_and_the_answers_stay() {
    let points = points(ROWS, 3, 5);
    let (_folder, path, good) = written(&points, Structure::Tree);
    let (_, content) = sealed::check(&path, &good).unwrap();
    // The content every few bytes, footer, footer length and magic byte by byte.
    let positions: Vec<usize> = (0..content).step_by(7).chain(content - 24..good.len()).collect();
    assert!(positions.len() > 1_000);
    for (count, &position) in positions.iter().enumerate() {
        for flip in if position < content { vec![1_u8 << (count % 8)] } else { vec![0x01, 0x04, 0x20, 0x80] } {
            let mut bad = good.clone();
            bad[position] ^= flip;
            std::fs::write(&path, &bad).unwrap();
            let reason = refusal(&path, &points).unwrap_or_else(|| panic!("byte {position} ^ {flip} unnoticed"));
            if position < content {
                assert!(
                    matches!(&reason, OpenError::Artifact(ArtifactError::Damaged { what, .. }) if what.contains("checksum")),
                    "byte {position}: {reason}"
                );
            }
            assert!(!matches!(reason, OpenError::Missing { .. }), "byte {position}: {reason}");
        }
        if count % 199 == 0 {
            built_anew(&path, &points);
        }
    }
}

#[test]
fn a_cut_or_lengthened_file_is_refused_and_the_answers_stay() {
    let points = points(ROWS, 2, 6);
    let (_folder, path, good) = written(&points, Structure::Tree);
    let shorter = (0..good.len()).step_by(101).chain([1, 11, 12, 13]).chain(good.len() - 400..good.len());
    for length in shorter {
        std::fs::write(&path, &good[..length]).unwrap();
        let reason = refusal(&path, &points).unwrap_or_else(|| panic!("cut to {length} bytes unnoticed"));
        assert!(
            matches!(reason, OpenError::Artifact(ArtifactError::Damaged { .. } | ArtifactError::Foreign { .. })),
            "cut to {length} bytes: {reason}"
        );
    }
    built_anew(&path, &points);
    for more in [&good[..1], &good[..128], &good] {
        std::fs::write(&path, [more, &good[..]].concat()).unwrap();
        assert!(refusal(&path, &points).is_some(), "{} bytes before the content unnoticed", more.len());
        std::fs::write(&path, [&good[..], more].concat()).unwrap();
        // The same file twice ends in a good footer, whose content is shorter than what stands before it.
        assert!(refusal(&path, &points).is_some(), "{} bytes after the content unnoticed", more.len());
    }
    built_anew(&path, &points);
}

#[test]
fn a_missing_empty_or_foreign_file_is_refused_by_name() {
    let points = points(ROWS, 4, 7);
    let (folder, path, _good) = written(&points, Structure::Tree);
    let nowhere = folder.path().join("none.kd");
    assert!(matches!(built_anew(&nowhere, &points), OpenError::Missing { path } if path == nowhere));
    for (content, is_foreign) in
        [(&b""[..], false), (b"PAR1", false), (b"{\"kind\": \"kd-tree\", \"version\": 1}", true)]
    {
        std::fs::write(&path, content).unwrap();
        let reason = built_anew(&path, &points);
        assert!(reason.to_string().contains("tree.kd"), "{reason}");
        match reason {
            OpenError::Artifact(ArtifactError::Foreign { .. }) => assert!(is_foreign),
            OpenError::Artifact(ArtifactError::Damaged { .. }) => assert!(!is_foreign),
            other => panic!("{other}"),
        }
    }
    // A folder where the file should be.
    let reason = built_anew(folder.path(), &points);
    assert!(matches!(reason, OpenError::Artifact(ArtifactError::Io(_))), "{reason:?}");
}

#[test]
fn a_tree_of_other_points_is_refused() {
    let points = points(ROWS, 4, 8);
    let (_folder, path, _good) = written(&points, Structure::Tree);
    let all: Vec<f64> = points.iter().flat_map(|(_, row)| row.to_vec()).collect();
    let mut moved = all.clone();
    moved[17] = f64::from_bits(moved[17].to_bits() ^ 1);
    let mut swapped = all.clone();
    swapped.swap(0, 4);
    let fewer = all[..all.len() - 4].to_vec();
    let mut doubled = all.clone();
    doubled.extend_from_slice(&all[..4]);
    for (dimensions, other) in [(4, moved), (4, swapped), (4, fewer), (4, doubled), (2, all.clone()), (8, all.clone())]
    {
        let other = Arc::new(Points::new(dimensions, other).unwrap());
        // Half as many rows of 8 dimensions are too few for a tree, so only the refusal is compared.
        let reason = refusal(&path, &other).unwrap();
        assert!(matches!(&reason, OpenError::OtherPoints { path: found } if *found == path), "{reason}");
    }
    let other = Arc::new(Points::new(4, all.iter().map(|value| value * 2.0).collect()).unwrap());
    assert!(matches!(built_anew(&path, &other), OpenError::OtherPoints { .. }));
    assert!(refusal(&path, &points).is_none());
}

#[test]
fn another_version_or_kind_is_refused() {
    let points = points(ROWS, 4, 9);
    let (_folder, path, good) = written(&points, Structure::Tree);
    let own = sealed::check(&path, &good).unwrap().0;
    for version in [own.version - 1, own.version + 1, u32::MAX] {
        resealed(&path, &good, |seal, _| seal.version = version);
        match built_anew(&path, &points) {
            OpenError::Artifact(ArtifactError::Version { found, oldest, newest, .. }) => {
                assert_eq!((found, oldest, newest), (version, own.version, own.version));
            }
            other => panic!("version {version}: {other}"),
        }
    }
    resealed(&path, &good, |seal, _| seal.kind = "map".to_owned());
    assert!(matches!(built_anew(&path, &points), OpenError::Artifact(ArtifactError::Foreign { .. })));
    resealed(&path, &good, |seal, _| seal.about = "{}".to_owned());
    assert!(matches!(built_anew(&path, &points), OpenError::Artifact(ArtifactError::Damaged { .. })));
    // What was built anew mends the file.
    let (index, reason) = Index::open_or_build(&path, Arc::clone(&points));
    assert!(reason.is_some());
    index.write(&path).unwrap();
    assert!(std::fs::read(&path).unwrap() == good);
    assert!(refusal(&path, &points).is_none());
}

/// What is done to the content of a file.
type Change = Box<dyn Fn(&mut Vec<u8>)>;

#[test]
fn parts_that_do_not_fit_together_are_refused_even_with_a_good_checksum() {
    let points = points(ROWS, 2, 10);
    let (_folder, path, good) = written(&points, Structure::Tree);
    let (_, content) = sealed::check(&path, &good).unwrap();
    let nobody = u32::MAX.to_le_bytes();
    let listed = |at: usize| content - 4 * (at + 1);
    let places: Vec<usize> = (0..).map(listed).take_while(|&at| at > content / 2).take(60).collect();
    let padding = *places.iter().find(|&&at| good[at..at + 4] == nobody).unwrap();
    let member = *places.iter().find(|&&at| good[at..at + 4] != nobody).unwrap();
    let other = good[member - 4..member].to_vec();
    let set =
        |at: usize, bytes: Vec<u8>| -> Change { Box::new(move |content| content[at..at + 4].copy_from_slice(&bytes)) };
    let rows = u32::try_from(points.rows()).unwrap();
    let changes: Vec<(&str, Change)> = vec![
        ("a number fewer", Box::new(|content| content.truncate(content.len() - 4))),
        ("a number more", Box::new(|content| content.extend([255; 4]))),
        ("half of it", Box::new(|content| content.truncate(content.len() / 2))),
        ("a row that does not exist", set(member, rows.to_le_bytes().to_vec())),
        ("a place without its row", set(member, nobody.to_vec())),
        ("a row twice", set(member, other)),
        ("a row where there is none", set(padding, vec![0; 4])),
    ];
    for (what, change) in changes {
        resealed(&path, &good, |_, content| change(content));
        let reason = built_anew(&path, &points);
        assert!(matches!(reason, OpenError::Artifact(ArtifactError::Damaged { .. })), "{what}: {reason}");
    }
}

#[test]
fn values_that_are_not_finite_and_zero_vectors_are_refused() {
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Points::new(3, vec![0.0, 1.0, 2.0, 3.0, wrong, 5.0]), Err(SearchError::NotFinite { position: 4 }));
    }
    let mut coordinates: Vec<f64> = points(ROWS, 3, 11).iter().flat_map(|(_, row)| row.to_vec()).collect();
    coordinates[30..33].fill(0.0);
    let points = Arc::new(Points::new(3, coordinates).unwrap());
    let (_folder, path, _good) = written(&points, Structure::Tree);
    let opened = Index::open(&path, Arc::clone(&points)).unwrap();
    let flat = FlatScan::new(points);
    let refused: [(&[f64], Metric, SearchError); 6] = [
        (&[1.0, f64::NAN, 0.0], Metric::Euclidean, SearchError::NotFinite { position: 1 }),
        (&[f64::INFINITY, 0.0, 0.0], Metric::Euclidean, SearchError::NotFinite { position: 0 }),
        (&[0.0, 0.0, f64::NEG_INFINITY], Metric::Cosine, SearchError::NotFinite { position: 2 }),
        (&[0.0, 0.0], Metric::Euclidean, SearchError::Dimensions { found: 2, expected: 3 }),
        (&[0.0, -0.0, 0.0], Metric::Cosine, SearchError::NoDirection),
        // Row 10 is a zero vector.
        (&[1.0, 0.0, 0.0], Metric::Cosine, SearchError::NoDirection),
    ];
    for (query, metric, error) in refused {
        for searched in [&opened as &dyn NearestNeighbours, &flat] {
            assert_eq!(searched.nearest(query, 4, &metric, &|_| true), Err(error.clone()), "{query:?} {metric:?}");
        }
    }
    // By straight line a zero vector is a place like any other, and by cosine it need not be asked for.
    let found = opened.nearest(&[0.0; 3], 1, &Metric::Euclidean, &|_| true).unwrap();
    assert_eq!((found[0].row, found[0].distance.to_bits()), (10, 0));
    let without =
        |searched: &dyn NearestNeighbours| searched.nearest(&[1.0, 0.0, 0.0], 5, &Metric::Cosine, &|row| row != 10);
    assert_eq!(without(&opened), without(&flat));
    assert_eq!(without(&flat).map(|found| found.len()), Ok(5));
}

/// One way in which a file comes to harm.
#[derive(Debug, Clone)]
enum Harm {
    Flip(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Overwrite(usize, Vec<u8>),
    Repeat(usize, usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let (at, few) = (any::<usize>(), prop::collection::vec(any::<u8>(), 1..40));
    prop_oneof![
        (at, 1_u8..).prop_map(|(at, bits)| Harm::Flip(at, bits)),
        at.prop_map(Harm::Cut),
        (at, 1_usize..200).prop_map(|(at, count)| Harm::Remove(at, count)),
        (at, few.clone()).prop_map(|(at, bytes)| Harm::Insert(at, bytes)),
        (at, few).prop_map(|(at, bytes)| Harm::Overwrite(at, bytes)),
        (at, 1_usize..500).prop_map(|(at, count)| Harm::Repeat(at, count)),
    ]
}

fn harmed(mut bytes: Vec<u8>, harm: &Harm) -> Vec<u8> {
    let length = bytes.len().max(1);
    match harm {
        Harm::Flip(at, bits) => bytes.iter_mut().skip(at % length).take(1).for_each(|byte| *byte ^= bits),
        Harm::Cut(at) => bytes.truncate(at % length),
        Harm::Remove(at, count) => {
            let at = at % length;
            drop(bytes.drain(at.min(bytes.len())..(at + count).min(bytes.len())));
        }
        Harm::Insert(at, more) => drop(bytes.splice((at % length)..at % length, more.clone())),
        Harm::Overwrite(at, other) => {
            bytes.iter_mut().skip(at % length).zip(other).for_each(|(byte, other)| *byte = *other);
        }
        Harm::Repeat(at, count) => {
            let at = (at % length).min(bytes.len());
            let part = bytes[at..(at + count).min(bytes.len())].to_vec();
            drop(bytes.splice(at..at, part));
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The loader of trees as a fuzzer would drive it: with a broken seal nothing opens; with a good seal around a broken content
    /// nothing panics, and what opens holds every row once.
    #[test]
    fn whatever_happens_to_a_file_it_is_refused_or_right(harms in prop::collection::vec(harm(), 1..4), is_resealed: bool) {
        let points = points(300, 3, 12);
        let (_folder, path, good) = written(&points, Structure::Tree);
        let harm_all = |bytes: Vec<u8>| harms.iter().fold(bytes, harmed);
        if is_resealed {
            resealed(&path, &good, |_, content| *content = harm_all(std::mem::take(content)));
            if let Ok(opened) = Index::open(&path, Arc::clone(&points)) {
                let found = opened.nearest(&[1.0, 0.0, 0.0], 300, &Metric::Euclidean, &|_| true).unwrap();
                prop_assert!(found.len() <= 300);
            }
        } else {
            let bad = harm_all(good.clone());
            std::fs::write(&path, &bad).unwrap();
            let opened = Index::open(&path, Arc::clone(&points));
            prop_assert!(opened.is_err() || bad == good);
        }
    }
}
