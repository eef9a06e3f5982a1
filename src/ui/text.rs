//! Text on a terminal: harmless, and coloured where asked.

use std::borrow::Cow;

/// A colour, always beside a word that says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(u8);

/// What went wrong.
pub const RED: Color = Color(31);
/// What to look at.
pub const YELLOW: Color = Color(33);
/// What to do.
pub const CYAN: Color = Color(36);

impl Color {
    /// Returns `text` in this colour, bold.
    pub fn bold(self, text: &str) -> String {
        format!("\u{1b}[1;{}m{text}\u{1b}[0m", self.0)
    }
}

/// Returns `text` in bold.
pub fn bold(text: &str) -> String {
    format!("\u{1b}[1m{text}\u{1b}[0m")
}

/// Returns whether a character moves the cursor, changes the terminal or turns the direction of what follows: controls
/// (C0, DEL, C1), line and paragraph separators, and the bidirectional overrides and isolates of Unicode.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns `text` with control characters shown as escapes; line ends and tabs stay.
pub fn safe_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_harmful(c) && c != '\n' && c != '\t')
}

/// Returns `text` on one line, with control characters shown as escapes.
pub fn safe_line(text: &str) -> Cow<'_, str> {
    escape(text, is_harmful)
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_clear_the_screen_or_forge_a_line() {
        let name = "a\u{1b}[2J\u{7}b\r\n\u{9b}0m\u{202e}c\u{7f}";
        assert_eq!(safe_line(name), "a\\u{1b}[2J\\u{7}b\\r\\n\\u{9b}0m\\u{202e}c\\u{7f}");
        assert_eq!(safe_lines("a\tb\nc\r"), "a\tb\nc\\r");
        assert!(matches!(safe_line("Größe ✓ 容器"), Cow::Borrowed("Größe ✓ 容器")));
    }
}
