//! The forms beside the plain manifest: what they hold, what they refuse, and the real tools on all of them with nasty
//! names.

use serde_json::json;
use serde_yaml::Value;
use shadow::emit::instances::{Catalogue, Provider, Reserve, Terms};
use shadow::emit::{CpuLimit, EmitError, EmitOptions, Format, Manifest, Renting, WorkloadKind};
use shadow::predict::Prediction;
use shadow::units::{Bytes, Micros};

use super::emitted::{NASTY, base_of, check, write};
use crate::common::checkers::{checker, is_installed};
use crate::common::predictions::answered;

const STACK: &str = "# the owner's own
services:
  web:
    image: registry.example/web:1
    ports:
    - \"8080:80\"
    deploy:
      replicas: 2
      labels:
      - \"team=shop\"
      resources:
        limits: {cpus: \"0.1\", memory: 20M, pids: 100}
  db:
    image: registry.example/db:2
    environment: {MODE: \"yes\", COUNT: \"012\"}
networks:
  inner: {}
";

/// Monday, 4 May 2026.
const DAY: Micros = Micros::from_seconds(1_777_852_800);

fn named(name: &str) -> EmitOptions {
    EmitOptions {
        name: Some(name.to_owned()),
        namespace: Some("shop".to_owned()),
        container: Some("app".to_owned()),
        day: Some(DAY),
        ..EmitOptions::default()
    }
}

fn text_of(format: Format, prediction: &Prediction, options: &EmitOptions) -> String {
    format.emit(std::slice::from_ref(prediction), options).unwrap().into_text()
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text).map(|one| serde::Deserialize::deserialize(one).unwrap()).collect()
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn a_component_is_several_files_or_one_that_works_alone() {
    let both = [answered("checkout", 250, 512), answered("cart", 100, 64)];
    let folder = EmitOptions { several_files: true, ..EmitOptions::default() };
    let emitted = Format::Kustomize.emit(&both, &folder).unwrap();
    let names: Vec<&str> = emitted.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["checkout-deployment.yaml", "cart-deployment.yaml", "kustomization.yaml"]);
    let component = yaml(&emitted.files[2].text);
    assert_eq!(component["kind"], Value::from("Component"));
    assert_eq!(component["patches"][1]["path"], Value::from("cart-deployment.yaml"));
    assert_eq!(component["patches"][1]["target"], yaml("{kind: Deployment, name: cart}"));
    let alone = yaml(&Format::Kustomize.emit(&both, &EmitOptions::default()).unwrap().into_text());
    let inside = yaml(alone["patches"][0]["patch"].as_str().unwrap());
    assert_eq!(inside, yaml(&emitted.files[0].text));
}

#[test]
fn values_stand_under_the_path_and_hold_nothing_else() {
    let options = EmitOptions { helm_path: Some("backend.on".to_owned()), ..EmitOptions::default() };
    let values = yaml(&text_of(Format::HelmValues, &answered("x", 250, 512), &options));
    let expected = "{backend: {\"on\": {resources: {requests: {cpu: 250m, memory: 512Mi}, limits: {memory: 512Mi}}}}}";
    assert_eq!(values, yaml(expected));
    for path in ["", ".a", "a..b", "a\nb"] {
        let options = EmitOptions { helm_path: Some(path.to_owned()), ..EmitOptions::default() };
        let refused = Format::HelmValues.emit(&[answered("x", 250, 512)], &options);
        assert!(matches!(refused, Err(EmitError::BadOption { option: "--helm-path", .. })), "{path}: {refused:?}");
    }
}

#[test]
fn a_json_patch_finds_its_container_and_keeps_its_other_resources() {
    let operations = |options: &EmitOptions| -> serde_json::Value {
        serde_json::from_str(&text_of(Format::JsonPatch, &answered("x", 250, 512), options)).unwrap()
    };
    let first = operations(&named("x"));
    let path = "/spec/template/spec/containers/0";
    let sizes = json!({"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}});
    let expected = json!([
        {"op": "test", "path": format!("{path}/name"), "value": "app"},
        {"op": "add", "path": format!("{path}/resources"), "value": sizes},
    ]);
    assert_eq!(first, expected);
    let base =
        base_of("CronJob").replace("          - name: app\n", "          - name: first\n          - name: app\n");
    let options = EmitOptions { base: Some(Manifest::parse(&base).unwrap()), name: None, ..named("x") };
    let found = operations(&options);
    assert_eq!(found[0]["path"], "/spec/jobTemplate/spec/template/spec/containers/1/name");
    assert_eq!(found[1]["value"]["requests"]["ephemeral-storage"], "1Gi");
    assert!(found[1]["value"]["limits"].get("cpu").is_none(), "{found}");
    let pod = EmitOptions { base: Some(Manifest::parse(&base_of("Pod")).unwrap()), name: None, ..named("x") };
    let refused = Format::JsonPatch.emit(&[answered("x", 250, 512)], &pod);
    assert!(matches!(refused, Err(EmitError::NeedsBase("Pod"))), "{refused:?}");
}

#[test]
fn several_workloads_go_into_the_containers_that_were_named_for_them() {
    let base = base_of("Deployment")
        .replace("      - name: app\n", "      - name: proxy\n        image: p\n      - name: app\n");
    let given = |pairs: &[(&str, &str)]| EmitOptions {
        base: Some(Manifest::parse(&base).unwrap()),
        containers: pairs
            .iter()
            .map(|(workload, container)| ((*workload).to_owned(), (*container).to_owned()))
            .collect(),
        ..EmitOptions::default()
    };
    let both = [answered("shop/main", 250, 512), answered("shop/side=car", 50, 32)];
    let options = given(&[("shop/main", "app"), ("shop/side=car", "proxy")]);
    let object = yaml(&Format::Kubernetes.emit(&both, &options).unwrap().into_text());
    let containers = &object["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["resources"]["requests"], yaml("{cpu: 50m, memory: 32Mi}"));
    assert_eq!(containers[1]["resources"]["requests"]["cpu"], Value::from("250m"));
    let notes = &object["metadata"]["annotations"];
    assert_eq!(notes["shadow.dev/app.workload"], Value::from("shop/main"));
    assert_eq!(notes["shadow.dev/proxy.workload"], Value::from("shop/side=car"));
    assert_eq!(notes["shadow.dev/proxy.confidence"], Value::from("0.88"));
    let same = given(&[("shop/main", "app"), ("shop/side=car", "app")]);
    let refused = Format::Kubernetes.emit(&both, &same);
    assert!(matches!(refused, Err(EmitError::BadOption { option: "--container", .. })), "{refused:?}");
    let unnamed = Format::Kubernetes.emit(&both, &given(&[("shop/main", "app")]));
    assert!(matches!(unnamed, Err(EmitError::Ambiguous { what: "containers", .. })), "{unnamed:?}");
}

#[test]
fn a_limit_range_sets_no_cpu_limit_unless_asked() {
    let object = yaml(&text_of(Format::LimitRange, &answered("x", 250, 512), &named("shop-defaults")));
    let expected = "[{type: Container, default: {memory: 512Mi}, defaultRequest: {cpu: 250m, memory: 512Mi}}]";
    assert_eq!(object["spec"]["limits"], yaml(expected));
    let limited = EmitOptions { cpu_limit: CpuLimit::Factor(2.0), ..named("shop-defaults") };
    let object = yaml(&text_of(Format::LimitRange, &answered("x", 250, 512), &limited));
    assert_eq!(object["spec"]["limits"][0]["default"]["cpu"], Value::from("500m"));
}

#[test]
fn a_resize_is_for_pods_and_holds_names_and_resources_alone() {
    let patch = yaml(&text_of(Format::Resize, &answered("x", 250, 512), &named("checkout-7d")));
    let sized = "{name: app, resources: {requests: {cpu: 250m, memory: 512Mi}, limits: {memory: 512Mi}}}";
    assert_eq!(patch, yaml(&format!("{{spec: {{containers: [{sized}]}}}}")));
    let options = EmitOptions { kind: Some(WorkloadKind::Deployment), ..named("x") };
    assert!(Format::Resize.emit(&[answered("x", 250, 512)], &options).is_err());
}

#[test]
fn an_autoscaler_recommends_only_and_its_bounds_are_the_interval() {
    let options = EmitOptions { kind: Some(WorkloadKind::StatefulSet), ..named("db") };
    let text = text_of(Format::Vpa, &answered("x", 1500, 2048), &options);
    assert!(text.contains("updateMode: \"Off\""), "{text}");
    let spec = &yaml(&text)["spec"];
    assert_eq!(spec["targetRef"], yaml("{apiVersion: apps/v1, kind: StatefulSet, name: db}"));
    let policy = "{containerName: app, minAllowed: {cpu: 1m, memory: 1Mi}, maxAllowed: {cpu: 1500m, memory: 2Gi}}";
    assert_eq!(spec["resourcePolicy"]["containerPolicies"][0], yaml(policy));
    let pod = EmitOptions { kind: Some(WorkloadKind::Pod), ..named("x") };
    assert!(Format::Vpa.emit(&[answered("x", 1, 1)], &pod).is_err());
}

#[test]
fn a_warm_start_lets_the_recommender_say_the_prediction_at_once() {
    let mut prediction = answered("x", 250, 512);
    let mut smaller = prediction.neighbours[0].clone();
    smaller.memory_peak = Some(Bytes::from_mebibytes(128));
    prediction.neighbours.push(smaller);
    let written = documents(&text_of(Format::VpaCheckpoint, &prediction, &named("checkout")));
    assert_eq!(written[0]["kind"], Value::from("VerticalPodAutoscaler"));
    let checkpoint = &written[1];
    assert_eq!(checkpoint["metadata"], yaml("{name: checkout-app, namespace: shop}"));
    assert_eq!(checkpoint["spec"], yaml("{vpaObjectName: checkout, containerName: app}"));
    let status = &checkpoint["status"];
    assert_eq!((&status["version"], &status["totalSamplesCount"]), (&Value::from("v3"), &Value::from(1440)));
    for (histogram, first, amount) in [("cpuHistogram", 0.01, 0.25), ("memoryHistogram", 1e7, 512.0 * 1_048_576.0)] {
        assert_eq!(status[histogram]["referenceTimestamp"], Value::from("2026-05-04T00:00:00Z"));
        // As the recommender reads it back: the end of the bucket in which nine tenths are reached, with its 15 %.
        let weights = status[histogram]["bucketWeights"].as_mapping().unwrap();
        let of = |(bucket, weight): (&Value, &Value)| {
            (bucket.as_str().unwrap().parse::<i32>().unwrap(), weight.as_f64().unwrap())
        };
        let total: f64 = weights.iter().map(of).map(|(_, weight)| weight).sum();
        let mut passed = 0.0;
        let reached = weights.iter().map(of).find(|(_, weight)| {
            passed += weight;
            passed >= 0.9 * total
        });
        let end = first * (1.05_f64.powi(reached.unwrap().0 + 1) - 1.0) / 0.05;
        let said = end * 1.15;
        assert!(said >= amount && said < amount * 1.1, "{histogram}: {said} for {amount}");
    }
    let undated = EmitOptions { day: None, ..named("x") };
    let refused = Format::VpaCheckpoint.emit(&[prediction], &undated);
    assert!(matches!(refused, Err(EmitError::BadOption { option: "--day", .. })), "{refused:?}");
}

#[test]
fn a_stack_keeps_everything_but_the_sizes_of_its_service() {
    let base = EmitOptions { base: Some(Manifest::parse(STACK).unwrap()), has_network: true, ..EmitOptions::default() };
    for format in [Format::Swarm, Format::Compose] {
        let mut found = yaml(&text_of(format, &answered("web", 250, 512), &base));
        let sizes = "{limits: {memory: 512M, pids: 100}, reservations: {cpus: \"0.25\", memory: 512M}}";
        let deploy = &mut found["services"]["web"]["deploy"];
        assert_eq!(deploy["resources"], yaml(sizes));
        assert_eq!(deploy["labels"], yaml("[\"team=shop\", \"shadow.dev/bandwidth-bits-per-second=1M\"]"));
        let mut before = yaml(STACK);
        for key in ["resources", "labels"] {
            deploy[key] = Value::Null;
            before["services"]["web"]["deploy"][key] = Value::Null;
        }
        assert_eq!(found, before);
        let message = format.emit(&[answered("other", 1, 1)], &base).unwrap_err().to_string();
        assert!(message.contains("several services: `web`, `db`; choose with `--name`"), "{message}");
    }
    let alone = yaml(&text_of(Format::Swarm, &answered("Shop/Web", 2000, 1536), &EmitOptions::default()));
    let (name, service) = alone["services"].as_mapping().unwrap().iter().next().unwrap();
    assert!(name.as_str().unwrap().starts_with("shop-web-"), "{name:?}");
    let reservations = &service["deploy"]["resources"]["reservations"];
    assert_eq!(reservations, &yaml("{cpus: \"2\", memory: 1536M}"));
}

fn renting(replicas: u32) -> EmitOptions {
    let terms = Terms { reserve: Reserve::Nothing, ..Terms::default() };
    let renting = Renting { catalogue: Catalogue::built_in().unwrap(), terms, replicas, shown: 1 };
    EmitOptions { renting: Some(renting), ..EmitOptions::default() }
}

#[test]
fn machines_are_those_of_the_ranking_and_what_nothing_holds_is_an_abstention() {
    for (format, provider) in [
        (Format::TerraformAws, Provider::Aws),
        (Format::TerraformGcp, Provider::Gcp),
        (Format::TerraformAzure, Provider::Azure),
    ] {
        let options = renting(40);
        let prediction = answered("checkout", 1500, 3000);
        let text = text_of(format, &prediction, &options);
        let mut own = options.renting.clone().unwrap();
        own.terms.filter.providers = vec![provider];
        let best = own.ranking(&prediction, &options).unwrap().unwrap().placements.remove(0);
        let count = format!("= {}\n", best.count);
        assert!(best.count > 1 && text.contains(&count), "{text}");
        assert!(text.contains(&format!("= \"{}\"\n", best.instance.name)), "{text}");
        let huge = format.emit(&[answered("x", 1_000_000, 512)], &options).unwrap_err();
        assert!(matches!(huge, EmitError::NoMachine { .. }) && huge.is_abstention(), "{huge}");
    }
}

#[test]
fn the_real_terraform_takes_machines_of_every_cloud_with_every_name() {
    const TEST: &str = "the_real_terraform_takes_machines_of_every_cloud_with_every_name";
    let Some(script) = checker("check_emitted.sh", TEST) else { return };
    if !is_installed("terraform", TEST) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let variables = json!({
        "ami": "ami-0123456789abcdef0", "image": "debian-cloud/debian-12", "zone": "us-central1-a",
        "resource_group_name": "shop", "location": "eastus", "source_image_id": "/subscriptions/0/image",
        "network_interface_ids": ["/subscriptions/0/nic"], "admin_username": "shadow",
        "admin_ssh_public_key": "ssh-ed25519 AAAA",
    });
    for format in [Format::TerraformAws, Format::TerraformGcp, Format::TerraformAzure] {
        // All names in one file, so that one plan shows that they stay apart.
        let all: Vec<Prediction> = NASTY.iter().map(|name| answered(name, 250, 512)).collect();
        let text = format.emit(&all, &renting(1)).unwrap().into_text();
        let used: serde_json::Map<String, serde_json::Value> = variables
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| text.contains(&format!("variable \"{name}\"")))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        write(folder.path(), &format!("{}/shadow.tf", format.name()), &text);
        let values = serde_json::to_string(&used).unwrap();
        write(folder.path(), &format!("{}/shadow.auto.tfvars.json", format.name()), &values);
    }
    check(&script, folder.path(), TEST);
}

#[test]
fn the_real_terraform_takes_deployments_and_modules_of_several_workloads() {
    const TEST: &str = "the_real_terraform_takes_deployments_and_modules_of_several_workloads";
    let Some(script) = checker("check_emitted.sh", TEST) else { return };
    if !is_installed("terraform", TEST) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<Prediction> = NASTY.iter().map(|name| answered(name, 250, 512)).collect();
    for (position, cpu_limit) in [CpuLimit::None, CpuLimit::Factor(2.0)].into_iter().enumerate() {
        let options = EmitOptions {
            namespace: (position == 0).then(|| "shop".to_owned()),
            cpu_limit,
            has_network: position == 1,
            ..EmitOptions::default()
        };
        let text = Format::TerraformKubernetes.emit(&all, &options).unwrap().into_text();
        let images: serde_json::Map<String, serde_json::Value> = text
            .lines()
            .filter_map(|line| line.strip_prefix("resource \"kubernetes_deployment_v1\" \"")?.split('"').next())
            .map(|name| (name.to_owned(), json!("registry.example/x:1")))
            .collect();
        assert_eq!(images.len(), NASTY.len());
        write(folder.path(), &format!("deployments{position}/shadow.tf"), &text);
        let values = json!({"images": images}).to_string();
        write(folder.path(), &format!("deployments{position}/shadow.auto.tfvars.json"), &values);
        let single = text_of(Format::Terraform, &answered("x", 1, 1), &options);
        assert!(single.contains("variable \"shadow\" {"), "{single}");
        for several_files in [false, true] {
            let options = EmitOptions { several_files, ..options.clone() };
            let module = folder.path().join(format!("module{position}{several_files}"));
            Format::Terraform.emit(&all, &options).unwrap().write_into(&module).unwrap();
        }
    }
    check(&script, folder.path(), TEST);
}

#[test]
fn deployments_hold_the_sizes_and_the_evidence_of_their_workloads() {
    let text = text_of(Format::TerraformKubernetes, &answered("Shop/${x}", 250, 512), &named("checkout.v2"));
    for line in [
        "    name      = \"checkout.v2\"\n    namespace = \"shop\"\n",
        "      \"shadow.dev/workload\"   = \"Shop/$${x}\"\n",
        "              cpu    = \"250m\"\n              memory = \"512Mi\"\n",
        "            limits = {\n              memory = \"512Mi\"\n            }\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(text.contains("resource \"kubernetes_deployment_v1\" \"checkout-v2-"), "{text}");
    let other = EmitOptions { kind: Some(WorkloadKind::StatefulSet), ..named("x") };
    let refused = Format::TerraformKubernetes.emit(&[answered("x", 1, 1)], &other);
    assert!(matches!(refused, Err(EmitError::BadOption { option: "--kind", .. })), "{refused:?}");
    let twice = Format::TerraformKubernetes.emit(&[answered("x", 1, 1), answered("x", 1, 1)], &EmitOptions::default());
    assert!(matches!(twice, Err(EmitError::BadOption { option: "--name", .. })), "{twice:?}");
}

#[test]
fn a_strategic_merge_holds_containers_alone() {
    let text = text_of(Format::StrategicMerge, &answered("x", 250, 512), &named("checkout"));
    assert!(
        text.starts_with(
            "# shadow 0.1.0: kubectl patch deployment checkout -n shop --type strategic --patch-file FILE\n"
        )
    );
    let sized = "{name: app, resources: {requests: {cpu: 250m, memory: 512Mi}, limits: {memory: 512Mi}}}";
    assert_eq!(yaml(&text), yaml(&format!("{{spec: {{template: {{spec: {{containers: [{sized}]}}}}}}}}")));
}

#[test]
fn the_real_tools_take_every_form_with_every_name() {
    const TEST: &str = "the_real_tools_take_every_form_with_every_name";
    let Some(script) = checker("check_emitted.sh", TEST) else { return };
    if !is_installed("kubectl", TEST) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| write(folder.path(), name, text);
    for (position, name) in NASTY.iter().enumerate() {
        let options = EmitOptions {
            namespace: Some("shop".to_owned()),
            day: Some(DAY),
            helm_path: (position % 2 == 1).then(|| "app.no".to_owned()),
            cpu_limit: if position % 3 == 0 { CpuLimit::Factor(2.0) } else { CpuLimit::None },
            has_network: true,
            ..EmitOptions::default()
        };
        let prediction = answered(name, 250 + position as u64, 512);
        put(&format!("values{position}.yaml"), &text_of(Format::HelmValues, &prediction, &options));
        put(&format!("limits{position}.yaml"), &text_of(Format::LimitRange, &prediction, &options));
        put(&format!("warm{position}.yaml"), &text_of(Format::VpaCheckpoint, &prediction, &options));
        put(&format!("swarm{position}.yml"), &text_of(Format::Swarm, &prediction, &options));
        if position > 2 {
            continue;
        }
        put(&format!("vpa{position}.yaml"), &text_of(Format::Vpa, &prediction, &options));
        put(&format!("compose{position}.yml"), &text_of(Format::Compose, &prediction, &options));
        put(&format!("strategic{position}.yaml"), &text_of(Format::StrategicMerge, &prediction, &options));
        put(&format!("resize{position}.yaml"), &text_of(Format::Resize, &prediction, &options));
        let emitted = Format::Kustomize.emit(&[prediction], &EmitOptions { several_files: true, ..options });
        emitted.unwrap().write_into(&folder.path().join(format!("kustomize{position}"))).unwrap();
    }
    put("patch.json", &text_of(Format::JsonPatch, &answered("app", 250, 512), &named("checkout")));
    let base = EmitOptions { base: Some(Manifest::parse(STACK).unwrap()), ..EmitOptions::default() };
    put("stack.yml", &text_of(Format::Swarm, &answered("web", 250, 512), &base));
    check(&script, folder.path(), TEST);
}
