//! Every command and flag that a message, a hint or an example names exists.

use std::path::{Path, PathBuf};

/// Returns the text of every Rust file below `folder` without the tests inside.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
            found.push((path, text));
        }
    }
    found.sort();
    found
}

/// Returns what stands between backticks in the code, not in comments unless they are the help.
fn quoted(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//!")).collect();
    let text = lines.join("\n");
    text.split('`').skip(1).step_by(2).filter(|words| !words.contains('\n')).map(str::to_owned).collect()
}

/// Splits a line of a shell into words; quotes are only removed.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ' ') => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Replaces what a format string fills in by a value that fits its place.
fn filled_in(command: &str) -> String {
    let mut out = command.replace("{window}", "60s").replace("{count}", "5");
    while let (Some(from), Some(to)) = (out.find('{'), out.find('}')) {
        if to < from {
            break;
        }
        out.replace_range(from..=to, "X");
    }
    out
}

fn parses(line: &str) -> Result<(), String> {
    let words = words(line);
    match shadow::cli::command().try_get_matches_from(&words) {
        Ok(_) => Ok(()),
        // Help and version end the parsing; a hint may name a command alone, without what it is applied to.
        Err(error) if !error.use_stderr() => Ok(()),
        Err(error) if error.kind() == clap::error::ErrorKind::MissingRequiredArgument && words.len() == 2 => Ok(()),
        Err(error) => Err(format!("`{line}`: {error}")),
    }
}

#[test]
fn commands_in_messages_exist() {
    let src = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for (path, text) in sources(&src) {
        for found in quoted(&text) {
            if !found.starts_with("shadow ") || found.contains("COMMAND") {
                continue;
            }
            checked += 1;
            if let Err(why) = parses(&filled_in(&found)) {
                wrong.push(format!("{}: {why}", path.display()));
            }
        }
    }
    assert!(checked > 3, "only {checked} commands were found: is the search broken?");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn flags_in_messages_exist() {
    let src = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut known: Vec<String> = vec!["--help".to_owned(), "--version".to_owned()];
    for (path, text) in sources(&src.join("cli")) {
        for (at, _) in text.match_indices("    pub ") {
            let name: String = text[at + 8..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if path.file_name().is_some_and(|name| name != "values.rs") {
                known.push(format!("--{}", name.replace('_', "-")));
            }
        }
    }
    let mut wrong = Vec::new();
    for (path, text) in sources(&src) {
        for found in quoted(&text) {
            let flag = found.split([' ', '=']).next().unwrap();
            if flag.starts_with("--") && flag.len() > 2 && !known.iter().any(|name| name == flag) {
                wrong.push(format!("{}: `{found}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "flags that no command has:\n{}", wrong.join("\n"));
}

#[test]
fn examples_in_the_help_parse() {
    let mut command = shadow::cli::command();
    command.build();
    let mut checked = 0;
    let mut wrong = Vec::new();
    for command in std::iter::once(&command).chain(command.get_subcommands()) {
        let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let joined = help.replace("\\\n", " ");
        for line in joined.lines() {
            let line = line.trim_start();
            // A pipeline: the part that is ours.
            for part in line.split(" | ").map(str::trim) {
                if !part.starts_with("shadow ") || part.contains("Out-String") {
                    continue;
                }
                let ours = part.split(" > ").next().unwrap().split(" >> ").next().unwrap();
                checked += 1;
                if let Err(why) = parses(ours) {
                    wrong.push(why);
                }
            }
        }
    }
    assert!(checked >= 6, "only {checked} examples were found: is the search broken?");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
