//! The only writer to the terminal: data on standard output, everything else on standard error.
//!
//! [`Ui::data`] and [`Ui::data_table`] write the answer; [`Ui::say`], [`Ui::warn`], [`Ui::hint`] and
//! [`Ui::say_table`] tell the user what happened; [`Ui::transfer`] and [`Ui::steps`] show progress. Text that may come
//! from a trace cannot control the terminal: control characters are shown as escapes ([`text`]). What cannot be
//! written to standard error is dropped, since there is nobody left to tell.

pub mod human;
mod log;
mod panic;
mod progress;
mod sparkline;
mod table;
mod terminal;
pub mod text;

use std::io::{BufWriter, IsTerminal, Write};

use crate::error::{CommandError, Kind};

pub use log::start_log;
pub use panic::install_panic_report;
pub use progress::{Steps, Transfer};
pub use sparkline::sparkline;
pub use table::{Align, Table};

use progress::Bars;

/// When something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Where it is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors and warnings.
    Quiet,
    /// And what was done, with progress.
    Normal,
    /// And what is being done, instead of progress.
    Verbose,
    /// In detail.
    Debug,
}

/// What the user asked of the terminal.
#[derive(Debug, Clone, Copy)]
pub struct UiOptions {
    /// How much is said.
    pub verbosity: Verbosity,
    /// Colours.
    pub color: When,
    /// Progress.
    pub progress: When,
}

/// The terminal.
#[derive(Debug)]
pub struct Ui {
    verbosity: Verbosity,
    bars: Bars,
    data: Stream,
    notes: Stream,
}

/// What is known of an output stream.
#[derive(Debug, Clone, Copy)]
struct Stream {
    is_terminal: bool,
    has_color: bool,
}

impl Ui {
    /// Returns the terminal of this process.
    pub fn new(options: UiOptions) -> Self {
        let data_is_terminal = std::io::stdout().is_terminal();
        let notes_are_terminal = std::io::stderr().is_terminal();
        let has_color = |is_terminal: bool| match options.color {
            When::Always => true,
            When::Never => false,
            When::Auto => is_terminal && terminal::wants_color(),
        };
        let shows_progress = match options.progress {
            When::Always => true,
            When::Never => false,
            When::Auto => notes_are_terminal && options.verbosity == Verbosity::Normal,
        };
        Self {
            verbosity: options.verbosity,
            bars: Bars::new(shows_progress, notes_are_terminal),
            data: Stream { is_terminal: data_is_terminal, has_color: has_color(data_is_terminal) },
            notes: Stream { is_terminal: notes_are_terminal, has_color: has_color(notes_are_terminal) },
        }
    }

    /// Returns whether standard output is a terminal: whether a person reads the answer.
    pub const fn data_is_terminal(&self) -> bool {
        self.data.is_terminal
    }

    /// Returns the columns of standard output.
    pub fn data_width(&self) -> u16 {
        terminal::width(self.data.is_terminal.then(std::io::stdout))
    }

    /// Writes the answer to standard output through `write`, buffered. On a terminal its control characters are shown
    /// as escapes; elsewhere the bytes are exactly those that were written.
    ///
    /// # Errors
    /// Standard output cannot be written ([`Kind::BrokenPipe`] when its reader went away).
    pub fn data(&self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), CommandError> {
        self.bars
            .suspend(|| {
                if self.data.is_terminal {
                    let mut buffer = Vec::new();
                    write(&mut buffer)?;
                    let shown = text::safe_lines(&String::from_utf8_lossy(&buffer)).into_owned();
                    return write_all(shown.as_bytes());
                }
                let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
                write(&mut out)?;
                out.flush()
            })
            .map_err(CommandError::output)
    }

    /// Writes a text to standard output, as it is; see [`Ui::data`].
    ///
    /// # Errors
    /// As [`Ui::data`].
    pub fn data_text(&self, answer: &str) -> Result<(), CommandError> {
        self.data(|out| out.write_all(answer.as_bytes()))
    }

    /// Writes a table to standard output: an answer for people.
    ///
    /// # Errors
    /// As [`Ui::data`].
    pub fn data_table(&self, table: &Table) -> Result<(), CommandError> {
        let rendered = table.render(self.data_width(), self.data.has_color);
        self.bars.suspend(|| write_all(rendered.as_bytes())).map_err(CommandError::output)
    }

    /// Says one or more lines on standard error, unless quiet.
    pub fn say(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.note(&text::safe_lines(message));
        }
    }

    /// Shows a table on standard error, unless quiet.
    pub fn say_table(&self, table: &Table) {
        if self.verbosity > Verbosity::Quiet {
            let width = terminal::width(self.notes.is_terminal.then(std::io::stderr));
            self.note(table.render(width, self.notes.has_color).trim_end_matches('\n'));
        }
    }

    /// Says what the user should know and can act on, also when quiet.
    pub fn warn(&self, message: &str) {
        self.labelled("warning", text::YELLOW, message);
    }

    /// Says what the user can do next, unless quiet.
    pub fn hint(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.labelled("hint", text::CYAN, message);
        }
    }

    /// Reports why the command failed, with causes and hints; nothing when the reader of the answer went away.
    pub fn error(&self, error: &CommandError) {
        if error.kind() == Kind::BrokenPipe {
            return;
        }
        let label = if error.kind() == Kind::Internal { "internal error" } else { "error" };
        self.labelled(label, text::RED, &error.to_string());
        for cause in error.causes() {
            self.note(&format!("  caused by: {}", text::safe_lines(&cause)));
        }
        for hint in error.hints() {
            self.labelled("hint", text::CYAN, hint);
        }
    }

    /// Shows how far reading of `total` bytes is (0: not known), with rows, speed and the time that is left.
    pub fn transfer(&self, what: &str, total: u64) -> Transfer {
        self.bars.transfer(what, total)
    }

    /// Shows how far a stage of `total` steps is, with the time that is left.
    pub fn steps(&self, what: &str, total: u64) -> Steps {
        self.bars.steps(what, total)
    }

    /// Shows that something of unknown length is being done.
    pub fn busy(&self, what: &str) -> Steps {
        self.bars.busy(what)
    }

    fn labelled(&self, label: &str, color: text::Color, message: &str) {
        let label = if self.notes.has_color { color.bold(&format!("{label}:")) } else { format!("{label}:") };
        self.note(&format!("{label} {}", text::safe_lines(message)));
    }

    fn note(&self, lines: &str) {
        self.bars.suspend(|| {
            let mut err = std::io::stderr().lock();
            // Nobody is left to tell when standard error is closed.
            drop(writeln!(err, "{lines}"));
        });
    }
}

fn write_all(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
