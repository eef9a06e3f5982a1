//! Waste at equal coverage with intervals, and what knobs chosen before the test did in it.

use super::html::{Cell, details, number, paragraph, table, words};
use super::numbers::{amount, percent, range};
use super::view::{View, name_of, weighing};
use crate::replay::results::{EqualCoverage, Flattery, Population, Resource, Weighting};

pub(super) fn section(view: &View<'_>) -> String {
    let mut html = "<h2>Compared at the same coverage</h2>\n".to_owned();
    html.push_str(&paragraph(
        "Waste read off each curve where it covers the same share of workloads. In square brackets the 95 % interval of resampling whole \
         applications; a method is better or worse than shadow only where the interval of the difference excludes 0. A dash: the method \
         does not reach that coverage.",
    ));
    for weighting in Weighting::ALL {
        for resource in Resource::ALL {
            let one = equal_table(view, resource, weighting);
            if weighting == Weighting::Workload {
                html.push_str(&one);
            } else {
                html.push_str(&details(&title(view, resource, weighting), &one));
            }
        }
    }
    html.push_str(&chosen(view));
    html
}

fn title(view: &View<'_>, resource: Resource, weighting: Weighting) -> String {
    format!("Mean waste of {} in {}, {}", name_of(resource), view.unit(resource), weighing(weighting))
}

fn equal_table(view: &View<'_>, resource: Resource, weighting: Weighting) -> String {
    let entries: Vec<&EqualCoverage> = view
        .split
        .equal_coverage
        .iter()
        .filter(|entry| {
            (entry.resource, entry.weighting, entry.population) == (resource, weighting, Population::WithFallback)
        })
        .collect();
    let mut targets: Vec<f64> = entries.iter().map(|entry| entry.target).collect();
    targets.sort_by(|a, b| b.total_cmp(a));
    targets.dedup();
    let factor = view.factor(resource);
    let scaled = |value: Option<f64>| amount(value.map(|value| value * factor));
    let ends = |interval: Option<(f64, f64)>| interval.map(|(low, high)| (low * factor, high * factor));
    let rows: Vec<Vec<Cell>> = view
        .families()
        .iter()
        .map(|family| {
            let mut cells = vec![words(*family)];
            for target in &targets {
                let entry = entries.iter().find(|one| one.rival == *family && one.target.total_cmp(target).is_eq());
                let waste = scaled(entry.and_then(|entry| entry.mean_waste));
                let interval = entry.and_then(|entry| entry.interval);
                cells.push(number(match interval {
                    Some(_) => format!("{waste} [{}]", range(ends(interval), amount)),
                    None => waste,
                }));
            }
            let at_target = entries.iter().find(|one| one.rival == *family && (one.target - view.target).abs() < 1e-9);
            let interval = at_target.and_then(|entry| entry.above_shadow_interval);
            cells.push(number(scaled(at_target.and_then(|entry| entry.above_shadow))));
            cells.push(number(range(ends(interval), amount)));
            cells
        })
        .collect();
    let mut header = vec!["method".to_owned()];
    header.extend(targets.iter().map(|target| format!("at {}", percent(Some(1.0 - target)))));
    header.push(format!("above shadow at {}", percent(Some(1.0 - view.target))));
    header.push("its interval".to_owned());
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(&title(view, resource, weighting), &header, &rows)
}

/// What a claim may rest on.
fn chosen(view: &View<'_>) -> String {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for resource in Resource::ALL {
        let factor = view.factor(resource);
        for entry in view.split.calibrated_for(resource, Weighting::Workload, view.target) {
            if entry.mean_waste.is_none() || !view.families().contains(&entry.rival) {
                continue;
            }
            let ends = |interval: Option<(f64, f64)>| interval.map(|(low, high)| (low * factor, high * factor));
            rows.push(vec![
                words(entry.rival),
                words(name_of(resource)),
                number(percent(entry.calibration_rate.map(|rate| 1.0 - rate))),
                number(percent(entry.under_provision_rate.map(|rate| 1.0 - rate))),
                number(range(entry.under_provision_interval.map(|(low, high)| (1.0 - high, 1.0 - low)), percent)),
                number(amount(entry.mean_waste.map(|waste| waste * factor))),
                number(amount(entry.above_shadow.map(|waste| waste * factor))),
                number(range(ends(entry.above_shadow_interval), amount)),
            ]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut html = "<h3>With knobs chosen before the test</h3>\n".to_owned();
    html.push_str(&paragraph(
        "Reading curves describes. What one could have done is to choose the knob on earlier workloads and keep it: this is the coverage \
         and the waste that choice reached on the workloads of the test, and the only table a claim may rest on.",
    ));
    let header = [
        "method",
        "resource",
        "coverage before",
        "in the test",
        "its interval",
        "waste",
        "above shadow",
        "its interval",
    ];
    let caption = format!("Settings that covered {} of the calibration workloads", percent(Some(1.0 - view.target)));
    html.push_str(&table(&caption, &header, &rows));
    html
}

/// How much the leaky split flatters.
pub(super) fn flattery(view: &View<'_>, flattery: &[Flattery]) -> String {
    let rows: Vec<Vec<Cell>> = flattery
        .iter()
        .filter(|one| (one.target - view.target).abs() < 1e-9 && view.families().contains(&one.rival))
        .map(|one| {
            let factor = view.factor(one.resource);
            let scaled = |value: Option<f64>| number(amount(value.map(|value| value * factor)));
            vec![
                words(one.rival),
                words(name_of(one.resource)),
                scaled(one.honest),
                scaled(one.leaky),
                number(one.flatters_by.map_or_else(|| "–".to_owned(), |times| format!("{times:.2} times"))),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut html = "<h2>How much leaking flatters</h2>\n".to_owned();
    html.push_str(&paragraph(
        "The leaky split lets a store hold what ran later and what belongs to the same job. It is shown to tell how far such figures, which \
         are common, lie from honest ones.",
    ));
    html.push_str(&table(
        "Mean waste at equal coverage",
        &["method", "resource", "honest", "leaky", "flatters by"],
        &rows,
    ));
    html
}
