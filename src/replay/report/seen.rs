//! How much of its need a workload has shown by some time: what no method can read off a window.

use super::chart::{Axis, Figure, Line, key};
use super::curves::capital;
use super::html::{Cell, details, number, paragraph, put, table, words};
use super::numbers::{amount, count, percent, seconds};
use super::view::{View, name_of};
use crate::replay::results::{Resource, Weighting};
use crate::replay::seen::SeenRow;

/// A line: its name and what it shows.
type Shown = (&'static str, fn(&SeenRow) -> Option<f64>);

const LINES: [Shown; 4] = [
    ("half of the workloads have shown at least", |row| row.share_p50),
    ("three in four at least", |row| row.share_p25),
    ("nine in ten at least", |row| row.share_p10),
    ("share of workloads that have shown everything", |row| row.whole),
];

pub(super) fn section(view: &View<'_>) -> String {
    if view.split.seen.is_empty() {
        return String::new();
    }
    let mut html = "<h2>How much of the need can be seen so early?</h2>\n".to_owned();
    html.push_str(&paragraph(&format!(
        "The largest use so far, as a share of what the workload turns out to need; workloads that have ended have shown everything. The \
         dashed line is the window of this replay, {}: what lies above the lines there has to come from other workloads, or from a margin.",
        seconds(view.report.window_seconds)
    )));
    html.push_str("<ul class=\"key\">\n");
    for (style, (name, _)) in LINES.iter().enumerate() {
        html.push_str(&key(style, name));
    }
    html.push_str("</ul>\n");
    let figures: String =
        Resource::ALL.into_iter().filter_map(|resource| figure(view, resource)).map(|one| one.html()).collect();
    put(&mut html, format_args!("<div class=\"figures\">\n{figures}</div>\n"));
    let header = [
        "after",
        "resource",
        "weight",
        "workloads",
        "still alive",
        "have shown everything",
        "lowest tenth",
        "lowest quarter",
        "median",
        "median of the living",
    ];
    let rows: Vec<Vec<Cell>> = view.split.seen.iter().map(cells).collect();
    html.push_str(&details(
        "The numbers behind these figures",
        &table("Share of the need that was in use by then", &header, &rows),
    ));
    html
}

fn cells(row: &SeenRow) -> Vec<Cell> {
    vec![
        words(seconds(row.seconds)),
        words(name_of(row.resource)),
        words(if row.weighting == Weighting::Workload { "workload" } else { "resource-hour" }),
        number(count(row.workloads)),
        number(count(row.alive)),
        number(percent(row.whole)),
        number(percent(row.share_p10)),
        number(percent(row.share_p25)),
        number(percent(row.share_p50)),
        number(percent(row.share_p50_of_alive)),
    ]
}

fn figure(view: &View<'_>, resource: Resource) -> Option<Figure> {
    let is_shown = |row: &&SeenRow| (row.resource, row.weighting) == (resource, Weighting::Workload);
    let rows: Vec<&SeenRow> = view.split.seen.iter().filter(is_shown).collect();
    let (first, last) = (rows.first()?.seconds, rows.last()?.seconds);
    let lines: Vec<Line> = LINES
        .iter()
        .enumerate()
        .map(|(style, (_, value))| Line {
            style,
            points: rows.iter().filter_map(|row| Some((row.seconds, value(row)?))).collect(),
            has_markers: true,
            ..Line::default()
        })
        .collect();
    let window = view.report.window_seconds;
    let at_window = rows.iter().rev().find(|row| row.seconds <= window);
    let found = at_window.map_or_else(String::new, |row| {
        format!(
            "After {} half of the workloads have shown at least {} of their need, and {} have shown all of it.",
            seconds(row.seconds),
            percent(row.share_p50),
            percent(row.whole)
        )
    });
    let name = name_of(resource);
    Some(Figure {
        id: format!("{}seen-{name}", view.prefix),
        title: format!(
            "{}: share of the need that was in use by then, every workload weighing the same",
            capital(name)
        ),
        description: format!("Share of the need seen against time since the start, logarithmic. {found}"),
        x: Axis::logarithmic("time since the start", (first * 0.8, (last * 1.25).max(first * 2.0)), |at| {
            amount(Some(at))
        })
        .with_ticks(rows.iter().map(|row| (row.seconds, seconds(row.seconds))).collect()),
        y: Axis::linear("share", (0.0, 1.0), |share| format!("{}%", (share * 100.0).round())),
        lines,
        guide: vec![(window, 0.0), (window, 1.0)],
    })
}
