//! What stored workloads needed over their lives, all of them or those of the newcomer's class: no look at its window.

use std::collections::BTreeMap;

use super::{Prepared, Query, Recommendation, ReplayError, Rival, Setting, Store, Surroundings};
use crate::replay::case::{Case, cluster_of_application};
use crate::replay::quantile::quantile_of_sorted;

/// The marked coverage, of CPU and memory alike (our value).
const COVERAGE: f64 = 0.95;

/// Needs of workloads with the weights that give every application the same say, sorted by need.
#[derive(Debug, Clone, Default)]
struct Needs {
    memory: Vec<(f64, f64)>,
    cpu: Vec<(f64, f64)>,
    applications: usize,
}

impl Needs {
    fn of(cases: &[&Case]) -> Self {
        let mut sizes: BTreeMap<String, f64> = BTreeMap::new();
        for case in cases {
            *sizes.entry(cluster_of_application(&case.known.workload)).or_insert(0.0) += 1.0;
        }
        let sorted = |need: fn(&Case) -> Option<f64>| {
            let mut needs: Vec<(f64, f64)> = cases
                .iter()
                .filter_map(|case| Some((need(case)?, 1.0 / sizes[&cluster_of_application(&case.known.workload)])))
                .collect();
            needs.sort_by(|a, b| a.0.total_cmp(&b.0));
            needs
        };
        Self {
            memory: sorted(|case| case.known.life.memory_peak),
            cpu: sorted(|case| case.known.life.cpu_need),
            applications: sizes.len(),
        }
    }

    fn answer(&self, setting: &Setting, rung: &'static str) -> Option<Recommendation> {
        let with_margin = |amount: f64| amount * (1.0 + setting.margin);
        let memory = quantile_of_sorted(&self.memory, setting.knob).map(with_margin);
        let cpu = quantile_of_sorted(&self.cpu, setting.knob).map(with_margin);
        (memory.is_some() || cpu.is_some()).then_some(Recommendation { cpu, memory, rung })
    }
}

fn settings() -> Vec<Setting> {
    let coverages = [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, COVERAGE, 0.97, 0.98, 0.99, 1.0];
    let margins = [0.1, 0.25, 0.5, 0.75, 1.0].map(|margin| Setting { knob: 1.0, margin });
    coverages.map(Setting::knob).into_iter().chain(margins).collect()
}

/// Upper quantile of whole-life needs over the store, one number per resource.
#[derive(Debug, Clone, Copy)]
pub struct Constant;

struct PreparedConstant(Needs);

impl Rival for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn knob(&self) -> &'static str {
        "coverage of stored needs, then a margin"
    }

    fn settings(&self) -> Vec<Setting> {
        settings()
    }

    fn published(&self) -> usize {
        7
    }

    fn prepare<'a>(&self, store: &Store<'a>, _: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(PreparedConstant(Needs::of(&store.cases))))
    }
}

impl Prepared for PreparedConstant {
    fn recommend(
        &self,
        _: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        Ok(settings.iter().map(|setting| self.0.answer(setting, "constant")).collect())
    }
}

/// The constant of a store, for rivals that fall back on it.
pub(super) struct StoreConstant(Needs);

impl StoreConstant {
    pub(super) fn of(store: &Store<'_>) -> Self {
        Self(Needs::of(&store.cases))
    }

    pub(super) fn answer(&self) -> Option<Recommendation> {
        self.0.answer(&Setting::knob(COVERAGE), "default")
    }
}

/// Upper quantile of whole-life needs of the newcomer's (priority, scheduling class), then of its priority.
#[derive(Debug, Clone, Copy)]
pub struct ClassPrior {
    /// Distinct applications a group must hold (our value: 30).
    pub minimum_applications: usize,
}

impl Default for ClassPrior {
    fn default() -> Self {
        Self { minimum_applications: 30 }
    }
}

type ClassKey = (Option<i32>, Option<String>);

struct PreparedClassPrior {
    groups: BTreeMap<ClassKey, Needs>,
    priorities: BTreeMap<Option<i32>, Needs>,
    minimum_applications: usize,
}

impl Rival for ClassPrior {
    fn name(&self) -> &'static str {
        "class-prior"
    }

    fn knob(&self) -> &'static str {
        "coverage of stored needs of the class, then a margin"
    }

    fn settings(&self) -> Vec<Setting> {
        settings()
    }

    fn published(&self) -> usize {
        7
    }

    fn prepare<'a>(&self, store: &Store<'a>, _: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        let groups =
            super::by_key(store, |case| Some((case.known.workload.priority, case.known.workload.class.clone())));
        let priorities = super::by_key(store, |case| Some(case.known.workload.priority));
        Ok(Box::new(PreparedClassPrior {
            groups: groups.into_iter().map(|(key, cases)| (key, Needs::of(&cases))).collect(),
            priorities: priorities.into_iter().map(|(key, cases)| (key, Needs::of(&cases))).collect(),
            minimum_applications: self.minimum_applications,
        }))
    }
}

impl Prepared for PreparedClassPrior {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let facts = &query.newcomer.facts;
        let enough = |needs: &&Needs| needs.applications >= self.minimum_applications;
        let class = self.groups.get(&(facts.priority, facts.class.clone())).filter(enough);
        let (needs, rung) = match class {
            Some(needs) => (needs, "class"),
            None => match self.priorities.get(&facts.priority).filter(enough) {
                Some(needs) => (needs, "priority"),
                None => return Ok(vec![None; settings.len()]),
            },
        };
        Ok(settings.iter().map(|setting| needs.answer(setting, rung)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::test_cases::{Fake, case, newcomer, query, surroundings};

    fn store_of(cases: &[Case]) -> Store<'_> {
        Store { cases: cases.iter().collect(), has_clock: true }
    }

    /// Four instances of X at 1, one of Y at 8.
    fn two_applications() -> Vec<Case> {
        let mut cases: Vec<Case> = (0..4).map(|at| case(&format!("x{at}"), "X", 0, 100, 1.0)).collect();
        cases.push(case("y", "Y", 0, 100, 8.0));
        cases
    }

    #[test]
    fn an_application_has_one_vote_however_many_instances_it_has() {
        let cases = two_applications();
        let needs = Needs::of(&store_of(&cases).cases);
        let memory = |share| needs.answer(&Setting::knob(share), "").unwrap().memory;
        assert_eq!((memory(0.50), memory(0.51)), (Some(1.0), Some(8.0)));
    }

    #[test]
    fn a_second_class_changes_the_constant_and_not_the_class_prior() {
        let of_class = |mut case: Case, class: &str| {
            case.known.workload.class = Some(class.to_owned());
            case
        };
        let alone: Vec<Case> = two_applications().into_iter().map(|case| of_class(case, "a")).collect();
        let mut both = alone.clone();
        both.push(of_class(case("z", "Z", 0, 100, 100.0), "b"));
        let ask = |rival: &dyn Rival, cases: &[Case]| {
            let newcomer = newcomer(&alone[0]);
            let prepared = rival.prepare(&store_of(cases), &surroundings(&Fake)).unwrap();
            prepared.recommend(&query(&newcomer), &[Setting::knob(1.0)], 0).unwrap()[0].unwrap().memory
        };
        let class = ClassPrior { minimum_applications: 2 };
        assert_eq!((ask(&class, &alone), ask(&class, &both)), (Some(8.0), Some(8.0)));
        assert_eq!((ask(&Constant, &alone), ask(&Constant, &both)), (Some(8.0), Some(100.0)));
    }

    #[test]
    fn a_class_of_too_few_applications_has_no_answer() {
        let cases = two_applications();
        let newcomer = newcomer(&cases[0]);
        let prepared = ClassPrior::default().prepare(&store_of(&cases), &surroundings(&Fake)).unwrap();
        assert_eq!(prepared.recommend(&query(&newcomer), &[Setting::knob(1.0)], 0).unwrap(), [None]);
    }
}
