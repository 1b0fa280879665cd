//! A store in memory that the processes of a fleet share, by the test's clock.

use super::SECOND;
use crate::SecretString;
use crate::keeper::held::Record;
use crate::keeper::store::{Claim, Place, Standing, Store, Storing, Trouble};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const LEASE: Duration = Duration::from_secs(3);

/// It has a place for one token.
#[derive(Clone, Default)]
pub(super) struct MemoryStore(Arc<Memory>);

#[derive(Default)]
struct Memory {
    place: Mutex<Contents>,
    versions: AtomicU64,
    commands: AtomicUsize,
    /// Whether it carries out commands without answering them.
    hangs: AtomicBool,
    /// Whether it refuses all commands.
    refuses: AtomicBool,
}

#[derive(Default)]
struct Contents {
    record: Option<Kept>,
    /// Who holds the lock, and until when.
    lock: Option<(String, Instant)>,
}

struct Kept {
    /// `None` if the contents are not a record.
    record: Option<Record>,
    ends_at: Instant,
    version: Vec<u8>,
}

impl Contents {
    fn other_than(&self, known: &[u8]) -> Option<Standing> {
        let kept = self.record.as_ref().filter(|kept| kept.version != known)?;
        let left = kept.ends_at.duration_since(Instant::now());
        Some(Standing { record: kept.record.clone(), left, version: kept.version.clone() })
    }

    fn is_held_by(&self, place: &Place) -> bool {
        self.lock.as_ref().is_some_and(|(holder, _)| *holder == place.holder)
    }

    fn release(&mut self, place: &Place) {
        if self.is_held_by(place) {
            self.lock = None;
        }
    }
}

impl MemoryStore {
    /// Removes what has expired, then does `what`.
    fn with<T>(&self, what: impl FnOnce(&mut Contents) -> T) -> T {
        let mut contents = self.0.place.lock().unwrap();
        contents.record.take_if(|kept| kept.ends_at <= Instant::now());
        contents.lock.take_if(|(_, until)| *until <= Instant::now());
        what(&mut contents)
    }

    fn put(&self, contents: &mut Contents, record: Option<Record>, life: Duration) {
        let version = self.0.versions.fetch_add(1, Ordering::SeqCst).to_be_bytes().to_vec();
        contents.record = Some(Kept { record, ends_at: Instant::now() + life, version });
    }

    /// Runs a command: it takes a millisecond, and longer if the store is in trouble.
    fn run<'a, T: Send + 'a>(&'a self, what: impl FnOnce(&mut Contents) -> T + Send + 'a) -> Storing<'a, T> {
        Box::pin(async move {
            self.0.commands.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1)).await;
            if self.0.refuses.load(Ordering::SeqCst) {
                return Err(Trouble);
            }
            let answer = self.with(what);
            if self.0.hangs.load(Ordering::SeqCst) {
                tokio::time::sleep(self.timeout()).await;
                return Err(Trouble);
            }
            Ok(answer)
        })
    }

    /// Has every command carried out from now on, and its answer lost.
    pub(super) fn hang(&self, hangs: bool) {
        self.0.hangs.store(hangs, Ordering::SeqCst);
    }

    pub(super) fn refuse(&self, refuses: bool) {
        self.0.refuses.store(refuses, Ordering::SeqCst);
    }

    pub(super) fn commands(&self) -> usize {
        self.0.commands.load(Ordering::SeqCst)
    }

    pub(super) fn is_locked(&self) -> bool {
        self.with(|contents| contents.lock.is_some())
    }

    /// Removes the lock, as if its holder's lease had ended.
    pub(super) fn break_lock(&self) {
        self.with(|contents| contents.lock = None);
    }

    /// Adds a lock of a process that is not one of the test's.
    pub(super) fn lock_for(&self, time: Duration) {
        self.with(|contents| contents.lock = Some(("another".to_owned(), Instant::now() + time)));
    }

    /// The token in the store, and whether it is marked as rejected.
    pub(super) fn record(&self) -> Option<(String, bool)> {
        let record = self.with(|contents| contents.record.as_ref().and_then(|kept| kept.record.clone()));
        record.map(|record| (record.secret.expose_secret().to_owned(), record.rejected))
    }

    /// Changes the contents of the store.
    pub(super) fn change(&self, change: impl FnOnce(&mut Option<Record>, &mut Duration)) {
        self.with(|contents| {
            let Kept { mut record, ends_at, .. } = contents.record.take().expect("a record");
            let mut left = ends_at.duration_since(Instant::now());
            change(&mut record, &mut left);
            self.put(contents, record, left);
        });
    }
}

impl Store for MemoryStore {
    fn name_of(&self, label: &str, _: &SecretString, _: &[Option<&[u8]>]) -> String {
        label.to_owned()
    }

    fn timeout(&self) -> Duration {
        SECOND
    }

    fn lease(&self) -> Duration {
        LEASE
    }

    fn claim(&self, place: &Place, known: &[u8]) -> Storing<'_, Claim> {
        let (place, known) = (place.clone(), known.to_vec());
        self.run(move |contents| {
            if let Some(other) = contents.other_than(&known) {
                return Claim::Found(other);
            }
            if contents.lock.is_some() && !contents.is_held_by(&place) {
                return Claim::Nothing;
            }
            contents.lock = Some((place.holder, Instant::now() + LEASE));
            Claim::Lock
        })
    }

    fn renew(&self, place: &Place) -> Storing<'_, ()> {
        let place = place.clone();
        self.run(move |contents| {
            if contents.is_held_by(&place) {
                contents.lock = Some((place.holder, Instant::now() + LEASE));
            }
        })
    }

    fn publish(&self, place: &Place, record: &Record, life: Duration, known: &[u8]) -> Storing<'_, Option<Standing>> {
        let (place, record, known) = (place.clone(), record.clone(), known.to_vec());
        self.run(move |contents| {
            contents.release(&place);
            let other = contents.other_than(&known);
            if other.is_none() {
                self.put(contents, Some(record), life);
            }
            other
        })
    }

    fn release(&self, place: &Place) -> Storing<'_, ()> {
        let place = place.clone();
        self.run(move |contents| contents.release(&place))
    }

    fn works(&self) {}
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStore")
    }
}
