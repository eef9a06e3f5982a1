//! `shadow predict`: the contract of its answer, its forms, and what each option changes.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::common::World;
use crate::common::answers::{CPU, MEMORY, Seen, TRACE, indexed, json_of, newcomer, newcomers, stored, table};

/// Fails unless `answer` is a prediction as the contract describes it.
#[track_caller]
fn check_contract(answer: &Value) {
    let number = |value: &Value| value.is_null() || value.as_f64().is_some_and(|number| number >= 0.0);
    assert!(answer["workload"].is_string(), "{answer}");
    assert_eq!(answer["window_s"], json!(60.0));
    let rungs = ["same-application", "neighbours", "class-prior", "persistence", "abstain"];
    assert!(rungs.contains(&answer["decision"].as_str().unwrap()), "{answer}");
    assert!(answer["coverage"].as_f64().is_some_and(|share| share > 0.0 && share < 1.0), "{answer}");
    assert!(answer["novelty"].is_null() || (0.0..=1.0).contains(&answer["novelty"].as_f64().unwrap()), "{answer}");
    assert!(answer["warnings"].as_array().unwrap().iter().all(Value::is_string), "{answer}");
    assert!(answer["allocation"].as_object().unwrap().contains_key("network_bytes_per_s"), "{answer}");
    assert!(number(&answer["allocation"]["network_bytes_per_s"]), "{answer}");
    for resource in ["cpu_cores", "memory_bytes"] {
        let (amount, interval) = (&answer["allocation"][resource], &answer["interval"][resource]);
        assert!(number(amount), "{answer}");
        assert!(answer["interval"].as_object().unwrap().contains_key(resource), "{answer}");
        if let Some(ends) = interval.as_array() {
            let [low, high] = [&ends[0], &ends[1]].map(|end| end.as_f64().unwrap());
            let amount = amount.as_f64().unwrap();
            assert!(low <= amount && amount <= high && ends.len() == 2, "{resource} outside: {answer}");
        }
    }
    assert!(answer["allocation"]["memory_bytes"].is_null() || answer["allocation"]["memory_bytes"].is_u64());
    let neighbours = answer["neighbours"].as_array().unwrap();
    let mut shares = 0.0;
    let mut nearest = 0.0;
    for neighbour in neighbours {
        assert!(neighbour["workload"].is_string(), "{answer}");
        assert!(neighbour["application"].is_null() || neighbour["application"].is_string(), "{answer}");
        assert!(neighbour["peak_memory_bytes"].is_null() || neighbour["peak_memory_bytes"].is_u64(), "{answer}");
        let (distance, weight) = (neighbour["distance"].as_f64().unwrap(), neighbour["weight"].as_f64().unwrap());
        assert!(distance >= nearest && weight > 0.0, "{answer}");
        nearest = distance;
        shares += weight;
    }
    assert!(neighbours.is_empty() || (shares - 1.0).abs() < 1e-9, "weights sum to {shares}");
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_sample_without_names_is_one_newcomer_and_keeps_the_contract() {
    let world = indexed();
    world.write("alone.csv", newcomer().alone());
    let answer = json_of(&world, &["predict", "alone.csv"]);
    check_contract(&answer);
    assert_eq!((&answer["workload"], &answer["decision"]), (&json!("sample"), &json!("neighbours")));
    // As many as wasted least on the store, or as many as asked for.
    let counted = |answer: &Value| answer["neighbours"].as_array().unwrap().len();
    assert!(matches!(counted(&answer), 15 | 60), "{answer}");
    assert_eq!(counted(&json_of(&world, &["predict", "alone.csv", "-k", "15"])), 15);
    let memory = answer["allocation"]["memory_bytes"].as_f64().unwrap();
    assert!(memory >= newcomer().largest(MEMORY), "{answer}");
    let input = world.run_with(["predict", "-"], newcomer().alone().as_bytes()).expect_code(0);
    assert_eq!(serde_json::from_str::<Value>(&input.stdout).unwrap(), answer);
    // A name is but a name.
    let named = json_of(&world, &["predict", "sample.csv"]);
    assert_eq!(named["workload"], "a");
    assert_eq!((&named["allocation"], &named["neighbours"]), (&answer["allocation"], &answer["neighbours"]));
}

#[test]
fn a_batch_is_what_each_of_it_would_be_alone() {
    let world = indexed();
    world.write("batch.csv", table(&newcomers()));
    let batch = lines(&world.run(["predict", "batch.csv"]).expect_code(0).stdout);
    assert_eq!(json_of(&world, &["predict", "batch.csv", "-o", "json"]), Value::Array(batch.clone()));
    assert_eq!(batch.len(), newcomers().len());
    for (answer, seen) in batch.iter().zip(newcomers()) {
        check_contract(answer);
        assert!(answer["allocation"]["memory_bytes"].as_f64().unwrap() >= seen.largest(MEMORY), "{answer}");
        world.write("one.csv", table(&[seen]));
        assert_eq!(&json_of(&world, &["predict", "one.csv"]), answer);
    }
}

/// Facts of newcomer `a`, with an end.
fn facts(end: &str) -> String {
    format!(
        "workload,application,user,priority,class,start_s,end_s,requested_cpu_cores,requested_memory_bytes\n\
         a,checkout-api,team-3,100,service,,{end},1.3,4982833152\n"
    )
}

/// A world of workloads that stay level for two minutes and then grow, by (application, level, growth).
fn grown(workloads: &[(String, f64, f64)]) -> World {
    let world = World::new();
    let mut series = "workload,time_s,cpu_cores,memory_bytes\n".to_owned();
    let mut facts = "workload,application\n".to_owned();
    for (number, (application, level, growth)) in workloads.iter().enumerate() {
        writeln!(facts, "w{number},{application}").unwrap();
        for step in 0..12_u32 {
            let memory = if step < 6 { *level } else { level * growth };
            writeln!(series, "w{number},{},0.5,{memory}", 100 + 20 * step).unwrap();
        }
    }
    // One that was there before, so that the others are seen to start.
    series += "first,0,1,1000000\nfirst,400,1,1000000\n";
    world.write("series.csv", series);
    world.write("facts.csv", facts);
    world.write("sample.csv", "time_s,cpu_cores,memory_bytes\n0,0.5,1.15e8\n20,0.5,1.15e8\n40,0.5,1.15e8\n");
    world.run(["-q", "ingest", "series.csv", "--workloads", "facts.csv"]).expect_code(0);
    world.run(["-q", "fingerprint"]).expect_code(0);
    world
}

fn told(world: &World, application: &str) -> Value {
    world.write("told.csv", format!("workload,application\nsample,{application}\n"));
    let answer = json_of(world, &["predict", "sample.csv", "--workloads", "told.csv"]);
    check_contract(&answer);
    answer
}

#[test]
fn facts_lead_to_instances_of_the_same_application() {
    // Two applications show the same at first; then one needs twice, the other four times as much.
    let level = |number: u32| 1e8 * (1.0 + f64::from(number / 2 * 7 % 40) * 0.01);
    let workload = |number: u32| match number % 2 {
        0 => ("two".to_owned(), level(number), 2.0),
        _ => ("four".to_owned(), level(number), 4.0),
    };
    let world = grown(&(0..80).map(workload).collect::<Vec<_>>());
    let answer = told(&world, "two");
    assert_eq!((&answer["decision"], &answer["passed_over"]), (&json!("same-application"), &json!([])));
    let neighbours = answer["neighbours"].as_array().unwrap();
    assert!(neighbours.iter().all(|neighbour| neighbour["application"] == "two"), "{answer}");
    let memory = |answer: &Value| answer["allocation"]["memory_bytes"].as_f64().unwrap();
    assert!(memory(&answer) < 3e8, "{answer}");
    assert!(memory(&told(&world, "four")) > 4e8);
    let answer = told(&world, "unheard-of");
    assert_ne!(answer["decision"], "same-application");
    let why = answer["passed_over"][0].as_str().unwrap();
    assert!(why.contains("0 earlier instances of `unheard-of`"), "{why}");
    assert!(memory(&answer) > 4e8, "{answer}");
}

#[test]
fn where_the_whole_store_wastes_less_its_neighbours_answer_for_an_application_too() {
    // Names say nothing, levels say all: the smaller ones stay as they are, the larger ones need four times as much.
    let workload = |number: u32| {
        let level = 1e8 * (1.0 + f64::from(number * 37 % 120) * 0.005);
        (format!("a{}", number % 20), level, if level < 1.3e8 { 1.0 } else { 4.0 })
    };
    let world = grown(&(0..120).map(workload).collect::<Vec<_>>());
    let answer = told(&world, "a3");
    assert_eq!(answer["decision"], "neighbours", "{answer}");
    let why = answer["passed_over"][0].as_str().unwrap();
    let parts = ["same-application: on workloads of the store it wastes ", " % of what is needed, neighbours "];
    assert!(parts.iter().all(|part| why.contains(part)), "{why}");
    assert!(answer["allocation"]["memory_bytes"].as_f64().unwrap() < 2e8, "{answer}");
}

#[test]
fn an_end_that_only_the_future_knows_changes_nothing() {
    let world = indexed();
    let with_end = |end: &str| {
        world.write("facts.csv", facts(end));
        world.run(["predict", "sample.csv", "--workloads", "facts.csv"]).expect_code(0)
    };
    let without = with_end("");
    // Long after the sample, at its end, inside it, before it.
    for end in ["1735790000", "1735691251", "1735691211", "1735600000"] {
        let answer = with_end(end);
        assert_eq!(answer.stdout, without.stdout, "an end at {end}: {}", answer.stderr);
    }
}

#[test]
fn nothing_after_the_window_changes_the_answer() {
    let world = indexed();
    let answer = |text: String| {
        world.write("sample.csv", text);
        let mut answer = json_of(&world, &["predict", "sample.csv"]);
        answer.as_object_mut().unwrap().remove("observed_seconds");
        answer
    };
    let short = answer(table(&[newcomer()]));
    for (window, factor) in [(120.0, 1.07), (900.0, 1.07), (900.0, 40.0)] {
        let mut longer = Seen::like("checkout-api-0015", window, "a");
        let first = newcomer().rows.len();
        for (position, row) in longer.rows.iter_mut().enumerate() {
            let factor = if position < first { 1.07 } else { factor };
            row[MEMORY] = (row[MEMORY].parse::<f64>().unwrap() * factor).round().to_string();
        }
        assert!(longer.rows.len() > first);
        assert_eq!(answer(table(&[longer])), short, "{window} s, later memory × {factor}");
    }
}

#[test]
fn the_longest_window_that_the_sample_fills_answers() {
    let world = stored();
    world.run(["-q", "fingerprint", "--window", "60s,5m"]).expect_code(0);
    let asked = |seconds: f64, more: &[&str]| {
        world.write("sample.csv", table(&[Seen::like("checkout-api-0015", seconds, "a")]));
        json_of(&world, &[&["predict", "sample.csv"], more].concat())["window_s"].as_f64().unwrap()
    };
    assert!((asked(60.0, &[]) - 60.0).abs() < 1e-9);
    assert!((asked(200.0, &[]) - 60.0).abs() < 1e-9);
    assert!((asked(300.0, &[]) - 300.0).abs() < 1e-9);
    assert!((asked(900.0, &[]) - 300.0).abs() < 1e-9);
    assert!((asked(900.0, &["--window", "60s"]) - 60.0).abs() < 1e-9);
    let answer = world.run(["predict", "sample.csv", "--window", "1h"]).expect_code(1);
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.contains("hint: make it with `shadow fingerprint --window 3600s`"), "{}", answer.stderr);
}

#[test]
fn a_higher_coverage_never_allocates_less() {
    let world = indexed();
    world.write("batch.csv", table(&newcomers()));
    world.write("facts.csv", facts(""));
    let mut earlier: Vec<Value> = Vec::new();
    for coverage in ["0.5", "0.6", "0.7", "0.8", "0.85", "0.9", "0.95", "0.97", "0.98"] {
        let command = ["-q", "predict", "batch.csv", "--workloads", "facts.csv", "--coverage", coverage];
        let answers = lines(&world.run(command).expect_code(0).stdout);
        for (before, answer) in earlier.iter().zip(&answers) {
            check_contract(answer);
            assert_eq!(before["decision"], answer["decision"]);
            for resource in ["cpu_cores", "memory_bytes"] {
                let of = |answer: &Value| answer["allocation"][resource].as_f64().unwrap();
                assert!(of(before) <= of(answer), "{resource} at {coverage}: {before} {answer}");
            }
        }
        assert!(answers.iter().all(|answer| answer["coverage"] == coverage.parse::<f64>().unwrap()));
        earlier = answers;
    }
    for wrong in ["0", "1", "95", "-0.5", "NaN"] {
        world.run(["predict", "batch.csv", &format!("--coverage={wrong}")]).expect_code(2);
    }
}

#[test]
fn neighbours_follow_their_number_the_metric_and_the_weights() {
    let world = indexed();
    let asked = |more: &[&str]| {
        let answer = json_of(&world, &[&["predict", "sample.csv"], more].concat());
        check_contract(&answer);
        answer
    };
    let names = |answer: &Value| -> Vec<String> {
        let neighbours = answer["neighbours"].as_array().unwrap();
        neighbours.iter().map(|neighbour| neighbour["workload"].as_str().unwrap().to_owned()).collect()
    };
    // The most similar ones: at most as many as asked for, with similarities, of which the shares are the squares.
    for k in [1, 5, 40] {
        let answer = asked(&["-k", &k.to_string()]);
        let neighbours = answer["neighbours"].as_array().unwrap();
        assert!((1..=k).contains(&neighbours.len()), "{answer}");
        for share in ["memory_share", "cpu_share", "weight"] {
            let total: f64 = neighbours.iter().map(|one| one[share].as_f64().unwrap()).sum();
            assert!((total - 1.0).abs() < 1e-9, "{share} sums to {total}");
        }
        assert!(neighbours.iter().all(|one| (0.0..=1.0).contains(&one["similarity"].as_f64().unwrap())));
    }
    assert_ne!(names(&asked(&["--similarity", "distance"])), names(&asked(&[])));
    let usual = asked(&["--similarity", "distance"]);
    for k in ["5", "15", "40"] {
        let answer = asked(&["--similarity", "distance", "-k", k]);
        let count: usize = k.parse().unwrap();
        assert_eq!(names(&answer).len(), count);
        let shared = count.min(15);
        assert_eq!(names(&answer)[..shared], names(&usual)[..shared], "the nearest are the nearest");
    }
    assert_eq!(asked(&["--weights", "cpu=1,memory=1"])["neighbours"], usual["neighbours"]);
    assert_ne!(names(&asked(&["--weights", "memory=0,network=0,disk=0,facts=0"])), names(&usual));
    let cosine = asked(&["--metric", "cosine"]);
    assert_ne!(cosine["neighbours"], usual["neighbours"]);
    assert!(cosine["neighbours"].as_array().unwrap().iter().all(|one| one["distance"].as_f64().unwrap() <= 2.0));
    let answer = world.run(["predict", "sample.csv", "--metric", "cosine", "--weights", "cpu=2"]).expect_code(2);
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.contains("hint: ") && answer.stderr.contains("`--metric euclidean`"), "{}", answer.stderr);
}

#[test]
fn the_mean_is_the_classic_estimator() {
    let world = indexed();
    let answer = json_of(&world, &["predict", "sample.csv", "--estimator", "mean", "--similarity", "distance"]);
    let neighbours = json_of(&world, &["neighbours", "sample.csv"]);
    // Sum of weight × (peak / level), times the newcomer's level, as the classic formula says; MiB are rounded up.
    let neighbours = neighbours["neighbours"].as_array().unwrap();
    let of = |one: &Value, ratio: &str| one["weight"].as_f64().unwrap() * one[ratio].as_f64().unwrap();
    let memory: f64 = neighbours.iter().map(|one| of(one, "memory_ratio")).sum::<f64>() * newcomer().largest(MEMORY);
    let found = answer["allocation"]["memory_bytes"].as_f64().unwrap();
    assert!(found >= memory - 1.0 && found < memory + 1_048_577.0, "{found} instead of {memory}");
    let cpu: f64 = neighbours.iter().map(|one| of(one, "cpu_ratio")).sum::<f64>() * newcomer().largest(CPU);
    let found = answer["allocation"]["cpu_cores"].as_f64().unwrap();
    assert!(found >= cpu - 1e-9 && found < cpu + 0.001_000_1, "{found} instead of {cpu}");
}

#[test]
fn every_data_form_says_the_same() {
    let world = indexed();
    world.write("batch.csv", table(&newcomers()));
    let text = |form: &str| world.run(["predict", "batch.csv", "-o", form]).expect_code(0).stdout;
    let json: Value = serde_json::from_str(&text("json")).unwrap();
    let json = json.as_array().unwrap();
    assert_eq!(&lines(&text("jsonl")), json);
    let yaml = text("yaml");
    let yaml: Vec<Value> = serde_yaml::Deserializer::from_str(&yaml)
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .collect();
    assert_eq!(&yaml, json);
    let csv = text("csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), json.len());
    for (row, answer) in rows.iter().zip(json) {
        let cell = |name: &str| &row[header.iter().position(|column| column == name).unwrap()];
        assert_eq!(cell("workload"), answer["workload"]);
        assert_eq!(cell("memory_request_bytes"), answer["allocation"]["memory_bytes"].to_string());
        assert_eq!(cell("memory_high_bytes"), answer["interval"]["memory_bytes"][1].to_string());
        assert_eq!(cell("cpu_request_cores"), answer["allocation"]["cpu_cores"].to_string());
        assert_eq!(cell("decision"), answer["decision"]);
    }
    let table = text("table");
    for answer in json {
        let mebibytes = answer["allocation"]["memory_bytes"].as_u64().unwrap() >> 20;
        assert!(table.contains(&format!(" {mebibytes} ")), "no {mebibytes} MiB in\n{table}");
    }
}

#[test]
fn explaining_shows_the_evidence_and_the_rungs_above() {
    let world = indexed();
    let plain = world.run(["predict", "sample.csv", "-o", "table"]).expect_code(0);
    let explained = world.run(["predict", "sample.csv", "-o", "table", "--explain"]).expect_code(0);
    assert!(explained.stdout.starts_with(&plain.stdout), "{}", explained.stdout);
    let answer = json_of(&world, &["predict", "sample.csv"]);
    // Whom it rests on most; of the others, how many they are.
    let mut neighbours = answer["neighbours"].as_array().unwrap().clone();
    neighbours.sort_by(|left, right| right["weight"].as_f64().unwrap().total_cmp(&left["weight"].as_f64().unwrap()));
    for neighbour in &neighbours[..15] {
        let name = neighbour["workload"].as_str().unwrap();
        assert!(explained.stdout.contains(name) && !plain.stdout.contains(name), "`{name}`:\n{}", explained.stdout);
    }
    let more = format!("and {} more, of a weight of ", neighbours.len() - 15);
    assert_eq!(explained.stdout.contains(&more), neighbours.len() > 15, "{}", explained.stdout);
    assert!(explained.stderr.contains("same-application: the sample does not name its application"));
}

#[test]
fn forms_go_into_a_folder_when_one_is_named() {
    let world = indexed();
    for (form, files) in [
        ("terraform", vec!["shadow.auto.tfvars.json", "shadow.tf"]),
        ("kubernetes-patch", vec!["shadow-patch.yaml"]),
        ("json", vec!["shadow.json"]),
        ("jsonl", vec!["shadow.jsonl"]),
        ("csv", vec!["shadow.csv"]),
        ("yaml", vec!["shadow.yaml"]),
        ("table", vec!["shadow.txt"]),
    ] {
        let answer = world.run(["predict", "sample.csv", "-o", form, "--out", form]).expect_code(0);
        assert_eq!(answer.stdout, "", "{form}");
        let mut found: Vec<_> = std::fs::read_dir(world.path(form))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        assert_eq!(found, files, "{form}");
        let printed = world.run(["predict", "sample.csv", "-o", form]).expect_code(0).stdout;
        if let [only] = files.as_slice() {
            assert_eq!(std::fs::read_to_string(world.path(form).join(only)).unwrap(), printed, "{form}");
        }
    }
}

#[test]
fn an_index_older_than_its_store_is_said_and_still_answers() {
    let world = indexed();
    let before = world.run(["predict", "sample.csv"]).expect_code(0);
    assert_eq!(before.stderr, "");
    world.write("more.csv", "workload,time_s,cpu_cores,memory_bytes\nz,1735689600,1,100\nz,1735689610,2,200\n");
    world.run(["-q", "ingest", "more.csv"]).expect_code(0);
    let after = world.run(["predict", "sample.csv"]).expect_code(0);
    assert_eq!(after.stdout, before.stdout);
    assert!(
        after.stderr.contains("warning: the store holds other traces than when its index was made")
            && after.stderr.contains("`shadow fingerprint --window 60s`"),
        "{}",
        after.stderr
    );
    world.run(["-q", "fingerprint"]).expect_code(0);
    assert_eq!(world.run(["predict", "sample.csv"]).expect_code(0).stderr, "");
}

#[test]
fn the_same_question_has_the_same_bytes_whatever_the_threads() {
    let answers = ["1", "2"].map(|threads| {
        let world = World::new();
        world.run(["-q", "--threads", threads, "ingest", TRACE]).expect_code(0);
        world.run(["-q", "--threads", threads, "fingerprint"]).expect_code(0);
        world.write("batch.csv", table(&newcomers()));
        world.write("facts.csv", facts(""));
        let command = ["--threads", threads, "predict", "batch.csv", "--workloads", "facts.csv", "-k", "7"];
        let first = world.run(command).expect_code(0).stdout;
        assert_eq!(first, world.run(command).expect_code(0).stdout);
        let index = world.path("shadow-store/index/window=60s");
        let files = [
            "index.json",
            "model.json",
            "fingerprints.parquet",
            "calibration.parquet",
            "calibration.chosen",
            "similarity.forest",
            "workloads.rows",
            "tree.kd",
        ]
        .map(|name| std::fs::read(index.join(name)).unwrap());
        (first, files)
    });
    assert!(answers[0] == answers[1], "another number of threads, another answer");
}
