//! `batch_task` and `batch_instance`: jobs of up to three tasks that wait for each other, one row per try of an instance.

use std::io;
use std::io::Write as _;

use super::containers::memory_size;
use super::{BEGIN_SECONDS, end_line, machine_of, push_cell};
use crate::synth::SynthFormat;
use crate::synth::behaviour::Walk;
use crate::synth::chance::{Chance, Purpose, whole};
use crate::synth::decimal::Decimal;
use crate::synth::fleet::{Ending, Fleet, Plan};
use crate::synth::output::{Fate, Output, TableFile};
use crate::synth::truth::{Need, TrueRun, Truth};

const TASK_SUMS: &[&str] = &["instance_num", "plan_cpu", "plan_mem"];
const INSTANCE_SUMS: &[&str] = &["cpu_avg", "cpu_max", "mem_avg", "mem_max"];

/// Instances of a task, and of a job with its three tasks.
const MOST_INSTANCES: u64 = 5;
const INSTANCES_PER_JOB: u64 = 4 * MOST_INSTANCES;

/// A name that was cut at 50 characters, in the middle of a number.
const CUT_NAME: &str = "R19_18_17_16_15_14_13_12_11_10_9_8_7_6_5_4_3_2_1_1";

pub(super) fn write(fleet: &Fleet, machines: u64, truth: &mut Truth, output: &mut Output<'_>) -> io::Result<()> {
    let mut tasks = output.open("batch_task.csv", "batch_task", TASK_SUMS)?;
    let mut instances = output.open("batch_instance.csv", "batch_instance", INSTANCE_SUMS)?;
    for plan in (0..fleet.blocks()).flat_map(|block| fleet.block(block)) {
        if fleet.application(&plan).archetype.is_batch() {
            let mut job = Job { fleet, machines, plan: &plan, tasks: &mut tasks, instances: &mut instances };
            job.write(truth, output)?;
        }
    }
    output.close(tasks)?;
    output.close(instances)
}

struct Job<'a> {
    fleet: &'a Fleet,
    machines: u64,
    plan: &'a Plan,
    tasks: &'a mut TableFile,
    instances: &'a mut TableFile,
}

impl Job<'_> {
    /// Writes a job: its tasks share its life, one after the other.
    fn write(&mut self, truth: &mut Truth, output: &mut Output<'_>) -> io::Result<()> {
        let mut chance = Chance::new(self.fleet.seed, Purpose::Batch, self.plan.number);
        let count = 1 + i64::try_from(chance.below(3)).unwrap_or_default();
        let (start, life) = (self.plan.start(), self.plan.end() - self.plan.start());
        let has_cut_name = chance.is(0.05);
        let is_waiting = chance.is(0.08);
        for task in 1..=count {
            let name = match task {
                1 => "M1".to_owned(),
                2 => "R2_1".to_owned(),
                _ if has_cut_name => CUT_NAME.to_owned(),
                _ => "J3_1_2".to_owned(),
            };
            if task == 3 && has_cut_name {
                output.planted("names cut at 50 characters");
            }
            let from = start + life * (task - 1) / count;
            let to = start + life * task / count;
            if task == count && (is_waiting || from >= self.fleet.span) {
                self.waiting(&name, output)?;
            } else if from < self.fleet.span {
                self.task((task, &name), (from, to), &mut chance, truth, output)?;
            }
        }
        Ok(())
    }

    fn job(&self) -> String {
        format!("j_{}", self.plan.number + 1)
    }

    /// Writes a task that has not begun: neither times nor numbers.
    fn waiting(&mut self, name: &str, output: &mut Output<'_>) -> io::Result<()> {
        let kind = 1 + self.plan.application % 12;
        let line = format!("{name},,{},{kind},Waiting,0,0,,\n", self.job());
        output.planted("tasks that wait");
        output.workload("facts");
        self.tasks.row(line.as_bytes(), Fate::Kept, &[None; 3])
    }

    fn task(
        &mut self,
        (task, name): (i64, &str),
        (from, to): (i64, i64),
        chance: &mut Chance,
        truth: &mut Truth,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        let application = self.fleet.application(self.plan);
        let job = self.job();
        let kind = 1 + self.plan.application % 12;
        let is_seen = to <= self.fleet.span;
        let is_failed = self.plan.runs.first().is_some_and(|run| run.ending == Ending::Fail);
        let status = match (is_seen, is_failed) {
            (false, _) => "Running",
            (true, true) => "Failed",
            (true, false) => "Terminated",
        };
        let count = 1 + chance.below(MOST_INSTANCES);
        // What was there before the trace began has a time before the series begin.
        let start = (BEGIN_SECONDS + from).max(1);
        let end = if is_seen { BEGIN_SECONDS + to } else { 0 };
        let plan = [
            Some(Decimal::integer(count.cast_signed())),
            Some(Decimal::integer(whole(100.0 * application.request.cores))),
            Some(memory_size(application.request.memory)),
        ];
        let mut line = Vec::new();
        write!(line, "{name},{count},{job},{kind},{status},{start},{end},")?;
        push_cell(&mut line, plan[1]);
        push_cell(&mut line, plan[2]);
        end_line(&mut line);
        self.tasks.row(&line, Fate::Kept, &plan)?;
        output.workload("facts");
        output.workload("summary");
        let mut need = Need::default();
        for instance in 0..count {
            let number = MOST_INSTANCES * task.unsigned_abs() + instance;
            let place = Place { name, kind, number, from, to };
            self.instance(&place, chance, &mut need, output)?;
        }
        truth.add(&TrueRun {
            workload: &format!("{job}/{name}"),
            run: 0,
            application: &job,
            user: &format!("user_{}", application.user + 1),
            archetype: application.archetype.name(),
            life: (BEGIN_SECONDS + from, BEGIN_SECONDS + to),
            seen: (from >= 0, is_seen),
            memory_peak: Decimal::fixed(need.memory_peak(), 2),
            cpu_p95: Decimal::fixed(need.cpu_p95(), 2),
        })
    }

    /// Writes the tries of one instance.
    fn instance(
        &mut self,
        place: &Place<'_>,
        chance: &mut Chance,
        need: &mut Need,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        let Place { name, kind, number, from, to } = *place;
        let (job, first) = (self.job(), self.plan.number * INSTANCES_PER_JOB + number);
        let machine = machine_of(self.fleet, self.machines, first);
        let mut behaviour = self.plan.behaviour;
        behaviour.memory *= chance.log_normal(1.0, 0.1);
        behaviour.cores *= chance.log_normal(1.0, 0.1);
        let noise = Chance::new(self.fleet.seed, Purpose::Series, u64::MAX - first);
        let mut walk = Walk::new(behaviour, from, to - from, noise);
        let window = walk.window(from as f64, to as f64);
        let is_seen = to <= self.fleet.span;
        let has_failed_try = chance.is(0.05);
        let is_instant = chance.is(0.02);
        let tries = if has_failed_try { 2 } else { 1 };
        let (start, middle) = (BEGIN_SECONDS + from, BEGIN_SECONDS + from + (to - from) / 5);
        let mut line = Vec::new();
        if has_failed_try {
            output.planted("failed tries");
            writeln!(line, "ins_{first},{name},{job},{kind},Failed,{start},{middle},m_{machine},1,{tries},,,,")?;
            self.instances.row(&line, Fate::Kept, &[None; 4])?;
            output.tick();
        }
        let begin = if has_failed_try { middle } else { start };
        let end = match (is_seen, is_instant) {
            (false, _) => 0,
            (true, true) => begin,
            (true, false) => BEGIN_SECONDS + to,
        };
        let status = if is_seen { "Terminated" } else { "Running" };
        let (_, largest) = SynthFormat::Alibaba2018.largest_machine().unwrap_or((1.0, 1.0));
        let size = |bytes: f64| Decimal::fixed(100.0 * bytes / largest, 2);
        let cells = [
            Decimal::integer(whole(100.0 * window.cores)),
            Decimal::integer(whole(100.0 * window.cores_max)),
            size(window.memory),
            size(window.memory_max),
        ];
        need.add(cells[0].value(), cells[3].value());
        // Only what has ended has been measured.
        let cells = cells.map(|cell| is_seen.then_some(cell));
        line.clear();
        write!(line, "ins_{first},{name},{job},{kind},{status},{begin},{end},m_{machine},{tries},{tries},")?;
        for cell in cells {
            push_cell(&mut line, cell);
        }
        end_line(&mut line);
        output.tick();
        self.instances.row(&line, Fate::Kept, &cells)
    }
}

/// Which instance of which task; `number` counts over all tasks of the job.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    kind: usize,
    number: u64,
    from: i64,
    to: i64,
}
