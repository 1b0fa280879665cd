//! How a token is fetched from its source.

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
    /// What the source has made of the token, to be kept with it.
    pub(crate) made: Option<Extra>,
    pub(crate) lifetime: Lifetime,
}

/// How long a token is good, as its source says it.
#[derive(Clone, Copy)]
pub(crate) enum Lifetime {
    /// It is good until then, by the source's clock; the answer's `Date` may tell that clock.
    Until { expires_at: UnixTimestamp, date: Option<SystemTime> },
    /// It is good for that long from the request on, and for at least the smaller of that and `LEAST`.
    For(Duration),
}

/// What errors and logs say about a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// What the errors are about.
    pub(crate) subject: &'static str,
    /// What is wrong, and what to do, if the source returns a rejected token again.
    pub(crate) rejected_again: &'static str,
    /// What is wrong, and what to do, if every new token is rejected.
    pub(crate) rejected_always: &'static str,
}

pub(crate) type Fetching<'a> = Pin<Box<dyn Future<Output = Result<FetchedToken, Error>> + Send + 'a>>;

/// A source of tokens. It is a trait rather than a client, so that tests can script it.
pub(crate) trait Source: Send + Sync {
    fn fetch(&self) -> Fetching<'_>;

    fn words(&self) -> Words;

    /// The user on whose behalf it fetches: an error of one user is not passed on to the next.
    fn user(&self) -> Option<SecretString> {
        None
    }
}

/// A token that is said to be good for this long is good for at least this long, even if the answer was slow.
const LEAST: Duration = Duration::from_secs(5);

/// Fetches the tokens of one source, one after the other.
pub(crate) struct Fetcher {
    pub(crate) source: Box<dyn Source>,
    pub(crate) now: Clock,
    pub(crate) windows: Windows,
    pub(crate) counters: Counters,
    requested_at: Mutex<Option<SystemTime>>,
    /// The doubt that was logged last.
    doubt: Mutex<Option<Doubt>>,
}

impl Fetcher {
    pub(crate) fn new(source: Box<dyn Source>, now: Clock, windows: Windows) -> Self {
        let counters = Counters::default();
        Self { source, now, windows, counters, requested_at: Mutex::default(), doubt: Mutex::default() }
    }

    /// Fetches a token that is not one of those known to be rejected.
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
            let detail =
                format!("the server sent a token that expired at {expires_at}; if this persists, check its clock");
            return Err(Error::new(ErrorKind::UnusableToken, words.subject, detail));
        }
        self.counters.count(|stats| stats.refreshes += 1);
        let record = Record { secret: fetched.secret, expires_at, generation, lifetime: left, rejected: false };
        Ok(HeldToken::new(record, fetched.made, (now, left), &self.windows))
    }

    /// Holds a token of the fleet that is good for `left` from now, whichever clock measured that.
    pub(crate) fn hold(&self, record: Record, left: Duration) -> HeldToken {
        HeldToken::new(record, None, ((self.now)(), left), &self.windows)
    }

    /// How long the token is still good, and when it expires.
    fn life_of(&self, told: &Told) -> (Duration, UnixTimestamp) {
        let Life { left, expires_at, doubt } = told.life(self.windows.longest_life);
        self.tell(doubt, told);
        (left, expires_at)
    }

    /// Logs what is doubtful about an answer, once until the doubt changes.
    fn tell(&self, doubt: Option<Doubt>, told: &Told) {
        let before = std::mem::replace(&mut *self.doubt.lock().unwrap_or_else(PoisonError::into_inner), doubt);
        if let Some(doubt) = doubt.filter(|doubt| before != Some(*doubt)) {
            let date = told.date.map(|date| tracing::field::display(UnixTimestamp::from(date)));
            let (expires_at, now) = (told.expires_at.as_secs(), UnixTimestamp::from(told.now));
            tracing::warn!(expires_at, date, %now, "{}", doubt.advice());
        }
    }

    /// Waits if the last request was just now: a token that is dead on arrival must not make a caller send requests
    /// without end.
    async fn keep_distance(&self) {
        let last = *self.requested_at.lock().unwrap_or_else(PoisonError::into_inner);
        let since = last.and_then(|last| (self.now)().duration_since(last).ok());
        if let Some(rest) = since.and_then(|since| self.windows.pause.checked_sub(since)) {
            tokio::time::sleep(rest).await;
        }
    }
}
