//! The builder: what a caller says, checked.

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
/// Which credentials an operation takes is written in the document; a call without them is refused before anything is
/// sent. A client may hold several kinds.
///
/// - **An application**, whose id goes out with each call, and whose secret only where an operation takes it:
///   [`app`](Self::app), or [`app_id`](Self::app_id) without a secret. [`client_authentication`](Self::client_authentication)
///   says how the secret goes.
/// - **A signed-in user**: [`user_access_token`](Self::user_access_token),
///   [`Client::sign_in_by_password`](crate::Client::sign_in_by_password), or
///   [`Client::set_user_access_token`](crate::Client::set_user_access_token) for a client that there is.
/// - **An access key** of the management side, which signs each request, or fetches a management token that the client keeps
///   and renews: [`access_key`](Self::access_key) and [`access_key_use`](Self::access_key_use).
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
/// The headers of Authing's dialect go to hosts under `authing.cn` and `authing.com`, those of GenAuth to all others;
/// [`dialect`](Self::dialect) says otherwise. `http://` is for this machine only, and no request follows a redirect.
#[must_use]
#[derive(Clone)]
pub struct ClientBuilder {
    host: String,
    wishes: Wishes,
}

/// What a caller says beside the host.
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

/// What every SDK of this API allows a call.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read: 1 MiB. A token's is below one KiB.
const LARGEST_ANSWER: usize = 1 << 20;

impl ClientBuilder {
    pub(super) fn new(host: String) -> Self {
        Self { host, wishes: Wishes::default() }
    }

    /// The id and secret of the GenAuth application that calls. The id goes out with each call; the secret only where an
    /// operation takes it, as [`client_authentication`](Self::client_authentication) says.
    pub fn app(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.wishes.app = Some((id.into(), Some(secret.into())));
        self
    }

    /// The id of an application without a secret, or whose secret no called operation needs.
    pub fn app_id(mut self, id: impl Into<String>) -> Self {
        self.wishes.app = Some((id.into(), None));
        self
    }

    /// How the application proves itself where an operation takes its secret; by HTTP Basic authentication otherwise.
    /// What sends a secret needs one: [`build`](Self::build) asks for [`app`](Self::app).
    pub fn client_authentication(mut self, how: ClientAuthentication) -> Self {
        self.wishes.client_authentication = Some(how);
        self
    }

    /// The access token of a signed-in user, sent as `Bearer` where an operation takes it.
    pub fn user_access_token(mut self, token: impl Into<SecretString>) -> Self {
        self.wishes.user_access_token = Some(token.into());
        self
    }

    /// An access key of the user pool, which signs requests of the management side; or fetches a token for them, as
    /// [`access_key_use`](Self::access_key_use) says.
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.wishes.access_key = Some((id.into(), secret.into()));
        self
    }

    /// What the access key is used for; to sign otherwise.
    pub fn access_key_use(mut self, what_for: AccessKeyUse) -> Self {
        self.wishes.access_key_use = what_for;
        self
    }

    /// How a signed request tells its date; as an HTTP date otherwise.
    pub fn signature_date(mut self, form: SignatureDate) -> Self {
        self.wishes.signature_date = form;
        self
    }

    /// The tenant that calls with the access key are for.
    pub fn tenant_id(mut self, id: impl Into<String>) -> Self {
        self.wishes.tenant_id = Some(id.into());
        self
    }

    /// The header that names the tenant; `x-genauth-app-tenant-id` (or `x-authing-…`) otherwise.
    pub fn tenant_header(mut self, header: TenantHeader) -> Self {
        self.wishes.tenant_header = header;
        self
    }

    /// Which brand's headers to send; taken from the host otherwise.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.wishes.dialect = Some(dialect);
        self
    }

    /// The language of the server's messages; `zh-CN` otherwise, as in every SDK.
    pub fn language(mut self, language: Language) -> Self {
        self.wishes.language = language;
        self
    }

    /// How long a call may take, from its start to the last byte of the answer, retries and a management token that has to
    /// be fetched first included; 10 seconds otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.wishes.timeout = Some(timeout);
        self
    }

    /// How long a single attempt may take, so that there is time for another; otherwise what is left of the call's time.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.wishes.attempt_timeout = Some(timeout);
        self
    }

    /// How often a call is made again that failed and may succeed without a change ([`Error::is_retryable`]); 2 otherwise,
    /// and 0 is never. Only operations that the document calls idempotent ([`Operation::idempotent`](crate::Operation))
    /// are, and what [`Client::call`](crate::Client::call) says of others. The clones of a client share a budget: ten retries, and one for every ten calls that succeed.
    pub fn retries(mut self, retries: u32) -> Self {
        self.wishes.retry.retries = retries;
        self
    }

    /// How long at most to wait before the first retry, which doubles with each, and before any; 100 ms and 5 s otherwise.
    /// The pause is random below that, but not shorter than a server's `Retry-After`; a server that asks for more than
    /// `longest` is not asked again.
    pub fn retry_pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.wishes.retry.first_pause, self.wishes.retry.longest_pause) = (first, longest);
        self
    }

    /// The largest answer that is read, in bytes; 1 MiB otherwise. A larger one is [`ErrorKind::TooLarge`](crate::ErrorKind).
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.wishes.largest_answer = Some(bytes);
        self
    }

    /// How many requests of a client and its clones may be under way at once; any number otherwise. The others wait, as
    /// long as their time allows.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.wishes.concurrency = Some(requests);
        self
    }

    /// How long connecting may take; 10 seconds otherwise.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.wishes.connect_timeout = Some(timeout);
        self
    }

    /// Sends secrets unencrypted to a host that is not this machine, if its URL says `http`. Everyone on the way can
    /// read them: for test networks only.
    pub fn dangerously_allow_plain_http(mut self) -> Self {
        self.wishes.plain_http = true;
        self
    }

    /// An HTTP client of your own, for its connection pool or settings that this builder lacks.
    ///
    /// Its certificates, proxy and connect timeout hold; [`timeout`](Self::timeout) is set on each request. Whatever its
    /// redirect policy, no request body follows a redirect; give it `redirect::Policy::none()` so that no header and no
    /// query does either. Headers that it adds by default go out unsigned.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.wishes.http_client = Some(client);
        self
    }

    /// Certificates to trust besides the platform's, as PEM text. May be called more than once.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.wishes.root_certificates.push(pem.into());
        self
    }

    /// The proxy to go through; otherwise the system's, and none for this machine.
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.wishes.proxy = Some(proxy);
        self
    }

    /// Is told of each call to a deprecated operation, and says whether it goes on. A warning is logged in any case, once
    /// per operation. A `Deprecation` or `Sunset` header in an answer raises the same notice.
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

    /// The clock that dates signatures and tells when a management token is due; the system's otherwise.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.wishes.now = Some(Arc::new(now));
        self
    }

    /// Checks everything and makes the client. Nothing is sent.
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
            // More than a semaphore holds is as good as any number.
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
    /// The credentials, and the access key that is to fetch tokens, if there is one.
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
            // Another crate may switch compression on for all of reqwest; ours sends the contract's headers and no more.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            // Or HTTP/2. What reqwest itself tries again is only what that refuses, and it copies every request for it.
            .http1_only()
            .retry(reqwest::retry::never().max_retries_per_request(0))
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
            .field("dialect", &self.wishes.dialect)
            .field("language", &self.wishes.language)
            .field("timeout", &self.wishes.timeout.unwrap_or(TIMEOUT))
            .finish_non_exhaustive()
    }
}
