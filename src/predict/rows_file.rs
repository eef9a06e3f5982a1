//! `workloads.rows`: the stored workloads in a file of blocks, so that an answer reads those it rests on. A cache of
//! `fingerprints.parquet`.
//!
//! Content, little-endian: a record of fixed length per row (features as 64-bit numbers, undefined where missing; level, request and need of each
//! resource likewise; flags, run, start, and where the texts stand); the rows in the order of their application and user, 4 bytes each; the texts.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::artifact::blocks::{BlockWriter, Blocks, Seal};
use crate::artifact::{ArtifactError, FileRecord};

use super::PredictError;
use super::index_tables;
use super::need::{Need, Remembered, Resource};
use crate::store::parquet_file;
use crate::units::Micros;

const KIND: &str = "workload-rows";
/// Version 1 had no starts.
const VERSION: u32 = 2;

/// The start of a workload that began nobody knows when.
const NO_START: i64 = i64::MIN;

/// The flag of a workload that was added after the fit.
const ADDED: u32 = 1 << 3;

/// Texts of a row: format, identifier, application, user, class.
const TEXTS: usize = 5;

/// Length of a text that is not there.
const ABSENT: u32 = u32::MAX;

/// Longest text that is read.
const MOST_TEXT: u32 = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct About {
    rows: u64,
    width: usize,
}

/// Where the truth lies, for those who need all of it.
#[derive(Debug)]
pub(super) struct Truth {
    /// The folder of the index.
    pub(super) folder: PathBuf,
    /// Its table of fingerprints.
    pub(super) fingerprints: FileRecord,
    /// Names of the features.
    pub(super) features: Vec<String>,
    /// Components of a fingerprint.
    pub(super) components: usize,
}

/// Rows in a file.
#[derive(Debug)]
pub(super) struct StoredRows {
    blocks: Blocks,
    rows: u32,
    width: usize,
    truth: Truth,
}

/// Bytes of a record: features and needs; flags and run; start; where the texts begin, and their lengths.
const fn record_bytes(width: usize) -> u64 {
    8 * (width as u64 + 9) + 4 + 4 + 8 + 8 + 4 * TEXTS as u64
}

fn texts_of(row: &Remembered) -> [Option<&str>; TEXTS] {
    let [application, user, class] = [&row.application, &row.user, &row.class].map(Option::as_deref);
    [Some(&row.format), Some(&row.id), application, user, class]
}

/// Writes rows of `width` features, atomically.
pub(super) fn write(path: &Path, rows: &[Remembered], width: usize) -> Result<(), ArtifactError> {
    let encode = |source| ArtifactError::Encode { path: path.to_owned(), source };
    let about = serde_json::to_string(&About { rows: rows.len() as u64, width }).map_err(encode)?;
    let mut writer = BlockWriter::create(path)?;
    let mut bytes = Vec::new();
    let mut text = 0_u64;
    for row in rows {
        let missing = |value: Option<f64>| value.unwrap_or(f64::NAN).to_le_bytes();
        bytes.extend((0..width).flat_map(|at| missing(row.features.get(at).copied().flatten())));
        let mut flags = if row.fitted { 0 } else { ADDED };
        for (at, need) in row.needs.iter().enumerate() {
            bytes.extend(missing(need.map(|need| need.level)));
            bytes.extend(missing(need.and_then(|need| need.request)));
            bytes.extend(missing(need.map(|need| need.need)));
            flags |= u32::from(need.is_some_and(|need| need.at_least)) << at;
        }
        bytes.extend(flags.to_le_bytes());
        bytes.extend(row.run.to_le_bytes());
        bytes.extend(row.start.map_or(NO_START, |start| start.0).to_le_bytes());
        bytes.extend(text.to_le_bytes());
        for one in texts_of(row) {
            bytes.extend(one.map_or(ABSENT, |one| u32::try_from(one.len()).unwrap_or(ABSENT)).to_le_bytes());
            text += one.map_or(0, |one| one.len() as u64);
        }
        writer.append(&bytes)?;
        bytes.clear();
    }
    let mut order: Vec<u32> = (0_u32..).zip(rows).map(|(number, _)| number).collect();
    let key = |row: u32| {
        let row = &rows[row as usize];
        (row.application.as_deref(), row.user.as_deref())
    };
    order.sort_by(|&left, &right| key(left).cmp(&key(right)));
    writer.extend(order.into_iter().flat_map(u32::to_le_bytes))?;
    writer.extend(rows.iter().flat_map(texts_of).flatten().flat_map(str::bytes))?;
    writer.commit(&Seal { kind: KIND.to_owned(), version: VERSION, about })
}

impl StoredRows {
    /// Takes an open file for rows of `width` features, as many as there are fingerprints.
    pub(super) fn open(seal: &Seal, blocks: Blocks, width: usize, truth: Truth) -> Result<Self, ArtifactError> {
        seal.expect(blocks.path(), KIND, VERSION, "the rows of an index")?;
        let damaged = |what: String| ArtifactError::Damaged { path: blocks.path().to_owned(), what };
        let about: About = serde_json::from_str(&seal.about).map_err(|error| damaged(format!("footer: {error}")))?;
        let rows =
            u32::try_from(about.rows).map_err(|_too_many| damaged("more rows than an index holds".to_owned()))?;
        let texts = (record_bytes(width) + 4).checked_mul(about.rows);
        if about.width != width
            || about.rows != truth.fingerprints.rows
            || texts.is_none_or(|texts| texts > blocks.bytes())
        {
            return Err(damaged("its parts do not fit together".to_owned()));
        }
        Ok(Self { blocks, rows, width, truth })
    }

    pub(super) const fn len(&self) -> usize {
        self.rows as usize
    }

    fn damaged(&self, what: &str) -> PredictError {
        ArtifactError::Damaged { path: self.blocks.path().to_owned(), what: what.to_owned() }.into()
    }

    /// Returns a row; nothing beyond the last.
    pub(super) fn get(&self, row: u32) -> Result<Option<Remembered>, PredictError> {
        if row >= self.rows {
            return Ok(None);
        }
        let mut bytes = vec![0; 8 * (self.width + 9) + 16];
        self.blocks.copy(u64::from(row) * record_bytes(self.width), &mut bytes)?;
        let (numbers, rest) = bytes.split_at(8 * (self.width + 9));
        let numbers: Vec<Option<f64>> = numbers
            .as_chunks::<8>()
            .0
            .iter()
            .map(|number| Some(f64::from_le_bytes(*number)).filter(|number| !number.is_nan()))
            .collect();
        let [flags, run] = [0, 4].map(|at| word(&rest[at..]));
        let start = rest.last_chunk().map_or(NO_START, |start| i64::from_le_bytes(*start));
        let (start, fitted) = (Some(Micros(start)).filter(|start| start.0 != NO_START), flags & ADDED == 0);
        let (features, amounts) = numbers.split_at(self.width);
        let need = |resource: Resource| {
            let at = resource as usize;
            let (level, need) = amounts[3 * at].zip(amounts[3 * at + 2])?;
            Some(Need { level, request: amounts[3 * at + 1], need, at_least: flags >> at & 1 == 1 })
        };
        let [format, id, application, user, class] = self.texts(row)?;
        let (Some(format), Some(id)) = (format, id) else { return Err(self.damaged("a row without a name")) };
        let needs = Resource::ALL.map(need);
        let features = features.to_vec();
        Ok(Some(Remembered { id, run, format, application, user, class, start, fitted, features, needs }))
    }

    /// Returns format, identifier, application, user and class of a row.
    fn texts(&self, row: u32) -> Result<[Option<String>; TEXTS], PredictError> {
        let mut place = [0; 8 + 4 * TEXTS];
        let from = (u64::from(row) + 1) * record_bytes(self.width) - place.len() as u64;
        self.blocks.copy(from, &mut place)?;
        let (begin, lengths) = place.split_at(8);
        let begin = begin.first_chunk().map_or(u64::MAX, |begin| u64::from_le_bytes(*begin));
        let mut at = begin.checked_add((record_bytes(self.width) + 4) * u64::from(self.rows));
        let mut texts = [const { None }; TEXTS];
        for (text, length) in texts.iter_mut().zip(lengths.as_chunks::<4>().0) {
            let length = u32::from_le_bytes(*length);
            if length == ABSENT {
                continue;
            }
            let Some(from) = at.filter(|_| length <= MOST_TEXT) else {
                return Err(self.damaged("a text that does not fit"));
            };
            let mut bytes = vec![0; length as usize];
            self.blocks.copy(from, &mut bytes)?;
            *text = Some(String::from_utf8(bytes).map_err(|_bytes| self.damaged("a text that is not UTF-8"))?);
            at = from.checked_add(u64::from(length));
        }
        Ok(texts)
    }

    /// Returns the row at a position in the order of application and user.
    fn ordered(&self, position: u32) -> Result<u32, PredictError> {
        let mut row = [0; 4];
        let from = record_bytes(self.width) * u64::from(self.rows) + 4 * u64::from(position);
        self.blocks.copy(from, &mut row)?;
        Ok(u32::from_le_bytes(row))
    }

    /// Returns the first position in the order whose application and user are not below the given ones.
    fn lower_bound(&self, is_below: impl Fn(Option<&str>, Option<&str>) -> bool) -> Result<u32, PredictError> {
        let (mut low, mut high) = (0, self.rows);
        while low < high {
            let middle = low + (high - low) / 2;
            let row = self.ordered(middle)?;
            if row >= self.rows {
                return Err(self.damaged("its parts do not fit together"));
            }
            let [_, _, application, user, _] = self.texts(row)?;
            if is_below(application.as_deref(), user.as_deref()) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Returns the rows of an application: of this user and of nobody, or of all users where none is given.
    pub(super) fn instances(&self, application: &str, user: Option<&str>) -> Result<Vec<u32>, PredictError> {
        let own = Some(application);
        // (from, to) as pairs of bounds in the order.
        let parts = match user {
            None => vec![(self.lower_bound(|name, _| name < own)?, self.lower_bound(|name, _| name <= own)?)],
            Some(_) => vec![
                (self.lower_bound(|name, _| name < own)?, self.lower_bound(|name, by| (name, by) <= (own, None))?),
                (
                    self.lower_bound(|name, by| (name, by) < (own, user))?,
                    self.lower_bound(|name, by| (name, by) <= (own, user))?,
                ),
            ],
        };
        parts.into_iter().flat_map(|(from, to)| from..to).map(|position| self.ordered(position)).collect()
    }

    /// Reads all rows, from the truth.
    pub(super) fn all(&self) -> Result<Vec<Remembered>, PredictError> {
        let Truth { folder, fingerprints, features, components } = &self.truth;
        let (mut rows, mut coordinates) = (Vec::with_capacity(self.len()), Vec::new());
        parquet_file::read(folder, fingerprints, |batch| {
            coordinates.clear();
            index_tables::read_fingerprints(batch, features, *components, &mut rows, &mut coordinates)
        })?;
        if rows.len() == self.len() { Ok(rows) } else { Err(self.damaged("it holds other rows than the fingerprints")) }
    }
}

fn word(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |word| u32::from_le_bytes(*word))
}
