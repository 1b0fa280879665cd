//! Getting the next token.

use super::stats::Counters;
use super::token::Held;
use super::windows::Windows;
use crate::client::Clock;
use crate::types::{GetWechatAccessTokenDataDto, GetWechatAccessTokenDto};
use crate::{Client, Error, ErrorKind, Operation, SecretString, UnixTimestamp};
use http::header::DATE;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A token as the server answers it.
pub(super) struct Answer {
    pub(super) secret: SecretString,
    pub(super) expires_at: UnixTimestamp,
    /// What the server takes for now, to the second.
    pub(super) date: Option<SystemTime>,
}

pub(super) type Answering = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// Who answers tokens. Not a client at once, so that tests can script it.
pub(super) trait Source: Send + Sync {
    fn fetch(&self) -> Answering;

    /// On whose behalf; an error of one user is not that of the next.
    fn user(&self) -> Option<SecretString>;
}

/// What a refresh is after.
#[derive(Clone)]
pub(super) struct Wanted {
    /// The token that is held, or the last that WeChat rejected: nothing older is of use.
    pub(super) than: Arc<Held>,
    pub(super) rejected: bool,
}

impl Wanted {
    /// Whether it is newer, and not the one that was rejected.
    #[cfg(feature = "redis")]
    pub(super) fn is_met_by(&self, held: &Held) -> bool {
        let newer = (held.expires_at, held.generation) > (self.than.expires_at, self.than.generation);
        newer && !(self.rejected && held.is(&self.than.secret))
    }

    /// The token that must not come back.
    pub(super) fn rejected(&self) -> Option<&SecretString> {
        self.rejected.then_some(&self.than.secret)
    }
}

/// The server, asked for one WeChat app's token.
pub(super) struct Server {
    pub(super) client: Client,
    /// An `operationId`.
    pub(super) operation: String,
    pub(super) app: GetWechatAccessTokenDto,
}

impl Source for Server {
    fn fetch(&self) -> Answering {
        let Self { client, operation, app } = self;
        let (mut client, operation, app) = (client.clone(), Operation::by_id(operation), app.clone());
        // The cache has pauses of its own.
        client.inner.retry.retries = 0;
        Box::pin(async move {
            let operation = operation.ok_or_else(|| {
                Error::new(ErrorKind::Configuration, SUBJECT, "the document has no operation that answers it")
            })?;
            let answer = client.call::<_, GetWechatAccessTokenDataDto>(operation.method.clone(), operation.path, &app);
            let answer = answer.await?;
            let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
            let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
            Ok(Answer { secret: answer.access_token.clone(), expires_at: answer.expires_at, date })
        })
    }

    fn user(&self) -> Option<SecretString> {
        self.client.inner.credentials.user_access_token()
    }
}

/// Fetches tokens for one WeChat app, one after the other.
pub(super) struct Fetcher {
    pub(super) source: Box<dyn Source>,
    pub(super) now: Clock,
    pub(super) windows: Windows,
    pub(super) counters: Counters,
    #[cfg(feature = "redis")]
    pub(super) store: Option<super::shared::SharedToken>,
    requested_at: Mutex<Option<SystemTime>>,
}

impl Fetcher {
    pub(super) fn new(source: Box<dyn Source>, now: Clock, windows: Windows) -> Self {
        Self {
            source,
            now,
            windows,
            counters: Counters::default(),
            #[cfg(feature = "redis")]
            store: None,
            requested_at: Mutex::default(),
        }
    }

    /// A newer token.
    pub(super) async fn next(&self, wanted: &Wanted) -> Result<Held, Error> {
        #[cfg(feature = "redis")]
        if let Some(store) = &self.store {
            return store.next(self, wanted).await;
        }
        self.ask(wanted.rejected().into_iter().collect(), 0).await
    }

    /// Asks the server.
    pub(super) async fn ask(&self, rejected: Vec<&SecretString>, generation: u64) -> Result<Held, Error> {
        self.keep_distance().await;
        let sent_at = (self.now)();
        *self.requested_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent_at);
        let answer = self.source.fetch().await?;
        let now = (self.now)();
        if answer.secret.expose_secret().trim().is_empty() {
            let detail = "the server said success (statusCode 200) but sent an empty token; ask its operators";
            return Err(Error::new(ErrorKind::NoData, SUBJECT, detail));
        }
        if rejected.iter().any(|rejected| rejected.expose_secret() == answer.secret.expose_secret()) {
            let detail = "the server answers the very token that WeChat rejected; some other system fetches tokens for this \
                          WeChat app from WeChat itself: let it take them from this server";
            return Err(Error::new(ErrorKind::UnusableToken, SUBJECT, detail));
        }
        let left = answer.left(sent_at, now);
        if left.is_zero() {
            let expires_at = answer.expires_at;
            let detail =
                format!("the server answered a token that expired at {expires_at}; if it stays, check its clock");
            return Err(Error::new(ErrorKind::UnusableToken, SUBJECT, detail));
        }
        Counters::count(&self.counters.refreshes);
        Ok(Held::new(answer.secret, answer.expires_at, generation, left, (now, left), &self.windows))
    }

    /// Waits, where the last request was just now: a token that is born dead must not make a caller ask without end.
    async fn keep_distance(&self) {
        let pause = self.windows.pause;
        let last = *self.requested_at.lock().unwrap_or_else(PoisonError::into_inner);
        let since = last.and_then(|last| (self.now)().duration_since(last).ok());
        if let Some(rest) = since.and_then(|since| pause.checked_sub(since)) {
            tokio::time::sleep(rest).await;
        }
    }
}

/// What errors about a token are about.
pub(super) const SUBJECT: &str = "the WeChat access token";

impl Answer {
    /// How long the token is still good for. `expires_at` is the server's time: where the answer's date shows that the
    /// server's clock is another than ours, that counts, and where it leaves a choice, the shorter life.
    fn left(&self, sent_at: SystemTime, now: SystemTime) -> Duration {
        // No token lives so long; what says so is taken for this and not for a panic.
        const LONGEST: Duration = Duration::from_secs(30 * 86_400);
        let expires_at = self.expires_at.to_system_time().unwrap_or(SystemTime::UNIX_EPOCH);
        let by_our_clock = expires_at.duration_since(now).unwrap_or_default().min(LONGEST);
        let Some(date) = self.date else { return by_our_clock };
        // The date was written between our two looks at the clock, and has lost up to a second.
        let latest = date.checked_add(Duration::from_secs(1)).unwrap_or(date);
        if date <= now && sent_at <= latest {
            return by_our_clock;
        }
        let took = now.duration_since(sent_at).unwrap_or_default();
        expires_at.duration_since(latest).unwrap_or_default().saturating_sub(took).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1_000_000.0 + seconds)
    }

    fn left(expires: i64, date: Option<f64>, sent_at: f64, now: f64) -> f64 {
        let expires_at = UnixTimestamp::from_secs(1_000_000 + expires);
        let answer = Answer { secret: "t".into(), expires_at, date: date.map(at) };
        answer.left(at(sent_at), at(now)).as_secs_f64()
    }

    #[test]
    fn where_both_clocks_may_agree_ours_counts() {
        assert_eq!(left(100, None, 0.0, 0.5), 99.5);
        assert_eq!(left(100, Some(0.0), 0.25, 0.5), 99.5);
        assert_eq!(left(100, Some(0.0), 0.75, 1.25), 98.75);
    }

    #[test]
    fn where_they_differ_the_servers_counts_less_what_is_uncertain() {
        // Ours is an hour slow, then an hour fast.
        assert_eq!(left(3700, Some(3600.0), 0.0, 0.5), 98.5);
        assert_eq!(left(-3500, Some(-3600.0), 0.0, 0.5), 98.5);
    }

    #[test]
    fn an_expiry_out_of_range_is_no_panic() {
        for (expires, date) in
            [i64::MIN / 2, -1, 0, i64::MAX / 2].into_iter().flat_map(|e| [(e, None), (e, Some(50.0))])
        {
            let left = left(expires, date, 0.0, 1.0);
            assert_eq!(left, if expires > 0 { 30.0 * 86_400.0 } else { 0.0 }, "{expires}");
        }
    }
}
