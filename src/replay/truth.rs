//! What a query turned out to need, once, for all rivals and settings.

use crate::profile::Censoring;

use super::case::{Case, cluster_of_application};
use super::figures::Judged;
use super::params::{ReplayParams, Split};
use super::results::Resource;
use super::rivals::Owner;
use super::seen::shares;
use super::series::{Series, Step};
use crate::predict::OutputUnits;

const SECONDS_PER_HOUR: f64 = 3600.0;

/// One resource of one query, in the store's units.
#[derive(Debug, Clone)]
struct Need {
    /// P, if the trace has the resource.
    amount: Option<f64>,
    censored: bool,
    /// Use over the life, in unit-seconds.
    resource_seconds: f64,
    owner: Option<f64>,
    daily_p95: Vec<f64>,
    /// Share of P in use by each of [`MOMENTS`](super::seen::MOMENTS).
    seen: Option<Vec<f64>>,
}

/// What the owner of a workload stated of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitKind {
    Equal,
    Above,
    RequestAlone,
    LimitAlone,
    Neither,
}

impl LimitKind {
    fn of(request: Option<f64>, limit: Option<f64>) -> Self {
        match (request, limit) {
            // Rounding of a trace's fractions is no difference.
            (Some(request), Some(limit)) if limit > request * (1.0 + 1e-6) => Self::Above,
            (Some(_), Some(_)) => Self::Equal,
            (Some(_), None) => Self::RequestAlone,
            (None, Some(_)) => Self::LimitAlone,
            (None, None) => Self::Neither,
        }
    }

    /// Returns its place among the others.
    pub(super) const fn rank(self) -> u32 {
        self as u32
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Equal => "memory limit equals the request",
            Self::Above => "memory limit above the request",
            Self::RequestAlone => "memory request without a limit",
            Self::LimitAlone => "memory limit without a request",
            Self::Neither => "neither request nor limit of memory",
        }
    }
}

/// Returns the band of a priority where the trace's documentation has bands (Google: the documents of the 2011 and 2019
/// traces, "priority"), else the number.
fn priority_name(format: &str, priority: i32) -> String {
    let band = match (format, priority) {
        ("google-2011", ..=1) | ("google-2019", ..=99) => "free",
        ("google-2011", 2..=8) => "other",
        ("google-2011", 9..=11) | ("google-2019", 120..=200) => "production",
        ("google-2019", 100..=115) => "best-effort batch",
        ("google-2019", 116..=119) => "mid",
        ("google-2011" | "google-2019", _) => "monitoring",
        _ => return priority.to_string(),
    };
    band.to_owned()
}

/// Everything about one query that scoring needs.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    /// Position in the cases.
    pub(super) case: usize,
    /// What it counts to in intervals.
    pub(super) cluster: usize,
    /// Whether a restart goes on at the same place.
    pub(super) service: bool,
    /// Instances of its application in its store.
    pub(super) earlier: u64,
    /// Its life, in seconds.
    pub(super) life_seconds: f64,
    /// Its scheduling class, where the trace has one.
    pub(super) class: Option<String>,
    /// Its priority, as a band where the trace's documentation names them.
    pub(super) priority: Option<String>,
    /// What its owner stated of memory.
    pub(super) limit_kind: LimitKind,
    /// Why its needs are only lower bounds.
    pub(super) censoring: Censoring,
    /// When the memory peak was first reached, in seconds after the start; nothing if unknown.
    pub(super) peak_at_seconds: Option<f64>,
    /// Whether its request was written by an autoscaler.
    pub(super) autoscaled: bool,
    memory: Need,
    cpu: Need,
}

/// What an allocation came to from the end of the window on, as in [`Judged`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OverTime {
    hours: f64,
    used: f64,
    slack: f64,
    waste: f64,
    excess: f64,
    hours_above: f64,
    relative_slack: Option<f64>,
}

impl OverTime {
    /// Returns an outcome with its integrals.
    pub(super) fn of(&self, judged: Judged) -> Judged {
        Judged {
            hours: self.hours,
            used: self.used,
            slack: self.slack,
            waste: self.waste,
            excess: self.excess,
            hours_above: self.hours_above,
            relative_slack: self.relative_slack,
            ..judged
        }
    }
}

impl Truth {
    /// Returns the truth of a case whose demand is `series`.
    pub(super) fn new(case: usize, entry: &Case, series: &Series, cluster: usize, earlier: u64) -> Self {
        let (workload, life) = (&entry.known.workload, &entry.known.life);
        let (owner_cpu, owner_memory) = Owner::asked(&workload.request, &workload.limit);
        let (memory_seconds, cpu_seconds) = entry.resource_seconds();
        let flags = life.censoring;
        let memory = Need {
            amount: life.memory_peak,
            censored: flags.memory_at_limit || flags.killed || flags.right,
            resource_seconds: memory_seconds,
            owner: owner_memory,
            daily_p95: series.daily_p95(|step| step.memory),
            seen: shares(series, life.memory_peak, |step| step.memory_peak),
        };
        let cpu = Need {
            amount: life.cpu_need,
            censored: flags.cpu_throttled || flags.killed || flags.right,
            resource_seconds: cpu_seconds,
            owner: owner_cpu,
            daily_p95: series.daily_p95(|step| step.cpu),
            seen: shares(series, life.cpu_need, |step| step.cpu),
        };
        Self {
            case,
            cluster,
            service: entry.is_service(),
            earlier,
            life_seconds: life.seconds,
            class: workload.class.clone(),
            priority: workload.priority.map(|priority| priority_name(&workload.format, priority)),
            limit_kind: LimitKind::of(workload.request.memory, workload.limit.memory),
            censoring: flags,
            peak_at_seconds: life.memory_peak_at_seconds,
            autoscaled: workload.flags.contains(crate::trace::WorkloadFlags::AUTOSCALED),
            memory,
            cpu,
        }
    }

    fn of(&self, resource: Resource) -> &Need {
        match resource {
            Resource::Memory => &self.memory,
            Resource::Cpu => &self.cpu,
        }
    }

    /// Returns what the owner asked for, in the store's units.
    pub(super) fn owner(&self, resource: Resource) -> Option<f64> {
        self.of(resource).owner
    }

    /// Returns the need, in the store's units.
    pub(super) fn need(&self, resource: Resource) -> Option<f64> {
        self.of(resource).amount
    }

    /// Returns the share of the need that was in use by each of [`MOMENTS`](super::seen::MOMENTS); nothing without a need.
    pub(super) fn seen(&self, resource: Resource) -> Option<&[f64]> {
        self.of(resource).seen.as_deref()
    }

    /// Returns the use over the life, in the store's units times seconds.
    pub(super) fn resource_seconds(&self, resource: Resource) -> f64 {
        self.of(resource).resource_seconds
    }

    /// Returns whether the need is only a lower bound.
    pub(super) fn is_censored(&self, resource: Resource) -> bool {
        self.of(resource).censored
    }

    /// Returns whether the trace has the resource for this query.
    pub(super) fn has(&self, resource: Resource) -> bool {
        self.of(resource).amount.is_some()
    }

    /// Judges an allocation (in the store's units) without integrals over time; nothing if the resource is missing.
    pub(super) fn judge(&self, resource: Resource, allocation: f64, units: &OutputUnits) -> Option<Judged> {
        let need = self.of(resource);
        let factor = factor(resource, units);
        Some(Judged {
            allocation: allocation * factor,
            need: need.amount? * factor,
            censored: need.censored,
            resource_hours: need.resource_seconds * factor / SECONDS_PER_HOUR,
            life_hours: self.life_seconds.max(0.0) / SECONDS_PER_HOUR,
            owner: need.owner.map(|owner| owner * factor),
            weight: 1.0,
            ..Judged::default()
        })
    }

    /// Integrates `series`, the demand of the case, against an allocation from the end of the window on.
    pub(super) fn over_time(
        &self,
        series: &Series,
        resource: Resource,
        allocation: f64,
        params: &ReplayParams,
        units: &OutputUnits,
    ) -> OverTime {
        let use_of: fn(&Step) -> Option<f64> = match resource {
            Resource::Memory => |step| step.memory,
            Resource::Cpu => |step| step.cpu,
        };
        let sums = series.integrate(params.window.length.as_seconds(), allocation, use_of);
        let per_hour = factor(resource, units) / SECONDS_PER_HOUR;
        let days = &self.of(resource).daily_p95;
        let slack = |p95: &f64| (allocation - p95) / allocation;
        let relative_slack =
            (allocation > 0.0 && !days.is_empty()).then(|| days.iter().map(slack).sum::<f64>() / days.len() as f64);
        OverTime {
            hours: sums.seconds / SECONDS_PER_HOUR,
            used: sums.used * per_hour,
            slack: sums.slack * per_hour,
            waste: sums.waste * per_hour,
            excess: sums.excess * per_hour,
            hours_above: sums.seconds_above / SECONDS_PER_HOUR,
            relative_slack,
        }
    }
}

/// Returns the report's unit per store's unit.
pub(super) fn factor(resource: Resource, units: &OutputUnits) -> f64 {
    match resource {
        Resource::Memory => units.memory_factor,
        Resource::Cpu => units.cpu_factor,
    }
}

/// Returns the name of a query's cluster, and what clusters are: applications, or users in the unseen split of a trace
/// that has them.
pub(super) fn cluster_name(case: &Case, split: Split) -> String {
    let workload = &case.known.workload;
    match (split, &workload.user) {
        (Split::Unseen, Some(user)) => format!("\u{1d}{user}"),
        _ => cluster_of_application(workload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::samples::RowBuffer;
    use crate::replay::test_cases::case;
    use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};

    const UNITS: OutputUnits = OutputUnits { cpu: "cores", memory: "GiB", cpu_factor: 1.0, memory_factor: 1.0 };

    #[test]
    fn relative_slack_is_that_of_autopilot() {
        // A day at 7: a limit of 10 leaves 30 %.
        let mut entry = case("w", "a", 0, 1000, 7.0);
        entry.samples.held().iter_mut().for_each(|sample| sample.memory = Some(7.0));
        let contract = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };
        let params = ReplayParams::new(crate::replay::test_cases::WINDOW, Split::Recurring, contract);
        let series = entry.series(&mut RowBuffer::default()).unwrap();
        let truth = Truth::new(0, &entry, &series, 0, 0);
        let judged = truth.judge(Resource::Memory, 10.0, &UNITS).unwrap();
        let judged = truth.over_time(&series, Resource::Memory, 10.0, &params, &UNITS).of(judged);
        assert!((judged.relative_slack.unwrap() - 0.3).abs() < 1e-12);
        // From the end of the ten-second window on.
        assert!((judged.hours * SECONDS_PER_HOUR - 990.0).abs() < 1e-9);
        assert!((judged.waste * SECONDS_PER_HOUR - 2970.0).abs() < 1e-6);
    }

    #[test]
    fn censoring_follows_the_resource() {
        let mut entry = case("w", "a", 0, 100, 1.0);
        entry.known.life.censoring.cpu_throttled = true;
        let truth = Truth::new(0, &entry, &Series::default(), 0, 0);
        assert_eq!((truth.is_censored(Resource::Memory), truth.is_censored(Resource::Cpu)), (false, true));
    }
}
