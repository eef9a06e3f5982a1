//! What is remembered of the stored workloads: all of them in memory, or in a file from which an answer takes those it rests on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::PredictError;
use super::need::Remembered;
use super::rows_file::StoredRows;

/// The stored workloads, numbered from 0.
#[derive(Debug)]
pub(super) struct Rows {
    whole: OnceLock<Whole>,
    stored: Option<StoredRows>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) rows: Vec<Remembered>,
    /// By application and, where the trace has one, user.
    pub(super) by_application: BTreeMap<(String, Option<String>), Vec<u32>>,
    pub(super) by_class: BTreeMap<String, Vec<u32>>,
}

impl Whole {
    fn of(rows: Vec<Remembered>) -> Self {
        let mut by_application: BTreeMap<(String, Option<String>), Vec<u32>> = BTreeMap::new();
        let mut by_class: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (number, row) in (0_u32..).zip(&rows) {
            if let Some(application) = &row.application {
                by_application.entry((application.clone(), row.user.clone())).or_default().push(number);
            }
            if let Some(class) = &row.class {
                by_class.entry(class.clone()).or_default().push(number);
            }
        }
        Self { rows, by_application, by_class }
    }

    /// Returns the rows of the application (and user) of `row`, itself included; none without an application.
    pub(super) fn of_application(&self, row: u32) -> &[u32] {
        let own = self.rows.get(row as usize);
        let key = own.and_then(|own| Some((own.application.clone()?, own.user.clone())));
        key.and_then(|key| self.by_application.get(&key)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the others among them.
    pub(super) fn siblings(&self, row: u32) -> Vec<u32> {
        self.of_application(row).iter().copied().filter(|&other| other != row).collect()
    }
}

impl Rows {
    /// Takes rows that are in memory.
    pub(super) fn held(rows: Vec<Remembered>) -> Self {
        Self { whole: OnceLock::from(Whole::of(rows)), stored: None }
    }

    /// Takes those of a file.
    pub(super) const fn stored(stored: StoredRows) -> Self {
        Self { whole: OnceLock::new(), stored: Some(stored) }
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        match (&self.stored, self.whole.get()) {
            (Some(stored), _) => stored.len(),
            (None, whole) => whole.map_or(0, |whole| whole.rows.len()),
        }
    }

    /// Returns all rows; those of a file are read when they are first asked for, which takes time and memory in proportion.
    ///
    /// # Errors
    /// What is read is damaged.
    pub(super) fn whole(&self) -> Result<&Whole, PredictError> {
        if self.whole.get().is_none()
            && let Some(stored) = &self.stored
        {
            // Two threads may both read them, and they read the same.
            drop(self.whole.set(Whole::of(stored.all()?)));
        }
        Ok(self.whole.get_or_init(|| Whole::of(Vec::new())))
    }

    /// Returns a row; nothing beyond the last.
    ///
    /// # Errors
    /// What is read is damaged.
    pub(super) fn get(&self, row: u32) -> Result<Option<Cow<'_, Remembered>>, PredictError> {
        match (self.whole.get(), &self.stored) {
            (Some(whole), _) => Ok(whole.rows.get(row as usize).map(Cow::Borrowed)),
            (None, Some(stored)) => Ok(stored.get(row)?.map(Cow::Owned)),
            (None, None) => Ok(None),
        }
    }

    /// Returns the rows of an application, ascending. Users are compared where both sides have one.
    ///
    /// # Errors
    /// What is read is damaged.
    pub(super) fn instances(&self, application: &str, user: Option<&str>) -> Result<Vec<u32>, PredictError> {
        let mut rows = match (self.whole.get(), &self.stored) {
            (None, Some(stored)) => stored.instances(application, user)?,
            (None, None) => Vec::new(),
            (Some(whole), _) => {
                let from = (application.to_owned(), None);
                let is_user = |stored: &Option<String>| match (stored, user) {
                    (Some(stored), Some(own)) => stored == own,
                    _ => true,
                };
                let found = whole.by_application.range(from..).take_while(|((name, _), _)| name == application);
                found.filter(|((_, user), _)| is_user(user)).flat_map(|(_, rows)| rows.iter().copied()).collect()
            }
        };
        rows.sort_unstable();
        Ok(rows)
    }
}
