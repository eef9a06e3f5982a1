//! `shadow completions`: the completion script of a shell, on standard output; and the answers while someone types.

use std::process::ExitCode;

use clap_complete::{CompleteEnv, Shell};

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

/// Answers a shell that asks for completions (it sets `COMPLETE`), and returns the exit code then. A line that cannot
/// be completed, as one with a wrong command, is answered in silence: a message would land in the middle of it.
pub(super) fn answer_shell() -> Option<ExitCode> {
    let is_question = std::env::args_os().any(|word| word == "--");
    let folder = std::env::current_dir().ok();
    match CompleteEnv::with_factory(cli::command).try_complete(std::env::args_os(), folder.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        Err(_nothing_to_offer) if is_question => Some(ExitCode::SUCCESS),
        Err(unknown_shell) => {
            // Nobody is left to tell when standard error is closed.
            drop(unknown_shell.print());
            Some(ExitCode::from(2))
        }
    }
}
