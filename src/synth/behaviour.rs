//! The planted archetypes: what a workload uses, as a curve over its life, and the noise on top.
//!
//! The level in the first minutes and the shape of the curve say much about the peak, not everything: how far memory
//! grows also depends on a factor of the instance that shows only later, and a few runs have a surge that nothing
//! announces.

use super::chance::{Chance, exp, sine_of_turns};

/// A planted behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Archetype {
    /// Serves requests with a daily cycle; memory follows the load after a short start.
    SteadyService,
    /// Busy while it warms up, then quiet; memory rises to a plateau, with the sawtooth of a collector.
    WarmUpPlateau,
    /// Computes at a constant rate; memory grows steeply in the last third of its life.
    LateGrowthBatch,
    /// Idle, with bursts of CPU and memory at a fixed period.
    PeriodicBurst,
    /// Never gives memory back: its peak depends on how long it lives.
    Leak,
    /// Next to nothing, always the same.
    IdleSidecar,
    /// A cache that fills up and saturates.
    FillingCache,
    /// Uses its cores fully and ends within minutes.
    CpuBoundJob,
}

impl Archetype {
    /// Every archetype.
    pub const ALL: [Self; 8] = [
        Self::SteadyService,
        Self::WarmUpPlateau,
        Self::LateGrowthBatch,
        Self::PeriodicBurst,
        Self::Leak,
        Self::IdleSidecar,
        Self::FillingCache,
        Self::CpuBoundJob,
    ];

    /// Returns its name in the truth file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SteadyService => "steady-service",
            Self::WarmUpPlateau => "warm-up-plateau",
            Self::LateGrowthBatch => "late-growth-batch",
            Self::PeriodicBurst => "periodic-burst",
            Self::Leak => "leak",
            Self::IdleSidecar => "idle-sidecar",
            Self::FillingCache => "filling-cache",
            Self::CpuBoundJob => "cpu-bound-job",
        }
    }

    /// Returns whether it works towards an end, rather than until it is stopped.
    pub const fn is_batch(self) -> bool {
        matches!(self, Self::LateGrowthBatch | Self::CpuBoundJob)
    }

    /// Returns the deviation of the noise of CPU and of memory, on the logarithm.
    const fn noise(self) -> (f64, f64) {
        match self {
            Self::SteadyService => (0.20, 0.012),
            Self::WarmUpPlateau => (0.25, 0.015),
            Self::LateGrowthBatch => (0.12, 0.020),
            Self::PeriodicBurst => (0.25, 0.020),
            Self::Leak => (0.25, 0.010),
            Self::IdleSidecar => (0.30, 0.006),
            Self::FillingCache => (0.20, 0.008),
            Self::CpuBoundJob => (0.05, 0.015),
        }
    }
}

/// A rise of memory that nothing announces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surge {
    /// Where in the life it begins, 0 to 1.
    pub(super) at: f64,
    /// What memory is multiplied by.
    pub(super) factor: f64,
}

/// The parameters of one run's curve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behaviour {
    pub(super) archetype: Archetype,
    /// Scale of CPU in cores.
    pub(super) cores: f64,
    /// Scale of memory in bytes.
    pub(super) memory: f64,
    /// Scale of network in bytes per second; 0 where there is none.
    pub(super) network: f64,
    /// How far memory grows beyond its early level; what it means differs by archetype.
    pub(super) growth: f64,
    /// Time constant in seconds.
    pub(super) settling: f64,
    /// Period in seconds.
    pub(super) period: f64,
    /// Offset of the period, 0 to 1.
    pub(super) phase: f64,
    /// Offset of the daily cycle, 0 to 1.
    pub(super) day_phase: f64,
    /// Surge, in few runs.
    pub(super) surge: Option<Surge>,
    /// CPU limit in cores, infinite where there is none.
    pub(super) cpu_limit: f64,
    /// Memory limit in bytes, infinite where there is none.
    pub(super) memory_limit: f64,
}

/// What is used at one moment, or on average over an interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Use {
    /// Cores.
    pub(super) cores: f64,
    /// Bytes.
    pub(super) memory: f64,
    /// Bytes per second received.
    pub(super) received: f64,
    /// Bytes per second transmitted.
    pub(super) transmitted: f64,
}

const DAY_SECONDS: f64 = 86_400.0;
/// Share of a life that a surge lasts.
const SURGE_LENGTH: f64 = 0.06;
/// Share of its period that a burst lasts.
const BURST_LENGTH: f64 = 0.22;

impl Behaviour {
    /// Returns the use without noise, `elapsed` seconds after the start of a run of `life` seconds; `clock` is the time
    /// of the trace in seconds, for the daily cycle.
    pub(super) fn level(&self, elapsed: f64, life: f64, clock: f64) -> Use {
        let elapsed = elapsed.max(0.0);
        let risen = |seconds: f64| 1.0 - exp(-elapsed / seconds);
        let day = 0.5 + 0.5 * sine_of_turns(clock / DAY_SECONDS + self.day_phase);
        let share = (elapsed / life.max(1.0)).min(1.0);
        let (cpu, memory, network) = match self.archetype {
            Archetype::SteadyService => {
                let load = 0.4 + 0.6 * day;
                let memory = 0.5 + 0.35 * risen(40.0) + 0.15 * load + self.growth * risen(self.settling);
                (load * (0.3 + 0.7 * risen(20.0)), memory, load)
            }
            Archetype::WarmUpPlateau => {
                let warm = exp(-elapsed / (0.2 * self.settling));
                let sawtooth = (elapsed / self.period + self.phase).fract();
                let memory = 0.3 + self.growth * risen(self.settling) + 0.06 * sawtooth;
                (0.3 + 0.3 * day + 1.5 * warm, memory, (0.3 + 0.7 * day) * (1.0 - warm))
            }
            Archetype::LateGrowthBatch => {
                let memory = 0.22 + 0.1 * risen(30.0) + self.growth * share * share * share;
                (0.95 * risen(4.0), memory, if share < 0.3 { 1.0 } else { 0.1 })
            }
            Archetype::PeriodicBurst => {
                let position = (elapsed / self.period + self.phase).fract();
                let burst = if position < BURST_LENGTH { sine_of_turns(0.5 * position / BURST_LENGTH) } else { 0.0 };
                (0.06 + burst, 0.5 + 0.1 * risen(20.0) + self.growth * burst, 0.05 + burst)
            }
            Archetype::Leak => {
                let memory = 0.4 + 0.2 * risen(30.0) + self.growth * elapsed / 3600.0;
                (0.35 + 0.3 * day, memory, 0.3 + 0.7 * day)
            }
            Archetype::IdleSidecar => (1.0, 0.9 + 0.1 * risen(15.0), 1.0),
            Archetype::FillingCache => {
                let filling = exp(-elapsed / self.settling);
                let memory = 0.1 + self.growth * (1.0 - filling);
                (0.3 + 0.3 * day + 0.4 * filling, memory, 0.2 + 0.5 * day + 0.6 * filling)
            }
            Archetype::CpuBoundJob => {
                let memory = 0.25 + 0.6 * risen(self.settling) + self.growth * share;
                (0.97 * risen(2.0), memory, 0.0)
            }
        };
        let surge = self.surge.filter(|surge| (surge.at..surge.at + SURGE_LENGTH).contains(&share));
        Use {
            cores: self.cores * cpu,
            memory: self.memory * memory * surge.map_or(1.0, |surge| surge.factor),
            received: self.network * network,
            transmitted: self.network * network * 0.6,
        }
    }
}

/// One run, walked along in time: the curve, with noise that has a memory of its own (a first-order autoregression on
/// the logarithm, whose correlation fades with the length of the step).
#[derive(Debug, Clone)]
pub(super) struct Walk {
    behaviour: Behaviour,
    start: f64,
    life: f64,
    chance: Chance,
    cpu_noise: f64,
    memory_noise: f64,
    last: f64,
}

/// Seconds over which noise is remembered.
const CPU_MEMORY_SECONDS: f64 = 20.0;
const MEMORY_MEMORY_SECONDS: f64 = 200.0;
/// Least use that a meter shows of a running process.
const LEAST_CORES: f64 = 0.000_5;

impl Walk {
    /// Returns a run at its start; `start` and `life` in seconds, on the clock of the trace.
    pub(super) fn new(behaviour: Behaviour, start: i64, life: i64, chance: Chance) -> Self {
        let (start, life) = (start as f64, life as f64);
        Self { behaviour, start, life, chance, cpu_noise: 0.0, memory_noise: 0.0, last: start }
    }

    /// Returns the use around `time`, which must not lie before that of the last call.
    pub(super) fn at(&mut self, time: f64) -> Use {
        let step = (time - self.last).max(0.0);
        self.last = time;
        let (cpu_deviation, memory_deviation) = self.behaviour.archetype.noise();
        self.cpu_noise = walked(self.cpu_noise, step, CPU_MEMORY_SECONDS, &mut self.chance);
        self.memory_noise = walked(self.memory_noise, step, MEMORY_MEMORY_SECONDS, &mut self.chance);
        let level = self.behaviour.level(time - self.start, self.life, time);
        let busy = exp(cpu_deviation * self.cpu_noise);
        let held = exp(memory_deviation * self.memory_noise);
        Use {
            cores: (level.cores * busy).max(LEAST_CORES).min(self.behaviour.cpu_limit),
            memory: (level.memory * held).min(self.behaviour.memory_limit),
            received: level.received * busy,
            transmitted: level.transmitted * busy,
        }
    }

    /// Returns the use over [from, to), as a machine sees it that samples every second.
    pub(super) fn window(&mut self, from: f64, to: f64) -> Window {
        let mut parts = [Use::default(); PARTS];
        let length = (to - from) / PARTS as f64;
        for (index, part) in parts.iter_mut().enumerate() {
            *part = self.at(from + (index as f64 + 0.5) * length);
        }
        let mean = |of: fn(&Use) -> f64| parts.iter().map(of).sum::<f64>() / PARTS as f64;
        let mut cores = parts.map(|part| part.cores);
        cores.sort_by(f64::total_cmp);
        // A second is busier than the minute around it.
        let spread = self.chance.between(1.05, 1.5);
        Window {
            cores: mean(|part| part.cores),
            cores_max: cores[PARTS - 1] * spread,
            cores_sampled: cores[usize::try_from(self.chance.below(PARTS as u64)).unwrap_or_default()],
            memory: mean(|part| part.memory),
            memory_max: parts.iter().map(|part| part.memory).fold(0.0, f64::max),
            quantiles: cores,
        }
    }
}

/// Moments looked at in a window.
pub(super) const PARTS: usize = 6;

/// The use over one window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Mean of CPU in cores.
    pub(super) cores: f64,
    /// Largest CPU of a second.
    pub(super) cores_max: f64,
    /// CPU of a random second.
    pub(super) cores_sampled: f64,
    /// Mean of memory in bytes.
    pub(super) memory: f64,
    /// Largest memory.
    pub(super) memory_max: f64,
    /// CPU at the moments looked at, ascending.
    pub(super) quantiles: [f64; PARTS],
}

fn walked(noise: f64, step: f64, memory_seconds: f64, chance: &mut Chance) -> f64 {
    let kept = 1.0 / (1.0 + step / memory_seconds);
    kept * noise + (1.0 - kept * kept).sqrt() * chance.normal()
}

#[cfg(test)]
mod tests {
    use super::super::chance::Purpose;
    use super::*;

    fn behaviour(archetype: Archetype) -> Behaviour {
        Behaviour {
            archetype,
            cores: 1.0,
            memory: 1e9,
            network: 1e6,
            growth: 0.7,
            settling: 600.0,
            period: 900.0,
            phase: 0.5,
            day_phase: 0.0,
            surge: None,
            cpu_limit: f64::INFINITY,
            memory_limit: f64::INFINITY,
        }
    }

    fn memory(archetype: Archetype, life: f64, times: &[f64]) -> Vec<f64> {
        times.iter().map(|&time| behaviour(archetype).level(time, life, 0.0).memory).collect()
    }

    #[test]
    fn a_leak_grows_to_its_end() {
        let held = memory(Archetype::Leak, 14_400.0, &[600.0, 3600.0, 7200.0, 14_400.0]);
        assert!(held.is_sorted(), "{held:?}");
        assert!(held[3] - held[2] > 1.9 * (held[2] - held[1]), "the growth does not slow down: {held:?}");
        assert!(held[3] > 3.0 * held[0], "{held:?}");
    }

    #[test]
    fn a_cache_saturates() {
        let held = memory(Archetype::FillingCache, 14_400.0, &[60.0, 600.0, 3600.0, 7200.0]);
        assert!(held.is_sorted() && held[1] > 2.0 * held[0], "{held:?}");
        assert!(held[3] - held[2] < 0.01 * held[3], "{held:?}");
    }

    #[test]
    fn a_warm_up_is_busy_first_and_grows_to_a_plateau() {
        let curve = behaviour(Archetype::WarmUpPlateau);
        assert!(curve.level(30.0, 7200.0, 0.0).cores > 2.0 * curve.level(3600.0, 7200.0, 0.0).cores);
        let held = memory(Archetype::WarmUpPlateau, 7200.0, &[30.0, 300.0, 3600.0, 7200.0]);
        assert!(held[1] > 1.3 * held[0] && held[3] < 1.1 * held[2], "{held:?}");
    }

    #[test]
    fn a_batch_grows_late() {
        let held = memory(Archetype::LateGrowthBatch, 3600.0, &[360.0, 1800.0, 3600.0]);
        assert!(held[2] - held[1] > 4.0 * (held[1] - held[0]), "{held:?}");
    }

    #[test]
    fn bursts_come_at_their_period() {
        let curve = behaviour(Archetype::PeriodicBurst);
        let cores = |time: f64| curve.level(time, 7200.0, 0.0).cores;
        // The phase of one half puts the first burst half a period after the start.
        let top = 450.0 + 0.5 * BURST_LENGTH * 900.0;
        for turn in 0..5 {
            let start = 900.0 * f64::from(turn);
            assert!(cores(start + top) > 0.9, "burst {turn}");
            assert!(cores(start + 200.0) < 0.1, "pause {turn}");
        }
    }

    #[test]
    fn a_sidecar_is_flat_and_a_job_uses_its_cores() {
        let held = memory(Archetype::IdleSidecar, 7200.0, &[60.0, 600.0, 7200.0]);
        assert!(held[2] < 1.03 * held[0], "{held:?}");
        let curve = behaviour(Archetype::CpuBoundJob);
        assert!((10..300).all(|time| curve.level(f64::from(time), 300.0, 0.0).cores > 0.95));
    }

    #[test]
    fn a_service_follows_the_day() {
        let curve = behaviour(Archetype::SteadyService);
        let (day, night) = (curve.level(86_400.0, 2e5, 21_600.0), curve.level(86_400.0, 2e5, 64_800.0));
        assert!(day.cores > 2.0 * night.cores && day.memory > night.memory);
    }

    #[test]
    fn windows_hold_together_and_limits_bind() {
        let curve = Behaviour { memory_limit: 6e8, cpu_limit: 0.5, ..behaviour(Archetype::Leak) };
        let mut walk = Walk::new(curve, 0, 7200, Chance::new(1, Purpose::Series, 1));
        for index in 0..24 {
            let from = 300.0 * f64::from(index);
            let window = walk.window(from, from + 300.0);
            assert!(window.memory <= window.memory_max && window.memory_max <= 6e8);
            assert!(window.quantiles.is_sorted() && window.quantiles[PARTS - 1] <= 0.5);
            assert!(window.cores <= window.quantiles[PARTS - 1] && window.cores < window.cores_max);
        }
    }
}
