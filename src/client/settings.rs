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

/// All that a client is; its clones share what is behind an `Arc`.
#[derive(Clone)]
pub struct Settings {
    pub(crate) host: Arc<Host>,
    pub(crate) http: reqwest::Client,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) notices: Notices,
    /// The time that a whole call has, whatever it takes.
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: Retry,
    /// The largest answer that is read, in bytes.
    pub(crate) largest_answer: usize,
    /// Whether `success: false` in a payload is an answer.
    pub(crate) allow_not_done: bool,
    /// How many requests may be under way; shared by the clones of a client.
    pub(crate) concurrency: Option<Arc<Semaphore>>,
    /// The caller's own.
    pub(crate) headers: HeaderMap,
    /// Whether the caller brought the HTTP client, with a redirect policy that nobody can read.
    pub(crate) foreign_http_client: bool,
    pub(crate) now: Clock,
}
