//! The `shadow` program: completion hook, parse, log, run, exit code. Everything else is in the library.

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use shadow::error::CommandError;
use shadow::ui::{self, Ui};
use shadow::{cli, commands, error};

fn main() -> ExitCode {
    if let Some(answered) = commands::answer_shell() {
        return answered;
    }
    let arguments = match cli::parse(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Help and version go to standard output, wrong usage to standard error. A closed stream is no failure.
            drop(usage.print());
            return ExitCode::from(u8::from(usage.use_stderr()) * 2);
        }
    };
    ui::install_panic_report();
    let mut options = commands::ui_options(&arguments.global);
    if ui::start_log(options.verbosity) && options.progress == ui::When::Auto {
        options.progress = ui::When::Never;
    }
    let terminal = Ui::new(options);
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| commands::run(&terminal, &arguments)));
    let result = match result {
        Ok(result) => result.inspect_err(|error| terminal.error(error)),
        // The panic was reported where it happened.
        Err(_panic) => Err(CommandError::internal("a panic")),
    };
    ExitCode::from(error::exit_code(&result))
}
