//! Counts, extremes and sums of columns that no header names: fields of JSON objects and of nested records.

use crate::trace::TableSummary;
use crate::trace::delimited::Column;

/// One summary per name.
pub(super) struct Columns {
    names: &'static [&'static str],
    summaries: Vec<Column>,
}

impl Columns {
    /// Returns empty summaries.
    pub(super) fn new(names: &'static [&'static str]) -> Self {
        Self { names, summaries: vec![Column::default(); names.len()] }
    }

    /// Counts a number, or its absence, in the column at `index` of the names.
    pub(super) fn number(&mut self, index: usize, value: Option<f64>) {
        match value {
            Some(value) => self.summaries[index].number(value),
            None => self.summaries[index].empty += 1,
        }
    }

    /// Counts an integer.
    pub(super) fn integer(&mut self, index: usize, value: Option<i64>) {
        // 2^63 - 1 is a sentinel, not a number.
        match value {
            Some(i64::MAX) => {}
            other => self.number(index, other.map(|value| value as f64)),
        }
    }

    /// Counts an integer with few distinct values, by value too.
    pub(super) fn code(&mut self, index: usize, value: Option<i64>) {
        self.integer(index, value);
        if let Some(value) = value {
            self.summaries[index].code(value);
        }
    }

    /// Counts a text.
    pub(super) fn text(&mut self, index: usize, value: Option<&str>) {
        if value.is_none_or(str::is_empty) {
            self.summaries[index].empty += 1;
        }
    }

    /// Counts the length of a list, which is always there.
    pub(super) fn length(&mut self, index: usize, length: usize) {
        self.summaries[index].summary.category(&length.to_string());
    }

    /// Hands the summaries over.
    pub(super) fn finish(self, summary: &mut TableSummary) {
        let columns = self
            .names
            .iter()
            .map(|&name| name.to_owned())
            .zip(self.summaries.into_iter().map(Column::finish))
            .collect();
        summary.merge(&TableSummary { columns, ..TableSummary::default() });
    }
}
