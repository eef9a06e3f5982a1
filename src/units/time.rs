//! Time in whole microseconds since the origin of a trace, and durations.

use super::UnitError;

/// A point on a trace's clock, or a length of time, in microseconds; negative before the trace's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// Returns `seconds` whole seconds, saturating at the ends of the clock.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Returns `seconds` to the nearest microsecond, halves away from zero.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] for a number that is not finite or beyond about 292,000 years.
    pub fn from_seconds_f64(seconds: f64) -> Result<Self, UnitError> {
        let micros = (seconds * 1e6).round();
        // 2^63 as a double.
        if micros.is_finite() && micros.abs() < 9_223_372_036_854_775_808.0 {
            #[expect(clippy::cast_possible_truncation, reason = "checked: finite and below 2^63")]
            return Ok(Self(micros as i64));
        }
        Err(UnitError::OutOfRange { value: seconds.to_string(), what: "a number of seconds" })
    }

    /// Returns the time in seconds, to the nearest double.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Returns `self + other`, saturating at the ends of the clock.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Returns `self - other`, saturating at the ends of the clock.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::str::FromStr for Micros {
    type Err = UnitError;

    /// Parses a length of time: a number and one of `us ms s m h d`; a bare number means seconds.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let malformed = || UnitError::Malformed {
            text: text.to_owned(),
            what: "a length of time",
            expected: "a number with us, ms, s, m, h or d, as in `60s`",
        };
        let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let per_unit = match unit {
            "us" => 1e-6,
            "ms" => 1e-3,
            "" | "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return Err(malformed()),
        };
        let number: f64 = number.parse().map_err(|_malformed_float| malformed())?;
        if number < 0.0 {
            return Err(malformed());
        }
        Self::from_seconds_f64(number * per_unit)
    }
}

impl std::fmt::Display for Micros {
    /// Prints the largest unit that divides it: `60s`, `5m` as `300s` (windows are named in seconds), `1500ms`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            micros if micros % 1_000_000 == 0 => write!(formatter, "{}s", micros / 1_000_000),
            micros if micros % 1_000 == 0 => write!(formatter, "{}ms", micros / 1_000),
            micros => write!(formatter, "{micros}us"),
        }
    }
}
