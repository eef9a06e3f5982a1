//! Large files of which a reader needs little: each block of [`BLOCK`] bytes has a checksum, compared when the block is first used.
//!
//! From the end: magic (8 bytes), CRC-32 of the footer (4, little-endian), its length (4), footer JSON (kind, version, `about`, length
//! of the content, CRC-32 of the table), the table (the CRC-32 of every block, 4 bytes each), the content from byte 0. Opening checks
//! everything but the content, whose cost grows with the file. What is used often stays in a [`BlockCache`] of bounded size, which the files
//! of one reader share: what an open file says never changes, because files are replaced and not rewritten. A block is kept from the second time
//! on that it is read (the doorkeeper of Einziger, Friedman and Manes 2017, "`TinyLFU`", ACM Transactions on Storage 13): most blocks that one answer reads are
//! read once, and room for each of them would cost more than reading it.

use std::cell::RefCell;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::{ArtifactError, AtomicFile};

/// The last eight bytes.
const MAGIC: [u8; 8] = *b"SHADOW\x02\n";

/// Length of the magic, and of the length and the checksum of the footer before it.
const TAIL: usize = 16;

/// Bytes of a block: what one answer touches is scattered, and a page is what the system reads.
pub const BLOCK: usize = 4096;

/// What a file of blocks is: its kind, the version of its layout, and what else a reader has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// What the content is, as in `"kd-tree"`.
    pub kind: String,
    /// Version of the content's layout.
    pub version: u32,
    /// JSON about the content.
    pub about: String,
}

impl Seal {
    /// Checks that the file at `path` is of this kind, `described` in words, and of the one version that is read.
    ///
    /// # Errors
    /// [`ArtifactError::Foreign`] or [`ArtifactError::Version`].
    pub fn expect(&self, path: &Path, kind: &str, version: u32, described: &'static str) -> Result<(), ArtifactError> {
        let path = || path.to_owned();
        if self.kind != kind {
            return Err(ArtifactError::Foreign { path: path(), expected: described });
        }
        if self.version != version {
            return Err(ArtifactError::Version { path: path(), found: self.version, oldest: version, newest: version });
        }
        Ok(())
    }
}

/// Longest footer that is read.
const MOST_FOOTER: usize = 1 << 24;

thread_local! {
    /// Room for a block of which a part is copied.
    static LAST: RefCell<LastBlock> = RefCell::default();
}

#[derive(Serialize, Deserialize)]
struct Footer {
    #[serde(flatten)]
    seal: Seal,
    bytes: u64,
    table_crc32: String,
}

/// Writes a file block by block; nothing stands at its place before [`BlockWriter::commit`].
#[derive(Debug)]
pub struct BlockWriter {
    file: AtomicFile,
    path: PathBuf,
    block: Vec<u8>,
    table: Vec<u8>,
    bytes: u64,
}

impl BlockWriter {
    /// Opens a temporary file beside `path`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(path: &Path) -> Result<Self, ArtifactError> {
        let file = AtomicFile::create(path)?;
        Ok(Self { file, path: path.to_owned(), block: Vec::with_capacity(BLOCK), table: Vec::new(), bytes: 0 })
    }

    /// Returns how many bytes of content there are so far.
    pub const fn written(&self) -> u64 {
        self.bytes + self.block.len() as u64
    }

    /// Fills the block that was begun with zeros, so that what follows begins a block; returns where that is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn align(&mut self) -> Result<u64, ArtifactError> {
        if !self.block.is_empty() {
            self.block.resize(BLOCK, 0);
            self.finish_block()?;
        }
        Ok(self.bytes)
    }

    /// Fills the content with zeros up to byte `at`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn fill_to(&mut self, at: u64) -> Result<(), ArtifactError> {
        let missing = usize::try_from(at.saturating_sub(self.written())).unwrap_or(usize::MAX);
        self.extend(std::iter::repeat_n(0, missing))
    }

    /// Appends to the content.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, mut content: &[u8]) -> Result<(), ArtifactError> {
        while !content.is_empty() {
            let (now, rest) = content.split_at(content.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            content = rest;
            if self.block.len() == BLOCK {
                self.finish_block()?;
            }
        }
        Ok(())
    }

    /// Appends bytes one by one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn extend(&mut self, bytes: impl IntoIterator<Item = u8>) -> Result<(), ArtifactError> {
        for byte in bytes {
            self.block.push(byte);
            if self.block.len() == BLOCK {
                self.finish_block()?;
            }
        }
        Ok(())
    }

    fn finish_block(&mut self) -> Result<(), ArtifactError> {
        self.table.extend_from_slice(&crc32fast::hash(&self.block).to_le_bytes());
        self.file.write_all(&self.block)?;
        self.bytes += self.block.len() as u64;
        self.block.clear();
        Ok(())
    }

    /// Writes table and footer, and puts the file in its place.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn commit(mut self, seal: &Seal) -> Result<(), ArtifactError> {
        if !self.block.is_empty() {
            self.finish_block()?;
        }
        let table_crc32 = format!("{:08x}", crc32fast::hash(&self.table));
        let footer = Footer { seal: seal.clone(), bytes: self.bytes, table_crc32 };
        let footer =
            serde_json::to_vec(&footer).map_err(|source| ArtifactError::Encode { path: self.path.clone(), source })?;
        let length =
            u32::try_from(footer.len()).ok().filter(|&length| length as usize <= MOST_FOOTER).ok_or_else(|| {
                ArtifactError::Damaged { path: self.path.clone(), what: "a footer too long to read".to_owned() }
            })?;
        self.file.write_all(&self.table)?;
        self.file.write_all(&footer)?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(&crc32fast::hash(&footer).to_le_bytes())?;
        self.file.write_all(&MAGIC)?;
        self.file.commit()
    }
}

/// Blocks of several files that were read and compared, as many as fit.
#[derive(Debug)]
pub struct BlockCache {
    held: Cache<(u32, u32), Arc<[u8]>, Length>,
    files: AtomicU32,
    asked: AtomicU64,
    read: AtomicU64,
}

/// How often a cache was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheUse {
    /// Blocks that were there.
    pub hits: u64,
    /// Blocks that were read from a file.
    pub misses: u64,
    /// Bytes held.
    pub bytes: u64,
}

#[derive(Debug, Clone)]
struct Length;

impl Weighter<(u32, u32), Arc<[u8]>> for Length {
    fn weight(&self, _: &(u32, u32), block: &Arc<[u8]>) -> u64 {
        block.len() as u64
    }
}

impl BlockCache {
    /// Makes a cache of at most so many bytes.
    pub fn of(bytes: u64) -> Arc<Self> {
        let blocks = usize::try_from(bytes / BLOCK as u64).unwrap_or(usize::MAX);
        Arc::new(Self {
            held: Cache::with_weighter(blocks, bytes, Length),
            files: AtomicU32::new(0),
            asked: AtomicU64::new(0),
            read: AtomicU64::new(0),
        })
    }

    /// Returns how often it was asked so far.
    pub fn usage(&self) -> CacheUse {
        let (asked, misses) = (self.asked.load(Ordering::Relaxed), self.read.load(Ordering::Relaxed));
        CacheUse { hits: asked.saturating_sub(misses), misses, bytes: self.held.weight() }
    }
}

/// The block that was looked at last, so that who goes on reading in it does not look for it again.
#[derive(Debug, Default)]
pub struct LastBlock {
    /// Its file and number.
    of: Option<(u64, usize)>,
    kept: Option<Arc<[u8]>>,
    /// Its bytes where the cache does not keep it.
    own: Vec<u8>,
}

impl LastBlock {
    fn bytes(&self) -> &[u8] {
        self.kept.as_deref().unwrap_or(&self.own)
    }
}

/// How many files this process has opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// Blocks that are read at once by [`Blocks::fetch`].
const FETCHED: usize = 64;

/// A file whose blocks are read and compared when they are needed.
#[derive(Debug)]
pub struct Blocks {
    path: PathBuf,
    file: fs_err::File,
    bytes: u64,
    file_bytes: u64,
    table: Vec<u8>,
    table_crc32: String,
    cache: Arc<BlockCache>,
    /// Its number in the cache.
    number: u32,
    /// Its number among all files of this process.
    id: u64,
    /// A bit per block: whether it was read before.
    was_read: Vec<AtomicU64>,
}

impl Blocks {
    /// Opens a file and returns its seal with it. Nothing of the content is read; what is read later is kept in `cache`.
    ///
    /// # Errors
    /// [`ArtifactError::Foreign`] or [`ArtifactError::Damaged`], with what does not fit.
    pub fn open(path: &Path, cache: &Arc<BlockCache>) -> Result<(Seal, Self), ArtifactError> {
        let damaged = |what: String| ArtifactError::Damaged { path: path.to_owned(), what };
        let file = match fs_err::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(damaged("the file is missing".to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        let length = file.metadata()?.len();
        let read = |from: u64, count: usize| -> Result<Vec<u8>, ArtifactError> {
            let mut bytes = vec![0; count];
            file.file().read_exact_at(&mut bytes, from).map_err(|error| damaged(error.to_string()))?;
            Ok(bytes)
        };
        let Some(before_tail) = length.checked_sub(TAIL as u64) else {
            return Err(damaged(format!("{length} bytes are too few for a footer")));
        };
        let tail = read(before_tail, TAIL)?;
        if tail[8..] != MAGIC {
            return Err(ArtifactError::Foreign { path: path.to_owned(), expected: "a file sealed by shadow" });
        }
        let word = |at: usize| tail[at..at + 4].try_into().map_or(u32::MAX, u32::from_le_bytes);
        let (footer_length, footer_crc32) = (word(0) as usize, word(4));
        let begin = before_tail.checked_sub(footer_length as u64).filter(|_| footer_length <= MOST_FOOTER);
        let Some(footer_begin) = begin else {
            return Err(damaged(format!("footer of {footer_length} bytes in a file of {length}")));
        };
        let footer = read(footer_begin, footer_length)?;
        if crc32fast::hash(&footer) != footer_crc32 {
            return Err(damaged("checksum of the footer".to_owned()));
        }
        let footer: Footer = serde_json::from_slice(&footer).map_err(|error| damaged(format!("footer: {error}")))?;
        let count = footer.bytes.div_ceil(BLOCK as u64);
        if footer.bytes.checked_add(4 * count) != Some(footer_begin) {
            return Err(damaged(format!(
                "{footer_begin} bytes before the footer do not hold {} and their table",
                footer.bytes
            )));
        }
        let count = usize::try_from(count).map_err(|_too_long| damaged("more than memory can hold".to_owned()))?;
        let table = read(footer.bytes, 4 * count)?;
        if format!("{:08x}", crc32fast::hash(&table)) != footer.table_crc32 {
            return Err(damaged("checksum of the table".to_owned()));
        }
        let blocks = Self {
            path: path.to_owned(),
            file,
            bytes: footer.bytes,
            file_bytes: length,
            table,
            table_crc32: footer.table_crc32,
            cache: Arc::clone(cache),
            number: cache.files.fetch_add(1, Ordering::Relaxed),
            id: OPENED.fetch_add(1, Ordering::Relaxed),
            was_read: (0..count.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
        };
        Ok((footer.seal, blocks))
    }

    /// Returns the length of the content.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the length of the file.
    pub const fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Returns the file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the CRC-32 of the table in hexadecimal digits, which stands for all of the content.
    pub fn table_crc32(&self) -> &str {
        &self.table_crc32
    }

    /// Copies the content from byte `from` on into `into`.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] when a block is not what was written, or the content ends before.
    pub fn copy(&self, from: u64, into: &mut [u8]) -> Result<(), ArtifactError> {
        LAST.with_borrow_mut(|last| {
            let mut done = 0;
            while done < into.len() {
                let own = self.rest(last, from.saturating_add(done as u64))?;
                let count = own.len().min(into.len() - done);
                into[done..done + count].copy_from_slice(&own[..count]);
                done += count;
            }
            Ok(())
        })
    }

    /// Returns `length` bytes from byte `from` on, which lie in one block.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] when the block is not what was written, or ends before.
    pub fn within<'a>(&self, last: &'a mut LastBlock, from: u64, length: usize) -> Result<&'a [u8], ArtifactError> {
        let found = self.rest(last, from)?.get(..length);
        found.ok_or_else(|| self.damaged(format!("no {length} bytes stand at byte {from}")))
    }

    /// Returns a block from byte `from` to its end.
    fn rest<'a>(&self, last: &'a mut LastBlock, from: u64) -> Result<&'a [u8], ArtifactError> {
        let nothing = || self.damaged(format!("nothing stands at byte {from}"));
        let number = usize::try_from(from / BLOCK as u64).map_err(|_beyond_memory| nothing())?;
        let offset = usize::try_from(from % BLOCK as u64).unwrap_or(0);
        if last.of != Some((self.id, number)) {
            last.of = None;
            self.look(last, number)?;
            last.of = Some((self.id, number));
        }
        last.bytes().get(offset..).filter(|rest| !rest.is_empty()).ok_or_else(nothing)
    }

    /// Takes a block from the cache, or reads it, and keeps it in the cache if that happens for the second time.
    fn look(&self, last: &mut LastBlock, number: usize) -> Result<(), ArtifactError> {
        let key = self.key(number)?;
        self.cache.asked.fetch_add(1, Ordering::Relaxed);
        last.kept = self.cache.held.get(&key);
        if last.kept.is_none() {
            self.cache.read.fetch_add(1, Ordering::Relaxed);
            self.read(number, 1, &mut last.own)?;
            if self.is_read_again(number) {
                let kept: Arc<[u8]> = Arc::from(last.own.as_slice());
                self.cache.held.insert(key, Arc::clone(&kept));
                last.kept = Some(kept);
            }
        }
        Ok(())
    }

    /// Reads the blocks of `length` bytes from byte `from` on, many at a time, and keeps them in the cache: for what is about to be needed
    /// whole.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] when a block is not what was written, or the content ends before.
    pub fn fetch(&self, from: u64, length: u64) -> Result<(), ArtifactError> {
        let nothing = || self.damaged(format!("nothing stands at byte {from}"));
        let end = from.checked_add(length).filter(|&end| end <= self.bytes).ok_or_else(nothing)?;
        let number = |at: u64| usize::try_from(at).map_err(|_beyond_memory| nothing());
        let (first, last) = (number(from / BLOCK as u64)?, number(end.div_ceil(BLOCK as u64))?);
        let mut bytes = Vec::new();
        for begin in (first..last).step_by(FETCHED) {
            let numbers = begin..last.min(begin + FETCHED);
            let keys: Vec<(u32, u32)> = numbers.clone().map(|number| self.key(number)).collect::<Result<_, _>>()?;
            if keys.iter().all(|key| self.cache.held.contains_key(key)) {
                continue;
            }
            self.read(begin, numbers.len(), &mut bytes)?;
            self.cache.asked.fetch_add(keys.len() as u64, Ordering::Relaxed);
            self.cache.read.fetch_add(keys.len() as u64, Ordering::Relaxed);
            for (key, block) in keys.into_iter().zip(bytes.chunks(BLOCK)) {
                self.cache.held.insert(key, Arc::from(block));
            }
        }
        Ok(())
    }

    fn key(&self, number: usize) -> Result<(u32, u32), ArtifactError> {
        let place =
            u32::try_from(number).map_err(|_beyond_16_tib| self.damaged(format!("there is no block {number}")))?;
        Ok((self.number, place))
    }

    /// Notes that a block was read; returns whether it was read before.
    fn is_read_again(&self, number: usize) -> bool {
        let bit = 1 << (number % 64);
        self.was_read.get(number / 64).is_none_or(|bits| bits.fetch_or(bit, Ordering::Relaxed) & bit != 0)
    }

    /// Reads `count` blocks from number `first` on, and compares them.
    fn read(&self, first: usize, count: usize, into: &mut Vec<u8>) -> Result<(), ArtifactError> {
        let expected = self.table.get(4 * first..4 * (first + count));
        let expected = expected.ok_or_else(|| self.damaged(format!("there is no block {first}")))?;
        let from = first as u64 * BLOCK as u64;
        let whole = count * BLOCK;
        into.resize(usize::try_from(self.bytes - from).unwrap_or(whole).min(whole), 0);
        self.file.file().read_exact_at(into, from).map_err(|error| self.damaged(error.to_string()))?;
        for ((number, block), expected) in (first as u64..).zip(into.chunks(BLOCK)).zip(expected.as_chunks().0) {
            if crc32fast::hash(block).to_le_bytes() != *expected {
                let from = number * BLOCK as u64;
                return Err(self.damaged(format!("checksum of bytes {from} to {}", from + block.len() as u64)));
            }
        }
        Ok(())
    }

    /// Reads and compares everything, without keeping it.
    ///
    /// # Errors
    /// The first block that is not what was written.
    pub fn verify(&self) -> Result<(), ArtifactError> {
        let blocks = self.table.len() / 4;
        let mut bytes = Vec::new();
        let mut parts = (0..blocks).step_by(FETCHED);
        parts.try_for_each(|first| self.read(first, FETCHED.min(blocks - first), &mut bytes))
    }

    fn damaged(&self, what: String) -> ArtifactError {
        ArtifactError::Damaged { path: self.path.clone(), what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 2 * BLOCK + 100;

    fn written() -> (tempfile::TempDir, PathBuf, Vec<u8>, Seal) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leaves");
        let seal = Seal { kind: "leaves".to_owned(), version: 1, about: "test".to_owned() };
        let content: Vec<u8> = (0..LENGTH).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
        let mut writer = BlockWriter::create(&path).unwrap();
        for part in content.chunks(1000) {
            writer.append(part).unwrap();
        }
        writer.commit(&seal).unwrap();
        (folder, path, content, seal)
    }

    /// Reads everything; the seal with the content, or what is wrong.
    fn read(path: &Path) -> Result<(Seal, Vec<u8>), ArtifactError> {
        let (seal, blocks) = Blocks::open(path, &BlockCache::of(1 << 20))?;
        let mut all = vec![0; usize::try_from(blocks.bytes()).unwrap()];
        blocks.copy(0, &mut all)?;
        Ok((seal, all))
    }

    #[test]
    fn any_part_comes_back_as_it_was_written() {
        let (_folder, path, content, seal) = written();
        assert_eq!(read(&path).unwrap(), (seal, content.clone()));
        let blocks = Blocks::open(&path, &BlockCache::of(1 << 20)).unwrap().1;
        for (from, count) in [(0, 1), (BLOCK - 3, 7), (5, 2 * BLOCK), (LENGTH - 1, 1), (LENGTH, 0)] {
            let mut part = vec![0; count];
            blocks.copy(from as u64, &mut part).unwrap();
            assert_eq!(part, content[from..from + count]);
        }
        for (from, count) in [(LENGTH as u64, 1), (u64::MAX, 2), (0, LENGTH + 1)] {
            assert!(blocks.copy(from, &mut vec![0; count]).is_err());
        }
    }

    #[test]
    fn any_flipped_or_missing_byte_is_detected_before_it_is_used() {
        let (_folder, path, content, _) = written();
        let good = fs_err::read(&path).unwrap();
        for position in (0..LENGTH).step_by(37).chain(LENGTH..good.len()) {
            let mut bad = good.clone();
            bad[position] ^= 0x04;
            fs_err::write(&path, &bad).unwrap();
            assert!(read(&path).is_err(), "byte {position} flipped unnoticed");
            // What does not touch the block is not its business.
            if position < BLOCK {
                let blocks = Blocks::open(&path, &BlockCache::of(1 << 20)).unwrap().1;
                let mut other = [0; 50];
                blocks.copy(BLOCK as u64 + 10, &mut other).unwrap();
                assert_eq!(other, content[BLOCK + 10..BLOCK + 60]);
            }
        }
        for length in (0..LENGTH).step_by(97).chain(LENGTH..good.len()) {
            fs_err::write(&path, &good[..length]).unwrap();
            assert!(read(&path).is_err(), "cut to {length} bytes unnoticed");
        }
        fs_err::write(&path, [&good[..], &good].concat()).unwrap();
        assert!(read(&path).is_err(), "twice the file unnoticed");
    }

    #[test]
    fn a_cache_holds_what_fits_and_tells_files_apart() {
        let (_folder, path, content, seal) = written();
        let other = path.with_file_name("other");
        let mut writer = BlockWriter::create(&other).unwrap();
        writer.append(&vec![7; LENGTH]).unwrap();
        writer.commit(&seal).unwrap();
        let cache = BlockCache::of(1 << 20);
        let (first, second) = (Blocks::open(&path, &cache).unwrap().1, Blocks::open(&other, &cache).unwrap().1);
        let mut byte = [0];
        for round in 0..3_u64 {
            first.copy(9, &mut byte).unwrap();
            assert_eq!(byte[0], content[9]);
            second.copy(9, &mut byte).unwrap();
            assert_eq!(byte[0], 7);
            // Kept when it was read for the second time.
            let misses = 2 * (round + 1).min(2);
            assert_eq!((cache.usage().hits, cache.usage().misses), (2 * (round + 1) - misses, misses));
        }
        // Nothing fits: everything is read each time, and right.
        let none = BlockCache::of(0);
        let blocks = Blocks::open(&path, &none).unwrap().1;
        for _ in 0..2 {
            blocks.copy(9, &mut byte).unwrap();
            assert_eq!(byte[0], content[9]);
        }
        assert_eq!((none.usage().hits, none.usage().bytes), (0, 0));
    }

    #[test]
    fn what_was_fetched_need_not_be_read_again_and_what_lies_across_blocks_is_refused() {
        let (_folder, path, content, _) = written();
        let cache = BlockCache::of(1 << 20);
        let blocks = Blocks::open(&path, &cache).unwrap().1;
        for _ in 0..2 {
            blocks.fetch(10, LENGTH as u64 - 10).unwrap();
            assert_eq!((cache.usage().hits, cache.usage().misses), (0, 3));
        }
        let mut last = LastBlock::default();
        for from in [0, BLOCK - 8, BLOCK, LENGTH - 8, 0] {
            assert_eq!(blocks.within(&mut last, from as u64, 8).unwrap(), &content[from..from + 8]);
        }
        assert_eq!(cache.usage().misses, 3);
        for from in [BLOCK - 7, LENGTH - 7, LENGTH, usize::MAX] {
            assert!(blocks.within(&mut last, from as u64, 8).is_err());
        }
        assert!(blocks.fetch(0, LENGTH as u64 + 1).is_err() && blocks.fetch(u64::MAX, 2).is_err());
    }

    #[test]
    fn what_is_fetched_is_compared() {
        let (_folder, path, ..) = written();
        let mut bytes = fs_err::read(&path).unwrap();
        bytes[BLOCK + 17] ^= 1;
        fs_err::write(&path, bytes).unwrap();
        let blocks = Blocks::open(&path, &BlockCache::of(1 << 20)).unwrap().1;
        blocks.fetch(0, BLOCK as u64).unwrap();
        assert!(blocks.fetch(0, LENGTH as u64).unwrap_err().to_string().contains("checksum of bytes 4096 to 8192"));
    }

    #[test]
    fn a_writer_that_is_told_to_begins_a_block() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("aligned");
        let mut writer = BlockWriter::create(&path).unwrap();
        assert_eq!(writer.align().unwrap(), 0);
        writer.append(b"first").unwrap();
        assert_eq!((writer.written(), writer.align().unwrap()), (5, BLOCK as u64));
        writer.append(b"second").unwrap();
        writer.commit(&Seal { kind: "test".to_owned(), version: 1, about: String::new() }).unwrap();
        let content = read(&path).unwrap().1;
        assert_eq!((&content[..6], &content[BLOCK..]), (&b"first\0"[..], &b"second"[..]));
    }

    #[test]
    fn a_file_that_is_replaced_says_what_it_said_to_who_opened_it_before() {
        let (_folder, path, content, seal) = written();
        let cache = BlockCache::of(1 << 20);
        let before = Blocks::open(&path, &cache).unwrap().1;
        let mut byte = [0];
        before.copy(0, &mut byte).unwrap();
        let mut writer = BlockWriter::create(&path).unwrap();
        writer.append(&vec![9; LENGTH]).unwrap();
        writer.commit(&seal).unwrap();
        let after = Blocks::open(&path, &cache).unwrap().1;
        for position in [0, BLOCK as u64 + 3] {
            before.copy(position, &mut byte).unwrap();
            assert_eq!(byte[0], content[usize::try_from(position).unwrap()]);
            after.copy(position, &mut byte).unwrap();
            assert_eq!(byte[0], 9);
        }
    }

    #[test]
    fn an_empty_content_is_a_file_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        let seal = Seal { kind: "leaves".to_owned(), version: 1, about: String::new() };
        BlockWriter::create(&path).unwrap().commit(&seal).unwrap();
        assert_eq!(read(&path).unwrap(), (seal, Vec::new()));
    }
}
