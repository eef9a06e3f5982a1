//! How far a replay is, on the terminal: one bar at a time.

use std::sync::Mutex;

use crate::replay::Watch;
use crate::ui::{Steps, Ui};

/// Shows the stage that a replay is in; a new stage takes the place of the last.
pub(super) struct Shown<'a> {
    ui: &'a Ui,
    bar: Mutex<Option<Steps>>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self { ui, bar: Mutex::new(None) }
    }
}

impl Watch for Shown<'_> {
    fn stage(&self, what: &str, steps: u64) {
        // A thread that panicked while it counted takes the bar with it, not the replay.
        let Ok(mut bar) = self.bar.lock() else { return };
        // The old bar goes before the new one comes.
        drop(bar.take());
        *bar = Some(if steps == 0 { self.ui.busy(what) } else { self.ui.steps(what, steps) });
    }

    fn advance(&self, steps: u64) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            bar.advance(steps);
        }
    }
}
