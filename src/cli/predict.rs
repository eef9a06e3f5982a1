//! Arguments of `shadow predict`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::predict::ResourceWeights;
use crate::trace::table::Mapping;
use crate::units::Micros;

use super::complete;
use super::instances::MachineChoice;
use super::values::{EstimatorChoice, FormatChoice, MetricChoice, SimilarityChoice, coverage, day, factor, weights};

const EXAMPLES: &str = "\
Examples:
  What does this newcomer need, and why:
    shadow predict first-minute.csv --explain

  A patch for its Deployment:
    shadow predict first-minute.csv -o kubernetes-patch --name checkout --namespace shop \\
      | kubectl patch deployment checkout -n shop --patch-file /dev/stdin

  Its own manifest with the resources filled in:
    shadow predict first-minute.csv -o kubernetes --base deployment.yaml | kubectl apply -f -

  Every manifest of a repository: what would change, as a patch; and a gate for CI (exit code 4 when a request is
  outside its interval):
    shadow predict newcomers.csv --base manifests --diff | git apply
    shadow predict newcomers.csv --base manifests --check

  A Terraform module:
    shadow predict first-minute.csv -o terraform --out modules/checkout

  The cheapest machines for four replicas of it:
    shadow predict first-minute.csv --granularity vm --replicas 4 --provider aws,gcp

  Every newcomer in a file, one JSON document per line:
    shadow predict newcomers.csv --workloads submitted.csv -o jsonl

  From Prometheus, for a gate in CI (exit code 4 when nothing in the store resembles it):
    curl -s \"$PROMETHEUS/api/v1/query_range?...\" | shadow predict - --coverage 0.99 -o json";

/// Predicts what a workload needs from its first minutes
///
/// SAMPLE is what was seen of the newcomer: a file or `-`, in the `table` format (`time_s`, `cpu_cores`,
/// `memory_bytes` and others by name) or any trace slice. With a column `workload` that holds several names it is a
/// batch: one prediction each.
///
/// The answer names the rung of the ladder that gave it: same-application, neighbours, class-prior, persistence, or
/// abstain (exit code 4), with an interval, the novelty of the newcomer and the workloads that it rests on.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Predict {
    /// The sample: a file, or `-` for standard input
    #[arg(value_name = "SAMPLE", value_hint = ValueHint::FilePath, add = complete::inputs())]
    pub sample: PathBuf,

    /// Number of neighbours to combine; by default 15, or 60 where on the store these would have wasted less (by
    /// learned similarity alone)
    #[arg(short, long = "neighbours", value_name = "N")]
    pub k: Option<NonZeroUsize>,

    /// How distance is measured
    #[arg(long, value_name = "METRIC", default_value = "euclidean")]
    pub metric: MetricChoice,

    /// Weights of resources: cpu, memory, network, disk and facts (what is known at submission); 1 each by default
    #[arg(long, value_name = "LIST", value_parser = weights)]
    pub weights: Option<ResourceWeights>,

    /// What decides how much a neighbour counts [default: learned; distance with --metric cosine or --weights]
    #[arg(long, value_name = "NAME")]
    pub similarity: Option<SimilarityChoice>,

    /// Share of workloads whose need shall fit into the allocation, between 0 and 1
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = coverage)]
    pub coverage: f64,

    /// How the needs of the neighbours are combined
    #[arg(long, value_name = "NAME", default_value = "quantile")]
    pub estimator: EstimatorChoice,

    /// Learning window of the index to ask [default: the longest one that the sample fills]
    #[arg(long, value_name = "W")]
    pub window: Option<Micros>,

    /// Form of the answer [default: table on a terminal, json when piped, jsonl for a batch]
    #[arg(long, short, value_name = "FORMAT")]
    pub output: Option<OutputForm>,

    /// Show the neighbours with what they needed, where they differ, and what the answer would be without each
    #[arg(long)]
    pub explain: bool,

    /// Format of the sample
    #[arg(long, value_name = "NAME", default_value = "auto", help_heading = "Sample")]
    pub format: FormatChoice,

    /// Table of what was known at submission; ends and lifetimes in it are ignored
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, add = complete::inputs(), help_heading = "Sample")]
    pub workloads: Vec<PathBuf>,

    /// Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated
    #[arg(long, value_name = "TARGET=COLUMN", help_heading = "Sample")]
    pub map: Vec<Mapping>,

    /// Manifest or stack file to fill in (`-`: standard input); what comes out is the whole of it, with other resources.
    /// A folder is a batch of manifests: without --out the answer is a table of its containers
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, add = complete::inputs(), help_heading = "Manifests")]
    pub base: Option<PathBuf>,

    /// What to do with a batch of manifests.
    #[command(flatten)]
    pub batch: BatchChoice,

    /// Container to size, or `WORKLOAD=CONTAINER` for one of several workloads in a manifest, which can be repeated
    /// [default: the only one of the manifest, else made from the workload's name]
    #[arg(long, value_name = "[WORKLOAD=]NAME", help_heading = "Manifests")]
    pub container: Vec<String>,

    /// Name of the object or service [default: made from the workload's name]
    #[arg(long, value_name = "NAME", help_heading = "Manifests")]
    pub name: Option<String>,

    /// Namespace of the object
    #[arg(long, value_name = "NAME", help_heading = "Manifests")]
    pub namespace: Option<String>,

    /// Kind of the object [default: that of the manifest given with --base, else deployment]
    #[arg(long, value_name = "KIND", help_heading = "Manifests")]
    pub kind: Option<KindChoice>,

    /// Where the values of a Helm chart have `resources`, as in `backend.app`
    #[arg(long, value_name = "PATH", help_heading = "Manifests")]
    pub helm_path: Option<String>,

    /// Day (UTC) on which the recommender of an autoscaler starts from the checkpoint, as in `2026-05-04`
    #[arg(long, value_name = "DATE", value_parser = day, help_heading = "Manifests")]
    pub day: Option<Micros>,

    /// Folder for forms that are several files; for a folder of manifests one that is new or that shadow wrote
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, add = complete::folders(), help_heading = "Manifests")]
    pub out: Option<PathBuf>,

    /// Set a CPU limit too; it throttles even on an idle node, so none is set by default
    #[arg(long, help_heading = "Manifests")]
    pub cpu_limit: bool,

    /// Memory limit as a multiple of the memory request; 1: what a pod uses above its request is its neighbours'
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = factor, help_heading = "Manifests")]
    pub memory_limit_factor: f64,

    /// In what the answer is given: amounts of CPU and memory, whole machines of a catalogue, or amounts with network
    #[arg(long, value_name = "NAME", default_value = "cores", help_heading = "Machines")]
    pub granularity: GranularityChoice,

    /// Which machines, for `--granularity vm` and the Terraform forms of the clouds.
    #[command(flatten)]
    pub machines: MachineChoice,

    /// Write a manifest from an uncertain answer too: one without an interval, or with a confidence below 0.1
    #[arg(long, help_heading = "Manifests")]
    pub allow_uncertain: bool,
}

/// What to do with a batch of manifests.
#[derive(Debug, Clone, Args)]
pub struct BatchChoice {
    /// Show what --base would become, as a unified diff with `a/` and `b/` before its paths
    #[arg(long, requires = "base", conflicts_with = "out", help_heading = "Manifests")]
    pub diff: bool,

    /// End with exit code 4 when a request in --base is outside the interval of its prediction, or missing
    #[arg(long, requires = "base", help_heading = "Manifests")]
    pub check: bool,

    /// Table (CSV) of which container is which workload: `workload`, `name`, `container`, and where needed `kind`,
    /// `namespace` [default: the annotation `shadow.dev/workload`, else the names]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "base", help_heading = "Manifests")]
    pub assign: Option<PathBuf>,
}

/// Forms of a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    /// For people
    Table,
    /// One JSON document (an array for a batch)
    Json,
    /// One JSON document per line
    Jsonl,
    /// One row per workload
    Csv,
    /// The JSON document as YAML
    Yaml,
    /// The manifest given with --base with its resources filled in, or a patch without one
    Kubernetes,
    /// A patch for `kubectl patch --patch-file`
    KubernetesPatch,
    /// The patch without kind and name, for `kubectl patch --type strategic`
    StrategicMerge,
    /// A Kustomize component: with --out a patch per workload beside it, else one file
    Kustomize,
    /// `resources` for the values of a Helm chart, under --helm-path
    HelmValues,
    /// A JSON patch (RFC 6902) that tests the container's name before it changes anything
    JsonPatch,
    /// New sizes of a running pod, for `kubectl patch --subresource resize`
    Resize,
    /// A `LimitRange`: defaults of a namespace
    LimitRange,
    /// A `VerticalPodAutoscaler` with the interval as its bounds, in mode `Off`
    Vpa,
    /// The same with a checkpoint from the neighbours, so that its recommender starts warm; needs --day
    VpaCheckpoint,
    /// A stack file for `docker stack deploy`, or the one given with --base filled in
    Swarm,
    /// A file for `docker compose`, or the one given with --base filled in
    Compose,
    /// A Terraform module: the whole of it with --out, else one file
    Terraform,
    /// Deployments as resources of Terraform's Kubernetes provider, where Terraform owns the objects
    TerraformKubernetes,
    /// The cheapest machines of AWS as Terraform resources
    TerraformAws,
    /// The cheapest machines of Google Cloud as Terraform resources
    TerraformGcp,
    /// The cheapest machines of Azure as Terraform resources
    TerraformAzure,
}

/// In what an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GranularityChoice {
    /// Amounts of CPU and memory
    Cores,
    /// Whole machines: the cheapest that hold the replicas, with the runners-up
    Vm,
    /// Amounts of CPU and memory, and network bandwidth as annotations of pods (a change of them restarts the pods)
    Network,
}

/// Kinds of Kubernetes workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindChoice {
    /// Deployment
    Deployment,
    /// `StatefulSet`
    #[value(name = "statefulset")]
    StatefulSet,
    /// `DaemonSet`
    #[value(name = "daemonset")]
    DaemonSet,
    /// Job
    Job,
    /// `CronJob`
    #[value(name = "cronjob")]
    CronJob,
    /// Pod
    Pod,
}
