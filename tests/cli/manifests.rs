//! What `shadow predict` writes for other tools, before the tools: any name comes back whole, and what is piped is taken.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::common::World;
use crate::common::answers::{Seen, indexed, newcomer, table};
use crate::common::checkers::{checker, is_installed, python, terraform};

/// Names with meanings to shells, YAML, Terraform, spreadsheets and terminals.
const NASTY: [&str; 16] = [
    "say \"hi\" and 'bye'",
    "two\nlines",
    "two\r\nlines",
    "${var.x}",
    "%{if true}x%{endif}",
    "$(touch pwned); `touch pwned` && rm -rf x | true > pwned",
    "a: b # c",
    "- *anchor &b !tag",
    "{flow: [1, 2]}",
    "---",
    "yes",
    "012",
    "=1+1",
    "\u{1b}[31mred\u{7}",
    "back\\slash",
    "日本語/ünï",
];

/// Returns the newcomer of the sample under each nasty name.
fn nasty() -> Vec<Seen> {
    NASTY.map(|name| Seen { name: name.to_owned(), ..newcomer() }).to_vec()
}

#[test]
fn names_come_back_from_every_data_form() {
    let world = indexed();
    world.write("batch.csv", table(&nasty()));
    let text = |form: &str| world.run(["predict", "batch.csv", "-o", form]).expect_code(0).stdout;
    let mut expected = NASTY.to_vec();
    expected.sort_unstable();
    let names = |answers: &[Value]| -> Vec<String> {
        let mut names: Vec<String> = answers.iter().map(|one| one["workload"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    let json: Vec<Value> = serde_json::from_str(&text("json")).unwrap();
    assert_eq!(names(&json), expected);
    let lines: Vec<Value> = text("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(names(&lines), expected);
    let yaml = text("yaml");
    let documents: Vec<Value> = serde_yaml::Deserializer::from_str(&yaml)
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .collect();
    assert_eq!(names(&documents), expected);
    let csv = text("csv");
    let mut found: Vec<String> = csv::Reader::from_reader(csv.as_bytes())
        .records()
        .map(|row| row.unwrap()[0].to_owned())
        .inspect(|name| assert!(!name.starts_with(['=', '+', '-', '@']), "a formula: {name}"))
        .map(|name| name.strip_prefix('\'').unwrap_or(&name).to_owned())
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    let answer = world.run(["predict", "batch.csv", "-o", "table", "--explain"]).expect_code(0);
    let is_harmless = |c: char| c == '\n' || !c.is_control();
    assert!(answer.stdout.chars().all(is_harmless) && answer.stderr.chars().all(is_harmless), "{:?}", answer.stdout);
}

#[test]
fn names_come_back_from_manifests() {
    let world = indexed();
    for seen in nasty() {
        let name = seen.name.clone();
        world.write("one.csv", table(&[seen]));
        let text = world.run(["predict", "one.csv", "-o", "kubernetes-patch"]).expect_code(0).stdout;
        let patch: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name:?}: {error}\n{text}"));
        let object = patch["metadata"]["name"].as_str().unwrap();
        // The annotation says the name where the object cannot.
        let said = &patch["metadata"]["annotations"]["shadow.dev/workload"];
        assert_eq!(said.as_str().unwrap_or(object), name, "{text}");
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(!object.is_empty() && object.chars().all(is_plain), "{name:?} became `{object}`");
        assert_eq!(serde_yaml::Deserializer::from_str(&text).count(), 1, "{name:?} is several documents");
        world.run(["predict", "one.csv", "-o", "terraform", "--out", "module"]).expect_code(0);
        let numbers = std::fs::read(world.path("module/shadow.auto.tfvars.json")).unwrap();
        let numbers: Value = serde_json::from_slice(&numbers).unwrap();
        assert_eq!(numbers["shadow"]["workload"], *name);
    }
    assert!(!world.path("pwned").exists());
}

#[test]
fn facts_with_escapes_are_harmless_in_messages() {
    let world = indexed();
    world.write("facts.csv", "workload,application,class\na,\"x\u{1b}[31m\r${y}\",\"z\u{7}\"\n");
    for form in ["table", "json", "kubernetes-patch"] {
        let command = ["predict", "sample.csv", "--workloads", "facts.csv", "--explain", "-o", form];
        let answer = world.run(command).expect_code(0);
        let text = answer.stdout + &answer.stderr;
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{form}: {text:?}");
    }
    let command = ["predict", "sample.csv", "--workloads", "facts.csv", "--coverage", "0.999"];
    let answer = world.run(command).expect_code(4);
    assert!(answer.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", answer.stderr);
}

#[test]
fn every_form_is_wired_and_options_of_other_forms_are_refused() {
    let world = indexed();
    world.write("stack.yml", "services:\n  web: {image: x}\n");
    let said = |arguments: &[&str]| world.run([&["predict", "sample.csv", "-o"], arguments].concat());
    for (arguments, expected) in [
        (&["kustomize"][..], "kind: Component"),
        (&["helm-values", "--helm-path", "backend.app"], "backend:\n  app:\n    resources:"),
        (&["strategic-merge"], "--type strategic"),
        (&["terraform-kubernetes"], "resource \"kubernetes_deployment_v1\" \"a\""),
        (&["json-patch"], "/spec/template/spec/containers/0/resources"),
        (&["resize", "--name", "web-7d"], "kubectl patch pod web-7d --subresource resize"),
        (&["limit-range"], "kind: LimitRange"),
        (&["vpa"], "updateMode: \"Off\""),
        (&["vpa-checkpoint", "--day", "2026-05-04"], "referenceTimestamp: \"2026-05-04T00:00:00Z\""),
        (&["swarm"], "reservations:"),
        (&["compose", "--base", "stack.yml"], "image: x"),
        (&["terraform-aws", "--replicas", "9"], "resource \"aws_instance\" \"a\""),
        (&["terraform-gcp", "--arch", "arm64"], "resource \"google_compute_instance\" \"a\""),
        (&["terraform-azure"], "resource \"azurerm_linux_virtual_machine\" \"a\""),
    ] {
        let answer = said(arguments).expect_code(0);
        assert!(answer.stdout.contains(expected), "{arguments:?}: {}", answer.stdout);
        assert!(answer.stderr.contains("hint: "), "{arguments:?}: {}", answer.stderr);
    }
    for (arguments, expected) in [
        (&["kustomize", "--base", "stack.yml"][..], "not made from a manifest"),
        (&["json", "--helm-path", "x"], "`--helm-path` is for `-o helm-values`"),
        (&["vpa", "--day", "2026-05-04"], "`--day` is for `-o vpa-checkpoint`"),
        (&["vpa-checkpoint"], "--day"),
        (&["terraform-aws", "--provider", "gcp"], "names another cloud"),
        (&["vpa", "--granularity", "network"], "no place for network bandwidth"),
    ] {
        let answer = said(arguments).expect_code(2);
        assert!(answer.stderr.contains(expected), "{arguments:?}: {}", answer.stderr);
    }
    let answer = said(&["kustomize", "--out", "part"]).expect_code(0);
    assert!(answer.stdout.is_empty() && world.path("part/kustomization.yaml").is_file(), "{}", answer.stderr);
}

/// A stand-in for an API server, ended with the test.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(python: &Path, script: &Path) -> Self {
        let mut process =
            Command::new(python).arg(script).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "{line}");
        Self { process, address }
    }

    /// Runs kubectl against it with `input`; returns what it printed, or fails.
    fn kubectl(&self, world: &World, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new("kubectl")
            .args(["--server", &self.address, "--cache-dir", "cache"])
            .args(arguments)
            .current_dir(world.root())
            .env("HOME", world.root())
            .env_remove("KUBECONFIG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(output.status.success(), "kubectl {arguments:?}: {stdout}{stderr}");
        stdout
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

const DEPLOYMENT: &str = "# the owner's own
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
      - {name: app, image: 'registry.example/checkout:1.4.2'}
      - {name: proxy, image: 'registry.example/proxy:2'}
";

#[test]
fn kubectl_takes_what_is_piped_into_it() {
    const TEST: &str = "kubectl_takes_what_is_piped_into_it";
    let (Some(script), Some(python)) = (checker("fake_apiserver.py", TEST), python(TEST)) else { return };
    if !is_installed("kubectl", TEST) {
        return;
    }
    let world = indexed();
    let server = Server::start(&python, &script);
    world.write("deployment.yaml", DEPLOYMENT);
    // The namespace `shop` is there from the start.
    let whole = ["predict", "sample.csv", "-o", "kubernetes", "--base", "deployment.yaml", "--container", "app"];
    let whole = world.run(whole).expect_code(0).stdout;
    let said = server.kubectl(&world, &["apply", "--dry-run=server", "-f", "-"], &whole);
    assert!(said.contains("deployment.apps/checkout created (server dry run)"), "{said}");
    server.kubectl(&world, &["apply", "-f", "-"], &whole);
    let live = server.kubectl(&world, &["get", "deployment", "checkout", "-n", "shop", "-o", "json"], "");
    let live: Value = serde_json::from_str(&live).unwrap();
    let answer = crate::common::answers::json_of(&world, &["predict", "sample.csv"]);
    let mebibytes = answer["allocation"]["memory_bytes"].as_u64().unwrap() >> 20;
    let containers = &live["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["resources"]["requests"]["memory"], format!("{mebibytes}Mi"), "{live}");
    assert_eq!(containers[1]["resources"], Value::Null, "{live}");
    // The live object is a base as good as the file, and what comes of it changes nothing.
    let from_live = serde_json::to_string(&live).unwrap();
    let command = ["predict", "sample.csv", "--base", "-", "--container", "app"];
    let again = world.run_with(command, from_live.as_bytes()).expect_code(0).stdout;
    let said = server.kubectl(&world, &["apply", "--dry-run=server", "-f", "-"], &again);
    assert!(said.contains("deployment.apps/checkout unchanged"), "{said}");
    let patch = ["predict", "sample.csv", "-o", "kubernetes-patch", "--name", "checkout", "--namespace", "shop"];
    let patch = world.run([&patch[..], &["--container", "proxy", "--cpu-limit"]].concat()).expect_code(0).stdout;
    let arguments = ["patch", "deployment", "checkout", "-n", "shop", "--patch-file", "/dev/stdin"];
    let said = server.kubectl(&world, &arguments, &patch);
    assert!(said.contains("deployment.apps/checkout patched"), "{said}");
}

#[test]
fn terraform_takes_the_module() {
    const TEST: &str = "terraform_takes_the_module";
    if !is_installed("terraform", TEST) {
        return;
    }
    let world = indexed();
    let terraform = |folder: &str, arguments: &[&str]| {
        terraform(&world.path(folder), &world.path("settings.tfrc"), arguments);
    };
    for (folder, name) in [("plain", "a"), ("nasty", "${x} \"%{y}\"\n`z`")] {
        world.write("one.csv", table(&[Seen { name: name.to_owned(), ..newcomer() }]));
        world.run(["predict", "one.csv", "-o", "terraform", "--out", folder]).expect_code(0);
        world.write(
            &format!("{folder}-single/shadow.tf"),
            world.run(["predict", "one.csv", "-o", "terraform"]).expect_code(0).stdout,
        );
        for folder in [folder.to_owned(), format!("{folder}-single")] {
            terraform(&folder, &["fmt", "-check", "shadow.tf"]);
            terraform(&folder, &["init", "-input=false", "-no-color"]);
            terraform(&folder, &["validate", "-no-color"]);
        }
    }
}
