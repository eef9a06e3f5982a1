//! What the numbers rest on as comments, for forms that have no annotations.

use crate::predict::Prediction;

use super::{EmitOptions, merge};

/// Returns one comment line per note, each ending in a line break. Nothing in a name can end its line.
pub(super) fn comment(prediction: &Prediction, options: &EmitOptions, object: &str, container: &str) -> String {
    let notes = merge::notes(prediction, options, object, container);
    let mut out = String::new();
    for (key, value) in notes {
        out.extend(["# shadow ", &key, ": ", &on_one_line(&value), "\n"]);
    }
    out
}

/// Returns `text` with everything escaped that a reader could take for the end of a line, or a terminal act on.
pub(super) fn on_one_line(text: &str) -> String {
    let is_break =
        |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    let mut out = String::new();
    for c in text.chars() {
        if is_break(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::on_one_line;

    #[test]
    fn no_name_can_leave_its_comment() {
        assert_eq!(on_one_line("a\nb\r\u{85}\u{2028}c\u{1b}[31m # ünï"), "a\\nb\\r\\u{85}\\u{2028}c\\u{1b}[31m # ünï");
    }
}
