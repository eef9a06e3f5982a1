//! A world of its own for each test that runs the binary: a temporary folder, a clean environment, and everything that
//! a user saw as one text.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A temporary folder in which the binary runs.
pub(crate) struct World {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What one run of the binary said.
pub(crate) struct Answer {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
    folder: PathBuf,
}

impl World {
    /// Returns a new, empty world.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// Returns the world with an environment variable set.
    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Returns the names of the files and folders right inside the folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Returns the binary, ready to run in this world: no variable of the tester's reaches it.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shadow"));
        command.args(arguments).current_dir(self.root()).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.env("HOME", self.root()).env("LC_ALL", "C.UTF-8");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary with nothing on standard input.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Answer {
        self.run_with(arguments, b"")
    }

    /// Runs the binary with `input` on standard input.
    pub(crate) fn run_with<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>, input: &[u8]) -> Answer {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read its input closes the pipe: no concern of the test.
        drop(child.stdin.take().unwrap().write_all(input));
        let output = child.wait_with_output().unwrap();
        Answer {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
            folder: self.root().to_owned(),
        }
    }
}

impl Answer {
    /// Fails with everything that was said unless the exit code is `code`; returns itself.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.shown());
        self
    }

    /// Returns standard output, a dashed line, standard error and the exit code, with the world's folder as `[WORLD]`,
    /// times as `[TIME]` and speeds as `[SPEED]`.
    pub(crate) fn shown(&self) -> String {
        let code = self.code.map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
        let stdout = lines(&self.stdout);
        let stderr = lines(&self.stderr);
        let text = format!("{stdout}------- stderr -------\n{stderr}[exit code: {code}]\n");
        times_replaced(&text.replace(&*self.folder.to_string_lossy(), "[WORLD]"))
    }
}

/// Returns the text without blanks at the ends of lines and with its last line ended.
fn lines(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// Replaces `0.12 s`, `2 min 05 s`, `1.2 MiB/s` and the like, which differ from run to run.
fn times_replaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let words: Vec<&str> = line.split(' ').collect();
        let mut position = 0;
        while position < words.len() {
            let word = words[position];
            let follows = |offset: usize| words.get(position + offset).map_or("", |word| word.trim_end());
            let is_number = |word: &str| {
                word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(|c: char| c.is_ascii_digit())
            };
            let unit = follows(1).trim_end_matches([',', ')', ';', ':']);
            let (mark, taken) = if !is_number(word) {
                ("", 0)
            } else if unit == "s" && word.contains('.') {
                ("[TIME]", 1)
            } else if unit == "min" && is_number(follows(2)) {
                ("[TIME]", 3)
            } else if unit.ends_with("/s") {
                ("[SPEED]", 1)
            } else if unit.len() == 1 && follows(2).ends_with("/s") {
                ("[SPEED]", 2)
            } else {
                ("", 0)
            };
            if taken == 0 {
                out.push_str(word);
            } else {
                out.push_str(mark);
                let last = words[position + taken];
                let tail = last.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '/');
                out.push_str(tail);
            }
            position += taken + 1;
            if position < words.len() {
                out.push(' ');
            }
        }
    }
    out
}

#[test]
fn times_and_speeds_are_replaced_but_sizes_are_not() {
    assert_eq!(
        times_replaced("read 12 rows in 0.12 s, 1.2 MiB/s (3.0 k rows/s)\nafter 2 min 05 s: 60 s window, 384 MiB\n"),
        "read 12 rows in [TIME], [SPEED] (3.0 k rows/s)\nafter [TIME]: 60 s window, 384 MiB\n"
    );
}
