//! Rows of one table and bucket from all runs and the compacted file, key by key.
//!
//! Memory: the rows of one key, and a buffer per run.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::artifact::FileRecord;

use super::StoreError;
use super::packed::Packed;
use super::parquet_file;
use super::rows::{FactRow, Keyed, SampleRow, read_facts, read_samples};
use super::run_file::{Run, SectionReader};
use super::spool::Table;

/// Rows of a compacted table that are read at a time.
const BATCH_ROWS: usize = 8_192;

/// A row of a table, sorted by format and key.
pub(super) trait TableRow: Packed {
    /// Appends the rows of a compacted batch.
    fn read(batch: &RecordBatch, rows: &mut Vec<Keyed<Self>>) -> Result<(), String>;
}

impl TableRow for SampleRow {
    fn read(batch: &RecordBatch, rows: &mut Vec<Keyed<Self>>) -> Result<(), String> {
        read_samples(batch, rows)
    }
}

impl TableRow for FactRow {
    fn read(batch: &RecordBatch, rows: &mut Vec<Keyed<Self>>) -> Result<(), String> {
        let mut facts: Vec<Self> = Vec::new();
        read_facts(batch, &mut facts)?;
        rows.extend(facts.into_iter().map(|row| Keyed {
            format: Arc::clone(&row.format),
            key: Arc::clone(&row.key),
            row,
        }));
        Ok(())
    }
}

/// The batches of a compacted file.
type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + 'a>;

/// A compacted file, read batch by batch.
struct Compacted<'a, T> {
    path: std::path::PathBuf,
    batches: Batches<'a>,
    rows: VecDeque<Keyed<T>>,
}

impl<T: TableRow> Compacted<'_, T> {
    /// Reads on when no row is left.
    fn fill(&mut self) -> Result<(), StoreError> {
        while self.rows.is_empty() {
            let Some(batch) = self.batches.next() else { return Ok(()) };
            let mut rows = Vec::new();
            T::read(&batch?, &mut rows).map_err(|what| StoreError::Layout { path: self.path.clone(), what })?;
            self.rows = rows.into();
        }
        Ok(())
    }

    fn take(&mut self, format: &str, key: &str, rows: &mut Vec<T>) -> Result<(), StoreError> {
        while self.rows.front().is_some_and(|row| (&*row.format, &*row.key) == (format, key)) {
            rows.extend(self.rows.pop_front().map(|keyed| keyed.row));
            self.fill()?;
        }
        Ok(())
    }
}

/// Every place where rows of one table and bucket lie.
pub(super) struct Merge<'a, T> {
    runs: Vec<SectionReader<'a>>,
    compacted: Vec<Compacted<'a, T>>,
}

impl<'a, T: TableRow> Merge<'a, T> {
    pub(super) fn open(
        root: &'a std::path::Path,
        files: &'a [FileRecord],
        runs: &'a [Run],
        table: Table,
        bucket: u32,
    ) -> Result<Self, StoreError> {
        let prefix = format!("{}/bucket={bucket:02}/", table.folder());
        let mut compacted = Vec::new();
        for file in files.iter().filter(|file| file.path.starts_with(&prefix)) {
            let batches = Box::new(parquet_file::batches_of(root, file, BATCH_ROWS)?);
            let mut one = Compacted { path: root.join(&file.path), batches, rows: VecDeque::new() };
            one.fill()?;
            compacted.push(one);
        }
        let runs = runs.iter().filter_map(|run| run.section(table, bucket).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { runs, compacted })
    }

    /// Returns format and key of the next rows.
    pub(super) fn key(&self) -> Option<(&str, &str)> {
        let fronts = self.compacted.iter().filter_map(|file| file.rows.front());
        let compacted = fronts.map(|row| (&*row.format, &*row.key));
        self.runs.iter().filter_map(SectionReader::key).chain(compacted).min()
    }

    /// Takes all rows of a key, unsorted; none when it is not the next one.
    pub(super) fn take(&mut self, format: &Arc<str>, key: &Arc<str>) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        for file in &mut self.compacted {
            file.take(format, key, &mut rows)?;
        }
        for run in &mut self.runs {
            if run.key() == Some((&**format, &**key)) {
                run.take(format, key, &mut rows)?;
            }
        }
        Ok(rows)
    }
}
