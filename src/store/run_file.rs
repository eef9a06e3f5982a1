//! Sorted runs: what one thread read until its share of the memory was full, by table and bucket, sorted by key and time.
//!
//! Sections follow each other; a section is groups of records, one per key: `format u8 · key length u32 · key · bytes u32 ·
//! records` ([`super::packed`]). Groups are written in frames: `CRC-32 u32 · bytes u32 · whole groups`. The end of the file is
//! a list of the sections, with a checksum, and of the formats' names. A run is read frame by frame, and a frame's checksum
//! is compared before its first row is used: every byte is read once, and checked on the way.

use std::io::{Read, Seek, SeekFrom, Take, Write};
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
const MAGIC: [u8; 8] = *b"shadrun2";
/// Bytes of a frame, unless a group is larger.
const FRAME: usize = 64 << 10;
/// Bytes of a frame before its groups.
const FRAME_HEAD: usize = 8;

/// One section: the rows of a table and bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Section {
    table: u8,
    bucket: u32,
    offset: u64,
    bytes: u64,
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
    file: fs_err::File,
    written: u64,
    rows: u64,
    contents: Contents,
    open: Option<Section>,
    /// The frame that is being filled, its head included.
    frame: Vec<u8>,
}

impl RunWriter {
    pub(super) fn create(root: &Path, path: &str, formats: Vec<String>) -> Result<Self, StoreError> {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder).map_err(io)?;
        }
        let file = fs_err::File::create(path).map_err(io)?;
        let contents = Contents { formats, sections: Vec::new() };
        Ok(Self { file, written: 0, rows: 0, contents, open: None, frame: vec![0; FRAME_HEAD] })
    }

    /// Ends the section before, and begins the one of a table and bucket.
    pub(super) fn section(&mut self, table: Table, bucket: u32) -> Result<(), StoreError> {
        self.end_section()?;
        self.open = Some(Section { table: table.number(), bucket, offset: self.written, bytes: 0 });
        Ok(())
    }

    fn end_section(&mut self) -> Result<(), StoreError> {
        self.end_frame()?;
        if let Some(section) = self.open.take() {
            self.contents.sections.push(Section { bytes: self.written - section.offset, ..section });
        }
        Ok(())
    }

    fn end_frame(&mut self) -> Result<(), StoreError> {
        let Some((head, groups)) = self.frame.split_first_chunk_mut::<FRAME_HEAD>() else { return Ok(()) };
        if groups.is_empty() {
            return Ok(());
        }
        head[..4].copy_from_slice(&crc32fast::hash(groups).to_le_bytes());
        head[4..].copy_from_slice(&u32::try_from(groups.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.file.write_all(&self.frame).map_err(io)?;
        self.written += self.frame.len() as u64;
        self.frame.truncate(FRAME_HEAD);
        Ok(())
    }

    /// Writes the group of a key.
    pub(super) fn group<'a>(
        &mut self,
        format: u8,
        key: &str,
        records: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), StoreError> {
        let frame = &mut self.frame;
        frame.push(format);
        frame.extend_from_slice(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_le_bytes());
        frame.extend_from_slice(key.as_bytes());
        let begin = frame.len() + 4;
        frame.extend_from_slice(&[0; 4]);
        for record in records {
            frame.extend_from_slice(record);
            self.rows += 1;
        }
        let bytes = u32::try_from(frame.len() - begin).unwrap_or(u32::MAX);
        frame[begin - 4..begin].copy_from_slice(&bytes.to_le_bytes());
        if frame.len() >= FRAME { self.end_frame() } else { Ok(()) }
    }

    /// Ends the run; returns how many rows it holds.
    pub(super) fn finish(mut self) -> Result<u64, StoreError> {
        self.end_section()?;
        let contents = serde_json::to_vec(&self.contents).map_err(|error| io(error.into()))?;
        let mut end = contents;
        let (crc32, length) = (crc32fast::hash(&end), end.len() as u64);
        end.extend_from_slice(&crc32.to_le_bytes());
        end.extend_from_slice(&length.to_le_bytes());
        end.extend_from_slice(&MAGIC);
        self.file.write_all(&end).map_err(io)?;
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
        let bytes = file.take(section.bytes);
        let mut reader = SectionReader { run: self, bucket, bytes, frame: Vec::new(), front: None, at: 0 };
        reader.advance()?;
        Ok(Some(reader))
    }
}

/// Hands out the groups of one section in the order of their keys.
pub(super) struct SectionReader<'a> {
    run: &'a Run,
    bucket: u32,
    bytes: Take<fs_err::File>,
    /// Whole groups, checked.
    frame: Vec<u8>,
    /// What the next group begins with, if there is one.
    front: Option<Front>,
    /// Where its records begin in the frame.
    at: usize,
}

/// What a group begins with.
struct Front {
    format: usize,
    key: String,
    bytes: usize,
}

impl SectionReader<'_> {
    fn damaged(&self, what: String) -> StoreError {
        StoreError::Artifact(ArtifactError::Damaged { path: self.run.path.clone(), what })
    }

    fn cut(&self) -> StoreError {
        self.damaged("a group of rows is not whole".to_owned())
    }

    /// Reads the next frame; returns whether there is one.
    fn next_frame(&mut self) -> Result<bool, StoreError> {
        if self.bytes.limit() == 0 {
            return Ok(false);
        }
        let mut head = [0_u8; FRAME_HEAD];
        self.bytes.read_exact(&mut head).map_err(io)?;
        let [crc32 @ .., _, _, _, _] = head;
        let [_, _, _, _, length @ ..] = head;
        let length = u32::from_le_bytes(length);
        // A damaged length must not ask for more memory than the section has bytes.
        if u64::from(length) > self.bytes.limit() {
            return Err(self.cut());
        }
        self.frame.resize(length as usize, 0);
        self.bytes.read_exact(&mut self.frame).map_err(io)?;
        self.at = 0;
        if crc32fast::hash(&self.frame) != u32::from_le_bytes(crc32) {
            return Err(self.damaged(format!("rows of bucket {} have another checksum", self.bucket)));
        }
        Ok(true)
    }

    /// Goes on to the next group.
    fn advance(&mut self) -> Result<(), StoreError> {
        let mut key = self.front.take().map(|front| front.key).unwrap_or_default();
        if self.at == self.frame.len() && !self.next_frame()? {
            return Ok(());
        }
        let mut rest = self.frame.get(self.at..).unwrap_or_default();
        let mut take = |length: usize| {
            let (taken, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(taken)
        };
        let mut front = || {
            let format = usize::from(*take(1)?.first()?);
            let length = u32::from_le_bytes(take(4)?.try_into().ok()?) as usize;
            key.clear();
            key.push_str(std::str::from_utf8(take(length)?).ok()?);
            let bytes = u32::from_le_bytes(take(4)?.try_into().ok()?) as usize;
            Some((format, length + 9, bytes))
        };
        let Some((format, front_bytes, bytes)) = front() else { return Err(self.cut()) };
        self.at += front_bytes;
        if format >= self.run.formats.len() || self.at + bytes > self.frame.len() {
            return Err(self.cut());
        }
        self.front = Some(Front { format, key, bytes });
        Ok(())
    }

    /// Returns format and key of the next group.
    pub(super) fn key(&self) -> Option<(&str, &str)> {
        self.front.as_ref().map(|front| (&*self.run.formats[front.format], front.key.as_str()))
    }

    /// Appends the rows of the next group, those of unfinished files left out, and goes on to the one after it.
    pub(super) fn take<T: Packed>(
        &mut self,
        format: &Arc<str>,
        key: &Arc<str>,
        rows: &mut Vec<T>,
    ) -> Result<(), StoreError> {
        let end = self.at + self.front.as_ref().map_or(0, |front| front.bytes);
        let mut rest = self.frame.get(self.at..end).unwrap_or_default();
        let length = head(rest).map_or(HEAD, |(_, length)| length);
        rows.reserve(rest.len() / length);
        // Neighbouring rows are mostly of one file.
        let mut last = None;
        while !rest.is_empty() {
            let (head, length) = head(rest).ok_or_else(|| self.cut())?;
            let (record, after) = rest.split_at_checked(length).ok_or_else(|| self.cut())?;
            let source = match last {
                Some((slot, source)) if slot == head.slot => source,
                _ => self.run.sources.get(&head.slot).copied(),
            };
            last = Some((head.slot, source));
            if let Some(source) = source {
                rows.push(T::unpack(format, key, source, head, &record[HEAD..]).ok_or_else(|| self.cut())?);
            }
            rest = after;
        }
        self.at = end;
        self.advance()
    }
}
