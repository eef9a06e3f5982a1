//! The text of a gate.

use std::str::FromStr;

use super::{Comparison, Condition, Gate, GateFigure};
use crate::replay::results::Resource;

/// Why a gate cannot be understood.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GateError {
    /// A condition is not figure, comparison, number.
    #[error(
        "`{text}` is not a condition: expected a figure, one of >=, <=, >, <, =, and a number, as in `memory.coverage>=0.95`"
    )]
    Form {
        /// What was typed.
        text: String,
    },
    /// There is no such figure.
    #[error("there is no figure `{key}`: known are {known}")]
    Figure {
        /// What was typed.
        key: String,
        /// The known ones, with commas.
        known: String,
    },
}

impl FromStr for Gate {
    type Err = GateError;

    /// Parses conditions with commas between them; blanks do not matter.
    fn from_str(text: &str) -> Result<Self, GateError> {
        let conditions = text.split(',').map(condition).collect::<Result<_, _>>()?;
        Ok(Self { conditions })
    }
}

/// Returns the name of a resource in conditions.
const fn prefix(resource: Resource) -> &'static str {
    match resource {
        Resource::Memory => "memory",
        Resource::Cpu => "cpu",
    }
}

/// Returns every figure of every resource by the name that conditions use.
fn known() -> impl Iterator<Item = (String, Resource, GateFigure)> {
    Resource::ALL.into_iter().flat_map(|resource| {
        let figures = GateFigure::ALL.into_iter().filter(move |figure| figure.is_of(resource));
        figures.map(move |figure| (format!("{}.{}", prefix(resource), figure.name()), resource, figure))
    })
}

fn condition(text: &str) -> Result<Condition, GateError> {
    let text: String = text.split_whitespace().collect();
    let form = || GateError::Form { text: text.clone() };
    let at = text.find(['<', '>', '=']).ok_or_else(form)?;
    let (key, rest) = text.split_at(at);
    let signs = Comparison::ALL.into_iter().filter_map(|one| Some((one, rest.strip_prefix(one.sign())?)));
    let (comparison, number) = signs.min_by_key(|(_, number)| number.len()).ok_or_else(form)?;
    let bound: f64 = number.parse().map_err(|_not_a_number| form())?;
    if key.is_empty() || !bound.is_finite() {
        return Err(form());
    }
    let found = known().find(|(name, _, _)| name == key);
    let (_, resource, figure) = found.ok_or_else(|| GateError::Figure {
        key: key.to_owned(),
        known: known().map(|(name, _, _)| name).collect::<Vec<_>>().join(", "),
    })?;
    Ok(Condition { text, resource, figure, comparison, bound })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_have_a_figure_a_comparison_and_a_number() {
        let gate: Gate = "memory.coverage >= 0.95, cpu.slack<.4,memory.oom_free=1,cpu.waste>0,memory.footprint<=1e-1"
            .parse()
            .unwrap();
        let seen: Vec<_> =
            gate.conditions().iter().map(|one| (one.resource, one.figure, one.comparison, one.bound)).collect();
        assert_eq!(
            seen,
            [
                (Resource::Memory, GateFigure::Coverage, Comparison::AtLeast, 0.95),
                (Resource::Cpu, GateFigure::Slack, Comparison::LessThan, 0.4),
                (Resource::Memory, GateFigure::OomFree, Comparison::Equal, 1.0),
                (Resource::Cpu, GateFigure::Waste, Comparison::MoreThan, 0.0),
                (Resource::Memory, GateFigure::Footprint, Comparison::AtMost, 0.1),
            ]
        );
        assert_eq!(gate.conditions()[0].text, "memory.coverage>=0.95");
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in [
            "",
            "memory.coverage",
            "memory.coverage>=",
            "memory.coverage>=x",
            "memory.coverage>=NaN",
            "memory.coverage>=inf",
            "memory.coverage==1",
            "memory.coverage=>1",
            "memory.coverage!=1",
            ">=1",
            "memory.coverage>=0.9,",
            "memory.coverage>=0.9;cpu.slack<1",
        ] {
            assert!(text.parse::<Gate>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_figure_lists_those_that_exist() {
        let Err(GateError::Figure { key, known }) = "disk.coverage>=1".parse::<Gate>() else { panic!() };
        assert_eq!(key, "disk.coverage");
        assert!(known.starts_with("memory.coverage, memory.waste, ") && known.ends_with("cpu.answered"), "{known}");
        // CPU is throttled; only memory runs out.
        assert!(known.contains("memory.oom_free") && !known.contains("cpu.oom_free"), "{known}");
        assert!("cpu.oom_free>=1".parse::<Gate>().is_err());
    }
}
