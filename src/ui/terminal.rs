//! What is known of the terminal.

/// Width of tables where there is no terminal: fixed, so that pipes and snapshots are stable.
const FIXED_WIDTH: u16 = 120;
/// A narrower terminal is treated as if it were this wide.
const LEAST_WIDTH: u16 = 60;

/// Returns whether colours may be used on a terminal: `NO_COLOR` is not set (<https://no-color.org>: set to anything
/// but the empty text) and the terminal is not a dumb one.
pub(super) fn wants_color() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Returns the width of a terminal, or the fixed one.
#[cfg(unix)]
pub(super) fn width<T: std::os::fd::AsFd>(stream: Option<T>) -> u16 {
    stream
        .and_then(terminal_size::terminal_size_of)
        .map_or(FIXED_WIDTH, |(terminal_size::Width(width), _)| width.max(LEAST_WIDTH))
}

/// Returns the width of a terminal, or the fixed one.
#[cfg(windows)]
pub(super) fn width<T: std::os::windows::io::AsHandle>(stream: Option<T>) -> u16 {
    stream
        .and_then(terminal_size::terminal_size_of)
        .map_or(FIXED_WIDTH, |(terminal_size::Width(width), _)| width.max(LEAST_WIDTH))
}
