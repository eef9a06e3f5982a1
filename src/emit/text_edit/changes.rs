//! What is written where, so that a text means something else.

use std::ops::Range;

use serde_yaml::{Mapping, Value};

use super::super::yaml_text::{flow, scalar, write_document};
use super::spans::{Node, Shape};

/// The changes of one text: places and what comes there, those at one place in their order.
pub(super) struct Changes<'a> {
    text: &'a str,
    line_break: &'static str,
    list: Vec<(Range<usize>, String)>,
}

impl<'a> Changes<'a> {
    /// Returns none for `text`.
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, line_break: if text.contains("\r\n") { "\r\n" } else { "\n" }, list: Vec::new() }
    }

    /// Returns the text with its changes, or nothing where two of them touch the same place.
    pub(super) fn applied(mut self) -> Option<String> {
        self.list.sort_by_key(|(range, _)| range.start);
        let (mut out, mut done) = (String::with_capacity(self.text.len() + 1024), 0);
        for (range, new) in &self.list {
            out.push_str(self.text.get(done..range.start)?);
            out.push_str(new);
            done = range.end;
        }
        out.push_str(self.text.get(done..)?);
        Some(out)
    }

    /// Makes `node`, which means `before`, mean `after`; `column` is where the key before it stands. Nothing where that
    /// cannot be written.
    pub(super) fn reconcile(&mut self, node: &Node, before: &Value, after: &Value, column: usize) -> Option<()> {
        if before == after {
            return Some(());
        }
        match (&node.shape, before, after) {
            (Shape::Mapping { entries, .. }, Value::Mapping(before), Value::Mapping(after)) if !entries.is_empty() => {
                self.entries(node, before, after)
            }
            (Shape::Sequence { items, .. }, Value::Sequence(before), Value::Sequence(after))
                if items.len() == before.len() && before.len() <= after.len() && !before.is_empty() =>
            {
                for ((item, before), after) in items.iter().zip(before).zip(after) {
                    self.reconcile(item, before, after, self.column(item.range.start)?)?;
                }
                after.iter().skip(before.len()).try_for_each(|new| self.append(node, items, new))
            }
            _ => self.replace(node, after, column),
        }
    }

    /// Makes a mapping hold other entries.
    fn entries(&mut self, node: &Node, before: &Mapping, after: &Mapping) -> Option<()> {
        if node.is_flow() && !before.keys().any(|key| after.contains_key(key)) {
            self.list.push((node.range.clone(), flow(&Value::Mapping(after.clone()), self.is_json(node))));
            return Some(());
        }
        for (key, value) in after {
            let Some(old) = before.get(key).filter(|old| *old != value) else { continue };
            // An entry that stands elsewhere, behind `<<`, is written here anew.
            if let Some((name, place)) = node.entry(key.as_str()?) {
                self.reconcile(place, old, value, self.column(name.range.start)?)?;
            } else {
                self.insert(node, key, value)?;
            }
        }
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            let (name, place) = node.entry(key.as_str()?)?;
            self.remove(node, name.range.start..place.range.end)?;
        }
        for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
            self.insert(node, key, value)?;
        }
        Some(())
    }

    /// Writes a new entry after the last one of a mapping.
    fn insert(&mut self, node: &Node, key: &Value, value: &Value) -> Option<()> {
        let Shape::Mapping { is_flow, entries } = &node.shape else { return None };
        if *is_flow {
            let is_json = self.is_json(node);
            let entry = format!(", {}: {}", flow(key, is_json), flow(value, is_json));
            self.list.push((entries.last()?.1.range.end..entries.last()?.1.range.end, entry));
            return Some(());
        }
        let column = self.column(entries.first()?.0.range.start)?;
        let mut entry = Mapping::new();
        entry.insert(key.clone(), value.clone());
        self.insert_lines(node.range.end, &Value::Mapping(entry), &" ".repeat(column), "")
    }

    /// Writes a new item after the last one of a sequence.
    fn append(&mut self, node: &Node, items: &[Node], new: &Value) -> Option<()> {
        let (first, last) = (items.first()?, items.last()?);
        if node.is_flow() {
            let item = format!(", {}", flow(new, self.is_json(node)));
            self.list.push((last.range.end..last.range.end, item));
            return Some(());
        }
        let dash = self.text.get(..first.range.start)?.trim_end_matches(' ').strip_suffix('-')?.len();
        let blanks = " ".repeat(self.column(dash)?);
        self.insert_lines(node.range.end, new, &blanks, "- ")
    }

    /// Writes `value` as lines after the line in which `place` lies, `blanks` before each, `mark` in the first.
    fn insert_lines(&mut self, place: usize, value: &Value, blanks: &str, mark: &str) -> Option<()> {
        let behind = self.text.get(place..)?;
        let (at, mut new) = match behind.find('\n') {
            Some(line_end) => (place + line_end + 1, String::new()),
            None => (self.text.len(), self.line_break.to_owned()),
        };
        let under = format!("{blanks}{}", " ".repeat(mark.len()));
        new += &self.lines(value, &format!("{blanks}{mark}"), &under);
        self.list.push((at..at, new));
        Some(())
    }

    /// Returns `value` in block style with `first` before its first line and `rest` before the others.
    fn lines(&self, value: &Value, first: &str, rest: &str) -> String {
        let mut out = String::new();
        for (number, line) in write_document(value).lines().enumerate() {
            if !line.is_empty() {
                out.push_str(if number == 0 { first } else { rest });
                out.push_str(line);
            }
            out.push_str(self.line_break);
        }
        out
    }

    /// Takes an entry out: its own lines, or its part of a line of braces.
    fn remove(&mut self, node: &Node, entry: Range<usize>) -> Option<()> {
        let (before, behind) = (self.text.get(..entry.start)?, self.text.get(entry.end..)?);
        if node.is_flow() {
            let rest = behind.trim_start();
            let range = match rest.strip_prefix(',') {
                Some(rest) => entry.start..self.text.len() - rest.trim_start_matches(' ').len(),
                None => before.trim_end().strip_suffix(',')?.len()..entry.end,
            };
            self.list.push((range, String::new()));
            return Some(());
        }
        let start = before.trim_end_matches(' ').len();
        if start > 0 && !before[..start].ends_with('\n') {
            return None;
        }
        let end = behind.find('\n').map_or(self.text.len(), |line_end| entry.end + line_end + 1);
        self.list.push((start..end, String::new()));
        Some(())
    }

    /// Writes another value in the place of `node`.
    fn replace(&mut self, node: &Node, after: &Value, column: usize) -> Option<()> {
        let is_block =
            matches!(node.shape, Shape::Sequence { is_flow: false, .. } | Shape::Mapping { is_flow: false, .. });
        let is_several_lines = self.text.get(node.range.clone())?.contains('\n');
        let becomes_lines = matches!(after, Value::Mapping(inner) if !inner.is_empty())
            || matches!(after, Value::Sequence(inner) if !inner.is_empty());
        // What is in braces stays in braces: the line around it may be in braces too.
        let is_empty_in_block = self.is_after_key(node) && self.ends_its_line(node) && !is_several_lines;
        let new = if becomes_lines && is_empty_in_block {
            let blanks = " ".repeat(column + 2);
            let start = self.text.get(..node.range.start)?.trim_end_matches(' ').len();
            let lines = self.lines(after, &blanks, &blanks);
            let new = format!("{}{}", self.line_break, lines.trim_end_matches(self.line_break));
            // A comment of the key's line stays there.
            let comment = self.text.get(node.range.end..)?.lines().next().unwrap_or_default().trim_end();
            self.list.push((start..node.range.end + comment.len(), format!("{comment}{new}")));
            return Some(());
        } else if becomes_lines {
            flow(after, self.is_json(node))
        } else {
            scalar(after)
        };
        if is_block || is_several_lines && !node.is_flow() {
            return None;
        }
        let blank = if matches!(node.shape, Shape::Nothing) { " " } else { "" };
        self.list.push((node.range.clone(), format!("{blank}{new}")));
        Some(())
    }

    /// Returns whether the value stands behind `key:` on the key's own line.
    fn is_after_key(&self, node: &Node) -> bool {
        self.text[..node.range.start].trim_end_matches(' ').ends_with(':')
    }

    /// Returns whether nothing but a comment follows on its line.
    fn ends_its_line(&self, node: &Node) -> bool {
        let behind = self.text[node.range.end..].lines().next().unwrap_or_default();
        behind.trim().is_empty() || behind.starts_with(' ') && behind.trim_start().starts_with('#')
    }

    /// Returns whether texts near `node` are quoted as in JSON.
    fn is_json(&self, node: &Node) -> bool {
        if self.text.trim_start().starts_with('{') {
            return true;
        }
        let first = match &node.shape {
            Shape::Mapping { entries, .. } => entries.first().map(|(name, _)| name.range.start),
            Shape::Sequence { items, .. } => items.first().map(|item| item.range.start),
            _ => Some(node.range.start),
        };
        first.is_some_and(|at| self.text[at..].starts_with('"'))
    }

    /// Returns how far from the beginning of its line `at` is, in characters.
    fn column(&self, at: usize) -> Option<usize> {
        let before = self.text.get(..at)?;
        let line = before.rfind('\n').map_or(before, |line_end| &before[line_end + 1..]);
        Some(line.trim_start_matches('\u{feff}').chars().count())
    }
}
