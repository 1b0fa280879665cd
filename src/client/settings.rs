//! What a client is made of.

use super::clock::Clock;
use super::host::Host;
use crate::credentials::Credentials;
use crate::deprecation::Notices;
use crate::retry::Retry;
use http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Everything in a client; its clones share what is behind an `Arc`.
#[derive(Clone)]
pub struct Settings {
    pub(crate) host: Arc<Host>,
    pub(crate) http: reqwest::Client,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) notices: Notices,
    /// The time for a whole call, with all its attempts.
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: Retry,
    /// The largest answer that is read, in bytes.
    pub(crate) largest_answer: usize,
    /// Whether a payload with `success: false` is a success.
    pub(crate) allow_not_done: bool,
    /// How many requests may be under way; the clones of a client share it.
    pub(crate) concurrency: Option<Arc<Semaphore>>,
    /// The caller's own headers.
    pub(crate) headers: HeaderMap,
    /// Whether the caller brought the HTTP client, with a redirect policy that nobody can read.
    pub(crate) foreign_http_client: bool,
    pub(crate) now: Clock,
}
