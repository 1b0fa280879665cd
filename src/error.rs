//! The error type of the crate.

use bytes::Bytes;
use http::StatusCode;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a call failed, or a client could not be built.
///
/// `Display` is one line that says what happened and, where that is known, what to do. Match on [`kind`](Self::kind)
/// and the codes, because the wording is not part of the API. It holds neither secrets of the request nor payloads.
/// Cloning is cheap.
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
    /// What failed: an operation, as [`subject`](crate::operation::subject) calls it, or a part of the client.
    pub(crate) subject: String,
    detail: String,
    pub(crate) http_status: Option<StatusCode>,
    pub(crate) status_code: Option<i64>,
    pub(crate) api_code: Option<i64>,
    pub(crate) request_id: Option<String>,
    pub(crate) server_message: Option<String>,
    pub(crate) oauth_error: Option<String>,
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
    /// The client cannot be built like this: the host, credentials, certificates or environment variables are wrong.
    Configuration,
    /// The request is incomplete or cannot be written; nothing was sent.
    Request,
    /// The client holds no credentials that the operation takes or the call asks for; nothing was sent.
    Credentials,
    /// The `on_deprecation` hook refused a deprecated operation.
    Deprecated,
    /// The server could not be reached, because of its name, the route, the port or TLS.
    Connect,
    /// The time allowed for connecting or for the whole call is over.
    Timeout,
    /// The connection broke before the answer was complete.
    Transport,
    /// The server redirects; requests do not follow, because they hold secrets.
    Redirect,
    /// The HTTP status is not that of a success, and the body is not an envelope.
    Http,
    /// The server understood the request and refused it, by a `statusCode` other than 200.
    Api,
    /// The server reports success, but `success: false` in `data`, so it was not done;
    /// [`CallOptions::allow_not_done`](crate::CallOptions::allow_not_done) has such a payload returned instead.
    NotDone,
    /// The server reports success but sent no `data`, or reports that a sign-in is complete (1600) but sent no tokens.
    NoData,
    /// The answer cannot be read: not JSON, not an envelope, or `data` of another shape than documented, or than the
    /// type that the caller gave.
    Response,
    /// A JWT is not valid: it is not signed by the server's keys, has expired, is for somebody else, or is not a JWT at
    /// all.
    InvalidToken,
    /// The answer is larger than a client accepts.
    TooLarge,
    /// The server sent a token that is of no use: one that has expired, that WeChat has rejected, or that is older than
    /// the one before.
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
            oauth_error: None,
            body: None,
            retry_after: None,
            attempts: 0,
            source: None,
        }))
    }

    pub(crate) fn configuration(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, "the client's configuration", detail)
    }

    /// Returns the error for a server that should have sent a token, but sent an empty one.
    pub(crate) fn empty_token(subject: &str) -> Self {
        let detail = "the server said success (statusCode 200) but sent an empty token; ask its operators";
        Self::new(ErrorKind::NoData, subject, detail)
    }

    /// Changes the error, for instance to add what is known of the answer.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn caused_by(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.with(|error| error.source = Some(Arc::new(source)))
    }

    /// Returns the `error` of OAuth 2.0, such as `invalid_grant`, if an OIDC endpoint sent one.
    #[must_use]
    pub fn oauth_error(&self) -> Option<&str> {
        self.0.oauth_error.as_deref()
    }

    /// Returns what kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub(crate) fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Whether the call ran out of time.
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

    /// Returns the HTTP status, if an answer came.
    #[must_use]
    pub fn http_status(&self) -> Option<StatusCode> {
        self.0.http_status
    }

    /// Returns the envelope's `statusCode`, if an envelope came; unknown codes are kept.
    #[must_use]
    pub fn status_code(&self) -> Option<i64> {
        self.0.status_code
    }

    /// Returns the envelope's `apiCode`, if there is one; unknown codes are kept.
    #[must_use]
    pub fn api_code(&self) -> Option<i64> {
        self.0.api_code
    }

    /// Returns the envelope's `requestId`, which the server's operators ask for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the whole `message` of the envelope, with the secrets of the request struck out.
    #[must_use]
    pub fn server_message(&self) -> Option<&str> {
        self.0.server_message.as_deref()
    }

    /// Returns how long the server asks to wait before the next request, if it does (`Retry-After`). That may be more
    /// than can be added to any clock: up to `u64::MAX` seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns how often the call was attempted: 0 if nothing was sent, more than 1 if it was retried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the body of the answer as it came, if one came. It may hold secrets: neither `Debug` nor `Display` shows
    /// it.
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
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("subject", &self.0.subject)
            .field("detail", &self.0.detail)
            .field("http_status", &self.0.http_status)
            .field("status_code", &self.0.status_code)
            .field("api_code", &self.0.api_code)
            .field("request_id", &self.0.request_id)
            .field("attempts", &self.0.attempts)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The code of a sign-in that needs no more steps.
pub(crate) const COMPLETE: i64 = 1600;

/// Returns what to do about a failure's codes, by the business code if there is advice on that.
pub(crate) fn advice(status_code: i64, api_code: Option<i64>) -> Option<&'static str> {
    api_code.and_then(advice_on).or_else(|| advice_on(status_code))
}

/// Returns the advice on a code. All codes of the API's error-code page are known. No code occurs both as a
/// `statusCode` and as an `apiCode`, except those around a sign-in, which come as either.
fn advice_on(code: i64) -> Option<&'static str> {
    Some(match code {
        400 => "check the request's fields",
        401 => "check the credentials",
        402 | 4021 => "the plan does not include this; see the billing page of the console",
        403 => "these credentials may not do that; grant the permission in the console",
        404 => "check the ids in the request, and the host",
        413 => "send less at once",
        429 => "wait before the next request, and cache what this one answers",
        500 | 502 | 503 => "try again later; if this persists, give the request id to the server's operators",
        501 => "this server does not offer the operation",
        601 | 602 => "the third party (such as WeChat) refused or failed: check its app id, secret and IP allow-list",
        603 => "look into the custom code (pipeline) of the application in the console",
        1300 => "check the access key's secret",
        1301 | 1302 => "the server expects another signature method than this crate's; please report it",
        1303 => "the server wants dates in milliseconds: `.signature_date(SignatureDate::UnixMilliseconds)`",
        1304 => "the header `date` was lost on the way; have proxies let it through",
        1305 => "set this machine's clock (NTP): the server refuses requests with another date",
        1306 => "the signature's nonce was used before; send the request again",
        COMPLETE => "the sign-in is complete, but there are no tokens in the answer; check the application's settings",
        1635 | 1636 => "give a second factor first; see `Error::next_step`",
        1639 | 2058 => "have the user choose a new password first; see `Error::next_step`",
        1640 | 1641 => "bind the identity to an account first; see `Error::next_step`",
        1642 => "complete the user's profile first; see `Error::next_step`",
        1643 => "have the user unlock the account first; see `Error::next_step`",
        1699 => "the sign-in was ended early; start over",
        1700 => "upload a photo for the face recognition first",
        1701 => "send the picture to compare the face with",
        1702 => "the face does not match; try another picture",
        1703 => "bind an email address or a phone number first; a face is bound with one of them",
        1704 => "check the phone number and its code",
        1705 => "check the email address and its code",
        1706 => "the face is bound already; unbind it first",
        1707 => "the face was not bound; try another picture",
        2004 => "there is no such user; check the account",
        2005 => "the user is locked; unlock it in the console",
        2006 | 2333 => "check the account and the password",
        2011 => "check the app id, and that the host is this application's own",
        2020 => "sign the user in again and set the new user access token",
        2031 => "the application takes no new users; allow the registration in the console",
        2039 | 2040 => "choose another domain; this one is taken",
        2224 => "check the user pool id and the host",
        6001 => "check the one-time password (TOTP), and the clock of the device that shows it",
        6002 => "check the recovery code",
        6003 => "send the one-time password (TOTP)",
        6004 => "send the recovery code",
        2_120_008 => "the user is suspended or not a member of this tenant; look in the console",
        2_130_010 => "the user may not sign in to this tenant; allow it in the console",
        2_820_002 => "check the LDAP link in the console",
        _ => return None,
    })
}
