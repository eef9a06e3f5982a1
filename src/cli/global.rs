//! What every command understands.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum, ValueHint};

use super::complete;

/// Options that stand before or after the command's name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Folder of the store
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SHADOW_STORE",
        hide_env_values = true,
        default_value = "./shadow-store",
        value_hint = ValueHint::DirPath,
        add = complete::folders()
    )]
    pub store: PathBuf,

    /// Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroUsize>,

    /// Say only what went wrong: no progress, no notes
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: ColorChoice,

    /// When to show progress on standard error: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub progress: ProgressChoice,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// When to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressChoice {
    /// On a terminal, unless -q or -v is given
    Auto,
    /// Always; one line a second where it is not a terminal
    Always,
    /// Never
    Never,
}

/// Returns the colour that help and usage errors shall have: they are printed before the line is understood.
pub(super) fn typed_color(line: &[OsString]) -> clap::ColorChoice {
    let words: Vec<&str> = line.iter().filter_map(|word| word.to_str()).collect();
    let after_name = words.iter().position(|word| *word == "--color").and_then(|at| words.get(at + 1).copied());
    let typed = words.iter().find_map(|word| word.strip_prefix("--color=")).or(after_name);
    match typed {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}
