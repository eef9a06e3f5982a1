//! Synthetic traces in the real formats, with planted archetypes and a truth file, the same bytes for the same seed.
//!
//! Input: a format, how many workloads and days, a seed. Output: a folder in the layout of the real trace, beside it
//! `truth.csv` (what each workload really is and needs) and `EXPECTED.json` (what a reader of the folder must count).
//! What is wrong with the real traces is planted in small numbers, so that readers meet it.
//!
//! A workload is a function of the seed and its number, never of what was made before; numbers and functions are
//! portable (`chance`), so any machine writes the same bytes. Rows are written as they are made: memory holds what is
//! alive at one moment of the trace, not its rows.

mod alibaba_2018;
mod behaviour;
mod chance;
mod decimal;
mod fleet;
mod google_2011;
mod google_2019;
mod output;
mod table;
mod timeline;
mod truth;

use std::path::Path;

use crate::trace::source::Progress;

pub use behaviour::Archetype;
pub use output::{SynthFile, SynthReport};

/// A format in which traces can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SynthFormat {
    /// Tasks of one Borg cell: events and windows of 300 s as CSV parts.
    Google2011,
    /// Instances of Borg collections: events and windows of 300 s as JSON Lines.
    Google2019,
    /// Containers on a grid of 10 s, batch tasks with their instances, machines.
    Alibaba2018,
    /// A user's own table: samples every 5 s for ten minutes, then every 60 s.
    Table,
}

impl SynthFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Google2011, Self::Google2019, Self::Alibaba2018, Self::Table];

    /// Returns its name on the command line, which is that of the reader.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Google2011 => "google-2011",
            Self::Google2019 => "google-2019",
            Self::Alibaba2018 => "alibaba-2018",
            Self::Table => "table",
        }
    }

    /// Returns the cores and bytes of the largest machine, which is 1.0 in the Google traces and 100 (memory) in
    /// Alibaba's; nothing where the trace is in cores and bytes.
    pub const fn largest_machine(self) -> Option<(f64, f64)> {
        const GIB: f64 = 1_073_741_824.0;
        match self {
            Self::Google2011 => Some((32.0, 128.0 * GIB)),
            Self::Google2019 => Some((64.0, 256.0 * GIB)),
            Self::Alibaba2018 => Some((96.0, 512.0 * GIB)),
            Self::Table => None,
        }
    }

    /// Returns how long workloads live compared with the Google traces: users' tables are finer and shorter.
    const fn life_scale(self) -> f64 {
        match self {
            Self::Table => 0.45,
            _ => 1.0,
        }
    }

    /// Returns a request as owners of that system write it, rounded up.
    fn rounded_request(self, cores: f64, memory: f64) -> fleet::Allocation {
        let up = |value: f64, step: f64| (value / step).ceil().max(1.0) * step;
        let (core_step, memory_step) = match (self, self.largest_machine()) {
            // Half cores, and hundredths of the scale of 0 to 100.
            (Self::Alibaba2018, Some((_, bytes))) => (0.5, bytes / 10_000.0),
            // Billionths: the real ones have four significant digits.
            (_, Some((cores, bytes))) => (cores / 8192.0, bytes / 131_072.0),
            (_, None) => (0.05, 16_777_216.0),
        };
        fleet::Allocation { cores: up(cores, core_step), memory: up(memory, memory_step) }
    }
}

impl std::str::FromStr for SynthFormat {
    type Err = SynthError;

    fn from_str(text: &str) -> Result<Self, SynthError> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| SynthError::UnknownFormat { name: text.to_owned() })
    }
}

/// How files are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// Each file is a gzip stream, as published.
    #[default]
    Gzip,
    /// Plain text.
    Plain,
}

/// How large a trace is, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SynthParams {
    /// Workloads, at least 1.
    pub workloads: u64,
    /// Days of the trace, at least 1.
    pub days: u32,
    /// Another seed gives another trace.
    pub seed: u64,
}

/// Most workloads; numbers of jobs and rows stay far inside 64 bits.
const MOST_WORKLOADS: u64 = 100_000_000;
/// Most days: ten years.
const MOST_DAYS: u32 = 3653;

/// Why no trace was made.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// There is no such format.
    #[error("`{name}` is no format of a synthetic trace: expected one of {}", format_names())]
    UnknownFormat {
        /// What was asked for.
        name: String,
    },
    /// The number of workloads is 0 or too large.
    #[error("a trace has 1 to {MOST_WORKLOADS} workloads, not {workloads}")]
    Workloads {
        /// What was asked for.
        workloads: u64,
    },
    /// The number of days is 0 or too large.
    #[error("a trace has 1 to {MOST_DAYS} days, not {days}")]
    Days {
        /// What was asked for.
        days: u32,
    },
    /// The folder holds something, which would become part of the trace.
    #[error("the folder `{folder}` is not empty")]
    NotEmpty {
        /// The folder.
        folder: String,
    },
    /// A file cannot be written; the text names it.
    #[error("{0}")]
    Write(#[from] std::io::Error),
}

fn format_names() -> String {
    SynthFormat::ALL.map(|format| format!("`{}`", format.name())).join(", ")
}

impl SynthParams {
    fn check(self) -> Result<Self, SynthError> {
        if !(1..=MOST_WORKLOADS).contains(&self.workloads) {
            return Err(SynthError::Workloads { workloads: self.workloads });
        }
        if !(1..=MOST_DAYS).contains(&self.days) {
            return Err(SynthError::Days { days: self.days });
        }
        Ok(self)
    }
}

/// Writes a trace into the folder `out`, which must be empty or not exist, and returns what was written.
///
/// `EXPECTED.json` is written last: a folder without it is the leftover of a stopped run.
///
/// # Errors
/// Parameters out of range, a folder that is not empty, or a file that cannot be written.
pub fn generate(
    format: SynthFormat,
    params: SynthParams,
    packing: Packing,
    out: &Path,
    progress: &dyn Progress,
) -> Result<SynthReport, SynthError> {
    let params = params.check()?;
    let fleet = fleet::Fleet::new(format, params);
    let mut output = output::Output::create(out, packing, progress)?;
    match format {
        SynthFormat::Google2011 => google_2011::write(&fleet, &mut output)?,
        SynthFormat::Google2019 => google_2019::write(&fleet, &mut output)?,
        SynthFormat::Alibaba2018 => alibaba_2018::write(&fleet, &mut output)?,
        SynthFormat::Table => table::write(&fleet, &mut output)?,
    }
    Ok(output.finish(format, params)?)
}
