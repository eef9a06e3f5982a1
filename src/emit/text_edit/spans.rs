//! Where in a text of YAML each value stands.

use std::ops::Range;

use saphyr_parser::{Event, Parser, Span};

/// Deeper values are not looked for; the reader of manifests refuses them before.
const DEEPEST: usize = 128;

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    /// From its first to after its last character: of a collection in block style, after that of its last entry.
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
}

/// What stands there.
#[derive(Debug)]
pub(super) enum Shape {
    /// Nothing was written: the value after `key:` or `-`.
    Nothing,
    /// The text of a scalar.
    Scalar(String),
    /// The name of an anchor.
    Alias,
    Sequence {
        is_flow: bool,
        items: Vec<Node>,
    },
    Mapping {
        is_flow: bool,
        entries: Vec<(Node, Node)>,
    },
}

impl Node {
    /// Returns whether it stands in brackets or braces.
    pub(super) const fn is_flow(&self) -> bool {
        matches!(self.shape, Shape::Sequence { is_flow: true, .. } | Shape::Mapping { is_flow: true, .. })
    }

    /// Returns the entry of a mapping under a key of that text.
    pub(super) fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        let Shape::Mapping { entries, .. } = &self.shape else { return None };
        entries.iter().find(|(name, _)| matches!(&name.shape, Shape::Scalar(text) if text == key))
    }
}

/// A collection that was begun.
struct Begun {
    start: usize,
    is_flow: bool,
    is_mapping: bool,
    nodes: Vec<Node>,
}

/// Returns the root of each document of `text` that is not empty, or nothing where the text is not understood.
pub(super) fn roots(text: &str) -> Option<Vec<Node>> {
    // The parser counts characters.
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    bytes.push(text.len());
    let range = |span: Span| Some(*bytes.get(span.start.index())?..*bytes.get(span.end.index())?);
    let (mut roots, mut begun): (Vec<Node>, Vec<Begun>) = (Vec::new(), Vec::new());
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        let range = range(span)?;
        let finished = match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let is_flow = text.get(range.clone())?.ends_with(['[', '{']);
                let is_mapping = matches!(event, Event::MappingStart(..));
                begun.push(Begun { start: range.start, is_flow, is_mapping, nodes: Vec::new() });
                if begun.len() > DEEPEST {
                    return None;
                }
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => ended(begun.pop()?, range.start)?,
            Event::Scalar(value, ..) => scalar(text, range, value.into_owned()),
            Event::Alias(_) => Node { range, shape: Shape::Alias },
            _ => continue,
        };
        match begun.last_mut() {
            Some(parent) => {
                let finished = parent.placed(text, finished);
                parent.nodes.push(finished);
            }
            None if matches!(finished.shape, Shape::Nothing) => {}
            None => roots.push(finished),
        }
    }
    Some(roots)
}

/// Returns a scalar; the line breaks after a block scalar are not counted as its own.
fn scalar(text: &str, range: Range<usize>, value: String) -> Node {
    let written = text.get(range.clone()).unwrap_or_default();
    // Between documents the parser gives an empty scalar the place of the marker behind it.
    if value.is_empty() && !written.starts_with(['"', '\'', '|', '>', '!', '&']) {
        return Node { range: range.start..range.start, shape: Shape::Nothing };
    }
    let end = range.start + closed(written).unwrap_or(written.trim_end()).len();
    Node { range: range.start..end, shape: Shape::Scalar(value) }
}

/// Returns a quoted text up to its second quote: the parser may count a comment behind it as part of it.
fn closed(written: &str) -> Option<&str> {
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut inner = written.char_indices().skip(1).peekable();
    while let Some((at, c)) = inner.next() {
        match c {
            '\\' if quote == '"' => drop(inner.next()),
            '\'' if quote == '\'' && inner.peek().is_some_and(|(_, next)| *next == '\'') => drop(inner.next()),
            c if c == quote => return written.get(..=at),
            _ => {}
        }
    }
    None
}

fn ended(begun: Begun, end: usize) -> Option<Node> {
    let Begun { start, is_flow, is_mapping, nodes } = begun;
    let end = if is_flow { end + 1 } else { nodes.last().map_or(start, |last| last.range.end) };
    let shape = if is_mapping {
        let mut entries = Vec::with_capacity(nodes.len() / 2);
        let mut nodes = nodes.into_iter();
        while let Some(key) = nodes.next() {
            entries.push((key, nodes.next()?));
        }
        Shape::Mapping { is_flow, entries }
    } else {
        Shape::Sequence { is_flow, items: nodes }
    };
    Some(Node { range: start..end, shape })
}

impl Begun {
    /// Returns `node` with the place of a value that is not written: after the colon of its key.
    fn placed(&self, text: &str, node: Node) -> Node {
        let is_value = self.is_mapping && self.nodes.len() % 2 == 1;
        let (true, Shape::Nothing, Some(key)) = (is_value, &node.shape, self.nodes.last()) else { return node };
        let behind = text.get(key.range.end..).unwrap_or_default();
        let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
        let colon = usize::from(behind[blanks..].starts_with(':'));
        let at = key.range.end + blanks + colon;
        Node { range: at..at, shape: Shape::Nothing }
    }
}
