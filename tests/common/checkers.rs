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
