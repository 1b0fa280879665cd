//! The keepers of many tokens of one kind, such as those of WeChat apps.

use super::keeper::Keeper;
use crate::SecretString;
use papaya::{Equivalent, Guard as _, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;

#[derive(Default)]
pub(crate) struct Keepers {
    /// Read without a lock, like the tokens. A rotated secret has a keeper of its own, since a token belongs to app and
    /// secret.
    all: HashMap<Key, Arc<Keeper>>,
    sweeper: Mutex<Sweeper>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Sweeper {
    /// At most one task, which ends when this is dropped.
    task: JoinSet<()>,
    swept_at: Option<Instant>,
}

impl Keepers {
    /// Applies `what` to the keeper of a token, if there is one.
    pub(crate) fn look<T>(&self, of: &str, secret: &SecretString, what: impl FnOnce(&Arc<Keeper>) -> T) -> Option<T> {
        self.all.pin().get(&Asked { of, secret }).map(what)
    }

    /// The keeper of a token; makes one if there is none.
    pub(crate) fn keeper(
        self: &Arc<Self>,
        of: &str,
        secret: &SecretString,
        make: impl FnOnce() -> Keeper,
    ) -> Arc<Keeper> {
        self.keep_swept();
        self.look(of, secret, Arc::clone).unwrap_or_else(|| {
            let key = Key { of: of.to_owned(), secret: secret.clone() };
            // Of two callers that come with the same new key at once, one gets the other's keeper.
            let keeper = Arc::clone(self.all.pin().get_or_insert(key, shown(make())));
            if self.closed.load(Ordering::SeqCst) {
                keeper.end();
            }
            keeper
        })
    }

    /// Ends all keepers, also those made later.
    pub(crate) fn close(&self) -> Vec<Arc<Keeper>> {
        self.closed.store(true, Ordering::SeqCst);
        let all = self.all();
        all.iter().for_each(|keeper| keeper.end());
        all
    }

    pub(crate) fn all(&self) -> Vec<Arc<Keeper>> {
        self.all.pin().values().map(Arc::clone).collect()
    }

    /// Has a task drop the keepers that are no longer needed: those of rotated secrets, and of apps that came once. If
    /// the task's runtime is not driven, the callers do it.
    fn keep_swept(self: &Arc<Self>) {
        const PAUSE: Duration = Duration::from_secs(60);
        let mut sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        let Sweeper { task, swept_at } = &mut *sweeper;
        if swept_at.get_or_insert_with(Instant::now).elapsed() > PAUSE * 2 {
            *swept_at = Some(Instant::now());
            self.sweep();
        }
        // Without a runtime nothing is fetched, so there is nothing to drop.
        let Ok(runtime) = Handle::try_current() else { return };
        // This reaps the task of a runtime that is gone.
        task.try_join_next();
        if task.is_empty() {
            let keepers = Arc::downgrade(self);
            let sweeping = async move {
                loop {
                    tokio::time::sleep(PAUSE).await;
                    let Some(keepers) = keepers.upgrade() else { return };
                    keepers.sweep();
                    keepers.sweeper.lock().unwrap_or_else(PoisonError::into_inner).swept_at = Some(Instant::now());
                }
            };
            task.spawn_on(sweeping, &runtime);
        }
    }

    fn sweep(&self) {
        let guard = self.all.guard();
        // A keeper that a handle uses has more than this one reference.
        self.all.retain(|_, keeper| Arc::strong_count(keeper) > 1 || !keeper.is_idle(), &guard);
        // The secrets of the dropped keepers go now, rather than when more of them have come together.
        guard.flush();
    }
}

/// A keeper that the gauges show.
pub(crate) fn shown(keeper: Keeper) -> Arc<Keeper> {
    let keeper = Arc::new(keeper);
    #[cfg(feature = "opentelemetry")]
    super::gauges::show(&keeper);
    keeper
}

/// The key of a keeper.
struct Key {
    of: String,
    secret: SecretString,
}

/// The key to look up, borrowed.
struct Asked<'a> {
    of: &'a str,
    secret: &'a SecretString,
}

impl Key {
    fn asked(&self) -> Asked<'_> {
        Asked { of: &self.of, secret: &self.secret }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.asked().equivalent(other)
    }
}

impl Eq for Key {}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Both parts are hashed, so that the many secrets of one app, even chosen by an attacker, are not compared one
        // by one.
        state.write(self.of.as_bytes());
        state.write(self.secret.expose_secret().as_bytes());
    }
}

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.of == key.of && self.secret.expose_secret() == key.secret.expose_secret()
    }
}
