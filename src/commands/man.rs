//! `shadow man`: manual pages in roff, one on standard output or all of them into a folder.

use std::path::Path;

use clap_mangen::Man as Page;

use crate::artifact;
use crate::cli::{self, man::Man};
use crate::error::{CommandError, Outcome};
use crate::ui::Ui;

/// Stands at the foot of each page.
const SOURCE: &str = concat!("shadow ", env!("CARGO_PKG_VERSION"));

pub(super) fn run(ui: &Ui, args: &Man) -> Result<Outcome, CommandError> {
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    if let Some(folder) = &args.out {
        return write_pages(ui, &command, folder);
    }
    let subject = match &args.command {
        None => &command,
        Some(name) => command.find_subcommand(name).ok_or_else(|| {
            let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            CommandError::usage(format!("there is no command `{name}`: commands are {}", names.join(", ")))
        })?,
    };
    let page = page_of(subject)?;
    ui.data(|out| out.write_all(page.as_bytes()))?;
    Ok(Outcome::Done)
}

fn write_pages(ui: &Ui, command: &clap::Command, folder: &Path) -> Result<Outcome, CommandError> {
    let mut pages = 0;
    for subject in std::iter::once(command).chain(command.get_subcommands()) {
        let name = subject.get_display_name().unwrap_or_else(|| subject.get_name());
        artifact::write_atomic(&folder.join(format!("{name}.1")), page_of(subject)?.as_bytes())?;
        pages += 1;
    }
    ui.say(&format!("wrote {pages} pages into `{}`", folder.display()));
    Ok(Outcome::Done)
}

/// Returns the page without a date, so that the same version gives the same bytes.
fn page_of(command: &clap::Command) -> Result<String, CommandError> {
    let mut roff = Vec::new();
    Page::new(command.clone())
        .manual("shadow manual")
        .source(SOURCE)
        .date("")
        .render(&mut roff)
        .map_err(|error| CommandError::internal(format!("a page could not be made in memory: {error}")))?;
    Ok(with_examples(&String::from_utf8_lossy(&roff)))
}

/// Gives examples and exit codes sections of their own, whose lines are not filled up: the generator has none.
fn with_examples(roff: &str) -> String {
    let Some((before, examples)) = roff.split_once(".SH EXTRA\nExamples:\n") else { return roff.to_owned() };
    let (examples, after) = examples.split_at(examples.find("\n.SH ").map_or(examples.len(), |end| end + 1));
    let examples = examples.replace("\n\nExit codes:\n", "\n.fi\n.SH EXIT STATUS\n.nf\n");
    format!("{before}.SH EXAMPLES\n.nf\n{examples}.fi\n{after}")
}
