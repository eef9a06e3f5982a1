//! The readers of trace formats, and what stands before them.
//!
//! An input is a file as a user has it: its first line is the path, on which recognising rests, the rest its content. What is recognised is read
//! to its end; a table that can be divided is read again in two parts, which must give what the whole gives.

use shadow::trace::detect::detect;
use shadow::trace::source::{Input, Silent, SourceFile, for_each_table};
use shadow::trace::{
    Amounts, Context, Dataset, EventRow, Format, GroupRow, Head, MachineRow, Piece, ReadOptions, Rejects, Sample, Sink,
    TableName, TableSummary, TraceError, format_named,
};

use super::sealing::written;

/// Counts rows, and knows them again.
#[derive(Debug, Default, PartialEq, Clone)]
struct Seen {
    samples: u64,
    statements: u64,
    digest: u32,
}

impl Seen {
    fn take(&mut self, text: &str, numbers: &[Option<f64>], times: &[Option<i64>]) {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.digest);
        hasher.update(text.as_bytes());
        for number in numbers {
            hasher.update(&number.map_or(0, f64::to_bits).to_le_bytes());
        }
        for time in times {
            hasher.update(&time.unwrap_or(-1).to_le_bytes());
        }
        self.digest = hasher.finalize();
    }
}

fn amounts(amounts: Amounts) -> [Option<f64>; 3] {
    [amounts.cpu, amounts.memory, amounts.disk]
}

impl Sink for Seen {
    fn sample(&mut self, _: Dataset, workload: &str, _sequence: u64, sample: &Sample) -> Result<(), TraceError> {
        self.samples += 1;
        let finite = sample.amounts().into_iter().flatten().all(f64::is_finite);
        assert!(finite, "a reader handed out {sample:?}");
        self.take(workload, &sample.amounts(), &[Some(sample.start.0), Some(sample.duration.0)]);
        Ok(())
    }

    fn event(&mut self, event: &EventRow<'_>) -> Result<(), TraceError> {
        self.statements += 1;
        self.take(event.workload, &amounts(event.request), &[event.time.map(|time| time.0)]);
        Ok(())
    }

    fn group(&mut self, group: &GroupRow<'_>) -> Result<(), TraceError> {
        self.statements += 1;
        self.take(group.group, &[], &[group.time.map(|time| time.0)]);
        Ok(())
    }

    fn machine(&mut self, machine: &MachineRow<'_>) -> Result<(), TraceError> {
        self.statements += 1;
        self.take(machine.machine, &amounts(machine.capacity), &[]);
        Ok(())
    }
}

/// What came of reading a text: rows read, kept and rejected, and what was handed out.
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: u64,
    kept: u64,
    rejected: u64,
    seen: Seen,
}

/// Reads parts of a table one after the other.
fn read_parts(
    format: &dyn Format,
    name: TableName,
    path: &str,
    parts: Vec<(Input<'_>, Option<Piece<'_>>)>,
) -> Result<Outcome, TraceError> {
    let (mut seen, rejects, mut summary) = (Seen::default(), Rejects::in_memory(), TableSummary::default());
    let options = ReadOptions::default();
    for (input, piece) in parts {
        let mut part = TableSummary::default();
        format.read(
            name.table,
            input,
            &mut Context {
                file: path,
                ordinal: 3,
                options: &options,
                sink: &mut seen,
                rejects: &rejects,
                summary: &mut part,
                piece,
            },
        )?;
        summary.merge(&part);
    }
    assert_eq!(rejects.total(), summary.rejected.values().sum::<u64>(), "the reporter and the summary disagree");
    assert_eq!(summary.rows, summary.kept + rejects.total(), "rows read are not rows kept and rows rejected");
    Ok(Outcome { rows: summary.rows, kept: summary.kept, rejected: rejects.total(), seen })
}

/// Reads a file as the format of that name.
pub(super) fn read(format: &str, input: &[u8]) {
    let Some(format) = format_named(format) else { panic!("there is no format `{format}`") };
    let end = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len());
    let (path, text) = (String::from_utf8_lossy(&input[..end]), input.get(end + 1..).unwrap_or_default());
    let options = ReadOptions::default();
    let head = Head { path: &path, bytes: text, options: &options };
    let Ok((_, name)) = detect(&head, Some(format)) else {
        drop(format.mismatch(&head));
        return;
    };
    let mut whole = text;
    let Ok(read) = read_parts(format, name, &path, vec![(Input::Text(&mut whole), None)]) else { return };
    let first_line = first_line(text);
    if first_line.starts_with(b"#") || !format.is_divisible(name.table, first_line) {
        return;
    }
    // Some line after the first.
    let ends: Vec<usize> = text.iter().enumerate().filter(|&(_, &byte)| byte == b'\n').map(|(at, _)| at + 1).collect();
    let Some(&cut) = ends.get(crc32fast::hash(input) as usize % ends.len().max(1)) else { return };
    let (mut before, mut after) = text.split_at(cut);
    let lines = before.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count() as u64;
    if lines == 0 {
        return;
    }
    let piece = Piece { first_line, lines };
    let parts = vec![(Input::Text(&mut before), None), (Input::Text(&mut after), Some(piece))];
    match read_parts(format, name, &path, parts) {
        Ok(divided) => assert_eq!(read, divided, "the table divided at byte {cut} is another"),
        Err(error) => panic!("divided at byte {cut}, but not as a whole: {error}"),
    }
}

/// Returns the first line that is not blank, as the store tells it.
fn first_line(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    text.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default()
}

/// Gzip, zstd and tar, or Parquet, around any table: bytes as they lie on disk.
pub(super) fn container(input: &[u8]) {
    let path = written("container", input);
    let file = SourceFile { path: Some(path), name: "container".to_owned(), bytes: input.len() as u64, ordinal: 0 };
    drop(for_each_table(&file, &Silent, &mut |table| {
        let options = ReadOptions::default();
        let (format, name) = detect(&Head { path: &table.name, bytes: &table.head, options: &options }, None)?;
        read_parts(format, name, &table.name, vec![(table.input, None)]).map(drop)
    }));
}
