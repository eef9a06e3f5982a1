//! The reporter of rows that cannot be used: counts by reason, first examples, and the rows themselves in quarantine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::artifact::{ArtifactError, AtomicFile};

/// Examples kept per reason for the message.
const EXAMPLES: usize = 3;
/// A quarantined row is cut to this many bytes.
const ROW_LIMIT: usize = 4096;

/// One rejected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The file, with the member of an archive after `!`.
    pub file: String,
    /// Row, counted from 1 without the header.
    pub row: u64,
    /// Why, in a few words without numbers: rows are counted by it.
    pub reason: &'static str,
    /// What exactly was found, as in "column `cpu_rate`: found `abc`".
    pub detail: String,
    /// The row as it stood in the file, lossily decoded and cut to 4 KiB.
    pub text: String,
}

/// The file of rejected rows. Packed fast: where a fifth of the rows are rejected, packing them well took as long as parsing
/// all of them (google-2019, JSON Lines).
type Quarantine = csv::Writer<flate2::write::GzEncoder<AtomicFile>>;

#[derive(Default)]
struct State {
    counts: BTreeMap<&'static str, u64>,
    examples: BTreeMap<&'static str, Vec<Rejected>>,
    quarantine: Option<Quarantine>,
    failure: Option<ArtifactError>,
    held: Option<Vec<Rejected>>,
}

/// Collects rejected rows; shared by threads, with totals that do not depend on their order.
pub struct Rejects {
    target: Option<PathBuf>,
    state: Mutex<State>,
}

impl Rejects {
    /// Returns a reporter that counts and keeps examples only.
    pub fn in_memory() -> Self {
        Self { target: None, state: Mutex::default() }
    }

    /// Returns a reporter that also writes each row to `target`, a `.csv.gz` file made when the first row comes.
    pub fn to_file(target: &Path) -> Self {
        Self { target: Some(target.to_owned()), state: Mutex::default() }
    }

    /// Returns a reporter that keeps every row, for a small part of a table.
    pub fn held() -> Self {
        Self { target: None, state: Mutex::new(State { held: Some(Vec::new()), ..State::default() }) }
    }

    /// Returns the rows that were kept.
    pub fn into_held(self) -> Vec<Rejected> {
        self.state.into_inner().ok().and_then(|state| state.held).unwrap_or_default()
    }

    /// Takes a rejected row.
    pub fn reject(&self, rejected: Rejected) {
        let Ok(mut state) = self.state.lock() else { return };
        if let Some(held) = &mut state.held {
            held.push(rejected);
            return;
        }
        *state.counts.entry(rejected.reason).or_default() += 1;
        if let Some(target) = &self.target
            && state.failure.is_none()
            && let Err(error) = quarantine(&mut state, target, &rejected)
        {
            state.failure = Some(error);
        }
        let examples = state.examples.entry(rejected.reason).or_default();
        if examples.len() < EXAMPLES {
            examples.push(rejected);
        }
    }

    /// Returns how many rows were rejected, by reason.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.state.lock().map(|state| state.counts.clone()).unwrap_or_default()
    }

    /// Returns the total.
    pub fn total(&self) -> u64 {
        self.counts().values().sum()
    }

    /// Returns the first examples of each reason, in the order of the reasons.
    pub fn examples(&self) -> Vec<Rejected> {
        self.state.lock().map(|state| state.examples.values().flatten().cloned().collect()).unwrap_or_default()
    }

    /// Closes the quarantine file and returns its path, if a row was written.
    ///
    /// # Errors
    /// A row could not be quarantined, or the file could not be finished: lost data is an error.
    pub fn finish(self) -> Result<Option<PathBuf>, ArtifactError> {
        let state = self.state.into_inner().map_err(|_poisoned| {
            ArtifactError::Io(std::io::Error::other("a thread ended while it held the reporter of rejected rows"))
        })?;
        if let Some(failure) = state.failure {
            return Err(failure);
        }
        match state.quarantine {
            None => Ok(None),
            Some(writer) => {
                let encoder = writer.into_inner().map_err(|error| ArtifactError::Io(error.into_error()))?;
                encoder.finish()?.commit()?;
                Ok(self.target)
            }
        }
    }
}

fn quarantine(state: &mut State, target: &Path, rejected: &Rejected) -> Result<(), ArtifactError> {
    let writer = if let Some(writer) = &mut state.quarantine {
        writer
    } else {
        let file = AtomicFile::create(target)?;
        let encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        let mut writer = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(encoder);
        writer.write_record(["file", "row", "reason", "detail", "text"]).map_err(std::io::Error::other)?;
        state.quarantine.insert(writer)
    };
    let row = rejected.row.to_string();
    writer
        .write_record([&rejected.file, &row, rejected.reason, &rejected.detail, &rejected.text])
        .map_err(std::io::Error::other)?;
    Ok(())
}

/// Returns a row's bytes as text for [`Rejected::text`]: lossily decoded, cut to 4 KiB.
pub fn row_text(row: &[u8]) -> String {
    String::from_utf8_lossy(&row[..row.len().min(ROW_LIMIT)]).into_owned()
}
