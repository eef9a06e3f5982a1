//! `shadow replay`: its three forms, what it says of units and splits, and what it refuses.

use crate::common::World;

/// Returns a world with a store of a synthetic trace.
fn replayable(format: &str, workloads: &str) -> World {
    let world = World::new();
    world.run(["synth", format, "--workloads", workloads, "--days", "1", "--seed", "3", "-o", "trace"]).expect_code(0);
    world.run(["ingest", "trace"]).expect_code(0);
    world
}

/// Rivals that are quick to ask.
const FEW: &str = "owner,persistence-2,oracle";

#[test]
fn a_table_tells_people_what_programs_get_as_json_and_csv() {
    let world = replayable("table", "60");
    let table = world.run(["replay", "--rivals", FEW]).expect_code(0);
    for expected in [
        "recurring split",
        "coverage 95 %, 15 or 60 neighbours, seed 1, feedback on",
        "\nmemory in GiB: ",
        "\nCPU in cores: ",
        "shadow answered by: ",
        "OOM kills",
        "  at 95 %  ",
        "GiB-hours",
        "of 14 workloads",
        "\npersistence-2 ",
        "\nclosed loop (F0): 14 runs led from the first answer to the end, ",
        "\nshadow-held ",
    ] {
        assert!(table.stdout.contains(expected), "no `{expected}`\n{}", table.stdout);
    }
    assert!(!table.stdout.contains("vpa-cold"), "{}", table.stdout);
    let json = world.run(["replay", "--rivals", FEW, "-o", "json"]).expect_code(0);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["window_seconds"], 60.0);
    let rivals = json["splits"][0]["rivals"].as_array().unwrap();
    let names: Vec<&str> = rivals.iter().map(|rival| rival["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["shadow", "owner", "persistence-2", "oracle"]);
    assert_eq!(json["provenance"]["machine"], "not stated");
    assert!(
        json["provenance"]["sources"][0]["digest"].as_str().is_some_and(|digest| digest.len() >= 16),
        "{}",
        json["provenance"]
    );
    for (block, least) in [("seen", 4), ("abstaining", 8), ("regret", 2), ("stated_intervals", 2)] {
        assert!(json["splits"][0][block].as_array().is_some_and(|rows| rows.len() >= least), "{block}");
    }
    let csv = world.run(["replay", "--rivals", FEW, "-o", "csv"]).expect_code(0);
    let mut lines = csv.stdout.lines();
    let columns = lines.next().unwrap().split(',').count();
    assert!(lines.clone().all(|line| line.split(',').count() == columns), "{}", csv.stdout);
    let rows = |name: &str| json["splits"][0][name].as_array().unwrap().len();
    // Three models, two resources, two weightings, two groups of lives for each rival and for shadow's held answer.
    assert_eq!(rows("closed_loop"), 3 * 2 * 2 * 2 * 5);
    assert_eq!(lines.count(), rows("rows") + rows("closed_loop"));
}

#[test]
fn a_normalised_trace_without_its_machine_is_replayed_in_shares() {
    let world = replayable("google-2019", "60");
    let answer = world.run(["replay", "--rivals", FEW, "--feedback", "off"]).expect_code(0);
    assert!(
        answer.stdout.contains("\nmemory in % of the largest machine: ")
            && answer.stdout.contains("\nCPU in % of the largest machine: "),
        "{}",
        answer.stdout
    );
    assert!(answer.stdout.contains("feedback off") && !answer.stdout.contains("OOM kills"), "{}", answer.stdout);
    assert!(
        answer
            .stderr
            .contains("hint: say how large the largest machine is, as in `shadow ingest PATH --machine-cores 64"),
        "{}",
        answer.stderr
    );
    world.run(["ingest", "trace", "--machine-cores", "64", "--machine-memory", "256GiB"]).expect_code(0);
    let answer = world.run(["replay", "--rivals", FEW, "--feedback", "off"]).expect_code(0);
    assert!(
        answer.stdout.contains("\nmemory in GiB: ") && answer.stdout.contains("\nCPU in cores: "),
        "{}",
        answer.stdout
    );
    assert!(!answer.stderr.contains("--machine-cores"), "{}", answer.stderr);
}

#[test]
fn leaky_figures_stand_only_beside_honest_ones() {
    let world = replayable("table", "60");
    let answer = world.run(["replay", "--rivals", "owner", "--split", "leaky", "--feedback", "off"]).expect_code(0);
    let honest = answer.stdout.find("recurring split").unwrap();
    let leaky = answer.stdout.find("\nleaky split").unwrap();
    let flattery = answer.stdout.find("\nhow much the leaky split flatters").unwrap();
    assert!(honest < leaky && leaky < flattery, "{}", answer.stdout);
}

#[test]
fn all_splits_stand_side_by_side() {
    let world = replayable("table", "60");
    let replay = |split: &str| {
        let more = ["--rivals", "owner", "--feedback", "off", "-o", "json", "--report", "page.html"];
        let answer = world.run(["replay", "--split", split].iter().chain(&more).copied()).expect_code(0);
        let json: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
        let splits = json["splits"].as_array().unwrap().iter();
        splits.map(|split| split["split"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(replay("unseen"), ["unseen"]);
    assert!(
        !std::fs::read_to_string(world.path("page.html")).unwrap().contains("How much hangs on having seen the like?")
    );
    assert_eq!(replay("unseen,recurring"), ["recurring", "unseen"]);
    assert_eq!(replay("all"), ["recurring", "unseen", "leaky"]);
    let page = std::fs::read_to_string(world.path("page.html")).unwrap();
    assert_eq!(page.matches("How much hangs on having seen the like?").count(), 1);
    assert_eq!(page.matches("<h2>How much leaking flatters</h2>").count(), 1);
    world.run(["replay", "--split", "recurring,everything"]).expect_code(2);
}

#[test]
fn wrong_options_and_an_empty_store_are_told_apart() {
    let world = World::new();
    let answer = world.run(["replay", "--rivals", "kruize"]).expect_code(2);
    assert!(answer.stderr.contains("there is no rival `kruize`: known are shadow, owner"), "{}", answer.stderr);
    world.run(["replay", "--coverage", "1.5"]).expect_code(2);
    world.run(["replay"]).expect_code(1);
    world.write("series.csv", "workload,time_s,cpu_cores,memory_bytes\na,0,1,100\na,10,2,200\n");
    world.run(["ingest", "series.csv"]).expect_code(0);
    let answer = world.run(["replay"]).expect_code(0);
    assert!(answer.stderr.contains("warning: nothing can be asked"), "{}", answer.stderr);
    assert!(answer.stdout.contains("asked: 0 workloads"), "{}", answer.stdout);
}

#[test]
fn a_gate_fails_a_pipeline_after_the_report() {
    let world = replayable("table", "60");
    let replay = |gate: &str, more: &[&str]| {
        let arguments = ["replay", "--rivals", "owner", "-o", "csv", "--gate", gate];
        world.run(arguments.iter().chain(more).copied())
    };
    let answer = replay("memory.coverage >= 0, cpu.answered = 1", &[]).expect_code(0);
    assert!(answer.stderr.contains("gate pass: `memory.coverage>=0`, reached "), "{}", answer.stderr);
    assert!(answer.stderr.contains("gate pass: `cpu.answered=1`, reached 1\n"), "{}", answer.stderr);

    let answer = replay("memory.coverage>=0,memory.waste<0", &[]).expect_code(4);
    assert!(answer.stdout.starts_with("split,window_seconds,rival,"), "the report comes first\n{}", answer.stdout);
    assert!(answer.stderr.contains("gate fail: `memory.waste<0`, reached "), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("error: the gate failed: 1 of 2 conditions not met: `memory.waste<0`"),
        "{}",
        answer.stderr
    );

    let answer = replay("memory.oom_free>=0", &["--feedback", "off"]).expect_code(4);
    assert!(
        answer.stderr.contains("gate fail: `memory.oom_free>=0`, there is no such figure: `--feedback off`"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_gate_that_cannot_be_understood_is_wrong_usage() {
    let world = World::new();
    let answer = world.run(["replay", "--gate", "memory.speed>=1"]).expect_code(2);
    assert!(
        answer.stderr.contains("there is no figure `memory.speed`: known are memory.coverage, memory.waste, "),
        "{}",
        answer.stderr
    );
    let answer = world.run(["replay", "--gate", "memory.coverage"]).expect_code(2);
    assert!(answer.stderr.contains("`memory.coverage` is not a condition"), "{}", answer.stderr);
}

#[test]
fn nothing_to_ask_meets_no_condition() {
    let world = World::new();
    world.write("series.csv", "workload,time_s,cpu_cores,memory_bytes\na,0,1,100\na,10,2,200\n");
    world.run(["ingest", "series.csv"]).expect_code(0);
    let answer = world.run(["replay", "--gate", "memory.coverage>=0"]).expect_code(4);
    assert!(answer.stderr.contains("no workload could be asked"), "{}", answer.stderr);
}

#[test]
fn windows_show_how_answers_improve() {
    let world = replayable("table", "60");
    let replay = |form| {
        let more = ["--rivals", "owner,persistence-2", "--feedback", "off", "--windows", "5m,60s", "-o", form];
        world.run(["replay"].iter().chain(&more).copied()).expect_code(0).stdout
    };
    let table = replay("table");
    for expected in
        ["\nseconds observed: ", "\nmemory, mean waste at 95 % coverage, GiB\n", "\nrival", "  60 s", "  300 s"]
    {
        assert!(table.contains(expected), "no `{expected}`\n{table}");
    }
    let json: serde_json::Value = serde_json::from_str(&replay("json")).unwrap();
    let rows = json["seconds_observed"]["rows"].as_array().unwrap();
    assert_eq!(json["seconds_observed"]["windows"][0]["window_seconds"], 60.0);
    // Two windows, two populations, three rivals, two resources.
    assert_eq!(rows.len(), 24);
    // The main replay is one of the windows, so its figures are there again.
    let found = rows.iter().find(|row| row["alive"] == "at-this-window" && row["rival"] == "shadow").unwrap();
    assert_eq!(found["coverage"], json["splits"][0]["rows"][0]["coverage"]);
    let csv = replay("csv");
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(header[1], "window_seconds");
    assert_eq!(csv.lines().filter(|line| line.contains(",at-every-window,")).count(), 12);
    let without: serde_json::Value = {
        let answer = world.run(["replay", "--rivals", "owner", "--feedback", "off", "-o", "json"]).expect_code(0);
        serde_json::from_str(&answer.stdout).unwrap()
    };
    assert!(without["seconds_observed"].is_null());
    world.run(["replay", "--windows", "soon"]).expect_code(2);
}

#[test]
fn a_report_is_one_page_that_needs_nothing_else() {
    let world = replayable("table", "60");
    let replay = |path: &str| {
        let arguments =
            ["replay", "--rivals", "owner,persistence-2", "--windows", "60s,5m", "-o", "csv", "--report", path];
        world.run(arguments)
    };
    let answer = replay("out/page.html").expect_code(0);
    assert!(answer.stderr.contains("wrote `out/page.html`, "), "{}", answer.stderr);
    let page = std::fs::read_to_string(world.path("out/page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{}", &page[..200]);
    for expected in
        ["How soon is the answer good?", "<svg viewBox=", "Where it was farthest off", "Files that were read"]
    {
        assert!(page.contains(expected), "no `{expected}`");
    }
    for forbidden in ["<script", "href=", "src=", "url(", "@import"] {
        assert!(!page.contains(forbidden), "`{forbidden}`");
    }
    assert!(!page.contains(&world.path("").to_string_lossy().into_owned()), "the page names folders of this machine");
    replay("again.html").expect_code(0);
    assert_eq!(page, std::fs::read_to_string(world.path("again.html")).unwrap());
    let left = std::fs::read_dir(world.path("out")).unwrap().count();
    assert_eq!(left, 1, "something was left beside the page");

    let answer = replay("out").expect_code(2);
    assert!(answer.stderr.contains("`out` is a folder") && answer.stdout.is_empty(), "{}", answer.stderr);
    let answer = replay("again.html/page.html").expect_code(1);
    assert!(answer.stderr.contains("again.html") && answer.stdout.is_empty(), "{}", answer.stderr);
}

#[test]
fn instances_without_a_series_are_asked_about_at_submission() {
    let world = World::new();
    let (mut tasks, mut instances) = (Vec::new(), Vec::new());
    for job in 0..60 {
        tasks.push(format!("{},j_{job},M1,20,100.0,{}.0,2\n", 60 * job, 2 + job % 5));
        for number in 0..2 {
            instances.push(format!("{},j_{job},M1,ins_{job}{number},20,50.0,0.{}\n", 60 * job, 2 + job % 5));
        }
    }
    world.write("sample_tasks.csv", tasks.concat());
    world.write("sample_instances.csv", instances.concat());
    world.run(["ingest", "sample_tasks.csv", "sample_instances.csv"]).expect_code(0);
    let without = world.run(["replay", "--rivals", "owner"]).expect_code(1);
    assert!(without.stderr.contains("`--window 0s` asks about them at submission"), "{}", without.stderr);
    let more = ["--window", "0s", "--split", "unseen", "--cuts", "0.4,0.6", "--tasks", "50", "--rivals", "owner"];
    let answer = world.run(["replay", "-o", "json", "--feedback", "off"].iter().chain(&more)).expect_code(0);
    assert!(answer.stderr.contains("50 of 120 instances are replayed"), "{}", answer.stderr);
    let json: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((&json["instances"]["tasks"], &json["instances"]["of_tasks"]), (&50.into(), &60.into()));
    assert_eq!(json["splits"][0]["basis"], "time-order");
    let cuts = json["splits"][0]["cuts_seconds"].as_array().unwrap();
    let [begin, calibration, _, end] = [0, 1, 2, 3].map(|at| cuts[at].as_f64().unwrap());
    assert!((calibration - begin - 0.4 * (end - begin)).abs() < 1e-3, "{cuts:?}");
}
