//! `terraform-kubernetes`: Deployments as resources of the Kubernetes provider, for clusters whose objects Terraform owns.
//!
//! Such a resource manages the whole object. What shadow cannot know (image, replicas) is a variable, by workload; there is no
//! `provider` block, that is the root module's. The layout is that of `terraform fmt`, byte for byte.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::predict::Prediction;

use super::hcl::{aligned, quoted};
use super::target::{Target, check_one_name};
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, WorkloadKind, bandwidth, evidence, merge, names};

/// The form.
pub(super) struct TerraformKubernetes;

impl Form for TerraformKubernetes {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let mut resources = String::new();
        let mut taken = BTreeSet::new();
        for prediction in predictions {
            let sizing = Sizing::of(prediction, options)?;
            check_one_name(predictions, options)?;
            if options.kind.is_some_and(|kind| kind != WorkloadKind::Deployment) {
                return Err(EmitError::BadOption {
                    option: "--kind",
                    value: options.kind.map_or("", WorkloadKind::name).to_owned(),
                    expected: "`deployment`: others are sized with the outputs of `-o terraform`",
                });
            }
            let target = Target::of(prediction, options)?;
            let name = identifier(&target.name);
            if !taken.insert(name.clone()) {
                return Err(EmitError::BadOption {
                    option: "--name",
                    value: target.name,
                    expected: "a name of its own for each workload",
                });
            }
            resources.push('\n');
            resources += &resource(&name, prediction, &target, &sizing, options)?;
        }
        let names: Vec<String> = taken.into_iter().map(|name| quoted(&name)).collect();
        let head = format!(
            "# shadow {}: terraform init, terraform plan; objects that exist are taken over with `terraform import`\n",
            evidence::on_one_line(&options.version)
        );
        let mut emitted = Emitted::one("shadow.tf", head + &HEAD.replace("@NAMES@", &names.join(", ")) + &resources);
        emitted.hints.push(
            "set `images` and try it with `terraform init` and `terraform plan`; an object that exists is taken over with `terraform import`"
                .to_owned(),
        );
        Ok(emitted)
    }
}

fn resource(
    name: &str,
    prediction: &Prediction,
    target: &Target,
    sizing: &Sizing,
    options: &EmitOptions,
) -> Result<String, EmitError> {
    let annotations: Vec<(String, String)> = merge::notes(prediction, options, &target.name, &target.container)
        .into_iter()
        .map(|(key, value)| (quoted(&format!("{}{key}", merge::PREFIX)), quoted(&value)))
        .collect();
    let rate = if options.has_network { Some(bandwidth::quantity(bandwidth::rate(prediction)?)) } else { None };
    let on_pods: Vec<(String, String)> = rate
        .iter()
        .flat_map(|rate| {
            ["ingress", "egress"].map(|way| (quoted(&format!("kubernetes.io/{way}-bandwidth")), quoted(rate)))
        })
        .collect();
    let object = quoted(&target.name);
    let namespace = target.namespace.as_deref().map(quoted);
    let mut metadata = vec![("name", object.as_str())];
    metadata.extend(namespace.as_deref().map(|namespace| ("namespace", namespace)));
    let amounts = |amounts: &[(&str, String)]| {
        let amounts: Vec<(&str, &str)> = amounts.iter().map(|(key, value)| (*key, value.as_str())).collect();
        aligned(&amounts, 7)
    };
    let requests = amounts(&[
        ("cpu", quoted(&sizing.cpu_request.to_string())),
        ("memory", quoted(&sizing.memory_request.to_string())),
    ]);
    let mut limits = Vec::new();
    limits.extend(sizing.cpu_limit.map(|limit| ("cpu", quoted(&limit.to_string()))));
    limits.push(("memory", quoted(&sizing.memory_limit.to_string())));
    let image = format!("var.images[{}]", quoted(name));
    let container = quoted(&target.container);
    let pod_notes = if on_pods.is_empty() {
        String::new()
    } else {
        format!("\n        annotations = {{\n{}        }}\n", pairs(&on_pods, 5))
    };
    let mut out =
        format!("resource \"kubernetes_deployment_v1\" \"{name}\" {{\n  metadata {{\n{}", aligned(&metadata, 2));
    let written = write!(
        out,
        "\n    annotations = {{\n{}    }}\n  }}\n\n  spec {{\n    replicas = lookup(var.replicas, {}, 1)\n\n    selector {{\n      \
         match_labels = {{\n        app = {object}\n      }}\n    }}\n\n    template {{\n      metadata {{\n        labels = {{\n          \
         app = {object}\n        }}\n{pod_notes}      }}\n\n      spec {{\n        container {{\n{}\n          resources {{\n            \
         requests = {{\n{requests}            }}\n\n            limits = {{\n{}            }}\n          }}\n        }}\n      }}\n    \
         }}\n  }}\n}}\n",
        pairs(&annotations, 3),
        quoted(name),
        aligned(&[("name", &container), ("image", &image)], 5),
        amounts(&limits),
    );
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
    Ok(out)
}

fn pairs(pairs: &[(String, String)], depth: usize) -> String {
    let borrowed: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    aligned(&borrowed, depth)
}

/// Returns a name that Terraform takes for a resource: no dot, no digit first.
fn identifier(name: &str) -> String {
    let made = names::made(name, 60);
    if made.starts_with(|c: char| c.is_ascii_lowercase()) { made } else { format!("w-{made}") }
}

/// The provider and what shadow cannot know; `@NAMES@` are the resources.
const HEAD: &str = r#"terraform {
  required_version = ">= 1.5"

  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 2.20"
    }
  }
}

variable "images" {
  description = "Image of each workload."
  type        = map(string)

  validation {
    condition     = alltrue([for name in [@NAMES@] : contains(keys(var.images), name)])
    error_message = "A workload has no image."
  }
}

variable "replicas" {
  description = "Replicas of each workload, 1 where it is not named."
  type        = map(number)
  default     = {}
}
"#;
