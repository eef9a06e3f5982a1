//! Pieces of HCL: strings that cannot leave their quotes, and arguments aligned as `terraform fmt` aligns them.

use std::fmt::Write;

use super::quotes;

/// Returns `text` as an HCL string that cannot leave its quotes, templates switched off.
pub(super) fn quoted(text: &str) -> String {
    quotes::quoted(text, char::is_control).replace("${", "$${").replace("%{", "%%{")
}

/// Returns one argument per line, `depth` levels deep, with the signs of equality below each other.
pub(super) fn aligned(arguments: &[(&str, &str)], depth: usize) -> String {
    let widest = arguments.iter().map(|(key, _)| key.chars().count()).max().unwrap_or_default();
    let indent = "  ".repeat(depth);
    let mut out = String::new();
    for (key, value) in arguments {
        let written = writeln!(out, "{indent}{key:widest$} = {value}");
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{aligned, quoted};

    #[test]
    fn strings_cannot_leave_their_quotes() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
        assert_eq!(quoted("${x} %{if} $ % $${y}"), r#""$${x} %%{if} $ % $$${y}""#);
    }

    #[test]
    fn arguments_are_aligned() {
        assert_eq!(aligned(&[("a", "1"), ("long", "2")], 1), "  a    = 1\n  long = 2\n");
    }
}
