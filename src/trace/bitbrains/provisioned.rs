//! What a machine was given, from the values that its rows state.

use std::collections::BTreeMap;

/// How often each amount above 0 was stated. Amounts are finite, so the order of their bits is their own.
#[derive(Debug, Clone, Default)]
pub(super) struct Stated {
    counts: BTreeMap<u64, u64>,
}

impl Stated {
    /// Counts a row; nothing and 0 (a machine that is switched off) are no statement.
    pub(super) fn add(&mut self, amount: Option<f64>) {
        if let Some(amount) = amount.filter(|amount| *amount > 0.0) {
            *self.counts.entry(amount.to_bits()).or_default() += 1;
        }
    }

    /// Returns the amount stated most often, the larger of two equally often, with its share of the statements.
    pub(super) fn mode(&self) -> Option<(f64, f64)> {
        let (amount, count) = self.counts.iter().max_by_key(|(amount, count)| (**count, **amount))?;
        let all: u64 = self.counts.values().sum();
        Some((f64::from_bits(*amount), *count as f64 / all as f64))
    }

    /// Returns the largest amount stated.
    pub(super) fn most(&self) -> Option<f64> {
        self.counts.keys().next_back().map(|amount| f64::from_bits(*amount))
    }

    /// Returns the mode, or the largest amount where less than half of the statements agree (our value): a balloon inside
    /// the guest makes the amount wander below what the machine was given.
    pub(super) fn mode_or_most(&self) -> Option<f64> {
        self.mode().filter(|(_, share)| *share >= 0.5).map(|(amount, _)| amount).or_else(|| self.most())
    }
}
