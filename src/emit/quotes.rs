//! Double quotes as JSON, YAML and HCL all read them.

use std::fmt::Write;

/// Returns `text` in double quotes: quotes, backslashes and line breaks escaped, and by its number whatever `is_escaped`, which
/// is inside the basic plane.
pub(super) fn quoted(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_escaped(c) => {
                let written = write!(out, "\\u{:04x}", u32::from(c));
                debug_assert!(written.is_ok(), "writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
