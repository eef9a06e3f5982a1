//! `shadow neighbours`: the evidence of an answer, for samples and for stored workloads.

use std::fmt::Write;

use serde_json::Value;

use crate::common::World;
use crate::common::answers::{indexed, json_of, newcomers, table};

fn names(found: &Value) -> Vec<String> {
    let neighbours = found["neighbours"].as_array().unwrap();
    neighbours.iter().map(|one| one["workload"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn neighbours_are_those_that_the_prediction_rests_on() {
    let world = indexed();
    let found = json_of(&world, &["neighbours", "sample.csv"]);
    let answer = json_of(&world, &["predict", "sample.csv", "--similarity", "distance"]);
    assert_eq!((&found["workload"], &found["window_s"]), (&"a".into(), &60.0.into()));
    assert_eq!(found["novelty"], answer["novelty"]);
    assert_eq!(names(&found), names(&answer));
    for (one, other) in found["neighbours"].as_array().unwrap().iter().zip(answer["neighbours"].as_array().unwrap()) {
        for key in ["workload", "application", "distance", "weight", "peak_memory_bytes"] {
            assert_eq!(one[key], other[key], "{key}");
        }
        let parts = one["squared_distance_by_resource"].as_object().unwrap();
        assert!(!parts.contains_key("facts"), "nothing was stated of the newcomer: {one}");
    }
    // With the learned similarity it rests on some of the nearest 200, at the same distances.
    let nearest = json_of(&world, &["neighbours", "sample.csv", "-k", "200"]);
    let answer = json_of(&world, &["predict", "sample.csv"]);
    for one in answer["neighbours"].as_array().unwrap() {
        let same = nearest["neighbours"].as_array().unwrap().iter().find(|other| other["workload"] == one["workload"]);
        assert_eq!(same.unwrap()["distance"], one["distance"]);
    }
}

#[test]
fn parts_of_a_distance_sum_to_at_least_its_square() {
    let world = indexed();
    // Directions without a component are in the parts and not in the distance. A stored workload lacks no fact.
    let found = json_of(&world, &["neighbours", "checkout-api-0015", "-k", "30"]);
    for one in found["neighbours"].as_array().unwrap() {
        let parts = one["squared_distance_by_resource"].as_object().unwrap();
        let sum: f64 = parts.values().map(|part| part.as_f64().unwrap()).sum();
        assert!(sum >= one["distance"].as_f64().unwrap().powi(2) * (1.0 - 1e-9), "{one}");
    }
}

#[test]
fn a_stored_workload_is_not_its_own_neighbour() {
    let world = indexed();
    let found = json_of(&world, &["neighbours", "checkout-api-0015", "-k", "5"]);
    assert_eq!(found["workload"], "checkout-api-0015");
    let names = names(&found);
    assert!(names.len() == 5 && !names.contains(&"checkout-api-0015".to_owned()), "{names:?}");
    let answer = world.run(["neighbours", "unheard-of"]).expect_code(1);
    assert_eq!(answer.stdout, "");
    assert_eq!(
        answer.stderr,
        "error: `unheard-of` is neither a file nor a workload that the index for 60s learned from\n\
         hint: `shadow info` shows what the store holds\n"
    );
}

#[test]
fn a_resource_without_weight_adds_nothing_to_the_distance() {
    let world = indexed();
    let only = ["neighbours", "sample.csv", "-k", "9", "--weights", "cpu=0,network=0,disk=0,facts=0"];
    for one in json_of(&world, &only)["neighbours"].as_array().unwrap() {
        let parts = one["squared_distance_by_resource"].as_object().unwrap();
        assert_eq!(parts.keys().collect::<Vec<_>>(), ["memory"], "{one}");
    }
}

#[test]
fn the_three_forms_name_the_same_workloads() {
    let world = indexed();
    world.write("batch.csv", table(&newcomers()));
    let all = json_of(&world, &["neighbours", "batch.csv", "-k", "3"]);
    let expected: Vec<(String, String)> = all
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| names(one).into_iter().map(|name| (one["workload"].as_str().unwrap().to_owned(), name)))
        .collect();
    assert_eq!(expected.len(), 3 * newcomers().len());
    let csv = world.run(["neighbours", "batch.csv", "-k", "3", "-o", "csv"]).expect_code(0).stdout;
    let rows: Vec<(String, String)> = csv::Reader::from_reader(csv.as_bytes())
        .records()
        .map(|row| row.map(|row| (row[0].to_owned(), row[1].to_owned())).unwrap())
        .collect();
    assert_eq!(rows, expected);
    let answer = world.run(["neighbours", "batch.csv", "-k", "3", "-o", "table"]).expect_code(0);
    for (newcomer, name) in &expected {
        assert!(answer.stdout.contains(name), "`{name}`:\n{}", answer.stdout);
        assert!(answer.stderr.contains(&format!("nearest to `{newcomer}` over 60 s")), "{}", answer.stderr);
    }
}

#[test]
fn the_table_shows_the_windows_of_the_subject_and_its_neighbours() {
    let world = indexed();
    let answer = world.run(["neighbours", "sample.csv", "-k", "3", "-o", "table"]).expect_code(0);
    let (_, windows) = answer.stdout.split_once("\n\n").unwrap();
    let lines: Vec<&str> = windows.lines().collect();
    assert!(lines[0].starts_with("workload") && lines[0].contains("memory in the window"), "{windows}");
    assert!(lines[2].starts_with("a ") && lines.len() == 6, "the subject stands first: {windows}");
    for line in &lines[2..] {
        // Each series reaches its own most.
        assert_eq!(line.matches("cores").count(), 1, "{line}");
        assert!(line.matches('█').count() >= 2 && line.contains("iB"), "{line}");
    }
    // What a stored workload showed is what it showed as a sample: `a` is the first minute of this one, its memory 7 % larger.
    let stored = world.run(["neighbours", "checkout-api-0015", "-k", "3", "-o", "table"]).expect_code(0);
    let (_, of_stored) = stored.stdout.split_once("\n\n").unwrap();
    let blocks = |line: &str| -> String { line.chars().filter(|c| ('▁'..='█').contains(c)).collect() };
    assert_eq!(blocks(of_stored.lines().nth(2).unwrap()), blocks(lines[2]));
    // Other forms are for programs and stay what they were.
    let csv = world.run(["neighbours", "sample.csv", "-k", "3", "-o", "csv"]).expect_code(0);
    assert!(!csv.stdout.contains('█') && csv.stdout.lines().count() == 4, "{}", csv.stdout);
}

#[test]
fn names_of_a_sample_cannot_write_to_the_terminal() {
    let world = World::new();
    let nasty = "a\u{1b}[31m${x}\r\n`id`";
    let mut text = "workload,time_s,cpu_cores,memory_bytes\n".to_owned();
    for workload in 0..30 {
        for second in [100, 120, 140, 160, 180] {
            writeln!(text, "\"{nasty}{workload}\",{second},{}.5,{}", workload % 7, (workload + 1) * 1_000_000).unwrap();
        }
    }
    text += "first,0,1,1000000\nfirst,400,1,1000000\n";
    world.write("series.csv", &text);
    world.run(["-q", "ingest", "series.csv"]).expect_code(0);
    world.run(["-q", "fingerprint"]).expect_code(0);
    for command in ["neighbours", "predict"] {
        let answer = world.run([command, "series.csv", "-o", "table"]).expect_code(0);
        assert!(!(answer.stdout + &answer.stderr).contains(['\u{1b}', '\r']), "{command}");
    }
    let answer = world.run(["neighbours", "series.csv"]).expect_code(0);
    let found: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert!(found.as_array().unwrap().iter().any(|one| one["workload"] == format!("{nasty}3")), "{found}");
}

#[test]
fn only_what_was_asked_for_is_named() {
    let world = indexed();
    let all = json_of(&world, &["neighbours", "checkout-api-0015", "-k", "2000"]);
    let of = |application: &str| -> Vec<Value> {
        let all = all["neighbours"].as_array().unwrap().iter();
        all.filter(|one| one["application"] == application).map(|one| one["distance"].clone()).collect()
    };
    let application = all["neighbours"][3]["application"].as_str().unwrap().to_owned();
    let expected = of(&application);
    assert!(!expected.is_empty() && expected.len() < all["neighbours"].as_array().unwrap().len());
    let found = json_of(&world, &["neighbours", "checkout-api-0015", "-k", "2000", "--application", &application]);
    let neighbours = found["neighbours"].as_array().unwrap();
    assert_eq!(neighbours.iter().map(|one| one["distance"].clone()).collect::<Vec<Value>>(), expected);
    assert!(neighbours.iter().all(|one| one["application"] == application.as_str()));
    assert_eq!(found["novelty"], Value::Null);
    let source = json_of(&world, &["neighbours", "checkout-api-0015", "-k", "5", "--source", "table"]);
    assert_eq!(names(&source), names(&json_of(&world, &["neighbours", "checkout-api-0015", "-k", "5"])));
    let none = world.run(["neighbours", "checkout-api-0015", "--class", "unheard-of"]).expect_code(1);
    assert!(none.stdout.is_empty() && none.stderr.contains("`--class`"), "{}", none.stderr);
    world.run(["neighbours", "checkout-api-0015", "--source", "auto"]).expect_code(2);
    world.run(["neighbours", "checkout-api-0015", "--source", "google-2011"]).expect_code(1);
}

#[test]
fn only_those_that_began_in_time_are_named() {
    // The trace is a day from 2025-01-01 on.
    const TEN: &str = "2025-01-01T10:00:00Z";
    let world = indexed();
    let of = |filters: &[&str]| -> Vec<String> {
        names(&json_of(&world, &[&["neighbours", "checkout-api-0015", "-k", "500"], filters].concat()))
    };
    let (all, early, late) = (of(&[]), of(&["--until", TEN]), of(&["--since", TEN]));
    assert!(!early.is_empty() && !late.is_empty() && early.len() + late.len() == all.len(), "{early:?} {late:?}");
    assert!(early.iter().all(|one| all.contains(one) && !late.contains(one)));
    assert_eq!(of(&["--since", "1735725600s"]), late);
    let none = world.run(["neighbours", "checkout-api-0015", "--since", "2031-01-01T00:00:00Z"]).expect_code(1);
    assert!(none.stdout.is_empty() && none.stderr.contains("`--since`"), "{}", none.stderr);
    let wrong = world.run(["neighbours", "checkout-api-0015", "--until", "soon"]).expect_code(2);
    assert!(wrong.stderr.contains("is not a point in time"), "{}", wrong.stderr);
}
