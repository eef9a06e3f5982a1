//! What a metric's name means.

/// What the points of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Metric {
    /// Cores.
    Cpu,
    /// Bytes.
    Memory,
    /// Bytes per second.
    NetworkReceived,
    /// Bytes per second.
    NetworkTransmitted,
    /// Bytes per second.
    DiskRead,
    /// Bytes per second.
    DiskWritten,
    /// What was asked for; the label `resource` says of what.
    Request,
    /// What the kernel enforces.
    Limit,
    /// How often the container was restarted.
    Restarts,
    /// When the pod was started: looked at, not stored.
    PodStart,
}

/// Names by which metrics are known, of cAdvisor, the kubelet and kube-state-metrics.
const NAMES: [(&str, Metric); 12] = [
    ("container_cpu_usage_seconds_total", Metric::Cpu),
    ("container_memory_working_set_bytes", Metric::Memory),
    ("container_memory_usage_bytes", Metric::Memory),
    ("container_memory_rss", Metric::Memory),
    ("container_network_receive_bytes_total", Metric::NetworkReceived),
    ("container_network_transmit_bytes_total", Metric::NetworkTransmitted),
    ("container_fs_reads_bytes_total", Metric::DiskRead),
    ("container_fs_writes_bytes_total", Metric::DiskWritten),
    ("kube_pod_container_resource_requests", Metric::Request),
    ("kube_pod_container_resource_limits", Metric::Limit),
    ("kube_pod_container_status_restarts_total", Metric::Restarts),
    ("kube_pod_start_time", Metric::PodStart),
];

impl Metric {
    /// Returns the metric whose name is part of `text`, if it is exactly one.
    pub(super) fn named_in(text: &str) -> Option<Self> {
        let mut found: Vec<Self> =
            NAMES.iter().filter(|(name, _)| text.contains(name)).map(|&(_, metric)| metric).collect();
        found.dedup();
        match found.as_slice() {
            [metric] => Some(*metric),
            _ => None,
        }
    }

    /// Returns whether its raw form is a counter.
    pub(super) const fn is_counted(self) -> bool {
        matches!(
            self,
            Self::Cpu | Self::NetworkReceived | Self::NetworkTransmitted | Self::DiskRead | Self::DiskWritten
        )
    }

    /// Returns whether an instant of it is of use.
    pub(super) const fn is_statement(self) -> bool {
        matches!(self, Self::Request | Self::Limit)
    }

    /// Returns the column under which it is summarised, in the source's unit.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::NetworkReceived => "network_received",
            Self::NetworkTransmitted => "network_transmitted",
            Self::DiskRead => "disk_read",
            Self::DiskWritten => "disk_written",
            Self::Request => "request",
            Self::Limit => "limit",
            Self::Restarts => "restarts",
            Self::PodStart => "pod_start",
        }
    }
}
