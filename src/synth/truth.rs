//! `truth.csv`: what each run of a workload really is and needs, in the units of the trace.
//!
//! A run is described as a whole, also the parts that lie before or after the trace: for those a reader can only know
//! that the need is at least what it saw. Peak and percentile are those of the samples the trace has for the run (or
//! would have), so for a run that lies inside they can be compared exactly.

use std::io::{self, Write};

use crate::trace::source::TRUTH_FILE;

use super::decimal::Decimal;
use super::output::Output;

/// The columns.
const HEADER: &[u8] = b"workload,run,application,user,archetype,start,end,start_seen,end_seen,memory_peak,cpu_p95\n";

/// The file.
pub(super) struct Truth {
    stream: Box<dyn Write>,
    line: Vec<u8>,
}

/// One run.
pub(super) struct TrueRun<'a> {
    /// The workload as readers of the format name it.
    pub(super) workload: &'a str,
    /// 0 for the first run.
    pub(super) run: usize,
    /// Application as the trace names it.
    pub(super) application: &'a str,
    /// User as the trace names it.
    pub(super) user: &'a str,
    /// Name of the archetype.
    pub(super) archetype: &'static str,
    /// Start and end on the trace's clock.
    pub(super) life: (i64, i64),
    /// Whether the trace shows them.
    pub(super) seen: (bool, bool),
    /// Largest memory.
    pub(super) memory_peak: Decimal,
    /// 95th percentile of the samples' mean CPU, by nearest rank.
    pub(super) cpu_p95: Decimal,
}

impl Truth {
    /// Begins the file.
    pub(super) fn create(output: &Output<'_>) -> io::Result<Self> {
        let mut stream: Box<dyn Write> = Box::new(output.open_beside(TRUTH_FILE)?);
        stream.write_all(HEADER)?;
        Ok(Self { stream, line: Vec::new() })
    }

    /// Adds a run.
    pub(super) fn add(&mut self, run: &TrueRun<'_>) -> io::Result<()> {
        self.line.clear();
        let seen = |is_seen: bool| u8::from(is_seen);
        write!(
            self.line,
            "{},{},{},{},{},{},{},{},{},",
            run.workload,
            run.run,
            run.application,
            run.user,
            run.archetype,
            run.life.0,
            run.life.1,
            seen(run.seen.0),
            seen(run.seen.1)
        )?;
        run.memory_peak.push(&mut self.line);
        self.line.push(b',');
        run.cpu_p95.push(&mut self.line);
        self.line.push(b'\n');
        self.stream.write_all(&self.line)
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// What the samples of a run show.
#[derive(Debug, Default)]
pub(super) struct Need {
    memory_peak: f64,
    cores: Vec<f64>,
}

impl Need {
    /// Takes a sample.
    pub(super) fn add(&mut self, cores: f64, memory: f64) {
        self.memory_peak = self.memory_peak.max(memory);
        self.cores.push(cores);
    }

    /// Returns whether there was none.
    pub(super) fn is_empty(&self) -> bool {
        self.cores.is_empty()
    }

    /// Returns the largest memory.
    pub(super) fn memory_peak(&self) -> f64 {
        self.memory_peak
    }

    /// Returns the 95th percentile of CPU by nearest rank.
    pub(super) fn cpu_p95(&mut self) -> f64 {
        self.cores.sort_by(f64::total_cmp);
        let rank = (95 * self.cores.len()).div_ceil(100);
        rank.checked_sub(1).map_or(0.0, |index| self.cores[index])
    }
}
