//! `shadow man`: manual pages in roff, one on standard output or all of them into a folder.

use std::path::Path;

use clap_mangen::Man as Page;

use crate::artifact;
use crate::cli::{self, man::Man};
use crate::error::{CommandError, Outcome};
use crate::ui::Ui;

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
    ui.data(|out| out.write_all(&page))?;
    Ok(Outcome::Done)
}

fn write_pages(ui: &Ui, command: &clap::Command, folder: &Path) -> Result<Outcome, CommandError> {
    let mut pages = 0;
    for subject in std::iter::once(command).chain(command.get_subcommands()) {
        let name = subject.get_display_name().unwrap_or_else(|| subject.get_name());
        artifact::write_atomic(&folder.join(format!("{name}.1")), &page_of(subject)?)?;
        pages += 1;
    }
    ui.say(&format!("wrote {pages} pages into `{}`", folder.display()));
    Ok(Outcome::Done)
}

/// Returns the page without a date, so that the same version gives the same bytes.
fn page_of(command: &clap::Command) -> Result<Vec<u8>, CommandError> {
    let mut page = Vec::new();
    Page::new(command.clone())
        .manual("shadow manual")
        .date("")
        .render(&mut page)
        .map_err(|error| CommandError::internal(format!("a page could not be made in memory: {error}")))?;
    Ok(page)
}
