//! Waste against the under-provision rate, one curve per family of rivals.

use super::chart::{Axis, Figure, Line};
use super::html::{Cell, details, number, paragraph, table, words};
use super::numbers::{amount, percent};
use super::view::{View, name_of, weighing};
use crate::replay::results::{CurvePoint, Population, Resource, Weighting};

/// Most decades of waste in a figure: below, curves are about nothing.
const MOST_WASTE_RATIO: f64 = 3000.0;
/// The share of a rate of nothing, relative to one workload in all.
const BELOW_ONE: f64 = 0.4;

pub(super) fn section(view: &View<'_>) -> String {
    let mut html = "<h2>How much is wasted at which risk</h2>\n".to_owned();
    html.push_str(&paragraph(
        "Every method has a knob: turned one way it gives less and fails more often, turned the other way it wastes. A curve \
         further down and to the left is better; compare methods only at the same height or the same place across, never by their \
         defaults. Rings mark published or default settings. Both axes are logarithmic; points at the left edge never failed, and of those the cheapest is drawn.",
    ));
    html.push_str(&view.key());
    html.push_str("<div class=\"figures\">\n");
    let mut rows = Vec::new();
    for resource in Resource::ALL {
        for weighting in Weighting::ALL {
            html.push_str(&figure(view, resource, weighting).map(|figure| figure.html()).unwrap_or_default());
            rows.extend(points(view, resource, weighting).map(|point| row(view, point)));
        }
    }
    html.push_str("</div>\n");
    let header = ["method", "resource", "weight", "knob", "margin", "too small", "mean waste", "published"];
    html.push_str(&details("The numbers behind these figures", &table("Sweeps of all methods", &header, &rows)));
    html
}

fn points<'a>(view: &View<'a>, resource: Resource, weighting: Weighting) -> impl Iterator<Item = &'a CurvePoint> {
    let families: Vec<&str> = view.families().to_vec();
    view.split.curves.iter().filter(move |point| {
        (point.resource, point.weighting, point.population) == (resource, weighting, Population::WithFallback)
            && families.contains(&point.rival)
    })
}

fn row(view: &View<'_>, point: &CurvePoint) -> Vec<Cell> {
    let weight = match point.weighting {
        Weighting::Workload => "workload",
        Weighting::ResourceHour => "resource-hour",
    };
    vec![
        words(point.rival),
        words(name_of(point.resource)),
        words(weight),
        number(amount(Some(point.knob))),
        number(amount(Some(point.margin))),
        number(percent(point.under_provision_rate)),
        number(amount(point.mean_waste.map(|waste| waste * view.factor(point.resource)))),
        words(if point.published { "yes" } else { "" }),
    ]
}

fn figure(view: &View<'_>, resource: Resource, weighting: Weighting) -> Option<Figure> {
    let factor = view.factor(resource);
    // A rate of nothing has no place on a logarithmic axis: it stands at its edge.
    let edge = BELOW_ONE / view.split.queries.max(1) as f64;
    let least = points(view, resource, weighting)
        .filter_map(|point| point.under_provision_rate.filter(|rate| *rate > 0.0))
        .fold(0.2, f64::min);
    let edge = edge.min(least * 0.7).max(1e-6);
    let of = |point: &CurvePoint| {
        let (rate, waste) = (point.under_provision_rate?, point.mean_waste? * factor);
        (waste > 0.0).then_some((rate.max(edge), waste))
    };
    let mut lines = Vec::new();
    for family in view.families() {
        let mut line = Line { style: view.style(family), has_markers: true, ..Line::default() };
        let mut own: Vec<(f64, f64, bool)> = points(view, resource, weighting)
            .filter(|point| point.rival == *family)
            .filter_map(|point| of(point).map(|(rate, waste)| (rate, waste, point.published)))
            .collect();
        // Of the settings that never failed the cheapest says everything; the others are in the table.
        let safest = own.iter().filter(|one| one.0 <= edge).map(|one| one.1).min_by(f64::total_cmp);
        own.retain(|one| one.2 || one.0 > edge || Some(one.1) == safest);
        line.points = own.iter().map(|one| (one.0, one.1)).collect();
        line.ringed = own.iter().filter(|one| one.2).map(|one| (one.0, one.1)).collect();
        lines.push(line);
    }
    let wastes: Vec<f64> = lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)).collect();
    let high = wastes.iter().copied().max_by(f64::total_cmp)?;
    let low = wastes.iter().copied().min_by(f64::total_cmp)?.max(high / MOST_WASTE_RATIO);
    let ticks = rate_ticks(edge);
    let (name, unit) = (name_of(resource), view.unit(resource));
    Some(Figure {
        id: format!(
            "{}waste-{name}-{}",
            view.prefix,
            if weighting == Weighting::Workload { "workload" } else { "hours" }
        ),
        title: format!("{} in {unit}, {}", capital(name), weighing(weighting)),
        description: format!(
            "Mean waste of {name} in {unit} against the share of workloads that were given too little, one line per method, both \
             axes logarithmic. {} The table below the figures has every point.",
            finding(view, resource, weighting)
        ),
        x: Axis::logarithmic("share given too little", (edge, 1.0), label).with_ticks(ticks),
        y: Axis::logarithmic(&format!("mean waste, {unit}"), (low * 0.9, high * 1.1), plain),
        lines,
        guide: vec![(view.target, low * 0.9), (view.target, high * 1.1)],
    })
}

/// Says what the dashed line crosses.
fn finding(view: &View<'_>, resource: Resource, weighting: Weighting) -> String {
    let crossed: Vec<String> = view
        .families()
        .iter()
        .filter_map(|family| {
            let waste = view.waste_at_target(family, resource, weighting)?;
            Some(format!("{family} {}", amount(Some(waste))))
        })
        .collect();
    if crossed.is_empty() {
        return "No method can be read off at the coverage that was asked for.".to_owned();
    }
    format!("At {} coverage, the dashed line: {}.", percent(Some(1.0 - view.target)), crossed.join(", "))
}

/// Returns the ticks of a logarithmic axis of rates that begins at `edge`, the most useful ones first.
pub(super) fn rate_ticks(edge: f64) -> Vec<(f64, String)> {
    let mut ticks = vec![(edge, "none".to_owned())];
    ticks.extend([1.0, 0.1, 0.01, 0.05, 0.001, 0.0001, 0.3, 0.02, 0.5, 0.2, 0.005].map(|rate| (rate, label(rate))));
    ticks
}

fn label(rate: f64) -> String {
    format!("{}%", plain(rate * 100.0))
}

/// Returns a number of a tick, which is round.
fn plain(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    format!("{rounded}")
}

/// Returns a sentence's first word.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
