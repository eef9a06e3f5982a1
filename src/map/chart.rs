//! What is shown of each point: its name, what is known of it, and its use in outline.

use std::collections::{BTreeMap, BTreeSet};

use crate::predict::{Knowledge, Remembered, Resource, Scale};
use crate::profile::{Outline, RunName, read_outlines};
use crate::store::{Store, Workload};
use crate::trace::source::Progress;

use super::{Layout, MapError};

/// Steps of an outline: as many as a card is wide enough for.
pub const OUTLINE_STEPS: usize = 40;

/// Labels beyond this many are left out: a card is for a glance.
const MOST_LABELS: usize = 20;

/// A map with everything that a picture or a table of it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Learning window, in words.
    pub window: String,
    /// Workloads that the index holds; more than there are places where a sample was drawn.
    pub stored: usize,
    /// The places.
    pub layout: Layout,
    /// Name of each.
    pub names: Vec<String>,
    /// What is known of them.
    pub columns: Vec<Column>,
    /// Their use over their life; empty, or one per place.
    pub outlines: Vec<Outline>,
    /// Newcomers, placed approximately.
    pub newcomers: Vec<PlacedNewcomer>,
}

/// One thing that is known of workloads.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name, by which it is asked for.
    pub name: String,
    /// A value per place.
    pub values: Values,
}

/// Values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Words: the different ones, most frequent first, and which each place has.
    Words(Vec<String>, Vec<Option<u32>>),
    /// Numbers.
    Numbers(Unit, Vec<Option<f64>>),
}

/// What numbers of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Cores.
    Cores,
    /// Seconds.
    Seconds,
    /// Shares of the largest machine, whose size is not known.
    Machine,
}

/// A newcomer on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedNewcomer {
    /// Its name.
    pub name: String,
    /// Its place, approximately.
    pub place: [f64; 2],
    /// Names of its nearest stored workloads, nearest first.
    pub nearest: Vec<String>,
    /// What was seen of it.
    pub outline: Outline,
}

impl Chart {
    /// Puts names and what the store knows beside a layout. Reads the table of workloads, and with `has_outlines` the samples of
    /// all workloads on the map, once; each is told to `progress` as a row.
    ///
    /// # Errors
    /// The store is damaged.
    pub fn read(
        store: &Store,
        knowledge: &Knowledge,
        layout: Layout,
        has_outlines: bool,
        progress: &dyn Progress,
    ) -> Result<Self, MapError> {
        let all = knowledge.all()?;
        let rows: Vec<&Remembered> = layout.rows.iter().filter_map(|&row| all.get(row as usize)).collect();
        let workloads = store.workloads()?;
        let stored: BTreeMap<(&str, &str, u32), &Workload> =
            workloads.iter().map(|one| ((one.format.as_str(), one.id.as_str(), one.run), one)).collect();
        let facts: Vec<Option<&Workload>> =
            rows.iter().map(|row| stored.get(&(row.format.as_str(), row.id.as_str(), row.run)).copied()).collect();
        let scale = Scale::new(store.manifest().units, store.manifest().machine);
        let mut outlines = Vec::new();
        if has_outlines {
            let runs: Vec<RunName<'_>> =
                rows.iter().map(|row| (row.format.as_str(), row.id.as_str(), row.run)).collect();
            let life = |run: &Workload| {
                let run = run.as_sampled();
                (run.start.unwrap_or_default(), run.end.unwrap_or_default())
            };
            let read = read_outlines(store, &runs, &life, OUTLINE_STEPS, progress)?;
            outlines.extend(read.into_iter().map(|outline| in_units(outline, &scale)));
        }
        Ok(Self {
            window: knowledge.params().window.length.to_string(),
            stored: knowledge.rows(),
            names: rows.iter().map(|row| row.name()).collect(),
            columns: columns(&rows, &facts, &scale),
            outlines,
            layout,
            newcomers: Vec::new(),
        })
    }

    /// Returns the column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the column that colours the points: the one asked for, else the first.
    ///
    /// # Errors
    /// [`MapError::NoColumn`] with those that there are.
    pub fn coloured_by(&self, asked: Option<&str>) -> Result<Option<&Column>, MapError> {
        let Some(asked) = asked else { return Ok(self.columns.first()) };
        self.column(asked).map(Some).ok_or_else(|| MapError::NoColumn {
            asked: asked.to_owned(),
            known: self.columns.iter().map(|column| column.name.clone()).collect(),
        })
    }
}

impl Chart {
    /// Returns the title of its pictures.
    pub(super) fn heading(&self) -> String {
        let shown = self.names.len();
        let of = if shown < self.stored { format!(" of {}", grouped(self.stored)) } else { String::new() };
        format!("{}{of} workloads by their first {}", grouped(shown), self.window)
    }

    /// Returns how it was made and is to be read.
    pub(super) fn caption(&self) -> String {
        let layout = &self.layout;
        format!(
            "t-SNE of {} different fingerprints, perplexity {:.0}, divergence {:.2}: near is alike, far and size mean nothing",
            grouped(layout.distinct),
            layout.perplexity,
            layout.divergence
        )
    }

    /// Returns the lowest and the highest coordinates of all places.
    pub(super) fn corners(&self) -> ([f64; 2], [f64; 2]) {
        let newcomers = self.newcomers.iter().map(|newcomer| &newcomer.place);
        let mut corners = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for place in self.layout.places.iter().chain(newcomers) {
            for (axis, &coordinate) in place.iter().enumerate() {
                corners.0[axis] = corners.0[axis].min(coordinate);
                corners.1[axis] = corners.1[axis].max(coordinate);
            }
        }
        if self.layout.places.is_empty() { ([0.0; 2], [0.0; 2]) } else { corners }
    }
}

fn columns(rows: &[&Remembered], facts: &[Option<&Workload>], scale: &Scale) -> Vec<Column> {
    let words = |name: &str, of: &dyn Fn(usize) -> Option<String>| {
        let values: Vec<Option<String>> = (0..rows.len()).map(of).collect();
        Column { name: name.to_owned(), values: words(&values) }
    };
    let fact = |position: usize| facts[position];
    let mut columns = vec![
        words("application", &|at| rows[at].application.clone()),
        words("user", &|at| rows[at].user.clone()),
        words("class", &|at| rows[at].class.clone()),
        words("priority", &|at| fact(at)?.priority.map(|priority| priority.to_string())),
        words("ending", &|at| fact(at).map(|fact| fact.ending.name().to_owned())),
        words("format", &|at| Some(rows[at].format.clone())),
    ];
    let keys: BTreeSet<&String> = facts.iter().flatten().flat_map(|fact| fact.labels.keys()).collect();
    for key in keys.into_iter().take(MOST_LABELS) {
        let is_taken = columns.iter().any(|column| column.name == *key);
        let name = if is_taken { format!("label:{key}") } else { key.clone() };
        columns.push(words(&name, &|at| fact(at)?.labels.get(key).cloned()));
    }
    let number = |name: &str, unit: Unit, of: &dyn Fn(usize) -> Option<f64>| {
        let values = (0..rows.len()).map(|at| of(at).filter(|value| value.is_finite())).collect();
        Column { name: name.to_owned(), values: Values::Numbers(unit, values) }
    };
    let (memory, bytes) = memory_unit(scale);
    let (cpu, cores) = cpu_unit(scale);
    let need = |at: usize, resource: Resource| rows[at].needs[resource as usize];
    columns.push(number("memory", memory, &|at| Some(need(at, Resource::Memory)?.need * bytes)));
    columns.push(number("cpu", cpu, &|at| Some(need(at, Resource::Cpu)?.need * cores)));
    columns.push(number("memory-request", memory, &|at| Some(need(at, Resource::Memory)?.request? * bytes)));
    columns.push(number("cpu-request", cpu, &|at| Some(need(at, Resource::Cpu)?.request? * cores)));
    columns.push(number("lifetime", Unit::Seconds, &|at| {
        let run = fact(at)?.as_sampled();
        Some(run.end?.minus(run.start?).as_seconds())
    }));
    columns.retain(|column| match &column.values {
        Values::Words(names, _) => !names.is_empty(),
        Values::Numbers(_, values) => values.iter().any(Option::is_some),
    });
    columns
}

/// Returns the unit of memory and what the store's numbers are multiplied by.
fn memory_unit(scale: &Scale) -> (Unit, f64) {
    scale.bytes_per_unit.map_or((Unit::Machine, 1.0), |bytes| (Unit::Bytes, bytes))
}

/// Returns the unit of CPU and what the store's numbers are multiplied by.
fn cpu_unit(scale: &Scale) -> (Unit, f64) {
    scale.cores_per_unit.map_or((Unit::Machine, 1.0), |cores| (Unit::Cores, cores))
}

/// Returns the different words, most frequent first, then by name.
fn words(values: &[Option<String>]) -> Values {
    let mut counts: BTreeMap<&String, u64> = BTreeMap::new();
    for value in values.iter().flatten() {
        *counts.entry(value).or_default() += 1;
    }
    let mut order: Vec<(&String, u64)> = counts.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let numbers: BTreeMap<&String, u32> = order.iter().map(|(name, _)| *name).zip(0..).collect();
    let of = values.iter().map(|value| numbers.get(value.as_ref()?).copied()).collect();
    Values::Words(order.iter().map(|(name, _)| (*name).clone()).collect(), of)
}

/// Returns an outline in the units of the chart.
pub fn in_units(mut outline: Outline, scale: &Scale) -> Outline {
    let (cores, bytes) = (cpu_unit(scale).1, memory_unit(scale).1);
    for cpu in outline.cpu.iter_mut().flatten() {
        *cpu *= cores;
    }
    for memory in outline.memory.iter_mut().flatten() {
        *memory *= bytes;
    }
    outline
}

impl Unit {
    /// Returns a number as people read it.
    pub fn shown(self, value: f64) -> String {
        match self {
            Self::Cores => format!("{} cores", digits(value)),
            Self::Machine => format!("{} machines", digits(value)),
            Self::Seconds => scaled(value, &[(1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "d")]),
            Self::Bytes => {
                let units = [(1.0, "B"), (1024.0, "KiB"), (1_048_576.0, "MiB"), (1_073_741_824.0, "GiB")];
                scaled(value, &units)
            }
        }
    }
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fits = units.iter().rev().find(|(size, _)| value.abs() >= 0.9995 * size);
    let (size, name) = fits.or(units.first()).copied().unwrap_or((1.0, ""));
    format!("{} {name}", digits(value / size))
}

/// Returns a count with commas between thousands.
pub(super) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns three significant digits.
fn digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    // 1023.999 MiB is 1.00 GiB, not 1.000.
    let value: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a double is small")]
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = usize::try_from(2 - magnitude).unwrap_or(0).min(9);
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        let bytes = [0.0, 512.0, 1536.0, 402_653_184.0, 1_073_741_823.0].map(|value| Unit::Bytes.shown(value));
        assert_eq!(bytes, ["0 B", "512 B", "1.50 KiB", "384 MiB", "1.00 GiB"]);
        let seconds = [12.0, 90.0, 7200.0, 200_000.0].map(|value| Unit::Seconds.shown(value));
        assert_eq!(seconds, ["12.0 s", "1.50 min", "2.00 h", "2.31 d"]);
        assert_eq!(Unit::Cores.shown(0.012_34), "0.0123 cores");
        assert_eq!(Unit::Machine.shown(0.5), "0.500 machines");
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn words_are_numbered_by_how_often_they_come() {
        let values = ["b", "a", "c", "a", "b", "d"].map(|word| Some(word.to_owned()));
        let Values::Words(names, of) = words(&[&values[..], &[None]].concat()) else { panic!("words") };
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert_eq!(of, [Some(1), Some(0), Some(2), Some(0), Some(1), Some(3), None]);
    }
}
