//! `shadow instances` and `shadow predict --granularity vm`: what is listed, what is chosen, and when nothing is.

use serde_json::Value;

use crate::common::World;
use crate::common::answers::{indexed, json_of};

#[test]
fn a_listing_is_filtered_and_is_a_catalogue_again() {
    let world = World::new();
    let table = world.run(["instances", "--provider", "gcp", "--family", "t2a", "--arch", "arm64"]).expect_code(0);
    assert!(
        table.stdout.contains("t2a-standard-48") && table.stdout.contains("us-central1, 2026-07-30"),
        "{}",
        table.stdout
    );
    assert!(!table.stdout.contains("m7i"), "{}", table.stdout);
    // An image for amd64 does not run there, so without being asked Arm is not listed.
    let unasked = world.run(["instances", "--family", "t2a"]).expect_code(0);
    assert!(unasked.stderr.contains("no machine of the catalogue passes the filters"), "{}", unasked.stderr);
    let csv = world.run(["instances", "--arch", "any", "-o", "csv"]).expect_code(0).stdout;
    world.write("mine.csv", &csv);
    let again = world.run(["instances", "--arch", "any", "-o", "csv", "--catalog", "mine.csv"]).expect_code(0).stdout;
    assert!(again == csv, "{:?}", again.lines().zip(csv.lines()).find(|(left, right)| left != right));
    assert!(csv.lines().count() > 500);
    let json: Value =
        serde_json::from_str(&world.run(["instances", "--family", "m7i-flex", "-o", "json"]).expect_code(0).stdout)
            .unwrap();
    assert_eq!(json.as_array().unwrap().len(), 7, "{json}");
    assert_eq!(json[0]["name"], "m7i-flex.large");
    assert_eq!(json[0]["network_is_sustained"], true);
}

#[test]
fn a_need_is_ranked_and_what_holds_nothing_is_exit_code_4() {
    let world = World::new();
    world.write(
        "racks.csv",
        "provider,name,vcpu,memory_gib,price_usd_hour\ndc,big,64,256,2.00\ndc,small,8,32,0.30\ndc,unpriced,8,32,\n",
    );
    let base = ["instances", "--catalog", "racks.csv", "--reserve", "nothing", "--headroom", "0"];
    let ranked = |more: &[&str]| world.run([&base[..], more].concat());
    let answer = ranked(&["--cpu", "4", "--memory", "16GiB", "--replicas", "5", "-o", "json"]).expect_code(0);
    let json: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(
        (&json["choice"]["instance"]["name"], &json["choice"]["count"], &json["choice"]["price_usd_hour"]),
        (&"small".into(), &3.into(), &0.9.into()),
        "{json}"
    );
    assert!(answer.stderr.contains("1 types would hold it and have no price"), "{}", answer.stderr);
    let table = ranked(&["--cpu", "40", "--memory", "16GiB"]).expect_code(0).stdout;
    assert!(table.contains("big") && table.contains("2.0000"), "{table}");
    let nothing = ranked(&["--cpu", "65", "--memory", "1GiB"]).expect_code(4);
    assert!(nothing.stderr.contains("no machine that the filters allow holds a replica"), "{}", nothing.stderr);
    ranked(&["--cpu", "4"]).expect_code(2);
    ranked(&["--cpu", "4", "--memory", "1GiB", "--headroom", "100%"]).expect_code(2);
    world.write("bad.csv", "provider,name,vcpu,memory_gib\ndc,=x,many,1\n");
    let bad = world.run(["instances", "--catalog", "bad.csv"]).expect_code(1);
    assert!(bad.stderr.contains("line 2: `vcpu` is `many`"), "{}", bad.stderr);
}

#[test]
fn a_prediction_is_given_in_whole_machines_in_every_data_form() {
    let world = indexed();
    let vm = ["predict", "sample.csv", "--granularity", "vm", "--replicas", "40", "--provider", "aws"];
    let answer = json_of(&world, &vm);
    let machines = &answer["instances"];
    assert_eq!(machines["replicas"], 40, "{answer}");
    assert_eq!(machines["cpu_cores"], answer["allocation"]["cpu_cores"]);
    assert_eq!(machines["memory_bytes"], answer["allocation"]["memory_bytes"]);
    assert_eq!(machines["choice"]["instance"]["provider"], "aws");
    assert_eq!(machines["choice"]["instance"]["arch"], "amd64");
    let runners = machines["runners_up"].as_array().unwrap();
    assert_eq!(runners.len(), 4);
    let price = |placement: &Value| placement["price_usd_hour"].as_f64().unwrap();
    assert!(runners.iter().all(|runner| price(runner) >= price(&machines["choice"])), "{machines}");
    let name = machines["choice"]["instance"]["name"].as_str().unwrap().to_owned();
    for form in ["table", "yaml", "csv", "jsonl"] {
        let text = world.run([&vm[..], &["-o", form]].concat()).expect_code(0).stdout;
        assert!(text.contains(&name), "{form}: {text}");
    }
    assert!(json_of(&world, &["predict", "sample.csv"]).get("instances").is_none());
    world.write("tiny.csv", "provider,name,vcpu,memory_gib,price_usd_hour\ndc,tiny,0.001,0.001,1\n");
    let tiny = world.run(["predict", "sample.csv", "--granularity", "vm", "--catalog", "tiny.csv"]).expect_code(4);
    let answer: Value = serde_json::from_str(&tiny.stdout).unwrap();
    assert!(answer["instances"]["choice"].is_null(), "{answer}");
    world.run([&vm[..], &["-o", "kubernetes-patch"]].concat()).expect_code(2);
}
