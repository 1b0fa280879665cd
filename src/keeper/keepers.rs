//! The keepers of many tokens of a kind, such as those of WeChat apps.

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
    /// Read without a lock, like the tokens. A rotated secret has a keeper of its own, since a token belongs to both.
    all: HashMap<Key, Arc<Keeper>>,
    sweeper: Mutex<Sweeper>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Sweeper {
    /// One at most, which ends with this.
    task: JoinSet<()>,
    swept_at: Option<Instant>,
}

impl Keepers {
    /// What is done with the keeper of somebody's token, if there is one.
    pub(crate) fn look<T>(&self, of: &str, secret: &SecretString, what: impl FnOnce(&Arc<Keeper>) -> T) -> Option<T> {
        self.all.pin().get(&Asked { of, secret }).map(what)
    }

    /// The keeper of somebody's token, which is made if there is none.
    pub(crate) fn keeper(
        self: &Arc<Self>,
        of: &str,
        secret: &SecretString,
        make: impl FnOnce() -> Keeper,
    ) -> Arc<Keeper> {
        self.keep_swept();
        self.look(of, secret, Arc::clone).unwrap_or_else(|| {
            let key = Key { of: of.to_owned(), secret: secret.clone() };
            // Of two who come at once with somebody new, one finds the other's.
            let keeper = Arc::clone(self.all.pin().get_or_insert(key, shown(make())));
            if self.closed.load(Ordering::SeqCst) {
                keeper.end();
            }
            keeper
        })
    }

    /// Ends all, also those to come.
    pub(crate) fn close(&self) -> Vec<Arc<Keeper>> {
        self.closed.store(true, Ordering::SeqCst);
        let all = self.all();
        all.iter().for_each(|keeper| keeper.end());
        all
    }

    pub(crate) fn all(&self) -> Vec<Arc<Keeper>> {
        self.all.pin().values().map(Arc::clone).collect()
    }

    /// Has a task drop those that nobody needs any more: of secrets that were rotated, of apps that came once. Where its
    /// runtime is not driven, whoever comes does it.
    fn keep_swept(self: &Arc<Self>) {
        const PAUSE: Duration = Duration::from_secs(60);
        let mut sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        let Sweeper { task, swept_at } = &mut *sweeper;
        if swept_at.get_or_insert_with(Instant::now).elapsed() > PAUSE * 2 {
            *swept_at = Some(Instant::now());
            self.sweep();
        }
        // Without a runtime nothing is fetched that would have to go.
        let Ok(runtime) = Handle::try_current() else { return };
        // That of a runtime which is gone has ended.
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
        // Whom a handle needs is held by more than this.
        self.all.retain(|_, keeper| Arc::strong_count(keeper) > 1 || !keeper.is_idle(), &guard);
        // Their secrets go now, and not when there are more of them.
        guard.flush();
    }
}

/// A keeper, of which the gauges tell.
pub(crate) fn shown(keeper: Keeper) -> Arc<Keeper> {
    let keeper = Arc::new(keeper);
    #[cfg(feature = "opentelemetry")]
    super::gauges::show(&keeper);
    keeper
}

/// What a keeper is found by.
struct Key {
    of: String,
    secret: SecretString,
}

/// What is looked for.
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
        // However many secrets somebody has had, and whoever chose them, they are not to be compared one by one.
        state.write(self.of.as_bytes());
        state.write(self.secret.expose_secret().as_bytes());
    }
}

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.of == key.of && self.secret.expose_secret() == key.secret.expose_secret()
    }
}
