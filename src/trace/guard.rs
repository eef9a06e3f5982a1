//! Calls into other people's code that was seen to panic: the panic is caught, said to nobody, and becomes an error of
//! what was called for.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// A call that panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Returns whether this thread is inside a guarded call: a panic in it is no bug of ours, and is not reported as one.
pub(crate) fn is_guarded() -> bool {
    GUARDED.get()
}

/// Calls `call` and catches a panic in it. What it was changing when it panicked must not be used afterwards.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    let before = GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(before);
    outcome.map_err(|_payload| Panicked)
}
