//! The readers in `docs/index-format.md` read what is written: each block of Python there runs here.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use shadow::fingerprint::Components;
use shadow::index::{Index, Points, Structure};

use crate::common::features::{Row, features};

/// Returns the block of Python in the document that defines `function`.
fn block(function: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/index-format.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut blocks = text.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.find(|block| block.contains(&format!("def {function}("))).unwrap().to_owned()
}

/// Runs Python in `folder` and returns what it printed as JSON; prints why a test is skipped where there is none.
fn python(test: &str, folder: &Path, code: &str) -> Option<serde_json::Value> {
    let output = match Command::new("python3").args(["-c", code]).current_dir(folder).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped {test}: no python3: {error}");
            return None;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_document_computes_fingerprints() {
    let features = features(40, 7, 0.2, 3);
    let (model, coordinates) = features.fit(Components::Fixed(4)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    model.write(&folder.path().join("model.json")).unwrap();
    let rows: &[Row] = &features.rows;
    std::fs::write(folder.path().join("rows.json"), serde_json::to_string(rows).unwrap()).unwrap();
    let code = block("fingerprint") + "\nprint([fingerprint(row) for row in json.load(open('rows.json'))])";
    let Some(found) = python("the_document_computes_fingerprints", folder.path(), &code) else { return };
    let found: Vec<Vec<f64>> = serde_json::from_value(found).unwrap();
    assert_eq!(found.len(), rows.len());
    for (found, stored) in found.concat().iter().zip(&coordinates) {
        assert!((found - stored).abs() <= 1e-12 * model.clip, "{found} instead of {stored}");
    }
}

#[test]
fn the_document_reads_a_tree() {
    // 100 rows along a line, in an order that the tree has to undo: leaves of 25.
    let places: Vec<u32> = (0..100).map(|row| row * 37 % 100).collect();
    let coordinates = places.iter().flat_map(|&place| [f64::from(place), 1.0]).collect();
    let points = Arc::new(Points::new(2, coordinates).unwrap());
    let folder = tempfile::tempdir().unwrap();
    for (structure, leaves) in [(Structure::Tree, 4), (Structure::Flat, 0)] {
        Index::build_as(Arc::clone(&points), structure).write(&folder.path().join("tree.kd")).unwrap();
        let code = block("read_blocks") + &block("read_tree") + "\nprint(json.dumps(read_tree('tree.kd')))";
        let Some(found) = python("the_document_reads_a_tree", folder.path(), &code) else { return };
        let groups: Vec<Vec<u32>> = serde_json::from_value(found[1].clone()).unwrap();
        assert_eq!(groups.len(), leaves);
        for (leaf, rows) in (0..).zip(groups) {
            let expected: Vec<u32> = (0..100).filter(|&row| places[row as usize] / 25 == leaf).collect();
            assert_eq!(rows, expected);
        }
        let about = &found[0];
        assert_eq!((&about["dimensions"], &about["rows"]), (&2.into(), &100.into()));
        let exact: Vec<Vec<f64>> = serde_json::from_value(found[2].clone()).unwrap();
        assert_eq!(exact, points.iter().map(|(_, row)| row.to_vec()).collect::<Vec<_>>());
    }
}
