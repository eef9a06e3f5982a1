//! Which stored workloads a search looks at.

use crate::units::Micros;

use super::Remembered;

/// What stored workloads must be; nothing asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only {
    /// Of one of these applications.
    pub applications: Vec<String>,
    /// Of one of these owners.
    pub users: Vec<String>,
    /// Of one of these classes.
    pub classes: Vec<String>,
    /// From traces of one of these formats.
    pub formats: Vec<String>,
    /// Begun at this time or later; whose beginning is not known is not looked at.
    pub since: Option<Micros>,
    /// Begun before this time.
    pub until: Option<Micros>,
}

impl Only {
    /// Returns whether a stored workload is looked at.
    pub fn admits(&self, row: &Remembered) -> bool {
        let fits = |asked: &[String], found: Option<&str>| {
            asked.is_empty() || found.is_some_and(|found| asked.iter().any(|one| one == found))
        };
        fits(&self.applications, row.application.as_deref())
            && fits(&self.users, row.user.as_deref())
            && fits(&self.classes, row.class.as_deref())
            && fits(&self.formats, Some(&row.format))
            && self.since.is_none_or(|since| row.start.is_some_and(|start| start >= since))
            && self.until.is_none_or(|until| row.start.is_some_and(|start| start < until))
    }
}
