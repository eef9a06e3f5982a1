//! The true need, from the future, with a margin: the floor of waste that regret is measured from.

use super::{Conduct, Prepared, Query, Recommendation, ReplayError, Rival, Setting, Store, Surroundings};
use crate::replay::feedback::Attempt;

/// Memory: whole-life peak; CPU: 95th percentile of row means over the life; each x (1 + margin).
#[derive(Debug, Clone, Copy)]
pub struct Oracle;

impl Rival for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn knob(&self) -> &'static str {
        "margin on the true need"
    }

    fn settings(&self) -> Vec<Setting> {
        [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5].map(Setting::knob).to_vec()
    }

    fn published(&self) -> usize {
        5
    }

    fn sees_the_future(&self) -> bool {
        true
    }

    fn prepare<'a>(&self, _: &Store<'a>, _: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(Self))
    }
}

impl Conduct for Oracle {
    fn after_kills(&self, _: &Query<'_>, _: &Setting, _: &[Attempt]) -> Option<f64> {
        None
    }
}

impl Prepared for Oracle {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let Some(life) = query.future else { return Ok(vec![None; settings.len()]) };
        // A need that is only "at least" this is not the truth: such workloads have no oracle.
        let censored = life.censoring.killed || life.censoring.right;
        let memory = life.memory_peak.filter(|_| !censored && !life.censoring.memory_at_limit);
        let cpu = life.cpu_need.filter(|_| !censored && !life.censoring.cpu_throttled);
        let scaled = |setting: &Setting| {
            let times = |amount: Option<f64>| amount.map(|amount| amount * (1.0 + setting.knob));
            let answer = Recommendation { cpu: times(cpu), memory: times(memory), rung: "future" };
            (cpu.is_some() || memory.is_some()).then_some(answer)
        };
        Ok(settings.iter().map(scaled).collect())
    }

    fn conduct(self: Box<Self>) -> Box<dyn Conduct> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::Facts;
    use crate::predict::Newcomer;
    use crate::profile::{Censoring, LifeProfile, WindowProfile};
    use crate::units::Micros;

    fn ask(life: Option<&LifeProfile>) -> Option<Recommendation> {
        let newcomer = Newcomer { name: "w".to_owned(), window: WindowProfile::default(), facts: Facts::default() };
        let query =
            Query { newcomer: &newcomer, at: Micros::ZERO, application: None, broader: None, rows: &[], future: life };
        Oracle.recommend(&query, &[Oracle.settings()[Oracle.published()]], 0).unwrap()[0]
    }

    #[test]
    fn it_answers_the_true_peak_with_its_margin() {
        let life = LifeProfile { memory_peak: Some(2.0), ..LifeProfile::default() };
        assert!((ask(Some(&life)).unwrap().memory.unwrap() - 2.3).abs() < 1e-12);
    }

    #[test]
    fn without_the_future_or_with_a_censored_peak_it_is_silent() {
        assert_eq!(ask(None), None);
        let censoring = Censoring { right: true, ..Censoring::default() };
        assert_eq!(ask(Some(&LifeProfile { memory_peak: Some(2.0), censoring, ..LifeProfile::default() })), None);
    }
}
