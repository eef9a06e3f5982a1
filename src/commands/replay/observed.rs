//! Errors against seconds observed, for people: one row per rival, one column per window, memory, the workloads that
//! could be asked at every window. The rest is in the JSON and CSV.

use crate::error::CommandError;
use crate::replay::{Alive, Observed, ObservedRow, ReplayReport, Resource};
use crate::ui::{Align, Table, Ui, human};

/// Its answers say nothing about what was seen.
const ORACLE: &str = "oracle";

/// A figure of a row as it is shown.
type Shown<'a> = &'a dyn Fn(&ObservedRow) -> Option<String>;

pub(super) fn show(ui: &Ui, report: &ReplayReport) -> Result<(), CommandError> {
    let Some(observed) = &report.seconds_observed else { return Ok(()) };
    let asked: Vec<String> = observed.windows.iter().map(|window| human::count(window.queries)).collect();
    ui.data_text(&format!(
        "\nseconds observed: {} could be asked at every window; asked at each: {}\n",
        human::counted(observed.alive_at_every_window, "workload", "workloads"),
        asked.join(", ")
    ))?;
    let at = human::share(1.0 - observed.target);
    let (unit, factor) = super::tables::unit(report, Resource::Memory);
    let waste = |row: &ObservedRow| row.waste_at_target.map(|waste| human::significant(waste * factor));
    let error = |row: &ObservedRow| row.log_ratio_median.map(|error| human::significant(error.exp()));
    let silent = |row: &ObservedRow| row.unanswered.map(human::share);
    let mut tables: Vec<(String, Shown<'_>)> = vec![
        (format!("memory, mean waste at {at} coverage, {unit}"), &waste),
        ("memory, median error at the default setting, as a factor above or below the need".to_owned(), &error),
    ];
    if observed.rows.iter().any(|row| row.rival != ORACLE && row.unanswered.is_some_and(|share| share > 0.0)) {
        tables.push(("share of workloads that the rival did not answer itself".to_owned(), &silent));
    }
    for (heading, figure) in tables {
        ui.data_text(&format!("\n{heading}\n"))?;
        ui.data_table(&table(observed, figure))?;
    }
    Ok(())
}

fn table(observed: &Observed, figure: Shown<'_>) -> Table {
    let names: Vec<String> = observed.windows.iter().map(|window| format!("{} s", window.window_seconds)).collect();
    let mut columns = vec![("rival", Align::Left)];
    columns.extend(names.iter().map(|name| (name.as_str(), Align::Right)));
    let mut table = Table::new(columns);
    let counted: Vec<&ObservedRow> = observed
        .rows
        .iter()
        .filter(|row| row.alive == Alive::AtEveryWindow && row.resource == Resource::Memory)
        .collect();
    let mut rivals: Vec<&str> = Vec::new();
    for row in &counted {
        // Without any answer a rival's figures are those of the owner's requests.
        let answers =
            counted.iter().any(|other| other.rival == row.rival && other.unanswered.is_some_and(|one| one < 1.0));
        if answers && row.rival != ORACLE && !rivals.contains(&row.rival) {
            rivals.push(row.rival);
        }
    }
    for rival in rivals {
        let cell = |seconds: f64| {
            let row = counted.iter().find(|row| row.rival == rival && row.window_seconds.total_cmp(&seconds).is_eq());
            row.and_then(|row| figure(row)).unwrap_or_else(|| "-".to_owned())
        };
        let mut cells = vec![rival.to_owned()];
        cells.extend(observed.windows.iter().map(|window| cell(window.window_seconds)));
        table.row(cells);
    }
    table
}
