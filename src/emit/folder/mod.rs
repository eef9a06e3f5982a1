//! A folder of manifests, sized in one go: what each container asks for now, what it is predicted to need, and the files
//! with the sizes in them.
//!
//! Input: a [`Folder`] and predictions. Output: a [`Review`], which holds a [`Row`] for every container (also those without an
//! answer) and every file that changes, whole. Nothing is written here; the same input gives the same review.

mod assign;
mod diff;
mod patches;
mod read;
mod record;
mod review;
mod standing;

pub use assign::{Assignments, FoundBy};
pub use read::{Folder, ManifestFile, Skipped};
pub use review::{Answer, ChangedFile, Review, Row};
pub use standing::{Requests, Standing};
