//! The cells of a user's table to numbers, times and text, with the checks that protect against a wrong unit.

use super::mapping::{Measure, Step, apply};
use crate::units::Micros;

/// A cell as a file holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// Nothing.
    Missing,
    /// Text, trimmed and not empty.
    Text(&'a str),
    /// A number of a typed file.
    Number(f64),
    /// A whole number of a typed file.
    Whole(i64),
    /// A date or a length of time of a typed file.
    Time(Micros),
    /// Bytes that are no UTF-8.
    NotText,
}

/// A cell as it is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Slot<'a> {
    /// Nothing.
    Empty,
    /// Text.
    Text(&'a str),
    /// A number in the format's unit.
    Number(f64),
    /// A point in time or a length of time.
    Time(Micros),
}

/// What is wrong with a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// The row cannot be used: why.
    Row(&'static str),
    /// The whole file cannot be used: why, and what the user can do.
    File(String, String),
}

/// Latest point in time that is believed: the year 5138. Milliseconds of today read as seconds lie far behind it.
const LATEST_SECONDS: f64 = 1e11;
/// Longest length of time that is believed: 317 years.
const LONGEST_SECONDS: f64 = 1e10;
/// Most CPU of one workload that is believed; nanocores read as cores lie behind it.
const MOST_CORES: f64 = 1e5;
/// Most memory of one workload that is believed: 64 TiB, twice the largest machine that clouds rent out. Bytes read as
/// MiB lie behind it from 64 MiB on.
const MOST_BYTES: f64 = 70_368_744_177_664.0;
/// 2^20.
const MEBI: f64 = 1_048_576.0;

/// How a file writes fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Fractions {
    /// Not seen yet.
    #[default]
    Unknown,
    /// `0.5`.
    Point,
    /// `0,5`, which needs another delimiter than a comma.
    Comma,
    /// `0.5`, because the delimiter is a comma.
    PointOnly,
}

/// Parses a finite number; `0,5` where the file's delimiter and its other numbers allow it.
pub(super) fn number(text: &str, fractions: &mut Fractions) -> Result<f64, Fault> {
    let parsed = lexical_core::parse::<f64>(text.as_bytes());
    if let Ok(value) = parsed {
        if text.contains('.') {
            match fractions {
                Fractions::Unknown => *fractions = Fractions::Point,
                Fractions::Comma => return Err(Fault::Row("decimal commas and points are mixed")),
                Fractions::Point | Fractions::PointOnly => {}
            }
        }
        return if value.is_finite() { Ok(value) } else { Err(Fault::Row("number is not finite")) };
    }
    let (whole, fraction) = text.split_once(',').ok_or(Fault::Row("not a number"))?;
    if *fractions == Fractions::PointOnly || fraction.contains([',', '.']) || whole.contains('.') {
        return Err(Fault::Row("not a number"));
    }
    if *fractions == Fractions::Point {
        return Err(Fault::Row("decimal commas and points are mixed"));
    }
    let value = lexical_core::parse::<f64>(format!("{whole}.{fraction}").as_bytes())
        .map_err(|_no_number| Fault::Row("not a number"))?;
    *fractions = Fractions::Comma;
    if value.is_finite() { Ok(value) } else { Err(Fault::Row("number is not finite")) }
}

/// Returns a point in time, from seconds by the column's steps, or from a date.
pub(super) fn instant(
    value: Value<'_>,
    steps: &[Step],
    fractions: &mut Fractions,
    raw: &mut Option<f64>,
) -> Result<Micros, Fault> {
    let text = match value {
        Value::Time(time) => return Ok(time),
        Value::Whole(whole) => return whole_instant(whole, steps, raw),
        Value::Number(number) => return number_instant(number, steps, raw),
        Value::Text(text) => text,
        Value::Missing | Value::NotText => return Err(Fault::Row("text is not UTF-8")),
    };
    if let Ok(whole) = lexical_core::parse::<i64>(text.as_bytes()) {
        return whole_instant(whole, steps, raw);
    }
    match number(text, fractions) {
        Ok(number) => number_instant(number, steps, raw),
        Err(_) if text.contains(':') => {
            Micros::from_date(text).map_err(|_malformed| Fault::Row("neither seconds nor a date with a time"))
        }
        Err(fault) => Err(fault),
    }
}

/// Nanoseconds since 1970 do not fit a double, so the usual divisions are done in integers; halves round up.
fn whole_instant(whole: i64, steps: &[Step], raw: &mut Option<f64>) -> Result<Micros, Fault> {
    let per_second: Option<i128> = match steps {
        [] => Some(1),
        [Step::Over(divisor)] => [1_000_i128, 1_000_000, 1_000_000_000]
            .into_iter()
            .find(|&unit| (unit as f64).to_bits() == divisor.to_bits()),
        _ => None,
    };
    let Some(per_second) = per_second else { return number_instant(whole as f64, steps, raw) };
    *raw = Some(whole as f64);
    let micros = (i128::from(whole) * 1_000_000 + per_second / 2).div_euclid(per_second);
    check_instant(micros as f64 / 1e6, whole as f64)?;
    i64::try_from(micros).map(Micros).map_err(|_too_large| Fault::Row("time is out of range"))
}

fn number_instant(number: f64, steps: &[Step], raw: &mut Option<f64>) -> Result<Micros, Fault> {
    if !number.is_finite() {
        return Err(Fault::Row("number is not finite"));
    }
    *raw = Some(number);
    let seconds = apply(steps, number);
    check_instant(seconds, number)?;
    Micros::from_seconds_f64(seconds).map_err(|_too_large| Fault::Row("time is out of range"))
}

/// Refuses a point in time that lies millennia ahead, with the reading that would make sense.
fn check_instant(seconds: f64, raw: f64) -> Result<(), Fault> {
    /// 1990 and 2100, in seconds since 1970.
    const PLAUSIBLE: std::ops::Range<f64> = 631_152_000.0..4_102_444_800.0;
    if seconds.abs() <= LATEST_SECONDS {
        return Ok(());
    }
    let units = [("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9)];
    let sensible = units.into_iter().find(|(_, unit)| PLAUSIBLE.contains(&(raw / unit)));
    let (reading, hint) = sensible.map_or_else(
        || (String::new(), "give the unit with `--map time_s=COLUMN/NUMBER`".to_owned()),
        |(name, unit)| {
            let date = Micros::from_seconds_f64(raw / unit).ok().and_then(Micros::to_date).unwrap_or_default();
            (
                format!("; read as {name} it is {date}"),
                format!("the column holds {name}: divide it by {unit}, as in `--map time_s=COLUMN/{unit}`"),
            )
        },
    );
    Err(Fault::File(format!("read as seconds, a time lies after the year 5000{reading}"), hint))
}

/// Returns a number in the format's unit, refused where it cannot be in that unit.
pub(super) fn amount(measure: Measure, raw: f64, steps: &[Step]) -> Result<f64, Fault> {
    let value = apply(steps, raw);
    if !value.is_finite() {
        return Err(Fault::Row("number is not finite"));
    }
    let most = match measure {
        Measure::Cpu => MOST_CORES,
        Measure::Memory => MOST_BYTES,
        Measure::Length => LONGEST_SECONDS,
        _ => return Ok(value),
    };
    if value <= most {
        return Ok(value);
    }
    Err(match measure {
        Measure::Cpu => Fault::File(
            format!("read as mapped, a workload uses {value} cores"),
            "if the column holds millicores or nanocores, divide it by 1000 or 1e9, as in `--map cpu_cores=COLUMN/1000`"
                .to_owned(),
        ),
        Measure::Memory => Fault::File(
            format!(
                "read as mapped, a workload uses {:.0} TiB of memory; read as bytes it is {:.1} MiB",
                value / MEBI / MEBI,
                raw / MEBI
            ),
            "if the column holds bytes, map it without a factor, as in `--map memory_bytes=COLUMN`".to_owned(),
        ),
        _ => Fault::File(
            format!("read as seconds, a length of time is {} years", (value / 31_557_600.0).round()),
            "if the column holds milliseconds, divide it by 1000, as in `--map offset_s=COLUMN/1000`".to_owned(),
        ),
    })
}

/// Sets slightly negative use to 0 and refuses what is more: returns the value and whether it was changed.
///
/// Counters that are differenced and meters that subtract give values just below 0. Accepted is what lies above
/// -1/1000 of the largest value of the column so far (`largest`), or above a step that no meter resolves: 1/1000 core,
/// one page of memory, one byte per second, 1/1000 as a share. "So far" keeps the reader at one pass; rows before the
/// first large value are measured more strictly.
pub(super) fn without_sign(measure: Measure, value: f64, largest: &mut f64) -> Result<(f64, bool), Fault> {
    if value >= 0.0 {
        *largest = largest.max(value);
        return Ok((value, false));
    }
    let step: f64 = match measure {
        Measure::Memory => 4096.0,
        Measure::Rate => 1.0,
        _ => 1e-3,
    };
    if value > -step.max(1e-3 * *largest) { Ok((0.0, true)) } else { Err(Fault::Row("negative use")) }
}
