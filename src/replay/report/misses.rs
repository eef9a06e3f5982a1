//! Shadow's worst answers, with the workloads that led to them.

use super::html::{Cell, number, paragraph, table, words};
use super::numbers::{amount, percent};
use super::view::{View, name_of};
use crate::replay::results::{Miss, MissedBy, Resource};

pub(super) fn section(view: &View<'_>) -> String {
    let mut html = "<h2>Where it was farthest off</h2>\n".to_owned();
    html.push_str(&paragraph(
        "The answers of shadow, at its default setting, that gave the most too little and the most too much, with the heaviest of the \
         stored workloads that each answer rests on: their share in it and what they had needed.",
    ));
    if view.split.misses.is_empty() {
        html.push_str(&paragraph("shadow answered nothing whose need is known."));
    }
    for resource in Resource::ALL {
        for (missed_by, words) in [(MissedBy::TooLittle, "too little"), (MissedBy::TooMuch, "too much")] {
            let of = |miss: &&Miss| miss.resource == resource && miss.missed_by == missed_by;
            let rows: Vec<Vec<Cell>> = view.split.misses.iter().filter(of).map(|miss| row(view, miss)).collect();
            if rows.is_empty() {
                continue;
            }
            let unit = view.unit(resource);
            let caption = format!("{} given {words}, {unit}", super::curves::capital(name_of(resource)));
            let header = ["workload", "application", "needed", "given", "given / needed", "answered by", "rests on"];
            html.push_str(&table(&caption, &header, &rows));
        }
    }
    html
}

fn row(view: &View<'_>, miss: &Miss) -> Vec<Cell> {
    let factor = view.factor(miss.resource);
    let scaled = |value: f64| amount(Some(value * factor));
    let neighbours: Vec<String> = miss
        .neighbours
        .iter()
        .map(|neighbour| {
            let need = neighbour.need.map_or_else(|| "unknown".to_owned(), scaled);
            let application = neighbour.application.as_ref().filter(|own| Some(*own) != miss.application.as_ref());
            let of = application.map_or_else(String::new, |application| format!(" ({application})"));
            format!("{}{of} {}, needed {need}", neighbour.workload, percent(Some(neighbour.weight)))
        })
        .collect();
    let rests_on = if neighbours.is_empty() { "its own first window".to_owned() } else { neighbours.join("; ") };
    let ratio = super::super::figures::quotient(miss.allocation, miss.need);
    vec![
        words(miss.workload.as_str()),
        words(miss.application.as_deref().unwrap_or("–")),
        number(scaled(miss.need)),
        number(scaled(miss.allocation)),
        number(amount(ratio)),
        words(miss.rung),
        Cell::Long(rests_on),
    ]
}
