//! Arguments of `shadow replay`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::replay::Gate;
use crate::units::Micros;

use super::values::{self, Switch, coverage};

const EXAMPLES: &str = "\
Examples:
  How good would shadow have been on this trace, beside its rivals:
    shadow replay

  Only workloads whose application the store has never seen, every figure as JSON:
    shadow replay --split unseen -o json > replay.json

  Two rivals, a longer learning window, a stricter coverage:
    shadow replay --window 5m --coverage 0.99 --rivals persistence,vpa-cold

  How much sooner than others is shadow right? The same figures after 10 s, a minute and half an hour:
    shadow replay --windows 10s,60s,30m

  A page for people who were not there, with all splits side by side and errors against seconds observed:
    shadow replay --split all --windows 10s,60s,30m --report replay.html

  Virtual machines that run all month, seen for an hour, sized for 99 % of their time:
    shadow replay --lives sampled --window 1h --cpu-percentile 99

  Batch work sized when it is submitted, before anything was observed:
    shadow replay --window 0s --split unseen

  Fail a pipeline when shadow would cover less, or waste more, than is acceptable:
    shadow replay --gate 'memory.coverage>=0.95,memory.slack<=0.4'";

const GATE: &str = "\
Conditions that must hold, with commas; exit code 4 if one does not

A condition is a figure, one of >=, <=, >, <, =, and a number; quote them, as the shell has a meaning for > and <. \
Figures are those of shadow at its default setting in the split that was asked for: every workload weighs the same, the \
owner's request stands in where shadow does not answer, and needs that are only lower bounds are left out. A figure \
that does not exist meets no condition. Figures of memory begin with `memory.`, those of CPU with `cpu.`:

  coverage         share of workloads that needed no more than they were given
  waste            mean of what was given above the need, in GiB or cores
  slack            mean relative slack: (given - 95th percentile of use) / given
  over_allocation  mean of given / needed - 1
  oom_free         share of workloads without a simulated OOM kill (memory, feedback on)
  footprint        what was given over what the owner asked for, over time
  time_above       share of time with use above what was given
  answered         share of workloads that shadow answered itself";

/// Replays the trace and scores shadow beside its rivals
///
/// Goes through the stored trace in time order, predicts each workload from its first window using only what ended
/// before, and compares the answers with what the workloads turned out to need: under-provision, waste and OOM kills,
/// for memory and CPU, beside the owner's request, persistence and others. The same store, seed and options give the
/// same figures.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Replay {
    /// Learning window: how much of a newcomer is seen; `0s` asks at submission
    ///
    /// At submission nothing was observed: answers rest on requests, history, class and what else is known then. Only so
    /// can instances be asked about of which the trace has one row and no series (batch instances of alibaba-2018).
    #[arg(long, value_name = "W", default_value = "60s")]
    pub window: Micros,

    /// Show as well how answers improve with what was seen: learning windows with commas, as in `10s,30s,60s,5m,30m`
    ///
    /// The whole replay is repeated for each window: first windows, fits and answers are made anew. Errors and waste are
    /// given for the workloads that could be asked at every window, and for all that could be asked at each.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub windows: Vec<Micros>,

    /// Which workloads a prediction may rest on: one, several with commas, or `all`
    ///
    /// Each split is a replay of its own; a report of several shows them side by side. `--gate` and `--windows` are about
    /// the one that is named first.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "recurring")]
    pub split: Vec<SplitChoice>,

    /// Shares of the trace's time at which the calibration period and the test period begin
    ///
    /// Two numbers between 0 and 1 with a comma. Where all starts lie in the first part of a trace, because some
    /// workloads run far longer than others, earlier cuts keep the order in time.
    #[arg(long, value_name = "A,B", default_value = "0.5,0.7")]
    pub cuts: values::Cuts,

    /// What counts as the life of a workload
    #[arg(long, value_name = "NAME", default_value = "whole")]
    pub lives: LivesChoice,

    /// Which percentile of its rows' means a workload needs of CPU
    #[arg(long, value_name = "P", default_value = "95", value_parser = values::percentile)]
    pub cpu_percentile: f64,

    /// Instances without a series: how many of each task are replayed, drawn by a hash of their names
    #[arg(long, value_name = "N", default_value = "1")]
    pub instances: NonZeroU64,

    /// Instances without a series: of how many tasks they are replayed, drawn in the same way; all unless said
    #[arg(long, value_name = "N")]
    pub tasks: Option<NonZeroU64>,

    /// Rivals, with commas, or `all`
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "all")]
    pub rivals: Vec<String>,

    /// Whether OOM kills restart the workload with more memory
    #[arg(long, value_name = "SWITCH", default_value = "on")]
    pub feedback: Switch,

    /// Share of workloads whose need shall fit into the allocation, between 0 and 1
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = coverage)]
    pub coverage: f64,

    /// Number of neighbours to combine; by default 15, or 60 where on the store these would have wasted less
    #[arg(short, long = "neighbours", value_name = "N")]
    pub k: Option<NonZeroUsize>,

    /// Seed of folds, random neighbours and resampling
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,

    /// Conditions that must hold, with commas; exit code 4 if one does not
    #[arg(long, value_name = "CONDITIONS", long_help = GATE)]
    pub gate: Option<Gate>,

    /// Write the report as one self-contained HTML page as well
    ///
    /// Figures with the numbers behind them, the method and its limits in words; no script and nothing from the network.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,

    /// Form of the answer
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: ReplayForm,
}

/// How the trace is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitChoice {
    /// Time order; other instances of the same application may have ended before
    Recurring,
    /// Time order; nothing of the same application, job or user is in the store
    Unseen,
    /// Random, ignoring time: it flatters, and is shown only beside the honest figures
    Leaky,
    /// The three of them, side by side
    All,
}

/// What counts as the life of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LivesChoice {
    /// From its start to its end; who was not seen starting is not asked about, who was not seen ending needs at least so much
    Whole,
    /// From its first row to its last, for traces of machines that run throughout: the window is then no start-up
    Sampled,
}

/// Forms of a replay's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReplayForm {
    /// For people
    Table,
    /// Everything, one JSON document
    Json,
    /// One row per rival and resource
    Csv,
}
