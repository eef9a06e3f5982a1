//! Which workload of the sample a container of a manifest is: by a note in the manifest, by a table, or by its name.

use serde_yaml::{Mapping, Value};

use super::super::merge::{PREFIX, note_key};
use crate::emit::EmitError;

/// How the workload of a container was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// The annotation `shadow.dev/workload`, or `shadow.dev/CONTAINER.workload`.
    Note,
    /// A line of the table of assignments.
    Table,
    /// The names of object and container.
    Name,
}

impl FoundBy {
    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "annotation",
            Self::Table => "table",
            Self::Name => "name",
        }
    }
}

/// A container and the object around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot<'a> {
    pub(super) kind: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) container: &'a str,
    /// Whether the pod's name says which container is meant.
    pub(super) is_main: bool,
}

/// A table of which container is which workload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignments {
    lines: Vec<Assignment>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
struct Assignment {
    workload: String,
    name: String,
    container: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    namespace: String,
}

impl Assignments {
    /// Reads CSV with the columns `workload`, `name` and `container`, and where they are needed `kind` and `namespace`; an
    /// empty field fits any.
    ///
    /// # Errors
    /// [`EmitError::BadAssignments`] names the line.
    pub fn parse(text: &str) -> Result<Self, EmitError> {
        let mut reader = ::csv::ReaderBuilder::new().trim(::csv::Trim::All).from_reader(text.as_bytes());
        let lines: Result<Vec<Assignment>, _> = reader.deserialize().collect();
        Ok(Self { lines: lines.map_err(|error| EmitError::BadAssignments(error.to_string()))? })
    }

    /// Returns the workload of a container and the position of its line.
    fn find(&self, slot: Slot<'_>) -> Option<(usize, &str)> {
        let fits = |asked: &str, found: &str| asked.is_empty() || asked == found;
        let found = self.lines.iter().position(|line| {
            line.name == slot.name
                && line.container == slot.container
                && (line.kind.is_empty() || line.kind.eq_ignore_ascii_case(slot.kind))
                && fits(&line.namespace, slot.namespace.unwrap_or_default())
        })?;
        Some((found, &self.lines[found].workload))
    }

    /// Returns the lines that are not among `used`, as they stand in messages.
    pub(super) fn unused(&self, used: &[usize]) -> Vec<String> {
        let lines = self.lines.iter().enumerate().filter(|(position, _)| !used.contains(position));
        lines.map(|(_, line)| format!("{}/{}", line.name, line.container)).collect()
    }
}

/// A workload that was found for a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) workload: String,
    pub(super) by: FoundBy,
    /// The line of the table.
    pub(super) line: Option<usize>,
}

/// Returns the workload of the container: what the manifest says, else what the table says, else the first of
/// `NAMESPACE/NAME/CONTAINER`, `NAME/CONTAINER`, and for the main container `NAMESPACE/NAME` and `NAME` that `is_known`.
pub(super) fn workload_of(
    slot: Slot<'_>,
    object: &Mapping,
    assignments: &Assignments,
    is_known: impl Fn(&str) -> bool,
) -> Option<Found> {
    let note =
        |key: &str| object.get("metadata")?.get("annotations")?.get(format!("{PREFIX}{key}")).and_then(Value::as_str);
    let own = note(&note_key(slot.container, "workload"));
    if let Some(workload) = own.or_else(|| note("workload").filter(|_| slot.is_main)) {
        return Some(Found { workload: workload.to_owned(), by: FoundBy::Note, line: None });
    }
    if let Some((line, workload)) = assignments.find(slot) {
        return Some(Found { workload: workload.to_owned(), by: FoundBy::Table, line: Some(line) });
    }
    let Slot { namespace, name, container, .. } = slot;
    let within = |rest: String| namespace.map(|namespace| format!("{namespace}/{rest}"));
    let mut names = vec![within(format!("{name}/{container}")), Some(format!("{name}/{container}"))];
    if slot.is_main {
        names.extend([within(name.to_owned()), Some(name.to_owned())]);
    }
    let workload = names.into_iter().flatten().find(|name| is_known(name))?;
    Some(Found { workload, by: FoundBy::Name, line: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_goes_before_the_table_and_the_table_before_the_name() {
        let table = Assignments::parse("workload, name, container, namespace\nw1,web,app,shop\nw2,web,app,\n").unwrap();
        let object = |notes: &str| -> Mapping { serde_yaml::from_str(notes).unwrap() };
        let (plain, noted) =
            (object("{}"), object("metadata: {annotations: {shadow.dev/workload: w3, shadow.dev/side.workload: w4}}"));
        let slot =
            |namespace, container, is_main| Slot { kind: "Deployment", namespace, name: "web", container, is_main };
        let find = |slot, object, table: &Assignments| {
            workload_of(slot, object, table, |name| ["shop/web", "web", "web/side"].contains(&name))
                .map(|found| (found.workload, found.by.name()))
        };
        let none = Assignments::default();
        for (slot, object, table, expected) in [
            (slot(Some("shop"), "app", true), &noted, &table, Some(("w3", "annotation"))),
            (slot(Some("shop"), "side", false), &noted, &table, Some(("w4", "annotation"))),
            (slot(Some("shop"), "app", true), &plain, &table, Some(("w1", "table"))),
            (slot(None, "app", true), &plain, &table, Some(("w2", "table"))),
            (slot(Some("shop"), "app", true), &plain, &none, Some(("shop/web", "name"))),
            (slot(Some("x"), "app", true), &plain, &none, Some(("web", "name"))),
            (slot(Some("x"), "side", false), &plain, &none, Some(("web/side", "name"))),
            (slot(Some("shop"), "app", false), &plain, &none, None),
        ] {
            let found = find(slot, object, table);
            assert_eq!(found.as_ref().map(|(name, by)| (name.as_str(), *by)), expected, "{slot:?}");
        }
        assert_eq!(table.unused(&[0]), ["web/app"]);
        assert!(Assignments::parse("workload,name\na,b\n").unwrap_err().to_string().contains("container"));
    }
}
