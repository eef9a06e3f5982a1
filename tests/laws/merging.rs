//! Merging sizes into a user's manifest changes the named container's resources and annotations, nothing else.

use proptest::prelude::*;
use serde_yaml::{Mapping, Value};
use shadow::emit::{EmitOptions, Format, Manifest};

use crate::common::predictions::answered;

/// Text that YAML readers tend to misread.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "\\PC{0,12}",
        prop::sample::select(vec![
            "yes",
            "on",
            "012",
            "1e3",
            "12:30:45",
            "null",
            "~",
            "a: b",
            "- x",
            "# c",
            "line one\nline two\n",
            "${x}",
            "\t",
            " lead",
            "a\n  b\n\nc",
            "trail \nx",
            "1_0",
            "",
            "|",
            "\"",
            "'",
        ])
        .prop_map(str::to_owned),
    ]
}

fn odd_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        odd_text().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Sequence),
            // A key `<<` is an order to the reader (a merge key of YAML 1.1) and none that Kubernetes has.
            prop::collection::btree_map(odd_text().prop_filter("a merge key", |key| key != "<<"), inner, 0..4)
                .prop_map(|map| Value::Mapping(map.into_iter().map(|(k, v)| (Value::from(k), v)).collect())),
        ]
    })
}

fn mapping(entries: Vec<(&str, Value)>) -> Value {
    Value::Mapping(entries.into_iter().map(|(key, value)| (Value::from(key), value)).collect::<Mapping>())
}

const KINDS: [(&str, &[&str]); 7] = [
    ("Deployment", &["template", "spec"]),
    ("StatefulSet", &["template", "spec"]),
    ("DaemonSet", &["template", "spec"]),
    ("ReplicaSet", &["template", "spec"]),
    ("Job", &["template", "spec"]),
    ("CronJob", &["jobTemplate", "spec", "template", "spec"]),
    ("Pod", &[]),
];

/// Walks to the containers of an object.
fn containers<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut Vec<Value> {
    let mut at = &mut object["spec"];
    for step in path {
        at = &mut at[*step];
    }
    at["containers"].as_sequence_mut().unwrap()
}

fn take_what_may_differ(object: &mut Value, path: &[&str], container: &str) -> (Value, Value) {
    let annotations = object["metadata"].as_mapping_mut().unwrap().remove("annotations").unwrap_or(Value::Null);
    let mut resources = Value::Null;
    for item in containers(object, path) {
        if item["name"] == *container {
            resources = item.as_mapping_mut().unwrap().remove("resources").unwrap_or(Value::Null);
        }
    }
    (annotations, resources)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn only_the_named_containers_resources_and_the_annotations_differ(
        kind in 0..KINDS.len(),
        extras in prop::collection::vec(odd_value(), 6),
        others in 0..3_usize,
        has_resources in any::<bool>(),
        in_a_list in any::<bool>(),
        millis in 1..64_000_u64,
        mebibytes in 1..1_000_000_u64,
    ) {
        let (kind, path) = KINDS[kind];
        let mut items = vec![mapping(vec![("name", Value::from("app")), ("env", extras[0].clone())])];
        if has_resources {
            let resources = mapping(vec![
                ("requests", mapping(vec![("cpu", Value::from("9")), ("ephemeral-storage", Value::from("1Gi"))])),
                ("limits", mapping(vec![("cpu", Value::from("9")), ("nvidia.com/gpu", Value::from(1))])),
            ]);
            items[0].as_mapping_mut().unwrap().insert(Value::from("resources"), resources);
        }
        for other in 0..others {
            let resources = mapping(vec![("limits", mapping(vec![("memory", Value::from("9Gi"))]))]);
            items.push(mapping(vec![("name", Value::from(format!("other{other}"))), ("resources", resources)]));
        }
        let mut body = mapping(vec![("volumes", extras[1].clone()), ("containers", Value::Sequence(items))]);
        for step in path.iter().rev() {
            body = mapping(vec![(*step, body), ("extra", extras[2].clone())]);
        }
        let object = mapping(vec![
            ("apiVersion", Value::from("x/v1")),
            ("kind", Value::from(kind)),
            ("metadata", mapping(vec![("name", Value::from("shop.one")), ("labels", extras[3].clone())])),
            ("spec", body),
        ]);
        let data = mapping(vec![("kind", Value::from("ConfigMap")), ("data", extras[4].clone()), ("more", extras[5].clone())]);
        let documents = if in_a_list {
            vec![mapping(vec![("kind", Value::from("List")), ("items", Value::Sequence(vec![data, object]))])]
        } else {
            vec![data, object]
        };
        // JSON is YAML too, and does not come from the writer under test. What YAML 1.1 takes for a line break is escaped:
        // raw in a key of a flow mapping, the reader refuses it.
        let mut text = documents.iter().map(|d| serde_json::to_string(d).unwrap()).collect::<Vec<_>>().join("\n---\n");
        for (raw, escaped) in [('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029"), ('\u{85}', "\\u0085")] {
            text = text.replace(raw, escaped);
        }

        let options = EmitOptions {
            base: Some(Manifest::parse(&text).unwrap()),
            container: Some("app".to_owned()),
            ..EmitOptions::default()
        };
        let prediction = answered("checkout", millis, mebibytes);
        let emitted = Format::Kubernetes.emit(&[prediction], &options).unwrap().into_text();
        let mut after: Vec<Value> = serde_yaml::Deserializer::from_str(&emitted)
            .map(|document| serde::Deserialize::deserialize(document).unwrap())
            .collect();
        let mut before = documents;
        prop_assert_eq!(before.len(), after.len());
        let target = |documents: &mut Vec<Value>| {
            let object = if in_a_list { &mut documents[0]["items"][1] } else { &mut documents[1] };
            take_what_may_differ(object, path, "app")
        };
        let (_, had) = target(&mut before);
        let (annotations, got) = target(&mut after);
        prop_assert_eq!(before, after, "{}", emitted);
        prop_assert_eq!(&annotations["shadow.dev/decision"], &Value::from("neighbours"));
        prop_assert_eq!(got["requests"]["memory"].as_str().unwrap().parse::<shadow::units::Bytes>().unwrap().mebibytes_up(), mebibytes);
        prop_assert_eq!(&got["requests"]["memory"], &got["limits"]["memory"]);
        prop_assert_eq!(got["requests"]["cpu"].as_str().unwrap().parse::<shadow::units::Cores>().unwrap().millis_up(), millis);
        prop_assert!(got["limits"].get("cpu").is_none());
        if has_resources {
            prop_assert_eq!(&got["requests"]["ephemeral-storage"], &had["requests"]["ephemeral-storage"]);
            prop_assert_eq!(&got["limits"]["nvidia.com/gpu"], &had["limits"]["nvidia.com/gpu"]);
        }
    }
}
