//! Is shadow sure where it is right? Errors when only its surest answers are taken.

use super::chart::{Axis, Figure, Line, key};
use super::curves::capital;
use super::html::{Cell, details, number, paragraph, put, table, words};
use super::numbers::{amount, count, percent};
use super::view::{View, name_of};
use crate::replay::results::{Resource, Weighting};
use crate::replay::score::{AbstainPoint, SurestBy};

/// What is drawn upwards: its name in identifiers and titles, and the figure among the answered and of the whole.
struct Upwards {
    id: &'static str,
    name: &'static str,
    answered: fn(&AbstainPoint) -> Option<f64>,
    whole: fn(&AbstainPoint) -> Option<f64>,
}

const UPWARDS: [Upwards; 2] = [
    Upwards {
        id: "rate",
        name: "share given too little",
        answered: |point| point.under_provision_rate,
        whole: |point| point.whole_under_provision_rate,
    },
    Upwards {
        id: "slack",
        name: "mean slack",
        answered: |point| point.relative_slack_mean,
        whole: |point| point.whole_relative_slack_mean,
    },
];

pub(super) fn section(view: &View<'_>) -> String {
    if view.split.abstaining.is_empty() {
        return String::new();
    }
    let mut html = "<h2>Is it sure where it is right?</h2>\n".to_owned();
    html.push_str(&paragraph(
        "shadow answers its surest workloads first, and the others keep what their owners asked for. A method that knows what it does not know \
         fails rarely at the left edge. Sure is said in two ways: a narrow stated interval, or a newcomer that is near to something known; the \
         second is the confidence that predict prints. Answers that are equally sure are taken together, so lines may begin in the middle.",
    ));
    html.push_str("<ul class=\"key\">\n");
    for (style, (by, is_whole)) in lines() {
        html.push_str(&key(style, &format!("{}, {}", who(is_whole), words_of(by))));
    }
    html.push_str("</ul>\n");
    let figures: String = Resource::ALL
        .into_iter()
        .flat_map(|resource| UPWARDS.iter().filter_map(move |upwards| figure(view, resource, upwards)))
        .map(|one| one.html())
        .collect();
    put(&mut html, format_args!("<div class=\"figures\">\n{figures}</div>\n"));
    let header = [
        "sure by",
        "resource",
        "weight",
        "answered",
        "workloads",
        "least sure",
        "too small among them",
        "waste",
        "slack",
        "too small of all",
        "waste",
        "slack",
    ];
    let rows: Vec<Vec<Cell>> = view.split.abstaining.iter().map(|point| cells(view, point)).collect();
    html.push_str(&details(
        "The numbers behind these figures",
        &table("The surest answered by shadow, the others by their owners", &header, &rows),
    ));
    html
}

/// Returns the lines with their styles.
fn lines() -> impl Iterator<Item = (usize, (SurestBy, bool))> {
    let pairs = SurestBy::ALL.into_iter().flat_map(|by| [(by, false), (by, true)]);
    pairs.enumerate()
}

const fn words_of(by: SurestBy) -> &'static str {
    match by {
        SurestBy::Interval => "narrow intervals first",
        SurestBy::Novelty => "near to something known first",
    }
}

const fn who(is_whole: bool) -> &'static str {
    if is_whole { "all workloads" } else { "those answered" }
}

fn cells(view: &View<'_>, point: &AbstainPoint) -> Vec<Cell> {
    let waste = |waste: Option<f64>| number(amount(waste.map(|waste| waste * view.factor(point.resource))));
    vec![
        words(words_of(point.surest_by)),
        words(name_of(point.resource)),
        words(if point.weighting == Weighting::Workload { "workload" } else { "resource-hour" }),
        number(percent(Some(point.answered))),
        number(count(point.workloads)),
        number(amount(point.least_sure)),
        number(percent(point.under_provision_rate)),
        waste(point.mean_waste),
        number(percent(point.relative_slack_mean)),
        number(percent(point.whole_under_provision_rate)),
        waste(point.whole_mean_waste),
        number(percent(point.whole_relative_slack_mean)),
    ]
}

fn figure(view: &View<'_>, resource: Resource, upwards: &Upwards) -> Option<Figure> {
    let points = |by: SurestBy| {
        let is_shown = move |one: &&AbstainPoint| {
            (one.resource, one.weighting, one.surest_by) == (resource, Weighting::Workload, by)
        };
        view.split.abstaining.iter().filter(is_shown)
    };
    let lines: Vec<Line> = lines()
        .map(|(style, (by, is_whole))| {
            let value = if is_whole { upwards.whole } else { upwards.answered };
            Line {
                style,
                points: points(by).filter_map(|point| Some((point.answered, value(point)?))).collect(),
                has_markers: true,
                ..Line::default()
            }
        })
        .collect();
    let values: Vec<f64> = lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)).collect();
    let high = values.iter().copied().max_by(f64::total_cmp)?;
    let low = values.iter().copied().min_by(f64::total_cmp)?.min(0.0);
    let found: Vec<String> = lines
        .iter()
        .zip(self::lines())
        .filter_map(|(line, (_, (by, is_whole)))| {
            let (first, last) = (line.points.first()?, line.points.last()?);
            let (who, by) = (who(is_whole), words_of(by));
            let at = |point: &(f64, f64)| format!("{} at {}", percent(Some(point.1)), percent(Some(point.0)));
            Some(format!("{who}, {by}: {} answered, {} answered", at(first), at(last)))
        })
        .collect();
    let name = name_of(resource);
    let whole = |share: f64| format!("{}%", (share * 1000.0).round() / 10.0);
    Some(Figure {
        id: format!("{}abstain-{name}-{}", view.prefix, upwards.id),
        title: format!("{}: {} against the share that shadow answers", capital(name), upwards.name),
        description: format!("{}.", found.join("; ")),
        x: Axis::linear("share of workloads that shadow answers", (0.0, 1.0), whole),
        y: Axis::linear(upwards.name, (low, (high * 1.1).max(low + 0.02)), whole),
        lines,
        guide: if upwards.id == "rate" { vec![(0.0, view.target), (1.0, view.target)] } else { Vec::new() },
    })
}
