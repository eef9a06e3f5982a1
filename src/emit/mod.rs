//! A prediction in the form that the user's next tool reads; one file per form behind [`Form`].
//!
//! Input: [`Prediction`]s and [`EmitOptions`]. Output: text, the same bytes for the same input. Every form shows the
//! allocation rounded up (CPU to 1m, memory to 1Mi), never below what was predicted. Forms that a cluster would act on
//! refuse an abstention.

mod bandwidth;
mod compose;
mod csv;
mod evidence;
pub mod folder;
mod hcl;
mod helm_values;
pub mod instances;
mod json;
mod json_patch;
mod jsonl;
mod kubernetes;
mod kubernetes_patch;
mod kustomize;
mod limit_range;
mod manifest;
mod merge;
mod names;
mod quotes;
mod record;
mod renting;
mod resize;
mod scalars;
mod sizing;
mod strategic_merge;
mod table;
mod target;
mod terraform;
mod terraform_kubernetes;
mod terraform_machines;
mod text_edit;
mod uncertain;
mod vpa;
mod vpa_checkpoint;
mod yaml;
mod yaml_text;

use std::path::{Path, PathBuf};

use crate::predict::Prediction;

use terraform_machines::TerraformMachines;

pub use manifest::{Manifest, WorkloadKind};
pub use renting::Renting;
pub use sizing::{CpuLimit, Sizing};
pub use table::ranking_table;
pub use uncertain::{LEAST_CONFIDENCE, Uncertain};

/// What the forms need to know beside the prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct EmitOptions {
    /// The version of shadow that made the prediction.
    pub version: String,
    /// The container to size; nothing to take the only one, or one named after the workload.
    pub container: Option<String>,
    /// The containers of several workloads in one manifest: workload to container.
    pub containers: std::collections::BTreeMap<String, String>,
    /// The object's name; nothing to take the base's, or one made from the workload.
    pub name: Option<String>,
    /// The object's namespace.
    pub namespace: Option<String>,
    /// The object's kind; a Deployment without a base.
    pub kind: Option<WorkloadKind>,
    /// The user's own manifest.
    pub base: Option<Manifest>,
    /// Whether CPU is limited.
    pub cpu_limit: CpuLimit,
    /// Memory limit relative to the request, at least 1.
    pub memory_limit_factor: f64,
    /// Whether network bandwidth is set too, as annotations of pods.
    pub has_network: bool,
    /// Machines to choose from, where whole machines were asked for.
    pub renting: Option<Renting>,
    /// Keys that lead to `resources` in a chart's values, with dots between them.
    pub helm_path: Option<String>,
    /// Midnight (UTC, since 1970) of the day on which a recommender starts from a checkpoint.
    pub day: Option<crate::units::Micros>,
    /// Whether a form may be several files.
    pub several_files: bool,
    /// Columns of the terminal, for tables.
    pub width: u16,
    /// Whether a table also shows the neighbours.
    pub explain: bool,
}

impl Default for EmitOptions {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            container: None,
            containers: std::collections::BTreeMap::new(),
            name: None,
            namespace: None,
            kind: None,
            base: None,
            cpu_limit: CpuLimit::None,
            memory_limit_factor: 1.0,
            has_network: false,
            renting: None,
            helm_path: None,
            day: None,
            several_files: false,
            width: 100,
            explain: false,
        }
    }
}

impl EmitOptions {
    /// Returns the container that was named for `prediction`.
    fn container_of(&self, prediction: &Prediction) -> Option<&String> {
        self.containers.get(&prediction.workload).or(self.container.as_ref())
    }

    /// Returns how many placements of machines are shown.
    fn shown(&self) -> usize {
        self.renting.as_ref().map_or(0, |renting| renting.shown)
    }
}

/// One emitted file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmittedFile {
    /// Its name, to be used in a folder.
    pub name: String,
    /// Its whole content, ending in a line break.
    pub text: String,
}

/// What a form wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// One file that works alone, unless several were allowed.
    pub files: Vec<EmittedFile>,
    /// What the user can do with it, one command or sentence each; for stderr.
    pub hints: Vec<String>,
}

impl Emitted {
    fn one(name: &str, text: String) -> Self {
        Self { files: vec![EmittedFile { name: name.to_owned(), text }], hints: Vec::new() }
    }

    /// Returns the text for a stream.
    pub fn into_text(self) -> String {
        self.files.into_iter().map(|file| file.text).collect()
    }

    /// Writes each file into `folder`, whole or not at all, and returns their paths.
    ///
    /// # Errors
    /// A file cannot be written; it is then what it was before.
    pub fn write_into(&self, folder: &Path) -> Result<Vec<PathBuf>, crate::artifact::ArtifactError> {
        let mut paths = Vec::new();
        for file in &self.files {
            let path = folder.join(&file.name);
            crate::artifact::write_atomic(&path, file.text.as_bytes())?;
            paths.push(path);
        }
        Ok(paths)
    }
}

/// One output form.
pub trait Form {
    /// Writes the predictions, in their order.
    ///
    /// # Errors
    /// An [`EmitError`] that says what is missing; nothing is written then.
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError>;
}

/// The name of an output form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For people.
    Table,
    /// One object, or an array for several workloads.
    Json,
    /// One object per line.
    Jsonl,
    /// One row per workload and container.
    Csv,
    /// The object of `json` as YAML, one document per workload.
    Yaml,
    /// Whole objects from the user's manifest, else as `kubernetes-patch`.
    Kubernetes,
    /// The minimal patch.
    KubernetesPatch,
    /// The patch without kind and name.
    StrategicMerge,
    /// A Kustomize component.
    Kustomize,
    /// Values for a Helm chart.
    HelmValues,
    /// Operations of RFC 6902.
    JsonPatch,
    /// New sizes of a running pod.
    Resize,
    /// Defaults of a namespace.
    LimitRange,
    /// An autoscaler with the interval as its bounds.
    Vpa,
    /// An autoscaler with its recommender's memory.
    VpaCheckpoint,
    /// A Swarm stack.
    Swarm,
    /// A Compose file.
    Compose,
    /// A module that uses the built-in provider only.
    Terraform,
    /// Deployments of the Kubernetes provider.
    TerraformKubernetes,
    /// Machines of AWS.
    TerraformAws,
    /// Machines of Google.
    TerraformGcp,
    /// Machines of Azure.
    TerraformAzure,
}

impl Format {
    /// All forms, in the order of their listing.
    pub const ALL: [Self; 22] = [
        Self::Table,
        Self::Json,
        Self::Jsonl,
        Self::Csv,
        Self::Yaml,
        Self::Kubernetes,
        Self::KubernetesPatch,
        Self::StrategicMerge,
        Self::Kustomize,
        Self::HelmValues,
        Self::JsonPatch,
        Self::Resize,
        Self::LimitRange,
        Self::Vpa,
        Self::VpaCheckpoint,
        Self::Swarm,
        Self::Compose,
        Self::Terraform,
        Self::TerraformKubernetes,
        Self::TerraformAws,
        Self::TerraformGcp,
        Self::TerraformAzure,
    ];

    /// Returns the name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Yaml => "yaml",
            Self::Kubernetes => "kubernetes",
            Self::KubernetesPatch => "kubernetes-patch",
            Self::StrategicMerge => "strategic-merge",
            Self::Kustomize => "kustomize",
            Self::HelmValues => "helm-values",
            Self::JsonPatch => "json-patch",
            Self::Resize => "resize",
            Self::LimitRange => "limit-range",
            Self::Vpa => "vpa",
            Self::VpaCheckpoint => "vpa-checkpoint",
            Self::Swarm => "swarm",
            Self::Compose => "compose",
            Self::Terraform => "terraform",
            Self::TerraformKubernetes => "terraform-kubernetes",
            Self::TerraformAws => "terraform-aws",
            Self::TerraformGcp => "terraform-gcp",
            Self::TerraformAzure => "terraform-azure",
        }
    }

    /// Returns whether a machine acts on it, so that an abstention has no such form.
    pub const fn is_manifest(self) -> bool {
        !matches!(self, Self::Table | Self::Json | Self::Jsonl | Self::Csv | Self::Yaml)
    }

    /// Returns whether it can be made from the user's own file.
    pub const fn takes_base(self) -> bool {
        matches!(self, Self::Kubernetes | Self::JsonPatch | Self::Swarm | Self::Compose)
    }

    /// Returns the cloud whose machines it holds.
    pub const fn machines_of(self) -> Option<instances::Provider> {
        match self {
            Self::TerraformAws => Some(TerraformMachines::Aws.provider()),
            Self::TerraformGcp => Some(TerraformMachines::Gcp.provider()),
            Self::TerraformAzure => Some(TerraformMachines::Azure.provider()),
            _ => None,
        }
    }

    /// Returns whether network bandwidth has a place in it.
    pub const fn holds_network(self) -> bool {
        !self.is_manifest()
            || matches!(
                self,
                Self::Kubernetes
                    | Self::KubernetesPatch
                    | Self::StrategicMerge
                    | Self::Kustomize
                    | Self::Swarm
                    | Self::Compose
                    | Self::TerraformKubernetes
            )
    }

    /// Writes `predictions` in this form.
    ///
    /// # Errors
    /// As [`Form::emit`].
    pub fn emit(self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let form: &dyn Form = match self {
            Self::Table => &table::Table,
            Self::Json => &json::Json,
            Self::Jsonl => &jsonl::Jsonl,
            Self::Csv => &csv::Csv,
            Self::Yaml => &yaml::Yaml,
            Self::Kubernetes => &kubernetes::Kubernetes,
            Self::KubernetesPatch => &kubernetes_patch::KubernetesPatch,
            Self::StrategicMerge => &strategic_merge::StrategicMerge,
            Self::Kustomize => &kustomize::Kustomize,
            Self::HelmValues => &helm_values::HelmValues,
            Self::JsonPatch => &json_patch::JsonPatch,
            Self::Resize => &resize::Resize,
            Self::LimitRange => &limit_range::LimitRange,
            Self::Vpa => &vpa::Vpa,
            Self::VpaCheckpoint => &vpa_checkpoint::VpaCheckpoint,
            Self::Swarm => &compose::Compose::Swarm,
            Self::Compose => &compose::Compose::Compose,
            Self::Terraform => &terraform::Terraform,
            Self::TerraformKubernetes => &terraform_kubernetes::TerraformKubernetes,
            Self::TerraformAws => &TerraformMachines::Aws,
            Self::TerraformGcp => &TerraformMachines::Gcp,
            Self::TerraformAzure => &TerraformMachines::Azure,
        };
        form.emit(predictions, options)
    }
}

impl std::str::FromStr for Format {
    type Err = EmitError;

    fn from_str(text: &str) -> Result<Self, EmitError> {
        let found = Self::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| EmitError::UnknownFormat(text.to_owned()))
    }
}

/// Why a form could not be written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EmitError {
    /// No form has this name.
    #[error("`{0}` is not an output format")]
    UnknownFormat(String),
    /// The prediction abstained: nothing to act on (exit code 4).
    #[error("no prediction for `{}`, so there is no manifest", workload.escape_debug())]
    Abstained {
        /// The newcomer.
        workload: String,
    },
    /// No machine of the catalogue holds a replica (exit code 4).
    #[error("no machine that the filters allow holds a replica of `{}`", workload.escape_debug())]
    NoMachine {
        /// The newcomer.
        workload: String,
    },
    /// A resource that the form needs is unknown (exit code 4).
    #[error("no {resource} was predicted for `{}`, so there is no manifest", workload.escape_debug())]
    MissingResource {
        /// The newcomer.
        workload: String,
        /// `CPU` or `memory`.
        resource: &'static str,
    },
    /// An amount beyond what Kubernetes can hold.
    #[error("{what} of `{}` is larger than a cluster can hold", workload.escape_debug())]
    TooLarge {
        /// The newcomer.
        workload: String,
        /// Which amount.
        what: &'static str,
    },
    /// A request is over its limit.
    #[error("the {what} request of `{}` would be over its limit", workload.escape_debug())]
    OverLimit {
        /// The newcomer.
        workload: String,
        /// `CPU` or `memory`.
        what: &'static str,
    },
    /// An option that cannot be.
    #[error("{option} `{value}` cannot be: expected {expected}")]
    BadOption {
        /// The option.
        option: &'static str,
        /// What was given.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The form holds one workload at a time.
    #[error("`{form}` holds one workload at a time, the sample holds {count}")]
    OneWorkload {
        /// The form, or the option that needs a single one.
        form: &'static str,
        /// How many there are.
        count: usize,
    },
    /// A name that Kubernetes refuses.
    #[error(
        "{what} `{name}` is not a name that Kubernetes takes: lower-case letters, digits and `-`, at most {longest} characters"
    )]
    BadName {
        /// Whose name it is.
        what: &'static str,
        /// The name.
        name: String,
        /// The longest that is allowed.
        longest: usize,
    },
    /// The base manifest cannot be read.
    #[error("cannot read the base manifest: {0}")]
    BadBase(String),
    /// The encoder failed: a defect of ours.
    #[error("cannot encode the prediction: {0}")]
    Encode(String),
    /// The base holds no workload, or not the one named.
    #[error("the base manifest holds no {wanted}; it holds {found}")]
    NotInBase {
        /// What was looked for.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// The base holds several candidates.
    #[error("the base manifest holds several {what}: {found}; choose with `{option}`")]
    Ambiguous {
        /// Of what.
        what: &'static str,
        /// The candidates.
        found: String,
        /// The option that chooses.
        option: &'static str,
    },
    /// The table of which container is which workload cannot be read.
    #[error("cannot read the table of assignments: {0}")]
    BadAssignments(String),
    /// The catalogue of machines cannot be read.
    #[error("cannot read the catalogue: {0}")]
    BadCatalogue(String),
    /// A kind whose resources cannot be patched.
    #[error("the resources of a {0} cannot be patched: give the whole object with `--base`")]
    NeedsBase(&'static str),
}

impl EmitError {
    /// Returns whether this is a valid answer that a script must notice, rather than a mistake of the user.
    pub const fn is_abstention(&self) -> bool {
        matches!(self, Self::Abstained { .. } | Self::MissingResource { .. } | Self::NoMachine { .. })
    }
}
