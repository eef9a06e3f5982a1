//! One run of one workload as replay sees it, and the keys that group runs.

use crate::predict::{Draw, Drawn, Known, Profiling, read_history, read_instances};
use crate::store::{Store, Workload};
use crate::trace::{Sample, format_named};
use crate::units::Micros;

use super::ReplayError;
use super::params::ReplayParams;
use super::samples::{RowBuffer, Samples};
use super::scratch::Scratch;
use super::series::Series;

/// One run of one workload with its profile and its samples in time order, in the store's units.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Identity, first window and whole life.
    pub known: Known,
    /// Its samples, in time order.
    pub samples: Samples,
}

/// Returns the runs to replay, profiled as `params` say: those with a series and, where nothing is to be observed, instances
/// of which the trace has one row each, with how many of these were drawn. Samples are put away in a file beside the store,
/// which is gone when the cases are. `each` is called once per run.
///
/// What stays in memory is linear in runs, and does not grow with their samples.
///
/// # Errors
/// [`ReplayError::Store`] if the store is damaged, [`ReplayError::Scratch`] if samples cannot be put away.
pub fn read_cases(
    store: &Store,
    params: &ReplayParams,
    draw: Draw,
    each: &mut dyn FnMut(),
) -> Result<(Vec<Case>, Option<Drawn>), ReplayError> {
    let scratch = Scratch::beside(store.root())?;
    let keep = |samples: &[Sample]| Samples::put_away(samples, &scratch);
    let mut cases = Vec::new();
    let mut take = |known, samples| {
        cases.push(Case { known, samples });
        each();
        Ok::<(), ReplayError>(())
    };
    let profiling = Profiling { window: params.window, span: params.span, cpu_share: params.cpu_share };
    read_history(store, profiling, &keep, &mut take)?;
    let is_at_submission = params.window.length <= Micros::ZERO;
    let drawn = if is_at_submission && store.manifest().totals.summaries > 0 {
        let mut take = |known, row: &Sample| take(known, keep(std::slice::from_ref(row))?);
        Some(read_instances(store, draw, params.cpu_share, &mut take)?)
    } else {
        None
    };
    Ok((cases, drawn))
}

impl Case {
    /// Returns the rows that the profile of the first window was made of, and no later one: rows longer than the window are
    /// taken whole. Nothing where there is no such profile.
    pub(super) fn window_rows<'a>(&'a self, buffer: &'a mut RowBuffer) -> Result<&'a [Sample], ReplayError> {
        self.samples.read_first(self.known.window.samples as usize, buffer)
    }

    /// Reads the demand of the run on its own time.
    pub(super) fn series(&self, buffer: &mut RowBuffer) -> Result<Series, ReplayError> {
        let start = self.known.workload.start.unwrap_or(Micros::ZERO);
        Ok(Series::new(self.samples.read(buffer)?, start))
    }

    /// Returns when the run begins: its start, or its first sample where the start was not seen.
    pub(super) fn begin(&self) -> Option<Micros> {
        let workload = &self.known.workload;
        workload.start.or(workload.first_sample)
    }

    /// Returns when the run is over as far as the trace shows: its end, or the end of its last sample.
    pub(super) fn finish(&self) -> Option<Micros> {
        let workload = &self.known.workload;
        workload.end.or(workload.last_sample)
    }

    /// Returns whether everything of the run lies before `cut`. The window, the life and the samples of a run for
    /// which this holds are known at `cut`.
    pub(super) fn ended_before(&self, cut: Micros) -> bool {
        let last_sample = self.known.workload.last_sample;
        self.finish().is_some_and(|finish| finish < cut) && last_sample.is_none_or(|last| last < cut)
    }

    /// Returns memory-seconds and CPU-seconds of the life, in the store's units.
    pub(super) fn resource_seconds(&self) -> (f64, f64) {
        let life = &self.known.life;
        let seconds = life.seconds.max(0.0);
        (life.memory_mean.unwrap_or(0.0) * seconds, life.cpu_mean.unwrap_or(0.0) * seconds)
    }

    /// Returns whether the run is a service replica (goes on after a restart) and not a batch instance (begins anew):
    /// Google scheduling classes 2 and 3, and classes named so. Everything else counts as batch.
    pub(super) fn is_service(&self) -> bool {
        let workload = &self.known.workload;
        let class = workload.class.as_deref().unwrap_or_default().to_ascii_lowercase();
        if workload.format.starts_with("google") {
            return matches!(class.as_str(), "2" | "3");
        }
        is_service_class(&class)
    }
}

/// Returns whether a class, in lower case, is called what services are called.
pub(super) fn is_service_class(class: &str) -> bool {
    matches!(class, "online" | "service" | "serving" | "deployment" | "daemon")
}

/// Returns the stable name of a recurring workload: its application, together with its user where the trace has one.
/// Nothing where the trace has no application.
pub fn application_key(workload: &Workload) -> Option<String> {
    let application = workload.application.as_deref()?;
    Some(match workload.user.as_deref() {
        Some(user) => format!("{user}\u{1f}{application}"),
        None => application.to_owned(),
    })
}

/// Returns the application without its user, where leaving the user out makes a broader key.
pub(super) fn broader_key(workload: &Workload) -> Option<&str> {
    workload.user.as_ref()?;
    workload.application.as_deref()
}

/// Returns the job or collection of a workload, where its identifier names one.
pub(super) fn job_key(workload: &Workload) -> Option<&str> {
    format_named(&workload.format)?.group_of(&workload.id)
}

/// Returns the key by which answers of one application count as one cluster; a workload without application is its own.
pub(super) fn cluster_of_application(workload: &Workload) -> String {
    application_key(workload).unwrap_or_else(|| format!("\u{1e}{}", workload.id))
}
