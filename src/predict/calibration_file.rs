//! `calibration.chosen`: what usual questions need of each calibration, in a file of blocks; the left-out workloads themselves stay in
//! `calibration.parquet` until another coverage is asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::artifact::blocks::{BlockWriter, Blocks, Seal};
use crate::artifact::{ArtifactError, FileRecord};
use crate::store::parquet_file;

use super::PredictError;
use super::calibrate::{Calibration, CalibrationKey, Cases, Chosen};
use super::index_tables::{self, CaseRow};

const KIND: &str = "calibrations";
const VERSION: u32 = 1;

/// Where the choices of a calibration lie: what it leaves out, the first byte, and how many there are.
type Place = (String, u64, u64);

/// Calibrations in a file, by what they depend on.
#[derive(Debug)]
pub(super) struct StoredCalibrations {
    blocks: Blocks,
    places: Vec<Place>,
    /// What each of them leaves out, as the places name it.
    keys: Vec<(CalibrationKey, String)>,
    folder: PathBuf,
    table: FileRecord,
}

/// The left-out workloads of one calibration, in a table.
#[derive(Debug)]
pub(super) struct StoredCases {
    folder: PathBuf,
    table: FileRecord,
    without: String,
}

/// Writes the choices of calibrations, each with what it leaves out, atomically.
pub(super) fn write(path: &Path, chosen: &[(String, Chosen)]) -> Result<(), ArtifactError> {
    let encode = |source| ArtifactError::Encode { path: path.to_owned(), source };
    let mut writer = BlockWriter::create(path)?;
    let mut places: Vec<Place> = Vec::new();
    let mut at = 0;
    for (without, chosen) in chosen {
        let text = serde_json::to_vec(chosen).map_err(encode)?;
        writer.append(&text)?;
        places.push((without.clone(), at, text.len() as u64));
        at += text.len() as u64;
    }
    let about = serde_json::to_string(&places).map_err(encode)?;
    writer.commit(&Seal { kind: KIND.to_owned(), version: VERSION, about })
}

impl StoredCalibrations {
    /// Takes an open file. `keys` are those of its calibrations with what they leave out, `table` in `folder` holds their cases.
    pub(super) fn open(
        seal: &Seal,
        blocks: Blocks,
        keys: Vec<(CalibrationKey, String)>,
        folder: &Path,
        table: FileRecord,
    ) -> Result<Self, ArtifactError> {
        seal.expect(blocks.path(), KIND, VERSION, "the calibrations of an index")?;
        let damaged = |what: String| ArtifactError::Damaged { path: blocks.path().to_owned(), what };
        let places: Vec<Place> =
            serde_json::from_str(&seal.about).map_err(|error| damaged(format!("footer: {error}")))?;
        let fits = |(_, from, length): &Place| from.checked_add(*length).is_some_and(|end| end <= blocks.bytes());
        if !places.iter().all(fits) {
            return Err(damaged("its parts do not fit together".to_owned()));
        }
        Ok(Self { blocks, places, keys, folder: folder.to_owned(), table })
    }

    /// Returns the calibration of a key; nothing where it was not made beforehand.
    pub(super) fn read(&self, key: &CalibrationKey) -> Result<Option<Calibration>, PredictError> {
        let Some((_, without)) = self.keys.iter().find(|(known, _)| known == key) else { return Ok(None) };
        let Some((_, from, length)) = self.places.iter().find(|(name, ..)| name == without) else { return Ok(None) };
        let damaged = |what: String| ArtifactError::Damaged { path: self.blocks.path().to_owned(), what };
        let length = usize::try_from(*length).map_err(|_too_long| damaged("too long to read".to_owned()))?;
        let mut text = vec![0; length];
        self.blocks.copy(*from, &mut text)?;
        let chosen: Chosen = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if !chosen.is_possible() {
            return Err(damaged("a choice among bases that do not exist".to_owned()).into());
        }
        let (folder, table, without) = (self.folder.clone(), self.table.clone(), without.clone());
        Ok(Some(Calibration::chosen(chosen, StoredCases { folder, table, without })))
    }
}

impl StoredCases {
    /// Reads them.
    pub(super) fn read(&self) -> Result<Cases, PredictError> {
        let mut rows: BTreeMap<String, Vec<CaseRow>> = BTreeMap::new();
        parquet_file::read(&self.folder, &self.table, |batch| index_tables::read_calibrations(batch, &mut rows))?;
        let mut cases = Cases::new();
        for row in rows.remove(&self.without).unwrap_or_default() {
            if let CaseRow::Case(scope, resource, case) = row {
                cases.entry((scope, resource)).or_default().push(*case);
            }
        }
        Ok(cases)
    }
}
