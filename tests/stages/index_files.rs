//! The file of a tree: what was written answers alike, and whatever is wrong with it is noticed before it is used.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use shadow::artifact::ArtifactError;
use shadow::artifact::blocks::{BlockCache, BlockWriter, Blocks, Seal};
use shadow::index::{
    FlatScan, Index, LEAST_TREE_ROWS, Metric, NearestNeighbours, Neighbour, Points, SearchError, Structure,
};

/// Rows of every test of a tree that is harmed.
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
    for row in [0_u32, 1, 2, 5].into_iter().filter(|&row| (row as usize) < points.rows()) {
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

fn open(path: &Path) -> Result<Index, ArtifactError> {
    let (seal, blocks) = Blocks::open(path, &BlockCache::of(1 << 24))?;
    Index::open(&seal, blocks)
}

/// Uses every byte of a file: whatever is wrong with it, in words.
fn refusal(path: &Path, points: &Arc<Points>) -> Option<String> {
    let index = match open(path) {
        Ok(index) => index,
        Err(error) => return Some(error.to_string()),
    };
    for row in 0..u32::try_from(points.rows()).unwrap() {
        match index.row(row) {
            Ok(found) => assert_eq!(found.as_deref(), points.row(row), "row {row} is another"),
            Err(error) => return Some(error.to_string()),
        }
    }
    let everyone = |metric: &Metric| index.nearest(&vec![0.5; points.dimensions()], usize::MAX, metric, &|_| true);
    match (index.points(), everyone(&Metric::Euclidean)) {
        (Ok(found), Ok(all)) => {
            assert!(*found == **points && all.len() == points.rows());
            None
        }
        (Err(error), _) | (_, Err(error)) => Some(error.to_string()),
    }
}

/// Writes the content of a file again after `change`, so that the checksums fit.
fn resealed(path: &Path, good: &[u8], change: impl FnOnce(&mut Seal, &mut Vec<u8>)) {
    std::fs::write(path, good).unwrap();
    let (mut seal, blocks) = Blocks::open(path, &BlockCache::of(0)).unwrap();
    let mut content = vec![0; usize::try_from(blocks.bytes()).unwrap()];
    blocks.copy(0, &mut content).unwrap();
    change(&mut seal, &mut content);
    let mut writer = BlockWriter::create(path).unwrap();
    writer.append(&content).unwrap();
    writer.commit(&seal).unwrap();
}

#[test]
fn a_written_tree_answers_like_the_built_one_in_every_number_of_dimensions() {
    for dimensions in [1, 2, 3, 5, 8, 16, 24, 31, 32, 64] {
        for rows in [1, 2, 33, 700] {
            let points = points(rows, dimensions, rows as u64);
            let (_folder, path, bytes) = written(&points, Structure::Tree);
            let opened = open(&path).unwrap();
            assert_eq!(opened.structure(), Structure::Tree, "{rows} rows of {dimensions}");
            assert_answers_like_the_scan(&opened, &points);
            assert_eq!(refusal(&path, &points), None);
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
        let opened = open(&path).unwrap();
        assert_eq!(opened.structure(), Structure::Flat, "{dimensions} dimensions");
        assert_answers_like_the_scan(&opened, &points);
        assert_eq!(refusal(&path, &points), None);
    }
    let none = Arc::new(Points::new(4, Vec::new()).unwrap());
    let (_folder, path, _bytes) = written(&none, Structure::Tree);
    let opened = open(&path).unwrap();
    assert_eq!(opened.nearest(&[0.0; 4], 3, &Metric::Euclidean, &|_| true), Ok(Vec::new()));
}

#[test]
fn an_opened_tree_is_written_as_it_was() {
    let points = points(50, 3, 4);
    let (folder, path, bytes) = written(&points, Structure::Tree);
    open(&path).unwrap().write(&folder.path().join("copy.kd")).unwrap();
    assert!(std::fs::read(folder.path().join("copy.kd")).unwrap() == bytes);
}

#[test]
fn an_index_that_was_opened_answers_as_before_when_its_file_is_replaced() {
    let before = points(ROWS, 3, 21);
    let after =
        Arc::new(Points::new(3, before.iter().flat_map(|(_, row)| row.to_vec()).map(|at| at + 1.0).collect()).unwrap());
    let (_folder, path, _bytes) = written(&before, Structure::Tree);
    let opened = open(&path).unwrap();
    // Nothing of the first is read before the second takes its place.
    Index::build_as(Arc::clone(&after), Structure::Tree).write(&path).unwrap();
    assert_answers_like_the_scan(&opened, &before);
    assert_answers_like_the_scan(&open(&path).unwrap(), &after);
}

#[test]
fn duplicates_and_ties_are_ranked_by_row() {
    // 1500 copies of one row around one other: more than a leaf holds, and equal in every distance.
    let mut coordinates = [2.0, -1.0].repeat(1_500);
    coordinates[2 * 700] = 3.0;
    let points = Arc::new(Points::new(2, coordinates).unwrap());
    let (_folder, path, _bytes) = written(&points, Structure::Tree);
    let opened = open(&path).unwrap();
    assert_eq!(opened.structure(), Structure::Tree);
    let found = opened.nearest(&[2.0, -1.0], 703, &Metric::Euclidean, &|_| true).unwrap();
    let rows: Vec<u32> = found.iter().map(|found| found.row).collect();
    assert_eq!(rows, (0..700).chain(701..704).collect::<Vec<u32>>());
    let all = opened.nearest(&[2.0, -1.0], usize::MAX, &Metric::Euclidean, &|_| true).unwrap();
    assert_eq!((all.len(), all[1_499].row), (1_500, 700));
    assert_answers_like_the_scan(&opened, &points);
}

#[test]
fn any_flipped_byte_is_noticed_before_it_is_used() {
    let points = points(ROWS, 3, 5);
    let (_folder, path, good) = written(&points, Structure::Tree);
    let positions: Vec<usize> = (0..good.len() - 400).step_by(97).chain(good.len() - 400..good.len()).collect();
    assert!(positions.len() > 1_000);
    for (count, &position) in positions.iter().enumerate() {
        let mut bad = good.clone();
        bad[position] ^= 1 << (count % 8);
        std::fs::write(&path, &bad).unwrap();
        let reason = refusal(&path, &points).unwrap_or_else(|| panic!("byte {position} unnoticed"));
        assert!(reason.contains("tree.kd"), "byte {position}: {reason}");
    }
}

#[test]
fn a_cut_or_lengthened_file_is_refused() {
    let points = points(ROWS, 2, 6);
    let (_folder, path, good) = written(&points, Structure::Tree);
    let shorter = (0..good.len()).step_by(101).chain([1, 11, 12, 13]).chain(good.len() - 400..good.len());
    for length in shorter {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(open(&path).is_err(), "cut to {length} bytes unnoticed");
    }
    for more in [&good[..1], &good[..128], &good] {
        std::fs::write(&path, [more, &good[..]].concat()).unwrap();
        assert!(open(&path).is_err(), "{} bytes before the content unnoticed", more.len());
        std::fs::write(&path, [&good[..], more].concat()).unwrap();
        // The same file twice ends in a good footer, whose content is shorter than what stands before it.
        assert!(open(&path).is_err(), "{} bytes after the content unnoticed", more.len());
    }
}

#[test]
fn a_missing_empty_or_foreign_file_is_refused_by_name() {
    let points = points(ROWS, 4, 7);
    let (folder, path, _good) = written(&points, Structure::Tree);
    let nowhere = open(&folder.path().join("none.kd")).unwrap_err();
    assert!(nowhere.to_string().contains("none.kd") && nowhere.to_string().contains("missing"), "{nowhere}");
    for (content, is_foreign) in
        [(&b""[..], false), (b"PAR1", false), (b"{\"kind\": \"kd-tree\", \"version\": 1}", true)]
    {
        std::fs::write(&path, content).unwrap();
        let reason = open(&path).unwrap_err();
        assert!(reason.to_string().contains("tree.kd"), "{reason}");
        assert_eq!(matches!(reason, ArtifactError::Foreign { .. }), is_foreign, "{reason}");
    }
    // A folder where the file should be.
    assert!(open(folder.path()).is_err());
}

#[test]
fn another_version_or_kind_is_refused() {
    let points = points(ROWS, 4, 9);
    let (_folder, path, good) = written(&points, Structure::Tree);
    let own = Blocks::open(&path, &BlockCache::of(0)).unwrap().0;
    for version in [own.version - 1, own.version + 1, u32::MAX] {
        resealed(&path, &good, |seal, _| seal.version = version);
        match open(&path) {
            Err(ArtifactError::Version { found, oldest, newest, .. }) => {
                assert_eq!((found, oldest, newest), (version, own.version, own.version));
            }
            other => panic!("version {version}: {other:?}"),
        }
    }
    resealed(&path, &good, |seal, _| seal.kind = "map".to_owned());
    assert!(matches!(open(&path), Err(ArtifactError::Foreign { .. })));
    for about in [
        "{}",
        "[]",
        &own.about.replace("\"rows\":1224", "\"rows\":1225"),
        &own.about.replace("\"scale\":", "\"scale\":-"),
    ] {
        assert_ne!(about, own.about);
        resealed(&path, &good, |seal, _| seal.about = about.to_owned());
        assert!(matches!(open(&path), Err(ArtifactError::Damaged { .. })), "{about}");
    }
}

/// What is done to the content of a file.
type Change = Box<dyn Fn(&mut Vec<u8>)>;

#[test]
fn parts_that_do_not_fit_together_are_refused_even_with_good_checksums() {
    let points = points(ROWS, 2, 10);
    let (_folder, path, good) = written(&points, Structure::Tree);
    // 1,224 rows: one block of boxes; 64 leaves of 24 places, six in a block: 48 numbers, 24 rows, 48 longer numbers.
    let leaf = |number: usize| 4096 * (1 + number / 6) + 672 * (number % 6);
    let listed = move |number: usize, place: usize| leaf(number) + 24 * 2 * 4 + 4 * place;
    let places = 4096 * (1 + 11);
    let set = |at: usize, word: u32| -> Change {
        Box::new(move |content| content[at..at + 4].copy_from_slice(&word.to_le_bytes()))
    };
    let nan =
        |at: usize| -> Change { Box::new(move |content| content[at..at + 8].copy_from_slice(&f64::NAN.to_le_bytes())) };
    let changes: Vec<(&str, Change)> = vec![
        ("a number fewer", Box::new(|content| content.truncate(content.len() - 4))),
        ("a number more", Box::new(|content| content.extend([255; 4]))),
        ("half of it", Box::new(|content| content.truncate(content.len() / 2))),
        ("a row that does not exist", set(listed(3, 0), 1_224)),
        ("a place without its row", set(listed(3, 1), u32::MAX)),
        (
            "a row twice",
            Box::new(move |content| {
                let other = content[listed(5, 1)..listed(5, 2)].to_vec();
                content[listed(5, 0)..listed(5, 1)].copy_from_slice(&other);
            }),
        ),
        ("a row where there is none", set(listed(3, 23), 0)),
        ("a coordinate that is no number", nan(leaf(3) + 24 * 3 * 4)),
        ("a row whose place does not exist", set(places + 40, u32::MAX)),
    ];
    for (what, change) in changes {
        resealed(&path, &good, |_, content| change(content));
        let reason = refusal(&path, &points).unwrap_or_else(|| panic!("{what}: unnoticed"));
        assert!(reason.contains("damaged"), "{what}: {reason}");
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
    let opened = open(&path).unwrap();
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

    /// The loader of trees as a fuzzer would drive it: a broken file is refused or answers as before; with good checksums around a broken
    /// content nothing panics.
    #[test]
    fn whatever_happens_to_a_file_it_is_refused_or_right(harms in prop::collection::vec(harm(), 1..4), is_resealed: bool) {
        let points = points(300, 3, 12);
        let (_folder, path, good) = written(&points, Structure::Tree);
        let harm_all = |bytes: Vec<u8>| harms.iter().fold(bytes, harmed);
        if is_resealed {
            resealed(&path, &good, |_, content| *content = harm_all(std::mem::take(content)));
            if let Ok(opened) = open(&path) {
                let found = opened.nearest(&[1.0, 0.0, 0.0], 300, &Metric::Euclidean, &|_| true);
                prop_assert!(found.is_ok_and(|found| found.len() <= 300) || opened.points().is_err());
            }
        } else {
            let bad = harm_all(good.clone());
            std::fs::write(&path, &bad).unwrap();
            prop_assert!(refusal(&path, &points).is_some() || bad == good);
        }
    }
}
