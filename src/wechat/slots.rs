//! The WeChat apps that a cache has been asked for.

use super::slot::Slot;
use crate::types::GetWechatAccessTokenDto;
use papaya::{Equivalent, Guard as _, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;

#[derive(Default)]
pub(super) struct Slots {
    /// Read without a lock, like the tokens. A rotated secret has a slot of its own, since a token belongs to both.
    by_app: HashMap<Key, Arc<Slot>>,
    sweeper: Mutex<Sweeper>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Sweeper {
    /// One at most, which ends with this.
    task: JoinSet<()>,
    swept_at: Option<Instant>,
}

impl Slots {
    /// What is done with the slot of an app, if it has one.
    pub(super) fn look<T>(&self, app: &GetWechatAccessTokenDto, what: impl FnOnce(&Arc<Slot>) -> T) -> Option<T> {
        self.by_app.pin().get(&Asked(app)).map(what)
    }

    /// The slot of an app, which is made if it has none.
    pub(super) fn slot(self: &Arc<Self>, app: &GetWechatAccessTokenDto, make: impl FnOnce() -> Slot) -> Arc<Slot> {
        self.keep_swept();
        self.look(app, Arc::clone).unwrap_or_else(|| {
            let new = Arc::new(make());
            // Of two who come at once with a new app, one finds the other's.
            let slot = Arc::clone(self.by_app.pin().get_or_insert(Key(Arc::clone(&new)), new));
            if self.closed.load(Ordering::SeqCst) {
                slot.end();
            }
            slot
        })
    }

    /// Ends all, also those to come.
    pub(super) fn close(&self) -> Vec<Arc<Slot>> {
        self.closed.store(true, Ordering::SeqCst);
        let all = self.all();
        all.iter().for_each(|slot| slot.end());
        all
    }

    pub(super) fn all(&self) -> Vec<Arc<Slot>> {
        self.by_app.pin().values().map(Arc::clone).collect()
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
            let slots = Arc::downgrade(self);
            let sweeping = async move {
                loop {
                    tokio::time::sleep(PAUSE).await;
                    let Some(slots) = slots.upgrade() else { return };
                    slots.sweep();
                    slots.sweeper.lock().unwrap_or_else(PoisonError::into_inner).swept_at = Some(Instant::now());
                }
            };
            task.spawn_on(sweeping, &runtime);
        }
    }

    fn sweep(&self) {
        let guard = self.by_app.guard();
        // Whom a handle needs is held by more than key and value.
        self.by_app.retain(|_, slot| Arc::strong_count(slot) > 2 || !slot.is_idle(), &guard);
        // Their secrets go now, and not when there are more of them.
        guard.flush();
    }
}

/// A slot, found by its app.
struct Key(Arc<Slot>);

/// An app that is looked for.
struct Asked<'a>(&'a GetWechatAccessTokenDto);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked(&self.0.app).hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Asked(&self.0.app).equivalent(other)
    }
}

impl Eq for Key {}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // However many secrets an app has had, and whoever chose them, they are not to be compared one by one.
        state.write(self.0.app_id.as_bytes());
        state.write(self.0.app_secret.expose_secret().as_bytes());
    }
}

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, Key(slot): &Key) -> bool {
        let same_secret = self.0.app_secret.expose_secret() == slot.app.app_secret.expose_secret();
        self.0.app_id == slot.app.app_id && same_secret
    }
}
