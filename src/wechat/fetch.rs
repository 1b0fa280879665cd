//! Getting the next token.

use super::life::{Doubt, Life, Told};
use super::stats::Counters;
use super::token::Held;
use super::windows::Windows;
use crate::client::Clock;
use crate::types::{GetWechatAccessTokenDataDto, GetWechatAccessTokenDto};
use crate::{Client, Error, ErrorKind, Operation, SecretString, UnixTimestamp};
use http::header::DATE;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// A token as the server answers it.
pub(super) struct Answer {
    pub(super) secret: SecretString,
    pub(super) expires_at: UnixTimestamp,
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
        // What follows a rejected token may end before it would have.
        let follows = held.generation > self.than.generation && !held.is(&self.than.secret);
        if self.rejected { follows || newer && !held.is(&self.than.secret) } else { newer }
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
        client.settings.retry.retries = 0;
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
        self.client.settings.credentials.user_access_token()
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
    /// What was last told of.
    doubt: Mutex<Option<Doubt>>,
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
            doubt: Mutex::default(),
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

    /// Lets go of what a refresh that was broken off may hold.
    pub(super) async fn let_go(&self) {
        #[cfg(feature = "redis")]
        if let Some(store) = &self.store {
            store.release().await;
        }
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
        let told = Told { expires_at: answer.expires_at, date: answer.date, sent_at, now };
        let Life { left, expires_at, doubt } = told.life(self.windows.longest_life);
        self.tell(doubt, &told);
        if left.is_zero() {
            let detail =
                format!("the server answered a token that expired at {expires_at}; if it stays, check its clock");
            return Err(Error::new(ErrorKind::UnusableToken, SUBJECT, detail));
        }
        Counters::count(&self.counters.refreshes);
        Ok(Held::new(answer.secret, expires_at, generation, left, (now, left), &self.windows))
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
