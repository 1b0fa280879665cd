//! Asking the source of a token for one.

use super::held::{Extra, HeldToken, Record};
use super::life::{Doubt, Life, Told};
use super::stats::Counters;
use super::windows::Windows;
use crate::client::Clock;
use crate::{Error, ErrorKind, SecretString, UnixTimestamp};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A token as its source returns it.
pub(crate) struct FetchedToken {
    pub(crate) secret: SecretString,
    /// What else is to be kept with it.
    pub(crate) made: Option<Extra>,
    pub(crate) lifetime: Lifetime,
}

/// How long it is good, in the source's words.
#[derive(Clone, Copy)]
pub(crate) enum Lifetime {
    /// Until then, by the source's clock, which its answer's `Date` may tell.
    Until { expires_at: UnixTimestamp, date: Option<SystemTime> },
    /// For that long from when it was asked for, and for a few seconds at least if it says so much.
    For(Duration),
}

/// What errors and logs say of a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// What they are about.
    pub(crate) subject: &'static str,
    /// Where the source returns what was rejected, and where everything new is rejected: what is wrong, and what to do.
    pub(crate) rejected_again: &'static str,
    pub(crate) rejected_always: &'static str,
}

pub(crate) type Fetching<'a> = Pin<Box<dyn Future<Output = Result<FetchedToken, Error>> + Send + 'a>>;

/// Where tokens come from. It is not simply a client, so that tests can script it.
pub(crate) trait Source: Send + Sync {
    fn fetch(&self) -> Fetching<'_>;

    fn words(&self) -> Words;

    /// On whose behalf it fetches; an error of one user is not that of the next.
    fn user(&self) -> Option<SecretString> {
        None
    }
}

/// What a token is good for at least that is said to be good for so long, however long it took to come.
const LEAST: Duration = Duration::from_secs(5);

/// Fetches tokens of one source, one after the other.
pub(crate) struct Fetcher {
    pub(crate) source: Box<dyn Source>,
    pub(crate) now: Clock,
    pub(crate) windows: Windows,
    pub(crate) counters: Counters,
    requested_at: Mutex<Option<SystemTime>>,
    /// What was last told of.
    doubt: Mutex<Option<Doubt>>,
}

impl Fetcher {
    pub(crate) fn new(source: Box<dyn Source>, now: Clock, windows: Windows) -> Self {
        let counters = Counters::default();
        Self { source, now, windows, counters, requested_at: Mutex::default(), doubt: Mutex::default() }
    }

    /// A token other than those that are known to be rejected.
    pub(crate) async fn fetch(&self, known: &[&Record], generation: u64) -> Result<HeldToken, Error> {
        self.keep_distance().await;
        let sent_at = (self.now)();
        *self.requested_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent_at);
        let fetched = self.source.fetch().await?;
        let (now, words) = ((self.now)(), self.source.words());
        if fetched.secret.expose_secret().trim().is_empty() {
            return Err(Error::empty_token(words.subject));
        }
        if known.iter().any(|known| known.rejected && known.is(&fetched.secret)) {
            return Err(Error::new(ErrorKind::UnusableToken, words.subject, words.rejected_again));
        }
        let (left, expires_at) = match fetched.lifetime {
            Lifetime::Until { expires_at, date } => self.life_of(&Told { expires_at, date, sent_at, now }),
            Lifetime::For(lifetime) => {
                let took = now.duration_since(sent_at).unwrap_or_default();
                let left = lifetime.saturating_sub(took).max(lifetime.min(LEAST)).min(self.windows.longest_life);
                (left, now.checked_add(left).unwrap_or(now).into())
            }
        };
        if left.is_zero() {
            let detail = format!("the server sent a token that expired at {expires_at}; if it stays, check its clock");
            return Err(Error::new(ErrorKind::UnusableToken, words.subject, detail));
        }
        self.counters.count(|stats| stats.refreshes += 1);
        let record = Record { secret: fetched.secret, expires_at, generation, lifetime: left, rejected: false };
        Ok(HeldToken::new(record, fetched.made, (now, left), &self.windows))
    }

    /// A token of the fleet, with a life by whatever clock measured it just now.
    pub(crate) fn hold(&self, record: Record, left: Duration) -> HeldToken {
        HeldToken::new(record, None, ((self.now)(), left), &self.windows)
    }

    /// What is left of it, and until when.
    fn life_of(&self, told: &Told) -> (Duration, UnixTimestamp) {
        let Life { left, expires_at, doubt } = told.life(self.windows.longest_life);
        self.tell(doubt, told);
        (left, expires_at)
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
