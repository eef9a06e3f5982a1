//! What holds for every command: help, usage errors, streams, colours, exit codes.

use std::process::Stdio;

use snapbox::{assert_data_eq, str};

use crate::common::World;

/// Returns the names of all commands.
fn commands() -> Vec<String> {
    let mut command = shadow::cli::command();
    command.build();
    command.get_subcommands().map(|command| command.get_name().to_owned()).filter(|name| name != "help").collect()
}

#[test]
fn no_arguments_show_the_help_as_wrong_usage() {
    let answer = World::new().run([""; 0]).expect_code(2);
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.starts_with("Sizes new workloads from how similar workloads behaved\n"), "{}", answer.stderr);
    for command in commands() {
        assert!(answer.stderr.contains(&format!("\n  {command} ")), "`{command}` is not listed:\n{}", answer.stderr);
    }
}

#[test]
fn help_of_every_command_teaches_by_example_and_touches_nothing() {
    let world = World::new();
    for command in commands() {
        let answer = world.run([command.as_str(), "--help"]).expect_code(0);
        assert_eq!(answer.stderr, "", "{command}");
        assert!(answer.stdout.contains("\nExamples:\n"), "`{command}` has no examples:\n{}", answer.stdout);
        assert!(answer.stdout.contains(&format!("shadow {command}")), "{}", answer.stdout);
        assert_eq!(world.run(["help", command.as_str()]).expect_code(0).stdout, answer.stdout);
        assert_eq!(world.files(), [""; 0], "asking for help wrote something");
    }
}

#[test]
fn version_is_that_of_the_package() {
    let answer = World::new().run(["--version"]).expect_code(0);
    assert_eq!(answer.stdout, concat!("shadow ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn unknown_command_is_wrong_usage() {
    assert_data_eq!(
        World::new().run(["digest"]).shown(),
        str![[r#"
------- stderr -------
error: unrecognized subcommand 'digest'

  tip: a similar subcommand exists: 'ingest'

Usage: shadow [OPTIONS] <COMMAND>

For more information, try '--help'.
[exit code: 2]

"#]]
    );
}

#[test]
fn contradicting_options_are_wrong_usage() {
    assert_data_eq!(
        World::new().run(["-q", "-v", "man"]).shown(),
        str![[r#"
------- stderr -------
error: the argument '--quiet' cannot be used with '--verbose...'

Usage: shadow --quiet <COMMAND>

For more information, try '--help'.
[exit code: 2]

"#]]
    );
}

#[test]
fn value_outside_its_choices_is_wrong_usage() {
    assert_data_eq!(
        World::new().run(["--color", "sometimes", "man"]).shown(),
        str![[r#"
------- stderr -------
error: invalid value 'sometimes' for '--color <WHEN>'
  [possible values: auto, always, never]

For more information, try '--help'.
[exit code: 2]

"#]]
    );
    World::new().run(["--threads", "0", "man"]).expect_code(2);
    World::new().run(["--store", "", "man"]).expect_code(2);
}

#[test]
fn colours_only_where_they_are_wanted() {
    let bad = ["man", "nothing"];
    let has_color = |world: World, extra: &[&str]| {
        let arguments: Vec<&str> = extra.iter().chain(&bad).copied().collect();
        let answer = world.run(arguments).expect_code(2);
        assert!(answer.stderr.contains("there is no command `nothing`"), "{}", answer.stderr);
        answer.stderr.contains('\u{1b}')
    };
    assert!(!has_color(World::new(), &[]), "colour in a pipe");
    assert!(has_color(World::new(), &["--color", "always"]));
    assert!(
        has_color(World::new().with_variable("NO_COLOR", "1"), &["--color", "always"]),
        "a flag outranks a variable"
    );
    assert!(!has_color(World::new().with_variable("NO_COLOR", "1"), &[]));
    let help = World::new().run(["--color=always", "--help"]).expect_code(0);
    assert!(help.stdout.contains('\u{1b}'), "{}", help.stdout);
    let help = World::new().run(["--color=never", "--help"]).expect_code(0);
    assert!(!help.stdout.contains('\u{1b}'), "{}", help.stdout);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = World::new().command(["completions", "bash"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_closed_standard_error_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let world = World::new();
    let output = world.command(["man", "--out", "pages"]).stderr(writer).stdout(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = World::new().command(["completions", "zsh"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: cannot write to standard output: No space left on device (os error 28)\n"
    );
}

#[test]
fn log_goes_to_standard_error_and_leaves_the_answer_alone() {
    let plain = World::new().run(["completions", "fish"]).expect_code(0);
    let logged = World::new().with_variable("SHADOW_LOG", "trace").run(["-vv", "completions", "fish"]).expect_code(0);
    assert_eq!(plain.stdout, logged.stdout);
}
