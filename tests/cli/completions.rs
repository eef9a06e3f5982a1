//! Completions: static scripts, and what is answered while someone types.

use crate::common::World;

/// Asks what may follow `words` (the last one is being typed), as bash does.
fn offered(world: &World, words: &[&str]) -> Vec<String> {
    let mut command = world.command(["--"]);
    command.args(words).env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    command.env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "false");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "completion must be silent");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn every_shell_gets_a_script_that_knows_every_command() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let answer = world.run(["completions", shell]).expect_code(0);
        assert_eq!(answer.stderr, "");
        for command in shadow::cli::command().get_subcommands() {
            assert!(answer.stdout.contains(command.get_name()), "{shell}: no `{}`", command.get_name());
        }
    }
    let answer = world.run(["completions", "tcsh"]).expect_code(2);
    assert!(answer.stderr.contains("[possible values: bash, zsh, fish, powershell]"), "{}", answer.stderr);
}

#[test]
fn bash_accepts_its_script() {
    let world = World::new();
    world.write("shadow.bash", world.run(["completions", "bash"]).expect_code(0).stdout);
    match std::process::Command::new("bash").arg("-n").arg(world.path("shadow.bash")).output() {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => eprintln!("skipped bash_accepts_its_script: {error}"),
    }
}

#[test]
fn commands_and_values_are_offered_live() {
    let world = World::new();
    let commands = offered(&world, &["shadow", ""]);
    for command in shadow::cli::command().get_subcommands() {
        assert!(commands.iter().any(|word| word == command.get_name()), "{commands:?}");
    }
    assert_eq!(offered(&world, &["shadow", "completions", "z"]), ["zsh"]);
    assert_eq!(offered(&world, &["shadow", "--color", "a"]), ["auto", "always"]);
}

#[test]
fn folders_of_stores_are_offered_first() {
    let world = World::new();
    world.write("alpha/file", "");
    world.write("beta/store.json", "{}");
    world.write("file.csv", "");
    let folders = offered(&world, &["shadow", "--store", ""]);
    assert_eq!(folders[0], "beta/", "{folders:?}");
    assert!(folders.iter().any(|word| word == "alpha/") && !folders.iter().any(|word| word == "file.csv"));
}

#[test]
fn an_unfinished_or_wrong_line_is_answered_in_silence() {
    let world = World::new();
    assert_eq!(offered(&world, &["shadow", "--store", "no/such/folder/"]), [""; 0]);
    // After a wrong command the commands are offered again.
    assert!(offered(&world, &["shadow", "no-such-command", ""]).iter().any(|word| word == "completions"));
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn the_live_script_is_made_for_known_shells_only() {
    let answer = World::new().with_variable("COMPLETE", "bash").run([""; 0]).expect_code(0);
    assert!(answer.stdout.contains("_CLAP_COMPLETE_INDEX"), "{}", answer.stdout);
    let answer = World::new().with_variable("COMPLETE", "tcsh").run([""; 0]).expect_code(2);
    assert!(answer.stderr.contains("tcsh"), "{}", answer.stderr);
}
