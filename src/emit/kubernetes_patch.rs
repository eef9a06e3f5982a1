//! `kubernetes-patch`: name, annotations, container and resources, nothing else; for `kubectl patch`.

use std::fmt::Write;

use serde_yaml::{Mapping, Value};

use crate::predict::Prediction;

use super::manifest::WorkloadKind;
use super::yaml_text::write_document;
use super::{EmitError, EmitOptions, Emitted, Form, Sizing, merge, names};

/// The form.
pub(super) struct KubernetesPatch;

/// The longest name that is made: also the longest that labels and hosts take.
const LONGEST_MADE: usize = 63;

impl Form for KubernetesPatch {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        if options.name.is_some() && predictions.len() != 1 {
            return Err(EmitError::OneWorkload { form: "--name", count: predictions.len() });
        }
        let kind = options.kind.unwrap_or(WorkloadKind::Deployment);
        if matches!(kind, WorkloadKind::Job | WorkloadKind::Pod) {
            return Err(EmitError::NeedsBase(kind.name()));
        }
        let (mut documents, mut hints) = (Vec::new(), Vec::new());
        for prediction in predictions {
            let sizing = Sizing::of(prediction, options)?;
            let (text, command) = patch(prediction, &sizing, kind, options)?;
            documents.push(text);
            hints.push(format!("apply it with `{command}`"));
        }
        if predictions.len() > 1 {
            hints = vec![
                "`kubectl patch` takes one document at a time; the whole stream goes through `kubectl apply --server-side --field-manager=shadow -f FILE`, except for objects made with plain `kubectl apply`".to_owned(),
            ];
        }
        let mut emitted = Emitted::one("shadow-patch.yaml", documents.join("---\n"));
        emitted.hints = hints;
        Ok(emitted)
    }
}

fn patch(
    prediction: &Prediction,
    sizing: &Sizing,
    kind: WorkloadKind,
    options: &EmitOptions,
) -> Result<(String, String), EmitError> {
    let name = match &options.name {
        Some(name) => {
            names::check_object(name, kind.longest_name())?;
            name.clone()
        }
        None => names::made(&prediction.workload, kind.longest_name().min(LONGEST_MADE)),
    };
    let container = match &options.container {
        Some(container) => {
            names::check_label("the container", container)?;
            container.clone()
        }
        None => names::made(&prediction.workload, LONGEST_MADE),
    };
    let mut metadata = Mapping::new();
    metadata.insert(Value::from("name"), Value::from(name.as_str()));
    if let Some(namespace) = &options.namespace {
        names::check_label("the namespace", namespace)?;
        metadata.insert(Value::from("namespace"), Value::from(namespace.as_str()));
    }
    let mut resources = Mapping::new();
    merge::fill_resources(&mut resources, sizing);
    let mut sized = Mapping::new();
    sized.insert(Value::from("name"), Value::from(container.as_str()));
    sized.insert(Value::from("resources"), Value::Mapping(resources));
    let mut body = Mapping::new();
    body.insert(Value::from("containers"), Value::Sequence(vec![Value::Mapping(sized)]));
    for step in kind.pod_path().iter().skip(1).rev() {
        let mut outer = Mapping::new();
        outer.insert(Value::from(*step), Value::Mapping(body));
        body = outer;
    }
    let mut object = Mapping::new();
    object.insert(Value::from("apiVersion"), Value::from(kind.api_version()));
    object.insert(Value::from("kind"), Value::from(kind.name()));
    object.insert(Value::from("metadata"), Value::Mapping(metadata));
    object.insert(Value::from("spec"), Value::Mapping(body));
    merge::annotate(&mut object, prediction, options, &container);

    let mut command = format!("kubectl patch {} {name}", kind.name().to_ascii_lowercase());
    if let Some(namespace) = &options.namespace {
        let written = write!(command, " -n {namespace}");
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    command += " --patch-file FILE";
    let text = format!(
        "# shadow {version}: a patch, not a whole object; any number of times, on a live object:\n#   {command}\n\
         # or, where the object is not managed with plain `kubectl apply`:\n\
         #   kubectl apply --server-side --field-manager=shadow -f FILE\n{document}",
        version = options.version,
        document = write_document(&Value::Mapping(object)),
    );
    Ok((text, command))
}
