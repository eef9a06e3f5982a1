//! What was done, and what the figures cannot say: only what is true of this run.

use super::Provenance;
use super::html::{list, number, paragraph, table, words};
use super::numbers::{amount, count, percent, seconds};
use super::view::{View, name_of};
use crate::predict::NeighbourCount;
use crate::replay::params::{Split, SplitBasis, StoreMode};
use crate::replay::results::{ReplayReport, Resource};

/// What one split did.
pub(super) fn of_split(view: &View<'_>) -> String {
    let mut html = "<h2>How this was measured</h2>\n".to_owned();
    html.push_str(&paragraph(&asked(view)));
    html.push_str(&list(&steps(view)));
    if !view.split.warnings.is_empty() {
        html.push_str("<h3>What weakens these figures</h3>\n");
        html.push_str(&list(&view.split.warnings));
    }
    html.push_str(&removed(view));
    html.push_str(&answered(view));
    html
}

fn asked(view: &View<'_>) -> String {
    let split = view.split;
    let what = match split.split {
        Split::Recurring => "The store held other runs of the same application.",
        Split::Unseen => "Nothing of the same application, job or user was in the store or in any fit.",
        Split::Leaky => "The split is leaky: the store held a random part of everything, later runs included.",
    };
    format!(
        "{} workloads of {} {}s were asked about after {}, of those that lived {} or longer. {what}",
        count(split.queries),
        count(split.clusters.count),
        split.clusters.by,
        seconds(view.report.window_seconds),
        seconds(view.report.minimum_life_seconds),
    )
}

fn steps(view: &View<'_>) -> Vec<String> {
    let (report, split) = (view.report, view.split);
    let mut steps = Vec::new();
    steps.push(match split.basis {
        SplitBasis::TimeOrder => {
            let cuts = split.cuts_seconds.map_or_else(String::new, |[begin, calibration, test, end]| {
                format!(
                    ": the trace runs for {}, calibration begins after {} and the test after {}",
                    seconds(end - begin),
                    seconds(calibration - begin),
                    seconds(test - begin)
                )
            });
            format!("Time order{cuts}. A store holds only what ended before the workloads asked about began.")
        }
        SplitBasis::Folds => format!(
            "{} folds, not time order: a store may hold what ran later, and figures flatter compared with a trace that has a clock.",
            split.folds
        ),
        SplitBasis::Random => format!("{} random folds that ignore time and groups: figures flatter by construction.", split.folds),
    });
    if let StoreMode::Growing { steps: number } = split.store_mode {
        steps.push(format!("The store grows in {number} steps through the test."));
    }
    if let Some(what) = split.held_out_by {
        steps.push(format!("Held out together: whatever shares an {what}."));
    }
    if let Some((fewest, most)) = split.store_workloads {
        let size = if fewest == most { count(most) } else { format!("{} to {}", count(fewest), count(most)) };
        steps.push(format!(
            "A store held {size} workloads; {} workloads chose the knobs before the test.",
            count(split.calibration_queries)
        ));
    }
    steps.push(format!(
        "shadow combined {} neighbours and was asked for {} coverage; every method is also swept over its own knob.",
        NeighbourCount::from(report.k),
        percent(Some(report.coverage))
    ));
    steps.push(format!(
        "The need of memory is the largest use of the whole life, the need of CPU the percentile of the rows' means at {}. Peaks between two \
         samples are seen by nobody.",
        percent(Some(report.cpu_share))
    ));
    for (resource, censored) in [(Resource::Memory, split.censored_memory), (Resource::Cpu, split.censored_cpu)] {
        if censored > 0 {
            steps.push(format!(
                "{} of {} needs of {} are only lower bounds, because the workload was stopped at its limit, killed or still alive at the end \
                 of the trace. They are left out where others are there.",
                count(censored),
                count(split.queries),
                name_of(resource)
            ));
        }
    }
    if split.without_request > 0 {
        steps.push(format!("{} workloads have no request of memory from their owner.", count(split.without_request)));
    }
    steps.push(if report.feedback {
        let limit = if report.cpu_limit { "also a limit" } else { "a request and no limit" };
        format!(
            "OOM kills are simulated, the trace names none: a workload that exceeds its memory is killed and begins again with more, at most \
             ten times. The CPU answer is {limit}."
        )
    } else {
        "Feedback is off: violations are counted and change nothing.".to_owned()
    });
    steps.push(match split.clusters.largest_share {
        Some(share) => format!(
            "Intervals are 95 % percentile intervals of {} resamples of whole {}s; the largest holds {} of the workloads.",
            count(u64::from(report.resamples)),
            split.clusters.by,
            percent(Some(share))
        ),
        None => "There are no intervals.".to_owned(),
    });
    steps
}

fn removed(view: &View<'_>) -> String {
    let (memory, cpu) = (
        format!("memory, {}-hours", short(view, Resource::Memory)),
        format!("CPU, {}-hours", short(view, Resource::Cpu)),
    );
    let rows: Vec<Vec<_>> = view
        .split
        .removed
        .iter()
        .filter(|(_, removed)| removed.workloads > 0)
        .map(|(reason, removed)| {
            vec![
                words(reason.in_words()),
                number(count(removed.workloads)),
                number(amount(Some(removed.memory_hours))),
                number(amount(Some(removed.cpu_hours))),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    table("Workloads that were not asked about", &["reason", "workloads", &memory, &cpu], &rows)
}

fn short(view: &View<'_>, resource: Resource) -> &'static str {
    match view.unit(resource) {
        "GiB" => "GiB",
        "cores" => "core",
        _ => "machine",
    }
}

/// Who answered how many, and how.
fn answered(view: &View<'_>) -> String {
    let rows: Vec<Vec<_>> = view
        .split
        .rivals
        .iter()
        .map(|rival| {
            let rungs: Vec<String> =
                rival.rungs.iter().map(|(rung, answers)| format!("{rung} {}", count(*answers))).collect();
            let how = if rungs.is_empty() { "nothing: left out of the figures".to_owned() } else { rungs.join(", ") };
            vec![
                words(rival.name),
                number(count(rival.answered)),
                number(count(rival.unanswered)),
                words(how),
                words(rival.knob),
                number(amount(Some(rival.published_knob))),
                number(amount(Some(rival.published_margin))),
            ]
        })
        .collect();
    table(
        "Methods, their answers for memory and their published or default settings; without an answer the owner's request stands in",
        &["method", "answered", "not answered", "by", "knob", "setting", "margin"],
        &rows,
    )
}

/// What holds for the whole run, and what no figure here can say.
pub(super) fn of_run(report: &ReplayReport, provenance: &Provenance) -> String {
    let mut html = String::new();
    if !report.warnings.is_empty() {
        html.push_str("<h2>Warnings of the run</h2>\n");
        html.push_str(&list(&report.warnings));
    }
    html.push_str("<h2>What this cannot tell</h2>\n");
    html.push_str(&list(&limits(report)));
    html.push_str("<h2>Where the numbers come from</h2>\n");
    html.push_str(&list(&[
        format!(
            "shadow {}, seed {}; the same store, seed and options give the same page.",
            provenance.version, report.seed
        ),
        format!(
            "{} runs with samples in the store; the trace's numbers are {}.",
            count(report.workloads),
            provenance.units
        ),
        format!("Largest machine: {}.", provenance.machine),
    ]));
    let rows: Vec<Vec<_>> =
        provenance.sources.iter().map(|file| vec![words(file.name.as_str()), words(file.digest.as_str())]).collect();
    if !rows.is_empty() {
        html.push_str(&table("Files that were read", &["file", "digest"], &rows));
    }
    html
}

fn limits(report: &ReplayReport) -> Vec<String> {
    let mut limits = vec![
        "These are the workloads of one trace. Nothing here says how good any method is on another cluster.".to_owned(),
        "Added replicas, load that moves to other tasks, heaps that adapt to their limit, contention on the node and placement are not modelled."
            .to_owned(),
        "Every OOM kill is simulated; none was observed.".to_owned(),
        "A mean per workload is no saving of money: use the figures by resource-hour for that, and the price of your machines.".to_owned(),
        "Rivals are written anew from their published descriptions, and get one first window of history like shadow; with days of a \
         workload's own history they may do better."
            .to_owned(),
    ];
    if report.splits.iter().any(|split| split.split == Split::Unseen) {
        limits.push("For applications that were never seen no method can guarantee a coverage: the past of others need not resemble them.".to_owned());
    }
    if report.units.memory != "GiB" || report.units.cpu != "cores" {
        limits.push("The size of the largest machine is not known, so amounts are shares of it, and constants of rivals in bytes or cores are switched off.".to_owned());
    }
    limits
}
