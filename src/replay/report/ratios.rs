//! How allocations lie around needs.

use super::chart::{Axis, Figure, Line};
use super::html::{Cell, details, number, paragraph, put, table, words};
use super::numbers::{amount, percent};
use super::view::{View, name_of};
use crate::replay::results::{Distribution, Resource, Weighting};

/// The axis ends where a workload gets so much more, or less, than it needs.
const FARTHEST: (f64, f64) = (0.1, 30.0);

pub(super) fn section(view: &View<'_>) -> String {
    let mut html = "<h2>How close are the answers?</h2>\n".to_owned();
    html.push_str(&paragraph(
        "What each workload was given over what it needed, at published or default settings: how large a share of workloads got at most \
         so much. Left of the dashed line workloads got too little. A good method rises late and steeply, just right of the line.",
    ));
    html.push_str(&view.key());
    let figures: String =
        Resource::ALL.into_iter().filter_map(|resource| figure(view, resource)).map(|one| one.html()).collect();
    put(&mut html, format_args!("<div class=\"figures\">\n{figures}</div>\n"));
    let rows: Vec<Vec<Cell>> = view.split.distributions.iter().filter(|one| answers(view, one)).map(row).collect();
    let header = ["method", "resource", "least", "10 %", "25 %", "median", "75 %", "90 %", "98 %", "most"];
    let name = "Given over needed: so much or less for that share of workloads";
    html.push_str(&details("The numbers behind these figures", &table(name, &header, &rows)));
    html.push_str(&errors(view));
    html
}

/// The errors of every method at its published or default setting, as the literature counts them.
fn errors(view: &View<'_>) -> String {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for resource in Resource::ALL {
        let factor = view.factor(resource);
        let scaled = |value: Option<f64>| number(amount(value.map(|value| value * factor)));
        for line in view.split.headline(resource, Weighting::Workload, view.target).lines {
            let figures = line.row.figures;
            if line.rival.rungs.is_empty() {
                continue;
            }
            rows.push(vec![
                words(line.rival.name),
                words(name_of(resource)),
                number(amount(figures.q_error_p50)),
                number(amount(figures.q_error_p90)),
                number(percent(figures.within_twice)),
                number(percent(figures.median_relative_error)),
                number(percent(figures.weighted_relative_error)),
                scaled(figures.mean_absolute_error),
                scaled(figures.pinball),
                number(percent(line.row.skill)),
                number(percent(figures.bucket_accuracy)),
                number(percent(figures.allocation_quality)),
                number(percent(figures.footprint_ratio)),
            ]);
        }
    }
    let header = [
        "method",
        "resource",
        "error, median",
        "error, p90",
        "within 2x",
        "relative error, median",
        "sum of errors / sum of needs",
        "mean error",
        "pinball loss",
        "skill",
        "right quarter of the request",
        "allocation quality",
        "of what owners held",
    ];
    let majority = view.split.headline(Resource::Memory, Weighting::Workload, view.target);
    let majority = majority.lines.iter().find_map(|line| line.row.figures.bucket_majority);
    let text = format!(
        "The error is given / needed or its inverse, whichever is larger. Skill: the share of the pinball loss of the best simple method (owner, \
         persistence, history, class, constant) that is saved; below 0 it loses more. Always naming the same quarter of the request would be right \
         for {} of memory needs. Allocation quality: what was needed over what was held, retries after doubling included.",
        percent(majority)
    );
    details(
        "The errors of every method, every workload weighing the same",
        &(paragraph(&text) + &table("Errors at published or default settings", &header, &rows)),
    )
}

fn answers(view: &View<'_>, one: &Distribution) -> bool {
    view.answering().any(|rival| rival.name == one.rival)
}

/// Ratios are in steps of 2 %.
fn row(one: &Distribution) -> Vec<Cell> {
    // 10 % and 90 % are the 5th and the 45th step; 25 % and 75 % lie between two, of which the upper one is taken.
    let mut cells = vec![words(one.rival), words(name_of(one.resource))];
    cells.extend([0, 5, 13, 25, 38, 45, 49, 50].map(|step: usize| number(amount(one.ratios.get(step).copied()))));
    cells
}

fn figure(view: &View<'_>, resource: Resource) -> Option<Figure> {
    let mut lines = Vec::new();
    for family in view.families() {
        let Some(rival) = view.first_of(family) else { continue };
        let own = view.split.distributions.iter().find(|one| one.rival == rival.name && one.resource == resource);
        let Some(own) = own else { continue };
        let last = own.ratios.len().saturating_sub(1).max(1) as f64;
        let points =
            own.ratios.iter().enumerate().map(|(at, ratio)| (ratio.clamp(FARTHEST.0, FARTHEST.1), at as f64 / last));
        lines.push(Line { style: view.style(family), points: points.collect(), ..Line::default() });
    }
    lines.first()?;
    let name = name_of(resource);
    let medians: Vec<String> = view
        .split
        .distributions
        .iter()
        .filter(|one| one.resource == resource && answers(view, one))
        .map(|one| format!("{} {}", one.rival, amount(one.ratios.get(25).copied())))
        .collect();
    Some(Figure {
        id: format!("{}ratios-{name}", view.prefix),
        title: format!("{}: share of workloads by given over needed", super::curves::capital(name)),
        description: format!(
            "Cumulative distribution of given over needed, logarithmic. Medians: {}.",
            medians.join(", ")
        ),
        x: Axis::logarithmic("given / needed", FARTHEST, |ratio| format!("{}x", (ratio * 100.0).round() / 100.0))
            .with_ticks([0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0].map(|ratio| (ratio, format!("{ratio}x"))).to_vec()),
        y: Axis::linear("share of workloads", (0.0, 1.0), |share| format!("{}%", (share * 100.0).round())),
        lines,
        guide: vec![(1.0, 0.0), (1.0, 1.0)],
    })
}
