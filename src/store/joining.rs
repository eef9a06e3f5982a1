//! Rows of several tables to workloads: what a store is compacted from, and what is made of a sample at once.
//!
//! Goes through one bucket key by key; in memory are the rows of one workload, and what all groups say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::artifact::FileRecord;
use crate::trace::{Duplicates, Format, RequestRule, WorkloadFlags, format_named};
use crate::units::Micros;

use super::in_force::InForce;
use super::merge::{Merge, TableRow};
use super::rows::{FactRow, SampleRow};
use super::run_file::Run;
use super::runs::{Rules, assign, join, settle};
use super::spool::Table;
use super::{StoreError, Workload};

/// What a group says of its workloads.
#[derive(Default, Clone)]
pub(super) struct Group {
    application: Option<String>,
    user: Option<String>,
    class: Option<String>,
    priority: Option<i32>,
    is_autoscaled: bool,
}

/// What all groups say, by format and group.
pub(super) type Groups = BTreeMap<(Arc<str>, Arc<str>), Group>;

/// Where rows lie that are to be joined.
#[derive(Clone, Copy)]
pub(super) struct Unjoined<'a> {
    pub(super) root: &'a Path,
    /// Compacted files.
    pub(super) files: &'a [FileRecord],
    /// Runs that wait.
    pub(super) runs: &'a [Run],
}

impl<'a> Unjoined<'a> {
    /// Reads what all groups say; the newest statement of each field counts.
    pub(super) fn groups(&self, buckets: u32) -> Result<Groups, StoreError> {
        let mut found: Groups = BTreeMap::new();
        for bucket in 0..buckets {
            let mut merge: Merge<'_, FactRow> = self.merge(Table::Groups, bucket)?;
            while let Some(key) = next_key(&[merge.key()]) {
                let rows = sorted_facts(merge.take(&key.0, &key.1)?);
                let mut group = Group::default();
                for row in rows {
                    group.application = row.application.or_else(|| group.application.take());
                    group.user = row.user.or_else(|| group.user.take());
                    group.class = row.class.or_else(|| group.class.take());
                    group.priority = row.priority.or(group.priority);
                    group.is_autoscaled |= row.scaling.is_some_and(|scaling| scaling >= 2);
                }
                found.insert(key, group);
            }
        }
        Ok(found)
    }

    pub(super) fn merge<T: TableRow>(&self, table: Table, bucket: u32) -> Result<Merge<'a, T>, StoreError> {
        Merge::open(self.root, self.files, self.runs, table, bucket)
    }
}

/// The workloads of a bucket, one after the other.
pub(super) struct Joining<'a> {
    bucket: u32,
    usage: Merge<'a, SampleRow>,
    summaries: Merge<'a, SampleRow>,
    events: Merge<'a, FactRow>,
}

/// One workload: its runs, each with the median step of its samples, and its rows, in the order in which they are kept.
pub(super) struct Joined {
    /// Format and identifier.
    pub(super) key: (Arc<str>, Arc<str>),
    pub(super) runs: Vec<(Workload, Micros)>,
    pub(super) samples: Vec<SampleRow>,
    pub(super) summaries: Vec<SampleRow>,
    pub(super) events: Vec<FactRow>,
    /// Rows that were dropped because an equal one is there.
    pub(super) duplicates: u64,
    /// Rows that were made one with others of the same time.
    pub(super) merged: u64,
}

impl<'a> Joining<'a> {
    pub(super) fn open(rows: Unjoined<'a>, bucket: u32) -> Result<Self, StoreError> {
        Ok(Self {
            bucket,
            usage: rows.merge(Table::Usage, bucket)?,
            summaries: rows.merge(Table::Summary, bucket)?,
            events: rows.merge(Table::Events, bucket)?,
        })
    }

    /// Returns the next workload in the order of (format, key).
    pub(super) fn next(&mut self, groups: &Groups) -> Result<Option<Joined>, StoreError> {
        while let Some(key) = next_key(&[self.usage.key(), self.summaries.key(), self.events.key()]) {
            let mut samples = self.usage.take(&key.0, &key.1)?;
            let mut summaries = self.summaries.take(&key.0, &key.1)?;
            let events = sorted_facts(self.events.take(&key.0, &key.1)?);
            if samples.is_empty() && summaries.is_empty() && events.is_empty() {
                // All of them were rows of files that failed half way.
                continue;
            }
            let (duplicates, merged) = settle(&mut samples, duplicates(&key.0));
            let rules = rules(&key.0);
            // Summaries are rows of whole instances: they get the request in force, but make no workloads.
            let request = InForce::request(&events, rules.request);
            sort_samples(&mut summaries);
            assign(&events, &request, &mut summaries, &rules);
            let mut runs = join(&key.1, &key.0, &events, &request, &mut samples, &rules, self.bucket);
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
            return Ok(Some(Joined { key, runs, samples, summaries, events, duplicates, merged }));
        }
        Ok(None)
    }
}

/// Returns the smallest of several keys.
pub(super) fn next_key(fronts: &[Option<(&str, &str)>]) -> Option<(Arc<str>, Arc<str>)> {
    fronts.iter().flatten().min().map(|&(format, key)| (Arc::from(format), Arc::from(key)))
}

pub(super) fn sorted_facts(mut rows: Vec<FactRow>) -> Vec<FactRow> {
    rows.sort_by_key(|row| (row.order(), row.source));
    rows
}

fn sort_samples(rows: &mut [SampleRow]) {
    rows.sort_by_key(SampleRow::order);
}

pub(super) fn duplicates(format: &str) -> Duplicates {
    format_named(format).map_or(Duplicates::Merge, Format::duplicates)
}

fn rules(format: &str) -> Rules {
    let request = format_named(format).map_or(RequestRule::First, Format::request_rule);
    let is_google = format.starts_with("google-");
    Rules {
        request,
        // Both Google traces write 0 for "before the trace"; a user's table may well begin at 0.
        origin: if is_google || format.starts_with("alibaba-") || format.starts_with("azure-") {
            Micros::ZERO
        } else {
            Micros(i64::MIN)
        },
        // A first window later than 300 s means a start inside the trace (its first windows start at 300 s).
        first_visible_sample: (format == "google-2019").then(|| Micros::from_seconds(300)),
    }
}
