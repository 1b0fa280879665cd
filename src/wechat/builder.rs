//! What a caller can set on a cache, and what comes of it.

use super::server::{GenAuthServer, usual_operation};
use crate::Client;
use crate::keeper::{Fetcher, Keeper, Member, Shared, Store, Windows};
use crate::types::GetWechatAccessTokenDto;
use std::sync::Arc;
use std::time::Duration;

/// Makes a [`TokenCache`](super::TokenCache). What is not set has a default that need not be touched.
///
/// The clock is that of the client: [`ClientBuilder::clock`](crate::ClientBuilder::clock).
#[derive(Debug)]
#[must_use]
pub struct TokenCacheBuilder {
    client: Client,
    /// An `operationId`.
    pub(super) operation: String,
    windows: Windows,
    store: Option<Arc<dyn Store>>,
}

impl TokenCacheBuilder {
    /// The `operationId` of the operation to ask for tokens; otherwise `getWechatMpAccessTokenInfo`, and
    /// `getWeixinAccessToken` for a client that holds an access key and no application.
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.operation = id.into();
        self
    }

    /// How long before its end a token is renewed, while callers still get it; 300 s otherwise. At most a tenth of the
    /// token's lifetime, and at random up to two fifths less, so that a fleet does not come at once.
    pub fn refresh_window(mut self, window: Duration) -> Self {
        self.windows.refresh = window;
        self
    }

    /// How long before its end a token is no longer handed out, unless there is no other; 30 s otherwise. At most a
    /// twentieth of the token's lifetime.
    pub fn mandatory_window(mut self, window: Duration) -> Self {
        self.windows.mandatory = window;
        self
    }

    /// How long at least lies between two requests; 1 s otherwise.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.windows.pause = pause;
        self
    }

    /// How long callers without a token get the error of a refresh that failed just now, and how long the next refresh
    /// waits where there still is a token, there doubled by each further failure; 1 s otherwise.
    pub fn failure_pause(mut self, pause: Duration) -> Self {
        self.windows.failures.first = pause;
        self
    }

    /// The longest that the next refresh waits after failures, and that a server is believed which asks for a pause
    /// (`Retry-After`); 60 s otherwise.
    pub fn longest_failure_pause(mut self, pause: Duration) -> Self {
        self.windows.failures.longest = pause;
        self
    }

    /// How long callers without a token get the error of a request that will not succeed without a change, such as one
    /// with a wrong secret; 30 s otherwise.
    pub fn refusal_pause(mut self, pause: Duration) -> Self {
        self.windows.failures.refusal = pause;
        self
    }

    /// How long a `get` takes at most; two seconds more than a call otherwise, which is the client's
    /// [`timeout`](crate::ClientBuilder::timeout). A caller that has waited so long gets the token that is about to expire,
    /// or a [`Timeout`](crate::ErrorKind::Timeout); the refresh goes on for those who come next.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.windows.longest_wait = wait;
        self
    }

    /// What no token is believed to live longer than, whatever the server or a shared store says; 7200 s otherwise, which is
    /// what WeChat's live, and a year at most. The same for all processes of a fleet.
    pub fn longest_life(mut self, life: Duration) -> Self {
        // No clock overflows that far ahead.
        self.windows.longest_life = life.min(Duration::from_secs(365 * 86_400));
        self
    }

    /// A store for all processes that ask for the same tokens: one of them fetches, the others take over what it got.
    #[cfg(feature = "redis")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
    pub fn redis(mut self, store: crate::keeper::RedisStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }
}

/// What comes of it.
impl TokenCacheBuilder {
    pub(super) fn new(mut client: Client) -> Self {
        // The cache has pauses of its own.
        client.settings.retry.retries = 0;
        let longest_wait = client.settings.timeout.saturating_add(Duration::from_secs(2));
        let windows = Windows { longest_wait, ..Windows::default() };
        Self { operation: usual_operation(&client).to_owned(), windows, client, store: None }
    }

    /// The keeper of one WeChat app's token.
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

    /// How long a refresh takes at most: waiting for another process and a call; the rest is for the store.
    fn patience(&self) -> Duration {
        let rest = self.windows.pause.saturating_mul(2).saturating_add(Duration::from_secs(15));
        // Its answers, and a process that died.
        let stores = self.store.as_ref().map(|store| store.timeout().saturating_mul(4).saturating_add(store.lease()));
        self.client.settings.timeout.saturating_mul(2).saturating_add(rest).saturating_add(stores.unwrap_or_default())
    }

    /// How long what is under way takes at most to end.
    pub(super) fn farewell(&self) -> Duration {
        let stores = self.store.as_ref().map(|store| store.timeout());
        Duration::from_secs(1).saturating_add(stores.unwrap_or_default())
    }
}
