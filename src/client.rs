//! Building a client.

use crate::api::Client;
use crate::credentials::{Credentials, Dialect, Language, header_value, secret_value};
use crate::deprecation::Notices;
use crate::host::Host;
use crate::{DeprecationNotice, Error, ErrorKind, OnDeprecation, Operation, Response, SecretString};
use crate::{envelope, hooks, tls};
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What the hooks know of the client that they serve.
#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) notices: Notices,
    pub(crate) timeout: Duration,
    /// The path of the host, which no signature covers: empty, or with a slash in front and none behind.
    pub(crate) base_path: Arc<str>,
    /// Whether the caller brought the HTTP client, with a redirect policy that nobody can read.
    pub(crate) foreign_http_client: bool,
    pub(crate) now: Clock,
}

pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

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
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], naming the variable.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// Calls an endpoint that the document does not describe, with the same credentials, limits, envelope and errors.
    ///
    /// `request` becomes the query of a GET and the JSON body otherwise; `&()` is no body. `path` starts with a slash.
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
            return Err(Error::new(ErrorKind::Request, path, "a path starts with `/`; the host is the client's"));
        }
        let unwritable = |error: reqwest::Error| {
            Error::new(ErrorKind::Request, path, "the request cannot be written; check its fields")
                .caused_by(error.without_url())
        };
        let operation = Operation::by_path(&method, path);
        let builder = self.client.request(method.clone(), format!("{}{path}", self.baseurl));
        let builder = builder.header(http::header::ACCEPT, http::HeaderValue::from_static("application/json"));
        let builder =
            if method == Method::GET { builder.query(request) } else { json_or_nothing(builder, path, request)? };
        let request = builder.build().map_err(unwritable)?;
        envelope::open_response(hooks::exchange(self, request, operation).await)
    }
}

fn json_or_nothing<T: Serialize + ?Sized>(
    builder: reqwest::RequestBuilder,
    path: &str,
    request: &T,
) -> Result<reqwest::RequestBuilder, Error> {
    let body = serde_json::to_vec(request)
        .map_err(|_| Error::new(ErrorKind::Request, path, "the request cannot be written as JSON; check its fields"))?;
    let json = http::HeaderValue::from_static("application/json");
    Ok(if body == b"null" { builder } else { builder.header(http::header::CONTENT_TYPE, json).body(body) })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.baseurl)
            .field("dialect", &self.inner.credentials.dialect)
            .field("app_id", &self.inner.credentials.app_id)
            .finish_non_exhaustive()
    }
}

/// Makes a [`Client`].
///
/// ```
/// use genauth::{Client, Language};
/// use std::time::Duration;
///
/// let client = Client::builder("https://example.genauth.ai")
///     .app("64a0000000000000000000aa", "the app's secret")
///     .language(Language::English)
///     .timeout(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), genauth::Error>(())
/// ```
#[must_use]
#[derive(Clone)]
pub struct ClientBuilder {
    host: String,
    app: Option<(String, Option<SecretString>)>,
    user_access_token: Option<SecretString>,
    access_key: Option<(String, SecretString)>,
    dialect: Option<Dialect>,
    language: Language,
    timeout: Duration,
    connect_timeout: Option<Duration>,
    plain_http: bool,
    http_client: Option<reqwest::Client>,
    root_certificates: Vec<Vec<u8>>,
    proxy: Option<reqwest::Proxy>,
    notices: Notices,
    now: Clock,
}

/// What every SDK of this API allows a call.
const TIMEOUT: Duration = Duration::from_secs(10);

impl ClientBuilder {
    fn new(host: String) -> Self {
        Self {
            host,
            app: None,
            user_access_token: None,
            access_key: None,
            dialect: None,
            language: Language::default(),
            timeout: TIMEOUT,
            connect_timeout: None,
            plain_http: false,
            http_client: None,
            root_certificates: Vec::new(),
            proxy: None,
            notices: Notices::default(),
            #[allow(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
            now: Arc::new(SystemTime::now),
        }
    }

    fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Error::configuration(format!("the environment variable {name} is not UTF-8; set it anew")))
            }
        })
    }

    fn from_variables(variable: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Self, Error> {
        let bad = |name: &str, expected: &str| {
            Error::configuration(format!("the environment variable {name} is not {expected}; correct or unset it"))
        };
        let missing = |name: &str, beside: &str| {
            let detail = format!("the environment variable {name} is not set, though {beside} is; set both or none");
            Error::configuration(detail)
        };
        let host = variable("GENAUTH_HOST")?.ok_or_else(|| {
            Error::configuration("the environment variable GENAUTH_HOST is not set; set it to https://your-host")
        })?;
        let mut builder = Self::new(host);
        builder = match (variable("GENAUTH_APP_ID")?, variable("GENAUTH_APP_SECRET")?) {
            (Some(id), Some(secret)) => builder.app(id, secret),
            (Some(id), None) => builder.app_id(id),
            (None, Some(_)) => return Err(missing("GENAUTH_APP_ID", "GENAUTH_APP_SECRET")),
            (None, None) => builder,
        };
        builder = match (variable("GENAUTH_ACCESS_KEY_ID")?, variable("GENAUTH_ACCESS_KEY_SECRET")?) {
            (Some(id), Some(secret)) => builder.access_key(id, secret),
            (None, None) => builder,
            (Some(_), None) => return Err(missing("GENAUTH_ACCESS_KEY_SECRET", "GENAUTH_ACCESS_KEY_ID")),
            (None, Some(_)) => return Err(missing("GENAUTH_ACCESS_KEY_ID", "GENAUTH_ACCESS_KEY_SECRET")),
        };
        if let Some(token) = variable("GENAUTH_ACCESS_TOKEN")? {
            builder = builder.user_access_token(token);
        }
        if let Some(dialect) = variable("GENAUTH_DIALECT")? {
            builder = match dialect.to_ascii_lowercase().as_str() {
                "genauth" => builder.dialect(Dialect::GenAuth),
                "authing" => builder.dialect(Dialect::Authing),
                _ => return Err(bad("GENAUTH_DIALECT", "`genauth` or `authing`")),
            };
        }
        if let Some(language) = variable("GENAUTH_LANG")? {
            let language = Language::from_tag(&language);
            builder = builder.language(language.ok_or_else(|| bad("GENAUTH_LANG", "zh-CN, en-US, zh-TW or ja-JP"))?);
        }
        if let Some(seconds) = variable("GENAUTH_TIMEOUT")? {
            let timeout = seconds.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            let timeout = timeout.filter(|timeout| !timeout.is_zero());
            builder = builder.timeout(timeout.ok_or_else(|| bad("GENAUTH_TIMEOUT", "a number of seconds above 0"))?);
        }
        Ok(builder)
    }

    /// The id and secret of the GenAuth application that calls.
    pub fn app(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.app = Some((id.into(), Some(secret.into())));
        self
    }

    /// The id of an application without a secret, or whose secret no called operation needs.
    pub fn app_id(mut self, id: impl Into<String>) -> Self {
        self.app = Some((id.into(), None));
        self
    }

    /// The access token of a signed-in user, sent as `Bearer` where an operation takes it.
    pub fn user_access_token(mut self, token: impl Into<SecretString>) -> Self {
        self.user_access_token = Some(token.into());
        self
    }

    /// An access key of the user pool, which signs requests of the management side.
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.access_key = Some((id.into(), secret.into()));
        self
    }

    /// Which brand's headers to send; taken from the host otherwise.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// The language of the server's messages; `zh-CN` otherwise, as in every SDK.
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// How long a whole call may take, from connecting to the last byte of the answer; 10 seconds otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take; 10 seconds otherwise.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Sends secrets unencrypted to a host that is not this machine, if its URL says `http`. Everyone on the way can
    /// read them: for test networks only.
    pub fn dangerously_allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// An HTTP client of your own, for its connection pool or settings that this builder lacks.
    ///
    /// Its certificates, proxy and connect timeout hold; [`timeout`](Self::timeout) is set on each request. Whatever its
    /// redirect policy, no request body follows a redirect.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Certificates to trust besides the platform's, as PEM text. May be called more than once.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// The proxy to go through; otherwise the system's, and none for this machine.
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Is told of each call to a deprecated operation, and says whether it goes on. A warning is logged in any case, once
    /// per operation.
    pub fn on_deprecation(
        mut self,
        hook: impl Fn(&DeprecationNotice<'_>) -> OnDeprecation + Send + Sync + 'static,
    ) -> Self {
        self.notices.set_hook(Arc::new(hook));
        self
    }

    /// The clock that dates signatures; the system's otherwise.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.now = Arc::new(now);
        self
    }

    /// Checks everything and makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], with a sentence on what to change.
    pub fn build(self) -> Result<Client, Error> {
        let host = Host::parse(&self.host, self.plain_http)?;
        let credentials = self.credentials(&host)?;
        let foreign_http_client = self.http_client.is_some();
        let http_client = self.build_http_client(&host)?;
        let inner = Inner {
            credentials: Arc::new(credentials),
            notices: self.notices,
            timeout: self.timeout,
            base_path: host.base_path().into(),
            foreign_http_client,
            now: self.now,
        };
        Ok(Client::new_with_client(host.as_str(), http_client, inner))
    }

    fn credentials(&self, host: &Host) -> Result<Credentials, Error> {
        let (app_id, app_secret) = match &self.app {
            Some((id, secret)) => (Some(header_value(id, "app id")?), secret.clone()),
            None => (None, None),
        };
        if app_secret.as_ref().is_some_and(|secret| secret.expose_secret().is_empty()) {
            return Err(Error::configuration("the app secret is empty; set it, or use `.app_id(..)` without one"));
        }
        if let Some(token) = &self.user_access_token {
            secret_value(token.expose_secret(), "user access token")?;
        }
        if let Some((id, secret)) = &self.access_key {
            header_value(id, "access key id")?;
            if secret.expose_secret().is_empty() {
                return Err(Error::configuration("the access key's secret is empty; set it"));
            }
        }
        Ok(Credentials {
            dialect: self.dialect.unwrap_or_else(|| Dialect::of_host(host.name())),
            language: self.language,
            app_id,
            app_secret,
            user_access_token: self.user_access_token.clone(),
            access_key: self.access_key.clone(),
        })
    }

    fn build_http_client(&self, host: &Host) -> Result<reqwest::Client, Error> {
        if let Some(client) = &self.http_client {
            if !self.root_certificates.is_empty() || self.proxy.is_some() || self.connect_timeout.is_some() {
                let detail = "with your own HTTP client, set certificates, proxy and connect timeout on that one";
                return Err(Error::configuration(detail));
            }
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.connect_timeout.unwrap_or(TIMEOUT));
        match &self.proxy {
            Some(proxy) => builder = builder.proxy(proxy.clone()),
            // A proxy of the environment is for the way out, not for this machine.
            None if host.is_loopback() => builder = builder.no_proxy(),
            None => {}
        }
        let tls_needed = host.is_https() || self.proxy.is_some();
        builder = tls::configure(builder, tls_needed, &self.root_certificates)?;
        builder.build().map_err(|error| {
            Error::configuration("the HTTP client cannot be built; check proxy and certificates")
                .caused_by(error.without_url())
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The host may hold a password until `build` refuses it.
        f.debug_struct("ClientBuilder")
            .field("dialect", &self.dialect)
            .field("language", &self.language)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
