//! Sorted runs: what one thread read until its share of the memory was full, by table and bucket, sorted by key and time.
//!
//! Sections follow each other; a section is groups of records, one per key: `format u8 · key length u32 · key · bytes u32 ·
//! records` ([`super::packed`]). The end of the file is a list of the sections with their checksums, and of the formats'
//! names. A run is read section by section; a section's checksum is compared before its first row is used.

use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Take, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactError;

use super::StoreError;
use super::packed::{HEAD, Packed, head};
use super::spool::Table;

/// Folder of the runs below the store.
pub(super) const FOLDER: &str = "waiting";
/// The last eight bytes of a run.
const MAGIC: [u8; 8] = *b"shadrun1";

/// One section: the rows of a table and bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Section {
    table: u8,
    bucket: u32,
    offset: u64,
    bytes: u64,
    crc32: u32,
}

/// The end of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Contents {
    /// Names of the formats that groups number.
    formats: Vec<String>,
    sections: Vec<Section>,
}

fn io(error: std::io::Error) -> StoreError {
    StoreError::Artifact(error.into())
}

/// Writes one run. Not synced: a run counts only once a manifest names it, and who writes that syncs it before.
pub(super) struct RunWriter {
    file: BufWriter<fs_err::File>,
    written: u64,
    rows: u64,
    contents: Contents,
    hasher: crc32fast::Hasher,
    open: Option<Section>,
}

impl RunWriter {
    pub(super) fn create(root: &Path, path: &str, formats: Vec<String>) -> Result<Self, StoreError> {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder).map_err(io)?;
        }
        let file = BufWriter::with_capacity(1 << 18, fs_err::File::create(path).map_err(io)?);
        let contents = Contents { formats, sections: Vec::new() };
        Ok(Self { file, written: 0, rows: 0, contents, hasher: crc32fast::Hasher::new(), open: None })
    }

    /// Ends the section before, and begins the one of a table and bucket.
    pub(super) fn section(&mut self, table: Table, bucket: u32) {
        self.end_section();
        self.open = Some(Section { table: table.number(), bucket, offset: self.written, bytes: 0, crc32: 0 });
        self.hasher = crc32fast::Hasher::new();
    }

    fn end_section(&mut self) {
        if let Some(section) = self.open.take() {
            let crc32 = std::mem::take(&mut self.hasher).finalize();
            self.contents.sections.push(Section { bytes: self.written - section.offset, crc32, ..section });
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        self.file.write_all(bytes).map_err(io)
    }

    /// Writes the group of a key: `records` of together `bytes` bytes.
    pub(super) fn group<'a>(
        &mut self,
        format: u8,
        key: &str,
        bytes: usize,
        records: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), StoreError> {
        let mut front = Vec::with_capacity(key.len() + 9);
        front.push(format);
        front.extend_from_slice(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_le_bytes());
        front.extend_from_slice(key.as_bytes());
        front.extend_from_slice(&u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes());
        self.put(&front)?;
        for record in records {
            self.put(record)?;
            self.rows += 1;
        }
        Ok(())
    }

    /// Ends the run; returns how many rows it holds.
    pub(super) fn finish(mut self) -> Result<u64, StoreError> {
        self.end_section();
        let contents = serde_json::to_vec(&self.contents).map_err(|error| io(error.into()))?;
        self.file.write_all(&contents).map_err(io)?;
        self.file.write_all(&crc32fast::hash(&contents).to_le_bytes()).map_err(io)?;
        self.file.write_all(&(contents.len() as u64).to_le_bytes()).map_err(io)?;
        self.file.write_all(&MAGIC).map_err(io)?;
        self.file.flush().map_err(io)?;
        Ok(self.rows)
    }
}

/// Makes a run durable, before a manifest names it.
pub(super) fn sync(root: &Path, path: &str) -> Result<(), StoreError> {
    fs_err::File::open(root.join(path)).and_then(|file| file.sync_all()).map_err(io)
}

/// A run that was opened: its sections, and the numbers of the sources that its slots became.
pub(super) struct Run {
    path: PathBuf,
    contents: Contents,
    formats: Vec<Arc<str>>,
    sources: Arc<HashMap<u32, u32>>,
}

impl Run {
    /// Opens the run at `root`/`path`. Rows of slots that `sources` does not hold are left out when it is read.
    pub(super) fn open(root: &Path, path: &str, sources: Arc<HashMap<u32, u32>>) -> Result<Self, StoreError> {
        let path = root.join(path);
        let damaged = |what: &str| {
            StoreError::Artifact(ArtifactError::Damaged {
                path: path.clone(),
                what: format!("{what} (an ingest was stopped; remove the store and repeat it)"),
            })
        };
        let mut file = fs_err::File::open(&path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut end = [0_u8; 20];
        let Some(place) = length.checked_sub(20) else { return Err(damaged("it is too short")) };
        file.seek(SeekFrom::Start(place)).map_err(io)?;
        file.read_exact(&mut end).map_err(io)?;
        let (crc32, rest) = end.split_first_chunk::<4>().ok_or_else(|| damaged("it is too short"))?;
        let (size, magic) = rest.split_first_chunk::<8>().ok_or_else(|| damaged("it is too short"))?;
        if magic != MAGIC {
            return Err(damaged("it does not end as a run does"));
        }
        let size = u64::from_le_bytes(*size);
        let Some(begin) = place.checked_sub(size) else { return Err(damaged("its list of sections is cut")) };
        file.seek(SeekFrom::Start(begin)).map_err(io)?;
        let mut listed = Vec::new();
        file.take(size).read_to_end(&mut listed).map_err(io)?;
        if crc32fast::hash(&listed) != u32::from_le_bytes(*crc32) {
            return Err(damaged("its list of sections has another checksum"));
        }
        let contents: Contents = serde_json::from_slice(&listed).map_err(|_error| damaged("its list of sections"))?;
        let formats = contents.formats.iter().map(|name| Arc::from(name.as_str())).collect();
        Ok(Self { path, contents, formats, sources })
    }

    /// Opens the rows of a table and bucket, if there are any.
    pub(super) fn section(&self, table: Table, bucket: u32) -> Result<Option<SectionReader<'_>>, StoreError> {
        let found =
            self.contents.sections.iter().find(|section| section.table == table.number() && section.bucket == bucket);
        let Some(section) = found else { return Ok(None) };
        let mut file = fs_err::File::open(&self.path).map_err(io)?;
        file.seek(SeekFrom::Start(section.offset)).map_err(io)?;
        let mut hasher = crc32fast::Hasher::new();
        let mut buffer = vec![0_u8; 1 << 17];
        let mut checked = (&file).take(section.bytes);
        loop {
            let read = checked.read(&mut buffer).map_err(io)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
        }
        if hasher.finalize() != section.crc32 {
            let what = format!("the section of bucket {bucket} has another checksum");
            return Err(StoreError::Artifact(ArtifactError::Damaged { path: self.path.clone(), what }));
        }
        file.seek(SeekFrom::Start(section.offset)).map_err(io)?;
        let bytes = BufReader::with_capacity(1 << 16, file.take(section.bytes));
        let mut reader = SectionReader {
            run: self,
            bytes,
            format: 0,
            key: String::new(),
            group: 0,
            has_group: false,
            buffer: Vec::new(),
        };
        reader.advance()?;
        Ok(Some(reader))
    }
}

/// Hands out the groups of one section in the order of their keys.
pub(super) struct SectionReader<'a> {
    run: &'a Run,
    bytes: BufReader<Take<fs_err::File>>,
    format: usize,
    key: String,
    group: usize,
    has_group: bool,
    buffer: Vec<u8>,
}

impl SectionReader<'_> {
    fn cut(&self) -> StoreError {
        let what = "a group of rows is not whole".to_owned();
        StoreError::Artifact(ArtifactError::Damaged { path: self.run.path.clone(), what })
    }

    /// Reads the front of the next group.
    fn advance(&mut self) -> Result<(), StoreError> {
        let mut front = [0_u8; 5];
        self.has_group = false;
        if self.bytes.read(&mut front[..1]).map_err(io)? == 0 {
            return Ok(());
        }
        self.bytes.read_exact(&mut front[1..]).map_err(io)?;
        let [format, length @ ..] = front;
        self.format = usize::from(format);
        self.buffer.resize(u32::from_le_bytes(length) as usize, 0);
        self.bytes.read_exact(&mut self.buffer).map_err(io)?;
        self.key.clear();
        self.key.push_str(std::str::from_utf8(&self.buffer).map_err(|_not_utf8| self.cut())?);
        let mut size = [0_u8; 4];
        self.bytes.read_exact(&mut size).map_err(io)?;
        self.group = u32::from_le_bytes(size) as usize;
        if self.format >= self.run.formats.len() {
            return Err(self.cut());
        }
        self.has_group = true;
        Ok(())
    }

    /// Returns format and key of the next group.
    pub(super) fn key(&self) -> Option<(&str, &str)> {
        self.has_group.then(|| (&*self.run.formats[self.format], self.key.as_str()))
    }

    /// Appends the rows of the next group, those of unfinished files left out, and goes on to the one after it.
    pub(super) fn take<T: Packed>(
        &mut self,
        format: &Arc<str>,
        key: &Arc<str>,
        rows: &mut Vec<T>,
    ) -> Result<(), StoreError> {
        self.buffer.resize(self.group, 0);
        self.bytes.read_exact(&mut self.buffer).map_err(io)?;
        let mut rest = self.buffer.as_slice();
        while !rest.is_empty() {
            let (head, length) = head(rest).ok_or_else(|| self.cut())?;
            let (record, after) = rest.split_at_checked(length).ok_or_else(|| self.cut())?;
            if let Some(&source) = self.run.sources.get(&head.slot) {
                rows.push(T::unpack(format, key, source, head, &record[HEAD..]).ok_or_else(|| self.cut())?);
            }
            rest = after;
        }
        self.advance()
    }
}
