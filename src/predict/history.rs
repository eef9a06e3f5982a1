//! What the store's workloads showed first and needed later: the input of every fit.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::profile::{CPU_NEED, Floors, LifeProfile, Window, WindowProfile, profile_life, profile_window};
use crate::store::{Store, StoreError, Workload};
use crate::trace::Sample;
use crate::units::Micros;

use super::Known;

/// Which part of a run counts as its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LifeSpan {
    /// From its start to its end. Without a visible start there is no first window; without a visible end what it needed
    /// is a lower bound.
    #[default]
    Whole,
    /// From its first sample to its last, whatever was before and after: the window is then somewhere in the life and no
    /// start-up, and the need is that of the time the trace shows.
    Sampled,
}

/// How runs are profiled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profiling {
    /// The learning window.
    pub window: Window,
    /// Which part of a run counts as its life.
    pub span: LifeSpan,
    /// Which percentile of its row means is a run's need of CPU, in (0, 1].
    pub cpu_share: f64,
}

impl Profiling {
    /// Returns what answers are made with: whole lives, and the 95th percentile of CPU.
    pub const fn new(window: Window) -> Self {
        Self { window, span: LifeSpan::Whole, cpu_share: CPU_NEED }
    }
}

/// What of a store can be learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HistorySummary {
    /// Runs with samples.
    pub runs: u64,
    /// Runs that were alive before the trace began to see them: they have no first window.
    pub without_start: u64,
    /// Runs that ended inside the window, or were seen for less than half of it.
    pub too_short: u64,
    /// Runs with a first window.
    pub learnable: u64,
}

impl HistorySummary {
    /// Returns what was left out, in words.
    pub fn left_out(&self, window: Window) -> String {
        format!(
            "{} of {} runs were alive before the trace saw them, {} ended within {} or were seen for less than half of it",
            self.without_start, self.runs, self.too_short, window.length
        )
    }
}

impl Known {
    /// Returns whether the run was seen from its start for long enough: whether it can be learned from.
    pub fn is_learnable(&self) -> bool {
        !self.life.censoring.left && self.window.samples > 0
    }

    /// Returns whether an estimator over `window` can learn from the run: the same, but at submission, over a window of no
    /// length, nothing needs to have been observed.
    pub fn can_teach(&self, window: Window) -> bool {
        self.is_learnable() || (window.length <= Micros::ZERO && !self.life.censoring.left)
    }
}

/// What is kept of a run's samples.
pub type Keep<'a, K, E> = &'a (dyn Fn(&[Sample]) -> Result<K, E> + Sync);

/// Receives a profiled run with what was kept of its samples.
pub type TakeKnown<'a, K, E> = &'a mut dyn FnMut(Known, K) -> Result<(), E>;

/// Profiles every run with samples and hands it out with what `keep` makes of them, by bucket, then by (format, workload,
/// run). Runs without a first window come too, with a window of no samples. Buckets are read in parallel, as many at a time as
/// there are threads; the order does not depend on that. Samples are held for one run per thread.
///
/// # Errors
/// The store is damaged, or `keep` or `take` fails.
pub fn read_history<K: Send, E: From<StoreError> + Send>(
    store: &Store,
    profiling: Profiling,
    keep: Keep<'_, K, E>,
    take: TakeKnown<'_, K, E>,
) -> Result<HistorySummary, E> {
    let floors = Floors::of(store.manifest().units);
    let buckets: Vec<(u32, Vec<Workload>)> = store.sampled_runs()?.into_iter().collect();
    let mut summary = HistorySummary::default();
    for group in buckets.chunks(rayon::current_num_threads().max(1)) {
        let profiled: Vec<Result<Vec<(Known, K)>, E>> = group
            .par_iter()
            .map(|(bucket, workloads)| profile_bucket(store, (*bucket, workloads), profiling, floors, keep))
            .collect();
        for bucket in profiled {
            for (known, kept) in bucket? {
                summary.runs += 1;
                if known.life.censoring.left {
                    summary.without_start += 1;
                } else if known.window.samples == 0 {
                    summary.too_short += 1;
                } else {
                    summary.learnable += 1;
                }
                take(known, kept)?;
            }
        }
    }
    Ok(summary)
}

fn profile_bucket<K, E: From<StoreError>>(
    store: &Store,
    (bucket, workloads): (u32, &[Workload]),
    profiling: Profiling,
    floors: Floors,
    keep: Keep<'_, K, E>,
) -> Result<Vec<(Known, K)>, E> {
    let mut found = Vec::with_capacity(workloads.len());
    store.for_each_run(bucket, workloads, &mut |workload, samples| {
        let known = match profiling.span {
            LifeSpan::Whole => known(workload, samples, profiling, floors),
            LifeSpan::Sampled => known(&workload.as_sampled(), samples, profiling, floors),
        };
        found.push((known, keep(samples)?));
        Ok::<(), E>(())
    })?;
    Ok(found)
}

fn known(workload: &Workload, samples: &[Sample], profiling: Profiling, floors: Floors) -> Known {
    let life = profile_life(samples, workload, profiling.cpu_share);
    let window = first_window(workload, &life, samples, profiling.window, floors);
    Known { workload: workload.clone(), window, life }
}

/// Returns what a run showed in its first window; a window of no samples where its start was not seen, or where it
/// ended inside.
pub fn first_window(
    workload: &Workload,
    life: &LifeProfile,
    samples: &[Sample],
    window: Window,
    floors: Floors,
) -> WindowProfile {
    // A newcomer is asked about when it has lived through the window: what ended inside it says nothing about that.
    let lived_through = life.seconds >= window.length.as_seconds();
    let start = workload.start.filter(|_| lived_through);
    start.and_then(|start| profile_window(samples, start, window, floors).ok()).unwrap_or_default()
}
