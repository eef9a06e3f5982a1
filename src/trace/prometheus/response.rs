//! Answers of the HTTP interface, read series by series.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::labels::Labels;

/// One series of an answer: `values` of a matrix, `value` of a vector.
#[derive(Debug, Deserialize)]
pub(super) struct Series {
    #[serde(default)]
    pub(super) metric: Labels,
    #[serde(default)]
    pub(super) values: Vec<(f64, String)>,
    pub(super) value: Option<(f64, String)>,
    /// Native histograms, which are passed over.
    pub(super) histograms: Option<IgnoredAny>,
}

/// What an answer says besides its series.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) status: String,
    pub(super) error: Option<String>,
    pub(super) result_type: String,
    pub(super) warnings: Vec<String>,
}

/// Receives series; an error ends the reading.
pub(super) type Take<'a> = dyn FnMut(Series) -> Result<(), ()> + 'a;

/// Reads one answer and hands its series to `take`.
pub(super) struct Answer<'a, 'b> {
    pub(super) envelope: &'a mut Envelope,
    pub(super) take: &'a mut Take<'b>,
}

impl<'de> DeserializeSeed<'de> for Answer<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Answer<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an answer of Prometheus")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { envelope, take } = self;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "status" => envelope.status = map.next_value()?,
                "error" => envelope.error = map.next_value()?,
                "warnings" => envelope.warnings = map.next_value::<Option<_>>()?.unwrap_or_default(),
                "data" => map.next_value_seed(Body { envelope: &mut *envelope, take: &mut *take })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The field `data`.
struct Body<'a, 'b> {
    envelope: &'a mut Envelope,
    take: &'a mut Take<'b>,
}

impl<'de> DeserializeSeed<'de> for Body<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the data of an answer")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { envelope, take } = self;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "resultType" => {
                    envelope.result_type = map.next_value()?;
                    if matches!(envelope.result_type.as_str(), "scalar" | "string") {
                        return Err(de::Error::custom("a single value has no container"));
                    }
                }
                "result" => map.next_value_seed(Listed { take: &mut *take })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The list of series.
struct Listed<'a, 'b> {
    take: &'a mut Take<'b>,
}

impl<'de> DeserializeSeed<'de> for Listed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Listed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(series) = items.next_element::<Series>()? {
            (self.take)(series).map_err(|()| de::Error::custom("the series cannot be used"))?;
        }
        Ok(())
    }
}
