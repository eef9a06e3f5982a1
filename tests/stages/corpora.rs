//! The inputs of the fuzz targets, as plain tests: what was found once stays found, and every target still runs.

#[path = "../fuzz/targets/mod.rs"]
mod targets;

use std::path::Path;

use targets::TARGETS;

#[test]
fn every_input_of_every_fuzz_target_is_survived() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpora");
    for target in TARGETS {
        let folder = corpora.join(target.name);
        let mut inputs: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{} has no inputs", target.name);
        for path in inputs {
            let input = std::fs::read(&path).unwrap();
            let outcome = std::panic::catch_unwind(|| (target.run)(&input));
            assert!(outcome.is_ok(), "`{}` fails on {}", target.name, path.display());
        }
    }
    let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    for entry in std::fs::read_dir(corpora).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(known.iter().any(|known| name == *known), "{} is no target", name.display());
    }
}
