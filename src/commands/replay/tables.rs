//! A replay's result for people: per split, what was asked and how, then one table per resource and weighting.

use crate::error::CommandError;
use crate::predict::NeighbourCount;
use crate::replay::{
    Calibrated, Flattery, Headline, HeadlineLine, Reading, ReplayReport, Resource, RivalSummary, Split, SplitBasis,
    SplitReport, Weighting,
};
use crate::ui::{Align, Table, Ui, human};

pub(super) fn show(ui: &Ui, report: &ReplayReport, target: f64) -> Result<(), CommandError> {
    for (position, split) in report.splits.iter().enumerate() {
        if position > 0 {
            ui.data_text("\n")?;
        }
        ui.data_text(&caption(report, split))?;
        if split.queries == 0 {
            continue;
        }
        for weighting in Weighting::ALL {
            for resource in Resource::ALL {
                let headline = split.headline(resource, weighting, target);
                ui.data_text(&format!("\n{}\n", heading(report, split, &headline, (resource, weighting))))?;
                ui.data_table(&headline_table(report, &headline.lines, (resource, weighting), target))?;
            }
        }
        let calibrated = Resource::ALL.map(|resource| split.calibrated_for(resource, Weighting::Workload, target));
        if calibrated.iter().flatten().any(|entry| entry.mean_waste.is_some()) {
            ui.data_text(&format!(
                "\nsettings chosen before the test for {} coverage, and what they did in it\n",
                human::share(1.0 - target)
            ))?;
            ui.data_table(&calibrated_table(report, split, &calibrated))?;
        }
    }
    if report.splits.iter().any(|split| split.queries > 0) {
        ui.data_text(&format!("\n{}\n", legend(report, target)))?;
    }
    if !report.flattery.is_empty() {
        let shown = report.flattery.iter().filter(|entry| (entry.target - target).abs() < 1e-9);
        ui.data_text(&format!(
            "\nhow much the leaky split flatters: mean waste at {} coverage\n",
            human::share(1.0 - target)
        ))?;
        ui.data_table(&flattery_table(report, shown))?;
    }
    Ok(())
}

/// Returns a split's name on the command line.
pub(super) const fn name(split: Split) -> &'static str {
    match split {
        Split::Recurring => "recurring",
        Split::Unseen => "unseen",
        Split::Leaky => "leaky",
    }
}

/// Returns whether some figure is a share of a machine whose size is not known.
pub(super) fn has_shares(report: &ReplayReport) -> bool {
    Resource::ALL.iter().any(|resource| unit(report, *resource).0 == SHARE)
}

const SHARE: &str = "% of the largest machine";

/// Returns the unit of a resource's figures as it is shown, and what the report's figures are multiplied by to get there.
pub(super) fn unit(report: &ReplayReport, resource: Resource) -> (&'static str, f64) {
    let unit = match resource {
        Resource::Memory => report.units.memory,
        Resource::Cpu => report.units.cpu,
    };
    match unit {
        "GiB" | "cores" => (unit, 1.0),
        _ => (SHARE, 100.0),
    }
}

const fn name_of(resource: Resource) -> &'static str {
    match resource {
        Resource::Memory => "memory",
        Resource::Cpu => "CPU",
    }
}

/// What a table is about, how many workloads count, and what each weighs.
fn heading(
    report: &ReplayReport,
    split: &SplitReport,
    headline: &Headline<'_>,
    (resource, weighting): (Resource, Weighting),
) -> String {
    let counted = headline.lines.iter().map(|line| line.row.figures.workloads).max().unwrap_or(0);
    let reading = match headline.reading {
        Reading::UncensoredOnly if counted < split.queries => ", without those whose need is only a lower bound",
        Reading::UncensoredOnly => "",
        Reading::UndecidedFits => "; an allocation at or above a need that is only a lower bound counts as enough",
        Reading::UndecidedFails => "; a need that is only a lower bound counts as not met",
    };
    let weighs = match weighting {
        Weighting::Workload => "each weighing the same".to_owned(),
        Weighting::ResourceHour => format!("each weighing the {} that it used", hours(unit(report, resource).0)),
    };
    format!(
        "{} in {}: {} of {}, {weighs}{reading}",
        name_of(resource),
        unit(report, resource).0,
        human::count(counted),
        human::counted(split.queries, "workload", "workloads")
    )
}

/// What the columns mean.
fn legend(report: &ReplayReport, target: f64) -> String {
    let at = human::share(1.0 - target);
    let mut lines = vec![
        "coverage: share of workloads that needed no more than they were given; waste: what they were given above that"
            .to_owned(),
        "A/need: median of what was given over what was needed; without an answer the owner's request is given"
            .to_owned(),
        format!(
            "at {at}, above shadow: the mean waste of each rival with its knob set so that it covers {at}; no claim"
        ),
    ];
    if report.feedback {
        lines.push(
            "F0, for all workloads asked: one that exceeds its memory is killed and begins again with more; kills are per \
             workload"
                .to_owned(),
        );
    }
    lines.push("[ , ]: 95 % interval; \"above shadow\" is a difference if it excludes 0".to_owned());
    lines.join("\n")
}

/// Returns the unit of integrals over time. A share of a machine for an hour is a share of a machine-hour.
fn hours(unit: &str) -> &'static str {
    match unit {
        "GiB" => "GiB-hours",
        "cores" => "core-hours",
        _ => "machine-hours",
    }
}

/// What was asked, of whom, and with which settings.
fn caption(report: &ReplayReport, split: &SplitReport) -> String {
    let basis = match split.basis {
        SplitBasis::TimeOrder => "in time order".to_owned(),
        SplitBasis::Folds => format!("by {} folds, not in time order", split.folds),
        SplitBasis::Random => "random: the store holds what ran later, so the figures flatter".to_owned(),
    };
    let held_out =
        split.held_out_by.map_or_else(String::new, |what| format!(", nothing of the same {what} in the store"));
    let store = match split.store_workloads {
        Some((fewest, most)) if fewest == most => format!("; the store holds {}", human::count(most)),
        Some((fewest, most)) => format!("; the stores hold {} to {}", human::count(fewest), human::count(most)),
        None => String::new(),
    };
    let mut lines = vec![
        format!("{} split, {basis}{held_out}", name(split.split)),
        format!(
            "asked: {} of {}, after {} s, of those that lived {} or longer{store}",
            human::counted(split.queries, "workload", "workloads"),
            human::counted(split.clusters.count, split.clusters.by, &format!("{}s", split.clusters.by)),
            report.window_seconds,
            human::seconds(report.minimum_life_seconds),
        ),
        format!(
            "settings: coverage {}, {} neighbours, seed {}, feedback {}",
            human::share(report.coverage),
            NeighbourCount::from(report.k),
            report.seed,
            if report.feedback { "on" } else { "off" },
        ),
    ];
    if let Some(shadow) = split.rivals.iter().find(|rival| rival.name == "shadow").filter(|_| split.queries > 0) {
        let share = |count: u64| human::share(count as f64 / split.queries as f64);
        let mut rungs: Vec<(&str, u64)> = shadow.rungs.iter().map(|(rung, count)| (*rung, *count)).collect();
        rungs.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let mut parts: Vec<String> = rungs.iter().map(|(rung, count)| format!("{rung} {}", share(*count))).collect();
        let answered: u64 = shadow.rungs.values().sum();
        if answered < split.queries {
            parts.push(format!("no answer {}", share(split.queries - answered)));
        }
        lines.push(format!("shadow answered by: {}", parts.join(", ")));
    }
    let silent: Vec<&str> =
        split.rivals.iter().filter(|rival| rival.rungs.is_empty()).map(|rival| rival.name).collect();
    if split.queries > 0 && !silent.is_empty() {
        lines.push(format!("without any answer, and left out: {}", silent.join(", ")));
    }
    let removed: Vec<String> = split
        .removed
        .iter()
        .filter(|(_, removed)| removed.workloads > 0)
        .map(|(reason, removed)| format!("{} {}", human::count(removed.workloads), reason.in_words()))
        .collect();
    if !removed.is_empty() {
        lines.push(format!("not asked: {}", removed.join(", ")));
    }
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

fn headline_table(
    report: &ReplayReport,
    lines: &[HeadlineLine<'_>],
    (resource, weighting): (Resource, Weighting),
    target: f64,
) -> Table {
    let (unit, factor) = unit(report, resource);
    // Answers are counted for memory.
    let shows_answered = resource == Resource::Memory && weighting == Weighting::Workload;
    let shows_kills = report.feedback && resource == Resource::Memory && weighting == Weighting::Workload;
    let shows_wasted = report.feedback && weighting == Weighting::ResourceHour;
    let at_target = format!("at {}", human::share(1.0 - target));
    let wasted = format!("wasted, {}", hours(unit));
    let mut columns = vec![
        ("rival", Align::Left),
        ("coverage %", Align::Right),
        ("mean waste", Align::Right),
        ("A/need", Align::Right),
        (at_target.as_str(), Align::Right),
        ("above shadow", Align::Right),
    ];
    if shows_answered {
        columns.insert(1, ("answered %", Align::Right));
    }
    if shows_kills {
        columns.push(("OOM kills", Align::Right));
    }
    if shows_wasted {
        columns.push((wasted.as_str(), Align::Right));
    }
    let mut table = Table::new(columns);
    // The figures of a rival that answers nothing would be those of the owner's requests.
    for line in lines.iter().filter(|line| !line.rival.rungs.is_empty()) {
        let figures = &line.row.figures;
        let scaled = |value: Option<f64>| amount(value.map(|value| value * factor));
        let mut cells = vec![
            line.rival.name.to_owned(),
            with_interval(figures.coverage, line.row.under_provision_interval.map(complement), percent),
            scaled(figures.mean_waste),
            amount(figures.median_ratio),
            scaled(line.equal.and_then(|equal| equal.mean_waste)),
            with_interval(
                line.equal.and_then(|equal| equal.above_shadow),
                line.equal.and_then(|equal| equal.above_shadow_interval),
                scaled,
            ),
        ];
        if shows_answered {
            let asked = line.rival.answered + line.rival.unanswered;
            cells.insert(1, percent(Some(line.rival.answered as f64 / asked.max(1) as f64)));
        }
        if shows_kills {
            cells.push(amount(line.feedback.and_then(|row| row.oom_kills)));
        }
        if shows_wasted {
            cells.push(amount(line.feedback.map(|row| match resource {
                Resource::Memory => row.memory_wasted,
                Resource::Cpu => row.cpu_waste,
            })));
        }
        table.row(cells);
    }
    table
}

fn calibrated_table(report: &ReplayReport, split: &SplitReport, by_resource: &[Vec<&Calibrated>; 2]) -> Table {
    // The oracle is a reference: it has nothing to choose. Who answers nothing is left out here too.
    let is_shown = |entry: &&&Calibrated| {
        let answers = |rival: &RivalSummary| rival.family == entry.rival && !rival.rungs.is_empty();
        entry.rival != "oracle" && split.rivals.iter().any(answers)
    };
    let mut table = Table::new([
        ("rival", Align::Left),
        ("resource", Align::Left),
        ("coverage %", Align::Right),
        ("mean waste", Align::Right),
        ("above shadow", Align::Right),
    ]);
    for (resource, entries) in Resource::ALL.into_iter().zip(by_resource) {
        let (unit, factor) = unit(report, resource);
        let scaled = |value: Option<f64>| amount(value.map(|value| value * factor));
        for entry in entries.iter().filter(is_shown) {
            table.row([
                entry.rival.to_owned(),
                format!("{}, {unit}", name_of(resource)),
                with_interval(
                    entry.under_provision_rate.map(|rate| 1.0 - rate),
                    entry.under_provision_interval.map(complement),
                    percent,
                ),
                with_interval(entry.mean_waste, entry.mean_waste_interval, scaled),
                with_interval(entry.above_shadow, entry.above_shadow_interval, scaled),
            ]);
        }
    }
    table
}

fn flattery_table<'a>(report: &ReplayReport, entries: impl Iterator<Item = &'a Flattery>) -> Table {
    let mut table = Table::new([
        ("rival", Align::Left),
        ("resource", Align::Left),
        ("honest", Align::Right),
        ("leaky", Align::Right),
        ("honest/leaky", Align::Right),
    ]);
    for entry in entries {
        let (unit, factor) = unit(report, entry.resource);
        let scaled = |value: Option<f64>| amount(value.map(|value| value * factor));
        table.row([
            entry.rival.to_owned(),
            format!("{}, {unit}", name_of(entry.resource)),
            scaled(entry.honest),
            scaled(entry.leaky),
            amount(entry.flatters_by),
        ]);
    }
    table
}

/// The interval of a coverage from that of its under-provision rate.
fn complement((low, high): (f64, f64)) -> (f64, f64) {
    (1.0 - high, 1.0 - low)
}

/// A value with its 95 % interval, as in `0.62 [0.16, 1.00]`; nothing for a figure that cannot be computed.
fn with_interval(value: Option<f64>, interval: Option<(f64, f64)>, show: impl Fn(Option<f64>) -> String) -> String {
    match interval {
        Some((low, high)) if value.is_some() => format!("{} [{}, {}]", show(value), show(Some(low)), show(Some(high))),
        _ => show(value),
    }
}

/// A share as percents without the sign: the header has it.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(String::new, |share| human::share(share).trim_end_matches(" %").to_owned())
}

fn amount(value: Option<f64>) -> String {
    value.map_or_else(String::new, human::significant)
}
