//! Records in their plain form: every column in its place, numbers in digits, nothing to trim.
//!
//! Nearly all records of the large traces are such. They are split and typed in one pass over their bytes; whatever looks
//! different (blanks, quotes, too few fields, an empty mandatory cell, a number of nineteen digits) is left to the general
//! way, which accepts or rejects it with its reason. What is typed here the general way would type the same.

use crate::trace::digits::digits;

use super::cells::exact_decimal;
use super::{Cell, ColumnSpec, Kind};

/// Splits and types the line from `begin` to its `end` in `block`, into as many `cells` as there are `columns`; `ranges` are the
/// places of the fields. Returns whether it did; if not, what was written means nothing.
pub(super) fn type_line(
    block: &[u8],
    (begin, end): (usize, usize),
    delimiter: u8,
    columns: &[ColumnSpec],
    cells: &mut [Cell],
    ranges: &mut Vec<(usize, usize)>,
) -> bool {
    let line = Line { block, end, delimiter };
    let mut at = begin;
    let last = columns.len().saturating_sub(1);
    for (index, (column, cell)) in columns.iter().zip(cells).enumerate() {
        let typed = match column.kind {
            Kind::Text | Kind::Category => line.text(at),
            Kind::Number => line.number(at),
            Kind::Id | Kind::Time | Kind::Seconds | Kind::Integer | Kind::Code => line.integer(at),
        };
        let Some((typed, stop)) = typed else { return false };
        if typed == Cell::Empty && column.required {
            return false;
        }
        *cell = typed;
        ranges.push((at, stop));
        // Behind the last field the line is over, behind the others it is not.
        if (stop == end) != (index == last) {
            return false;
        }
        at = stop + 1;
    }
    true
}

/// A line inside a block. Digits are read beyond its end, where what ends the line ends them.
struct Line<'a> {
    block: &'a [u8],
    end: usize,
    delimiter: u8,
}

impl Line<'_> {
    /// Returns whether a field ends at `at`.
    fn ends(&self, at: usize) -> bool {
        at == self.end || self.block.get(at) == Some(&self.delimiter)
    }

    /// Types the field at `begin` as an integer of at most 18 digits; returns where it ends.
    fn integer(&self, begin: usize) -> Option<(Cell, usize)> {
        let is_negative = self.block.get(begin) == Some(&b'-');
        let first = begin + usize::from(is_negative);
        let (value, end) = digits(self.block, first, 0);
        if !self.ends(end) || end - first > 18 {
            return None;
        }
        if end == first {
            return (!is_negative).then_some((Cell::Empty, end));
        }
        let value = i64::try_from(value).ok()?;
        Some((Cell::Integer(if is_negative { -value } else { value }), end))
    }

    /// Types the field at `begin` as a decimal whose digits fit a double; returns where it ends.
    fn number(&self, begin: usize) -> Option<(Cell, usize)> {
        let is_negative = self.block.get(begin) == Some(&b'-');
        let first = begin + usize::from(is_negative);
        let (mut value, mut end) = digits(self.block, first, 0);
        if end == first {
            return (!is_negative && self.ends(end)).then_some((Cell::Empty, end));
        }
        let mut count = end - first;
        let mut power = 0_i32;
        if self.block.get(end) == Some(&b'.') {
            let point = end;
            (value, end) = digits(self.block, end + 1, value);
            let decimals = end - point - 1;
            if decimals == 0 {
                return None;
            }
            count += decimals;
            power = -i32::try_from(decimals).ok()?;
        }
        if count > 18 {
            return None;
        }
        if matches!(self.block.get(end), Some(b'e' | b'E')) {
            let sign = self.block.get(end + 1)?;
            let from = end + 1 + usize::from(matches!(sign, b'-' | b'+'));
            let (exponent, after) = digits(self.block, from, 0);
            if after == from || after - from > 3 {
                return None;
            }
            let exponent = i32::try_from(exponent).ok()?;
            power += if *sign == b'-' { -exponent } else { exponent };
            end = after;
        }
        if !self.ends(end) {
            return None;
        }
        let value = exact_decimal(value, power)?;
        Some((Cell::Number(if is_negative { -value } else { value }), end))
    }

    /// Types the field at `begin` as text without a blank at its ends; returns where it ends.
    fn text(&self, begin: usize) -> Option<(Cell, usize)> {
        let rest = self.block.get(begin..self.end)?;
        let length = rest.iter().position(|&byte| byte == self.delimiter).unwrap_or(rest.len());
        let field = &rest[..length];
        let (Some(first), Some(last)) = (field.first(), field.last()) else { return Some((Cell::Empty, begin)) };
        let is_plain = !first.is_ascii_whitespace() && !last.is_ascii_whitespace() && field.is_ascii();
        is_plain.then_some((Cell::Text, begin + length))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::cells::{Fault, type_cell};
    use super::super::{optional, required};
    use super::*;

    const COLUMNS: [ColumnSpec; 4] = [
        required("id", Kind::Id),
        optional("time", Kind::Time),
        optional("number", Kind::Number),
        optional("text", Kind::Text),
    ];

    fn typed(line: &str) -> Option<[Cell; 4]> {
        let (mut cells, mut ranges) = ([Cell::Empty; 4], Vec::new());
        let block = format!("x,\n{line}\nrest");
        type_line(block.as_bytes(), (3, 3 + line.len()), b',', &COLUMNS, &mut cells, &mut ranges).then(|| {
            let fields: Vec<&str> = ranges.iter().map(|&(begin, end)| &block[begin..end]).collect();
            assert_eq!(fields.join(","), line);
            cells
        })
    }

    #[test]
    fn plain_lines_are_typed() {
        let cells = [Cell::Integer(-7), Cell::Integer(300), Cell::Number(5.664e-5), Cell::Text];
        assert_eq!(typed("-7,300,5.664e-05,c_1"), Some(cells));
        assert_eq!(typed("7,,,"), Some([Cell::Integer(7), Cell::Empty, Cell::Empty, Cell::Empty]));
    }

    #[test]
    fn other_lines_are_left_to_the_general_way() {
        for line in [
            ",1,1,a",
            "1,1,1",
            "1,1,1,a,",
            "1,1,1,a,b",
            "1,1,1, a",
            "1,1,1,ä",
            "1,1,1,a\r",
            "1,1,.5,a",
            "1,1,5.,a",
            "1,1,1e,a",
            "1,1,-,a",
            "1, 1,1,a",
            "1,1.0,1,a",
            "1,9223372036854775807,1,a",
            "1,1,9007199254740993,a",
            "1,1,NaN,a",
            "\"1\",1,1,a",
        ] {
            assert_eq!(typed(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_type_the_same(
            integer in "-?[0-9]{0,20}",
            number in "-?[0-9]{0,19}[.]?[0-9]{0,19}([eE][+-]?[0-9]{0,4})?",
        ) {
            let Some(cells) = typed(&format!("1,{integer},{number},a")) else { return Ok(()) };
            for (kind, field, cell) in [(Kind::Time, &integer, cells[1]), (Kind::Number, &number, cells[2])] {
                let general = if field.is_empty() { Ok(Cell::Empty) } else { type_cell(kind, field.as_bytes()) };
                match (general, cell) {
                    (Ok(Cell::Number(general)), Cell::Number(plain)) => prop_assert_eq!(general.to_bits(), plain.to_bits()),
                    (Ok(general), plain) => prop_assert_eq!(general, plain),
                    (Err(Fault::Spreadsheet | Fault::DoubleTime | Fault::NotA(_)), plain) => {
                        prop_assert!(false, "`{}` is {:?}", field, plain);
                    }
                }
            }
        }
    }
}
