//! Machines to rent: what there is, what of it a workload can use, and which is cheapest.
//!
//! Input: a [`Catalogue`] (built in, or the user's own) and a [`Demand`]. Output: a [`Ranking`], the same for the same
//! input. All amounts are integers: nanocores, bytes, bytes per second, micro-dollars per hour.

mod catalogue;
mod choose;
mod file;
mod listing;
mod record;
mod reserve;

use crate::units::{Bytes, BytesPerSecond, Cores};

pub use catalogue::{Catalogue, Filter};
pub use choose::{Bound, Demand, Headroom, Placement, Ranking, Terms, rank};
pub use listing::{catalogue_csv, ranking_csv};
pub use record::{InstanceRecord, RankingRecord};
pub use reserve::{Allocatable, Reserve, allocatable};

/// A cloud, or the user's own machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// Amazon EC2.
    Aws,
    /// Google Compute Engine.
    Gcp,
    /// Microsoft Azure.
    Azure,
    /// Any other, from a catalogue of the user's.
    Other,
}

impl Provider {
    /// Returns the name used in catalogues.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Other => "other",
        }
    }

    /// Returns whether the catalogue's network figure is sustained; Google and Azure publish maxima without a promise.
    pub const fn promises_network(self) -> bool {
        matches!(self, Self::Aws | Self::Other)
    }
}

/// The instruction set of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    /// 64-bit x86.
    Amd64,
    /// 64-bit Arm.
    Arm64,
}

impl Architecture {
    /// Returns the name used in catalogues and in images.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// What a family of machines is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// About 4 GiB per vCPU.
    General,
    /// 2 GiB per vCPU or less.
    Compute,
    /// 8 GiB per vCPU or more.
    Memory,
    /// A share of a vCPU with credits: the vCPU figure is not sustained, so it is never chosen unasked.
    Burstable,
}

impl Category {
    /// Returns the name used in catalogues.
    pub const fn name(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Compute => "compute",
            Self::Memory => "memory",
            Self::Burstable => "burstable",
        }
    }
}

/// Micro-dollars (or a millionth of the catalogue's own currency) per hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HourlyPrice(u64);

impl HourlyPrice {
    /// Returns a price from micro-dollars per hour.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Returns micro-dollars per hour.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Returns dollars per hour, for output.
    pub fn as_dollars(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Returns the price of `count` machines; what cannot be held stays at the largest price.
    #[must_use]
    pub const fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(count as u64))
    }
}

impl std::fmt::Display for HourlyPrice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Four digits are a hundredth of a cent an hour; rounded up, like every amount to pay for.
        let tenths = self.0.div_ceil(100);
        write!(f, "{}.{:04}", tenths / 10_000, tenths % 10_000)
    }
}

/// One type of machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceType {
    /// Who rents it out.
    pub provider: Provider,
    /// Its name at the provider, as in `m7i.large`.
    pub name: String,
    /// The family it belongs to.
    pub family: String,
    /// What the family is made for.
    pub category: Option<Category>,
    /// Its instruction set.
    pub architecture: Option<Architecture>,
    /// vCPUs.
    pub vcpu: Cores,
    /// Nominal memory.
    pub memory: Bytes,
    /// Network: sustained, or at most; see [`Provider::promises_network`].
    pub network: Option<BytesPerSecond>,
    /// Linux on demand, without commitment.
    pub price: Option<HourlyPrice>,
    /// Where the price holds, since when, and who says so.
    pub price_source: String,
}
