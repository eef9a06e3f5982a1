//! What several tests need: temporary worlds, the real slices where they are present.

pub(crate) mod answers;
pub(crate) mod checkers;
pub(crate) mod features;
pub(crate) mod predictions;
pub(crate) mod slices;
mod world;

use std::path::PathBuf;

pub(crate) use world::{Answer, World};

/// Returns the folder of real trace slices, or prints why a test is skipped: it lies beside the checkout at
/// `../shared/data`, or where `SHADOW_TEST_DATA` says.
pub(crate) fn real_slices(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SHADOW_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if folder.join("EXPECTED.json").is_file() {
        return Some(folder);
    }
    eprintln!("skipped {test}: no real trace slices at `{}` (set SHADOW_TEST_DATA)", folder.display());
    None
}
