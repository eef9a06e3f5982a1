//! Bare YAML 1.1 scalars in a user's manifest, written as YAML 1.2 reads them.
//!
//! kubectl reads YAML 1.1, where a bare `0644` is 420 and a bare `yes` is true; our reader knows 1.2, where both are
//! text. Written back as text they would be refused (`defaultMode: 0644` is common). So bare values are rewritten
//! before reading; quoted ones, comments and block scalars stay as they are.

/// Returns `text` with each bare value of YAML 1.1 after `key: ` or `- ` at the end of a line replaced by its meaning.
pub(super) fn modernise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut block_indent: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let indent = body.len() - body.trim_start_matches(' ').len();
        if let Some(parent) = block_indent {
            if body.trim().is_empty() || indent > parent {
                out.push_str(line);
                continue;
            }
            block_indent = None;
        }
        let content = without_comment(body);
        let trimmed = content.trim_end();
        let last = trimmed.rsplit(' ').next().unwrap_or_default();
        if opens_a_block(last) && trimmed.len() > last.len() {
            block_indent = Some(parent_indent(trimmed));
        }
        let before = &trimmed[..trimmed.len() - last.len()];
        let follows_key = before.trim_end().ends_with(':')
            || before.trim_end().ends_with('-') && before.trim().chars().all(|c| c == '-' || c == ' ');
        match meaning(last) {
            Some(meaning) if follows_key && !before.contains(['"', '\'']) => {
                out.push_str(before);
                out.push_str(&meaning);
                out.push_str(&line[trimmed.len()..]);
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// Returns the indentation that lines of a block scalar must exceed: that of its key, past any `- `.
fn parent_indent(line: &str) -> usize {
    let mut indent = line.len() - line.trim_start_matches(' ').len();
    let mut rest = line.trim_start_matches(' ');
    while let Some(inner) = rest.strip_prefix("- ").filter(|inner| inner.contains(": ")) {
        indent += 2 + inner.len() - inner.trim_start_matches(' ').len();
        rest = inner.trim_start_matches(' ');
    }
    indent
}

fn opens_a_block(token: &str) -> bool {
    token.starts_with(['|', '>']) && token[1..].chars().all(|c| c.is_ascii_digit() || c == '-' || c == '+')
}

fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut previous = ' ';
    for (position, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if previous == ' ' || previous == '\t' => return &line[..position],
            (None, '"' | '\'') if matches!(previous, ' ' | '[' | '{' | ',') => quote = Some(c),
            (Some(open), c) if c == open && previous != '\\' => quote = None,
            _ => {}
        }
        previous = c;
    }
    line
}

/// Returns what a YAML 1.1 reader takes the bare `token` for, where YAML 1.2 takes it for text.
fn meaning(token: &str) -> Option<String> {
    match token {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Some("true".to_owned()),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Some("false".to_owned()),
        _ => {}
    }
    let digits: String = token.chars().filter(|&c| c != '_').collect();
    let octal =
        digits.strip_prefix('0').filter(|rest| !rest.is_empty() && rest.bytes().all(|b| (b'0'..=b'7').contains(&b)));
    if let Some(octal) = octal {
        return u64::from_str_radix(octal, 8).ok().map(|value| value.to_string());
    }
    let has_separators = digits.len() < token.len() && token.starts_with(|c: char| c.is_ascii_digit());
    (has_separators && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::modernise;

    #[test]
    fn bare_values_of_yaml_1_1_get_their_meaning() {
        let old = "defaultMode: 0644 # rw\nreadOnly: yes\nlist:\n- off\n- \"on\"\n- 1_000\nname: 'no'\nport: 8080\nat: x0644\n";
        let new = "defaultMode: 420 # rw\nreadOnly: true\nlist:\n- false\n- \"on\"\n- 1000\nname: 'no'\nport: 8080\nat: x0644\n";
        assert_eq!(modernise(old), new);
    }

    #[test]
    fn block_scalars_comments_and_quotes_stay() {
        let text = "data:\n  a: |\n    mode: 0644\n    on: yes\n  b: \"x: yes\"\n# mode: 0644\nc: |-\n  k: no\n- d: >\n    k: off\nf: \"a # b\"\n";
        assert_eq!(modernise(text), text);
    }
}
