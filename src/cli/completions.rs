//! Arguments of `shadow completions`.

use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  shadow completions bash > ~/.local/share/bash-completion/completions/shadow
  shadow completions zsh > ~/.zfunc/_shadow
  shadow completions fish > ~/.config/fish/completions/shadow.fish
  shadow completions powershell >> $PROFILE

Completions that also know the folders of stores and always follow the installed version:
  bash:        source <(COMPLETE=bash shadow)
  zsh:         source <(COMPLETE=zsh shadow)
  fish:        COMPLETE=fish shadow | source
  PowerShell:  $env:COMPLETE = \"powershell\"; shadow | Out-String | Invoke-Expression; Remove-Item Env:\\COMPLETE";

/// Prints a completion script for a shell
///
/// The script goes to standard output; the examples say where each shell looks for it.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: ShellChoice,
}

/// Shells that completions are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShellChoice {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    #[value(name = "powershell")]
    PowerShell,
}
