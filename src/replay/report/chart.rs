//! Figures as inline SVG: lines with markers over two axes, linear or logarithmic.
//!
//! Colours are written as marks and then replaced by variables of the style sheet, so that one drawing is right in a
//! light and in a dark page. Rivals differ in colour and in the shape of their markers.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::html::{escape, put};

/// Size in units of the drawing: small enough that its text can be read on a telephone.
const SIZE: (u32, u32) = (480, 320);
/// Lines that have a colour and a shape of their own; all others are drawn alike.
pub(super) const STYLES: usize = 8;
/// The style of the rest.
pub(super) const REST: usize = STYLES;

/// Share of an axis that the label of a tick takes.
const TICK_ROOM: f64 = 0.105;

/// Colours that stand for variables of the style sheet: text, grid, then one per style.
const INK: RGBColor = RGBColor(1, 0, 0);
const MUTED: RGBColor = RGBColor(1, 0, 1);
const GRID: RGBColor = RGBColor(1, 0, 2);
const FIRST_STYLE: u8 = 16;

/// One axis.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    name: String,
    low: f64,
    high: f64,
    is_logarithmic: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Returns a linear axis with about five ticks at round numbers.
    pub(super) fn linear(name: &str, (low, high): (f64, f64), show: impl Fn(f64) -> String) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let step = round_step((high - low) / 5.0);
        let first = (low / step).ceil();
        let ticks =
            (0..=20_u32).map(|at| (first + f64::from(at)) * step).take_while(|tick| *tick <= high + step * 1e-9);
        let ticks = ticks.map(|tick| (tick, show(tick))).collect();
        Self { name: name.to_owned(), low, high, is_logarithmic: false, ticks }
    }

    /// Returns a logarithmic axis with ticks at 1, 2 and 5 times powers of ten, or at the powers alone where those are
    /// many. Both ends must be more than 0.
    pub(super) fn logarithmic(name: &str, (low, high): (f64, f64), show: impl Fn(f64) -> String) -> Self {
        let low = if low > 0.0 { low } else { 1e-6 };
        let high = if high > low { high } else { low * 10.0 };
        let decades = (high / low).log10();
        let factors: &[f64] = match decades {
            few if few <= 1.2 => &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
            some if some <= 2.6 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let begin = low.log10().floor();
        let mut ticks = Vec::new();
        for decade in 0..=30_u32 {
            let power = 10_f64.powf(begin + f64::from(decade));
            ticks.extend(factors.iter().map(|factor| factor * power));
        }
        let inside = |tick: &f64| *tick >= low * (1.0 - 1e-9) && *tick <= high * (1.0 + 1e-9);
        let ticks = ticks.into_iter().filter(inside).map(|tick| (tick, show(tick))).collect();
        Self { name: name.to_owned(), low, high, is_logarithmic: true, ticks }
    }

    /// Replaces the ticks: those that come first stay, later ones only where they have room.
    pub(super) fn with_ticks(mut self, ticks: Vec<(f64, String)>) -> Self {
        let span = self.place(self.high) - self.place(self.low);
        self.ticks.clear();
        for tick in ticks {
            let is_free = |other: &(f64, String)| (self.place(other.0) - self.place(tick.0)).abs() >= span * TICK_ROOM;
            if self.holds(tick.0) && self.ticks.iter().all(is_free) {
                self.ticks.push(tick);
            }
        }
        self
    }

    fn place(&self, value: f64) -> f64 {
        if self.is_logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value }
    }

    fn holds(&self, value: f64) -> bool {
        let slack = 1e-9 * self.high.abs().max(self.low.abs());
        value.is_finite() && value >= self.low - slack && value <= self.high + slack
    }

    fn places(&self) -> Places {
        let ticks = self.ticks.iter().map(|(tick, _)| self.place(*tick)).collect();
        Places { low: self.place(self.low), high: self.place(self.high), ticks }
    }

    fn label(&self, place: f64) -> String {
        let near = self
            .ticks
            .iter()
            .min_by(|a, b| (self.place(a.0) - place).abs().total_cmp(&(self.place(b.0) - place).abs()));
        near.map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

/// What is drawn on, and why that fails.
type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Places, Places>>;
type Failure<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

/// An axis as the drawing takes it: places along it, and those of its ticks.
struct Places {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Ranged for Places {
    type FormatOption = plotters::coord::ranged1d::DefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (place - self.low) / (self.high - self.low);
        #[expect(clippy::cast_possible_truncation, reason = "inside a drawing of some hundred units")]
        let offset = (share * f64::from(to - from)).round() as i32;
        from + offset
    }

    fn key_points<Hint: plotters::coord::ranged1d::KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

/// One line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// Its style.
    pub(super) style: usize,
    /// Its points, in the order in which they are joined.
    pub(super) points: Vec<(f64, f64)>,
    /// Whether each point has a marker.
    pub(super) has_markers: bool,
    /// Points with a ring around them.
    pub(super) ringed: Vec<(f64, f64)>,
    /// Intervals: across, lower end, upper end.
    pub(super) spans: Vec<(f64, f64, f64)>,
}

/// A figure.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// Unique in the page: letters, digits and hyphens.
    pub(super) id: String,
    /// What it shows.
    pub(super) title: String,
    /// The same for whoever does not see it, with the finding.
    pub(super) description: String,
    /// Across.
    pub(super) x: Axis,
    /// Upwards.
    pub(super) y: Axis,
    /// The lines; the first is drawn last, above the others.
    pub(super) lines: Vec<Line>,
    /// A dashed line through these points.
    pub(super) guide: Vec<(f64, f64)>,
}

impl Figure {
    /// Returns the figure with its title as caption.
    pub(super) fn html(&self) -> String {
        let mut drawing = String::new();
        if let Err(error) = self.draw(&mut drawing) {
            return format!("<p>the figure could not be drawn: {}</p>\n", escape(&error.to_string()));
        }
        let mut inside = drawing.find('>').map_or("", |end| &drawing[end + 1..]).to_owned();
        for (mark, name) in marks() {
            inside = inside
                .replace(&format!("\"#{:02X}{:02X}{:02X}\"", mark.0, mark.1, mark.2), &format!("\"var(--{name})\""));
        }
        let mut html = String::new();
        let (id, title) = (escape(&self.id), escape(&self.title));
        put(
            &mut html,
            format_args!(
                "<figure><figcaption>{title}</figcaption>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" \
                 xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{}</desc>{inside}</figure>\n",
                SIZE.0,
                SIZE.1,
                escape(&self.description)
            ),
        );
        html
    }

    fn draw(&self, into: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::with_string(into, SIZE).into_drawing_area();
        self.draw_on(&area).map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())?;
        Ok(())
    }

    fn draw_on<'a>(&self, area: &DrawingArea<SVGBackend<'a>, Shift>) -> Result<(), Failure<'a>> {
        let mut chart = ChartBuilder::on(area)
            .margin_top(10)
            .margin_right(18)
            .margin_left(4)
            .x_label_area_size(48)
            .y_label_area_size(66)
            .build_cartesian_2d(self.x.places(), self.y.places())?;
        let text = |size: u32, color: RGBColor| ("sans-serif", size).into_font().color(&color);
        chart
            .configure_mesh()
            .bold_line_style(GRID.stroke_width(1))
            .light_line_style(TRANSPARENT)
            .axis_style(MUTED)
            .label_style(text(14, INK))
            .axis_desc_style(text(14, INK))
            .x_desc(self.x.name.as_str())
            .y_desc(self.y.name.as_str())
            .x_label_formatter(&|place| self.x.label(*place))
            .y_label_formatter(&|place| self.y.label(*place))
            .draw()?;
        let place = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            let inside = points.iter().filter(|(x, y)| self.x.holds(*x) && self.y.holds(*y));
            inside.map(|(x, y)| (self.x.place(*x), self.y.place(*y))).collect()
        };
        chart.draw_series(DashedLineSeries::new(place(&self.guide), 5, 4, MUTED.stroke_width(1)))?;
        for line in self.lines.iter().rev() {
            let color = color(line.style);
            let width = if line.style == 0 { 3 } else { 2 };
            chart.draw_series(LineSeries::new(place(&line.points), color.stroke_width(width)))?;
            for (x, low, high) in &line.spans {
                let (low, high) = (low.max(self.y.low), high.min(self.y.high));
                chart.draw_series(LineSeries::new(place(&[(*x, low), (*x, high)]), color.stroke_width(width)))?;
            }
            let ringed = place(&line.ringed);
            if line.has_markers {
                mark(&mut chart, &place(&line.points), line.style)?;
            }
            mark(&mut chart, &ringed, line.style)?;
            chart.draw_series(ringed.into_iter().map(|at| Circle::new(at, 8, INK.stroke_width(2))))?;
        }
        Ok(())
    }
}

/// Returns a name with the line and the marker that it has in every figure.
pub(super) fn key(style: usize, name: &str) -> String {
    let variable = variable(style);
    let shape = match shape(style) {
        Shape::Circle => format!("<circle cx=\"14\" cy=\"7\" r=\"4\" fill=\"var(--{variable})\"/>"),
        Shape::Triangle => format!("<path d=\"M14 2l5 9h-10z\" fill=\"var(--{variable})\"/>"),
        Shape::Square => format!("<rect x=\"10\" y=\"3\" width=\"8\" height=\"8\" fill=\"var(--{variable})\"/>"),
        Shape::Cross => {
            format!("<path d=\"M10 3l8 8m0-8l-8 8\" stroke=\"var(--{variable})\" stroke-width=\"2\" fill=\"none\"/>")
        }
        Shape::None => String::new(),
    };
    format!(
        "<li><svg width=\"28\" height=\"14\" viewBox=\"0 0 28 14\" aria-hidden=\"true\"><path d=\"M1 7h26\" stroke=\"var(--{variable})\" \
         stroke-width=\"2\"/>{shape}</svg> {}</li>\n",
        escape(name)
    )
}

#[derive(Clone, Copy)]
enum Shape {
    Circle,
    Triangle,
    Square,
    Cross,
    None,
}

const fn shape(style: usize) -> Shape {
    if style >= STYLES {
        return Shape::None;
    }
    match style % 4 {
        0 => Shape::Circle,
        1 => Shape::Square,
        2 => Shape::Triangle,
        _ => Shape::Cross,
    }
}

fn variable(style: usize) -> String {
    if style < STYLES { format!("s{style}") } else { "rest".to_owned() }
}

fn color(style: usize) -> RGBColor {
    let number = u8::try_from(style.min(REST)).unwrap_or(0);
    RGBColor(1, 0, FIRST_STYLE + number)
}

/// Returns every mark with the variable that takes its place.
fn marks() -> Vec<(RGBColor, String)> {
    let mut marks = vec![(INK, "ink".to_owned()), (MUTED, "muted".to_owned()), (GRID, "grid".to_owned())];
    marks.extend((0..=REST).map(|style| (color(style), variable(style))));
    marks
}

/// Draws a marker at each place.
fn mark<'a>(chart: &mut Chart<'a>, places: &[(f64, f64)], style: usize) -> Result<(), Failure<'a>> {
    let (filled, places) = (color(style).filled(), places.iter().copied());
    match shape(style) {
        Shape::Circle => chart.draw_series(places.map(|at| Circle::new(at, 4, filled))).map(drop),
        Shape::Triangle => chart.draw_series(places.map(|at| TriangleMarker::new(at, 5, filled))).map(drop),
        Shape::Square => chart
            .draw_series(places.map(|at| EmptyElement::at(at) + Rectangle::new([(-3, -3), (4, 4)], filled)))
            .map(drop),
        Shape::Cross => chart.draw_series(places.map(|at| Cross::new(at, 4, color(style).stroke_width(2)))).map(drop),
        Shape::None => Ok(()),
    }
}

/// Returns the round number next above: 1, 2 or 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * (1.0 - 1e-9))
        .unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> Figure {
        Figure {
            id: "f".to_owned(),
            title: "a < b".to_owned(),
            description: "c & d".to_owned(),
            x: Axis::logarithmic("rate", (0.01, 1.0), |value| format!("{value}")),
            y: Axis::linear("waste", (0.0, 9.0), |value| format!("{value}")),
            lines: vec![Line {
                style: 0,
                points: vec![(0.01, 1.0), (0.1, 2.0), (5.0, 3.0), (f64::NAN, 1.0)],
                has_markers: true,
                ringed: vec![(0.1, 2.0)],
                spans: vec![(0.1, 1.0, 3.0), (0.2, 5.0, 20.0)],
            }],
            guide: Vec::new(),
        }
    }

    #[test]
    fn intervals_are_drawn_as_far_as_the_axis_goes() {
        let lines = |figure: &Figure| figure.html().matches("<polyline").count();
        let mut without = figure();
        without.lines[0].spans.clear();
        assert_eq!(lines(&figure()), lines(&without) + 2, "one inside, one cut at the upper end");
    }

    #[test]
    fn ticks_are_round() {
        let ticks = |axis: &Axis| axis.ticks.iter().map(|(_, label)| label.clone()).collect::<Vec<_>>();
        assert_eq!(ticks(&figure().y), ["0", "2", "4", "6", "8"]);
        assert_eq!(ticks(&figure().x), ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
        assert_eq!(ticks(&Axis::logarithmic("", (0.001, 10.0), |value| format!("{value}"))).len(), 5);
        let crowded = [1.0, 9.0, 5.0, 5.2, 8.5, 20.0].map(|at| (at, format!("{at}"))).to_vec();
        assert_eq!(ticks(&Axis::linear("", (0.0, 10.0), |_| String::new()).with_ticks(crowded)), ["1", "9", "5"]);
    }

    #[test]
    fn colours_are_those_of_the_page_and_words_are_escaped() {
        let html = figure().html();
        assert!(html.contains("var(--s0)") && html.contains("var(--ink)") && html.contains("var(--grid)"), "{html}");
        assert!(!html.contains("#0100"), "a mark was left\n{html}");
        assert!(html.contains("<title id=\"f-t\">a &lt; b</title><desc id=\"f-d\">c &amp; d</desc>"), "{html}");
        // Two points lie inside the axes; one of them has a ring.
        assert_eq!(html.matches("<circle").count(), 4, "{html}");
        assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    }
}
