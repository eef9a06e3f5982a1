//! The map as one HTML page: data, style and script inside, nothing from elsewhere.
//!
//! The page holds the map as JSON, which the script reads as text: a name is never parsed as HTML, and a policy in its head
//! forbids every request.

use serde::Serialize;

use crate::markup::{escape, json_in_script, plain};
use crate::profile::Outline;

use super::chart::{Chart, Column, Unit, Values};
use super::drawing::{DARK, LIGHT, Shape, radius, twins};
use super::legend::{CLASSES, Legend, MISSING};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Places are whole numbers from 0 to this along the longer side of the map: finer than any screen.
const FINEST: f64 = 65_535.0;

/// Levels of an outline; each is one character.
const LEVELS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    names: Vec<String>,
    x: Vec<f64>,
    y: Vec<f64>,
    /// Before how many equal fingerprints a point stands, and how many there are.
    before: Vec<u32>,
    equal: Vec<u32>,
    radius: f64,
    missing: usize,
    shapes: Vec<&'static str>,
    columns: Vec<DataColumn>,
    coloured: usize,
    outlines: Vec<DataOutline>,
    newcomers: Vec<DataNewcomer>,
    window: &'a str,
}

#[derive(Serialize)]
struct DataColumn {
    name: String,
    unit: &'static str,
    words: Vec<String>,
    /// Numbers of words, or numbers; nothing where there is none.
    values: Vec<Option<f64>>,
    /// A character per point: `A` and the class.
    classes: String,
    legend: Vec<DataEntry>,
    /// Classes in the order in which they are drawn.
    drawn: Vec<usize>,
}

#[derive(Serialize)]
struct DataEntry {
    class: usize,
    label: String,
    count: usize,
}

/// Largest CPU and memory of an outline, and each step relative to them.
#[derive(Serialize)]
struct DataOutline(Option<f64>, String, Option<f64>, String);

#[derive(Serialize)]
struct DataNewcomer {
    name: String,
    x: f64,
    y: f64,
    nearest: Vec<String>,
    outline: DataOutline,
}

/// Returns the page, coloured by a column at first.
pub fn page(chart: &Chart, column: Option<&Column>) -> String {
    let json = serde_json::to_string(&data(chart, column));
    // Numbers, texts and lists of them: there is nothing that JSON cannot say.
    let json = json_in_script(&json.unwrap_or_else(|_impossible| "null".to_owned()));
    let mut html = String::with_capacity(json.len() + PAGE.len() + STYLE.len() + SCRIPT.len() + 4096);
    let fill = |mark: &str| match mark {
        "title" => escape(&chart.heading()),
        "caption" => escape(&chart.caption()),
        "style" => STYLE.replace("/*light*/", &colors(&LIGHT)).replace("/*dark*/", &colors(&DARK)),
        "data" => json.clone(),
        "script" => SCRIPT.to_owned(),
        _ => String::new(),
    };
    // Marks are filled once, from the front: what is filled in is not looked at again.
    let mut rest = PAGE;
    while let Some((before, (mark, after))) =
        rest.split_once("{{").and_then(|(before, after)| Some((before, after.split_once("}}")?)))
    {
        html.push_str(before);
        html.push_str(&fill(mark));
        rest = after;
    }
    html.push_str(rest);
    html
}

fn colors(palette: &[&str; CLASSES]) -> String {
    let rules: Vec<String> = palette.iter().enumerate().map(|(class, color)| format!("--c{class}:{color};")).collect();
    rules.concat()
}

fn data<'a>(chart: &'a Chart, column: Option<&Column>) -> Data<'a> {
    let (low, high) = chart.corners();
    let side = (high[0] - low[0]).max(high[1] - low[1]);
    let scale = if side > 0.0 { FINEST / side } else { 0.0 };
    // The second axis points up on the map and down on a screen.
    let x = |place: &[f64; 2]| ((place[0] - low[0]) * scale).round();
    let y = |place: &[f64; 2]| ((high[1] - place[1]) * scale).round();
    let (before, equal) = twins(&chart.layout).into_iter().unzip();
    let columns: Vec<DataColumn> = if chart.columns.is_empty() {
        vec![data_column(None, chart.names.len())]
    } else {
        chart.columns.iter().map(|column| data_column(Some(column), chart.names.len())).collect()
    };
    let shape = |class| match Shape::of(class) {
        Shape::Circle => "circle",
        Shape::Square => "square",
        Shape::Triangle => "triangle",
        Shape::Diamond => "diamond",
    };
    Data {
        names: chart.names.iter().map(|name| plain(name)).collect(),
        x: chart.layout.places.iter().map(x).collect(),
        y: chart.layout.places.iter().map(y).collect(),
        before,
        equal,
        radius: radius(chart.names.len()),
        missing: MISSING,
        shapes: (0..CLASSES).map(shape).collect(),
        coloured: column.and_then(|column| chart.columns.iter().position(|one| one == column)).unwrap_or(0),
        columns,
        outlines: chart.outlines.iter().map(DataOutline::of).collect(),
        newcomers: chart
            .newcomers
            .iter()
            .map(|one| DataNewcomer {
                name: plain(&one.name),
                x: x(&one.place),
                y: y(&one.place),
                nearest: one.nearest.iter().map(|name| plain(name)).collect(),
                outline: DataOutline::of(&one.outline),
            })
            .collect(),
        window: &chart.window,
    }
}

fn data_column(column: Option<&Column>, points: usize) -> DataColumn {
    let legend = Legend::of(column, points);
    let letter = |class: &usize| u8::try_from(*class).map_or('A', |class| char::from(b'A' + class));
    let (unit, words, values) = match column.map(|column| &column.values) {
        None => ("none", Vec::new(), Vec::new()),
        Some(Values::Words(names, of)) => (
            "words",
            names.iter().map(|name| plain(name)).collect(),
            of.iter().map(|word| word.map(f64::from)).collect(),
        ),
        Some(Values::Numbers(unit, values)) => (unit_name(*unit), Vec::new(), values.clone()),
    };
    DataColumn {
        name: column.map_or_else(|| "workloads".to_owned(), |column| plain(&column.name)),
        unit,
        words,
        values: values.into_iter().map(|value| value.map(rounded)).collect(),
        classes: legend.classes.iter().map(letter).collect(),
        drawn: legend.drawn().iter().map(|entry| entry.class).collect(),
        legend: legend
            .entries
            .into_iter()
            .map(|one| DataEntry { class: one.class, label: plain(&one.label), count: one.count })
            .collect(),
    }
}

const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "bytes",
        Unit::Cores => "cores",
        Unit::Seconds => "seconds",
        Unit::Machine => "machines",
    }
}

/// Returns a number with the five digits that a card shows at most.
fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

impl DataOutline {
    fn of(outline: &Outline) -> Self {
        let (cpu, cpu_steps) = steps(&outline.cpu);
        let (memory, memory_steps) = steps(&outline.memory);
        Self(cpu, cpu_steps, memory, memory_steps)
    }
}

/// Returns the largest value and each relative to it as a character, `-` where there is none.
fn steps(values: &[Option<f64>]) -> (Option<f64>, String) {
    let largest = values.iter().copied().flatten().reduce(f64::max);
    let Some(most) = largest else { return (None, String::new()) };
    let level = |value: &Option<f64>| match value {
        None => '-',
        Some(value) => {
            let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 61")]
            let level = (share * (LEVELS.len() - 1) as f64).round() as usize;
            char::from(LEVELS[level.min(LEVELS.len() - 1)])
        }
    };
    (Some(rounded(most)), values.iter().map(level).collect())
}

#[cfg(test)]
mod tests;
