//! libFuzzer's side of `tests/fuzz/run`: hands every input to the target that `SHADOW_FUZZ_TARGET` names.

#![no_main]

mod targets;

use std::sync::LazyLock;

use targets::{TARGETS, Target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("SHADOW_FUZZ_TARGET").unwrap_or_default();
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        panic!("`SHADOW_FUZZ_TARGET={name}` is no target; these are: {}", names.join(" "))
    })
});

libfuzzer_sys::fuzz_target!(
    init: {
        // The hook of `libfuzzer_sys` ends the process at once, also where the library catches a panic of someone else's reader on purpose.
        // What nobody catches ends it anyway.
        drop(std::panic::take_hook());
    },
    |data: &[u8]| (TARGET.run)(data)
);
