//! The closed loop: every method led by its own rules to the end of each run, slack against days without a kill.

use super::chart::{Axis, Figure, Line};
use super::html::{Cell, number, paragraph, table, words};
use super::numbers::{amount, count, percent};
use super::view::{OWNER, SHADOW, View, weighing};
use crate::replay::closed::{ClosedRow, Lives};
use crate::replay::feedback::FeedbackModel;
use crate::replay::results::{Resource, Weighting};

/// Shadow's first answer, held: what the loop adds is the difference to it.
const HELD: &str = "shadow-held";
/// Task-days that a share of failures is drawn at where there were none.
const BELOW_ONE: f64 = 0.4;

pub(super) fn section(view: &View<'_>) -> String {
    let rows = |resource, weighting| -> Vec<&ClosedRow> {
        let is_shown = |row: &&ClosedRow| {
            (row.resource, row.weighting, row.model, row.lives) == (resource, weighting, FeedbackModel::F0, Lives::All)
                && (row.rival == HELD || view.answering().any(|rival| rival.name == row.rival))
        };
        view.split.closed_loop.iter().filter(is_shown).collect()
    };
    let memory = rows(Resource::Memory, Weighting::Workload);
    if memory.is_empty() {
        return String::new();
    }
    let most = |value: fn(&ClosedRow) -> u64| count(memory.iter().map(|row| value(row)).max().unwrap_or(0));
    let mut html = "<h2>Led to the end: slack against days without a kill</h2>\n".to_owned();
    html.push_str(&paragraph(&format!(
        "Here a method does not answer once: it is led by its own rules from its first answer to the end of each run, may change the \
         allocation, and is told of OOM kills. {} runs, {} days of tasks, {} days of jobs; a life under a day is one. Slack is the mean \
         over days of jobs of (mean allocation - 95th percentile of five-minute use) / mean allocation. Further down and to the left is \
         better.",
        most(|row| row.runs),
        most(|row| row.task_days),
        most(|row| row.job_days),
    )));
    html.push_str(&view.key());
    let figures: String = Weighting::ALL
        .into_iter()
        .filter_map(|weighting| figure(view, &rows(Resource::Memory, weighting), weighting))
        .map(|figure| figure.html())
        .collect();
    super::html::put(&mut html, format_args!("<div class=\"figures\">\n{figures}</div>\n"));
    let cpu = rows(Resource::Cpu, Weighting::Workload);
    let cells: Vec<Vec<Cell>> =
        memory.iter().map(|row| cells(row, cpu.iter().find(|other| other.rival == row.rival).copied())).collect();
    let header = [
        "method",
        "memory slack",
        "with peaks",
        "days of tasks without a kill",
        "of jobs",
        "kills per day",
        "serious days of jobs",
        "changes per day",
        "days without one",
        "CPU slack",
        "CPU time above",
    ];
    html.push_str(&table("The closed loop under F0, every day weighing the same", &header, &cells));
    html
}

/// Two digits would make 99.5 and 99.8 % one.
fn fine(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2} %", share * 100.0))
}

fn cells(row: &ClosedRow, cpu: Option<&ClosedRow>) -> Vec<Cell> {
    vec![
        words(row.rival),
        number(percent(row.relative_slack_mean)),
        number(percent(row.peak_slack_mean)),
        number(fine(row.oom_free_task_days)),
        number(fine(row.oom_free_job_days)),
        number(amount(row.oom_kills_per_task_day)),
        number(row.serious_job_days.map_or_else(|| "–".to_owned(), count)),
        number(amount(row.changes_per_task_day)),
        number(percent(row.unchanged_task_days)),
        number(percent(cpu.and_then(|cpu| cpu.relative_slack_mean))),
        number(percent(cpu.and_then(|cpu| cpu.time_above))),
    ]
}

/// One point per method: families differ in colour, members of a family share it.
fn figure(view: &View<'_>, rows: &[&ClosedRow], weighting: Weighting) -> Option<Figure> {
    let days = rows.iter().map(|row| row.task_days).max()?;
    let edge = (BELOW_ONE / days.max(1) as f64).max(1e-6);
    let mut lines: Vec<Line> = Vec::new();
    let mut named: Vec<String> = Vec::new();
    for row in rows {
        let (Some(free), Some(slack)) = (row.oom_free_task_days, row.relative_slack_mean) else { continue };
        let at = ((1.0 - free).max(edge), slack);
        let family =
            view.split.rivals.iter().find(|rival| rival.name == row.rival).map_or(SHADOW, |rival| rival.family);
        // Rings: the two that everything is measured by.
        let ringed = if [SHADOW, OWNER].contains(&row.rival) { vec![at] } else { Vec::new() };
        lines.push(Line { style: view.style(family), points: vec![at], has_markers: true, ringed, ..Line::default() });
        named.push(format!("{} {} at {} of days without a kill", row.rival, percent(Some(slack)), fine(Some(free))));
    }
    let slacks: Vec<f64> = lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)).collect();
    let low = slacks.iter().copied().min_by(f64::total_cmp)?.min(0.0);
    let id = if weighting == Weighting::Workload { "workload" } else { "hours" };
    let high = slacks.iter().copied().max_by(f64::total_cmp)?.max(low + 0.1);
    let whole = |share: f64| format!("{}%", (share * 100.0).round());
    Some(Figure {
        id: format!("{}closed-{id}", view.prefix),
        title: format!(
            "Memory slack against days of tasks with a kill; {}; rings: shadow and owner",
            weighing(weighting)
        ),
        description: format!("One point per method. {}.", named.join("; ")),
        x: Axis::logarithmic("share of days of tasks with a kill", (edge, 1.0), whole)
            .with_ticks(super::curves::rate_ticks(edge)),
        y: Axis::linear("mean slack", ((low * 10.0).floor() / 10.0, (high * 10.0).ceil() / 10.0), whole),
        lines,
        guide: Vec::new(),
    })
}
