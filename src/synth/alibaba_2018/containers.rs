//! `container_meta` and `container_usage`. The second is one shard behind the other, each sorted by the text of the
//! identifier and then by time, so that the rows of a container are scattered.

use std::io;
use std::io::Write as _;

use super::{BEGIN_SECONDS, GRID_SECONDS, end_line, lexicographic, machine_of, push_cell};
use crate::synth::SynthFormat;
use crate::synth::behaviour::{Use, Walk};
use crate::synth::chance::{Chance, Purpose, whole};
use crate::synth::decimal::Decimal;
use crate::synth::fleet::{Fleet, Plan};
use crate::synth::output::{Fate, Output, TableFile};
use crate::synth::truth::{Need, TrueRun, Truth};

/// Seconds after a start for which the grid is whole.
const WHOLE_SECONDS: i64 = 600;
/// Points of the grid per point that is written, afterwards.
const THINNING: u64 = 30;
/// Shards that stand one behind the other in the file.
const SHARDS: u64 = 2;
/// Network of 100 on the trace's scale, in bytes per second.
const LARGEST_NETWORK: f64 = 2e7;

const META_SUMS: &[&str] = &["cpu_request", "cpu_limit", "mem_size"];
const USAGE_SUMS: &[&str] = &["cpu_util_percent", "mem_util_percent", "net_in", "net_out"];

pub(super) fn write(fleet: &Fleet, machines: u64, truth: &mut Truth, output: &mut Output<'_>) -> io::Result<()> {
    let mut meta = output.open("container_meta.csv", "container_meta", META_SUMS)?;
    for container in containers(fleet) {
        let container = Container::of(fleet, machines, container);
        container.meta(fleet, &mut meta, output)?;
        container.truth(fleet, truth)?;
    }
    output.close(meta)?;
    let mut usage = output.open("container_usage.csv", "container_usage", USAGE_SUMS)?;
    let mut line = Vec::new();
    for shard in 0..SHARDS {
        for container in containers(fleet) {
            Container::of(fleet, machines, container).usage(fleet, shard, &mut line, &mut usage, output)?;
        }
    }
    output.close(usage)
}

/// Returns the workloads that are containers, in the order of their identifiers.
fn containers(fleet: &Fleet) -> impl Iterator<Item = Plan> {
    lexicographic(fleet.workloads)
        .filter_map(|id| fleet.workload(id - 1))
        .filter(|plan| !fleet.application(plan).archetype.is_batch())
}

struct Container {
    plan: Plan,
    name: String,
    machine: u64,
    request_cores: f64,
    request_memory: f64,
}

/// Returns a memory size on the scale of 0 to 100.
pub(super) fn memory_size(bytes: f64) -> Decimal {
    let (_, largest) = SynthFormat::Alibaba2018.largest_machine().unwrap_or((1.0, 1.0));
    Decimal::fixed(100.0 * bytes / largest, 2)
}

impl Container {
    fn of(fleet: &Fleet, machines: u64, plan: Plan) -> Self {
        let request = fleet.application(&plan).request;
        let machine = machine_of(fleet, machines, plan.number);
        let name = format!("c_{}", plan.number + 1);
        Self { plan, name, machine, request_cores: request.cores, request_memory: request.memory }
    }

    fn meta(&self, fleet: &Fleet, file: &mut TableFile, output: &mut Output<'_>) -> io::Result<()> {
        let application = fleet.application(&self.plan);
        let time = if self.plan.start() < 0 { 0 } else { BEGIN_SECONDS + self.plan.start() };
        let hundredths = |cores: f64| Decimal::integer(whole(100.0 * cores));
        let request = hundredths(self.request_cores);
        let limit = application.cpu_limit.map_or(request, hundredths);
        let size = memory_size(self.request_memory);
        let mut row = |time: i64, status: &str, limit: Decimal| {
            let mut line = Vec::new();
            write!(line, "{},m_{},{time},app_{},{status},", self.name, self.machine, application.number + 1)?;
            let cells = [request, limit, size].map(Some);
            for cell in cells {
                push_cell(&mut line, cell);
            }
            end_line(&mut line);
            file.row(&line, Fate::Kept, &cells)
        };
        row(time, "started", limit)?;
        let middle = self.plan.start().midpoint(self.plan.end());
        if self.plan.number % 17 == 2 && (1..fleet.span).contains(&middle) {
            output.planted("containers whose limit changes");
            row(BEGIN_SECONDS + middle, "started", hundredths(2.0 * self.request_cores))?;
        }
        if self.plan.end() <= fleet.span {
            row(BEGIN_SECONDS + self.plan.end(), "stopped", limit)?;
        }
        output.workload("facts");
        Ok(())
    }

    /// Calls `each` with the use at every point that is written, in time order: shard, seconds of the trace, use.
    fn points(&self, fleet: &Fleet, each: &mut dyn FnMut(u64, i64, Use) -> io::Result<()>) -> io::Result<()> {
        let Some(run) = self.plan.runs.first() else { return Ok(()) };
        let mut walk =
            Walk::new(self.plan.behaviour, run.start, run.end - run.start, self.plan.series_chance(fleet.seed, 0));
        let mut chance = Chance::new(fleet.seed, Purpose::Rows, self.plan.number);
        let mut time = (run.start.div_euclid(GRID_SECONDS) + 1) * GRID_SECONDS;
        while time < run.end {
            let is_whole = time - run.start <= WHOLE_SECONDS;
            let shard = if is_whole { 0 } else { chance.below(SHARDS) };
            each(shard, time, walk.at(time as f64))?;
            let steps = if is_whole { 1 } else { 1 + chance.below(2 * THINNING - 1) };
            time += GRID_SECONDS * i64::try_from(steps).unwrap_or(1);
        }
        Ok(())
    }

    /// Returns CPU and memory in percent of the request, as the trace has them.
    fn percent(&self, used: Use) -> (Decimal, Decimal) {
        let cpu = whole(100.0 * used.cores / self.request_cores);
        // 101 stands for an invalid value.
        let cpu = if cpu == 101 { 102 } else { cpu };
        let memory = whole(100.0 * used.memory / self.request_memory).min(100);
        (Decimal::integer(cpu), Decimal::integer(memory))
    }

    fn truth(&self, fleet: &Fleet, truth: &mut Truth) -> io::Result<()> {
        let application = fleet.application(&self.plan);
        let Some(run) = self.plan.runs.first() else { return Ok(()) };
        let mut need = Need::default();
        self.points(fleet, &mut |_shard, _time, used| {
            // What the trace shows of it: whole percents of the request.
            let (cpu, memory) = self.percent(used);
            need.add(
                cpu.value() * self.request_cores,
                memory.value() * memory_size(self.request_memory).value() / 100.0,
            );
            Ok(())
        })?;
        if need.is_empty() {
            return Ok(());
        }
        truth.add(&TrueRun {
            workload: &self.name,
            run: 0,
            application: &format!("app_{}", application.number + 1),
            user: &format!("user_{}", application.user + 1),
            archetype: application.archetype.name(),
            life: (BEGIN_SECONDS + run.start, BEGIN_SECONDS + run.end),
            seen: (run.start >= 0, run.end <= fleet.span),
            memory_peak: Decimal::fixed(need.memory_peak(), 6),
            cpu_p95: Decimal::fixed(need.cpu_p95(), 4),
        })
    }

    fn usage(
        &self,
        fleet: &Fleet,
        shard: u64,
        line: &mut Vec<u8>,
        file: &mut TableFile,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        let mut is_written = false;
        let mut is_in_first = false;
        let machine = self.machine;
        // The same for each shard, whatever is written of it.
        let mut chance = Chance::new(fleet.seed, Purpose::Rows, !self.plan.number);
        self.points(fleet, &mut |of, time, used| {
            let oddity = Oddity::draw(&mut chance);
            let counters = (chance.between(0.8, 2.5), chance.between(0.0, 3.0), chance.below(12));
            let disk = chance.below(20);
            if !(0..fleet.span).contains(&time) {
                return Ok(());
            }
            is_in_first |= of < shard && oddity.is_kept();
            if of != shard || oddity == Oddity::Gap {
                return Ok(());
            }
            let (cpu, memory) = self.percent(used);
            let network = |rate: f64| Decimal::fixed((100.0 * rate / LARGEST_NETWORK).min(100.0), 2);
            let (mut received, transmitted) = (Some(network(used.received)), Some(network(used.transmitted)));
            let mut disk = Some(Decimal::integer(disk.cast_signed()));
            match oddity {
                Oddity::Invalid => disk = Some(Decimal::integer(-1)),
                Oddity::Above => received = Some(Decimal::integer(101)),
                _ => {}
            }
            let has_counters = counters.2.is_multiple_of(2);
            let shown = |value: f64| has_counters.then(|| Decimal::fixed(value, 2));
            line.clear();
            if oddity != Oddity::Nameless {
                line.extend_from_slice(self.name.as_bytes());
            }
            write!(line, ",m_{machine},{},", BEGIN_SECONDS + time)?;
            let misses = has_counters.then(|| Decimal::integer(counters.2.cast_signed()));
            for cell in
                [Some(cpu), Some(memory), shown(counters.0), shown(counters.1), misses, received, transmitted, disk]
            {
                push_cell(line, cell);
            }
            end_line(line);
            let fate = if oddity == Oddity::Nameless { Fate::Rejected("container_id is empty") } else { Fate::Kept };
            is_written |= fate == Fate::Kept;
            if let Some(what) = oddity.name() {
                output.planted(what);
            }
            output.tick();
            // An invalid value is none.
            let sums = [Some(cpu), Some(memory), received.filter(|_| oddity != Oddity::Above), transmitted];
            file.row(line, fate, &sums)?;
            if oddity == Oddity::Twice {
                file.row(line, fate, &sums)?;
            }
            Ok(())
        })?;
        if is_written && !is_in_first {
            output.workload("series");
        }
        Ok(())
    }
}

/// What is odd about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Oddity {
    None,
    /// It is missing.
    Gap,
    /// The identifier is empty.
    Nameless,
    /// -1 for a value.
    Invalid,
    /// 101 for a value.
    Above,
    /// It is there twice.
    Twice,
}

impl Oddity {
    fn draw(chance: &mut Chance) -> Self {
        match chance.below(1000) {
            0..20 => Self::Gap,
            20..24 => Self::Nameless,
            24..27 => Self::Invalid,
            27..29 => Self::Above,
            29 => Self::Twice,
            _ => Self::None,
        }
    }

    const fn is_kept(self) -> bool {
        !matches!(self, Self::Gap | Self::Nameless)
    }

    const fn name(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Gap => None,
            Self::Nameless => Some("rows without a container"),
            Self::Invalid | Self::Above => Some("values of -1 and 101"),
            Self::Twice => Some("rows that are there twice"),
        }
    }
}
