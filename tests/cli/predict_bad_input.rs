//! What `shadow predict` says to input that it cannot use: message, hint, exit code, and nothing on standard output.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::common::answers::{CPU, MEMORY, Seen, indexed, json_of, newcomer, newcomers, stored, table};
use crate::common::{Answer, World};

/// Fails unless the command ends with this code, says all of `said` on standard error and nothing else.
#[track_caller]
fn refused(world: &World, arguments: &[&str], code: i32, said: &[&str]) {
    is_refusal(&world.run(arguments).expect_code(code), said);
}

fn is_refusal(answer: &Answer, said: &[&str]) {
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.starts_with("error: ") && answer.stderr.contains("\nhint: "), "{}", answer.stderr);
    for part in said {
        assert!(answer.stderr.contains(part), "no `{part}` in\n{}", answer.stderr);
    }
}

#[test]
fn samples_that_cannot_be_read_are_refused() {
    let world = indexed();
    let good = table(&[newcomer()]);
    let header = good.lines().next().unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(good.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    world.write("empty.csv", "");
    world.write("cut.csv.gz", &packed[..packed.len() / 2]);
    world.write("columns.csv", format!("{header}\na,1,2\na,1,2,3,4,5,6,7,8,9\n"));
    world.write("text.csv", format!("{header}\na,0,5,many,1,1,1\na,5,5,0.1,lots,1,1\n"));
    world.write("header.csv", format!("{header}\n"));
    world.write("barren/notes.md", "nothing");
    world.write("short.csv", table(&[Seen::like("checkout-api-0015", 20.0, "a")]));
    world.write("nan.csv", table(&[newcomer().changed(CPU, |_| f64::NAN)]));
    world.write("negative.csv", table(&[newcomer().changed(MEMORY, |bytes| -bytes)]));
    for (path, code, said) in [
        ("missing.csv", 1, ["`missing.csv` does not exist", "`-` for standard input"]),
        ("missing/*.csv", 1, ["`missing/*.csv`", "`-` for standard input"]),
        ("barren", 1, ["no trace files in folder `barren`", "`-` for standard input"]),
        ("empty.csv", 1, ["the file is empty", "`--format`"]),
        ("cut.csv.gz", 3, ["`cut.csv.gz`: the compressed stream ends early", "get this file again"]),
        ("columns.csv", 1, ["none of its 2 rows can be used; most often: wrong number of fields", "`--format`"]),
        ("text.csv", 1, ["none of its 2 rows can be used; most often: not a number", "`--map TARGET=COLUMN`"]),
        ("header.csv", 1, ["`header.csv` holds no series of a workload", "`--workloads`"]),
        ("short.csv", 1, ["`a` shows too little: 20 s were observed, the learning window is 60 s", "`--window`"]),
        ("nan.csv", 1, ["rows can be used; most often: number is not finite", "`--format`"]),
        ("negative.csv", 1, ["rows can be used; most often: negative use", "`--format`"]),
    ] {
        refused(&world, &["predict", path], code, &said);
        refused(&world, &["neighbours", path], code, &[]);
    }
    let answer = world.run_with(["predict", "-"], b"").expect_code(1);
    assert!(answer.stdout.is_empty() && answer.stderr.contains("\nhint: "), "{}", answer.stderr);
    refused(&world, &["predict", "sample.csv", "--workloads", "missing.csv"], 1, &["`missing.csv` does not exist"]);
}

#[test]
fn bad_rows_are_counted_and_the_others_answer() {
    let world = indexed();
    let clean = json_of(&world, &["predict", "sample.csv"]);
    let mut seen = newcomer();
    let extra = seen.rows[5].clone();
    for (column, value) in [(CPU, "NaN"), (MEMORY, "-5000000"), (CPU, "many"), (MEMORY, "inf")] {
        let mut row = extra.clone();
        row[column] = value.to_owned();
        seen.rows.push(row);
    }
    world.write("dirty.csv", table(&[seen]) + "a,1735691200,5\n");
    let answer = world.run(["predict", "dirty.csv"]).expect_code(0);
    assert_eq!(serde_json::from_str::<Value>(&answer.stdout).unwrap(), clean);
    let rows = newcomer().rows.len() + 5;
    assert!(answer.stderr.contains(&format!("5 of {rows} rows of the sample were rejected")), "{}", answer.stderr);
    assert!(answer.stderr.contains("number is not finite: column `cpu_cores`: found `NaN`"), "{}", answer.stderr);
}

#[test]
fn a_store_or_an_index_that_is_not_there_says_how_it_is_made() {
    let world = stored();
    world.write("sample.csv", table(&[newcomer()]));
    for command in ["predict", "neighbours"] {
        refused(
            &world,
            &["--store", "nowhere", command, "sample.csv"],
            1,
            &["there is no store in `nowhere`", "`shadow ingest PATH`"],
        );
        refused(&world, &[command, "sample.csv"], 1, &["has no index", "`shadow fingerprint`"]);
        refused(
            &world,
            &[command, "sample.csv", "--window", "5m"],
            1,
            &["learning window of 300s", "`shadow fingerprint --window 300s`"],
        );
    }
    refused(&world, &["--store", "nowhere", "fingerprint"], 1, &["there is no store in `nowhere`"]);
}

/// Writes `path` with another version in its envelope.
fn change_version(path: &Path, from: u32, to: u32) {
    let text = std::fs::read_to_string(path).unwrap();
    let (found, other) = (format!("\"version\": {from}"), format!("\"version\": {to}"));
    assert!(text.contains(&found), "{text}");
    std::fs::write(path, text.replacen(&found, &other, 1)).unwrap();
}

#[test]
fn a_store_or_an_index_of_another_version_is_refused_by_name() {
    let world = indexed();
    let index = world.path("shadow-store/index/window=60s/index.json");
    // Version 1 had no learned similarity, 2 did not know which cases recur, 3 had one checksum for all trees, 4 was read whole,
    // 5 laid trees out otherwise.
    for (from, to) in [(6, 7), (7, 5)] {
        change_version(&index, from, to);
        for command in ["predict", "neighbours"] {
            let version = format!("index.json` has format version {to}, this shadow reads 6 to 6");
            refused(&world, &[command, "sample.csv"], 3, &[&version, "`shadow fingerprint --window 60s`"]);
        }
    }
    world.run(["-q", "fingerprint"]).expect_code(0);
    world.run(["predict", "sample.csv"]).expect_code(0);
    change_version(&world.path("shadow-store/store.json"), 1, 2);
    for arguments in [&["predict", "sample.csv"][..], &["neighbours", "sample.csv"], &["fingerprint"]] {
        let said = ["store.json` has format version 2, this shadow reads 1 to 1", "a newer shadow wrote it"];
        refused(&world, arguments, 3, &said);
    }
}

#[test]
fn a_flipped_byte_in_any_file_of_an_index_is_noticed() {
    let world = World::new();
    // More than 1,024 workloads with a first window, so that there is a tree.
    let mut text = "workload,time_s,cpu_cores,memory_bytes\n".to_owned();
    for workload in 0..1100_u32 {
        let (cpu, memory) = (f64::from(workload % 37 + 1) * 0.05, f64::from(workload % 101 + 1) * 3e7);
        for step in 0..5_u32 {
            let shape = 1.0 + f64::from((workload * 7 + step * 13) % 29) * 0.02;
            writeln!(text, "w{workload},{},{},{}", 100 + 20 * step, cpu * shape, (memory * shape).round()).unwrap();
        }
    }
    text += "first,0,1,1000000\nfirst,400,1,1000000\n";
    world.write("series.csv", text);
    world.write("sample.csv", "time_s,cpu_cores,memory_bytes\n0,0.5,5e8\n20,0.6,5e8\n40,0.5,6e8\n60,0.5,6e8\n");
    world.run(["-q", "ingest", "series.csv"]).expect_code(0);
    let fitted = world.run(["fingerprint"]).expect_code(0);
    assert!(fitted.stderr.contains("k-d tree"), "no tree: {}", fitted.stderr);
    let answer = json_of(&world, &["predict", "sample.csv"]);
    let folder = world.path("shadow-store/index/window=60s");
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let expected = [
        "calibration.chosen",
        "calibration.parquet",
        "fingerprints.parquet",
        "index.json",
        "model.json",
        "similarity.forest",
        "tree.kd",
        "workloads.rows",
    ];
    assert_eq!(names, expected);
    let whole = world.run(["info", "--check"]).expect_code(0);
    assert!(whole.stderr.contains("are what was written"), "{}", whole.stderr);
    let repair = "`shadow fingerprint --window 60s`";
    let check = |name: &str| {
        refused(&world, &["info", "--check"], 3, &[name, repair]);
        // What this answer does not need is compared when another one needs it. Two threads search, and which parts of the tree they look at in vain depends
        // on who is first: the same file may be refused now and not be needed the next time.
        let again = world.run(["predict", "sample.csv"]);
        if again.code == Some(0) {
            let again = serde_json::from_str::<Value>(&again.stdout).unwrap();
            assert_eq!(again, answer, "`{name}` changed the answer unnoticed");
        } else {
            is_refusal(&again.expect_code(3), &[name, repair]);
        }
    };
    for name in expected {
        let path = folder.join(name);
        let good = std::fs::read(&path).unwrap();
        // In the body of a manifest, where white space would mean nothing; anywhere else in the others.
        for position in [good.len() / 3, good.len() / 2, good.len() - good.len() / 5] {
            let position = (position..good.len()).find(|&at| !good[at].is_ascii_whitespace()).unwrap();
            let mut bad = good.clone();
            bad[position] ^= 0x04;
            std::fs::write(&path, bad).unwrap();
            check(name);
        }
        std::fs::write(&path, &good[..good.len() / 4 * 3]).unwrap();
        check(name);
        if name != "index.json" {
            std::fs::remove_file(&path).unwrap();
            check(name);
        }
        std::fs::write(&path, good).unwrap();
        assert_eq!(json_of(&world, &["predict", "sample.csv"]), answer, "after `{name}` was put back");
    }
}

const BASE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  selector: {matchLabels: {a: b}}\n  \
                    template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers:\n      - {name: app, image: 'x:1'}\n      \
                    - {name: proxy, image: 'y:1'}\n";

#[test]
fn a_base_that_does_not_fit_is_refused_with_what_it_holds() {
    let world = indexed();
    world.write("base.yaml", BASE);
    world.write("broken.yaml", "a: [");
    let base = |more: &[&'static str]| [&["predict", "sample.csv", "--base"], more].concat();
    refused(&world, &["predict", "-", "--base", "-"], 2, &["standard input cannot be both", "write one of them into"]);
    refused(&world, &base(&["missing.yaml"]), 1, &["`missing.yaml`", "`--base`"]);
    refused(&world, &base(&["broken.yaml"]), 1, &["`--base` takes YAML or JSON manifests"]);
    refused(&world, &base(&["base.yaml", "--container", "web"]), 1, &["no container `web`", "`app`, `proxy`"]);
    refused(&world, &base(&["base.yaml", "--name", "cart"]), 1, &["no workload `cart`", "`Deployment/shop`"]);
    refused(&world, &base(&["base.yaml", "-o", "json"]), 2, &["not made from a manifest", "`-o kubernetes`"]);
    let answer = world.run(base(&["base.yaml"])).expect_code(2);
    assert!(answer.stdout.is_empty() && answer.stderr.contains("choose with `--container`"), "{}", answer.stderr);
    let filled = world.run(base(&["base.yaml", "--container", "app"])).expect_code(0).stdout;
    let filled: serde_yaml::Value = serde_yaml::from_str(&filled).unwrap();
    assert!(filled["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["memory"].is_string());
    let input = world.run_with(base(&["-", "--container", "app"]), BASE.as_bytes()).expect_code(0).stdout;
    assert_eq!(serde_yaml::from_str::<serde_yaml::Value>(&input).unwrap(), filled);
}

#[test]
fn an_abstention_is_an_answer_but_never_a_manifest() {
    let world = indexed();
    world.write("base.yaml", BASE);
    // 223 workloads cannot bound a share of 99.9 %.
    let too_much = ["predict", "sample.csv", "--coverage", "0.999"];
    let answer = world.run(too_much).expect_code(4);
    let json: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((&json["decision"], &json["allocation"]["memory_bytes"]), (&"abstain".into(), &Value::Null));
    assert!(answer.stderr.contains("warning: no prediction for `a`:\n  same-application: "), "{}", answer.stderr);
    for form in ["json", "jsonl", "csv", "yaml", "table"] {
        let answer = world.run([&too_much[..], &["-o", form]].concat()).expect_code(4);
        assert!(!answer.stdout.is_empty(), "{form}");
    }
    for form in [&["-o", "kubernetes"][..], &["-o", "kubernetes-patch"], &["-o", "terraform"], &["--base", "base.yaml"]]
    {
        let said = ["no prediction for `a`, so there is no manifest:\n", "a coverage of 0.999 takes 999"];
        refused(&world, &[&too_much[..], form].concat(), 4, &said);
        refused(&world, &[&too_much[..], form, &["--out", "out"]].concat(), 4, &said);
        assert!(!world.path("out").exists(), "something was written");
    }
}

#[test]
fn a_batch_fails_only_when_all_of_it_abstains() {
    let world = indexed();
    let mut seen = newcomers();
    seen[1].rows.truncate(2);
    world.write("some.csv", table(&seen));
    let answer = world.run(["predict", "some.csv"]).expect_code(0);
    let decisions: Vec<Value> =
        answer.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["decision"].take()).collect();
    assert_eq!(decisions.iter().filter(|decision| *decision == "abstain").count(), 1, "{decisions:?}");
    assert_eq!(decisions[1], "abstain");
    assert!(answer.stderr.contains("no prediction for 1 of 4 workloads"), "{}", answer.stderr);
    refused(
        &world,
        &["predict", "some.csv", "-o", "kubernetes-patch"],
        4,
        &["no prediction for `b`", "shows too little"],
    );
    refused(&world, &["predict", "some.csv", "-o", "json-patch"], 2, &["one workload at a time"]);
    let answer = world.run(["predict", "some.csv", "--coverage", "0.999"]).expect_code(4);
    assert_eq!(answer.stdout.lines().count(), 4);
    assert!(answer.stderr.contains("no prediction for 4 of 4 workloads"), "{}", answer.stderr);
}

#[test]
fn a_manifest_is_not_made_of_an_answer_without_an_interval() {
    let world = World::new();
    world.run(["-q", "synth", "table", "--workloads", "36", "--days", "1", "-o", "trace"]).expect_code(0);
    world.run(["-q", "ingest", "trace"]).expect_code(0);
    world.run(["-q", "fingerprint"]).expect_code(0);
    world.write("sample.csv", table(&[newcomer()]));
    let answer = json_of(&world, &["predict", "sample.csv"]);
    assert_eq!(answer["interval"]["memory_bytes"], Value::Null, "{answer}");
    let manifest = ["predict", "sample.csv", "-o", "kubernetes-patch"];
    refused(
        &world,
        &manifest,
        4,
        &["at a coverage of 0.95: it has no interval", "`--allow-uncertain`", "`--coverage 0.9`"],
    );
    world.run([&manifest[..], &["--allow-uncertain"]].concat()).expect_code(0);
}

#[test]
fn shares_of_a_machine_become_cores_and_bytes_once_its_size_is_known() {
    let world = World::new();
    world.run(["-q", "synth", "google-2019", "--workloads", "120", "--days", "1", "-o", "trace"]).expect_code(0);
    world.run(["-q", "ingest", "trace"]).expect_code(0);
    world.run(["-q", "fingerprint"]).expect_code(0);
    world.write("sample.csv", "time_s,interval_s,cpu_cores,memory_bytes\n0,300,0.5,5e8\n");
    let said = ["CPU and memory as a share of the largest machine", "--machine-cores 64 --machine-memory 256GiB`"];
    refused(&world, &["predict", "sample.csv"], 1, &said);
    world.run(["-q", "ingest", "trace", "--machine-cores", "64", "--machine-memory", "256GiB"]).expect_code(0);
    let answer = json_of(&world, &["predict", "sample.csv"]);
    let memory = answer["allocation"]["memory_bytes"].as_u64().unwrap();
    assert!((500_000_000..=256 << 30).contains(&memory), "{answer}");
    let cpu = answer["allocation"]["cpu_cores"].as_f64().unwrap();
    assert!(cpu > 0.0 && cpu <= 64.0, "{answer}");
}
