//! A report as one self-contained page: the finding in words, figures with the numbers behind them, the method and its
//! limits.
//!
//! Input: a [`ReplayReport`] and where it comes from. Output: HTML with inline SVG and CSS, no script, nothing from the
//! network, no clock: the same report gives the same page. Every name from a trace is escaped in `html`. Cost: under a
//! megabyte of text per split.

mod abstain;
mod calibration;
mod chart;
mod closed;
mod curves;
mod equal;
mod groups;
mod headline;
mod html;
mod method;
mod misses;
mod numbers;
mod order;
mod ratios;
mod regret;
mod seconds;
mod seen;
mod sides;
mod view;

#[cfg(test)]
mod tests;

use html::{details, escape, put};
use view::View;

use serde::Serialize;

use super::params::Split;
use super::results::ReplayReport;

const STYLE: &str = include_str!("style.css");

/// Where a report comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// What the trace's numbers are, in words.
    pub units: String,
    /// Size of the largest machine, in words.
    pub machine: String,
    /// Files that were read into the store.
    pub sources: Vec<SourceFile>,
}

/// A file of the trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceFile {
    /// Its name, without its folders.
    pub name: String,
    /// Digest of its bytes.
    pub digest: String,
}

/// Returns the page of a report.
pub fn page(report: &ReplayReport, provenance: &Provenance) -> String {
    let mut html = String::new();
    put(
        &mut html,
        format_args!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width,initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'\">\n<title>shadow replay</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        ),
    );
    let views: Vec<View<'_>> =
        report.splits.iter().enumerate().map(|(at, split)| View::new(report, split, prefix(at, split.split))).collect();
    for (position, view) in views.iter().enumerate() {
        html.push_str(&opening(view, position));
        html.push_str("<main>\n");
        html.push_str(&headline::section(view));
        if position == 0 {
            html.push_str(&sides::section(&views));
            html.push_str(&sections(view));
        } else {
            // The first split says what the sections are; whoever wants the same of another one opens it.
            if view.split.split == Split::Leaky {
                html.push_str(&equal::flattery(view, &report.flattery));
            }
            html.push_str(&details(
                &format!("Every section for the {} split", name_of(view.split.split)),
                &sections(view),
            ));
        }
        html.push_str("</main>\n");
    }
    html.push_str("<main>\n");
    html.push_str(&method::of_run(report, provenance));
    html.push_str("</main>\n<footer>Made by shadow replay. Figures are drawn from the tables below them; everything else is in the JSON of the \
                   same command.</footer>\n</body>\n</html>\n");
    html
}

/// Distinguishes the figures of several splits.
const fn prefix(position: usize, split: Split) -> &'static str {
    match split {
        _ if position == 0 => "",
        Split::Recurring => "recurring-",
        Split::Unseen => "unseen-",
        Split::Leaky => "leaky-",
    }
}

/// Returns a split's name.
const fn name_of(split: Split) -> &'static str {
    match split {
        Split::Recurring => "recurring",
        Split::Unseen => "unseen",
        Split::Leaky => "leaky",
    }
}

/// Returns what stands below the headline of a split.
fn sections(view: &View<'_>) -> String {
    let mut html = String::new();
    if view.split.queries > 0 {
        html.push_str(&curves::section(view));
        let observed = view.report.seconds_observed.as_ref();
        if let Some(observed) = observed.filter(|one| one.split == view.split.split && !one.rows.is_empty()) {
            html.push_str(&seconds::section(view, observed));
        }
        html.push_str(&seen::section(view));
        html.push_str(&groups::section(view));
        html.push_str(&regret::section(view));
        html.push_str(&calibration::section(view));
        html.push_str(&abstain::section(view));
        html.push_str(&ratios::section(view));
        html.push_str(&closed::section(view));
        html.push_str(&order::section(view));
        html.push_str(&equal::section(view));
        html.push_str(&misses::section(view));
    }
    html.push_str(&method::of_split(view));
    html
}

/// Says what was replayed.
fn opening(view: &View<'_>, position: usize) -> String {
    let (report, split) = (view.report, view.split);
    let name = name_of(split.split);
    let what = match split.split {
        Split::Recurring => "workloads whose application had run before",
        Split::Unseen => "workloads of applications that were never seen",
        Split::Leaky => "the same workloads, with a store that leaks: not an honest figure",
    };
    let tag = if position == 0 { "h1" } else { "h2" };
    format!(
        "<header>\n<{tag}>Sizing {what}, after {}</{tag}>\n<p class=\"sub\">shadow replay, {} split: {} workloads asked, {} coverage \
         asked for</p>\n</header>\n",
        escape(&numbers::seconds(report.window_seconds)),
        escape(name),
        numbers::count(split.queries),
        escape(&numbers::percent(Some(report.coverage))),
    )
}
