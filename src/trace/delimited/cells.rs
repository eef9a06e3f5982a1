//! Cells to values, and what is counted of each column.

use crate::trace::summary::{ColumnSummary, Sum};
use crate::units::Micros;

use super::{Cell, Kind};

/// Codes below this are counted by position instead of in a map of texts (`task_events`, one thread, release: 245
/// instead of 209 MB/s).
const SMALL_CODES: usize = 16;

/// The summary of one column while it is read.
#[derive(Clone)]
pub(in crate::trace) struct Column {
    pub(in crate::trace) empty: u64,
    numbers: u64,
    min: f64,
    max: f64,
    sum: Sum,
    /// Categories, and codes that are not small.
    pub(in crate::trace) summary: ColumnSummary,
    small_codes: [u64; SMALL_CODES],
}

impl Default for Column {
    fn default() -> Self {
        Self {
            empty: 0,
            numbers: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: Sum::default(),
            summary: ColumnSummary::default(),
            small_codes: [0; SMALL_CODES],
        }
    }
}

impl Column {
    pub(in crate::trace) fn number(&mut self, value: f64) {
        self.numbers += 1;
        self.min = if value < self.min { value } else { self.min };
        self.max = if value > self.max { value } else { self.max };
        self.sum.add(value);
    }

    pub(in crate::trace) fn code(&mut self, value: i64) {
        match usize::try_from(value).ok().and_then(|value| self.small_codes.get_mut(value)) {
            Some(count) => *count += 1,
            None => self.summary.category(&value.to_string()),
        }
    }

    pub(in crate::trace) fn finish(self) -> ColumnSummary {
        let mut summary = ColumnSummary {
            empty: self.empty,
            numbers: self.numbers,
            min: (self.numbers > 0).then_some(self.min),
            max: (self.numbers > 0).then_some(self.max),
            sum: self.sum,
            ..self.summary
        };
        for (code, count) in self.small_codes.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            *summary.counts.entry(code.to_string()).or_default() += count;
        }
        summary
    }
}

/// Why a cell is not what its column holds.
pub(super) enum Fault {
    Spreadsheet,
    DoubleTime,
    NotA(&'static str),
}

/// Returns the typed value of a cell that is not empty.
pub(super) fn type_cell(kind: Kind, field: &[u8]) -> Result<Cell, Fault> {
    match kind {
        Kind::Text | Kind::Category => {
            std::str::from_utf8(field).map(|_text| Cell::Text).map_err(|_not_utf8| Fault::NotA("text is not UTF-8"))
        }
        Kind::Number => number(field).map(Cell::Number),
        Kind::Seconds => integer(Kind::Time, field).or_else(|fault| {
            let date = std::str::from_utf8(field).ok().and_then(|text| Micros::from_date(text).ok());
            date.map(|date| Cell::Integer(date.0.div_euclid(1_000_000))).ok_or(fault)
        }),
        Kind::Id | Kind::Time | Kind::Integer | Kind::Code => integer(kind, field),
    }
}

/// Parses a finite number.
fn number(field: &[u8]) -> Result<f64, Fault> {
    if let Some(value) = short_decimal(field) {
        return Ok(value);
    }
    match lexical_core::parse::<f64>(field) {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(Fault::NotA("number is not finite")),
        Err(_) => Err(Fault::NotA("not a number")),
    }
}

fn integer(kind: Kind, field: &[u8]) -> Result<Cell, Fault> {
    // Doubles hold every integer up to 2^53; beyond it, a column that went through a double has lost digits.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // 2^63.
    const AFTER_TRACE: f64 = 9_223_372_036_854_775_808.0;
    if let Some(value) = short_integer(field) {
        return Ok(Cell::Integer(value));
    }
    if let Ok(value) = lexical_core::parse::<i64>(field) {
        return Ok(if kind == Kind::Time && value == i64::MAX { Cell::AfterTrace } else { Cell::Integer(value) });
    }
    let value = number(field)?;
    // "After the trace" once it went through a double: numpy and spreadsheets with all digits print it in many ways.
    if kind == Kind::Time && value.to_bits() == AFTER_TRACE.to_bits() {
        return Ok(Cell::AfterTrace);
    }
    let is_scientific = field.iter().any(|byte| matches!(byte, b'e' | b'E'));
    if is_scientific && matches!(kind, Kind::Id | Kind::Time) {
        return Err(Fault::Spreadsheet);
    }
    if kind == Kind::Time && value.abs() > EXACT {
        return Err(Fault::DoubleTime);
    }
    if value.abs() > EXACT {
        return Err(if kind == Kind::Id { Fault::Spreadsheet } else { Fault::NotA("integer is out of range") });
    }
    if value.fract() == 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return Ok(Cell::Integer(value as i64));
    }
    Err(Fault::NotA("not an integer"))
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Returns `digits` times ten to the `power` where both are exact doubles: one division or multiplication then rounds
/// correctly (Clinger 1990).
pub(in crate::trace) fn exact_decimal(digits: u64, power: i32) -> Option<f64> {
    if digits > 1 << 53 {
        return None;
    }
    let scale = *POWERS.get(power.unsigned_abs() as usize)?;
    Some(if power < 0 { digits as f64 / scale } else { digits as f64 * scale })
}

/// Returns the value of plain decimals such as `0.06787` whose digits fit 2^53: digits and power of ten are then exact
/// doubles, and one division rounds correctly (Clinger 1990). Everything else is for the general parser.
fn short_decimal(field: &[u8]) -> Option<f64> {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    let [first, .., last] = digits else {
        let &[digit @ b'0'..=b'9'] = digits else { return None };
        let value = f64::from(digit - b'0');
        return Some(if digits.len() == field.len() { value } else { -value });
    };
    if digits.len() > 17 || !first.is_ascii_digit() || !last.is_ascii_digit() {
        return None;
    }
    let (mut whole, mut decimals, mut is_fraction) = (0_u64, 0_i32, false);
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            whole = whole * 10 + u64::from(digit);
            decimals -= i32::from(is_fraction);
        } else if byte == b'.' && !is_fraction {
            is_fraction = true;
        } else {
            return None;
        }
    }
    let value = exact_decimal(whole, decimals)?;
    Some(if digits.len() == field.len() { value } else { -value })
}

/// Returns the value of at most 18 digits with or without a minus.
fn short_integer(field: &[u8]) -> Option<i64> {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if digits.len() == field.len() { value } else { -value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{short_decimal, short_integer};

    proptest! {
        #[test]
        fn short_numbers_are_what_the_general_parser_says(text in "-?[0-9]{0,12}[.]?[0-9]{0,12}") {
            let general = lexical_core::parse::<f64>(text.as_bytes()).ok();
            if let Some(value) = short_decimal(text.as_bytes()) {
                prop_assert_eq!(Some(value.to_bits()), general.map(f64::to_bits), "{}", text);
            }
            if let Some(value) = short_integer(text.as_bytes()) {
                prop_assert_eq!(Some(value), lexical_core::parse::<i64>(text.as_bytes()).ok(), "{}", text);
            }
        }
    }

    #[test]
    fn plain_decimals_need_no_general_parser() {
        for (text, value) in [("0.06787", 0.06787), ("7", 7.0), ("-12.5", -12.5), ("900000000", 9e8)] {
            assert_eq!(short_decimal(text.as_bytes()), Some(value));
        }
        for other in ["", "-", ".", "5.", ".5", "1e3", "NaN", "1.2.3", "+1", "9007199254740993", "12345678901234567890"]
        {
            assert_eq!(short_decimal(other.as_bytes()), None, "{other}");
        }
    }
}
