//! What a cache has done so far.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a cache has done for one WeChat app since it was first asked for its token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenStats {
    /// Calls that got a fresh token from memory.
    pub hits: u64,
    /// Calls that got a token from memory whose refresh was under way or had failed.
    pub stale: u64,
    /// Calls that waited for a refresh.
    pub waits: u64,
    /// Calls that got an error.
    pub errors: u64,
    /// Tokens that the server sent.
    pub refreshes: u64,
    /// Tokens taken over from the shared store.
    pub shared: u64,
    /// Refreshes that failed.
    pub failures: u64,
    /// Tokens that were forgotten because WeChat rejected them.
    pub invalidations: u64,
    /// How long ago the token that is held was fetched, by whichever process; `None` if there is no token.
    pub age: Option<Duration>,
    /// How long the token that is held is still good; `None` if there is no token.
    pub remaining: Option<Duration>,
    /// Whether a refresh is under way.
    pub refreshing: bool,
}

/// The counters behind [`TokenStats`].
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) hits: Hits,
    /// All counters but the hits.
    others: Mutex<TokenStats>,
}

impl Counters {
    pub(crate) fn count(&self, what: impl FnOnce(&mut TokenStats)) {
        what(&mut self.others.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn read(&self) -> TokenStats {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner).clone();
        TokenStats { hits: self.hits.sum(), ..others }
    }
}

/// A counter that many threads add to at once: up to a certain number of threads, each has a cache line to itself.
#[derive(Default)]
pub(crate) struct Hits([CacheLine; LINES]);

const LINES: usize = 16;

#[derive(Default)]
#[repr(align(128))]
struct CacheLine(AtomicU64);

impl Hits {
    pub(crate) fn add(&self) {
        thread_local! {
            static LINE: Cell<usize> = {
                static NEXT: AtomicUsize = AtomicUsize::new(0);
                Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % LINES)
            };
        }
        // A thread that is being torn down no longer has a number; it counts on the first line.
        let line = LINE.try_with(Cell::get).unwrap_or_default();
        if let Some(CacheLine(counter)) = self.0.get(line) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn sum(&self) -> u64 {
        self.0.iter().map(|CacheLine(counter)| counter.load(Ordering::Relaxed)).sum()
    }
}
