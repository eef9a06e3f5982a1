//! `shadow synth`: a synthetic trace in one of the real formats, into a folder of its own.

use std::time::Instant;

use crate::cli::synth::{Synth, SynthFormat as FormatChoice};
use crate::error::{CommandError, Outcome};
use crate::synth::{Packing, SynthFormat, SynthParams, SynthReport, generate};
use crate::ui::{Align, Table, Ui, human};

pub(crate) fn run(ui: &Ui, args: &Synth) -> Result<Outcome, CommandError> {
    let format = SynthFormat::from(args.format);
    let params = SynthParams { workloads: args.workloads.get(), days: args.days.get(), seed: args.seed };
    let began = Instant::now();
    let report = {
        // How many rows there will be is known only when they are made.
        let progress = ui.steps("rows written", 0);
        generate(format, params, Packing::Gzip, &args.output, &progress)?
    };
    say(ui, &report, args, began);
    ui.hint(&format!("read it with `{}`", ingest_command(format, args)));
    Ok(Outcome::Done)
}

impl From<FormatChoice> for SynthFormat {
    fn from(choice: FormatChoice) -> Self {
        match choice {
            FormatChoice::Google2011 => Self::Google2011,
            FormatChoice::Google2019 => Self::Google2019,
            FormatChoice::Alibaba2018 => Self::Alibaba2018,
            FormatChoice::Table => Self::Table,
        }
    }
}

fn say(ui: &Ui, report: &SynthReport, args: &Synth, began: Instant) {
    let mut table = Table::new([
        ("file", Align::Left),
        ("table", Align::Left),
        ("rows", Align::Right),
        ("to be kept", Align::Right),
        ("to be rejected", Align::Right),
    ]);
    for (name, file) in &report.files {
        let rejected: u64 = file.rejected.values().sum();
        table.row([
            name.clone(),
            file.table.to_owned(),
            human::count(file.rows),
            human::count(file.kept),
            human::count(rejected),
        ]);
    }
    ui.say_table(&table);
    ui.say(&format!(
        "wrote {} of {} in {} into `{}` in {}; beside them `truth.csv` (what each workload is and needs) and \
         `EXPECTED.json` (what a reader must count)",
        human::counted(report.rows, "row", "rows"),
        human::counted(args.workloads.get(), "workload", "workloads"),
        human::counted(report.files.len() as u64, "file", "files"),
        args.output.display(),
        human::seconds(began.elapsed().as_secs_f64()),
    ));
}

/// Returns the command that reads the trace, with the size of its largest machine where amounts are shares of it.
fn ingest_command(format: SynthFormat, args: &Synth) -> String {
    let folder = args.output.display();
    let machine = format.largest_machine().map_or_else(String::new, |(cores, bytes)| {
        format!(" --machine-cores {cores} --machine-memory {}GiB", bytes / 1_073_741_824.0)
    });
    format!("shadow ingest {folder}{machine}")
}
