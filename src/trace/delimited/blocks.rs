//! Streams of bytes to blocks of whole lines, and what a broken stream says.

use std::io::{BufRead, Read};

use super::TraceError;

/// A line longer than this is not text with rows.
const LONGEST_LINE: usize = 64 << 20;

/// What ended a stream early.
pub(in crate::trace) enum Broken {
    /// The stream itself.
    Stream(std::io::Error),
    /// A line without an end.
    LongLine,
    /// Who took the lines.
    Taken(TraceError),
}

impl Broken {
    /// Returns the error for people: in which file, after which row.
    pub(in crate::trace) fn into_error(self, file: &str, row: u64) -> TraceError {
        match self {
            Self::Stream(source) => io_error(file, row, source),
            Self::Taken(error) => error,
            Self::LongLine => TraceError::Truncated {
                file: file.to_owned(),
                what: format!("a line is longer than {} MiB", LONGEST_LINE >> 20),
                row,
            },
        }
    }
}

/// Hands out blocks of whole lines, the last one as it ends; returns whether the last line has no newline. Lines are
/// handed out where the stream holds them; only those that lie across two of its buffers are copied.
pub(in crate::trace) fn for_each_block(
    input: &mut dyn BufRead,
    take: &mut dyn FnMut(&[u8]) -> Result<(), TraceError>,
) -> Result<bool, Broken> {
    let mut carried: Vec<u8> = Vec::new();
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Stream(error)),
        };
        if buffer.is_empty() {
            if carried.is_empty() {
                return Ok(false);
            }
            take(&carried).map_err(Broken::Taken)?;
            return Ok(true);
        }
        let used = if carried.is_empty() {
            match memchr::memrchr(b'\n', buffer) {
                Some(end) => {
                    take(&buffer[..=end]).map_err(Broken::Taken)?;
                    end + 1
                }
                None => keep(&mut carried, buffer)?,
            }
        } else {
            match memchr::memchr(b'\n', buffer) {
                Some(end) => {
                    keep(&mut carried, &buffer[..=end])?;
                    take(&carried).map_err(Broken::Taken)?;
                    carried.clear();
                    end + 1
                }
                None => keep(&mut carried, buffer)?,
            }
        };
        input.consume(used);
    }
}

fn keep(carried: &mut Vec<u8>, more: &[u8]) -> Result<usize, Broken> {
    if carried.len() + more.len() > LONGEST_LINE {
        return Err(Broken::LongLine);
    }
    carried.extend_from_slice(more);
    Ok(more.len())
}

/// Translates an error of the CSV reader: what the stream said, and after which row.
pub fn stream_error(file: &str, row: u64, error: csv::Error) -> TraceError {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => io_error(file, row, source),
        other => TraceError::Truncated { file: file.to_owned(), what: format!("{other:?}"), row },
    }
}

/// Translates an error of the stream below a reader.
pub fn io_error(file: &str, row: u64, source: std::io::Error) -> TraceError {
    match source.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            TraceError::Truncated { file: file.to_owned(), what: "the compressed stream ends early".to_owned(), row }
        }
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => TraceError::Truncated {
            file: file.to_owned(),
            what: format!("the compressed stream is damaged ({source})"),
            row,
        },
        _ => TraceError::Read { file: file.to_owned(), source },
    }
}

/// Remembers the last byte that went through.
pub(in crate::trace) struct LastByte<'a> {
    inner: &'a mut dyn BufRead,
    last: Option<u8>,
}

impl<'a> LastByte<'a> {
    pub(in crate::trace) fn new(inner: &'a mut dyn BufRead) -> Self {
        Self { inner, last: None }
    }

    /// Returns whether the last line has no newline.
    pub(in crate::trace) fn is_open(&self) -> bool {
        self.last.is_some_and(|byte| byte != b'\n')
    }
}

impl Read for LastByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(&byte) = buffer[..read].last() {
            self.last = Some(byte);
        }
        Ok(read)
    }
}

impl BufRead for LastByte<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed was shown by the last `fill_buf`, which does not read again while it holds bytes.
        if let Some(byte) = amount.checked_sub(1).and_then(|at| self.inner.fill_buf().ok()?.get(at).copied()) {
            self.last = Some(byte);
        }
        self.inner.consume(amount);
    }
}
