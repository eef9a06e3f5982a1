//! The samples of a case: held, or put away and read when they are needed.
//!
//! Memory is that of the one case that a thread looks at ([`RowBuffer`]), whatever the store holds.

use crate::trace::{Sample, SampleFlags};
use crate::units::Micros;

use super::ReplayError;
use super::scratch::{Place, Scratch};

/// Bytes of a row without amounts: start, duration, flags, and which amounts follow.
const HEAD: usize = 24;
const AMOUNTS: usize = 13;
/// Bytes of a row that has them all.
const LONGEST: u64 = (HEAD + AMOUNTS * 8) as u64;

/// The samples of one run, in time order.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// In memory.
    Held(Vec<Sample>),
    /// In a file.
    Away(Away),
}

/// Samples in a file: what is missing in a row takes no room.
#[derive(Debug, Clone, PartialEq)]
pub struct Away {
    scratch: Scratch,
    place: Place,
    rows: usize,
}

/// A buffer for the samples of one case at a time; each thread has its own.
#[derive(Debug, Default)]
pub struct RowBuffer {
    bytes: Vec<u8>,
    rows: Vec<Sample>,
}

impl From<Vec<Sample>> for Samples {
    fn from(samples: Vec<Sample>) -> Self {
        Self::Held(samples)
    }
}

impl Samples {
    /// Puts samples away.
    ///
    /// # Errors
    /// [`ReplayError::Scratch`] if they cannot be written.
    pub fn put_away(samples: &[Sample], scratch: &Scratch) -> Result<Self, ReplayError> {
        let mut bytes = Vec::with_capacity(samples.len() * (HEAD + 6 * 8));
        for sample in samples {
            write(sample, &mut bytes);
        }
        let place = scratch.put(&bytes)?;
        Ok(Self::Away(Away { scratch: scratch.clone(), place, rows: samples.len() }))
    }

    /// Returns the file they are in, if they are in one.
    pub(super) fn scratch(&self) -> Option<&Scratch> {
        match self {
            Self::Held(_) => None,
            Self::Away(away) => Some(&away.scratch),
        }
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Held(samples) => samples.len(),
            Self::Away(away) => away.rows,
        }
    }

    /// Returns all of them; `buffer` is used where they are not in memory.
    ///
    /// # Errors
    /// [`ReplayError::Scratch`] if they cannot be read.
    pub fn read<'a>(&'a self, buffer: &'a mut RowBuffer) -> Result<&'a [Sample], ReplayError> {
        self.read_first(self.count(), buffer)
    }

    /// Returns the first `count` of them, or all where there are fewer.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_first<'a>(&'a self, count: usize, buffer: &'a mut RowBuffer) -> Result<&'a [Sample], ReplayError> {
        match self {
            Self::Held(samples) => Ok(&samples[..count.min(samples.len())]),
            Self::Away(away) => {
                let count = count.min(away.rows);
                away.scratch.get(away.place, count as u64 * LONGEST, &mut buffer.bytes)?;
                buffer.rows.clear();
                buffer.rows.reserve(count);
                let mut rest = buffer.bytes.as_slice();
                // What was written here ends with its last row.
                buffer.rows.extend(std::iter::from_fn(|| read(&mut rest)).take(count));
                Ok(&buffer.rows)
            }
        }
    }

    /// Returns what a test changes.
    #[cfg(test)]
    pub(super) fn held(&mut self) -> &mut Vec<Sample> {
        match self {
            Self::Held(samples) => samples,
            Self::Away(_) => panic!("the samples are not in memory"),
        }
    }
}

fn write(sample: &Sample, bytes: &mut Vec<u8>) {
    let amounts = sample.amounts();
    let present = amounts.iter().rev().fold(0_u32, |mask, amount| (mask << 1) | u32::from(amount.is_some()));
    bytes.extend_from_slice(&sample.start.0.to_le_bytes());
    bytes.extend_from_slice(&sample.duration.0.to_le_bytes());
    bytes.extend_from_slice(&sample.flags.0.to_le_bytes());
    bytes.extend_from_slice(&present.to_le_bytes());
    for amount in amounts.into_iter().flatten() {
        bytes.extend_from_slice(&amount.to_le_bytes());
    }
}

fn taken<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

/// Takes one row; nothing at the end.
fn read(bytes: &mut &[u8]) -> Option<Sample> {
    let start = Micros(i64::from_le_bytes(taken(bytes)?));
    let duration = Micros(i64::from_le_bytes(taken(bytes)?));
    let flags = SampleFlags(u32::from_le_bytes(taken(bytes)?));
    let present = u32::from_le_bytes(taken(bytes)?);
    let mut amounts = [None; AMOUNTS];
    for (position, amount) in amounts.iter_mut().enumerate() {
        if present & (1 << position) != 0 {
            *amount = Some(f64::from_le_bytes(taken(bytes)?));
        }
    }
    Some(Sample { start, duration, flags, ..Sample::default() }.with_amounts(amounts))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row whose present amounts are the bits of `mask`, all different.
    fn row(mask: u32) -> Sample {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&(-5 - i64::from(mask)).to_le_bytes());
        bytes.extend_from_slice(&i64::from(mask).to_le_bytes());
        bytes.extend_from_slice(&(mask ^ 3).to_le_bytes());
        bytes.extend_from_slice(&mask.to_le_bytes());
        for position in (0..AMOUNTS).filter(|position| mask & (1 << position) != 0) {
            bytes.extend_from_slice(&(position as f64 + 0.1).to_le_bytes());
        }
        read(&mut bytes.as_slice()).unwrap()
    }

    #[test]
    fn every_combination_of_amounts_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::beside(folder.path()).unwrap();
        let rows: Vec<Sample> = (0..1 << AMOUNTS).map(row).collect();
        assert_eq!((rows[4].memory, rows[4].cpu, rows[1].cpu), (Some(2.1), None, Some(0.1)));
        let before = Samples::put_away(&rows[..7], &scratch).unwrap();
        let away = Samples::put_away(&rows, &scratch).unwrap();
        let mut buffer = RowBuffer::default();
        assert_eq!(away.read(&mut buffer).unwrap(), rows);
        assert_eq!(away.read_first(9, &mut buffer).unwrap(), &rows[..9]);
        // More than there are does not reach into what follows.
        assert_eq!(before.read_first(100, &mut buffer).unwrap(), &rows[..7]);
        assert_eq!(Samples::from(rows.clone()).read_first(9, &mut buffer).unwrap(), &rows[..9]);
    }
}
