//! One `From` per error of the library: whose fault it is, and what can be done.
//!
//! In the order in which data flow. What only a bug in shadow can cause is [`Kind::Internal`], also where the type says
//! "damaged" or "not finite": values are checked where they enter.

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Component, Path};

use crate::artifact::ArtifactError;
use crate::emit::EmitError;
use crate::fingerprint::FingerprintError;
use crate::index::SearchError;
use crate::map::MapError;
use crate::predict::PredictError;
use crate::profile::ProfileError;
use crate::replay::ReplayError;
use crate::store::StoreError;
use crate::synth::SynthError;
use crate::trace::TraceError;
use crate::units::{QuantityError, UnitError};

use super::{CommandError, Kind};

/// An error whose type is not known where it passes through.
type AnyError = Box<dyn Error + Send + Sync>;

impl From<UnitError> for CommandError {
    fn from(error: UnitError) -> Self {
        Self::from_library(Kind::User, error)
    }
}

impl From<QuantityError> for CommandError {
    fn from(error: QuantityError) -> Self {
        Self::from_library(Kind::User, error)
    }
}

/// Says what can be done where there is no room.
fn without_room(error: CommandError, kind: ErrorKind) -> CommandError {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            error.hint("make room and repeat the command; what was there before is as it was")
        }
        _ => error,
    }
}

impl From<ArtifactError> for CommandError {
    fn from(error: ArtifactError) -> Self {
        match &error {
            ArtifactError::Io(source) => {
                let kind = source.kind();
                without_room(Self::from_library(Kind::User, error), kind)
            }
            ArtifactError::Version { path, found, newest, .. } if found > newest => {
                let hint = remake(path);
                let error = Self::from_library(Kind::Refused, error)
                    .hint("a newer shadow wrote it: use that version, or name another folder with `--store`");
                // What is made from the store can be made again without losing anything.
                if hint.starts_with("make the index") { error.hint(format!("or {hint}")) } else { error }
            }
            ArtifactError::Damaged { path, .. } | ArtifactError::Version { path, .. } => {
                let hint = remake(path);
                Self::from_library(Kind::Refused, error).hint(hint)
            }
            ArtifactError::Foreign { path, .. } => {
                // Inside an index the right folder was named, and what is wrong is the file.
                let is_of_index = path.components().any(|part| part.as_os_str() == "index");
                let hint =
                    if is_of_index { remake(path) } else { "name the folder of a store with `--store`".to_owned() };
                Self::from_library(Kind::Refused, error).hint(hint)
            }
            ArtifactError::Locked { .. } => Self::from_library(Kind::User, error)
                .hint("wait until the other command has ended, or name another folder with `--store`"),
            ArtifactError::Encode { .. } => Self::from_library(Kind::Internal, error),
        }
    }
}

impl From<TraceError> for CommandError {
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::Truncated { .. } => Self::from_library(Kind::Refused, error)
                .hint("get this file again and repeat the command; files already in the store are skipped"),
            TraceError::Unrecognised { .. } => Self::from_library(Kind::User, error).hint(
                "say what it is with `--format`; columns of a table of your own are named with `--map TARGET=COLUMN`",
            ),
            TraceError::Columns { .. } => Self::from_library(Kind::User, error)
                .hint("say where a column comes from with `--map TARGET=COLUMN`, as in `--map cpu_cores=cpu_pct/100`"),
            TraceError::Nothing { .. } => Self::from_library(Kind::User, error)
                .hint("name a file, a folder, a pattern such as `trace/*.csv.gz`, or `-` for standard input"),
            TraceError::Read { .. } => Self::from_library(Kind::User, error)
                .hint("see that it is there and can be read, or leave it out; files already in the store are skipped"),
            TraceError::Refused(refusal) => {
                let hint = refusal.hint.clone();
                Self::from_library(Kind::Refused, *refusal).hint(hint)
            }
            // What receives the rows is the store or a collector of samples; its error decides.
            TraceError::Sink(inner) => passed_through(inner).unwrap_or_else(|inner| Self::user(inner.to_string())),
        }
    }
}

impl From<SynthError> for CommandError {
    fn from(error: SynthError) -> Self {
        match error {
            SynthError::UnknownFormat { .. } | SynthError::Workloads { .. } | SynthError::Days { .. } => {
                Self::from_library(Kind::Usage, error)
            }
            SynthError::NotEmpty { .. } => Self::from_library(Kind::User, error)
                .hint("name a new folder with `--output`: what lies in this one would be read as part of the trace"),
            SynthError::Write(_) => Self::from_library(Kind::User, error),
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Artifact(error) => error.into(),
            StoreError::Trace(error) => error.into(),
            StoreError::Missing { .. } => Self::from_library(Kind::User, error)
                .hint("make one with `shadow ingest PATH`, or name another folder with `--store`"),
            StoreError::Incomplete { .. } => {
                Self::from_library(Kind::User, error).hint("repeat the `shadow ingest` command: it completes the store")
            }
            StoreError::Units { .. } => Self::from_library(Kind::User, error)
                .hint("keep traces of different units in different stores, with `--store`"),
            StoreError::TooManyRejects { .. } => Self::from_library(Kind::Refused, error)
                .hint("look at the examples by ingesting into another `--store` without `--max-rejects`"),
            StoreError::NothingUsable { .. } => Self::from_library(Kind::User, error)
                .hint("name the format with `--format`, or say where columns come from with `--map TARGET=COLUMN`"),
            StoreError::Parquet { .. } | StoreError::Layout { .. } => Self::from_library(Kind::Refused, error)
                .hint("remove the store's folder and make it anew with `shadow ingest PATH`"),
        }
    }
}

impl From<ProfileError> for CommandError {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::NoSamples => Self::from_library(Kind::User, error)
                .hint("a sample needs rows with `time_s` and `cpu_cores` or `memory_bytes`"),
            ProfileError::TooShort { .. } => Self::from_library(Kind::User, error)
                .hint("give a longer sample, or ask an index of a shorter learning window with `--window`"),
        }
    }
}

impl From<FingerprintError> for CommandError {
    fn from(error: FingerprintError) -> Self {
        match error {
            FingerprintError::Weight { .. }
            | FingerprintError::Components { .. }
            | FingerprintError::Explained { .. } => Self::from_library(Kind::Usage, error),
            FingerprintError::NoRows => Self::from_library(Kind::User, error).hint(
                "add traces of workloads whose start is visible with `shadow ingest PATH`; `shadow info` counts them",
            ),
            FingerprintError::NothingVaries => Self::from_library(Kind::User, error).hint(
                "add other workloads with `shadow ingest PATH`, or give another resource weight with `--weights`",
            ),
            FingerprintError::Width { .. }
            | FingerprintError::NotFinite { .. }
            | FingerprintError::Weights { .. }
            | FingerprintError::Overflow
            | FingerprintError::Eigen { .. }
            | FingerprintError::SelfCheck { .. }
            | FingerprintError::Linfa(_) => Self::from_library(Kind::Internal, error),
        }
    }
}

impl From<SearchError> for CommandError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::NoDirection => {
                Self::from_library(Kind::User, error).hint("measure distance with `--metric euclidean`")
            }
            SearchError::Rows { .. } => Self::from_library(Kind::User, error)
                .hint("keep parts of the traces in different stores, with `--store`"),
            SearchError::Damaged { path, what } => ArtifactError::Damaged { path, what }.into(),
            SearchError::Dimensions { .. } | SearchError::NotFinite { .. } | SearchError::Matrix => {
                Self::from_library(Kind::Internal, error)
            }
        }
    }
}

impl From<PredictError> for CommandError {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::Store(error) => error.into(),
            PredictError::Artifact(error) => error.into(),
            PredictError::Fingerprint(error) => error.into(),
            PredictError::Search(error) => error.into(),
            PredictError::Profile { workload, source } => {
                Self::from(source).with_message(|text| format!("`{workload}` shows too little: {text}"))
            }
            PredictError::NothingToLearn { .. } => Self::from_library(Kind::User, error).hint(
                "add traces of workloads whose start is visible with `shadow ingest PATH`, or learn from a shorter or longer \
                 window with `--window`",
            ),
            PredictError::NothingToExtend { window } => Self::from_library(Kind::User, error)
                .hint(format!("fit it anew with `shadow fingerprint --window {window}`")),
            PredictError::NoIndex { window, .. } => {
                let hint = window.map_or_else(
                    || "make one with `shadow fingerprint`".to_owned(),
                    |window| {
                        format!("make it with `shadow fingerprint --window {window}`; `shadow info` lists what is there")
                    },
                );
                Self::from_library(Kind::User, error).hint(hint)
            }
            PredictError::CosineWithWeights => Self::from_library(Kind::Usage, error)
                .hint("leave out `--weights`, or measure distance with `--metric euclidean`"),
            PredictError::MachineUnknown { .. } => Self::from_library(Kind::User, error).hint(
                "say how large it is, as in `shadow ingest PATH --machine-cores 64 --machine-memory 256GiB`; files \
                 already in the store are not read again",
            ),
            PredictError::Units { .. } => Self::from_library(Kind::User, error)
                .hint("convert the sample's column with `--map`, or name a store in its units with `--store`"),
            PredictError::OtherFeatures { ref path, .. } => {
                let hint = remake(path);
                Self::from_library(Kind::Refused, error).hint(hint)
            }
            PredictError::Range { .. } => Self::from_library(Kind::Internal, error),
        }
    }
}

impl From<MapError> for CommandError {
    fn from(error: MapError) -> Self {
        match error {
            MapError::NothingDiffers { .. } => Self::from_library(Kind::User, error)
                .hint("add traces of other workloads with `shadow ingest PATH`, then run `shadow fingerprint`"),
            MapError::NoColumn { .. } => {
                Self::from_library(Kind::Usage, error).hint("colour by one of these with `--color-by`")
            }
            MapError::Search(error) => error.into(),
            MapError::Predict(error) => error.into(),
            MapError::Store(error) => error.into(),
        }
    }
}

impl From<EmitError> for CommandError {
    fn from(error: EmitError) -> Self {
        match error {
            EmitError::Abstained { .. } => Self::from_library(Kind::Abstained, error)
                .hint("see what is nearest in the store with `shadow neighbours SAMPLE`"),
            EmitError::NoMachine { .. } => Self::from_library(Kind::Abstained, error)
                .hint("allow more with `--arch any`, `--category` or `--family`, or ask for less with `--headroom 0`"),
            EmitError::MissingResource { .. } => Self::from_library(Kind::Abstained, error)
                .hint("see what is known and why with `shadow predict SAMPLE --explain`"),
            EmitError::TooLarge { .. } => Self::from_library(Kind::User, error)
                .hint("check the units of the sample; `--map memory_bytes=COLUMN/1024` converts one"),
            EmitError::UnknownFormat(_) => {
                Self::from_library(Kind::Usage, error).hint("`shadow predict --help` lists the forms")
            }
            EmitError::OneWorkload { .. } => Self::from_library(Kind::Usage, error)
                .hint("give a sample of one workload, or take a form for many with `--output jsonl`"),
            EmitError::BadName { .. } => Self::from_library(Kind::Usage, error)
                .hint("choose names with `--name`, `--container` and `--namespace`"),
            // Their texts name the option and what it may be.
            EmitError::BadOption { .. } | EmitError::Ambiguous { .. } | EmitError::NeedsBase(_) => {
                Self::from_library(Kind::Usage, error)
            }
            EmitError::BadBase(_) => Self::from_library(Kind::User, error)
                .hint("`--base` takes YAML or JSON manifests of the object, as `kubectl get -o yaml` prints them"),
            EmitError::BadAssignments(_) => Self::from_library(Kind::User, error)
                .hint("`--assign` takes CSV with the columns workload, name and container, and kind and namespace where they are needed"),
            EmitError::BadCatalogue(_) => Self::from_library(Kind::User, error)
                .hint("`--catalog` takes CSV with the columns provider, name, vcpu and memory_gib; `shadow instances -o csv` prints one"),
            EmitError::NotInBase { .. } => {
                Self::from_library(Kind::User, error).hint("choose what to size with `--name` and `--container`")
            }
            // A limit is at least its request by construction.
            EmitError::OverLimit { .. } | EmitError::Encode(_) => Self::from_library(Kind::Internal, error),
        }
    }
}

impl From<ReplayError> for CommandError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::UnknownRival { .. } => {
                Self::from_library(Kind::Usage, error).hint("`--rivals all` takes the usual ones")
            }
            ReplayError::Parameter { .. } => Self::from_library(Kind::Usage, error),
            ReplayError::Store(error) => error.into(),
            ReplayError::Scratch { .. } => Self::from_library(Kind::User, error).hint(
                "make room there: `shadow replay` keeps up to 128 bytes per stored sample in that folder while it runs",
            ),
            ReplayError::NoCases => Self::from_library(Kind::User, error)
                .hint("add traces with samples with `shadow ingest PATH`; `shadow info` says what the store holds"),
            // Whose fault it is, is known to the error inside.
            ReplayError::Learner { what, source } => {
                let inner = passed_through(source).unwrap_or_else(|source| Self::internal(source.to_string()));
                inner.with_message(|text| format!("the estimator failed on {what}: {text}"))
            }
        }
    }
}

/// Translates an error of the library that passed through a place that does not know it; gives back any other.
fn passed_through(error: AnyError) -> Result<CommandError, AnyError> {
    fn of<E: Error + Send + Sync + 'static>(error: AnyError) -> Result<CommandError, AnyError>
    where
        CommandError: From<E>,
    {
        error.downcast::<E>().map(|known| (*known).into())
    }
    of::<ArtifactError>(error)
        .or_else(of::<TraceError>)
        .or_else(of::<StoreError>)
        .or_else(of::<ProfileError>)
        .or_else(of::<FingerprintError>)
        .or_else(of::<SearchError>)
        .or_else(of::<PredictError>)
}

/// Returns the hint that says how the file at `path` is made anew.
fn remake(path: &Path) -> String {
    let names: Vec<&str> = path
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    if let Some(at) = names.iter().rposition(|name| *name == "index") {
        let window = names.get(at + 1).and_then(|name| name.strip_prefix("window="));
        return match window {
            Some(window) => format!("make the index anew with `shadow fingerprint --window {window}`"),
            None => "make the index anew with `shadow fingerprint`".to_owned(),
        };
    }
    "remove the store's folder and read the traces again with `shadow ingest PATH`".to_owned()
}

#[cfg(test)]
#[path = "translate_tests.rs"]
mod tests;
