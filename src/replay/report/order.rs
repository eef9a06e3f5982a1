//! The order of the rivals under each feedback model.

use super::html::{Cell, number, paragraph, table, words};
use super::numbers::{amount, percent};
use super::view::{ORACLE, View};
use crate::replay::feedback::FeedbackModel;
use crate::replay::results::Resource;

const MODELS: [(FeedbackModel, &str); 3] =
    [(FeedbackModel::F0, "F0"), (FeedbackModel::F1, "F1"), (FeedbackModel::F2, "F2")];

pub(super) fn section(view: &View<'_>) -> String {
    let mut html = "<h2>Does the ranking hang on the model of failure?</h2>\n".to_owned();
    html.push_str(&paragraph(
        "A trace cannot react to an allocation that was never made, so what a kill would have done is simulated in three ways: under F0 \
         killed work begins again with more, F1 is the raw trace, under F2 the load is lost. The methods \
         are ranked by the memory they waste, what failed attempts lost included. A ranking that changes with the model is no finding.",
    ));
    let mut settings: Vec<&str> = Vec::new();
    for order in &view.split.order {
        if !settings.contains(&order.setting.as_str()) {
            settings.push(&order.setting);
        }
    }
    if settings.is_empty() {
        html.push_str(&paragraph("Nothing was ranked in this run."));
        return html;
    }
    for setting in settings {
        html.push_str(&one(view, setting));
    }
    html
}

fn one(view: &View<'_>, setting: &str) -> String {
    let of = |model| view.split.order.iter().find(|order| order.setting == setting && order.model == model);
    let answers = |name: &str| name != ORACLE && view.answering().any(|rival| rival.name == name);
    let ranked = |model| -> Vec<&str> {
        of(model).map_or_else(Vec::new, |order| order.rivals.iter().copied().filter(|rival| answers(rival)).collect())
    };
    let shown: Vec<(FeedbackModel, &str, Vec<&str>)> = MODELS
        .into_iter()
        .map(|(model, name)| (model, name, ranked(model)))
        .filter(|(_, _, order)| !order.is_empty())
        .collect();
    let Some((first, _, order)) = shown.first() else { return String::new() };
    let is_same = shown.iter().all(|(_, _, other)| other == order);
    let finding = match (shown.len(), is_same) {
        (1, _) => "Feedback is off, so there is one model only.",
        (_, true) => "The order is the same under all models.",
        (_, false) => "The order differs between the models: which one holds decides, and no ranking is claimed.",
    };
    let unit = match view.unit(Resource::Memory) {
        "GiB" => "GiB-hours",
        _ => "machine-hours",
    };
    let mut header = vec!["method".to_owned()];
    header.extend(shown.iter().flat_map(|(_, name, _)| [format!("{name} place"), format!("{name} {unit}")]));
    header.extend(["kills per 100 (F0)".to_owned(), "killed (F0)".to_owned()]);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let row = |rival: &str, model| {
        view.split.feedback.iter().find(|row| row.rival == rival && row.setting == setting && row.model == model)
    };
    let rows: Vec<Vec<Cell>> = order
        .iter()
        .map(|rival| {
            let mut cells = vec![words(*rival)];
            for (model, _, order) in &shown {
                let place = order.iter().position(|other| other == rival);
                cells.push(number(place.map_or_else(|| "–".to_owned(), |place| (place + 1).to_string())));
                cells.push(number(amount(row(rival, *model).map(|row| row.memory_wasted))));
            }
            let killed = row(rival, FeedbackModel::F0);
            cells.push(number(amount(killed.and_then(|row| row.oom_kills).map(|kills| kills * 100.0))));
            cells.push(number(percent(killed.and_then(|row| row.killed))));
            cells
        })
        .collect();
    let settings = match setting {
        "published" => "published or default settings".to_owned(),
        calibrated => format!("settings {calibrated}"),
    };
    let sorted = MODELS.iter().find(|(model, _)| model == first).map_or("", |(_, name)| name);
    format!(
        "<h3>{}</h3>\n{}{}",
        super::html::escape(&super::curves::capital(&settings)),
        paragraph(finding),
        table(&format!("Memory wasted with {settings}, in the order of {sorted}"), &header, &rows)
    )
}
