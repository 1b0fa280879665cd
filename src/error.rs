//! The one error of the crate.

use bytes::Bytes;
use http::StatusCode;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a call, or the building of a client, failed.
///
/// `Display` is one line that says what happened and, where that is known, what to do. Match on [`kind`](Self::kind) and
/// the codes: the wording is no API. No secret of the request and no payload is in it. Cloning is cheap.
///
/// ```
/// use genauth::{Client, ErrorKind};
///
/// let error = Client::builder("ftp://example.genauth.ai").build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Configuration);
/// assert!(error.to_string().contains("https"));
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    kind: ErrorKind,
    /// What went wrong: an operation, as [`subject`](crate::operation::subject) calls it, or a part of the client.
    pub(crate) subject: String,
    detail: String,
    pub(crate) http_status: Option<StatusCode>,
    pub(crate) status_code: Option<i64>,
    pub(crate) api_code: Option<i64>,
    pub(crate) request_id: Option<String>,
    pub(crate) server_message: Option<String>,
    pub(crate) body: Option<Bytes>,
    pub(crate) retry_after: Option<Duration>,
    /// How many requests were sent for the call.
    pub(crate) attempts: u32,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built like this: host, credentials, certificates or environment variables are wrong.
    Configuration,
    /// The request is incomplete or cannot be written; nothing was sent.
    Request,
    /// The client holds no credentials that the operation takes; nothing was sent.
    Credentials,
    /// The `on_deprecation` hook refused a deprecated operation.
    Deprecated,
    /// The server could not be reached: name, route, port or TLS.
    Connect,
    /// The time allowed for connecting or for the whole call is over.
    Timeout,
    /// The connection broke before the answer was complete.
    Transport,
    /// The server redirects; a request with secrets in it does not follow.
    Redirect,
    /// The HTTP status is no success, and the body is no envelope.
    Http,
    /// The server understood the request and says no: a `statusCode` other than 200.
    Api,
    /// The server says success but sent no `data`.
    NoData,
    /// The answer cannot be read: no JSON, no envelope, or `data` of another shape than documented.
    Response,
    /// The answer is larger than a client accepts.
    TooLarge,
    /// The server answered a token that is good for nothing: one that has expired, that WeChat has rejected, or that is
    /// older than the one before.
    UnusableToken,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::of(kind, subject.into(), detail.into())
    }

    fn of(kind: ErrorKind, subject: String, detail: String) -> Self {
        Self(Arc::new(Inner {
            kind,
            subject,
            detail,
            http_status: None,
            status_code: None,
            api_code: None,
            request_id: None,
            server_message: None,
            body: None,
            retry_after: None,
            attempts: 0,
            source: None,
        }))
    }

    pub(crate) fn configuration(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, "the client's configuration", detail)
    }

    /// Adds what is known of the answer, or names the subject.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Arc::new(source));
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong: an operation, as [`subject`](crate::operation::subject) calls it, or a part of the client.
    pub(crate) fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Whether the time allowed is over.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether the same call may succeed later without a change: the network, an overloaded server, a throttled caller.
    ///
    /// Whether it may be *sent* again is another matter: see [`Operation::idempotent`](crate::Operation::idempotent).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        const NONCE_REPLAYED: i64 = 1306;
        let transient = |status: i64| matches!(status, 408 | 429 | 500 | 502 | 503 | 504);
        match self.kind() {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::UnusableToken => true,
            ErrorKind::Http => self.http_status().is_some_and(|status| transient(status.as_u16().into())),
            ErrorKind::Api => self.api_code() == Some(NONCE_REPLAYED) || self.status_code().is_some_and(transient),
            _ => false,
        }
    }

    /// The HTTP status, where an answer came.
    #[must_use]
    pub fn http_status(&self) -> Option<StatusCode> {
        self.0.http_status
    }

    /// The envelope's `statusCode`, where an envelope came; unknown ones are kept.
    #[must_use]
    pub fn status_code(&self) -> Option<i64> {
        self.0.status_code
    }

    /// The envelope's `apiCode`, where there is one; unknown ones are kept.
    #[must_use]
    pub fn api_code(&self) -> Option<i64> {
        self.0.api_code
    }

    /// The envelope's `requestId`: what the server's operators ask for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The envelope's `message`, whole, with the secrets of the request struck out.
    #[must_use]
    pub fn server_message(&self) -> Option<&str> {
        self.0.server_message.as_deref()
    }

    /// How long the server asks to wait before the next request, where it says so (`Retry-After`). It may ask for more
    /// than can be added to any clock: up to `u64::MAX` seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How often the call was attempted: 0 where nothing was sent, more than 1 where it was tried again.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The body of the answer as it came, where one came. It may hold secrets: neither `Debug` nor `Display` shows it.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.0.body.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.subject, self.0.detail)?;
        if self.0.attempts > 1 {
            write!(f, " [{} attempts]", self.0.attempts)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, subject, detail, http_status, status_code, api_code, request_id, attempts, source, .. } =
            &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("subject", subject)
            .field("detail", detail)
            .field("http_status", http_status)
            .field("status_code", status_code)
            .field("api_code", api_code)
            .field("request_id", request_id)
            .field("attempts", attempts)
            .field("source", source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// What a code means to the caller, and what to do about it. The codes are those of the API's error-code page.
pub(crate) fn advice(status_code: i64, api_code: Option<i64>) -> Option<&'static str> {
    let by_api_code = match api_code {
        Some(1300) => Some("check the access key's secret"),
        Some(1301 | 1302) => Some("the server takes another signature method than this crate's; please report it"),
        Some(1303..=1305) => Some("set this machine's clock (NTP): the server refuses requests dated otherwise"),
        Some(1306) => Some("the signature's nonce was used before; send the request again"),
        Some(2004) => Some("there is no such user; check the account"),
        Some(2005) => Some("the user is locked; unlock it in the console"),
        Some(2006 | 2333) => Some("check account and password"),
        Some(2011) => Some("check the app id, and that the host is this application's own"),
        Some(2020) => Some("sign the user in again and set the new user access token"),
        Some(2224) => Some("check the user pool id and the host"),
        Some(4021) => Some("the plan does not cover this; see the billing page of the console"),
        _ => None,
    };
    by_api_code.or(match status_code {
        400 => Some("check the request's fields"),
        401 => Some("check the credentials"),
        402 => Some("the plan does not cover this; see the billing page of the console"),
        403 => Some("these credentials may not do that; grant the permission in the console"),
        404 => Some("check the ids in the request, and the host"),
        413 => Some("send less at once"),
        429 => Some("wait before the next request, and cache what this one answers"),
        500 | 502 | 503 => Some("try again later; if it stays, give the request id to the server's operators"),
        501 => Some("this server does not offer the operation"),
        601 | 602 => {
            Some("the third party (such as WeChat) refused or failed: check its app id, secret and IP allow-list")
        }
        603 => Some("look into the custom code (pipeline) of the application in the console"),
        _ => None,
    })
}
