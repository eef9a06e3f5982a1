//! The finding in words, and three numbers.

use super::html::{escape, paragraph, put};
use super::numbers::{amount, count, percent, range};
use super::view::{ORACLE, OWNER, SHADOW, View};
use crate::replay::feedback::FeedbackModel;
use crate::replay::figures::Reading;
use crate::replay::results::{EqualCoverage, Resource, Weighting};

pub(super) fn section(view: &View<'_>) -> String {
    let mut html = String::new();
    for sentence in sentences(view) {
        put(&mut html, format_args!("<p class=\"lead\">{}</p>\n", escape(&sentence)));
    }
    if view.split.queries > 0 {
        html.push_str(&counted(view));
        html.push_str(&tiles(view));
    } else {
        html.push_str(&paragraph(
            "No workload could be asked, so there is nothing to compare; the reasons stand below.",
        ));
    }
    html
}

/// Says how many workloads the finding rests on.
fn counted(view: &View<'_>) -> String {
    let headline = view.split.headline(Resource::Memory, Weighting::Workload, view.target);
    let counted = headline.lines.iter().map(|line| line.row.figures.workloads).max().unwrap_or(0);
    let rest = match headline.reading {
        Reading::UncensoredOnly if counted < view.split.queries => {
            ": the need of the others is only known to be at least what was seen"
        }
        Reading::UncensoredOnly => "",
        Reading::UndecidedFits | Reading::UndecidedFails => {
            "; every need is only known to be at least what was seen, and an allocation at or above it counts as enough"
        }
    };
    paragraph(&format!("This rests on {} of {} workloads{rest}.", count(counted), count(view.split.queries)))
}

/// Says who wastes least at the coverage that was asked for, and how sure that is.
fn sentences(view: &View<'_>) -> Vec<String> {
    if view.split.queries == 0 {
        return Vec::new();
    }
    let at = percent(Some(1.0 - view.target));
    let unit = view.unit(Resource::Memory);
    let headline = view.split.headline(Resource::Memory, Weighting::Workload, view.target);
    let mut entries: Vec<&EqualCoverage> = Vec::new();
    for line in headline.lines.iter().filter(|line| line.rival.name != ORACLE && !line.rival.rungs.is_empty()) {
        entries.extend(line.equal.filter(|entry| entries.iter().all(|known| known.rival != entry.rival)));
    }
    let factor = view.factor(Resource::Memory);
    let Some((_, own)) = waste_of(&entries, SHADOW) else {
        return vec![format!(
            "No setting of shadow can be compared at {at} coverage of memory on these workloads; the curves below show what it reaches."
        )];
    };
    let mut others: Vec<(&EqualCoverage, f64)> = entries
        .iter()
        .filter(|entry| entry.rival != SHADOW)
        .filter_map(|entry| Some((*entry, entry.mean_waste?)))
        .collect();
    others.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.rival.cmp(b.0.rival)));
    let shown = |waste: f64| format!("{} {unit}", amount(Some(waste * factor)));
    let mut sentences = vec![format!(
        "At {at} coverage, a workload sized by shadow holds on average {} of memory more than it needs.",
        shown(own)
    )];
    if let Some((best, waste)) = others.first() {
        let finding = if *waste >= own {
            format!(
                "The best other method here, {}, wastes {}: {} as much.",
                best.rival,
                shown(*waste),
                times(*waste, own)
            )
        } else {
            format!(
                "shadow is not the best here: {} wastes {} at the same coverage, {} of shadow's.",
                best.rival,
                shown(*waste),
                percent(super::super::figures::quotient(*waste, own))
            )
        };
        sentences.push(format!("{finding} {}", certainty(best, factor, unit)));
    }
    if let Some((_, waste)) =
        waste_of(&entries, OWNER).filter(|_| others.first().is_none_or(|best| best.0.rival != OWNER))
    {
        sentences.push(format!(
            "The owners' requests, scaled to the same coverage, waste {}: {} as much as shadow.",
            shown(waste),
            times(waste, own)
        ));
    }
    sentences
}

fn waste_of<'a>(entries: &[&'a EqualCoverage], rival: &str) -> Option<(&'a EqualCoverage, f64)> {
    entries.iter().find(|entry| entry.rival == rival).and_then(|entry| Some((*entry, entry.mean_waste?)))
}

fn times(waste: f64, own: f64) -> String {
    super::super::figures::quotient(waste, own)
        .map_or_else(|| "many times".to_owned(), |times| format!("{} times", amount(Some(times))))
}

/// Says whether a difference to shadow may be chance.
fn certainty(other: &EqualCoverage, factor: f64, unit: &str) -> String {
    let Some((low, high)) = other.above_shadow_interval else {
        return "There are too few applications for an interval, so this describes these workloads and claims nothing beyond them."
            .to_owned();
    };
    let interval = range(Some((low * factor, high * factor)), amount);
    if low > 0.0 || high < 0.0 {
        format!("The difference is more than chance explains (95 % interval {interval} {unit}).")
    } else {
        format!("The difference may be chance (95 % interval {interval} {unit}).")
    }
}

fn tiles(view: &View<'_>) -> String {
    let headline = view.split.headline(Resource::Memory, Weighting::Workload, view.target);
    let of = |name: &str| headline.lines.iter().find(|line| line.rival.name == name);
    let (unit, factor) = (view.unit(Resource::Memory), view.factor(Resource::Memory));
    let (shadow, owner) = (of(SHADOW), of(OWNER));
    let coverage = shadow.and_then(|line| line.row.figures.coverage);
    let waste = |line: Option<&crate::replay::HeadlineLine<'_>>| {
        amount(line.and_then(|line| line.row.figures.mean_waste).map(|waste| waste * factor))
    };
    let mut html = "<div class=\"tiles\">\n".to_owned();
    tile(
        &mut html,
        &percent(coverage),
        "of workloads fit into the memory that shadow gave them",
        &format!("asked for: {}", percent(Some(view.report.coverage))),
    );
    tile(
        &mut html,
        &format!("{} {unit}", waste(shadow)),
        "of memory given above the need, per workload, as shadow answers by default",
        &format!("owners' requests: {} {unit}", waste(owner)),
    );
    let kills = |line: Option<&crate::replay::HeadlineLine<'_>>| {
        amount(line.and_then(|line| line.feedback).and_then(|row| row.oom_kills).map(|kills| kills * 100.0))
    };
    if view.split.feedback.iter().any(|row| row.model == FeedbackModel::F0) {
        tile(
            &mut html,
            &kills(shadow),
            "simulated OOM kills per 100 workloads",
            &format!("with the owners' requests: {}", kills(owner)),
        );
    } else {
        let answered = shadow.map(|line| line.rival.answered as f64 / view.split.queries as f64);
        tile(
            &mut html,
            &percent(answered),
            "of workloads were answered by shadow itself",
            "the others keep what their owner asked for; feedback is off, so nothing was killed",
        );
    }
    html.push_str("</div>\n");
    html
}

fn tile(html: &mut String, number: &str, what: &str, note: &str) {
    put(
        html,
        format_args!(
            "<div class=\"tile\"><b>{}</b><span>{}</span><span class=\"note\">{}</span></div>\n",
            escape(number),
            escape(what),
            escape(note)
        ),
    );
}
