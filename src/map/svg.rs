//! The map as a picture that needs nothing else.

use std::fmt::Write;

use crate::markup::escape;

use super::chart::{Chart, Column, grouped};
use super::drawing::{DARK, LIGHT, Shape, aside, radius, twins};
use super::legend::{CLASSES, Legend};

/// Size of the picture.
const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 860.0;

/// Where the points are: left, top, right, bottom.
const FRAME: [f64; 4] = [30.0, 84.0, 900.0, 836.0];

/// Longest label of the legend, in characters.
const LABEL: usize = 32;

/// Returns the picture, coloured by a column, in light or dark as the reader's system is.
pub fn svg(chart: &Chart, column: Option<&Column>) -> String {
    let legend = Legend::of(column, chart.names.len());
    let mut out = String::new();
    put(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-labelledby=\"t d\">\n"
        ),
    );
    style(&mut out);
    let heading = chart.heading();
    put(&mut out, format_args!("<title id=\"t\">{}</title>\n", escape(&heading)));
    put(&mut out, format_args!("<desc id=\"d\">{}</desc>\n", escape(&chart.caption())));
    out.push_str("<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    put(&mut out, format_args!("<text class=\"h\" x=\"{}\" y=\"36\">{}</text>\n", FRAME[0], escape(&heading)));
    put(&mut out, format_args!("<text class=\"s\" x=\"{}\" y=\"60\">{}</text>\n", FRAME[0], escape(&chart.caption())));
    points(&mut out, chart, &legend);
    newcomers(&mut out, chart);
    key(&mut out, chart, column, &legend);
    out.push_str("</svg>\n");
    out
}

fn style(out: &mut String) {
    out.push_str("<style>\nsvg{--paper:#ffffff;--ink:#1b1f24;--soft:#59636e;");
    for (class, color) in LIGHT.iter().enumerate() {
        put(out, format_args!("--c{class}:{color};"));
    }
    out.push_str("}\n@media (prefers-color-scheme:dark){svg{--paper:#14171c;--ink:#e8eaed;--soft:#a3abb5;");
    for (class, color) in DARK.iter().enumerate() {
        put(out, format_args!("--c{class}:{color};"));
    }
    out.push_str(
        "}}\n.paper{fill:var(--paper)}\ntext{font-family:system-ui,sans-serif;fill:var(--ink);font-size:14px}\n\
         .h{font-size:20px;font-weight:600}\n.s{fill:var(--soft)}\n.n{text-anchor:end;fill:var(--soft)}\n\
         .new{fill:none;stroke:var(--ink);stroke-width:2}\n\
         .label{paint-order:stroke;stroke:var(--paper);stroke-width:4px;font-weight:600}\n",
    );
    for class in 0..CLASSES {
        put(out, format_args!(".c{class}{{fill:var(--c{class})}}\n"));
    }
    out.push_str("</style>\n");
}

/// What turns places into pixels: one scale for both axes.
struct View {
    scale: f64,
    middle: [f64; 2],
}

impl View {
    fn of(chart: &Chart) -> Self {
        let (low, high) = chart.corners();
        let [left, top, right, bottom] = FRAME;
        let room = [right - left - 40.0, bottom - top - 40.0];
        let size = [high[0] - low[0], high[1] - low[1]];
        let scale = (room[0] / size[0].max(f64::MIN_POSITIVE)).min(room[1] / size[1].max(f64::MIN_POSITIVE));
        let scale = if scale.is_finite() && scale < 1e6 { scale } else { 1.0 };
        Self { scale, middle: [f64::midpoint(low[0], high[0]), f64::midpoint(low[1], high[1])] }
    }

    /// The second axis points up on the map and down in the picture.
    fn pixel(&self, place: [f64; 2]) -> [f64; 2] {
        let [left, top, right, bottom] = FRAME;
        [
            f64::midpoint(left, right) + (place[0] - self.middle[0]) * self.scale,
            f64::midpoint(top, bottom) - (place[1] - self.middle[1]) * self.scale,
        ]
    }
}

/// Draws the points, one path per class: a picture of 100,000 stays small.
fn points(out: &mut String, chart: &Chart, legend: &Legend) {
    let view = View::of(chart);
    let radius = radius(chart.names.len());
    let twins = twins(&chart.layout);
    for entry in legend.drawn() {
        put(out, format_args!("<path class=\"c{}\" d=\"", entry.class));
        for (at, place) in chart.layout.places.iter().enumerate() {
            if legend.classes[at] == entry.class {
                let (pixel, moved) = (view.pixel(*place), aside(twins[at], radius));
                shape(out, Shape::of(entry.class), [pixel[0] + moved[0], pixel[1] + moved[1]], radius);
            }
        }
        out.push_str("\"/>\n");
    }
}

/// Appends the outline of a point to a path; all shapes have about the same area.
fn shape(out: &mut String, shape: Shape, [x, y]: [f64; 2], radius: f64) {
    match shape {
        Shape::Circle => put(
            out,
            format_args!(
                "M{:.1} {y:.1}a{radius:.1} {radius:.1} 0 1 0 {:.1} 0a{radius:.1} {radius:.1} 0 1 0 {:.1} 0z",
                x - radius,
                2.0 * radius,
                -2.0 * radius
            ),
        ),
        Shape::Square => {
            let half = 0.89 * radius;
            let side = 2.0 * half;
            put(out, format_args!("M{:.1} {:.1}h{side:.1}v{side:.1}h-{side:.1}z", x - half, y - half));
        }
        Shape::Triangle => {
            let (half, height) = (1.25 * radius, 2.2 * radius);
            put(out, format_args!("M{x:.1} {:.1}l{half:.1} {height:.1}h-{:.1}z", y - 0.62 * height, 2.0 * half));
        }
        Shape::Diamond => {
            let half = 1.25 * radius;
            put(
                out,
                format_args!("M{x:.1} {:.1}l{half:.1} {half:.1}-{half:.1} {half:.1}-{half:.1}-{half:.1}z", y - half),
            );
        }
    }
}

/// Draws newcomers as rings with their names: a place that is approximate looks like none of the others.
fn newcomers(out: &mut String, chart: &Chart) {
    let view = View::of(chart);
    for newcomer in &chart.newcomers {
        let [x, y] = view.pixel(newcomer.place);
        put(out, format_args!("<circle class=\"new\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>\n"));
        put(out, format_args!("<circle class=\"new\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>\n"));
        // Names near the right edge stand to the left of their ring.
        let is_right = x > FRAME[2] - 260.0;
        let (at, anchor) = if is_right { (x - 14.0, "end") } else { (x + 14.0, "start") };
        put(
            out,
            format_args!(
                "<text class=\"label\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{} (approximate)</text>\n",
                y + 5.0,
                escape(&short(&newcomer.name))
            ),
        );
    }
}

/// Lists what colours and shapes mean.
fn key(out: &mut String, chart: &Chart, column: Option<&Column>, legend: &Legend) {
    let left = FRAME[2] + 24.0;
    let mut y = FRAME[1] + 16.0;
    let title = column.map_or("workloads", |column| column.name.as_str());
    put(out, format_args!("<text x=\"{left}\" y=\"{y}\" font-weight=\"600\">{}</text>\n", escape(&short(title))));
    for entry in &legend.entries {
        y += 25.0;
        put(out, format_args!("<path class=\"c{}\" d=\"", entry.class));
        shape(out, Shape::of(entry.class), [left + 6.0, y - 5.0], 5.0);
        out.push_str("\"/>");
        put(out, format_args!("<text x=\"{}\" y=\"{y}\">{}</text>", left + 20.0, escape(&short(&entry.label))));
        put(out, format_args!("<text class=\"n\" x=\"{}\" y=\"{y}\">{}</text>\n", WIDTH - 24.0, grouped(entry.count)));
    }
    if !chart.newcomers.is_empty() {
        y += 34.0;
        put(out, format_args!("<circle class=\"new\" cx=\"{}\" cy=\"{}\" r=\"6\"/>", left + 6.0, y - 5.0));
        put(out, format_args!("<text x=\"{}\" y=\"{y}\">newcomer, placed approximately</text>\n", left + 20.0));
    }
}

/// Returns a name that fits beside its mark.
fn short(name: &str) -> String {
    if name.chars().count() <= LABEL {
        return name.to_owned();
    }
    name.chars().take(LABEL - 1).chain(['\u{2026}']).collect()
}

/// Appends formatted text.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes everything that is written to it.
    out.write_fmt(text).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NASTY, chart};
    use super::*;

    /// Returns what stands between two marks.
    fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
        text.split_once(from).unwrap().1.split_once(to).unwrap().0
    }

    #[test]
    fn a_small_map_is_drawn_so() {
        let chart = chart();
        let svg = svg(&chart, chart.columns.get(1));
        insta::assert_snapshot!(format!(
            "<svg{}\n{}",
            between(&svg, "<svg", ">\n"),
            between(&svg, "</style>\n", "</svg>")
        ));
    }

    #[test]
    fn names_stay_text_and_nothing_is_asked_of_the_network() {
        let chart = chart();
        let svg = svg(&chart, chart.columns.first());
        assert!(svg.contains("&lt;/script&gt;&lt;img") && !svg.contains("<img") && !svg.contains("<script"), "{svg}");
        assert!(!svg.contains(['\u{1b}', '\u{202e}']));
        assert!(NASTY.chars().count() > LABEL && svg.contains('\u{2026}'), "a long name is cut");
        let without_namespace = svg.replacen("http://www.w3.org/2000/svg", "", 1);
        for mark in ["http", "href", "url(", "@import"] {
            assert!(!without_namespace.contains(mark), "`{mark}`");
        }
    }

    #[test]
    fn one_point_or_none_is_a_picture_too() {
        let mut chart = Chart { newcomers: Vec::new(), columns: Vec::new(), outlines: Vec::new(), ..chart() };
        chart.names.truncate(1);
        chart.layout.places.truncate(1);
        chart.layout.fingerprints.truncate(1);
        let one = svg(&chart, None);
        assert_eq!(one.matches("M461.0 460.0a4.0").count(), 1, "in the middle: {one}");
        chart.names.clear();
        chart.layout.places.clear();
        chart.layout.fingerprints.clear();
        assert!(!svg(&chart, None).contains("NaN"));
    }
}
