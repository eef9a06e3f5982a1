//! What replay asks where there is no first window: instances at submission, and machines that were there all along.

use std::path::{Path, PathBuf};

use shadow::predict::{Draw, Drawn, LifeSpan};
use shadow::profile::Window;
use shadow::replay::{
    Case, Population, Reading, Reason, ReplayParams, ReplayReport, Resource, Row, Shadow, Split, Weighting, read_cases,
    replay,
};
use shadow::store::{IngestParams, Store, ingest};
use shadow::trace::source::Silent;
use shadow::units::Micros;

fn store_of(root: &Path, paths: Vec<PathBuf>) -> Store {
    ingest(root, &IngestParams { paths, ..IngestParams::default() }, &Silent).expect("kept");
    Store::open(root).expect("whole")
}

const JOBS: u32 = 120;

/// A minute between jobs of one task each: plans are 2 or 8 of 100, large plans are ten times too large and small ones
/// twice; every third task has two instances.
fn hour(folder: &Path) -> Vec<PathBuf> {
    let (mut tasks, mut instances) = (Vec::new(), Vec::new());
    for job in 0..JOBS {
        let (plan, use_of) = if job % 2 == 0 { (8.0, 0.8) } else { (2.0, 1.0) };
        let count = if job % 3 == 0 { 2 } else { 1 };
        let arrives = 30 * job;
        tasks.push(format!("{arrives},j_{job},M1,20,100.0,{plan},{count}\n"));
        for number in 0..count {
            let used = use_of * (1.0 + f64::from((job + number) % 7) / 100.0);
            instances.push(format!("{arrives},j_{job},M1,ins_{job}{number},20,50.0,{used}\n"));
        }
    }
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    vec![write("sample_tasks.csv", &tasks.concat()), write("sample_instances.csv", &instances.concat())]
}

fn instances(store: &Store, tasks: Option<u64>, per_task: u64) -> (Vec<Case>, Drawn) {
    let at_submission = Window { length: Micros::ZERO };
    let params = ReplayParams::new(at_submission, Split::Recurring, store.manifest().units);
    let (cases, drawn) = read_cases(store, &params, Draw { tasks, per_task }, &mut || ()).expect("read");
    (cases, drawn.expect("instances"))
}

fn memory_of<'a>(report: &'a ReplayReport, rival: &str) -> Option<&'a Row> {
    report.splits[0].rows.iter().find(|row| {
        row.rival == rival
            && row.resource == Resource::Memory
            && row.weighting == Weighting::Workload
            && row.population == Population::WithFallback
            && row.reading == Reading::UncensoredOnly
            && row.group == "all"
    })
}

#[test]
fn instances_are_asked_about_at_submission_by_who_needs_no_window() {
    let world = tempfile::tempdir().expect("a folder");
    let store = store_of(&world.path().join("store"), hour(world.path()));
    let two = u64::from(JOBS.div_ceil(3));
    let (cases, drawn) = instances(&store, None, 1);
    let all = u64::from(JOBS) + two;
    let jobs = u64::from(JOBS);
    assert_eq!(drawn, Drawn { instances: jobs, of: all, tasks: jobs, of_tasks: jobs, most_per_task: 1 });
    assert_eq!(instances(&store, None, 9).1.instances, all);
    let some = instances(&store, Some(50), 1).1;
    assert_eq!((some.instances, some.tasks, some.of, some.of_tasks), (50, 50, all, jobs));

    let mut params = ReplayParams::new(Window { length: Micros::ZERO }, Split::Unseen, store.manifest().units);
    params.rivals =
        ["shadow", "owner", "persistence-2", "vpa-cold", "krr", "autopilot-window", "crane", "constant", "oracle"]
            .map(str::to_owned)
            .to_vec();
    let report = replay(&cases, &params, &Shadow::new(params.units)).expect("replayed");
    let split = &report.splits[0];
    assert!(split.cuts_seconds.is_some(), "time order holds: {:?}", split.warnings);
    let answered = |name: &str| {
        let found = split.rivals.iter().find(|rival| rival.name == name).expect("a rival");
        (found.answered, split.queries)
    };
    for silent in ["persistence-2", "vpa-cold", "krr", "autopilot-window", "crane"] {
        assert_eq!(answered(silent).0, 0, "{silent} has seen nothing");
    }
    for speaking in ["shadow", "owner", "constant"] {
        let (answers, queries) = answered(speaking);
        assert!(answers == queries && queries > 20, "{speaking}: {answers} of {queries}");
    }
    let waste = |name: &str| memory_of(&report, name).and_then(|row| row.figures.mean_waste).expect("a figure");
    // A plan of 8 is ten times too large, a plan of 2 twice: whoever knows the plan's kind wastes next to nothing.
    assert!(waste("shadow") < 0.1 * waste("owner"), "{} of {}", waste("shadow"), waste("owner"));
    assert!(waste("shadow") < waste("constant"), "{} of {}", waste("shadow"), waste("constant"));
}

/// Twelve hours of twenty virtual machines that are there all along, each at a level of its own, and of one that is switched
/// off for the first of them.
fn machines(folder: &Path) -> PathBuf {
    let header = "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\t\
                  Memory capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];\t\
                  Disk write throughput [KB/s];\tNetwork received throughput [KB/s];\t\
                  Network transmitted throughput [KB/s]\n";
    let traces = folder.join("rnd/2013-8");
    std::fs::create_dir_all(&traces).expect("made");
    for machine in 0..21 {
        let row = |step: i64| {
            if machine == 20 && step < 12 {
                return format!("{};\t0;\t0;\t0;\t0;\t0;\t0;\t0;\t0;\t0;\t0\n", 1_375_000_000 + 300 * step);
            }
            let used = 100 * (machine + 1) + 10 * (step % 12);
            let (time, memory) = (1_375_000_000 + 300 * step, 1000 * used);
            format!("{time};\t2;\t5200;\t{used};\t1;\t8388608;\t{memory};\t1;\t2;\t3;\t4\n")
        };
        let rows: Vec<String> = (0..144).map(row).collect();
        std::fs::write(traces.join(format!("{machine}.csv")), format!("{header}{}", rows.concat())).expect("written");
    }
    folder.to_owned()
}

#[test]
fn machines_that_run_throughout_are_asked_about_only_where_lives_are_what_was_sampled() {
    let world = tempfile::tempdir().expect("a folder");
    let store = store_of(&world.path().join("store"), vec![machines(&world.path().join("traces"))]);
    let hour = Window { length: Micros::from_seconds(3600) };
    let report_of = |span: LifeSpan| {
        let mut params = ReplayParams::new(hour, Split::Unseen, store.manifest().units);
        (params.span, params.cpu_share, params.feedback) = (span, 0.99, false);
        params.rivals = ["shadow", "owner", "persistence-2", "oracle"].map(str::to_owned).to_vec();
        let draw = Draw { tasks: None, per_task: 1 };
        let (cases, _) = read_cases(&store, &params, draw, &mut || ()).expect("read");
        replay(&cases, &params, &Shadow::new(params.units)).expect("replayed")
    };
    assert_eq!(report_of(LifeSpan::Whole).splits[0].queries, 0);
    let report = report_of(LifeSpan::Sampled);
    let split = &report.splits[0];
    assert_eq!((split.queries, split.censored_cpu, split.censored_memory), (20, 0, 0));
    assert_eq!(split.removed[&Reason::NoSampleInWindow].workloads, 1, "who was switched off showed nothing");
    let said = |what: &str| report.warnings.iter().any(|warning| warning.contains(what));
    assert!(said("is no start-up") && said("99th percentile") && said("hypervisor"), "{:?}", report.warnings);
}
