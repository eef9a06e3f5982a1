//! `shadow fingerprint --add`: new workloads in an index that is not fitted anew.

use std::collections::BTreeMap;

use crate::common::World;
use crate::common::answers::{MEMORY, Seen, indexed, json_of, table};

/// Every file of the index with its bytes.
fn files(world: &World) -> BTreeMap<String, Vec<u8>> {
    let folder = world.path("shadow-store/index/window=60s");
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

fn drift(world: &World) -> serde_json::Value {
    let manifest: serde_json::Value = serde_json::from_slice(&files(world)["index.json"]).unwrap();
    manifest["body"]["drift"].clone()
}

/// Ingests the lives of stored workloads under other names, with their memory changed.
fn ingest(world: &World, lives: &[(&str, &str)], change: impl Fn(f64) -> f64) {
    let lives: Vec<Seen> =
        lives.iter().map(|(stored, name)| Seen::like(stored, 1e9, name).changed(MEMORY, &change)).collect();
    world.write("late.csv", table(&lives));
    world.run(["-q", "ingest", "late.csv"]).expect_code(0);
}

const LATE: [(&str, &str); 3] =
    [("checkout-api-0015", "late-a"), ("checkout-api-001d", "late-b"), ("billing-batch-001f", "late-c")];

#[test]
fn where_nothing_is_new_nothing_changes() {
    let world = indexed();
    let (before, mut after) = (files(&world), BTreeMap::new());
    world.run(["-q", "fingerprint", "--add"]).expect_code(0);
    after.append(&mut files(&world));
    assert_eq!((drift(&world)["added"].as_u64(), drift(&world)["far"].as_f64()), (Some(0), None));
    for (name, bytes) in before.iter().filter(|(name, _)| *name != "index.json") {
        assert!(after[name] == *bytes, "{name} has changed");
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn what_is_new_is_found_and_what_was_fitted_stays() {
    let world = indexed();
    let before = files(&world);
    ingest(&world, &LATE, |bytes| (bytes * 1.07).round());
    let outdated = world.run(["predict", "sample.csv"]).expect_code(0);
    assert!(outdated.stderr.contains("or the same with `--add`"), "{}", outdated.stderr);
    assert!(world.run(["neighbours", "late-a"]).expect_code(1).stderr.contains("`late-a`"));

    let added = world.run(["fingerprint", "--add"]).expect_code(0);
    assert!(added.stderr.contains("3 workloads added since it was fitted on 223"), "{}", added.stderr);
    assert!(!added.stderr.contains("anew"), "{}", added.stderr);
    let after = files(&world);
    for name in ["model.json", "calibration.parquet", "calibration.chosen"] {
        assert!(after[name] == before[name], "{name} has changed");
    }
    for name in ["fingerprints.parquet", "workloads.rows", "similarity.forest"] {
        assert!(after[name] != before[name], "{name} has not changed");
    }
    // Memory differs by 7 %, nothing else does.
    for (stored, name) in LATE {
        let found = json_of(&world, &["neighbours", name, "-k", "1"]);
        assert_eq!(found["neighbours"][0]["workload"], stored);
    }
    let current = world.run(["predict", "sample.csv"]).expect_code(0);
    assert!(!current.stderr.contains("--add"), "{}", current.stderr);
    assert!(json_of(&world, &["predict", "sample.csv", "-k", "60"])["neighbours"].to_string().contains("late-a"));
    world.run(["-q", "info", "--check"]).expect_code(0);

    // Once more, and what was fitted is still told from what was added.
    let first = drift(&world);
    ingest(&world, &[("billing-batch-0020", "late-d")], |bytes| bytes);
    world.run(["-q", "fingerprint", "--add"]).expect_code(0);
    assert_eq!((drift(&world)["added"].as_u64(), &drift(&world)["fitted"]), (Some(4), &first["fitted"]));
    world.run(["-q", "fingerprint"]).expect_code(0);
    assert!(drift(&world).is_null());
}

#[test]
fn a_new_fit_is_advised_where_the_new_ones_are_of_another_kind() {
    let world = indexed();
    let names: Vec<String> = (0..12).map(|at| format!("strange-{at}")).collect();
    let lives: Vec<(&str, &str)> = names.iter().map(|name| ("checkout-api-0015", name.as_str())).collect();
    ingest(&world, &lives, |bytes| (bytes * 4000.0).round());
    let added = world.run(["fingerprint", "--add"]).expect_code(0);
    assert!(added.stderr.contains("far from all of those: 100.0 %"), "{}", added.stderr);
    assert!(added.stderr.contains("fit it anew with `shadow fingerprint --window 60s`"), "{}", added.stderr);
    let answer = world.run(["predict", "sample.csv"]).expect_code(0);
    assert!(answer.stderr.contains("the index should be fitted anew"), "{}", answer.stderr);
}

#[test]
fn only_an_index_that_is_there_can_be_added_to() {
    let world = indexed();
    let missing = world.run(["fingerprint", "--add", "--window", "5m"]).expect_code(1);
    assert!(missing.stderr.contains("no index for a learning window of 300s"), "{}", missing.stderr);
    for fit in [["--components", "4"], ["--weights", "cpu=2"]] {
        world.run([&["fingerprint", "--add"][..], &fit].concat()).expect_code(2);
    }
}
