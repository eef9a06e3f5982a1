//! `terraform`: a module that uses the built-in provider only, so that it works with no network.
//!
//! On a stream it is one file with the numbers as defaults; with several files allowed the numbers stand in
//! `shadow.auto.tfvars.json`, and a new prediction changes that file alone.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::predict::Prediction;
use crate::units::Cores;

use super::hcl::quoted;
use super::record::finite;
use super::{EmitError, EmitOptions, Emitted, EmittedFile, Form, Sizing, evidence, merge, names, target};

/// The form.
pub(super) struct Terraform;

#[derive(Debug, Serialize)]
struct Sizes<'a> {
    workload: &'a str,
    confidence: f64,
    basis: String,
    containers: BTreeMap<String, Container>,
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
        let mut all = BTreeMap::new();
        for prediction in predictions {
            let sizes = Sizes::of(prediction, options)?;
            if all.insert(names::made(&prediction.workload, 63), sizes).is_some() {
                return Err(EmitError::BadOption {
                    option: "the workload",
                    value: prediction.workload.escape_debug().to_string(),
                    expected: "one series for each workload",
                });
            }
        }
        // One workload is `var.shadow`, several are a map of the same: a module keeps its shape while its numbers change.
        let (module, variable) = match predictions {
            [_] => (MODULE, "shadow"),
            _ => (MODULE_OF_SEVERAL, "workloads"),
        };
        let head = format!(
            "# shadow {}: sizes for `var.{variable}`; built-in provider only\n",
            evidence::on_one_line(&options.version)
        );
        let hints = vec!["try it with `terraform init` and `terraform plan`".to_owned()];
        if !options.several_files {
            let values = if let ([_], Some((_, only))) = (predictions, all.first_key_value()) {
                only.default_of(2)
            } else {
                let entries = all.iter().map(|(key, sizes)| format!("    {} = {}\n", quoted(key), sizes.default_of(4)));
                format!("{{\n{}  }}", entries.collect::<Vec<_>>().concat())
            };
            let default = format!("\n  default = {values}");
            let mut emitted = Emitted::one("shadow.tf", head + &module.replace("@DEFAULT@", &default));
            emitted.hints = hints;
            return Ok(emitted);
        }
        let json = match (predictions, all.first_key_value()) {
            ([_], Some((_, only))) => serde_json::to_string_pretty(&BTreeMap::from([(variable, only)])),
            _ => serde_json::to_string_pretty(&BTreeMap::from([(variable, &all)])),
        };
        let json = json.map_err(|error| EmitError::Encode(error.to_string()))? + "\n";
        let files = vec![
            EmittedFile { name: "shadow.tf".to_owned(), text: head + &module.replace("@DEFAULT@", "") },
            EmittedFile { name: "shadow.auto.tfvars.json".to_owned(), text: json },
        ];
        Ok(Emitted { files, hints })
    }
}

impl<'a> Sizes<'a> {
    fn of(prediction: &'a Prediction, options: &EmitOptions) -> Result<Self, EmitError> {
        let sizing = Sizing::of(prediction, options)?;
        let sizes = Container {
            cpu_request_millicores: sizing.cpu_request.millis_up(),
            cpu_limit_millicores: sizing.cpu_limit.map(Cores::millis_up),
            memory_request_mib: sizing.memory_request.mebibytes_up(),
            memory_limit_mib: sizing.memory_limit.mebibytes_up(),
        };
        Ok(Self {
            workload: &prediction.workload,
            confidence: finite((prediction.confidence() * 1e4).round() / 1e4).unwrap_or(0.0),
            basis: merge::basis(prediction),
            containers: BTreeMap::from([(target::container(prediction, options)?, sizes)]),
        })
    }

    /// Returns it as an object whose closing brace stands `indent` columns in.
    fn default_of(&self, indent: usize) -> String {
        let blanks = " ".repeat(indent);
        let confidence = self.confidence.to_string();
        let (workload, basis) = (quoted(self.workload), quoted(&self.basis));
        let mut lines = vec![
            "{".to_owned(),
            format!("  workload   = {workload}"),
            format!("  confidence = {confidence}"),
            format!("  basis      = {basis}"),
            "  containers = {".to_owned(),
        ];
        for (name, container) in &self.containers {
            let limit = container.cpu_limit_millicores.map_or_else(|| "null".to_owned(), |limit| limit.to_string());
            lines.push(format!("    {} = {{", quoted(name)));
            lines.push(format!("      cpu_request_millicores = {}", container.cpu_request_millicores));
            lines.push(format!("      cpu_limit_millicores   = {limit}"));
            lines.push(format!("      memory_request_mib     = {}", container.memory_request_mib));
            lines.push(format!("      memory_limit_mib       = {}", container.memory_limit_mib));
            lines.push("    }".to_owned());
        }
        lines.push("  }".to_owned());
        lines.push("}".to_owned());
        lines.join(&format!("\n{blanks}"))
    }
}

/// The module of one workload; `@DEFAULT@` is where the numbers go.
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

/// The same for several workloads.
const MODULE_OF_SEVERAL: &str = r#"terraform {
  required_version = ">= 1.5"
}

variable "workloads" {
  description = "Sizes predicted by shadow, by workload."
  type = map(object({
    workload   = string
    confidence = number
    basis      = string
    containers = map(object({
      cpu_request_millicores = number
      cpu_limit_millicores   = optional(number)
      memory_request_mib     = number
      memory_limit_mib       = number
    }))
  }))@DEFAULT@

  validation {
    condition     = alltrue(flatten([for w in var.workloads : [for c in w.containers : c.memory_request_mib <= c.memory_limit_mib]]))
    error_message = "A memory request is over its limit."
  }

  validation {
    condition     = alltrue(flatten([for w in var.workloads : [for c in w.containers : c.cpu_request_millicores <= coalesce(c.cpu_limit_millicores, c.cpu_request_millicores)]]))
    error_message = "A CPU request is over its limit."
  }
}

variable "minimum_confidence" {
  description = "A prediction below it stops the plan."
  type        = number
  default     = 0
}

resource "terraform_data" "sizing" {
  for_each = var.workloads
  input    = each.value

  lifecycle {
    precondition {
      condition     = each.value.confidence >= var.minimum_confidence
      error_message = "The confidence of shadow is below minimum_confidence."
    }
  }
}

output "resources" {
  description = "Workload and container name to requests and limits as Kubernetes quantities."
  value = {
    for workload, w in var.workloads : workload => {
      for name, c in w.containers : name => {
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
}
"#;
