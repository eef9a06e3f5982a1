//! `similarity.forest`: the forests of the learned similarity as a sealed file: memory, CPU and network in turn, each a
//! byte that is 1 where there is a forest, then the forest.

use std::path::Path;

use crate::artifact::ArtifactError;
use crate::artifact::sealed::{self, Seal};
use crate::fingerprint::Forest;

use super::alike::Alike;

const KIND: &str = "similarity-forest";
const VERSION: u32 = 1;

impl Alike {
    /// Writes the forests, atomically.
    pub(super) fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        let mut content = Vec::new();
        for forest in self.forests() {
            content.push(u8::from(forest.is_some()));
            if let Some(forest) = forest {
                forest.encode(&mut content);
            }
        }
        sealed::write(path, &Seal { kind: KIND.to_owned(), version: VERSION, about: String::new() }, &content)
    }

    /// Reads them, for rows of `width` features.
    pub(super) fn read(path: &Path, width: usize) -> Result<Self, ArtifactError> {
        let file = fs_err::read(path)?;
        let (seal, length) = sealed::check(path, &file)?;
        if seal.kind != KIND {
            return Err(ArtifactError::Foreign { path: path.to_owned(), expected: "forests of a learned similarity" });
        }
        if seal.version != VERSION {
            let path = path.to_owned();
            return Err(ArtifactError::Version { path, found: seal.version, oldest: VERSION, newest: VERSION });
        }
        let damaged = |what: String| ArtifactError::Damaged { path: path.to_owned(), what };
        let mut content =
            file.get(..length).ok_or_else(|| damaged("the content is longer than the file".to_owned()))?;
        let mut forests = [const { None }; 3];
        for forest in &mut forests {
            let (&is_there, rest) = content.split_first().ok_or_else(|| damaged("it ends too early".to_owned()))?;
            content = rest;
            if is_there == 1 {
                let read = Forest::decode(&mut content).map_err(damaged)?;
                if read.width() != width {
                    return Err(damaged(format!("grown on rows of {} features instead of {width}", read.width())));
                }
                *forest = Some(read);
            }
        }
        if content.is_empty() { Ok(Self::of(forests)) } else { Err(damaged("there is more behind its end".to_owned())) }
    }
}
