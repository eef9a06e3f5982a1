//! What stops an ingest from outside: no room, files that cannot be read, files that went away, archives that are cut. Each is said, with what
//! was kept.

use std::fmt::Write;
use std::process::Command;

use crate::common::World;

const SERIES: &str = "workload,time_s,cpu_cores,memory_bytes\na,0,1,100\na,10,2,200\nb,30,0.5,50\n";

/// A table whose rows do not fit into 50 KiB, packed or not.
fn large() -> String {
    let mut text = "workload,time_s,cpu_cores,memory_bytes\n".to_owned();
    for row in 0..40_000_u64 {
        let (cpu, memory) = (row * 7_919 % 1_000, row * 104_729 % 99_991);
        writeln!(text, "w{},{row},{}.{cpu},{memory}", row % 97, row % 3).unwrap();
    }
    text
}

fn samples(world: &World) -> u64 {
    let info = world.run(["info", "-o", "json"]).expect_code(0);
    let info: serde_json::Value = serde_json::from_str(&info.stdout).unwrap();
    info["totals"]["samples"].as_u64().unwrap()
}

#[test]
#[cfg(unix)]
fn without_room_the_store_stays_what_it_was_and_a_repetition_completes_it() {
    let world = World::new();
    world.write("small.csv", SERIES);
    world.write("large.csv", large());
    world.run(["ingest", "small.csv"]).expect_code(0);
    // No file may grow beyond 100 blocks: the system then says so, as it says that a disk is full.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" ingest large.csv", env!("CARGO_BIN_EXE_shadow")]);
    let output = command.current_dir(world.root()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("error: failed to write to file") && stderr.contains("waiting/run-"), "{stderr}");
    assert!(stderr.contains("hint: make room and repeat the command"), "{stderr}");
    assert_eq!(samples(&world), 3);
    world.run(["info", "--check"]).expect_code(0);
    world.run(["ingest", "large.csv"]).expect_code(0);
    assert_eq!(samples(&world), 40_003);
    assert!(!world.path("shadow-store/waiting").exists(), "what the first one left is gone");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_be_read_is_named_and_nothing_is_left_of_it() {
    let world = World::new();
    world.write("small.csv", SERIES);
    // Reading it fails for everybody, also for who may read any file.
    let answer = world.run(["ingest", "/proc/self/mem"]).expect_code(1);
    assert!(answer.stderr.contains("`/proc/self/mem`") && answer.stderr.contains("error: "), "{}", answer.stderr);
    assert!(!world.path("shadow-store").exists());
    world.run(["ingest", "small.csv"]).expect_code(0);
    world.run(["ingest", "/proc/self/mem"]).expect_code(1);
    assert_eq!(samples(&world), 3);
}

#[test]
#[cfg(unix)]
fn a_file_that_went_away_is_named_before_anything_is_read() {
    let world = World::new();
    world.write("folder/a.csv", SERIES);
    std::os::unix::fs::symlink("nowhere.csv", world.path("folder/b.csv")).unwrap();
    let answer = world.run(["ingest", "folder"]).expect_code(1);
    assert!(answer.stderr.contains("error: cannot read `folder/b.csv`"), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: see that it is there"), "{}", answer.stderr);
    assert!(!world.path("shadow-store").exists());
}

#[test]
fn of_a_cut_archive_nothing_is_kept_and_all_files_before_it_are() {
    let world = World::new();
    world.write("a.csv", SERIES);
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, text) in [("first.csv", SERIES.replace("\na", "\nc").replace("\nb", "\nd")), ("second.csv", large())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    let whole = archive.into_inner().unwrap().finish().unwrap();
    world.write("b.tar.gz", &whole[..whole.len() / 2]);
    let answer = world.run(["ingest", "a.csv", "b.tar.gz"]).expect_code(3);
    assert!(
        answer.stderr.contains("cannot read `b.tar.gz!second.csv`: the compressed stream ends early"),
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.contains("\n  at row ") && answer.stderr.contains("1 file before the failure"),
        "{}",
        answer.stderr
    );
    assert!(answer.stderr.contains("hint: get this file again and repeat the command"), "{}", answer.stderr);
    assert_eq!(samples(&world), 3);
    world.write("b.tar.gz", whole);
    world.run(["ingest", "a.csv", "b.tar.gz"]).expect_code(0);
    assert_eq!(samples(&world), 40_006);
}

#[test]
fn marks_remarks_carriage_returns_and_unnamed_columns_change_nothing() {
    let plain = World::new();
    plain.write("a.csv", SERIES);
    plain.run(["ingest", "a.csv"]).expect_code(0);
    let usage = |world: &World| {
        let info = world.run(["info", "-o", "json"]).expect_code(0);
        let info: serde_json::Value = serde_json::from_str(&info.stdout).unwrap();
        (info["totals"].clone(), info["tables"]["table/series"]["columns"].clone())
    };
    let indexed = SERIES.lines().enumerate().map(|(row, line)| {
        let number = row.checked_sub(1).map_or_else(String::new, |row| row.to_string());
        format!("{number},{line}\n")
    });
    for (what, text) in [
        ("a byte-order mark", format!("\u{feff}{SERIES}")),
        ("carriage returns", SERIES.replace('\n', "\r\n")),
        ("a header behind `#`", format!("#{SERIES}")),
        ("all of them", format!("\u{feff}#{}", SERIES.replace('\n', "\r\n"))),
        ("an unnamed column of row numbers", indexed.collect()),
    ] {
        let world = World::new();
        world.write("a.csv", text);
        world.run(["ingest", "a.csv"]).expect_code(0);
        let (found, expected) = (usage(&world), usage(&plain));
        assert_eq!(found.0, expected.0, "{what}");
        for column in ["workload", "time_s", "cpu_cores", "memory_bytes"] {
            assert_eq!(found.1[column], expected.1[column], "{what}: {column}");
        }
    }
}
