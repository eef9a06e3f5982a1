//! `shadow ingest` and `shadow info`: what they say, exit codes, and what a kill leaves.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::common::World;

const SERIES: &str = "workload,time_s,cpu_cores,memory_bytes\na,0,1,100\na,10,2,200\nb,30,0.5,50\nb,40,0.5,60\n";

#[test]
fn ingest_says_what_a_file_was_taken_for_and_writes_nothing_to_standard_output() {
    let world = World::new();
    world.write("series.csv", SERIES);
    let answer = world.run(["ingest", "series.csv"]).expect_code(0);
    assert_eq!(answer.stdout, "");
    for expected in ["table/series", "the store holds 2 workloads", "4 samples"] {
        assert!(answer.stderr.contains(expected), "{}", answer.stderr);
    }
    let again = world.run(["ingest", "series.csv"]).expect_code(0);
    assert!(again.stderr.contains("1 file was in the store already"), "{}", again.stderr);
}

#[test]
fn info_tells_the_same_to_people_and_programs() {
    let world = World::new();
    world.write("series.csv", SERIES);
    world.run(["ingest", "series.csv"]).expect_code(0);
    let table = world.run(["info"]).expect_code(0);
    assert!(table.stdout.contains("workloads") && table.stdout.contains("table/series"), "{}", table.stdout);
    let json: serde_json::Value =
        serde_json::from_str(&world.run(["info", "-o", "json"]).expect_code(0).stdout).unwrap();
    assert_eq!((&json["totals"]["workloads"], &json["totals"]["samples"]), (&2.into(), &4.into()));
    assert_eq!(json["tables"]["table/series"]["columns"]["memory_bytes"]["max"], 200.0);
    assert_eq!(json["indexes"], serde_json::json!([]));
    assert!(
        table.stderr.contains("hint: there is no index yet: make one with `shadow fingerprint`"),
        "{}",
        table.stderr
    );
}

#[test]
fn info_lists_indexes_and_says_when_the_store_has_grown() {
    let world = World::new();
    world.run(["synth", "table", "--workloads", "40", "--days", "1", "-o", "trace"]).expect_code(0);
    world.run(["ingest", "trace"]).expect_code(0);
    world.run(["fingerprint", "--window", "60s,5m"]).expect_code(0);
    let table = world.run(["info"]).expect_code(0);
    let lines: Vec<&str> = table.stdout.lines().skip_while(|line| !line.starts_with("index for")).skip(2).collect();
    assert_eq!(lines.len(), 2, "{}", table.stdout);
    assert!(lines[0].starts_with("60s ") && lines[1].starts_with("300s "), "{}", table.stdout);
    assert!(lines.iter().all(|line| line.ends_with("all trace files")), "{}", table.stdout);
    world.write("more.csv", SERIES);
    world.run(["ingest", "more.csv"]).expect_code(0);
    let table = world.run(["info"]).expect_code(0);
    assert!(table.stdout.contains("other trace files than the store holds"), "{}", table.stdout);
    let json: serde_json::Value =
        serde_json::from_str(&world.run(["info", "-o", "json"]).expect_code(0).stdout).unwrap();
    assert_eq!(json["indexes"].as_array().unwrap().len(), 2);
    // An index that cannot be trusted is said, and the rest is told.
    let manifest = world.path("shadow-store/index/window=60s/index.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"workloads\"", "\"workload5\"")).unwrap();
    let answer = world.run(["info"]).expect_code(0);
    assert!(
        answer.stderr.contains("hint: make the index anew with `shadow fingerprint --window 60s`"),
        "{}",
        answer.stderr
    );
    assert!(answer.stdout.contains("\n300s "), "{}", answer.stdout);
}

#[test]
fn bad_input_gets_its_message_hint_and_exit_code() {
    let world = World::new();
    world.write("empty.csv", "");
    world.write("text.csv", "workload,time_s,cpu_cores,memory_bytes\na,0,many,1\n");
    world.write("barren/notes.md", "nothing");
    for (path, code, expected) in [
        ("missing.csv", 1, "`missing.csv` does not exist"),
        ("empty.csv", 1, "the file is empty"),
        ("text.csv", 1, "none of its 1 rows can be used"),
        ("barren", 1, "no trace files in folder `barren`"),
    ] {
        let answer = world.run(["ingest", path]).expect_code(code);
        assert!(answer.stderr.contains("error: ") && answer.stderr.contains(expected), "{}", answer.stderr);
        assert!(!world.path("shadow-store").exists(), "`{path}` left a store behind");
    }
    let answer = world.run(["info"]).expect_code(1);
    assert!(answer.stderr.contains("hint: make one with `shadow ingest PATH`"), "{}", answer.stderr);
}

#[test]
fn too_many_rejected_rows_are_refused_when_the_user_says_so() {
    let world = World::new();
    world.write("series.csv", format!("{SERIES}c,50,NaN,1\n"));
    let answer = world.run(["ingest", "series.csv", "--max-rejects", "10%"]).expect_code(3);
    assert!(answer.stderr.contains("1 of 5 rows were rejected"), "{}", answer.stderr);
    world.run(["ingest", "series.csv", "--max-rejects", "1"]).expect_code(0);
}

#[test]
fn names_from_a_trace_cannot_write_to_the_terminal() {
    let world = World::new();
    world.write(
        "series.csv",
        "workload,time_s,cpu_cores,memory_bytes\n\"a\u{1b}[31m${x}\",0,1,100\n\"a\u{1b}[31m${x}\",1,-9,100\n",
    );
    let answer = world.run(["ingest", "series.csv"]).expect_code(0);
    assert!(!answer.stderr.contains('\u{1b}'), "{:?}", answer.stderr);
}

#[test]
fn a_damaged_store_is_refused_with_the_file_and_what_to_do() {
    let world = World::new();
    world.write("series.csv", SERIES);
    world.run(["ingest", "series.csv"]).expect_code(0);
    let path = world.path("shadow-store/store.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"workloads\": 2", "\"workloads\": 3")).unwrap();
    let answer = world.run(["info"]).expect_code(3);
    assert!(answer.stderr.contains("store.json") && answer.stderr.contains("hint: "), "{}", answer.stderr);
}

/// Returns every file below a folder with its content.
fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(below) = folders.pop() {
        for entry in std::fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// The last line of defence: whatever the moment, the next run ends with the store an undisturbed run makes, byte for
/// byte; with `--commit-every 0` it goes on after the last whole file, else it begins anew.
#[test]
fn a_kill_in_the_middle_of_ingest_leaves_a_store_that_the_next_run_completes() {
    let world = World::new();
    for part in 0..6 {
        let mut text = "workload,time_s,cpu_cores,memory_bytes\n".to_owned();
        for row in 0..40_000 {
            let cores = if row % 10_007 == 1 { "NaN" } else { "1.5" };
            writeln!(text, "w{},{},{cores},{}", row % 97, part * 40_000 + row, row).unwrap();
        }
        world.write(&format!("trace/part-0000{part}.csv"), text);
    }
    let began = std::time::Instant::now();
    world.run(["--store", "whole", "ingest", "trace"]).expect_code(0);
    let whole_millis = u64::try_from(began.elapsed().as_millis()).unwrap();
    let whole = files_below(&world.path("whole"));
    let (mut killed, mut resumed, mut random) = (0, 0, 20_261_124_u64);
    for round in 0..20 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let every = if round % 4 == 0 { "30" } else { "0" };
        let ingest = ["--store", "cut", "ingest", "--commit-every", every, "trace"];
        let mut child = world.command(ingest).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis((random >> 33) % whole_millis.max(1)));
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let answer = world.run(ingest).expect_code(0);
        resumed += u32::from(answer.stderr.contains("in the store already"));
        let again = files_below(&world.path("cut"));
        let differing: Vec<&String> =
            whole.keys().chain(again.keys()).filter(|&name| whole.get(name) != again.get(name)).collect();
        assert!(differing.is_empty(), "killed in round {round}: {differing:?}");
        std::fs::remove_dir_all(world.path("cut")).unwrap();
    }
    assert!(killed > 0 && resumed > 0, "{killed} were killed, {resumed} resumed");
}
