//! What a successful call returns.

use http::{HeaderMap, StatusCode};
use serde::Serialize;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// The envelope without its `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Head {
    pub(crate) status_code: i64,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

/// A successful answer: the payload (`data`), to which this dereferences, and the rest of the envelope.
///
/// It serializes as the whole envelope, as the SDKs of other languages print it, secrets included.
///
/// ```
/// # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = genauth::mock::MockGenAuth::start().await?;
/// # let client = server.client_builder().build()?;
/// use genauth::types::GetWechatAccessTokenDto;
///
/// # let (wechat_app_id, wechat_app_secret) = (server.wechat_app_id(), server.wechat_app_secret());
/// let token = client
///     .get_wechat_mp_access_token_info()
///     .body(GetWechatAccessTokenDto::builder().app_id(wechat_app_id).app_secret(wechat_app_secret))
///     .send()
///     .await?;
/// println!("valid until {} ({})", token.expires_at, token.message());
/// # Ok(()) }
/// # #[cfg(not(feature = "mock"))] fn main() {}
/// ```
#[derive(Clone, Serialize)]
pub struct Response<T> {
    #[serde(flatten)]
    pub(crate) head: Head,
    #[serde(rename = "data")]
    pub(crate) payload: T,
    #[serde(skip)]
    pub(crate) http_status: StatusCode,
    #[serde(skip)]
    pub(crate) headers: HeaderMap,
}

impl<T> Response<T> {
    /// Returns the payload alone.
    #[must_use]
    pub fn into_payload(self) -> T {
        self.payload
    }

    /// Returns the envelope's `statusCode`: 200, or what comes with the tokens of a sign-in that is complete
    /// (`statusCode` or `apiCode` 1600).
    #[must_use]
    pub fn status_code(&self) -> i64 {
        self.head.status_code
    }

    /// Returns the envelope's `message`, in the client's language.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.head.message
    }

    /// Returns the envelope's `apiCode`, which servers send on failures only.
    #[must_use]
    pub fn api_code(&self) -> Option<i64> {
        self.head.api_code
    }

    /// Returns the envelope's `requestId`, which some servers send on success too.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.head.request_id.as_deref()
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        self.http_status
    }

    /// Returns the HTTP headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl Response<serde::de::IgnoredAny> {
    /// Drops the payload, for an operation that has no `data`.
    #[allow(dead_code, reason = "the document need not have such an operation")]
    pub(crate) fn without_payload(self) -> Response<()> {
        let Self { head, http_status, headers, .. } = self;
        Response { payload: (), head, http_status, headers }
    }
}

#[cfg(feature = "invoke")]
impl<T: Serialize> Response<T> {
    pub(crate) fn into_json(self) -> Result<Response<serde_json::Value>, crate::Error> {
        let Self { payload, head, http_status, headers } = self;
        let payload = serde_json::to_value(payload).map_err(|error| {
            crate::Error::new(crate::ErrorKind::Response, "the payload", "it cannot be written as JSON")
                .caused_by(error)
        })?;
        Ok(Response { payload, head, http_status, headers })
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.payload
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.payload
    }
}

/// Shows the payload and the envelope, but not the headers, in which a server may send cookies.
impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status_code", &self.head.status_code)
            .field("message", &self.head.message)
            .field("api_code", &self.head.api_code)
            .field("request_id", &self.head.request_id)
            .field("data", &self.payload)
            .finish_non_exhaustive()
    }
}
