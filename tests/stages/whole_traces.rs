//! From real slices to a replay, through the binary as a user runs it.

use std::path::Path;

use serde_json::Value;

use crate::common::{World, real_slices};

/// A sample of 60 s in cores and bytes.
fn sample(world: &World) {
    let rows: Vec<String> = (0..31).map(|at| format!("{},0.5,400000000", at * 2)).collect();
    world.write("sample.csv", format!("time_s,cpu_cores,memory_bytes\n{}\n", rows.join("\n")));
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Mean waste of memory at 5 % under-provision, per workload, with the owner's request as fallback.
fn waste_at_95(report: &Value, rival: &str) -> f64 {
    let entries = report["splits"][0]["equal_coverage"].as_array().unwrap();
    let entry = entries.iter().find(|entry| {
        entry["rival"] == rival
            && entry["resource"] == "memory"
            && entry["weighting"] == "workload"
            && entry["population"] == "with-fallback"
            && (entry["target"].as_f64().unwrap() - 0.05).abs() < 1e-12
    });
    entry.unwrap()["mean_waste"].as_f64().unwrap()
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// The gate of the first version: at 95 % coverage at most 0.8 of what persistence wastes, where similar work is stored.
#[test]
fn containers_are_sized_with_less_waste_than_persistence() {
    let Some(folder) = real_slices("whole_traces") else { return };
    let world = World::new();
    let (series, tasks) = (path(&folder, "containers-2s/series.csv.gz"), path(&folder, "containers-2s/tasks.csv.gz"));
    let mut line = vec!["ingest", &series, "--workloads", &tasks, "--format", "table"];
    for map in [
        "workload=id",
        "time_s=t_s",
        "cpu_cores=cpu_pct_of_one_core/100",
        "memory_bytes=mem_mib*1048576",
        "application=task",
        // Every series counts from its own start: no clock, so that replay takes folds and has many queries.
        "start_s=start_unix_s*1e-18",
        "requested_cpu_cores=requested_cpus",
        "requested_memory_bytes=requested_mem_bytes",
        "ignore=samples",
        "ignore=instance",
        "ignore=workflow",
        "ignore=files_output_num",
        "ignore=files_output_total_bytes",
    ] {
        line.extend(["--map", map]);
    }
    assert_eq!(world.run(line).code, Some(0));
    assert_eq!(world.run(["fingerprint", "--window", "60s"]).code, Some(0));
    let replay = |split: &str| {
        let answer =
            world.run(["replay", "--split", split, "--rivals", "persistence", "--feedback", "off", "-o", "json"]);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        json(&answer.stdout)
    };
    let report = replay("recurring");
    assert_eq!(report["splits"][0]["queries"], 942);
    let (shadow, persistence) = (waste_at_95(&report, "shadow"), waste_at_95(&report, "persistence"));
    assert!(shadow <= 0.8 * persistence, "{shadow} GiB against {persistence}");
    // The coverage that was asked for is what comes out, within three standard errors.
    let rows = report["splits"][0]["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| {
        row["rival"] == "shadow"
            && row["resource"] == "memory"
            && row["weighting"] == "workload"
            && row["population"] == "with-fallback"
            && row["group"] == "all"
    });
    let coverage = row.unwrap()["coverage"].as_f64().unwrap();
    assert!((coverage - 0.95).abs() < 3.0 * (0.95_f64 * 0.05 / 942.0).sqrt(), "{coverage}");
    let unseen = replay("unseen");
    assert_eq!(unseen["splits"][0]["queries"], 944);
    assert!(waste_at_95(&unseen, "shadow").is_finite());
}

#[test]
fn a_normalised_trace_runs_through_but_predicts_only_with_a_machine() {
    let Some(folder) = real_slices("whole_traces") else { return };
    let world = World::new();
    sample(&world);
    let joined = path(&folder, "google-2019/joined");
    assert_eq!(world.run(["ingest", &joined]).code, Some(0));
    let fingerprint = world.run(["fingerprint"]);
    assert_eq!(fingerprint.code, Some(0), "{}", fingerprint.stderr);
    assert!(fingerprint.stderr.contains("longer than 60s"), "{}", fingerprint.stderr);
    for split in ["recurring", "unseen"] {
        let answer = world.run(["replay", "--split", split, "--rivals", "persistence", "-o", "json"]);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        let report = json(&answer.stdout);
        assert!(report["units"]["memory"].as_str().unwrap().contains("largest machine"), "{}", report["units"]);
        assert!(report["splits"][0]["queries"].as_u64().unwrap() > 0);
    }
    let refused = world.run(["predict", "sample.csv"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{}", refused.stderr);
    for part in ["share of the largest machine", "--machine-cores", "--machine-memory"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    let machine = ["--machine-cores", "64", "--machine-memory", "256GiB"];
    assert_eq!(world.run([&["ingest", joined.as_str()], machine.as_slice()].concat()).code, Some(0));
    let answer = world.run(["predict", "sample.csv", "-o", "json"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let memory = json(&answer.stdout)["allocation"]["memory_bytes"].as_u64().unwrap();
    assert!((400_000_000..=256 << 30).contains(&memory), "{memory}");
}

/// All containers of the slice were running when the trace began: there is nothing to learn from, and every command
/// says so.
#[test]
fn containers_without_a_visible_start_are_replayed_to_an_empty_report() {
    let Some(folder) = real_slices("whole_traces") else { return };
    let world = World::new();
    sample(&world);
    let files = ["container_usage.csv", "container_cpuReq_cpuLim.csv.gz", "container_memReq.csv.gz"]
        .map(|name| path(&folder, &format!("alibaba-2018/{name}")));
    let ingest = [vec!["ingest"], files.iter().map(String::as_str).collect()].concat();
    assert_eq!(world.run(&ingest).code, Some(0));
    let fingerprint = world.run(["fingerprint"]);
    assert_eq!(fingerprint.code, Some(1));
    assert!(fingerprint.stderr.contains("8 of 8 runs were alive before"), "{}", fingerprint.stderr);
    let replay = world.run(["replay"]);
    assert_eq!(replay.code, Some(0), "{}", replay.stderr);
    assert!(replay.stderr.contains("nothing can be asked"), "{}", replay.stderr);
    let refused = world.run(["predict", "sample.csv"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("memory as a share of the largest machine"), "{}", refused.stderr);
    let machine = [ingest, vec!["--machine-memory", "512GiB"]].concat();
    assert_eq!(world.run(&machine).code, Some(0));
    let none = world.run(["predict", "sample.csv"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("no index") && none.stderr.contains("shadow fingerprint"), "{}", none.stderr);
}
