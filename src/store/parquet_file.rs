//! Writing and reading the store's Parquet files: zstd, row groups of 256 k rows, atomically replaced.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::artifact::{AtomicFile, FileRecord};
use crate::trace::guard::guarded;

use super::StoreError;

/// Rows of a row group at most.
const ROW_GROUP: usize = 262_144;
/// Rows that are turned into one batch at a time.
pub(super) const BATCH_ROWS: usize = 65_536;
/// The column of 64-bit integers of each table that mostly ascends by the same step within a workload: the differences are
/// written. The `sequence` of samples is that of a whole file, and has few values.
const ASCENDING: [&str; 2] = ["start_us", "sequence"];

/// Writes `rows` to `root`/`path` and returns the file's record.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write<T>(
    root: &Path,
    path: &str,
    schema: Arc<Schema>,
    rows: &[T],
    to_batch: impl Fn(&[T]) -> Result<RecordBatch, arrow::error::ArrowError>,
) -> Result<FileRecord, StoreError> {
    let mut file = ParquetWriter::create(root, path, schema)?;
    for chunk in rows.chunks(BATCH_ROWS) {
        file.write(|| to_batch(chunk))?;
    }
    file.finish()
}

/// A Parquet file that is being written, batch by batch.
pub(super) struct ParquetWriter<'a> {
    root: &'a Path,
    path: String,
    writer: ArrowWriter<AtomicFile>,
    rows: u64,
}

impl<'a> ParquetWriter<'a> {
    /// Begins the file `root`/`path`.
    pub(super) fn create(root: &'a Path, path: &str, schema: Arc<Schema>) -> Result<Self, StoreError> {
        let target = root.join(path);
        let failed = |source| StoreError::Parquet { path: target.clone(), source };
        let level = ZstdLevel::try_new(3).map_err(failed)?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            // Tables are read from their beginning: a page is as large as its bytes allow, which packs better, and each page
            // costs a new state of the packer. What is least and largest is kept of row groups.
            .set_data_page_row_count_limit(ROW_GROUP)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(concat!("shadow ", env!("CARGO_PKG_VERSION")).to_owned());
        if let Some(name) = ASCENDING.into_iter().find(|name| schema.column_with_name(name).is_some()) {
            properties = properties
                .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED)
                .set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
        let file = AtomicFile::create(&target)?;
        let writer = ArrowWriter::try_new(file, schema, Some(properties.build())).map_err(failed)?;
        Ok(Self { root, path: path.to_owned(), writer, rows: 0 })
    }

    /// Appends a batch.
    pub(super) fn write(
        &mut self,
        batch: impl FnOnce() -> Result<RecordBatch, arrow::error::ArrowError>,
    ) -> Result<(), StoreError> {
        let failed = |source| StoreError::Parquet { path: self.root.join(&self.path), source };
        let batch = batch().map_err(|error| failed(error.into()))?;
        self.rows += batch.num_rows() as u64;
        self.writer.write(&batch).map_err(failed)
    }

    /// Ends the file and returns its record.
    pub(super) fn finish(self) -> Result<FileRecord, StoreError> {
        let failed = |source| StoreError::Parquet { path: self.root.join(&self.path), source };
        self.writer.into_inner().map_err(failed)?.commit()?;
        Ok(FileRecord::of(self.root, &self.path, self.rows)?)
    }
}

/// Verifies the file against its record and hands each batch to `take`.
///
/// # Errors
/// The file is damaged, or `take` finds another layout.
pub(crate) fn read(
    root: &Path,
    record: &FileRecord,
    mut take: impl FnMut(&RecordBatch) -> Result<(), String>,
) -> Result<(), StoreError> {
    let path = root.join(&record.path);
    for batch in batches(root, record)? {
        take(&batch?).map_err(|what| StoreError::Layout { path: path.clone(), what })?;
    }
    Ok(())
}

/// Verifies the file against its record and returns its batches.
///
/// # Errors
/// The file is damaged, now or in a later batch.
pub(super) fn batches(
    root: &Path,
    record: &FileRecord,
) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + use<>, StoreError> {
    batches_of(root, record, BATCH_ROWS)
}

/// The same as [`batches`], `rows` at a time.
///
/// # Errors
/// The file is damaged, now or in a later batch.
pub(super) fn batches_of(
    root: &Path,
    record: &FileRecord,
    rows: usize,
) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + use<>, StoreError> {
    record.verify(root)?;
    let path = root.join(&record.path);
    let file = fs_err::File::open(&path).map_err(|error| StoreError::Artifact(error.into()))?.into_parts().0;
    // Some pages that cannot be right make the library panic: found by fuzzing, where checksums were mended.
    let panicked = |path: &Path| StoreError::Layout { path: path.to_owned(), what: "a page is not whole".to_owned() };
    let opened = guarded(|| ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(rows).build());
    let opened = opened.map_err(|_panicked| panicked(&path))?;
    let mut reader = Some(opened.map_err(|source| StoreError::Parquet { path: path.clone(), source })?);
    Ok(std::iter::from_fn(move || {
        let next = guarded(|| reader.as_mut().and_then(Iterator::next));
        let batch = match next {
            Ok(batch) => batch?.map_err(|source| StoreError::Parquet { path: path.clone(), source: source.into() }),
            Err(_panicked) => Err(panicked(&path)),
        };
        // What broke once is not asked again.
        if batch.is_err() {
            reader = None;
        }
        Some(batch)
    }))
}
