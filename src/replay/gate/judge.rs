//! A report before a gate.

use super::{Comparison, Condition, Gate, GateFigure};
use crate::replay::feedback::FeedbackModel;
use crate::replay::figures::{Figures, Reading, quotient};
use crate::replay::params::Split;
use crate::replay::results::{Population, ReplayReport, Resource, RivalSummary, SplitReport, Weighting};

/// Whom conditions are about.
const JUDGED: &str = "shadow";
/// Differences below this come from the arithmetic of shares, not from the workloads.
const SMALLEST_DIFFERENCE: f64 = 1e-9;

/// What became of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The condition as it was typed.
    pub condition: String,
    /// The figure that was reached, or why there is none.
    pub reached: Result<f64, String>,
    /// Whether the condition holds; a figure that does not exist meets no condition.
    pub holds: bool,
}

impl Gate {
    /// Judges the split that was asked for (of the leaky one, not its honest twin); one verdict per condition.
    pub fn judge(&self, report: &ReplayReport, split: Split) -> Vec<Verdict> {
        let of_split = report.splits.iter().find(|one| one.split == split);
        let verdict = |condition: &Condition| {
            let reached = match of_split {
                Some(of_split) => reached(report, of_split, condition),
                None => Err("this split was not replayed".to_owned()),
            };
            let holds = reached.as_ref().is_ok_and(|reached| condition.comparison.holds(*reached, condition.bound));
            Verdict { condition: condition.text.clone(), reached, holds }
        };
        self.conditions.iter().map(verdict).collect()
    }
}

impl Comparison {
    fn holds(self, reached: f64, bound: f64) -> bool {
        let difference = reached - bound;
        match self {
            Self::AtLeast => difference >= -SMALLEST_DIFFERENCE,
            Self::AtMost => difference <= SMALLEST_DIFFERENCE,
            Self::MoreThan => difference > SMALLEST_DIFFERENCE,
            Self::LessThan => difference < -SMALLEST_DIFFERENCE,
            Self::Equal => difference.abs() <= SMALLEST_DIFFERENCE,
        }
    }
}

fn reached(report: &ReplayReport, split: &SplitReport, condition: &Condition) -> Result<f64, String> {
    let resource = condition.resource;
    if split.queries == 0 {
        return Err("no workload could be asked".to_owned());
    }
    let summary = || split.rivals.iter().find(|rival| rival.name == JUDGED);
    match condition.figure {
        GateFigure::Answered => {
            summary().and_then(|shadow| answered(shadow, resource)).ok_or_else(|| "shadow was not asked".to_owned())
        }
        GateFigure::OomFree if !report.feedback => Err("`--feedback off` simulates no OOM kills".to_owned()),
        GateFigure::OomFree => oom_free(split).ok_or_else(|| "no workload could be simulated".to_owned()),
        GateFigure::Waste if !has_unit(report, resource) => {
            Err("the trace has shares of a machine whose size is not known".to_owned())
        }
        figure => {
            let figures = figures(split, resource).ok_or_else(|| "shadow was not asked".to_owned())?;
            of_figures(&figures, figure).ok_or_else(|| why_missing(&figures, split, figure, resource))
        }
    }
}

/// Returns whether amounts are in GiB or cores.
fn has_unit(report: &ReplayReport, resource: Resource) -> bool {
    match resource {
        Resource::Memory => report.units.memory == "GiB",
        Resource::Cpu => report.units.cpu == "cores",
    }
}

fn answered(shadow: &RivalSummary, resource: Resource) -> Option<f64> {
    let asked = shadow.answered + shadow.unanswered;
    let answered = match resource {
        Resource::Memory => shadow.answered,
        Resource::Cpu => shadow.answered_cpu,
    };
    quotient(answered as f64, asked as f64)
}

fn oom_free(split: &SplitReport) -> Option<f64> {
    let row = split
        .feedback
        .iter()
        .find(|row| row.rival == JUDGED && row.model == FeedbackModel::F0 && row.setting == "published")?;
    row.killed.map(|killed| 1.0 - killed)
}

fn figures(split: &SplitReport, resource: Resource) -> Option<Figures> {
    let row = split.rows.iter().find(|row| {
        (row.rival, row.resource, row.weighting, row.population, row.reading, row.group.as_str())
            == (JUDGED, resource, Weighting::Workload, Population::WithFallback, Reading::UncensoredOnly, "all")
    })?;
    Some(row.figures)
}

const fn of_figures(figures: &Figures, figure: GateFigure) -> Option<f64> {
    match figure {
        GateFigure::Coverage => figures.coverage,
        GateFigure::Waste => figures.mean_waste,
        GateFigure::Slack => figures.relative_slack_mean,
        GateFigure::OverAllocation => figures.over_allocation_mean,
        GateFigure::Footprint => figures.footprint_ratio,
        GateFigure::TimeAbove => figures.time_above,
        GateFigure::OomFree | GateFigure::Answered => None,
    }
}

fn why_missing(figures: &Figures, split: &SplitReport, figure: GateFigure, resource: Resource) -> String {
    let censored = match resource {
        Resource::Memory => split.censored_memory,
        Resource::Cpu => split.censored_cpu,
    };
    if figures.workloads > 0 {
        return match figure {
            GateFigure::Footprint => "no workload has a request of its owner to compare with",
            _ => "no workload has the samples it is computed from",
        }
        .to_owned();
    }
    if censored == split.queries {
        return "every need is only a lower bound".to_owned();
    }
    "no workload has both an allocation and a known need".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::test_cases::{Fake, WINDOW, case};
    use crate::replay::{Case, ReplayParams, replay};
    use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};

    fn report(cases: &[Case], feedback: bool, memory: MemoryUnit) -> ReplayReport {
        let units = UnitContract { cpu: CpuUnit::Cores, memory, network: NetworkUnit::None };
        let params = ReplayParams { feedback, ..ReplayParams::new(WINDOW, Split::Recurring, units) };
        let params = ReplayParams { rivals: vec!["shadow".to_owned()], ..params };
        replay(cases, &params, &Fake).unwrap()
    }

    fn cases() -> Vec<Case> {
        (0..40_u32).map(|at| case(&format!("w{at}"), "a", i64::from(at) * 200, 100, 1.0 + f64::from(at % 3))).collect()
    }

    fn judge(gate: &str, report: &ReplayReport) -> Vec<Verdict> {
        gate.parse::<Gate>().unwrap().judge(report, Split::Recurring)
    }

    #[test]
    fn figures_are_those_of_the_report() {
        let report = report(&cases(), true, MemoryUnit::Bytes);
        let all = "memory.coverage>=0,memory.waste>=0,memory.slack<=1,memory.over_allocation>-1,memory.oom_free>=0,\
                   memory.footprint>0,memory.time_above>=0,memory.answered=1,cpu.coverage>=0,cpu.answered=1";
        let verdicts = judge(all, &report);
        assert!(verdicts.iter().all(|one| one.holds), "{verdicts:?}");
        let coverage = report.splits[0].rows[0].figures.coverage.unwrap();
        assert_eq!(verdicts[0].reached, Ok(coverage));
        let kills = report.splits[0].feedback.iter().find(|row| row.model == FeedbackModel::F0).unwrap();
        assert_eq!(verdicts[4].reached, Ok(1.0 - kills.killed.unwrap()));
        let below = judge(&format!("memory.coverage<{coverage},memory.coverage<={coverage}"), &report);
        assert_eq!(below.iter().map(|one| one.holds).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn a_figure_that_does_not_exist_fails_and_says_why() {
        let why = |gate, report: &ReplayReport| {
            let verdict = judge(gate, report).remove(0);
            assert!(!verdict.holds);
            verdict.reached.unwrap_err()
        };
        let off = report(&cases(), false, MemoryUnit::MachineFraction);
        assert_eq!(why("memory.oom_free>=0", &off), "`--feedback off` simulates no OOM kills");
        assert!(why("memory.waste<=9", &off).contains("size is not known"));
        let mut cut_off = cases();
        for case in &mut cut_off {
            case.known.life.censoring.memory_at_limit = true;
        }
        assert_eq!(
            why("memory.coverage>=0", &report(&cut_off, false, MemoryUnit::Bytes)),
            "every need is only a lower bound"
        );
        let without_request: Vec<Case> = cases()
            .into_iter()
            .map(|mut case| {
                case.known.workload.request.memory = None;
                case
            })
            .collect();
        assert!(
            why("memory.footprint<=1", &report(&without_request, false, MemoryUnit::Bytes))
                .contains("request of its owner")
        );
        assert!(why("memory.coverage>=0", &report(&cases()[..1], false, MemoryUnit::Bytes)).contains("could be asked"));
    }

    #[test]
    fn rounding_of_shares_decides_nothing() {
        assert!(Comparison::AtLeast.holds(1.0 - 0.05, 0.95) && Comparison::Equal.holds(0.1 + 0.2, 0.3));
        assert!(!Comparison::MoreThan.holds(0.1 + 0.2, 0.3) && !Comparison::AtLeast.holds(0.949_999, 0.95));
    }
}
