//! The parts of the queries that rows are given for.

use std::collections::BTreeMap;

use crate::replay::quantile::quantile_of_sorted;
use crate::replay::results::Resource;
use crate::replay::truth::Truth;

/// Classes that have rows of their own, the largest ones; the rest are one group (our value).
const MOST_CLASSES: usize = 8;
/// Quarters of the memory need among the queries.
const QUARTERS: [&str; 4] = ["quarter 1 (smallest)", "quarter 2", "quarter 3", "quarter 4 (largest)"];

/// Returns the names of the groups of each query.
pub(super) fn groups(truths: &[Truth]) -> Vec<Vec<String>> {
    let (classes, thresholds) = (largest_classes(truths), quarters(truths));
    truths
        .iter()
        .map(|truth| {
            let mut names = of_one(truth);
            if let Some(class) = truth.class.as_deref().filter(|_| classes.len() > 1) {
                let known = classes.contains(&class);
                names.push(if known { format!("class {class}") } else { "all other classes".to_owned() });
            }
            if let (Some(need), Some(thresholds)) = (truth.need(Resource::Memory), thresholds) {
                let quarter = thresholds.iter().filter(|threshold| need > **threshold).count();
                names.push(format!("memory need {}", QUARTERS[quarter]));
            }
            names
        })
        .collect()
}

/// Returns the classes with the most queries; those of the same size by name.
fn largest_classes(truths: &[Truth]) -> Vec<&str> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for class in truths.iter().filter_map(|truth| truth.class.as_deref()) {
        *counts.entry(class).or_insert(0) += 1;
    }
    let mut classes: Vec<(&str, u64)> = counts.into_iter().collect();
    classes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    classes.into_iter().take(MOST_CLASSES).map(|(class, _)| class).collect()
}

/// Returns the three needs of memory that cut the queries into quarters; nothing where all needs are the same.
fn quarters(truths: &[Truth]) -> Option<[f64; 3]> {
    let mut needs: Vec<(f64, f64)> =
        truths.iter().filter_map(|truth| Some((truth.need(Resource::Memory)?, 1.0))).collect();
    needs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, last) = (needs.first()?.0, needs.last()?.0);
    let at = |share| quantile_of_sorted(&needs, share);
    let thresholds = [at(0.25)?, at(0.5)?, at(0.75)?];
    (first < last).then_some(thresholds)
}

fn of_one(truth: &Truth) -> Vec<String> {
    let earlier = match truth.earlier {
        0 => "0",
        1 => "1",
        2..=4 => "2-4",
        5..=19 => "5-19",
        _ => "20+",
    };
    let life = match truth.life_seconds {
        seconds if seconds < 3_600.0 => "life under 1 h",
        seconds if seconds <= 86_400.0 => "life 1-24 h",
        _ => "life over 24 h",
    };
    let mut names = vec![format!("earlier instances {earlier}"), life.to_owned()];
    if truth.life_seconds > 3_600.0
        && let Some(late) = truth.late_peak
    {
        names.push(if late { "peak after the first hour" } else { "peak in the first hour" }.to_owned());
    }
    if truth.autoscaled {
        names.push("sized by an autoscaler".to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::test_cases::case;

    fn truth(class: Option<&str>, need: f64) -> Truth {
        let mut case = case("w", "a", 0, 100, need);
        case.known.workload.class = class.map(str::to_owned);
        Truth::new(0, &case, 0, 0)
    }

    fn names(truths: &[Truth], begin: &str) -> Vec<String> {
        groups(truths).into_iter().flatten().filter(|name| name.starts_with(begin)).collect()
    }

    #[test]
    fn needs_of_memory_are_cut_into_quarters() {
        let truths: Vec<Truth> = (1..=8_u32).map(|need| truth(None, f64::from(need))).collect();
        let expected: Vec<String> = (0..8_usize).map(|at| format!("memory need {}", QUARTERS[at / 2])).collect();
        assert_eq!(names(&truths, "memory need"), expected);
        let same: Vec<Truth> = (0..8).map(|_| truth(None, 2.0)).collect();
        assert_eq!(names(&same, "memory need"), Vec::<String>::new());
    }

    #[test]
    fn small_classes_are_one_group() {
        let mut truths: Vec<Truth> = (0..10_u32).map(|at| truth(Some(&format!("c{at}")), 1.0)).collect();
        truths.push(truth(Some("c9"), 1.0));
        let found = names(&truths, "class");
        assert!(found.contains(&"class c9".to_owned()) && found.contains(&"class c6".to_owned()), "{found:?}");
        assert!(!found.contains(&"class c7".to_owned()), "{found:?}");
        assert_eq!(names(&truths, "all other").len(), 2);
        // One class is no part.
        assert_eq!(names(&[truth(Some("c"), 1.0), truth(Some("c"), 2.0)], "class"), Vec::<String>::new());
    }
}
