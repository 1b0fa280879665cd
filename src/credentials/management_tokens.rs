//! The token of the management side: fetched once for an access key, shared, renewed before it expires.

use super::access_key::AccessKey;
use super::dialect::Header;
use super::header_value::bearer;
use super::kind::{Kind, Outgoing};
use super::management_token::{LEAST_LIFE, ManagementToken, SUBJECT};
use crate::retry::{FAILURES, random};
use crate::{Error, ErrorKind, SecretString};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;
use tracing::Instrument as _;

/// A fetch that has not begun: of a token, and in how many seconds it expires. Boxed, since it is itself a call, of which
/// the compiler would have to know the size.
pub(crate) type Fetching = Pin<Box<dyn Future<Output = Result<(SecretString, i64), Error>> + Send>>;

/// An access key, and the token that the clones of a client share.
pub(crate) struct ManagementTokens {
    pub(crate) key: AccessKey,
    /// For a fetch, whose outcome is everybody's: not that of a caller in a hurry.
    pub(crate) timeout: Duration,
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// Whoever has this locked fetches; the others wait for what comes of it.
    kept: Mutex<Kept>,
    fetches: AtomicU64,
}

#[derive(Default)]
struct Kept {
    token: Option<Arc<ManagementToken>>,
    /// The last of the fetches that failed since the last one that did not.
    failure: Option<Failure>,
    /// When a token was last given up because the server rejected it.
    given_up_at: Option<SystemTime>,
}

struct Failure {
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
        Self { key, timeout, now, kept: Mutex::default(), fetches: AtomicU64::default() }
    }

    /// How many fetches there have been.
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
        fetch: impl FnOnce() -> Fetching,
    ) -> Result<Arc<ManagementToken>, Error> {
        let fetches = self.fetches();
        if let (Ok(kept), None) = (self.kept.try_lock(), rejected)
            && let Some(token) = kept.token.as_ref().filter(|token| (self.now)() < token.renew_at)
        {
            return Ok(Arc::clone(token));
        }
        // A task of its own: a caller who gives up neither loses the token nor what there is to remember of a failure.
        let (tokens, rejected, fetching) = (Arc::clone(self), rejected.cloned(), fetch());
        let looking = async move { tokens.look(rejected.as_ref(), fetches, fetching).await };
        tokio::spawn(looking.in_current_span()).await.unwrap_or_else(|_| {
            let detail = "the fetch was broken off: it panicked, or its Tokio runtime was shut down; try again";
            Err(Error::new(ErrorKind::Transport, SUBJECT, detail))
        })
    }

    /// As [`get`](Self::get), by a caller who has seen so many `fetches`.
    async fn look(
        &self,
        rejected: Option<&Arc<ManagementToken>>,
        before: u64,
        fetching: Fetching,
    ) -> Result<Arc<ManagementToken>, Error> {
        let mut kept = self.kept.lock().await;
        let now = (self.now)();
        // A clock that was set back makes nobody wait.
        let within = |at: SystemTime, span| now.duration_since(at).is_ok_and(|since| since < span);
        let doubted = kept.token.clone().filter(|token| rejected.is_some_and(|rejected| Arc::ptr_eq(token, rejected)));
        if let Some(token) = &doubted {
            if kept.given_up_at.is_some_and(|at| within(at, LEAST_LIFE)) {
                return Ok(Arc::clone(token));
            }
            kept.given_up_at = Some(now);
        }
        let waited = self.fetches() != before;
        let alive = kept.token.clone().filter(|token| now < token.expires_at);
        if let Some(token) = &alive {
            let paused = kept.failure.as_ref().is_some_and(|failure| within(failure.at, failure.pause));
            if waited || paused || doubted.is_none() && now < token.renew_at {
                return Ok(Arc::clone(token));
            }
        } else if let Some(failure) = kept.failure.as_ref().filter(|it| waited || within(it.at, it.memory)) {
            return Err(failure.error.clone());
        }
        let fetched = self.fetch(fetching).await.map(Arc::new);
        self.fetches.fetch_add(1, Ordering::Release);
        match fetched {
            Ok(token) => {
                (kept.token, kept.failure) = (Some(Arc::clone(&token)), None);
                Ok(token)
            }
            Err(error) => {
                // What the server said may be long, and is of use to whoever caused it.
                let remembered = error.clone().with(|error| error.server_message = None);
                let count = kept.failure.as_ref().map_or(0, |failure| failure.count).saturating_add(1);
                let (pause, memory) = (FAILURES.pause_after(&error, count, random()), FAILURES.memory_of(&error));
                kept.failure = Some(Failure { error: remembered, at: (self.now)(), count, pause, memory });
                // A renewal in good time that fails costs nobody the token that is still good.
                alive.ok_or(error)
            }
        }
    }

    async fn fetch(&self, fetching: Fetching) -> Result<ManagementToken, Error> {
        let asked_at = (self.now)();
        // The body is this operation's: whoever needed the token must not take it for the answer to its own.
        let answer = fetching.await.map_err(|error| error.with(|error| error.body = None))?;
        ManagementToken::new(answer, &self.key.id, self.fetches() + 1, asked_at, (self.now)())
    }
}

impl Kind for Option<Arc<ManagementTokens>> {
    fn setter(&self) -> &'static str {
        "`.access_key(..)` as `AccessKeyUse::ManagementToken`"
    }

    fn is_held(&self, _user: bool) -> bool {
        self.is_some()
    }

    fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        outgoing.put_tenant();
        if let Some(token) = outgoing.occasion.management_token {
            outgoing.put_if(Header::UserpoolId, token.userpool_id.as_ref());
            outgoing.put_authorization(bearer(&token.secret)?);
        }
        Ok(())
    }

    /// The tokens change: whoever sends one knows which.
    fn secret(&self) -> Option<&SecretString> {
        self.as_ref().map(|tokens| &tokens.key.secret)
    }
}
