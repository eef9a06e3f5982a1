//! What a replay is told.

use serde::Serialize;

use crate::predict::{LifeSpan, Question};
use crate::profile::{CPU_NEED, Window};
use crate::store::MachineSize;
use crate::trace::UnitContract;

use super::{ReplayError, rivals};

/// Which stored workloads a query may rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Time order; other instances of the query's application are in the store.
    Recurring,
    /// Time order; nothing of the query's application, job or user is in the store or in any fit.
    Unseen,
    /// Random, ignoring time and groups: it flatters, and is printed only beside the honest rows.
    Leaky,
}

/// How queries and store are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitBasis {
    /// By the trace's clock.
    TimeOrder,
    /// By folds, because the trace has no clock that is common to its workloads, or time order leaves nothing to ask.
    Folds,
    /// By random folds (the leaky split).
    Random,
}

/// What the store holds during the test period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreMode {
    /// What ended before the test period began (the headline).
    Frozen,
    /// It grows in steps through the test period: each query sees what ended before its step began.
    Growing {
        /// Equal steps of the test period.
        steps: u32,
    },
}

/// Everything a replay is told. [`ReplayParams::new`] gives the defaults of the protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayParams {
    /// The learning window; of no length to ask at submission, where nothing was observed.
    pub window: Window,
    /// Which part of a run the cases were profiled over, for the report: cases come profiled.
    pub span: LifeSpan,
    /// Which percentile of the row means the cases' need of CPU is, for the report.
    pub cpu_share: f64,
    /// The split; of several the first that was named.
    pub split: Split,
    /// Splits that are replayed as well, in any order.
    pub also: Vec<Split>,
    /// Frozen or growing store; folds ignore it.
    pub store_mode: StoreMode,
    /// Names of the rivals, in the order of the report.
    pub rivals: Vec<String>,
    /// What shadow and random neighbours are asked; the coverage is their marked setting.
    pub question: Question,
    /// What the store's numbers mean.
    pub units: UnitContract,
    /// What 1.0 is in a normalised trace.
    pub machine: MachineSize,
    /// Seed of folds, random neighbours and resampling.
    pub seed: u64,
    /// Share of the trace's time that fills the store before calibration begins (our value: 0.5).
    pub store_share: f64,
    /// Share of the trace's time at which the test period begins (our value: 0.7).
    pub test_share: f64,
    /// Queries must live at least this many windows (our value: 2).
    pub minimum_life_windows: f64,
    /// Folds of a fold split by instance (our value: 5).
    pub folds: u32,
    /// Most folds of the unseen split (our value: 10).
    pub group_folds: u32,
    /// Draws of random neighbours (protocol: 20).
    pub random_draws: u32,
    /// Resamples of the cluster bootstrap (protocol: 2000).
    pub resamples: u32,
    /// Fewest clusters for an interval (protocol: 20).
    pub minimum_clusters: u32,
    /// Target under-provision rates (protocol: 10, 5, 2, 1 %).
    pub targets: Vec<f64>,
    /// Whether the feedback models F0 and F2 run beside F1, the raw trace.
    pub feedback: bool,
    /// Whether the CPU answer is also a limit in the feedback models (default: a request only).
    pub cpu_limit: bool,
}

impl ReplayParams {
    /// Returns the defaults of the protocol for a window and a unit contract.
    pub fn new(window: Window, split: Split, units: UnitContract) -> Self {
        Self {
            window,
            span: LifeSpan::Whole,
            cpu_share: CPU_NEED,
            split,
            also: Vec::new(),
            store_mode: StoreMode::Frozen,
            rivals: rivals::DEFAULT.iter().map(|name| (*name).to_owned()).collect(),
            question: Question::default(),
            units,
            machine: MachineSize { nanocores: None, memory_bytes: None },
            seed: 1,
            store_share: 0.5,
            test_share: 0.7,
            minimum_life_windows: 2.0,
            folds: 5,
            group_folds: 10,
            random_draws: 20,
            resamples: 2000,
            minimum_clusters: 20,
            targets: vec![0.10, 0.05, 0.02, 0.01],
            feedback: true,
            cpu_limit: false,
        }
    }

    /// Returns the splits in the order of the report: honest ones first, the leaky one never without `recurring`.
    pub(super) fn splits(&self) -> Vec<Split> {
        let is_asked = |split: Split| self.split == split || self.also.contains(&split);
        let is_shown = |split: &Split| is_asked(*split) || (*split == Split::Recurring && is_asked(Split::Leaky));
        [Split::Recurring, Split::Unseen, Split::Leaky].into_iter().filter(is_shown).collect()
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// [`ReplayError::Parameter`] names the first parameter outside its range.
    pub fn check(&self) -> Result<(), ReplayError> {
        let wrong = |parameter, value: String, allowed| Err(ReplayError::Parameter { parameter, value, allowed });
        if self.window.length.0 < 0 {
            return wrong("window", self.window.length.to_string(), "0 s (at submission) or more");
        }
        if !(self.store_share > 0.0 && self.store_share < self.test_share && self.test_share < 1.0) {
            let value = format!("{} and {}", self.store_share, self.test_share);
            return wrong("store and test share", value, "0 < store share < test share < 1");
        }
        if !(self.minimum_life_windows >= 1.0 && self.minimum_life_windows.is_finite()) {
            return wrong("minimum life", self.minimum_life_windows.to_string(), "at least 1 window");
        }
        if !(self.cpu_share > 0.0 && self.cpu_share <= 1.0) {
            return wrong("share of the CPU need", self.cpu_share.to_string(), "above 0 and up to 1");
        }
        if self.folds < 3 {
            return wrong(
                "folds",
                self.folds.to_string(),
                "at least 3: one asked, one for calibration, one to learn from",
            );
        }
        if self.group_folds < 3 {
            return wrong("group folds", self.group_folds.to_string(), "at least 3");
        }
        if let Some(target) = self.targets.iter().find(|target| !(**target > 0.0 && **target < 1.0)) {
            return wrong("target rate", target.to_string(), "between 0 and 1");
        }
        if matches!(self.store_mode, StoreMode::Growing { steps: 0 }) {
            return wrong("steps", "0".to_owned(), "at least 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::test_cases::WINDOW;
    use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit};

    #[test]
    fn a_leaky_split_never_comes_without_its_honest_twin() {
        let units = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };
        let splits = |split, also: &[Split]| {
            ReplayParams { also: also.to_vec(), ..ReplayParams::new(WINDOW, split, units) }.splits()
        };
        assert_eq!(splits(Split::Unseen, &[]), [Split::Unseen]);
        assert_eq!(splits(Split::Leaky, &[]), [Split::Recurring, Split::Leaky]);
        assert_eq!(splits(Split::Unseen, &[Split::Recurring]), [Split::Recurring, Split::Unseen]);
        let all = [Split::Recurring, Split::Unseen, Split::Leaky];
        assert_eq!(splits(Split::Leaky, &[Split::Unseen]), all);
        assert_eq!(splits(Split::Recurring, &all), all);
    }
}
