//! What this instance has seen lately, for those who find out when it has changed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So much is remembered.
const REMEMBERED: usize = 256;

/// Values by their keys.
pub(super) struct Recent<T>(Mutex<HashMap<String, T>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Recent<T> {
    fn seen(&self) -> MutexGuard<'_, HashMap<String, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it was when it was seen last.
    pub(super) fn get(&self, key: &str) -> Option<T> {
        self.seen().get(key).cloned()
    }

    /// Remembers what was seen just now, or that there is nothing worth it.
    pub(super) fn note(&self, key: &str, value: Option<T>) {
        let mut seen = self.seen();
        let Some(value) = value else {
            seen.remove(key);
            return;
        };
        if seen.len() >= REMEMBERED && !seen.contains_key(key) {
            // What is asked for again costs a call, no more.
            seen.clear();
        }
        seen.insert(key.to_owned(), value);
    }
}
