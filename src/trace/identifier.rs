//! Identifiers as text without allocating, and the checks that readers of numeric tables share.

use super::delimited::{Outcome, Row};

/// Writes `value` into `buffer`, which is emptied first, and returns it.
pub(super) fn integer_key(buffer: &mut String, value: i64) -> &str {
    buffer.clear();
    push_integer(buffer, value);
    buffer
}

/// Writes `GROUP/INDEX` into `buffer`, which is emptied first; returns whether both are there and not negative.
pub(super) fn instance_key(buffer: &mut String, group: Option<i64>, index: Option<i64>) -> bool {
    buffer.clear();
    let (Some(group @ 0..), Some(index @ 0..)) = (group, index) else { return false };
    push_integer(buffer, group);
    buffer.push('/');
    push_integer(buffer, index);
    true
}

fn push_integer(buffer: &mut String, value: i64) {
    let mut digits = [0; <i64 as lexical_core::FormattedSize>::FORMATTED_SIZE_DECIMAL];
    buffer.push_str(std::str::from_utf8(lexical_core::write(value, &mut digits)).unwrap_or_default());
}

/// Returns the scheduling class as text: 0 (batch) to 3 (most sensitive to latency) in both Google traces.
pub(super) fn class_name(class: i64) -> Option<&'static str> {
    usize::try_from(class).ok().and_then(|class| ["0", "1", "2", "3"].get(class).copied())
}

/// Returns a rejection when one of the columns holds a negative number.
pub(super) fn negative(row: &Row<'_>, columns: &[(usize, &'static str)]) -> Option<Outcome> {
    columns.iter().find_map(|&(index, name)| below_zero(name, row.number(index)))
}

/// Returns a rejection when `value`, of the column `name`, is negative.
pub(super) fn below_zero(name: &str, value: Option<f64>) -> Option<Outcome> {
    let value = value.filter(|value| *value < 0.0)?;
    Some(Outcome::Rejected("value is negative", format!("column `{name}`: found `{value}`")))
}
