//! The rows that readers hand out. Text is borrowed from the line; times are microseconds since the trace's origin.

use crate::units::Micros;

use super::TraceError;

/// Which table of the store a sample belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dataset {
    /// A workload's series.
    Usage,
    /// One row per instance over its whole life, as for batch instances: means and maxima, not a series.
    Summary,
    /// A machine's series; the workload column holds the machine.
    Machine,
}

/// Quality and meaning of one sample; bits as in `docs/store.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SampleFlags(pub u32);

impl SampleFlags {
    /// CPU is a fraction of the workload's CPU request (resolved to cores when the request is known).
    pub const CPU_OF_REQUEST: Self = Self(1);
    /// Memory is a fraction of the workload's memory request.
    pub const MEMORY_OF_REQUEST: Self = Self(1 << 1);
    /// The time counts from the workload's own start.
    pub const RELATIVE_TIME: Self = Self(1 << 2);
    /// The maxima are sums over sub-containers (google-2011, aggregation type 1).
    pub const MAX_IS_SUM: Self = Self(1 << 3);
    /// The task runs inside an alloc set: its own request does not bound it (google-2019).
    pub const IN_ALLOC: Self = Self(1 << 4);
    /// Sampled at less than half the nominal rate: maxima and percentiles are under-sampled (google-2019).
    pub const UNDERSAMPLED: Self = Self(1 << 5);
    /// A hardware counter was impossible and was dropped.
    pub const COUNTER_DROPPED: Self = Self(1 << 6);
    /// A value was invalid by the format's document (-1, 101) and was dropped.
    pub const VALUE_DROPPED: Self = Self(1 << 7);
    /// The maximum was 0 or absent though the mean was not, and was dropped.
    pub const MAX_DROPPED: Self = Self(1 << 8);
    /// Several rows of the same workload and time were merged into this one.
    pub const MERGED: Self = Self(1 << 9);
    /// A slightly negative value was set to 0.
    pub const CLAMPED: Self = Self(1 << 10);
    /// Memory is what a hypervisor saw as active, not what the guest held (bitbrains).
    pub const MEMORY_ACTIVE: Self = Self(1 << 11);
    /// The machine was switched off: there is no use to speak of (bitbrains).
    pub const OFF: Self = Self(1 << 12);

    /// Returns the union.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the set without the bits of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// One measurement of one workload over [start, start + duration). A missing value is missing, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// Start of the interval (or the instant of a point sample).
    pub start: Micros,
    /// Length of the interval; 0 when the trace does not say.
    pub duration: Micros,
    /// Mean CPU use, in the contract's unit.
    pub cpu: Option<f64>,
    /// Largest CPU use inside the interval.
    pub cpu_max: Option<f64>,
    /// Mean memory use.
    pub memory: Option<f64>,
    /// Largest memory use inside the interval.
    pub memory_max: Option<f64>,
    /// Network received.
    pub network_received: Option<f64>,
    /// Network transmitted.
    pub network_transmitted: Option<f64>,
    /// Disk read, bytes per second.
    pub disk_read: Option<f64>,
    /// Disk written, bytes per second.
    pub disk_written: Option<f64>,
    /// Share of the time the disk was busy, or disk-seconds per second.
    pub disk_busy: Option<f64>,
    /// Share of the time in which CPU was throttled, 0..1.
    pub cpu_throttled: Option<f64>,
    /// CPU request in force, where the row itself states it.
    pub cpu_request: Option<f64>,
    /// Memory request in force, where the row itself states it.
    pub memory_request: Option<f64>,
    /// Memory limit given to the kernel, where the row itself states it.
    pub memory_limit: Option<f64>,
    /// Quality and meaning.
    pub flags: SampleFlags,
}

impl Sample {
    /// Returns every amount in the order of the fields: the one list for those who write samples down.
    pub const fn amounts(&self) -> [Option<f64>; 13] {
        [
            self.cpu,
            self.cpu_max,
            self.memory,
            self.memory_max,
            self.network_received,
            self.network_transmitted,
            self.disk_read,
            self.disk_written,
            self.disk_busy,
            self.cpu_throttled,
            self.cpu_request,
            self.memory_request,
            self.memory_limit,
        ]
    }

    /// Returns the sample with these amounts, in the order of [`Self::amounts`].
    #[must_use]
    pub const fn with_amounts(self, amounts: [Option<f64>; 13]) -> Self {
        let [
            cpu,
            cpu_max,
            memory,
            memory_max,
            network_received,
            network_transmitted,
            disk_read,
            disk_written,
            disk_busy,
            cpu_throttled,
            cpu_request,
            memory_request,
            memory_limit,
        ] = amounts;
        Self {
            start: self.start,
            duration: self.duration,
            cpu,
            cpu_max,
            memory,
            memory_max,
            network_received,
            network_transmitted,
            disk_read,
            disk_written,
            disk_busy,
            cpu_throttled,
            cpu_request,
            memory_request,
            memory_limit,
            flags: self.flags,
        }
    }
}

/// CPU, memory and disk of a request, limit or capacity, each in the contract's unit (disk as the source has it).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amounts {
    /// CPU.
    pub cpu: Option<f64>,
    /// Memory.
    pub memory: Option<f64>,
    /// Local disk space.
    pub disk: Option<f64>,
}

/// What happened to a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// It was handed in.
    Submit = 0,
    /// It waits in a queue or became eligible (google-2019).
    Queue = 1,
    /// It began to run on a machine.
    Schedule = 2,
    /// It was descheduled for a more important one.
    Evict = 3,
    /// It failed.
    Fail = 4,
    /// It ended as wanted.
    Finish = 5,
    /// It was cancelled by its user or with its parent.
    Kill = 6,
    /// It ended, but when is not known.
    Lost = 7,
    /// Its request or constraints changed.
    Update = 8,
    /// It exists; nothing else is said (a metadata row).
    Exists = 9,
}

impl EventKind {
    /// Returns the kind with that number in the store.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Submit,
            1 => Self::Queue,
            2 => Self::Schedule,
            3 => Self::Evict,
            4 => Self::Fail,
            5 => Self::Finish,
            6 => Self::Kill,
            7 => Self::Lost,
            8 => Self::Update,
            9 => Self::Exists,
            _ => return None,
        })
    }

    /// Returns whether a run ends with it.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Evict | Self::Fail | Self::Finish | Self::Kill | Self::Lost)
    }
}

/// Quality and meaning of an event or workload; bits as in `docs/store.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkloadFlags(pub u32);

impl WorkloadFlags {
    /// The event was synthesised by the publisher; its request does not count.
    pub const SYNTHETIC: Self = Self(1);
    /// The end is an upper bound or unknown.
    pub const END_CENSORED: Self = Self(1 << 1);
    /// Runs inside an alloc set.
    pub const IN_ALLOC: Self = Self(1 << 2);
    /// The request was written by an autoscaler, not by the owner.
    pub const AUTOSCALED: Self = Self(1 << 3);
    /// The list of dependencies in the name was cut.
    pub const DAG_TRUNCATED: Self = Self(1 << 4);
    /// CPU is known only as a share of an unknown request.
    pub const UTILISATION_ONLY: Self = Self(1 << 5);
    /// Identifiers are not of the trace's real form.
    pub const UNUSUAL_ID: Self = Self(1 << 6);
    /// The workload is named among its own dependencies.
    pub const DAG_CYCLE: Self = Self(1 << 7);
    /// Memory use is what a hypervisor saw as active: no basis for a claim about running out of memory.
    pub const MEMORY_ACTIVE: Self = Self(1 << 8);

    /// Returns the union.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One statement about one workload at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventRow<'a> {
    /// The workload.
    pub workload: &'a str,
    /// When; nothing means after the trace. A time of 0 means before it in the Google traces.
    pub time: Option<Micros>,
    /// Order among rows of the same time: [`super::Context::sequence`].
    pub sequence: u64,
    /// What happened.
    pub kind: EventKind,
    /// Request stated by this row.
    pub request: Amounts,
    /// Limit stated by this row.
    pub limit: Amounts,
    /// Application key, where the row has it.
    pub application: Option<&'a str>,
    /// User, where the row has it.
    pub user: Option<&'a str>,
    /// Scheduling class, where the row has it.
    pub class: Option<&'a str>,
    /// Priority, where the row has it.
    pub priority: Option<i32>,
    /// Machine, where the row has it.
    pub machine: Option<&'a str>,
    /// How many replicas or instances the row speaks of.
    pub replicas: Option<u32>,
    /// Further columns of the user's table: name and text.
    pub labels: &'a [(&'a str, &'a str)],
    /// Quality and meaning.
    pub flags: WorkloadFlags,
}

impl<'a> EventRow<'a> {
    /// Returns an event that says nothing but that it happened.
    pub const fn new(workload: &'a str, time: Option<Micros>, sequence: u64, kind: EventKind) -> Self {
        const NOTHING: Amounts = Amounts { cpu: None, memory: None, disk: None };
        Self {
            workload,
            time,
            sequence,
            kind,
            request: NOTHING,
            limit: NOTHING,
            application: None,
            user: None,
            class: None,
            priority: None,
            machine: None,
            replicas: None,
            labels: &[],
            flags: WorkloadFlags(0),
        }
    }
}

/// Who wrote a request (google-2019, `vertical_scaling`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Scaling {
    /// The trace does not say.
    Unknown = 0,
    /// The owner.
    Off = 1,
    /// An autoscaler within the owner's bounds.
    Constrained = 2,
    /// An autoscaler.
    Automatic = 3,
}

/// One statement about a group of workloads: a job (google-2011) or a collection (google-2019).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRow<'a> {
    /// The group.
    pub group: &'a str,
    /// When; nothing means after the trace.
    pub time: Option<Micros>,
    /// Order among rows of the same time.
    pub sequence: u64,
    /// What happened to the group.
    pub kind: EventKind,
    /// Application key.
    pub application: Option<&'a str>,
    /// User.
    pub user: Option<&'a str>,
    /// Scheduling class.
    pub class: Option<&'a str>,
    /// Priority.
    pub priority: Option<i32>,
    /// Who wrote the request.
    pub scaling: Option<Scaling>,
}

/// One statement about a machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MachineRow<'a> {
    /// The machine.
    pub machine: &'a str,
    /// When.
    pub time: Option<Micros>,
    /// Order among rows of the same time.
    pub sequence: u64,
    /// Capacity, where the row has it.
    pub capacity: Amounts,
    /// Hardware platform or failure domain, where the row has it.
    pub platform: Option<&'a str>,
    /// The event or status, in the source's words.
    pub status: &'a str,
}

/// Receives rows in file order.
pub trait Sink {
    /// Takes a sample of `workload`.
    ///
    /// # Errors
    /// The row cannot be stored.
    fn sample(&mut self, dataset: Dataset, workload: &str, sequence: u64, sample: &Sample) -> Result<(), TraceError>;

    /// Takes an event.
    ///
    /// # Errors
    /// The row cannot be stored.
    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError>;

    /// Takes a statement about a group.
    ///
    /// # Errors
    /// The row cannot be stored.
    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError>;

    /// Takes a statement about a machine.
    ///
    /// # Errors
    /// The row cannot be stored.
    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError>;
}
