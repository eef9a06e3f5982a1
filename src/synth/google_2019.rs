//! The `google-2019` format: JSON Lines as in the publisher's bucket, INT64 as text, 20 percentiles of CPU.
//!
//! Windows are spread over the shards of `instance_usage` and are not in order inside one, as in the real trace.

use std::io;
use std::io::Write as _;

use super::SynthFormat;
use super::behaviour::{Archetype, PARTS, Window};
use super::chance::{Chance, Purpose, exp};
use super::decimal::Decimal;
use super::fleet::{Application, Ending, Fleet, Plan};
use super::google_2011::{LOGICAL_NAME, NAME, PLATFORM, USER, hashed, machine_id, machine_number};
use super::output::{Fate, Output, TableFile};
use super::timeline::{self, AFTER, Event, Happening, Tables, Task, TimedWindow, code, micros};
use super::truth::{Need, TrueRun, Truth};

/// Rows of `instance_usage` in a shard, roughly.
const ROWS_PER_SHARD: u64 = 200_000;
/// Windows of a workload, roughly: what the number of shards is chosen by.
const WINDOWS_PER_WORKLOAD: u64 = 40;
/// Rows that wait to be written in another order.
const WAITING_ROWS: usize = 64;
/// Significant digits of every measurement.
const DIGITS: usize = 4;

const USAGE_SUMS: &[&str] =
    &["average_usage.cpus", "average_usage.memory", "maximum_usage.cpus", "maximum_usage.memory", "assigned_memory"];
const INSTANCE_SUMS: &[&str] = &["resource_request.cpus", "resource_request.memory"];
const MACHINE_SUMS: &[&str] = &["capacity.cpus", "capacity.memory"];

/// Why readers pass over an alloc set: its use is that of the tasks inside.
const ALLOC_SET: Fate = Fate::Rejected("alloc set, not a workload");

/// Places of the percentiles p0, p10 ... p100 and p91 ... p99 on the normal distribution; the ends are cut.
const BODY: [(f64, f64); 11] = [
    (0.0, -2.4),
    (0.1, -1.28),
    (0.2, -0.84),
    (0.3, -0.52),
    (0.4, -0.25),
    (0.5, 0.0),
    (0.6, 0.25),
    (0.7, 0.52),
    (0.8, 0.84),
    (0.9, 1.28),
    (1.0, 2.4),
];
const TAIL: [(f64, f64); 9] = [
    (0.91, 1.34),
    (0.92, 1.41),
    (0.93, 1.48),
    (0.94, 1.55),
    (0.95, 1.64),
    (0.96, 1.75),
    (0.97, 1.88),
    (0.98, 2.05),
    (0.99, 2.33),
];
/// Deviation of the seconds of a window around their minute, on the logarithm.
const SECOND_DEVIATION: f64 = 0.12;

/// Writes the trace and the truth.
pub(super) fn write(fleet: &Fleet, output: &mut Output<'_>) -> io::Result<()> {
    let machines = (fleet.workloads / 8).max(4);
    machine_events(fleet, machines, output)?;
    let shards = (fleet.workloads * WINDOWS_PER_WORKLOAD).div_ceil(ROWS_PER_SHARD);
    let shard = |number: u64| -> io::Result<Shard> {
        let name = format!("instance_usage-{number:012}.json");
        let file = output.open(&name, "instance_usage", USAGE_SUMS)?;
        Ok(Shard { file, waiting: Vec::new() })
    };
    let usage = (0..shards).map(shard).collect::<io::Result<Vec<Shard>>>()?;
    let (cores, bytes) = SynthFormat::Google2019.largest_machine().unwrap_or((1.0, 1.0));
    let mut writer = Writer {
        fleet,
        truth: Truth::create(output)?,
        collections: output.open("collection_events-000000000000.json", "collection_events", &[])?,
        instances: output.open("instance_events-000000000000.json", "instance_events", INSTANCE_SUMS)?,
        usage,
        order: Chance::new(fleet.seed, Purpose::Rows, u64::MAX / 2),
        machines,
        cores,
        bytes,
        line: Vec::new(),
    };
    writer.alloc_sets()?;
    timeline::write(fleet, &mut writer, output)?;
    let Writer { truth, collections, instances, usage, .. } = writer;
    output.close(collections)?;
    output.close(instances)?;
    for shard in usage {
        let mut file = shard.file;
        for row in shard.waiting {
            file.row(&row.line, row.fate, &row.cells)?;
        }
        output.close(file)?;
    }
    truth.finish()
}

/// A row that waits.
struct Row {
    line: Vec<u8>,
    fate: Fate,
    cells: [Option<Decimal>; 5],
}

/// One file of windows, which leave it in another order than they came.
struct Shard {
    file: TableFile,
    waiting: Vec<Row>,
}

impl Shard {
    fn row(&mut self, row: Row, order: &mut Chance) -> io::Result<()> {
        if self.waiting.len() < WAITING_ROWS {
            self.waiting.push(row);
            return Ok(());
        }
        let place = usize::try_from(order.below(WAITING_ROWS as u64)).unwrap_or_default();
        let out = std::mem::replace(&mut self.waiting[place], row);
        self.file.row(&out.line, out.fate, &out.cells)
    }
}

struct Writer<'a> {
    fleet: &'a Fleet,
    truth: Truth,
    collections: TableFile,
    instances: TableFile,
    usage: Vec<Shard>,
    order: Chance,
    machines: u64,
    cores: f64,
    bytes: f64,
    line: Vec<u8>,
}

/// Returns the number of a collection.
const fn collection_id(leader: u64) -> i64 {
    const FIRST: i64 = 374_000_000_000;
    FIRST + 911 * leader.cast_signed()
}

/// Returns the alloc set that the instances of an application run in, for some.
fn alloc_set(application: &Application) -> Option<i64> {
    const FIRST: i64 = 330_000_000_000;
    (application.number % 12 == 5).then(|| FIRST + application.number.cast_signed())
}

/// Returns scheduling class and priority: below 100 free, to 119 best effort, to 200 production, above monitoring.
const fn rank(archetype: Archetype) -> (u8, u16) {
    match archetype {
        Archetype::LateGrowthBatch => (0, 103),
        Archetype::CpuBoundJob => (0, 25),
        Archetype::PeriodicBurst => (1, 115),
        Archetype::Leak => (2, 119),
        Archetype::IdleSidecar => (1, 360),
        Archetype::FillingCache | Archetype::SteadyService | Archetype::WarmUpPlateau => (3, 200),
    }
}

/// Returns who writes the requests of an application: 1 its owner, 2 and 3 an autoscaler.
const fn vertical_scaling(application: &Application) -> u8 {
    match application.number % 8 {
        3 => 3,
        6 => 2,
        _ => 1,
    }
}

/// Returns the numbers of an event: a queued one is also enabled.
const fn event_codes(happening: Happening) -> &'static [u8] {
    match happening {
        Happening::JobSubmit | Happening::Submit => &[0],
        Happening::Queue => &[1, 2],
        Happening::JobSchedule | Happening::Schedule => &[3],
        Happening::Update => &[10],
        Happening::End(ending) | Happening::JobEnd(ending) => match ending {
            0 => &[4],
            1 => &[5],
            2 => &[6],
            3 => &[7],
            _ => &[8],
        },
    }
}

impl Writer<'_> {
    /// Writes the alloc sets, which are there when the trace begins.
    fn alloc_sets(&mut self) -> io::Result<()> {
        for application in &self.fleet.applications {
            let Some(set) = alloc_set(application) else { continue };
            for kind in [0_u8, 3] {
                let line = collection_line(self.fleet.seed, application, set, (0, kind), 1, application.number);
                self.collections.row(line.as_bytes(), ALLOC_SET, &[])?;
            }
        }
        Ok(())
    }

    /// Returns what the row asks for, where it does.
    fn request(&self, application: &Application, plan: &Plan, event: Event) -> Option<[Decimal; 2]> {
        let is_submit = event.happening == Happening::Submit;
        // Some rows of the real trace have no request, or one of nothing.
        if is_submit && plan.number % 13 == 4 {
            return None;
        }
        let mut factor = 1.0;
        if event.time == 0 && is_submit && plan.number % 4 == 1 {
            factor = 1.5;
        } else if event.happening == Happening::Update {
            factor = 1.25;
        }
        let amounts = [application.request.cores / self.cores, application.request.memory / self.bytes];
        Some(amounts.map(|amount| Decimal::significant(factor * amount, DIGITS)))
    }

    /// Writes the rows of an instance event, of the task or of the alloc instance that holds it.
    fn instance(&mut self, task: &Task, event: Event, is_alloc: bool, output: &mut Output<'_>) -> io::Result<()> {
        let plan = &task.plan;
        let application = self.fleet.application(plan);
        let (class, priority) = rank(application.archetype);
        let set = alloc_set(application);
        let collection = if is_alloc { set.unwrap_or_default() } else { collection_id(plan.leader) };
        let index = if is_alloc { plan.number } else { plan.index };
        let is_lost = event.happening == Happening::End(code(Ending::Lost));
        let missing = if event.time == 0 && event.happening == Happening::Submit && plan.number % 6 == 5 {
            output.planted("events with missing type 3");
            3
        } else {
            u8::from(is_lost)
        };
        let request = if missing == 3 { None } else { self.request(application, plan, event) };
        if request.is_none() && !is_alloc {
            output.planted("events without a request");
        }
        let has_machine = !matches!(event.happening, Happening::Submit | Happening::Queue) || event.time == 0;
        let machine = if has_machine { machine_id(self.fleet.seed, self.machines, plan.number) } else { 0 };
        for &kind in event_codes(event.happening) {
            let line = &mut self.line;
            line.clear();
            write!(
                line,
                r#"{{"time":"{}","type":"{kind}","collection_id":"{collection}","scheduling_class":"{class}""#,
                event.time
            )?;
            // Fields at their default are left out of some shards.
            if plan.number.is_multiple_of(2) || missing > 0 {
                write!(line, r#","missing_type":"{missing}""#)?;
            }
            write!(line, r#","collection_type":"{}","priority":"{priority}""#, u8::from(is_alloc))?;
            match set.filter(|_| !is_alloc) {
                Some(set) => write!(line, r#","alloc_collection_id":"{set}""#)?,
                None if plan.number.is_multiple_of(2) => line.extend_from_slice(br#","alloc_collection_id":"0""#),
                None => {}
            }
            write!(line, r#","instance_index":"{index}","machine_id":"{machine}""#)?;
            if set.is_some() && !is_alloc {
                write!(line, r#","alloc_instance_index":"{}""#, plan.number)?;
            } else {
                line.extend_from_slice(br#","alloc_instance_index":"-1""#);
            }
            if let Some([cpus, memory]) = request {
                line.extend_from_slice(br#","resource_request":{"cpus":"#);
                cpus.push(line);
                line.extend_from_slice(br#","memory":"#);
                memory.push(line);
                line.push(b'}');
            }
            line.extend_from_slice(b",\"constraint\":[]}\n");
            let fate = if is_alloc { ALLOC_SET } else { Fate::Kept };
            self.instances.row(line, fate, &request.map_or([None; 2], |request| request.map(Some)))?;
        }
        Ok(())
    }

    /// Puts a window's line into `line`.
    fn usage_line(&mut self, ids: &Ids, window: &TimedWindow, cells: &Cells) -> io::Result<()> {
        let line = &mut self.line;
        line.clear();
        write!(
            line,
            r#"{{"start_time":"{}","end_time":"{}","collection_id":"{}","instance_index":"{}","machine_id":"{}""#,
            window.start, window.end, ids.collection, ids.index, ids.machine
        )?;
        write!(
            line,
            r#","alloc_collection_id":"{}","alloc_instance_index":"{}","collection_type":"{}","average_usage":{{"cpus":"#,
            ids.alloc_collection, ids.alloc_index, ids.collection_type
        )?;
        let mut put = |name: &str, value: Decimal| {
            line.extend_from_slice(name.as_bytes());
            value.push(line);
        };
        put("", cells.cpus);
        put(r#","memory":"#, cells.memory);
        put(r#"},"maximum_usage":{"cpus":"#, cells.cpus_max);
        put(r#","memory":"#, cells.memory_max);
        put(r#"},"random_sample_usage":{"cpus":"#, cells.cpus_sampled);
        put(r#"},"assigned_memory":"#, cells.assigned);
        put(r#","page_cache_memory":"#, cells.page_cache);
        if let Some([cycles, accesses]) = cells.counters {
            put(r#","cycles_per_instruction":"#, cycles);
            put(r#","memory_accesses_per_instruction":"#, accesses);
        }
        put(r#","sample_rate":"#, cells.sample_rate);
        for (name, values) in [
            (r#","cpu_usage_distribution":["#, cells.body.as_slice()),
            (r#"],"tail_cpu_usage_distribution":["#, cells.tail.as_slice()),
        ] {
            line.extend_from_slice(name.as_bytes());
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    line.push(b',');
                }
                value.push(line);
            }
        }
        line.extend_from_slice(b"]}\n");
        Ok(())
    }

    fn usage_row(&mut self, fate: Fate, cells: &Cells) -> io::Result<()> {
        let row = Row {
            line: self.line.clone(),
            fate,
            cells: [cells.cpus, cells.memory, cells.cpus_max, cells.memory_max, cells.assigned].map(Some),
        };
        let shard = usize::try_from(self.order.below(self.usage.len() as u64)).unwrap_or_default();
        self.usage[shard].row(row, &mut self.order)
    }

    /// Returns the measurements of a window, without oddities.
    fn cells(&self, application: &Application, used: &Window, chance: &mut Chance) -> Cells {
        let number = |value: f64| Decimal::significant(value, DIGITS);
        let cores = |value: f64| number(value / self.cores);
        let bytes = |value: f64| number(value / self.bytes);
        let percentile = |(share, place): (f64, f64)| cores(quantile(used, share) * exp(SECOND_DEVIATION * place));
        Cells {
            cpus: cores(used.cores),
            memory: bytes(used.memory),
            cpus_max: cores(used.cores_max * 1.1),
            memory_max: bytes(used.memory_max),
            cpus_sampled: cores(used.cores_sampled),
            assigned: if alloc_set(application).is_some() { Decimal::ZERO } else { bytes(application.request.memory) },
            page_cache: bytes(used.memory * chance.between(0.02, 0.2)),
            counters: Some([number(chance.between(0.8, 4.0)), number(chance.between(0.002, 0.03))]),
            sample_rate: if chance.is(0.9) { Decimal::integer(1) } else { Decimal::fixed(chance.between(0.9, 1.0), 3) },
            body: BODY.map(percentile).to_vec(),
            tail: TAIL.map(percentile).to_vec(),
        }
    }
}

/// Returns the quantile of the minutes of a window, linear between them.
fn quantile(used: &Window, share: f64) -> f64 {
    let place = share * (PARTS - 1) as f64;
    let below = (0..PARTS - 1).rev().find(|&index| index as f64 <= place).unwrap_or(0);
    let rest = place - below as f64;
    used.quantiles[below] * (1.0 - rest) + used.quantiles[below + 1] * rest
}

/// Whose window a row is.
struct Ids {
    collection: i64,
    index: u64,
    machine: i64,
    alloc_collection: i64,
    alloc_index: i64,
    collection_type: u8,
}

/// The measurements of a row.
#[derive(Clone)]
struct Cells {
    cpus: Decimal,
    memory: Decimal,
    cpus_max: Decimal,
    memory_max: Decimal,
    cpus_sampled: Decimal,
    assigned: Decimal,
    page_cache: Decimal,
    counters: Option<[Decimal; 2]>,
    sample_rate: Decimal,
    body: Vec<Decimal>,
    tail: Vec<Decimal>,
}

fn collection_line(
    seed: u64,
    application: &Application,
    collection: i64,
    (time, kind): (i64, u8),
    collection_type: u8,
    name: u64,
) -> String {
    let (class, priority) = rank(application.archetype);
    let scheduler = u8::from(application.archetype.is_batch());
    format!(
        concat!(
            r#"{{"time":"{time}","type":"{kind}","collection_id":"{collection}","scheduling_class":"{class}","#,
            r#""missing_type":"0","collection_type":"{collection_type}","priority":"{priority}","#,
            r#""alloc_collection_id":"{alloc}","user":"{user}","collection_name":"{name}","#,
            r#""collection_logical_name":"{logical}","parent_collection_id":"0","start_after_collection_ids":[],"#,
            r#""max_per_machine":"0","max_per_switch":"0","vertical_scaling":"{scaling}","scheduler":"{scheduler}"}}"#,
            "\n"
        ),
        time = time,
        kind = kind,
        collection = collection,
        class = class,
        collection_type = collection_type,
        priority = priority,
        alloc = if collection_type == 0 { alloc_set(application).unwrap_or_default() } else { 0 },
        user = hashed(seed, USER, application.user),
        name = hashed(seed, NAME, name),
        logical = hashed(seed, LOGICAL_NAME, application.number),
        scaling = vertical_scaling(application),
        scheduler = scheduler,
    )
}

impl Tables for Writer<'_> {
    fn event(&mut self, task: &mut Task, event: Event, output: &mut Output<'_>) -> io::Result<()> {
        if event.time == AFTER {
            output.planted("events after the trace");
        }
        let plan = &task.plan;
        let application = self.fleet.application(plan);
        match event.happening {
            Happening::JobSubmit | Happening::JobSchedule | Happening::JobEnd(_) => {
                for &kind in event_codes(event.happening) {
                    let collection = collection_id(plan.leader);
                    let line = collection_line(
                        self.fleet.seed,
                        application,
                        collection,
                        (event.time, kind),
                        0,
                        (1 << 32) | plan.leader,
                    );
                    self.collections.row(line.as_bytes(), Fate::Kept, &[])?;
                }
                return Ok(());
            }
            // Only the batch scheduler has a queue.
            Happening::Queue if !application.archetype.is_batch() => return Ok(()),
            _ => {}
        }
        if event.happening == Happening::Submit && event.run == 0 {
            output.workload("events");
        }
        if alloc_set(application).is_some() {
            self.instance(task, event, true, output)?;
        }
        self.instance(task, event, false, output)
    }

    fn window(&mut self, task: &mut Task, window: &TimedWindow, output: &mut Output<'_>) -> io::Result<bool> {
        let mut drawn = task.oddities.uniform();
        let mut falls = |rate: f64, what: &'static str| {
            let is_hit = (0.0..rate).contains(&drawn);
            drawn -= rate;
            if is_hit {
                output.planted(what);
            }
            is_hit
        };
        if falls(0.008, "missing windows") {
            return Ok(false);
        }
        let is_twice = falls(0.003, "second rows for a window");
        let has_no_maximum = falls(0.003, "maxima of 0");
        let is_undersampled = falls(0.004, "windows sampled too rarely");
        let is_unplaced = falls(0.006, "windows without a machine");
        let has_no_percentiles = falls(0.005, "windows without percentiles");
        let has_no_counters = falls(0.05, "windows without counters");
        let plan = &task.plan;
        let application = self.fleet.application(plan);
        let set = alloc_set(application);
        let mut cells = self.cells(application, &window.used, &mut task.oddities);
        if has_no_maximum {
            (cells.cpus_max, cells.memory_max) = (Decimal::ZERO, Decimal::ZERO);
        }
        if is_undersampled {
            cells.sample_rate = Decimal::fixed(0.3, 1);
        }
        if has_no_percentiles {
            (cells.body, cells.tail) = (Vec::new(), Vec::new());
        }
        if has_no_counters {
            cells.counters = None;
        }
        let machine = machine_id(self.fleet.seed, self.machines, plan.number);
        let ids = Ids {
            collection: collection_id(plan.leader),
            index: plan.index,
            machine: if is_unplaced { 0 } else { machine },
            alloc_collection: set.unwrap_or_default(),
            alloc_index: set.map_or(-1, |_| plan.number.cast_signed()),
            collection_type: 0,
        };
        self.usage_line(&ids, window, &cells)?;
        self.usage_row(Fate::Kept, &cells)?;
        if is_twice {
            let zero = Cells {
                cpus: Decimal::ZERO,
                memory: Decimal::ZERO,
                cpus_max: Decimal::ZERO,
                memory_max: Decimal::ZERO,
                ..cells.clone()
            };
            self.usage_line(&ids, window, &zero)?;
            self.usage_row(Fate::Kept, &zero)?;
        }
        if let Some(set) = set {
            let ids = Ids {
                collection: set,
                index: plan.number,
                machine,
                alloc_collection: 0,
                alloc_index: -1,
                collection_type: 1,
            };
            self.usage_line(&ids, window, &cells)?;
            self.usage_row(ALLOC_SET, &cells)?;
            output.planted("windows of alloc sets");
        }
        Ok(true)
    }

    fn truth(&mut self, plan: &Plan, run: usize, seen: (bool, bool), need: &mut Need) -> io::Result<()> {
        let (seed, application) = (self.fleet.seed, self.fleet.application(plan));
        let life = plan.runs[run];
        self.truth.add(&TrueRun {
            workload: &format!("{}/{}", collection_id(plan.leader), plan.index),
            run,
            application: &hashed(seed, LOGICAL_NAME, application.number),
            user: &hashed(seed, USER, application.user),
            archetype: application.archetype.name(),
            life: (micros(life.start), micros(life.end)),
            seen,
            memory_peak: Decimal::significant(need.memory_peak() / self.bytes, DIGITS),
            cpu_p95: Decimal::significant(need.cpu_p95() / self.cores, DIGITS),
        })
    }
}

/// Writes machines, all of which are there at the beginning; the last has no capacity.
fn machine_events(fleet: &Fleet, machines: u64, output: &mut Output<'_>) -> io::Result<()> {
    const SIZES: [(f64, f64); 3] = [(0.5, 0.25), (1.0, 1.0), (0.5918, 0.3335)];
    let mut file = output.open("machine_events-000000000000.json", "machine_events", MACHINE_SUMS)?;
    let mut line = Vec::new();
    for index in 0..machines {
        line.clear();
        write!(
            line,
            r#"{{"time":"0","machine_id":"{}","type":"1","switch_id":"{}","#,
            machine_number(index),
            hashed(fleet.seed, PLATFORM, 100 + index / 40)
        )?;
        let (cpus, memory) = SIZES[usize::try_from(index % 3).unwrap_or_default()];
        let capacity = (index + 1 < machines).then(|| [cpus, memory].map(|value| Decimal::fixed(value, 4)));
        if let Some([cpus, memory]) = capacity {
            line.extend_from_slice(br#""capacity":{"cpus":"#);
            cpus.push(&mut line);
            line.extend_from_slice(br#","memory":"#);
            memory.push(&mut line);
            line.extend_from_slice(b"},");
        } else {
            output.planted("machines without a capacity");
        }
        writeln!(line, r#""platform_id":"{}"}}"#, hashed(fleet.seed, PLATFORM, index % 3))?;
        file.row(&line, Fate::Kept, &capacity.map_or([None; 2], |capacity| capacity.map(Some)))?;
        output.workload("machines");
    }
    output.close(file)
}
