//! What the window shows of a subject and of those that resemble it, side by side.

use crate::error::CommandError;
use crate::predict::{Evidence, Knowledge, Remembered, Scale, Sighting};
use crate::profile::{Outline, RunName, outline, read_outlines};
use crate::store::{Store, Workload};
use crate::trace::UnitContract;
use crate::trace::source::Silent;
use crate::ui::{Align, Table, Ui, human, sparkline};
use crate::units::Micros;

/// Steps of an outline: both fit beside a name on a terminal of 100 columns.
const STEPS: usize = 20;

/// In a store of more samples they are not searched for the few that are shown: that takes longer than a person waits.
const MOST_SAMPLES: u64 = 20_000_000;

/// The subject first, then the others, nearest first, all in the store's units.
pub(super) struct Outlines {
    names: Vec<String>,
    outlines: Vec<Outline>,
}

/// Whose outline stands first.
pub(super) enum Subject<'a> {
    /// A newcomer, in the units of its sample.
    Newcomer(&'a Sighting, UnitContract),
    /// A stored run.
    Stored(&'a Remembered),
}

impl Outlines {
    /// Reads what the first `length` of the neighbours shows. Nothing in a store that is too large to look for them.
    pub(super) fn read(
        ui: &Ui,
        store: &Store,
        knowledge: &Knowledge,
        subject: &Subject<'_>,
        neighbours: &[Evidence],
    ) -> Result<Option<Self>, CommandError> {
        if store.manifest().totals.samples > MOST_SAMPLES {
            ui.say("the store is too large to look up what its workloads showed; `-o json` has the rest");
            return Ok(None);
        }
        // A row that is longer than the window is taken whole.
        let seconds = knowledge.covered_seconds().max(knowledge.params().window.length.as_seconds());
        let length = Micros::from_seconds_f64(seconds)?;
        let all = knowledge.all()?;
        let mut rows = Vec::with_capacity(neighbours.len() + 1);
        for one in neighbours {
            rows.extend(knowledge.row_named(&one.workload)?.and_then(|row| all.get(row)));
        }
        let stored = match subject {
            Subject::Newcomer(..) => None,
            Subject::Stored(row) => Some(*row),
        };
        let rows: Vec<&Remembered> = stored.into_iter().chain(rows).collect();
        let runs: Vec<RunName<'_>> = rows.iter().map(|row| (row.format.as_str(), row.id.as_str(), row.run)).collect();
        let span = |run: &Workload| {
            let start = run.as_sampled().start.unwrap_or_default();
            (start, start.plus(length))
        };
        let mut outlines = read_outlines(store, &runs, &span, STEPS, &Silent)?;
        let mut names: Vec<String> = rows.iter().map(|row| row.name()).collect();
        let scale = Scale::new(store.manifest().units, store.manifest().machine);
        for outline in &mut outlines {
            scaled(outline, &scale);
        }
        if let Subject::Newcomer(sighting, units) = subject {
            let mut seen = outline(&sighting.samples, sighting.start, sighting.start.plus(length), STEPS);
            scaled(&mut seen, &Scale::new(*units, store.manifest().machine));
            outlines.insert(0, seen);
            names.insert(0, sighting.name.clone());
        }
        Ok(Some(Self { names, outlines }))
    }

    /// Returns the table: each line from 0 to its own most, so that shapes are compared, with that most beside it.
    pub(super) fn table(&self, scale: &Scale) -> Table {
        let mut table = Table::new([
            ("workload", Align::Left),
            ("CPU in the window", Align::Left),
            ("at most", Align::Right),
            ("memory in the window", Align::Left),
            ("at most", Align::Right),
        ]);
        let most = |values: &[Option<f64>]| values.iter().copied().flatten().reduce(f64::max);
        for (name, outline) in self.names.iter().zip(&self.outlines) {
            let (cpu, memory) = (most(&outline.cpu), most(&outline.memory));
            table.row([
                name.clone(),
                cpu.map_or_else(String::new, |most| sparkline(&outline.cpu, most)),
                cpu.map_or_else(String::new, |most| cores(most, scale)),
                memory.map_or_else(String::new, |most| sparkline(&outline.memory, most)),
                memory.map_or_else(String::new, |most| size(most, scale)),
            ]);
        }
        table
    }
}

/// Brings an outline into cores and bytes where the machine's size is known.
fn scaled(outline: &mut Outline, scale: &Scale) {
    for cpu in outline.cpu.iter_mut().flatten() {
        *cpu *= scale.cores_per_unit.unwrap_or(1.0);
    }
    for memory in outline.memory.iter_mut().flatten() {
        *memory *= scale.bytes_per_unit.unwrap_or(1.0);
    }
}

fn cores(value: f64, scale: &Scale) -> String {
    let unit = if scale.cores_per_unit.is_some() { "cores" } else { "machines" };
    format!("{} {unit}", human::significant(value))
}

fn size(value: f64, scale: &Scale) -> String {
    if scale.bytes_per_unit.is_none() {
        return format!("{} machines", human::significant(value));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "memory in bytes; saturates")]
    let bytes = value.round() as u64;
    human::bytes(bytes)
}
