//! Conditions that a replay must meet, for pipelines: `memory.coverage>=0.95,memory.slack<=0.4`.
//!
//! A condition is about shadow at its default setting: every workload weighs the same, the owner's request stands in
//! where shadow does not answer, and needs that are only lower bounds are left out. Input: the text, and a report.
//! Output: one [`Verdict`] per condition, in the order of the text. A figure that does not exist fails its condition.

mod judge;
mod parse;

use super::results::Resource;

pub use judge::Verdict;
pub use parse::GateError;

/// What a condition can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateFigure {
    /// Share of workloads that needed no more than they were given.
    Coverage,
    /// Mean of max(0, A - P), in GiB or cores.
    Waste,
    /// Mean relative slack, a share of the allocation.
    Slack,
    /// Mean of A / P - 1.
    OverAllocation,
    /// Share of workloads without a simulated OOM kill under F0.
    OomFree,
    /// Integral of A over that of the owner's allocation.
    Footprint,
    /// Share of time with use above the allocation.
    TimeAbove,
    /// Share of workloads that shadow answered itself.
    Answered,
}

impl GateFigure {
    /// All, in the order of messages.
    pub const ALL: [Self; 8] = [
        Self::Coverage,
        Self::Waste,
        Self::Slack,
        Self::OverAllocation,
        Self::OomFree,
        Self::Footprint,
        Self::TimeAbove,
        Self::Answered,
    ];

    /// Returns its name in conditions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coverage => "coverage",
            Self::Waste => "waste",
            Self::Slack => "slack",
            Self::OverAllocation => "over_allocation",
            Self::OomFree => "oom_free",
            Self::Footprint => "footprint",
            Self::TimeAbove => "time_above",
            Self::Answered => "answered",
        }
    }

    /// Returns whether the figure exists for a resource at all: only memory runs out.
    const fn is_of(self, resource: Resource) -> bool {
        !matches!((self, resource), (Self::OomFree, Resource::Cpu))
    }
}

/// How a figure is compared with its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    MoreThan,
    /// `<`
    LessThan,
    /// `=`
    Equal,
}

impl Comparison {
    /// All; those of two characters first, so that the first that fits a text is the right one.
    const ALL: [Self; 5] = [Self::AtLeast, Self::AtMost, Self::MoreThan, Self::LessThan, Self::Equal];

    /// Returns its sign.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::MoreThan => ">",
            Self::LessThan => "<",
            Self::Equal => "=",
        }
    }
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As it was typed, without blanks.
    pub text: String,
    /// The resource.
    pub resource: Resource,
    /// The figure.
    pub figure: GateFigure,
    /// The comparison.
    pub comparison: Comparison,
    /// The bound; finite.
    pub bound: f64,
}

/// Conditions that must all hold; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    conditions: Vec<Condition>,
}

impl Gate {
    /// Returns the conditions, in the order in which they were typed.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}
