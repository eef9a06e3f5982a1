//! Files made from the definitions of the command line: they are kept in the repository, and must not drift.

use std::path::PathBuf;

use crate::common::World;

/// Returns every generated file with its content.
fn generated() -> Vec<(String, String)> {
    let world = World::new();
    let scripts = [
        ("bash", "completions/shadow.bash"),
        ("zsh", "completions/_shadow"),
        ("fish", "completions/shadow.fish"),
        ("powershell", "completions/_shadow.ps1"),
    ];
    let mut files: Vec<(String, String)> = scripts
        .into_iter()
        .map(|(shell, path)| (path.to_owned(), world.run(["completions", shell]).expect_code(0).stdout))
        .collect();
    world.run(["man", "--out", "man"]).expect_code(0);
    let mut pages: Vec<PathBuf> =
        std::fs::read_dir(world.path("man")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    for page in pages {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        files.push((format!("completions/man/{name}"), std::fs::read_to_string(&page).unwrap()));
    }
    files.push(("docs/cli-reference.md".to_owned(), shadow::cli::reference()));
    files
}

#[test]
fn generated_files_are_those_of_this_version() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let is_update = std::env::var_os("SHADOW_UPDATE").is_some_and(|value| value == "1");
    let files = generated();
    let mut drifted = Vec::new();
    for (name, content) in &files {
        let path = root.join(name);
        if is_update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
        } else if std::fs::read_to_string(&path).ok().as_ref() != Some(content) {
            drifted.push(name.clone());
        }
    }
    for entry in std::fs::read_dir(root.join("completions/man")).into_iter().flatten() {
        let name = format!("completions/man/{}", entry.unwrap().file_name().to_string_lossy());
        if files.iter().all(|(known, _)| *known != name) {
            if is_update {
                std::fs::remove_file(root.join(&name)).unwrap();
            } else {
                drifted.push(name);
            }
        }
    }
    assert!(
        drifted.is_empty(),
        "not what this version makes (run `SHADOW_UPDATE=1 cargo test generated`):\n{}",
        drifted.join("\n")
    );
}
