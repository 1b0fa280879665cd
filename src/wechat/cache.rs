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

/// WeChat access tokens, each asked for once per lifetime. See the [module](self::super) for what it does when.
///
/// Clones share everything. It may be used from any number of tasks, threads and Tokio runtimes; when the last clone and
/// the last handle are gone, so is everything that it had under way.
#[derive(Clone)]
pub struct TokenCache {
    settings: Arc<TokenCacheBuilder>,
    keepers: Arc<Keepers>,
}

impl TokenCache {
    /// A cache with the defaults of [`builder`](Self::builder).
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self::with(TokenCacheBuilder::new(client))
    }

    /// A cache to be configured and then built.
    pub fn builder(client: Client) -> TokenCacheBuilder {
        TokenCacheBuilder::new(client)
    }

    fn with(settings: TokenCacheBuilder) -> Self {
        Self { settings: Arc::new(settings), keepers: Arc::default() }
    }

    /// A token that is good for a call to WeChat now.
    ///
    /// # Errors
    ///
    /// Those of the operation's `send`, and [`ErrorKind::UnusableToken`](crate::ErrorKind::UnusableToken). Only where there is no
    /// token that is still good, and at once where the server refused a moment ago.
    pub async fn get(&self, app: &GetWechatAccessTokenDto) -> Result<AccessToken, Error> {
        if let Some(token) = self.keepers.look(&app.app_id, &app.app_secret, |keeper| keeper.fresh()).flatten() {
            return Ok(AccessToken(token));
        }
        self.keeper(app).get().await.map(AccessToken)
    }

    /// A handle on the token of one WeChat app: it saves looking the app up. Nothing is sent.
    #[must_use]
    pub fn app(&self, app: &GetWechatAccessTokenDto) -> AppTokens {
        AppTokens(self.keeper(app))
    }

    /// The same as [`AppTokens::invalidate`].
    pub fn invalidate(&self, app: &GetWechatAccessTokenDto, rejected: &AccessToken) {
        self.keeper(app).invalidate(&rejected.0);
    }

    /// The same as [`AppTokens::with_token`].
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

    /// What was done so far, by AppId; an app appears once for each secret that it was asked with, until its token has ended
    /// and nobody asks for it any more.
    #[must_use]
    pub fn stats(&self) -> Vec<(String, TokenStats)> {
        self.keepers.all().into_iter().map(|keeper| (keeper.of.clone(), keeper.stats())).collect()
    }

    /// Ends the refreshes that are under way, and waits until what they hold in a shared store is released: for the end of a
    /// process, so that no other waits for it. It takes a second at most, with Redis its timeout besides. From then on there
    /// are only tokens that are still good.
    ///
    /// When the last clone and handle are dropped, the same goes on beside, as long as the Tokio runtime lives.
    pub async fn close(&self) {
        let ended = async {
            for keeper in self.keepers.close() {
                keeper.ended().await;
            }
        };
        // Not for tasks that nobody drives.
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
    /// Checks everything and makes the cache. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an operation that does not return a WeChat access token.
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

/// WeChat's access token, from a [`TokenCache`].
///
/// It does not change under its owner: ask the cache again for each call to WeChat. `Debug` does not show it.
#[derive(Clone)]
pub struct AccessToken(Held);

impl AccessToken {
    /// The token itself, for a call to WeChat. The name is long so that a review sees who reads it.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// When it expires, by the server's clock. WeChat may reject it sooner, where another system fetched a newer one.
    #[must_use]
    pub fn expires_at(&self) -> UnixTimestamp {
        self.0.expires_at()
    }

    /// How long it is still good at that time of this machine's clock, whatever the server's says; zero for one that is not.
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
    /// The same as [`TokenCache::get`].
    ///
    /// # Errors
    ///
    /// Those of [`TokenCache::get`].
    pub async fn get(&self) -> Result<AccessToken, Error> {
        self.0.get().await.map(AccessToken)
    }

    /// Says that WeChat has rejected a token, which happens before it expires where another system fetched a newer one.
    ///
    /// It is forgotten if it is still the one that is held: a token that another caller renewed meanwhile stays. Nothing
    /// is sent; the next [`get`](Self::get) fetches, unless a refresh has failed just now, or WeChat rejects every new token. If the server then answers the same token again, that is an
    /// [`ErrorKind::UnusableToken`](crate::ErrorKind::UnusableToken).
    pub fn invalidate(&self, rejected: &AccessToken) {
        self.0.invalidate(&rejected.0);
    }

    /// A newer token than that, for a caller who has no more use for it, though nobody knows whether WeChat has rejected it:
    /// to all others it stays as good as it is until there is another. Who comes within `pause` of the last who asked for
    /// this gets the token that there is, and so does everybody where the server answers the same one again.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), also where the token that is held is good, but no newer one can be had.
    pub async fn newer_than(&self, token: &AccessToken, pause: Duration) -> Result<AccessToken, Error> {
        self.0.newer_than(&token.0, pause).await.map(AccessToken)
    }

    /// Calls WeChat with a token. If WeChat rejects it, it is [invalidated](Self::invalidate) and the call made once more,
    /// with a newer one; the second answer is returned, whatever it says.
    ///
    /// # Errors
    ///
    /// What `call` fails with, and as [`get`](Self::get).
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

    /// What was done so far.
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
