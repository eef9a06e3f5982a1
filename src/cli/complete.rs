//! Live completion of values: fast, silent, never failing, and never reading more than names of files.

use std::ffi::OsStr;
use std::path::Path;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};

/// Completes folders, those that hold a store first.
pub(super) fn folders() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let order = |candidate: CompletionCandidate| {
            let is_store = Path::new(candidate.get_value()).join("store.json").is_file();
            candidate.display_order(Some(usize::from(!is_store)))
        };
        PathCompleter::dir().complete(current).into_iter().map(order).collect()
    })
}

/// Completes files and folders, and `-` for standard input.
pub(super) fn inputs() -> ArgValueCompleter {
    ArgValueCompleter::new(PathCompleter::any().stdio())
}
