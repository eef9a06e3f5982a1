//! Does a coverage mean what it says? Nominal against reached.

use super::chart::{Axis, Figure, Line};
use super::html::{details, number, paragraph, put, table, words};
use super::numbers::{amount, count, percent};
use super::view::{SHADOW, View, name_of};
use crate::replay::results::{CurvePoint, Population, Resource, Weighting};

pub(super) fn section(view: &View<'_>) -> String {
    let mut html = "<h2>Does the stated coverage hold?</h2>\n".to_owned();
    html.push_str(&paragraph(
        "Each point is one value of --coverage: across, what was asked for; upwards, the share of workloads whose need fitted. On the \
         dashed line both are the same. Below it shadow promises more than it keeps; above it, it gives more than it had to. Where shadow does \
         not answer, which high coverages make more frequent, the owner's request stands in and counts.",
    ));
    let figures: String =
        Resource::ALL.into_iter().filter_map(|resource| figure(view, resource)).map(|one| one.html()).collect();
    put(&mut html, format_args!("<div class=\"figures\">\n{figures}</div>\n"));
    let rows: Vec<Vec<_>> = Resource::ALL
        .into_iter()
        .flat_map(|resource| points(view, resource).map(move |(asked, reached)| (resource, asked, reached)))
        .map(|(resource, asked, reached)| {
            vec![
                words(name_of(resource)),
                number(percent(Some(asked))),
                number(percent(Some(reached))),
                number(format!("{:+.1} points", (reached - asked) * 100.0)),
            ]
        })
        .collect();
    let header = ["resource", "asked for", "reached", "difference"];
    html.push_str(&details(
        "The numbers behind these figures",
        &table("Nominal and reached coverage of shadow", &header, &rows),
    ));
    html.push_str(&intervals(view));
    html
}

/// Whether the stated intervals hold.
fn intervals(view: &View<'_>) -> String {
    let rows: Vec<Vec<_>> = view
        .split
        .stated_intervals
        .iter()
        .map(|row| {
            let weight = if row.weighting == Weighting::Workload { "workload" } else { "resource-hour" };
            vec![
                words(name_of(row.resource)),
                words(weight),
                number(count(row.workloads)),
                number(percent(Some(row.nominal))),
                number(percent(row.inside)),
                number(percent(row.below_upper)),
                number(amount(row.width_median.map(f64::exp))),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = [
        "resource",
        "weight",
        "workloads",
        "shall be inside",
        "inside",
        "at most at its upper end",
        "upper / lower, median",
    ];
    table("The intervals that shadow states beside its answers", &header, &rows)
}

/// Returns what was asked and what was reached, without margins on top.
fn points(view: &View<'_>, resource: Resource) -> impl Iterator<Item = (f64, f64)> {
    let is_plain = move |point: &&CurvePoint| {
        (point.rival, point.resource, point.weighting, point.population)
            == (SHADOW, resource, Weighting::Workload, Population::WithFallback)
            && point.margin.abs() < 1e-12
    };
    view.split.curves.iter().filter(is_plain).filter_map(|point| Some((point.knob, 1.0 - point.under_provision_rate?)))
}

fn figure(view: &View<'_>, resource: Resource) -> Option<Figure> {
    let points: Vec<(f64, f64)> = points(view, resource).collect();
    let least = points.iter().map(|(asked, reached)| asked.min(*reached)).min_by(f64::total_cmp)?;
    let low = (least * 10.0).floor() / 10.0;
    let show = |share: f64| format!("{}%", (share * 100.0).round());
    let name = name_of(resource);
    let near = |asked: f64| points.iter().find(|point| (point.0 - asked).abs() < 1e-9);
    let found: Vec<String> = [0.9, 0.95, 0.98]
        .into_iter()
        .filter_map(near)
        .map(|(asked, reached)| format!("asked {}, reached {}", percent(Some(*asked)), percent(Some(*reached))))
        .collect();
    let ringed = near(view.report.coverage).copied().into_iter().collect();
    Some(Figure {
        id: format!("{}coverage-{name}", view.prefix),
        title: format!("{} of shadow: coverage reached against coverage asked for", super::curves::capital(name)),
        description: format!("Points near the diagonal keep what they promise: {}.", found.join("; ")),
        x: Axis::linear("asked for", (low, 1.0), show),
        y: Axis::linear("reached", (low, 1.0), show),
        lines: vec![Line { style: 0, points, has_markers: true, ringed, ..Line::default() }],
        guide: vec![(low, low), (1.0, 1.0)],
    })
}
