//! Where bytes come from: files, folders, globs and standard input, plain, gzipped, or as members of a `.tar[.gz]`.
//!
//! Nothing is unpacked to disk. Names that start with `.` and `__MACOSX` folders are passed over, and inside folders
//! the two files that stand beside a synthetic trace and are no part of it ([`TRUTH_FILE`], [`EXPECTED_FILE`]). The
//! order of files is that of their paths, so the same folder gives the same result on every machine.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::TraceError;
use super::delimited::io_error;

/// How much of a table is looked at to recognise it.
const HEAD_BYTES: u64 = 64 * 1024;
/// Endings of files that are looked at inside folders.
const ENDINGS: [&str; 14] = [
    ".csv",
    ".csv.gz",
    ".tsv",
    ".tsv.gz",
    ".json",
    ".json.gz",
    ".jsonl",
    ".jsonl.gz",
    ".parquet",
    ".tar",
    ".tar.gz",
    ".tgz",
    ".txt",
    ".txt.gz",
];

/// What each run of a synthetic trace really is: made beside the trace by `shadow synth`, never part of it.
pub const TRUTH_FILE: &str = "truth.csv";
/// What a reader must count in a trace: made beside synthetic traces and samples, never part of them.
pub const EXPECTED_FILE: &str = "EXPECTED.json";

/// The largest part number that still fits a row's sequence; a larger number in a name is a date or a time.
const MOST_PARTS: u32 = u32::MAX >> 8;

/// Told how far reading is.
pub trait Progress: Sync {
    /// `bytes` more of the files on disk were read.
    fn bytes(&self, bytes: u64);
    /// `rows` more rows were read.
    fn rows(&self, rows: u64);
}

/// Progress that nobody looks at.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn bytes(&self, _bytes: u64) {}
    fn rows(&self, _rows: u64) {}
}

/// One file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it lies; nothing for standard input.
    pub path: Option<PathBuf>,
    /// What it is called in messages, with `/`.
    pub name: String,
    /// Its length, 0 for standard input.
    pub bytes: u64,
    /// Position among files for formats that break ties by file order: the part number in the name, else the order.
    pub ordinal: u32,
}

/// Finds the files that `paths` name, in the order of their paths, each once.
///
/// # Errors
/// A path does not exist, a folder holds nothing usable, or a pattern matches nothing.
pub fn discover(paths: &[PathBuf]) -> Result<Vec<SourceFile>, TraceError> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut has_standard_input = false;
    for path in paths {
        if path.as_os_str() == "-" {
            has_standard_input = true;
        } else if path.is_dir() {
            let before = found.len();
            let mut passed_over = 0_usize;
            walk(path, &mut found, &mut passed_over)?;
            if found.len() == before {
                return Err(TraceError::Nothing {
                    what: format!(
                        "no trace files in folder `{}` ({passed_over} other files; looked for {})",
                        path.display(),
                        ENDINGS.join(" ")
                    ),
                });
            }
        } else if path.exists() {
            found.push(path.clone());
        } else {
            found.extend(matches(path)?);
        }
    }
    found.sort();
    found.dedup();
    let mut files = Vec::with_capacity(found.len() + 1);
    for (index, path) in found.into_iter().enumerate() {
        let name = path.to_string_lossy().replace('\\', "/");
        let bytes = fs_err::metadata(&path).map_err(|source| TraceError::Read { file: name.clone(), source })?.len();
        let ordinal = part_number(&name).unwrap_or_else(|| u32::try_from(index).unwrap_or(u32::MAX));
        files.push(SourceFile { path: Some(path), name, bytes, ordinal });
    }
    if has_standard_input {
        files.push(SourceFile { path: None, name: "standard input".to_owned(), bytes: 0, ordinal: MOST_PARTS });
    }
    Ok(files)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>, passed_over: &mut usize) -> Result<(), TraceError> {
    let read = |source| TraceError::Read { file: folder.display().to_string(), source };
    for entry in fs_err::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if name.starts_with('.') || name == "__macosx" {
            continue;
        }
        if path.is_dir() {
            walk(&path, found, passed_over)?;
        } else if path.file_name().is_some_and(|name| name == TRUTH_FILE || name == EXPECTED_FILE) {
            *passed_over += 1;
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        } else {
            *passed_over += 1;
        }
    }
    Ok(())
}

fn matches(pattern: &Path) -> Result<Vec<PathBuf>, TraceError> {
    let text = pattern.to_string_lossy();
    let missing = || TraceError::Nothing { what: format!("`{text}` does not exist") };
    if !text.contains(['*', '?', '[']) {
        return Err(missing());
    }
    let paths: Vec<PathBuf> = glob::glob(&text)
        .map_err(|_bad_pattern| missing())?
        .filter_map(Result::ok)
        .filter(|path| path.is_file())
        .collect();
    if paths.is_empty() {
        return Err(TraceError::Nothing { what: format!("the pattern `{text}` matches no file") });
    }
    Ok(paths)
}

/// Returns the part number of names such as `part-00003-of-00500.csv.gz` and `instance_usage-000000000012.json.gz`.
fn part_number(name: &str) -> Option<u32> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let digits_after = |marker: &str| {
        let rest = &file[file.rfind(marker)? + marker.len()..];
        let digits: &str = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
        (digits.len() >= 5).then(|| digits.parse().ok()).flatten().filter(|&part| part <= MOST_PARTS)
    };
    digits_after("part-").or_else(|| digits_after("-"))
}

/// The bytes of one table.
pub enum Input<'a> {
    /// Decompressed text from its beginning.
    Text(&'a mut dyn BufRead),
    /// A Parquet file, which is read by position.
    Parquet(&'a Path),
}

/// One table inside a source file, opened.
pub struct OpenTable<'a> {
    /// The file, with the member of an archive after `!`.
    pub name: String,
    /// The first bytes, decompressed, cut after the last complete line where there is one.
    pub head: Vec<u8>,
    /// All bytes.
    pub input: Input<'a>,
}

/// Opens each table inside `file` and hands it to `visit`, in archive order.
///
/// # Errors
/// The file cannot be read or an archive is damaged; and whatever `visit` returns.
pub fn for_each_table(
    file: &SourceFile,
    progress: &dyn Progress,
    visit: &mut dyn FnMut(OpenTable<'_>) -> Result<(), TraceError>,
) -> Result<(), TraceError> {
    let raw: Box<dyn Read + '_> = match &file.path {
        None => Box::new(std::io::stdin().lock()),
        Some(path) => {
            Box::new(fs_err::File::open(path).map_err(|source| TraceError::Read { file: file.name.clone(), source })?)
        }
    };
    let mut raw = BufReader::with_capacity(1 << 18, Counting { inner: raw, progress });
    let magic = peek(&mut raw, 4).map_err(|source| TraceError::Read { file: file.name.clone(), source })?;
    if magic.starts_with(b"PAR1") {
        let Some(path) = &file.path else {
            return Err(TraceError::Unrecognised {
                file: file.name.clone(),
                what: "Parquet is read by position and cannot come from standard input".to_owned(),
            });
        };
        return visit(OpenTable { name: file.name.clone(), head: magic, input: Input::Parquet(path) });
    }
    let mut whole: Box<dyn Read + '_> = Box::new(Cursor::new(magic.clone()).chain(raw));
    if magic.starts_with(&[0x1f, 0x8b]) {
        whole = Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 17, whole)));
    }
    let mut text = BufReader::with_capacity(1 << 18, whole);
    let head = peek(&mut text, HEAD_BYTES).map_err(|source| io_error(&file.name, 0, source))?;
    let mut text = BufReader::with_capacity(1 << 18, Cursor::new(head.clone()).chain(text));
    if is_tar(&head) {
        return members(file, text, visit);
    }
    visit(OpenTable { name: file.name.clone(), head: complete_lines(head), input: Input::Text(&mut text) })
}

/// Tar archives carry `ustar` at byte 257 of each header block.
fn is_tar(head: &[u8]) -> bool {
    head.get(257..262).is_some_and(|magic| magic == b"ustar")
}

fn members(
    file: &SourceFile,
    text: impl Read,
    visit: &mut dyn FnMut(OpenTable<'_>) -> Result<(), TraceError>,
) -> Result<(), TraceError> {
    let mut archive = tar::Archive::new(text);
    let broken = |source| io_error(&file.name, 0, source);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.to_string_lossy().replace('\\', "/");
        let base = path.rsplit('/').next().unwrap_or_default();
        let is_table = entry.header().entry_type().is_file() && !base.starts_with('.') && !path.contains("__MACOSX/");
        if !is_table {
            continue;
        }
        let name = format!("{}!{path}", file.name);
        let magic = peek(&mut entry, 2).map_err(|source| io_error(&name, 0, source))?;
        let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
        let chained = Cursor::new(magic).chain(entry);
        let mut whole: Box<dyn Read + '_> = if is_gzip {
            Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(chained)))
        } else {
            Box::new(chained)
        };
        let head = peek(&mut whole, HEAD_BYTES).map_err(|source| io_error(&name, 0, source))?;
        let mut text = BufReader::with_capacity(1 << 18, Cursor::new(head.clone()).chain(whole));
        visit(OpenTable { name, head: complete_lines(head), input: Input::Text(&mut text) })?;
    }
    Ok(())
}

/// Takes up to `limit` bytes off a stream.
fn peek(stream: &mut dyn Read, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    stream.take(limit).read_to_end(&mut head)?;
    Ok(head)
}

fn complete_lines(mut head: Vec<u8>) -> Vec<u8> {
    if let Some(end) = memchr::memrchr(b'\n', &head) {
        head.truncate(end + 1);
    }
    head
}

/// Reports bytes as they leave the disk.
struct Counting<'a> {
    inner: Box<dyn Read + 'a>,
    progress: &'a dyn Progress,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.bytes(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_a_trace_is_read_only_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["series.csv", TRUTH_FILE, EXPECTED_FILE] {
            fs_err::write(folder.path().join(name), "workload\n").expect("written");
        }
        let names = |path: PathBuf| -> Vec<String> {
            let files = discover(&[path]).expect("files");
            files.iter().map(|file| file.name.rsplit('/').next().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(names(folder.path().to_owned()), ["series.csv"]);
        assert_eq!(names(folder.path().join(TRUTH_FILE)), [TRUTH_FILE]);
    }
}
