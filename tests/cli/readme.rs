//! The session in the README is real: every command of its console block is run again, and prints what stands there but
//! for times and speeds.

use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;

/// Returns the text with every number before a unit of time or speed replaced.
fn without_times(text: &str) -> String {
    let mut kept = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let is_unit = |word: Option<&&str>| {
            word.is_some_and(|word| ["s", "ms", "MB/s"].contains(&word.trim_end_matches([',', ';', ')'])))
        };
        let shown: Vec<&str> = words
            .iter()
            .enumerate()
            .map(|(at, word)| {
                let is_number = word.chars().all(|c| c.is_ascii_digit() || c == '.') && !word.is_empty();
                if is_number && is_unit(words.get(at + 1)) { "#" } else { word }
            })
            .filter(|word| !word.is_empty())
            .collect();
        kept.push_str(&shown.join(" "));
        kept.push('\n');
    }
    kept
}

/// Runs a line in a shell, as a reader would, and returns both streams as they come.
fn run(folder: &Path, line: &str) -> String {
    let shadow = cargo_bin!("shadow");
    let beside = shadow.parent().expect("the binary lies in a folder");
    let path = format!("{}:{}", beside.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {line}")])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("SHADOW_STORE")
        .output()
        .expect("a shell");
    String::from_utf8_lossy(&output.stdout).lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

#[test]
fn the_session_of_the_readme_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs_err::read_to_string(root.join("README.md")).unwrap();
    let (before, rest) = readme.split_once("```console\n").expect("a console block");
    let (session, after) = rest.split_once("```\n").expect("its end");
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "shadow --quiet demo --keep demo");
    let mut found = String::new();
    for line in session.lines().filter_map(|line| line.strip_prefix("$ ")) {
        found.extend(["$ ", line, "\n", &run(folder.path(), line)]);
    }
    if std::env::var_os("SHADOW_UPDATE").is_some() {
        fs_err::write(root.join("README.md"), format!("{before}```console\n{found}```\n{after}")).unwrap();
        return;
    }
    similar_asserts(&without_times(session), &without_times(&found));
}

#[track_caller]
fn similar_asserts(expected: &str, found: &str) {
    for (expected, found) in expected.lines().zip(found.lines()) {
        assert_eq!(found, expected, "`SHADOW_UPDATE=1 cargo test --test tests readme` writes the README anew");
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "the README's session has other lines:\n{found}");
}

#[test]
fn the_demo_ends_with_what_to_try_next() {
    let folder = tempfile::tempdir().unwrap();
    let all = run(folder.path(), "shadow --color never demo --keep kept");
    for part in [
        "5. How good",
        "rests on",
        "kind: Deployment",
        "history-ladder",
        "What to try next",
        "shadow replay --split unseen",
    ] {
        assert!(all.contains(part), "`{part}` is missing:\n{all}");
    }
    assert!(folder.path().join("kept/store/index/window=60s/index.json").exists());
    // Nothing is overwritten.
    let again = run(folder.path(), "shadow --color never demo --keep kept");
    assert!(again.starts_with("error: `kept` is not an empty folder") && again.contains("--keep"), "{again}");
}
