//! Lines of `instance_usage` as the publisher writes them: one compact object, no escapes, each field at most once.
//!
//! Nearly all lines of a trace are such. Whatever looks different (blanks, unknown fields, `null`, an integer of nineteen
//! digits) is left to the general reader, which accepts or rejects it; what is read here it would read the same way. It
//! was a third of the time of an ingest.

use crate::trace::delimited::exact_decimal;
use crate::trace::digits::digits;

use super::lines::UsageLine;
use super::values::{Distribution, Int, Resources};

/// Digits that are read without a look at overflow.
const MOST_DIGITS: usize = 18;
/// Names of the fields, with quotes and colon, in the publisher's order.
const FIELDS: [&[u8]; 18] = [
    br#""start_time":"#,
    br#""end_time":"#,
    br#""collection_id":"#,
    br#""instance_index":"#,
    br#""machine_id":"#,
    br#""alloc_collection_id":"#,
    br#""alloc_instance_index":"#,
    br#""collection_type":"#,
    br#""average_usage":"#,
    br#""maximum_usage":"#,
    br#""random_sample_usage":"#,
    br#""assigned_memory":"#,
    br#""page_cache_memory":"#,
    br#""cycles_per_instruction":"#,
    br#""memory_accesses_per_instruction":"#,
    br#""sample_rate":"#,
    br#""cpu_usage_distribution":"#,
    br#""tail_cpu_usage_distribution":"#,
];

/// Returns the line, or nothing when it is for the general reader.
pub(super) fn usage(line: &[u8]) -> Option<UsageLine> {
    let mut scanner = Scanner(line);
    let mut usage = UsageLine::default();
    scanner.byte(b'{')?;
    let mut expected = 0;
    loop {
        let field = scanner.field(expected)?;
        expected = field + 1;
        match field {
            0 => once(&mut usage.start_time, scanner.integer()?)?,
            1 => once(&mut usage.end_time, scanner.integer()?)?,
            2 => once(&mut usage.collection_id, scanner.integer()?)?,
            3 => once(&mut usage.instance_index, scanner.integer()?)?,
            4 => once(&mut usage.machine_id, scanner.integer()?)?,
            5 => once(&mut usage.alloc_collection_id, scanner.integer()?)?,
            6 => once(&mut usage.alloc_instance_index, scanner.integer()?)?,
            7 => once(&mut usage.collection_type, scanner.integer()?)?,
            8 => once(&mut usage.average_usage, scanner.resources()?)?,
            9 => once(&mut usage.maximum_usage, scanner.resources()?)?,
            10 => once(&mut usage.random_sample_usage, scanner.resources()?)?,
            11 => once(&mut usage.assigned_memory, scanner.number()?)?,
            12 => once(&mut usage.page_cache_memory, scanner.number()?)?,
            13 => once(&mut usage.cycles_per_instruction, scanner.number()?)?,
            14 => once(&mut usage.memory_accesses_per_instruction, scanner.number()?)?,
            15 => once(&mut usage.sample_rate, scanner.number()?)?,
            16 => once(&mut usage.cpu_usage_distribution, scanner.distribution()?)?,
            _ => once(&mut usage.tail_cpu_usage_distribution, scanner.distribution()?)?,
        }
        if scanner.goes_on(b'}')? {
            continue;
        }
        return scanner.0.is_empty().then_some(usage);
    }
}

/// Sets a field, unless it was set before.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// Takes values off the front of a line; nothing when they are not in their plain form.
struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn byte(&mut self, wanted: u8) -> Option<()> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        (first == wanted).then_some(())
    }

    fn starts(&mut self, wanted: &[u8]) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Takes a comma, or the end of an object or list; returns whether it was the comma.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        match first {
            b',' => Some(true),
            first if first == end => Some(false),
            _ => None,
        }
    }

    /// Takes the name of a field: mostly the one `expected` after the last.
    fn field(&mut self, expected: usize) -> Option<usize> {
        (expected..FIELDS.len()).chain(0..expected.min(FIELDS.len())).find(|&field| self.starts(FIELDS[field]))
    }

    /// Takes an integer, in quotes or not.
    fn integer(&mut self) -> Option<Int> {
        let is_quoted = self.starts(b"\"");
        let is_negative = self.starts(b"-");
        let begins_with_zero = self.0.first() == Some(&b'0');
        let (value, digits) = self.digits(0);
        if digits == 0 || digits > MOST_DIGITS || (digits > 1 && begins_with_zero) {
            return None;
        }
        if is_quoted {
            self.byte(b'"')?;
        }
        let value = i64::try_from(value).ok()?;
        // What follows is a comma or an end, so a number with a fraction is not taken for an integer.
        Some(Int(if is_negative { -value } else { value }))
    }

    /// Takes digits, which go on those of `value`; returns the new value and how many there were. Beyond [`MOST_DIGITS`] the
    /// value means nothing.
    fn digits(&mut self, mut value: u64) -> (u64, usize) {
        let taken;
        (value, taken) = digits(self.0, 0, value);
        self.0 = self.0.get(taken..).unwrap_or_default();
        (value, taken)
    }

    /// Takes a number. Digits that fit 2^53 and their power of ten are exact doubles, so one division rounds correctly
    /// (Clinger 1990); longer ones and exponents go to the general parser.
    fn number(&mut self) -> Option<f64> {
        let whole = self.0;
        let is_negative = self.starts(b"-");
        let begins_with_zero = self.0.first() == Some(&b'0');
        let (mut value, before) = self.digits(0);
        if before == 0 || (before > 1 && begins_with_zero) {
            return None;
        }
        let mut after = 0;
        if self.starts(b".") {
            (value, after) = self.digits(value);
            if after == 0 {
                return None;
            }
        }
        let has_exponent = matches!(self.0.first(), Some(b'e' | b'E'));
        if !has_exponent
            && before + after <= MOST_DIGITS
            && let Some(value) = exact_decimal(value, -i32::try_from(after).ok()?)
        {
            return Some(if is_negative { -value } else { value });
        }
        if has_exponent {
            self.byte(*self.0.first()?)?;
            let _is_signed = self.starts(b"+") || self.starts(b"-");
            if self.digits(0).1 == 0 {
                return None;
            }
        }
        let text = whole.get(..whole.len() - self.0.len())?;
        lexical_core::parse::<f64>(text).ok().filter(|value| value.is_finite())
    }

    fn resources(&mut self) -> Option<Resources> {
        let mut resources = Resources::default();
        self.byte(b'{')?;
        if self.starts(b"}") {
            return Some(resources);
        }
        loop {
            if self.starts(br#""cpus":"#) {
                once(&mut resources.cpus, self.number()?)?;
            } else if self.starts(br#""memory":"#) {
                once(&mut resources.memory, self.number()?)?;
            } else {
                return None;
            }
            if !self.goes_on(b'}')? {
                return Some(resources);
            }
        }
    }

    fn distribution<const N: usize>(&mut self) -> Option<Distribution<N>> {
        let mut values = [None; N];
        self.byte(b'[')?;
        if self.starts(b"]") {
            return Some(Distribution { values });
        }
        for value in &mut values {
            *value = Some(self.number()?);
            if !self.goes_on(b']')? {
                return Some(Distribution { values });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = r#"{"start_time":"600000000","end_time":"900000000","collection_id":"374000409950","instance_index":"0","machine_id":"5508603","alloc_collection_id":"0","alloc_instance_index":"-1","collection_type":"0","average_usage":{"cpus":0.01531,"memory":0.002191},"maximum_usage":{"cpus":0.02226,"memory":0.002209},"random_sample_usage":{"cpus":0.01537},"assigned_memory":0.01039,"page_cache_memory":0.00004624,"cycles_per_instruction":2.346,"memory_accesses_per_instruction":0.009857,"sample_rate":1,"cpu_usage_distribution":[0.01096,0.01283,0.01383,0.0144,0.01491,0.01537,0.01584,0.0164,0.01708,0.01818,0.021],"tail_cpu_usage_distribution":[0.01833,0.01851,0.01868,0.01886,0.01908,0.01935,0.01967,0.0201,0.02081]}"#;

    fn agrees(line: &str) -> Result<(), TestCaseError> {
        if let Some(found) = usage(line.as_bytes()) {
            let general: Result<UsageLine, _> = serde_json::from_str(line);
            prop_assert_eq!(Some(found), general.ok(), "{}", line);
        }
        Ok(())
    }

    #[test]
    fn the_publishers_lines_are_read_here() {
        let general: UsageLine = serde_json::from_str(LINE).expect("it is a line");
        assert_eq!(usage(LINE.as_bytes()), Some(general));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_general_reader() {
        for (plain, other) in [
            (r#""sample_rate":1"#, r#""sample_rate":null"#),
            (r#""sample_rate":1"#, r#""sample_rate": 1"#),
            (r#""sample_rate":1"#, r#""sample_rate":01"#),
            (r#""sample_rate":1"#, r#""sample_rate":1e999"#),
            (r#""sample_rate":1"#, r#""sample_rate":1."#),
            (r#""sample_rate":1"#, r#""sample_rate":1,"sample_rate":1"#),
            (r#""sample_rate":1"#, r#""sample_rate":1,"other":1"#),
            (r#""start_time":"600000000""#, r#""start_time":"9223372036854775807""#),
            (r#""start_time":"600000000""#, r#""start_time":600000000.5"#),
            (r#""start_time":"600000000""#, r#""start_time":"100000000000000000000000000000""#),
            (r#""cpus":0.01537}"#, r#""cpus":0.01537}}"#),
            (",0.02081]", ",0.02081,1]"),
        ] {
            let line = LINE.replace(plain, other);
            assert_ne!(line, LINE);
            assert_eq!(usage(line.as_bytes()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn both_readers_agree_on_numbers(
            text in "-?(0|[1-9][0-9]{0,20})([.][0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
            integer in "-?[0-9]{1,20}",
        ) {
            agrees(&LINE.replace("0.01531", &text))?;
            agrees(&LINE.replace("0.01283", &text))?;
            agrees(&LINE.replace("600000000", &integer))?;
            agrees(&LINE.replace("\"600000000\"", &integer))?;
        }

        #[test]
        fn both_readers_agree_on_damaged_lines(at in 0..LINE.len(), length in 0_usize..9, byte in "[0-9\"{}:,.eE\\[\\]-]?") {
            let end = (at + length).min(LINE.len());
            agrees(&format!("{}{byte}{}", &LINE[..at], &LINE[end..]))?;
        }
    }
}
