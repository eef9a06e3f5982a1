//! Waiting and compacted rows of each bucket to new compacted files: sorted, joined, duplicates settled.
//!
//! Works bucket by bucket, in parallel; the result depends on the rows alone, not on how they were spread over files.
//! Memory: the rows of as many buckets as there are threads, and the statements about groups.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::artifact::FileRecord;
use crate::trace::{RequestRule, WorkloadFlags, format_named};
use crate::units::Micros;

use super::in_force::InForce;
use super::manifest::{Manifest, Totals};
use super::parquet_file;
use super::rows::{FactRow, SampleRow, fact_batch, fact_schema, read_facts, read_samples, sample_batch, sample_schema};
use super::runs::{Rules, assign, conclude, join, settle};
use super::spool::{Table, bucket_of};
use super::workload_table;
use super::{StoreError, Workload};

/// Name of the workload table below the store.
pub(super) const WORKLOADS: &str = "workloads.parquet";

/// What a group says of its workloads.
#[derive(Default, Clone)]
struct Group {
    application: Option<String>,
    user: Option<String>,
    class: Option<String>,
    priority: Option<i32>,
    is_autoscaled: bool,
}

/// What all groups say, by format and group.
type Groups = BTreeMap<(Arc<str>, Arc<str>), Group>;

/// One bucket's new files and workloads.
struct Compacted {
    files: Vec<FileRecord>,
    workloads: Vec<Workload>,
    /// Median step of each workload's samples.
    steps: Vec<Micros>,
    totals: Totals,
}

/// Compacts every bucket; returns the new files and totals. Old files stay until the caller has replaced the manifest.
pub(super) fn compact(
    root: &Path,
    manifest: &Manifest,
    generation: u32,
) -> Result<(Vec<FileRecord>, Totals), StoreError> {
    let sources: BTreeSet<u32> = manifest.sources.iter().map(|source| source.number).collect();
    let groups = groups(root, manifest, &sources)?;
    let buckets: Vec<Compacted> = (0..manifest.buckets)
        .into_par_iter()
        .map(|bucket| bucket_files(root, manifest, &sources, &groups, bucket, generation))
        .collect::<Result<_, _>>()?;
    let mut files = Vec::new();
    let mut workloads = Vec::new();
    let mut steps = Vec::new();
    let mut totals = Totals::default();
    for bucket in buckets {
        files.extend(bucket.files);
        workloads.extend(bucket.workloads);
        steps.extend(bucket.steps);
        let part = bucket.totals;
        totals.samples += part.samples;
        totals.summaries += part.summaries;
        totals.machine_samples += part.machine_samples;
        totals.events += part.events;
        totals.groups += part.groups;
        totals.machines += part.machines;
        totals.duplicates += part.duplicates;
        totals.merged += part.merged;
    }
    (totals.first, totals.last) = conclude(&mut workloads, &steps);
    workloads.sort_by(|a, b| (&a.format, &a.id, a.run).cmp(&(&b.format, &b.id, b.run)));
    totals.workloads = workloads.len() as u64;
    totals.sampled_workloads = workloads.iter().filter(|workload| workload.samples > 0).count() as u64;
    totals.started_workloads = workloads.iter().filter(|workload| workload.start.is_some()).count() as u64;
    files.push(parquet_file::write(root, WORKLOADS, workload_table::schema(), &workloads, workload_table::batch)?);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((files, totals))
}

/// Returns the files of a table and bucket, compacted and waiting.
fn files_of(manifest: &Manifest, table: Table, bucket: u32) -> impl Iterator<Item = &FileRecord> {
    let prefix = format!("{}/bucket={bucket:02}/", table.folder());
    manifest.files.iter().chain(&manifest.waiting).filter(move |file| file.path.starts_with(&prefix))
}

fn load_samples(
    root: &Path,
    manifest: &Manifest,
    sources: &BTreeSet<u32>,
    table: Table,
    bucket: u32,
) -> Result<Vec<SampleRow>, StoreError> {
    let mut rows = Vec::new();
    for file in files_of(manifest, table, bucket) {
        parquet_file::read(root, file, |batch| read_samples(batch, &mut rows))?;
    }
    rows.retain(|row| sources.contains(&row.source));
    Ok(rows)
}

fn load_facts(
    root: &Path,
    manifest: &Manifest,
    sources: &BTreeSet<u32>,
    table: Table,
    bucket: u32,
) -> Result<Vec<FactRow>, StoreError> {
    let mut rows = Vec::new();
    for file in files_of(manifest, table, bucket) {
        parquet_file::read(root, file, |batch| read_facts(batch, &mut rows))?;
    }
    rows.retain(|row| sources.contains(&row.source));
    rows.sort_by(|a, b| (&a.format, &a.key, a.order()).cmp(&(&b.format, &b.key, b.order())));
    Ok(rows)
}

/// Reads what all groups say; the newest statement of each field counts.
fn groups(root: &Path, manifest: &Manifest, sources: &BTreeSet<u32>) -> Result<Groups, StoreError> {
    let mut found: Groups = BTreeMap::new();
    for bucket in 0..manifest.buckets {
        for row in load_facts(root, manifest, sources, Table::Groups, bucket)? {
            let group = found.entry((row.format.clone(), row.key.clone())).or_default();
            group.application = row.application.or_else(|| group.application.take());
            group.user = row.user.or_else(|| group.user.take());
            group.class = row.class.or_else(|| group.class.take());
            group.priority = row.priority.or(group.priority);
            group.is_autoscaled |= row.scaling.is_some_and(|scaling| scaling >= 2);
        }
    }
    Ok(found)
}

fn rules(format: &str) -> Rules {
    let request = format_named(format).map_or(RequestRule::First, crate::trace::Format::request_rule);
    let is_google = format.starts_with("google-");
    Rules {
        request,
        // Both Google traces write 0 for "before the trace"; a user's table may well begin at 0.
        origin: if is_google || format.starts_with("alibaba-") { Micros::ZERO } else { Micros(i64::MIN) },
        // A first window later than 300 s means a start inside the trace (its first windows start at 300 s).
        first_visible_sample: (format == "google-2019").then(|| Micros::from_seconds(300)),
    }
}

/// Takes the rows of the smallest key off the front of sorted rows.
fn take_key<T>(
    rows: &mut std::iter::Peekable<std::vec::IntoIter<T>>,
    key: &(Arc<str>, Arc<str>),
    of: fn(&T) -> (&Arc<str>, &Arc<str>),
) -> Vec<T> {
    let mut taken = Vec::new();
    while let Some(row) = rows.next_if(|row| of(row) == (&key.0, &key.1)) {
        taken.push(row);
    }
    taken
}

fn sample_key(row: &SampleRow) -> (&Arc<str>, &Arc<str>) {
    (&row.format, &row.workload)
}

fn fact_key(row: &FactRow) -> (&Arc<str>, &Arc<str>) {
    (&row.format, &row.key)
}

fn bucket_files(
    root: &Path,
    manifest: &Manifest,
    sources: &BTreeSet<u32>,
    groups: &Groups,
    bucket: u32,
    generation: u32,
) -> Result<Compacted, StoreError> {
    let sorted = |table| -> Result<Vec<SampleRow>, StoreError> {
        let mut rows = load_samples(root, manifest, sources, table, bucket)?;
        rows.sort_by(|a, b| {
            (&a.format, &a.workload, a.sample.start, a.sequence).cmp(&(
                &b.format,
                &b.workload,
                b.sample.start,
                b.sequence,
            ))
        });
        Ok(rows)
    };
    let mut usage = sorted(Table::Usage)?.into_iter().peekable();
    let mut summaries = sorted(Table::Summary)?.into_iter().peekable();
    let facts = load_facts(root, manifest, sources, Table::Events, bucket)?;
    let mut events = facts.into_iter().peekable();
    let (mut new_usage, mut new_summaries, mut new_events) = (Vec::new(), Vec::new(), Vec::new());
    let (mut workloads, mut steps) = (Vec::new(), Vec::new());
    let mut totals = Totals::default();
    loop {
        let fronts = [usage.peek().map(sample_key), summaries.peek().map(sample_key), events.peek().map(fact_key)];
        let Some((format, id)) = fronts.into_iter().flatten().min() else { break };
        let key = (format.clone(), id.clone());
        let mut own_samples = take_key(&mut usage, &key, sample_key);
        let mut own_summaries = take_key(&mut summaries, &key, sample_key);
        let own_events = take_key(&mut events, &key, fact_key);
        let (duplicates, merged) = settle(&mut own_samples, &*key.0 == "table");
        totals.duplicates += duplicates;
        totals.merged += merged;
        let rules = rules(&key.0);
        // Summaries are rows of whole instances: they get the request in force, but make no workloads.
        let request = InForce::request(&own_events, rules.request);
        assign(&own_events, &request, &mut own_summaries, &rules);
        let mut runs = join(&key.1, &key.0, &own_events, &request, &mut own_samples, &rules, bucket);
        let group = format_named(&key.0)
            .and_then(|format| format.group_of(&key.1))
            .map(|group| (group, groups.get(&(key.0.clone(), Arc::from(group)))));
        if let Some((name, facts)) = group {
            for (run, _step) in &mut runs {
                let facts = facts.cloned().unwrap_or_default();
                run.application = run.application.take().or(facts.application).or_else(|| Some(name.to_owned()));
                run.user = run.user.take().or(facts.user);
                run.class = run.class.take().or(facts.class);
                run.priority = run.priority.or(facts.priority);
                if facts.is_autoscaled {
                    run.flags = run.flags.with(WorkloadFlags::AUTOSCALED);
                }
            }
        }
        for (run, step) in runs {
            workloads.push(run);
            steps.push(step);
        }
        new_usage.extend(own_samples);
        new_summaries.extend(own_summaries);
        new_events.extend(own_events);
    }
    let mut machine_usage = Vec::new();
    let mut machine_rows = sorted(Table::Machine)?.into_iter().peekable();
    while let Some(front) = machine_rows.peek().map(sample_key) {
        let key = (front.0.clone(), front.1.clone());
        let mut own = take_key(&mut machine_rows, &key, sample_key);
        let (duplicates, merged) = settle(&mut own, false);
        totals.duplicates += duplicates;
        totals.merged += merged;
        machine_usage.extend(own);
    }
    let group_rows = load_facts(root, manifest, sources, Table::Groups, bucket)?;
    let machine_facts = load_facts(root, manifest, sources, Table::Machines, bucket)?;
    totals.samples = new_usage.len() as u64;
    totals.summaries = new_summaries.len() as u64;
    totals.machine_samples = machine_usage.len() as u64;
    totals.events = new_events.len() as u64;
    totals.groups = group_rows.len() as u64;
    totals.machines = machine_facts.len() as u64;
    let mut files = Vec::new();
    let path = |table: Table| format!("{}/bucket={bucket:02}/part-{generation:06}.parquet", table.folder());
    for (table, rows) in
        [(Table::Usage, &new_usage), (Table::Summary, &new_summaries), (Table::Machine, &machine_usage)]
    {
        if !rows.is_empty() {
            files.push(parquet_file::write(root, &path(table), sample_schema(), rows, sample_batch)?);
        }
    }
    for (table, rows) in [(Table::Events, &new_events), (Table::Groups, &group_rows), (Table::Machines, &machine_facts)]
    {
        if !rows.is_empty() {
            files.push(parquet_file::write(root, &path(table), fact_schema(), rows, fact_batch)?);
        }
    }
    debug_assert!(workloads.iter().all(|workload| bucket_of(&workload.id, manifest.buckets) == bucket));
    Ok(Compacted { files, workloads, steps, totals })
}
