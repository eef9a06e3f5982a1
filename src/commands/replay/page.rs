//! The report as a page: where it comes from, and the file.

use std::path::Path;

use crate::artifact::{ArtifactError, AtomicFile, write_atomic};
use crate::error::CommandError;
use crate::replay::{Provenance, ReplayReport, SourceFile, page};
use crate::store::Manifest;
use crate::ui::{Ui, human};

/// Refuses a page that could not be written, before the work begins.
pub(super) fn check(path: &Path) -> Result<(), CommandError> {
    if path.is_dir() {
        return Err(CommandError::usage(format!("`{}` is a folder", path.display()))
            .hint("name a file, as in `shadow replay --report replay.html`"));
    }
    // Dropped, the file under its temporary name is gone again.
    AtomicFile::create(path).map(drop).map_err(unwritable)
}

fn unwritable(error: ArtifactError) -> CommandError {
    CommandError::from(error).hint("name a file in a folder that can be written, with `--report`")
}

pub(super) fn write(ui: &Ui, path: &Path, report: &ReplayReport, manifest: &Manifest) -> Result<(), CommandError> {
    let text = page(report, &provenance(manifest));
    write_atomic(path, text.as_bytes()).map_err(unwritable)?;
    ui.say(&format!("wrote `{}`, {}", path.display(), human::bytes(text.len() as u64)));
    Ok(())
}

pub(super) fn provenance(manifest: &Manifest) -> Provenance {
    let cores = manifest.machine.cores().map(|cores| format!("{} cores", cores.as_f64()));
    let memory = manifest.machine.memory().map(|memory| human::bytes(memory.get()));
    let machine: Vec<String> = cores.into_iter().chain(memory).collect();
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        units: manifest.units.to_string(),
        machine: if machine.is_empty() { "not stated".to_owned() } else { machine.join(", ") },
        sources: manifest
            .sources
            .iter()
            .map(|source| SourceFile { name: file_name(&source.name), digest: source.digest.0.clone() })
            .collect(),
    }
}

/// Returns a source without its folders: a page is passed on, and where files lay on a machine is nobody's business.
fn file_name(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned()
}
