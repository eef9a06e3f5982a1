//! Arguments of `shadow man`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::complete;

const EXAMPLES: &str = "\
Examples:
  shadow man | man -l -
  shadow man completions | man -l -
  shadow man --out ~/.local/share/man/man1";

/// Prints the manual page of shadow or of one of its commands
///
/// Without a command the page of shadow itself. With `--out` the pages of all commands are written into a folder, one
/// file each, as `man` looks for them.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Man {
    /// Command whose page is printed
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    pub command: Option<String>,

    /// Folder to write all pages into
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, add = complete::folders())]
    pub out: Option<PathBuf>,
}
