//! The index on disk: one folder per learning window, replaced as a whole.
//!
//! `index/window=60s/` holds `index.json` (the manifest, with the other files' sizes and checksums), `model.json`,
//! `fingerprints.parquet` and `calibration.parquet` (the truth), and what is made of them for answers that must not wait for all of it, each a
//! file of blocks: `tree.kd`, `workloads.rows`, `calibration.chosen`, `similarity.forest`. A new index is made in `index/.new-window=60s/`, the old one moves to `index/.old-window=60s/`, the new one takes its place: a kill at any
//! moment leaves the old index or the new one, which the next reader and writer find. `docs/index-format.md` has the
//! columns.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artifact::blocks::{BlockCache, Blocks, CacheUse, Seal};
use crate::artifact::manifest::{self, ManifestKind};
use crate::artifact::{ArtifactError, Digest, FileRecord, Lock};
use crate::fingerprint::{Components, FeatureSet, Model};
use crate::index::{Index, NearestNeighbours};
use crate::profile::{Floors, Window};
use crate::store::{Manifest, Store};
use crate::trace::UnitContract;
use crate::units::Micros;

use super::alike::Alike;
use super::calibrate::CalibrationKey;
use super::calibration_file::{self, StoredCalibrations};
use super::choice::COMPARED_AT;
use super::index_tables;
use super::knowledge::{FitParams, Knowledge, Space};
use super::need::Resource;
use super::rows::Rows;
use super::rows_file::{self, StoredRows, Truth};
use super::{Drift, HistorySummary, PredictError, Question, ResourceWeights};

/// Kind and versions of `index.json`.
pub const INDEX_KIND: ManifestKind =
    ManifestKind { name: "shadow-index", described: "the manifest of a fingerprint index", oldest: 6, newest: 6 };

const FOLDER: &str = "index";
const MANIFEST: &str = "index.json";
const MODEL: &str = "model.json";
pub(super) const FINGERPRINTS: &str = "fingerprints.parquet";
const CALIBRATION: &str = "calibration.parquet";
const TREE: &str = "tree.kd";
const FORESTS: &str = "similarity.forest";
const ROWS: &str = "workloads.rows";
const CHOSEN: &str = "calibration.chosen";

/// Most bytes of its files that an open index keeps in memory (ours).
const CACHED: u64 = 48 << 20;

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
    /// Mean need of each resource (memory, CPU, network), in the units of the store.
    pub mean_needs: [f64; 3],
    /// What growth alone would have wasted on the workloads, beside which rungs are chosen: resource, whether of workloads that recur alone, and
    /// the waste, in the units of the store.
    pub growth_wastes: Vec<(Resource, bool, Option<f64>)>,
    /// What was added since it was fitted; nothing where nothing was.
    pub drift: Option<Drift>,
    /// The other files of the folder.
    pub files: Vec<FileRecord>,
}

impl IndexManifest {
    /// Returns the digest that names this index in answers.
    pub fn digest(&self) -> Digest {
        let files = self.files.iter().flat_map(|file| [file.path.as_str(), &file.crc32]);
        Digest::of(files.collect::<Vec<_>>().join("\n").as_bytes())
    }

    /// Returns what is recorded of one of the files in its `folder`.
    fn file(&self, name: &str, folder: &Path) -> Result<&FileRecord, PredictError> {
        self.files.iter().find(|file| file.path == name).ok_or_else(|| {
            let what = format!("it does not list `{name}`");
            PredictError::Artifact(ArtifactError::Damaged { path: folder.join(MANIFEST), what })
        })
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
    pub(super) folder: PathBuf,
    cache: Arc<BlockCache>,
}

impl OpenIndex {
    /// Returns what is recorded of one of its files.
    pub(super) fn file(&self, name: &str) -> Result<&FileRecord, PredictError> {
        self.manifest.file(name, &self.folder)
    }

    /// Returns how often what it keeps of its files in memory was asked for.
    pub fn cache_use(&self) -> CacheUse {
        self.cache.usage()
    }
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
    /// Writes the index for this knowledge into the store, replacing the one of the same window, from which the calibration is taken where workloads were only
    /// added ([`Knowledge::extended`], with what it returned). The store is locked meanwhile.
    ///
    /// # Errors
    /// A file cannot be written; the old index is then what it was.
    pub fn write(
        &self,
        store: &Store,
        history: HistorySummary,
        drift: Option<Drift>,
    ) -> Result<IndexManifest, PredictError> {
        let root = store.root();
        let window = self.params.window.length;
        let _lock = Lock::take(root)?;
        recover(root, window)?;
        let folder = new_folder(root, window);
        fs_err::create_dir_all(&folder).map_err(ArtifactError::from)?;
        let manifest = self.write_files(&folder, store, history, drift)?;
        replace(root, window)?;
        Ok(manifest)
    }

    fn write_files(
        &self,
        folder: &Path,
        store: &Store,
        history: HistorySummary,
        drift: Option<Drift>,
    ) -> Result<IndexManifest, PredictError> {
        let mut files = Vec::new();
        let names: Vec<String> = self.features.features().iter().map(|feature| feature.name.clone()).collect();
        let question = Question::default();
        let components = self.model().map_or(0, Model::components);
        let rows = self.rows.len() as u64;
        let cache = BlockCache::of(0);
        let record = |name: &str| -> Result<FileRecord, ArtifactError> {
            Ok(FileRecord::of_blocks(name, &Blocks::open(&folder.join(name), &cache)?.1, rows))
        };
        files.push(index_tables::write_fingerprints(folder, FINGERPRINTS, &names, components, self)?);
        rows_file::write(&folder.join(ROWS), self.all()?, names.len())?;
        files.push(record(ROWS)?);
        if let Some(space) = &self.space {
            tracing::info!("wrote the fingerprints");
            space.model.write(&folder.join(MODEL))?;
            files.push(FileRecord::of(folder, MODEL, rows)?);
            space.index.write(&folder.join(TREE))?;
            files.push(record(TREE)?);
            space.alike.write(&folder.join(FORESTS), self.rows.len())?;
            files.push(record(FORESTS)?);
            tracing::info!("wrote tree and forests");
        }
        if drift.is_some() {
            let (old, manifest) = index_manifest(store.root(), self.params.window.length)?;
            for name in [CALIBRATION, CHOSEN] {
                fs_err::copy(old.join(name), folder.join(name)).map_err(ArtifactError::from)?;
                let file = manifest.file(name, &old)?;
                verify_one(folder, file)?;
                files.push(file.clone());
            }
        } else if let Some(space) = &self.space {
            let (mut calibrations, mut chosen) = (Vec::new(), Vec::new());
            for (without, absent) in self.variants() {
                let calibration = self.calibration(space, &question, &absent, false)?;
                let floors = self.floors();
                chosen.push((without.clone(), calibration.choose(|resource| resource.floor(floors))?));
                calibrations.push((without, calibration));
            }
            tracing::info!(calibrations = calibrations.len(), "left stored workloads out to calibrate");
            files.push(index_tables::write_calibrations(folder, CALIBRATION, &calibrations)?);
            calibration_file::write(&folder.join(CHOSEN), &chosen)?;
            files.push(record(CHOSEN)?);
        }
        let mut growth_wastes = Vec::new();
        for resource in Resource::ALL {
            for recurring in [false, true] {
                growth_wastes.push((resource, recurring, self.growth_waste(resource, COMPARED_AT, recurring)?));
            }
        }
        let manifest = IndexManifest {
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
            window: self.params.window.length,
            units: self.params.units,
            weights: self.params.weights,
            workloads: rows,
            history,
            sources: store.manifest().sources.iter().map(|source| source.digest.clone()).collect(),
            features: names,
            covered_seconds: self.covered_seconds,
            components,
            mean_needs: self.mean_needs,
            growth_wastes,
            drift,
            files,
        };
        manifest::write(&folder.join(MANIFEST), INDEX_KIND, &manifest)?;
        Ok(manifest)
    }

    /// Opens the index for `window`. Of its large files only what answers come to is read, and compared with its checksum then.
    ///
    /// # Errors
    /// There is none, or one of its files is damaged, missing or of an unknown version.
    pub fn open(store: &Path, window: Micros) -> Result<OpenIndex, PredictError> {
        let (folder, manifest) = index_manifest(store, window)?;
        let cache = BlockCache::of(CACHED);
        let record = |name: &str| manifest.files.iter().find(|file| file.path == name);
        let listed = |name: &str| manifest.file(name, &folder);
        let blocks = |name: &str| -> Result<(Seal, Blocks), PredictError> {
            let (seal, blocks) = Blocks::open(&folder.join(name), &cache)?;
            listed(name)?.verify_blocks(&blocks)?;
            Ok((seal, blocks))
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
        let (seal, rows) = blocks(ROWS)?;
        let truth = Truth {
            folder: folder.clone(),
            fingerprints: listed(FINGERPRINTS)?.clone(),
            features: known.clone(),
            components: manifest.components,
        };
        let rows = StoredRows::open(&seal, rows, known.len(), truth)?;
        let space = match record(MODEL) {
            None => None,
            Some(record) => {
                record.verify(&folder)?;
                let model = Model::read(&folder.join(MODEL))?;
                if model.width != known.len() || model.misplaced_feature(&known).is_some() {
                    let what = "it was fitted to other features".to_owned();
                    return Err(ArtifactError::Damaged { path: folder.join(MODEL), what }.into());
                }
                let (seal, tree) = blocks(TREE)?;
                let index = Index::open(&seal, tree)?;
                if index.rows() != rows.len() || index.dimensions() != model.components() {
                    let what = "it holds other rows than the fingerprints".to_owned();
                    return Err(ArtifactError::Damaged { path: folder.join(TREE), what }.into());
                }
                let (seal, forests) = blocks(FORESTS)?;
                let alike = Alike::read(&seal, forests, known.len(), rows.len())?;
                Some(Space { model, index, alike })
            }
        };
        let mut knowledge =
            Self::assemble(params, features, space, Rows::stored(rows), manifest.covered_seconds, manifest.mean_needs);
        for &(resource, recurring, waste) in &manifest.growth_wastes {
            knowledge.growth_wastes.insert((resource, COMPARED_AT.to_bits(), recurring), waste);
        }
        if let Some(table) = record(CALIBRATION) {
            let (seal, chosen) = blocks(CHOSEN)?;
            let key = |(without, absent): (String, Vec<usize>)| {
                (CalibrationKey::of(&Question::default(), &absent, false), without)
            };
            let keys = knowledge.variants().into_iter().map(key).collect();
            knowledge.stored_calibrations =
                Some(StoredCalibrations::open(&seal, chosen, keys, &folder, table.clone())?);
        }
        Ok(OpenIndex { knowledge, manifest, folder, cache })
    }
}

/// Files that are compared block by block.
const OF_BLOCKS: [&str; 4] = [ROWS, TREE, FORESTS, CHOSEN];

/// Reads every file of the index for `window` and compares it with what was written; returns how many files and bytes these are.
///
/// # Errors
/// The first file that is damaged or missing.
pub fn verify_index(store: &Path, window: Micros) -> Result<(usize, u64), PredictError> {
    let (folder, manifest) = index_manifest(store, window)?;
    manifest.files.iter().try_for_each(|record| verify_one(&folder, record))?;
    Ok((manifest.files.len(), manifest.files.iter().map(|record| record.bytes).sum()))
}

fn verify_one(folder: &Path, record: &FileRecord) -> Result<(), ArtifactError> {
    if !OF_BLOCKS.contains(&record.path.as_str()) {
        return record.verify(folder);
    }
    let (_, blocks) = Blocks::open(&folder.join(&record.path), &BlockCache::of(0))?;
    record.verify_blocks(&blocks)?;
    blocks.verify()
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
