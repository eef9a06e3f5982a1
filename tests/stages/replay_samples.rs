//! Where the samples of a replay lie changes nothing: put away in a file, or held in memory, on one thread or on two.

use shadow::predict::Draw;
use shadow::profile::Window;
use shadow::replay::{Case, ReplayParams, RowBuffer, Samples, Shadow, Split, read_cases, replay, seconds_observed};
use shadow::store::{IngestParams, Store, ingest};
use shadow::synth::{Packing, SynthFormat, SynthParams, generate};
use shadow::trace::source::Silent;
use shadow::units::Micros;

const WINDOW: Window = Window { length: Micros::from_seconds(300) };

fn held(cases: &[Case]) -> Vec<Case> {
    let mut buffer = RowBuffer::default();
    let of = |case: &Case| {
        let samples = case.samples.read(&mut buffer).unwrap().to_vec();
        assert_eq!(samples.len() as u64, case.known.workload.samples);
        Case { samples: samples.into(), known: case.known.clone() }
    };
    cases.iter().map(of).collect()
}

#[test]
fn a_replay_from_a_file_is_one_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (trace, root) = (folder.path().join("trace"), folder.path().join("store"));
    // Jobs of several tasks, rows of five minutes, restarts.
    let params = SynthParams { workloads: 120, days: 2, seed: 3 };
    generate(SynthFormat::Google2019, params, Packing::Gzip, &trace, &Silent).unwrap();
    ingest(&root, &IngestParams { paths: vec![trace], ..IngestParams::default() }, &Silent).unwrap();
    let store = Store::open(&root).unwrap();
    let units = store.manifest().units;
    let mut counted = 0;
    let draw = Draw { tasks: None, per_task: 1 };
    let params = ReplayParams::new(WINDOW, Split::Recurring, units);
    let (cases, drawn) = read_cases(&store, &params, draw, &mut || counted += 1).unwrap();
    assert_eq!(drawn, None);
    assert_eq!(counted, cases.len());
    assert!(cases.iter().all(|case| matches!(case.samples, Samples::Away(_))));
    let held = held(&cases);

    let learner = Shadow::new(units);
    let rivals = ["shadow", "owner", "history-ladder", "vpa-cold", "krr", "autopilot-window", "oracle"];
    let params = ReplayParams { rivals: rivals.map(str::to_owned).to_vec(), resamples: 50, ..params };
    let text = |cases: &[Case], threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let report = pool.install(|| replay(cases, &params, &learner).unwrap());
        assert!(report.splits[0].queries > 10, "{}", report.splits[0].queries);
        serde_json::to_string(&report).unwrap()
    };
    let from_memory = text(&held, 1);
    assert_eq!(text(&cases, 2), from_memory);

    let observed = |cases: Vec<Case>| {
        let windows = [300, 1800].map(|seconds| Window { length: Micros::from_seconds(seconds) });
        let observed = seconds_observed(cases, &windows, &params, &learner, &shadow::replay::Unwatched).unwrap();
        serde_json::to_string(&observed).unwrap()
    };
    assert_eq!(observed(cases), observed(held));

    // The file never had a name.
    let left: Vec<_> = fs_err::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".tmp")), "{left:?}");
}
