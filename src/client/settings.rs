//! What a client is set to.

use super::clock::Clock;
use crate::credentials::Credentials;
use crate::deprecation::Notices;
use crate::retry::Retry;
use http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Beside host and HTTP client.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) notices: Notices,
    /// For a whole call, whatever it takes.
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: Retry,
    /// The largest answer that is read, in bytes.
    pub(crate) largest_answer: usize,
    /// How many requests may be under way; shared by the clones of a client.
    pub(crate) concurrency: Option<Arc<Semaphore>>,
    /// The caller's own.
    pub(crate) headers: HeaderMap,
    /// The path of the host, which no signature covers: empty, or with a slash in front and none behind.
    pub(crate) base_path: Arc<str>,
    /// Whether the caller brought the HTTP client, with a redirect policy that nobody can read.
    pub(crate) foreign_http_client: bool,
    pub(crate) now: Clock,
}
