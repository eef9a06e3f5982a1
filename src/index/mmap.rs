//! Read-only maps of files, and the archive inside: the only unsafe code.
#![expect(unsafe_code, reason = "mapping a file and reading its archive in place have no safe form")]

use std::path::Path;

use kiddo::ImmutableKdTree;
use memmap2::Mmap;
use rkyv::Archived;

/// Maps a file read-only.
///
/// # Errors
/// The file cannot be opened or mapped.
pub(super) fn map(path: &Path) -> std::io::Result<Mmap> {
    let file = fs_err::File::open(path)?;
    // SAFETY: index files are replaced by rename and never written in place, so the mapped file does not change.
    unsafe { Mmap::map(file.file()) }
}

/// A tree in a mapped file.
pub(super) struct MappedTree<const K: usize> {
    map: Mmap,
    length: usize,
}

impl<const K: usize> MappedTree<K> {
    /// Checks the archive in the first `length` bytes of `map`, whose checksum the caller has compared.
    ///
    /// # Errors
    /// What rkyv found wrong with its shape.
    pub(super) fn new(map: Mmap, length: usize) -> Result<Self, String> {
        let bytes = map.get(..length).ok_or("the archive is longer than the file")?;
        rkyv::access::<Archived<ImmutableKdTree<f32, K>>, rkyv::rancor::Error>(bytes)
            .map_err(|error| error.to_string())?;
        Ok(Self { map, length })
    }

    /// Returns the tree.
    pub(super) fn get(&self) -> &Archived<ImmutableKdTree<f32, K>> {
        // SAFETY: `new` has checked these very bytes at this address, and the map is read-only.
        unsafe { rkyv::access_unchecked::<Archived<ImmutableKdTree<f32, K>>>(&self.map[..self.length]) }
    }
}
