//! What each error of the library means to the user.

use super::*;
use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};

fn kind(error: impl Into<CommandError>) -> Kind {
    error.into().kind()
}

/// Fails unless the error has this kind and some hint holds `hint`.
#[track_caller]
fn expect(error: impl Into<CommandError>, kind: Kind, hint: &str) {
    let error = error.into();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.hints().iter().any(|found| found.contains(hint)), "{error}: {:?}", error.hints());
}

#[test]
fn a_damaged_file_says_how_it_is_made_anew() {
    for (path, command) in [
        ("store/index/window=60s/fingerprints.parquet", "`shadow fingerprint --window 60s`"),
        ("store/index/x", "`shadow fingerprint`"),
        ("store/store.json", "`shadow ingest PATH`"),
    ] {
        expect(ArtifactError::Damaged { path: path.into(), what: "a bit flipped".to_owned() }, Kind::Refused, command);
    }
}

#[test]
fn an_error_inside_a_sink_keeps_its_own_meaning() {
    let inner = ArtifactError::Locked { path: "store/.lock".into() };
    let error = CommandError::from(TraceError::Sink(Box::new(inner)));
    assert_eq!(error.kind(), Kind::User);
    assert_eq!(error.to_string(), "`store/.lock` is locked by another shadow process");
    assert_eq!(error.hints().len(), 1);
    let inner = StoreError::Layout { path: "usage/part.parquet".into(), what: "no column `cpu`".to_owned() };
    assert_eq!(kind(TraceError::Sink(Box::new(inner))), Kind::Refused);
}

#[test]
fn units_are_said_in_words() {
    let found = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::BytesPerSecond };
    let stored =
        UnitContract { cpu: CpuUnit::MachineFraction, memory: MemoryUnit::MachineFraction, network: NetworkUnit::None };
    let error = CommandError::from(StoreError::Units { file: "a.csv".to_owned(), found, stored });
    assert_eq!(
        error.to_string(),
        "`a.csv` has other units than the store\n  \
         the file: CPU in cores, memory in bytes, network in bytes per second\n  \
         the store: CPU as a share of the largest machine, memory as a share of the largest machine, no network"
    );
    assert_eq!(error.kind(), Kind::User);
    assert_eq!(error.causes(), Vec::<String>::new());
}

#[test]
fn quantities_are_the_users() {
    assert_eq!(kind("12 apples".parse::<crate::units::Quantity>().unwrap_err()), Kind::User);
    let error = UnitError::OutOfRange { value: "-1".to_owned(), what: "a number of cores" };
    assert_eq!(kind(error), Kind::User);
}

#[test]
fn what_cannot_be_made_is_usage_and_what_cannot_be_written_is_the_users() {
    for error in [
        SynthError::UnknownFormat { name: "azure".to_owned() },
        SynthError::Workloads { workloads: 0 },
        SynthError::Days { days: 0 },
    ] {
        assert_eq!(kind(error), Kind::Usage);
    }
    expect(SynthError::NotEmpty { folder: "trace".to_owned() }, Kind::User, "`--output`");
    assert_eq!(kind(SynthError::Write(ErrorKind::StorageFull.into())), Kind::User);
}

#[test]
fn a_sample_that_is_too_short_names_the_window() {
    expect(ProfileError::TooShort { observed_seconds: 20.0, window_seconds: 60.0 }, Kind::User, "`--window`");
    expect(ProfileError::NoSamples, Kind::User, "`time_s`");
}

#[test]
fn fingerprints_tell_options_from_data_from_bugs() {
    for error in [
        FingerprintError::Weight { feature: 0, found: -1.0 },
        FingerprintError::Components { found: 5 },
        FingerprintError::Explained { found: 2.0 },
    ] {
        assert_eq!(kind(error), Kind::Usage);
    }
    expect(FingerprintError::NoRows, Kind::User, "`shadow ingest PATH`");
    expect(FingerprintError::NothingVaries, Kind::User, "`--weights`");
    for error in [
        FingerprintError::Width { row: 0, found: 1, expected: 2 },
        FingerprintError::NotFinite { row: 0, feature: 0 },
        FingerprintError::Weights { found: 1, expected: 2 },
        FingerprintError::Overflow,
        FingerprintError::Eigen { what: "x".to_owned() },
        FingerprintError::SelfCheck { deviation: 1.0 },
        FingerprintError::Linfa("x".to_owned()),
    ] {
        expect(error, Kind::Internal, "this is a bug");
    }
}

#[test]
fn a_search_fails_by_its_metric_or_by_a_bug() {
    expect(SearchError::NoDirection, Kind::User, "`--metric euclidean`");
    expect(SearchError::Rows { found: usize::MAX }, Kind::User, "`--store`");
    for error in
        [SearchError::Dimensions { found: 1, expected: 2 }, SearchError::NotFinite { position: 0 }, SearchError::Matrix]
    {
        assert_eq!(kind(error), Kind::Internal);
    }
}

#[test]
fn a_tree_that_cannot_be_used_is_made_anew() {
    let path = || std::path::PathBuf::from("store/index/window=300s/tree.kd");
    let command = "`shadow fingerprint --window 300s`";
    let damaged = ArtifactError::Damaged { path: path(), what: "a bit flipped".to_owned() };
    expect(damaged, Kind::Refused, command);
    // Noticed in the middle of a search.
    let damaged = SearchError::Damaged { path: path(), what: "a bit flipped".to_owned() };
    expect(damaged, Kind::Refused, command);
    let foreign = |path| ArtifactError::Foreign { path, expected: "a tree of fingerprints" };
    expect(foreign(path()), Kind::Refused, command);
    expect(foreign("store.json".into()), Kind::Refused, "`--store`");
}

#[test]
fn a_prediction_says_what_it_lacks_and_how_to_get_it() {
    let path = || std::path::PathBuf::from("store");
    let short = ProfileError::TooShort { observed_seconds: 20.0, window_seconds: 60.0 };
    let error = CommandError::from(PredictError::Profile { workload: "w".to_owned(), source: short });
    assert_eq!(error.to_string(), "`w` shows too little: 20 s were observed, the learning window is 60 s");
    expect(error, Kind::User, "`--window`");
    let window = Some("5m".parse().unwrap());
    expect(PredictError::NoIndex { store: path(), window }, Kind::User, "`shadow fingerprint --window 300s`");
    expect(PredictError::NoIndex { store: path(), window: None }, Kind::User, "`shadow fingerprint`");
    expect(PredictError::NothingToLearn { reason: "x".to_owned() }, Kind::User, "`shadow ingest PATH`");
    expect(PredictError::CosineWithWeights, Kind::Usage, "`--metric euclidean`");
    let unknown = PredictError::MachineUnknown { resource: "CPU", unit: "cores" };
    expect(unknown, Kind::User, "--machine-cores 64 --machine-memory 256GiB`");
    expect(PredictError::Units { resource: "CPU", found: "cores", stored: "shares" }, Kind::User, "`--map`");
    let path = path().join("index/window=60s");
    let other = PredictError::OtherFeatures { path, feature: "cpu_mean".to_owned() };
    expect(other, Kind::Refused, "`shadow fingerprint --window 60s`");
    let range = PredictError::Range { workload: "w".to_owned(), resource: "CPU", value: -1.0 };
    expect(range, Kind::Internal, "this is a bug");
    expect(PredictError::Store(StoreError::Missing { path: "store".into() }), Kind::User, "`shadow ingest PATH`");
    expect(PredictError::Search(SearchError::NoDirection), Kind::User, "`--metric euclidean`");
    assert_eq!(kind(PredictError::Fingerprint(FingerprintError::Overflow)), Kind::Internal);
}

#[test]
fn a_map_that_cannot_be_drawn_says_what_to_do() {
    expect(MapError::NothingDiffers { workloads: 3 }, Kind::User, "`shadow ingest PATH`");
    let column = MapError::NoColumn { asked: "x".to_owned(), known: vec!["user".to_owned()] };
    expect(column, Kind::Usage, "`--color-by`");
    expect(MapError::Predict(PredictError::CosineWithWeights), Kind::Usage, "`--metric euclidean`");
}

#[test]
fn an_abstention_is_told_from_mistakes_of_options_and_of_the_base() {
    let workload = || "checkout".to_owned();
    expect(EmitError::Abstained { workload: workload() }, Kind::Abstained, "`shadow neighbours SAMPLE`");
    expect(EmitError::MissingResource { workload: workload(), resource: "CPU" }, Kind::Abstained, "--explain`");
    for error in [
        EmitError::UnknownFormat("helm".to_owned()),
        EmitError::BadOption { option: "the memory limit factor", value: "0.5".to_owned(), expected: "at least 1" },
        EmitError::OneWorkload { form: "terraform", count: 2 },
        EmitError::BadName { what: "the container", name: "A".to_owned(), longest: 63 },
        EmitError::Ambiguous { what: "containers", found: "a, b".to_owned(), option: "--container" },
        EmitError::NeedsBase("Job"),
    ] {
        assert!(!error.is_abstention());
        assert_eq!(kind(error), Kind::Usage);
    }
    for error in [
        EmitError::BadBase("not a mapping".to_owned()),
        EmitError::NotInBase { wanted: "Deployment".to_owned(), found: "nothing".to_owned() },
        EmitError::TooLarge { workload: workload(), what: "the memory" },
    ] {
        assert_eq!(kind(error), Kind::User);
    }
    for error in [EmitError::Encode("x".to_owned()), EmitError::OverLimit { workload: workload(), what: "CPU" }] {
        assert_eq!(kind(error), Kind::Internal);
    }
}

#[test]
fn a_replay_fails_by_its_options_its_store_or_its_estimator() {
    let unknown = ReplayError::UnknownRival { name: "krr".to_owned(), known: "owner".to_owned() };
    expect(unknown, Kind::Usage, "`--rivals all`");
    assert_eq!(
        kind(ReplayError::Parameter { parameter: "folds", value: "1".to_owned(), allowed: "at least 3" }),
        Kind::Usage
    );
    expect(ReplayError::NoCases, Kind::User, "`shadow ingest PATH`");
    expect(ReplayError::Store(StoreError::Missing { path: "store".into() }), Kind::User, "`shadow ingest PATH`");
    let full = std::io::Error::from(ErrorKind::StorageFull);
    let full = ReplayError::Scratch { doing: "write", folder: "store".into(), source: full };
    assert!(full.to_string().starts_with("cannot write the temporary file in `store`"), "{full}");
    expect(full, Kind::User, "make room there");
    let learner = |source: AnyError| CommandError::from(ReplayError::Learner { what: "a store".to_owned(), source });
    let known = learner(Box::new(FingerprintError::NothingVaries));
    assert_eq!(known.to_string(), "the estimator failed on a store: no feature varies between workloads");
    expect(known, Kind::User, "`--weights`");
    let deeper = PredictError::Fingerprint(FingerprintError::NothingVaries);
    expect(learner(Box::new(deeper)), Kind::User, "`--weights`");
    expect(learner("something".into()), Kind::Internal, "this is a bug");
}
