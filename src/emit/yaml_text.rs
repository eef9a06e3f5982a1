//! YAML that every reader understands alike: block style, text quoted wherever a YAML 1.1 reader (kubectl's among them)
//! would take it for something else.
//!
//! `serde_yaml` follows YAML 1.2 and leaves `on`, `012` and `12:30:45` bare, so the writer is ours.

use serde_yaml::Value;

use super::quotes;

/// Returns `value` as one document, ending in a line break.
pub(super) fn write_document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Mapping(mapping) if !mapping.is_empty() => write_mapping(&mut out, mapping, 0),
        Value::Sequence(items) if !items.is_empty() => write_sequence(&mut out, items, 0),
        scalar => {
            write_inline(&mut out, scalar, 0);
        }
    }
    out
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn write_mapping(out: &mut String, mapping: &serde_yaml::Mapping, depth: usize) {
    for (position, (key, value)) in mapping.iter().enumerate() {
        if position > 0 {
            indent(out, depth);
        }
        out.push_str(&scalar(key));
        out.push(':');
        write_after_key(out, value, depth);
    }
}

fn write_after_key(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Mapping(inner) if !inner.is_empty() => {
            out.push('\n');
            indent(out, depth + 1);
            write_mapping(out, inner, depth + 1);
        }
        Value::Sequence(items) if !items.is_empty() => {
            out.push('\n');
            indent(out, depth);
            write_sequence(out, items, depth);
        }
        inline => {
            out.push(' ');
            write_inline(out, inline, depth);
        }
    }
}

fn write_sequence(out: &mut String, items: &[Value], depth: usize) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            indent(out, depth);
        }
        out.push_str("- ");
        match item {
            Value::Mapping(inner) if !inner.is_empty() => write_mapping(out, inner, depth + 1),
            Value::Sequence(inner) if !inner.is_empty() => write_sequence(out, inner, depth + 1),
            inline => write_inline(out, inline, depth),
        }
    }
}

fn write_inline(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::String(text) if fits_a_block(text) => {
            // Kept as lines, so that scripts and configuration files in a manifest stay readable.
            let body = text.trim_end_matches('\n');
            let chomping = match text.len() - body.len() {
                0 => "|-",
                1 => "|",
                _ => "|+",
            };
            out.push_str(chomping);
            out.push('\n');
            for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
                if !line.is_empty() {
                    indent(out, depth + 1);
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
        other => {
            out.push_str(&scalar(other));
            out.push('\n');
        }
    }
}

/// Returns whether a literal block shows `text` unchanged: several printable lines, the first one neither blank nor
/// indented.
fn fits_a_block(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
        && text.split('\n').all(|line| line.is_empty() || !line.trim().is_empty())
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Returns `value` on one line, as it stands inside braces; with `is_json` it is JSON.
pub(super) fn flow(value: &Value, is_json: bool) -> String {
    match value {
        Value::Mapping(mapping) => {
            let entries: Vec<String> = mapping
                .iter()
                .map(|(key, value)| format!("{}: {}", flow(key, is_json), flow(value, is_json)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(item, is_json)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(text) if is_json || text.contains([',', ':']) => quoted(text),
        other => scalar(other),
    }
}

/// Returns one scalar, or an empty collection, on one line.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) => quoted(text),
        Value::Sequence(_) => "[]".to_owned(),
        Value::Mapping(_) => "{}".to_owned(),
        Value::Tagged(tagged) => scalar(&tagged.value),
    }
}

/// Returns whether a bare `text` is text to every reader: it begins with a letter, holds nothing with a meaning in
/// YAML, and is none of the words of YAML 1.1. Anything that could be a number, a date or a time begins otherwise or
/// is quoted.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    let letters_first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    letters_first
        && text.chars().all(|c| {
            c.is_ascii_alphanumeric()
                || matches!(c, '-' | '_' | '.' | '/' | ' ' | ':' | ',' | '(' | ')' | '%' | '=' | '@' | '+')
        })
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        || is_bare_quantity(text)
}

/// Returns whether `text` is a quantity with a suffix (`250m`, `512Mi`), which no reader takes for a number. `1E` and
/// exponents stay quoted.
fn is_bare_quantity(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    digits.len() < text.len()
        && !text.starts_with('0')
        && matches!(digits, "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei")
}

/// Returns `text` in double quotes, escaped as YAML and JSON both read it.
fn quoted(text: &str) -> String {
    quotes::quoted(text, |c| !is_printable(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: [&str; 44] = [
        "on",
        "off",
        "yes",
        "no",
        "y",
        "n",
        "Y",
        "NO",
        "null",
        "Null",
        "~",
        "",
        "1e3",
        "0x1f",
        "012",
        "1_0",
        "12:30:45",
        "2026-05-04",
        "0.87",
        "2",
        "true",
        "False",
        ".inf",
        ".nan",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "*a",
        "&a",
        "!a",
        "{a}",
        "[a]",
        "a\nb\n",
        "a\tb",
        "\u{1b}[31m",
        "\"",
        "'",
        "\\",
        "1E",
        "=",
        "<<",
        "ünï \u{2028} ${x}",
    ];

    #[test]
    fn every_text_comes_back_as_the_same_text() {
        for text in NASTY {
            let mut mapping = serde_yaml::Mapping::new();
            mapping.insert(Value::from(text), Value::from(text));
            mapping.insert(Value::from("list"), Value::Sequence(vec![Value::from(text), Value::from("a\n\nb")]));
            let value = Value::Mapping(mapping);
            let written = write_document(&value);
            assert_eq!(serde_yaml::from_str::<Value>(&written).unwrap(), value, "{written}");
        }
    }

    #[test]
    fn words_and_numbers_of_yaml_1_1_are_quoted_and_quantities_are_not() {
        for text in &NASTY[..28] {
            assert!(scalar(&Value::from(*text)).starts_with('"'), "{text}");
        }
        for text in ["250m", "512Mi", "apps/v1", "checkout", "12 of"] {
            assert_eq!(scalar(&Value::from(text)).starts_with('"'), text == "12 of", "{text}");
        }
    }

    #[test]
    fn nested_collections_are_written_in_block_style() {
        let value: Value =
            serde_yaml::from_str("{a: [{b: 1, c: [x, [y, z]]}, {}], d: {}, e: [], f: \"l1\\nl2\\n\"}").unwrap();
        let written = write_document(&value);
        assert_eq!(written, "a:\n- b: 1\n  c:\n  - x\n  - - \"y\"\n    - z\n- {}\nd: {}\ne: []\nf: |\n  l1\n  l2\n");
        assert_eq!(serde_yaml::from_str::<Value>(&written).unwrap(), value);
    }
}
