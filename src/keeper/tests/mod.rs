//! The cache against a scripted server, on a paused clock: no test waits for anything but the scheduler.

mod apps;
mod callers;
mod failures;
mod fleet;
mod life;
mod memory;
mod rejected;
mod storm;
mod times;

use super::fetch::{FetchedToken, Fetcher, Fetching, Lifetime, Source, Words};
use super::fleet::{Member, Shared};
use super::held::Held;
use super::keeper::Keeper;
use super::windows::Windows;
use crate::client::Clock;
use crate::keeper::TokenStats;
use crate::types::GetWechatAccessTokenDto;
use crate::{Error, ErrorKind, SecretString, UnixTimestamp};
use memory::MemoryStore;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// How long WeChat's tokens live, in seconds.
const LIFETIME: u64 = 7200;

/// A server that does as it is told, and counts.
#[derive(Clone)]
struct Server(Arc<Script>);

struct Script {
    start: Instant,
    /// How far this machine's clock is ahead of the truth, in seconds.
    our_clock: AtomicI64,
    /// How far the server's clock is ahead of the truth, in seconds.
    its_clock: AtomicI64,
    /// How far the clock that writes the `Date` is ahead of the server's.
    gateways_clock: AtomicI64,
    requests: AtomicUsize,
    /// When each request came, in seconds from the start.
    times: Mutex<Vec<f64>>,
    under_way: AtomicUsize,
    user: Mutex<Option<SecretString>>,
    answer: Box<dyn Fn(usize) -> Planned + Send + Sync>,
}

/// What the server answers to a request.
struct Planned {
    takes: Duration,
    what: Result<(String, u64), Error>,
    /// Makes what `expiresAt` says from the seconds that it should say.
    told: fn(i64) -> i64,
}

/// An answer with a token of that life in seconds, after a tenth of a second.
fn token(text: impl Into<String>, lifetime: u64) -> Planned {
    Planned { takes: Duration::from_millis(100), what: Ok((text.into(), lifetime)), told: |seconds| seconds }
}

fn failure(kind: ErrorKind) -> Planned {
    failing(Error::new(kind, "test", "as planned"))
}

fn failing(error: Error) -> Planned {
    Planned { what: Err(error), ..token("", 0) }
}

impl Planned {
    fn after(self, takes: Duration) -> Self {
        Self { takes, ..self }
    }

    fn telling(self, told: fn(i64) -> i64) -> Self {
        Self { told, ..self }
    }
}

impl Server {
    /// Answers request number n, counted from 1, with `answer(n)`.
    fn new(answer: impl Fn(usize) -> Planned + Send + Sync + 'static) -> Self {
        Self(Arc::new(Script {
            start: Instant::now(),
            our_clock: AtomicI64::default(),
            its_clock: AtomicI64::default(),
            gateways_clock: AtomicI64::default(),
            requests: AtomicUsize::default(),
            times: Mutex::default(),
            under_way: AtomicUsize::default(),
            user: Mutex::default(),
            answer: Box::new(answer),
        }))
    }

    /// Answers a new token each time: `t1`, `t2`, …
    fn renewing() -> Self {
        Self::new(|number| token(format!("t{number}"), LIFETIME))
    }

    fn requests(&self) -> usize {
        self.0.requests.load(Ordering::SeqCst)
    }

    fn times(&self) -> Vec<f64> {
        self.0.times.lock().unwrap().clone()
    }

    fn time(&self, ahead: &AtomicI64) -> SystemTime {
        let ahead = 1_800_000_000 + ahead.load(Ordering::SeqCst);
        SystemTime::UNIX_EPOCH + Duration::from_secs(ahead.unsigned_abs()) + self.0.start.elapsed()
    }

    fn clock(&self) -> Clock {
        let server = self.clone();
        Arc::new(move || server.time(&server.0.our_clock))
    }

    fn slot(&self) -> Arc<Keeper> {
        self.slot_with(Windows::default())
    }

    fn slot_with(&self, windows: Windows) -> Arc<Keeper> {
        Arc::new(self.slot_of(app(0), windows))
    }

    fn slot_of(&self, app: GetWechatAccessTokenDto, windows: Windows) -> Keeper {
        Keeper::new(app.app_id, Member { fetcher: self.fetcher(windows), shared: None }, SECOND * 60)
    }

    /// The keeper of a process whose fleet has this store.
    fn process(&self, store: &MemoryStore) -> Arc<Keeper> {
        let app = app(0);
        // A call takes at most ten seconds.
        let shared = Shared::new(Arc::new(store.clone()), app.app_id.clone(), SECOND * 10);
        let member = Member { fetcher: self.fetcher(Windows::default()), shared: Some(shared) };
        Arc::new(Keeper::new(app.app_id, member, SECOND * 60))
    }

    fn fetcher(&self, windows: Windows) -> Fetcher {
        Fetcher::new(Box::new(self.clone()), self.clock(), windows)
    }
}

fn app(number: usize) -> GetWechatAccessTokenDto {
    GetWechatAccessTokenDto { app_id: format!("wx{number}"), app_secret: "secret".into() }
}

impl Source for Server {
    fn fetch(&self) -> Fetching<'_> {
        struct UnderWay(Server);
        impl Drop for UnderWay {
            fn drop(&mut self) {
                self.0.0.under_way.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let number = self.0.requests.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.times.lock().unwrap().push(self.0.start.elapsed().as_secs_f64());
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        let under_way = UnderWay(self.clone());
        Box::pin(async move {
            let server = &under_way.0;
            let Planned { takes, what, told } = (server.0.answer)(number);
            tokio::time::sleep(takes).await;
            let (text, lifetime) = what?;
            let now = server.time(&server.0.its_clock);
            let expires_at = UnixTimestamp::from(now + Duration::from_secs(lifetime)).as_secs();
            let date = UnixTimestamp::from(now).as_secs() + server.0.gateways_clock.load(Ordering::SeqCst);
            let lifetime = Lifetime::Until {
                expires_at: UnixTimestamp::from_secs(told(expires_at)),
                date: UnixTimestamp::from_secs(date).to_system_time(),
            };
            Ok(FetchedToken { secret: text.into(), made: None, lifetime })
        })
    }

    fn words(&self) -> Words {
        Words {
            subject: "the WeChat access token",
            rejected_again: "let it take them from this server",
            rejected_always: "",
        }
    }

    fn user(&self) -> Option<SecretString> {
        self.0.user.lock().unwrap().clone()
    }
}

/// What a caller got, in a form that can be compared.
fn seen(got: Result<Held, Error>) -> Result<String, ErrorKind> {
    got.map(|token| token.expose_secret().to_owned()).map_err(|error| error.kind())
}

async fn get(slot: &Arc<Keeper>) -> Result<String, ErrorKind> {
    seen(slot.get().await)
}

/// Lets tasks run until they wait for time to pass.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    settle().await;
}
