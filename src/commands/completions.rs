//! `shadow completions`: the completion script of a shell, on standard output.

use clap_complete::Shell;

use crate::cli::{self, completions::Completions, completions::ShellChoice};
use crate::error::{CommandError, Outcome};
use crate::ui::Ui;

pub(super) fn run(ui: &Ui, args: &Completions) -> Result<Outcome, CommandError> {
    let shell = match args.shell {
        ShellChoice::Bash => Shell::Bash,
        ShellChoice::Zsh => Shell::Zsh,
        ShellChoice::Fish => Shell::Fish,
        ShellChoice::PowerShell => Shell::PowerShell,
    };
    // The generator panics when its writer fails, as a closed pipe does: it writes into memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "shadow", &mut script);
    ui.data(|out| out.write_all(&script))?;
    Ok(Outcome::Done)
}
