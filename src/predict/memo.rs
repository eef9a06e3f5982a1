//! What was worked out once, by what it depends on.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Mutex;

/// Results by key. The lock is not held while one is worked out, so that this may ask for others; two threads may both
/// work the same one out, and they get the same.
#[derive(Debug)]
pub(super) struct Memo<K, V>(Mutex<BTreeMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord, V: Clone> Memo<K, V> {
    /// Returns what is known of `key`, or what `make` makes of it.
    pub(super) fn get_or(&self, key: K, make: impl FnOnce() -> V) -> V {
        let made: Result<V, Infallible> = self.try_get_or(key, || Ok(make()));
        match made {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// Returns what is known of `key`, or what `make` makes of it; a failure is not kept.
    pub(super) fn try_get_or<E>(&self, key: K, make: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        if let Ok(known) = self.0.lock()
            && let Some(value) = known.get(&key)
        {
            return Ok(value.clone());
        }
        let value = make()?;
        self.insert(key, value.clone());
        Ok(value)
    }

    /// Keeps a result.
    pub(super) fn insert(&self, key: K, value: V) {
        if let Ok(mut known) = self.0.lock() {
            known.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_made_once_and_a_failure_is_not_kept() {
        let memo: Memo<u8, u8> = Memo::default();
        assert_eq!(memo.try_get_or(1, || Err("not yet")), Err("not yet"));
        assert_eq!(memo.get_or(1, || 10), 10);
        assert_eq!(memo.get_or(1, || 20), 10);
        // One result may rest on another.
        assert_eq!(memo.get_or(2, || memo.get_or(1, || 30) + 1), 11);
    }
}
