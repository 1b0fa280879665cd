//! What a caller can set on a cache.

use super::cache::TokenCache;
use super::server::FOR_APPS;
use super::settings::CacheSettings;
use crate::{Client, Error, Operation};
use std::time::Duration;

/// Makes a [`TokenCache`]. What is not set has a default that need not be touched.
///
/// The clock is that of the client: [`ClientBuilder::clock`](crate::ClientBuilder::clock).
#[derive(Debug)]
#[must_use]
pub struct TokenCacheBuilder(CacheSettings);

impl TokenCache {
    /// A cache to be configured and then built.
    pub fn builder(client: Client) -> TokenCacheBuilder {
        TokenCacheBuilder(CacheSettings::new(client))
    }
}

impl TokenCacheBuilder {
    /// The `operationId` of the operation to ask for tokens; otherwise `getWechatMpAccessTokenInfo`, and
    /// `getWeixinAccessToken` for a client that holds an access key and no application.
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.0.operation = id.into();
        self
    }

    /// How long before its end a token is renewed, while callers still get it; 300 s otherwise. At most a tenth of the
    /// token's lifetime, and at random up to two fifths less, so that a fleet does not come at once.
    pub fn refresh_window(mut self, window: Duration) -> Self {
        self.0.windows.refresh = window;
        self
    }

    /// How long before its end a token is no longer handed out, unless there is no other; 30 s otherwise. At most a
    /// twentieth of the token's lifetime.
    pub fn mandatory_window(mut self, window: Duration) -> Self {
        self.0.windows.mandatory = window;
        self
    }

    /// How long at least lies between two requests; 1 s otherwise.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.0.windows.pause = pause;
        self
    }

    /// How long callers without a token get the error of a refresh that failed just now, and how long the next refresh
    /// waits where there still is a token, there doubled by each further failure; 1 s otherwise.
    pub fn failure_pause(mut self, pause: Duration) -> Self {
        self.0.windows.failures.first = pause;
        self
    }

    /// The longest that the next refresh waits after failures, and that a server is believed which asks for a pause
    /// (`Retry-After`); 60 s otherwise.
    pub fn longest_failure_pause(mut self, pause: Duration) -> Self {
        self.0.windows.failures.longest = pause;
        self
    }

    /// How long callers without a token get the error of a request that will not succeed without a change, such as one
    /// with a wrong secret; 30 s otherwise.
    pub fn refusal_pause(mut self, pause: Duration) -> Self {
        self.0.windows.failures.refusal = pause;
        self
    }

    /// How long a `get` takes at most; two seconds more than a call otherwise, which is the client's
    /// [`timeout`](crate::ClientBuilder::timeout). A caller that has waited so long gets the token that is about to expire,
    /// or a [`Timeout`](crate::ErrorKind::Timeout); the refresh goes on for those who come next.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.0.windows.longest_wait = wait;
        self
    }

    /// What no token is believed to live longer than, whatever the server or a shared store says; 7200 s otherwise, which is
    /// what WeChat's live, and a year at most. The same for all processes of a fleet.
    pub fn longest_life(mut self, life: Duration) -> Self {
        // No clock overflows that far ahead.
        self.0.windows.longest_life = life.min(Duration::from_secs(365 * 86_400));
        self
    }

    /// A store for all processes that ask for the same tokens: one of them fetches, the others take over what it got.
    #[cfg(feature = "redis")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
    pub fn redis(mut self, store: super::redis::RedisStore) -> Self {
        self.0.store = Some(std::sync::Arc::new(store));
        self
    }

    /// Checks everything and makes the cache. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an operation that answers no WeChat access token.
    pub fn build(self) -> Result<TokenCache, Error> {
        let able = Operation::by_id(FOR_APPS).map(|operation| (operation.id, operation.siblings));
        let (first, others) = able.unwrap_or_default();
        let id = self.0.operation.as_str();
        if id != first && !others.contains(&id) {
            let able = [&[first], others].concat().join(", ");
            return Err(Error::configuration(format!("`{id}` answers no WeChat access token; use one of {able}")));
        }
        Ok(TokenCache::with(self.0))
    }
}
