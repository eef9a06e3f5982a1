//! The rungs that measure no similarity: how workloads of a class, or all, grew beyond their first window.
//!
//! An allocation is exp(quantile) × (level + c), with c one hundredth of the store's mean need: what is tiny may grow many
//! times over and cost nothing, and without c the margin of all would follow it. Applications count by the square root of their instances:
//! between one margin for the instances seen, and one for the applications.

use std::collections::BTreeMap;

use crate::profile::WindowProfile;

use super::calibrate::LEAST_INSTANCES;
use super::estimate::allocation;
use super::knowledge::Knowledge;
use super::ladder::{Rung, Said, fill, too_few};
use super::need::Resource;
use super::quantile::{Observed, lower_rank_share, upper_quantile, upper_rank_share};
use super::{Answer, Decision, Estimator, Newcomer, Question};

/// Added to a level before growth is measured, as a share of the mean need of the store (ours, see `docs/evaluation.md`).
const OFFSET: f64 = 0.01;

impl Knowledge {
    /// Tries the class prior and persistence.
    pub(super) fn prior_rungs(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        admits: &(dyn Fn(usize) -> bool + Sync),
        answer: &mut Answer,
    ) {
        let class = newcomer.facts.class.as_ref().and_then(|class| Some((class, self.by_class.get(class)?)));
        match class {
            None => answer.passed_over.push("class-prior: the sample names no class that the store knows".to_owned()),
            Some((class, rows)) => {
                let rows: Vec<usize> = rows.iter().map(|&row| row as usize).filter(|&row| admits(row)).collect();
                let what = if newcomer.window.is_empty() { "what" } else { "how" };
                let did = if newcomer.window.is_empty() { "needed" } else { "grew beyond their first window" };
                let warning =
                    format!("rests on {what} {} workloads of class `{class}` {did}, not on similar ones", rows.len());
                if self.prior_rung(Decision::ClassPrior, newcomer, question, &rows, warning, answer) {
                    return;
                }
            }
        }
        if newcomer.window.is_empty() {
            answer.passed_over.push("persistence: nothing was observed yet".to_owned());
            return;
        }
        let rows: Vec<usize> = (0..self.rows.len()).filter(|&row| admits(row)).collect();
        let warning = format!(
            "rests on its own first window with the margin that all {} workloads of the store call for, not on similar ones",
            rows.len()
        );
        self.prior_rung(Decision::Persistence, newcomer, question, &rows, warning, answer);
    }

    /// Tries one of them. Returns whether it answered.
    fn prior_rung(
        &self,
        decision: Decision,
        newcomer: &Newcomer,
        question: &Question,
        rows: &[usize],
        warning: String,
        answer: &mut Answer,
    ) -> bool {
        let (rung, bounds) = self.prior(&newcomer.window, question, rows);
        if rung[Resource::Memory as usize].is_none() && rung[Resource::Cpu as usize].is_none() {
            answer.passed_over.push(too_few(decision, rows.len(), question.coverage));
            return false;
        }
        answer.warnings.push(warning);
        fill(answer, decision, &rung, &bounds);
        true
    }

    /// Returns the newcomer's level with an upper quantile of growth over `rows`, and where that is a lower bound.
    fn prior(&self, window: &WindowProfile, question: &Question, rows: &[usize]) -> (Rung, Vec<&'static str>) {
        let mut rung: Rung = [None; 3];
        let mut bounds = Vec::new();
        let tail = (1.0 - question.coverage) / 2.0;
        let weights = self.weights_by_application(rows);
        for resource in Resource::ALL {
            let Some(level) = resource.level(window) else { continue };
            let floor = resource.floor(self.floors());
            let offset = OFFSET * self.mean_needs[resource as usize];
            let needs: Vec<_> = rows
                .iter()
                .zip(&weights)
                .filter_map(|(&row, &weight)| Some((self.rows.get(row)?.needs[resource as usize]?, weight)))
                .collect();
            let growth = |reference: f64, need: f64| (need / reference).ln();
            let mut growths: Vec<Observed> = needs
                .iter()
                .map(|&(need, weight)| {
                    let value = growth(need.level + offset, need.need);
                    Observed { value, weight, at_least: need.at_least }
                })
                .collect();
            let Some(margin) =
                upper_rank_share(&growths, question.coverage).and_then(|share| upper_quantile(&mut growths, share))
            else {
                continue;
            };
            let ends = lower_rank_share(&growths, tail).zip(upper_rank_share(&growths, 1.0 - tail));
            let reference = level.max(floor) + offset;
            let of = |growth| allocation(resource, reference, level, floor, growth);
            let interval = ends.and_then(|(low, high)| {
                Some((of(upper_quantile(&mut growths, low)?.value), of(upper_quantile(&mut growths, high)?.value)))
            });
            let amount = match question.estimator {
                Estimator::Quantile => of(margin.value),
                // The classic estimator takes the plain mean of need / level.
                Estimator::Mean => {
                    let mean = needs.iter().map(|(need, _)| need.need / need.level).sum::<f64>() / needs.len() as f64;
                    allocation(resource, level.max(floor), level, floor, mean.ln())
                }
            };
            rung[resource as usize] = Some(Said { amount, interval });
            if margin.at_least {
                bounds.push(resource.name());
            }
        }
        (rung, bounds)
    }

    /// Returns a weight for each of `rows`: 1 / √n with n the rows of its application among them, at least as many as make
    /// an application known. A row without application counts like the only one of its own.
    fn weights_by_application(&self, rows: &[usize]) -> Vec<f64> {
        let application = |row: usize| {
            let row = self.rows.get(row)?;
            Some((row.application.as_deref()?, row.user.as_deref()))
        };
        let mut counts: BTreeMap<(&str, Option<&str>), u32> = BTreeMap::new();
        for key in rows.iter().filter_map(|&row| application(row)) {
            *counts.entry(key).or_default() += 1;
        }
        let weight = |&row: &usize| {
            let count = application(row).and_then(|key| counts.get(&key)).copied().unwrap_or(1);
            f64::from(count).max(LEAST_INSTANCES as f64).powf(-0.5)
        };
        rows.iter().map(weight).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::need::{Need, Remembered};
    use super::super::{Facts, FitParams, Selection};
    use super::*;
    use crate::fingerprint::FeatureSet;
    use crate::profile::{Floors, ResourceProfile, Window};
    use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};
    use crate::units::Micros;

    const MIB: f64 = 1_048_576.0;

    fn row(number: usize, application: &str, level: f64, need: f64) -> Remembered {
        Remembered {
            id: format!("{application}-{number}"),
            run: 0,
            format: "table".to_owned(),
            application: Some(application.to_owned()),
            user: None,
            class: None,
            features: Vec::new(),
            needs: [Some(Need { level, request: None, need, at_least: false }), None, None],
        }
    }

    /// A store in which nothing can be compared: only persistence answers.
    fn knowledge(rows: Vec<Remembered>) -> Knowledge {
        let units =
            UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::BytesPerSecond };
        let params = FitParams::new(Window { length: Micros(60_000_000) }, units);
        let features = FeatureSet::named(Floors::of(units), std::iter::empty());
        Knowledge::assemble(params, features, None, rows, 60.0)
    }

    fn memory_at(knowledge: &Knowledge, level: f64, coverage: f64) -> f64 {
        let memory = Some(ResourceProfile { max: level, ..ResourceProfile::default() });
        let window = WindowProfile { memory, observed_seconds: 60.0, ..WindowProfile::default() };
        let newcomer = Newcomer { name: "x".to_owned(), window, facts: Facts::default() };
        let question = Question { coverage, ..Question::default() };
        let answer = knowledge.answer(&newcomer, &question, Selection::Nearest, &|_| true).unwrap();
        assert_eq!(answer.decision, Decision::Persistence);
        answer.memory.unwrap()
    }

    #[test]
    fn growth_counts_from_a_level_with_a_hundredth_of_the_mean_need_on_top() {
        // Everything doubles from 100 MiB, so c is 2 MiB and growth is 200 / 102.
        let knowledge = knowledge((0..40).map(|at| row(at, "a", 100.0 * MIB, 200.0 * MIB)).collect());
        let expected = |level: f64| (level + 2.0) * 200.0 / 102.0;
        for level in [50.0, 100.0, 1000.0] {
            let found = memory_at(&knowledge, level * MIB, 0.9) / MIB;
            assert!((found - expected(level)).abs() < 1e-9, "{found} instead of {}", expected(level));
        }
    }

    #[test]
    fn an_application_counts_by_the_root_of_its_instances_but_not_before_it_is_known() {
        let of = |application: &'static str, count| (0..count).map(move |at| row(at, application, MIB, MIB));
        let rows: Vec<Remembered> = of("a", 100).chain(of("b", 25)).chain(of("c", 1)).collect();
        let all: Vec<usize> = (0..rows.len()).collect();
        let weights = knowledge(rows).weights_by_application(&all);
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
        near(weights[0], 0.1);
        near(weights[100], 0.2);
        near(weights[125], 0.2_f64.sqrt());
    }

    #[test]
    fn many_instances_of_one_application_do_not_outvote_the_others() {
        // 80 of 100 stay as they are; four applications of five instances each triple. One vote each would hide them at 80 %.
        let still = (0..80).map(|at| row(at, "still", 100.0 * MIB, 100.0 * MIB));
        let growing = ["b", "c", "d", "e"]
            .into_iter()
            .flat_map(|name| (0..5).map(move |at| row(at, name, 100.0 * MIB, 300.0 * MIB)));
        let knowledge = knowledge(still.chain(growing).collect());
        assert!(memory_at(&knowledge, 100.0 * MIB, 0.75) > 290.0 * MIB);
    }
}
