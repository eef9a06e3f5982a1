//! The index on disk: one folder per learning window, replaced as a whole.
//!
//! `index/window=60s/` holds `index.json` (the manifest, with the other files' sizes and checksums), `model.json`,
//! `fingerprints.parquet` (the truth), `calibration.parquet`, `similarity.forest` and `tree.kd` (a
//! cache of the truth). A new index is made in `index/.new-window=60s/`, the old one moves to `index/.old-window=60s/`, the new one takes its place: a kill at any
//! moment leaves the old index or the new one, which the next reader and writer find. `docs/index-format.md` has the
//! columns.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artifact::manifest::{self, ManifestKind};
use crate::artifact::{ArtifactError, Digest, FileRecord, Lock};
use crate::fingerprint::{Components, FeatureSet, Model};
use crate::index::{Index, Points};
use crate::profile::{Floors, Window};
use crate::store::{Manifest, Store, parquet_file};
use crate::trace::UnitContract;
use crate::units::Micros;

use super::alike::Alike;
use super::calibrate::{Calibration, CalibrationKey};
use super::index_tables::{self, CaseRow};
use super::knowledge::{FitParams, Knowledge, Space};
use super::need::Remembered;
use super::{HistorySummary, PredictError, Question, ResourceWeights};

/// Kind and versions of `index.json`.
pub const INDEX_KIND: ManifestKind =
    ManifestKind { name: "shadow-index", described: "the manifest of a fingerprint index", oldest: 4, newest: 4 };

const FOLDER: &str = "index";
const MANIFEST: &str = "index.json";
const MODEL: &str = "model.json";
const FINGERPRINTS: &str = "fingerprints.parquet";
const CALIBRATION: &str = "calibration.parquet";
const TREE: &str = "tree.kd";
const FORESTS: &str = "similarity.forest";

/// The body of `index.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndexManifest {
    /// Version of the program that wrote it.
    pub written_by: String,
    /// Learning window.
    pub window: Micros,
    /// Unit contract of the store.
    pub units: UnitContract,
    /// Built-in weights of resources.
    pub weights: ResourceWeights,
    /// Workloads learned from.
    pub workloads: u64,
    /// What of the store was learned from.
    pub history: HistorySummary,
    /// Digests of the trace files that the store held then.
    pub sources: Vec<Digest>,
    /// Names of the features, in the order of a row.
    pub features: Vec<String>,
    /// Seconds that the first windows cover, the median.
    pub covered_seconds: f64,
    /// Components of a fingerprint; 0 where all workloads are alike.
    pub components: usize,
    /// The other files of the folder.
    pub files: Vec<FileRecord>,
}

impl IndexManifest {
    /// Returns the digest that names this index in answers.
    pub fn digest(&self) -> Digest {
        let files = self.files.iter().flat_map(|file| [file.path.as_str(), &file.crc32]);
        Digest::of(files.collect::<Vec<_>>().join("\n").as_bytes())
    }

    /// Returns whether the store has other trace files than those that were learned from.
    pub fn is_outdated(&self, store: &Manifest) -> bool {
        let stored: Vec<&Digest> = store.sources.iter().map(|source| &source.digest).collect();
        stored != self.sources.iter().collect::<Vec<_>>()
    }
}

/// An index that was opened.
#[derive(Debug)]
pub struct OpenIndex {
    /// What it knows.
    pub knowledge: Knowledge,
    /// Its manifest.
    pub manifest: IndexManifest,
    /// Why its tree was built anew, where that was necessary.
    pub tree_rebuilt: Option<String>,
}

fn name_of(window: Micros) -> String {
    format!("window={window}")
}

fn new_folder(store: &Path, window: Micros) -> PathBuf {
    store.join(FOLDER).join(format!(".new-{}", name_of(window)))
}

fn old_folder(store: &Path, window: Micros) -> PathBuf {
    store.join(FOLDER).join(format!(".old-{}", name_of(window)))
}

/// Returns the folder that holds the index of a window now: its place, or, after a kill between two renames, where the
/// old one was moved to. Nothing if there is none.
fn current_folder(store: &Path, window: Micros) -> Option<PathBuf> {
    let place = store.join(FOLDER).join(name_of(window));
    let old = old_folder(store, window);
    [place, old].into_iter().find(|folder| folder.join(MANIFEST).exists())
}

/// Returns the learning windows that the store at `store` has an index for, ascending.
///
/// # Errors
/// The folder cannot be listed.
pub fn indexed_windows(store: &Path) -> Result<Vec<Micros>, PredictError> {
    let folder = store.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut windows = Vec::new();
    for entry in fs_err::read_dir(&folder).map_err(ArtifactError::from)? {
        let name = entry.map_err(ArtifactError::from)?.file_name().to_string_lossy().into_owned();
        let window = name.strip_prefix(".old-").unwrap_or(&name).strip_prefix("window=");
        windows.extend(window.and_then(|window| window.parse::<Micros>().ok()));
    }
    windows.sort_unstable();
    windows.dedup();
    windows.retain(|&window| current_folder(store, window).is_some());
    Ok(windows)
}

/// Reads the manifest of the index for `window`.
///
/// # Errors
/// [`PredictError::NoIndex`], or the manifest is damaged or of an unknown version.
pub fn index_manifest(store: &Path, window: Micros) -> Result<(PathBuf, IndexManifest), PredictError> {
    let none = || PredictError::NoIndex { store: store.to_owned(), window: Some(window) };
    let folder = current_folder(store, window).ok_or_else(none)?;
    let manifest = manifest::read(&folder.join(MANIFEST), INDEX_KIND)?;
    Ok((folder, manifest))
}

impl Knowledge {
    /// Writes the index for this knowledge into the store, replacing the one of the same window. The store is locked
    /// meanwhile.
    ///
    /// # Errors
    /// A file cannot be written; the old index is then what it was.
    pub fn write(&self, store: &Store, history: HistorySummary) -> Result<IndexManifest, PredictError> {
        let root = store.root();
        let window = self.params.window.length;
        let _lock = Lock::take(root)?;
        recover(root, window)?;
        let folder = new_folder(root, window);
        fs_err::create_dir_all(&folder).map_err(ArtifactError::from)?;
        let manifest = self.write_files(&folder, store, history)?;
        replace(root, window)?;
        Ok(manifest)
    }

    fn write_files(
        &self,
        folder: &Path,
        store: &Store,
        history: HistorySummary,
    ) -> Result<IndexManifest, PredictError> {
        let mut files = Vec::new();
        let names: Vec<String> = self.features.features().iter().map(|feature| feature.name.clone()).collect();
        let question = Question::default();
        let components = self.model().map_or(0, Model::components);
        files.push(index_tables::write_fingerprints(folder, FINGERPRINTS, &names, components, self)?);
        if let Some(space) = &self.space {
            space.model.write(&folder.join(MODEL))?;
            files.push(FileRecord::of(folder, MODEL, self.rows.len() as u64)?);
            space.index.write(&folder.join(TREE))?;
            files.push(FileRecord::of(folder, TREE, self.rows.len() as u64)?);
            space.alike.write(&folder.join(FORESTS), self.rows.len())?;
            files.push(FileRecord::of_blocks(folder, FORESTS, self.rows.len() as u64)?);
            let mut calibrations = Vec::new();
            for (without, absent) in self.variants() {
                calibrations.push((without, self.calibration(space, &question, &absent, false)?));
            }
            files.push(index_tables::write_calibrations(folder, CALIBRATION, &calibrations)?);
        }
        let manifest = IndexManifest {
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
            window: self.params.window.length,
            units: self.params.units,
            weights: self.params.weights,
            workloads: self.rows.len() as u64,
            history,
            sources: store.manifest().sources.iter().map(|source| source.digest.clone()).collect(),
            features: names,
            covered_seconds: self.covered_seconds,
            components,
            files,
        };
        manifest::write(&folder.join(MANIFEST), INDEX_KIND, &manifest)?;
        Ok(manifest)
    }

    /// Opens the index for `window`: everything an answer needs, checked. The tree is a cache of the fingerprints: one that
    /// cannot be used is built anew in memory, and why is said.
    ///
    /// # Errors
    /// There is none, or one of its files but the tree is damaged, missing or of an unknown version.
    pub fn open(store: &Path, window: Micros) -> Result<OpenIndex, PredictError> {
        let (folder, manifest) = index_manifest(store, window)?;
        let record = |name: &str| manifest.files.iter().find(|file| file.path == name);
        let missing = |name: &str| {
            let what = format!("it does not list `{name}`");
            PredictError::Artifact(ArtifactError::Damaged { path: folder.join(MANIFEST), what })
        };
        let params = FitParams {
            window: Window { length: manifest.window },
            units: manifest.units,
            weights: manifest.weights,
            components: Components::Explaining(FitParams::EXPLAINED),
        };
        let features = FeatureSet::named(Floors::of(manifest.units), manifest.features.iter().map(String::as_str));
        let known: Vec<String> = features.features().iter().map(|feature| feature.name.clone()).collect();
        if let Some(position) = (0..known.len().max(manifest.features.len()))
            .find(|&position| known.get(position) != manifest.features.get(position))
        {
            let feature = manifest.features.get(position).or(known.get(position)).cloned().unwrap_or_default();
            return Err(PredictError::OtherFeatures { path: folder, feature });
        }
        let mut rows: Vec<Remembered> = Vec::new();
        let mut coordinates = Vec::new();
        let listed = |name: &str| record(name).ok_or_else(|| missing(name));
        let fingerprints = listed(FINGERPRINTS)?;
        parquet_file::read(&folder, fingerprints, |batch| {
            index_tables::read_fingerprints(batch, &known, manifest.components, &mut rows, &mut coordinates)
        })?;
        let mut tree_rebuilt = None;
        let space = match record(MODEL) {
            None => None,
            Some(record) => {
                record.verify(&folder)?;
                let model = Model::read(&folder.join(MODEL))?;
                let points = Arc::new(Points::new(manifest.components, coordinates)?);
                let (index, reason) = Index::open_or_build(&folder.join(TREE), points);
                tree_rebuilt = reason.map(|reason| reason.to_string());
                listed(FORESTS)?.verify_blocks(&folder)?;
                let alike = Alike::read(&folder.join(FORESTS), known.len(), rows.len())?;
                Some(Space { model, index, alike })
            }
        };
        let knowledge = Self::assemble(params, features, space, rows, manifest.covered_seconds);
        if let Some(record) = record(CALIBRATION) {
            let mut cases: BTreeMap<String, Vec<CaseRow>> = BTreeMap::new();
            parquet_file::read(&folder, record, |batch| index_tables::read_calibrations(batch, &mut cases))?;
            let question = Question::default();
            for (without, absent) in knowledge.variants() {
                let Some(cases) = cases.remove(&without) else { continue };
                let key = CalibrationKey::of(&question, &absent, false);
                knowledge.calibrations.insert(key, Arc::new(calibration_of(cases)));
            }
        }
        Ok(OpenIndex { knowledge, manifest, tree_rebuilt })
    }
}

fn calibration_of(rows: Vec<CaseRow>) -> Calibration {
    let mut distances = Vec::new();
    let mut cases: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        match row {
            CaseRow::Distance(distance) => distances.push(distance),
            CaseRow::Case(scope, resource, case) => cases.entry((scope, resource)).or_default().push(*case),
        }
    }
    Calibration::new(distances, cases)
}

/// Brings the folders of a window into order after a kill: an index that was moved away but not replaced comes back,
/// leftovers go.
fn recover(store: &Path, window: Micros) -> Result<(), ArtifactError> {
    let place = store.join(FOLDER).join(name_of(window));
    let old = old_folder(store, window);
    if old.exists() {
        if place.join(MANIFEST).exists() {
            fs_err::remove_dir_all(&old)?;
        } else {
            fs_err::rename(&old, &place)?;
        }
    }
    let new = new_folder(store, window);
    if new.exists() {
        fs_err::remove_dir_all(&new)?;
    }
    Ok(())
}

/// Puts the new folder in the place of the old one.
fn replace(store: &Path, window: Micros) -> Result<(), ArtifactError> {
    let folder = store.join(FOLDER);
    let (place, old) = (folder.join(name_of(window)), old_folder(store, window));
    let sync = || -> Result<(), ArtifactError> { Ok(fs_err::File::open(&folder)?.sync_all()?) };
    if place.exists() {
        fs_err::rename(&place, &old)?;
        sync()?;
    }
    fs_err::rename(new_folder(store, window), &place)?;
    sync()?;
    if old.exists() {
        fs_err::remove_dir_all(&old)?;
    }
    Ok(())
}
