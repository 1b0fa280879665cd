//! The token of the management side: fetched once for an access key, shared, renewed before it expires.

use super::access_key_signature::AccessKey;
use super::dialect::header;
use super::kind::{Holding, Outgoing, bearer};
use crate::retry::{FAILURES, random};
use crate::{Error, ErrorKind, SecretString};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;
use tracing::Instrument as _;

/// What errors about a fetch are about.
const SUBJECT: &str = "getManagementToken";

/// The least between two tokens, whatever the server says of their lives or rejects.
const LEAST_LIFE: Duration = Duration::from_secs(5);

/// A management token, ready to be sent.
pub(crate) struct ManagementToken {
    pub(crate) secret: SecretString,
    pub(crate) userpool_id: Option<HeaderValue>,
    renew_at: SystemTime,
    expires_at: SystemTime,
    /// Which fetch it came of, counted from 1.
    pub(crate) fetch: u64,
}

/// A fetch that has not begun: of a token, and in how many seconds it expires. Boxed, since it is itself a call, of which
/// the compiler would have to know the size.
pub(crate) type TokenFetch = Pin<Box<dyn Future<Output = Result<(SecretString, i64), Error>> + Send>>;

/// An access key, and the token that the clones of a client share.
pub(crate) struct ManagementTokens {
    pub(crate) key: AccessKey,
    /// For a fetch, whose outcome is everybody's: not that of a caller in a hurry.
    pub(crate) timeout: Duration,
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// Whoever has this locked fetches; the others wait for what comes of it.
    current: Mutex<Current>,
    fetches: AtomicU64,
}

#[derive(Default)]
struct Current {
    token: Option<Arc<ManagementToken>>,
    /// The last of the fetches that failed since the last one that did not.
    failure: Option<FailedFetch>,
    /// When a token was last given up because the server rejected it.
    given_up_at: Option<SystemTime>,
}

struct FailedFetch {
    error: Error,
    at: SystemTime,
    /// How many there were in a row.
    count: u32,
    /// How long nobody asks again while there is a token.
    pause: Duration,
    /// How long callers without a token get the same error.
    memory: Duration,
}

impl ManagementTokens {
    pub(crate) fn new(key: AccessKey, timeout: Duration, now: Arc<dyn Fn() -> SystemTime + Send + Sync>) -> Self {
        Self { key, timeout, now, current: Mutex::default(), fetches: AtomicU64::default() }
    }

    pub(crate) fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::Acquire)
    }

    /// The token, fetched if there is none that lives long enough. Callers who wait while another fetches get what that
    /// one got, an error as well; an error is remembered for a while.
    ///
    /// A token that the server has `rejected` is answered again if there is no other yet, or if one was given up for that a
    /// moment ago: then it is not the token's fault.
    pub(crate) async fn get(
        self: &Arc<Self>,
        rejected: Option<&Arc<ManagementToken>>,
        fetch: impl FnOnce() -> TokenFetch,
    ) -> Result<Arc<ManagementToken>, Error> {
        let fetches = self.fetches();
        if let (Ok(current), None) = (self.current.try_lock(), rejected)
            && let Some(token) = current.token.as_ref().filter(|token| (self.now)() < token.renew_at)
        {
            return Ok(Arc::clone(token));
        }
        // A task of its own: a caller who gives up neither loses the token nor what there is to remember of a failure.
        let looking = Arc::clone(self).look(rejected.cloned(), fetches, fetch());
        tokio::spawn(looking.in_current_span()).await.unwrap_or_else(|_| {
            let detail = "the fetch was broken off: it panicked, or its Tokio runtime was shut down; try again";
            Err(Error::new(ErrorKind::Transport, SUBJECT, detail))
        })
    }

    /// As [`get`](Self::get), by a caller who has seen so many `fetches`.
    async fn look(
        self: Arc<Self>,
        rejected: Option<Arc<ManagementToken>>,
        before: u64,
        fetching: TokenFetch,
    ) -> Result<Arc<ManagementToken>, Error> {
        let mut current = self.current.lock().await;
        let now = (self.now)();
        // A clock that was set back makes nobody wait.
        let within = |at: SystemTime, span| now.duration_since(at).is_ok_and(|since| since < span);
        let doubted = rejected.filter(|it| current.token.as_ref().is_some_and(|token| Arc::ptr_eq(token, it)));
        if let Some(token) = &doubted {
            if current.given_up_at.is_some_and(|at| within(at, LEAST_LIFE)) {
                return Ok(Arc::clone(token));
            }
            current.given_up_at = Some(now);
        }
        let waited = self.fetches() != before;
        let alive = current.token.clone().filter(|token| now < token.expires_at);
        if let Some(token) = &alive {
            let paused = current.failure.as_ref().is_some_and(|failure| within(failure.at, failure.pause));
            if waited || paused || doubted.is_none() && now < token.renew_at {
                return Ok(Arc::clone(token));
            }
        } else if let Some(failure) = current.failure.as_ref().filter(|it| waited || within(it.at, it.memory)) {
            return Err(failure.error.clone());
        }
        let fetched = self.fetch(fetching).await.map(Arc::new);
        self.fetches.fetch_add(1, Ordering::Release);
        match fetched {
            Ok(token) => {
                (current.token, current.failure) = (Some(Arc::clone(&token)), None);
                Ok(token)
            }
            Err(error) => {
                // What the server said may be long, and is of use to whoever caused it.
                let remembered = error.clone().with(|error| error.server_message = None);
                let count = current.failure.as_ref().map_or(0, |failure| failure.count).saturating_add(1);
                let (pause, memory) = (FAILURES.pause_after(&error, count, random()), FAILURES.memory_of(&error));
                current.failure = Some(FailedFetch { error: remembered, at: (self.now)(), count, pause, memory });
                // A renewal in good time that fails costs nobody the token that is still good.
                alive.ok_or(error)
            }
        }
    }

    async fn fetch(&self, fetching: TokenFetch) -> Result<ManagementToken, Error> {
        const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
        let asked_at = (self.now)();
        // The body is this operation's: whoever needed the token must not take it for the answer to its own.
        let (secret, expires_in) = fetching.await.map_err(|error| error.with(|error| error.body = None))?;
        if secret.expose_secret().trim().is_empty() {
            return Err(Error::empty_token(SUBJECT));
        }
        let lifetime = Duration::from_secs(u64::try_from(expires_in).unwrap_or_default()).min(LONGEST);
        // Early enough for a slow request, late enough for a short life.
        let margin = (lifetime / 10).min(Duration::from_secs(60));
        let least = (self.now)().checked_add(LEAST_LIFE).unwrap_or(asked_at);
        let after = |duration: Duration| asked_at.checked_add(duration).unwrap_or(asked_at).max(least);
        Ok(ManagementToken {
            // A user pool's own key is its id and secret; for another key without the claim there is no better guess.
            userpool_id: userpool_id(secret.expose_secret()).or_else(|| HeaderValue::from_str(&self.key.id).ok()),
            secret,
            renew_at: after(lifetime - margin),
            expires_at: after(lifetime),
            fetch: self.fetches() + 1,
        })
    }
}

/// An access key that fetches tokens, if the client has one. Shared by the clones of a client.
#[derive(Clone, Default)]
pub(crate) struct ManagementAccess(pub(crate) Option<Arc<ManagementTokens>>);

impl ManagementAccess {
    pub(super) fn kind(&self, _user: bool) -> Holding<'_> {
        let setter = "`.access_key(..)` as `AccessKeyUse::ManagementToken`";
        Holding { setter, is_held: self.0.is_some(), secret: self.0.as_ref().map(|tokens| &tokens.key.secret) }
    }

    pub(super) fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        outgoing.put_tenant();
        outgoing.put(header!("userpool-id"), outgoing.userpool_id.cloned());
        outgoing.management_token.map_or(Ok(()), |token| outgoing.authorize(bearer(token)))
    }
}

/// The claim `scoped_userpool_id` of the JWT that the token is. The server has checked it; here it is but read.
fn userpool_id(token: &str) -> Option<HeaderValue> {
    #[derive(serde::Deserialize)]
    struct Claims {
        scoped_userpool_id: String,
    }
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    HeaderValue::from_str(&claims.scoped_userpool_id).ok().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_pool_is_read_from_the_claim_and_a_token_without_one_is_none() {
        // Recorded from the official Python SDK's traffic.
        let token = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzY29wZWRfdXNlcnBvb2xfaWQiOiJwb29sXzYwZTAwMDAwMDAwMDAwMDAwMDAwMDBhYiIsImV4cCI6MTg5MzQ1NjAwMH0.";
        assert_eq!(userpool_id(token).unwrap(), "pool_60e0000000000000000000ab");
        for token in ["", "opaque", "a.b.c", "a..c", "a.e30.c"] {
            assert_eq!(userpool_id(token), None, "{token}");
        }
    }
}
