//! What the store knows of one run of a workload.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::trace::{Amounts, WorkloadFlags};
use crate::units::{Bytes, Cores, Micros};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It was alive when the trace ended, or the trace does not say: its life is censored.
    Unknown,
    /// It ended as wanted.
    Finished,
    /// It failed.
    Failed,
    /// It was cancelled.
    Killed,
    /// It was descheduled.
    Evicted,
}

impl Ending {
    const ALL: [Self; 5] = [Self::Unknown, Self::Finished, Self::Failed, Self::Killed, Self::Evicted];

    /// Returns the name used in files and outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Evicted => "evicted",
        }
    }

    /// Returns the ending of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ending| ending.name() == name)
    }
}

/// What 1.0 is in a normalised trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MachineSize {
    /// Nanocores of the largest machine; nothing if the user did not say.
    pub nanocores: Option<u64>,
    /// Bytes of memory of the largest machine; nothing if the user did not say.
    pub memory_bytes: Option<u64>,
}

impl MachineSize {
    /// Returns the CPU of the largest machine.
    pub fn cores(&self) -> Option<Cores> {
        self.nanocores.map(Cores::from_nanos)
    }

    /// Returns the memory of the largest machine.
    pub fn memory(&self) -> Option<Bytes> {
        self.memory_bytes.map(Bytes::new)
    }
}

/// One run of a workload: from one start to the next end. Amounts are in the store's unit contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Identifier in its trace, as in `3418309/0`, `c_1`, `checkout`.
    pub id: String,
    /// 0 for the first run of that identifier, 1 after a restart, and so on.
    pub run: u32,
    /// Name of the trace format it came from.
    pub format: String,
    /// Application key (`None` where the trace has none): instances of one program share it.
    pub application: Option<String>,
    /// Who owns it.
    pub user: Option<String>,
    /// Scheduling class in the source's words.
    pub class: Option<String>,
    /// Priority in the source's numbers.
    pub priority: Option<i32>,
    /// When the run began, if the trace shows it coming into being after observation began.
    pub start: Option<Micros>,
    /// When the run ended, if the trace shows it.
    pub end: Option<Micros>,
    /// How it ended.
    pub ending: Ending,
    /// The request at the start of the run: what its owner asked for at submission.
    pub request: Amounts,
    /// The limit at the start of the run.
    pub limit: Amounts,
    /// The largest request in force during the run.
    pub largest_request: Amounts,
    /// Replicas or instances, where the trace states them.
    pub replicas: Option<u32>,
    /// Further columns known at submission.
    pub labels: BTreeMap<String, String>,
    /// Quality and meaning.
    pub flags: WorkloadFlags,
    /// Samples of the run in the usage table.
    pub samples: u64,
    /// Start of the first sample.
    pub first_sample: Option<Micros>,
    /// End of the last sample.
    pub last_sample: Option<Micros>,
    /// Bucket of the usage table that holds its samples.
    pub bucket: u32,
}

impl Workload {
    /// Returns the run as if the trace had seen all of it: where no start or end was seen, its first sample is the start and
    /// the end of its last sample the end.
    #[must_use]
    pub fn as_sampled(&self) -> Self {
        Self { start: self.start.or(self.first_sample), end: self.end.or(self.last_sample), ..self.clone() }
    }

    /// Returns a run of which nothing is known but its name, format and times.
    pub fn new(id: &str, format: &str, start: Option<Micros>, end: Option<Micros>) -> Self {
        Self {
            id: id.to_owned(),
            run: 0,
            format: format.to_owned(),
            application: None,
            user: None,
            class: None,
            priority: None,
            start,
            end,
            ending: Ending::Unknown,
            request: Amounts::default(),
            limit: Amounts::default(),
            largest_request: Amounts::default(),
            replicas: None,
            labels: BTreeMap::new(),
            flags: WorkloadFlags::default(),
            samples: 0,
            first_sample: None,
            last_sample: None,
            bucket: 0,
        }
    }
}
