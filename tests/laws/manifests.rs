//! A thousand made manifests: a merge changes CPU and memory of the named container and adds its notes, nothing
//! else; every comment stays.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shadow::emit::{CpuLimit, EmitOptions, Format, Manifest};

use crate::common::predictions::answered;

const KINDS: [(&str, &str, &[&str]); 7] = [
    ("apps/v1", "Deployment", &["spec", "template", "spec"]),
    ("apps/v1", "StatefulSet", &["spec", "template", "spec"]),
    ("apps/v1", "DaemonSet", &["spec", "template", "spec"]),
    ("apps/v1", "ReplicaSet", &["spec", "template", "spec"]),
    ("batch/v1", "Job", &["spec", "template", "spec"]),
    ("batch/v1", "CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
    ("v1", "Pod", &["spec"]),
];

/// Texts with a meaning to some reader of YAML, and lines.
const TEXTS: [&str; 18] = [
    "plain",
    "yes",
    "Off",
    "012",
    "1e3",
    "0x1f",
    "12:30:45",
    "2026-05-04",
    "~",
    "",
    "a: b # c",
    "- x",
    "l1\nl2\n",
    " lead",
    "trail ",
    "\u{1b}[31m",
    "ünï \u{2028} ${x}",
    "*a &b !c",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(TEXTS.to_vec()).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ]
}

/// Returns anything that a field which shadow does not know may hold.
fn anything() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z][a-zA-Z0-9./ -]{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Returns fields with names that Kubernetes does not use here.
fn extras() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("x[A-Z][a-z]{1,6}", anything(), 0..4).prop_map(|map| map.into_iter().collect())
}

fn resources() -> impl Strategy<Value = Option<Value>> {
    let amounts = || {
        prop::collection::btree_map(
            prop::sample::select(vec!["cpu", "memory", "ephemeral-storage", "nvidia.com/gpu"]),
            prop::sample::select(vec!["1", "250m", "64Mi"]),
            0..4,
        )
    };
    prop::option::of((prop::option::of(amounts()), prop::option::of(amounts())).prop_map(|(requests, limits)| {
        let mut both = Map::new();
        for (name, amounts) in [("requests", requests), ("limits", limits)] {
            if let Some(amounts) = amounts {
                both.insert(name.to_owned(), json!(amounts));
            }
        }
        Value::Object(both)
    }))
}

fn containers(prefix: &'static str, least: usize) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec((resources(), extras()), least..=4).prop_map(move |list| {
        let made = list.into_iter().enumerate().map(|(position, (resources, mut fields))| {
            fields.insert("name".to_owned(), json!(format!("{prefix}{position}")));
            fields.insert("image".to_owned(), json!("registry.example/x:1"));
            if let Some(resources) = resources {
                fields.insert("resources".to_owned(), resources);
            }
            Value::Object(fields)
        });
        made.collect()
    })
}

/// One manifest, where its workload stands, and which container is meant.
#[derive(Debug, Clone)]
struct Case {
    documents: Vec<Value>,
    position: usize,
    path: &'static [&'static str],
    list: &'static str,
    index: usize,
}

fn case() -> impl Strategy<Value = Case> {
    let others = prop::collection::vec(extras(), 0..3);
    let kind = prop::sample::select(KINDS.to_vec());
    let noted = prop::option::of(extras());
    (kind, containers("app", 1), containers("init", 0), extras(), extras(), others, noted, any::<prop::sample::Index>())
        .prop_map(|((version, kind, path), ordinary, initial, object, pod, others, notes, pick)| {
            let mut pod = pod;
            let chosen = pick.index(ordinary.len() + initial.len());
            let (list, index) = match chosen.checked_sub(ordinary.len()) {
                None => ("containers", chosen),
                Some(index) => ("initContainers", index),
            };
            pod.insert("containers".to_owned(), Value::from(ordinary));
            if !initial.is_empty() {
                pod.insert("initContainers".to_owned(), Value::from(initial));
            }
            let mut body = Value::Object(pod);
            for step in path.iter().skip(1).rev() {
                body = json!({"xKept": [step], *step: body});
            }
            let mut whole = object;
            whole.insert("apiVersion".to_owned(), json!(version));
            whole.insert("kind".to_owned(), json!(kind));
            let mut metadata = json!({"name": "made", "labels": {"app": "made"}});
            if let Some(notes) = notes {
                metadata["annotations"] = Value::Object(notes);
            }
            whole.insert("metadata".to_owned(), metadata);
            whole.insert("spec".to_owned(), body);
            let mut documents: Vec<Value> = others
                .into_iter()
                .map(|mut fields| {
                    fields.insert("kind".to_owned(), json!("ConfigMap"));
                    Value::Object(fields)
                })
                .collect();
            let position = pick.index(documents.len() + 1);
            documents.insert(position, Value::Object(whole));
            Case { documents, position, path, list, index }
        })
}

impl Case {
    /// Returns the meant container of `documents`.
    fn container<'a>(&self, documents: &'a mut [Value]) -> &'a mut Value {
        let pod = self.path.iter().fold(&mut documents[self.position], |value, step| &mut value[*step]);
        &mut pod[self.list][self.index]
    }
}

/// Takes `cpu` and `memory` out, and the groups that are empty then.
fn without_sizes(container: &mut Value) {
    let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) else { return };
    for group in ["requests", "limits"] {
        if let Some(amounts) = resources.get_mut(group).and_then(Value::as_object_mut) {
            amounts.remove("cpu");
            amounts.remove("memory");
            if amounts.is_empty() {
                resources.remove(group);
            }
        }
    }
    if resources.is_empty() {
        container.as_object_mut().unwrap().remove("resources");
    }
}

/// Takes shadow's own notes out, and the annotations if nothing else was in them.
fn without_notes(object: &mut Value) {
    let metadata = object["metadata"].as_object_mut().unwrap();
    if let Some(notes) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        notes.retain(|key, _| !key.starts_with("shadow.dev/"));
        if notes.is_empty() {
            metadata.remove("annotations");
        }
    }
}

/// Writes documents as a person would: blocks and braces in turn, other indents, comments wherever there may be some.
struct Written {
    text: String,
    /// What decides the style; used up and begun again.
    styles: Vec<u8>,
    used: usize,
    comments: usize,
}

impl Written {
    fn style(&mut self) -> u8 {
        self.used += 1;
        self.styles[self.used % self.styles.len()]
    }

    /// Writes a comment on a line of its own, or at the end of one.
    fn comment(&mut self, before: &str) {
        if self.style().is_multiple_of(3) {
            self.comments += 1;
            write!(self.text, "{before}#kept {}: {{x}}", self.comments).unwrap();
        }
    }

    fn document(&mut self, value: &Value) {
        self.comment("");
        self.text += "\n";
        self.block(value, 0);
        self.comment("");
        self.text += "\n";
    }

    fn block(&mut self, value: &Value, indent: usize) {
        let blanks = " ".repeat(indent);
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    write!(self.text, "{blanks}{}:", json!(key)).unwrap();
                    // The comment of a line that goes is gone with it.
                    let is_kept = key != "cpu";
                    self.behind(value, indent + 1 + usize::from(self.styles[0] % 4), is_kept);
                }
            }
            Value::Array(items) => {
                for item in items {
                    write!(self.text, "{blanks}-").unwrap();
                    match item {
                        // Its first entry stands behind the dash.
                        Value::Object(map) if !map.is_empty() => {
                            let at = self.text.len();
                            self.block(item, indent + 2);
                            self.text.replace_range(at..at + indent + 2, " ");
                        }
                        _ => self.behind(item, indent + 2, true),
                    }
                }
            }
            _ => unreachable!("scalars stand behind a key or a dash"),
        }
    }

    /// Writes a value behind a key or a dash, to the end of its line or lines.
    fn behind(&mut self, value: &Value, indent: usize, has_comment: bool) {
        let is_several = value.as_object().is_some_and(|map| !map.is_empty())
            || value.as_array().is_some_and(|items| !items.is_empty());
        let is_block = is_several && !self.style().is_multiple_of(4);
        if !is_block {
            write!(self.text, " {}", value.to_string().replace('\u{2028}', "\\u2028")).unwrap();
        }
        if has_comment {
            self.comment(" ");
        }
        self.text += "\n";
        if is_block {
            self.block(value, indent);
        }
    }
}

/// Returns the comments of a text that [`Written`] made, in their order.
fn comments(text: &str) -> Vec<&str> {
    text.split("#kept ").skip(1).map(|rest| rest.split(':').next().unwrap()).collect()
}

fn read(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text).map(|one| serde::Deserialize::deserialize(one).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_merge_changes_the_sizes_of_the_named_container_and_nothing_else(
        case in case(),
        limited in any::<bool>(),
        styles in prop::option::of(prop::collection::vec(any::<u8>(), 1..80)),
    ) {
        let mut before = case.documents.clone();
        let text = match &styles {
            None => before.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n"),
            Some(styles) => {
                let mut written = Written { text: String::new(), styles: styles.clone(), used: 0, comments: 0 };
                for (position, document) in before.iter().enumerate() {
                    written.text += if position > 0 { "---\n" } else { "" };
                    written.document(document);
                }
                written.text
            }
        };
        let name = case.container(&mut before)["name"].as_str().unwrap().to_owned();
        let options = EmitOptions {
            base: Some(Manifest::parse(&text).unwrap()),
            container: Some(name),
            cpu_limit: if limited { CpuLimit::Factor(2.0) } else { CpuLimit::None },
            ..EmitOptions::default()
        };
        let once = Format::Kubernetes.emit(&[answered("made", 250, 512)], &options).unwrap().into_text();
        let mut after = read(&once);
        let found = case.container(&mut after)["resources"].clone();
        prop_assert_eq!(&found["requests"]["cpu"], "250m");
        prop_assert_eq!(&found["requests"]["memory"], "512Mi");
        prop_assert_eq!(&found["limits"]["memory"], "512Mi");
        prop_assert_eq!(found["limits"].get("cpu").and_then(Value::as_str), limited.then_some("500m"));
        for documents in [&mut before, &mut after] {
            without_sizes(case.container(documents));
            without_notes(&mut documents[case.position]);
        }
        prop_assert_eq!(before, after);
        prop_assert_eq!(comments(&text), comments(&once), "{}\n---- became ----\n{}", text, once);
        // What comes out is a base as good as what went in, and merging again changes nothing.
        let again = EmitOptions { base: Some(Manifest::parse(&once).unwrap()), ..options };
        let twice = Format::Kubernetes.emit(&[answered("made", 250, 512)], &again).unwrap().into_text();
        prop_assert_eq!(once, twice);
    }
}
