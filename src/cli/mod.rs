//! What can be typed: clap structs only, one file per command. A doc comment is the help; parsing has no side effects.
//!
//! Values are parsed into types that are always right ([`values`], or types of the library); whether they fit together
//! is decided by the command. The same definitions give the help, the completions, the man pages and the reference in
//! `docs/cli-reference.md`.

pub mod complete;
pub mod completions;
pub mod demo;
pub mod fingerprint;
mod global;
pub mod info;
pub mod ingest;
pub mod instances;
pub mod man;
pub mod map;
pub mod neighbours;
pub mod predict;
mod reference;
pub mod replay;
pub mod synth;
pub mod values;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use global::{ColorChoice, Global, ProgressChoice};
pub use reference::reference;

const EXAMPLES: &str = "\
Examples:
  shadow ingest usage.csv.gz --workloads workloads.csv
  shadow fingerprint
  shadow predict first-minute.csv
  shadow predict first-minute.csv -o kubernetes --base deployment.yaml | kubectl apply -f -
  shadow completions bash > ~/.local/share/bash-completion/completions/shadow
  shadow man | man -l -

Exit codes:
  0   done, also when there was nothing to do or the reader of the output went away
  1   your input cannot be used as it is; the message says what to change
  2   wrong usage
  3   data are damaged, or a file is refused
  4   the prediction abstained, or a gate failed
  70  a bug in shadow

Data go to standard output, everything else to standard error.";

/// Sizes new workloads from how similar workloads behaved
///
/// A new workload has no history. shadow reads the traces of workloads that ran before, finds those whose first
/// minutes looked like the newcomer's first minutes, and sizes the newcomer from what those turned out to need: an
/// answer after 60 seconds, with the neighbours that led to it, an interval, and "nothing like this in the store"
/// instead of a confident guess.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "shadow",
    version,
    after_help = "`shadow --help` shows more, `shadow help COMMAND` explains a command.",
    after_long_help = EXAMPLES,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    infer_subcommands = false
)]
pub struct Arguments {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, in the order in which the help lists them.
#[derive(Debug, Clone, Subcommand)]
#[expect(missing_docs, reason = "a comment here would take the place of the command's own help")]
pub enum Command {
    Ingest(ingest::Ingest),
    Fingerprint(fingerprint::Fingerprint),
    Map(map::Map),
    Predict(Box<predict::Predict>),
    Neighbours(neighbours::Neighbours),
    Replay(replay::Replay),
    Info(info::Info),
    Instances(Box<instances::Instances>),
    Synth(synth::Synth),
    Demo(demo::Demo),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Returns the definition of the whole command line.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Parses a command line, the program's name included.
///
/// # Errors
/// What clap says: wrong usage, or the text of `--help` and `--version`, coloured as `--color` asks.
pub fn parse(line: Vec<OsString>) -> Result<Arguments, clap::Error> {
    let mut command = command().color(global::typed_color(&line));
    let matches = command.try_get_matches_from_mut(line)?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}
