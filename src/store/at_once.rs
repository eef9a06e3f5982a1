//! Files to series without making a store, for a sample of which an answer is wanted at once: read, spooled and joined as by an ingest, but nothing is
//! made durable, and the joined rows stay in memory.

use std::path::Path;

use crate::trace::source::{Progress, discover};
use crate::trace::{Sample, UnitContract};

use super::compact::open_runs;
use super::ingest::{IngestParams, IngestedFile, Session};
use super::joining::{Joining, Unjoined};
use super::runs::{Recordings, conclude};
use super::{StoreError, Workload};

/// What was read.
#[derive(Debug)]
pub struct ReadAtOnce {
    /// Every run with its samples in time order, none where only facts name it, by (bucket, format, workload, run).
    pub runs: Vec<(Workload, Vec<Sample>)>,
    /// What the numbers mean.
    pub units: UnitContract,
    /// The files.
    pub files: Vec<IngestedFile>,
}

/// Reads files; `folder`, which exists and is empty, takes what does not fit into memory while they are read.
///
/// # Errors
/// A file cannot be read, or nothing in it can be used.
pub fn read_at_once(folder: &Path, params: &IngestParams, progress: &dyn Progress) -> Result<ReadAtOnce, StoreError> {
    let wanted = params.format.and_then(crate::trace::format_named);
    let mut files = discover(&params.facts)?;
    files.extend(discover(&params.paths)?);
    let mut session = Session::new(folder, params, None);
    let failure = session.read(&files, wanted, progress)?;
    let Some(manifest) = session.stored.take() else { return Err(session.nothing(failure)) };
    if let Some(failure) = failure {
        return Err(failure);
    }
    let runs = open_runs(folder, &manifest)?;
    let rows = Unjoined { root: folder, files: &[], runs: &runs };
    let groups = rows.groups(manifest.buckets)?;
    let mut recordings = Recordings::default();
    let mut found = Vec::new();
    for bucket in 0..manifest.buckets {
        let mut joining = Joining::open(rows, bucket)?;
        while let Some(joined) = joining.next(&groups)? {
            let mut rest = joined.samples.as_slice();
            for (run, step) in joined.runs {
                recordings.see(&run);
                // Sorted by run, whose numbers ascend.
                let (own, others) = rest.split_at(rest.partition_point(|row| row.run <= run.run));
                rest = others;
                found.push((run, step, own.iter().map(|row| row.sample).collect()));
            }
        }
    }
    let concluded = |(mut run, step, samples): (Workload, _, Vec<Sample>)| {
        conclude(&mut run, step, &recordings);
        (run, samples)
    };
    let runs = found.into_iter().map(concluded).collect();
    Ok(ReadAtOnce { runs, units: manifest.units, files: session.ingested })
}
