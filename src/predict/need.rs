//! What the estimator remembers of a stored workload: its level in the first window and its need over its whole life.

use serde::{Deserialize, Serialize};

use crate::profile::{Floors, WindowProfile};
use crate::trace::Amounts;
use crate::units::Micros;

use super::Known;

/// A resource that is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// Memory; its need is the whole-life peak.
    Memory,
    /// CPU; its need is the 95th percentile of the row means ([`crate::profile::LifeProfile::cpu_need`]).
    Cpu,
    /// Network, both directions; its need is the 95th percentile of the row means.
    Network,
}

impl Resource {
    /// All, in the order of arrays over resources.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Cpu, Self::Network];

    /// Returns its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Network => "network",
        }
    }

    /// Returns the level below which differences do not matter.
    pub const fn floor(self, floors: Floors) -> f64 {
        match self {
            Self::Memory => floors.memory,
            Self::Cpu => floors.cpu,
            Self::Network => floors.rate,
        }
    }

    /// Returns whether an allocation below what was already used is out of the question: it would be an OOM kill.
    pub(super) const fn is_hard(self) -> bool {
        matches!(self, Self::Memory)
    }

    /// Returns what was asked for of it.
    pub(super) const fn request(self, request: Amounts) -> Option<f64> {
        match self {
            Self::Memory => request.memory,
            Self::Cpu => request.cpu,
            Self::Network => None,
        }
    }

    /// Returns the largest use inside a window. Where nothing was observed, at submission, it is 0 for everybody, so that it
    /// tells nobody apart and answers rest on what else is known.
    pub fn level(self, window: &WindowProfile) -> Option<f64> {
        if window.is_empty() {
            return Some(0.0);
        }
        let profile = match self {
            Self::Memory => window.memory,
            Self::Cpu => window.cpu,
            Self::Network => window.network,
        };
        profile.map(|profile| profile.max).filter(|level| level.is_finite())
    }
}

/// What a need is taken relative to, and an answer scaled by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Anchor {
    /// The largest use inside the first window: similar workloads grow alike beyond what they show.
    Level,
    /// The owner's request: similar workloads' owners are wrong alike.
    Request,
    /// Nothing: similar workloads need the same, whatever they show first.
    Absolute,
}

impl Anchor {
    /// All, in the order of arrays over anchors.
    pub(super) const ALL: [Self; 3] = [Self::Level, Self::Request, Self::Absolute];

    /// Returns its name in files.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Request => "request",
            Self::Absolute => "absolute",
        }
    }

    /// Returns what this anchor is for a workload with that level and request; nothing without a request.
    pub(super) fn reference(self, level: f64, request: Option<f64>, floor: f64) -> Option<f64> {
        match self {
            Self::Level => Some(level.max(floor)),
            Self::Request => request.filter(|request| request.is_finite() && *request > 0.0).map(|it| it.max(floor)),
            Self::Absolute => Some(floor),
        }
    }
}

/// Level, request and need of one resource, in the store's units; level and need are at least the resource's floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Need {
    /// Largest use inside the first window.
    pub level: f64,
    /// What its owner asked for.
    pub request: Option<f64>,
    /// What its life turned out to need.
    pub need: f64,
    /// Whether the need is only a lower bound (censored).
    pub at_least: bool,
}

impl Need {
    /// Returns those of a profiled run; nothing where the window or the life does not show the resource.
    pub fn of(resource: Resource, known: &Known, floors: Floors) -> Option<Self> {
        let (window, life) = (&known.window, &known.life);
        let censoring = life.censoring;
        let (need, is_limited) = match resource {
            Resource::Memory => (life.memory_peak, censoring.memory_at_limit),
            Resource::Cpu => (life.cpu_need, censoring.cpu_throttled),
            Resource::Network => (life.network_p95, false),
        };
        let floor = resource.floor(floors);
        let need = need.filter(|need| need.is_finite())?.max(floor);
        let level = resource.level(window)?.max(floor);
        let request = resource.request(known.workload.request);
        Some(Self { level, request, need, at_least: is_limited || censoring.killed || censoring.right })
    }

    /// Returns ln(need / level), the relative need.
    pub fn log_ratio(&self) -> f64 {
        (self.need / self.level).ln()
    }

    /// Returns the need relative to an anchor, as a logarithm.
    pub(super) fn relative(&self, anchor: Anchor, floor: f64) -> Option<f64> {
        anchor.reference(self.level, self.request, floor).map(|reference| (self.need / reference).ln())
    }
}

/// One stored workload as an index remembers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// Its identifier.
    pub id: String,
    /// Its run.
    pub run: u32,
    /// The format it came from.
    pub format: String,
    /// Its application.
    pub application: Option<String>,
    /// Its owner.
    pub user: Option<String>,
    /// Its scheduling class.
    pub class: Option<String>,
    /// When it began.
    pub start: Option<Micros>,
    /// Whether model, forests and calibration were fitted on it too, and it was not added to their index later.
    pub fitted: bool,
    /// Its features; what it does not have is missing.
    pub features: Vec<Option<f64>>,
    /// Level and need by resource, in the order of [`Resource::ALL`].
    pub needs: [Option<Need>; 3],
}

impl Remembered {
    /// Returns what is remembered of a workload whose features are given.
    pub(super) fn of(known: &Known, features: Vec<Option<f64>>, floors: Floors) -> Self {
        let workload = &known.workload;
        Self {
            id: workload.id.clone(),
            run: workload.run,
            format: workload.format.clone(),
            application: workload.application.clone(),
            user: workload.user.clone(),
            class: workload.class.clone(),
            start: workload.start,
            fitted: true,
            features,
            needs: Resource::ALL.map(|resource| Need::of(resource, known, floors)),
        }
    }

    /// Returns its name in outputs: the identifier, with `#run` for restarts.
    pub fn name(&self) -> String {
        if self.run == 0 { self.id.clone() } else { format!("{}#{}", self.id, self.run) }
    }
}
