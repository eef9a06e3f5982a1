//! Writing and reading the store's Parquet files: zstd, row groups of 256 k rows, atomically replaced.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::artifact::{AtomicFile, FileRecord};

use super::StoreError;

/// Rows that are turned into one batch at a time.
const BATCH_ROWS: usize = 65_536;

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
    let target = root.join(path);
    let failed = |source| StoreError::Parquet { path: target.clone(), source };
    let level = ZstdLevel::try_new(3).map_err(failed)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(262_144))
        .set_created_by(concat!("shadow ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut file = AtomicFile::create(&target)?;
    let mut writer = ArrowWriter::try_new(file.as_file_mut(), schema, Some(properties)).map_err(failed)?;
    for chunk in rows.chunks(BATCH_ROWS) {
        let batch = to_batch(chunk).map_err(|error| failed(error.into()))?;
        writer.write(&batch).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    file.commit()?;
    Ok(FileRecord::of(root, path, rows.len() as u64)?)
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
    record.verify(root)?;
    let path = root.join(&record.path);
    let failed = move |source| StoreError::Parquet { path: path.clone(), source };
    let file = fs_err::File::open(root.join(&record.path)).map_err(|error| StoreError::Artifact(error.into()))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.into_parts().0)
        .map_err(&failed)?
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(&failed)?;
    Ok(reader.map(move |batch| batch.map_err(|error| failed(error.into()))))
}
