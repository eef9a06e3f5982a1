//! The rungs that measure no similarity: how workloads of a class, or all, grew beyond their first window.

use crate::profile::WindowProfile;

use super::growth::Group;
use super::knowledge::Knowledge;
use super::ladder::{Rung, Said, fill, too_few};
use super::need::Resource;
use super::{Answer, Decision, Estimator, Newcomer, PredictError, Question};

impl Knowledge {
    /// Tries the class prior and persistence.
    pub(super) fn prior_rungs(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        admits: &(dyn Fn(usize) -> bool + Sync),
        answer: &mut Answer,
    ) -> Result<(), PredictError> {
        let whole = self.rows.whole()?;
        let class = newcomer.facts.class.as_ref().and_then(|class| Some((class, whole.by_class.get(class)?)));
        match class {
            None => answer.passed_over.push("class-prior: the sample names no class that the store knows".to_owned()),
            Some((class, rows)) => {
                let stored = rows.len();
                let rows: Vec<usize> = rows.iter().map(|&row| row as usize).filter(|&row| admits(row)).collect();
                let what = if newcomer.window.is_empty() { "what" } else { "how" };
                let did = if newcomer.window.is_empty() { "needed" } else { "grew beyond their first window" };
                let warning =
                    format!("rests on {what} {} workloads of class `{class}` {did}, not on similar ones", rows.len());
                let group = Group { class: Some(class), is_whole: rows.len() == stored, rows };
                if self.prior_rung(Decision::ClassPrior, newcomer, question, &group, warning, answer)? {
                    return Ok(());
                }
            }
        }
        let rows: Vec<usize> = (0..self.rows.len()).filter(|&row| admits(row)).collect();
        let all = rows.len();
        // Where nothing was observed there is nothing to grow from: everybody is given what covers the store.
        let (decision, warning) = if newcomer.window.is_empty() {
            (
                Decision::ClassPrior,
                format!("rests on what all {all} workloads of the store needed, not on similar ones"),
            )
        } else {
            let how = "rests on its own first window with the margin that all";
            (Decision::Persistence, format!("{how} {all} workloads of the store call for, not on similar ones"))
        };
        let group = Group { class: None, is_whole: all == self.rows.len(), rows };
        self.prior_rung(decision, newcomer, question, &group, warning, answer)?;
        Ok(())
    }

    /// Tries one of them. Returns whether it answered.
    fn prior_rung(
        &self,
        decision: Decision,
        newcomer: &Newcomer,
        question: &Question,
        group: &Group<'_>,
        warning: String,
        answer: &mut Answer,
    ) -> Result<bool, PredictError> {
        let (rung, bounds) = self.prior(&newcomer.window, question, group)?;
        if rung[Resource::Memory as usize].is_none() && rung[Resource::Cpu as usize].is_none() {
            answer.passed_over.push(too_few(decision, group.rows.len(), question.coverage));
            return Ok(false);
        }
        answer.warnings.push(warning);
        fill(answer, decision, &rung, &bounds);
        Ok(true)
    }

    /// Returns the newcomer's level with an upper quantile of growth in the group, and where that is a lower bound.
    fn prior(
        &self,
        window: &WindowProfile,
        question: &Question,
        group: &Group<'_>,
    ) -> Result<(Rung, Vec<&'static str>), PredictError> {
        let mut rung: Rung = [None; 3];
        let mut bounds = Vec::new();
        for resource in Resource::ALL {
            let Some(level) = resource.level(window) else { continue };
            let growths = self.growths(group, resource)?;
            let Some((margin, ends)) = growths.at(question.coverage) else { continue };
            let amount = match question.estimator {
                Estimator::Quantile => growths.allocation(level, margin.value),
                Estimator::Mean => growths.mean_allocation(level),
            };
            let interval = ends.map(|(low, high)| (growths.allocation(level, low), growths.allocation(level, high)));
            rung[resource as usize] = Some(Said { amount, interval });
            if margin.at_least {
                bounds.push(resource.name());
            }
        }
        Ok((rung, bounds))
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
            start: None,
            fitted: true,
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
        Knowledge::of_rows(params, features, None, rows, 60.0)
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
    fn at_submission_everybody_is_given_what_covers_the_store() {
        let at_submission = |knowledge: &Knowledge| {
            let newcomer = Newcomer { name: "x".to_owned(), window: WindowProfile::default(), facts: Facts::default() };
            let question = Question { coverage: 0.9, ..Question::default() };
            knowledge.answer(&newcomer, &question, Selection::Nearest, &|_| true).unwrap()
        };
        // Needs of 101 to 140 MiB: the 37th of 40 covers the next one at 90 %.
        let need = |at: usize| (101.0 + at as f64) * MIB;
        let rows = (0..40).map(|at| row(at, "a", 16.0 * MIB, need(at))).collect();
        let answer = at_submission(&knowledge(rows));
        assert_eq!(answer.decision, Decision::ClassPrior);
        assert!((answer.memory.unwrap() / MIB - 137.0).abs() < 1e-9, "{answer:?}");
        let all = "rests on what all 40 workloads of the store needed, not on similar ones";
        assert!(answer.warnings.iter().any(|warning| warning == all), "{answer:?}");
        assert_eq!(at_submission(&knowledge(Vec::new())).decision, Decision::Abstain);
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

    #[test]
    fn a_stranger_is_given_more_where_left_out_applications_exceeded_the_others_margins() {
        // Eight applications of 24 instances. In both stores an eighth of the instances grow: three of each application, or
        // one application whole, of which the others could not have told.
        let store = |grows: &dyn Fn(usize) -> bool| {
            let rows = (0..192).map(|at| {
                let need = if grows(at) { 400.0 } else { 100.0 };
                row(at, &format!("a{}", at / 24), 100.0 * MIB, need * MIB)
            });
            knowledge(rows.collect())
        };
        let alike = store(&|at| at % 24 < 3);
        let whole = store(&|at| at < 24);
        assert!(memory_at(&alike, 100.0 * MIB, 0.85) < 110.0 * MIB);
        assert!(memory_at(&whole, 100.0 * MIB, 0.85) > 390.0 * MIB);
        assert!(memory_at(&alike, 100.0 * MIB, 0.9) > 390.0 * MIB);
    }
}
