//! Matching a run again when more of it was seen.

use crate::predict::{Answer, Newcomer};
use crate::profile::Window;
use crate::units::Micros;

/// When a run is compared with stored ones again: after five minutes, an hour and a day (`docs/controller.md`).
pub const MATCH_AGAIN_AFTER: [Micros; 3] =
    [Micros::from_seconds(300), Micros::from_seconds(3600), Micros::from_seconds(86_400)];

/// Knowledge of one learning window.
pub trait Matcher: Send + Sync {
    /// Answers about a run of which so much was seen; nothing where it abstains or cannot answer.
    fn matched(&self, newcomer: &Newcomer) -> Option<Answer>;
}

/// A learning window with the knowledge that was fitted to it.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// How much of a run is compared.
    pub window: Window,
    /// What answers.
    pub matcher: &'a dyn Matcher,
}
