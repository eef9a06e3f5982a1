//! Skill: how much of the loss of the best simple method a rival saves.

use std::collections::BTreeMap;

use crate::replay::figures::quotient;
use crate::replay::results::{Population, Row};

/// The simple methods: the owner's request, persistence, the history of the application, the class and one constant.
const SIMPLE: [&str; 8] = [
    "owner",
    "persistence",
    "persistence-1.2",
    "persistence-2",
    "persistence-3",
    "history-ladder",
    "class-prior",
    "constant",
];

/// Fills in [`Row::skill`]: 1 - loss(rival) / loss(best simple rival), the loss being the pinball loss at the coverage
/// that was asked for. Only rows about the same workloads are compared, so rows of what a rival itself answered have none.
pub(super) fn fill(rows: &mut [Row]) {
    let mut best: BTreeMap<String, f64> = BTreeMap::new();
    for row in rows.iter().filter(|row| SIMPLE.contains(&row.rival)) {
        if let Some(loss) = row.figures.pinball {
            let least = best.entry(key(row)).or_insert(loss);
            *least = least.min(loss);
        }
    }
    for row in rows.iter_mut().filter(|row| row.population != Population::Answered) {
        let simple = best.get(&key(row)).copied();
        let share = row.figures.pinball.zip(simple).and_then(|(loss, simple)| quotient(loss, simple));
        row.skill = share.map(|share| 1.0 - share);
    }
}

fn key(row: &Row) -> String {
    format!("{:?}", (row.resource, row.weighting, row.population, row.reading, row.dimension, &row.group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::figures::{Figures, Reading};
    use crate::replay::params::Split;
    use crate::replay::results::{Resource, Weighting};

    fn row(rival: &'static str, group: &str, population: Population, loss: f64) -> Row {
        Row {
            split: Split::Recurring,
            rival,
            knob: 1.0,
            margin: 0.0,
            resource: Resource::Memory,
            weighting: Weighting::Workload,
            population,
            reading: Reading::UncensoredOnly,
            dimension: None,
            group: group.to_owned(),
            figures: Figures { pinball: Some(loss), ..Figures::default() },
            skill: None,
            under_provision_interval: None,
            mean_waste_interval: None,
        }
    }

    #[test]
    fn skill_is_the_share_of_the_best_simple_loss_that_is_saved() {
        let all = Population::WithFallback;
        let mut rows = vec![
            row("shadow", "all", all, 0.5),
            row("owner", "all", all, 4.0),
            row("persistence-2", "all", all, 2.0),
            // A rival that is not simple is no yardstick.
            row("vpa-cold", "all", all, 1.0),
            row("shadow", "part", all, 3.0),
            row("owner", "part", all, 1.5),
            row("shadow", "all", Population::Answered, 0.5),
        ];
        fill(&mut rows);
        let skills: Vec<Option<f64>> = rows.iter().map(|row| row.skill).collect();
        assert_eq!(skills, [Some(0.75), Some(-1.0), Some(0.0), Some(0.5), Some(-1.0), Some(0.0), None]);
    }
}
