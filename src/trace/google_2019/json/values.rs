//! Values as the publisher's JSON has them.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

/// A 64-bit integer, written as a string, a number, or (in other people's exports) a whole double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Int(pub(super) i64);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntVisitor)
    }
}

struct IntVisitor;

impl Visitor<'_> for IntVisitor {
    type Value = Int;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a 64-bit integer as a number or a string")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Int, E> {
        Ok(Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Int, E> {
        // 2^63 is the sentinel "after the trace" once it went through a double.
        if value == 1 << 63 {
            return Ok(Int(i64::MAX));
        }
        i64::try_from(value).map(Int).map_err(|_out_of_range| E::custom(format!("integer `{value}` is out of range")))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Int, E> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        const AFTER_TRACE: f64 = 9_223_372_036_854_775_808.0;
        if value.to_bits() == AFTER_TRACE.to_bits() {
            return Ok(Int(i64::MAX));
        }
        if value.fract() == 0.0 && value.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            return Ok(Int(value as i64));
        }
        Err(E::custom(format!("`{value}` is no exact integer")))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Int, E> {
        match lexical_core::parse::<i64>(value.as_bytes()) {
            Ok(integer) => Ok(Int(integer)),
            Err(_) => Err(E::custom(format!("`{value}` is no integer"))),
        }
    }
}

/// A text, borrowed from the line unless it holds an escape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(value.to_owned())))
    }
}

/// Returns the text unless it is absent or empty.
pub(super) fn text<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    text.map(|text| text.0.as_ref()).filter(|text| !text.is_empty())
}

/// Up to N percentiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Distribution<const N: usize> {
    pub(super) values: [Option<f64>; N],
}

impl<'de, const N: usize> Deserialize<'de> for Distribution<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(DistributionVisitor::<N>)
    }
}

struct DistributionVisitor<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for DistributionVisitor<N> {
    type Value = Distribution<N>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at most {N} percentiles")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Distribution<N>, A::Error> {
        let mut values = [None; N];
        for slot in &mut values {
            let Some(value) = items.next_element()? else { return Ok(Distribution { values }) };
            *slot = value;
        }
        if items.next_element::<de::IgnoredAny>()?.is_some() {
            return Err(de::Error::invalid_length(N + 1, &self));
        }
        Ok(Distribution { values })
    }
}

/// CPU and memory of a nested record.
#[derive(Deserialize, Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Resources {
    pub(super) cpus: Option<f64>,
    pub(super) memory: Option<f64>,
}
