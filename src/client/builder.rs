//! The builder of a client, which checks what the caller has set.

use super::clock::{self, Clock};
use super::host::Host;
use super::management;
use super::settings::Settings;
use super::tls;
use crate::api::Client;
use crate::credentials::{
    AccessKey, AccessKeySignature, AccessKeyUse, AppId, ClientAuthentication, Credentials, Dialect, Language,
    ManagementAccess, SignatureDate, TenantHeader, UserAccessToken, both_ways, header_value,
};
use crate::deprecation::{Hook, Notices};
use crate::retry::Retry;
use crate::{DeprecationNotice, Error, OnDeprecation, SecretString};
use http::HeaderMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;

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
///
/// # Credentials
///
/// The document says which credentials an operation takes; a call without them fails before anything is sent. A client
/// may hold several kinds.
///
/// - **An app**: its id goes out with each call, its secret only where an operation takes it. Use [`app`](Self::app),
///   or [`app_id`](Self::app_id) if there is no secret; [`client_authentication`](Self::client_authentication) says how
///   the secret is sent.
/// - **A signed-in user**: [`user_access_token`](Self::user_access_token),
///   [`Client::sign_in_by_password`](crate::Client::sign_in_by_password), or
///   [`Client::set_user_access_token`](crate::Client::set_user_access_token) for a client that already exists.
/// - **An access key** of the management side, which signs each request or fetches a management token that the client
///   keeps and renews: [`access_key`](Self::access_key) and [`access_key_use`](Self::access_key_use).
///
/// ```
/// use genauth::{AccessKeyUse, Client, ClientAuthentication, Error, SignIn};
///
/// let client = Client::builder("https://example.genauth.ai")
///     .app("the app's id", "the app's secret")
///     .client_authentication(ClientAuthentication::Post)
///     .build()?;
///
/// let manager = Client::builder("https://api.genauth.ai")
///     .access_key("the key's id", "the key's secret")
///     .access_key_use(AccessKeyUse::ManagementToken)
///     .tenant_id("a tenant")
///     .build()?;
///
/// async fn sign_in(client: &Client) -> Result<Option<Client>, Error> {
///     match client.sign_in_by_password("the account", "the password").await? {
///         SignIn::SignedIn(user) => Ok(Some(user.client)),
///         SignIn::NextStep(step) => {
///             println!("first: {}", step.message());
///             Ok(None)
///         }
///         _ => Ok(None),
///     }
/// }
/// # Ok::<(), Error>(())
/// ```
///
/// The headers of Authing's dialect go to hosts under `authing.cn` and `authing.com`, those of GenAuth's to all others,
/// unless [`dialect`](Self::dialect) is set. `http://` is for this machine only, and no request follows a redirect.
#[must_use]
#[derive(Clone)]
pub struct ClientBuilder {
    host: String,
    wishes: Wishes,
}

/// What a caller has set besides the host.
#[derive(Clone, Default)]
struct Wishes {
    app: Option<(String, Option<SecretString>)>,
    user_access_token: Option<SecretString>,
    client_authentication: Option<ClientAuthentication>,
    access_key: Option<(String, SecretString)>,
    access_key_use: AccessKeyUse,
    signature_date: SignatureDate,
    tenant_id: Option<String>,
    tenant_header: TenantHeader,
    dialect: Option<Dialect>,
    language: Language,
    timeout: Option<Duration>,
    attempt_timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    retry: Retry,
    largest_answer: Option<usize>,
    concurrency: Option<usize>,
    plain_http: bool,
    http_client: Option<reqwest::Client>,
    root_certificates: Vec<Vec<u8>>,
    proxy: Option<reqwest::Proxy>,
    on_deprecation: Option<Arc<Hook>>,
    now: Option<Clock>,
}

/// The time that every SDK of this API allows for a call.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read: 1 MiB. A token's is below one KiB.
const LARGEST_ANSWER: usize = 1 << 20;

impl ClientBuilder {
    pub(super) fn new(host: String) -> Self {
        Self { host, wishes: Wishes::default() }
    }

    /// Sets the id and the secret of the app that calls. The id goes out with each call, the secret only where an
    /// operation takes it, in the way that [`client_authentication`](Self::client_authentication) says.
    pub fn app(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.wishes.app = Some((id.into(), Some(secret.into())));
        self
    }

    /// Sets the id of an app that has no secret, or whose secret is not needed by any operation you call.
    pub fn app_id(mut self, id: impl Into<String>) -> Self {
        self.wishes.app = Some((id.into(), None));
        self
    }

    /// Sets how the app authenticates where an operation takes its secret; the default is HTTP Basic authentication. A
    /// way that sends a secret needs one: without [`app`](Self::app), [`build`](Self::build) fails.
    pub fn client_authentication(mut self, how: ClientAuthentication) -> Self {
        self.wishes.client_authentication = Some(how);
        self
    }

    /// Sets the access token of a signed-in user, which is sent as `Bearer` where an operation takes it.
    pub fn user_access_token(mut self, token: impl Into<SecretString>) -> Self {
        self.wishes.user_access_token = Some(token.into());
        self
    }

    /// Sets an access key of the user pool. It signs the requests of the management side or fetches a token for them,
    /// as [`access_key_use`](Self::access_key_use) says.
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.wishes.access_key = Some((id.into(), secret.into()));
        self
    }

    /// Sets what the access key is used for; by default it signs requests.
    pub fn access_key_use(mut self, what_for: AccessKeyUse) -> Self {
        self.wishes.access_key_use = what_for;
        self
    }

    /// Sets how a signed request writes its date; the default is an HTTP date.
    pub fn signature_date(mut self, form: SignatureDate) -> Self {
        self.wishes.signature_date = form;
        self
    }

    /// Sets the tenant that calls with the access key are for.
    pub fn tenant_id(mut self, id: impl Into<String>) -> Self {
        self.wishes.tenant_id = Some(id.into());
        self
    }

    /// Sets the header that names the tenant; the default is `x-genauth-app-tenant-id` (or `x-authing-…`).
    pub fn tenant_header(mut self, header: TenantHeader) -> Self {
        self.wishes.tenant_header = header;
        self
    }

    /// Sets which brand's headers are sent; by default the host decides.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.wishes.dialect = Some(dialect);
        self
    }

    /// Sets the language of the server's messages; the default is `zh-CN`, as in every SDK.
    pub fn language(mut self, language: Language) -> Self {
        self.wishes.language = language;
        self
    }

    /// Sets how long a call may take, from its start to the last byte of the answer, including retries and the fetch of
    /// a management token; the default is 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.wishes.timeout = Some(timeout);
        self
    }

    /// Sets how long a single attempt may take, so that there is time for another; by default it may take all that is
    /// left of the call's time.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.wishes.attempt_timeout = Some(timeout);
        self
    }

    /// Sets how often a failed call that may succeed without a change ([`Error::is_retryable`]) is retried; the default
    /// is 2, and 0 means never. Only operations that the document calls idempotent
    /// ([`Operation::idempotent`](crate::Operation)) are retried; for others see [`Client::call`](crate::Client::call).
    /// The clones of a client share a budget: ten retries, and one more for every ten calls that succeed.
    pub fn retries(mut self, retries: u32) -> Self {
        self.wishes.retry.retries = retries;
        self
    }

    /// Sets the longest pause before the first retry, which doubles with each further one, and before any retry; the
    /// defaults are 100 ms and 5 s. The pause is random below that, but not shorter than a server's `Retry-After`; a
    /// call is not retried if the server asks for more than `longest`.
    pub fn retry_pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.wishes.retry.first_pause, self.wishes.retry.longest_pause) = (first, longest);
        self
    }

    /// Sets the largest answer that is read, in bytes; the default is 1 MiB. A larger one is an
    /// [`ErrorKind::TooLarge`](crate::ErrorKind).
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.wishes.largest_answer = Some(bytes);
        self
    }

    /// Sets how many requests of a client and its clones may be under way at once; by default there is no limit. The
    /// others wait as long as their time allows.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.wishes.concurrency = Some(requests);
        self
    }

    /// Sets how long connecting may take; the default is 10 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.wishes.connect_timeout = Some(timeout);
        self
    }

    /// Sends secrets unencrypted to a host that is not this machine if its URL says `http`. Everyone on the way can
    /// read them, so use it in test networks only.
    pub fn dangerously_allow_plain_http(mut self) -> Self {
        self.wishes.plain_http = true;
        self
    }

    /// Uses an HTTP client of your own, for its connection pool or for settings that this builder lacks.
    ///
    /// Its certificates, proxy and connect timeout apply; [`timeout`](Self::timeout) is set on each request. No request
    /// body follows a redirect, whatever its redirect policy; give it `redirect::Policy::none()` so that headers and
    /// queries do not either. Headers that it adds by default go out unsigned.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.wishes.http_client = Some(client);
        self
    }

    /// Adds certificates to trust besides the platform's, as PEM text. It may be called more than once.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.wishes.root_certificates.push(pem.into());
        self
    }

    /// Sets the proxy to go through; by default it is the system's, and there is none for a host that is this machine.
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.wishes.proxy = Some(proxy);
        self
    }

    /// Sets a hook that is told of each call to a deprecated operation and says whether the call goes on. A warning is
    /// logged in any case, once per operation. A `Deprecation` or `Sunset` header in an answer raises the same notice.
    ///
    /// ```
    /// use genauth::{Client, OnDeprecation};
    ///
    /// let client = Client::builder("https://example.genauth.ai")
    ///     .app_id("the app's id")
    ///     .on_deprecation(|notice| {
    ///         eprintln!("{notice}");
    ///         OnDeprecation::Refuse
    ///     })
    ///     .build()?;
    /// # Ok::<(), genauth::Error>(())
    /// ```
    pub fn on_deprecation(
        mut self,
        hook: impl Fn(&DeprecationNotice<'_>) -> OnDeprecation + Send + Sync + 'static,
    ) -> Self {
        self.wishes.on_deprecation = Some(Arc::new(hook));
        self
    }

    /// Sets the clock that dates signatures and says when a management token is due; the default is the system's.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.wishes.now = Some(Arc::new(now));
        self
    }

    /// Checks the settings and makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), with a sentence on what to change.
    pub fn build(self) -> Result<Client, Error> {
        let Self { host, wishes } = self;
        let host = Host::parse(&host, wishes.plain_http)?;
        if wishes.proxy.is_some() && !host.is_https() && !wishes.plain_http {
            let detail = "a proxy would see every secret sent to an http:// host; write https://, or say `.dangerously_allow_plain_http()`";
            return Err(Error::configuration(detail));
        }
        let timeouts = [wishes.timeout, wishes.attempt_timeout, wishes.connect_timeout];
        if timeouts.contains(&Some(Duration::ZERO)) {
            return Err(Error::configuration("a timeout of zero leaves no time for any call; allow some"));
        }
        if wishes.concurrency == Some(0) {
            return Err(Error::configuration("a concurrency of zero lets no request through; allow some"));
        }
        let timeout = wishes.timeout.unwrap_or(TIMEOUT);
        let now = wishes.now.clone().unwrap_or_else(|| Arc::new(clock::now));
        let (credentials, fetching) = wishes.credentials(&host)?;
        let mut settings = Settings {
            credentials: Arc::new(credentials),
            http: wishes.http_client(&host)?,
            host: Arc::new(host),
            notices: Notices::new(wishes.on_deprecation),
            timeout,
            attempt_timeout: wishes.attempt_timeout,
            retry: Retry { budget: Arc::default(), ..wishes.retry },
            allow_not_done: false,
            largest_answer: wishes.largest_answer.unwrap_or(LARGEST_ANSWER),
            // A limit above a semaphore's maximum is as good as none.
            concurrency: wishes.concurrency.map(|most| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))),
            headers: HeaderMap::new(),
            foreign_http_client: wishes.http_client.is_some(),
            now,
        };
        if let Some(key) = fetching {
            let access = management::access(key, &settings);
            Arc::make_mut(&mut settings.credentials).management_access = access;
        }
        Ok(Client { settings })
    }
}

impl Wishes {
    /// Returns the credentials, and the access key that is to fetch tokens if there is one.
    fn credentials(&self, host: &Host) -> Result<(Credentials, Option<AccessKey>), Error> {
        let app_id = self.app.as_ref().map(|(id, _)| header_value(id, "app id")).transpose()?;
        let app = self.app.as_ref().and_then(|(id, secret)| Some((id.as_str(), secret.as_ref()?)));
        let (client_secret_basic, client_secret_post) = both_ways(app, self.client_authentication)?;
        let key = self.access_key.clone().map(AccessKey::new).transpose()?;
        let (signing, fetching) = match self.access_key_use {
            AccessKeyUse::Signature => (key, None),
            AccessKeyUse::ManagementToken => (None, key),
        };
        let tenant_id = self.tenant_id.as_deref().map(|id| header_value(id, "tenant id")).transpose()?;
        let credentials = Credentials {
            dialect: self.dialect.unwrap_or_else(|| Dialect::of_host(host.name())),
            language: self.language,
            tenant: tenant_id.map(|id| (self.tenant_header.header(), id)),
            app_id: AppId(app_id),
            user_access_token: UserAccessToken::default(),
            client_secret_basic,
            client_secret_post,
            access_key_signature: AccessKeySignature { key: signing, date: self.signature_date },
            management_access: ManagementAccess::default(),
        };
        credentials.user_access_token.set(self.user_access_token.clone())?;
        Ok((credentials, fetching))
    }

    fn http_client(&self, host: &Host) -> Result<reqwest::Client, Error> {
        if let Some(client) = &self.http_client {
            if !self.root_certificates.is_empty() || self.proxy.is_some() || self.connect_timeout.is_some() {
                let detail = "with your own HTTP client, set certificates, proxy and connect timeout on that one";
                return Err(Error::configuration(detail));
            }
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // Another crate may enable compression for all of reqwest; this client sends the contract's headers and no
            // more.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            // Another crate may enable HTTP/2 as well. reqwest's own retries only concern requests that HTTP/2 refuses,
            // and copy every request for that.
            .http1_only()
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .connect_timeout(self.connect_timeout.unwrap_or(TIMEOUT));
        match &self.proxy {
            Some(proxy) => builder = builder.proxy(proxy.clone()),
            // A proxy from the environment is for the way out, not for this machine.
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
            .field("dialect", &self.wishes.dialect)
            .field("language", &self.wishes.language)
            .field("timeout", &self.wishes.timeout.unwrap_or(TIMEOUT))
            .finish_non_exhaustive()
    }
}
