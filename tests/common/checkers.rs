//! The real tools that what is emitted is put before, where they are there.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the folder of the checkers: beside the checkout, or where `SHADOW_TEST_TOOLS` says.
fn folder() -> PathBuf {
    std::env::var_os("SHADOW_TEST_TOOLS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/tools"), PathBuf::from)
}

/// Returns the path of one checker, or prints why a test is skipped.
pub(crate) fn checker(name: &str, test: &str) -> Option<PathBuf> {
    let path = folder().join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped {test}: no `{}` (set SHADOW_TEST_TOOLS)", path.display());
    None
}

/// Returns whether a tool is installed, or prints why a test is skipped.
pub(crate) fn is_installed(tool: &str, test: &str) -> bool {
    let found =
        Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().is_ok_and(|out| out.status.success());
    if !found {
        eprintln!("skipped {test}: no {tool}");
    }
    found
}

/// Returns a Python that has what the stand-in for an API server needs: the system's, else the one that `tests/run` or the
/// checker installed; or prints why a test is skipped.
pub(crate) fn python(test: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let installed = cache.and_then(|cache| std::fs::read_dir(cache.join("shadow-check")).ok());
    let mut candidates = vec![PathBuf::from("python3")];
    candidates.extend(installed.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin/python"))));
    let fits = |python: &PathBuf| {
        let output = Command::new(python).args(["-c", "import yaml, kubernetes_validate"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let found = candidates.into_iter().find(fits);
    if found.is_none() {
        eprintln!("skipped {test}: no python3 with PyYAML and kubernetes-validate");
    }
    found
}

/// Runs Terraform inside `folder`, without its own network checks; returns what it printed, or fails. `settings` is a
/// file that this writes.
pub(crate) fn terraform(folder: &Path, settings: &Path, arguments: &[&str]) -> String {
    fs_err::write(settings, "disable_checkpoint = true\n").unwrap();
    let output = Command::new("terraform")
        .args(arguments)
        .current_dir(folder)
        .env("TF_CLI_CONFIG_FILE", settings)
        .env("TF_IN_AUTOMATION", "1")
        .env_remove("TF_DATA_DIR")
        .output()
        .unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "terraform {arguments:?} in `{}`: {stderr}{stdout}", folder.display());
    stdout
}
