//! Kubernetes resource quantities: parsed exactly, printed in the API server's canonical form.
//!
//! Grammar: a number (`2`, `0.5`, `.5`) and one of `n u m k M G T P E` (powers of 1000), `Ki Mi Gi Ti Pi Ei` (powers of
//! 1024) or an exponent (`1e3`). Held in billionths, rounded up below that, as Kubernetes does.

use std::cmp::Ordering;

use super::{Bytes, Cores, UnitError};

/// A non-negative quantity, exact to a billionth.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    nanos: u128,
    binary: bool,
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It does not follow the grammar.
    #[error(
        "`{0}` is not a quantity: expected a number with n, u, m, k, M, G, T, P, E or Ki to Ei, as in `250m` or `512Mi`"
    )]
    Malformed(String),
    /// A resource cannot be negative.
    #[error("`{0}` is negative, a resource cannot be")]
    Negative(String),
    /// It is larger than can be held.
    #[error("`{0}` is outside what a quantity can hold")]
    OutOfRange(String),
}

const NANOS: u128 = 1_000_000_000;

impl Quantity {
    /// Returns an amount of CPU, printed as `250m` or `2`.
    pub fn from_cores(cores: Cores) -> Self {
        Self { nanos: u128::from(cores.nanos()), binary: false }
    }

    /// Returns an amount of memory, printed as `512Mi` or `1Gi`.
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self { nanos: u128::from(bytes.get()) * NANOS, binary: true }
    }

    /// Returns the quantity as CPU.
    ///
    /// # Errors
    /// [`QuantityError::OutOfRange`] above 1.8e10 cores.
    pub fn to_cores(self) -> Result<Cores, QuantityError> {
        u64::try_from(self.nanos).map(Cores::from_nanos).map_err(|_too_large| self.out_of_range())
    }

    /// Returns the quantity as whole bytes, rounded up.
    ///
    /// # Errors
    /// [`QuantityError::OutOfRange`] for 2^64 bytes or more.
    pub fn to_bytes_up(self) -> Result<Bytes, QuantityError> {
        u64::try_from(self.nanos.div_ceil(NANOS)).map(Bytes::new).map_err(|_too_large| self.out_of_range())
    }

    fn out_of_range(self) -> QuantityError {
        QuantityError::OutOfRange(self.to_string())
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let malformed = || QuantityError::Malformed(text.to_owned());
        let out_of_range = || QuantityError::OutOfRange(text.to_owned());
        if text.starts_with('-') {
            return Err(QuantityError::Negative(text.to_owned()));
        }
        let body = text.strip_prefix('+').unwrap_or(text);
        let end = body.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(body.len());
        let (number, suffix) = body.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(malformed());
        }
        let (shift, power_of_ten): (u32, i64) = match suffix {
            "n" => (0, -9),
            "u" => (0, -6),
            "m" => (0, -3),
            "" => (0, 0),
            "k" => (0, 3),
            "M" => (0, 6),
            "G" => (0, 9),
            "T" => (0, 12),
            "P" => (0, 15),
            "E" => (0, 18),
            "Ki" => (10, 0),
            "Mi" => (20, 0),
            "Gi" => (30, 0),
            "Ti" => (40, 0),
            "Pi" => (50, 0),
            "Ei" => (60, 0),
            _ => {
                let exponent = suffix.strip_prefix(['e', 'E']).ok_or_else(malformed)?;
                (0, exponent.parse::<i16>().map_err(|_not_a_number| malformed())?.into())
            }
        };
        let digits = format!("{whole}{}", fraction.trim_end_matches('0'));
        let mut scale = i64::try_from(fraction.trim_end_matches('0').len()).map_err(|_too_long| out_of_range())?;
        let trimmed = if scale == 0 { digits.trim_end_matches('0') } else { digits.as_str() };
        scale -= i64::try_from(digits.len() - trimmed.len()).map_err(|_too_long| out_of_range())?;
        let significant = trimmed.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Self { nanos: 0, binary: shift > 0 });
        }
        let mantissa: u128 = significant.parse().map_err(|_too_many_digits| out_of_range())?;
        let scaled = mantissa.checked_mul(1 << shift).ok_or_else(out_of_range)?;
        let exponent = power_of_ten - scale + 9;
        let ten_to = |n: u64| u32::try_from(n).ok().and_then(|n| 10_u128.checked_pow(n));
        let nanos = if exponent >= 0 {
            ten_to(exponent.unsigned_abs()).and_then(|factor| scaled.checked_mul(factor)).ok_or_else(out_of_range)?
        } else {
            ten_to(exponent.unsigned_abs()).map_or(1, |divisor| scaled.div_ceil(divisor))
        };
        Ok(Self { nanos, binary: shift > 0 })
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Below 1024, and where it is not whole, the server prints the decimal form of a binary quantity too.
        if self.binary && self.nanos.is_multiple_of(NANOS) && self.nanos >= 1024 * NANOS {
            let (mut value, mut suffix) = (self.nanos / NANOS, 0);
            while value.is_multiple_of(1024) && suffix < 6 {
                value /= 1024;
                suffix += 1;
            }
            return write!(formatter, "{value}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][suffix]);
        }
        if self.nanos == 0 {
            return formatter.write_str("0");
        }
        let (mut value, mut suffix) = (self.nanos, 0);
        while value.is_multiple_of(1000) && suffix < 9 {
            value /= 1000;
            suffix += 1;
        }
        write!(formatter, "{value}{}", ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][suffix])
    }
}

impl std::fmt::Display for Cores {
    /// Prints the canonical quantity: `250m`, `2`, `1n`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Quantity::from_cores(*self).fmt(formatter)
    }
}

impl std::fmt::Display for Bytes {
    /// Prints the canonical quantity: `512Mi`, `1Gi`, `1536Mi`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Quantity::from_bytes(*self).fmt(formatter)
    }
}

impl std::str::FromStr for Cores {
    type Err = UnitError;

    /// Parses a quantity of CPU: `0.5`, `500m`, `64`.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let parsed = text.parse::<Quantity>().and_then(Quantity::to_cores);
        parsed.map_err(|error| match error {
            QuantityError::OutOfRange(value) => UnitError::OutOfRange { value, what: "a number of cores" },
            _ => UnitError::Malformed {
                text: text.to_owned(),
                what: "a number of cores",
                expected: "a number, as in `0.5`, `500m` or `64`",
            },
        })
    }
}

impl std::str::FromStr for Bytes {
    type Err = UnitError;

    /// Parses a size, rounded up to whole bytes: `64`, `512Mi`, `512MiB`, `1.5G`, `1.5GB` (powers of 1000 without the `i`).
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let number = text.strip_suffix('B').unwrap_or(text);
        let malformed = || UnitError::Malformed {
            text: text.to_owned(),
            what: "a size",
            expected: "a number with k, M, G, T, P, E or Ki to Ei and maybe B, as in `256GiB` or `512Mi`",
        };
        // A fraction of a byte is a slip of the pen: `512m` of memory passes every schema.
        if number.ends_with(['m', 'u', 'n']) {
            return Err(malformed());
        }
        let parsed = number.parse::<Quantity>().and_then(Quantity::to_bytes_up);
        parsed.map_err(|error| match error {
            QuantityError::OutOfRange(value) => UnitError::OutOfRange { value, what: "a number of bytes" },
            _ => malformed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_print_as_the_server_prints_them() {
        for (text, canonical) in [
            ("250m", "250m"),
            ("0.25", "250m"),
            ("2000m", "2"),
            ("2.0", "2"),
            ("1e3", "1k"),
            ("1E", "1E"),
            ("1E3", "1k"),
            ("1024Mi", "1Gi"),
            ("0.5Gi", "512Mi"),
            ("1.5Gi", "1536Mi"),
            ("1536Mi", "1536Mi"),
            ("1000Ki", "1000Ki"),
            ("0.5Ki", "512"),
            (".5", "500m"),
            ("0", "0"),
            ("0Mi", "0"),
            ("1n", "1n"),
            ("0.1n", "1n"),
            ("100", "100"),
            ("12e-3", "12m"),
            ("+5u", "5u"),
            ("8Ei", "8Ei"),
            ("1.5k", "1500"),
            ("1000000", "1M"),
        ] {
            assert_eq!(text.parse::<Quantity>().map(|q| q.to_string()), Ok(canonical.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", ".", "m", "1.2.3", "250mm", "1 Gi", "512MiB", "1e", "1e1.5", "NaN", "0x10", "1_0", "١"] {
            assert_eq!(text.parse::<Quantity>(), Err(QuantityError::Malformed(text.to_owned())), "{text}");
        }
        assert!(matches!("-1".parse::<Quantity>(), Err(QuantityError::Negative(_))));
        assert!(matches!("1e99".parse::<Quantity>(), Err(QuantityError::OutOfRange(_))));
    }

    #[test]
    fn sizes_and_cores_are_read_as_users_type_them() {
        for (text, bytes) in [
            ("64", 64),
            ("256GiB", 256 << 30),
            ("512MiB", 512 << 20),
            ("1.5G", 1_500_000_000),
            ("1kB", 1000),
            ("2B", 2),
        ] {
            assert_eq!(text.parse(), Ok(Bytes::new(bytes)), "{text}");
        }
        for text in ["512m", "512 MiB", "-1", "", "B", "lots"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
        assert_eq!("64".parse(), Ok(Cores::from_millis(64_000)));
        assert_eq!("500m".parse(), Ok(Cores::from_millis(500)));
        assert!("many".parse::<Cores>().is_err());
    }
}
