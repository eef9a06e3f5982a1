//! Edits of a user's YAML at the places that change, so that comments, order, quotes and layout of the rest stay.
//!
//! Input: the text, its documents as they were read, and the documents that shall come out. Output: the text with the
//! differences written into it, or nothing where that cannot be done (an anchor that is used elsewhere, an entry on a
//! line with others). [`spans`] finds the places; [`changes`] decides what to write there. Callers read the result again
//! and compare: a text that does not mean exactly what it shall is never used.

mod changes;
mod spans;

use serde_yaml::Value;

/// Returns `text`, whose documents are `before`, as a text whose documents are to be `after`.
pub(super) fn edited(text: &str, before: &[Value], after: &[Value]) -> Option<String> {
    let roots = spans::roots(text)?;
    if roots.len() != before.len() || before.len() != after.len() {
        return None;
    }
    let mut changes = changes::Changes::of(text);
    for ((root, before), after) in roots.iter().zip(before).zip(after) {
        changes.reconcile(root, before, after, 0)?;
    }
    changes.applied()
}

#[cfg(test)]
mod tests {
    use super::edited;
    use serde_yaml::Value;

    fn documents(text: &str) -> Vec<Value> {
        serde_yaml::Deserializer::from_str(text)
            .map(|one| serde::Deserialize::deserialize(one).unwrap())
            .filter(|one| *one != Value::Null)
            .collect()
    }

    /// Edits `text` so that it means what `wanted` does.
    fn edit(text: &str, wanted: &str) -> Option<String> {
        edited(text, &documents(text), &documents(wanted))
    }

    #[test]
    fn only_the_places_that_change_are_written() {
        for (text, wanted, expected) in [
            ("a: 1 # why\nb: 2\n", "{a: x, b: 2}", "a: x # why\nb: 2\n"),
            ("# head\na: 'q'\n", "{a: q, b: {c: [1]}}", "# head\na: 'q'\nb:\n  c:\n  - 1\n"),
            ("a:\n    b: 1 # one\n# end\n", "{a: {b: 1, c: 2m}}", "a:\n    b: 1 # one\n    c: 2m\n# end\n"),
            (
                "- n: x\n  r:\n    l:\n      c: 1\n      m: 2\n",
                "[{n: x, r: {l: {m: 3}}}]",
                "- n: x\n  r:\n    l:\n      m: 3\n",
            ),
            ("- n: x\n  l: # gone\n    c: 1\n  m: 2\n", "[{n: x, m: 2}]", "- n: x\n  m: 2\n"),
            ("a: {b: 1, c: x} # f\n", "{a: {b: 2, d: {e: 'a, b'}}}", "a: {b: 2, d: {e: \"a, b\"}} # f\n"),
            ("a:\n b: \"1\\\"\" # q\nc: 'it''s' # r\n", "{a: {b: 2}, c: 3}", "a:\n b: 2 # q\nc: 3 # r\n"),
            ("a: {b: 1} # f\n", "{a: {c: 1}}", "a: {c: 1} # f\n"),
            ("a: {}\nb:\nc: ~\n", "{a: {x: 1}, b: {x: 1}, c: {x: 1}}", "a:\n  x: 1\nb:\n  x: 1\nc:\n  x: 1\n"),
            ("l:\n- a # 1\n- b\n", "{l: [a, b, {c: 1, d: 2}]}", "l:\n- a # 1\n- b\n- c: 1\n  d: 2\n"),
            (
                "{\n  \"a\": {\"b\": 1},\n  \"c\": 2\n}\n",
                "{a: {b: 1, d: x}, c: 2}",
                "{\n  \"a\": {\"b\": 1, \"d\": \"x\"},\n  \"c\": 2\n}\n",
            ),
            ("a: &x {b: 1}\nc: *x\n", "{a: {b: 1}, c: {b: 2}}", "a: &x {b: 1}\nc:\n  b: 2\n"),
            ("a: |\n  l1\n\n  l2\n\n# end\n", "{a: \"l1\\n\\nl2\\n\", b: 1}", "a: |\n  l1\n\n  l2\nb: 1\n\n# end\n"),
            ("a: é # ü\nb: 1", "{a: é, b: 2, c: 3}", "a: é # ü\nb: 2\nc: 3\n"),
            ("a: 1\r\nb: 2\r\n", "{a: 1, b: {c: 1}, d: 4}", "a: 1\r\nb:\r\n  c: 1\r\nd: 4\r\n"),
            (
                "---\na: 1\n---\n# nothing\n---\nb: 1\n...\n",
                "a: 1\n---\nb: 2\n",
                "---\na: 1\n---\n# nothing\n---\nb: 2\n...\n",
            ),
        ] {
            assert_eq!(edit(text, wanted).as_deref(), Some(expected), "{text}");
            let read = documents(expected);
            assert_eq!(read, documents(wanted), "{expected}");
        }
    }

    #[test]
    fn what_cannot_be_edited_is_left_to_others() {
        // An entry behind a dash, an entry that comes from elsewhere, other documents.
        assert_eq!(edit("- a: 1\n  b: 2\n", "[{b: 2}]"), None);
        assert_eq!(edit("a: 1\n", "a: 1\n---\nb: 1\n"), None);
        assert_eq!(edit("a:\n  b: 1\n", "{a: []}"), None);
    }
}
