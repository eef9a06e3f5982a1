//! A sizing in a user's manifest: the resources of one container and annotations of its object, nothing else.

use serde_yaml::{Mapping, Value};

use crate::predict::{Decision, Prediction};
use crate::units::{Bytes, Cores};

use super::manifest::{WorkloadKind, is_list};
use super::target::Target;
use super::{EmitError, EmitOptions, Sizing, bandwidth, names};

pub(super) const PREFIX: &str = "shadow.dev/";

/// The longest workload name that an annotation repeats in full.
const LONGEST_NOTE: usize = 1024;

/// Where in a manifest a sizing went.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// The object and its container.
    pub(super) target: Target,
    /// `containers` or `initContainers`.
    pub(super) list: &'static str,
    /// The container's position in it.
    pub(super) index: usize,
    /// All of its resources, with the sizing.
    pub(super) resources: Value,
}

/// Sets `sizing` in the chosen container of `documents`, and returns which that was.
pub(super) fn merge(
    documents: &mut [Value],
    prediction: &Prediction,
    sizing: &Sizing,
    options: &EmitOptions,
) -> Result<Place, EmitError> {
    let (kind, object) = choose_object(objects(documents), prediction, options)?;
    merge_into(kind, object, prediction, sizing, options)
}

/// Returns the workloads among `documents`, in their order.
pub(super) fn objects(documents: &mut [Value]) -> Vec<(WorkloadKind, &mut Mapping)> {
    let mut objects = Vec::new();
    for object in documents.iter_mut().filter_map(Value::as_mapping_mut) {
        collect(object, &mut objects);
    }
    objects
}

/// Sets `sizing` in the chosen container of `object`.
pub(super) fn merge_into(
    kind: WorkloadKind,
    object: &mut Mapping,
    prediction: &Prediction,
    sizing: &Sizing,
    options: &EmitOptions,
) -> Result<Place, EmitError> {
    let name = object_name(object).unwrap_or_default();
    names::check_object(&name, kind.longest_name())?;
    let place = set_resources(kind, object, &name, prediction, sizing, options)?;
    annotate(object, prediction, options, &place.target.container);
    bandwidth::annotate(object, kind, prediction, options)?;
    Ok(place)
}

fn collect<'a>(object: &'a mut Mapping, found: &mut Vec<(WorkloadKind, &'a mut Mapping)>) {
    if is_list(object) {
        if let Some(Value::Sequence(items)) = object.get_mut("items") {
            for item in items {
                if let Value::Mapping(item) = item {
                    collect(item, found);
                }
            }
        }
        return;
    }
    let kind = object.get("kind").and_then(Value::as_str).and_then(|kind| kind.parse::<WorkloadKind>().ok());
    if let Some(kind) = kind {
        found.push((kind, object));
    }
}

fn metadata_text(object: &Mapping, field: &str) -> Option<String> {
    object.get("metadata")?.get(field)?.as_str().map(str::to_owned)
}

fn object_name(object: &Mapping) -> Option<String> {
    metadata_text(object, "name")
}

fn choose_object<'a>(
    objects: Vec<(WorkloadKind, &'a mut Mapping)>,
    prediction: &Prediction,
    options: &EmitOptions,
) -> Result<(WorkloadKind, &'a mut Mapping), EmitError> {
    let describe = |objects: &[(WorkloadKind, &'a mut Mapping)]| {
        let all: Vec<String> = objects
            .iter()
            .map(|(kind, object)| format!("`{}/{}`", kind.name(), object_name(object).unwrap_or_default()))
            .collect();
        if all.is_empty() { "no workload".to_owned() } else { all.join(", ") }
    };
    let found = describe(&objects);
    let fits = |kind: WorkloadKind, object: &Mapping| {
        options.kind.is_none_or(|wanted| wanted == kind)
            && options.name.as_ref().is_none_or(|wanted| object_name(object).as_ref() == Some(wanted))
            && options
                .namespace
                .as_ref()
                .is_none_or(|wanted| metadata_text(object, "namespace").is_none_or(|namespace| &namespace == wanted))
    };
    let mut candidates: Vec<_> = objects.into_iter().filter(|(kind, object)| fits(*kind, object)).collect();
    if candidates.len() > 1 {
        let named = |object: &Mapping| object_name(object).as_deref() == Some(prediction.workload.as_str());
        if candidates.iter().filter(|(_, object)| named(object)).count() == 1 {
            candidates.retain(|(_, object)| named(object));
        }
    }
    if candidates.len() > 1 {
        return Err(EmitError::Ambiguous { what: "workloads", found: describe(&candidates), option: "--name" });
    }
    let kind = options.kind.map_or("workload", WorkloadKind::name);
    let wanted = options.name.as_ref().map_or_else(|| kind.to_owned(), |name| format!("{kind} `{name}`"));
    candidates.pop().ok_or(EmitError::NotInBase { wanted, found })
}

/// The containers of a pod.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Containers {
    pub(super) ordinary: Vec<Mapping>,
    /// Those that run before the others.
    pub(super) initial: Vec<Mapping>,
}

/// Returns the containers of a workload.
pub(super) fn containers(kind: WorkloadKind, object: &Mapping) -> Containers {
    let Some((first, rest)) = kind.pod_path().split_first() else { return Containers::default() };
    let pod = rest.iter().fold(object.get(*first), |value, step| value.and_then(|value| value.get(*step)));
    let list = |name: &str| -> Vec<Mapping> {
        let items = pod.and_then(|pod| pod.get(name)).and_then(Value::as_sequence);
        items.into_iter().flatten().filter_map(|item| item.as_mapping().cloned()).collect()
    };
    Containers { ordinary: list("containers"), initial: list("initContainers") }
}

fn set_resources(
    kind: WorkloadKind,
    object: &mut Mapping,
    object_name: &str,
    prediction: &Prediction,
    sizing: &Sizing,
    options: &EmitOptions,
) -> Result<Place, EmitError> {
    let namespace = metadata_text(object, "namespace");
    let nothing = || EmitError::NotInBase {
        wanted: format!("containers in {} `{object_name}`", kind.name()),
        found: "none".to_owned(),
    };
    let named = |containers: &[Mapping]| -> Vec<String> {
        containers.iter().filter_map(|one| one.get("name")?.as_str().map(str::to_owned)).collect()
    };
    let all = containers(kind, object);
    let (ordinary, initial) = (named(&all.ordinary), named(&all.initial));
    let (first, rest) = kind.pod_path().split_first().ok_or_else(nothing)?;
    let mut pod = object.get_mut(*first);
    for step in rest {
        pod = pod.and_then(|value| value.get_mut(*step));
    }
    let pod = pod.and_then(Value::as_mapping_mut).ok_or_else(nothing)?;
    let listed = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let container = match options.container_of(prediction) {
        Some(wanted) if ordinary.contains(wanted) || initial.contains(wanted) => wanted.clone(),
        Some(wanted) => {
            let found = listed(&ordinary);
            return Err(EmitError::NotInBase { wanted: format!("container `{wanted}`"), found });
        }
        None => match ordinary.as_slice() {
            [] => return Err(nothing()),
            [only] => only.clone(),
            several => {
                let fitting = several.iter().find(|name| **name == prediction.workload || name.as_str() == object_name);
                let ambiguous =
                    || EmitError::Ambiguous { what: "containers", found: listed(several), option: "--container" };
                fitting.cloned().ok_or_else(ambiguous)?
            }
        },
    };
    names::check_label("the container", &container)?;
    let list = if ordinary.contains(&container) { "containers" } else { "initContainers" };
    let items = pod.get_mut(list).and_then(Value::as_sequence_mut).ok_or_else(nothing)?;
    let is_chosen = |item: &Value| item.get("name").and_then(Value::as_str) == Some(container.as_str());
    let index = items.iter().position(is_chosen).ok_or_else(nothing)?;
    let chosen = items.get_mut(index).and_then(Value::as_mapping_mut).ok_or_else(nothing)?;
    let resources = mapping_at(chosen, "resources");
    fill_resources(resources, sizing);
    let resources = Value::Mapping(resources.clone());
    let target = Target { kind, name: object_name.to_owned(), namespace, container };
    Ok(Place { target, list, index, resources })
}

/// Returns the mapping under `key`, made where it is missing or null.
pub(super) fn mapping_at<'a>(parent: &'a mut Mapping, key: &str) -> &'a mut Mapping {
    let entry = parent.entry(Value::from(key)).or_insert_with(|| Value::Mapping(Mapping::new()));
    if !entry.is_mapping() {
        *entry = Value::Mapping(Mapping::new());
    }
    match entry {
        Value::Mapping(mapping) => mapping,
        _ => unreachable!("made a mapping above"),
    }
}

/// Sets CPU and memory in `resources`; other resources (disk, devices) stay.
pub(super) fn fill_resources(resources: &mut Mapping, sizing: &Sizing) {
    let requests = mapping_at(resources, "requests");
    requests.insert(Value::from("cpu"), Value::from(sizing.cpu_request.to_string()));
    requests.insert(Value::from("memory"), Value::from(sizing.memory_request.to_string()));
    let limits = mapping_at(resources, "limits");
    match sizing.cpu_limit {
        Some(limit) => {
            limits.insert(Value::from("cpu"), Value::from(limit.to_string()));
        }
        None => {
            limits.shift_remove("cpu");
        }
    }
    limits.insert(Value::from("memory"), Value::from(sizing.memory_limit.to_string()));
}

/// Sets the evidence in the annotations of `object`.
pub(super) fn annotate(object: &mut Mapping, prediction: &Prediction, options: &EmitOptions, container: &str) {
    let name = object_name(object).unwrap_or_default();
    let annotations = mapping_at(mapping_at(object, "metadata"), "annotations");
    // A live object may carry notes of an earlier prediction for the same container.
    for key in [format!("{PREFIX}{}", note_key(container, "cpu")), format!("{PREFIX}{}", note_key(container, "memory"))]
    {
        annotations.shift_remove(key.as_str());
    }
    for key in ["workload", "novelty"] {
        annotations.shift_remove(format!("{PREFIX}{key}").as_str());
        annotations.shift_remove(format!("{PREFIX}{}", note_key(container, key)).as_str());
    }
    for (key, value) in notes(prediction, options, &name, container) {
        annotations.insert(Value::from(format!("{PREFIX}{key}")), Value::from(value));
    }
}

/// Returns the name of a container's note: at most 63 characters, as the server asks.
pub(super) fn note_key(container: &str, resource: &str) -> String {
    format!("{}.{resource}", names::made(container, 56))
}

/// Returns what the numbers rest on, in words.
pub(super) fn basis(prediction: &Prediction) -> String {
    let count = prediction.neighbours.len();
    let plural = if count == 1 { "" } else { "s" };
    let store = prediction.store_workloads;
    let nearest = prediction.neighbours.iter().filter_map(|neighbour| neighbour.distance).filter(|d| d.is_finite());
    let nearest = nearest.reduce(f64::min).map(|distance| format!(", nearest at {distance:.2}")).unwrap_or_default();
    match prediction.decision {
        Decision::SameApplication => {
            format!("{count} instance{plural} of the same application of {store} workloads{nearest}")
        }
        Decision::Neighbours => format!("{count} neighbour{plural} of {store} workloads{nearest}"),
        Decision::ClassPrior => format!("workloads of the same class, of {store}"),
        Decision::Persistence => "its own first window".to_owned(),
        Decision::Abstain => "nothing in the store resembles it".to_owned(),
    }
}

/// Returns the notes that travel with the numbers, key (without prefix) and value, in their order.
pub(super) fn notes(
    prediction: &Prediction,
    options: &EmitOptions,
    object: &str,
    container: &str,
) -> Vec<(String, String)> {
    // Several containers of one object rest on evidence of their own.
    let own = |key: &str| if options.containers.is_empty() { key.to_owned() } else { note_key(container, key) };
    let mut notes = vec![
        ("version".to_owned(), options.version.clone()),
        (own("observed"), format!("{}s", prediction.observed_seconds)),
        (own("window"), format!("{}s", prediction.window_seconds)),
        (own("decision"), prediction.decision.name().to_owned()),
        (own("basis"), basis(prediction)),
        (own("confidence"), format!("{:.2}", prediction.confidence())),
        (own("coverage"), format!("{}%", percent(prediction))),
        (own("store"), prediction.store_digest.clone()),
    ];
    if let Some(novelty) = prediction.novelty.filter(|novelty| novelty.is_finite()) {
        notes.push((own("novelty"), format!("{novelty:.2}")));
    }
    if prediction.workload != object {
        let mut workload = prediction.workload.clone();
        if workload.len() > LONGEST_NOTE {
            let end = (0..=LONGEST_NOTE).rev().find(|&end| workload.is_char_boundary(end)).unwrap_or(0);
            workload.truncate(end);
            workload.push('…');
        }
        notes.push((own("workload"), workload));
    }
    let percent = percent(prediction);
    if let Some((low, high)) = prediction.interval.cpu {
        notes
            .push((note_key(container, "cpu"), format!("{percent}% interval {}..{}", shown_cpu(low), shown_cpu(high))));
    }
    if let Some((low, high)) = prediction.interval.memory {
        let interval = format!("{percent}% interval {}..{}", shown_memory(low), shown_memory(high));
        notes.push((note_key(container, "memory"), interval));
    }
    notes
}

/// Returns the coverage in per cent. 0.57 * 100 is 56.99999999999999.
fn percent(prediction: &Prediction) -> f64 {
    (prediction.coverage * 1e4).round() / 100.0
}

fn shown_cpu(cpu: Cores) -> Cores {
    Cores::from_millis(cpu.millis_up())
}

fn shown_memory(memory: Bytes) -> Bytes {
    Bytes::from_mebibytes(memory.mebibytes_up())
}
