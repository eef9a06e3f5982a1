//! The splits that were replayed, side by side: how much the answer hangs on having seen the like before.

use super::chart::{Axis, Figure, Line, STYLES};
use super::curves::capital;
use super::html::{Cell, details, escape, number, paragraph, put, table, words};
use super::numbers::{amount, count, percent, range};
use super::view::{SHADOW, View, name_of, weighing};
use crate::replay::params::Split;
use crate::replay::results::{EqualCoverage, Population, Resource, Weighting};

/// Share of the room of a split over which its methods are spread.
const SPREAD: f64 = 0.7;

/// Nothing for one split.
pub(super) fn section(views: &[View<'_>]) -> String {
    let Some(first) = views.first().filter(|_| views.len() > 1) else { return String::new() };
    let mut html = "<h2>How much hangs on having seen the like?</h2>\n".to_owned();
    // The first split has its finding above.
    for sentence in views.iter().skip(1).filter_map(sentence) {
        put(&mut html, format_args!("<p class=\"lead\">{}</p>\n", escape(&sentence)));
    }
    let told: Vec<&str> = views.iter().map(|view| told(view.split.split)).collect();
    html.push_str(&paragraph(&format!(
        "Every split that was replayed, at {} coverage. {} Bars are 95 % intervals; where there is none, there are too few applications, or users, for one.",
        percent(Some(1.0 - first.target)),
        told.join(" ")
    )));
    html.push_str(&first.key());
    let mut figures = String::new();
    let mut rows = Vec::new();
    for resource in Resource::ALL {
        for weighting in Weighting::ALL {
            figures.push_str(&figure(views, resource, weighting).map(|one| one.html()).unwrap_or_default());
            rows.extend(views.iter().flat_map(|view| rows_of(view, resource, weighting)));
        }
    }
    put(&mut html, format_args!("<div class=\"figures\">\n{figures}</div>\n"));
    let header = ["method", "split", "workloads", "resource", "weight", "mean waste", "its interval"];
    let name = format!("Mean waste at {} coverage by split", percent(Some(1.0 - first.target)));
    html.push_str(&details("The numbers behind these figures", &table(&name, &header, &rows)));
    html
}

/// Says what a split is.
const fn told(split: Split) -> &'static str {
    match split {
        Split::Recurring => "Recurring: other runs of the application were known.",
        Split::Unseen => "Unseen: nothing of the application was.",
        Split::Leaky => {
            "Leaky: the store held the future as well; how far it lies below recurring is how far such figures flatter."
        }
    }
}

/// Says what shadow and the best other method waste of memory in a split.
fn sentence(view: &View<'_>) -> Option<String> {
    let what = match view.split.split {
        Split::Recurring => "Where the application had run before",
        Split::Unseen => "Where nothing of the kind was ever seen",
        Split::Leaky => "With a store that leaks, which is no honest figure",
    };
    let waste = |family| view.waste_at_target(family, Resource::Memory, Weighting::Workload);
    if view.split.queries == 0 {
        return None;
    }
    let at = percent(Some(1.0 - view.target));
    let Some(own) = waste(SHADOW) else {
        return Some(format!("{what}, no setting of shadow covers {at} of the memory needs."));
    };
    let others = view.families().iter().filter(|family| **family != SHADOW);
    let best = others.filter_map(|family| Some((*family, waste(family)?))).min_by(|a, b| a.1.total_cmp(&b.1));
    let beside = best.map_or_else(String::new, |(family, waste)| {
        let who = if waste < own { "less is wasted by" } else { "the best other method is" };
        format!("; {who} {family}, {}", amount(Some(waste)))
    });
    Some(format!(
        "{what}, shadow wastes {} {} at {at} coverage{beside}.",
        amount(Some(own)),
        view.unit(Resource::Memory)
    ))
}

fn entry<'a>(view: &View<'a>, family: &str, resource: Resource, weighting: Weighting) -> Option<&'a EqualCoverage> {
    view.split.equal_coverage.iter().find(|entry| {
        (entry.rival, entry.resource, entry.weighting, entry.population)
            == (family, resource, weighting, Population::WithFallback)
            && (entry.target - view.target).abs() < 1e-9
    })
}

fn rows_of(view: &View<'_>, resource: Resource, weighting: Weighting) -> Vec<Vec<Cell>> {
    let factor = view.factor(resource);
    let row = |family: &&'static str| {
        let entry = entry(view, family, resource, weighting)?;
        let ends = entry.interval.map(|(low, high)| (low * factor, high * factor));
        Some(vec![
            words(*family),
            words(super::name_of(view.split.split)),
            number(count(view.split.queries)),
            words(name_of(resource)),
            words(if weighting == Weighting::Workload { "workload" } else { "resource-hour" }),
            number(amount(entry.mean_waste.map(|waste| waste * factor))),
            number(range(ends, amount)),
        ])
    };
    view.families().iter().filter_map(row).collect()
}

fn figure(views: &[View<'_>], resource: Resource, weighting: Weighting) -> Option<Figure> {
    let first = views.first()?;
    let factor = first.factor(resource);
    // What has no mark of its own in the key is in the table.
    let families = &first.families()[..first.families().len().min(STYLES)];
    let mut lines = Vec::new();
    let mut found = Vec::new();
    for (position, view) in views.iter().enumerate() {
        let name = super::name_of(view.split.split);
        for (at, family) in families.iter().enumerate() {
            let Some(entry) = entry(view, family, resource, weighting) else { continue };
            let Some(waste) = entry.mean_waste.map(|waste| waste * factor).filter(|waste| *waste > 0.0) else {
                continue;
            };
            let middle = (families.len().max(2) - 1) as f64 / 2.0;
            let x = position as f64 + (at as f64 - middle) / (2.0 * middle) * SPREAD;
            let spans = entry.interval.map(|(low, high)| (x, low * factor, high * factor));
            lines.push(Line {
                style: first.style(family),
                points: vec![(x, waste)],
                has_markers: true,
                spans: spans.into_iter().collect(),
                ..Line::default()
            });
            found.push(format!("{name}: {family} {}", amount(Some(waste))));
        }
    }
    let wastes: Vec<f64> = lines.iter().map(|line| line.points[0].1).collect();
    let ends = || lines.iter().flat_map(|line| line.spans.iter().flat_map(|(_, low, high)| [*low, *high]));
    let low = wastes.iter().copied().chain(ends()).filter(|end| *end > 0.0).min_by(f64::total_cmp)?;
    let high = wastes.iter().copied().chain(ends()).max_by(f64::total_cmp)?;
    // An interval that reaches down to nothing must not squeeze everything else.
    let low = low.max(wastes.iter().copied().min_by(f64::total_cmp)? / 20.0);
    let ticks = views.iter().zip(0..).map(|(view, at)| (f64::from(at), super::name_of(view.split.split).to_owned()));
    let (name, unit) = (name_of(resource), first.unit(resource));
    let across = views.len() as f64 - 0.5;
    Some(Figure {
        id: format!("sides-{name}-{}", if weighting == Weighting::Workload { "workload" } else { "hours" }),
        title: format!("{} in {unit}, {}", capital(name), weighing(weighting)),
        description: format!(
            "Mean waste by split, one mark per method, in the order of the key. {}.",
            found.join("; ")
        ),
        x: Axis::linear("", (-0.5, across), |_| String::new()).with_ticks(ticks.collect()),
        y: Axis::logarithmic(&format!("mean waste, {unit}"), (low * 0.85, high * 1.15), |value| {
            format!("{}", (value * 1e6).round() / 1e6)
        }),
        lines,
        guide: Vec::new(),
    })
}
