//! Whom shadow helps and whom it hurts: the parts of the queries, beside the owner's requests.

use super::html::{Cell, details, number, paragraph, table, words};
use super::numbers::{amount, count, percent};
use super::view::{OWNER, SHADOW, View, name_of, weighing};
use crate::replay::results::{Population, Resource, Row, Weighting};
use crate::replay::score::Dimension;

/// A part whose coverage lies so much below what was asked for is covered too little (our value: the tolerance of the
/// calibration goal).
const TOLERANCE: f64 = 0.02;
/// Parts with fewer workloads say little (our value).
const FEW: u64 = 20;

pub(super) fn section(view: &View<'_>) -> String {
    let mut html = "<h2>Whom it helps, and whom it hurts</h2>\n".to_owned();
    html.push_str(&paragraph(&format!(
        "An average hides who pays for it. For each part of the workloads: is the coverage that was asked for ({}) kept within {} points, \
         and is less wasted than with the owners' requests? Parts overlap, and a question that does not part these workloads is left out. The \
         bar is the share of the owners' waste that is left. Needs that are only lower bounds are left out, but for the parts that are about \
         them: there they count as met by what lies at or above them.",
        percent(Some(view.report.coverage)),
        TOLERANCE * 100.0
    )));
    for weighting in Weighting::ALL {
        for resource in Resource::ALL {
            let Some(one) = one(view, resource, weighting) else { continue };
            match weighting {
                Weighting::Workload => html.push_str(&one),
                Weighting::ResourceHour => {
                    html.push_str(&details(
                        &format!("The same of {}, {}", name_of(resource), weighing(weighting)),
                        &one,
                    ));
                }
            }
        }
    }
    html
}

/// Returns shadow's rows over everything and over each part, under a heading per question.
fn one(view: &View<'_>, resource: Resource, weighting: Weighting) -> Option<String> {
    let header =
        ["part", "verdict", "workloads", "coverage", "waste", "owners' coverage", "owners' waste", "left of it"];
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut dimension = None;
    for row in own(view, resource, weighting) {
        if row.dimension != dimension {
            dimension = row.dimension;
            rows.extend(dimension.map(|dimension| vec![Cell::Heading(question(dimension).to_owned())]));
        }
        rows.push(cells(view, row));
    }
    let caption = format!(
        "{} in {} by part of the workloads, {}",
        super::curves::capital(name_of(resource)),
        view.unit(resource),
        weighing(weighting)
    );
    (!rows.is_empty()).then(|| table(&caption, &header, &rows))
}

/// Returns what a dimension asks.
const fn question(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::EarlierInstances => "How often had the application run before?",
        Dimension::Rung => "How did shadow answer?",
        Dimension::Life => "How long did it live?",
        Dimension::LatePeak => "When did memory peak?",
        Dimension::MemoryNeed => "How large is it?",
        Dimension::Priority => "How important is it?",
        Dimension::Class => "Of which class is it?",
        Dimension::Limit => "What did its owner state?",
        Dimension::Censoring => "Is its need known, or only that it is at least so much?",
        Dimension::SizedBy => "Who wrote its request?",
    }
}

/// Returns shadow's rows: everything first, then each part.
fn own<'a>(view: &View<'a>, resource: Resource, weighting: Weighting) -> impl Iterator<Item = &'a Row> {
    let reading = view.split.headline(resource, weighting, view.target).reading;
    view.split.rows.iter().filter(move |row| {
        (row.rival, row.resource, row.weighting, row.population)
            == (SHADOW, resource, weighting, Population::WithFallback)
            && (row.reading == reading || row.dimension == Some(Dimension::Censoring))
            && row.figures.workloads > 0
    })
}

fn cells(view: &View<'_>, row: &Row) -> Vec<Cell> {
    let factor = view.factor(row.resource);
    let owner = view.split.rows.iter().find(|other| {
        other.rival == OWNER
            && (other.resource, other.weighting, other.population, other.reading, other.dimension, &other.group)
                == (row.resource, row.weighting, row.population, row.reading, row.dimension, &row.group)
    });
    let owner = owner.map(|owner| owner.figures);
    let (waste, before) = (row.figures.mean_waste, owner.and_then(|figures| figures.mean_waste));
    let left = waste.zip(before).and_then(|(waste, before)| super::super::figures::quotient(waste, before));
    let scaled = |value: Option<f64>| number(amount(value.map(|value| value * factor)));
    vec![
        words(if row.group == "all" { "all workloads" } else { row.group.as_str() }),
        verdict(view, row, owner.and_then(|figures| figures.coverage), left),
        number(count(row.figures.workloads)),
        number(percent(row.figures.coverage)),
        scaled(waste),
        number(percent(owner.and_then(|figures| figures.coverage))),
        scaled(before),
        left.map_or_else(|| Cell::Bar("–".to_owned(), 0.0), |left| Cell::Bar(of_owners(left), left)),
    ]
}

/// Says whether the part is served better than by its owners. Owners who give too little waste little: that is no reason to
/// prefer them.
fn verdict(view: &View<'_>, row: &Row, owner: Option<f64>, left: Option<f64>) -> Cell {
    let is_enough =
        |coverage: Option<f64>| coverage.is_some_and(|coverage| coverage >= view.report.coverage - TOLERANCE);
    let few = if row.figures.workloads < FEW { ", but few" } else { "" };
    match (is_enough(row.figures.coverage), left) {
        (false, _) => Cell::Verdict(format!("hurt: covered too little{few}"), true),
        (true, Some(_)) if !is_enough(owner) => Cell::Verdict(format!("helped: owners give too little{few}"), false),
        (true, Some(left)) if left > 1.0 => Cell::Verdict(format!("hurt: wastes more than its owners{few}"), true),
        (true, Some(_)) => Cell::Verdict(format!("helped{few}"), false),
        (true, None) => Cell::Verdict(format!("covered{few}"), false),
    }
}

/// Returns a share of the owners' waste, in words where a percentage would say nothing.
fn of_owners(left: f64) -> String {
    if left > 10.0 { "over 10 times".to_owned() } else { percent(Some(left)) }
}
