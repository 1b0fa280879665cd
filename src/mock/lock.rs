//! Locks that outlive a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test that panicked while it held a lock must not make the mock of the other tests panic as well.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
