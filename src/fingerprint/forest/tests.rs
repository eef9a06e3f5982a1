//! Tests of the learned similarity.

use std::sync::Arc;

use crate::artifact::ArtifactError;
use crate::artifact::blocks::{BlockCache, BlockWriter, Blocks, Seal};

use super::*;

/// 300 rows: the target follows feature 0 in steps, feature 1 is noise, feature 2 is constant, feature 3 is missing in
/// every fifth row.
fn rows() -> (Vec<Vec<Option<f64>>>, Vec<Option<f64>>) {
    let noise = |at: u64| (mixed(at) >> 11) as f64 / (1_u64 << 53) as f64;
    (0_u64..300)
        .map(|at| {
            let step = f64::from(u32::try_from(at % 6).unwrap());
            let row = vec![
                Some(step + 0.1 * noise(at)),
                Some(noise(at + 1000)),
                Some(1.0),
                (at % 5 != 0).then(|| step + noise(at + 2000)),
            ];
            (row, Some(step * 2.0 + 0.01 * noise(at + 3000)))
        })
        .unzip()
}

fn grow(rows: &[Vec<Option<f64>>], targets: &[Option<f64>], seed: u64) -> Option<Forest> {
    Forest::grow(rows, targets, &(0..rows.len() as u64).collect::<Vec<_>>(), seed)
}

fn similarities(forest: &Forest, rows: &[Vec<Option<f64>>], query: &[Option<f64>]) -> Vec<f64> {
    let leaves = forest.leaves_of(rows);
    let leaves = leaves.chunks(forest.trees()).collect();
    forest.similarities(&[Compared { features: query, counts: Vec::new(), leaves }]).remove(0)
}

#[test]
fn workloads_are_similar_where_what_matters_is_alike() {
    let (rows, targets) = rows();
    let forest = grow(&rows, &targets, 1).unwrap();
    // Of step 3, with noise from the other end: the others of step 3 are the similar ones.
    let found = similarities(&forest, &rows, &[Some(3.05), Some(0.99), Some(1.0), Some(3.5)]);
    let mean = |step: usize| {
        let of_step = found.iter().enumerate().filter(|(at, _)| at % 6 == step).map(|(_, similarity)| *similarity);
        of_step.sum::<f64>() / 50.0
    };
    assert!(mean(3) > 10.0 * mean(2) && mean(3) > 10.0 * mean(4), "{} {} {}", mean(2), mean(3), mean(4));
    assert!(found.iter().all(|similarity| (0.0..=1.0).contains(similarity)));
}

#[test]
fn a_stored_row_ends_with_itself_in_every_tree() {
    let (rows, targets) = rows();
    let forest = grow(&rows, &targets, 1).unwrap();
    let complete = &rows[1];
    let own = similarities(&forest, &rows, complete)[1];
    assert!((own - 1.0).abs() < 1e-12, "{own}");
}

#[test]
fn what_a_newcomer_lacks_does_not_tell_it_apart() {
    let (rows, targets) = rows();
    let forest = grow(&rows, &targets, 1).unwrap();
    let found = similarities(&forest, &rows, &[Some(3.05), None, None, None]);
    let best = found.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    assert_eq!(best % 6, 3);
}

#[test]
fn a_third_of_the_trees_has_not_seen_a_row() {
    let (rows, targets) = rows();
    let forest = grow(&rows, &targets, 1).unwrap();
    let mut all = 0;
    for row in 0..300 {
        let unseen = forest.unseen_by(row).iter().filter(|unseen| **unseen).count();
        assert!((35..115).contains(&unseen), "row {row}: {unseen} of 200");
        all += unseen;
    }
    assert!((20_000..24_500).contains(&all), "{all} of 60000");
}

#[test]
fn trees_that_saw_a_row_do_not_count_where_they_are_told_not_to() {
    let (rows, targets) = rows();
    let forest = grow(&rows, &targets, 1).unwrap();
    let leaves = forest.leaves(&rows[1]);
    let mut other = leaves.clone();
    other[0] = leaves[0] + 1;
    let mut counts = vec![true; forest.trees()];
    let similarity = |counts: &[bool]| {
        let row = Compared { features: &rows[1], counts: counts.to_vec(), leaves: vec![&other] };
        forest.similarities(&[row])[0][0]
    };
    assert!(similarity(&counts) < 1.0);
    counts[0] = false;
    assert!((similarity(&counts) - 1.0).abs() < 1e-12);
    counts.fill(false);
    assert_eq!(similarity(&counts).to_bits(), 0.0_f64.to_bits());
}

#[test]
fn the_same_input_gives_the_same_forest_and_another_seed_another() {
    let (rows, targets) = rows();
    let grown = |seed| grow(&rows, &targets, seed).unwrap();
    assert_eq!(grown(1), grown(1));
    assert_ne!(grown(1).trees, grown(2).trees);
}

#[test]
fn the_order_of_the_rows_does_not_matter() {
    let (rows, targets) = rows();
    let query = [Some(3.05), Some(0.99), Some(1.0), Some(3.5)];
    let straight = similarities(&grow(&rows, &targets, 1).unwrap(), &rows, &query);
    let turned = |mut all: Vec<Option<f64>>| {
        all.reverse();
        all
    };
    let (turned_rows, keys): (Vec<_>, Vec<u64>) = rows.iter().rev().cloned().zip((0..300).rev()).unzip();
    let forest = Forest::grow(&turned_rows, &turned(targets), &keys, 1).unwrap();
    let mut found = similarities(&forest, &turned_rows, &query);
    found.reverse();
    assert_eq!(straight, found);
}

#[test]
fn too_few_targets_make_no_forest() {
    let (rows, mut targets) = rows();
    targets.iter_mut().skip(LEAST_ROWS - 1).for_each(|target| *target = None);
    assert_eq!(grow(&rows, &targets, 1), None);
    assert_eq!(grow(&[], &[], 1), None);
}

#[test]
fn equal_targets_make_trees_of_one_leaf() {
    let (rows, _) = rows();
    let forest = grow(&rows, &vec![Some(1.0); rows.len()], 1).unwrap();
    assert!(forest.trees.iter().all(|tree| tree.len() == 1));
    assert!(similarities(&forest, &rows, &rows[0]).iter().all(|similarity| (similarity - 1.0).abs() < 1e-12));
}

/// Writes a forest with the leaves of its rows and opens it.
fn stored(
    forest: &Forest,
    rows: &[Vec<Option<f64>>],
    change: impl Fn(&mut Vec<u8>),
) -> Result<StoredForest, ArtifactError> {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let mut writer = BlockWriter::create(&first).unwrap();
    writer.append(b"something before").unwrap();
    let mut about = forest.store(&mut writer).unwrap();
    let begin = writer.written();
    let leaves = forest.leaves_of(rows);
    // Something of another forest stands behind the leaves of each row.
    let stride = 2 * forest.trees() as u64 + 6;
    for leaves in leaves.chunks(forest.trees()) {
        writer.extend(leaves.iter().flat_map(|leaf| leaf.to_le_bytes()).chain(*b"others")).unwrap();
    }
    about.leaves = StoredLeaves { rows: rows.len() as u64, begin, stride };
    let end = writer.written() - 6;
    let seal = Seal { kind: "test".to_owned(), version: 1, about: String::new() };
    writer.commit(&seal).unwrap();
    let mut content = vec![0; usize::try_from(end).unwrap()];
    Blocks::open(&first, &BlockCache::of(1 << 24)).unwrap().1.copy(0, &mut content).unwrap();
    change(&mut content);
    let mut writer = BlockWriter::create(&second).unwrap();
    writer.append(&content).unwrap();
    writer.commit(&seal).unwrap();
    StoredForest::open(&Arc::new(Blocks::open(&second, &BlockCache::of(1 << 24))?.1), about, 4)
}

#[test]
fn a_stored_forest_answers_as_the_grown_one_and_impossible_nodes_are_refused() {
    let (rows, targets) = rows();
    let forest = grow(&rows, &targets, 1).unwrap();
    let same = stored(&forest, &rows, |_| ()).unwrap();
    let leaves = forest.leaves_of(&rows);
    let queries = [vec![Some(3.05), Some(0.99), Some(1.0), None], vec![None; 4], rows[7].clone()];
    let asked = |query: usize| {
        let leaves = leaves.chunks(forest.trees()).collect();
        [Compared { features: &queries[query], counts: Vec::new(), leaves }]
    };
    for query in 0..queries.len() {
        assert_eq!(same.similarities(&asked(query)).unwrap(), forest.similarities(&asked(query)));
    }
    for row in [0, 1, 299] {
        assert_eq!(same.leaves(row).unwrap(), forest.leaves(&rows[row as usize]));
        assert_eq!(same.unseen_by(u64::from(row)), forest.unseen_by(u64::from(row)));
    }
    assert!(same.leaves(300).is_err());
    // The first node's left child points at the node itself: a walk would never end.
    let endless =
        stored(&forest, &rows, |content| content[BLOCK + 2..BLOCK + 4].copy_from_slice(&0_u16.to_le_bytes())).unwrap();
    assert!(endless.similarities(&asked(2)).unwrap_err().to_string().contains("impossible"));
    assert!(stored(&forest, &rows, |content| content.truncate(content.len() - 1)).is_err());
}

#[test]
fn a_tree_that_was_put_in_order_is_the_same_tree() {
    // A comb: each left child is a leaf, the right one goes on, 2,000 levels deep.
    let comb: Vec<Node> = (0..2001_u16)
        .flat_map(|level| {
            let split = Node { feature: 0, left: 2 * level + 1, cut: f64::from(level), lacking: 1.0 };
            let last = level == 2000;
            let leaf = Node { cut: f64::from(level), ..Node::UNGROWN };
            let next = if last { Node { cut: 9999.0, ..Node::UNGROWN } } else { split };
            [(level > 0).then_some(leaf), Some(next)].into_iter().flatten()
        })
        .collect();
    let ordered = grow::gathered(&comb);
    // The root has two slots, and so may each block have that the comb does not fill.
    assert_eq!(ordered.len(), comb.len() + 1);
    for value in [-5.0, 0.5, 77.2, 1999.5, 5000.0] {
        let end = |tree: &[Node]| tree[usize::from(leaf(tree, &[Some(value)]))].cut;
        assert_eq!(end(&ordered).to_bits(), end(&comb).to_bits());
    }
    for (at, node) in ordered.iter().enumerate() {
        assert!(node.children().is_none_or(|(left, _)| left as usize > at));
    }
}
