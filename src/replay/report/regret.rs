//! What not knowing the need costs, by the size of the workloads.

use super::chart::{Axis, Figure, Line};
use super::curves::capital;
use super::html::{Cell, details, number, paragraph, put, table, words};
use super::numbers::{amount, count, percent};
use super::view::{View, name_of};
use crate::replay::results::Resource;
use crate::replay::score::Regret;

/// Most decades of a figure: below, regret is about nothing.
const MOST_RATIO: f64 = 100_000.0;

pub(super) fn section(view: &View<'_>) -> String {
    if view.split.regret.is_empty() {
        return String::new();
    }
    let mut html = "<h2>Who pays for not knowing, the small or the large?</h2>\n".to_owned();
    html.push_str(&paragraph(&format!(
        "Regret is what a method wastes over time above someone who knows every need exactly. Workloads stand in tenths by the \
         resource-hours they used; every method has the cheapest of its settings that covers {}; a method without one is missing. The last \
         tenths decide what a cluster pays{}. A method that gives a tenth too little regrets nothing there, and has no mark.",
        percent(Some(1.0 - view.target)),
        largest(view).map_or_else(String::new, |share| format!(": the largest tenth used {} of all memory-hours", percent(Some(share)))),
    )));
    html.push_str(&view.key());
    let figures: String =
        Resource::ALL.into_iter().filter_map(|resource| figure(view, resource)).map(|one| one.html()).collect();
    put(&mut html, format_args!("<div class=\"figures\">\n{figures}</div>\n"));
    let header = [
        "method",
        "resource",
        "tenth",
        "workloads",
        "of all resource-hours",
        "knob",
        "margin",
        "too small",
        "waste over time",
        "of the exact need",
        "regret",
        "per resource-hour",
    ];
    let shown = view.split.regret.iter().filter(|row| view.families().contains(&row.rival));
    let rows: Vec<Vec<Cell>> = shown.map(|row| cells(view, row)).collect();
    let name = "Mean waste over time per workload, in unit-hours, and what of it is regret";
    html.push_str(&details("The numbers behind these figures", &table(name, &header, &rows)));
    html
}

fn largest(view: &View<'_>) -> Option<f64> {
    let of_memory = view.split.regret.iter().filter(|row| row.resource == Resource::Memory && row.decile == 10);
    of_memory.filter_map(|row| row.resource_hours_share).max_by(f64::total_cmp)
}

fn cells(view: &View<'_>, row: &Regret) -> Vec<Cell> {
    let factor = view.factor(row.resource);
    let scaled = |value: Option<f64>| number(amount(value.map(|value| value * factor)));
    vec![
        words(row.rival),
        words(name_of(row.resource)),
        number(row.decile.to_string()),
        number(count(row.workloads)),
        number(percent(row.resource_hours_share)),
        number(amount(Some(row.knob))),
        number(amount(Some(row.margin))),
        number(percent(row.under_provision_rate)),
        scaled(row.waste),
        scaled(row.oracle_waste),
        scaled(row.regret),
        number(amount(row.regret_per_hour)),
    ]
}

fn figure(view: &View<'_>, resource: Resource) -> Option<Figure> {
    let mut lines = Vec::new();
    for family in view.families() {
        let own = view.split.regret.iter().filter(|row| row.rival == *family && row.resource == resource);
        let points =
            own.filter_map(|row| Some((f64::from(row.decile), row.regret_per_hour.filter(|regret| *regret > 0.0)?)));
        lines.push(Line { style: view.style(family), points: points.collect(), has_markers: true, ..Line::default() });
    }
    let values: Vec<f64> = lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)).collect();
    let high = values.iter().copied().max_by(f64::total_cmp)?;
    let low = values.iter().copied().min_by(f64::total_cmp)?.max(high / MOST_RATIO);
    let last: Vec<String> = view
        .families()
        .iter()
        .zip(&lines)
        .filter_map(|(family, line)| {
            let (_, regret) = line.points.iter().find(|point| point.0 > 9.5)?;
            Some(format!("{family} {}", amount(Some(*regret))))
        })
        .collect();
    let name = name_of(resource);
    let hour = if resource == Resource::Memory { "memory-hour" } else { "CPU-hour" };
    Some(Figure {
        id: format!("{}regret-{name}", view.prefix),
        title: format!("{}: regret per {hour} used, by tenths of workloads", capital(name)),
        description: format!(
            "Regret per {hour} used against size, logarithmic. In the largest tenth: {}.",
            last.join(", ")
        ),
        x: Axis::linear("tenth of the workloads, from the smallest to the largest", (0.5, 10.5), |_| String::new())
            .with_ticks((1..=10).map(|tenth| (f64::from(tenth), tenth.to_string())).collect()),
        y: Axis::logarithmic(&format!("regret per {hour}"), (low * 0.85, high * 1.15), |value| {
            format!("{}", (value * 1e6).round() / 1e6)
        }),
        lines,
        guide: Vec::new(),
    })
}
