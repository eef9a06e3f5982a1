//! The user's own manifest, read with bounds and without what only a server holds.

use serde_yaml::{Mapping, Value};

use super::yaml_text::{flow, write_document};
use super::{EmitError, scalars, text_edit};

/// The largest manifest that is read. The reader is translated C: its input stays bounded.
const LONGEST: usize = 8 << 20;

/// Said where comments could not be kept.
pub(super) const WITHOUT_COMMENTS: &str =
    "its comments and layout could not be kept (an anchor or a value over several lines was in the way)";

/// A kind of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadKind {
    /// `apps/v1`.
    Deployment,
    /// `apps/v1`.
    StatefulSet,
    /// `apps/v1`.
    DaemonSet,
    /// `apps/v1`.
    ReplicaSet,
    /// `batch/v1`.
    Job,
    /// `batch/v1`.
    CronJob,
    /// `v1`.
    Pod,
}

impl WorkloadKind {
    const ALL: [Self; 7] =
        [Self::Deployment, Self::StatefulSet, Self::DaemonSet, Self::ReplicaSet, Self::Job, Self::CronJob, Self::Pod];

    /// Returns the kind as manifests name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Pod => "Pod",
        }
    }

    /// Returns its API version.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apps/v1",
            Self::Job | Self::CronJob => "batch/v1",
            Self::Pod => "v1",
        }
    }

    /// Returns the fields that lead to the pod's specification.
    pub(super) const fn pod_path(self) -> &'static [&'static str] {
        match self {
            Self::Pod => &["spec"],
            Self::CronJob => &["spec", "jobTemplate", "spec", "template", "spec"],
            _ => &["spec", "template", "spec"],
        }
    }

    /// Returns the longest name that the server takes.
    pub(super) const fn longest_name(self) -> usize {
        if matches!(self, Self::CronJob) { 52 } else { 253 }
    }
}

impl std::str::FromStr for WorkloadKind {
    type Err = EmitError;

    /// Parses a kind in any case, or its short name (`deploy`, `sts`, `ds`, `rs`, `cj`, `po`).
    fn from_str(text: &str) -> Result<Self, EmitError> {
        let lower = text.to_ascii_lowercase();
        let full = match lower.as_str() {
            "deploy" => "deployment",
            "sts" => "statefulset",
            "ds" => "daemonset",
            "rs" => "replicaset",
            "cj" => "cronjob",
            "po" => "pod",
            other => other,
        };
        let found = Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(full));
        found.ok_or_else(|| EmitError::BadOption {
            option: "the kind",
            value: text.to_owned(),
            expected: "deployment, statefulset, daemonset, replicaset, job, cronjob or pod",
        })
    }
}

/// The documents of a manifest, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Without what only a server holds.
    pub(super) documents: Vec<Value>,
    text: String,
    /// The documents as the text has them.
    pub(super) read: Vec<Value>,
    is_json: bool,
}

/// The text of a manifest whose documents were changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub(super) text: String,
    /// Whether comments were lost: the text could not be edited and was written anew.
    pub(super) is_without_comments: bool,
}

impl Manifest {
    /// Reads YAML (as kubectl reads it) or JSON; several documents, lists too. Live objects lose what only the server
    /// holds: `status`, the identity and history in `metadata`, the notes of kubectl and of the controllers.
    ///
    /// # Errors
    /// [`EmitError::BadBase`] for more than 8 MiB, for what is not YAML, and for a document that is not an object.
    pub fn parse(text: &str) -> Result<Self, EmitError> {
        if text.len() > LONGEST {
            return Err(EmitError::BadBase(format!("it is {} bytes long, at most {LONGEST} are read", text.len())));
        }
        let (read, is_json) = match json_documents(text) {
            Some(read) => (read, true),
            None => (yaml_documents(text)?, false),
        };
        for (position, document) in read.iter().enumerate() {
            if !document.is_mapping() {
                return Err(EmitError::BadBase(format!("document {} is not an object", position + 1)));
            }
        }
        if read.is_empty() {
            return Err(EmitError::BadBase("it holds no object".to_owned()));
        }
        let mut documents = read.clone();
        documents.iter_mut().filter_map(Value::as_mapping_mut).for_each(strip);
        Ok(Self { documents, text: text.to_owned(), read, is_json })
    }

    /// Returns the manifest's text with `documents` for its own: edited where they differ, so that comments and layout
    /// stay; written anew where that cannot be done.
    pub(super) fn rewritten(&self, documents: &[Value]) -> Rewritten {
        // A head of comments goes before it, which JSON has no place for.
        let edited = if self.is_json { None } else { self.edited(documents) };
        let is_edited = edited.is_some();
        let text = edited.map_or_else(|| written(documents), |text| without_head(&text).to_owned());
        Rewritten { text, is_without_comments: !is_edited && !self.is_json && self.text.contains('#') }
    }

    /// Returns the same for a file that shall take the place of this one: JSON stays JSON, comments at its head stay.
    pub(super) fn rewritten_in_place(&self, documents: &[Value]) -> Rewritten {
        let edited = self.edited(documents);
        let is_edited = edited.is_some();
        let text = match edited {
            Some(text) => text,
            None if self.is_json => documents.iter().map(|one| flow(one, true) + "\n").collect(),
            None => written(documents),
        };
        Rewritten { text, is_without_comments: !is_edited && !self.is_json && self.text.contains('#') }
    }

    /// Returns the text edited, if it then means exactly `documents`.
    fn edited(&self, documents: &[Value]) -> Option<String> {
        let text = text_edit::edited(&self.text, &self.read, documents)?;
        let read = if self.is_json { json_documents(&text)? } else { yaml_documents(&text).ok()? };
        (read == documents).then_some(text)
    }
}

fn written(documents: &[Value]) -> String {
    documents.iter().map(write_document).collect::<Vec<_>>().join("---\n")
}

/// Returns `text` without the comments that shadow put above it earlier.
fn without_head(text: &str) -> &str {
    let is_begin = |line: &str| {
        let version = line.strip_prefix("# shadow ").and_then(|rest| rest.split_once(": "));
        version.is_some_and(|(version, _)| version.starts_with(|c: char| c.is_ascii_digit()))
    };
    let is_note = |line: &str| line.starts_with("# shadow ") || line.starts_with("#   kubectl ");
    let mut rest = text;
    while let Some((line, behind)) = rest.split_once('\n') {
        let is_first = rest.len() == text.len();
        if !(if is_first { is_begin(line) } else { is_note(line) }) {
            break;
        }
        rest = behind;
    }
    rest
}

/// Returns the objects of a text that is JSON: one after another, or with lines of three dashes between them.
fn json_documents(text: &str) -> Option<Vec<Value>> {
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        return None;
    }
    let mut documents = Vec::new();
    // No text of JSON holds a line of its own, so each part is whole.
    for part in text.trim_start_matches('\u{feff}').split("\n---") {
        for document in serde_json::Deserializer::from_str(part).into_iter::<Value>() {
            documents.push(document.ok()?);
        }
    }
    Some(documents)
}

/// Returns the documents of a text of YAML that are not empty.
fn yaml_documents(text: &str) -> Result<Vec<Value>, EmitError> {
    use serde::Deserialize;
    let text = scalars::modernise(text);
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(&text) {
        let mut value = Value::deserialize(document).map_err(|error| EmitError::BadBase(error.to_string()))?;
        value.apply_merge().map_err(|error| EmitError::BadBase(error.to_string()))?;
        if !value.is_null() {
            documents.push(value);
        }
    }
    Ok(documents)
}

fn strip(object: &mut Mapping) {
    object.shift_remove("status");
    if let Some(Value::Mapping(metadata)) = object.get_mut("metadata") {
        for field in ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"] {
            metadata.shift_remove(field);
        }
        if let Some(Value::Mapping(annotations)) = metadata.get_mut("annotations") {
            annotations.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
            annotations.shift_remove("deployment.kubernetes.io/revision");
            if annotations.is_empty() {
                metadata.shift_remove("annotations");
            }
        }
    }
    if is_list(object)
        && let Some(Value::Sequence(items)) = object.get_mut("items")
    {
        for item in items {
            if let Value::Mapping(item) = item {
                strip(item);
            }
        }
    }
}

/// Returns whether the object is a list of objects.
pub(super) fn is_list(object: &Mapping) -> bool {
    object.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"))
        && object.contains_key("items")
}
