//! What the generated client has besides its operations.

mod builder;
mod clock;
mod environment;
pub(crate) mod host;
pub(crate) mod management;
mod options;
mod settings;
mod tls;

pub use builder::ClientBuilder;
pub use options::CallOptions;

pub(crate) use clock::Clock;
pub(crate) use settings::Settings;

use crate::api::Client;
use crate::credentials::UserAccessToken;
use crate::operation::{climbs, subject};
use crate::{Dialect, Error, ErrorKind, Operation, Response, SecretString};
use crate::{envelope, hooks};
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

impl Client {
    /// A client for the server at `host`, such as `https://example.genauth.ai`; a path is kept as a prefix.
    pub fn builder(host: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(host.into())
    }

    /// A client as the environment describes it.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `GENAUTH_HOST` | as in [`builder`](Self::builder); required |
    /// | `GENAUTH_APP_ID`, `GENAUTH_APP_SECRET` | [`app`](ClientBuilder::app), or [`app_id`](ClientBuilder::app_id) without the secret |
    /// | `GENAUTH_ACCESS_TOKEN` | [`user_access_token`](ClientBuilder::user_access_token) |
    /// | `GENAUTH_ACCESS_KEY_ID`, `GENAUTH_ACCESS_KEY_SECRET` | [`access_key`](ClientBuilder::access_key) |
    /// | `GENAUTH_DIALECT` | `genauth` or `authing`; by the host otherwise |
    /// | `GENAUTH_LANG` | `zh-CN` (default), `en-US`, `zh-TW` or `ja-JP` |
    /// | `GENAUTH_TIMEOUT` | seconds for a whole call; 10 otherwise |
    /// | `GENAUTH_RETRIES` | [`retries`](ClientBuilder::retries); 2 otherwise |
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], naming the variable.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// The server that this client calls: as it was given to [`builder`](Self::builder), without a slash at the end.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.baseurl
    }

    /// Which brand's headers go out.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.inner.credentials.dialect
    }

    /// Sets, replaces or (with `None`) removes the user's access token, for this client and all its clones.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for a token that no HTTP header can carry.
    pub fn set_user_access_token(&self, token: Option<SecretString>) -> Result<(), Error> {
        self.inner.credentials.set_user_access_token(token)
    }

    /// The same client for another user: its user's access token is its own, everything else is shared.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for a token that no HTTP header can carry.
    pub fn with_user_access_token(&self, token: impl Into<SecretString>) -> Result<Self, Error> {
        let mut client = self.clone();
        let credentials = Arc::make_mut(&mut client.inner.credentials);
        credentials.user_access_token = UserAccessToken::default();
        credentials.set_user_access_token(Some(token.into()))?;
        Ok(client)
    }

    /// Calls an endpoint that the document does not describe, with the same credentials, limits, envelope and errors.
    /// Only the app secret is not among them: nothing says that such an endpoint takes it.
    ///
    /// `request` becomes the query of a GET and the JSON body otherwise; `&()` is no body. `path` starts with a slash,
    /// and no error and no log shows it: it may hold an invitation's code.
    /// For an endpoint whose `data` does not matter, let `Resp` be `serde::de::IgnoredAny`.
    ///
    /// # Errors
    ///
    /// As a described operation's `send`.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = genauth::mock::MockGenAuth::start().await?;
    /// # let client = server.client_builder().build()?;
    /// # let request = serde_json::json!({ "appId": server.wechat_app_id(), "appSecret": server.wechat_app_secret() });
    /// let answer: genauth::Response<serde_json::Value> =
    ///     client.call(http::Method::POST, "/api/v3/get-wechat-access-token-info", &request).await?;
    /// assert!(answer["expiresAt"].is_number());
    /// # Ok(()) }
    /// # #[cfg(not(feature = "mock"))] fn main() {}
    /// ```
    pub async fn call<Req, Resp>(&self, method: Method, path: &str, request: &Req) -> Result<Response<Resp>, Error>
    where
        Req: Serialize + ?Sized,
        Resp: DeserializeOwned,
    {
        if !path.starts_with('/') {
            return Err(Error::new(ErrorKind::Request, "call", "a path starts with `/`; the host is the client's"));
        }
        if path.contains(char::is_control) {
            return Err(Error::new(ErrorKind::Request, "call", "a path has no line breaks; encode what is in it"));
        }
        if path.contains('#') {
            return Err(Error::new(ErrorKind::Request, "call", "a path has no fragment; write `#` as `%23`"));
        }
        let without_query = path.split('?').next().unwrap_or_default();
        if without_query.contains('\\') {
            // Which a URL's parser takes for a slash.
            return Err(Error::new(ErrorKind::Request, "call", "a path has no backslash; write `\\` as `%5C`"));
        }
        if climbs(without_query) {
            return Err(Error::new(ErrorKind::Request, "call", "a path goes down only; leave out `.` and `..`"));
        }
        let operation = Operation::by_path(&method, without_query);
        let subject = &*subject(operation, &method);
        let unwritable = |error: reqwest::Error| {
            Error::new(ErrorKind::Request, subject, "the request cannot be written; check its fields")
                .caused_by(error.without_url())
        };
        let builder = self.client.request(method.clone(), format!("{}{path}", self.baseurl));
        let builder = builder.header(http::header::ACCEPT, http::HeaderValue::from_static("application/json"));
        let builder =
            if method == Method::GET { builder.query(request) } else { json_or_nothing(builder, subject, request)? };
        let request = builder.build().map_err(unwritable)?;
        envelope::open_response(subject, hooks::exchange(self, request.into(), operation).await)
    }
}

fn json_or_nothing<T: Serialize + ?Sized>(
    builder: reqwest::RequestBuilder,
    subject: &str,
    request: &T,
) -> Result<reqwest::RequestBuilder, Error> {
    let body = serde_json::to_vec(request).map_err(|_| {
        Error::new(ErrorKind::Request, subject, "the request cannot be written as JSON; check its fields")
    })?;
    let json = http::HeaderValue::from_static("application/json");
    Ok(if body == b"null" { builder } else { builder.header(http::header::CONTENT_TYPE, json).body(body) })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.baseurl)
            .field("dialect", &self.inner.credentials.dialect)
            .field("app_id", &self.inner.credentials.app_id.0)
            .finish_non_exhaustive()
    }
}
