//! Manual pages.

use crate::common::World;

#[test]
fn a_page_for_shadow_and_for_each_command() {
    let world = World::new();
    let answer = world.run(["man"]).expect_code(0);
    assert!(answer.stdout.contains(".TH shadow 1"), "{}", answer.stdout);
    let mut command = shadow::cli::command().disable_help_subcommand(true);
    command.build();
    for command in command.get_subcommands() {
        let answer = world.run(["man", command.get_name()]).expect_code(0);
        let title = format!(".TH shadow-{} 1", command.get_name());
        assert!(answer.stdout.contains(&title), "`{title}` is missing:\n{}", answer.stdout);
        assert!(answer.stdout.contains(".SH EXAMPLES\n.nf\n"), "{}", answer.stdout);
    }
}

#[test]
fn pages_go_into_a_folder() {
    let world = World::new();
    let answer = world.run(["man", "--out", "share/man1"]).expect_code(0);
    assert_eq!(answer.stdout, "");
    let pages = std::fs::read_dir(world.path("share/man1")).unwrap().count();
    assert_eq!(answer.stderr, format!("wrote {pages} pages into `share/man1`\n"));
    assert_eq!(pages, shadow::cli::command().get_subcommands().count() + 1);
    let page = std::fs::read_to_string(world.path("share/man1/shadow-man.1")).unwrap();
    assert_eq!(page, world.run(["man", "man"]).stdout);
    assert_eq!(world.run(["-q", "man", "--out", "share/man1"]).expect_code(0).stderr, "");
}

#[test]
fn a_command_that_does_not_exist_has_no_page() {
    let answer = World::new().run(["man", "nothing"]).expect_code(2);
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.starts_with("error: there is no command `nothing`: commands are "), "{}", answer.stderr);
}
