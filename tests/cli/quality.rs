//! `shadow info --quality`: what is odd about the data, counted by hand and against real slices.

use serde_json::{Value, json};

use crate::common::{World, real_slices};

fn quality(world: &World) -> Value {
    let answer = world.run(["info", "--quality", "-o", "json"]).expect_code(0);
    serde_json::from_str(&answer.stdout).unwrap()
}

/// Rows with one oddity of each kind: `a` has a gap of two windows and a row off its grid, `b` overlapping windows, one of them there twice, and use at
/// its limit; the last two rows are rejected.
const SERIES: &str = "workload,time_s,interval_s,cpu_cores,memory_bytes\n\
    a,0,60,1,100\na,60,60,1,100\na,120,60,1,100\na,180,60,1,100\na,360,60,1,100\na,430,60,1,100\n\
    b,0,60,0.5,50\nb,30,60,0.5,1000\nb,90,60,0.5,999\nb,90,60,0.7,1100\n\
    c,0,60,many,1\nc,60,60,NaN,1\n";
const FACTS: &str = "workload,start_s,end_s,limit_memory_bytes\na,0,490,\nb,,150,1000\n";

#[test]
fn what_is_odd_is_counted_by_source() {
    let world = World::new();
    world.write("series.csv", SERIES);
    world.write("facts.csv", FACTS);
    world.run(["ingest", "series.csv", "--workloads", "facts.csv"]).expect_code(0);
    let answer = quality(&world);
    let series = answer["sources"].as_array().unwrap().iter().find(|source| source["name"] == "series.csv").unwrap();
    assert_eq!(answer["total"], series["quality"], "the other one has no samples");
    let found = &series["quality"];
    assert_eq!(found["samples"], 9);
    assert_eq!((&found["gaps"], &found["missing_windows"]), (&json!(1), &json!(2)));
    // Of two rows of one time that differ, the first one of a user's table counts.
    assert_eq!((&answer["duplicates_dropped"], &found["merged_windows"]), (&json!(1), &json!(0)));
    assert_eq!(found["memory"], json!({"samples": 3, "above": 0, "at": 2}));
    let clock = json!({"end_before_start": 0, "overlapping": 1, "off_grid": 1, "outside_life": 0, "before_origin": 0});
    assert_eq!(found["clock"], clock);
    assert_eq!(found["runs"], 2);
    let rejects = series["rejects"].as_array().unwrap();
    let reasons: Vec<_> =
        rejects.iter().map(|reason| (reason["reason"].as_str().unwrap(), reason["rows"].as_u64())).collect();
    assert_eq!(reasons, [("not a number", Some(1)), ("number is not finite", Some(1))]);
    assert_eq!(
        rejects[0]["examples"][0],
        json!({"file": "series.csv", "row": 11, "detail": "column `cpu_cores`: found `many`"})
    );
}

#[test]
fn people_see_measures_then_sources_then_rejected_rows() {
    let world = World::new();
    world.write("series.csv", SERIES);
    world.write("facts.csv", FACTS);
    world.run(["ingest", "series.csv", "--workloads", "facts.csv"]).expect_code(0);
    let answer = world.run(["info", "--quality"]).expect_code(0);
    let lines: Vec<String> =
        answer.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for expected in [
        "windows missing there 2 11 18.2 % windows",
        "windows that overlap 1 9 11.1 % samples",
        "rows rejected 2 14 14.3 % rows",
        "not a number 1 `series.csv` row 11: column `cpu_cores`: found `many`",
    ] {
        assert!(lines.iter().any(|line| line == expected), "`{expected}` is not in\n{}", answer.stdout);
    }
    world.run(["info", "--quality", "--check"]).expect_code(2);
}

#[test]
fn real_slices_have_the_oddities_that_they_are_known_for() {
    let Some(slices) = real_slices("the quality of real slices") else { return };
    let ingested = |paths: &[&str]| {
        let world = World::new();
        let paths = paths.iter().map(|path| slices.join(path).to_string_lossy().into_owned());
        world.run(["-q".to_owned(), "ingest".to_owned()].into_iter().chain(paths)).expect_code(0);
        quality(&world)
    };
    let google = ingested(&["google-2011/task_usage", "google-2011/task_events"]);
    // The independent join: all 677 windows have a request, and 4 have a maximum of memory above it.
    let memory = &google["total"]["memory"];
    assert_eq!((&memory["samples"], &memory["above"]), (&json!(677), &json!(4)));
    let joined = ingested(&["google-2019/joined"]);
    // 11 surplus rows over 9 keys; 1.5 % of steps are longer than 300 s; 17,227 rows are in alloc sets and have no bound.
    let total = &joined["total"];
    assert_eq!((&total["samples"], &total["merged_windows"]), (&json!(105_636), &json!(9)));
    let share = total["gaps"].as_f64().unwrap() / 105_636.0;
    assert!((0.0145..0.0155).contains(&share), "{share}");
    let genai = ingested(&["alibaba-genai-2026/pod_memory_util_anon.csv.gz"]);
    assert_eq!(genai["total"]["merged_windows"], 1);
    assert_eq!(
        (&genai["rejects"][0]["reason"], &genai["rejects"][0]["rows"]),
        (&json!("container_ip is empty"), &json!(49))
    );
}
