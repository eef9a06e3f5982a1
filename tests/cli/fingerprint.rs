//! `shadow fingerprint`: what it says, what it refuses, and what a kill leaves.

use std::path::Path;

use crate::common::World;
use crate::common::answers::{indexed, newcomer, stored, table};

/// Files of an index whose bytes are those of every other run.
const TRUTH: [&str; 2] = ["fingerprints.parquet", "model.json"];

fn truth(index: &Path) -> Vec<Vec<u8>> {
    TRUTH.map(|name| std::fs::read(index.join(name)).unwrap()).to_vec()
}

/// Returns what lies in the folder of indexes.
fn folders(world: &World) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(world.path("shadow-store/index")) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn fingerprint_says_what_it_learned_from_on_standard_error() {
    let world = stored();
    let answer = world.run(["fingerprint", "--window", "5m,60s,60s"]).expect_code(0);
    assert_eq!(answer.stdout, "");
    assert!(
        answer.stderr.contains("left out of the index for 60s: 17 of 240 runs were alive before the trace saw them"),
        "{}",
        answer.stderr
    );
    let rows: Vec<&str> = answer.stderr.lines().filter(|line| line.contains(" scan ")).collect();
    assert!(rows.len() == 2 && rows[0].starts_with("60s ") && rows[1].starts_with("300s "), "{}", answer.stderr);
    assert_eq!(folders(&world), ["window=300s", "window=60s"]);
    for window in ["60s", "300s"] {
        let what = format!("what tells workloads apart in their first {window}:");
        let (_, components) = answer.stderr.split_once(&what).unwrap();
        let first: Vec<&str> = components.lines().skip(3).take(2).collect();
        assert!(first[0].contains("█") && first[0].trim_start().starts_with('1'), "{}", answer.stderr);
        assert!(first[1].trim_start().starts_with('2') && first[0].matches(',').count() == 3, "{first:?}");
    }
    let quiet = world.run(["-q", "fingerprint"]).expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn options_shape_the_index() {
    let world = stored();
    let manifest = || -> serde_json::Value {
        let text = std::fs::read(world.path("shadow-store/index/window=60s/index.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["body"].take()
    };
    world.run(["-q", "fingerprint", "--components", "4", "--weights", "memory=2,cpu=1"]).expect_code(0);
    assert_eq!(manifest()["components"], 4);
    assert_eq!((&manifest()["weights"]["memory"], &manifest()["weights"]["cpu"]), (&2.0.into(), &1.0.into()));
    world.run(["-q", "fingerprint"]).expect_code(0);
    assert_ne!(manifest()["components"], 4);
    for wrong in [&["--components", "5"][..], &["--window", "0s"], &["--window", "soon"], &["--weights", "gpu=1"]] {
        let answer = world.run([&["fingerprint"], wrong].concat()).expect_code(2);
        assert_eq!(answer.stdout, "", "{wrong:?}");
    }
}

#[test]
fn a_store_of_which_nothing_can_be_learned_says_why() {
    let world = World::new();
    world.write(
        "series.csv",
        "workload,time_s,cpu_cores,memory_bytes\na,0,1,100\na,10,2,200\nb,0,0.5,50\nb,10,0.5,60\n",
    );
    world.run(["-q", "ingest", "series.csv"]).expect_code(0);
    let answer = world.run(["fingerprint"]).expect_code(1);
    assert!(
        answer.stderr.starts_with("error: no workload in the store can be learned from: ")
            && answer.stderr.contains("\nhint: "),
        "{}",
        answer.stderr
    );
    assert_eq!(folders(&world), [""; 0], "something was left behind");
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_index_or_none() {
    let world = indexed();
    let undisturbed = truth(&world.path("shadow-store/index/window=60s"));
    let answer = world.run(["predict", "sample.csv"]).expect_code(0).stdout;
    let mut killed = 0;
    for has_old in [true, false] {
        for delay in [2, 10, 25, 50, 80, 120, 170, 240] {
            if !has_old {
                std::fs::remove_dir_all(world.path("shadow-store/index")).unwrap();
            }
            let mut child = world.command(["-q", "fingerprint"]).spawn().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(delay));
            if child.try_wait().unwrap().is_none() {
                killed += 1;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let between = world.run(["predict", "sample.csv"]);
            match between.code {
                Some(0) => assert_eq!(between.stdout, answer, "killed after {delay} ms"),
                Some(1) if !has_old => assert!(between.stderr.contains("has no index"), "{}", between.shown()),
                _ => panic!("killed after {delay} ms: {}", between.shown()),
            }
            world.run(["-q", "fingerprint"]).expect_code(0);
            assert_eq!(folders(&world), ["window=60s"], "killed after {delay} ms");
            let again = truth(&world.path("shadow-store/index/window=60s"));
            assert!(again == undisturbed, "killed after {delay} ms: another index");
            assert_eq!(world.run(["predict", "sample.csv"]).expect_code(0).stdout, answer);
        }
    }
    assert!(killed > 0, "every run ended before it could be killed");
}

#[test]
fn every_state_between_the_renames_is_found_and_put_in_order() {
    let world = indexed();
    let index = world.path("shadow-store/index");
    let (place, old, new) = (index.join("window=60s"), index.join(".old-window=60s"), index.join(".new-window=60s"));
    let undisturbed = truth(&place);
    let answer = world.run(["predict", "sample.csv"]).expect_code(0).stdout;
    let check = |state: &str| {
        let between = world.run(["predict", "sample.csv"]).expect_code(0);
        assert_eq!(between.stdout, answer, "{state}");
        let info = world.run(["info"]).expect_code(0);
        assert!(info.stdout.contains("60s "), "{state}: {}", info.stdout);
        world.run(["-q", "fingerprint"]).expect_code(0);
        assert_eq!(folders(&world), ["window=60s"], "{state}");
        assert!(truth(&place) == undisturbed, "{state}: another index");
    };
    let half = |folder: &Path| {
        std::fs::create_dir(folder).unwrap();
        std::fs::copy(place.join("model.json"), folder.join("model.json")).unwrap();
    };
    half(&new);
    check("the new one half written");
    std::fs::rename(&place, &old).unwrap();
    check("the old one moved away");
    half(&new);
    std::fs::rename(&place, &old).unwrap();
    check("the old one moved away, the new one half written");
    half(&old);
    check("the new one in place, the old one half removed");
    // An index that never was whole is none.
    std::fs::remove_dir_all(&index).unwrap();
    std::fs::create_dir(&index).unwrap();
    std::fs::create_dir(&new).unwrap();
    let between = world.run(["predict", "sample.csv"]).expect_code(1);
    assert!(between.stderr.contains("has no index"), "{}", between.stderr);
    world.run(["-q", "fingerprint"]).expect_code(0);
    assert_eq!(folders(&world), ["window=60s"]);
}

#[test]
fn two_writers_do_not_meet() {
    let world = indexed();
    world.write("sample.csv", table(&[newcomer()]));
    let lock = std::fs::OpenOptions::new().write(true).open(world.path("shadow-store/.lock")).unwrap();
    lock.lock().unwrap();
    let answer = world.run(["fingerprint"]).expect_code(1);
    assert!(answer.stderr.contains("is locked by another shadow process"), "{}", answer.stderr);
    // Readers do not wait for writers.
    world.run(["predict", "sample.csv"]).expect_code(0);
}
