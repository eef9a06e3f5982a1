//! The files of an index: each behind good checksums in an index that is right elsewhere, opened and asked; trees, forests and files of blocks
//! also alone, where they are small and fast.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use shadow::artifact::blocks::{BlockCache, BlockWriter, Blocks, Seal};
use shadow::artifact::{ArtifactError, FileRecord};
use shadow::error::{CommandError, Kind};
use shadow::fingerprint::{Compared, Forest, MODEL_KIND, StoredForest, StoredLeaves};
use shadow::index::{Index, Metric, NearestNeighbours, Points, Structure};
use shadow::predict::{
    FitParams, INDEX_KIND, Knowledge, Known, Newcomer, Only, PredictError, Profiling, Question, ResourceWeights,
    SampleParams, Scale, Selection, Similarity, observe, read_history, read_sample, verify_index,
};
use shadow::profile::Window;
use shadow::store::{IngestParams, Store, ingest};
use shadow::trace::source::Silent;
use shadow::units::Micros;

use super::changes;
use super::sealing::{Parts, manifest as sealed_manifest, scratch, whole, written};
use super::split_first;

/// Workloads of the store: forests are grown from 20 on.
const WORKLOADS: usize = 24;

const WINDOW: Micros = Micros::from_seconds(60);

/// A store with an index, and what is asked of it.
struct World {
    store: PathBuf,
    manifest: Value,
    parts: BTreeMap<&'static str, Parts>,
    texts: BTreeMap<&'static str, Vec<u8>>,
    newcomer: Newcomer,
}

const OF_BLOCKS: [&str; 4] = ["tree.kd", "workloads.rows", "calibration.chosen", "similarity.forest"];
const OTHERS: [&str; 3] = ["model.json", "fingerprints.parquet", "calibration.parquet"];

impl World {
    fn new() -> Self {
        let store = scratch("store");
        let (series, facts) =
            (written("series.csv", series().as_bytes()), written("workloads.csv", facts().as_bytes()));
        let params = IngestParams { paths: vec![series.clone()], facts: vec![facts], ..IngestParams::default() };
        ingest(&store, &params, &Silent).unwrap();
        let opened = Store::open(&store).unwrap();
        let window = Window { length: WINDOW };
        let mut known: Vec<Known> = Vec::new();
        let history = read_history(&opened, Profiling::new(window), &|_| Ok(()), &mut |one, ()| {
            known.extend(Some(one).filter(Known::is_learnable));
            Ok::<(), PredictError>(())
        })
        .unwrap();
        known.sort_by_key(|known| (known.workload.application.clone(), known.workload.id.clone()));
        let units = opened.manifest().units;
        let knowledge = Knowledge::fit(&known.iter().collect::<Vec<_>>(), FitParams::new(window, units)).unwrap();
        knowledge.write(&opened, history, None).unwrap();
        let sample = read_sample(&SampleParams { path: series, ..SampleParams::default() }, &Silent).unwrap();
        let machine = opened.manifest().machine;
        let newcomer = observe(&sample.sightings[0], sample.units, window, units, machine).unwrap();
        let folder = store.join("index/window=60s");
        let sealed: Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
        let parts = OF_BLOCKS.map(|name| (name, Parts::of(&folder.join(name)))).into_iter().collect();
        let texts = OTHERS.map(|name| (name, std::fs::read(folder.join(name)).unwrap())).into_iter().collect();
        Self { store, manifest: sealed["body"].clone(), parts, texts, newcomer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.store.join("index/window=60s").join(name)
    }

    fn write_manifest(&self, body: &Value) {
        let text = sealed_manifest(INDEX_KIND.name, INDEX_KIND.newest, &body.to_string());
        std::fs::write(self.path("index.json"), text).unwrap();
    }

    /// Puts another file in its place, with a manifest that names it.
    fn replace(&self, name: &str, bytes: &[u8], crc32: &str) {
        std::fs::write(self.path(name), bytes).unwrap();
        let mut body = self.manifest.clone();
        for file in body["files"].as_array_mut().unwrap() {
            if file["path"] == name {
                file["bytes"] = bytes.len().into();
                file["crc32"] = crc32.into();
            }
        }
        self.write_manifest(&body);
    }

    fn restore(&self, name: &str) {
        match (self.parts.get(name), self.texts.get(name)) {
            (Some(parts), _) => std::fs::write(self.path(name), parts.sealed().0).unwrap(),
            (_, Some(text)) => std::fs::write(self.path(name), text).unwrap(),
            _ => {}
        }
    }

    /// Opens the index and asks it what commands ask. What reads the Parquet tables takes twenty times as long as the rest: one input in sixty-four
    /// comes to it, and those of `tables` always.
    fn ask(&self, input: &[u8]) {
        let outcome = self.answers(crc32fast::hash(input).is_multiple_of(64));
        if let Err(error) = outcome.or_else(|error| verify_index(&self.store, WINDOW).map(drop).and(Err(error))) {
            expect_no_bug(error);
        }
    }

    fn answers(&self, is_deep: bool) -> Result<(), PredictError> {
        let opened = Knowledge::open(&self.store, WINDOW)?;
        let knowledge = &opened.knowledge;
        for row in 0..knowledge.rows().min(3) {
            expect_none(knowledge.row(row));
        }
        let everyone = |_: usize| true;
        let usual = Question::default();
        let weights = Some(ResourceWeights { memory: 2.0, facts: 0.0, ..ResourceWeights::default() });
        let weighed = Question { weights, similarity: Similarity::Distance, ..usual };
        let scale = Scale::new(opened.manifest.units, shadow::store::MachineSize::default());
        let asked = [(usual, None), (usual, Some("app-1")), (weighed, None)];
        for (question, application) in asked.into_iter().take(if is_deep { 3 } else { 2 }) {
            let mut newcomer = self.newcomer.clone();
            newcomer.facts.application = application.map(str::to_owned);
            expect_none(knowledge.answer(&newcomer, &question, Selection::Nearest, &everyone));
            let features = knowledge.features_of(&newcomer.window, &newcomer.facts);
            if is_deep {
                let found = knowledge.similar(&features, None, &Only::default(), &question, &scale);
                expect_none(found.map(|found| found.neighbours.len()));
            }
        }
        if !is_deep {
            return Ok(());
        }
        expect_none(knowledge.all().map(<[_]>::len));
        let other = Question { coverage: 0.9, ..usual };
        expect_none(knowledge.answer(&self.newcomer, &other, Selection::Nearest, &everyone));
        Ok(())
    }
}

fn expect_none<T>(outcome: Result<T, PredictError>) {
    outcome.map_or_else(expect_no_bug, drop);
}

/// A damaged file is no bug of the program, and must not be reported as one.
fn expect_no_bug(error: PredictError) {
    let shown = format!("{error:?}");
    assert_ne!(CommandError::from(error).kind(), Kind::Internal, "{shown}");
}

/// Two dozen workloads of five applications that grow at rates of their own, a sample every 10 s for three minutes.
fn series() -> String {
    let mut text = "workload,time_s,interval_s,cpu_cores,memory_bytes\n".to_owned();
    for workload in 0..WORKLOADS {
        for step in 0..18 {
            let (time, scale) = (30 * workload + 10 * step, (workload % 5 + 1) as f64);
            let cpu = 0.1 * scale + 0.01 * ((workload * 7 + step * 3) % 11) as f64;
            let memory = 1e7 * scale * (1.0 + 0.02 * (step * (workload % 3)) as f64);
            writeln!(text, "w{workload},{time},10,{cpu},{memory}").unwrap();
        }
    }
    text
}

fn facts() -> String {
    let mut text = "workload,application,user,class,start_s,end_s,requested_memory_bytes\n".to_owned();
    for workload in 0..WORKLOADS {
        let (application, user, class) = (workload % 5, workload % 2, workload % 3);
        let (start, end, request) = (30 * workload, 30 * workload + 180, 50_000_000 * (workload % 4 + 1));
        writeln!(text, "w{workload},app-{application},user-{user},class-{class},{start},{end},{request}").unwrap();
    }
    text
}

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
}

fn in_world(use_it: impl FnOnce(&World)) {
    WORLD.with(|world| use_it(world.get_or_init(World::new)));
}

/// `index.json` with changed values, or any text.
pub(super) fn manifest(input: &[u8]) {
    in_world(|world| {
        let (mode, rest) = split_first(input);
        if mode % 4 == 0 {
            std::fs::write(world.path("index.json"), rest).unwrap();
        } else {
            world.write_manifest(&changes::json(&world.manifest, rest));
        }
        world.ask(input);
    });
}

/// `model.json`.
pub(super) fn model(input: &[u8]) {
    const NAME: &str = "model.json";
    in_world(|world| {
        let (mode, rest) = split_first(input);
        let text = if mode % 4 == 0 {
            rest.to_vec()
        } else {
            let good: Value = serde_json::from_slice(&world.texts[NAME]).unwrap();
            let body = changes::json(&good["body"], rest);
            sealed_manifest(MODEL_KIND.name, MODEL_KIND.newest, &body.to_string()).into_bytes()
        };
        world.replace(NAME, &text, &format!("{:08x}", crc32fast::hash(&text)));
        world.ask(input);
        world.restore(NAME);
    });
}

fn file_of_blocks(name: &'static str, input: &[u8]) {
    in_world(|world| {
        let (bytes, crc32) = world.parts[name].changed(input).sealed();
        world.replace(name, &bytes, &crc32);
        world.ask(input);
        world.restore(name);
    });
}

/// `workloads.rows`.
pub(super) fn rows(input: &[u8]) {
    file_of_blocks("workloads.rows", input);
}

/// `calibration.chosen`, whose content is JSON: changed by values as well as by bytes.
pub(super) fn calibrations(input: &[u8]) {
    const NAME: &str = "calibration.chosen";
    let (mode, rest) = split_first(input);
    if mode % 2 == 0 {
        return file_of_blocks(NAME, rest);
    }
    in_world(|world| {
        let mut parts = world.parts[NAME].clone();
        let length = parts.about[0][2].as_u64().unwrap();
        let first: Value = serde_json::from_slice(&parts.content[..usize::try_from(length).unwrap()]).unwrap();
        parts.content = changes::json(&first, rest).to_string().into_bytes();
        for place in parts.about.as_array_mut().unwrap() {
            (place[1], place[2]) = (0.into(), parts.content.len().into());
        }
        let (bytes, crc32) = parts.sealed();
        world.replace(NAME, &bytes, &crc32);
        world.ask(input);
        world.restore(NAME);
    });
}

/// The Parquet tables beside them.
pub(super) fn tables(input: &[u8]) {
    in_world(|world| {
        let (which, rest) = split_first(input);
        let name = OTHERS[1 + usize::from(which % 2)];
        let bytes = changes::bytes(&world.texts[name], rest);
        world.replace(name, &bytes, &format!("{:08x}", crc32fast::hash(&bytes)));
        world.answers(true).unwrap_or_else(expect_no_bug);
        world.restore(name);
    });
}

/// A file of blocks: any bytes, or any footer and content behind good checksums.
pub(super) fn blocks(input: &[u8]) {
    let (mode, rest) = split_first(input);
    let file = match mode % 3 {
        0 => rest.to_vec(),
        1 => {
            let (length, rest) = split_first(rest);
            let (footer, content) = rest.split_at(rest.len().min(usize::from(length)));
            let crc32 =
                content.chunks(4096).flat_map(|block| crc32fast::hash(block).to_le_bytes()).collect::<Vec<u8>>();
            let base = serde_json::json!({
                "kind": "x", "version": 1, "about": "", "bytes": content.len(),
                "table_crc32": format!("{:08x}", crc32fast::hash(&crc32)),
            });
            whole(content, changes::json(&base, footer).to_string().as_bytes())
        }
        _ => changes::bytes(
            &whole(
                &[7; 5000],
                b"{\"kind\":\"x\",\"version\":1,\"about\":\"\",\"bytes\":5000,\"table_crc32\":\"8b8b9c2b\"}",
            ),
            rest,
        ),
    };
    let path = written("a.blocks", &file);
    let Ok((seal, blocks)) = Blocks::open(&path, &BlockCache::of(1 << 14)) else { return };
    drop(seal.expect(&path, "x", 1, "a file"));
    drop(blocks.verify());
    drop(FileRecord::of_blocks("a.blocks", &blocks, 1).verify_blocks(&blocks));
    let mut read = [0; 100];
    for from in [0, 4000, blocks.bytes().saturating_sub(100), blocks.bytes(), u64::MAX] {
        drop(blocks.copy(from, &mut read));
    }
}

fn opened(name: &str, parts: &Parts) -> Result<(Seal, Blocks), ArtifactError> {
    Blocks::open(&written(name, &parts.sealed().0), &BlockCache::of(1 << 20))
}

thread_local! {
    static TREES: [Parts; 2] = [Structure::Tree, Structure::Flat].map(small_tree);
    static FOREST: (Parts, Vec<Vec<Option<f64>>>) = small_forest();
}

fn small_tree(structure: Structure) -> Parts {
    let coordinates = (0..3 * 40).map(|at| f64::from(at * 37 % 11) + 0.125 * f64::from(at % 7)).collect();
    let path = scratch("small.kd");
    Index::build_as(Arc::new(Points::new(3, coordinates).unwrap()), structure).write(&path).unwrap();
    Parts::of(&path)
}

/// `tree.kd`, alone.
pub(super) fn tree(input: &[u8]) {
    let (which, rest) = split_first(input);
    let parts = TREES.with(|trees| trees[usize::from(which % 2)].changed(rest));
    let Ok(index) = opened("tree.kd", &parts).and_then(|(seal, blocks)| Index::open(&seal, blocks)) else { return };
    for row in 0..45 {
        drop(index.row(row));
    }
    drop(index.points());
    let query = vec![1.5; index.dimensions().min(100)];
    let mut matrix = vec![0.0; query.len() * query.len()];
    for at in 0..query.len() {
        matrix[at * query.len() + at] = 1.0 + at as f64;
    }
    for metric in [Metric::Euclidean, Metric::Cosine, Metric::Matrix(matrix)] {
        for k in [1, 5, usize::MAX] {
            drop(index.nearest(&query, k, &metric, &|row| row % 7 != 3));
        }
    }
    drop(index.nearest_of(&[0, 3, 39, 40, u32::MAX], &query, 2, &Metric::Euclidean));
    drop(index.write(&scratch("again.kd")));
}

fn small_forest() -> (Parts, Vec<Vec<Option<f64>>>) {
    let rows: Vec<Vec<Option<f64>>> = (0..24_u32)
        .map(|row| {
            let values = [row % 5, row % 3, row].map(|value| Some(f64::from(value)));
            values.into_iter().map(|value| value.filter(|_| row % 6 != 1)).collect()
        })
        .collect();
    let targets: Vec<Option<f64>> = (0..24_u32).map(|row| Some(f64::from(row * 7 % 10))).collect();
    let keys: Vec<u64> = (0..24).collect();
    let forest = Forest::grow(&rows, &targets, &keys, 1).unwrap();
    let path = scratch("small.forest");
    let mut writer = BlockWriter::create(&path).unwrap();
    let mut about = forest.store(&mut writer).unwrap();
    about.leaves = StoredLeaves { rows: rows.len() as u64, begin: writer.written(), stride: 2 * forest.trees() as u64 };
    writer.extend(forest.leaves_of(&rows).into_iter().flat_map(u16::to_le_bytes)).unwrap();
    let about = serde_json::to_string(&about).unwrap();
    writer.commit(&Seal { kind: "forest".to_owned(), version: 1, about }).unwrap();
    (Parts::of(&path), rows)
}

/// `similarity.forest`: the file in its index, or a forest alone.
pub(super) fn forest(input: &[u8]) {
    let (which, rest) = split_first(input);
    if which % 16 == 0 {
        return file_of_blocks("similarity.forest", rest);
    }
    FOREST.with(|(parts, rows)| {
        let parts = parts.changed(rest);
        let (Ok(about), Ok((_, blocks))) = (serde_json::from_value(parts.about.clone()), opened("a.forest", &parts))
        else {
            return;
        };
        let Ok(forest) = StoredForest::open(&Arc::new(blocks), about, 3) else { return };
        drop(forest.unseen_by(3));
        let leaves: Vec<Vec<u16>> = (0..24).filter_map(|row| forest.leaves(row).ok()).collect();
        drop(forest.leaves(u32::MAX));
        let compared: Vec<Compared<'_>> = rows
            .iter()
            .take(4)
            .map(|row| Compared {
                features: row,
                counts: Vec::new(),
                leaves: leaves.iter().map(Vec::as_slice).collect(),
            })
            .collect();
        drop(forest.similarities(&compared));
    });
}
