//! The readers of further Alibaba traces against real slices: every row, empty cell, extreme, sum and count must come out
//! as an independent count of the same files says. Skipped, with a printed reason, where the slices are not present.

use hashbrown::HashSet;
use shadow::store::{IngestParams, Store, ingest};
use shadow::trace::source::Silent;
use shadow::trace::{
    EventRow, GroupRow, MachineRow, ReadOptions, Sample, SampleFlags, Sink, TraceError, WorkloadFlags,
};

use crate::common::real_slices;
use crate::common::slices::{Differences, compare, compare_empty, expectations, read_slice};

/// What a reader handed out.
#[derive(Default)]
struct Seen {
    names: HashSet<String>,
    clamped: u64,
    censored: u64,
    before: u64,
}

impl Seen {
    fn see(&mut self, name: &str) {
        if !self.names.contains(name) {
            self.names.insert(name.to_owned());
        }
    }
}

impl Sink for Seen {
    fn sample(
        &mut self,
        _dataset: shadow::trace::Dataset,
        workload: &str,
        _sequence: u64,
        sample: &Sample,
    ) -> Result<(), TraceError> {
        self.see(workload);
        self.clamped += u64::from(sample.flags.contains(SampleFlags::CLAMPED));
        Ok(())
    }

    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError> {
        self.see(event.workload);
        self.censored += u64::from(event.flags.contains(WorkloadFlags::END_CENSORED));
        self.before += u64::from(event.time.is_some_and(|time| time.0 < 0));
        Ok(())
    }

    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError> {
        self.see(group.group);
        Ok(())
    }

    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError> {
        self.see(machine.machine);
        Ok(())
    }
}

const FORMATS: [&str; 5] =
    ["alibaba-2017", "alibaba-gpu-2020", "alibaba-microservices-2021", "alibaba-gpu-2023", "alibaba-genai-2026"];

#[test]
fn further_alibaba_slices_are_read_exactly() {
    let Some(folder) = real_slices("further_alibaba_slices_are_read_exactly") else { return };
    let expected = expectations(&folder);
    let mut differences = Vec::new();
    let mut read = 0;
    for (path, expected) in expected["files"].as_object().expect("files") {
        let format = expected["format"].as_str().expect("a format");
        if !FORMATS.contains(&format) {
            continue;
        }
        read += 1;
        let mut seen = Seen::default();
        let slice = read_slice(&folder.join(path), &ReadOptions::default(), &mut seen);
        let mut here = Differences::at(path);
        here.check("outcome", &slice.outcome.as_ref().err().map(ToString::to_string), &None::<String>);
        here.check("format", &slice.format, &format);
        here.check("table", &Some(slice.table), &expected["table"].as_str());
        compare(expected, &slice.summary, &|_| None, &mut here);
        compare_empty(expected, &slice.summary, &mut here);
        let notes = |text: &str| -> u64 {
            slice.summary.notes.iter().filter(|(note, _)| note.contains(text)).map(|(_, count)| *count).sum()
        };
        let number = |name: &str| expected[name].as_u64().unwrap_or_default();
        if slice.table == "MSCallGraph" {
            here.check("negative", &notes("negative response times"), &number("rt_negative"));
            here.check("callers", &notes("the caller is unknown"), &number("um_unknown"));
            here.check("callees", &notes("the callee is unknown"), &number("dm_unknown"));
        } else {
            here.check("workloads", &(seen.names.len() as u64), &number("workloads"));
        }
        match slice.table {
            "batch_task" => {
                here.check("before the trace", &seen.before, &number("negative_create"));
                here.check("ends before the creation", &seen.censored, &number("modify_before_create"));
            }
            "pod_memory_util_anon" => {
                here.check("rejected", &slice.rejected.len(), &49);
                here.check("negative", &seen.clamped, &number("negative"));
            }
            "pods" => here.check("running at the end", &seen.censored, &5_193),
            _ => here.check("rejected", &slice.rejected.len(), &0),
        }
        differences.extend(here.found);
    }
    assert_eq!(read, 11, "slices of these formats");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn pods_of_genai_that_appear_late_have_a_visible_start() {
    let Some(data) = real_slices("pods_of_genai_that_appear_late_have_a_visible_start") else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let paths = vec![data.join("alibaba-genai-2026")];
    ingest(&root, &IngestParams { paths, ..IngestParams::default() }, &Silent).unwrap();
    let store = Store::open(&root).unwrap();
    let totals = store.manifest().totals;
    assert_eq!((totals.sampled_workloads, totals.merged), (207, 1), "one pair of values of one time");
    assert_eq!(totals.samples, 214_890 - 49 - 1);
    assert!((50..=56).contains(&totals.started_workloads), "{} of 56 that appear late", totals.started_workloads);
}
