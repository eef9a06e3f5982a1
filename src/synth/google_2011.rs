//! The `google-2011` format: `job_events`, `task_events` and `task_usage` in parts, `machine_events` in one.
//!
//! Parts of one number cover the same stretch of time in all tables, as in the real trace.

use std::io;

use super::SynthFormat;
use super::behaviour::Archetype;
use super::chance::{Chance, Purpose};
use super::decimal::Decimal;
use super::fleet::{Application, Ending, Fleet, Plan};
use super::output::{Fate, Output, TableFile};
use super::timeline::{self, AFTER, Event, Happening, Tables, Task, TimedWindow, code, micros};
use super::truth::{Need, TrueRun, Truth};

/// Rows of `task_usage` in a part, roughly.
const ROWS_PER_PART: u64 = 100_000;
/// Windows of a workload, roughly: what the number of parts is chosen by.
const WINDOWS_PER_WORKLOAD: u64 = 40;
/// The disk counters of the real trace end after its 14th day.
const DISK_SECONDS: i64 = 14 * 86_400;
/// Significant digits of every measurement.
const DIGITS: usize = 4;

const USAGE_SUMS: &[&str] = &["cpu_rate", "canonical_memory", "maximum_memory", "maximum_cpu_rate", "disk_io_time"];
const TASK_SUMS: &[&str] = &["cpu_request", "memory_request", "disk_request"];
const MACHINE_SUMS: &[&str] = &["cpus", "memory"];

/// Writes the trace and the truth.
pub(super) fn write(fleet: &Fleet, output: &mut Output<'_>) -> io::Result<()> {
    let machines = (fleet.workloads / 8).max(4);
    machine_events(fleet, machines, output)?;
    let count = (fleet.workloads * WINDOWS_PER_WORKLOAD).div_ceil(ROWS_PER_PART);
    let part = |folder: &'static str, columns: &'static [&'static str]| Parts {
        folder,
        columns,
        count,
        span: fleet.span,
        open: None,
    };
    let (cores, bytes) = SynthFormat::Google2011.largest_machine().unwrap_or((1.0, 1.0));
    let mut writer = Writer {
        fleet,
        truth: Truth::create(output)?,
        jobs: part("job_events", &[]),
        tasks: part("task_events", TASK_SUMS),
        usage: part("task_usage", USAGE_SUMS),
        machines,
        cores,
        bytes,
        line: Vec::new(),
    };
    timeline::write(fleet, &mut writer, output)?;
    for parts in [writer.jobs, writer.tasks, writer.usage] {
        if let Some((_, file)) = parts.open {
            output.close(file)?;
        }
    }
    writer.truth.finish()
}

/// A table in parts by time; a part without rows is not written.
struct Parts {
    folder: &'static str,
    columns: &'static [&'static str],
    count: u64,
    span: i64,
    open: Option<(u64, TableFile)>,
}

impl Parts {
    /// Returns the file for a row of that time, which must not lie before the last one.
    fn at(&mut self, time: i64, output: &mut Output<'_>) -> io::Result<&mut TableFile> {
        let length = (micros(self.span) / i64::try_from(self.count).unwrap_or(1).max(1)).max(1);
        let part = u64::try_from(time / length).unwrap_or_default().min(self.count - 1);
        let open = match self.open.take() {
            Some((number, file)) if number >= part => (number, file),
            other => {
                if let Some((_, file)) = other {
                    output.close(file)?;
                }
                let name = format!("{}/part-{part:05}-of-{:05}.csv", self.folder, self.count);
                (part, output.open(&name, self.folder, self.columns)?)
            }
        };
        Ok(&mut self.open.insert(open).1)
    }
}

struct Writer<'a> {
    fleet: &'a Fleet,
    truth: Truth,
    jobs: Parts,
    tasks: Parts,
    usage: Parts,
    machines: u64,
    cores: f64,
    bytes: f64,
    line: Vec<u8>,
}

/// Returns the number of a job.
pub(super) const fn job_id(leader: u64) -> i64 {
    const FIRST: i64 = 6_100_000_000;
    FIRST + 37 * leader.cast_signed()
}

/// Returns the number of the machine that a workload runs on.
pub(super) fn machine_id(seed: u64, machines: u64, number: u64) -> i64 {
    machine_number(Chance::new(seed, Purpose::Machine, number).below(machines))
}

/// Returns the number of a machine.
pub(super) const fn machine_number(index: u64) -> i64 {
    const FIRST: i64 = 4_000_000;
    FIRST + 317 * index.cast_signed()
}

/// Returns a name as the trace writes it: 32 bytes in base 64, 44 characters.
pub(super) fn hashed(seed: u64, kind: u64, index: u64) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut chance = Chance::new(seed, Purpose::Name, (kind << 40) | index);
    let bytes: Vec<u8> = (0..4).flat_map(|_| chance.bits().to_be_bytes()).collect();
    let mut text = String::with_capacity(44);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, &byte| (word << 8) | u32::from(byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(char::from(DIGITS[((word >> (18 - 6 * digit)) & 63) as usize]));
        }
    }
    text.push('=');
    text
}

/// Kinds of hashed names.
pub(super) const USER: u64 = 1;
pub(super) const LOGICAL_NAME: u64 = 2;
pub(super) const NAME: u64 = 3;
pub(super) const PLATFORM: u64 = 4;

/// Returns scheduling class and priority: 0 is batch, 3 the most sensitive to latency; 9 and above is production.
const fn rank(archetype: Archetype) -> (u8, u8) {
    match archetype {
        Archetype::LateGrowthBatch => (0, 0),
        Archetype::CpuBoundJob => (0, 1),
        Archetype::PeriodicBurst => (1, 2),
        Archetype::Leak => (2, 8),
        Archetype::IdleSidecar => (1, 10),
        Archetype::FillingCache => (3, 11),
        Archetype::SteadyService | Archetype::WarmUpPlateau => (3, 9),
    }
}

/// Returns the number of an event.
const fn event_code(happening: Happening) -> u8 {
    match happening {
        Happening::JobSubmit | Happening::Submit | Happening::Queue => 0,
        Happening::JobSchedule | Happening::Schedule => 1,
        Happening::Update => 8,
        Happening::End(ending) | Happening::JobEnd(ending) => match ending {
            0 => 2,
            1 => 3,
            2 => 4,
            3 => 5,
            _ => 6,
        },
    }
}

impl Writer<'_> {
    fn job(&mut self, task: &Task, event: Event, output: &mut Output<'_>) -> io::Result<()> {
        let plan = &task.plan;
        let (seed, application) = (self.fleet.seed, self.fleet.application(plan));
        let line = &mut self.line;
        line.clear();
        Decimal::integer(event.time).push(line);
        let cells = format!(
            ",,{},{},{},{},{},{}\n",
            job_id(plan.leader),
            event_code(event.happening),
            hashed(seed, USER, application.user),
            rank(application.archetype).0,
            hashed(seed, NAME, plan.leader),
            hashed(seed, LOGICAL_NAME, application.number)
        );
        line.extend_from_slice(cells.as_bytes());
        self.jobs.at(event.time, output)?.row(line, Fate::Kept, &[])
    }

    /// Returns what the row asks for: CPU, memory, disk.
    fn request(&self, application: &Application, plan: &Plan, event: Event) -> [Decimal; 3] {
        let (mut cpu, mut memory) = (application.request.cores / self.cores, application.request.memory / self.bytes);
        let differs = event.happening == Happening::Submit && event.time == 0 && plan.number % 4 == 1;
        if differs {
            (cpu, memory) = (2.0 * cpu, 0.8 * memory);
        } else if event.happening == Happening::Update {
            (cpu, memory) = (1.25 * cpu, 1.25 * memory);
        }
        let disk = 2e-4 * (1.0 + (plan.application % 7) as f64);
        [cpu, memory, disk].map(|amount| Decimal::significant(amount, DIGITS))
    }
}

impl Tables for Writer<'_> {
    fn event(&mut self, task: &mut Task, event: Event, output: &mut Output<'_>) -> io::Result<()> {
        match event.happening {
            Happening::JobSubmit | Happening::JobSchedule | Happening::JobEnd(_) => {
                return self.job(task, event, output);
            }
            // This trace has no queue.
            Happening::Queue => return Ok(()),
            Happening::Submit | Happening::Schedule | Happening::Update | Happening::End(_) => {}
        }
        let plan = &task.plan;
        let (seed, application) = (self.fleet.seed, self.fleet.application(plan));
        // Some tasks that existed before are known only from what followed.
        let is_synthetic = event.happening == Happening::Submit && event.time == 0 && plan.number % 6 == 5;
        let is_lost = event.happening == Happening::End(code(Ending::Lost));
        let missing_info = if is_synthetic {
            output.planted("events with missing info 2");
            "2"
        } else if is_lost {
            output.planted("events with missing info 1");
            "1"
        } else {
            ""
        };
        let (class, priority) = rank(application.archetype);
        let machine = machine_id(seed, self.machines, plan.number).to_string();
        let has_machine = event.happening != Happening::Submit || event.time == 0;
        let request = (!is_synthetic).then(|| self.request(application, plan, event));
        if event.time == 0 && event.happening == Happening::Submit && plan.number % 4 == 1 && !is_synthetic {
            output.planted("tasks with two requests at time 0");
        }
        if event.time == AFTER {
            output.planted("events after the trace");
        }
        let line = &mut self.line;
        line.clear();
        Decimal::integer(event.time).push(line);
        let cells = format!(
            ",{missing_info},{},{},{},{},{},{class},{priority}",
            job_id(plan.leader),
            plan.index,
            if has_machine { machine.as_str() } else { "" },
            event_code(event.happening),
            hashed(seed, USER, application.user),
        );
        line.extend_from_slice(cells.as_bytes());
        let request = request.map_or([None; 3], |request| request.map(Some));
        for amount in request {
            line.push(b',');
            if let Some(amount) = amount {
                amount.push_general(line);
            }
        }
        line.extend_from_slice(if is_synthetic { b",\n" } else { b",0\n" });
        if event.happening == Happening::Submit && event.run == 0 {
            output.workload("events");
        }
        self.tasks.at(event.time, output)?.row(line, Fate::Kept, &request)
    }

    fn window(&mut self, task: &mut Task, window: &TimedWindow, output: &mut Output<'_>) -> io::Result<bool> {
        let plan = &task.plan;
        let application = self.fleet.application(plan);
        let mut drawn = task.oddities.uniform();
        let mut falls = |rate: f64| {
            let is_hit = (0.0..rate).contains(&drawn);
            drawn -= rate;
            is_hit
        };
        if falls(0.005) {
            output.planted("missing windows");
            return Ok(false);
        }
        let is_zero = falls(0.003);
        let is_broken = falls(0.003);
        let has_no_maximum = falls(0.002);
        let has_no_machine = falls(0.000_8);
        let has_disk = window.start < micros(DISK_SECONDS);
        let is_sum = application.number % 7 == 3;
        let share = |value: f64| if is_zero { Decimal::ZERO } else { Decimal::significant(value, DIGITS) };
        let cores = |value: f64| share(value / self.cores);
        let memory = |value: f64| share(value / self.bytes);
        let mut number = |low: f64, high: f64| task.oddities.between(low, high);
        let cache = number(0.02, 0.2) * window.used.memory;
        let disk = number(1e-6, 4e-4);
        let cpu = cores(window.used.cores);
        let memory_mean = memory(window.used.memory);
        // A maximum over sub-containers is the sum of theirs, which did not come at the same time.
        let maximum = if is_sum { 1.04 } else { 1.0 };
        let memory_maximum = memory(window.used.memory_max * maximum);
        let assigned = share(application.request.memory / self.bytes);
        let disk_time = has_disk.then(|| share(disk));
        let cells: [Option<Decimal>; 15] = [
            Some(cpu),
            Some(memory_mean),
            Some(assigned),
            Some(memory(0.4 * cache)),
            Some(memory(cache)),
            (!has_no_maximum).then_some(memory_maximum),
            disk_time,
            Some(share(2e-4)),
            Some(cores(window.used.cores_max)),
            has_disk.then(|| share(6.0 * disk)),
            Some(if is_broken { Decimal::ZERO } else { share(number(0.8, 4.0)) }),
            Some(if is_broken { Decimal::integer(90) } else { share(number(0.002, 0.03)) }),
            Some(Decimal::ZERO),
            Some(Decimal::integer(i64::from(is_sum))),
            Some(cores(window.used.cores_sampled)),
        ];
        for (is_there, what) in [
            (is_zero, "windows of zeros"),
            (is_broken, "impossible counters"),
            (has_no_maximum, "windows without a memory maximum"),
            (has_no_machine, "rows without a machine"),
        ] {
            if is_there {
                output.planted(what);
            }
        }
        let machine = machine_id(self.fleet.seed, self.machines, plan.number);
        let line = &mut self.line;
        line.clear();
        for whole in [window.start, window.end, job_id(plan.leader), plan.index.cast_signed()] {
            Decimal::integer(whole).push(line);
            line.push(b',');
        }
        if !has_no_machine {
            Decimal::integer(machine).push(line);
        }
        for cell in cells {
            line.push(b',');
            if let Some(cell) = cell {
                cell.push_general(line);
            }
        }
        line.push(b'\n');
        let fate = if has_no_machine { Fate::Rejected("mandatory cell is empty") } else { Fate::Kept };
        let sums = [Some(cpu), Some(memory_mean), cells[5], cells[8], disk_time];
        self.usage.at(window.start, output)?.row(line, fate, &sums)?;
        Ok(!has_no_machine)
    }

    fn truth(&mut self, plan: &Plan, run: usize, seen: (bool, bool), need: &mut Need) -> io::Result<()> {
        let (seed, application) = (self.fleet.seed, self.fleet.application(plan));
        let life = plan.runs[run];
        let maximum = if application.number % 7 == 3 { 1.04 } else { 1.0 };
        self.truth.add(&TrueRun {
            workload: &format!("{}/{}", job_id(plan.leader), plan.index),
            run,
            application: &hashed(seed, LOGICAL_NAME, application.number),
            user: &hashed(seed, USER, application.user),
            archetype: application.archetype.name(),
            life: (micros(life.start), micros(life.end)),
            seen,
            memory_peak: Decimal::significant(need.memory_peak() * maximum / self.bytes, DIGITS),
            cpu_p95: Decimal::significant(need.cpu_p95() / self.cores, DIGITS),
        })
    }
}

/// Writes machines: all are there at the beginning, some change, leave or come later without a capacity.
fn machine_events(fleet: &Fleet, machines: u64, output: &mut Output<'_>) -> io::Result<()> {
    const SIZES: [(&str, &str); 4] = [("0.5", "0.2493"), ("1", "1"), ("0.5", "0.4995"), ("0.25", "0.2498")];
    let values =
        |size: (&str, &str)| [size.0, size.1].map(|text| text.parse().ok().map(|value| Decimal::fixed(value, 4)));
    let mut file = output.open("machine_events/part-00000-of-00001.csv", "machine_events", MACHINE_SUMS)?;
    let platform = |index: u64| hashed(fleet.seed, PLATFORM, index % 3);
    let size = |index: u64| SIZES[if index == 1 { 1 } else { usize::try_from(index % 3).unwrap_or_default() }];
    for index in 0..machines {
        let (cpus, memory) = size(index);
        let line = format!("0,{},0,{},{cpus},{memory}\n", machine_number(index), platform(index));
        file.row(line.as_bytes(), Fate::Kept, &values((cpus, memory)))?;
        output.workload("machines");
    }
    let changes = machines / 6;
    for change in 0..changes {
        let time = micros(fleet.span * (change.cast_signed() + 1) / (changes.cast_signed() + 1));
        let index = change * 5 % machines;
        let (machine, capacity) = match change % 3 {
            0 => {
                (format!("{time},{},2,{},0.5,0.749\n", machine_number(index), platform(index)), Some(("0.5", "0.749")))
            }
            1 => (format!("{time},{},1,{},0.5,0.2493\n", machine_number(index), platform(index)), Some(SIZES[0])),
            _ => {
                output.planted("machines without a capacity");
                output.workload("machines");
                (format!("{time},{},0,{},,\n", machine_number(machines + change), platform(change)), None)
            }
        };
        file.row(machine.as_bytes(), Fate::Kept, &capacity.map_or([None; 2], values))?;
    }
    output.close(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_look_like_hashes() {
        let name = hashed(1, USER, 4);
        assert_eq!(name.len(), 44);
        assert!(name.ends_with('=') && !name[..43].contains('='), "{name}");
        assert_ne!(name, hashed(1, USER, 5));
        assert_ne!(name, hashed(1, NAME, 4));
    }
}
