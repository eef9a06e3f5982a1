//! The workloads of all buckets to one table: what only the whole trace can tell is concluded on the way.
//!
//! Each bucket writes its workloads, sorted, into a file of its own; those are merged when the first and last samples
//! of the trace are known. Memory: one batch per bucket, whatever the number of workloads.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};

use crate::artifact::FileRecord;
use crate::units::Micros;

use super::manifest::Totals;
use super::parquet_file::{self, ParquetWriter};
use super::rows::column;
use super::run_file::FOLDER;
use super::runs::{Recordings, conclude};
use super::workload_table;
use super::{StoreError, Workload};

/// Workloads that are held of each bucket.
const BATCH_ROWS: usize = 2_048;
/// The median step of a workload's samples: a column of the buckets' files that the table has not.
const STEP: &str = "step_us";

fn schema() -> Arc<Schema> {
    let mut fields: Vec<Arc<Field>> = workload_table::schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(STEP, DataType::Int64, false)));
    Arc::new(Schema::new(fields))
}

/// Writes the workloads of one bucket.
pub(super) struct WorkloadWriter<'a> {
    root: &'a Path,
    path: String,
    held: Vec<Workload>,
    steps: Vec<Micros>,
    file: Option<ParquetWriter<'a>>,
    recordings: Recordings,
}

/// The workloads of one bucket, written.
pub(super) struct BucketWorkloads {
    record: FileRecord,
    recordings: Recordings,
}

impl<'a> WorkloadWriter<'a> {
    pub(super) fn new(root: &'a Path, bucket: u32) -> Self {
        Self {
            root,
            path: format!("{FOLDER}/workloads-{bucket:02}.parquet"),
            held: Vec::new(),
            steps: Vec::new(),
            file: None,
            recordings: Recordings::default(),
        }
    }

    pub(super) fn push(&mut self, workload: Workload, step: Micros) -> Result<(), StoreError> {
        self.recordings.see(&workload);
        self.held.push(workload);
        self.steps.push(step);
        if self.held.len() >= BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(ParquetWriter::create(self.root, &self.path, schema())?),
        };
        file.write(|| {
            let mut columns = workload_table::batch(&self.held)?.columns().to_vec();
            let steps: ArrayRef = Arc::new(Int64Array::from_iter_values(self.steps.iter().map(|step| step.0)));
            columns.push(steps);
            RecordBatch::try_new(schema(), columns)
        })?;
        self.held.clear();
        self.steps.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Option<BucketWorkloads>, StoreError> {
        if !self.held.is_empty() {
            self.write()?;
        }
        let recordings = self.recordings;
        self.file.map(|file| Ok(BucketWorkloads { record: file.finish()?, recordings })).transpose()
    }
}

/// A bucket's workloads, read batch by batch.
struct Reader<'a> {
    batches: Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + 'a>,
    path: std::path::PathBuf,
    rows: VecDeque<(Workload, Micros)>,
}

impl Reader<'_> {
    fn fill(&mut self) -> Result<(), StoreError> {
        while self.rows.is_empty() {
            let Some(batch) = self.batches.next() else { return Ok(()) };
            let batch = batch?;
            let layout = |what| StoreError::Layout { path: self.path.clone(), what };
            let mut workloads = Vec::new();
            workload_table::read(&batch, &mut workloads).map_err(layout)?;
            let steps: &Int64Array = column(&batch, STEP).map_err(layout)?;
            self.rows = workloads.into_iter().zip(steps.values().iter().map(|&step| Micros(step))).collect();
        }
        Ok(())
    }
}

/// Merges the workloads of all buckets into the table at `root`/`path`, and counts them in `totals`.
pub(super) fn merge_workloads(
    root: &Path,
    path: &str,
    buckets: &[BucketWorkloads],
    totals: &mut Totals,
) -> Result<FileRecord, StoreError> {
    let mut recordings = Recordings::default();
    for bucket in buckets {
        recordings.merge(&bucket.recordings);
    }
    (totals.first, totals.last) = recordings.span();
    let mut readers = Vec::new();
    for bucket in buckets {
        let batches = Box::new(parquet_file::batches_of(root, &bucket.record, BATCH_ROWS)?);
        let mut reader = Reader { batches, path: root.join(&bucket.record.path), rows: VecDeque::new() };
        reader.fill()?;
        readers.push(reader);
    }
    let mut file = ParquetWriter::create(root, path, workload_table::schema())?;
    let mut held = Vec::new();
    loop {
        let next = readers
            .iter_mut()
            .filter(|reader| !reader.rows.is_empty())
            .min_by(|a, b| order(a.rows.front()).cmp(&order(b.rows.front())));
        let Some(reader) = next else { break };
        if let Some((mut workload, step)) = reader.rows.pop_front() {
            conclude(&mut workload, step, &recordings);
            totals.workloads += 1;
            totals.sampled_workloads += u64::from(workload.samples > 0);
            totals.started_workloads += u64::from(workload.start.is_some());
            held.push(workload);
        }
        reader.fill()?;
        if held.len() >= parquet_file::BATCH_ROWS / 8 {
            file.write(|| workload_table::batch(&held))?;
            held.clear();
        }
    }
    if !held.is_empty() {
        file.write(|| workload_table::batch(&held))?;
    }
    file.finish()
}

fn order(row: Option<&(Workload, Micros)>) -> Option<(&str, &str, u32)> {
    row.map(|(workload, _)| (workload.format.as_str(), workload.id.as_str(), workload.run))
}
