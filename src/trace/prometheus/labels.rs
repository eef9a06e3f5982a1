//! Whose a series is.

use std::collections::BTreeMap;

/// The labels of a series.
pub(super) type Labels = BTreeMap<String, String>;

/// The container that a series is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    /// `NAMESPACE/POD/CONTAINER`.
    pub(super) workload: String,
    /// The owner of the pod, in its namespace.
    pub(super) application: String,
}

/// Why a series is of no container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoContainer {
    /// A sum over a pod or slice of the node, or the container that only holds a pod's network.
    Sum,
    /// There is no label for the pod.
    Unnamed,
}

impl Container {
    /// Returns the container of a series.
    pub(super) fn of(labels: &Labels) -> Result<Self, NoContainer> {
        let label = |names: &[&str]| names.iter().find_map(|name| labels.get(*name)).map(String::as_str);
        // Before Kubernetes 1.16 the labels were `pod_name` and `container_name`.
        let pod = label(&["pod", "pod_name"]).filter(|pod| !pod.is_empty());
        let container = label(&["container", "container_name"]);
        let is_pause = label(&["image"]).is_some_and(|image| image.contains("pause"));
        let container = match container {
            None | Some("" | "POD") => return Err(NoContainer::Sum),
            Some(_) if is_pause => return Err(NoContainer::Sum),
            Some(container) => container,
        };
        let pod = pod.ok_or(NoContainer::Unnamed)?;
        let namespace = label(&["namespace"]).unwrap_or_default();
        Ok(Self {
            workload: format!("{namespace}/{pod}/{container}"),
            application: format!("{namespace}/{}/{container}", owner(pod)),
        })
    }
}

/// Returns the owner of a pod by the rules of its name: Deployments add a hash and five characters, `DaemonSets` and Jobs
/// five characters, `StatefulSets` a number.
pub(super) fn owner(pod: &str) -> &str {
    // Names that Kubernetes makes are of consonants and digits that cannot be mistaken for another.
    let is_made = |part: &str| part.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    let Some((rest, last)) = pod.rsplit_once('-') else { return pod };
    if !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) && last.len() <= 4 {
        return rest;
    }
    if last.len() != 5 || !is_made(last) {
        return pod;
    }
    match rest.rsplit_once('-') {
        Some((owner, hash)) if (8..=10).contains(&hash.len()) && is_hash(hash) => owner,
        _ => rest,
    }
}

/// Returns whether a part is the hash of a template: the same alphabet, or hexadecimal digits of old versions.
fn is_hash(part: &str) -> bool {
    part.bytes().any(|byte| byte.is_ascii_digit())
        && part.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
}
