//! The pages of `docs/platforms` are real: each command of their console blocks is run again, in one folder per page, and
//! prints what stands there. `SHADOW_UPDATE=1` writes them anew.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use assert_cmd::cargo::cargo_bin;

use crate::common::checkers::{checker, is_installed, python};

/// A piece of a page.
enum Piece<'a> {
    Text(&'a str),
    /// A block that is the content of a file: its first line, which names the file, and the rest.
    File(&'a str, &'a str),
    Session(&'a str),
}

/// Returns the pieces of a page; put together again they are the page.
fn pieces(page: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find("```") {
        let (text, block) = rest.split_at(at);
        let (head, body) = block.split_once('\n').expect("the end of a block's first line");
        let (body, behind) = body.split_once("```\n").expect("the end of a block");
        pieces.push(Piece::Text(text));
        pieces.push(if head == "```console" { Piece::Session(body) } else { Piece::File(head, body) });
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Runs a line in a shell, as a reader would, and returns both streams as they come.
fn run(folder: &Path, line: &str) -> String {
    let shadow = cargo_bin!("shadow");
    let beside = shadow.parent().expect("the binary lies in a folder");
    // Wrappers of the tools first.
    let path = format!("{}:{}:{}", folder.join("bin").display(), beside.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {line}")])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env("HOME", folder)
        .env("TF_CLI_CONFIG_FILE", folder.join("bin/settings.tfrc"))
        .env("TF_IN_AUTOMATION", "1")
        .env_remove("TF_DATA_DIR")
        .env_remove("SHADOW_STORE")
        .env_remove("KUBECONFIG")
        .output()
        .expect("a shell");
    String::from_utf8_lossy(&output.stdout).lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// Runs the page in `folder` and compares it with what it shows.
fn check(folder: &Path, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/platforms").join(name);
    let page = fs_err::read_to_string(&path).unwrap();
    fs_err::create_dir_all(folder.join("bin")).unwrap();
    fs_err::write(folder.join("bin/settings.tfrc"), "disable_checkpoint = true\n").unwrap();
    run(folder, "shadow --quiet demo --keep demo");
    let mut found = String::new();
    for piece in pieces(&page) {
        match piece {
            Piece::Text(text) => found += text,
            Piece::File(head, body) => {
                if let Some((_, file)) = head.split_once(" file=") {
                    fs_err::write(folder.join(file), body).unwrap();
                }
                found.extend([head, "\n", body, "```\n"]);
            }
            Piece::Session(session) => {
                found += "```console\n";
                for line in session.lines().filter_map(|line| line.strip_prefix("$ ")) {
                    found.extend(["$ ", line, "\n", &run(folder, line)]);
                }
                found += "```\n";
            }
        }
    }
    if std::env::var_os("SHADOW_UPDATE").is_some() {
        fs_err::write(path, found).unwrap();
        return;
    }
    for (shown, found) in page.lines().zip(found.lines()) {
        assert_eq!(found, shown, "`SHADOW_UPDATE=1 cargo test --test tests platforms` writes `{name}` anew");
    }
    assert_eq!(found.lines().count(), page.lines().count(), "`{name}` has other lines:\n{found}");
}

/// A stand-in for an API server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_page_of_kubernetes_is_real() {
    use std::io::BufRead;
    const TEST: &str = "the_page_of_kubernetes_is_real";
    let (Some(script), Some(python)) = (checker("fake_apiserver.py", TEST), python(TEST)) else { return };
    if !is_installed("kubectl", TEST) || !is_installed("patch", TEST) {
        return;
    }
    let mut server =
        Server(Command::new(python).arg(script).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    std::io::BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit(' ').next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let found = Command::new("sh").args(["-c", "command -v kubectl"]).output().unwrap();
    let kubectl = String::from_utf8(found.stdout).unwrap();
    // The reader's kubectl knows its cluster; this one is told.
    let wrapper = format!(
        "#!/bin/sh\nexec '{}' --server '{address}' --cache-dir '{}' \"$@\"\n",
        kubectl.trim(),
        folder.path().join("bin/cache").display()
    );
    let place = folder.path().join("bin/kubectl");
    fs_err::create_dir_all(place.parent().unwrap()).unwrap();
    fs_err::write(&place, wrapper).unwrap();
    fs_err::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    check(folder.path(), "kubernetes.md");
}

#[test]
fn the_page_of_terraform_is_real() {
    const TEST: &str = "the_page_of_terraform_is_real";
    if is_installed("terraform", TEST) && is_installed("python3", TEST) {
        check(tempfile::tempdir().unwrap().path(), "terraform.md");
    }
}

#[test]
fn the_page_of_swarm_is_real() {
    check(tempfile::tempdir().unwrap().path(), "swarm.md");
}
