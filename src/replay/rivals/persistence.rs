//! The largest use of the first window, with a margin.

use super::{Prepared, Query, Recommendation, ReplayError, Rival, Setting, Store, Surroundings};

/// Margins of the sweep; the marked ones are .2, 1 and 2. Steps are small where coverage changes fast: on real
/// containers it goes from 74 to 99 % between 1 and 2.
const MARGINS: [f64; 32] = [
    0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0,
    5.0, 7.0, 9.0, 14.0, 20.0, 30.0, 40.0, 50.0, 60.0,
];

/// Largest use of the window x (1 + margin), CPU and memory alike.
#[derive(Debug, Clone, Copy)]
pub struct Persistence {
    name: &'static str,
    published: usize,
}

impl Persistence {
    /// The margin of a fifth; `plain` names it without its factor.
    pub fn times_1_2(plain: bool) -> Self {
        Self { name: if plain { "persistence" } else { "persistence-1.2" }, published: 3 }
    }

    /// Twice the window's largest use.
    pub fn times_2() -> Self {
        Self { name: "persistence-2", published: 11 }
    }

    /// Three times the window's largest use.
    pub fn times_3() -> Self {
        Self { name: "persistence-3", published: 19 }
    }
}

impl Rival for Persistence {
    fn name(&self) -> &'static str {
        self.name
    }

    fn family(&self) -> &'static str {
        "persistence"
    }

    fn knob(&self) -> &'static str {
        "margin on the window's largest use"
    }

    fn settings(&self) -> Vec<Setting> {
        MARGINS.map(Setting::knob).to_vec()
    }

    fn published(&self) -> usize {
        self.published
    }

    fn prepare<'a>(&self, _: &Store<'a>, _: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(*self))
    }
}

impl Prepared for Persistence {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let window = &query.newcomer.window;
        let (cpu, memory) = (window.cpu.map(|cpu| cpu.max), window.memory.map(|memory| memory.max));
        let scaled = |setting: &Setting| {
            let times = |amount: Option<f64>| amount.map(|amount| amount * (1.0 + setting.knob));
            let answer = Recommendation { cpu: times(cpu), memory: times(memory), rung: "window" };
            (cpu.is_some() || memory.is_some()).then_some(answer)
        };
        Ok(settings.iter().map(scaled).collect())
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;
    use crate::predict::{Facts, Newcomer};
    use crate::profile::{ResourceProfile, WindowProfile};
    use crate::units::Micros;

    const MIB: f64 = 1_048_576.0;

    fn memory(rival: Persistence, window_max: Option<f64>) -> Option<f64> {
        let memory = window_max.map(|max| ResourceProfile { max, ..ResourceProfile::default() });
        let window = WindowProfile { memory, ..WindowProfile::default() };
        let newcomer = Newcomer { name: "w".to_owned(), window, facts: Facts::default() };
        let query =
            Query { newcomer: &newcomer, at: Micros::ZERO, application: None, broader: None, rows: &[], future: None };
        let setting = rival.settings()[rival.published];
        rival.recommend(&query, &[setting], 0).unwrap()[0].and_then(|answer| answer.memory)
    }

    #[test]
    fn margins_act_on_the_largest_use_of_the_window() {
        let in_mebibytes = |rival| (memory(rival, Some(120.0 * MIB)).unwrap() / MIB * 1e6).round() / 1e6;
        assert_eq!(in_mebibytes(Persistence::times_1_2(true)), 144.0);
        assert_eq!(in_mebibytes(Persistence::times_2()), 240.0);
        assert_eq!(in_mebibytes(Persistence::times_3()), 360.0);
    }

    #[test]
    fn an_empty_window_has_no_answer() {
        assert_eq!(memory(Persistence::times_2(), None), None);
    }
}
