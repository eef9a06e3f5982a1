//! What every section looks at: one split of a report, and how each rival is drawn.

use super::chart::{REST, STYLES, key};
use crate::replay::results::{Population, ReplayReport, Resource, RivalSummary, SplitReport, Weighting};

/// The unreachable reference: no rival.
pub(super) const ORACLE: &str = "oracle";
/// Whom the page is about.
pub(super) const SHADOW: &str = "shadow";
/// Who is there before shadow comes.
pub(super) const OWNER: &str = "owner";
/// A share of a machine of unknown size.
const SHARE: &str = "% of the largest machine";

/// One split of a report.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) report: &'a ReplayReport,
    pub(super) split: &'a SplitReport,
    /// The under-provision rate at which rivals are compared.
    pub(super) target: f64,
    /// Distinguishes figures of several splits.
    pub(super) prefix: &'static str,
    /// Families in the order of the key: shadow, then the others, the least waste first.
    families: Vec<&'static str>,
}

impl<'a> View<'a> {
    pub(super) fn new(report: &'a ReplayReport, split: &'a SplitReport, prefix: &'static str) -> Self {
        let target = 1.0 - report.coverage;
        let mut view = Self { report, split, target, prefix, families: Vec::new() };
        let mut families: Vec<&'static str> = Vec::new();
        for rival in view.answering().filter(|rival| rival.name != ORACLE) {
            if !families.contains(&rival.family) {
                families.push(rival.family);
            }
        }
        let waste =
            |family: &str| view.waste_at_target(family, Resource::Memory, Weighting::Workload).unwrap_or(f64::INFINITY);
        // The owner keeps a colour however much it wastes: it is what everybody knows.
        let rank = |family: &str| match family {
            SHADOW => 0,
            OWNER => 1,
            _ => 2,
        };
        families.sort_by(|a, b| rank(a).cmp(&rank(b)).then(waste(a).total_cmp(&waste(b))).then(a.cmp(b)));
        view.families = families;
        view
    }

    /// Returns the rivals that answered something: the figures of the others are those of the owner's requests.
    pub(super) fn answering(&self) -> impl Iterator<Item = &'a RivalSummary> {
        self.split.rivals.iter().filter(|rival| !rival.rungs.is_empty())
    }

    /// Returns the families, in the order of the key.
    pub(super) fn families(&self) -> &[&'static str] {
        &self.families
    }

    /// Returns the rival that stands for a family where one line is drawn per family: the first.
    pub(super) fn first_of(&self, family: &str) -> Option<&'a RivalSummary> {
        self.answering().find(|rival| rival.family == family)
    }

    /// Returns the style of a family.
    pub(super) fn style(&self, family: &str) -> usize {
        self.families.iter().position(|other| *other == family).filter(|at| *at < STYLES).unwrap_or(REST)
    }

    /// Returns the key of all figures.
    pub(super) fn key(&self) -> String {
        let mut html = "<ul class=\"key\">\n".to_owned();
        for (style, family) in self.families.iter().enumerate().take(STYLES) {
            html.push_str(&key(style, family));
        }
        if self.families.len() > STYLES {
            html.push_str(&key(REST, &format!("others: {}", self.families[STYLES..].join(", "))));
        }
        html.push_str("</ul>\n");
        html
    }

    /// Returns a family's waste at the target rate, in the unit that is shown.
    pub(super) fn waste_at_target(&self, family: &str, resource: Resource, weighting: Weighting) -> Option<f64> {
        let entry = self.split.equal_coverage.iter().find(|entry| {
            (entry.rival, entry.resource, entry.weighting, entry.population)
                == (family, resource, weighting, Population::WithFallback)
                && (entry.target - self.target).abs() < 1e-9
        });
        entry.and_then(|entry| entry.mean_waste).map(|waste| waste * self.factor(resource))
    }

    /// Returns the unit of a resource as it is shown.
    pub(super) fn unit(&self, resource: Resource) -> &'static str {
        match resource {
            Resource::Memory if self.report.units.memory == "GiB" => "GiB",
            Resource::Cpu if self.report.units.cpu == "cores" => "cores",
            _ => SHARE,
        }
    }

    /// Returns what the report's amounts are multiplied by to be in that unit.
    pub(super) fn factor(&self, resource: Resource) -> f64 {
        if self.unit(resource) == SHARE { 100.0 } else { 1.0 }
    }
}

/// Returns a resource's name.
pub(super) const fn name_of(resource: Resource) -> &'static str {
    match resource {
        Resource::Memory => "memory",
        Resource::Cpu => "CPU",
    }
}

/// Returns what a workload weighs, in words.
pub(super) const fn weighing(weighting: Weighting) -> &'static str {
    match weighting {
        Weighting::Workload => "every workload weighs the same",
        Weighting::ResourceHour => "every workload weighs the resource-hours that it used",
    }
}
