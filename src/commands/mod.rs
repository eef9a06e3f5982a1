//! The commands, one file each: arguments -> what is asked -> one call of the library -> the terminal.
//!
//! A command is `run(ui, store, args) -> Result<Outcome, CommandError>`. What flags mean together is decided in its
//! own file; what an error means to the user, in [`crate::error`].

mod completions;
mod demo;
mod fingerprint;
mod info;
mod ingest;
mod instances;
mod man;
mod map;
mod neighbours;
mod predict;
mod replay;
mod result_file;
mod sample;
mod synth;

use std::process::ExitCode;

use crate::cli::{Arguments, ColorChoice, Command, Global, ProgressChoice};
use crate::error::{CommandError, Outcome};
use crate::ui::{Ui, UiOptions, Verbosity, When};

/// Runs the command that was asked for.
///
/// # Errors
/// What the command could not do.
pub fn run(ui: &Ui, arguments: &Arguments) -> Result<Outcome, CommandError> {
    limit_threads(&arguments.global)?;
    dispatch(ui, arguments)
}

/// Runs a command inside a process whose threads are set up.
fn dispatch(ui: &Ui, arguments: &Arguments) -> Result<Outcome, CommandError> {
    let store = &arguments.global.store;
    match &arguments.command {
        Command::Ingest(args) => ingest::run(ui, store, args),
        Command::Fingerprint(args) => fingerprint::run(ui, store, args),
        Command::Map(args) => map::run(ui, store, args),
        Command::Predict(args) => predict::run(ui, store, args),
        Command::Neighbours(args) => neighbours::run(ui, store, args),
        Command::Info(args) => info::run(ui, store, args),
        Command::Instances(args) => instances::run(ui, args),
        Command::Replay(args) => replay::run(ui, store, args),
        Command::Synth(args) => synth::run(ui, args),
        Command::Demo(args) => demo::run(ui, args),
        Command::Completions(args) => completions::run(ui, args),
        Command::Man(args) => man::run(ui, args),
    }
}

/// Answers a shell that asks for completions, and returns the exit code then. To be called before anything is printed.
pub fn answer_shell() -> Option<ExitCode> {
    completions::answer_shell()
}

/// Returns what was asked of the terminal.
pub fn ui_options(global: &Global) -> UiOptions {
    UiOptions {
        verbosity: match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Debug,
        },
        color: match global.color {
            ColorChoice::Auto => When::Auto,
            ColorChoice::Always => When::Always,
            ColorChoice::Never => When::Never,
        },
        progress: match global.progress {
            ProgressChoice::Auto => When::Auto,
            ProgressChoice::Always => When::Always,
            ProgressChoice::Never => When::Never,
        },
    }
}

/// Makes the one pool of threads as large as `--threads` says.
fn limit_threads(global: &Global) -> Result<(), CommandError> {
    let Some(threads) = global.threads else { return Ok(()) };
    rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global().map_err(|error| {
        CommandError::user(format!("cannot start {threads} threads: {error}")).hint("use fewer `--threads`")
    })
}
