//! The user's own manifest, read with bounds and without what only a server holds.

use serde_yaml::{Mapping, Value};

use super::{EmitError, scalars};

/// The largest manifest that is read. The reader is translated C: its input stays bounded.
const LONGEST: usize = 8 << 20;

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
    pub(super) documents: Vec<Value>,
}

impl Manifest {
    /// Reads YAML (as kubectl reads it) or JSON; several documents, lists too. Live objects lose what only the server
    /// holds: `status`, the identity and history in `metadata`, the notes of kubectl and of the controllers.
    ///
    /// # Errors
    /// [`EmitError::BadBase`] for more than 8 MiB, for what is not YAML, and for a document that is not an object.
    pub fn parse(text: &str) -> Result<Self, EmitError> {
        use serde::Deserialize;
        if text.len() > LONGEST {
            return Err(EmitError::BadBase(format!("it is {} bytes long, at most {LONGEST} are read", text.len())));
        }
        let text = scalars::modernise(text);
        let mut documents = Vec::new();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let mut value = Value::deserialize(document).map_err(|error| EmitError::BadBase(error.to_string()))?;
            value.apply_merge().map_err(|error| EmitError::BadBase(error.to_string()))?;
            match &mut value {
                Value::Null => continue,
                Value::Mapping(object) => strip(object),
                _ => return Err(EmitError::BadBase(format!("document {} is not an object", documents.len() + 1))),
            }
            documents.push(value);
        }
        if documents.is_empty() {
            return Err(EmitError::BadBase("it holds no object".to_owned()));
        }
        Ok(Self { documents })
    }
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
