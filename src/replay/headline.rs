//! The figures that a reader looks at first: one line per rival, for one resource and one weighting of one split.
//!
//! All queries, with the owner's request where a rival has no answer; censored needs as the sweeps read them
//! (`docs/methods.md`: left out, or counted as enough where nothing else is there). Nothing is computed here.

use super::feedback::FeedbackModel;
use super::figures::Reading;
use super::results::{
    Calibrated, EqualCoverage, FeedbackRow, Population, Resource, RivalSummary, Row, SplitReport, Weighting,
};

/// What counts in the headline.
const POPULATION: Population = Population::WithFallback;
/// Every query.
const GROUP: &str = "all";
/// The setting of feedback rows that stand beside the rows.
const PUBLISHED: &str = "published";
/// Target rates closer than this are the same.
const SAME_TARGET: f64 = 1e-9;

/// The lines of one resource and one weighting.
#[derive(Debug, Clone)]
pub struct Headline<'a> {
    /// How censored needs are read.
    pub reading: Reading,
    /// One per rival, in the order of the report.
    pub lines: Vec<HeadlineLine<'a>>,
}

/// One rival.
#[derive(Debug, Clone, Copy)]
pub struct HeadlineLine<'a> {
    /// What it answered.
    pub rival: &'a RivalSummary,
    /// Its figures at its published or default setting.
    pub row: &'a Row,
    /// Its family's waste at the target rate, read off the sweep.
    pub equal: Option<&'a EqualCoverage>,
    /// What happened to its allocations when kills restart and work is conserved; nothing without feedback.
    pub feedback: Option<&'a FeedbackRow>,
}

impl SplitReport {
    /// Returns the headline of a resource; `target` is the under-provision rate at which waste is compared.
    pub fn headline(&self, resource: Resource, weighting: Weighting, target: f64) -> Headline<'_> {
        let compared: Vec<&EqualCoverage> = self
            .equal_coverage
            .iter()
            .filter(|entry| (entry.resource, entry.weighting, entry.population) == (resource, weighting, POPULATION))
            .filter(|entry| (entry.target - target).abs() < SAME_TARGET)
            .collect();
        let reading = self
            .equal_coverage
            .iter()
            .find(|entry| entry.resource == resource)
            .map_or(Reading::UncensoredOnly, |entry| entry.reading);
        let lines = self.rivals.iter().filter_map(|rival| {
            let row = self.rows.iter().find(|row| {
                (row.rival, row.resource, row.weighting, row.population, row.reading, row.group.as_str())
                    == (rival.name, resource, weighting, POPULATION, reading, GROUP)
            })?;
            let equal = compared.iter().find(|entry| entry.rival == rival.family).copied();
            let feedback = self
                .feedback
                .iter()
                .find(|row| row.rival == rival.name && row.model == FeedbackModel::F0 && row.setting == PUBLISHED);
            Some(HeadlineLine { rival, row, equal, feedback })
        });
        Headline { reading, lines: lines.collect() }
    }

    /// Returns what settings chosen before the test for a target rate did in the test, by family: the basis of a claim.
    pub fn calibrated_for(&self, resource: Resource, weighting: Weighting, target: f64) -> Vec<&Calibrated> {
        self.calibrated
            .iter()
            .filter(|entry| (entry.resource, entry.weighting) == (resource, weighting))
            .filter(|entry| (entry.target - target).abs() < SAME_TARGET)
            .collect()
    }
}
