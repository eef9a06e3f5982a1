//! The closed loop for people: one line per rival, under F0, every day weighing the same. The rest is in the JSON and CSV.

use crate::error::CommandError;
use crate::replay::{ClosedRow, FeedbackModel, Lives, ReplayReport, Resource, SplitReport, Weighting};
use crate::ui::{Align, Table, Ui, human};

pub(super) fn show(ui: &Ui, report: &ReplayReport) -> Result<(), CommandError> {
    for split in report.splits.iter().filter(|split| !split.closed_loop.is_empty()) {
        let memory = rows(split, Resource::Memory);
        let most = |count: fn(&ClosedRow) -> u64| memory.iter().map(|row| count(row)).max().unwrap_or(0);
        let prefix = if report.splits.len() > 1 {
            format!("{} split, ", super::tables::name(split.split))
        } else {
            String::new()
        };
        ui.data_text(&format!(
            "\n{prefix}closed loop (F0): {} led from the first answer to the end, {} of {}\n",
            human::counted(most(|row| row.runs), "run", "runs"),
            human::counted(most(|row| row.task_days), "task-day", "task-days"),
            human::counted(most(|row| row.job_days), "job-day", "job-days"),
        ))?;
        ui.data_table(&table(&memory, &rows(split, Resource::Cpu)))?;
        ui.data_text(
            "slack: (mean allocation - p95 of five-minute means) / mean allocation, mean over job-days; of peaks: with five-minute \
             peaks\nOOM-free: task-days without a kill; changes: of memory or CPU, per task-day after the first answer\n",
        )?;
    }
    Ok(())
}

fn rows(split: &SplitReport, resource: Resource) -> Vec<&ClosedRow> {
    let is_shown = |row: &&ClosedRow| {
        row.resource == resource
            && row.model == FeedbackModel::F0
            && row.weighting == Weighting::Workload
            && row.lives == Lives::All
    };
    split.closed_loop.iter().filter(is_shown).collect()
}

fn table(memory: &[&ClosedRow], cpu: &[&ClosedRow]) -> Table {
    let mut table = Table::new([
        ("rival", Align::Left),
        ("memory slack %", Align::Right),
        ("of peaks %", Align::Right),
        ("OOM-free %", Align::Right),
        ("OOM kills/day", Align::Right),
        ("changes", Align::Right),
        ("CPU slack %", Align::Right),
        ("time above %", Align::Right),
        ("changes", Align::Right),
    ]);
    let percent = |share: Option<f64>| share.map_or_else(String::new, |share| human::significant(share * 100.0));
    // Two digits would make 99.5 and 99.8 one.
    let safe = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{:.2}", share * 100.0));
    let amount = |value: Option<f64>| value.map_or_else(String::new, human::significant);
    for row in memory {
        let cpu = cpu.iter().find(|other| other.rival == row.rival);
        table.row([
            row.rival.to_owned(),
            percent(row.relative_slack_mean),
            percent(row.peak_slack_mean),
            safe(row.oom_free_task_days),
            amount(row.oom_kills_per_task_day),
            amount(row.changes_per_task_day),
            percent(cpu.and_then(|cpu| cpu.relative_slack_mean)),
            percent(cpu.and_then(|cpu| cpu.time_above)),
            amount(cpu.and_then(|cpu| cpu.changes_per_task_day)),
        ]);
    }
    table
}
