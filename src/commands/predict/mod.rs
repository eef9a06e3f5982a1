//! `shadow predict`: what newcomers need, in the form that the next tool reads.

mod batch;

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::predict::{GranularityChoice, KindChoice, OutputForm, Predict};
use crate::emit::instances::{Provider, Reserve};
use crate::emit::{CpuLimit, EmitError, EmitOptions, Format, Manifest, Renting, Uncertain, WorkloadKind};
use crate::error::{CommandError, Outcome};
use crate::predict::{
    Allocation, Decision, Interval, NeighbourCount, PredictError, Prediction, Question, ReadSample, Scale, Sighting,
    Similarity, observe,
};
use crate::store::Store;
use crate::ui::{Ui, human};

use crate::commands::instances::{NOTHING_HOLDS_IT, renting};
use crate::commands::sample::{Indexes, read, window};
use batch::{Batch, is_batch};

pub(crate) fn run(ui: &Ui, store: &Path, args: &Predict) -> Result<Outcome, CommandError> {
    check_arguments(args)?;
    let store = Store::open(store)?;
    // Said before anything is read: no sample and no index can make up for it.
    let scale = Scale::new(store.manifest().units, store.manifest().machine);
    if scale.cores_per_unit.is_none() || scale.bytes_per_unit.is_none() {
        return Err(PredictError::machine_unknown(&scale).into());
    }
    let mut indexes = Indexes::of(ui, &store, args.window)?;
    let batch = Batch::of(args, ui.data_is_terminal())?;
    let options = emit_options(ui, args)?;
    let sample = read(ui, &args.sample, &args.workloads, args.format, &args.map)?;
    let predictions = predict_all(&store, &mut indexes, &sample, args)?;
    indexes.log_use();
    if let Some(batch) = batch {
        return batch.run(ui, &predictions, &options, args);
    }
    let form = form_of(args, ui.data_is_terminal(), predictions.len());
    refuse_uncertain(&predictions, form, args)?;
    write(ui, &predictions, form, &options, args)?;
    tell(ui, &predictions, form);
    let is_answered = predictions.iter().any(|prediction| prediction.decision != Decision::Abstain)
        && has_machines(ui, &predictions, &options)?;
    Ok(if is_answered { Outcome::Done } else { Outcome::Abstained })
}

fn check_arguments(args: &Predict) -> Result<(), CommandError> {
    let is_input = |path: &Path| path.as_os_str() == "-";
    if is_input(&args.sample) && args.base.as_deref().is_some_and(is_input) {
        return Err(CommandError::usage("standard input cannot be both the sample and the manifest of `--base`")
            .hint("write one of them into a file"));
    }
    let form = args.output.map(Format::from);
    if args.base.is_some() && !is_batch(args) && form.is_some_and(|form| !form.takes_base()) {
        return Err(CommandError::usage("this form is not made from a manifest")
            .hint("use `--base` with `-o kubernetes`, `json-patch`, `swarm` or `compose`, or leave it out"));
    }
    if args.granularity == GranularityChoice::Network && form.is_some_and(|form| !form.holds_network()) {
        return Err(CommandError::usage("this form has no place for network bandwidth").hint(
            "use `--granularity network` with `-o kubernetes`, `kubernetes-patch`, `kustomize`, `swarm` or `compose`",
        ));
    }
    for (is_given, wanted, option) in [
        (args.helm_path.is_some(), form == Some(Format::HelmValues), "`--helm-path` is for `-o helm-values`"),
        (args.day.is_some(), form == Some(Format::VpaCheckpoint), "`--day` is for `-o vpa-checkpoint`"),
    ] {
        if is_given && !wanted {
            return Err(CommandError::usage(format!("{option}, and has no meaning here")).hint("leave it out"));
        }
    }
    if let Some(cloud) = form.and_then(Format::machines_of)
        && args.machines.provider.iter().any(|provider| Provider::from(*provider) != cloud)
    {
        return Err(CommandError::usage(format!("`--provider` names another cloud than the form, `{}`", cloud.name()))
            .hint("leave out `--provider`, the form names the cloud"));
    }
    let sizes_containers =
        args.base.is_some() || form.is_some_and(|form| form.is_manifest() && form.machines_of().is_none());
    if args.granularity == GranularityChoice::Vm && sizes_containers {
        return Err(CommandError::usage("a manifest of containers holds amounts, not machines")
            .hint("use `--granularity vm` with `-o table`, `json`, `jsonl`, `csv` or `yaml`"));
    }
    Ok(())
}

fn emit_options(ui: &Ui, args: &Predict) -> Result<EmitOptions, CommandError> {
    let base = args.base.as_deref().filter(|_| !is_batch(args)).map(read_base).transpose()?;
    let (container, containers) = containers(args)?;
    Ok(EmitOptions {
        container,
        containers,
        name: args.name.clone(),
        namespace: args.namespace.clone(),
        kind: args.kind.map(WorkloadKind::from),
        base,
        cpu_limit: if args.cpu_limit { CpuLimit::Factor(1.0) } else { CpuLimit::None },
        memory_limit_factor: args.memory_limit_factor,
        helm_path: args.helm_path.clone(),
        day: args.day,
        has_network: args.granularity == GranularityChoice::Network,
        renting: machines(args)?,
        several_files: args.out.is_some(),
        width: ui.data_width(),
        explain: args.explain,
        ..EmitOptions::default()
    })
}

/// Returns the container of all, and those of single workloads.
fn containers(args: &Predict) -> Result<(Option<String>, BTreeMap<String, String>), CommandError> {
    let (mut all, mut single) = (None, BTreeMap::new());
    for given in &args.container {
        // A container's name holds no sign of equality, a workload's may.
        let twice = match given.rsplit_once('=') {
            None => all.replace(given.clone()).is_some(),
            Some((workload, container)) => single.insert(workload.to_owned(), container.to_owned()).is_some(),
        };
        if twice {
            return Err(CommandError::usage(format!("`--container {}` names it twice", given.escape_debug()))
                .hint("give each workload one container, as in `--container WORKLOAD=CONTAINER`"));
        }
    }
    Ok((all, single))
}

/// Returns what machines are chosen from, where the answer is machines.
fn machines(args: &Predict) -> Result<Option<Renting>, CommandError> {
    let cloud = args.output.and_then(|form| Format::from(form).machines_of());
    match (cloud, args.granularity) {
        (Some(_), _) => renting(&args.machines, Reserve::Nothing).map(Some),
        (None, GranularityChoice::Vm) => renting(&args.machines, Reserve::Kubernetes).map(Some),
        (None, _) => Ok(None),
    }
}

fn read_base(path: &Path) -> Result<Manifest, CommandError> {
    let text = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin().lock())
            .map_err(|error| CommandError::user("cannot read the manifest from standard input").caused_by(error))?
    } else {
        fs_err::read_to_string(path).map_err(|error| {
            CommandError::user(error.to_string())
                .hint("name the manifest to fill in with `--base`, or `-` for standard input")
        })?
    };
    Ok(Manifest::parse(&text)?)
}

fn predict_all(
    store: &Store,
    indexes: &mut Indexes<'_>,
    sample: &ReadSample,
    args: &Predict,
) -> Result<Vec<Prediction>, CommandError> {
    let usual = || Similarity::usual(args.metric.into(), args.weights);
    let similarity = args.similarity.map_or_else(usual, Similarity::from);
    let estimator = args.estimator.into();
    let question = Question {
        k: NeighbourCount::of(args.k, similarity, estimator),
        metric: args.metric.into(),
        weights: args.weights,
        similarity,
        coverage: args.coverage,
        estimator,
    };
    let (units, machine) = (store.manifest().units, store.manifest().machine);
    let is_batch = sample.sightings.len() > 1;
    let mut predictions = Vec::with_capacity(sample.sightings.len());
    for sighting in &sample.sightings {
        let length = indexes.window_for(sighting);
        let index = indexes.open(length)?;
        let digest = index.manifest.digest();
        match observe(sighting, sample.units, window(length), units, machine) {
            Ok(newcomer) => {
                predictions.push(index.knowledge.predict(&newcomer, &question, machine, &digest.0, args.explain)?);
            }
            // One of many that shows too little does not cost the others their answers.
            Err(error @ PredictError::Profile { .. }) if is_batch => {
                predictions.push(abstention(sighting, length.as_seconds(), &question, &error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(predictions)
}

fn abstention(sighting: &Sighting, window_seconds: f64, question: &Question, error: &PredictError) -> Prediction {
    Prediction {
        workload: sighting.name.clone(),
        window_seconds,
        observed_seconds: sighting.observed().as_seconds(),
        decision: Decision::Abstain,
        passed_over: vec![error.to_string()],
        allocation: Allocation::default(),
        interval: Interval::default(),
        coverage: question.coverage,
        novelty: None,
        neighbours: Vec::new(),
        store_workloads: 0,
        store_digest: String::new(),
        warnings: Vec::new(),
    }
}

/// Says for whom no machine is large enough, and returns whether there is none such.
fn has_machines(ui: &Ui, predictions: &[Prediction], options: &EmitOptions) -> Result<bool, CommandError> {
    let Some(renting) = &options.renting else { return Ok(true) };
    let mut without = Vec::new();
    for prediction in predictions {
        let ranking = renting.ranking(prediction, options)?;
        if ranking.is_some_and(|ranking| ranking.placements.is_empty()) {
            without.push(format!("`{}`", prediction.workload.escape_debug()));
        }
    }
    if !without.is_empty() {
        ui.warn(&format!("for {}: {NOTHING_HOLDS_IT}", without.join(", ")));
    }
    Ok(without.is_empty())
}

/// Returns the form that was asked for; without that, what a person or a program reads.
fn form_of(args: &Predict, is_terminal: bool, count: usize) -> Format {
    match args.output {
        Some(form) => form.into(),
        None if args.base.is_some() => Format::Kubernetes,
        None if is_terminal => Format::Table,
        None if count > 1 => Format::Jsonl,
        None => Format::Json,
    }
}

/// Refuses to write what a cluster acts on from an answer without an interval, or from the edge of what is known.
fn refuse_uncertain(predictions: &[Prediction], form: Format, args: &Predict) -> Result<(), CommandError> {
    if !form.is_manifest() || args.allow_uncertain {
        return Ok(());
    }
    let uncertain = predictions.iter().find_map(|one| Uncertain::of(one).map(|uncertain| (one, uncertain)));
    let Some((prediction, uncertain)) = uncertain else { return Ok(()) };
    let hint = match uncertain {
        Uncertain::Far { .. } => "see what it rests on with `--explain`",
        Uncertain::NoInterval => "ask for less with `--coverage 0.9`",
    };
    Err(CommandError::abstained(format!(
        "the answer for `{}` is uncertain at a coverage of {}: {uncertain}",
        prediction.workload.escape_debug(),
        prediction.coverage
    ))
    .hint(format!("take it all the same with `--allow-uncertain`, or {hint}")))
}

fn write(
    ui: &Ui,
    predictions: &[Prediction],
    form: Format,
    options: &EmitOptions,
    args: &Predict,
) -> Result<(), CommandError> {
    let emitted = form.emit(predictions, options).map_err(|error| with_reasons(error, predictions))?;
    if let Some(folder) = &args.out {
        for path in emitted.write_into(folder)? {
            ui.say(&format!("wrote `{}`", path.display()));
        }
        for hint in &emitted.hints {
            ui.hint(hint);
        }
        return Ok(());
    }
    let hints = emitted.hints.clone();
    ui.data_text(&emitted.into_text())?;
    for hint in &hints {
        ui.hint(hint);
    }
    Ok(())
}

/// Adds to a refused abstention why no rung of the ladder answered.
fn with_reasons(error: EmitError, predictions: &[Prediction]) -> CommandError {
    let reasons = match &error {
        EmitError::Abstained { workload } => predictions
            .iter()
            .find(|prediction| prediction.workload == *workload)
            .map(|one| one.passed_over.join("\n  ")),
        _ => None,
    };
    let error = CommandError::from(error);
    match reasons {
        Some(reasons) => error.with_message(|text| format!("{text}:\n  {reasons}")),
        None => error,
    }
}

/// Says on standard error what a reader of a manifest or a table does not see in it.
fn tell(ui: &Ui, predictions: &[Prediction], form: Format) {
    let abstained =
        predictions.iter().filter(|prediction| prediction.decision == Decision::Abstain).collect::<Vec<_>>();
    if let [only] = predictions {
        for warning in &only.warnings {
            ui.warn(warning);
        }
        if !abstained.is_empty() {
            let name = only.workload.escape_debug();
            ui.warn(&format!("no prediction for `{name}`:\n  {}", only.passed_over.join("\n  ")));
        } else if form == Format::Table && !only.passed_over.is_empty() {
            ui.say(&format!("rungs that did not answer:\n  {}", only.passed_over.join("\n  ")));
        }
    } else if !abstained.is_empty() {
        ui.warn(&format!(
            "no prediction for {} of {}; `passed_over` in the JSON forms says why",
            human::count(abstained.len() as u64),
            human::counted(predictions.len() as u64, "workload", "workloads")
        ));
    }
}

impl From<OutputForm> for Format {
    fn from(form: OutputForm) -> Self {
        match form {
            OutputForm::Table => Self::Table,
            OutputForm::Json => Self::Json,
            OutputForm::Jsonl => Self::Jsonl,
            OutputForm::Csv => Self::Csv,
            OutputForm::Yaml => Self::Yaml,
            OutputForm::Kubernetes => Self::Kubernetes,
            OutputForm::KubernetesPatch => Self::KubernetesPatch,
            OutputForm::StrategicMerge => Self::StrategicMerge,
            OutputForm::Kustomize => Self::Kustomize,
            OutputForm::HelmValues => Self::HelmValues,
            OutputForm::JsonPatch => Self::JsonPatch,
            OutputForm::Resize => Self::Resize,
            OutputForm::LimitRange => Self::LimitRange,
            OutputForm::Vpa => Self::Vpa,
            OutputForm::VpaCheckpoint => Self::VpaCheckpoint,
            OutputForm::Swarm => Self::Swarm,
            OutputForm::Compose => Self::Compose,
            OutputForm::Terraform => Self::Terraform,
            OutputForm::TerraformKubernetes => Self::TerraformKubernetes,
            OutputForm::TerraformAws => Self::TerraformAws,
            OutputForm::TerraformGcp => Self::TerraformGcp,
            OutputForm::TerraformAzure => Self::TerraformAzure,
        }
    }
}

impl From<KindChoice> for WorkloadKind {
    fn from(kind: KindChoice) -> Self {
        match kind {
            KindChoice::Deployment => Self::Deployment,
            KindChoice::StatefulSet => Self::StatefulSet,
            KindChoice::DaemonSet => Self::DaemonSet,
            KindChoice::Job => Self::Job,
            KindChoice::CronJob => Self::CronJob,
            KindChoice::Pod => Self::Pod,
        }
    }
}
