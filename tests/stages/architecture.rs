//! The way data flow: which module may use which, checked against every path in `src`; and the order of the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each module with those it may use, as in `docs/architecture.md`. What is not named here is an error.
const ARROWS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("markup", &[]),
    ("vpa", &[]),
    ("artifact", &["units"]),
    ("trace", &["units", "artifact"]),
    ("synth", &["units", "artifact", "trace"]),
    ("store", &["units", "artifact", "trace"]),
    ("profile", &["units", "artifact", "trace", "store"]),
    ("fingerprint", &["units", "artifact", "trace", "store", "profile"]),
    ("index", &["units", "artifact", "trace", "store", "profile", "fingerprint"]),
    ("predict", &["units", "artifact", "trace", "store", "profile", "fingerprint", "index"]),
    ("map", &["units", "markup", "artifact", "trace", "store", "profile", "fingerprint", "index", "predict"]),
    ("emit", &["units", "vpa", "artifact", "trace", "store", "profile", "fingerprint", "index", "predict"]),
    ("replay", &["units", "markup", "vpa", "artifact", "trace", "store", "profile", "fingerprint", "index", "predict"]),
    // Arguments only: library types for the parsing of values.
    ("cli", &["units", "trace", "predict", "replay"]),
    (
        "error",
        &[
            "units",
            "artifact",
            "trace",
            "synth",
            "store",
            "profile",
            "fingerprint",
            "index",
            "predict",
            "map",
            "emit",
            "replay",
        ],
    ),
    // Shows errors, and takes the progress of readers.
    ("ui", &["units", "trace", "error"]),
    (
        "commands",
        &[
            "units",
            "artifact",
            "trace",
            "synth",
            "store",
            "profile",
            "fingerprint",
            "index",
            "predict",
            "map",
            "emit",
            "replay",
            "cli",
            "error",
            "ui",
        ],
    ),
];

/// A file longer than this has more than one idea.
const MOST_LINES: usize = 800;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns every Rust file below `folder`, sorted, with its text.
fn sources(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.insert(path, text);
        }
    }
    found
}

/// Returns the text without comments: what a link in a comment names is not used.
fn code_of(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

/// Returns the first names after each `marker` (as `crate::`), those inside braces too.
fn names_after<'a>(code: &'a str, marker: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (at, found) in code.match_indices(marker) {
        let is_word = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$');
        if is_word {
            continue;
        }
        // A module of tests inside the file stands one level deeper.
        let rest = code[at + found.len()..].trim_start_matches("super::");
        let Some(group) = rest.strip_prefix('{') else {
            names.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut is_first = true;
        for (position, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => is_first = true,
                c if depth == 0 && is_first && (c.is_alphabetic() || c == '_') => {
                    is_first = false;
                    names.push(word(&group[position..]));
                }
                _ => {}
            }
        }
    }
    names
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

/// Returns the top-level modules that a file uses, by `crate::` or by enough `super::`.
fn used(file: &Path, text: &str) -> BTreeSet<String> {
    let code = code_of(text);
    let mut names: BTreeSet<String> = names_after(&code, "crate::").into_iter().map(str::to_owned).collect();
    let is_module_root = file.file_name().is_some_and(|name| name == "mod.rs");
    let depth = file.components().count() - usize::from(is_module_root);
    names.extend(names_after(&code, &"super::".repeat(depth)).into_iter().map(str::to_owned));
    names.retain(|name| ARROWS.iter().any(|(module, _)| module == name));
    names
}

#[test]
fn data_flow_one_way() {
    let src = root().join("src");
    let mut wrong = Vec::new();
    for (path, text) in sources(&src) {
        let file = path.strip_prefix(&src).unwrap();
        let module = file.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
        if module == "main" || module == "lib" {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
            panic!("`src/{}` belongs to `{module}`, which has no place in the order of modules", file.display());
        };
        for name in used(file, &text) {
            if name != module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("`src/{}` uses `{name}`; `{module}` may use {allowed:?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that run the wrong way:\n{}", wrong.join("\n"));
}

#[test]
fn a_wrong_arrow_is_found() {
    let file = Path::new("units/bytes.rs");
    for text in [
        "use crate::trace::Sample;",
        "use crate::{artifact::Lock, trace::{self, Sample}};",
        "use crate::{\n    artifact,\n    trace,\n};",
        "fn f() { crate::trace::formats(); }",
        "use super::super::trace::Sample;",
        "mod tests {\n    use super::super::super::trace::Sample;\n}",
    ] {
        assert!(used(file, text).contains("trace"), "{text}: {:?}", used(file, text));
    }
    for text in ["//! See [`crate::trace`].", "use mycrate::trace;", "use super::trace;", "use crate::units::Bytes;"] {
        assert!(!used(file, text).contains("trace"), "{text}");
    }
}

#[test]
fn the_order_of_modules_has_no_circle() {
    for (module, allowed) in ARROWS {
        let place = |name: &str| ARROWS.iter().position(|(known, _)| *known == name).unwrap();
        for name in *allowed {
            assert!(place(name) < place(module), "`{module}` stands before `{name}`, which it uses");
        }
    }
}

#[test]
fn only_the_terminal_module_writes_to_the_terminal() {
    let src = root().join("src");
    for (path, text) in sources(&src) {
        let file = path.strip_prefix(&src).unwrap();
        if file.starts_with("ui") {
            continue;
        }
        for stream in ["io::stdout", "io::stderr", "io::{stdout", "io::{stderr"] {
            assert!(!code_of(&text).contains(stream), "`src/{}` uses `{stream}`: that is for `ui`", file.display());
        }
    }
}

#[test]
fn files_hold_one_idea() {
    for (path, text) in sources(&root().join("src")).into_iter().chain(sources(&root().join("tests"))) {
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "`{}` has {lines} lines, {MOST_LINES} at most: part it", path.display());
    }
    assert!(sources(&root().join("src"))[&root().join("src/main.rs")].lines().count() <= 60);
}

#[test]
fn no_test_file_is_forgotten() {
    let tests = root().join("tests");
    for (path, _) in sources(&tests) {
        let file = path.strip_prefix(&tests).unwrap();
        let folder = path.parent().unwrap();
        let is_root = file == Path::new("main.rs");
        // Packages of their own (bench, fuzz) are not part of the one test binary.
        let first = file.components().next().unwrap().as_os_str();
        if is_root || first == "bench" || first == "fuzz" {
            continue;
        }
        let (list, name) = if path.file_name().unwrap() == "mod.rs" {
            let parent = folder.parent().unwrap();
            let list = if parent == tests { parent.join("main.rs") } else { parent.join("mod.rs") };
            (list, folder.file_name().unwrap().to_string_lossy().into_owned())
        } else {
            (folder.join("mod.rs"), path.file_stem().unwrap().to_string_lossy().into_owned())
        };
        let text = std::fs::read_to_string(&list).unwrap_or_else(|error| panic!("`{}`: {error}", list.display()));
        let is_listed = text.lines().any(|line| line.trim_start_matches("pub(crate) ") == format!("mod {name};"));
        assert!(is_listed, "`{}` does not list `{name}`: its tests never run", list.display());
    }
}
