//! Who runs: applications with their owners and requests, and the instances of each, in the order of their starts.
//!
//! A workload is a function of the seed and its number alone. Numbers ascend with starts, so a trace can be written in
//! time order while only what is alive is held. Eight neighbours are a block: those of one application in it are one
//! job and start together.

use super::behaviour::{Archetype, Behaviour, Surge};
use super::chance::{Chance, Purpose, whole};
use super::{SynthFormat, SynthParams};

/// Workloads of a block.
pub(super) const BLOCK: u64 = 8;
/// Share of the workloads that run when the trace begins.
const SHARE_AT_BEGINNING: f64 = 0.07;
/// Part of the trace's length in which workloads start; later starts would show next to nothing.
const LAST_START: f64 = 0.96;

/// Seconds after the beginning of the trace of the first start inside it.
const FIRST_START: i64 = 30;

const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1024.0 * MIB;

/// Request or limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Allocation {
    /// Cores.
    pub(super) cores: f64,
    /// Bytes.
    pub(super) memory: f64,
}

/// A new version of a program, from which on its instances need another amount; the owner does not change the request.
#[derive(Debug, Clone, Copy)]
struct Release {
    /// When, as a share of the trace's length.
    at: f64,
    /// What memory is multiplied by.
    memory: f64,
    /// What its growth is multiplied by.
    growth: f64,
}

/// A program of which many instances run.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) number: u64,
    pub(super) user: u64,
    pub(super) archetype: Archetype,
    /// The curve of a typical instance.
    behaviour: Behaviour,
    /// Median life in seconds.
    life: f64,
    /// Deviation of the size of instances, on the logarithm.
    deviation: f64,
    /// A new version, in some.
    release: Option<Release>,
    /// What the owner asks for.
    pub(super) request: Allocation,
    /// CPU limit, where the owner sets one.
    pub(super) cpu_limit: Option<f64>,
    /// Memory limit, where the owner sets one.
    pub(super) memory_limit: Option<f64>,
    /// Probability of being drawn, cumulated.
    cumulated: f64,
}

impl Application {
    /// Returns its name, unique among applications.
    pub(super) fn name(&self) -> String {
        const SUBJECTS: [&str; 24] = [
            "checkout",
            "search",
            "billing",
            "catalogue",
            "ledger",
            "session",
            "mail",
            "pricing",
            "stock",
            "routing",
            "review",
            "payment",
            "profile",
            "report",
            "export",
            "ranking",
            "upload",
            "audit",
            "forecast",
            "campaign",
            "shipping",
            "returns",
            "support",
            "metrics",
        ];
        let kind = match self.archetype {
            Archetype::SteadyService => "api",
            Archetype::WarmUpPlateau => "engine",
            Archetype::LateGrowthBatch => "batch",
            Archetype::PeriodicBurst => "digest",
            Archetype::Leak => "gateway",
            Archetype::IdleSidecar => "proxy",
            Archetype::FillingCache => "cache",
            Archetype::CpuBoundJob => "encode",
        };
        let count = SUBJECTS.len() as u64;
        let subject = usize::try_from(self.number % count).map_or("app", |index| SUBJECTS[index]);
        match self.number / count {
            0 => format!("{subject}-{kind}"),
            more => format!("{subject}-{kind}-{}", more + 1),
        }
    }
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Finish,
    Fail,
    Kill,
    Evict,
    /// The trace lost sight of it.
    Lost,
}

/// From one start to the next end, in seconds of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) ending: Ending,
}

/// One workload.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Its number, from 0.
    pub(super) number: u64,
    /// Position of its application in the fleet.
    pub(super) application: usize,
    /// Number of the first workload of its job.
    pub(super) leader: u64,
    /// Position among the workloads of its job.
    pub(super) index: u64,
    /// Whether it ends last among the workloads of its job.
    pub(super) is_last_of_job: bool,
    /// Its curve.
    pub(super) behaviour: Behaviour,
    /// One run, or two where it was restarted.
    pub(super) runs: Vec<Run>,
}

impl Plan {
    /// Returns when its first run starts.
    pub(super) fn start(&self) -> i64 {
        self.runs.first().map_or(0, |run| run.start)
    }

    /// Returns when its last run ends.
    pub(super) fn end(&self) -> i64 {
        self.runs.last().map_or(0, |run| run.end)
    }

    /// Returns the noise of one run.
    pub(super) fn series_chance(&self, seed: u64, run: usize) -> Chance {
        Chance::new(seed, Purpose::Series, self.number * 4 + run as u64)
    }
}

/// Everything that runs in a trace.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) seed: u64,
    /// Length of the trace in seconds.
    pub(super) span: i64,
    /// Number of workloads.
    pub(super) workloads: u64,
    /// Workloads that run when the trace begins; they have the lowest numbers.
    pub(super) at_beginning: u64,
    pub(super) applications: Vec<Application>,
    format: SynthFormat,
}

impl Fleet {
    /// Makes the applications.
    pub(super) fn new(format: SynthFormat, params: SynthParams) -> Self {
        // 19 applications for 160 workloads, 95 for 4,000, 1,500 for a million.
        let count = (3 * params.workloads.isqrt() / 2).clamp(12, params.workloads.max(12));
        let users = (2 * count / 5).max(5);
        let span = i64::from(params.days) * 86_400;
        let mut applications = Vec::new();
        let mut cumulated = 0.0;
        for number in 0..count {
            // Some programs run often, most rarely.
            cumulated += 1.0 / (number as f64 + 6.0);
            let mut application = application(format, params, number, users);
            application.cumulated = cumulated;
            applications.push(application);
        }
        for application in &mut applications {
            application.cumulated /= cumulated;
        }
        let at_beginning = u64::try_from(whole(params.workloads as f64 * SHARE_AT_BEGINNING)).unwrap_or_default();
        Self { seed: params.seed, span, workloads: params.workloads, at_beginning, applications, format }
    }

    /// Returns the number of blocks.
    pub(super) const fn blocks(&self) -> u64 {
        self.workloads.div_ceil(BLOCK)
    }

    /// Returns the workloads of a block, in the order of their numbers.
    pub(super) fn block(&self, block: u64) -> Vec<Plan> {
        let first = block * BLOCK;
        let mut plans: Vec<Plan> = Vec::new();
        for number in first..(first + BLOCK).min(self.workloads) {
            let mut chance = Chance::new(self.seed, Purpose::Workload, number);
            let drawn = chance.uniform();
            let application =
                self.applications.partition_point(|app| app.cumulated <= drawn).min(self.applications.len() - 1);
            let runs_already = number < self.at_beginning;
            let is_peer =
                |plan: &&Plan| plan.application == application && (plan.number < self.at_beginning) == runs_already;
            let (leader, index, joint_start) = match plans.iter().filter(is_peer).collect::<Vec<_>>().as_slice() {
                [] => (number, 0, None),
                [first, ..] if runs_already => (first.number, plans.iter().filter(is_peer).count() as u64, None),
                [first, ..] => (first.number, plans.iter().filter(is_peer).count() as u64, Some(first.start())),
            };
            let mut plan = self.plan(number, application, joint_start, &mut chance);
            (plan.leader, plan.index) = (leader, index);
            plans.push(plan);
        }
        let ends: Vec<(u64, i64, u64)> = plans.iter().map(|plan| (plan.leader, plan.end(), plan.number)).collect();
        for plan in &mut plans {
            let last = ends.iter().filter(|end| end.0 == plan.leader).max();
            plan.is_last_of_job = last.is_some_and(|last| last.2 == plan.number);
        }
        plans
    }

    /// Returns one workload.
    pub(super) fn workload(&self, number: u64) -> Option<Plan> {
        self.block(number / BLOCK).into_iter().find(|plan| plan.number == number)
    }

    /// Returns the application of a workload.
    pub(super) fn application(&self, plan: &Plan) -> &Application {
        &self.applications[plan.application]
    }

    fn plan(&self, number: u64, application: usize, joint_start: Option<i64>, chance: &mut Chance) -> Plan {
        let app = &self.applications[application];
        let mut life = chance.log_normal(app.life, 0.5);
        // Some are there to stay; what leaks would not get that far.
        let is_lasting = chance.is(0.05) && !app.archetype.is_batch() && app.archetype != Archetype::Leak;
        if is_lasting {
            life = life.max(self.span as f64);
        }
        let start;
        if number < self.at_beginning {
            // Whatever was there before has lived for a while, and goes on for a while.
            life = life.max(1800.0);
            start = -whole(life * chance.between(0.1, 0.9));
        } else {
            let own = self.start(number, chance.uniform());
            start = joint_start.map_or(own, |joint| joint + i64::try_from(chance.below(20)).unwrap_or_default());
        }
        let life = whole(life.max(self.least_life()));
        let mut behaviour = app.behaviour;
        let size = chance.log_normal(1.0, app.deviation);
        behaviour.memory *= size;
        // CPU follows the size of the input, and has variations of its own.
        behaviour.cores *= if app.archetype == Archetype::CpuBoundJob { 1.0 } else { chance.log_normal(1.0, 0.18) };
        behaviour.growth *= chance.log_normal(1.0, 0.3);
        if let Some(release) = app.release.filter(|release| start as f64 >= release.at * self.span as f64) {
            behaviour.memory *= release.memory;
            behaviour.growth *= release.growth;
        }
        behaviour.settling *= chance.log_normal(1.0, 0.25);
        behaviour.phase = chance.uniform();
        behaviour.network *= chance.log_normal(1.0, 0.3);
        let surge = Surge { at: chance.between(0.3, 0.9), factor: chance.between(1.3, 2.2) };
        behaviour.surge = chance.is(0.05).then_some(surge);
        let ending = ending(app.archetype, chance);
        let runs = self.runs(start, life, ending, chance);
        Plan { number, application, leader: number, index: 0, is_last_of_job: true, behaviour, runs }
    }

    /// Returns the start of a workload that begins inside the trace, `place` (0 to 1) of the way through its own stretch.
    fn start(&self, number: u64, place: f64) -> i64 {
        let started = (self.workloads - self.at_beginning).max(1) as f64;
        let share = (number.saturating_sub(self.at_beginning) as f64 + place) / started;
        FIRST_START + whole(share * (self.span as f64 * LAST_START - FIRST_START as f64))
    }

    /// Returns a time before which workload `number` and those after it do not start.
    pub(super) fn least_start(&self, number: u64) -> i64 {
        self.start(number, 0.0)
    }

    /// Splits a life in two where the workload is restarted, which only the Google traces show.
    fn runs(&self, start: i64, life: i64, ending: Ending, chance: &mut Chance) -> Vec<Run> {
        let end = start + life;
        let (is_restarted, share) = (chance.is(0.06), chance.between(0.2, 0.7));
        let (is_evicted, pause) = (chance.is(0.6), chance.below(200));
        let first_end = start + whole(life as f64 * share);
        let has_restarts = matches!(self.format, SynthFormat::Google2011 | SynthFormat::Google2019);
        if !has_restarts || !is_restarted || start < 0 || life < 1200 {
            return vec![Run { start, end, ending }];
        }
        let first = Run { start, end: first_end, ending: if is_evicted { Ending::Evict } else { Ending::Fail } };
        let second_start = first_end + 10 + i64::try_from(pause).unwrap_or_default();
        vec![first, Run { start: second_start, end: second_start + life, ending }]
    }

    fn least_life(&self) -> f64 {
        match self.format {
            SynthFormat::Table => 125.0,
            _ => 200.0,
        }
    }
}

fn ending(archetype: Archetype, chance: &mut Chance) -> Ending {
    let drawn = chance.uniform();
    match archetype {
        _ if drawn < 0.02 => Ending::Lost,
        _ if drawn < 0.07 => Ending::Fail,
        _ if archetype.is_batch() && drawn < 0.95 => Ending::Finish,
        _ => Ending::Kill,
    }
}

/// Median CPU in cores, memory in bytes, network in bytes per second, life in seconds and deviation of instances.
const fn medians(archetype: Archetype) -> (f64, f64, f64, f64, f64) {
    match archetype {
        Archetype::SteadyService => (0.5, 600.0 * MIB, 400e3, 32_000.0, 0.15),
        Archetype::WarmUpPlateau => (0.8, 1800.0 * MIB, 300e3, 20_000.0, 0.18),
        Archetype::LateGrowthBatch => (2.5, 1200.0 * MIB, 2e6, 3000.0, 0.45),
        Archetype::PeriodicBurst => (0.6, 350.0 * MIB, 500e3, 15_000.0, 0.20),
        Archetype::Leak => (0.3, 400.0 * MIB, 150e3, 18_000.0, 0.18),
        Archetype::IdleSidecar => (0.015, 40.0 * MIB, 5e3, 32_000.0, 0.08),
        Archetype::FillingCache => (0.5, 4.0 * GIB, 3e6, 25_000.0, 0.20),
        Archetype::CpuBoundJob => (1.0, 500.0 * MIB, 0.0, 420.0, 0.35),
    }
}

fn application(format: SynthFormat, params: SynthParams, number: u64, users: u64) -> Application {
    let mut chance = Chance::new(params.seed, Purpose::Application, number);
    let count = Archetype::ALL.len() as u64;
    // Every archetype is there once, then they are drawn.
    let drawn = if number < count { number } else { chance.below(count) };
    let archetype = usize::try_from(drawn).map_or(Archetype::SteadyService, |index| Archetype::ALL[index]);
    let (cores, memory, network, life, deviation) = medians(archetype);
    let cores = match archetype {
        Archetype::CpuBoundJob => [1.0, 2.0, 4.0][usize::try_from(chance.below(3)).unwrap_or_default()],
        Archetype::IdleSidecar => chance.log_normal(cores, 0.3),
        _ => chance.log_normal(cores, 0.6),
    };
    let spread = if archetype == Archetype::IdleSidecar { 0.35 } else { 0.65 };
    let mut behaviour = Behaviour {
        archetype,
        cores,
        memory: chance.log_normal(memory, spread),
        network: chance.log_normal(network, 0.5),
        growth: match archetype {
            Archetype::SteadyService => chance.between(0.05, 0.35),
            Archetype::WarmUpPlateau => chance.between(0.5, 0.8),
            Archetype::LateGrowthBatch => chance.between(0.4, 1.4),
            Archetype::PeriodicBurst => chance.between(0.2, 0.9),
            // Per hour, once the life is known.
            Archetype::Leak => chance.between(0.3, 1.5),
            Archetype::IdleSidecar => 0.0,
            Archetype::FillingCache => chance.between(0.6, 0.9),
            Archetype::CpuBoundJob => chance.between(0.02, 0.2),
        },
        settling: match archetype {
            Archetype::SteadyService => chance.between(1200.0, 6000.0),
            Archetype::WarmUpPlateau => chance.between(150.0, 900.0),
            Archetype::FillingCache => chance.between(500.0, 4500.0),
            _ => chance.between(10.0, 40.0),
        },
        period: match archetype {
            Archetype::WarmUpPlateau => chance.between(60.0, 200.0),
            _ => chance.between(240.0, 1800.0),
        },
        phase: 0.0,
        day_phase: chance.between(0.0, 0.25),
        surge: None,
        cpu_limit: f64::INFINITY,
        memory_limit: f64::INFINITY,
    };
    // Lives fit the length of the trace: in a week's trace services live for a day, in a day's for hours.
    let stretch = (f64::from(params.days) / 4.0).clamp(0.25, 1.5) * format.life_scale();
    let stretch = match archetype {
        Archetype::CpuBoundJob => 1.0,
        Archetype::LateGrowthBatch => stretch.max(0.4),
        _ => stretch,
    };
    let life = chance.log_normal(life * stretch, 0.4);
    if archetype == Archetype::Leak {
        behaviour.growth *= 3600.0 / life;
    }
    let release = Release {
        at: chance.between(0.2, 0.9),
        memory: chance.log_normal(1.0, 0.15),
        growth: chance.log_normal(1.0, 0.35),
    };
    let has_release = chance.is(0.4);
    let mut application = Application {
        number,
        user: chance.below(users),
        archetype,
        behaviour,
        life,
        deviation,
        release: has_release.then_some(release),
        request: Allocation { cores: 0.0, memory: 0.0 },
        cpu_limit: None,
        memory_limit: None,
        cumulated: 0.0,
    };
    allocate(format, &mut application, &mut chance);
    application
}

/// Sets requests and limits. Owners ask for two to five times of what a typical instance needs; about one in nine asks
/// for too little.
fn allocate(format: SynthFormat, application: &mut Application, chance: &mut Chance) {
    let mut need = Allocation { cores: 0.0, memory: 0.0 };
    for step in 1..=60 {
        let elapsed = application.life * f64::from(step) / 60.0;
        // The daily cycle at its height.
        let clock = (0.25 - application.behaviour.day_phase) * 86_400.0;
        let level = application.behaviour.level(elapsed, application.life, clock);
        need.cores = need.cores.max(level.cores);
        need.memory = need.memory.max(level.memory);
    }
    let is_short = application.number % 9 == 4;
    let mut factor = || {
        let generous = chance.log_normal(3.0, 0.35).clamp(1.7, 6.0);
        let short = chance.between(0.6, 0.95);
        if is_short { short } else { generous }
    };
    application.request = format.rounded_request(need.cores * factor(), need.memory * factor());
    let (has_cpu_limit, has_memory_limit) = (chance.is(0.5), chance.is(0.7));
    application.cpu_limit = (has_cpu_limit && !is_short).then_some(2.0 * application.request.cores);
    application.memory_limit = match format {
        SynthFormat::Alibaba2018 => Some(application.request.memory),
        _ => (has_memory_limit && !is_short).then_some(2.0 * application.request.memory),
    };
    application.behaviour.cpu_limit = application.cpu_limit.unwrap_or(f64::INFINITY);
    application.behaviour.memory_limit = application.memory_limit.unwrap_or(f64::INFINITY);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(workloads: u64) -> Fleet {
        Fleet::new(SynthFormat::Google2011, SynthParams { workloads, days: 4, seed: 5 })
    }

    #[test]
    fn a_workload_does_not_depend_on_the_others() {
        let fleet = fleet(400);
        for number in [0, 7, 8, 133, 399] {
            let alone = fleet.workload(number).expect("it exists");
            let in_block = &fleet.block(number / BLOCK)[usize::try_from(number % BLOCK).expect("small")];
            assert_eq!(format!("{alone:?}"), format!("{in_block:?}"));
        }
        assert!(fleet.workload(400).is_none());
    }

    #[test]
    fn blocks_ascend_in_time_and_jobs_start_together() {
        let fleet = fleet(2000);
        let mut latest = i64::MIN;
        let mut shared = 0;
        for block in 0..fleet.blocks() {
            let plans = fleet.block(block);
            let started: Vec<&Plan> = plans.iter().filter(|plan| plan.number >= fleet.at_beginning).collect();
            for plan in &started {
                assert!(plan.start() + 30 >= latest, "block {block} starts before the one before it");
                let leader = plans.iter().find(|other| other.number == plan.leader).expect("in the block");
                assert!((plan.start() - leader.start()).abs() < 20);
                shared += u64::from(plan.index > 0);
            }
            latest = started.iter().map(|plan| plan.start()).max().unwrap_or(latest).max(latest);
            for plan in &plans {
                let last = plans.iter().filter(|other| other.leader == plan.leader && other.is_last_of_job).count();
                assert_eq!(last, 1, "one workload is the last of its job");
            }
        }
        assert!(shared > 100, "{shared} workloads share a job");
    }

    #[test]
    fn owners_mostly_ask_for_two_to_five_times_the_need() {
        let fleet = fleet(40_000);
        let factor = |application: &Application| {
            let peak = (1..=60)
                .map(|step| application.life * f64::from(step) / 60.0)
                .map(|elapsed| {
                    let clock = (0.25 - application.behaviour.day_phase) * 86_400.0;
                    application.behaviour.level(elapsed, application.life, clock).memory
                })
                .fold(0.0, f64::max);
            application.request.memory / peak
        };
        let factors: Vec<f64> = fleet.applications.iter().map(factor).collect();
        let share = |within: std::ops::Range<f64>| {
            factors.iter().filter(|factor| within.contains(*factor)).count() as f64 / factors.len() as f64
        };
        assert!(share(2.0..5.0) > 0.6, "{}", share(2.0..5.0));
        assert!((0.05..0.2).contains(&share(0.0..1.0)), "{}", share(0.0..1.0));
        assert!(share(0.0..0.55) < 1e-9);
    }

    #[test]
    fn users_own_several_applications_and_names_are_unique() {
        let fleet = fleet(10_000);
        let names: std::collections::BTreeSet<String> = fleet.applications.iter().map(Application::name).collect();
        assert_eq!(names.len(), fleet.applications.len());
        let owned = |user| fleet.applications.iter().filter(|application| application.user == user).count();
        assert!((0..60).filter(|&user| owned(user) > 1).count() > 30);
    }
}
