//! `shadow map`: files, streams, refusals, and the same map each time.

use std::fmt::Write;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Row;

use crate::common::World;
use crate::common::answers::{indexed, json_of};

fn rows(world: &World, name: &str) -> Vec<Row> {
    let file = std::fs::File::open(world.path(name)).unwrap();
    SerializedFileReader::new(file).unwrap().get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

/// Returns the cells of a column as text.
fn column(rows: &[Row], name: &str) -> Vec<String> {
    let cell = |row: &Row| row.get_column_iter().find(|(column, _)| *column == name).unwrap().1.to_string();
    rows.iter().map(cell).collect()
}

fn read(world: &World, name: &str) -> String {
    std::fs::read_to_string(world.path(name)).unwrap()
}

#[test]
fn one_run_writes_page_picture_and_table_of_one_map() {
    let world = indexed();
    let files = ["map", "-o", "map.html", "-o", "map.svg", "-o", "map.parquet"];
    let answer = world.run(files).expect_code(0);
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.contains("wrote `map.html`") && answer.stderr.contains("perplexity"), "{}", answer.stderr);
    let info = json_of(&world, &["info", "-o", "json"]);
    let stored = info["indexes"][0]["workloads"].as_u64().unwrap();
    let rows = rows(&world, "map.parquet");
    assert_eq!(rows.len() as u64, stored);
    assert!(column(&rows, "is_approximate").iter().all(|cell| cell == "false"));
    assert!(
        column(&rows, "application").contains(&"\"checkout-api\"".to_owned()),
        "{:?}",
        column(&rows, "application")
    );
    let page = read(&world, "map.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("checkout-api-0015"));
    assert!(read(&world, "map.svg").contains("<svg") && read(&world, "map.svg").contains("checkout-api"));
    // Again with another number of threads: the same bytes.
    let before = [read(&world, "map.html"), read(&world, "map.svg")];
    world.run(["--threads", "1"].into_iter().chain(files)).expect_code(0);
    assert_eq!([read(&world, "map.html"), read(&world, "map.svg")], before);
    let other = world.run(["map", "-o", "-", "--seed", "2"]).expect_code(0);
    assert!(other.stdout.starts_with("<svg") && other.stdout != before[1]);
}

#[test]
fn a_page_is_written_unless_another_file_is_named() {
    let world = indexed();
    let before = world.files();
    world.run(["-q", "map"]).expect_code(0);
    let mut expected = before.clone();
    expected.push("map.html".to_owned());
    expected.sort();
    assert_eq!(world.files(), expected);
    let picture = world.run(["map", "-o", "-"]).expect_code(0);
    assert!(picture.stdout.starts_with("<svg") && picture.stdout.ends_with("</svg>\n"));
}

#[test]
fn a_newcomer_is_placed_among_its_nearest_and_marked() {
    let world = indexed();
    let answer = world.run(["map", "--place", "sample.csv", "-o", "map.svg", "-o", "map.parquet"]).expect_code(0);
    assert!(answer.stderr.contains("`a` is placed approximately, nearest to `checkout-api-"), "{}", answer.stderr);
    assert!(read(&world, "map.svg").contains("a (approximate)"));
    let rows = rows(&world, "map.parquet");
    let names = column(&rows, "workload");
    let approximate = column(&rows, "is_approximate");
    assert_eq!(names.last().unwrap(), "\"a\"");
    assert_eq!(approximate.iter().filter(|cell| *cell == "true").count(), 1);
    // It lies inside the box of the five stored ones that are nearest by fingerprint, but for a little.
    let nearest = json_of(&world, &["neighbours", "sample.csv", "-k", "15"]);
    let wanted: Vec<String> =
        nearest["neighbours"].as_array().unwrap().iter().map(|one| one["workload"].to_string()).collect();
    for axis in ["x", "y"] {
        let places: Vec<f64> = column(&rows, axis).iter().map(|cell| cell.parse().unwrap()).collect();
        let of = |name: &String| places[names.iter().position(|one| one == name).unwrap()];
        let (low, high) = wanted.iter().map(of).fold((f64::MAX, f64::MIN), |(l, h), at| (l.min(at), h.max(at)));
        let own = *places.last().unwrap();
        assert!((low..=high).contains(&own), "{axis}: {own} in {low}..{high}");
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_with_a_hint() {
    let world = indexed();
    let answer = world.run(["map", "--color-by", "colour", "-o", "map.svg"]).expect_code(2);
    assert!(
        answer.stderr.contains("nothing named `colour`") && answer.stderr.contains("application"),
        "{}",
        answer.stderr
    );
    let answer = world.run(["map", "-o", "map.png"]).expect_code(2);
    assert!(answer.stderr.contains("`.html`, `.svg` or `.parquet`"), "{}", answer.stderr);
    world.run(["map", "--perplexity", "1"]).expect_code(2);
    world.run(["map", "--workloads", "x.csv"]).expect_code(2);
    std::fs::create_dir(world.path("folder.svg")).unwrap();
    let answer = world.run(["map", "-o", "folder.svg"]).expect_code(2);
    assert!(answer.stderr.contains("`folder.svg` is a folder"), "{}", answer.stderr);
    world.run(["map", "--window", "5m"]).expect_code(1);
    assert!(!world.files().iter().any(|name| name.starts_with("map.")), "{:?}", world.files());
}

#[test]
fn a_file_is_replaced_only_when_the_map_is_whole() {
    let world = indexed();
    world.write("map.svg", "old");
    world.run(["map", "--color-by", "nothing", "-o", "map.svg"]).expect_code(2);
    assert_eq!(read(&world, "map.svg"), "old");
    world.run(["-q", "map", "-o", "map.svg"]).expect_code(0);
    assert!(read(&world, "map.svg").starts_with("<svg"));
    assert!(!world.files().iter().any(|name| name.contains("writing")), "{:?}", world.files());
}

#[test]
fn a_sample_of_a_large_store_is_said() {
    let world = indexed();
    let answer = world.run(["map", "--points", "20", "-o", "map.parquet"]).expect_code(0);
    assert_eq!(rows(&world, "map.parquet").len(), 20);
    assert!(answer.stderr.contains("a sample of "), "{}", answer.stderr);
}

#[test]
fn workloads_that_do_not_differ_have_no_map() {
    let world = World::new();
    let mut text = "workload,time_s,cpu_cores,memory_bytes\nother,0,1,1000000\nother,400,1,1000000\n".to_owned();
    for workload in 0..30 {
        for second in [100, 120, 140, 160, 180] {
            writeln!(text, "w{workload},{second},1,1000000").unwrap();
        }
    }
    world.write("series.csv", &text);
    world.run(["-q", "ingest", "series.csv"]).expect_code(0);
    world.run(["-q", "fingerprint"]).expect_code(0);
    let answer = world.run(["map"]).expect_code(1);
    assert!(answer.stderr.contains("there is nothing to map"), "{}", answer.stderr);
}
