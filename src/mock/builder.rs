//! The settings of a mock before it starts.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;

use crate::Extension;

use super::answer::MockAnswer;
use super::apps::Apps;
use super::clock::MockClock;
use super::connections;
use super::document::Document;
use super::gate::Gate;
use super::management::ManagementIssuer;
use super::request::Log;
use super::rows::Rows;
use super::script::Script;
use super::server::MockGenAuth;
use super::service::{MockExchange, Service, Site};
use super::signature::Signatures;
use super::users::Users;
use super::wechat::{ExpiresAt, WechatApps};

/// Configures a [`MockGenAuth`], from [`MockGenAuth::builder`].
///
/// The mock always knows the app, the access key and the user of the constants of [`MockGenAuth`], and the WeChat apps
/// and the users of the document's examples. What is added here is known besides.
#[must_use = "a builder does nothing until it is started"]
pub struct MockGenAuthBuilder {
    apps: HashMap<String, Option<String>>,
    users: HashMap<String, String>,
    user_access_tokens: HashSet<String>,
    access_keys: HashMap<String, String>,
    wechat_apps: HashMap<String, String>,
    token_lifetime: Duration,
    token_margin: Duration,
    management_token_lifetime: Duration,
    expires_at: ExpiresAt,
    strict_authorization: bool,
    site: Site,
    log: Log,
    port: u16,
    clock: MockClock,
    extensions: Vec<&'static Extension>,
}

impl MockGenAuth {
    /// Starts a mock with the defaults of [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// See [`MockGenAuthBuilder::start`].
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder, to configure a mock.
    pub fn builder() -> MockGenAuthBuilder {
        MockGenAuthBuilder::new()
    }
}

impl MockGenAuthBuilder {
    fn new() -> Self {
        Self {
            apps: HashMap::new(),
            users: HashMap::new(),
            user_access_tokens: HashSet::new(),
            access_keys: HashMap::new(),
            wechat_apps: HashMap::new(),
            token_lifetime: Duration::from_secs(7200),
            token_margin: Duration::ZERO,
            management_token_lifetime: Duration::from_secs(7200),
            expires_at: ExpiresAt::default(),
            strict_authorization: false,
            site: Site::default(),
            log: Log::new(),
            port: 0,
            clock: MockClock::system(),
            extensions: Vec::new(),
        }
        .app(MockGenAuth::APP_ID, MockGenAuth::APP_SECRET)
        .user(MockGenAuth::USER_ACCOUNT, MockGenAuth::USER_PASSWORD)
        .user_access_token(MockGenAuth::USER_ACCESS_TOKEN)
        .access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET)
    }

    /// Adds a GenAuth app by its id, without a secret to authenticate by.
    pub fn app_id(mut self, id: impl Into<String>) -> Self {
        self.apps.entry(id.into()).or_default();
        self
    }

    /// Adds a GenAuth app with its secret.
    pub fn app(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.apps.insert(id.into(), Some(secret.into()));
        self
    }

    /// Adds a user who can sign in by password. The account may be sent as account, email, user name or phone.
    pub fn user(mut self, account: impl Into<String>, password: impl Into<String>) -> Self {
        self.users.insert(account.into(), password.into());
        self
    }

    /// Adds the access token of a signed-in user.
    pub fn user_access_token(mut self, token: impl Into<String>) -> Self {
        self.user_access_tokens.insert(token.into());
        self
    }

    /// Adds an access key, whose signatures are then accepted and which is exchanged for management tokens.
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.access_keys.insert(id.into(), secret.into());
        self
    }

    /// Adds a WeChat app that tokens are handed out for.
    pub fn wechat_app(mut self, app_id: impl Into<String>, app_secret: impl Into<String>) -> Self {
        self.wechat_apps.insert(app_id.into(), app_secret.into());
        self
    }

    /// Sets how long a WeChat access token lives; the default is 7200 s, as at WeChat. Fractions of a second are lost,
    /// because the expiry is rounded down to a whole Unix second.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Sets how long before its end a WeChat access token is replaced when it is asked for; by default it is not
    /// replaced before. The old token lives on for 300 s, if it has that long left.
    pub fn token_margin(mut self, margin: Duration) -> Self {
        self.token_margin = margin;
        self
    }

    /// Sets how long a management token lives; the default is 7200 s. Fractions of a second are lost as in
    /// [`token_lifetime`](Self::token_lifetime).
    pub fn management_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.management_token_lifetime = lifetime;
        self
    }

    /// Sets how `expiresAt` of a WeChat access token is written; the default is a number.
    pub fn expires_at_as(mut self, expires_at: ExpiresAt) -> Self {
        self.expires_at = expires_at;
        self
    }

    /// Accepts a token only after `Bearer`, and only where the operation takes one. By default a token may also come
    /// without that word, and an app may send its user's token with any call, because the published SDKs of most
    /// languages do both. A wrong token is refused in either case.
    pub fn strict_authorization(mut self) -> Self {
        self.strict_authorization = true;
        self
    }

    /// Serves the API under a base path such as `/base`, and nothing outside it. As on a real server behind a gateway,
    /// signatures do not cover the base path.
    pub fn path_prefix(mut self, prefix: impl AsRef<str>) -> Self {
        let prefix = prefix.as_ref().trim_matches('/');
        self.site.path_prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        self
    }

    /// Sets the clock by which tokens expire, signatures age and every answer has its `date`; the default is the
    /// system's. Times before 1970 count as 1970.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = MockClock::new(now);
        self
    }

    /// Leaves out the operation with this `operationId`, whose path is then unknown, as on a server that is older than
    /// the document.
    pub fn without(mut self, operation_id: impl Into<String>) -> Self {
        self.site.missing.insert(operation_id.into());
        self
    }

    /// Answers a GET or HEAD of `path`, which is not an endpoint of the API, with `page`. Such requests are not
    /// recorded and do not take a queued answer.
    pub fn page(mut self, path: impl Into<String>, page: MockAnswer) -> Self {
        self.site.pages.insert(path.into(), page);
        self
    }

    /// Sets a hook that is told of each request and its answer, before the answer is sent.
    pub fn on_exchange(mut self, hook: impl Fn(&MockExchange<'_>) + Send + Sync + 'static) -> Self {
        self.site.on_exchange = Some(Box::new(hook));
        self
    }

    /// Records no requests, for a mock that runs for days. [`MockGenAuth::requests`] is then empty.
    pub fn record_nothing(mut self) -> Self {
        self.log = Log::none();
        self
    }

    /// Serves the operations of an extension as well, checked and answered by its document like the others. It may be
    /// called for several.
    pub fn extension(mut self, extension: &'static Extension) -> Self {
        self.extensions.push(extension);
        self
    }

    /// Sets the port to listen on; by default, or if it is 0, a free one is taken.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Starts to listen on a port of 127.0.0.1, on the Tokio runtime that this is called on. The port is a free one
    /// unless [`port`](Self::port) was set.
    ///
    /// # Errors
    ///
    /// The operating system's error if the port cannot be had, and [`io::ErrorKind::InvalidData`] if the mock does not
    /// understand the API's document. The schema of a body is only read when the first such body comes, which is
    /// refused if the mock does not understand the schema.
    pub async fn start(self) -> io::Result<MockGenAuth> {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await?;
        let document = Document::with(&self.extensions)?;
        let owned = |(name, secret): (&str, &str)| (name.to_owned(), secret.to_owned());
        let users = document.users().map(owned).chain(self.users).collect();
        let wechat_apps = document.wechat_apps().map(owned).chain(self.wechat_apps).collect();
        let gate = Gate {
            apps: Apps::new(self.apps),
            users: Users::new(users, self.user_access_tokens),
            signatures: Signatures::new(self.access_keys),
            management: ManagementIssuer::new(self.management_token_lifetime),
            strict: self.strict_authorization,
        };
        let service = Arc::new(Service {
            document,
            gate,
            wechat: WechatApps::new(wechat_apps, self.token_lifetime, self.token_margin, self.expires_at),
            rows: Rows::default(),
            clock: self.clock,
            site: self.site,
            script: Script::default(),
            log: self.log,
            refusals: AtomicU64::new(0),
        });
        let url = format!("http://{}", listener.local_addr()?);
        let server = tokio::spawn(connections::accept(listener, Arc::clone(&service)));
        Ok(MockGenAuth { url, service, server })
    }
}

/// Does not show ids, tokens and secrets.
impl fmt::Debug for MockGenAuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockGenAuthBuilder")
            .field("token_lifetime", &self.token_lifetime)
            .field("management_token_lifetime", &self.management_token_lifetime)
            .field("expires_at", &self.expires_at)
            .field("path_prefix", &self.site.path_prefix)
            .finish_non_exhaustive()
    }
}
