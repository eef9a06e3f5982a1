//! The reference of the command line as Markdown, made from the same definitions as the help.

/// Returns `docs/cli-reference.md`: the long help of every command.
pub fn reference() -> String {
    let mut command = super::command().color(clap::ColorChoice::Never).term_width(100);
    command.build();
    let mut sections = vec![
        "# Command line of shadow\n\nMade from the definitions in `src/cli`; `SHADOW_UPDATE=1 cargo test generated` \
         writes it anew.\n"
            .to_owned(),
        section(&mut command),
    ];
    sections.extend(command.get_subcommands_mut().filter(|command| command.get_name() != "help").map(section));
    sections.join("\n")
}

fn section(command: &mut clap::Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    format!("## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end())
}
