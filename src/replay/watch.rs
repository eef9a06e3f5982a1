//! How far a replay is, for whoever waits for it.

/// Is told how far a replay is. Calls come from any thread.
pub trait Watch: Sync {
    /// A stage begins; `steps` of it are to be done, 0 where that is not known.
    fn stage(&self, what: &str, steps: u64);

    /// `steps` more are done.
    fn advance(&self, steps: u64);
}

/// Nobody waits.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn stage(&self, _what: &str, _steps: u64) {}

    fn advance(&self, _steps: u64) {}
}
