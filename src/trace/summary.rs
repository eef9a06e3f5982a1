//! Counts, extremes and sums of a table's columns, in the source's unit: what was read, before anything is converted.
//!
//! Summaries of files merge exactly (sums to the last digits: they are compensated, Neumaier 1974), so one file or
//! many give the same numbers. They are written into the store's manifest and shown by `shadow info -o json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Distinct values kept per categorical column before counting stops for that column.
const DISTINCT_LIMIT: usize = 256;

/// A compensated sum.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    /// Adds a finite value.
    pub fn add(&mut self, value: f64) {
        // Without asking which is larger (Knuth 1969, 4.2.2): exact as well, and nothing to foresee.
        let total = self.high + value;
        let added = total - self.high;
        self.low += (self.high - (total - added)) + (value - added);
        self.high = total;
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: Self) {
        self.add(other.high);
        self.low += other.low;
    }

    /// Returns the sum.
    pub fn value(self) -> f64 {
        self.high + self.low
    }
}

/// One column of one table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ColumnSummary {
    /// Cells without a value.
    pub empty: u64,
    /// Cells with a number.
    pub numbers: u64,
    /// Smallest number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min: Option<f64>,
    /// Largest number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max: Option<f64>,
    /// Sum of the numbers.
    #[serde(default)]
    pub sum: Sum,
    /// How often each value of a categorical column occurs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub counts: BTreeMap<String, u64>,
}

impl ColumnSummary {
    /// Counts a cell with a number.
    pub fn number(&mut self, value: f64) {
        self.numbers += 1;
        self.min = Some(self.min.map_or(value, |least| least.min(value)));
        self.max = Some(self.max.map_or(value, |most| most.max(value)));
        self.sum.add(value);
    }

    /// Counts a cell of a categorical column.
    pub fn category(&mut self, value: &str) {
        if let Some(count) = self.counts.get_mut(value) {
            *count += 1;
        } else if self.counts.len() < DISTINCT_LIMIT {
            self.counts.insert(value.to_owned(), 1);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.empty += other.empty;
        self.numbers += other.numbers;
        self.min = [self.min, other.min].into_iter().flatten().reduce(f64::min);
        self.max = [self.max, other.max].into_iter().flatten().reduce(f64::max);
        self.sum.merge(other.sum);
        for (value, count) in &other.counts {
            *self.counts.entry(value.clone()).or_default() += count;
        }
    }
}

/// One table: rows and columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TableSummary {
    /// Records, without the header.
    pub rows: u64,
    /// Rows handed to the store.
    pub kept: u64,
    /// Rows that went to quarantine, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Columns by their name in the format's document.
    pub columns: BTreeMap<String, ColumnSummary>,
    /// What the user should know about the table, in words, with the number of rows concerned.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub notes: BTreeMap<String, u64>,
    /// Whether the last line ended without a newline: the file may have been cut.
    pub ends_without_newline: bool,
}

impl TableSummary {
    /// Adds the summary of another part of the same table.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.kept += other.kept;
        for (reason, count) in &other.rejected {
            *self.rejected.entry(reason.clone()).or_default() += count;
        }
        for (name, column) in &other.columns {
            self.columns.entry(name.clone()).or_default().merge(column);
        }
        for (note, count) in &other.notes {
            *self.notes.entry(note.clone()).or_default() += count;
        }
        self.ends_without_newline |= other.ends_without_newline;
    }
}
