//! Where bytes come from: files, folders, globs and standard input, plain, gzip, zstd, or as members of
//! a `.tar`.
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
const ENDINGS: [&str; 20] = [
    ".csv",
    ".csv.gz",
    ".csv.zst",
    ".tsv",
    ".tsv.gz",
    ".tsv.zst",
    ".json",
    ".json.gz",
    ".json.zst",
    ".jsonl",
    ".jsonl.gz",
    ".jsonl.zst",
    ".parquet",
    ".tar",
    ".tar.gz",
    ".tar.zst",
    ".tgz",
    ".txt",
    ".txt.gz",
    ".txt.zst",
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
    whole = unpacked(&magic, whole).map_err(|source| io_error(&file.name, 0, source))?;
    let mut text = BufReader::with_capacity(1 << 18, whole);
    let head = peek(&mut text, HEAD_BYTES).map_err(|source| io_error(&file.name, 0, source))?;
    let mut text = BufReader::with_capacity(1 << 18, Cursor::new(head.clone()).chain(text));
    if is_tar(&head) {
        return members(file, text, visit);
    }
    visit(OpenTable { name: file.name.clone(), head: complete_lines(head), input: Input::Text(&mut text) })
}

/// Returns the bytes unpacked, when they begin as gzip or zstd do: all members or frames, one after the other.
fn unpacked<'a>(magic: &[u8], bytes: Box<dyn Read + 'a>) -> std::io::Result<Box<dyn Read + 'a>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    Ok(if magic.starts_with(&GZIP) {
        Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 17, bytes)))
    } else if magic.starts_with(&ZSTD) {
        Box::new(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(1 << 17, bytes))?)
    } else {
        bytes
    })
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
        let magic = peek(&mut entry, 4).map_err(|source| io_error(&name, 0, source))?;
        let chained: Box<dyn Read + '_> = Box::new(Cursor::new(magic.clone()).chain(entry));
        let mut whole = unpacked(&magic, chained).map_err(|source| io_error(&name, 0, source))?;
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

    /// Reads every table of a file: name and text.
    fn tables(path: &Path) -> Vec<(String, String)> {
        let files = discover(&[path.to_owned()]).expect("a file");
        let mut found = Vec::new();
        for_each_table(&files[0], &Silent, &mut |table| {
            let Input::Text(text) = table.input else { panic!("text") };
            let mut content = String::new();
            text.read_to_string(&mut content).expect("it can be read");
            found.push((table.name.rsplit('!').next().unwrap_or_default().to_owned(), content));
            Ok(())
        })
        .expect("it can be read");
        found
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn gzip_and_zstd_are_unpacked_whole_whatever_their_parts() {
        let folder = tempfile::tempdir().expect("a folder");
        let zstd = |text: &str| zstd::stream::encode_all(text.as_bytes(), 1).expect("memory");
        for (name, bytes) in [
            ("a.csv.gz", [gzip("a\n1\n"), gzip("2\n")].concat()),
            ("a.csv.zst", [zstd("a\n1\n"), zstd("2\n")].concat()),
            ("a.jsonl.zst", zstd("a\n1\n2\n")),
        ] {
            let path = folder.path().join(name);
            fs_err::write(&path, bytes).expect("written");
            assert_eq!(tables(&path)[0].1, "a\n1\n2\n", "{name}");
            let files = discover(&[folder.path().to_owned()]).expect("files");
            assert_eq!(files.len(), 1, "{name} is found in a folder");
            fs_err::remove_file(&path).expect("removed");
        }
        let cut = zstd("a\n1\n2\n");
        let path = folder.path().join("cut.csv.zst");
        fs_err::write(&path, &cut[..cut.len() - 3]).expect("written");
        let files = discover(&[path]).expect("a file");
        let error = for_each_table(&files[0], &Silent, &mut |_table| Ok(())).expect_err("it is cut").to_string();
        assert!(error.contains("the compressed stream"), "{error}");
    }

    #[test]
    fn members_of_archives_are_read_where_they_lie_and_other_files_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trace.tar.gz");
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in
            [("./._a.csv", "junk"), ("x/../../../b.csv", "outside"), ("__MACOSX/c.csv", "junk"), ("d/e.csv", "e")]
        {
            let mut header = tar::Header::new_gnu();
            let bytes = header.as_gnu_mut().expect("a header");
            bytes.name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(text.len() as u64);
            header.set_entry_type(tar::EntryType::Regular);
            header.set_cksum();
            archive.append(&header, text.as_bytes()).expect("memory");
        }
        let bytes = archive.into_inner().expect("memory");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &bytes).expect("memory");
        fs_err::write(&path, encoder.finish().expect("memory")).expect("written");
        let found = tables(&path);
        let expected = [("x/../../../b.csv", "outside"), ("d/e.csv", "e")];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(fs_err::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is unpacked to disk");
    }
}
