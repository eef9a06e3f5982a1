//! `terraform-aws`, `terraform-gcp`, `terraform-azure`: the cheapest machines for a workload as resources of the cloud's own
//! provider.
//!
//! What shadow cannot know (image, network, keys) is a variable; there is no `provider` block, that is the root module's.
//! The layout is that of `terraform fmt`, byte for byte.

use std::fmt::Write;

use crate::predict::Prediction;

use super::hcl::{aligned, quoted};
use super::instances::{Placement, Provider};
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, evidence, names};

/// The form, by cloud.
pub(super) enum TerraformMachines {
    /// `aws_instance`.
    Aws,
    /// `google_compute_instance`.
    Gcp,
    /// `azurerm_linux_virtual_machine`.
    Azure,
}

impl Form for TerraformMachines {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        for prediction in predictions {
            Sizing::of(prediction, options)?;
        }
        let mut text =
            format!("# shadow {}: terraform init, terraform plan\n", evidence::on_one_line(&options.version));
        text += self.head();
        for prediction in predictions {
            let placement = self.placement(prediction, options)?;
            text += "\n# ";
            let price = &placement.instance.price_source;
            let said = format!(
                "{} x {} for {} USD an hour ({price})\n",
                placement.count, placement.instance.name, placement.price
            );
            text += &evidence::on_one_line(said.trim_end());
            text.push('\n');
            let container = super::target::container(prediction, options)?;
            text += &evidence::comment(prediction, options, "", &container);
            text += &self.resource(prediction, &placement, options);
        }
        let mut emitted = Emitted::one("shadow.tf", text);
        emitted.hints.push("set its variables and try it with `terraform init` and `terraform plan`".to_owned());
        Ok(emitted)
    }
}

impl TerraformMachines {
    /// Returns the cloud.
    pub(super) const fn provider(&self) -> Provider {
        match self {
            Self::Aws => Provider::Aws,
            Self::Gcp => Provider::Gcp,
            Self::Azure => Provider::Azure,
        }
    }

    /// Returns the cheapest machines of the cloud.
    fn placement(&self, prediction: &Prediction, options: &EmitOptions) -> Result<Placement, EmitError> {
        let Some(renting) = &options.renting else {
            return Err(EmitError::BadOption {
                option: "the catalogue",
                value: "none".to_owned(),
                expected: "machines to choose from",
            });
        };
        let mut renting = renting.clone();
        renting.terms.filter.providers = vec![self.provider()];
        let best = renting.ranking(prediction, options)?.and_then(|ranking| ranking.placements.into_iter().next());
        best.ok_or_else(|| EmitError::NoMachine { workload: prediction.workload.clone() })
    }

    /// Returns the providers and the variables.
    const fn head(&self) -> &'static str {
        match self {
            Self::Aws => AWS,
            Self::Gcp => GCP,
            Self::Azure => AZURE,
        }
    }

    fn resource(&self, prediction: &Prediction, placement: &Placement, options: &EmitOptions) -> String {
        let name = identifier(options.name.as_deref().unwrap_or(&prediction.workload));
        let (kind, machine) = match self {
            Self::Aws => ("aws_instance", "instance_type"),
            Self::Gcp => ("google_compute_instance", "machine_type"),
            Self::Azure => ("azurerm_linux_virtual_machine", "size"),
        };
        let numbered = format!("\"{name}-${{count.index + 1}}\"");
        let instance = quoted(&placement.instance.name);
        let count = placement.count.to_string();
        let mut arguments: Vec<(&str, &str)> = vec![("count", &count), (machine, &instance)];
        match self {
            Self::Aws => arguments.extend([("ami", "var.ami"), ("subnet_id", "var.subnet_id")]),
            Self::Gcp => arguments.extend([("name", numbered.as_str()), ("zone", "var.zone")]),
            Self::Azure => arguments.extend([
                ("name", numbered.as_str()),
                ("resource_group_name", "var.resource_group_name"),
                ("location", "var.location"),
                ("admin_username", "var.admin_username"),
                ("source_image_id", "var.source_image_id"),
                ("network_interface_ids", "[var.network_interface_ids[count.index]]"),
            ]),
        }
        let confidence = format!("{:.2}", prediction.confidence());
        let tags = match self {
            Self::Aws | Self::Azure => {
                let separator = if matches!(self, Self::Aws) { ':' } else { '-' };
                let mut tags: Vec<(String, String)> = Vec::new();
                if matches!(self, Self::Aws) {
                    tags.push(("Name".to_owned(), numbered.clone()));
                }
                for (key, value) in [
                    ("confidence", confidence.as_str()),
                    ("decision", prediction.decision.name()),
                    ("store", prediction.store_digest.as_str()),
                    ("version", options.version.as_str()),
                ] {
                    tags.push((quoted(&format!("shadow{separator}{key}")), quoted(value)));
                }
                tags
            }
            // Labels of Google hold lower-case letters, digits, `_` and `-`.
            Self::Gcp => [
                ("shadow-confidence", confidence.as_str()),
                ("shadow-decision", prediction.decision.name()),
                ("shadow-store", prediction.store_digest.as_str()),
                ("shadow-version", options.version.as_str()),
            ]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), quoted(&label(value))))
            .collect(),
        };
        let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let (blocks, tags_name) = match self {
            Self::Aws => ("", "tags"),
            Self::Gcp => (GCP_BLOCKS, "labels"),
            Self::Azure => (AZURE_BLOCKS, "tags"),
        };
        let mut out = format!("resource \"{kind}\" \"{name}\" {{\n{}", aligned(&arguments, 1));
        let written = write!(out, "{blocks}\n  {tags_name} = {{\n{}  }}\n}}\n", aligned(&tags, 2));
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
        out
    }
}

/// Returns a name that Terraform takes for a resource and every cloud for a machine, with room for its number: a letter
/// first, at most 52 characters.
fn identifier(original: &str) -> String {
    let name = names::made(original, 50);
    if name.starts_with(|c: char| c.is_ascii_lowercase()) { name } else { format!("w-{name}") }
}

/// Returns `text` as the value of a label: lower case, everything else to `-`, at most 63 characters.
fn label(text: &str) -> String {
    let fitting = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' };
    text.to_lowercase().chars().map(fitting).take(63).collect()
}

const AWS: &str = r#"terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "ami" {
  description = "Image for the architecture of the instances."
  type        = string
}

variable "subnet_id" {
  description = "Subnet of the instances; null for the default one."
  type        = string
  default     = null
}
"#;

const GCP: &str = r#"terraform {
  required_version = ">= 1.5"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 5.0"
    }
  }
}

variable "image" {
  description = "Image for the architecture of the instances."
  type        = string
}

variable "zone" {
  description = "Zone of the instances."
  type        = string
}

variable "network" {
  description = "Network of the instances."
  type        = string
  default     = "default"
}
"#;

const GCP_BLOCKS: &str = r"
  boot_disk {
    initialize_params {
      image = var.image
    }
  }

  network_interface {
    network = var.network
  }
";

const AZURE: &str = r#"terraform {
  required_version = ">= 1.5"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.0"
    }
  }
}

variable "resource_group_name" {
  description = "Resource group of the machines."
  type        = string
}

variable "location" {
  description = "Location of the machines."
  type        = string
}

variable "network_interface_ids" {
  description = "A network interface for each machine."
  type        = list(string)
}

variable "source_image_id" {
  description = "Image for the architecture of the machines."
  type        = string
}

variable "admin_username" {
  description = "Name of the administrator."
  type        = string
}

variable "admin_ssh_public_key" {
  description = "Public key of the administrator."
  type        = string
}
"#;

const AZURE_BLOCKS: &str = r#"
  admin_ssh_key {
    username   = var.admin_username
    public_key = var.admin_ssh_public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "Premium_LRS"
  }
"#;

#[cfg(test)]
mod tests {
    use super::{identifier, label};

    #[test]
    fn names_and_labels_are_what_terraform_and_the_clouds_take() {
        for name in ["checkout", "7zip", "Shop/Cart", "${x}", "日本語", "", "-"] {
            let made = identifier(name);
            assert!(made.len() <= 52 && made.starts_with(|c: char| c.is_ascii_lowercase()), "{name}: {made}");
            assert!(made.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}: {made}");
        }
        assert_eq!(label("b3:0.87 Ü"), "b3-0-87--");
    }
}
