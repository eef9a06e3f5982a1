//! The index's side of `tests/bench/search/run`, which starts it and reads what it prints.
//!
//! `features OUT ROWS TRACE…` profiles the first 300 s of every workload of traces made by `shadow synth table`, fits a model
//! of 16 components to them and writes the fingerprints, in an order drawn by their numbers, as 64-bit floats.
//! `serve ROWS QUERIES` reads two such files and then one request a line from standard input; each is answered by one line of JSON.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark stops at anything unexpected"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use shadow::fingerprint::{Components, FeatureSet, Model, ModelInput, Submission};
use shadow::index::{FlatScan, Index, Metric, NearestNeighbours, Neighbour, Points};
use shadow::profile::{Floors, Window, profile_window};
use shadow::trace::{Amounts, CpuUnit, MemoryUnit, NetworkUnit, Sample, SampleFlags, UnitContract};
use shadow::units::Micros;

const DIMENSIONS: usize = 16;
const WINDOW: Micros = Micros(300_000_000);
const UNITS: UnitContract =
    UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::BytesPerSecond };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["features", out, rows, traces @ ..] => features(Path::new(out), rows.parse().unwrap(), traces),
        ["serve", rows, queries] => serve(Path::new(rows), Path::new(queries)),
        _ => usage(),
    }
}

fn usage() {
    println!("search features OUT ROWS TRACE… | search serve ROWS QUERIES; see tests/bench/search/run");
}

/// Spreads consecutive numbers (the finaliser of `SplitMix64`).
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn features(out: &Path, wanted: usize, traces: &[&str]) {
    let set = FeatureSet::of(Floors::of(UNITS), std::iter::empty());
    let mut rows: Vec<Vec<Option<f64>>> = Vec::new();
    for trace in traces {
        read_trace(Path::new(trace), &set, &mut rows);
    }
    let order = (0_u64..).zip(rows).map(|(at, row)| (mixed(at), row));
    let mut order: Vec<(u64, Vec<Option<f64>>)> = order.collect();
    order.sort_by_key(|(draw, _)| *draw);
    let rows: Vec<Vec<Option<f64>>> = order.into_iter().map(|(_, row)| row).take(wanted).collect();
    let (names, weights): (Vec<String>, Vec<f64>) =
        set.features().iter().map(|feature| (feature.name.clone(), feature.weight)).unzip();
    let input = ModelInput {
        window: WINDOW,
        units: &UNITS.to_string(),
        names: &names,
        weights: &weights,
        rows: &rows.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        components: Components::Fixed(DIMENSIONS),
    };
    let (model, coordinates) = Model::fit(input).unwrap();
    let bytes: Vec<u8> = coordinates.iter().flat_map(|coordinate| coordinate.to_le_bytes()).collect();
    fs_err::write(out, bytes).unwrap();
    let weights: Vec<f64> =
        set.features().iter().enumerate().map(|(at, one)| one.weight * [1.0, 2.0, 4.0][at % 3]).collect();
    let metric = model.metric_for_weights(&weights).unwrap();
    fs_err::write(
        out.with_extension("metric"),
        metric.iter().flat_map(|entry| entry.to_le_bytes()).collect::<Vec<_>>(),
    )
    .unwrap();
    println!("{{\"rows\":{},\"explained\":{:?}}}", rows.len(), model.explained_variance_ratio);
}

/// Appends the features of the first window of every workload.
fn read_trace(folder: &Path, set: &FeatureSet, rows: &mut Vec<Vec<Option<f64>>>) {
    let facts: BTreeMap<String, [Option<f64>; 5]> =
        BufReader::new(fs_err::File::open(folder.join("workloads.csv")).unwrap())
            .lines()
            .skip(1)
            .map(|line| {
                let line = line.unwrap();
                let cells: Vec<&str> = line.split(',').collect();
                let number = |at: usize| cells[at].parse::<f64>().ok();
                (cells[0].to_owned(), [number(3), number(7), number(8), number(9), number(10)])
            })
            .collect();
    let labels = BTreeMap::new();
    let file = fs_err::File::open(folder.join("series.csv.gz")).unwrap();
    let mut reader = BufReader::with_capacity(1 << 20, flate2::read::MultiGzDecoder::new(file));
    let (mut line, mut name, mut samples): (String, String, Vec<Sample>) = Default::default();
    let mut finish = |name: &str, samples: &mut Vec<Sample>| {
        samples.sort_by_key(|sample| sample.start);
        if let Some(first) = samples.first()
            && let Ok(window) = profile_window(samples, first.start, Window { length: WINDOW }, Floors::of(UNITS))
        {
            let [priority, cpu, memory, cpu_limit, memory_limit] = facts.get(name).copied().unwrap_or_default();
            let amounts = |cpu, memory| Amounts { cpu, memory, disk: None };
            #[expect(clippy::cast_possible_truncation, reason = "a small whole number")]
            let priority = priority.map(|priority| priority as i32);
            let submission = Submission {
                request: amounts(cpu, memory),
                limit: amounts(cpu_limit, memory_limit),
                priority,
                labels: &labels,
            };
            rows.push(set.row(&window, submission));
        }
        samples.clear();
    };
    reader.read_line(&mut line).unwrap();
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap() == 0 {
            break;
        }
        let mut cells = line.trim_end().split(',');
        let of = cells.next().unwrap();
        if of != name {
            finish(&name, &mut samples);
            of.clone_into(&mut name);
        }
        let numbers: Vec<Option<f64>> =
            cells.map(|cell| cell.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)).collect();
        let (Some(start), Some(duration)) = (numbers[0], numbers[1]) else { continue };
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
        let micros = |seconds: f64| Micros(seconds as i64 * 1_000_000);
        let start = micros(start);
        if samples.first().is_some_and(|first| start.minus(first.start) > Micros(2 * WINDOW.0)) {
            continue;
        }
        samples.push(Sample {
            start,
            duration: micros(duration),
            cpu: numbers[2],
            memory: numbers[3],
            network_received: numbers[4],
            network_transmitted: numbers[5],
            cpu_max: None,
            memory_max: None,
            disk_read: None,
            disk_written: None,
            disk_busy: None,
            cpu_throttled: None,
            cpu_request: None,
            memory_request: None,
            memory_limit: None,
            flags: SampleFlags::default(),
        });
    }
    finish(&name, &mut samples);
}

fn numbers(path: &Path) -> Vec<f64> {
    let bytes = fs_err::read(path).unwrap();
    bytes.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// Returns the processor time of this thread, which waiting for others is no part of; 0 where the system does not tell.
fn processor_seconds() -> f64 {
    let told = fs_err::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

type Kiddo = kiddo::ImmutableKdTree<f32, DIMENSIONS>;

#[expect(clippy::cast_possible_truncation, reason = "32 bits are what the library is given")]
fn narrow(row: &[f64]) -> [f32; DIMENSIONS] {
    std::array::from_fn(|axis| row[axis] as f32)
}

/// Answers requests of the form `WHAT METRIC FROM TO K`; metrics are `euclidean`, `cosine`, or the path of a matrix.
fn serve(rows: &Path, queries: &Path) {
    let coordinates = numbers(rows);
    let queries = numbers(queries);
    let mut held: Option<(Index, FlatScan, Kiddo)> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let (began, began_processor) = (Instant::now(), processor_seconds());
        if words[0] == "build" {
            drop(held.take());
            let copied = coordinates.clone();
            let began = Instant::now();
            let points = Arc::new(Points::new(DIMENSIONS, copied).unwrap());
            let built = Index::build(Arc::clone(&points));
            let own = began.elapsed();
            let began = Instant::now();
            let rows: Vec<[f32; DIMENSIONS]> = coordinates.chunks_exact(DIMENSIONS).map(narrow).collect();
            let kiddo = Kiddo::new_from_slice(&rows).unwrap();
            println!("{{\"seconds\":{},\"kiddo\":{}}}", own.as_secs_f64(), began.elapsed().as_secs_f64());
            held = Some((built, FlatScan::new(points), kiddo));
            continue;
        }
        let (index, flat, kiddo) = held.as_ref().unwrap();
        let metric = match words[1] {
            "euclidean" => Metric::Euclidean,
            "cosine" => Metric::Cosine,
            path => Metric::Matrix(numbers(Path::new(path))),
        };
        let [from, to, k] = [2, 3, 4].map(|at| words[at].parse::<usize>().unwrap());
        let asked: Vec<&[f64]> = queries.chunks_exact(DIMENSIONS).skip(from).take(to - from).collect();
        let one = |query: &&[f64]| index.nearest(query, k, &metric, &|_| true).unwrap();
        let answers: Vec<Vec<Neighbour>> = match words[0] {
            "single" => asked.iter().map(one).collect(),
            "batch" => index.nearest_batch(&asked, k, &metric, &|_| true).unwrap(),
            "kiddo" => {
                let count = std::num::NonZero::new(k).unwrap();
                let nearest = |query: &&[f64]| {
                    let query = narrow(query);
                    let found = kiddo.query(&query).nearest_n::<kiddo::SquaredEuclidean<f32>>(count).execute();
                    found
                        .into_iter()
                        .map(|one| Neighbour { row: one.item, distance: f64::from(one.distance).sqrt() })
                        .collect()
                };
                asked.iter().map(nearest).collect()
            }
            "scan" => flat.nearest_batch(&asked, k, &metric, &|_| true).unwrap(),
            other => panic!("unknown request `{other}`"),
        };
        let seconds = began.elapsed().as_secs_f64();
        if let Some(path) = words.get(5) {
            let mut file = std::io::BufWriter::new(fs_err::File::create(path).unwrap());
            for found in answers.iter().flatten() {
                file.write_all(&u64::from(found.row).to_le_bytes()).unwrap();
                file.write_all(&found.distance.to_le_bytes()).unwrap();
            }
        }
        println!("{{\"seconds\":{seconds},\"processor\":{}}}", processor_seconds() - began_processor);
    }
}
