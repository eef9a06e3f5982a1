//! From a header and the user's mapping to what is read from which column.

use super::mapping::{Home, Mapping, Step, Target};

/// The two tables.
pub(super) const SERIES: &str = "series";
/// The second of them.
pub(super) const WORKLOADS: &str = "workloads";

/// A sample needs one of these.
const USE: [Target; 10] = [
    Target::Cpu,
    Target::CpuMax,
    Target::Memory,
    Target::MemoryMax,
    Target::CpuOfRequest,
    Target::MemoryOfRequest,
    Target::NetworkReceived,
    Target::NetworkTransmitted,
    Target::DiskRead,
    Target::DiskWritten,
];

/// A table is a series where it has one of these, and a time.
const MAIN_USE: [Target; 4] = [Target::Cpu, Target::Memory, Target::CpuOfRequest, Target::MemoryOfRequest];

/// One column that is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlannedColumn {
    /// What it is; nothing for a label.
    pub(super) target: Option<Target>,
    /// Its name in the user's file.
    pub(super) name: String,
    /// Its position there.
    pub(super) place: usize,
    /// What is done to its numbers.
    pub(super) steps: Vec<Step>,
}

/// What is read from a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// The columns, in the order of [`Target::ALL`], labels last in file order.
    pub(super) columns: Vec<PlannedColumn>,
}

impl Plan {
    /// Returns whether the table has the column.
    pub(super) fn has(&self, target: Target) -> bool {
        self.columns.iter().any(|column| column.target == Some(target))
    }
}

/// Where a column of the format is found.
enum Found<'a> {
    /// In this column.
    Column(usize, &'a [Step]),
    /// Nowhere, though the user named a column for it.
    NotWhereMapped(&'a Mapping),
    /// Nowhere.
    Nowhere,
}

/// Looks for the columns that the user named, in that order, then for the column of the target's own name.
fn find<'a>(target: Target, header: &[String], map: &'a [Mapping]) -> Found<'a> {
    let place = |name: &str| {
        let exact = header.iter().position(|column| column == name);
        exact.or_else(|| header.iter().position(|column| column.eq_ignore_ascii_case(name)))
    };
    let mut mapped = None;
    for mapping in map.iter().filter(|mapping| mapping.target == target) {
        match place(&mapping.source) {
            Some(place) => return Found::Column(place, &mapping.steps),
            None => mapped = mapped.or(Some(mapping)),
        }
    }
    match (place(target.name()), mapped) {
        (Some(place), _) => Found::Column(place, &[]),
        (None, Some(mapping)) => Found::NotWhereMapped(mapping),
        (None, None) => Found::Nowhere,
    }
}

fn has(target: Target, header: &[String], map: &[Mapping]) -> bool {
    matches!(find(target, header, map), Found::Column(..))
}

/// Returns the table that a header belongs to.
pub(super) fn recognise(header: &[String], map: &[Mapping]) -> Option<&'static str> {
    let any = |targets: &[Target]| targets.iter().any(|&target| has(target, header, map));
    if is_unpivoted(header) || (any(&[Target::Time, Target::Offset]) && any(&MAIN_USE)) {
        return Some(SERIES);
    }
    let facts: Vec<Target> =
        Target::ALL.into_iter().filter(|&target| target != Target::Ignore && target.home() != Home::Series).collect();
    (has(Target::Workload, header, map) && any(&facts[1..])).then_some(WORKLOADS)
}

/// Annotated CSV of `InfluxDB`: one row per field, with the field's name in a column.
fn is_unpivoted(header: &[String]) -> bool {
    ["_field", "_value", "_time"].iter().all(|name| header.iter().any(|column| column == name))
}

/// Returns what is read from a table with this header, or what is wrong with it.
pub(super) fn plan(table: &'static str, header: &[String], map: &[Mapping]) -> Result<Plan, String> {
    if is_unpivoted(header) {
        return Err(
            "it holds one row per field (InfluxDB); add `|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], \
                    valueColumn: \"_value\")` to the query, so that each row has all values of its time"
                .to_owned(),
        );
    }
    let other = if table == SERIES { Home::Workloads } else { Home::Series };
    let mut columns = Vec::new();
    for target in Target::ALL.into_iter().filter(|target| target.home() != other && *target != Target::Ignore) {
        match find(target, header, map) {
            Found::Column(place, steps) => columns.push(PlannedColumn {
                target: Some(target),
                name: header[place].clone(),
                place,
                steps: steps.to_vec(),
            }),
            // A fact may stand in either table; the workload must stand where the user says it does.
            Found::NotWhereMapped(mapping) if target.home() != Home::Both || target == Target::Workload => {
                return Err(format!(
                    "there is no column `{}`, which `--map {mapping}` names; the columns are {}",
                    mapping.source,
                    list(header)
                ));
            }
            Found::NotWhereMapped(_) | Found::Nowhere => {}
        }
    }
    let plan = Plan { columns };
    if table == SERIES { check_series(plan, header) } else { with_labels(plan, header, map) }
}

fn check_series(mut plan: Plan, header: &[String]) -> Result<Plan, String> {
    if !plan.has(Target::Time) && !plan.has(Target::Offset) {
        return Err(format!(
            "there is no column `time_s` (or `offset_s`, seconds since the workload's own start); the columns are {}",
            list(header)
        ));
    }
    if !USE.iter().any(|&target| plan.has(target)) {
        return Err(format!("there is no column `cpu_cores` or `memory_bytes`; the columns are {}", list(header)));
    }
    if plan.has(Target::Time) {
        // The common clock says more than the workload's own.
        plan.columns.retain(|column| column.target != Some(Target::Offset));
    }
    Ok(plan)
}

fn with_labels(mut plan: Plan, header: &[String], map: &[Mapping]) -> Result<Plan, String> {
    if !plan.has(Target::Workload) {
        return Err(format!("there is no column `workload`; the columns are {}", list(header)));
    }
    let is_ignored = |name: &str| {
        let mut ignored = map.iter().filter(|mapping| mapping.target == Target::Ignore);
        ignored.any(|mapping| mapping.source.eq_ignore_ascii_case(name))
    };
    for (place, name) in header.iter().enumerate() {
        if !name.is_empty() && !plan.columns.iter().any(|column| column.place == place) && !is_ignored(name) {
            plan.columns.push(PlannedColumn { target: None, name: name.clone(), place, steps: Vec::new() });
        }
    }
    Ok(plan)
}

/// Returns the first column names, for a message.
pub(super) fn list(header: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = header.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if header.len() > SHOWN { format!(" and {} more", header.len() - SHOWN) } else { String::new() };
    shown.join(", ") + &more
}
