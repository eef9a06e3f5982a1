//! Every output form, for plain and for nasty names, read back and put before the real tools where they are there.

use std::path::Path;
use std::process::Command;

use serde_yaml::Value;
use shadow::emit::{CpuLimit, EmitError, EmitOptions, Format, Manifest, WorkloadKind};
use shadow::predict::{Allocation, Prediction};
use shadow::units::{Bytes, Cores};

use crate::common::checkers::{checker, is_installed, terraform};
use crate::common::predictions::{abstained, answered};

pub(super) const NASTY: [&str; 14] = [
    "shop/checkout",
    "say \"hi\"",
    "two\nlines",
    "${var.x}",
    "%{if true}x%{endif}",
    "=1+1",
    "@SUM(A1)",
    "日本語",
    "yes",
    "012",
    "a: b # c",
    "\u{1b}[31mred\u{7}",
    "back\\slash\t'quote'",
    "",
];

const WHOLE: &str = "# the owner's own
apiVersion: v1
kind: Service
metadata: {name: checkout, namespace: shop}
spec:
  selector: {app: checkout}
  ports:
  - {port: 80, targetPort: 8080}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: scripts, namespace: shop}
data:
  answer: \"yes\"
  run.sh: |
    #!/bin/sh
    mode: 0644
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: shop, labels: {app: checkout}}
spec:
  replicas: 2
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec:
      containers:
      - name: app
        image: registry.example/checkout:1.4.2
        ports:
        - containerPort: 8080
        env:
        - {name: A, value: \"0123\"}
        volumeMounts:
        - name: scripts
          mountPath: /scripts
          readOnly: yes
      - {name: log-shipper, image: 'registry.example/log-shipper:2.0'}
      volumes:
      - name: scripts
        configMap:
          name: scripts
          defaultMode: 0755
";

/// Returns a base of each kind with a pod template.
pub(super) fn base_of(kind: &str) -> String {
    let pod = |indent: &str| {
        [
            "metadata:",
            "  labels: {app: x}",
            "spec:",
            "  restartPolicy: RESTART",
            "  containers:",
            "  - name: app",
            "    image: registry.example/x:1",
            "    ports:",
            "    - containerPort: 8080",
            "    resources:",
            "      requests: {cpu: 20m, ephemeral-storage: 1Gi}",
            "      limits: {cpu: 20m}",
        ]
        .iter()
        .flat_map(|line| [indent, line, "\n"])
        .collect::<String>()
    };
    let head =
        |version: &str| format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: x\n  namespace: shop\n");
    let selector = "  selector:\n    matchLabels: {app: x}\n";
    let text = match kind {
        "Pod" => {
            let body = pod("").replace("metadata:\n  labels: {app: x}\n", "");
            format!("{}  labels: {{app: x}}\n{body}", head("v1"))
        }
        "Job" => format!("{}spec:\n  template:\n{}", head("batch/v1"), pod("    ")),
        "CronJob" => format!(
            "{}spec:\n  schedule: \"0 3 * * *\"\n  jobTemplate:\n    spec:\n      template:\n{}",
            head("batch/v1"),
            pod("        ")
        ),
        "StatefulSet" => {
            format!("{}spec:\n  replicas: 3\n  serviceName: x\n{selector}  template:\n{}", head("apps/v1"), pod("    "))
        }
        "DaemonSet" => format!("{}spec:\n{selector}  template:\n{}", head("apps/v1"), pod("    ")),
        _ => format!("{}spec:\n  replicas: 3\n{selector}  template:\n{}", head("apps/v1"), pod("    ")),
    };
    text.replace("RESTART", if matches!(kind, "Job" | "CronJob") { "Never" } else { "Always" })
}

fn with_base(text: &str) -> EmitOptions {
    EmitOptions {
        base: Some(Manifest::parse(text).unwrap()),
        container: Some("app".to_owned()),
        ..EmitOptions::default()
    }
}

fn text_of(format: Format, predictions: &[Prediction], options: &EmitOptions) -> String {
    format.emit(predictions, options).unwrap().into_text()
}

#[test]
fn the_json_object_is_the_contract() {
    let object: serde_json::Value =
        serde_json::from_str(&text_of(Format::Json, &[answered("checkout", 420, 384)], &EmitOptions::default()))
            .unwrap();
    let expected = serde_json::json!({
        "schema": 1, "workload": "checkout", "window_s": 60.0, "observed_seconds": 60.0, "decision": "neighbours",
        "confidence": 0.88,
        "allocation": {"cpu_cores": 0.42, "memory_bytes": 402_653_184, "network_bytes_per_s": 125_000},
        "interval": {"cpu_cores": [0.001, 0.42], "memory_bytes": [1_048_576, 402_653_184]},
        "coverage": 0.95, "novelty": 0.12,
        "neighbours": [{
            "workload": "checkout", "application": "=cart", "distance": 0.08, "similarity": 0.5, "weight": 1.0,
            "memory_share": 1.0, "cpu_share": 1.0, "peak_memory_bytes": 402_653_184,
        }],
        "passed_over": ["no earlier instance of the same application"], "warnings": [],
    });
    assert_eq!(object, expected);
}

#[test]
fn an_explained_neighbour_says_what_it_needed_and_what_the_answer_would_be_without_it() {
    let mut explained = answered("checkout", 420, 384);
    explained.neighbours[0].without =
        Some(Allocation { memory: Some(Bytes::from_mebibytes(200)), ..Allocation::default() });
    explained.neighbours[0].distance_by_resource.insert("memory".to_owned(), 0.25);
    let text = text_of(Format::Json, &[explained.clone()], &EmitOptions::default());
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!({
        "cpu_p95_cores": 0.42, "memory_ratio": 1.2, "cpu_ratio": null,
        "squared_distance_by_resource": {"memory": 0.25},
        "without_it": {"cpu_cores": null, "memory_bytes": 209_715_200, "network_bytes_per_s": null},
    });
    assert_eq!(object["neighbours"][0]["card"], expected);
    let options = EmitOptions { explain: true, width: 160, ..EmitOptions::default() };
    let table = text_of(Format::Table, &[explained], &options);
    assert!(table.contains("without it (MiB)") && table.contains(" 200 "), "{table}");
    assert!(table.contains("memory²") && table.contains("0.250"), "{table}");
}

#[test]
fn what_is_unknown_or_not_finite_is_null_in_json_and_empty_in_csv() {
    let mut prediction = abstained("x");
    prediction.novelty = Some(f64::NAN);
    prediction.window_seconds = f64::INFINITY;
    let text = text_of(Format::Json, &[prediction.clone()], &EmitOptions::default());
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    for pointer in ["/novelty", "/window_s", "/allocation/cpu_cores", "/allocation/memory_bytes", "/interval/cpu_cores"]
    {
        assert_eq!(object.pointer(pointer), Some(&serde_json::Value::Null), "{pointer}");
    }
    let csv = text_of(Format::Csv, &[prediction], &EmitOptions::default());
    assert_eq!(csv.lines().nth(1), Some("x,x,,,,,,,,,,0.95,,60,0,abstain,"));
}

#[test]
fn names_come_back_from_every_data_form() {
    let predictions: Vec<Prediction> = NASTY.iter().map(|name| answered(name, 250, 512)).collect();
    let options = EmitOptions::default();
    let json: Vec<serde_json::Value> = serde_json::from_str(&text_of(Format::Json, &predictions, &options)).unwrap();
    let lines = text_of(Format::Jsonl, &predictions, &options);
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json, lines);
    let yaml = text_of(Format::Yaml, &predictions, &options);
    let documents: Vec<Value> =
        serde_yaml::Deserializer::from_str(&yaml).map(|d| serde::Deserialize::deserialize(d).unwrap()).collect();
    let csv = text_of(Format::Csv, &predictions, &options);
    let rows: Vec<csv::StringRecord> = csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect();
    for (position, name) in NASTY.iter().enumerate() {
        assert_eq!(json[position]["workload"], *name);
        assert_eq!(documents[position]["workload"], Value::from(*name));
        assert!(!rows[position][0].starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}");
        assert_eq!(rows[position][0].strip_prefix('\'').unwrap_or(&rows[position][0]), *name);
    }
    let table = text_of(Format::Table, &predictions, &EmitOptions { explain: true, ..options });
    assert!(table.chars().all(|c| c == '\n' || !c.is_control()), "{table}");
}

#[test]
fn the_table_fits_the_width_and_names_its_units() {
    for width in [60, 100, 160] {
        let options = EmitOptions { width, explain: true, ..EmitOptions::default() };
        let table = text_of(Format::Table, &[answered("checkout", 420, 384)], &options);
        assert!(table.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}:\n{table}");
        for word in ["checkout", "0.420", "384", "0.88", "cores"] {
            assert!(table.contains(word), "{word}:\n{table}");
        }
    }
}

#[test]
fn sizes_are_rounded_up_and_requests_never_exceed_limits() {
    let mut prediction = answered("x", 1, 1);
    prediction.allocation.cpu = Some(Cores::from_nanos(250_000_001));
    prediction.allocation.memory = Some(Bytes::new((512 << 20) + 1));
    let options = EmitOptions { cpu_limit: CpuLimit::Factor(1.5), memory_limit_factor: 1.1, ..EmitOptions::default() };
    let text = text_of(Format::KubernetesPatch, &[prediction.clone()], &options);
    let patch: Value = serde_yaml::from_str(&text).unwrap();
    let resources = &patch["spec"]["template"]["spec"]["containers"][0]["resources"];
    let expected: Value =
        serde_yaml::from_str("{requests: {cpu: 251m, memory: 513Mi}, limits: {cpu: 377m, memory: 565Mi}}").unwrap();
    assert_eq!(resources, &expected);
    for factor in [0.5, f64::NAN, f64::INFINITY] {
        let options = EmitOptions { memory_limit_factor: factor, ..EmitOptions::default() };
        let refused = Format::Terraform.emit(&[prediction.clone()], &options);
        assert!(matches!(refused, Err(EmitError::BadOption { .. })), "{refused:?}");
    }
    prediction.allocation.memory = Some(Bytes::new(u64::MAX));
    let refused = Format::Kubernetes.emit(&[prediction], &EmitOptions::default());
    assert!(matches!(refused, Err(EmitError::TooLarge { .. })), "{refused:?}");
}

#[test]
fn an_abstention_is_never_a_manifest() {
    let mut no_memory = answered("x", 1, 1);
    no_memory.allocation = Allocation { memory: None, ..no_memory.allocation };
    for format in Format::ALL {
        for prediction in [abstained("x"), no_memory.clone()] {
            for options in [EmitOptions::default(), with_base(WHOLE)] {
                match format.emit(std::slice::from_ref(&prediction), &options) {
                    Ok(_) => assert!(!format.is_manifest(), "{}", format.name()),
                    Err(error) => assert!(format.is_manifest() && error.is_abstention(), "{error}"),
                }
            }
        }
    }
    let both = [answered("x", 1, 1), abstained("y")];
    assert!(Format::KubernetesPatch.emit(&both, &EmitOptions::default()).is_err());
}

#[test]
fn bases_that_do_not_fit_are_refused_with_what_they_hold() {
    let one = [answered("nothing", 1, 1)];
    let message = |text: &str, change: &dyn Fn(&mut EmitOptions)| {
        let mut options = with_base(text);
        options.container = None;
        change(&mut options);
        Format::Kubernetes.emit(&one, &options).unwrap_err().to_string()
    };
    assert_eq!(
        message(&base_of("Deployment"), &|o| o.name = Some("y".to_owned())),
        "the base manifest holds no workload `y`; it holds `Deployment/x`"
    );
    assert_eq!(
        message(&base_of("Deployment"), &|o| o.container = Some("y".to_owned())),
        "the base manifest holds no container `y`; it holds `app`"
    );
    let two = format!("{}---\n{}", base_of("Deployment"), base_of("StatefulSet"));
    assert_eq!(
        message(&two, &|_| ()),
        "the base manifest holds several workloads: `Deployment/x`, `StatefulSet/x`; choose with `--name`"
    );
    let invalid = base_of("Deployment").replace("name: x", "name: X_y");
    assert!(message(&invalid, &|_| ()).starts_with("the object's name `X_y` is not a name"));
    for text in ["", "# nothing\n", "a: [", "- 1\n", "3", "a: 1\na: 2\n", "a: &x [*x]"] {
        assert!(matches!(Manifest::parse(text), Err(EmitError::BadBase(_))), "{text}");
    }
    assert!(Manifest::parse(&"#".repeat((8 << 20) + 1)).is_err());
    for kind in [WorkloadKind::Pod, WorkloadKind::Job] {
        let options = EmitOptions { kind: Some(kind), ..EmitOptions::default() };
        assert!(matches!(Format::KubernetesPatch.emit(&one, &options), Err(EmitError::NeedsBase(_))));
    }
}

#[test]
fn a_live_object_is_a_base_and_merging_twice_gives_the_same_bytes() {
    let live = base_of("Deployment").replace(
        "metadata:\n  name: x\n",
        "metadata:\n  name: x\n  uid: u\n  resourceVersion: \"7\"\n  generation: 2\n  creationTimestamp: null\n  selfLink: /x\n  \
         managedFields: []\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: \"{}\"\n    \
         deployment.kubernetes.io/revision: \"1\"\n    mine: kept\n",
    ) + "status:\n  replicas: 3\n";
    let prediction = [answered("x", 250, 512)];
    let once = text_of(Format::Kubernetes, &prediction, &with_base(&live));
    for held in [
        "status:",
        "uid:",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "selfLink",
        "managedFields",
        "kubectl.kubernetes.io",
        "revision",
    ] {
        assert!(!once.contains(held), "{held}:\n{once}");
    }
    assert!(once.contains("mine: kept"));
    assert_eq!(text_of(Format::Kubernetes, &prediction, &with_base(&once)), once);
}

#[test]
fn sizes_that_are_shared_through_an_anchor_change_for_the_named_container_alone() {
    let base = base_of("Deployment").replace(
        "          requests: {cpu: 20m, ephemeral-storage: 1Gi}\n          limits: {cpu: 20m}\n",
        "          requests: &small {cpu: 20m} # shared\n          limits: {cpu: 20m}\n      - name: proxy\n        image: p\n        resources: {requests: *small}\n",
    );
    assert!(base.contains("*small"), "{base}");
    let emitted = Format::Kubernetes.emit(&[answered("x", 250, 512)], &with_base(&base)).unwrap();
    assert!(
        emitted.hints.iter().any(|hint| hint.contains("comments and layout could not be kept")),
        "{:?}",
        emitted.hints
    );
    let object: Value = serde_yaml::from_str(&emitted.into_text()).unwrap();
    let containers = &object["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["resources"]["requests"]["cpu"], Value::from("250m"));
    assert_eq!(containers[1]["resources"]["requests"]["cpu"], Value::from("20m"));
}

#[test]
fn comments_of_a_base_stay_and_its_head_is_not_doubled() {
    let once = text_of(Format::Kubernetes, &[answered("checkout", 250, 512)], &with_base(WHOLE));
    assert!(once.contains("# the owner's own\n") && once.contains("readOnly: yes\n"), "{once}");
    assert!(once.contains("defaultMode: 0755\n"), "{once}");
    let twice = text_of(Format::Kubernetes, &[answered("checkout", 250, 512)], &with_base(&once));
    assert_eq!(once, twice);
    assert_eq!(once.matches("# shadow ").count(), 1, "{once}");
}

#[test]
fn the_evidence_travels_as_annotations() {
    let options =
        EmitOptions { name: Some("cart".to_owned()), container: Some("app".to_owned()), ..EmitOptions::default() };
    let mut prediction = answered("Shop/\ncart", 250, 512);
    prediction.coverage = 0.57;
    let patch: Value = serde_yaml::from_str(&text_of(Format::KubernetesPatch, &[prediction], &options)).unwrap();
    let expected: Value = serde_yaml::from_str(
        r#"{shadow.dev/version: "0.1.0", shadow.dev/observed: 60s, shadow.dev/window: 60s, shadow.dev/decision: neighbours,
            shadow.dev/basis: "1 neighbour of 48201 workloads, nearest at 0.08", shadow.dev/confidence: "0.88",
            shadow.dev/coverage: "57%", shadow.dev/novelty: "0.12",
            shadow.dev/store: "b3:0123456789abcdef", shadow.dev/workload: "Shop/\ncart",
            shadow.dev/app.cpu: "57% interval 1m..250m", shadow.dev/app.memory: "57% interval 1Mi..512Mi"}"#,
    )
    .unwrap();
    assert_eq!(patch["metadata"]["annotations"], expected);
    assert_eq!(patch["metadata"]["name"], Value::from("cart"));
}

#[test]
fn terraform_as_several_files_keeps_the_numbers_apart() {
    let options = EmitOptions { several_files: true, ..EmitOptions::default() };
    let emitted = Format::Terraform.emit(&[answered("${x}", 250, 512)], &options).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let paths = emitted.write_into(folder.path()).unwrap();
    let names: Vec<_> = paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["shadow.tf", "shadow.auto.tfvars.json"]);
    let numbers: serde_json::Value = serde_json::from_str(&fs_err::read_to_string(&paths[1]).unwrap()).unwrap();
    // In variable files strings are literal.
    assert_eq!(numbers["shadow"]["workload"], "${x}");
    assert!(!fs_err::read_to_string(&paths[0]).unwrap().contains("default = {"));
}

pub(super) fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
}

/// Runs the checker over `folder` and fails with what it found wrong.
pub(super) fn check(script: &Path, folder: &Path, test: &str) {
    let out = Command::new("bash").arg(script).arg(folder).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    if text.is_empty() {
        eprintln!("skipped {test}: the checkers could not be installed: {}", String::from_utf8_lossy(&out.stderr));
        return;
    }
    let failed: Vec<&str> = text.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert!(
        out.status.success() && failed.is_empty(),
        "{}\n{}",
        failed.join("\n"),
        text.lines().last().unwrap_or_default()
    );
    eprintln!("{test}: {}", text.lines().last().unwrap_or_default());
}

#[test]
fn the_real_kubernetes_tools_take_what_is_emitted() {
    const TEST: &str = "the_real_kubernetes_tools_take_what_is_emitted";
    let Some(script) = checker("check_emitted.sh", TEST) else { return };
    if !is_installed("kubectl", TEST) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| write(folder.path(), name, text);
    let prediction = [answered("checkout", 250, 512)];
    put("whole.base.yaml", WHOLE);
    put("whole.yaml", &text_of(Format::Kubernetes, &prediction, &with_base(WHOLE)));
    for kind in ["StatefulSet", "DaemonSet", "ReplicaSet", "CronJob"] {
        let base = base_of(kind);
        put(&format!("{kind}.base.yaml"), &base);
        put(&format!("{kind}.yaml"), &text_of(Format::Kubernetes, &prediction, &with_base(&base)));
    }
    for kind in ["Pod", "Job"] {
        // Their resources cannot change in place: the merged object is for a new one.
        put(&format!("{kind}.yaml"), &text_of(Format::Kubernetes, &prediction, &with_base(&base_of(kind))));
    }
    for (position, name) in NASTY.iter().enumerate() {
        let options = EmitOptions {
            namespace: Some("shop".to_owned()),
            kind: Some(if position % 2 == 0 { WorkloadKind::Deployment } else { WorkloadKind::CronJob }),
            cpu_limit: if position % 3 == 0 { CpuLimit::Factor(2.0) } else { CpuLimit::None },
            ..EmitOptions::default()
        };
        put(
            &format!("patch{position}.yaml"),
            &text_of(Format::KubernetesPatch, &[answered(name, 250 + position as u64, 512)], &options),
        );
    }
    let long = "x".repeat(5000);
    put("long.yaml", &text_of(Format::Kubernetes, &[answered(&long, 2000, 1536)], &EmitOptions::default()));
    let predictions: Vec<Prediction> = NASTY.iter().map(|name| answered(name, 250, 512)).collect();
    put("result.json", &text_of(Format::Json, &predictions, &EmitOptions::default()));
    put("result.csv", &text_of(Format::Csv, &predictions, &EmitOptions::default()));
    check(&script, folder.path(), TEST);
}

#[test]
fn the_real_terraform_takes_what_is_emitted() {
    const TEST: &str = "the_real_terraform_takes_what_is_emitted";
    if !is_installed("terraform", TEST) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.tfrc");
    let terraform = |within: &Path, arguments: &[&str]| terraform(within, &settings, arguments);
    for (position, name) in NASTY.iter().enumerate() {
        let several_files = position % 2 == 1;
        let options = EmitOptions {
            several_files,
            cpu_limit: if position % 3 == 0 { CpuLimit::Factor(2.0) } else { CpuLimit::None },
            ..EmitOptions::default()
        };
        let module = folder.path().join(format!("module{position}"));
        Format::Terraform.emit(&[answered(name, 250, 512)], &options).unwrap().write_into(&module).unwrap();
        terraform(&module, &["fmt", "-check", "shadow.tf"]);
        if position > 7 {
            continue;
        }
        terraform(&module, &["init", "-input=false", "-no-color"]);
        terraform(&module, &["validate", "-no-color"]);
        terraform(&module, &["plan", "-input=false", "-no-color", "-out=plan"]);
        let plan: serde_json::Value = serde_json::from_str(&terraform(&module, &["show", "-json", "plan"])).unwrap();
        let planned = &plan["planned_values"]["root_module"]["resources"][0]["values"]["input"];
        assert_eq!(planned["workload"], *name, "{plan}");
        let resources = plan["planned_values"]["outputs"]["resources"]["value"].as_object().unwrap();
        let sizes = resources.values().next().unwrap();
        assert_eq!(sizes["requests"], serde_json::json!({"cpu": "250m", "memory": "512Mi"}));
        let limited = sizes["limits"]["cpu"].as_str();
        assert_eq!(limited, (position % 3 == 0).then_some("500m"), "{sizes}");
    }
}

#[test]
fn network_bandwidth_stands_on_the_pods_where_it_was_asked_for() {
    for kind in ["Deployment", "CronJob", "Pod"] {
        let options = EmitOptions { has_network: true, ..with_base(&base_of(kind)) };
        let text = text_of(Format::Kubernetes, &[answered("x", 250, 512)], &options);
        let object: Value = serde_yaml::from_str(&text).unwrap();
        let template = match kind {
            "Pod" => &object,
            "CronJob" => &object["spec"]["jobTemplate"]["spec"]["template"],
            _ => &object["spec"]["template"],
        };
        for direction in ["ingress", "egress"] {
            let key = format!("kubernetes.io/{direction}-bandwidth");
            assert_eq!(template["metadata"]["annotations"][key], Value::from("1M"), "{text}");
        }
        assert_eq!(template["metadata"]["labels"]["app"], Value::from("x"), "{text}");
    }
    let mut silent = answered("x", 250, 512);
    silent.allocation.network = None;
    let options = EmitOptions { has_network: true, ..EmitOptions::default() };
    let refused = Format::KubernetesPatch.emit(&[silent], &options);
    assert!(matches!(refused, Err(EmitError::MissingResource { resource: "network bandwidth", .. })), "{refused:?}");
}
