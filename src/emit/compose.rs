//! `swarm` and `compose`: `deploy.resources` of one service, as a file to lay over the user's, or inside a copy of it.
//!
//! Both tools read the same keys. `docker compose` outside a Swarm acts on limits and on the reservation of memory; a
//! reservation of CPU has no effect there.

use serde_yaml::{Mapping, Value};

use crate::predict::Prediction;
use crate::units::{Bytes, Cores};

use super::manifest::WITHOUT_COMMENTS;
use super::merge::mapping_at;
use super::target::{container, one};
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Manifest, Sizing, bandwidth, evidence, names};

/// The form, for either tool.
pub(super) enum Compose {
    /// `docker stack deploy`.
    Swarm,
    /// `docker compose`.
    Compose,
}

impl Form for Compose {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        // An abstention comes before any complaint about options.
        for prediction in predictions {
            Sizing::of(prediction, options)?;
        }
        let (form, command) = match (self, options.base.is_some()) {
            (Self::Swarm, false) => ("swarm", "docker stack deploy -c STACK.yml -c FILE NAME"),
            (Self::Swarm, true) => ("swarm", "docker stack deploy -c FILE NAME"),
            (Self::Compose, false) => ("compose", "docker compose -f compose.yml -f FILE up -d"),
            (Self::Compose, true) => ("compose", "docker compose -f FILE up -d"),
        };
        if (options.name.is_some() || options.base.is_some()) && predictions.len() != 1 {
            let form = if options.base.is_some() { "--base" } else { "--name" };
            return Err(EmitError::OneWorkload { form, count: predictions.len() });
        }
        let (mut head, mut services) = (format!("# shadow {}: {command}\n", options.version), Mapping::new());
        if matches!(self, Self::Compose) {
            head += "# shadow note: outside a Swarm a reservation of CPU has no effect\n";
        }
        let mut document = match &options.base {
            Some(base) => whole(base)?,
            None => Mapping::new(),
        };
        for prediction in predictions {
            let sizing = Sizing::of(prediction, options)?;
            let name = match &options.base {
                Some(_) => chosen(&document, prediction, options)?,
                None => given_or_made(prediction, options)?,
            };
            head += &evidence::comment(prediction, options, &name, &container(prediction, options)?);
            let services = if options.base.is_some() { mapping_at(&mut document, "services") } else { &mut services };
            let deploy = mapping_at(mapping_at(services, &name), "deploy");
            size(mapping_at(deploy, "resources"), &sizing);
            if options.has_network {
                label(deploy, &bandwidth::quantity(bandwidth::rate(prediction)?));
            }
        }
        let mut hints = vec![format!("apply it with `{command}`")];
        let body = match &options.base {
            None => write_document(&Value::Mapping(one("services", Value::Mapping(services)))),
            Some(base) => {
                let rewritten = base.rewritten(&[Value::Mapping(document)]);
                hints.extend(rewritten.is_without_comments.then(|| WITHOUT_COMMENTS.to_owned()));
                rewritten.text
            }
        };
        let name = if form == "swarm" { "shadow-stack.yml" } else { "shadow-compose.yml" };
        let mut emitted = Emitted::one(name, head + &body);
        emitted.hints = hints;
        Ok(emitted)
    }
}

/// Returns the one document of a stack file.
fn whole(base: &Manifest) -> Result<Mapping, EmitError> {
    match base.documents.as_slice() {
        [Value::Mapping(document)] if document.get("services").is_some_and(Value::is_mapping) => Ok(document.clone()),
        _ => Err(EmitError::BadBase("it is no stack file: one document with `services`".to_owned())),
    }
}

fn given_or_made(prediction: &Prediction, options: &EmitOptions) -> Result<String, EmitError> {
    let Some(name) = &options.name else { return Ok(names::made(&prediction.workload, 63)) };
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.chars().all(is_fine) {
        return Ok(name.clone());
    }
    Err(EmitError::BadOption {
        option: "--name",
        value: name.escape_debug().to_string(),
        expected: "the name of a service: letters, digits, `.`, `_` and `-`",
    })
}

/// Returns which service of the user's file is meant: `--name`, else the workload's name, else the only one.
fn chosen(document: &Mapping, prediction: &Prediction, options: &EmitOptions) -> Result<String, EmitError> {
    let services = document.get("services").and_then(Value::as_mapping);
    let found: Vec<&str> = services.into_iter().flat_map(Mapping::keys).filter_map(Value::as_str).collect();
    let listed = || found.iter().map(|name| format!("`{}`", name.escape_debug())).collect::<Vec<_>>().join(", ");
    let wanted = options.name.as_deref();
    let named = found.iter().find(|name| **name == wanted.unwrap_or(prediction.workload.as_str()));
    match (named, wanted, found.as_slice()) {
        (Some(name), _, _) => Ok((*name).to_owned()),
        (None, None, [only]) => Ok((*only).to_owned()),
        (None, None, [_, _, ..]) => Err(EmitError::Ambiguous { what: "services", found: listed(), option: "--name" }),
        (None, wanted, _) => Err(EmitError::NotInBase {
            wanted: wanted.map_or_else(|| "service".to_owned(), |name| format!("service `{}`", name.escape_debug())),
            found: if found.is_empty() { "none".to_owned() } else { listed() },
        }),
    }
}

/// Sets CPU and memory; other resources (devices, processes) stay.
fn size(resources: &mut Mapping, sizing: &Sizing) {
    let limits = mapping_at(resources, "limits");
    match sizing.cpu_limit {
        Some(limit) => {
            limits.insert(Value::from("cpus"), Value::from(cpus(limit)));
        }
        None => {
            limits.shift_remove("cpus");
        }
    }
    limits.insert(Value::from("memory"), Value::from(megabytes(sizing.memory_limit)));
    let reservations = mapping_at(resources, "reservations");
    reservations.insert(Value::from("cpus"), Value::from(cpus(sizing.cpu_request)));
    reservations.insert(Value::from("memory"), Value::from(megabytes(sizing.memory_request)));
}

/// Returns CPUs as a decimal with at most three places, as in `0.25`; the writer quotes it.
fn cpus(cpu: Cores) -> String {
    Cores::from_millis(cpu.millis_up()).as_f64().to_string()
}

/// Returns MiB, which docker writes as `M`.
fn megabytes(memory: Bytes) -> String {
    format!("{}M", memory.mebibytes_up())
}

/// Sets the predicted bandwidth as a label of the service: Swarm cannot limit it, schedulers and people can read it.
fn label(deploy: &mut Mapping, rate: &str) {
    const KEY: &str = "shadow.dev/bandwidth-bits-per-second";
    if let Some(Value::Sequence(list)) = deploy.get_mut("labels") {
        list.retain(|entry| entry.as_str().is_none_or(|text| text.split('=').next() != Some(KEY)));
        list.push(Value::from(format!("{KEY}={rate}")));
        return;
    }
    mapping_at(deploy, "labels").insert(Value::from(KEY), Value::from(rate));
}
