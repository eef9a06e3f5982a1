//! Bytes that are put away while a replay runs and read back where they are needed, so that memory does not grow with them.
//!
//! The file has no name: it is gone when the last handle closes, also after a kill. Threads write and read at places of their
//! own, without a lock.

use std::fs::File;
use std::io::Error;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ReplayError;

/// A temporary file without a name. Clones share it.
#[derive(Debug, Clone)]
pub struct Scratch {
    file: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    folder: PathBuf,
    /// Where the next bytes go.
    end: AtomicU64,
}

/// Where bytes were put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    offset: u64,
    length: u64,
}

impl PartialEq for Scratch {
    /// Whether it is the same file.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl Scratch {
    /// Makes an empty file in `folder`, or among the system's temporary files where `folder` cannot be written to.
    ///
    /// # Errors
    /// [`ReplayError::Scratch`] if neither can.
    pub fn beside(folder: &Path) -> Result<Self, ReplayError> {
        let in_folder = |folder: PathBuf| match tempfile::tempfile_in(&folder) {
            Ok(file) => Ok(Self { file: Arc::new(Inner { file, folder, end: AtomicU64::new(0) }) }),
            Err(source) => Err(failed("make", &folder, source)),
        };
        in_folder(folder.to_owned()).or_else(|_| in_folder(std::env::temp_dir()))
    }

    /// Makes another empty file where this one is, for what is needed for a shorter time.
    ///
    /// # Errors
    /// As [`Self::beside`].
    pub fn another(&self) -> Result<Self, ReplayError> {
        Self::beside(&self.file.folder)
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`ReplayError::Scratch`], as when the disk is full.
    pub fn put(&self, bytes: &[u8]) -> Result<Place, ReplayError> {
        let length = bytes.len() as u64;
        // Each caller owns the range that it added.
        let offset = self.file.end.fetch_add(length, Ordering::Relaxed);
        self.file.file.write_all_at(bytes, offset).map_err(|source| failed("write", &self.file.folder, source))?;
        Ok(Place { offset, length })
    }

    /// Reads what was put at `place`, at most the first `most` bytes of it, into `buffer`, which is cleared before.
    ///
    /// # Errors
    /// [`ReplayError::Scratch`] if the file cannot be read.
    pub fn get(&self, place: Place, most: u64, buffer: &mut Vec<u8>) -> Result<(), ReplayError> {
        let too_large = |error| failed("read", &self.file.folder, Error::other(error));
        let length = usize::try_from(place.length.min(most)).map_err(too_large)?;
        buffer.clear();
        buffer.resize(length, 0);
        self.file.file.read_exact_at(buffer, place.offset).map_err(|source| failed("read", &self.file.folder, source))
    }
}

fn failed(doing: &'static str, folder: &Path, source: Error) -> ReplayError {
    ReplayError::Scratch { doing, folder: folder.to_owned(), source }
}

/// Bytes that are held, or put away.
#[derive(Debug)]
pub(super) enum Bytes {
    Held(Vec<u8>),
    Away(Scratch, Place),
}

impl Bytes {
    /// Puts bytes away if there is a file for them.
    pub(super) fn new(bytes: Vec<u8>, scratch: Option<&Scratch>) -> Result<Self, ReplayError> {
        match scratch {
            Some(scratch) => Ok(Self::Away(scratch.clone(), scratch.put(&bytes)?)),
            None => Ok(Self::Held(bytes)),
        }
    }

    /// Returns them; `buffer` is used where they are not in memory.
    pub(super) fn read<'a>(&'a self, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], ReplayError> {
        match self {
            Self::Held(bytes) => Ok(bytes),
            Self::Away(scratch, place) => {
                scratch.get(*place, u64::MAX, buffer)?;
                Ok(buffer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_put_comes_back_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::beside(folder.path()).unwrap();
        let put = |thread: u8| (1..50_u8).map(|length| (vec![thread; usize::from(length)], thread)).collect::<Vec<_>>();
        let places: Vec<Vec<(Vec<u8>, Place)>> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..4)
                .map(|thread| {
                    let scratch = scratch.clone();
                    let all = put(thread);
                    scope.spawn(move || {
                        all.into_iter().map(|(bytes, _)| (bytes.clone(), scratch.put(&bytes).unwrap())).collect()
                    })
                })
                .collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        });
        let mut buffer = Vec::new();
        for (bytes, place) in places.iter().flatten() {
            scratch.get(*place, u64::MAX, &mut buffer).unwrap();
            assert_eq!(&buffer, bytes);
            scratch.get(*place, 3, &mut buffer).unwrap();
            assert_eq!(buffer, bytes[..bytes.len().min(3)]);
        }
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_not_needed() {
        let scratch = Scratch::beside(Path::new("/nowhere/at/all")).unwrap();
        let place = scratch.put(b"rows").unwrap();
        let mut buffer = Vec::new();
        scratch.get(place, u64::MAX, &mut buffer).unwrap();
        assert_eq!(buffer, b"rows");
    }
}
