//! Errors against seconds observed.

use super::chart::{Axis, Figure, Line};
use super::html::{Cell, details, list, number, paragraph, table, words};
use super::numbers::{amount, count, percent, seconds};
use super::view::{View, name_of};
use crate::replay::observed::{Alive, FirstAnswer, Observed, ObservedRow};
use crate::replay::results::Resource;

/// A figure of a row.
type Value = fn(&ObservedRow) -> Option<f64>;

pub(super) fn section(view: &View<'_>, observed: &Observed) -> String {
    let mut html = "<h2>How soon is the answer good?</h2>\n".to_owned();
    html.push_str(&paragraph(
        "The whole replay, made anew for each length of the first window. The first figures are about the same workloads all along, \
         those that could be asked at every length; the last ones about all that could be asked at each, which longer windows make \
         fewer and longer-lived.",
    ));
    html.push_str(&list(&observed.warnings));
    html.push_str(&view.key());
    html.push_str("<div class=\"figures\">\n");
    let at = percent(Some(1.0 - observed.target));
    let unit = view.unit(Resource::Memory);
    let waste: Value = |row| row.waste_at_target;
    let median: Value = |row| row.log_ratio_median.map(f64::exp);
    let tail: Value = |row| row.q_error_p90;
    let figures: [(Alive, &str, String, Value, f64); 4] = [
        (
            Alive::AtEveryWindow,
            "waste",
            format!("mean waste at {at} coverage, {unit}"),
            waste,
            view.factor(Resource::Memory),
        ),
        (Alive::AtEveryWindow, "median", "median error, as a factor".to_owned(), median, 1.0),
        (Alive::AtEveryWindow, "tail", "90th percentile of the error, as a factor".to_owned(), tail, 1.0),
        (
            Alive::AtThisWindow,
            "waste",
            format!("mean waste at {at} coverage, {unit}"),
            waste,
            view.factor(Resource::Memory),
        ),
    ];
    for (alive, id, name, value, factor) in figures {
        let scaled = |row: &ObservedRow| value(row).map(|value| value * factor);
        html.push_str(&figure(view, observed, alive, (id, &name), &scaled).map(|one| one.html()).unwrap_or_default());
    }
    html.push_str("</div>\n");
    let header = [
        "window",
        "workloads",
        "method",
        "resource",
        "count",
        "no answer",
        "coverage",
        "mean waste",
        "waste at equal coverage",
        "median error",
        "p90 error",
    ];
    let rows: Vec<Vec<Cell>> = observed.rows.iter().map(|row| cells(view, row)).collect();
    let name = format!("Figures by seconds observed; waste compared at {at} coverage");
    html.push_str(&details("The numbers behind these figures", &table(&name, &header, &rows)));
    html.push_str(&first_answers(observed));
    html
}

/// Who answers how soon; nothing where all answer at the first window.
fn first_answers(observed: &Observed) -> String {
    let first = observed.windows.first().map(|window| window.window_seconds);
    let is_late = |one: &&FirstAnswer| one.never.is_some_and(|never| never > 0.0) || one.seconds_p90 != first;
    if !observed.first_answers.iter().any(|one| is_late(&one)) {
        return String::new();
    }
    let shown = |at: Option<f64>| number(at.map_or_else(|| "–".to_owned(), seconds));
    let rows: Vec<Vec<Cell>> = observed
        .first_answers
        .iter()
        .filter(is_late)
        .map(|one| {
            vec![
                words(one.rival),
                words(name_of(one.resource)),
                number(count(one.workloads)),
                shown(one.seconds_p50),
                shown(one.seconds_p90),
                number(percent(one.never)),
            ]
        })
        .collect();
    let header = ["method", "resource", "workloads", "half of them after", "nine in ten after", "never"];
    let caption = "First answers of its own, workloads that could be asked at every length; methods not named here answer all at the first";
    table(caption, &header, &rows)
}

fn cells(view: &View<'_>, row: &ObservedRow) -> Vec<Cell> {
    let alive = match row.alive {
        Alive::AtEveryWindow => "at every window",
        Alive::AtThisWindow => "at this window",
    };
    let factor = view.factor(row.resource);
    let scaled = |value: Option<f64>| number(amount(value.map(|value| value * factor)));
    vec![
        words(seconds(row.window_seconds)),
        words(alive),
        words(row.rival),
        words(name_of(row.resource)),
        number(count(row.workloads)),
        number(percent(row.unanswered)),
        number(percent(row.coverage)),
        scaled(row.mean_waste),
        scaled(row.waste_at_target),
        number(amount(row.log_ratio_median.map(f64::exp))),
        number(amount(row.q_error_p90)),
    ]
}

fn figure(
    view: &View<'_>,
    observed: &Observed,
    alive: Alive,
    (id, name): (&str, &str),
    value: &dyn Fn(&ObservedRow) -> Option<f64>,
) -> Option<Figure> {
    let mut lines = Vec::new();
    for family in view.families() {
        let Some(rival) = view.first_of(family) else { continue };
        let own = observed
            .rows
            .iter()
            .filter(|row| row.alive == alive && row.resource == Resource::Memory && row.rival == rival.name);
        let points = own.filter_map(|row| Some((row.window_seconds, value(row).filter(|value| *value > 0.0)?)));
        lines.push(Line { style: view.style(family), points: points.collect(), has_markers: true, ..Line::default() });
    }
    let all: Vec<(f64, f64)> = lines.iter().flat_map(|line| line.points.iter().copied()).collect();
    let low = all.iter().map(|point| point.1).min_by(f64::total_cmp)?;
    let high = all.iter().map(|point| point.1).max_by(f64::total_cmp)?;
    let (first, last) = (observed.windows.first()?.window_seconds, observed.windows.last()?.window_seconds);
    let ticks = observed.windows.iter().map(|one| (one.window_seconds, seconds(one.window_seconds))).collect();
    let whose = match alive {
        Alive::AtEveryWindow => {
            format!("the same {} workloads at every length", count(observed.alive_at_every_window))
        }
        Alive::AtThisWindow => "all workloads that could be asked at each length".to_owned(),
    };
    let population = if alive == Alive::AtEveryWindow { "same" } else { "each" };
    let own = lines.first().map(|line| {
        line.points
            .iter()
            .map(|(at, value)| format!("{} after {}", amount(Some(*value)), seconds(*at)))
            .collect::<Vec<_>>()
    });
    Some(Figure {
        id: format!("{}seconds-{id}-{population}", view.prefix),
        title: format!("Memory, {name}: {whose}"),
        description: format!(
            "{name} against seconds observed, one line per method, both axes logarithmic, for {whose}. shadow: {}.",
            own.unwrap_or_default().join(", ")
        ),
        x: Axis::logarithmic("seen of the newcomer", (first * 0.8, last * 1.25), seconds).with_ticks(ticks),
        y: Axis::logarithmic(name, (low * 0.85, high * 1.15), |value| format!("{}", (value * 1e6).round() / 1e6)),
        lines,
        guide: Vec::new(),
    })
}
