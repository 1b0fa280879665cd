//! Asking the server for a token.

use super::life::{Doubt, Life, Told};
use super::stats::Counters;
use super::token::{HeldToken, Record};
use super::windows::Windows;
use crate::client::Clock;
use crate::{Error, ErrorKind, SecretString, UnixTimestamp};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// What errors about a token are about.
pub(super) const SUBJECT: &str = "the WeChat access token";

/// A token as the server answers it.
pub(super) struct FetchedToken {
    pub(super) secret: SecretString,
    pub(super) expires_at: UnixTimestamp,
    pub(super) date: Option<SystemTime>,
}

pub(super) type Fetching<'a> = Pin<Box<dyn Future<Output = Result<FetchedToken, Error>> + Send + 'a>>;

/// Who answers tokens. Not a client at once, so that tests can script it.
pub(super) trait Source: Send + Sync {
    fn fetch(&self) -> Fetching<'_>;

    /// On whose behalf; an error of one user is not that of the next.
    fn user(&self) -> Option<SecretString>;
}

/// Fetches tokens for one WeChat app, one after the other.
pub(super) struct Fetcher {
    pub(super) source: Box<dyn Source>,
    pub(super) now: Clock,
    pub(super) windows: Windows,
    pub(super) counters: Counters,
    requested_at: Mutex<Option<SystemTime>>,
    /// What was last told of.
    doubt: Mutex<Option<Doubt>>,
}

impl Fetcher {
    pub(super) fn new(source: Box<dyn Source>, now: Clock, windows: Windows) -> Self {
        let counters = Counters::default();
        Self { source, now, windows, counters, requested_at: Mutex::default(), doubt: Mutex::default() }
    }

    /// A token that is none of those that are known to be rejected.
    pub(super) async fn fetch(&self, known: &[&Record], generation: u64) -> Result<HeldToken, Error> {
        self.keep_distance().await;
        let sent_at = (self.now)();
        *self.requested_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent_at);
        let fetched = self.source.fetch().await?;
        let now = (self.now)();
        if fetched.secret.expose_secret().trim().is_empty() {
            return Err(Error::empty_token(SUBJECT));
        }
        if known.iter().any(|known| known.rejected && known.is(&fetched.secret)) {
            let detail = "the server answers the very token that WeChat rejected; some other system fetches tokens for this \
                          WeChat app from WeChat itself: let it take them from this server";
            return Err(Error::new(ErrorKind::UnusableToken, SUBJECT, detail));
        }
        let told = Told { expires_at: fetched.expires_at, date: fetched.date, sent_at, now };
        let Life { left, expires_at, doubt } = told.life(self.windows.longest_life);
        self.tell(doubt, &told);
        if left.is_zero() {
            let detail =
                format!("the server answered a token that expired at {expires_at}; if it stays, check its clock");
            return Err(Error::new(ErrorKind::UnusableToken, SUBJECT, detail));
        }
        self.counters.count(|stats| stats.refreshes += 1);
        let record = Record { secret: fetched.secret, expires_at, generation, lifetime: left, rejected: false };
        Ok(self.hold(record, left))
    }

    /// A token, with a life by whatever clock measured it just now.
    pub(super) fn hold(&self, record: Record, left: Duration) -> HeldToken {
        HeldToken::new(record, ((self.now)(), left), &self.windows)
    }

    /// Logs what is doubtful of an answer, once until something else is.
    fn tell(&self, doubt: Option<Doubt>, told: &Told) {
        let before = std::mem::replace(&mut *self.doubt.lock().unwrap_or_else(PoisonError::into_inner), doubt);
        if let Some(doubt) = doubt.filter(|doubt| before != Some(*doubt)) {
            let date = told.date.map(|date| tracing::field::display(UnixTimestamp::from(date)));
            let (expires_at, now) = (told.expires_at.as_secs(), UnixTimestamp::from(told.now));
            tracing::warn!(expires_at, date, %now, "{}", doubt.advice());
        }
    }

    /// Waits, where the last request was just now: a token that is born dead must not make a caller ask without end.
    async fn keep_distance(&self) {
        let last = *self.requested_at.lock().unwrap_or_else(PoisonError::into_inner);
        let since = last.and_then(|last| (self.now)().duration_since(last).ok());
        if let Some(rest) = since.and_then(|since| self.windows.pause.checked_sub(since)) {
            tokio::time::sleep(rest).await;
        }
    }
}
