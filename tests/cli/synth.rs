//! `shadow synth`: what it says, what it refuses, and that what it wrote can be read.

use crate::common::World;

const SMALL: [&str; 8] = ["synth", "table", "--workloads", "4", "--days", "1", "-o", "trace"];

#[test]
fn synth_says_what_it_wrote_and_ingest_counts_the_same() {
    let world = World::new();
    let answer = world.run(SMALL).expect_code(0);
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.contains("of 4 workloads in 2 files into `trace`"), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: read it with `shadow ingest trace`"), "{}", answer.stderr);
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(world.path("trace/EXPECTED.json")).unwrap()).unwrap();
    assert_eq!(expected["made_by"], "shadow synth table --workloads 4 --days 1 --seed 1");
    world.run(["ingest", "trace"]).expect_code(0);
    let info: serde_json::Value =
        serde_json::from_str(&world.run(["info", "-o", "json"]).expect_code(0).stdout).unwrap();
    let tables = info["tables"].as_object().unwrap();
    let rows: u64 = tables.values().map(|table| table["rows"].as_u64().unwrap()).sum();
    assert_eq!(Some(rows), expected["rows"].as_u64());
}

#[test]
fn the_same_command_writes_the_same_bytes_and_another_seed_others() {
    let world = World::new();
    let of_seed = |seed: &str, folder: &str| {
        let command = ["synth", "google-2011", "--workloads", "3", "--days", "1", "--seed", seed, "-o", folder, "-q"];
        assert_eq!(world.run(command).expect_code(0).stderr, "");
        std::fs::read(world.path(folder).join("truth.csv")).unwrap()
    };
    let first = of_seed("5", "a");
    assert_eq!(first, of_seed("5", "b"));
    assert_ne!(first, of_seed("6", "c"));
}

#[test]
fn a_normalised_trace_comes_with_the_size_of_its_machine() {
    let world = World::new();
    let command = ["synth", "google-2019", "--workloads", "2", "--days", "1", "-o", "g"];
    let answer = world.run(command).expect_code(0);
    let command = "`shadow ingest g --machine-cores 64 --machine-memory 256GiB`";
    assert!(answer.stderr.contains(command), "{}", answer.stderr);
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let world = World::new();
    world.write("trace/notes.md", "mine");
    let answer = world.run(SMALL).expect_code(1);
    assert!(
        answer.stderr.contains("error: the folder `trace` is not empty\nhint: name a new folder"),
        "{}",
        answer.stderr
    );
    let names: Vec<_> = std::fs::read_dir(world.path("trace")).unwrap().collect();
    assert_eq!(names.len(), 1);
    world.write("file", "mine");
    world.run(["synth", "table", "--workloads", "1", "--days", "1", "-o", "file"]).expect_code(1);
    assert_eq!(std::fs::read_to_string(world.path("file")).unwrap(), "mine");
}

#[test]
fn numbers_outside_their_range_are_wrong_usage() {
    let world = World::new();
    for (workloads, days) in [("0", "1"), ("1", "0"), ("100000001", "1"), ("1", "3654")] {
        world.run(["synth", "table", "--workloads", workloads, "--days", days, "-o", "trace"]).expect_code(2);
        assert!(!world.path("trace").exists());
    }
}
