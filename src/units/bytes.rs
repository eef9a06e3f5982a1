//! Memory and rates in whole bytes.

use super::UnitError;

/// A non-negative number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(u64);

/// A non-negative rate in bytes per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BytesPerSecond(u64);

/// 2^20.
const MEBI: u64 = 1 << 20;

/// Returns the smallest integer not below `value`, or nothing for a negative, undefined or too large number.
pub(super) fn ceil_to_u64(value: f64) -> Option<u64> {
    // 2^64 as a double; every double below it converts exactly after rounding up.
    const LIMIT: f64 = 18_446_744_073_709_551_616.0;
    if !value.is_finite() || value < 0.0 {
        return None;
    }
    let whole = value.ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: finite, >= 0, below 2^64")]
    (whole < LIMIT).then_some(whole as u64)
}

impl Bytes {
    /// Returns the amount of `bytes` bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Returns `mebibytes` MiB (2^20 bytes each), saturating at the largest amount.
    pub const fn from_mebibytes(mebibytes: u64) -> Self {
        Self(mebibytes.saturating_mul(MEBI))
    }

    /// Returns `bytes` rounded up to the next whole byte, so that an allocation never falls below what was computed.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] for a negative, infinite or undefined number, or one of 2^64 or more.
    pub fn from_f64_up(bytes: f64) -> Result<Self, UnitError> {
        ceil_to_u64(bytes)
            .map(Self)
            .ok_or_else(|| UnitError::OutOfRange { value: bytes.to_string(), what: "a number of bytes" })
    }

    /// Returns the number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the amount in MiB, rounded up.
    pub const fn mebibytes_up(self) -> u64 {
        self.0.div_ceil(MEBI)
    }

    /// Returns the amount to the nearest double.
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl BytesPerSecond {
    /// Returns the rate of `rate` bytes per second.
    pub const fn new(rate: u64) -> Self {
        Self(rate)
    }

    /// Returns `rate` rounded up to the next whole byte per second.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] for a negative, infinite or undefined number, or one of 2^64 or more.
    pub fn from_f64_up(rate: f64) -> Result<Self, UnitError> {
        ceil_to_u64(rate)
            .map(Self)
            .ok_or_else(|| UnitError::OutOfRange { value: rate.to_string(), what: "a number of bytes per second" })
    }

    /// Returns the rate in bytes per second.
    pub const fn get(self) -> u64 {
        self.0
    }
}
