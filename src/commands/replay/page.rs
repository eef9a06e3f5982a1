//! The report as a page: where it comes from, and the file.

use std::path::Path;

use crate::artifact::write_atomic;
use crate::error::CommandError;
use crate::replay::{Provenance, ReplayReport, SourceFile, page};
use crate::store::Manifest;
use crate::ui::{Ui, human};

use super::super::result_file::{self, unwritable};

const REPORT: &str = "--report";

/// Refuses a page that could not be written, before the work begins.
pub(super) fn check(path: &Path) -> Result<(), CommandError> {
    result_file::check(path, REPORT, "shadow replay --report replay.html")
}

pub(super) fn write(ui: &Ui, path: &Path, report: &ReplayReport, manifest: &Manifest) -> Result<(), CommandError> {
    let text = page(report, &provenance(manifest));
    write_atomic(path, text.as_bytes()).map_err(unwritable(REPORT))?;
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
