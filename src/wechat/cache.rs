//! The cache, and the handle on one of its WeChat apps.

use super::builder::TokenCacheBuilder;
use super::server::FOR_APPS;
use super::usage::TokenUse;
use crate::keeper::{Held, Keeper, Keepers, TokenStats};
use crate::types::GetWechatAccessTokenDto;
use crate::{Client, Error, Operation, UnixTimestamp};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A cache of WeChat access tokens, each of which is fetched once per lifetime. The [module](self::super) says what it
/// does when.
///
/// Clones share everything. It may be used from any number of tasks, threads and Tokio runtimes; when the last clone
/// and the last handle are dropped, everything that it has under way ends.
#[derive(Clone)]
pub struct TokenCache {
    settings: Arc<TokenCacheBuilder>,
    keepers: Arc<Keepers>,
}

impl TokenCache {
    /// Makes a cache with the defaults of [`builder`](Self::builder).
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self::with(TokenCacheBuilder::new(client))
    }

    /// Returns a builder, to configure a cache.
    pub fn builder(client: Client) -> TokenCacheBuilder {
        TokenCacheBuilder::new(client)
    }

    fn with(settings: TokenCacheBuilder) -> Self {
        Self { settings: Arc::new(settings), keepers: Arc::default() }
    }

    /// Returns a token that is good for a call to WeChat now.
    ///
    /// # Errors
    ///
    /// Those of the operation's `send`, and [`ErrorKind::UnusableToken`](crate::ErrorKind::UnusableToken). It only
    /// fails if no token is still good, and at once if the server refused a moment ago.
    pub async fn get(&self, app: &GetWechatAccessTokenDto) -> Result<AccessToken, Error> {
        if let Some(token) = self.keepers.look(&app.app_id, &app.app_secret, |keeper| keeper.fresh()).flatten() {
            return Ok(AccessToken(token));
        }
        self.keeper(app).get().await.map(AccessToken)
    }

    /// Returns a handle on the token of one WeChat app, which saves looking the app up. Nothing is sent.
    #[must_use]
    pub fn app(&self, app: &GetWechatAccessTokenDto) -> AppTokens {
        AppTokens(self.keeper(app))
    }

    /// Does the same as [`AppTokens::invalidate`].
    pub fn invalidate(&self, app: &GetWechatAccessTokenDto, rejected: &AccessToken) {
        self.keeper(app).invalidate(&rejected.0);
    }

    /// Does the same as [`AppTokens::with_token`].
    ///
    /// # Errors
    ///
    /// Those of [`AppTokens::with_token`].
    pub async fn with_token<T, E: From<Error>, Answering: Future<Output = Result<TokenUse<T>, E>>>(
        &self,
        app: &GetWechatAccessTokenDto,
        call: impl FnMut(AccessToken) -> Answering,
    ) -> Result<T, E> {
        self.app(app).with_token(call).await
    }

    /// Returns what was done so far, by AppId. An app appears once for each secret that it was asked for with, until
    /// its token has expired and is no longer asked for.
    #[must_use]
    pub fn stats(&self) -> Vec<(String, TokenStats)> {
        self.keepers.all().into_iter().map(|keeper| (keeper.of.clone(), keeper.stats())).collect()
    }

    /// Ends the refreshes that are under way, and waits until what they hold in a shared store is released. Call it at
    /// the end of a process, so that no other process waits for this one. It takes a second at most, plus the timeout
    /// of Redis if that is used. Afterwards the cache only returns tokens that are still good.
    ///
    /// When the last clone and handle are dropped, the same happens in the background, as long as the Tokio runtime
    /// lives.
    pub async fn close(&self) {
        let ended = async {
            for keeper in self.keepers.close() {
                keeper.ended().await;
            }
        };
        // This must not wait for tasks that no runtime drives any more.
        let _ = tokio::time::timeout(self.settings.farewell(), ended).await;
    }

    fn keeper(&self, app: &GetWechatAccessTokenDto) -> Arc<Keeper> {
        self.keepers.keeper(&app.app_id, &app.app_secret, || self.settings.keeper(app))
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl TokenCacheBuilder {
    /// Checks the settings and makes the cache. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an operation that does not return a WeChat
    /// access token.
    pub fn build(self) -> Result<TokenCache, Error> {
        let able = Operation::by_id(FOR_APPS).map(|operation| (operation.id, operation.siblings));
        let (first, others) = able.unwrap_or_default();
        let id = self.operation.as_str();
        if id != first && !others.contains(&id) {
            let able = [&[first], others].concat().join(", ");
            return Err(Error::configuration(format!(
                "`{id}` does not return a WeChat access token; use one of {able}"
            )));
        }
        Ok(TokenCache::with(self))
    }
}

/// A WeChat access token, from a [`TokenCache`].
///
/// The cache does not renew a token that you hold: ask it again for each call to WeChat. `Debug` does not show the
/// token.
#[derive(Clone)]
pub struct AccessToken(Held);

impl AccessToken {
    /// Returns the token itself, for a call to WeChat. The name is long so that a review sees who reads it.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns when it expires, by the server's clock. WeChat may reject it sooner if another system has fetched a
    /// newer one.
    #[must_use]
    pub fn expires_at(&self) -> UnixTimestamp {
        self.0.expires_at()
    }

    /// Returns how long it is still good at the time `now` of this machine's clock, whatever the server's clock says;
    /// zero if it is not.
    #[must_use]
    pub fn remaining(&self, now: SystemTime) -> Duration {
        self.0.remaining(now)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("expires_at", &self.expires_at()).finish_non_exhaustive()
    }
}

/// The token of one WeChat app, from [`TokenCache::app`]. Clones share it.
#[derive(Clone)]
pub struct AppTokens(Arc<Keeper>);

impl AppTokens {
    /// Does the same as [`TokenCache::get`].
    ///
    /// # Errors
    ///
    /// Those of [`TokenCache::get`].
    pub async fn get(&self) -> Result<AccessToken, Error> {
        self.0.get().await.map(AccessToken)
    }

    /// Tells the cache that WeChat has rejected a token, which happens before it expires if another system has fetched
    /// a newer one.
    ///
    /// It is forgotten if it is still the one that the cache holds; a token that was renewed for another caller
    /// meanwhile stays. Nothing is sent; the next [`get`](Self::get) fetches, unless a refresh has just failed or
    /// WeChat rejects every new token. If the server then sends the same token again, `get` returns an
    /// [`ErrorKind::UnusableToken`](crate::ErrorKind::UnusableToken).
    pub fn invalidate(&self, rejected: &AccessToken) {
        self.0.invalidate(&rejected.0);
    }

    /// Returns a newer token than `token`, for a caller that cannot use this one any more but does not know whether
    /// WeChat has rejected it. All other callers still get `token` until there is a newer one. A caller within `pause`
    /// of the last one that asked for this gets the token that the cache holds, and so does every caller if the server
    /// sends the same one again.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), also if the token that the cache holds is good, but no newer one can be fetched.
    pub async fn newer_than(&self, token: &AccessToken, pause: Duration) -> Result<AccessToken, Error> {
        self.0.newer_than(&token.0, pause).await.map(AccessToken)
    }

    /// Calls WeChat with a token. If WeChat rejects it, it is [invalidated](Self::invalidate) and the call is made once
    /// more with a newer one; the second answer is returned, whatever it says.
    ///
    /// # Errors
    ///
    /// Those of `call`, and those of [`get`](Self::get).
    ///
    /// ```
    /// use genauth::wechat::{AppTokens, TokenUse};
    ///
    /// async fn menu(tokens: &AppTokens, http: &reqwest::Client) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    ///     tokens
    ///         .with_token(|token| async move {
    ///             let request = http.get("https://api.weixin.qq.com/cgi-bin/menu/get");
    ///             let request = request.query(&[("access_token", token.expose_secret())]);
    ///             // The token is in the URL, and must not be in the error.
    ///             let answer = request.send().await.map_err(reqwest::Error::without_url)?;
    ///             let answer: serde_json::Value = answer.json().await.map_err(reqwest::Error::without_url)?;
    ///             Ok(TokenUse::by_errcode(answer["errcode"].as_i64().unwrap_or_default(), answer))
    ///         })
    ///         .await
    /// }
    /// ```
    pub async fn with_token<T, E: From<Error>, Answering: Future<Output = Result<TokenUse<T>, E>>>(
        &self,
        mut call: impl FnMut(AccessToken) -> Answering,
    ) -> Result<T, E> {
        let token = self.get().await?;
        if let TokenUse::Accepted(answer) = call(token.clone()).await? {
            return Ok(answer);
        }
        self.invalidate(&token);
        let token = self.get().await?;
        match call(token.clone()).await? {
            TokenUse::Accepted(answer) => Ok(answer),
            TokenUse::Rejected(answer) => {
                self.invalidate(&token);
                Ok(answer)
            }
        }
    }

    /// Returns what was done so far.
    #[must_use]
    pub fn stats(&self) -> TokenStats {
        self.0.stats()
    }
}

impl fmt::Debug for AppTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppTokens").field("app_id", &self.0.of).field("stats", &self.stats()).finish_non_exhaustive()
    }
}
