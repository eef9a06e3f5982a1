//! Dates as text: the forms that logs and exports use, read as UTC.

use super::{Micros, UnitError};

impl Micros {
    /// Parses a point in time, counted from 1970-01-01 00:00 UTC: RFC 3339 with its zone, or `YYYY-MM-DD HH:MM:SS`
    /// (also with `T`, and with a fraction) without a zone, which is read as UTC.
    ///
    /// # Errors
    /// [`UnitError::Malformed`] for any other text, also for a bare number.
    pub fn from_date(text: &str) -> Result<Self, UnitError> {
        // The civil parser also takes a date alone, which would make a point in time of a day.
        let has_clock = text.contains(':');
        let instant = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let civil = text.parse::<jiff::civil::DateTime>().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        });
        match instant {
            Some(instant) if has_clock => Ok(Self(instant.as_microsecond())),
            _ => Err(UnitError::Malformed {
                text: text.to_owned(),
                what: "a date with a time",
                expected: "`2024-05-21T12:00:00Z` or `2024-05-21 12:00:00` (UTC)",
            }),
        }
    }

    /// Prints the time as an RFC 3339 date in UTC, counted from 1970-01-01; nothing beyond the years -9999 to 9999.
    pub fn to_date(self) -> Option<String> {
        jiff::Timestamp::from_microsecond(self.0).ok().map(|instant| instant.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_with_and_without_a_zone_are_points_in_time() {
        let noon = Micros::from_seconds(1_716_292_800);
        for text in [
            "2024-05-21T12:00:00Z",
            "2024-05-21T14:00:00+02:00",
            "2024-05-21 12:00:00",
            "2024-05-21T12:00:00",
            "2024-05-21 12:00:00.000",
        ] {
            assert_eq!(Micros::from_date(text), Ok(noon), "{text}");
        }
        assert_eq!(Micros::from_date("2024-05-21 12:00:00.25"), Ok(noon.plus(Micros(250_000))));
        assert_eq!(noon.to_date().as_deref(), Some("2024-05-21T12:00:00Z"));
    }

    #[test]
    fn what_is_no_point_in_time_is_refused() {
        for text in ["", "1716292800", "2024-05-21", "12:00:00", "2024-13-21 12:00:00", "21.05.2024 12:00:00", "NaN"] {
            let error = Micros::from_date(text).expect_err(text);
            assert!(error.to_string().starts_with(&format!("`{text}` is not a date with a time")), "{error}");
        }
    }
}
