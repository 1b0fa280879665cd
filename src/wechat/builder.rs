//! The settings of a cache, and the keepers made from them.

use super::server::{GenAuthServer, usual_operation};
use crate::Client;
use crate::keeper::{Fetcher, Keeper, Member, Shared, Store, Windows};
use crate::types::GetWechatAccessTokenDto;
use std::sync::Arc;
use std::time::Duration;

/// Makes a [`TokenCache`](super::TokenCache). The defaults are good for most uses.
///
/// The clock is that of the client: [`ClientBuilder::clock`](crate::ClientBuilder::clock).
#[derive(Debug)]
#[must_use]
pub struct TokenCacheBuilder {
    client: Client,
    /// The `operationId` of the operation to ask for tokens.
    pub(super) operation: String,
    windows: Windows,
    store: Option<Arc<dyn Store>>,
}

impl TokenCacheBuilder {
    /// Sets the `operationId` of the operation to ask for tokens; the default is `getWechatMpAccessTokenInfo`, or
    /// `getWeixinAccessToken` for a client that holds an access key and no app.
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.operation = id.into();
        self
    }

    /// Sets how long before its end a token is renewed, while callers still get it; the default is 300 s. It is at most
    /// a tenth of the token's lifetime, and at random up to two fifths less, so that a fleet does not renew all at
    /// once.
    pub fn refresh_window(mut self, window: Duration) -> Self {
        self.windows.refresh = window;
        self
    }

    /// Sets how long before its end a token is no longer handed out, unless there is no other; the default is 30 s. It
    /// is at most a twentieth of the token's lifetime.
    pub fn mandatory_window(mut self, window: Duration) -> Self {
        self.windows.mandatory = window;
        self
    }

    /// Sets the shortest time between two requests; the default is 1 s.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.windows.pause = pause;
        self
    }

    /// Sets how long callers without a token get the error of a refresh that has just failed; the default is 1 s. Where
    /// there still is a token, the next refresh waits as long, and twice as long after each further failure.
    pub fn failure_pause(mut self, pause: Duration) -> Self {
        self.windows.failures.first = pause;
        self
    }

    /// Sets the longest time that the next refresh waits after failures, also where the server asks for a longer pause
    /// (`Retry-After`); the default is 60 s.
    pub fn longest_failure_pause(mut self, pause: Duration) -> Self {
        self.windows.failures.longest = pause;
        self
    }

    /// Sets how long callers without a token get the error of a request that will not succeed without a change, such as
    /// one with a wrong secret; the default is 30 s.
    pub fn refusal_pause(mut self, pause: Duration) -> Self {
        self.windows.failures.refusal = pause;
        self
    }

    /// Sets how long a `get` takes at most; the default is two seconds more than a call, that is than the client's
    /// [`timeout`](crate::ClientBuilder::timeout). A caller that has waited that long gets the token that is about to
    /// expire, or a [`Timeout`](crate::ErrorKind::Timeout); the refresh goes on for later callers.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.windows.longest_wait = wait;
        self
    }

    /// Sets the longest life that a token is believed to have, whatever the server or a shared store says; the default
    /// is 7200 s, as long as WeChat's tokens live, and a year is the most. All processes of a fleet must have the same.
    pub fn longest_life(mut self, life: Duration) -> Self {
        // A time that is no further ahead than this overflows no clock.
        self.windows.longest_life = life.min(Duration::from_secs(365 * 86_400));
        self
    }

    /// Sets a store for all processes that ask for the same tokens: one of them fetches a token, and the others take it
    /// over.
    #[cfg(feature = "redis")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
    pub fn redis(mut self, store: crate::keeper::RedisStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }
}

/// The use of the settings.
impl TokenCacheBuilder {
    pub(super) fn new(mut client: Client) -> Self {
        // The cache makes its own pauses between attempts.
        client.settings.retry.retries = 0;
        let longest_wait = client.settings.timeout.saturating_add(Duration::from_secs(2));
        let windows = Windows { longest_wait, ..Windows::default() };
        Self { operation: usual_operation(&client).to_owned(), windows, client, store: None }
    }

    /// Makes the keeper of one WeChat app's token.
    pub(super) fn keeper(&self, app: &GetWechatAccessTokenDto) -> Keeper {
        let Self { client, operation, windows, store } = self;
        let server = GenAuthServer { client: client.clone(), operation: operation.clone(), app: app.clone() };
        let shared = store.clone().map(|store| {
            let name = store.name_of(&app.app_id, &app.app_secret, &server.parts());
            Shared::new(store, name, client.settings.timeout)
        });
        let now = Arc::clone(&client.settings.now);
        let fetcher = Fetcher::new(Box::new(server), now, windows.clone());
        Keeper::new(app.app_id.clone(), Member { fetcher, shared }, self.patience())
    }

    /// Returns how long a refresh takes at most: a wait for another process and a call, and the time for the store.
    fn patience(&self) -> Duration {
        let rest = self.windows.pause.saturating_mul(2).saturating_add(Duration::from_secs(15));
        // The store has to answer, and a process that died has to lose its lease.
        let stores = self.store.as_ref().map(|store| store.timeout().saturating_mul(4).saturating_add(store.lease()));
        self.client.settings.timeout.saturating_mul(2).saturating_add(rest).saturating_add(stores.unwrap_or_default())
    }

    /// Returns how long the refreshes under way take at most to end.
    pub(super) fn farewell(&self) -> Duration {
        let stores = self.store.as_ref().map(|store| store.timeout());
        Duration::from_secs(1).saturating_add(stores.unwrap_or_default())
    }
}
