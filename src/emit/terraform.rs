//! `terraform`: a module that uses the built-in provider only, so that it works with no network.
//!
//! On a stream it is one file with the numbers as defaults; with several files allowed the numbers stand in
//! `shadow.auto.tfvars.json`, and a new prediction changes that file alone.

use std::fmt::Write;

use serde::Serialize;

use crate::predict::Prediction;
use crate::units::Cores;

use super::hcl::quoted;
use super::record::finite;
use super::{EmitError, EmitOptions, Emitted, EmittedFile, Form, Sizing, evidence, merge, names};

/// The form.
pub(super) struct Terraform;

#[derive(Debug, Serialize)]
struct Variables<'a> {
    shadow: Sizes<'a>,
}

#[derive(Debug, Serialize)]
struct Sizes<'a> {
    workload: &'a str,
    confidence: f64,
    basis: String,
    containers: std::collections::BTreeMap<String, Container>,
}

#[derive(Debug, Serialize)]
struct Container {
    cpu_request_millicores: u64,
    cpu_limit_millicores: Option<u64>,
    memory_request_mib: u64,
    memory_limit_mib: u64,
}

impl Form for Terraform {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let [prediction] = predictions else {
            return Err(EmitError::OneWorkload { form: "terraform", count: predictions.len() });
        };
        let sizing = Sizing::of(prediction, options)?;
        let container = match options.container_of(prediction) {
            Some(container) => {
                names::check_label("the container", container)?;
                container.clone()
            }
            None => names::made(&prediction.workload, 63),
        };
        let sizes = Sizes {
            workload: &prediction.workload,
            confidence: finite((prediction.confidence() * 1e4).round() / 1e4).unwrap_or(0.0),
            basis: merge::basis(prediction),
            containers: std::iter::once((
                container,
                Container {
                    cpu_request_millicores: sizing.cpu_request.millis_up(),
                    cpu_limit_millicores: sizing.cpu_limit.map(Cores::millis_up),
                    memory_request_mib: sizing.memory_request.mebibytes_up(),
                    memory_limit_mib: sizing.memory_limit.mebibytes_up(),
                },
            ))
            .collect(),
        };
        let head = format!(
            "# shadow {}: sizes for `var.shadow`; built-in provider only\n",
            evidence::on_one_line(&options.version)
        );
        if options.several_files {
            let json = serde_json::to_string_pretty(&Variables { shadow: sizes });
            let json = json.map_err(|error| EmitError::Encode(error.to_string()))? + "\n";
            let files = vec![
                EmittedFile { name: "shadow.tf".to_owned(), text: head + &MODULE.replace("@DEFAULT@", "") },
                EmittedFile { name: "shadow.auto.tfvars.json".to_owned(), text: json },
            ];
            return Ok(Emitted { files, hints: vec!["try it with `terraform init` and `terraform plan`".to_owned()] });
        }
        let mut emitted = Emitted::one("shadow.tf", head + &MODULE.replace("@DEFAULT@", &default_of(&sizes)));
        emitted.hints.push("try it with `terraform init` and `terraform plan`".to_owned());
        Ok(emitted)
    }
}

fn default_of(sizes: &Sizes<'_>) -> String {
    let mut out = format!(
        "\n  default = {{\n    workload   = {}\n    confidence = {}\n    basis      = {}\n    containers = {{\n",
        quoted(sizes.workload),
        sizes.confidence,
        quoted(&sizes.basis),
    );
    for (name, container) in &sizes.containers {
        let limit = container.cpu_limit_millicores.map_or_else(|| "null".to_owned(), |limit| limit.to_string());
        let written = write!(
            out,
            "      {} = {{\n        cpu_request_millicores = {}\n        cpu_limit_millicores   = {limit}\n        \
             memory_request_mib     = {}\n        memory_limit_mib       = {}\n      }}\n",
            quoted(name),
            container.cpu_request_millicores,
            container.memory_request_mib,
            container.memory_limit_mib,
        );
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    out + "    }\n  }"
}

/// The module; `@DEFAULT@` is where the numbers go.
const MODULE: &str = r#"terraform {
  required_version = ">= 1.5"
}

variable "shadow" {
  description = "Sizes predicted by shadow."
  type = object({
    workload   = string
    confidence = number
    basis      = string
    containers = map(object({
      cpu_request_millicores = number
      cpu_limit_millicores   = optional(number)
      memory_request_mib     = number
      memory_limit_mib       = number
    }))
  })@DEFAULT@

  validation {
    condition     = alltrue([for c in var.shadow.containers : c.memory_request_mib <= c.memory_limit_mib])
    error_message = "A memory request is over its limit."
  }

  validation {
    condition     = alltrue([for c in var.shadow.containers : c.cpu_request_millicores <= coalesce(c.cpu_limit_millicores, c.cpu_request_millicores)])
    error_message = "A CPU request is over its limit."
  }
}

variable "minimum_confidence" {
  description = "A prediction below it stops the plan."
  type        = number
  default     = 0
}

resource "terraform_data" "sizing" {
  input = var.shadow

  lifecycle {
    precondition {
      condition     = var.shadow.confidence >= var.minimum_confidence
      error_message = "The confidence of shadow is below minimum_confidence."
    }
  }
}

output "resources" {
  description = "Container name to requests and limits as Kubernetes quantities."
  value = {
    for name, c in var.shadow.containers : name => {
      requests = {
        cpu    = "${c.cpu_request_millicores}m"
        memory = "${c.memory_request_mib}Mi"
      }
      limits = merge(
        { memory = "${c.memory_limit_mib}Mi" },
        c.cpu_limit_millicores == null ? {} : { cpu = "${c.cpu_limit_millicores}m" }
      )
    }
  }
}
"#;
