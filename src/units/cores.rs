//! CPU in cores, exact to a billionth: the finest step Kubernetes reports.

use super::UnitError;

/// A non-negative amount of CPU, held in nanocores (1 core = 1e9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cores(u64);

const NANOS_PER_CORE: f64 = 1e9;

impl Cores {
    /// Returns the amount of `nanos` billionths of a core.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the amount of `millis` thousandths of a core, saturating at the largest amount.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Returns `cores` rounded up to the next nanocore, so that an allocation never falls below what was computed.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] for a negative, infinite or undefined number, or one above 1.8e10 cores.
    pub fn from_f64_up(cores: f64) -> Result<Self, UnitError> {
        let nanos = super::bytes::ceil_to_u64(cores * NANOS_PER_CORE);
        nanos.map(Self).ok_or_else(|| UnitError::OutOfRange { value: cores.to_string(), what: "a number of cores" })
    }

    /// Returns the amount in nanocores.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Returns the amount in millicores, rounded up.
    pub const fn millis_up(self) -> u64 {
        self.0.div_ceil(1_000_000)
    }

    /// Returns the amount in cores, to the nearest double.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_CORE
    }
}
