//! What the generated client has besides its operations.

mod builder;
mod clock;
mod environment;
pub(crate) mod host;
mod management;
mod options;
mod settings;
mod tls;

pub use builder::ClientBuilder;
pub use options::CallOptions;

pub(crate) use clock::Clock;
pub(crate) use settings::Settings;

use crate::api::Client;
use crate::credentials::UserAccessToken;
use crate::{Dialect, Error, SecretString};
use std::fmt;
use std::sync::Arc;

impl Client {
    /// Returns a builder for a client of the server at `host`, such as `https://example.genauth.ai`; a path is kept as
    /// a prefix.
    pub fn builder(host: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(host.into())
    }

    /// Makes a client from environment variables.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `GENAUTH_HOST` | as in [`builder`](Self::builder); required |
    /// | `GENAUTH_APP_ID`, `GENAUTH_APP_SECRET` | [`app`](ClientBuilder::app), or [`app_id`](ClientBuilder::app_id) without the secret |
    /// | `GENAUTH_ACCESS_TOKEN` | [`user_access_token`](ClientBuilder::user_access_token) |
    /// | `GENAUTH_ACCESS_KEY_ID`, `GENAUTH_ACCESS_KEY_SECRET` | [`access_key`](ClientBuilder::access_key) |
    /// | `GENAUTH_DIALECT` | `genauth` or `authing`; the host decides by default |
    /// | `GENAUTH_LANG` | `zh-CN` (default), `en-US`, `zh-TW` or `ja-JP` |
    /// | `GENAUTH_TIMEOUT` | seconds for a whole call; 10 by default |
    /// | `GENAUTH_RETRIES` | [`retries`](ClientBuilder::retries); 2 by default |
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), naming the variable.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns the server that this client calls, as it was given to [`builder`](Self::builder), but without a slash at
    /// the end.
    #[must_use]
    pub fn host(&self) -> &str {
        self.settings.host.as_str()
    }

    /// Returns the dialect of the headers that this client sends.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.settings.credentials.dialect
    }

    /// Sets, replaces or (with `None`) removes the user's access token, for this client and all its clones.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a token that cannot be in an HTTP header.
    pub fn set_user_access_token(&self, token: Option<SecretString>) -> Result<(), Error> {
        self.settings.credentials.user_access_token.set(token)
    }

    /// Returns the same client for another user: it has a user's access token of its own and shares everything else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a token that cannot be in an HTTP header.
    pub fn with_user_access_token(&self, token: impl Into<SecretString>) -> Result<Self, Error> {
        let mut client = self.clone();
        let credentials = Arc::make_mut(&mut client.settings.credentials);
        credentials.user_access_token = UserAccessToken::default();
        credentials.user_access_token.set(Some(token.into()))?;
        Ok(client)
    }
}

/// Generated code calls this, including that of extensions. It is not part of the API.
#[doc(hidden)]
impl Client {
    #[must_use]
    pub fn __settings(&self) -> &Settings {
        &self.settings
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.settings.host.as_str())
            .field("dialect", &self.settings.credentials.dialect)
            .field("app_id", &self.settings.credentials.app_id.0)
            .finish_non_exhaustive()
    }
}
