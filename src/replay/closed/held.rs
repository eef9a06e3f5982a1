//! What most rivals do in the closed loop: they hold their first answer and grow it after a kill.

use crate::predict::control::{Change, Controller, InForce, Observed, Reason};
use crate::replay::feedback::Attempt;

/// Memory after the kills so far, oldest first; nothing gives the run up.
pub(super) type Bump<'a> = Box<dyn Fn(&[Attempt]) -> Option<f64> + 'a>;

/// Holds an answer.
pub(super) struct Held<'a> {
    first: Option<InForce>,
    bump: Bump<'a>,
    kills: Vec<Attempt>,
    begin: Option<f64>,
}

impl<'a> Held<'a> {
    pub(super) fn new(first: InForce, bump: Bump<'a>) -> Self {
        Self { first: Some(first), bump, kills: Vec::new(), begin: None }
    }
}

impl Controller for Held<'_> {
    fn observe(&mut self, seen: &Observed<'_>) -> Change {
        let begin = *self.begin.get_or_insert(seen.at);
        if let Some(first) = self.first.take() {
            return Change::Set { cpu: first.cpu, memory: first.memory, reason: Reason::FirstAnswer };
        }
        let (1.., Some(allocation)) = (seen.oom_kills, seen.in_force.memory) else { return Change::Keep };
        self.kills.push(Attempt { allocation, seen: 0.0, at: seen.at - begin });
        match (self.bump)(&self.kills) {
            Some(memory) => Change::Set { cpu: None, memory: Some(memory), reason: Reason::OomKill },
            None => Change::Keep,
        }
    }
}
