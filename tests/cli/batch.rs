//! `shadow predict --base FOLDER`: a repository of manifests beside its samples: what stands where, what would change, the
//! files, and the gate.

use std::process::Command;

use serde_json::Value;

use crate::common::World;
use crate::common::answers::{Seen, indexed, json_of, newcomers, table};
use crate::common::checkers::is_installed;

const CHECKOUT: &str = "# Owner: team-shop
apiVersion: v1
kind: Service
metadata: {name: checkout, namespace: shop}
spec: {selector: {app: checkout}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
  namespace: shop
spec:
  replicas: 2 # one per zone
  template:
    spec:
      containers:
        - name: app
          image: registry.example/checkout:1
          resources:
            requests:
              cpu: \"40\"    # guessed
              memory: 1Mi  # guessed
            limits: {cpu: \"40\", memory: 1Mi}
        - name: proxy
          image: registry.example/proxy:1
";

const WEB: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: frontend, annotations: {shadow.dev/workload: w-annotated}}
spec: {template: {spec: {containers: [{name: app, image: 'registry.example/web:3'}]}}}
";

const JOB: &str = r#"{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "import"},
 "spec": {"template": {"spec": {"containers": [{"name": "run", "image": "registry.example/import:1"}]}}}}
"#;

/// Returns a world with three manifests, a file that is none, and samples of four workloads.
fn repository() -> World {
    let world = indexed();
    let names = ["shop/checkout/app", "w-annotated", "w-listed", "nobody"];
    let seen: Vec<Seen> =
        newcomers().into_iter().zip(names).map(|(seen, name)| Seen { name: name.to_owned(), ..seen }).collect();
    world.write("newcomers.csv", table(&seen));
    world.write("manifests/shop/checkout.yaml", CHECKOUT);
    world.write("manifests/web.yml", WEB);
    world.write("manifests/import.json", JOB);
    world.write("manifests/chart.yaml", "{{- if .Values.on }}\nx: [\n{{- end }}\n");
    world.write("manifests/.hidden/x.yaml", "a: [");
    world.write("assign.csv", "workload,name,container,kind\nw-listed,import,run,job\nw-listed,gone,run,\n");
    world
}

const BATCH: [&str; 6] = ["predict", "newcomers.csv", "--base", "manifests", "--assign", "assign.csv"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    BATCH.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn every_container_is_told_of_with_what_it_asks_for_and_what_it_needs() {
    let world = repository();
    let answer = world.run(with(&["-o", "json"])).expect_code(0);
    let review: Value = serde_json::from_str(&answer.stdout).unwrap();
    let rows = review["containers"].as_array().unwrap();
    let told: Vec<String> = rows
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
            let standing = |resource: &str| row[resource]["standing"].as_str().unwrap_or("-").to_owned();
            [text("file"), text("container"), text("workload"), text("found_by"), standing("cpu"), standing("memory")]
                .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "import.json run w-listed table unset unset",
            "shop/checkout.yaml app shop/checkout/app name above below",
            "shop/checkout.yaml proxy - - - -",
            "web.yml app w-annotated annotation unset unset",
        ]
    );
    assert_eq!((&review["sized"], &review["off"]), (&Value::from(3), &Value::from(3)));
    assert_eq!(rows[2]["answer"], "no sample");
    assert_eq!(rows[1]["cpu"]["request_now"], 40.0);
    assert_eq!(review["unused_workloads"], serde_json::json!(["nobody"]));
    assert_eq!(review["unused_assignments"], serde_json::json!(["gone/run"]));
    assert_eq!(review["skipped"][0]["file"], "chart.yaml");
    // The same workload alone gets the same answer.
    let alone: Value = json_of(&world, &["predict", "newcomers.csv", "-o", "json"]);
    let alone = alone.as_array().unwrap().iter().find(|one| one["workload"] == "w-listed").unwrap();
    assert_eq!(rows[0]["memory"]["request"], alone["allocation"]["memory_bytes"]);
    let csv = world.run(with(&["-o", "csv"])).expect_code(0).stdout;
    assert_eq!(csv.lines().count(), 5);
    let table = world.run(with(&["-o", "table"])).expect_code(0);
    assert!(table.stdout.contains("no sample") && table.stdout.contains("CPU above, memory"), "{}", table.shown());
    for said in ["no container was found for `nobody`", "`chart.yaml` is left alone", "`gone/run` of `--assign`"] {
        assert!(table.stderr.contains(said), "{}", table.shown());
    }
}

#[test]
fn a_difference_applies_and_gives_the_files_that_are_written() {
    const TEST: &str = "a_difference_applies_and_gives_the_files_that_are_written";
    let world = repository();
    let diff = world.run(with(&["--diff"])).expect_code(0).stdout;
    world.run(with(&["--out", "sized"])).expect_code(0);
    let text = |path: &str| std::fs::read_to_string(world.path(path)).unwrap();
    for (file, before) in [("shop/checkout.yaml", CHECKOUT), ("web.yml", WEB), ("import.json", JOB)] {
        assert!(diff.contains(&format!("--- a/{file}\n+++ b/{file}\n")), "{diff}");
        assert_eq!(text(&format!("manifests/{file}")), before, "the input has changed");
    }
    let sized = text("sized/shop/checkout.yaml");
    for kept in ["# Owner: team-shop\n", "replicas: 2 # one per zone\n", "selector: {app: checkout}", "    # guessed\n"]
    {
        assert!(sized.contains(kept), "{kept}: {sized}");
    }
    assert!(!sized.contains("\"40\""), "{sized}");
    let job: Value = serde_json::from_str(&text("sized/import.json")).unwrap();
    assert!(job["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"].is_string(), "{job}");
    assert!(!world.path("sized/chart.yaml").exists());
    if !is_installed("git", TEST) {
        return;
    }
    world.write("change.patch", &diff);
    let git = |arguments: &[&str]| {
        let run = Command::new("git").args(arguments).current_dir(world.path("manifests")).output().unwrap();
        assert!(run.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    };
    git(&["init", "--quiet", "."]);
    git(&["apply", "../change.patch"]);
    for file in ["shop/checkout.yaml", "web.yml", "import.json"] {
        assert_eq!(text(&format!("manifests/{file}")), text(&format!("sized/{file}")), "{file}");
    }
    // What was written is what is wanted: nothing is left to change, and the gate is open.
    let again = world.run(with(&["--diff", "--check"])).expect_code(0);
    assert_eq!(again.stdout, "", "{}", again.shown());
}

#[test]
fn a_gate_stops_requests_outside_their_interval_and_samples_of_nobody() {
    let world = repository();
    let stopped = world.run(with(&["--check", "-o", "table"])).expect_code(4);
    assert!(stopped.stderr.contains("3 of 3 containers with an answer"), "{}", stopped.shown());
    assert!(stopped.stdout.contains("checkout/app"), "{}", stopped.shown());
    world.write("sized/web.yml", WEB.replace("w-annotated", "w-unknown"));
    let nobody = ["predict", "newcomers.csv", "--base", "sized", "--check", "-o", "json"];
    world.run(nobody).expect_code(4);
    world.run(["predict", "newcomers.csv", "--base", "sized"]).expect_code(4);
    // One file is a batch of one.
    world.run(["predict", "newcomers.csv", "--base", "manifests/shop/checkout.yaml", "--check"]).expect_code(4);
    let diff = ["predict", "newcomers.csv", "--base", "manifests/shop/checkout.yaml", "--diff"];
    assert!(world.run(diff).expect_code(0).stdout.starts_with("--- a/checkout.yaml\n"));
}

#[test]
fn an_answer_that_is_uncertain_or_none_is_told_of_and_not_written() {
    let world = repository();
    let silent = with(&["--coverage", "0.999", "-o", "json"]);
    let review: Value = serde_json::from_str(&world.run(&silent).expect_code(4).stdout).unwrap();
    assert_eq!(review["sized"], 0);
    assert!(review["containers"][0]["reason"].as_str().unwrap().starts_with("no prediction: "), "{review}");
    // A store of few workloads answers without an interval.
    world.run(["-q", "synth", "table", "--workloads", "36", "--days", "1", "-o", "trace"]).expect_code(0);
    world.run(["-q", "--store", "few", "ingest", "trace"]).expect_code(0);
    world.run(["-q", "--store", "few", "fingerprint"]).expect_code(0);
    let few = |more: &[&str]| world.run([&["--store", "few"], &with(more)[..]].concat());
    let review: Value = serde_json::from_str(&few(&["-o", "json"]).expect_code(4).stdout).unwrap();
    assert!(review["containers"][0]["reason"].as_str().unwrap().contains("uncertain: it has no interval"), "{review}");
    few(&["--out", "sized"]).expect_code(4);
    assert!(!world.path("sized").exists());
    few(&["--out", "sized", "--allow-uncertain"]).expect_code(0);
    assert!(world.path("sized/web.yml").exists());
}

#[test]
fn names_that_mean_something_to_a_reader_stay_names() {
    let world = repository();
    let names = ["=1+1", "two\nlines: x # y", "\u{1b}[31mred", "$(touch pwned) ${x} \"q\""];
    let seen: Vec<Seen> =
        newcomers().into_iter().zip(names).map(|(seen, name)| Seen { name: name.to_owned(), ..seen }).collect();
    world.write("newcomers.csv", table(&seen));
    let mut lines = csv::Writer::from_writer(Vec::new());
    for line in [["workload", "name", "container"], [names[1], "checkout", "app"], [names[3], "import", "run"]] {
        lines.write_record(line).unwrap();
    }
    world.write("assign.csv", lines.into_inner().unwrap());
    world.run(with(&["--out", "sized"])).expect_code(0);
    let sized = std::fs::read_to_string(world.path("sized/shop/checkout.yaml")).unwrap();
    let object: Value = serde_yaml::Deserializer::from_str(&sized)
        .map(|one| serde::Deserialize::deserialize(one).unwrap())
        .find(|one: &Value| one["kind"] == "Deployment")
        .unwrap();
    assert_eq!(object["metadata"]["annotations"]["shadow.dev/app.workload"], names[1], "{sized}");
    let job: Value = serde_json::from_slice(&std::fs::read(world.path("sized/import.json")).unwrap()).unwrap();
    assert_eq!(job["metadata"]["annotations"]["shadow.dev/workload"], names[3]);
    let text = world.run(with(&["-o", "csv"])).expect_code(0);
    let records: Vec<_> = csv::Reader::from_reader(text.stdout.as_bytes()).into_records().map(Result::unwrap).collect();
    assert!(records.iter().any(|record| &record[5] == names[1]), "{}", text.stdout);
    for more in [&["-o", "table"][..], &["--diff"]] {
        let answer = world.run(with(more)).expect_code(0);
        let all = answer.stdout.clone() + &answer.stderr;
        assert!(all.chars().all(|c| c == '\n' || !c.is_control()), "{more:?}: {all:?}");
    }
    assert!(!world.path("pwned").exists());
}

#[test]
fn a_folder_with_files_of_others_is_never_replaced() {
    let world = repository();
    world.write("mine/notes.txt", "mine");
    let refused = world.run(with(&["--out", "mine"])).expect_code(1);
    assert!(refused.stderr.contains("no earlier run wrote `notes.txt` in it"), "{}", refused.shown());
    assert_eq!(std::fs::read_dir(world.path("mine")).unwrap().count(), 1);
    world.run(with(&["--out", "manifests"])).expect_code(1);
    assert_eq!(std::fs::read_to_string(world.path("manifests/web.yml")).unwrap(), WEB);
    assert!(world.files().iter().all(|name| !name.starts_with(".writing")), "{:?}", world.files());
}

#[test]
fn patches_are_a_file_per_object_and_a_job_has_none() {
    let world = repository();
    let answer = world.run(with(&["-o", "kubernetes-patch", "--out", "patches"])).expect_code(0);
    assert!(answer.stderr.contains("`Job/import`: its pods cannot be patched"), "{}", answer.shown());
    let mut names: Vec<String> = std::fs::read_dir(world.path("patches"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, [".shadow-files", "shop.deployment.checkout.yaml", "statefulset.frontend.yaml"]);
    let text = std::fs::read_to_string(world.path("patches/shop.deployment.checkout.yaml")).unwrap();
    assert!(
        text.contains("kubectl patch deployment checkout -n shop --patch-file shop.deployment.checkout.yaml\n"),
        "{text}"
    );
    let patch: Value = serde_yaml::from_str(&text).unwrap();
    let containers = patch["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!((containers.len(), &containers[0]["name"]), (1, &Value::from("app")));
    assert_eq!(patch["metadata"]["annotations"]["shadow.dev/app.workload"], "shop/checkout/app");
    world.run(with(&["-o", "kustomize", "--out", "patches"])).expect_code(0);
    let component = std::fs::read_to_string(world.path("patches/kustomization.yaml")).unwrap();
    assert!(component.contains("- path: shop.deployment.checkout.yaml\n"), "{component}");
}

#[test]
fn what_has_no_meaning_for_a_batch_is_refused() {
    let world = repository();
    for (more, said) in [
        (&["--container", "app"][..], "`--container` is for one manifest"),
        (&["--namespace", "shop"], "`--namespace` is for one manifest"),
        (&["-o", "vpa", "--out", "x"], "has no such form"),
        (&["-o", "kubernetes"], "has no such form"),
        (&["-o", "json", "--diff"], "has no such form"),
        (&["--granularity", "vm"], "holds amounts, not machines"),
    ] {
        let answer = world.run(with(more)).expect_code(2);
        assert!(answer.stderr.contains(said) && answer.stderr.contains("hint: "), "{more:?}: {}", answer.shown());
    }
    world.write("bad.csv", "workload,name\nx,y\n");
    let answer = world.run(["predict", "newcomers.csv", "--base", "manifests", "--assign", "bad.csv"]).expect_code(1);
    assert!(answer.stderr.contains("cannot read the table of assignments"), "{}", answer.shown());
    world.write("empty/notes.txt", "x");
    let answer = world.run(["predict", "newcomers.csv", "--base", "empty"]).expect_code(1);
    assert!(answer.stderr.contains("no manifest below `empty`"), "{}", answer.shown());
}
