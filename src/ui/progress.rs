//! Progress on standard error: one group of bars, hidden unless a person looks at it or asked for it.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::{human, text};
use crate::trace::source::Progress;

/// The group of all bars.
#[derive(Debug)]
pub(super) struct Bars {
    group: MultiProgress,
    ticks: bool,
}

impl Bars {
    /// Returns the group, hidden unless `is_shown`; without a terminal a line is written once a second.
    pub(super) fn new(is_shown: bool, is_terminal: bool) -> Self {
        let target = match (is_shown, is_terminal) {
            (false, _) => ProgressDrawTarget::hidden(),
            (true, true) => ProgressDrawTarget::stderr(),
            (true, false) => ProgressDrawTarget::term_like_with_hz(Box::new(Lines::default()), 1),
        };
        Self { group: MultiProgress::with_draw_target(target), ticks: is_shown && is_terminal }
    }

    /// Runs `write` while the bars are out of the way.
    pub(super) fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        self.group.suspend(write)
    }

    pub(super) fn transfer(&self, what: &str, total: u64) -> Transfer {
        let known = "{prefix} {bar:24} {percent:>3} %  {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}{msg}  {eta} left";
        let unknown = "{prefix} {spinner} {binary_bytes}  {binary_bytes_per_sec}{msg}";
        let bar = self.bar(what, total, if total > 0 { known } else { unknown });
        Transfer { bar, rows: AtomicU64::new(0) }
    }

    pub(super) fn steps(&self, what: &str, total: u64) -> Steps {
        let known = "{prefix} {bar:24} {percent:>3} %  {human_pos} of {human_len}  {eta} left";
        let unknown = "{prefix} {spinner} {human_pos}";
        Steps { bar: self.bar(what, total, if total > 0 { known } else { unknown }) }
    }

    pub(super) fn busy(&self, what: &str) -> Steps {
        Steps { bar: self.bar(what, 0, "{prefix} {spinner} {elapsed}") }
    }

    fn bar(&self, what: &str, total: u64, template: &str) -> ProgressBar {
        let bar = if total > 0 { ProgressBar::new(total) } else { ProgressBar::no_length() };
        // A template is ours and a test renders each; should one be wrong, the plain bar serves.
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_wrong| ProgressStyle::default_bar());
        let bar = self.group.add(bar.with_style(style.progress_chars("=> ")));
        bar.set_prefix(text::safe_line(what).into_owned());
        if self.ticks {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        bar
    }
}

/// How far reading is: bytes of files, rows, speed, time left. Goes away when dropped.
#[derive(Debug)]
pub struct Transfer {
    bar: ProgressBar,
    rows: AtomicU64,
}

impl Progress for Transfer {
    fn bytes(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn rows(&self, rows: u64) {
        let total = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        self.bar.set_message(format!("  {} rows", human::amount(total as f64)));
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// How far a stage is, in steps. Goes away when dropped.
#[derive(Debug)]
pub struct Steps {
    bar: ProgressBar,
}

impl Steps {
    /// Tells that `steps` more are done.
    pub fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }
}

impl Progress for Steps {
    /// A step is a row.
    fn bytes(&self, _bytes: u64) {}

    fn rows(&self, rows: u64) {
        self.advance(rows);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A target that is no terminal, as the log of a build: one line per state, never the same twice.
#[derive(Debug, Default)]
struct Lines {
    last: Mutex<String>,
}

impl Lines {
    fn put(&self, line: &str) -> std::io::Result<()> {
        let line = line.trim_end();
        let Ok(mut last) = self.last.lock() else { return Ok(()) };
        if line.is_empty() || *last == line {
            return Ok(());
        }
        line.clone_into(&mut last);
        writeln!(std::io::stderr().lock(), "{line}")
    }
}

impl TermLike for Lines {
    fn width(&self) -> u16 {
        100
    }

    fn move_cursor_up(&self, _lines: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _lines: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _columns: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _columns: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> std::io::Result<()> {
        self.put(line)
    }

    fn write_str(&self, line: &str) -> std::io::Result<()> {
        self.put(line)
    }

    fn clear_line(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> std::io::Result<()> {
        Ok(())
    }
}
