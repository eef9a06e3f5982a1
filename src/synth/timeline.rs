//! The Google traces in time order: events and windows of all workloads merged, with only the living in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use super::behaviour::{Walk, Window};
use super::chance::{Chance, Purpose};
use super::fleet::{BLOCK, Ending, Fleet, Plan};
use super::output::Output;
use super::truth::Need;

/// The trace begins at this time; what was before has time 0.
const BEGIN_SECONDS: i64 = 600;
/// Windows start on this grid unless a run starts or ends inside.
pub(super) const GRID_SECONDS: i64 = 300;
const MICROS: i64 = 1_000_000;
/// "After the trace".
pub(super) const AFTER: i64 = i64::MAX;
/// No event of a block lies earlier than this many seconds before the first possible start in it.
const LEAD_SECONDS: i64 = 90;

/// What happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    JobSubmit,
    JobSchedule,
    Submit,
    Queue,
    Schedule,
    Update,
    End(u8),
    JobEnd(u8),
}

/// An ending as it is kept in a [`Happening`], which has an order.
pub(super) const fn code(ending: Ending) -> u8 {
    match ending {
        Ending::Evict => 0,
        Ending::Fail => 1,
        Ending::Finish => 2,
        Ending::Kill => 3,
        Ending::Lost => 4,
    }
}

/// Something that happens at a time of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    /// Microseconds of the trace: 0 before it, [`AFTER`] after it.
    pub(super) time: i64,
    pub(super) happening: Happening,
    /// The run it belongs to.
    pub(super) run: usize,
}

/// One window of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimedWindow {
    /// Microseconds of the trace.
    pub(super) start: i64,
    /// Microseconds of the trace.
    pub(super) end: i64,
    pub(super) used: Window,
}

/// A workload with the numbers that decide about its rows.
pub(super) struct Task {
    pub(super) plan: Plan,
    /// For what is odd about its rows.
    pub(super) oddities: Chance,
    /// Whether a window was written.
    pub(super) is_written: bool,
}

/// What writes the tables of one format.
pub(super) trait Tables {
    /// Writes an event.
    fn event(&mut self, task: &mut Task, event: Event, output: &mut Output<'_>) -> io::Result<()>;
    /// Writes a window; returns whether a reader keeps a row of it.
    fn window(&mut self, task: &mut Task, window: &TimedWindow, output: &mut Output<'_>) -> io::Result<bool>;
    /// Writes the truth of a run.
    fn truth(&mut self, plan: &Plan, run: usize, seen: (bool, bool), need: &mut Need) -> io::Result<()>;
}

/// Returns seconds of the fleet's clock in microseconds of the trace.
pub(super) const fn micros(seconds: i64) -> i64 {
    (seconds + BEGIN_SECONDS) * MICROS
}

/// Returns the end of the window that starts at `start`, both in seconds, in a run that ends at `end`.
fn window_end(start: i64, end: i64) -> i64 {
    let on_grid = (start.div_euclid(GRID_SECONDS) + 1) * GRID_SECONDS;
    on_grid.min(end)
}

/// A workload between its first and its last row.
struct Alive {
    task: Task,
    events: Vec<Event>,
    next_event: usize,
    run: usize,
    window_start: i64,
    walk: Walk,
}

/// What comes next, in the order in which it is written: by time, events before windows and in their own order, then by
/// workload.
type Key = (i64, Option<Happening>, u64);

struct Entry {
    key: (i64, u8, Option<Happening>, u64),
    alive: Box<Alive>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Writes everything that happens, in time order.
pub(super) fn write(fleet: &Fleet, tables: &mut dyn Tables, output: &mut Output<'_>) -> io::Result<()> {
    let mut heap: BinaryHeap<Reverse<Entry>> = BinaryHeap::new();
    let mut next_block = 0;
    loop {
        while next_block < fleet.blocks()
            && heap.peek().is_none_or(|Reverse(entry)| earliest(fleet, next_block) <= entry.key.0)
        {
            for plan in fleet.block(next_block) {
                describe(fleet, &plan, tables)?;
                let alive = Box::new(Alive::new(fleet, plan));
                push(fleet, &mut heap, alive);
            }
            next_block += 1;
        }
        let Some(Reverse(Entry { key: (_, _, happening, _), mut alive })) = heap.pop() else { return Ok(()) };
        if happening.is_some() {
            let event = alive.events[alive.next_event];
            alive.next_event += 1;
            tables.event(&mut alive.task, event, output)?;
        } else {
            let window = alive.window();
            output.tick();
            if tables.window(&mut alive.task, &window, output)? && !std::mem::replace(&mut alive.task.is_written, true)
            {
                output.workload("series");
            }
        }
        push(fleet, &mut heap, alive);
    }
}

/// Returns a time before which nothing of a block happens, in microseconds of the trace.
fn earliest(fleet: &Fleet, block: u64) -> i64 {
    let first = (block * BLOCK).saturating_sub(fleet.at_beginning);
    if first == 0 {
        return 0;
    }
    micros(fleet.least_start(block * BLOCK) - LEAD_SECONDS).max(0)
}

fn push(fleet: &Fleet, heap: &mut BinaryHeap<Reverse<Entry>>, mut alive: Box<Alive>) {
    if let Some((time, happening, number)) = alive.next(fleet) {
        heap.push(Reverse(Entry { key: (time, u8::from(happening.is_none()), happening, number), alive }));
    }
}

/// Hands out the truth of every run.
fn describe(fleet: &Fleet, plan: &Plan, tables: &mut dyn Tables) -> io::Result<()> {
    for (number, run) in plan.runs.iter().enumerate() {
        if run.start >= fleet.span {
            continue;
        }
        let mut walk = walk(fleet, plan, number);
        let mut need = Need::default();
        let mut start = run.start;
        while start < run.end {
            let end = window_end(start, run.end);
            let used = walk.window(start as f64, end as f64);
            need.add(used.cores, used.memory_max);
            start = end;
        }
        tables.truth(plan, number, (run.start >= 0, run.end <= fleet.span), &mut need)?;
    }
    Ok(())
}

fn walk(fleet: &Fleet, plan: &Plan, number: usize) -> Walk {
    let run = plan.runs[number];
    Walk::new(plan.behaviour, run.start, run.end - run.start, plan.series_chance(fleet.seed, number))
}

impl Alive {
    fn new(fleet: &Fleet, plan: Plan) -> Self {
        let walk = walk(fleet, &plan, 0);
        let oddities = Chance::new(fleet.seed, Purpose::Rows, plan.number);
        let window_start = plan.start();
        let events = events(fleet, &plan);
        let task = Task { plan, oddities, is_written: false };
        Self { task, events, next_event: 0, run: 0, window_start, walk }
    }

    /// Returns when the next row is due and of what kind; passes over windows that lie outside the trace.
    fn next(&mut self, fleet: &Fleet) -> Option<Key> {
        let number = self.task.plan.number;
        loop {
            let run = self.task.plan.runs.get(self.run).copied();
            if let Some(run) = run
                && self.window_start >= run.end
            {
                self.run += 1;
                if let Some(next) = self.task.plan.runs.get(self.run) {
                    self.window_start = next.start;
                    self.walk = walk(fleet, &self.task.plan, self.run);
                }
                continue;
            }
            if run.is_some() && self.window_start < 0 {
                self.window();
                continue;
            }
            let window = run.filter(|_| self.window_start < fleet.span).map(|_| micros(self.window_start));
            let event = self.events.get(self.next_event);
            return match (event, window) {
                (Some(event), Some(window)) if event.time > window => Some((window, None, number)),
                (Some(event), _) => Some((event.time, Some(event.happening), number)),
                (None, Some(window)) => Some((window, None, number)),
                (None, None) => None,
            };
        }
    }

    /// Returns the next window and moves on.
    fn window(&mut self) -> TimedWindow {
        let start = self.window_start;
        let end = window_end(start, self.task.plan.runs[self.run].end);
        let used = self.walk.window(start as f64, end as f64);
        self.window_start = end;
        TimedWindow { start: micros(start), end: micros(end), used }
    }
}

/// Returns the events of a workload in their order.
fn events(fleet: &Fleet, plan: &Plan) -> Vec<Event> {
    let mut chance = Chance::new(fleet.seed, Purpose::Rows, !plan.number);
    let mut fraction = || i64::try_from(chance.below(900_000)).unwrap_or_default();
    let mut events = Vec::new();
    let mut add = |time: i64, happening: Happening, run: usize| events.push(Event { time, happening, run });
    for (number, run) in plan.runs.iter().enumerate() {
        if run.start >= fleet.span {
            break;
        }
        let (submitted, scheduled) = if run.start < 0 {
            (0, 0)
        } else {
            // Windows begin at whole seconds, just after the event.
            let scheduled = micros(run.start) - 1 - fraction();
            (scheduled - 1 - 3 * fraction(), scheduled)
        };
        if number == 0 && plan.index == 0 {
            // The job is there before its tasks: in the same microsecond, with the order of happenings as tie-break.
            add(submitted, Happening::JobSubmit, number);
            add(scheduled, Happening::JobSchedule, number);
        }
        add(submitted, Happening::Submit, number);
        add(submitted.midpoint(scheduled), Happening::Queue, number);
        add(scheduled, Happening::Schedule, number);
        let has_update = plan.number % 19 == 3 && run.end - run.start > 1800;
        let middle = run.start.midpoint(run.end);
        if has_update && (1..fleet.span).contains(&middle) {
            add(micros(middle) - 1 - fraction(), Happening::Update, number);
        }
        if run.end <= fleet.span {
            let time = micros(run.end) + 1 + fraction();
            add(time, Happening::End(code(run.ending)), number);
            if plan.is_last_of_job && number + 1 == plan.runs.len() {
                add(time + 1000, Happening::JobEnd(code(run.ending)), number);
            }
        } else if plan.number.is_multiple_of(4) {
            // Some of what outlives the trace is known to have ended.
            add(AFTER, Happening::End(code(Ending::Kill)), number);
        }
    }
    events.sort();
    events
}
