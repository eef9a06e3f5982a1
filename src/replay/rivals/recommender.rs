//! Recommenders that know nothing but the rows of the run itself, and their answer after the first window.

use super::{Conduct, Prepared, Query, Recommendation, ReplayError, Setting};
use crate::predict::control::{Change, Controller, Observed, Reason};
use crate::replay::Scale;
use crate::replay::feedback::Attempt;
use crate::trace::Sample;

/// A recommender of one run: fed with its rows, asked at any time. Amounts are in the store's units, times in seconds since
/// the run's start.
pub trait Recommender: Send {
    /// Takes the rows that ended since the last call, in time order; the last of them ends at `end`.
    fn observe(&mut self, rows: &[Sample], end: f64);

    /// Counts a step of the recommender that is not over as if it were: a first answer comes from a first window that may
    /// be shorter than its step.
    fn close(&mut self);

    /// Takes an OOM kill at `at` under the memory in force and returns whether it has a rule for it. Most have none.
    fn on_oom_kill(&mut self, _at: f64, _memory_in_force: f64) -> bool {
        false
    }

    /// Returns CPU and memory at a setting that it learns alike for; nothing for a resource it cannot
    /// answer yet.
    fn recommend(&self, setting: &Setting) -> (Option<f64>, Option<f64>);
}

/// A rival that knows nothing but the rows of a run: fed with more rows it answers later in the run's life.
pub(super) trait OfRows: Copy + Send + Sync + 'static {
    /// Returns the recommender of a run before its first row.
    fn recommender(&self, query: &Query<'_>, setting: &Setting, scale: &Scale) -> Box<dyn Recommender>;

    /// Returns whether a recommender learns the same at both settings, so that it need not be fed twice.
    fn learns_alike(&self, _: &Setting, _: &Setting) -> bool {
        true
    }

    /// Returns the memory after the kills so far, oldest first; twice what was too small where it has no rule. `fed` makes the
    /// recommender after the first window.
    fn after_kills(&self, _: impl FnOnce() -> Option<Fed>, _: &Setting, kills: &[Attempt]) -> Option<f64> {
        kills.last().map(|kill| kill.allocation * 2.0)
    }
}

/// A recommender in the closed loop: its answer is in force from one observation to the next. Without a rule of its own for
/// kills, twice the memory that was too small is the least it gets for the rest of the run (our value).
struct Led {
    recommender: Box<dyn Recommender>,
    setting: Setting,
    least_memory: Option<f64>,
    is_fresh: bool,
}

impl Led {
    fn by(recommender: Box<dyn Recommender>, setting: Setting) -> Self {
        Self { recommender, setting, least_memory: None, is_fresh: true }
    }
}

impl Controller for Led {
    fn observe(&mut self, seen: &Observed<'_>) -> Change {
        self.recommender.observe(seen.rows, seen.at);
        if std::mem::take(&mut self.is_fresh) {
            self.recommender.close();
        }
        if let Some(in_force) = seen.in_force.memory.filter(|_| seen.oom_kills > 0) {
            let has_rule = self.recommender.on_oom_kill(seen.at, in_force);
            let is_answered = self.recommender.recommend(&self.setting).1.is_some();
            if !(has_rule && is_answered) {
                self.least_memory = Some(self.least_memory.unwrap_or(0.0).max(in_force * 2.0));
            }
        }
        let (cpu, memory) = self.recommender.recommend(&self.setting);
        let memory = match (memory, self.least_memory) {
            (Some(memory), Some(least)) => Some(memory.max(least)),
            (memory, least) => memory.or(least),
        };
        if cpu.is_none() && memory.is_none() {
            return Change::Keep;
        }
        let reason = if seen.oom_kills > 0 { Reason::OomKill } else { Reason::Rule };
        Change::Set { cpu, memory, reason }
    }
}

/// A recommender after the first window.
pub(super) struct Fed {
    recommender: Box<dyn Recommender>,
    /// The seconds it was fed with.
    end: f64,
}

impl Fed {
    /// Feeds a recommender with the rows of the window; nothing without rows.
    fn with(rival: &impl OfRows, query: &Query<'_>, setting: &Setting, scale: &Scale) -> Option<Self> {
        let (first, last) = (query.rows.first()?, query.rows.last()?);
        let end = last.start.plus(last.duration).minus(first.start).as_seconds();
        let mut recommender = rival.recommender(query, setting, scale);
        recommender.observe(query.rows, end);
        recommender.close();
        Some(Self { recommender, end })
    }

    /// Returns the memory of a recommender with a rule of its own for OOM kills, after `kills`.
    pub(super) fn memory_after(mut self, kills: &[Attempt], setting: &Setting) -> Option<f64> {
        for kill in kills {
            self.recommender.on_oom_kill(self.end + kill.at, kill.allocation);
        }
        self.recommender.recommend(setting).1
    }
}

/// A rival's answers to a query: its recommender is fed with the rows of the window and asked once per setting.
#[derive(Clone, Copy)]
pub(super) struct AtTheWindow<R> {
    pub(super) rival: R,
    pub(super) scale: Scale,
}

impl<R: OfRows> Prepared for AtTheWindow<R> {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let mut last: Option<(Setting, Fed)> = None;
        let mut answers = Vec::with_capacity(settings.len());
        for setting in settings {
            if !last.as_ref().is_some_and(|(fed_at, _)| self.rival.learns_alike(fed_at, setting)) {
                last = Fed::with(&self.rival, query, setting, &self.scale).map(|fed| (*setting, fed));
            }
            answers.push(last.as_ref().and_then(|(_, fed)| {
                let (cpu, memory) = fed.recommender.recommend(setting);
                (cpu.is_some() || memory.is_some()).then_some(Recommendation { cpu, memory, rung: "window" })
            }));
        }
        Ok(answers)
    }

    fn conduct(self: Box<Self>) -> Box<dyn Conduct> {
        self
    }
}

impl<R: OfRows> Conduct for AtTheWindow<R> {
    fn after_kills(&self, query: &Query<'_>, setting: &Setting, kills: &[Attempt]) -> Option<f64> {
        self.rival.after_kills(|| Fed::with(&self.rival, query, setting, &self.scale), setting, kills)
    }

    fn controller(&self, query: &Query<'_>, setting: &Setting) -> Option<Box<dyn Controller>> {
        Some(Box::new(Led::by(self.rival.recommender(query, setting, &self.scale), *setting)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::control::InForce;
    use crate::units::Micros;

    /// Answers the largest memory it saw.
    struct Largest(f64);

    impl Recommender for Largest {
        fn observe(&mut self, rows: &[Sample], _: f64) {
            self.0 = rows.iter().filter_map(|row| row.memory).fold(self.0, f64::max);
        }

        fn close(&mut self) {}

        fn recommend(&self, _: &Setting) -> (Option<f64>, Option<f64>) {
            (None, (self.0 > 0.0).then_some(self.0))
        }
    }

    #[test]
    fn a_recommender_leads_a_run_and_a_kill_doubles_what_was_too_small_for_good() {
        let mut led = Led::by(Box::new(Largest(0.0)), Setting::knob(0.0));
        let mut memory = |value: Option<f64>, in_force: f64, oom_kills: u32| {
            let row = Sample { start: Micros::ZERO, memory: value, ..Sample::default() };
            let in_force = InForce { cpu: None, memory: Some(in_force) };
            let change = led.observe(&Observed { at: 1.0, rows: &[row], in_force, oom_kills, throttled: 0.0 });
            match change {
                Change::Set { memory, .. } => memory,
                Change::Keep => None,
            }
        };
        assert_eq!(memory(None, 9.0, 0), None);
        assert_eq!(memory(Some(2.0), 9.0, 0), Some(2.0));
        assert_eq!(memory(Some(3.0), 2.0, 1), Some(4.0));
        assert_eq!(memory(Some(3.5), 4.0, 0), Some(4.0));
        assert_eq!(memory(Some(5.0), 4.0, 0), Some(5.0));
    }
}
