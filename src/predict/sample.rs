//! What is seen of newcomers: a sample read through the same door as a trace, and brought into the store's units.

use std::path::PathBuf;

use crate::profile::{Floors, ProfileError, Window, profile_window};
use crate::store::{IngestParams, MachineSize, ReadAtOnce, read_at_once};
use crate::trace::source::Progress;
use crate::trace::{Amounts, CpuUnit, MemoryUnit, NetworkUnit, ReadOptions, Rejected, Sample, UnitContract};
use crate::units::Micros;

use super::{Facts, Newcomer, PredictError, Scale};

/// Where a sample lies and how it is read.
#[derive(Debug, Clone, Default)]
pub struct SampleParams {
    /// The sample: a file, a folder, a pattern, or `-`.
    pub path: PathBuf,
    /// Tables of what was known at submission.
    pub facts: Vec<PathBuf>,
    /// The format, when the user names it.
    pub format: Option<&'static str>,
    /// Mapping of the `table` format.
    pub options: ReadOptions,
}

/// What was seen of one newcomer, in the sample's units.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Its name.
    pub name: String,
    /// When it began: as stated, else at its first sample.
    pub start: Micros,
    /// What was known at submission.
    pub facts: Facts,
    /// Its samples, in time order.
    pub samples: Vec<Sample>,
}

impl Sighting {
    /// Returns how much of it was seen, from its start to the end of its last sample.
    pub fn observed(&self) -> Micros {
        self.samples.last().map_or(Micros::ZERO, |last| last.start.plus(last.duration).minus(self.start))
    }
}

/// A sample that was read.
#[derive(Debug, Clone)]
pub struct ReadSample {
    /// One entry per workload, by name: its last run.
    pub sightings: Vec<Sighting>,
    /// Workloads that only the table of facts names.
    pub without_samples: u64,
    /// What its numbers mean.
    pub units: UnitContract,
    /// Rows read.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// First examples of rejected rows.
    pub examples: Vec<Rejected>,
    /// What the user should be told, with the rows it concerns.
    pub notes: Vec<(String, u64)>,
}

/// Reads a sample as an ingest reads a trace, so that joins, restarts, duplicates and rejects mean what they mean in a store, but makes no store
/// of it.
///
/// # Errors
/// The sample cannot be read, holds nothing usable, or no series.
pub fn read_sample(params: &SampleParams, progress: &dyn Progress) -> Result<ReadSample, PredictError> {
    let folder = tempfile::tempdir().map_err(crate::artifact::ArtifactError::from)?;
    let ingested = IngestParams {
        paths: vec![params.path.clone()],
        facts: params.facts.clone(),
        format: params.format,
        options: params.options.clone(),
        ..IngestParams::default()
    };
    let ReadAtOnce { runs, units, files } = read_at_once(folder.path(), &ingested, progress)?;
    let mut read = ReadSample {
        sightings: Vec::new(),
        without_samples: runs.iter().filter(|(_, samples)| samples.is_empty()).count() as u64,
        units,
        rows: files.iter().map(|file| file.source.rows).sum(),
        rejected: files.iter().map(|file| file.source.rejected).sum(),
        examples: files.iter().flat_map(|file| file.examples.iter().cloned()).collect(),
        notes: files.iter().flat_map(|file| file.notes.iter().cloned()).collect(),
    };
    for (run, samples) in runs {
        let Some(first) = samples.first() else { continue };
        let (name, facts) = (run.id.clone(), Facts::from(&run));
        read.sightings.push(Sighting { name, start: run.start.unwrap_or(first.start), facts, samples });
    }
    // Runs of a workload come in their order; what counts of a restarted one is the run that goes on.
    read.sightings.sort_by(|a, b| a.name.cmp(&b.name));
    read.sightings.reverse();
    read.sightings.dedup_by(|later, kept| later.name == kept.name);
    read.sightings.reverse();
    Ok(read)
}

/// Brings what was seen of a newcomer into the units of a store and profiles its first window.
///
/// # Errors
/// It was seen for less than half of the window, or its units cannot be compared with the store's.
pub fn observe(
    sighting: &Sighting,
    sampled: UnitContract,
    window: Window,
    stored: UnitContract,
    machine: MachineSize,
) -> Result<Newcomer, PredictError> {
    let scale = Conversion::between(sampled, stored, machine)?;
    let samples: Vec<Sample> = sighting.samples.iter().map(|sample| scale.sample(sample)).collect();
    let too_little = |source: ProfileError| PredictError::Profile { workload: sighting.name.clone(), source };
    let profile = profile_window(&samples, sighting.start, window, Floors::of(stored)).map_err(too_little)?;
    let facts = Facts {
        request: scale.amounts(sighting.facts.request),
        limit: scale.amounts(sighting.facts.limit),
        ..sighting.facts.clone()
    };
    Ok(Newcomer { name: sighting.name.clone(), window: profile, facts })
}

/// What a sample's numbers are multiplied by.
#[derive(Debug, Clone, Copy)]
struct Conversion {
    cpu: f64,
    memory: f64,
    has_network: bool,
}

impl Conversion {
    fn between(sampled: UnitContract, stored: UnitContract, machine: MachineSize) -> Result<Self, PredictError> {
        let scale = Scale::new(stored, machine);
        let cpu = match (sampled.cpu, stored.cpu) {
            (CpuUnit::Cores, CpuUnit::MachineFraction) => scale.cores_per_unit.map(f64::recip),
            (CpuUnit::MachineFraction, CpuUnit::Cores) => {
                return Err(PredictError::Units { resource: "CPU", found: "shares of a machine", stored: "cores" });
            }
            (CpuUnit::Cores, CpuUnit::Cores) | (CpuUnit::MachineFraction, CpuUnit::MachineFraction) => Some(1.0),
        };
        let memory = match (sampled.memory, stored.memory) {
            (MemoryUnit::Bytes, MemoryUnit::MachineFraction) => scale.bytes_per_unit.map(f64::recip),
            (MemoryUnit::MachineFraction, MemoryUnit::Bytes) => {
                return Err(PredictError::Units { resource: "memory", found: "shares of a machine", stored: "bytes" });
            }
            (MemoryUnit::Bytes, MemoryUnit::Bytes) | (MemoryUnit::MachineFraction, MemoryUnit::MachineFraction) => {
                Some(1.0)
            }
        };
        let (Some(cpu), Some(memory)) = (cpu, memory) else { return Err(PredictError::machine_unknown(&scale)) };
        let has_network = sampled.network == stored.network && stored.network != NetworkUnit::None;
        Ok(Self { cpu, memory, has_network })
    }

    fn sample(&self, sample: &Sample) -> Sample {
        let (cpu, memory) = (
            |amount: Option<f64>| amount.map(|it| it * self.cpu),
            |amount: Option<f64>| amount.map(|it| it * self.memory),
        );
        Sample {
            cpu: cpu(sample.cpu),
            cpu_max: cpu(sample.cpu_max),
            cpu_request: cpu(sample.cpu_request),
            memory: memory(sample.memory),
            memory_max: memory(sample.memory_max),
            memory_request: memory(sample.memory_request),
            memory_limit: memory(sample.memory_limit),
            network_received: sample.network_received.filter(|_| self.has_network),
            network_transmitted: sample.network_transmitted.filter(|_| self.has_network),
            ..*sample
        }
    }

    fn amounts(&self, amounts: Amounts) -> Amounts {
        Amounts {
            cpu: amounts.cpu.map(|cpu| cpu * self.cpu),
            memory: amounts.memory.map(|memory| memory * self.memory),
            disk: amounts.disk,
        }
    }
}
