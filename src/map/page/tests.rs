//! What the page holds, and that nothing of a trace leaves its place there.

use super::super::testing::chart;
use super::*;

fn json_of(html: &str) -> serde_json::Value {
    let (_, rest) = html.split_once("<script id=\"data\" type=\"application/json\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn names_stay_inside_the_data() {
    let chart = chart();
    let html = page(&chart, chart.columns.first());
    let (_, after) = html.split_once("type=\"application/json\">").unwrap();
    let (data, after) = after.split_once("</script>").unwrap();
    assert!(!data.contains('<') && !html.contains(['\u{1b}', '\u{202e}']), "{data}");
    assert!(!after.contains("onerror"), "the rest of the page holds a name");
    assert_eq!(html.matches("<script").count(), 2);
    let json = json_of(&html);
    assert_eq!(json["names"][1], "</script><img src=x onerror=alert(1)>&\"'\u{fffd}\u{fffd}{{data}}");
}

#[test]
fn the_page_asks_nothing_of_the_network() {
    let chart = chart();
    let html = page(&chart, None);
    assert!(html.contains("default-src 'none'"));
    let without_namespace = html.replace("http://www.w3.org/2000/svg", "");
    for mark in ["http:", "https:", "src=\"", "href=", "url(", "@import", "fetch(", "{{"] {
        let outside_of_names = without_namespace.replace("{{data}}", "");
        assert!(!outside_of_names.contains(mark), "`{mark}`");
    }
}

#[test]
fn the_script_finds_what_it_reads() {
    let chart = chart();
    let json = json_of(&page(&chart, chart.columns.get(1)));
    assert_eq!(json["coloured"], 1);
    assert_eq!(json["x"], serde_json::json!([0.0, 65_535.0, 65_535.0, 0.0, 19_661.0]));
    assert_eq!(json["y"][0], 32_768.0, "the second axis points up");
    assert_eq!((&json["before"][2], &json["equal"][2], &json["equal"][0]), (&1.into(), &2.into(), &1.into()));
    assert_eq!(json["outlines"][0], serde_json::json!([1.0, "V-z", 2048.0, "0zV"]));
    assert_eq!(json["columns"][0]["classes"], "AAABJ");
    assert_eq!(json["columns"][1]["values"][3], 123_460_000.0);
    assert_eq!(json["newcomers"][0]["x"], 32_768.0);
    for column in json["columns"].as_array().unwrap() {
        let counts = column["legend"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap());
        assert_eq!(counts.sum::<u64>(), 5);
    }
}

#[test]
fn a_chart_without_columns_or_outlines_is_a_page() {
    let chart = Chart { columns: Vec::new(), outlines: Vec::new(), newcomers: Vec::new(), ..chart() };
    let json = json_of(&page(&chart, None));
    assert_eq!(json["columns"][0]["legend"][0]["label"], "workloads");
}
